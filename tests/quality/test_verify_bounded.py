"""Stages on their own, on any map of so many items; planted bugs are found, and their maps are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pamt.kernel.layout import Layout, lay_out_tdmrs
from pamt.machine import MemoryRange
from pamt.ranges import GIB, PAGE, Range, align_down, align_up
from pamt.smt.symbolic import Symbols
from pamt.verify import allocator
from pamt.verify.bounded import layout_is_sound, scan_is_exact
from pamt.verify.incremental import Goal, prove_in_order

ONE, TWO = 1027 * PAGE, 2053 * PAGE


def overlapping(listed: Sequence[MemoryRange], max_tdmrs: int) -> Layout:
    return Layout([Range(align_down(r.start, GIB), align_up(r.end, GIB)) for r in listed], False)


def short(listed: Sequence[MemoryRange], max_tdmrs: int) -> Layout:
    return Layout([Range(align_down(r.start, GIB), align_down(r.end, GIB)) for r in listed], False)


def unaligned(listed: Sequence[MemoryRange], max_tdmrs: int) -> Layout:
    return Layout([Range(align_down(r.start, GIB), r.end) for r in listed], False)


@pytest.mark.parametrize("ranges", [1, 2, 5])
def test_the_layout_is_sound(ranges: int) -> None:
    found = layout_is_sound(ranges)
    assert found.hold
    assert found.proved == 3 * ranges + ranges * (ranges - 1) // 2


@pytest.mark.parametrize(
    ("wrong", "goal"),
    [
        (overlapping, "TDMR 0 before 1"),
        (short, "TDMR 0: not empty"),
        (unaligned, "TDMR 0: on 1 GiB"),
    ],
)
def test_a_wrong_layout_comes_with_a_map(wrong: object, goal: str) -> None:
    found = layout_is_sound(2, lay_out=wrong)  # type: ignore[arg-type]
    assert found.failed == goal
    assert found.counterexample is not None
    assert lay_out_tdmrs([], 1) == Layout([], False)


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [((ONE,), 1), ((ONE, ONE), 3), ((TWO, ONE), 2), ((ONE, TWO, ONE), 2), ((ONE,) * 4, 3)],
)
def test_chunks_are_where_the_kernel_puts_them(sizes: tuple[int, ...], runs: int) -> None:
    found = scan_is_exact(sizes, runs)
    assert found.failed is None
    # For each chunk: one place, in a run, one goal for each run; and apart from those before.
    assert found.proved >= len(sizes) * (runs + 2) + len(sizes) - 1


def too_high(zone: Range, size: int, runs: Sequence[Range]) -> int | None:
    """The scan that never tries the first slot."""
    for run in runs:
        slot = zone.start + size
        if run.start > slot:
            slot = slot + -((slot - run.start) // size) * size
        if slot + size <= run.end and slot + size <= zone.end:
            return slot
    return None


def anywhere(zone: Range, size: int, runs: Sequence[Range]) -> int | None:
    """The scan that forgets to look at where a run ends."""
    for run in runs:
        if run.start + size <= zone.end:
            return run.start
    return None


@pytest.mark.parametrize(
    ("wrong", "goal"), [(too_high, "before it in run 0"), (anywhere, "in a free run")]
)
def test_a_wrong_scan_is_noticed(monkeypatch: pytest.MonkeyPatch, wrong: object, goal: str) -> None:
    monkeypatch.setattr(allocator, "first_slot", wrong)
    found = scan_is_exact((ONE,), 1)
    assert found.failed is not None
    assert goal in found.failed
    assert found.counterexample is not None


def test_a_goal_may_rest_on_those_before_it_only() -> None:
    symbols = Symbols()
    x = symbols.integer("x", 0, 9)
    p = symbols.boolean("p")
    small, smaller = Goal("small", (p,), x <= 5), Goal("smaller", (p,), x <= 4)
    assert prove_in_order(symbols, [small], 10**6).failed == "small"
    symbols.assume(symbols.disjunction([symbols.negation(p), x <= 4]))
    assert prove_in_order(symbols, [smaller, small], 10**6).hold
    free = Goal("without p", (), x <= 5)
    answer = prove_in_order(symbols, [small, free], 10**6)
    assert (answer.proved, answer.failed) == (1, "without p")
    assert answer.counterexample is not None
    assert answer.counterexample.integer(x) > 5
