"""Under ``minimal``: gaps between stretches that must be reserved, filled with PAMTs exactly."""

from __future__ import annotations

from collections.abc import Iterator

from pamt.certificate.cut_bound import CutFacts
from pamt.placement import Question
from pamt.ranges import Range
from pamt.solve.engine.cut_choice import Bounds

__all__ = ["fill"]


def fill(
    question: Question, facts: CutFacts, bounds: Bounds
) -> Iterator[tuple[tuple[Range, ...], tuple[tuple[int, int, int], ...]]]:
    """Cuts with placements that fill gaps, likely to meet the bound."""
    del question, facts, bounds
    yield from ()
