"""Which pages to give up: all sets that can matter, as cases that z3 places the rest of.

A *cell* is the part of one memory range inside one GiB.  Of each cell a set of pages takes a head,
a tail, and runs strictly inside; or all of it:

    cell      |hh......ff.........f.....ttt|      h head, t tail, f floats

Head and tail are said by their lengths; where the floats lie is left to the solver, since layout,
homes and number of holes do not depend on it (:mod:`pamt.smt.floats`).

Under ``memory`` and ``cmr`` a case is kept only if every head, tail and float is one page long and
a cell has at most one float: from any other set, put back all of a head (or tail) but its outermost
page, and all floats but one page of one.  Layout and homes stay, holes don't get more, no PAMT
stands in the way: nothing gets worse and `lost` gets less.  Under ``minimal`` a longer hole can
join two PAMTs, so every length counts.

Memory outside the CMR runs must go in any case; it is withdrawn first.

Source: docs/design.md, section 5 (``--give-up``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from pamt.machine import Machine
from pamt.placement import Question, Space, TrivialCause, pose
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.smt.floats import Float

__all__ = ["Withdrawal", "forced_pages", "pose_withdrawal", "withdrawals"]


class Withdrawal(NamedTuple):
    """One case: pages given up for sure, and floats."""

    fixed: RangeSet
    floats: tuple[Float, ...]

    @property
    def lost(self) -> int:
        """Pages given up in all."""
        return self.fixed.size // PAGE + sum(f.length for f in self.floats)


class _Choice(NamedTuple):
    """What one cell gives up, in pages; `lengths` are those of its floats."""

    head: int
    tail: int
    lengths: tuple[int, ...]

    @property
    def lost(self) -> int:
        return self.head + self.tail + sum(self.lengths)


def forced_pages(machine: Machine, space: Space) -> RangeSet:
    """Memory outside the CMR runs, which no configuration may keep."""
    question = pose(machine, space)
    return question.memory_set - question.cmr_runs


def withdrawals(machine: Machine, space: Space) -> Iterator[Withdrawal]:
    """All cases of at most ``space.give_up`` pages, fewest pages first.

    None that gives up all memory, and none at all when more pages than that are forced.
    """
    forced = forced_pages(machine, space)
    question = pose(machine, space, forced)
    left = space.give_up - forced.size // PAGE
    if left < 0 or not question.memory:
        return
    cells = list(_cells(question))
    short = space.reserve != "minimal"
    everything = question.memory_set.size // PAGE
    for lost in range(min(left, everything - 1) + 1):
        for chosen in _spread(cells, 0, lost, short):
            yield _case(forced, cells, chosen)


def _cells(question: Question) -> Iterator[Range]:
    """Parts of memory ranges inside one GiB, as page numbers."""
    for r in question.memory:
        at = r.start
        while at < r.end:
            end = min(r.end, (at // GIB + 1) * GIB)
            yield Range(at // PAGE, end // PAGE)
            at = end


def _spread(
    cells: Sequence[Range], first: int, lost: int, short: bool
) -> Iterator[tuple[tuple[int, _Choice], ...]]:
    """Ways to give up exactly `lost` pages in the cells from `first` on: (cell, choice) pairs."""
    if lost == 0:
        yield ()
        return
    for at in range(first, len(cells)):
        for part in range(1, min(lost, cells[at].size) + 1):
            for choice in _choices(cells[at].size, part, short):
                for rest in _spread(cells, at + 1, lost - part, short):
                    yield ((at, choice), *rest)


def _choices(size: int, lost: int, short: bool) -> Iterator[_Choice]:
    """Ways to give up exactly `lost` pages of a cell of `size` pages."""
    if lost == size:
        yield _Choice(size, 0, ())
        return
    most = 1 if short else lost
    for head in range(min(lost, most) + 1):
        for tail in range(min(lost - head, most) + 1):
            inside = lost - head - tail
            if short and inside > 1:
                continue
            for lengths in _compositions(inside):
                # A page stays between head, floats and tail, and before and after the first and
                # last of them.
                kept = len(lengths) + 1 if lengths else 1
                if lost + kept <= size:
                    yield _Choice(head, tail, lengths)


def _compositions(total: int) -> Iterator[tuple[int, ...]]:
    """Ordered ways to write `total` as a sum of positive numbers."""
    if total == 0:
        yield ()
    for first in range(1, total + 1):
        for rest in _compositions(total - first):
            yield (first, *rest)


def _case(
    forced: RangeSet, cells: Sequence[Range], chosen: Sequence[tuple[int, _Choice]]
) -> Withdrawal:
    fixed: list[Range] = []
    floats: list[Float] = []
    for at, choice in chosen:
        cell = cells[at]
        fixed.append(Range(cell.start * PAGE, (cell.start + choice.head) * PAGE))
        fixed.append(Range((cell.end - choice.tail) * PAGE, cell.end * PAGE))
        low = cell.start + choice.head + 1
        room = sum(choice.lengths) + len(choice.lengths) - 1
        high = cell.end - choice.tail - 1 - room
        for length in choice.lengths:
            floats.append(Float(len(floats), low, high, length, at))
            low += length + 1
            high += length + 1
    return Withdrawal(forced | RangeSet(fixed), tuple(floats))


def pose_withdrawal(machine: Machine, space: Space, case: Withdrawal) -> Question:
    """The question for one case: each float at its lowest place, free runs still holding floats."""
    if not case.floats:
        return pose(machine, space, case.fixed)
    placed = (Range(f.low * PAGE, (f.low + f.length) * PAGE) for f in case.floats)
    question = pose(machine, space, RangeSet(chain(case.fixed, placed)))
    return replace(question, free=pose(machine, space, case.fixed).free)


def forced_cause(machine: Machine, space: Space) -> TrivialCause | None:
    """The cause when more pages must go than may go, or all of them."""
    forced = forced_pages(machine, space)
    question = pose(machine, space)
    if not question.memory or forced.size > space.give_up * PAGE or forced == question.memory_set:
        return question.trivial
    return None
