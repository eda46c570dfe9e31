"""From PAMT positions to a finished configuration: the only place that lists reserved areas.

Rules, per TDMR (areas ascend by offset; nothing merges that a rule lists apart):

``memory``, ``cmr``   one area per gap between memory ranges (or CMR runs) inside the TDMR, head and
                      tail included, and one per chunk, or separate PAMT region, that overlaps it
``minimal``           PAMT pages and pages outside CMR runs must be reserved, usable memory must
                      not; one area for each maximal stretch free of usable memory that holds a
                      page that must be reserved, from the first such page to the last

    TDMR      |<-------------------------------->|
    CMR           |----------------------------------
    memory            |===PPPP|   |====QQ====|           P, Q: PAMT chunks
    memory    |   0   |   | 1| 2  |    |3|   | 4 |       the gap and P touch and stay two areas
    minimal   | 0 |       | 1|         |2|               the gap is convertible: P alone is reserved

Three regions back to back in the order 4K, 2M, 1G inside one free run are a chunk.
Source: docs/design.md, section 5.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from pamt.configuration import Area, Configuration, Pamt, Tdmr
from pamt.placement.question import Question
from pamt.ranges import Range, RangeSet

__all__ = ["Reservations", "build", "canonical_key", "pieces_of"]

Pamts = tuple[Pamt, Pamt, Pamt]
"""By level: 4K, 2M, 1G."""


def is_chunk(question: Question, pamts: Pamts) -> bool:
    """Whether the three regions lie back to back, low to high 4K, 2M, 1G, in one free run."""
    p4, p2, p1 = pamts
    if p4.range.end != p2.base or p2.range.end != p1.base:
        return False
    whole = Range(p4.base, p1.range.end)
    return any(whole in runs for runs in question.free_by_node.values())


def pieces_of(question: Question, pamts: Pamts) -> tuple[Range, ...]:
    """What counts as one piece: the chunk, or the three regions (levels 4K, 2M, 1G)."""
    if is_chunk(question, pamts):
        return (Range(pamts[0].base, pamts[2].range.end),)
    return tuple(p.range for p in pamts)


class Reservations:
    """Reserved areas of every TDMR, for the PAMTs of all of them.

    `pamts`: the three regions of each TDMR.  Regions are taken to be disjoint and inside memory;
    :func:`pamt.placement.evaluate.evaluate` checks that.
    """

    def __init__(self, question: Question, pamts: Iterable[Pamts]) -> None:
        placed = list(pamts)
        self._question = question
        self._pieces = sorted(piece for p in placed for piece in pieces_of(question, p))
        self._starts = [piece.start for piece in self._pieces]
        self._longest = max((piece.size for piece in self._pieces), default=0)
        self._taken = RangeSet(region.range for p in placed for region in p)
        self._usable = question.memory_set - self._taken

    def areas(self, tdmr: Range) -> tuple[Area, ...]:
        """The reserved areas that the space's rule yields for `tdmr`; the limit is not applied."""
        if self._question.space.reserve == "minimal":
            listed = self._minimal(tdmr)
        else:
            listed = sorted((*self._question.holes(tdmr), *self._overlapping(tdmr)))
        return tuple(Area(r.start - tdmr.start, r.size) for r in listed)

    def _overlapping(self, tdmr: Range) -> list[Range]:
        low = bisect_right(self._starts, tdmr.start - self._longest)
        high = bisect_left(self._starts, tdmr.end)
        parts = (piece.clip(tdmr) for piece in self._pieces[low:high])
        return [part for part in parts if not part.is_empty]

    def _minimal(self, tdmr: Range) -> list[Range]:
        must = self._taken.within(tdmr) | self._question.cmr_runs.complement(tdmr)
        stretches = self._usable.complement(tdmr)
        spans = (must.within(stretch).span for stretch in stretches)
        return [span for span in spans if not span.is_empty]


def build(
    question: Question, tdmrs: Sequence[Range], bases: Sequence[tuple[int, int, int]]
) -> Configuration:
    """The configuration with these TDMRs and PAMT bases (levels 4K, 2M, 1G).

    Sizes are the smallest legal ones, areas what the space's rule yields.  Raises ValueError
    when the two sequences differ in length.
    """
    if len(tdmrs) != len(bases):
        raise ValueError("every TDMR needs its PAMT bases")
    pamts: list[Pamts] = []
    for tdmr, (b4, b2, b1) in zip(tdmrs, bases, strict=True):
        sizes = question.facts(tdmr).sizes
        pamts.append((Pamt(b4, sizes.level_4k), Pamt(b2, sizes.level_2m), Pamt(b1, sizes.level_1g)))
    reservations = Reservations(question, pamts)
    return Configuration(
        tuple(
            Tdmr(tdmr.start, tdmr.size, *three, reservations.areas(tdmr))
            for tdmr, three in zip(tdmrs, pamts, strict=True)
        )
    )


def canonical_key(
    configuration: Configuration, given_up: RangeSet
) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...], int, tuple[Range, ...]]:
    """Sort key among equal optima, smallest shown.

    First the cuts, (base, size) of each TDMR in order; then the PAMT bases, TDMR by TDMR, 4K, 2M,
    1G; then how much is given up, and last which pages.
    """
    return (
        tuple((t.base, t.size) for t in configuration.tdmrs),
        tuple(p.base for t in configuration.tdmrs for p in t.pamts),
        given_up.size,
        given_up.runs,
    )
