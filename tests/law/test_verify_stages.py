"""Every stage: the interpreter's plain run is Python's, the symbolic run too, at any model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.kernel.areas import chunks_inside, find_holes, reserve_areas
from pamt.kernel.contig import first_slot
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list, first_range_outside_cmrs, trim_cmrs
from pamt.kernel.sizes import home_node, pamt_sizes
from pamt.machine import Cmr, Limits, MemoryRange
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.smt.symbolic import Symbols
from pamt.smt.symbolic_query import Assignment, Query
from pamt.verify.interp import Choice, GuardedList, Interpreter

TOP = 4 * GIB // PAGE
CHUNK = 1027 * PAGE


@st.composite
def borders(draw: st.DrawFn, most: int = 5) -> list[tuple[int, int]]:
    """Ascending ranges that may touch, mostly at telling places."""
    places = st.one_of(
        st.integers(0, TOP),
        st.sampled_from([0, 255, 256, 257, TOP // 4, TOP // 4 + 1, TOP // 2 - 1, TOP // 2, TOP]),
    )
    found = sorted(set(draw(st.lists(places, max_size=2 * most))))
    return [(a * PAGE, b * PAGE) for a, b in zip(found[::2], found[1::2], strict=False)]


def plain(value: Any) -> Any:
    if isinstance(value, GuardedList):
        assert value.is_plain
        return [plain(item) for item in value.plain()]
    if isinstance(value, tuple):
        made = [plain(item) for item in value]
        return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
    return value


def at(assignment: Assignment, symbols: Symbols, value: Any) -> Any:
    """What a symbolic value is under an assignment."""
    if isinstance(value, symbols.integer_type):
        return assignment.integer(value)
    if isinstance(value, symbols.guard_type):
        return assignment.guard(value)
    if isinstance(value, GuardedList):
        return [at(assignment, symbols, v) for g, v in value if assignment.guard(g)]
    if isinstance(value, Choice):
        held = [v for g, v in value.alternatives if assignment.guard(g)]
        assert len(held) == 1
        return at(assignment, symbols, held[0])
    if isinstance(value, tuple):
        made = [at(assignment, symbols, item) for item in value]
        return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
    return value


def listed(value: Any) -> Any:
    """Tuples of a stage's answer hold lists; compare them as such."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(listed(item) for item in value))
    return value


Stage = Callable[..., Any]
STAGES: list[tuple[str, Callable[[list[Any], Any], tuple[Stage, tuple[Any, ...]]]]] = [
    ("memory list", lambda rs, _: (build_memory_list, (rs,))),
    ("layout", lambda rs, _: (lay_out_tdmrs, (rs, 2))),
    ("holes", lambda rs, t: (find_holes, (t, rs))),
    ("home", lambda rs, t: (home_node, (t, rs))),
    ("inside", lambda rs, t: (chunks_inside, (t, [Range(r.start, r.end) for r in rs]))),
    ("areas", lambda rs, t: (reserve_areas, (t, [Range(r.start, r.end) for r in rs], 2))),
    ("slot", lambda rs, t: (first_slot, (t, CHUNK, [Range(r.start, r.end) for r in rs]))),
    (
        "outside",
        lambda rs, t: (first_range_outside_cmrs, (rs, [Range(t.start, t.start + GIB), t])),
    ),
    ("trim", lambda rs, _: (trim_cmrs, ([Cmr(r.start, r.end - r.start) for r in rs],))),
    ("sizes", lambda _, t: (pamt_sizes, (t.end - t.start, Limits(), False))),
]


@pytest.mark.parametrize(("name", "stage"), STAGES, ids=[name for name, _ in STAGES])
@settings(max_examples=40)
@given(pairs=borders(), cell=st.integers(0, 2), gib=st.integers(1, 2), nodes=st.integers(1, 2))
def test_plain_run_is_pythons(
    name: str, stage: Any, pairs: list[tuple[int, int]], cell: int, gib: int, nodes: int
) -> None:
    ranges = [MemoryRange(a, b, i % nodes) for i, (a, b) in enumerate(pairs)]
    function, arguments = stage(ranges, Range(cell * GIB, (cell + gib) * GIB))
    answer = Interpreter(native=False).call(function, *arguments)
    assert plain(answer.value) == listed(function(*arguments))
    assert not answer.faults


@pytest.mark.parametrize("encoding", ["lin", "pair"])
@pytest.mark.parametrize(("name", "stage"), STAGES, ids=[name for name, _ in STAGES])
@settings(max_examples=4)
@given(pairs=borders(3), cell=st.integers(0, 2), gib=st.integers(1, 2))
def test_symbolic_run_is_pythons_at_any_model(
    name: str, stage: Any, encoding: Any, pairs: list[tuple[int, int]], cell: int, gib: int
) -> None:
    symbols = Symbols(encoding)
    symbolic: list[Any] = []
    fixed: list[Any] = []
    for index, (a, b) in enumerate(pairs):
        start = symbols.address(f"start{index}", 0, 4 * GIB)
        end = symbols.address(f"end{index}", 0, 4 * GIB)
        fixed += [start == a, end == b]
        symbolic.append(MemoryRange(start, end, index % 2))
    base = symbols.integer("base", 0, 3 * GIB, GIB)
    fixed.append(base == cell * GIB)
    tdmr = Range(base, base + gib * GIB)
    function, arguments = stage(symbolic, tdmr)
    if name == "slot":
        # A zone start that is any multiple of 1 MiB: below 4 GiB they are not on 1 GiB.
        start = symbols.integer("zone", 0, 3 * GIB, MIB)
        fixed.append(start == cell * GIB)
        arguments = (Range(start, start + gib * GIB), *arguments[1:])
    answer = Interpreter(symbols).call(function, *arguments)
    ranges = [MemoryRange(a, b, i % 2) for i, (a, b) in enumerate(pairs)]
    _, plain_arguments = stage(ranges, Range(cell * GIB, (cell + gib) * GIB))
    expected = function(*plain_arguments)
    found = Query(symbols).ask(fixed, 200_000_000).assignment
    assert found is not None
    assert at(found, symbols, answer.value) == listed(expected)
    held = [r for r in answer.returns if found.guard(r.guard)]
    assert len(held) == 1
    assert at(found, symbols, held[0].value) == listed(expected)
    assert not any(found.guard(fault.guard) for fault in answer.faults)
