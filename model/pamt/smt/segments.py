"""The map cut into stretches of whole GiBs at which TDMRs may begin.  See :mod:`pamt.smt.encoding`.

Source: docs/design.md, section 5 (space option ``--tdmrs``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from pamt.placement import Question
from pamt.ranges import GIB, Range
from pamt.smt.terms import TRUE, Flag, Formula

__all__ = ["Segment", "cut_segments"]


class Segment(NamedTuple):
    """A stretch of whole GiBs (bytes, half open) that no TDMR border divides."""

    at: int
    """Its index."""
    window: Range
    start: Formula
    """Holds when a TDMR begins at this segment."""
    holes: int
    """Holes inside, taken alone (0 under ``minimal``)."""
    joined: int
    """Holes on top when the next segment belongs to the same TDMR; may be negative."""


def cut_segments(question: Question, borders: frozenset[int] | None = None) -> tuple[Segment, ...]:
    """One segment a TDMR where the layout is fixed, one a GiB holding memory otherwise.

    With `borders`, indices into ``question.cells``, free TDMRs may begin at those cells only (and
    at the first): fewer segments, and not every cut.
    """
    facts = question.tdmrs
    if facts is not None:
        return tuple(
            Segment(at, fact.range, TRUE, len(fact.holes), 0) for at, fact in enumerate(facts)
        )
    cells = question.cells
    firsts = [at for at in range(len(cells)) if at == 0 or borders is None or at in borders]
    lasts = [at - 1 for at in firsts[1:]] + [len(cells) - 1]
    windows = [
        Range(cells[first] * GIB, (cells[last] + 1) * GIB)
        for first, last in zip(firsts, lasts, strict=True)
    ]
    alone = [len(question.holes(window)) for window in windows]
    joined = [
        len(question.holes(Range(a.start, b.end))) - n - m
        for (a, b), (n, m) in zip(pairwise(windows), pairwise(alone), strict=True)
    ]
    starts = [Flag(f"start:{at}") if at else TRUE for at in range(len(windows))]
    return tuple(
        Segment(at, *each)
        for at, each in enumerate(zip(windows, starts, alone, [*joined, 0], strict=True))
    )
