"""What the steps of a certificate speak of, rebuilt from the machine: pieces, room, free runs.

For the kernel's TDMRs and the hole rules ``memory`` and ``cmr``.  All sizes and addresses count
4 KiB pages.

* A *piece* is what must lie in one free run: the chunk of a TDMR, or one of its three regions.
* The *room* of a TDMR is the number of pieces that may overlap it: the limit less its holes.
* A free run is cut into *stretches* where TDMRs begin.  Every page of a run is in some TDMR, so a
  piece overlaps one TDMR or more, and takes an area in each.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import NamedTuple

from pamt.configuration import LEVELS
from pamt.placement import Question
from pamt.ranges import PAGE

__all__ = ["CHUNK", "Chain", "Piece", "Relaxation", "relax"]

CHUNK = "chunk"


class Piece(NamedTuple):
    tdmr: int
    level: str
    """``chunk``, or ``4k``, ``2m``, ``1g``."""
    pages: int
    home: int


class Chain(NamedTuple):
    """A free run: its first page, node, and (TDMR, pages) of each stretch."""

    start: int
    node: int
    stretches: tuple[tuple[int, int], ...]

    @property
    def pages(self) -> int:
        return sum(pages for _, pages in self.stretches)


@dataclass(frozen=True)
class Relaxation:
    """The facts of one question; made by :func:`relax`."""

    pieces: tuple[Piece, ...]
    """Per TDMR in order: the chunk; where pieces may be split, the three regions after it."""
    split: bool
    holes: tuple[int, ...]
    """Areas that a TDMR has without any PAMT."""
    limit: int
    runs: dict[tuple[int, int], list[tuple[int, int]]]
    """(node, TDMR): the free runs inside one TDMR, as (first page, pages); ascending."""
    chains: tuple[Chain, ...]
    """Free runs that reach across a TDMR border; ascending."""
    weights: dict[tuple[int, int], int]
    """(home, node): cost of one page."""
    rest: int = 0
    """The least that pieces cost which have been left out."""

    @property
    def tdmrs(self) -> int:
        return len(self.holes)

    @cached_property
    def unit(self) -> int:
        """Every `remote` is a multiple of this; 0 when nothing costs anything."""
        nodes = sorted({node for _, node in self.weights})
        return gcd(*(self.cost(piece, node) for piece in self.pieces for node in nodes), 0)

    def cost(self, piece: Piece, node: int) -> int:
        return piece.pages * self.weights[piece.home, node]

    def largest(self) -> Relaxation:
        """With the largest piece of each TDMR alone, as CHUNK: its chunk if that stays whole.

        Else its 4K region, which lies somewhere, alone or in the chunk.
        """
        if not self.split:
            return self
        kept = tuple(p._replace(level=CHUNK) for p in self.pieces if p.level == LEVELS[0])
        nodes = {node for _, node in self.weights}
        rest = sum(
            min((self.cost(piece, node) for node in nodes), default=0)
            for piece in self.pieces
            if piece.level in LEVELS[1:]
        )
        return replace(self, pieces=kept, split=False, rest=rest)


def relax(question: Question, *, largest: bool = False) -> Relaxation:
    """The facts of a question with the kernel's TDMRs and a rule other than ``minimal``.

    `largest`: with the largest pieces alone (:meth:`Relaxation.largest`); also for ``minimal``,
    with room for all pieces everywhere, since there they may share areas.

    Raises ValueError for any other question, and for one that has a trivial cause.
    """
    facts = question.tdmrs
    minimal = question.space.reserve == "minimal"
    if facts is None or (minimal and not largest) or question.trivial is not None:
        raise ValueError("this question has no such relaxation")
    split = question.space.pamt == "split"
    pieces: list[Piece] = []
    for index, fact in enumerate(facts):
        pieces.append(Piece(index, CHUNK, fact.pages, fact.home))
        if split:
            for level, size in zip(LEVELS, fact.sizes, strict=True):
                pieces.append(Piece(index, level, size // PAGE, fact.home))
    starts = [fact.range.start for fact in facts]
    runs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    chains: list[Chain] = []
    for start, end, node in question.free:
        first = bisect_right(starts, start) - 1
        if end <= facts[first].range.end:
            pair = (start // PAGE, (end - start) // PAGE)
            runs.setdefault((node, first), []).append(pair)
            continue
        stretches: list[tuple[int, int]] = []
        at = start
        for index in range(first, len(facts)):
            if at >= end:
                break
            stop = min(end, facts[index].range.end)
            stretches.append((index, (stop - at) // PAGE))
            at = stop
        chains.append(Chain(start // PAGE, node, tuple(stretches)))
    homes = {fact.home for fact in facts}
    nodes = {run.node for run in question.free}
    made = Relaxation(
        tuple(pieces),
        split,
        tuple(len(fact.holes) for fact in facts),
        len(facts) if minimal else question.limits.max_reserved_per_tdmr,
        runs,
        tuple(chains),
        _weights(question, homes, nodes),
    )
    return made.largest() if largest else made


def _weights(
    question: Question, homes: Iterable[int], nodes: Iterable[int]
) -> dict[tuple[int, int], int]:
    among = sorted(nodes)
    return {(home, node): question.weight(home, node) for home in sorted(homes) for node in among}
