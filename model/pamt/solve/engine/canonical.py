"""The canonical optimum: the lowest base for the first TDMR's chunk, then for the next, ...

Candidates are left-justified: where a free stretch starts, or, for a chunk that crosses a TDMR
border, right behind some of the later chunks.  Moving a chunk down to the next such place never
costs anything, so the lowest feasible base is one of them.
"""

from __future__ import annotations

from pamt.solve.engine.branch import Budget, Decision, decide
from pamt.solve.engine.master import Relaxed
from pamt.solve.engine.pack import Packing, pack
from pamt.solve.engine.problem import Chunk, Problem
from pamt.solve.engine.view import View, largest_sum, look, subset_sums

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
    known = dict(packing)
    ideas = _Ideas(relaxed)
    for chunk in problem.chunks:
        lie = known[chunk]
        chosen = (lie.start, lie.node)
        for start, node in _candidates(problem, look(problem), chunk, lie.start):
            left = problem.fix(chunk, node, start)
            found = _complete(left, known, budget, ideas)
            if found is not None:
                known = found
                chosen = (start, node)
                break
        start, node = chosen
        left = problem.fix(chunk, node, start)
        rooms = enumerate(zip(problem.room, left.room, strict=True))
        over = tuple(tdmr for tdmr, (before, after) in rooms if before != after)
        done[chunk] = lie._replace(node=node, start=start, over=over)
        if chosen == (lie.start, lie.node):
            known = {c: known[c] for c in left.chunks}
        problem = left
    return done


class _Ideas:
    """What earlier relaxations leave behind: where to begin, and multipliers that refuted."""

    def __init__(self, relaxed: Relaxed | None) -> None:
        self.relaxed = relaxed
        self.refuting: list[Relaxed] = []

    def learn(self, decision: Decision) -> None:
        self.relaxed = decision.relaxed or self.relaxed
        if decision.refuted is not None:
            self.refuting = [decision.refuted, *self.refuting[: REMEMBERED - 1]]


def _complete(problem: Problem, known: Packing, budget: Budget, ideas: _Ideas) -> Packing | None:
    """A packing of what is left, near the one that is known; None if there is none."""
    if min(problem.room, default=0) < 0 or (problem.overlaps or 0) < 0:
        return None
    view = look(problem)
    for refuting in ideas.refuting:
        if refuting.excludes(view):
            return None
    hints = {c: (known[c].node, known[c].over[0]) for c in problem.chunks}
    for order in ("fit", "room"):
        found = pack(view, hints=hints, order=order)
        if found is not None:
            return found
    decision = decide(problem, budget, known=ideas.relaxed)
    ideas.learn(decision)
    return decision.packing


def _candidates(problem: Problem, view: View, chunk: Chunk, below: int) -> list[tuple[int, int]]:
    """First pages and nodes, ascending; of places that are alike only the lowest."""
    others = [c for c in problem.chunks if c != chunk]
    sums = subset_sums([c.pages for c in problem.chunks])
    rest = subset_sums([c.pages for c in others])
    affordable = _affordable(problem, chunk, others)
    found: list[tuple[int, int]] = []
    for group, spots in problem.spots.items():
        node, tdmr = group
        if node not in affordable or problem.room[tdmr] <= 0:
            continue
        seen: set[tuple[int, int]] = set()
        for spot in spots:
            if spot.start >= below:
                break
            if spot.pages < chunk.pages:
                continue
            if group in view.open:
                found.append((spot.start, node))
                break
            alike = (largest_sum(sums, spot.pages), largest_sum(rest, spot.pages - chunk.pages))
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
                # Behind later chunks that fill the stretch from its start, across the border.
                low = max(0, border - chunk.pages + 1 - at)
                starts |= {at + s for s in _sums_between(rest, low, pages)}
            found += [(s, chain.node) for s in starts if s < below and s + chunk.pages <= stop]
            at = border
    return sorted(found)


def _sums_between(sums: int, low: int, high: int) -> list[int]:
    """Sums s with low <= s < high, ascending."""
    window = (sums >> low) & ((1 << max(0, high - low)) - 1)
    found: list[int] = []
    while window:
        lowest = (window & -window).bit_length() - 1
        found.append(low + lowest)
        window &= window - 1
    return found


def _affordable(problem: Problem, chunk: Chunk, others: list[Chunk]) -> set[int]:
    """Nodes on which the chunk leaves enough of `remote` for the cheapest places of the others."""
    nodes = sorted({node for node, _ in problem.spots} | {c.node for c in problem.chains})
    if problem.remote is None:
        return set(nodes)
    least = sum(min(problem.cost(c, node) for node in nodes) for c in others)
    return {node for node in nodes if problem.cost(chunk, node) + least <= problem.remote}
