"""Minimal subsets of random monotone problems: really unsatisfiable, really minimal, repeatable."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pamt.explain.minimal import Answer, independent_subsets, minimal_subset

conflicts = st.lists(st.frozensets(st.integers(0, 19), max_size=5), max_size=5)


def decider(conflicts: Sequence[frozenset[int]], unknown_above: int = 99):  # type: ignore[no-untyped-def]
    def decide(causes: Sequence[int]) -> Answer:
        held = set(causes)
        if any(conflict <= held for conflict in conflicts):
            return "unsat"
        return "unknown" if len(held) > unknown_above else "sat"

    return decide


@given(conflicts=conflicts, size=st.integers(0, 20))
def test_minimal_and_unsatisfiable(conflicts: list[frozenset[int]], size: int) -> None:
    decide = decider(conflicts)
    causes = list(range(size))
    found = minimal_subset(causes, decide)
    if decide(causes) == "sat":
        assert found is None
        return
    assert found is not None
    assert found.unproven == ()
    assert list(found.causes) == sorted(found.causes)
    assert decide(found.causes) == "unsat"
    for dropped in found.causes:
        assert decide([cause for cause in found.causes if cause != dropped]) == "sat"
    assert minimal_subset(causes, decide) == found


@given(conflicts=conflicts, limit=st.integers(0, 20))
def test_unknown_is_never_taken_for_unsatisfiable(
    conflicts: list[frozenset[int]], limit: int
) -> None:
    decide = decider(conflicts, limit)
    causes = list(range(20))
    found = minimal_subset(causes, decide)
    if found is None:
        assert decide(causes) != "unsat"
        return
    assert decide(found.causes) == "unsat"
    for dropped in found.causes:
        rest = [cause for cause in found.causes if cause != dropped]
        # What is not marked as unproven is necessary for certain.
        assert decide(rest) == "sat" or dropped in found.unproven


@given(conflicts=conflicts)
def test_independent_subsets_share_nothing_and_leave_something_satisfiable(
    conflicts: list[frozenset[int]],
) -> None:
    decide = decider(conflicts)
    found = independent_subsets(list(range(20)), decide)
    seen: set[int] = set()
    for subset in found:
        assert not seen & set(subset.causes)
        seen |= set(subset.causes)
    if frozenset() not in conflicts:
        assert decide([cause for cause in range(20) if cause not in seen]) == "sat"


def test_few_decisions_for_a_small_subset_of_many() -> None:
    calls = 0

    def decide(causes: Sequence[int]) -> Answer:
        nonlocal calls
        calls += 1
        return "unsat" if {3, 700} <= set(causes) else "sat"

    found = minimal_subset(list(range(1000)), decide)
    assert found is not None
    assert found.causes == (3, 700)
    assert calls < 60
