"""The least that any cut into TDMRs can cost, wherever its PAMTs lie: what a step ``cuts`` adds up.

Every GiB that holds memory is a *cell*; a cut is a way to group neighbouring cells into TDMRs, at
most ``max_tdmrs`` of them.  Two things hold wherever PAMTs lie:

* ``memory``, ``cmr``: a TDMR has its holes, and every TDMR's PAMTs take at least one area in some
  TDMR, since free runs lie in memory and all memory is in TDMRs.  So the areas of n TDMRs are at
  least their holes and n more, and at most n times the most areas allowed in one.
* ``minimal``: a stretch without memory that holds a page outside the CMR runs takes an area, and
  shares it with the next such stretch only where PAMTs fill all memory between the two.  Where
  that may be (:func:`fillable_gaps`), an area less is counted.

So areas, TDMRs and PAMT pages add up TDMR by TDMR, and a shortest path over the cells, right to
left, gives the least of them in any order of importance:

    cells    | 0 | 1 | 2 |   | 5 | 6 |        5 joins 2 over a bridge of two GiBs without memory
    TDMRs    |<----->|<----------->|<->|      cost = cost(0..1) + cost(2..5) + cost(6..6)

Time grows with the square of the number of cells.  Source: docs/design.md, section 5.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate, chain, compress, pairwise
from operator import add
from typing import Any, NamedTuple

from pamt.placement import Question
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet

__all__ = [
    "ADDITIVE",
    "NEVER",
    "CutFacts",
    "Cuts",
    "cut_facts",
    "cut_ranges",
    "excludes",
    "fillable_gaps",
    "forced_stretches",
    "most_pamt_bytes",
]

ADDITIVE = ("areas", "tdmrs", "pamt_pages")
"""Components that add up over TDMRs."""
WIDTH = 44
"""Bits of one component in a number that stands for several, most important first."""
NEVER = 1 << (WIDTH * 4)
"""The cost of what can't be."""


class _Window(NamedTuple):
    """Ends that a TDMR may have from some cell, all with the same cost besides what adds up."""

    step: int
    """Which of the kinds of windows; one of a kind for each cell at most."""
    low: int
    high: int
    """First and last end, both included."""
    over: int
    """What such a TDMR costs besides, in units of the caller's."""


class _Windows(NamedTuple):
    by_cell: Sequence[tuple[_Window, ...]]
    falling: bool
    """Whether those of a step only move down from a cell to the one before."""


