"""The reasons that a policy of ours may give, so that a mistyped one is no property that holds."""

from __future__ import annotations

from pamt.outcome import SUCCESS
from pamt.policies.greedy import greedy
from pamt.policies.linux import LinuxPolicy
from pamt.policies.protocol import Policy
from pamt.verify.obligation import Property
from pamt.verify.properties.complete import Complete
from pamt.verify.properties.simple import Never
from pamt.verify.stages import STAGES

__all__ = ["known_reasons", "refuse_unknown_reason"]


def known_reasons(policy: Policy) -> tuple[str, ...]:
    """Every reason of the kernel's variants, `greedy` or a stage; none for a policy of a user's.

    All variants have the names of each other: that mainline never answers what only the CMR series
    can is a question with an answer.
    """
    shared = (SUCCESS, "ENOSPC_tdmrs", "ENOSPC_reserved")
    if policy in STAGES.values():
        return shared
    if policy is greedy:
        return (*shared, "ENOMEM_pamt")
    if isinstance(policy, LinuxPolicy):
        return (*shared, "ENOMEM_pamt", "EINVAL_memlist_not_in_cmr", "EINVAL_unaligned_area")
    return ()


def refuse_unknown_reason(policy: Policy, the_property: Property) -> None:
    """Raises ValueError for a property about a reason that `policy` does not have."""
    known = known_reasons(policy)
    if not isinstance(the_property, Never | Complete) or not known:
        return
    if the_property.reason is not None and the_property.reason not in known:
        raise ValueError(
            f"the policy has no answer called {the_property.reason!r}; known: {', '.join(known)}"
        )
