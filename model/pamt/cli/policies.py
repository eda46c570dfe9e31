"""A policy by the name that a user types."""

from __future__ import annotations

import functools

import click

from pamt.kernel.variants import Variant
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import Allocator, Policy
from pamt.policies.registry import UnknownPolicyError, get_policy, is_built_in

__all__ = ["find_policy", "watched"]


def find_policy(name: str) -> tuple[Policy, Variant | None]:
    """The policy, and the kernel variant it stands for if it is one of Linux'.

    `name` is a registered one, or ``FILE.py:function``; one that does not come with pamt is
    :func:`watched`.  Raises click.UsageError, with the known names, for an unknown one.
    """
    from pamt.policies.files import UserFileError, load_function, names_a_function

    try:
        policy = load_function(name) if names_a_function(name) else get_policy(name)
    except (UnknownPolicyError, UserFileError) as error:
        raise click.UsageError(str(error)) from None
    variant = getattr(policy, "variant", None)
    return watched(name, policy), variant if isinstance(variant, Variant) else None


def watched(name: str, policy: Policy) -> Policy:
    """`policy` as it is where it comes with pamt; else one whose mistakes are bad input.

    It raises InputErrors where the policy raises, and where what it returns is no complete Outcome.
    """
    if is_built_in(name):
        return policy

    @functools.wraps(policy)
    def run(machine: Machine, alloc: Allocator, /) -> Outcome:
        try:
            outcome = policy(machine, alloc)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: the exit code is ours
            raise _fault(policy, "a policy that returns", _raised(error), error) from error
        if not isinstance(outcome, Outcome):
            what = f"{type(outcome).__name__} {outcome!r}"
            raise _fault(policy, "a policy that returns a pamt.outcome.Outcome", what)
        if outcome.succeeded:
            try:
                outcome.configuration()
            except ValueError as error:
                expected = "a success in which every TDMR has its pamts and its reserved areas"
                raise _fault(policy, expected, str(error)) from error
        return outcome

    return run


def _raised(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _fault(
    policy: Policy, expected: str, found: str, error: BaseException | None = None
) -> Exception:
    """InputErrors with the line of the policy's own file at which it went wrong."""
    import inspect
    import traceback

    from pamt.maps.errors import InputErrors, InputProblem

    code = getattr(inspect.unwrap(policy), "__code__", None)
    file = "the policy" if code is None else code.co_filename
    line = 0 if code is None else code.co_firstlineno
    frames = [] if error is None else traceback.extract_tb(error.__traceback__)
    inside = [frame.lineno for frame in frames if frame.filename == file and frame.lineno]
    name = getattr(policy, "__name__", "")
    return InputErrors([InputProblem(file, inside[-1] if inside else line, name, expected, found)])
