"""The map cut into stretches of whole GiBs at which TDMRs may begin.  See :mod:`pamt.smt.encoding`.

Source: DESIGN, section 5 (space option ``--tdmrs``).
"""

from __future__ import annotations

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


def cut_segments(question: Question) -> tuple[Segment, ...]:
    """One segment a TDMR where the layout is fixed, one a GiB holding memory otherwise."""
    facts = question.tdmrs
    if facts is not None:
        return tuple(
            Segment(index, fact.range, TRUE, len(fact.holes), 0) for index, fact in enumerate(facts)
        )
    counts = question.hole_count()
    joined = (*counts.joined, 0)
    return tuple(
        Segment(
            index,
            Range(cell * GIB, (cell + 1) * GIB),
            Flag(f"start:{index}") if index else TRUE,
            counts.alone[index],
            joined[index],
        )
        for index, cell in enumerate(question.cells)
    )
