"""Lower bounds from sizes and holes alone: no configuration of a question is below them.

Source: docs/design.md, section 5 (objective, space option ``--reserve``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pamt.placement import Objective, Question
from pamt.ranges import GIB, PAGE, Range

__all__ = ["lower_bounds"]


def lower_bounds(question: Question) -> Objective:
    """A vector that no configuration of this question is below, component by component."""
    if question.tdmrs is None:
        return _free_bounds(question)
    facts = question.tdmrs
    remote = 0
    for fact in facts:
        weights = [question.weight(fact.home, node) for node in question.free_by_node]
        remote += min(weights, default=0) * fact.pages
    if question.space.reserve == "minimal":
        parts = [size for fact in facts for size in fact.sizes]
        if question.space.pamt == "chunk":
            parts = [fact.sizes.total for fact in facts]
        filler = _Filler(min(parts), len(parts), sum(parts))
        most, areas = _forced_areas(question, [fact.range for fact in facts], filler)
    else:
        # Every PAMT takes an area somewhere.
        holes = [len(fact.holes) for fact in facts]
        most, areas = max(holes), sum(holes) + len(facts)
    return Objective(
        question.given_up.size // PAGE,
        remote,
        max(most, 1),
        max(areas, 1),
        len(facts),
        sum(fact.pages for fact in facts),
    )


def _free_bounds(question: Question) -> Objective:
    """The same for any cut."""
    cells = question.cells
    # At most all pages of all cuts: each level rounds up once a TDMR, by less than a page.
    span = question.sizes(cells[-1] - cells[0] + 1)
    room = span.total + 3 * PAGE * len(cells)
    if question.space.reserve == "minimal":
        one = question.sizes(1)
        split = question.space.pamt == "split"
        filler = _Filler(min(one) if split else one.total, len(cells) * (3 if split else 1), room)
        windows = [Range(cell * GIB, (cell + 1) * GIB) for cell in cells]
        most, _ = _forced_areas(question, windows, filler)
        # Over all cells as one, since a cut makes areas more, never fewer; but what lies between
        # cells may be outside every TDMR.
        areas = _forced_over_all(question, windows, filler)
    else:
        holes = question.hole_count()
        most = max(holes.alone)
        # Joining cells changes the holes by `joined`; a cut costs a TDMR, so one PAMT's area more.
        areas = 1 + sum(holes.alone) + sum(min(joined, 1) for joined in holes.joined)
    homes = {r.node for r in question.memory}
    weights = [question.weight(home, node) for home in homes for node in question.free_by_node]
    remote = min((0, *weights)) * (room // PAGE)
    # Regions round up TDMR by TDMR, so all memory in one TDMR is never more.
    pages = question.sizes(len(cells)).total // PAGE
    return Objective(question.given_up.size // PAGE, remote, max(most, 1), max(areas, 1), 1, pages)


class _Filler(NamedTuple):
    """PAMT pieces that could fill the memory between two holes, in bytes."""

    smallest: int
    number: int
    room: int

    def most_filled(self, gaps: Sequence[int]) -> int:
        """At most so many of `gaps` (bytes of memory) can be filled, each by pieces of its own."""
        left, filled = self.room, 0
        for gap in sorted(gap for gap in gaps if gap >= self.smallest)[: self.number]:
            left -= gap
            if left < 0:
                break
            filled += 1
        return filled


def _forced_areas(question: Question, windows: Sequence[Range], filler: _Filler) -> tuple[int, int]:
    """Under ``minimal``: least areas in the worst of `windows`, and in all, each cut at both ends.

    A hole with a page outside the CMR runs takes an area, and shares it with the next such hole
    only where all memory between them holds PAMTs.
    """
    worst = total = 0
    gaps: list[int] = []
    for window in windows:
        forced = _forced_holes(question, window)
        own = _gaps(question, forced)
        worst = max(worst, len(forced) - filler.most_filled(own))
        total += len(forced)
        gaps += own
    return worst, total - filler.most_filled(gaps)


def _forced_over_all(question: Question, windows: Sequence[Range], filler: _Filler) -> int:
    whole = Range(windows[0].start, windows[-1].end)
    forced = [
        hole
        for hole in _forced_holes(question, whole)
        if any(
            question.cmr_runs.complement(hole.clip(window))
            for window in windows
            if window.overlaps(hole)
        )
    ]
    return len(forced) - filler.most_filled(_gaps(question, forced))


def _forced_holes(question: Question, window: Range) -> list[Range]:
    outside = question.cmr_runs.complement(window)
    return [hole for hole in question.memory_set.complement(window) if outside.overlaps(hole)]


def _gaps(question: Question, forced: Sequence[Range]) -> list[int]:
    """Bytes of memory between neighbours, where PAMTs could fill it.

    As many pages as are given up may turn out not to be free: their place can still be open.
    """
    found: list[int] = []
    for low, high in pairwise(forced):
        memory = question.memory_set.within(Range(low.end, high.start))
        if (memory - question.free_set).size <= question.given_up.size:
            found.append(memory.size)
    return found
