"""Policies by name.

Built-in names are known here; others come from the entry point group ``pamt.policies``, so that a
package of a user's own adds its policies just by being installed::

    [project.entry-points."pamt.policies"]
    "mine:best-fit" = "my_package.policies:best_fit"

An entry point never replaces a built-in name.
"""

from __future__ import annotations

from pamt.policies.greedy import greedy
from pamt.policies.linux import LINUX
from pamt.policies.protocol import Policy

__all__ = [
    "DEFAULT_POLICY",
    "ENTRY_POINT_GROUP",
    "UnknownPolicyError",
    "get_policy",
    "is_built_in",
    "policy_names",
]

DEFAULT_POLICY = "linux:mainline"
ENTRY_POINT_GROUP = "pamt.policies"

_BUILT_IN: dict[str, Policy] = {
    **{f"linux:{name}": policy for name, policy in LINUX.items()},
    "greedy": greedy,
}


class UnknownPolicyError(LookupError):
    """No policy of that name; `known` lists those there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        own = f"; for a function of a file: {name}:FUNCTION" if name.endswith(".py") else ""
        super().__init__(f"no policy named {name!r}; known: {', '.join(known)}{own}")
        self.name = name
        self.known = known


def is_built_in(name: str) -> bool:
    """Whether the policy of that name comes with pamt."""
    return name in _BUILT_IN


def get_policy(name: str) -> Policy:
    """The policy called `name`.

    Raises UnknownPolicyError when neither a built-in nor an installed entry point has that name.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    # importlib.metadata costs more than a whole simulation of a small map: only when needed.
    from importlib.metadata import entry_points

    for found in entry_points(group=ENTRY_POINT_GROUP, name=name):
        policy: Policy = found.load()
        return policy
    raise UnknownPolicyError(name, policy_names())


def policy_names() -> tuple[str, ...]:
    """Every policy that can be named: built in, then installed, each group in order."""
    from importlib.metadata import entry_points

    installed = {found.name for found in entry_points(group=ENTRY_POINT_GROUP)}
    return (*_BUILT_IN, *sorted(installed - set(_BUILT_IN)))
