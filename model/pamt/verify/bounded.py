"""Stages on their own, on any map of so many items: no GiB is fixed, no invariant is stated.

`pamt verify` splits a scope by the GiBs in which ranges begin and end, and `pamt prove` needs
invariants.  Here neither: addresses are free, and the goals are proved item by item, each from
those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pamt.kernel.contig import first_slot_address
from pamt.kernel.layout import Layout, lay_out_tdmrs
from pamt.machine import MemoryRange, Node, Zone
from pamt.ranges import GIB, PAGE, Range
from pamt.verify.allocator import Event, SymbolicAllocator
from pamt.verify.incremental import Goal, Goals, prove_in_order
from pamt.verify.interp import GuardedList, Interpreter
from pamt.verify.primitives import PRIMITIVES

if TYPE_CHECKING:
    from pamt.smt.symbolic import Symbols

__all__ = ["layout_is_sound", "scan_is_exact"]

BUDGET = 500_000_000

LayOut = Callable[[Sequence[MemoryRange], int], Layout]


def layout_is_sound(ranges: int, gib: int = 64, lay_out: LayOut = lay_out_tdmrs) -> Goals:
    """Whether TDMRs of up to `ranges` ranges below `gib` GiB are aligned, ascending, and cover all.

    `lay_out` is any function of the language with the signature of the kernel's.
    """
    from pamt.smt.symbolic import Symbols

    symbols = Symbols("lin")
    interpreter = Interpreter(symbols, PRIMITIVES)
    memory: list[MemoryRange] = []
    for index in range(ranges):
        start = symbols.address(f"start{index}", 0, gib * GIB - PAGE)
        end = symbols.address(f"end{index}", PAGE, gib * GIB)
        if memory:
            symbols.assume_less(memory[-1].end, start, False)
        symbols.assume_less(start, end)
        memory.append(MemoryRange(start, end, 0))
    listed = GuardedList((True, r) for r in memory)
    layout = interpreter.call(lay_out, listed, ranges).value
    tdmrs = interpreter.pairs(layout.tdmrs)
    both = symbols.conjunction

    def goals() -> Iterator[Goal]:
        for index, (guard, t) in enumerate(tdmrs):
            whole = both(t.start % GIB == 0, t.end % GIB == 0)
            yield Goal(f"TDMR {index}: on 1 GiB", (guard,), whole)
            yield Goal(f"TDMR {index}: not empty", (guard,), t.start < t.end)
            for before, (other, u) in enumerate(tdmrs[:index]):
                yield Goal(f"TDMR {before} before {index}", (other, guard), u.end <= t.start)
        for index, r in enumerate(memory):
            page = symbols.fresh_address("page", 0, gib * GIB - PAGE)
            covered = symbols.disjunction(
                both(guard, both(t.start <= page, page < t.end)) for guard, t in tdmrs
            )
            yield Goal(f"range {index}: covered", (r.start <= page, page < r.end), covered)

    return prove_in_order(symbols, goals(), BUDGET)


def scan_is_exact(sizes: Sequence[int], runs: int, gib: int = 8) -> Goals:
    """Whether chunks of these sizes (bytes), one after the other, are where the kernel puts them.

    On one node with a single zone from 4 GiB to `gib` GiB and up to `runs` free runs in it: each
    chunk lies in a free run, no two overlap, and no slot before it (none at all, where none is
    found) is free at its turn.  "Free" is said of runs and chunks, whatever pieces are kept.
    """
    from pamt.smt.symbolic import Symbols

    symbols = Symbols("lin")
    interpreter = Interpreter(symbols, PRIMITIVES)
    zone = Zone("Normal", 4 * GIB, gib * GIB)
    free: list[tuple[Any, Range]] = []
    for index in range(runs):
        start = symbols.address(f"free{index}", zone.start, zone.end - PAGE)
        end = symbols.address(f"free{index}.end", zone.start + PAGE, zone.end)
        if free:
            symbols.assume_less(free[-1][1].end, start)
        symbols.assume_less(start, end)
        # Fewer runs: some of these are not there.
        free.append((symbols.fresh_boolean("run"), Range(start, end)))
    allocator = SymbolicAllocator([Node(0, zones=(zone,), fallback=(0,))], {0: free})
    chunks: list[_Chunk] = []
    slots = {size: _any_slot(symbols, zone, size) for size in set(sizes)}

    def goals() -> Iterator[Goal]:
        # Each is placed only when all is proved of those before: there is less to reason about.
        for index, size in enumerate(sizes):
            known = len(allocator.events)
            allocator.contig(interpreter, True, size, 0)
            taken = [e for e in allocator.events[known:] if e.range is not None]
            once: Any = 0
            for event in taken:
                once = symbols.counter(once, event.guard, 1)
            yield Goal(f"chunk {index}: in one place", (), once <= 1)
            chunks.append(_named(symbols, size, zone, taken))
            chunk = chunks[-1]
            yield Goal(f"chunk {index}: in a free run", (chunk.found,), in_a_run(chunk.range))
            alike = [at for at in range(index) if chunks[at].size == size]
            for before in range(index):
                if before not in alike:
                    yield apart(index, before)
                elif before == alike[-1]:
                    # Chunks of one size ascend, so those before are apart as well.
                    yield apart(index, before, ascending=True)
            yield from first_free(index)

    def in_a_run(wanted: Range) -> Any:
        both = symbols.conjunction
        return symbols.disjunction(both(here, _inside(symbols, wanted, r)) for here, r in free)

    def apart(index: int, before: int, ascending: bool = False) -> Goal:
        mine, theirs = chunks[index], chunks[before]
        above = theirs.range.end <= mine.range.start
        says = above if ascending else either([above, mine.range.end <= theirs.range.start])
        word = "above" if ascending else "apart from"
        return Goal(f"chunk {index}: {word} chunk {before}", (mine.found, theirs.found), says)

    def first_free(index: int) -> Iterator[Goal]:
        """Any slot below the chunk (any at all, where there is none) is not free at its turn."""
        chunk = chunks[index]
        slot = slots[chunk.size]
        clear: Any = True
        for other in chunks[:index]:
            misses = either([other.range.end <= slot.start, slot.end <= other.range.start])
            clear = symbols.conjunction(clear, either([symbols.negation(other.found), misses]))
        not_below = symbols.conjunction(chunk.found, chunk.range.start <= slot.start)
        for at, (here, run) in enumerate(free):
            yield Goal(
                f"chunk {index}: no free slot before it in run {at}",
                (here, _inside(symbols, slot, run), clear),
                not_below,
            )

    either = symbols.disjunction
    return prove_in_order(symbols, goals(), BUDGET)


class _Chunk(NamedTuple):
    """A chunk under a name of its own, so that what is proved of it is said in few words."""

    size: int
    found: Any
    range: Range


def _named(symbols: Symbols, size: int, zone: Zone, taken: Sequence[Event]) -> _Chunk:
    start = symbols.fresh_address("chunk", zone.start, zone.end)
    for event in taken:
        there = _taken(event).start == start
        symbols.assume(symbols.disjunction([symbols.negation(event.guard), there]))
    found = symbols.disjunction(event.guard for event in taken)
    return _Chunk(size, found, Range(start, start + size))


def _any_slot(symbols: Symbols, zone: Zone, size: int) -> Range:
    """Some slot of the scan, whichever: what is proved of it holds of each."""
    first = first_slot_address(zone.start, size)
    most = (zone.end - first) // size
    start = symbols.integer(f"slot{size}", 0, max(most - 1, 0)) * size + first
    return Range(start, start + size)


def _inside(symbols: Symbols, inner: Range, outer: Range) -> Any:
    return symbols.conjunction(outer.start <= inner.start, inner.end <= outer.end)


def _taken(event: Event) -> Range:
    assert event.range is not None
    return event.range
