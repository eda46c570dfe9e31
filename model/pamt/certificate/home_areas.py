"""Under ``minimal``, cuts free, every PAMT at home: areas that nothing but PAMTs of a home takes.

Where the largest piece of a TDMR is longer than every run near its home that is linked to a stretch
(:mod:`pamt.certificate.linked`; here to any stretch, also one that only a bridge reserves), the
area in which it lies has no page of a stretch.  Homes are *apart* where no such area can hold PAMTs
of two of them:

    homes     | 0 0 0 0 0 0 | 1 1 1 1 1 1 |        dots: free
    memory    |..====....=..|..=====....==|        the runs at the border may be one area, so of
    pockets    <>    <-->  <-->     <-->           these two homes only one is counted

So each of some homes that are apart, with a TDMR that begins there and is too large for linked
runs, has an area more than there are stretches.  A shortest path over the cells, right to left, in
which a cell of such a home has a cost before and another after this area is *paid*, gives the
least of all components in any order of importance:

    paid(i) = least over ends j of          cost(i..j) + paid(j + 1)
    open(i) = least over small ends j of    cost(i..j) + open(j + 1)
              or over large ends j of 1 +   cost(i..j) + paid(j + 1)

Behind the last cell of a home both are ``open``.  Source: docs/design.md, section 5 (``minimal``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pamt.certificate.cut_bound import (
    NEVER,
    CutFacts,
    forced_stretches,
    remembered,
)
from pamt.certificate.linked import largest_fitting, linked_pages
from pamt.certificate.near_home import homes, near
from pamt.placement import Question
from pamt.ranges import RangeSet

__all__ = ["Block", "homes_apart", "least_of", "least_with_homes"]


class Block(NamedTuple):
    """Neighbouring cells (by index, `end` excluded) of a home that is apart from all others."""

    start: int
    end: int
    small: int
    """GiB of the longest TDMR that may share areas with stretches."""


def homes_apart(question: Question) -> tuple[Block, ...]:
    """Homes that are apart, as many as are found in the order of their cells; ascending."""
    known = remembered(question)
    if "apart" not in known:
        known["apart"] = tuple(_apart(question))
    found: tuple[Block, ...] = known["apart"]
    return found


def _apart(question: Question) -> Iterable[Block]:
    nodes = near(question)
    linked = linked_pages(question, bridged=True)
    span = question.cells[-1] - question.cells[0] + 1
    taken: list[frozenset[int]] = []
    pockets = _pockets(question)
    for start, end, home in sorted(_longest_blocks(homes(question))):
        longest = max((linked.get(node, 0) for node in nodes[home]), default=0)
        small = largest_fitting(question, longest)
        if not nodes[home] or small >= span:
            continue
        reached = frozenset().union(*(p for p in pockets if p & nodes[home]), nodes[home])
        if not any(reached & other for other in taken):
            taken.append(nodes[home])
            yield Block(start, end, small)


def _longest_blocks(by_cell: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    """For each home its longest block of neighbouring cells: start, end and home."""
    best: dict[int, tuple[int, int]] = {}
    start = 0
    for at, home in enumerate(by_cell):
        if at + 1 == len(by_cell) or by_cell[at + 1] != home:
            low, high = best.get(home, (0, 0))
            if at + 1 - start > high - low:
                best[home] = (start, at + 1)
            start = at + 1
    return [(start, end, home) for home, (start, end) in best.items()]


def _pockets(question: Question) -> set[frozenset[int]]:
    """Nodes with free pages between two neighbours of: memory in use, stretches to be reserved."""
    used = question.memory_set - question.free_set
    walls = used | RangeSet(forced_stretches(question))
    starts = [wall.start for wall in walls]
    found: dict[int, set[int]] = {}
    for run in question.free:
        # A run lies in one pocket: nothing in it is in use, or without memory.
        found.setdefault(bisect_left(starts, run.start), set()).add(run.node)
    return set(map(frozenset, found.values()))


def least_with_homes(
    question: Question, facts: CutFacts, order: Sequence[str], cap: int
) -> tuple[int, ...] | None:
    """The least of the components, compared in order, of all cuts, areas of homes added.

    `cap`: stretches in one TDMR, at most.  No gap is filled.  None: no cut is allowed.
    """
    known = remembered(question)
    facts = facts.unfilled.but(limit=cap)
    key = ("homes", facts, tuple(order))
    if key not in known:
        known[key] = least_of(facts, order, homes_apart(question))
    found: tuple[int, ...] | None = known[key]
    return found


def least_of(
    facts: CutFacts, order: Sequence[str], blocks: Sequence[Block]
) -> tuple[int, ...] | None:
    cuts = facts.cuts(order)
    cells = facts.cells
    size = len(cells)
    by_cell = {at: block for block in blocks for at in range(block.start, block.end)}
    first_open = [NEVER] * size + [0]
    behind_open = cuts.behind(first_open)
    behind_paid = behind_open
    for at in range(size - 1, -1, -1):
        reach = cuts.reach[at]
        begin = cuts.begin(at)
        block = by_cell.get(at)
        if block is None:
            least = _min(cuts.step(behind_open, at, at, reach)) + begin
        else:
            if at + 1 == block.end:
                behind_paid = list(behind_open)
            large = min(reach, bisect_left(cells, cells[at] + block.small, at))
            paid = _min(cuts.step(behind_paid, at, large, reach))
            small = _min(cuts.step(behind_open, at, at, large))
            least = min(small, paid + cuts.area) + begin
            paid = min(paid, _min(cuts.step(behind_paid, at, at, large))) + begin
            behind_paid[at] = cuts.with_holes(min(NEVER, paid), at)
        first_open[at] = min(NEVER, least)
        behind_open[at] = cuts.with_holes(first_open[at], at)
    return None if first_open[0] >= NEVER else cuts.split(first_open[0])


def _min(costs: Iterable[int]) -> int:
    return min(costs, default=2 * NEVER)
