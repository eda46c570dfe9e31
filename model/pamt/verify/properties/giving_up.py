"""What is left of a symbolic memory list after up to N pages have been given up.

Which pages go is open: they form *stretches*, each inside one memory range.  A stretch takes the
head or the tail of its range, or all of it, or splits it:

    head   [ggg......)      tail  [......ggg)      middle  [...ggg...)      whole  [ggggggggg)

Where a stretch begins and ends is symbolic; how many there are, which ranges they are in, and the
GiB of every new border are gone through one by one, so that TDMRs stay plain numbers.  Any N pages
form at most N stretches.  How many of them are gone through depends on how many ways that is
(:func:`most_stretches`); where it is less than N, the rest is left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb
from typing import Any, NamedTuple

from pamt.kernel.memlist import build_memory_list
from pamt.machine import FreeRun, MemoryRange
from pamt.ranges import GIB, PAGE, Range
from pamt.verify.cases import Case
from pamt.verify.symbolic_map import SymbolicMap, joined_runs

__all__ = ["Left", "most_stretches", "ways_to_give_up"]

Guard = Any
ALWAYS = 2
"""So many separate stretches are gone through in any case."""
MOST_WAYS = 500
"""Beyond that, more stretches are gone through while they make no more ways than this, about."""
MOST_STRETCHES = 6


class Left(NamedTuple):
    """Memory and free runs after a way to give up pages."""

    listed: Sequence[MemoryRange]
    """As :func:`pamt.kernel.memlist.build_memory_list` gives it."""
    free: Sequence[tuple[Guard, Range]]
    guards: tuple[Guard, ...] = ()
    """What makes it this way, and the number of pages small enough."""
    words: str = ""
    left_out: str | None = None
    """What is not gone through; then the rest of this says nothing."""


class _Way(NamedTuple):
    """A list under construction."""

    kept: tuple[MemoryRange, ...] = ()
    gone: tuple[Range, ...] = ()
    guards: tuple[Guard, ...] = ()
    words: tuple[str, ...] = ()


def ways_to_give_up(made: SymbolicMap, pages: int) -> Iterator[Left]:
    """Every way to give up 1 to `pages` pages, in at most :func:`most_stretches` stretches.

    Not those that leave nothing.  The last one says what is left out, if anything is.
    """
    symbols, interpreter = made.symbols, made.interpreter
    listed: list[MemoryRange] = []
    base: Guard = True
    for guard, r in interpreter.pairs(
        interpreter.call(build_memory_list, made.machine.memory or ()).value
    ):
        if guard is not True:
            yield Left((), (), left_out="whether a memory range ends below 1 MiB is open")
            return
        listed.append(r)
    most = most_stretches(made.case, pages)
    for way in _ways(symbols, listed, pages, most):
        if not way.gone or not way.kept:
            continue
        total: Any = 0
        for run in way.gone:
            total = total + (run.end - run.start)
        guards = (base, *way.guards, total <= pages * PAGE)
        if any(guard is False for guard in guards):
            continue
        yield Left(way.kept, _free_after(made, way), guards, " and ".join(way.words))
    if pages > most:
        what = f"giving up pages in more than {most} separate stretches was not covered"
        yield Left((), (), left_out=what)


def most_stretches(case: Case, pages: int) -> int:
    """How many stretches are gone through, at most `pages`."""
    # Head, tail, middle, all: in each GiB of each range.
    places = 4 * sum(last - first + 1 for first, last in case.cells)
    most = ALWAYS
    while most < MOST_STRETCHES and comb(places + most + 1, most + 1) <= MOST_WAYS:
        most += 1
    return min(most, pages)


def _ways(symbols: Any, listed: Sequence[MemoryRange], pages: int, most: int) -> Iterator[_Way]:
    """All ways for a list: those of the first range times those of the rest."""
    if not listed:
        yield _Way()
        return
    for first in _of_range(symbols, listed[0], 0, pages, most, may_take_head=True):
        for rest in _ways(symbols, listed[1:], pages, most - len(first.gone)):
            yield _Way(*(a + b for a, b in zip(first, rest, strict=True)))


def _of_range(
    symbols: Any, r: MemoryRange, depth: int, pages: int, most: int, *, may_take_head: bool
) -> Iterator[_Way]:
    """All ways for one range.  Behind a stretch a page stays, or both would be one stretch."""
    yield _Way((r,))
    if most == 0:
        return
    where = f"of {r.range}" if isinstance(r.start, int) and isinstance(r.end, int) else "of a range"
    if may_take_head:
        yield _Way((), (r.range,), (), (f"all {where}",))
        for start in _borders(symbols, r, pages, from_start=True):
            after = r._replace(start=start)
            inside = (start < r.end, start > r.start)
            head = _Way((), (Range(r.start, start),), inside, (f"the head {where}",))
            yield from _with_rest(symbols, head, after, depth, pages, most)
    for end in _borders(symbols, r, pages, from_start=False):
        before = r._replace(end=end)
        inside = (r.start < end, end < r.end)
        yield _Way((before,), (Range(end, r.end),), inside, (f"the tail {where}",))
        # In the middle: what is left of the range goes on in the GiB of `end`, or further up.
        for start in _above(symbols, r, end, pages):
            after = r._replace(start=start)
            split = _Way(
                (before,),
                (Range(end, start),),
                (r.start < end, end < start, start < r.end),
                (f"the middle {where}",),
            )
            yield from _with_rest(symbols, split, after, depth, pages, most)


def _with_rest(
    symbols: Any, way: _Way, after: MemoryRange, depth: int, pages: int, most: int
) -> Iterator[_Way]:
    for rest in _of_range(symbols, after, depth + 1, pages, most - 1, may_take_head=False):
        yield _Way(*(a + b for a, b in zip(way, rest, strict=True)))


def _low(value: Any) -> int:
    return value if isinstance(value, int) else int(value.low)


def _high(value: Any) -> int:
    return value if isinstance(value, int) else int(value.high)


def _borders(symbols: Any, r: MemoryRange, pages: int, *, from_start: bool) -> Iterator[Any]:
    """New starts (ends) of a range, one symbol for each GiB in which they may lie."""
    low, high = _low(r.start) + PAGE, _high(r.end) - PAGE
    if from_start:
        high = min(high, _high(r.start) + pages * PAGE)
        yield from _per_gib(symbols, low, high, 0)
    else:
        yield from _per_gib(symbols, low, high, PAGE)


def _above(symbols: Any, r: MemoryRange, end: Any, pages: int) -> Iterator[Any]:
    """Starts of what follows a stretch that begins at `end`."""
    low = _low(end) + PAGE
    high = min(_high(r.end) - PAGE, _high(end) + pages * PAGE)
    yield from _per_gib(symbols, low, high, 0)


def _per_gib(symbols: Any, low: int, high: int, back: int) -> Iterator[Any]:
    """Addresses in `[low, high]`, split by the GiB of the page `back` bytes before them."""
    if low > high:
        return
    for cell in range((low - back) // GIB, (high - back) // GIB + 1):
        first = max(low, cell * GIB + back)
        last = min(high, (cell + 1) * GIB - PAGE + back)
        if first <= last:
            yield symbols.fresh_address("given up", first, last)


def _free_after(made: SymbolicMap, way: _Way) -> list[tuple[Guard, Range]]:
    """Free runs without the pages that went: (present, run)."""
    interpreter, both = made.interpreter, made.symbols.conjunction
    if not made.free_given:
        # All memory is free.
        runs = [FreeRun(r.start, r.end, r.node) for r in way.kept]
        return [run for them in joined_runs(interpreter, runs).values() for run in them]
    free: list[tuple[Guard, Range]] = [(True, f.range) for f in made.machine.free or ()]
    for gone in way.gone:
        left: list[tuple[Guard, Range]] = []
        for present, run in free:
            apart = made.symbols.disjunction([run.end <= gone.start, gone.end <= run.start])
            meets = made.symbols.negation(apart)
            left.append((both(present, apart), run))
            before = both(meets, run.start < gone.start)
            left.append((both(present, before), Range(run.start, gone.start)))
            after = both(meets, gone.end < run.end)
            left.append((both(present, after), Range(gone.end, run.end)))
        free = [(present, run) for present, run in left if present is not False]
    return free
