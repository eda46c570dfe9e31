"""From columns to addresses, and greedy completion of what they leave over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pamt.certificate.relaxation import CHUNK
from pamt.solve.engine.master import Use
from pamt.solve.engine.problem import Group, Piece, Problem, Spot
from pamt.solve.engine.view import LARGE, Bin, View

__all__ = ["Lie", "Packing", "pack"]


class Lie(NamedTuple):
    """Where a piece lies: node, first page, and the TDMRs it overlaps."""

    node: int
    start: int
    over: tuple[int, ...]


Packing = dict[Piece, Lie]
"""Of each TDMR its chunk, or its three regions."""

ORDERS = ("fit", "room")
"""Which place greedy takes among equally near ones: the tightest, or the TDMR with most room."""


def pack(
    view: View,
    uses: Sequence[tuple[Use, int]] = (),
    hints: Mapping[Piece, Group] | None = None,
    order: str = "fit",
) -> Packing | None:
    """Place what `uses` say, each so many times, and the rest greedily; None if that fails.

    Whatever comes out keeps every limit of the problem.
    """
    packer = _Packer(view, uses)
    for use, times in uses:
        for _ in range(times):
            if not packer.apply(use):
                return None
    if not packer.settle() or not packer.rest(hints or {}, order):
        return None
    return packer.done if _within(view.problem, packer.done) else None


def _within(problem: Problem, packing: Packing) -> bool:
    cost = sum(problem.cost(piece, lie.node) for piece, lie in packing.items())
    overlaps = sum(len(lie.over) for lie in packing.values())
    if problem.remote is not None and cost > problem.remote:
        return False
    return problem.overlaps is None or overlaps <= problem.overlaps


class _Stock:
    """What has not been placed: whole chunks, and regions of those that have been split."""

    def __init__(self, view: View, uses: Sequence[tuple[Use, int]]) -> None:
        self._regions = view.problem.regions
        self._kinds = [each.kind for each in view.classes]
        self._whole: dict[tuple[int, int], list[Piece]] = {}
        """By pages and home: untouched chunks; the last is handed out first."""
        self._kept: dict[tuple[int, int], int] = {}
        """How many of them `uses` place whole, so that regions in excess split none of these."""
        self._parts: dict[tuple[int, int, str], list[Piece]] = {}
        """By pages and home of the chunk: regions of chunks that were split on the way."""
        self._loose: dict[int, list[Piece]] = {}
        for at, each in enumerate(view.classes):
            if each.kind.level == CHUNK:
                self._whole[each.pages, each.home] = list(reversed(each.members))
            elif each.kind.loose:
                self._loose[at] = list(reversed(each.members))
        for use, times in uses if self._regions else ():
            for begun in use.begun:
                kind = self._kinds[begun.kind]
                if kind.level == CHUNK:
                    key = (kind.pages, kind.home)
                    self._kept[key] = self._kept.get(key, 0) + times * begun.number

    def take(self, index: int) -> Piece | None:
        """One piece of a class, to be placed now; None where none is left."""
        kind = self._kinds[index]
        if kind.loose:
            return self._loose[index].pop() if self._loose[index] else None
        key = (kind.whole, kind.home)
        whole, kept = self._whole[key], self._kept.get(key, 0)
        if kind.level == CHUNK:
            self._kept[key] = kept - 1
            return whole.pop() if whole else None
        parts = self._parts.get((*key, kind.level))
        if parts:
            return parts.pop()
        return self.split(whole.pop(0), kind.level) if len(whole) > kept else None

    def split(self, chunk: Piece, level: str) -> Piece:
        """The region of an untouched chunk, which is out of stock; the others are to follow."""
        wanted = chunk
        for region in self._regions[chunk.tdmr]:
            if region.level == level:
                wanted = region
            else:
                key = (chunk.pages, chunk.home, region.level)
                self._parts.setdefault(key, []).append(region)
        return wanted

    def rest(self) -> list[Piece]:
        """All that is left, largest first."""
        left = [piece for pieces in self._whole.values() for piece in pieces]
        left += [piece for pieces in self._parts.values() for piece in pieces]
        left += [piece for pieces in self._loose.values() for piece in pieces]
        return sorted(left, key=lambda piece: (-piece.pages, piece.tdmr))


class _Place(NamedTuple):
    score: tuple[int, ...]
    cost: int
    group: Group
    spot: Spot | None
    """None: somewhere in an open group."""


class _Packer:
    def __init__(self, view: View, uses: Sequence[tuple[Use, int]]) -> None:
        self.done: Packing = {}
        self._view = view
        self._room = list(view.problem.room)
        self._stock = _Stock(view, uses)
        self._used: dict[Spot, int] = {}
        self._open = {group: spot.start for group, spot in view.open.items()}
        self._sets: dict[Group, list[list[Piece]]] = {}
        self._uses: dict[int, int] = {}
        """How often each bin was used."""

    def _put(self, piece: Piece, node: int, start: int, over: tuple[int, ...]) -> bool:
        for tdmr in over:
            self._room[tdmr] -= 1
            if self._room[tdmr] < 0:
                return False
        self.done[piece] = Lie(node, start, over)
        return True

    def apply(self, use: Use) -> bool:
        """Pieces of a class that has no more left are left out: sets are closed downwards.

        So is a set for a bin that is used up: rounding up may ask for two sets in one chain.
        """
        if use.bin is None:
            (begun,) = use.begun
            piece = self._stock.take(begun.kind)
            return piece is None or self._put_open(piece, (begun.node, begun.tdmrs[0]))
        which = self._view.bins[use.bin]
        self._uses[use.bin] = self._uses.get(use.bin, 0) + 1
        if self._uses[use.bin] > which.number:
            return True
        if which.chain is not None:
            return self._fill_chain(which, use)
        pieces: list[Piece] = []
        for begun in use.begun:
            for _ in range(begun.number):
                piece = self._stock.take(begun.kind)
                if piece is not None:
                    pieces.append(piece)
        if which.spot is not None:
            return self._fill(pieces, (which.node, which.tdmr), which.spot)
        self._sets.setdefault((which.node, which.tdmr), []).append(pieces)
        return True

    def _put_open(self, piece: Piece, group: Group) -> bool:
        if group not in self._open:
            # Open to small pieces: one of its stretches has room.
            for spot in self._view.open_to_small[group]:
                if self._used.get(spot, 0) + piece.pages <= spot.pages:
                    return self._fill([piece], group, spot)
            return False
        start = self._open[group]
        self._open[group] += piece.pages
        return self._put(piece, group[0], start, (group[1],))

    def _fill(self, pieces: Sequence[Piece], group: Group, spot: Spot) -> bool:
        for piece in pieces:
            used = self._used.get(spot, 0)
            if used + piece.pages > spot.pages:
                return False
            self._used[spot] = used + piece.pages
            if not self._put(piece, group[0], spot.start + used, (group[1],)):
                return False
        return True

    def _fill_chain(self, which: Bin, use: Use) -> bool:
        chain = which.chain
        assert chain is not None
        at = chain.start
        bounds = {}
        low = chain.start
        for tdmr, pages in chain.stretches:
            bounds[tdmr] = (low, low + pages)
            low += pages
        for begun in use.begun:
            for _ in range(begun.number):
                piece = self._stock.take(begun.kind)
                if piece is None:
                    continue
                low, high = bounds[begun.tdmrs[0]]
                at = max(at, low)
                if len(begun.tdmrs) > 1:
                    at = max(at, high - piece.pages + 1)
                over = tuple(
                    tdmr for tdmr, (a, b) in bounds.items() if a < at + piece.pages and at < b
                )
                if at + piece.pages > chain.start + chain.pages:
                    return False
                if not self._put(piece, chain.node, at, over):
                    return False
                at += piece.pages
        return True

    def settle(self) -> bool:
        """Give the sets of each group its stretches, the largest to the longest."""
        for group, sets in self._sets.items():
            spots = self._view.spots.get(group, ())
            wanted = [pieces for pieces in sets if pieces]
            wanted.sort(key=lambda pieces: -sum(piece.pages for piece in pieces))
            if len(wanted) > len(spots):
                return False
            for pieces, spot in zip(wanted, spots, strict=False):
                if not self._fill(pieces, group, spot):
                    return False
        return True

    def rest(self, hints: Mapping[Piece, Group], order: str) -> bool:
        """Place what is left, largest first, near home first."""
        named = [((b.node, b.tdmr), b.spot) for b in self._view.bins if b.spot is not None]
        closed = [(group, spot) for group, spots in self._view.spots.items() for spot in spots]
        short = [(g, spot) for g, spots in self._view.open_to_small.items() for spot in spots]
        closed = sorted(closed + named)
        every = sorted(closed + short)
        regions = self._view.problem.regions
        waiting = self._stock.rest()
        while waiting:
            piece = waiting.pop(0)
            spots = closed if piece.level in LARGE else every
            best = self._best(piece, spots, hints, order)
            parts = regions.get(piece.tdmr, ()) if piece.level == CHUNK else ()
            if parts and (best is None or best.cost or (hints and piece not in hints)):
                # Split, where the largest region alone comes nearer.
                one = max(parts, key=lambda part: part.pages)
                alone = self._best(one, closed, hints, order)
                least = self._view.problem.least_cost
                dear = best is None or best.cost - least(piece) > (
                    alone.cost - least(one) if alone else best.cost
                )
                if alone is not None and (dear or (one in hints and piece not in hints)):
                    piece, best = one, alone
                    waiting += sorted(
                        (part for part in parts if part != one), key=lambda part: -part.pages
                    )
            if best is None:
                return False
            if best.spot is None:
                if not self._put_open(piece, best.group):
                    return False
            elif not self._fill([piece], best.group, best.spot):
                return False
        return True

    def _best(
        self,
        piece: Piece,
        spots: Sequence[tuple[Group, Spot]],
        hints: Mapping[Piece, Group],
        order: str,
    ) -> _Place | None:
        """The best place for a piece, as things are."""
        best: tuple[tuple[int, ...], Group, Spot | None] | None = None
        hint = hints.get(piece)
        for group in self._open:
            if self._room[group[1]] > 0:
                score = self._score(piece, group, 0, hint, order)
                if best is None or score < best[0]:
                    best = (score, group, None)
        for group, spot in spots:
            left = spot.pages - self._used.get(spot, 0) - piece.pages
            if left >= 0 and self._room[group[1]] > 0:
                score = self._score(piece, group, left, hint, order)
                if best is None or score < best[0]:
                    best = (score, group, spot)
        if best is None:
            return None
        return _Place(best[0], best[0][1], best[1], best[2])

    def _score(
        self, piece: Piece, group: Group, left: int, hint: Group | None, order: str
    ) -> tuple[int, ...]:
        cost = self._view.problem.cost(piece, group[0])
        room = -self._room[group[1]]
        tie = (left, room) if order == "fit" else (room, left)
        return (int(hint is not None and group != hint), cost, *tie, *group)