@dataclass(frozen=True)
class CutFacts:
    """What a cut's cost follows from.  Made by :func:`cut_facts`."""

    cells: tuple[int, ...]
    fixed: tuple[tuple[int, int, int], ...] | None
    """Where the space fixes the TDMRs: (holes, credit, PAMT pages) of each."""
    alone: tuple[int, ...]
    joined: tuple[int, ...]
    """Holes as in :class:`pamt.placement.HoleCount`; under ``minimal`` those to be reserved."""
    least_alone: tuple[int, ...]
    least_joined: tuple[int, ...]
    """The same, less gaps that PAMTs might fill."""
    pages: tuple[int, ...]
    """PAMT pages of a TDMR of so many GiB."""
    own: int
    """Areas that the PAMTs of one TDMR take at least, besides holes."""
    limit: int
    most: int
    """TDMRs there may be."""
    extra: int | None = 0
    """Areas that PAMTs add besides, where the TDMRs are fixed; None: they find no room."""
    barred: frozenset[int] = frozenset()
    """Cells (by index) at which no TDMR may begin."""
    longest: tuple[int, ...] = ()
    """For each cell, the most GiB of a TDMR that begins there; empty: as many as there are."""

    @cached_property
    def holes_to(self) -> tuple[int, ...]:
        """Least holes of cells a..b, joined, are ``holes_to[b + 1] - holes_from[a]``."""
        return _up_to(self.least_alone, self.least_joined)

    @cached_property
    def holes_from(self) -> tuple[int, ...]:
        return _behind(self.least_alone, self.least_joined)

    @cached_property
    def page_steps(self) -> tuple[int, tuple[tuple[int, int], ...]]:
        """PAMT pages by GiB: pages of each, and pages more: (last GiB with so many, pages)."""
        base = min((b - a for a, b in pairwise(self.pages)), default=0)
        steps: list[tuple[int, int]] = []
        for gib in range(1, len(self.pages)):
            over = self.pages[gib] - base * gib
            if steps and steps[-1][1] == over:
                steps.pop()
            steps.append((gib, over))
        return base, tuple(steps)

    def cuts(self, order: Sequence[str], max_areas: int | None = None) -> Cuts:
        """:class:`Cuts` of these facts, made once."""
        key = (tuple(order), max_areas)
        if key not in self._made:
            self._made[key] = Cuts(self, order, max_areas)
        return self._made[key]

    @cached_property
    def _made(self) -> dict[tuple[tuple[str, ...], int | None], Cuts]:
        return {}

    def reach(self, cap: int) -> tuple[int, ...]:
        """For each cell, the first behind the last that a TDMR of `cap` areas may take in."""
        if cap not in self._reach:
            # Least over all later ends, so that no end is left out where credit comes late.
            low = list(accumulate(reversed(self.holes_to), min))[::-1]
            self._reach[cap] = tuple(
                i
                if i in self.barred
                else bisect_right(low, cap + self.holes_from[i], i + 1, self._end(i)) - 1
                for i in range(len(self.cells))
            )
        return self._reach[cap]

    def _end(self, cell: int) -> int:
        """One more than the first cell behind the last that a TDMR from `cell` is long enough for.

        Cells by index.
        """
        if not self.longest:
            return len(self.cells) + 1
        return bisect_left(self.cells, self.cells[cell] + self.longest[cell], cell) + 1

    @cached_property
    def _reach(self) -> dict[int, tuple[int, ...]]:
        return {}

    def windows(self, cap: int, *, by_pages: bool) -> _Windows:
        """For each cell, the ends of TDMRs that begin there; `by_pages`: by what they cost more.

        `over` counts PAMT pages.
        """
        key = (cap, by_pages)
        if key not in self._known_windows:
            steps = self.page_steps[1]
            if not by_pages:
                steps = ((self.cells[-1] - self.cells[0] + 1, 0),)
            by_cell = [
                self._windows_from(at, reach, steps) for at, reach in enumerate(self.reach(cap))
            ]
            self._known_windows[key] = _Windows(by_cell, _all_fall(by_cell))
        return self._known_windows[key]

    @cached_property
    def _known_windows(self) -> dict[tuple[int, bool], _Windows]:
        return {}

    def _windows_from(
        self, at: int, reach: int, steps: Sequence[tuple[int, int]]
    ) -> tuple[_Window, ...]:
        cell = self.cells[at]
        windows: list[_Window] = []
        low = at
        for number, (most, over) in enumerate(steps):
            if low >= reach:
                break
            high = min(reach, bisect_left(self.cells, cell + most, low))
            if low < high:
                windows.append(_Window(number, low + 1, high, over))
            low = high
        return tuple(windows)

    @cached_property
    def unfilled(self) -> CutFacts:
        """The same where no PAMT fills a gap."""
        fixed = self.fixed and tuple((holes, 0, pages) for holes, _, pages in self.fixed)
        return self.but(fixed=fixed, least_alone=self.alone, least_joined=self.joined)

    def but(self, **changes: Any) -> CutFacts:
        """The same with some fields changed.

        Equal facts are one object, so that what follows from them is worked out once.
        """
        return _ONE_OF_ALL_EQUAL(replace(self, **changes))

    def holes(self, first: int, last: int) -> int:
        """Least holes of a TDMR over cells (by index) `first` to `last`, both included."""
        return self.holes_to[last + 1] - self.holes_from[first]


_ONE_OF_ALL_EQUAL: Callable[[CutFacts], CutFacts] = lru_cache(maxsize=64)(lambda facts: facts)


def _up_to(alone: Sequence[int], joined: Sequence[int]) -> tuple[int, ...]:
    sums = list(accumulate(alone, initial=0))
    return (0, *map(add, sums[1:], accumulate(joined, initial=0)))


def _behind(alone: Sequence[int], joined: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(add, accumulate(alone, initial=0), accumulate(joined, initial=0)))


_LAST: list[tuple[Question, dict[Any, Any]]] = []


