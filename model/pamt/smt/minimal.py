"""Counting areas under ``--reserve minimal``: one for each stretch that must be reserved somewhere.

A stretch, free of usable memory inside a TDMR, is a row of touching *elements*: holes of the memory
list and PAMT regions.  A hole is *forced* where the TDMR holds a page of it outside the CMR runs;
a region always is.  A stretch takes one area if any of its elements is forced, so areas are counted
at the first forced element of each stretch:

    TDMR    |..hole..|PP|....usable....|QQ|..hole..|RR|===
              not      1                 2  forced        R goes on from the hole: not counted
              forced

A forced hole is first unless a region touches its left end; a region is first unless another region
ends where it begins, or a hole does that is forced or, in turn, touched from the left.  Borders of
TDMRs cut stretches.  All integers count pages.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from typing import NamedTuple

from pamt.placement import Question
from pamt.ranges import PAGE, Range, RangeSet
from pamt.smt.floats import Float
from pamt.smt.labels import DEFINITION, Assertion
from pamt.smt.pieces import Part, Slot
from pamt.smt.segments import Segment
from pamt.smt.terms import (
    FALSE,
    Const,
    Flag,
    Formula,
    Sum,
    constant,
    count,
    every,
    no,
    same,
    some,
)

__all__ = ["count_minimal"]


class _HoleAt(NamedTuple):
    """A hole as seen from one segment (with the bridge to the next, if that is in the TDMR)."""

    forced_inside: Formula
    """A page outside CMR runs lies in the segment."""
    forced: Formula
    """... in the segment or in the bridge after it."""
    forced_before: Formula
    """... or, further left, in an earlier segment of the same TDMR."""
    joined_left: Formula
    """The hole begins inside this TDMR, right behind a region."""


def count_minimal(
    question: Question,
    segments: tuple[Segment, ...],
    slots: tuple[Slot, ...],
    floats: tuple[Float, ...],
    assertions: list[Assertion],
) -> list[Sum]:
    """For each segment, the stretches counted there; a TDMR's areas are those of its segments."""
    parts = [p for slot in slots for p in slot.parts]
    counter = _Counter(question, segments, parts, floats, assertions)
    own = [Sum() for _ in segments]
    for hole in counter.holes:
        for index, at in counter.along[hole].items():
            first = every((at.forced, no(at.forced_before), no(at.joined_left)))
            own[index] += count((first,))
    for part in counter.parts:
        for index, flag in counter.first_of_part(part).items():
            own[index] += count((flag,))
    return own


class _Counter:
    def __init__(
        self,
        question: Question,
        segments: tuple[Segment, ...],
        parts: list[Part],
        floats: tuple[Float, ...],
        assertions: list[Assertion],
    ) -> None:
        self.segments = segments
        self.parts = parts
        self._floats = floats
        self._assertions = assertions
        self._named = 0
        self._run_starts = {run.start for run in question.free}
        self._run_ends = {run.end for run in question.free}
        whole = Range(segments[0].window.start, segments[-1].window.end)
        # A float is no hole of a known place: it joins a region on its left with one on its right.
        solid = question.memory_set | RangeSet(
            Range(f.low * PAGE, (f.low + f.length) * PAGE) for f in floats
        )
        self.holes = solid.complement(whole).runs
        self._outside = {hole: question.cmr_runs.complement(hole) for hole in self.holes}
        self.along = {hole: self._walk(hole) for hole in self.holes}
        self._ending = [self._ending_in(segment) for segment in segments]

    def _ending_in(self, segment: Segment) -> list[Range]:
        """Holes right before a page of `segment` at which a PAMT could begin."""
        window = segment.window
        lowest = window.start if segment.at else window.start + 1
        return [
            hole
            for hole in self.holes
            if lowest <= hole.end < window.end and hole.end in self._run_starts
        ]

    def _name(self, formula: Formula) -> Formula:
        """A flag that stands for a formula which is used more than once."""
        if isinstance(formula, (Const, Flag)):
            return formula
        flag = Flag(f"min:{self._named}")
        self._named += 1
        self._assertions.append(Assertion(DEFINITION, same(flag, formula)))
        return flag

    def _walk(self, hole: Range) -> dict[int, _HoleAt]:
        """The hole from segment to segment, low to high."""
        outside = self._outside[hole]
        found: dict[int, _HoleAt] = {}
        for index, segment in enumerate(self.segments):
            following = self.segments[index + 1] if index + 1 < len(self.segments) else None
            reach = following.window.start if following else segment.window.end
            seen = hole.clip(Range(segment.window.start, reach))
            if seen.is_empty and hole.start != segment.window.end:
                continue
            inside = constant(outside.overlaps(hole.clip(segment.window)))
            bridge: Formula = FALSE
            if following is not None:
                gap = Range(segment.window.end, following.window.start)
                if not gap.is_empty and outside.overlaps(hole.clip(gap)):
                    bridge = no(following.start)
            before = found.get(index - 1)
            if before is None:
                earlier: Formula = FALSE
                joined: Formula = FALSE
                if hole.start > segment.window.start and hole.start in self._run_ends:
                    page = hole.start // PAGE
                    joined = self._name(
                        some(every((p.live, p.end.equals(page))) for p in self.parts)
                    )
            else:
                goes_on = no(segment.start)
                earlier = every((goes_on, some((before.forced, before.forced_before))))
                joined = every((goes_on, before.joined_left))
            found[index] = _HoleAt(
                inside, some((inside, bridge)), self._name(earlier), self._name(joined)
            )
        return found

    def first_of_part(self, part: Part) -> dict[int, Formula]:
        """For each segment a region meets: it is the first forced element of a stretch there."""
        over: list[Formula] = []
        for segment in self.segments:
            window = segment.window
            meets = every(
                (
                    part.live,
                    part.base.below(window.end // PAGE),
                    part.end.at_least(window.start // PAGE + 1),
                )
            )
            over.append(self._name(meets))
        touched = self._name(
            some(
                every((other.live, other.end.equals(part.base)))
                for other in self.parts
                if other is not part
            )
        )
        for gone in self._floats:
            behind = gone.end.equals(part.base)
            before = some(every((p.live, p.end.equals(gone.base))) for p in self.parts)
            touched = self._name(some((touched, every((behind, before)))))
        found: dict[int, Formula] = {}
        for index, segment in enumerate(self.segments):
            low = self.segments[index - 1] if index else None
            adjacent = low is not None and low.window.end == segment.window.start
            crosses = over[index - 1] if adjacent else FALSE
            begins = every((no(crosses), no(self._joined(part, index, touched))))
            first = some((every((crosses, segment.start)), begins))
            found[index] = every((over[index], first))
        return found

    def _joined(self, part: Part, index: int, touched: Formula) -> Formula:
        """A region that begins in this segment goes on a stretch that is forced further left."""
        segment = self.segments[index]
        edge = segment.window.start // PAGE
        # Across the segment's lower edge a stretch goes on only inside one TDMR.
        within = some((part.base.at_least(edge + 1), no(segment.start)))
        joined = [every((touched, within))]
        for hole in self._ending[index]:
            if segment.window.start < hole.end < segment.window.end:
                at = self.along[hole][index]
                forced: Formula = some((at.forced_inside, at.forced_before, at.joined_left))
            else:
                at = self.along[hole][index - 1]
                forced = every(
                    (no(segment.start), some((at.forced, at.forced_before, at.joined_left)))
                )
            joined.append(every((part.base.equals(hole.end // PAGE), forced)))
        return some(joined)
