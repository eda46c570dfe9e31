"""The canonical optimum: the lowest 4K base for the first TDMR, then its lowest 2M base, ...

Candidates are left-justified: where a free stretch starts, or, for a piece that crosses a TDMR
border, right behind some of the later pieces.  Moving a piece down to the next such place never
costs anything, so the lowest feasible base is one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pamt.solve.engine.branch import Budget, Decision, decide
from pamt.solve.engine.master import Relaxed
from pamt.solve.engine.pack import Lie, Packing, pack
from pamt.solve.engine.problem import Piece, Problem
from pamt.solve.engine.view import LARGE, largest_sum, look, subset_sums

__all__ = ["canonical_packing"]

REMEMBERED = 6
"""Multipliers that are tried before a relaxation is solved anew."""


def canonical_packing(
    problem: Problem, packing: Packing, budget: Budget, relaxed: Relaxed | None = None
) -> Packing:
    """The canonical packing within the limits of `problem`, from any one within them.

    Raises OutOfNodes.
    """
    done: Packing = {}
    left = _Fixed({}, problem, dict(packing))
    ideas = _Ideas(relaxed, budget)
    for chunk in problem.chunks:
        split = bool(problem.regions.get(chunk.tdmr))
        found = _three_bases(left, chunk, ideas) if split else _whole(left, chunk, ideas)
        done.update(found.lies)
        left = found._replace(lies={})
    return done


class _Ideas:
    """What earlier relaxations leave behind: where to begin, and multipliers that refuted."""

    def __init__(self, relaxed: Relaxed | None, budget: Budget) -> None:
        self.relaxed = relaxed
        self.budget = budget
        self.refuting: list[Relaxed] = []

    def learn(self, decision: Decision) -> None:
        self.relaxed = decision.relaxed or self.relaxed
        if decision.refuted is not None:
            self.refuting = [decision.refuted, *self.refuting[: REMEMBERED - 1]]


class _Fixed(NamedTuple):
    """Some pieces have their places: what is left, and one way to place that."""

    lies: Packing
    left: Problem
    known: Packing

    def at(self, piece: Piece, node: int, start: int) -> _Fixed:
        """`piece` at page `start` as well; what is known of the others may no longer fit."""
        left = self.left.fix(piece, node, start)
        rooms = enumerate(zip(self.left.room, left.room, strict=True))
        over = tuple(tdmr for tdmr, (before, after) in rooms if before != after)
        known = {p: lie for p, lie in self.known.items() if p != piece}
        return _Fixed({**self.lies, piece: Lie(node, start, over)}, left, known)

    def as_known(self, *pieces: Piece) -> _Fixed:
        """These pieces where they are known to fit."""
        found = self
        for piece in pieces:
            found = found.at(piece, found.known[piece].node, found.known[piece].start)
        return found

    def if_possible(self, piece: Piece, node: int, start: int, ideas: _Ideas) -> _Fixed | None:
        """`piece` at page `start` as well; None if it, or the others then, can't be placed."""
        try:
            fixed = self.at(piece, node, start)
        except ValueError:
            return None
        rest = _complete(fixed.left, fixed.known, ideas)
        return None if rest is None else fixed._replace(known=rest)


def _whole(begin: _Fixed, chunk: Piece, ideas: _Ideas) -> _Fixed:
    """A chunk that stays whole, at its lowest place."""
    for start, node in _candidates(begin.left, chunk, begin.known[chunk].start):
        found = begin.if_possible(chunk, node, start, ideas)
        if found is not None:
            return found
    return begin.as_known(chunk)


def _three_bases(begin: _Fixed, chunk: Piece, ideas: _Ideas) -> _Fixed:
    """A chunk, whole or split: the lowest 4K base, then the lowest 2M base, then the 1G base."""
    regions = begin.left.regions[chunk.tdmr]
    best = begin.as_known(*((chunk,) if chunk in begin.known else regions))
    bare = begin
    """What is settled lies there, as regions; they may be parts of the chunk as well."""
    for number, region in enumerate(regions):
        below = _base(best, chunk, regions, number)
        ways = {(start, node, False) for start, node in _candidates(bare.left, region, below)}
        if number:
            # The chunk is where its 4K region is.
            lie = bare.lies[regions[0]]
            start = lie.start + sum(r.pages for r in regions[:number])
            if start < below and _in_line(bare.lies, regions[:number]):
                ways.add((start, lie.node, True))
        else:
            ways |= {(s, node, True) for s, node in _candidates(begin.left, chunk, below)}
        for start, node, whole in sorted(ways):
            if whole:
                base = start - sum(r.pages for r in regions[:number])
                found = begin.if_possible(chunk, node, base, ideas)
            else:
                found = bare.if_possible(region, node, start, ideas)
                found = found and found.as_known(*regions[number + 1 :])
            if found is not None:
                best = found
                break
        start = _base(best, chunk, regions, number)
        node = best.lies[chunk if chunk in best.lies else region].node
        bare = bare.at(region, node, start)
    return best


