"""From columns to addresses, and greedy completion of what they leave over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pamt.solve.engine.master import Use
from pamt.solve.engine.problem import Chunk, Group, Problem, Spot
from pamt.solve.engine.view import Bin, View

__all__ = ["Lie", "Packing", "pack"]


class Lie(NamedTuple):
    """Where a chunk lies: node, first page, and the TDMRs it overlaps."""

    node: int
    start: int
    over: tuple[int, ...]


Packing = dict[Chunk, Lie]

ORDERS = ("fit", "room")
"""Which place greedy takes among equally near ones: the tightest, or the TDMR with most room."""


def pack(
    view: View,
    uses: Sequence[tuple[Use, int]] = (),
    hints: Mapping[Chunk, Group] | None = None,
    order: str = "fit",
) -> Packing | None:
    """Place what `uses` say, each so many times, and the rest greedily; None if that fails.

    Whatever comes out keeps every limit of the problem.
    """
    packer = _Packer(view)
    for use, times in uses:
        for _ in range(times):
            if not packer.apply(use):
                return None
    if not packer.settle() or not packer.rest(hints or {}, order):
        return None
    return packer.done if _within(view.problem, packer.done) else None


def _within(problem: Problem, packing: Packing) -> bool:
    cost = sum(problem.cost(chunk, lie.node) for chunk, lie in packing.items())
    overlaps = sum(len(lie.over) for lie in packing.values())
    if problem.remote is not None and cost > problem.remote:
        return False
    return problem.overlaps is None or overlaps <= problem.overlaps


class _Packer:
    def __init__(self, view: View) -> None:
        self.done: Packing = {}
        self._view = view
        self._room = list(view.problem.room)
        self._left = [list(reversed(c.members)) for c in view.classes]
        self._used: dict[Spot, int] = {}
        self._open = {group: spot.start for group, spot in view.open.items()}
        self._sets: dict[Group, list[list[Chunk]]] = {}
        self._uses: dict[int, int] = {}
        """How often each bin was used."""

    def _take(self, index: int) -> Chunk | None:
        return self._left[index].pop() if self._left[index] else None

    def _put(self, chunk: Chunk, node: int, start: int, over: tuple[int, ...]) -> bool:
        for tdmr in over:
            self._room[tdmr] -= 1
            if self._room[tdmr] < 0:
                return False
        self.done[chunk] = Lie(node, start, over)
        return True

    def apply(self, use: Use) -> bool:
        """Chunks of a class that has no more left are left out: sets are closed downwards.

        So is a set for a bin that is used up: rounding up may ask for two sets in one chain.
        """
        if use.bin is None:
            (begun,) = use.begun
            chunk = self._take(begun.kind)
            return chunk is None or self._put_open(chunk, (begun.node, begun.tdmrs[0]))
        which = self._view.bins[use.bin]
        self._uses[use.bin] = self._uses.get(use.bin, 0) + 1
        if self._uses[use.bin] > which.number:
            return True
        if which.chain is not None:
            return self._fill_chain(which, use)
        chunks: list[Chunk] = []
        for begun in use.begun:
            for _ in range(begun.number):
                chunk = self._take(begun.kind)
                if chunk is not None:
                    chunks.append(chunk)
        if which.spot is not None:
            return self._fill(chunks, (which.node, which.tdmr), which.spot)
        self._sets.setdefault((which.node, which.tdmr), []).append(chunks)
        return True

    def _put_open(self, chunk: Chunk, group: Group) -> bool:
        start = self._open[group]
        self._open[group] += chunk.pages
        return self._put(chunk, group[0], start, (group[1],))

    def _fill(self, chunks: Sequence[Chunk], group: Group, spot: Spot) -> bool:
        for chunk in chunks:
            used = self._used.get(spot, 0)
            if used + chunk.pages > spot.pages:
                return False
            self._used[spot] = used + chunk.pages
            if not self._put(chunk, group[0], spot.start + used, (group[1],)):
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
                chunk = self._take(begun.kind)
                if chunk is None:
                    continue
                low, high = bounds[begun.tdmrs[0]]
                at = max(at, low)
                if len(begun.tdmrs) > 1:
                    at = max(at, high - chunk.pages + 1)
                over = tuple(
                    tdmr for tdmr, (a, b) in bounds.items() if a < at + chunk.pages and at < b
                )
                if at + chunk.pages > chain.start + chain.pages:
                    return False
                if not self._put(chunk, chain.node, at, over):
                    return False
                at += chunk.pages
        return True

    def settle(self) -> bool:
        """Give the sets of each group its stretches, the largest to the longest."""
        for group, sets in self._sets.items():
            spots = self._view.spots.get(group, ())
            wanted = [chunks for chunks in sets if chunks]
            wanted.sort(key=lambda chunks: -sum(chunk.pages for chunk in chunks))
            if len(wanted) > len(spots):
                return False
            for chunks, spot in zip(wanted, spots, strict=False):
                if not self._fill(chunks, group, spot):
                    return False
        return True

    def rest(self, hints: Mapping[Chunk, Group], order: str) -> bool:
        """Place what is left, largest first, near home first."""
        waiting = [chunk for left in self._left for chunk in reversed(left)]
        waiting.sort(key=lambda chunk: (-chunk.pages, chunk.tdmr))
        named = [((b.node, b.tdmr), b.spot) for b in self._view.bins if b.spot is not None]
        closed = [(group, spot) for group, spots in self._view.spots.items() for spot in spots]
        closed = sorted(closed + named)
        for chunk in waiting:
            best: tuple[tuple[int, ...], Group, Spot | None] | None = None
            hint = hints.get(chunk)
            for group in self._open:
                if self._room[group[1]] > 0:
                    score = self._score(chunk, group, 0, hint, order)
                    if best is None or score < best[0]:
                        best = (score, group, None)
            for group, spot in closed:
                left = spot.pages - self._used.get(spot, 0) - chunk.pages
                if left >= 0 and self._room[group[1]] > 0:
                    score = self._score(chunk, group, left, hint, order)
                    if best is None or score < best[0]:
                        best = (score, group, spot)
            if best is None:
                return False
            if best[2] is None:
                if not self._put_open(chunk, best[1]):
                    return False
            elif not self._fill([chunk], best[1], best[2]):
                return False
        self._left = []
        return True

    def _score(
        self, chunk: Chunk, group: Group, left: int, hint: Group | None, order: str
    ) -> tuple[int, ...]:
        cost = self._view.problem.cost(chunk, group[0])
        room = -self._room[group[1]]
        tie = (left, room) if order == "fit" else (room, left)
        return (int(hint is not None and group != hint), cost, *tie, *group)
