"""What is left to place, and where: the engine's view of a question while it searches.

A *piece* is a TDMR's chunk, or, where chunks may be split, one of its three regions.  All sizes and
addresses count 4 KiB pages.  A problem is never changed; :meth:`Problem.fix` makes the one in which
a piece has been placed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from pamt.certificate.relaxation import CHUNK, Chain, Piece, Relaxation

__all__ = ["Group", "Limits", "Piece", "Problem", "Spot", "pose_problem"]

Group = tuple[int, int]
"""(node, TDMR): where stretches of free runs lie."""


class Spot(NamedTuple):
    """A stretch of free pages inside one TDMR."""

    start: int
    pages: int


class Limits(NamedTuple):
    """No configuration above these is looked for; None: any."""

    remote: int | None = None
    max_areas: int | None = None
    areas: int | None = None

    def as_claim(self) -> dict[str, int]:
        return {name: value for name, value in self._asdict().items() if value is not None}


@dataclass(frozen=True)
class Problem:
    chunks: tuple[Piece, ...]
    """Of TDMRs of which nothing is placed yet; ascending."""
    room: tuple[int, ...]
    """Per TDMR: how many more chunks may overlap it."""
    spots: Mapping[Group, tuple[Spot, ...]]
    """Stretches of runs that lie in one TDMR; ascending."""
    chains: tuple[Chain, ...]
    """Runs across TDMR borders; ascending."""
    weights: Mapping[tuple[int, int], int]
    remote: int | None
    """What may still be spent; None: any."""
    overlaps: int | None
    """Pairs of piece and TDMR that it overlaps, still allowed; None: any."""
    regions: Mapping[int, tuple[Piece, ...]] = field(default_factory=dict)
    """Of each TDMR whose chunk may be split: its three regions; of others none."""
    loose: tuple[Piece, ...] = ()
    """Regions still to be placed of TDMRs whose chunk has been split; ascending."""

    @cached_property
    def waiting(self) -> tuple[Piece, ...]:
        """All that has to be placed: at least so many pieces."""
        return tuple(sorted((*self.chunks, *self.loose)))

    @property
    def overfull(self) -> bool:
        """Whether more pieces overlap some TDMR than it has room for."""
        return min(self.room, default=0) < 0

    @property
    def short(self) -> bool:
        """Whether fewer areas are left in all than there are pieces to be placed."""
        return self.overlaps is not None and self.overlaps < len(self.waiting)

    def cost(self, piece: Piece, node: int) -> int:
        return piece.pages * self.weights[piece.home, node]

    def least_cost(self, piece: Piece) -> int:
        """Cost on the cheapest node with free runs."""
        return piece.pages * self._cheapest.get(piece.home, 0)

    @cached_property
    def _cheapest(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for (home, _), weight in self.weights.items():
            found[home] = min(weight, found.get(home, weight))
        return found

    def fix(self, piece: Piece, node: int, start: int) -> Problem:
        """The problem left when `piece` lies at page `start`, in a stretch or chain of `node`.

        Raises ValueError where no free run of that node holds it.
        """
        end = start + piece.pages
        spots = dict(self.spots)
        chains = list(self.chains)
        over: list[int] = []
        for key, group in self.spots.items():
            if key[0] != node or over:
                continue
            for at, spot in enumerate(group):
                if spot.start <= start and end <= spot.start + spot.pages:
                    pieces = [
                        Spot(low, high - low)
                        for low, high in ((spot.start, start), (end, spot.start + spot.pages))
                        if low < high
                    ]
                    spots[key] = (*group[:at], *pieces, *group[at + 1 :])
                    over = [key[1]]
                    break
                if spot.start > start:
                    break
        if not over:
            for at, chain in enumerate(self.chains):
                if chain.node == node and chain.start <= start and end <= chain.start + chain.pages:
                    over = _cut(chains, at, start, end, spots)
                    break
        if not over:
            raise ValueError(f"no free run of node {node} holds {piece} at {start:#x}")
        room = list(self.room)
        for tdmr in over:
            room[tdmr] -= 1
        others = self.loose
        if piece.level != CHUNK and any(c.tdmr == piece.tdmr for c in self.chunks):
            others = tuple(sorted((*others, *self.regions[piece.tdmr])))
        return replace(
            self,
            chunks=tuple(c for c in self.chunks if c.tdmr != piece.tdmr),
            loose=tuple(p for p in others if p != piece),
            room=tuple(room),
            spots=spots,
            chains=tuple(chains),
            remote=None if self.remote is None else self.remote - self.cost(piece, node),
            overlaps=None if self.overlaps is None else self.overlaps - len(over),
        )


def _cut(
    chains: list[Chain],
    at: int,
    start: int,
    end: int,
    spots: dict[Group, tuple[Spot, ...]],
) -> list[int]:
    """Take [start, end) out of a chain; the TDMRs it overlaps."""
    chain = chains.pop(at)
    over: list[int] = []
    sides: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    low = chain.start
    for tdmr, pages in chain.stretches:
        high = low + pages
        if start < high and low < end:
            over.append(tdmr)
        before, after = min(high, start) - low, high - max(low, end)
        if before > 0:
            sides[0].append((tdmr, before))
        if after > 0:
            sides[1].append((tdmr, after))
        low = high
    for first, stretches in ((chain.start, sides[0]), (end, sides[1])):
        if len(stretches) == 1:
            key = (chain.node, stretches[0][0])
            spots[key] = tuple(sorted((*spots.get(key, ()), Spot(first, stretches[0][1]))))
        elif stretches:
            chains.append(Chain(first, chain.node, tuple(stretches)))
    chains.sort()
    return over


def pose_problem(facts: Relaxation, limits: Limits) -> Problem:
    """All chunks to be placed, whole or, where the space allows it, split; within `limits`."""
    chunks = tuple(piece for piece in facts.pieces if piece.level == CHUNK)
    regions: dict[int, tuple[Piece, ...]] = {}
    if facts.split:
        for piece in facts.pieces:
            if piece.level != CHUNK:
                regions[piece.tdmr] = (*regions.get(piece.tdmr, ()), piece)
    least = min((piece.pages for piece in facts.pieces), default=0)
    cap = facts.limit if limits.max_areas is None else min(facts.limit, limits.max_areas)
    return Problem(
        chunks,
        tuple(cap - holes for holes in facts.holes),
        {
            key: tuple(Spot(start, pages) for start, pages in runs if pages >= least)
            for key, runs in sorted(facts.runs.items())
        },
        facts.chains,
        facts.weights,
        limits.remote,
        None if limits.areas is None else limits.areas - sum(facts.holes),
        regions,
    )