def remembered(question: Question) -> dict[Any, Any]:
    """What was worked out about the question asked last; empty for any other."""
    if not _LAST or _LAST[0][0] is not question:
        _LAST[:] = [(question, {})]
    return _LAST[0][1]


def cut_facts(question: Question, filled: Sequence[Range] | None = None) -> CutFacts:
    """The facts of a question, with no further page given up.

    `filled`: gaps that are counted as filled; None: all that might be.
    Raises ValueError for a question with a trivial cause.
    """
    key = ("facts", None if filled is None else tuple(filled))
    known = remembered(question)
    if key not in known:
        known[key] = _cut_facts(question, filled)
    made: CutFacts = known[key]
    return made


def _cut_facts(question: Question, filled: Sequence[Range] | None) -> CutFacts:
    if question.trivial is not None:
        raise ValueError("this question has no bound over cuts")
    cells = question.cells
    limits = question.limits
    minimal = question.space.reserve == "minimal"
    gaps: Sequence[Range] = ()
    if minimal:
        gaps = fillable_gaps(question) if filled is None else filled
    if question.tdmrs is not None:
        fixed = tuple(
            (
                _forced(question, fact.range) if minimal else len(fact.holes),
                sum(fact.range.contains(gap) for gap in gaps),
                fact.pages,
            )
            for fact in question.tdmrs
        )
        empty: tuple[int, ...] = ()
        return CutFacts(
            cells, fixed, empty, empty, empty, empty, empty,
            0 if minimal else 1, limits.max_reserved_per_tdmr, limits.max_tdmrs,
        )  # fmt: skip
    if minimal:
        alone, joined = _forced_count(question)
    else:
        alone, joined = question.hole_count()
    least = list(alone)
    links = list(joined)
    for gap in gaps:
        # Where the stretches on both sides of it are; the TDMR must reach from one to the other.
        low = bisect_right(cells, (gap.start - 1) // GIB) - 1
        high = bisect_left(cells, gap.end // GIB)
        if low >= high:
            least[low] -= 1
        else:
            links[high - 1] -= 1
    span = cells[-1] - cells[0] + 1
    pages = tuple(question.sizes(gib).total // PAGE for gib in range(span + 1))
    return CutFacts(
        cells, None, alone, joined, tuple(least), tuple(links), pages,
        0 if minimal else 1, limits.max_reserved_per_tdmr, limits.max_tdmrs,
    )  # fmt: skip


def _forced_count(question: Question) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Stretches that must be reserved, as in :class:`pamt.placement.HoleCount`."""
    known = remembered(question)
    if "forced" not in known:
        windows = [Range(cell * GIB, (cell + 1) * GIB) for cell in question.cells]
        alone = tuple(_forced(question, window) for window in windows)
        joined = tuple(
            _forced(question, Range(a.start, b.end)) - n - m
            for (a, b), (n, m) in zip(pairwise(windows), pairwise(alone), strict=True)
        )
        known["forced"] = (alone, joined)
    found: tuple[tuple[int, ...], tuple[int, ...]] = known["forced"]
    return found


def _forced(question: Question, window: Range) -> int:
    """Stretches of `window` without memory that hold a page outside the CMR runs."""
    outside = question.cmr_runs.complement(window)
    if not outside:
        return 0
    return sum(outside.overlaps(hole) for hole in question.memory_set.complement(window))


def forced_stretches(question: Question) -> list[Range]:
    """Stretches without memory, from the first cell to the last, that must be reserved if in a
    TDMR: those that hold a page outside the CMR runs.
    """
    whole = Range(question.cells[0] * GIB, (question.cells[-1] + 1) * GIB)
    outside = question.cmr_runs.complement(whole)
    return [hole for hole in question.memory_set.complement(whole) if outside.overlaps(hole)]


def most_pamt_bytes(question: Question) -> int:
    """No cut has PAMTs of more bytes: each region rounds up on its own, by less than a page."""
    cells = question.cells
    most = min(question.limits.max_tdmrs, len(cells))
    rounding = sum(rounded_levels(question)) * PAGE * most
    return question.sizes(cells[-1] - cells[0] + 1).total + rounding


def fillable_gaps(question: Question) -> tuple[Range, ...]:
    """Under ``minimal``: where PAMTs might join two stretches that must be reserved.

    Each from the first to the last page of memory between two such stretches, if all that memory
    is free, no more than all PAMTs together, and each free run in it has a length that regions
    (or chunks) may add up to.  None is left out that can be filled; more may be listed.
    """
    known = remembered(question)
    if "gaps" not in known:
        known["gaps"] = _fillable_gaps(question)
    found: tuple[Range, ...] = known["gaps"]
    return found


def _fillable_gaps(question: Question) -> tuple[Range, ...]:
    # A border of TDMRs may part a stretch; its parts are then in two TDMRs, and nothing between
    # them is memory.
    fits = _Fits(question)
    found: list[Range] = []
    for low, high in pairwise(forced_stretches(question)):
        between = question.memory_set.within(Range(low.end, high.start))
        if between.size <= fits.room and fits.all(between):
            found.append(between.span)
    return tuple(found)


def rounded_levels(question: Question) -> tuple[bool, bool, bool]:
    """For each PAMT region, whether a GiB takes less than whole pages of it."""
    _, second, third = question.limits.pamt_entry_size
    # A GiB has 2^18 pages: whatever one of them takes in the first region, bytes or bits, together
    # they take whole pages.
    return False, GIB // (2 * MIB) * second % PAGE != 0, third % PAGE != 0


class _Fits:
    """Pages that PAMT regions or chunks may add up to; too many rather than too few."""

    def __init__(self, question: Question) -> None:
        self._free = question.free
        self._starts = [run.start for run in question.free]
        self._set = question.free_set
        cells = question.cells
        span = cells[-1] - cells[0] + 1
        self._chunk = question.space.pamt == "chunk"
        self._sums: int | None = None
        self._pages: list[int] = []
        self._most = min(question.limits.max_tdmrs, len(cells))
        facts = question.tdmrs
        if facts is not None:
            sizes = [fact.sizes for fact in facts]
            self.room = sum(size.total for size in sizes)
            parts = [s.total for s in sizes] if self._chunk else [p for s in sizes for p in s]
            sums = 1
            for part in parts:
                sums |= sums << (part // PAGE)
            self._sums = sums
            return
        self._rounding = sum(rounded_levels(question))
        self.room = most_pamt_bytes(question)
        self._pages = [question.sizes(gib).total // PAGE for gib in range(span + 1)]

    def all(self, memory: RangeSet) -> bool:
        """Whether all of `memory` may be filled."""
        for run in memory:
            if run not in self._set:
                return False
            at = run.start
            while at < run.end:
                free = self._free[bisect_right(self._starts, at) - 1]
                end = min(free.end, run.end)
                if not self._may_be((end - at) // PAGE):
                    return False
                at = end
        return True

    def _may_be(self, pages: int) -> bool:
        """`pages`: more than none."""
        if self._sums is not None:
            return bool(self._sums >> pages & 1)
        if not self._chunk:
            return True
        # Chunks of so many GiB in all: no fewer pages than one chunk of them has; and with each
        # further chunk regions may round up once more.  The most GiBs that are not too many allow
        # for the most pages.
        gib = bisect_right(self._pages, pages) - 1
        return pages <= self._pages[gib] + self._rounding * (min(gib, self._most) - 1)


class _Minima:
    """The least value in windows, asked for one cell after the other, the last cell first.

    Windows of a step that move down from cell to cell share a queue, which holds those values only
    that may yet be the least of some window: the lowest end first, values falling.
    """

    def __init__(self, windows: _Windows, values: Sequence[int], unit: int) -> None:
        """`values`: by end; those of a cell's windows must be there when it is asked for.

        `unit`: of what windows cost besides.
        """
        self._windows, self._falling = windows
        self._unit = unit
        self._values = values
        # Of each step: its queue, and the highest end that is not in it yet.
        self._queues: dict[int, deque[tuple[int, int]]] = {}
        self._next: dict[int, int] = {}

    def least(self, cell: int) -> int:
        """The least of all windows of a cell; where there is none, what can't be."""
        found = 2 * NEVER
        values = self._values
        for step, low, high, over in self._windows[cell]:
            if not self._falling:
                least = min(values[low : high + 1])
            else:
                if step not in self._queues:
                    self._queues[step], self._next[step] = deque(), high
                queue = self._queues[step]
                for at in range(self._next[step], low - 1, -1):
                    value = values[at]
                    while queue and queue[0][0] >= value:
                        queue.popleft()
                    queue.appendleft((value, at))
                self._next[step] = low - 1
                while queue[-1][1] > high:
                    queue.pop()
                least = queue[-1][0]
            found = min(found, least + over * self._unit)
        return found


def _all_fall(windows: Sequence[tuple[_Window, ...]]) -> bool:
    """Whether no window of a step begins or ends above that of a later cell."""
    before: dict[int, _Window] = {}
    for some in reversed(windows):
        for window in some:
            last = before.get(window.step)
            if last is not None and (window.low > last.low or window.high > last.high):
                return False
            before[window.step] = window
    return True


class Cuts:
    """All cuts in which no TDMR has more than `max_areas` areas, and the least they cost.

    `order`: components of :data:`ADDITIVE`, most important first.
    """

    def __init__(self, facts: CutFacts, order: Sequence[str], max_areas: int | None = None) -> None:
        self._facts = facts
        self.order = tuple(order)
        self.cap = facts.limit if max_areas is None else min(facts.limit, max_areas)
        units = {
            name: 1 << (WIDTH * (len(self.order) - 1 - at)) for at, name in enumerate(self.order)
        }
        self._area = units.get("areas", 0)
        self._tdmr = units.get("tdmrs", 0)
        self._page = units.get("pamt_pages", 0)
        self._layers: list[list[int]] = []
        self._behind: list[list[int]] = []

    @cached_property
    def least(self) -> tuple[int, ...] | None:
        """The least value of the components, compared in order; None where no cut is allowed."""
        facts = self._facts
        if facts.fixed is not None:
            return self._least_fixed(facts.fixed)
        number = self.least_number
        if number is None:
            return None
        return self._floored(self.split(number))

    def _floored(self, value: tuple[int, ...]) -> tuple[int, ...]:
        """Some PAMT is in some TDMR: one area there is, whatever the holes."""
        if self._facts.own or "areas" not in self.order:
            return value
        at = self.order.index("areas")
        if value[at] >= 1:
            return value
        # Cuts with no area and with one are alike then, so the rest is asked for any areas.
        rest = self.order[:at] + self.order[at + 1 :]
        other = self._facts.cuts(rest, self.cap).least
        assert other is not None
        return (*other[:at], 1, *other[at:])

    def _least_fixed(self, fixed: Sequence[tuple[int, int, int]]) -> tuple[int, ...] | None:
        own = self._facts.own
        low = [holes - credit for holes, credit, _ in fixed]
        extra = self._facts.extra
        if max(low) > self.cap or self.cap < 1 or len(fixed) > self._facts.most or extra is None:
            return None
        areas = sum(low) + own * len(fixed) + extra
        if areas > self.cap * len(fixed):
            return None
        total = {
            "areas": max(areas, 1),
            "tdmrs": len(fixed),
            "pamt_pages": sum(pages for _, _, pages in fixed),
        }
        return tuple(total[name] for name in self.order)

    def split(self, number: int) -> tuple[int, ...]:
        """The components that a cost stands for."""
        found: list[int] = []
        for _ in self.order:
            # The lower half of a unit's range is above 0, the upper half below it.
            low = (number + (1 << (WIDTH - 1))) % (1 << WIDTH) - (1 << (WIDTH - 1))
            found.append(low)
            number = (number - low) >> WIDTH
        return tuple(reversed(found))

    @cached_property
    def least_number(self) -> int | None:
        """The components of the least cut in one number, before an area is added for PAMTs."""
        facts = self._facts
        if self.cap < 1:
            return None
        free = self.relaxed[0]
        if free >= NEVER:
            return None
        if len(self.trace(self.relaxed)) <= facts.most and self._room_for_all(self.relaxed):
            return free
        if facts.own and not self._enough_room():
            return None
        best: int | None = None
        for number in range(1, min(facts.most, len(facts.cells)) + 1):
            if best is not None and best <= self._below(number):
                break
            value = self.layer(number)[0]
            if value < NEVER and self._room_at(number) and (best is None or value < best):
                best = value
        return best

    def _room_for_all(self, best: list[int]) -> bool:
        """Whether the areas left over by holes are as many as TDMRs, in the cut of `best`."""
        if not self._facts.own:
            return True
        cut = self.trace(best)
        return sum(self._facts.holes(a, b) + 1 for a, b in cut) <= self.cap * len(cut)

    def _room_at(self, number: int) -> bool:
        facts = self._facts
        if not facts.own:
            return True
        return self._fewest_holes.layer(number)[0] + number <= self.cap * number

    @cached_property
    def _fewest_holes(self) -> Cuts:
        # With areas alone in the order a layer's value is its holes and its number of TDMRs.
        return _HolesOnly(self._facts, (), self.cap)

    def _enough_room(self) -> bool:
        """Whether in some cut, of any number of TDMRs, areas left over are as many as TDMRs."""
        return _Overfull(self._facts, (), self.cap).relaxed_least <= 0

    def _below(self, number: int) -> int:
        """No cut into `number` TDMRs or more is below this."""
        total = self._tdmr * number
        if self._area:
            total += self._area * (self._fewest_holes.relaxed_least + self._facts.own * number)
        if self._page:
            total += self._page * self._facts.cuts(("pamt_pages",), self.cap).relaxed_least
        return total

    @property
    def relaxed_least(self) -> int:
        """The least for any number of TDMRs."""
        return self.relaxed[0]

    def _weights(self) -> tuple[int, int, int]:
        """Cost of a hole, of a TDMR, of a PAMT page."""
        return self._area, self._area * self._facts.own + self._tdmr, self._page

    @cached_property
    def reach(self) -> tuple[int, ...]:
        """For each cell, the first behind the last that a TDMR from it may take in."""
        return self._facts.reach(self.cap)

    @cached_property
    def _islands(self) -> tuple[int, ...]:
        """For each cell, the first behind it that does not follow without a GiB in between."""
        cells = self._facts.cells
        ends = [len(cells)] * len(cells)
        for i in range(len(cells) - 2, -1, -1):
            ends[i] = ends[i + 1] if cells[i + 1] == cells[i] + 1 else i + 1
        return tuple(ends)

    def ends(self, number: int, first: int, limit: int) -> list[int]:
        """Last cells of TDMRs from cell `first` that cost `limit` at most, with all behind them.

        `number`: TDMRs there are from `first` on.  Ascending.
        """
        while len(self._behind) < number:
            self._behind.append(self.behind(self.layer(len(self._behind))))
        reach = self.reach[first]
        # What no end changes is taken off the limit, so that all ends are only compared with it.
        enough = (limit - self.begin(first)).__ge__
        costs = self.step(self._behind[number - 1], first, first, reach)
        return list(compress(range(first, reach), map(enough, costs)))

    def begin(self, first: int) -> int:
        """What a TDMR from cell `first` costs, whatever its end."""
        hole, tdmr, _ = self._weights()
        return tdmr - hole * self._facts.holes_from[first]

    def step(self, behind: Sequence[int], first: int, low: int, high: int) -> Iterator[int]:
        """What a TDMR from cell `first` costs besides, and all behind it, for each last cell.

        Last cells are `low` to `high` - 1; `behind` as :meth:`behind` gives it.
        """
        page = self._weights()[2]
        if not page:
            return iter(behind[low + 1 : high + 1])
        cells = self._facts.cells
        parts: list[Iterator[int]] = []
        while low < high:
            stop = min(high, self._islands[low])
            span = cells[low] - cells[first] + 1
            table = self._page_costs[span : span + stop - low]
            parts.append(map(add, table, behind[low + 1 : stop + 1]))
            low = stop
        return chain.from_iterable(parts)

    def alone(self, first: int, last: int) -> int:
        """What one TDMR over these cells (by index) costs."""
        facts = self._facts
        hole, tdmr, page = self._weights()
        gib = facts.cells[last] - facts.cells[first] + 1
        return hole * facts.holes(first, last) + tdmr + page * facts.pages[gib]

    @cached_property
    def _page_costs(self) -> list[int]:
        return [self._page * pages for pages in self._facts.pages]

    def behind(self, layer: Sequence[int]) -> list[int]:
        """For each end (the first cell behind it), the cost of what follows, and holes up to it."""
        return [self.with_holes(value, end) for end, value in enumerate(layer)]

    def with_holes(self, value: int, end: int) -> int:
        """A cost of what follows an end, and holes up to it; what can't be stays so."""
        hole = self._weights()[0]
        return value + hole * self._facts.holes_to[end] if value < NEVER else 2 * NEVER

    @property
    def area(self) -> int:
        """Cost of an area."""
        return self._area

    @cached_property
    def _windows(self) -> _Windows:
        return self._facts.windows(self.cap, by_pages=bool(self._page))

    @cached_property
    def _own(self) -> list[int]:
        """For each cell, what a TDMR from it costs besides its end."""
        facts = self._facts
        hole, tdmr, page = self._weights()
        base = page * facts.page_steps[0]
        return [
            tdmr - hole * holes - base * cell
            for holes, cell in zip(facts.holes_from, facts.cells, strict=False)
        ]

    @cached_property
    def _ends(self) -> list[int]:
        """For each end of a TDMR (the first cell behind it), what it costs besides its begin."""
        facts = self._facts
        hole, _, page = self._weights()
        base = page * facts.page_steps[0]
        cells = (0, *(cell + 1 for cell in facts.cells))
        return [
            hole * holes + base * cell for holes, cell in zip(facts.holes_to, cells, strict=True)
        ]

    @cached_property
    def relaxed(self) -> list[int]:
        """For each cell, the least for it and all that follow, into any number of TDMRs."""
        n = len(self._facts.cells)
        best = [NEVER] * n + [0]
        values = [*best[:-1], self._ends[n]]
        minima = _Minima(self._windows, values, self._page)
        for i in range(n - 1, -1, -1):
            best[i] = min(NEVER, minima.least(i) + self._own[i])
            values[i] = self._with_end(best[i], i)
        return best

    def layer(self, number: int) -> list[int]:
        """For each cell, the least for it and all that follow, into `number` TDMRs."""
        n = len(self._facts.cells)
        if not self._layers:
            self._layers.append([NEVER] * n + [0])
        while len(self._layers) <= number:
            values = [self._with_end(value, at) for at, value in enumerate(self._layers[-1])]
            minima = _Minima(self._windows, values, self._page)
            found = [NEVER] * (n + 1)
            for i in range(n - 1, -1, -1):
                found[i] = min(NEVER, minima.least(i) + self._own[i])
            self._layers.append(found)
        return self._layers[number]

    def _with_end(self, value: int, end: int) -> int:
        """What follows an end, and the end; what can't be stays so whatever is taken off."""
        return value + self._ends[end] if value < NEVER else 2 * NEVER

    def trace(self, best: Sequence[int]) -> list[tuple[int, int]]:
        """The first cut, by sizes, that `best` (for any number of TDMRs) stands for."""
        cut: list[tuple[int, int]] = []
        at = 0
        while at < len(self._facts.cells):
            end = self._first_end(best, at)
            cut.append((at, end - 1))
            at = end
        return cut

    def _first_end(self, best: Sequence[int], first: int) -> int:
        """The first end that a TDMR from `first` may have at the cost that `best` says."""
        wanted = best[first] - self._own[first]
        for window in self._windows.by_cell[first]:
            left = wanted - window.over * self._page
            for end in range(window.low, window.high + 1):
                if self._with_end(best[end], end) == left:
                    return end
        raise ValueError("no TDMR that begins here costs so little")


class _HolesOnly(Cuts):
    """Counts holes, and nothing else."""

    def _weights(self) -> tuple[int, int, int]:
        return 1, 0, 0


class _Overfull(Cuts):
    """Counts by how much holes and one area a TDMR exceed what areas there may be."""

    def _weights(self) -> tuple[int, int, int]:
        return 1, 1 - self.cap, 0


def excludes(facts: CutFacts, order: Sequence[str], at_most: Mapping[str, int]) -> bool:
    """Whether no cut has `max_areas` and the components in `order` at most as stated.

    If the least value, compared in order, is above what is stated, some component is above.
    """
    least = facts.cuts(order, at_most.get("max_areas")).least
    return least is None or least > tuple(at_most[name] for name in order)


def cut_ranges(facts: CutFacts, cut: Sequence[tuple[int, int]]) -> Iterator[Range]:
    """The TDMRs of a cut, given by first and last cell (by index)."""
    for first, last in cut:
        yield Range(facts.cells[first] * GIB, (facts.cells[last] + 1) * GIB)
