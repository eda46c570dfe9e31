"""A minimal unsatisfiable subset of causes, found by dropping what is not needed.

The search is three-valued: a decision may be *unknown* (a budget ran out).  Then the cause under
test stays, and the answer says that its minimality is not proven; nothing ever passes for
unsatisfiable but a proof of it.  The order of the causes decides which of several minimal subsets
is found, so equal input gives equal output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Literal, NamedTuple, TypeVar

__all__ = ["Answer", "MinimalSubset", "independent_subsets", "minimal_subset"]

T = TypeVar("T")

Answer = Literal["sat", "unsat", "unknown"]


class MinimalSubset(NamedTuple, Generic[T]):
    """Causes that cannot hold together; without any one of them the rest can.

    `unproven` are the members for which the second half was not settled within the budget.
    """

    causes: tuple[T, ...]
    unproven: tuple[T, ...] = ()


def minimal_subset(
    causes: Sequence[T], decide: Callable[[Sequence[T]], Answer]
) -> MinimalSubset[T] | None:
    """A minimal subset of `causes` that `decide` finds unsatisfiable; None if all together are not
    shown to be.

    `decide` must be monotone: adding causes never makes an unsatisfiable set satisfiable.  Causes
    late in the sequence are dropped first, so earlier ones are preferred.  Blocks are dropped whole
    while that works, so a subset of k out of n causes costs about ``k log n`` decisions.
    """
    if decide(causes) != "unsat":
        return None
    kept = list(causes)
    needed: list[T] = []
    unproven: list[T] = []
    # Invariant: needed + kept is unsatisfiable.
    block = len(kept)
    while kept:
        block = min(block, len(kept))
        rest = kept[: len(kept) - block]
        answer = decide([*rest, *needed])
        if answer == "unsat":
            kept = rest
            block *= 2
        elif block > 1:
            block = (block + 1) // 2
        else:
            last = kept.pop()
            needed.insert(0, last)
            if answer == "unknown":
                unproven.append(last)
    # A member kept because of an unknown may have been superseded only by later drops, which keep
    # it in the set; the members with a satisfiable answer stay necessary in any subset.
    order = {id(cause): at for at, cause in enumerate(causes)}
    needed.sort(key=lambda cause: order[id(cause)])
    return MinimalSubset(tuple(needed), tuple(unproven))


def independent_subsets(
    causes: Sequence[T], decide: Callable[[Sequence[T]], Answer], most: int = 64
) -> list[MinimalSubset[T]]:
    """Minimal subsets that share no cause: one, then another among what is left, and so on.

    A repair that answers only the first would run into the next.  At most `most` are returned.
    """
    found: list[MinimalSubset[T]] = []
    left = list(causes)
    while left and len(found) < most:
        subset = minimal_subset(left, decide)
        if subset is None:
            break
        found.append(subset)
        if not subset.causes:
            break
        used = {id(cause) for cause in subset.causes}
        left = [cause for cause in left if id(cause) not in used]
    return found