def _base(fixed: _Fixed, chunk: Piece, regions: Sequence[Piece], number: int) -> int:
    """First page of one of the regions."""
    if chunk in fixed.lies:
        return fixed.lies[chunk].start + sum(r.pages for r in regions[:number])
    return fixed.lies[regions[number]].start


def _in_line(lies: Packing, regions: Sequence[Piece]) -> bool:
    """Whether these regions lie one right behind the other."""
    return all(
        lies[a].start + a.pages == lies[b].start and lies[a].node == lies[b].node
        for a, b in pairwise(regions)
    )


def _complete(problem: Problem, known: Packing, ideas: _Ideas) -> Packing | None:
    """A packing of what is left, near the one that is known; None if there is none."""
    if problem.overfull or problem.short:
        return None
    view = look(problem)
    for refuting in ideas.refuting:
        if refuting.excludes(view):
            return None
    hints = {p: (lie.node, lie.over[0]) for p, lie in known.items()}
    for order in ("fit", "room"):
        found = pack(view, hints=hints, order=order)
        if found is not None:
            return found
    decision = decide(problem, ideas.budget, known=ideas.relaxed)
    ideas.learn(decision)
    return decision.packing


def _candidates(problem: Problem, piece: Piece, below: int) -> list[tuple[int, int]]:
    """First pages and nodes, ascending; of places that are alike only the lowest."""
    view = look(problem)
    others = _others(problem, piece)
    rest = subset_sums([p.pages for p in others])
    sums = rest | rest << piece.pages
    affordable = _affordable(problem, piece, others)
    found: list[tuple[int, int]] = []
    for group, spots in problem.spots.items():
        node, tdmr = group
        if node not in affordable or problem.room[tdmr] <= 0:
            continue
        seen: set[tuple[int, int]] = set()
        short = view.shortest_large if group in view.open_to_small else 0
        for spot in spots:
            if spot.start >= below:
                break
            if spot.pages < piece.pages:
                continue
            if group in view.open:
                found.append((spot.start, node))
                break
            if piece.level not in LARGE and spot.pages < short:
                # Wherever it lies there, the others have room.
                alike = (0, 0)
            else:
                alike = (largest_sum(sums, spot.pages), largest_sum(rest, spot.pages - piece.pages))
            if alike not in seen:
                seen.add(alike)
                found.append((spot.start, node))
    for chain in problem.chains:
        if chain.node not in affordable:
            continue
        stop = chain.start + chain.pages
        at = chain.start
        for index, (_, pages) in enumerate(chain.stretches):
            border = at + pages
            starts = {at}
            if index + 1 < len(chain.stretches):
                # Behind later pieces that fill the stretch from its start, across the border.
                low = max(0, border - piece.pages + 1 - at)
                starts |= {at + s for s in _sums_between(rest, low, pages)}
            found += [(s, chain.node) for s in starts if s < below and s + piece.pages <= stop]
            at = border
    return sorted(found)


def _others(problem: Problem, piece: Piece) -> list[Piece]:
    """All that is to be placed besides, as small as it may be split."""
    found = [p for p in problem.loose if p != piece]
    for chunk in problem.chunks:
        if chunk != piece:
            regions = problem.regions.get(chunk.tdmr, ())
            found += [r for r in regions if r != piece] if regions else [chunk]
    return found


def _sums_between(sums: int, low: int, high: int) -> list[int]:
    """Sums s with low <= s < high, ascending."""
    window = (sums >> low) & ((1 << max(0, high - low)) - 1)
    found: list[int] = []
    while window:
        lowest = (window & -window).bit_length() - 1
        found.append(low + lowest)
        window &= window - 1
    return found


def _affordable(problem: Problem, piece: Piece, others: list[Piece]) -> set[int]:
    """Nodes on which the piece leaves enough of `remote` for the cheapest places of the others."""
    nodes = sorted({node for node, _ in problem.spots} | {c.node for c in problem.chains})
    if problem.remote is None:
        return set(nodes)
    least = sum(min(problem.cost(p, node) for node in nodes) for p in others)
    return {node for node in nodes if problem.cost(piece, node) + least <= problem.remote}
