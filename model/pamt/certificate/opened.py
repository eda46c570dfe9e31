"""Under ``minimal``, TDMRs fixed: areas that PAMTs add where nothing has to be reserved anyway.

A *pocket* is a longest part of a TDMR without memory that is in use:

    memory     |====....====|  |..|====....====|       dots: free
    pockets         |  |    |<----->   |  |
    reserved                |00|                       must be: this pocket is *open*

PAMTs in an open pocket may touch what is reserved anyway.  In any other pocket PAMTs take an area,
however many they are, and nothing but PAMTs does.  So where the PAMTs that have to lie near some
home have more pages than the open pockets there, others are needed: at least as many as of the
longest would do, and no more in a TDMR than it has areas left.

Source: docs/design.md, section 5 (``minimal``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pamt.certificate.cut_bound import remembered
from pamt.certificate.near_home import least_weight
from pamt.placement import Question
from pamt.ranges import PAGE, Range, RangeSet

__all__ = ["Pocket", "areas_opened", "pockets"]


class Pocket(NamedTuple):
    tdmr: int
    opened: bool
    """Whether something in it must be reserved anyway."""
    pages: Mapping[int, int]
    """Free pages by node."""
    longest: Mapping[int, int]
    """Pages of the longest free run that it holds a part of, by node."""


def pockets(question: Question) -> tuple[Pocket, ...]:
    """All pockets that hold a free page.  Raises ValueError where the cut is free."""
    known = remembered(question)
    if "pockets" not in known:
        known["pockets"] = tuple(_pockets(question))
    found: tuple[Pocket, ...] = known["pockets"]
    return found


def _pockets(question: Question) -> list[Pocket]:
    if question.tdmrs is None:
        raise ValueError("pockets are those of known TDMRs")
    used = question.memory_set - question.free_set
    found: list[Pocket] = []
    starts = [run.start for run in question.free]
    for index, fact in enumerate(question.tdmrs):
        outside = question.cmr_runs.complement(fact.range)
        for part in used.complement(fact.range):
            low = max(0, bisect_right(starts, part.start) - 1)
            runs = [
                run
                for run in question.free[low : bisect_left(starts, part.end)]
                if run.range.overlaps(part)
            ]
            if not runs:
                continue
            pages: dict[int, int] = {}
            longest: dict[int, int] = {}
            for run in runs:
                inside = run.range.clip(part).size // PAGE
                pages[run.node] = pages.get(run.node, 0) + inside
                length = (run.end - run.start) // PAGE
                longest[run.node] = max(longest.get(run.node, 0), length)
            found.append(Pocket(index, _opened(question, part, outside), pages, longest))
    return found


def _opened(question: Question, part: Range, outside: RangeSet) -> bool:
    if not outside.overlaps(part):
        return False
    return any(outside.overlaps(hole) for hole in question.memory_set.complement(part))


def areas_opened(question: Question, low: Sequence[int], cap: int, *, near: bool) -> int | None:
    """Least areas that PAMTs add; None where they find no room.

    `low`: for each TDMR, the fewest areas it has besides.  `near`: every PAMT is at home.
    """
    assert question.tdmrs is not None
    homes: dict[int, frozenset[int]] = {}
    need: dict[frozenset[int], list[int]] = {}
    nodes = frozenset(question.free_by_node)
    for fact in question.tdmrs:
        if near and fact.home not in homes:
            least = least_weight(question, fact.home)
            homes[fact.home] = frozenset(n for n in nodes if question.weight(fact.home, n) == least)
        pieces = need.setdefault(homes[fact.home] if near else nodes, [])
        sizes = (fact.sizes.total,) if question.space.pamt == "chunk" else fact.sizes
        pieces += [size // PAGE for size in sizes]
    rooms = [cap - least for least in low]
    found: list[tuple[frozenset[int], int]] = []
    for where, pieces in need.items():
        number = _needed(pockets(question), rooms, where, pieces)
        if number is None:
            return None
        found.append((where, number))
    return _apart(pockets(question), found)


def _needed(
    listed: Sequence[Pocket], rooms: Sequence[int], where: frozenset[int], pieces: Sequence[int]
) -> int | None:
    """Pockets that are not open, needed for `pieces` on the nodes `where`."""
    left = sum(pieces)
    largest = max(pieces)
    long = False
    closed: list[tuple[int, bool, int]] = []
    for pocket in listed:
        pages = sum(pocket.pages.get(node, 0) for node in where)
        if not pages:
            continue
        fits = any(pocket.longest.get(node, 0) >= largest for node in where)
        if pocket.opened:
            left -= pages
            long = long or fits
        elif rooms[pocket.tdmr] > 0:
            closed.append((pages, fits, pocket.tdmr))
    if not long and not any(fits for _, fits, _ in closed):
        return None
    closed.sort(reverse=True)
    taken: dict[int, int] = {}
    number = 0
    for pages, _, tdmr in closed:
        if left <= 0:
            break
        if taken.get(tdmr, 0) < rooms[tdmr]:
            taken[tdmr] = taken.get(tdmr, 0) + 1
            left -= pages
            number += 1
    if left > 0:
        return None
    return number if long else max(1, number)


def _apart(listed: Sequence[Pocket], found: Sequence[tuple[frozenset[int], int]]) -> int:
    """The sum over nodes that share no pocket; of those that do, the most of any."""
    group: dict[int, int] = {}

    def top(node: int) -> int:
        while group.setdefault(node, node) != node:
            node = group[node]
        return node

    shared = [frozenset(pocket.pages) for pocket in listed if not pocket.opened]
    for together in (*shared, *(where for where, _ in found)):
        first, *rest = sorted(together)
        for node in rest:
            group[top(node)] = top(first)
    most: dict[int, int] = {}
    for where, number in found:
        at = top(min(where))
        most[at] = max(most.get(at, 0), number)
    return sum(most.values())
