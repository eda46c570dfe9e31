"""Under ``minimal``, cuts free, regions split, every PAMT at home: gaps that are filled together.

What it takes to fill one gap may be there, and not for two: each region lies in one place.  Where
few TDMRs are allowed, all sizes are gone through of the TDMRs that have regions near one node.
They begin in one stretch of cells, so that at most one of them goes on behind it:

    cells     | 0 0 0 0 0 0 0 0 | 1 1 1 1 1 1 |     homes; the gaps have their runs on node 0
    TDMRs     |<->|<----->|<->|<------->|<--->|     2, 4 and 2 GiB; the fourth *overhangs*

TDMRs of the same sizes have the same regions, in whatever order they come.  A 4K region has as many
*units*, the pages of one GiB, as its TDMR has GiBs (2^18 entries are always whole pages); 2M and 1G
regions are *small*:

    2,148 pages = 2 units of 1,024 pages + 100      one 4K region of 2 GiB, or two of 1 GiB,
                                                    and small ones of 100 pages together

Of the TDMR that overhangs the 4K region is too long for every run, or its size is gone through like
the others.  Its 2M region lies in one run at most, which tells its size.

Source: docs/design.md, section 5 (``minimal``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby, product
from typing import NamedTuple

from pamt.placement import Question
from pamt.ranges import PAGE, Range

__all__ = ["GapRuns", "Sizes", "Together", "TooManyWays"]

MOST_SETS = 5_000
"""Sets of gaps, whole or begun, that are looked at."""
MOST_SIZES = 60_000
"""TDMRs that are added to others on the way through all sizes."""
MOST_TDMRS = 8
MOST_LOOKS = 400_000
"""Sizes times sets of gaps that are looked at."""


class TooManyWays(Exception):
    """There is more to go through than is allowed."""


class GapRuns(NamedTuple):
    """A gap and the free runs that it takes to fill it."""

    cell: int | None
    """The cell (by index) in which it lies with the stretches beside it; None: in no single one."""
    runs: tuple[int, ...]
    """Pages of its runs on the node that is spoken of."""
    gap: Range


class Sizes(NamedTuple):
    """TDMRs that have regions near a node."""

    gibs: tuple[int, ...]
    """GiB of each, ascending."""
    over: tuple[int, int] | None
    """Fewest and most GiB of one more that overhangs, with too long a 4K region for any run."""


class Together:
    """Gaps with runs on one node, and TDMRs with regions near it.

    `gaps`: at least one.  `begins`: the cells (by index) in which these TDMRs begin, the first and
    the one behind the last.  `reach`: for each cell, the first behind the last that a TDMR may take
    in.
    """

    def __init__(
        self,
        question: Question,
        gaps: Sequence[GapRuns],
        begins: tuple[int, int],
        reach: Sequence[int],
    ) -> None:
        self._cells = question.cells
        self._begins = begins
        self._reach = reach
        sizes = [question.sizes(gib) for gib in range(self._cells[-1] - self._cells[0] + 2)]
        self._unit = sizes[1].level_4k // PAGE
        self._second = [size.level_2m // PAGE for size in sizes]
        self._third = [size.level_1g // PAGE for size in sizes]
        self._gaps = gaps
        self._units = max(run // self._unit for gap in gaps for run in gap.runs)
        self._known: dict[tuple[int, int], frozenset[Sizes] | None] = {}
        """By number of TDMRs, and GiB of one at most; None: too many."""

    def may_be(
        self, number: int, least: int, wanted: Mapping[int, int], small: int, longest: int
    ) -> bool:
        """Whether TDMRs of a cut into `number`, or fewer, may fill `least` gaps or more at once.

        `wanted`: for cells (by index), how many of their gaps at least.  `small`: pages of small
        regions at most, but for the 2M region of the TDMR that overhangs.  `longest`: GiB of a
        TDMR at most.  Raises TooManyWays where there is too much to go through.
        """
        if least < 1 and not wanted:
            return True
        return next(self.ways(number, least, wanted, small, longest), None) is not None

    def ways(
        self, number: int, least: int, wanted: Mapping[int, int], small: int, longest: int
    ) -> Iterator[tuple[Sizes, tuple[GapRuns, ...]]]:
        """Sizes of TDMRs, and a set of gaps that they fill; see :meth:`may_be`.

        Of sets with runs of the same lengths only one comes.
        """
        sets: dict[tuple[int, ...], tuple[GapRuns, ...]] = {}
        for chosen in self._sets(least, wanted, small, self._second[longest]):
            sets.setdefault(tuple(sorted(run for gap in chosen for run in gap.runs)), chosen)
        if not sets:
            return
        sizes = self._sizes(number, longest)
        if len(sizes) * len(sets) > MOST_LOOKS:
            raise TooManyWays
        for some in sorted(sizes, key=lambda each: (each.gibs, each.over or ())):
            for runs in self._filled(some, list(sets)):
                yield some, sets[runs]

    def _rest(self, run: int) -> int:
        """The fewest small pages that fill a run."""
        return run % self._unit

    def _sets(
        self, least: int, wanted: Mapping[int, int], small: int, over: int
    ) -> Iterator[tuple[GapRuns, ...]]:
        """Sets of gaps that are not seen to take too many small pages.

        `over`: pages that the 2M region of the TDMR that overhangs has at most.
        """
        left = MOST_SETS
        begun: list[tuple[int, tuple[GapRuns, ...]]] = [(0, ())]
        number = max(least, sum(wanted.values()))
        while begun:
            left -= 1
            if left < 0:
                raise TooManyWays
            at, chosen = begun.pop()
            rests = [self._rest(run) for gap in chosen for run in gap.runs]
            if sum(rests) - min(over, max(rests, default=0)) > small:
                continue
            if len(chosen) == number:
                cells = [gap.cell for gap in chosen]
                if all(cells.count(cell) >= count for cell, count in wanted.items()):
                    yield chosen
                continue
            begun += [
                (i + 1, (*chosen, self._gaps[i])) for i in range(len(self._gaps) - 1, at - 1, -1)
            ]

    def _sizes(self, number: int, longest: int) -> frozenset[Sizes]:
        """All sizes that TDMRs with regions near the node may have, of a cut into `number`."""
        key = (number, longest)
        if key not in self._known:
            self._known[key] = None
            self._known[key] = frozenset(self._all_sizes(number, longest))
        found = self._known[key]
        if found is None:
            raise TooManyWays
        return found

    def _all_sizes(self, number: int, longest: int) -> Iterator[Sizes]:
        start, end = self._begins
        cells, size = self._cells, len(self._cells)
        if number > MOST_TDMRS:
            raise TooManyWays
        reached: list[set[tuple[int, ...]]] = [set() for _ in range(end + 1)]
        # Where there are cells before, one TDMR begins there, and may reach into these.
        number -= start > 0
        for at in range(start, end + 1) if start else (0,):
            reached[at].add(())
        left = MOST_SIZES
        for at in range(start, end if number else start):
            high = min(self._reach[at], bisect_left(cells, cells[at] + longest))
            for gibs in reached[at]:
                # The last TDMR of all ends with the last cell.
                low = at if len(gibs) + 1 < number else max(at, size - 1)
                left -= 1 + max(0, min(high, end) - low)
                if left < 0:
                    raise TooManyWays
                for last in range(low, min(high, end)):
                    reached[last + 1].add(_with(gibs, cells[last] - cells[at] + 1))
                yield from self._overhanging(gibs, at, max(low, end), high)
        yield from (Sizes(gibs, None) for gibs in reached[end])

    def _overhanging(
        self, gibs: tuple[int, ...], first: int, low: int, high: int
    ) -> Iterator[Sizes]:
        """With one more TDMR from cell `first`, the last cell of which is `low` or more."""
        for last in range(low, high):
            gib = self._cells[last] - self._cells[first] + 1
            if gib > self._units:
                yield Sizes(gibs, (gib, self._cells[high - 1] - self._cells[first] + 1))
                return
            yield Sizes(_with(gibs, gib), None)

    def _filled(self, sizes: Sizes, sets: Sequence[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
        """Of some sets of runs, those that regions of these TDMRs fill."""
        gibs, over = sizes
        small = [self._second[gib] for gib in gibs] + [self._third[gib] for gib in gibs]
        if over is None:
            yield from self._fitting(gibs, small, range(0), sets)
            return
        # Of TDMRs that overhang, those with the same pages in their 1G region at once.
        for third, same in groupby(range(over[0], over[1] + 1), key=lambda gib: self._third[gib]):
            second = [self._second[gib] for gib in same]
            yield from self._fitting(gibs, [*small, third], second, sets)

    def _fitting(
        self,
        gibs: Sequence[int],
        small: Sequence[int],
        over: Sequence[int],
        sets: Sequence[tuple[int, ...]],
    ) -> Iterator[tuple[int, ...]]:
        """`over`: pages that one more region may have, ascending; empty: there is none."""
        whole, parts = tuple(sorted(gibs)), tuple(sorted(small))
        sums = _Sums(_sums(whole), _sums(parts), sum(parts))
        known = {run: list(self._split(run, sums, (0,))) for runs in sets for run in runs}
        for runs in sets:
            ways = [known[run] for run in runs]
            without = [at for at, some in enumerate(ways) if not some]
            if not without and _together(whole, parts, ways):
                yield runs
            elif over and len(without) <= 1:
                for spared in without or range(len(runs)):
                    other = list(self._split(runs[spared], sums, over))
                    if _together(whole, parts, [*ways[:spared], other, *ways[spared + 1 :]]):
                        yield runs
                        break

    def _split(self, run: int, sums: _Sums, over: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Units and small pages that fill a run with one of `over` (ascending)."""
        for units in range(run // self._unit, -1, -1):
            left = run - units * self._unit
            if left > sums.most + over[-1]:
                return
            if not sums.units >> units & 1:
                continue
            low, high = bisect_left(over, left - sums.most), bisect_right(over, left)
            yield from (
                (units, left - pages)
                for pages in over[low:high]
                if sums.small >> (left - pages) & 1
            )


class _Sums(NamedTuple):
    """What some pieces add up to: a bit for each sum."""

    units: int
    small: int
    most: int
    """All small pages."""


def _with(gibs: tuple[int, ...], gib: int) -> tuple[int, ...]:
    return tuple(sorted((*gibs, gib)))


def _sums(parts: Iterable[int]) -> int:
    found = 1
    for part in parts:
        found |= found << part
    return found


def _together(
    whole: tuple[int, ...], parts: tuple[int, ...], ways: Sequence[Sequence[tuple[int, int]]]
) -> bool:
    """Whether units and small pages of some way for each run can be there at once."""
    return any(
        _disjoint(whole, tuple(units for units, _ in chosen))
        and _disjoint(parts, tuple(small for _, small in chosen))
        for chosen in product(*ways)
    )


@lru_cache(maxsize=1 << 14)
def _disjoint(parts: tuple[int, ...], sums: tuple[int, ...]) -> bool:
    """Whether each of `sums` is that of some of the parts (ascending), none of them used twice."""
    if not sums:
        return True
    return any(_disjoint(left, sums[1:]) for left in _without(parts, sums[0]))


def _without(parts: tuple[int, ...], total: int) -> Iterator[tuple[int, ...]]:
    """What is left of the parts (ascending) without some that add up to `total`."""
    if not total:
        yield parts
        return
    for at, part in enumerate(parts):
        # Of equal parts the first is as good as any.
        if part <= total and (not at or part != parts[at - 1]):
            for left in _without(parts[at + 1 :], total - part):
                yield parts[:at] + left
