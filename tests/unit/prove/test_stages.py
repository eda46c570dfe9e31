"""Stage functions on formulas: evaluated, they answer what the functions themselves answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamt.kernel.areas import chunks_inside, find_holes, reserve_areas
from pamt.kernel.contig import first_slot
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.sizes import home_node
from pamt.machine import MemoryRange
from pamt.module.words import inside_runs
from pamt.prove.domain import Formulas
from pamt.prove.stages import answer, appended, head, holds, left_with, returns, tail, turn
from pamt.prove.terms import boolean, both, evaluate, integer, negate
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.verify.interp import Choice, GuardedList

PAGES = st.integers(0, 4 * GIB // PAGE).map(lambda n: n * PAGE)
RANGES = st.lists(st.tuples(PAGES, PAGES), min_size=2, max_size=3)


def _symbolic(ranges: list[tuple[int, int]], node: bool = True) -> tuple[list[Any], dict[str, int]]:
    """Ranges of variables, and the values that make them the given ones."""
    made: list[Any] = []
    values: dict[str, int] = {}
    for at, (start, end) in enumerate(ranges):
        pair = (integer(f"s{at}"), integer(f"e{at}"))
        made.append(MemoryRange(*pair, at) if node else Range(*pair))
        values |= {f"s{at}": start, f"e{at}": end}
    return made, values


def _present(items: GuardedList, values: dict[str, int]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for guard, item in items:
        if evaluate(guard, values):
            found.append(tuple(evaluate(part, values) for part in item[:2]))
    return found


def _chosen(value: Any, values: dict[str, int]) -> Any:
    if isinstance(value, Choice):
        return next(
            None if arm is None else evaluate(arm, values)
            for guard, arm in value.alternatives
            if evaluate(guard, values)
        )
    return evaluate(value, values)


@given(RANGES, PAGES, PAGES)
def test_holes(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    memory, values = _symbolic(ranges)
    found = answer(find_holes, Range(start, end), memory)
    wanted = find_holes(Range(start, end), [Range(*r) for r in ranges])
    assert _present(found, values) == wanted


@given(RANGES)
def test_layout(ranges: list[tuple[int, int]]) -> None:
    memory, values = _symbolic(ranges)
    wanted = lay_out_tdmrs([MemoryRange(*r) for r in ranges], 1)
    for found in returns(lay_out_tdmrs, memory, 1):
        if evaluate(found.guard, values):
            assert evaluate(found.value.exhausted, values) == wanted.exhausted
            assert _present(found.value.tdmrs, values) == wanted.tdmrs


@given(RANGES, PAGES, st.integers(1, 4000))
def test_slots(ranges: list[tuple[int, int]], zone_start: int, pages: int) -> None:
    runs, values = _symbolic(ranges, node=False)
    zone = Range(zone_start, 3 * GIB)
    found = answer(first_slot, Range(integer("z"), zone.end), integer("size"), runs)
    values |= {"z": zone_start, "size": pages * PAGE}
    wanted = first_slot(zone, pages * PAGE, [Range(*r) for r in ranges])
    assert _chosen(found, values) == wanted


@given(RANGES, PAGES)
def test_home_node_and_runs(ranges: list[tuple[int, int]], at: int) -> None:
    memory, values = _symbolic(ranges)
    concrete = [MemoryRange(*r, node) for node, r in enumerate(ranges)]
    found = answer(home_node, Range(at, at + GIB), memory)
    assert _chosen(found, values) == home_node(Range(at, at + GIB), concrete)
    inside = holds(inside_runs, at, at + PAGE, memory)
    assert evaluate(inside, values) == inside_runs(at, at + PAGE, [r.range for r in concrete])


@given(RANGES, PAGES)
def test_pieces_and_areas(ranges: list[tuple[int, int]], start: int) -> None:
    chunks, values = _symbolic(ranges, node=False)
    tdmr = Range(start, start + GIB)
    parts = answer(chunks_inside, tdmr, chunks)
    wanted = chunks_inside(tdmr, [Range(*r) for r in ranges])
    assert _present(parts, values) == wanted
    areas = answer(reserve_areas, tdmr, chunks, 2)
    concrete = reserve_areas(tdmr, [Range(*r) for r in ranges], 2)
    assert _chosen_text(areas.stop, values) == concrete.stop


def _chosen_text(value: Any, values: dict[str, int]) -> str:
    if isinstance(value, Choice):
        return next(arm for guard, arm in value.alternatives if evaluate(guard, values))
    return str(value)


def test_pieces_of_a_loop() -> None:
    tdmr = Range(0, GIB)
    start = head(find_holes, {"tdmr": tdmr, "present": GuardedList()})
    assert start.variables["prev_end"] == 0
    holes = GuardedList()
    made = turn(
        find_holes,
        {"tdmr": tdmr, "prev_end": integer("p"), "holes": holes},
        MemoryRange(16 * MIB, 32 * MIB),
    )
    assert left_with(made) is False
    (hole,) = appended(holes)
    assert evaluate(hole.when, {"p": 0}) is True
    assert evaluate(hole.when, {"p": 16 * MIB}) is False
    last = GuardedList()
    tail(find_holes, {"tdmr": tdmr, "prev_end": GIB, "holes": last})
    assert last.items == []


def test_a_path_that_raises_is_refused() -> None:
    with pytest.raises(ValueError, match="None has no field"):
        answer(_reads_none, integer("x"))


def _reads_none(x: int) -> int:
    found = None
    if x > 3:
        found = Range(x, x + 1)
    return found.start  # type: ignore[union-attr]


def test_guards_that_cannot_hold_together() -> None:
    domain = Formulas()
    a, b = boolean("a"), boolean("b")
    assert domain.disjoint(both(a, b), negate(a))
    assert domain.disjoint(negate(b), both(b, a))
    assert domain.disjoint(False, a)
    assert not domain.disjoint(a, b)
    assert domain.implies(both(a, b), a)
    assert domain.implies(False, a)
    assert not domain.implies(a, both(a, b))
    assert domain.counter(integer("n"), True, 1).op == "+"
