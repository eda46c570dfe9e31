"""Under ``minimal``: TDMRs with too many areas are cut between them.

    TDMR     |----===----------PPPP----|      = must be reserved, P PAMTs: two areas
    cut      |----===----|-----PPPP----|      one each

PAMTs are hung anew then: more TDMRs have a little more of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from pamt.configuration import Configuration
from pamt.placement import Question
from pamt.ranges import GIB, Range
from pamt.solve.engine.fill import Layout
from pamt.solve.engine.fixed_cut import fix_cut
from pamt.solve.engine.hang import hang

__all__ = ["spread"]


def spread(
    question: Question, best: Configuration, caps: Sequence[int], *, at_home: bool
) -> Iterator[Layout]:
    """Layouts like `best` with at most so many areas in a TDMR, for each of `caps`."""
    for cap in caps:
        tdmrs = _cut(question, best, cap)
        if tdmrs is None or len(tdmrs) > question.limits.max_tdmrs:
            continue
        layout = hang(fix_cut(question, tdmrs), tdmrs, at_home=at_home, cap=cap)
        if layout is not None:
            yield tdmrs, layout.bases


def _cut(question: Question, best: Configuration, cap: int) -> tuple[Range, ...] | None:
    """The TDMRs of `best`, those with more than `cap` areas cut; None where that can't be done."""
    found: list[Range] = []
    for tdmr in best.tdmrs:
        areas = sorted(
            Range(tdmr.base + area.offset, tdmr.base + area.offset + area.size)
            for area in tdmr.reserved
            if area.size
        )
        start = tdmr.base
        while len(areas) > cap:
            border = _border(question, areas[cap - 1].end, areas[cap].start)
            if border is None:
                return None
            found.append(Range(start, border[0]))
            start, areas = border[1], areas[cap:]
        found.append(Range(start, tdmr.range.end))
    return tuple(found)


def _border(question: Question, low: int, high: int) -> tuple[int, int] | None:
    """Where one TDMR may end and the next begin, both between `low` and `high`: lowest of all."""
    cells = question.cells
    # The last cell before the border ends behind `low`, the first one after it begins below `high`.
    at = bisect_left(cells, -(-low // GIB) - 1)
    if at + 1 >= len(cells) or cells[at + 1] * GIB > high:
        return None
    return (cells[at] + 1) * GIB, cells[at + 1] * GIB
