"""How large the encoding of a question is going to be, told before it is built.

What grows is counted as the encoding makes it: pairs of PAMT pieces that must not overlap, pieces
with every free run, with every segment, and, under ``minimal``, with every other piece and every
hole.  With free TDMRs there is a piece for every GiB that holds memory, so maps of a few hundred
GiB come to hundreds of megabytes.

    segments S (GiBs with memory, or TDMRs)     pieces P: one a segment, or three
    contiguity P x free runs      disjoint P x P / 2      areas P x S      minimal P x P + P x holes

The bytes are fitted to measurements, and right within a factor of two (a test).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from pamt.placement import Question

__all__ = ["MOST_MEMORY", "Size", "estimate"]

MOST_MEMORY = 2 << 30
"""Bytes up to which a question is encoded for z3 without being asked to."""


class Size(NamedTuple):
    """What an encoding comes to, about."""

    assertions: int
    text: int
    """Bytes of SMT-LIB."""
    memory: int
    """Bytes while z3 has it, before any search."""


def estimate(question: Question, segments: int | None = None) -> Size:
    """For a question without a trivial cause; `segments`: places where TDMRs may begin, if fewer.

    Neither encodes anything nor looks at pairs: a moment, for any map.
    """
    free_cut = question.tdmrs is None
    if segments is None:
        segments = len(question.cells) if question.tdmrs is None else len(question.tdmrs)
    three = question.space.pamt == "split"
    pieces = segments * (3 if three else 1)
    in_runs = _fitting(question, pieces)
    in_cmrs = pieces * len(question.cmr_runs)
    pairs = pieces * (pieces - 1) // 2
    over = pieces * segments
    touching = at_holes = 0
    if question.space.reserve == "minimal":
        touching = pieces * pieces
        at_holes = pieces * len(question.memory_set.runs)
    assertions = in_runs + pieces * 4 + pairs + over + segments * 6
    # Lengths are variables where the cut is free, so that every sum is longer.
    text = (
        in_runs * 190
        + in_cmrs * 110
        + pairs * (190 if three else 300)
        + over * (350 if touching else 290)
        + (touching + at_holes) * 55
        + segments * 500
    )
    memory = (
        in_runs * 3500
        + in_cmrs * 1500
        + pairs * (5000 if free_cut else 2500)
        + over * (11_000 if free_cut else 5000)
        + (touching + at_holes) * 2500
        + 30_000_000
    )
    return Size(assertions, text, memory)


def _fitting(question: Question, pieces: int) -> int:
    """Pairs of a piece and a free run that may hold it."""
    if question.tdmrs is None:
        return pieces * len(question.free)
    lengths = sorted(run.range.size for run in question.free)
    found = 0
    for fact in question.tdmrs:
        sizes = fact.sizes if question.space.pamt == "split" else (fact.sizes.total,)
        found += sum(len(lengths) - bisect_left(lengths, size) for size in sizes)
    return found
