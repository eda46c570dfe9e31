"""At home: where TDMRs may begin, and how many small PAMT pages they bring to a node.

Where a claim lets `remote` be no more than its floor, every PAMT lies on a node that is nearest to
its TDMR's home.  So no TDMR begins at a cell whose home has no such node with free runs, and free
runs of a node hold PAMTs of TDMRs only that begin at certain cells:

    cells     | 0 0 0 0 0 0 | 1 1 1 1 | 2 2 2 |       homes; free runs on nodes 0 and 2 alone
    begins    |<--may-------|---never-|--may->|
    TDMRs     |<->|<--->|<----------->|<----->|       the third *overhangs* the cells of node 0

Of the TDMRs that begin in one stretch of such cells at most one overhangs; all others lie inside,
so together they have no more GiBs than the stretch, and few pages of 2M and 1G regions.

Source: docs/design.md, section 5 (`remote`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pamt.certificate.cut_bound import CutFacts, remembered, rounded_levels
from pamt.placement import Question
from pamt.ranges import GIB, PAGE

__all__ = ["Pool", "at_home", "barred_cells", "homes", "near", "pools"]


class Pool(NamedTuple):
    """PAMT pages of all TDMRs that may have PAMTs on a node; upper bounds, in pages."""

    pages: int
    """All of them."""
    every: int
    """2M and 1G regions."""
    small: int
    """The same, but for the 2M regions of TDMRs that overhang."""
    overhanging: tuple[int, ...]
    """For each TDMR that may overhang, the fewest pages its 2M region can have."""


def at_home(question: Question, at_most: Mapping[str, int]) -> bool:
    """Whether the claim forces every PAMT page to a node nearest to its TDMR's home."""
    if "remote" not in at_most or not question.free:
        return False
    if question.tdmrs is None:
        listed = {r.node for r in question.memory}
        nodes = question.free_by_node
        return at_most["remote"] <= 0 and all(
            question.weight(a, b) >= 0 for a in listed for b in nodes
        )
    return at_most["remote"] <= sum(
        fact.pages * least_weight(question, fact.home) for fact in question.tdmrs
    )


def least_weight(question: Question, home: int) -> int:
    return min(question.weight(home, node) for node in question.free_by_node)


def homes(question: Question) -> tuple[int, ...]:
    """For each cell, the home of a TDMR that begins there."""
    known = remembered(question)
    if "homes" not in known:
        ends = [r.end for r in question.memory]
        known["homes"] = tuple(
            question.memory[bisect_right(ends, c * GIB)].node for c in question.cells
        )
    found: tuple[int, ...] = known["homes"]
    return found


def near(question: Question) -> dict[int, frozenset[int]]:
    """For each home, the nodes with free runs where a page costs nothing."""
    return {
        home: frozenset(n for n in question.free_by_node if question.weight(home, n) <= 0)
        for home in {r.node for r in question.memory}
    }


def barred_cells(question: Question) -> frozenset[int]:
    """Cells (by index) at which no TDMR begins, every PAMT being at home."""
    nodes = near(question)
    return frozenset(at for at, home in enumerate(homes(question)) if not nodes[home])


def pools(question: Question, facts: CutFacts, at_most: Mapping[str, int]) -> dict[int, Pool]:
    """For each node with free runs, what may lie there; every PAMT being at home."""
    reach = facts.cuts((), at_most.get("max_areas")).reach
    nodes = near(question)
    cells = facts.cells
    home = homes(question)
    most = min(facts.most, at_most.get("tdmrs", facts.most))
    found: dict[int, Pool] = {}
    for node in question.free_by_node:
        begins = [at for at in range(len(cells)) if reach[at] > at and node in nodes[home[at]]]
        covered = _covered(facts, reach, begins)
        number = min(len(begins), most)
        every = _small(question, covered, number)
        rounding = rounded_levels(question)[0] * number
        pages = question.sizes(covered).level_4k // PAGE + rounding + every
        small = 0
        overhanging: list[int] = []
        for first, last in _stretches(begins):
            gib = cells[last] - cells[first] + 1
            small += _small(question, gib, min(last - first + 1, most))
            over = _overhang(facts, reach, first, last)
            if over is not None:
                overhanging.append(question.sizes(over[0]).level_2m // PAGE)
                small += question.sizes(over[1]).level_1g // PAGE
        found[node] = Pool(pages, every, min(every, small), tuple(overhanging))
    return found


def _covered(facts: CutFacts, reach: tuple[int, ...], begins: list[int]) -> int:
    """GiBs of all TDMRs that begin at these cells and go no further than they may."""
    cells = facts.cells
    covered = behind = 0
    for at in begins:
        low, high = max(behind, cells[at]), cells[reach[at] - 1] + 1
        covered += max(0, high - low)
        behind = max(behind, high)
    return covered


def _stretches(indices: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbours."""
    first = None
    for at, index in enumerate(indices):
        if first is None:
            first = index
        if at + 1 == len(indices) or indices[at + 1] != index + 1:
            yield first, index
            first = None


def _small(question: Question, gib: int, number: int) -> int:
    """Most pages of 2M and 1G regions of so many TDMRs, that have so many GiBs together."""
    sizes = question.sizes(gib)
    _, second, third = rounded_levels(question)
    rounding = (second + third) * max(0, number - 1)
    return (sizes.level_2m + sizes.level_1g) // PAGE + rounding


def _overhang(
    facts: CutFacts, reach: tuple[int, ...], first: int, last: int
) -> tuple[int, int] | None:
    """Fewest and most GiBs of a TDMR that begins in `first`..`last` and goes on behind it."""
    cells = facts.cells
    furthest = max(reach[at] for at in range(first, last + 1)) - 1
    ends = [
        end
        for end in range(last + 1, furthest + 1)
        if end + 1 == len(cells) or reach[end + 1] > end + 1
    ]
    if not ends:
        return None
    # The shortest begins as late as can be, the longest as early.
    return cells[ends[0]] - cells[last] + 1, cells[ends[-1]] - cells[first] + 1
