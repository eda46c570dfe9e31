"""Reserved areas as sums, per TDMR and in all.  See :mod:`pamt.placement.shape` for the rules.

Source: docs/design.md, section 5 (space option ``--reserve``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from pamt.placement import Question
from pamt.ranges import PAGE
from pamt.smt.floats import Float
from pamt.smt.labels import DEFINITION, Assertion, Group
from pamt.smt.minimal import count_minimal
from pamt.smt.pieces import Piece, Slot
from pamt.smt.segments import Segment
from pamt.smt.terms import (
    FALSE,
    TRUE,
    Flag,
    Formula,
    Int,
    Sum,
    count,
    every,
    implies,
    no,
    same,
    some,
)

__all__ = ["AreaSums", "count_areas", "overlap_flags"]


class AreaSums(NamedTuple):
    """Areas of the TDMR that starts at each segment (no meaning where none starts), and of all."""

    per_tdmr: tuple[Sum, ...]
    total: Sum
    assertions: list[Assertion]


def count_areas(
    question: Question,
    segments: tuple[Segment, ...],
    slots: tuple[Slot, ...],
    floats: tuple[Float, ...] = (),
) -> AreaSums:
    """Areas under the space's rule."""
    assertions: list[Assertion] = []
    if question.space.reserve == "minimal":
        own = count_minimal(question, segments, slots, floats, assertions)
        joined = [0] * len(segments)
    else:
        own = _holes(question, segments, assertions)
        for piece in (piece for slot in slots for piece in slot.pieces):
            counted = _first_in_tdmr(segments, overlap_flags(piece, segments, assertions))
            own = [o + count((flag,)) for o, flag in zip(own, counted, strict=True)]
        joined = [segment.joined for segment in segments]
    return _summed(segments, own, joined, assertions)


def _holes(
    question: Question, segments: tuple[Segment, ...], assertions: list[Assertion]
) -> list[Sum]:
    """Holes of each segment; where the layout is fixed each is a flag with a group of its own."""
    if question.tdmrs is None:
        return [Sum(constant=segment.holes) for segment in segments]
    own: list[Sum] = []
    for segment, fact in zip(segments, question.tdmrs, strict=True):
        flags: list[Formula] = []
        for hole in fact.holes:
            flag = Flag(f"hole:{segment.at}:{hole.start:x}")
            assertions.append(Assertion(Group("hole", segment.at, where=hole), flag))
            flags.append(flag)
        own.append(count(flags))
    return own


def overlap_flags(
    piece: Piece, segments: tuple[Segment, ...], assertions: list[Assertion]
) -> list[Formula]:
    """For each segment, whether the piece is live and shares a page with it."""
    flags: list[Formula] = []
    for segment in segments:
        window = segment.window
        flag = Flag(f"over_{piece.name}:{segment.at}")
        meets = every(
            (
                piece.live,
                piece.base.below(window.end // PAGE),
                piece.end.at_least(window.start // PAGE + 1),
            )
        )
        assertions.append(Assertion(DEFINITION, same(flag, meets)))
        flags.append(flag)
    return flags


def _first_in_tdmr(segments: tuple[Segment, ...], over: list[Formula]) -> list[Formula]:
    """Of the segments a piece meets, those where it begins, or crosses into another TDMR."""
    counted = [over[0]]
    for (low, high), before, here in zip(pairwise(segments), over, over[1:], strict=False):
        goes_on = before if low.window.end == high.window.start else FALSE
        counted.append(every((here, some((high.start, no(goes_on))))))
    return counted


def _summed(
    segments: tuple[Segment, ...],
    own: list[Sum],
    joined: list[int],
    assertions: list[Assertion],
) -> AreaSums:
    fixed = all(segment.start == TRUE for segment in segments)
    if not fixed:
        # Each sum is long and is needed several times.
        named = [Int(f"own:{segment.at}") for segment in segments]
        assertions += [
            Assertion(DEFINITION, name.equals(value))
            for name, value in zip(named, own, strict=True)
        ]
        own = named
    total = sum(own, Sum())
    for segment, following in pairwise(segments):
        total += Sum((), ((joined[segment.at], no(following.start)),))
    if fixed:
        return AreaSums(tuple(own), total, assertions)
    per_tdmr = [own[-1]]
    for segment, following in reversed(list(pairwise(segments))):
        areas = Int(f"areas:{segment.at}")
        here = own[segment.at]
        more = here + per_tdmr[-1] + joined[segment.at]
        assertions += [
            Assertion(DEFINITION, implies(following.start, areas.equals(here))),
            Assertion(DEFINITION, implies(no(following.start), areas.equals(more))),
        ]
        per_tdmr.append(areas)
    return AreaSums(tuple(per_tdmr[::-1]), total, assertions)
