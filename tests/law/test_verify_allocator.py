"""The symbolic allocator, at any model: chunks, events and what is left are the plain ones."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.kernel.contig import ContigAllocator
from pamt.machine import FreeRun, Node, Zone
from pamt.ranges import PAGE, Range
from pamt.smt.symbolic import Symbols
from pamt.smt.symbolic_query import Assignment, Query
from pamt.verify.allocator import SymbolicAllocator
from pamt.verify.interp import Choice, Interpreter

TOP = 64
"""Pages of the small machines here."""


@st.composite
def runs_of(draw: st.DrawFn) -> list[Range]:
    """Up to two free runs that do not touch."""
    found = sorted(draw(st.lists(st.integers(0, TOP), max_size=4, unique=True)))
    return [Range(a * PAGE, b * PAGE) for a, b in zip(found[::2], found[1::2], strict=False)]


asked = st.tuples(st.sampled_from([3, 3, 5]), st.integers(0, 1), st.booleans())
"""Pages wanted, on which node, and whether at all (under a guard that is so)."""


def nodes(border: Any, start: Any, top: Any) -> list[Node]:
    """Node 0 has two zones that meet at `border`, node 1 one that begins at `start`."""
    low, high = Zone("DMA32", 0, border), Zone("Normal", border, top)
    return [
        Node(0, zones=(low, high), fallback=(0, 1)),
        Node(1, zones=(Zone("Normal", start, top),), fallback=(1, 0)),
    ]


def at(found: Assignment, value: Any) -> Any:
    if isinstance(value, Choice):
        held = [v for g, v in value.alternatives if found.guard(g)]
        assert len(held) == 1
        return at(found, held[0])
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return tuple(at(found, item) for item in value)
    return found.integer(value)


@settings(max_examples=25)
@given(
    free=st.tuples(runs_of(), runs_of()),
    border=st.integers(1, TOP - 1),
    start=st.integers(0, TOP - 1),
    wanted=st.lists(asked, min_size=1, max_size=3),
)
def test_chunks_are_where_the_plain_allocator_puts_them(
    free: tuple[list[Range], list[Range]],
    border: int,
    start: int,
    wanted: list[tuple[int, int, bool]],
) -> None:
    symbols = Symbols("lin")
    interpreter = Interpreter(symbols)
    fixed: list[Any] = []

    def address(name: str, value: int) -> Any:
        made = symbols.address(name, 0, TOP * PAGE)
        fixed.append(made == value)
        return made

    borders = (address("border", border * PAGE), address("zone", start * PAGE))
    runs: dict[int, list[tuple[Any, Range]]] = {}
    for node, known in enumerate(free):
        listed = runs[node] = []
        for index, run in enumerate(known):
            name = f"free{node}.{index}"
            made = Range(address(name, run.start), address(f"{name}.end", run.end))
            symbols.assume_less(made.start, made.end)
            if listed:
                symbols.assume_less(listed[-1][1].end, made.start)
            listed.append((True, made))
    symbolic = SymbolicAllocator(nodes(*borders, TOP * PAGE), runs)
    plain = ContigAllocator(
        nodes(border * PAGE, start * PAGE, TOP * PAGE),
        [FreeRun(r.start, r.end, node) for node, known in enumerate(free) for r in known],
    )
    answers: list[tuple[bool, Any, Any]] = []
    for pages, node, whether in wanted:
        live = symbols.fresh_boolean("asked")
        fixed.append(live if whether else symbols.negation(live))
        mine = symbolic.contig(interpreter, live, pages * PAGE, node)
        theirs = plain.contig(pages * PAGE, node) if whether else None
        answers.append((whether, mine, theirs))
    left = {node: symbolic.free_runs(interpreter, True, node) for node in runs}

    found = Query(symbols).ask(fixed, 200_000_000).assignment
    assert found is not None
    for whether, mine, theirs in answers:
        if whether:
            assert at(found, mine) == at(found, theirs)
    for node, pieces in left.items():
        there = [at(found, run) for guard, run in pieces if found.guard(guard)]
        assert there == [tuple(run) for run in plain.free_runs(node)]
    held = [e for e in symbolic.events if found.guard(e.guard)]
    assert len(held) == sum(1 for whether, _, _ in answers if whether)
    for event, (_, _, theirs) in zip(held, [a for a in answers if a[0]], strict=True):
        assert event.action == ("none" if theirs is None else "take")
        if theirs is not None:
            assert event.node == theirs.node
            assert at(found, event.range) == tuple(theirs.range)
