"""A policy by the name that a user types."""

from __future__ import annotations

import click

from pamt.kernel.variants import Variant
from pamt.policies.protocol import Policy
from pamt.policies.registry import UnknownPolicyError, get_policy

__all__ = ["find_policy"]


def find_policy(name: str) -> tuple[Policy, Variant | None]:
    """The policy, and the kernel variant it stands for if it is one of Linux'.

    Raises click.UsageError, with the known names, for an unknown one.
    """
    try:
        policy = get_policy(name)
    except UnknownPolicyError as error:
        raise click.UsageError(str(error)) from None
    variant = getattr(policy, "variant", None)
    return policy, variant if isinstance(variant, Variant) else None
