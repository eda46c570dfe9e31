"""Splitting a scope into cases: what is fixed before the symbolic run, and what stays open.

A case fixes how many items there are, the node of each memory range, and the GiB in which each
range starts and ends.  Then the TDMRs, their sizes and homes are plain numbers, and only page
offsets stay symbolic: every address of the memory is any page of its GiB.

    case       | r0 .. r0 |          r1 |.. r1     |
    GiB        0          1             2          3
               start, end in GiB 0      start in 1, end in 2

Cases come in the order in which counterexamples are compared: ranges, CMRs, nodes, free runs,
TDMRs, span.  So when one is found, every smaller case has been gone through before.  They are made
one by one, when they are asked for: there may be many more of them than anybody will go through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, combinations_with_replacement, product
from math import comb
from typing import NamedTuple

from pamt.kernel.layout import lay_out_tdmrs
from pamt.machine import LOCAL_DISTANCE, MemoryRange, Node
from pamt.ranges import GIB, MIB, PAGE
from pamt.verify.cells import CellPairs, Cells
from pamt.verify.scope import COUNTED_NODES, Scope

__all__ = ["Case", "Rank", "cases", "count_cases", "neighbours"]


class Rank(NamedTuple):
    """The part of the order of maps that a case decides."""

    ranges: int
    cmrs: int
    nodes: int
    free: int
    tdmrs: int
    span: int


class Case(NamedTuple):
    """One case of a scope.  `free[k]` is the memory range that holds free run k."""

    nodes: tuple[int, ...]
    cells: CellPairs
    """For each range, the GiB of its first page and the GiB of its last page."""
    cmrs: int
    free: tuple[int, ...] | None
    """None: all memory is free."""
    rank: Rank
    below: int = 0
    """So many ranges end at or below 1 MiB (where ``above-1m`` is not assumed)."""
    crossing: bool = False
    """The range after those starts below 1 MiB."""
    distances: tuple[int, ...] = ()
    """Of each two nodes, 0 1, 0 2, 1 2, ...; none where all are alike and a map need not say."""

    def slit(self) -> tuple[Node, ...]:
        """The nodes with their distances; none where a map need not say."""
        if not self.distances:
            return ()
        ids = range(self.rank.nodes)
        apart = dict(zip(combinations(ids, 2), self.distances, strict=True))
        return tuple(
            Node(a, distance=tuple(apart.get((min(a, b), max(a, b)), LOCAL_DISTANCE) for b in ids))
            for a in ids
        )

    def words(self) -> str:
        places = " ".join(
            f"node{node}:{first}" + (f"-{last}" if last != first else "")
            for node, (first, last) in zip(self.nodes, self.cells, strict=True)
        )
        apart = f", distances {' '.join(map(str, self.distances))}" if self.distances else ""
        return f"{places}, {self.cmrs} CMRs{apart}"


def cases(scope: Scope) -> Iterator[Case]:
    """Every case of `scope`, smallest first."""
    for count, cmrs, used, free in _counts(scope):
        cells = Cells(count, scope.first_gib, scope.gib, whole=scope.assumes("whole-gib"))
        # A range below 1 MiB gets no TDMR: then one more GiB than TDMRs may be the last of a range.
        spare = 1 if scope.lowest < MIB else 0
        for tdmrs in range(1 - spare, count + 1):
            for span in range(1, scope.gib - scope.first_gib + 1):
                for nodes in _node_choices(count, used):
                    for pairs in cells.ascending(range(tdmrs, tdmrs + spare + 1), span):
                        for held in _free_choices(scope, count, free):
                            for below, crossing in _low_choices(scope, pairs):
                                if _tdmrs(pairs[below:]) != tdmrs:
                                    continue
                                rank = Rank(count, cmrs, used, free, tdmrs, span)
                                case = Case(nodes, pairs, cmrs, held, rank, below, crossing)
                                for distances in _distances(scope, used):
                                    yield case._replace(distances=distances)


def count_cases(scope: Scope) -> int:
    """How many cases :func:`cases` would give, by a formula."""
    total = 0
    few = replace(scope, ranges=scope.counted_ranges[-1], nodes=min(scope.nodes, COUNTED_NODES))
    for count, _, used, free in _counts(few):
        layouts = _count_layouts(scope, count)
        chosen = _count_node_choices(count, used)
        held = 1 if scope.assumes("free-is-memory") else comb(count + free - 1, free)
        total += layouts * chosen * held * scope.count_distances(used)
    return scope.as_counted(total)


def _counts(scope: Scope) -> Iterator[tuple[int, int, int, int]]:
    """Numbers of ranges, CMRs, nodes and free runs, ascending."""
    for count in range(scope.fewest_ranges, scope.ranges + 1):
        for cmrs in range(1 if scope.cmrs else 0, scope.cmrs + 1):
            for used in range(1, min(scope.nodes, count) + 1):
                for free in range(1) if scope.assumes("free-is-memory") else range(scope.free + 1):
                    yield count, cmrs, used, free


def neighbours(scope: Scope, case: Case) -> Iterator[Case]:
    """Cases of `scope` that hold a map of `case` with one address changed, `case` first."""
    whole = scope.assumes("whole-gib")
    cells = Cells(len(case.nodes), scope.first_gib, scope.gib, whole=whole)
    mine = [cell for pair in case.cells for cell in pair]
    layouts = {case.cells}
    for at in range(len(mine)):
        for cell in range(scope.first_gib, scope.gib):
            flat = [*mine[:at], cell, *mine[at + 1 :]]
            pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
            if cells.allows(pairs):
                layouts.add(pairs)
    found = [
        case._replace(
            cells=pairs,
            rank=case.rank._replace(
                tdmrs=_tdmrs(pairs[below:]), span=pairs[-1][1] + 1 - pairs[0][0]
            ),
            below=below,
            crossing=crossing,
        )
        for pairs in layouts
        for below, crossing in _low_choices(scope, pairs)
    ]
    yield case
    yield from sorted(
        (other for other in found if other != case),
        key=lambda other: (other.rank, other.cells, other.below, other.crossing),
    )


def _low_choices(scope: Scope, cells: CellPairs) -> Iterator[tuple[int, bool]]:
    """How many ranges lie below 1 MiB, and whether the next one starts there."""
    if scope.lowest >= MIB:
        yield 0, False
        return
    for below in range(len(cells) + 1):
        yield below, False
        if below < len(cells) and cells[below][0] == 0:
            yield below, True
        if below == len(cells) or cells[below] != (0, 0):
            break


def _count_layouts(scope: Scope, count: int) -> int:
    """Layouts of so many ranges, each with what may lie below 1 MiB."""
    whole, first = scope.assumes("whole-gib"), scope.first_gib

    def layouts(ranges: int, lowest: int) -> int:
        return Cells(ranges, lowest, scope.gib, whole=whole).count()

    if scope.lowest >= MIB:
        return layouts(count, first)
    total = 0
    for below in range(count + 1):
        # The first `below` ranges lie in GiB 0; whole GiBs are not shared, so that is at most one.
        if whole and below > 1:
            break
        lowest = 1 if whole and below else 0
        rest = layouts(count - below, lowest)
        total += rest
        if below < count and lowest == 0:
            total += rest - layouts(count - below, 1)
    return total


def _distances(scope: Scope, used: int) -> Iterator[tuple[int, ...]]:
    if scope.assumes("equal-distances"):
        yield ()
    else:
        yield from product(scope.distances, repeat=used * (used - 1) // 2)


def _free_choices(scope: Scope, count: int, free: int) -> Iterator[tuple[int, ...] | None]:
    if scope.assumes("free-is-memory"):
        yield None
    else:
        yield from combinations_with_replacement(range(count), free)


def _node_choices(count: int, used: int) -> Iterator[tuple[int, ...]]:
    """Which node each range is on; every node up to `used` appears.

    With two nodes, which one is called 0 is of no account (there is one distance), so the first
    range is on node 0; with more, the fallback order goes by id, and every numbering counts.
    """
    for nodes in product(range(used), repeat=count):
        if len(set(nodes)) == used and (used > 2 or nodes[0] == 0):
            yield nodes


def _count_node_choices(count: int, used: int) -> int:
    onto: int = sum(
        (-1) ** left * comb(used, left) * (used - left) ** count for left in range(used + 1)
    )
    return onto // 2 if used == 2 else onto


def _tdmrs(cells: CellPairs) -> int:
    """How many TDMRs ranges in these GiBs get.  Any page will do: TDMRs depend on the GiBs only."""
    stand_ins = [MemoryRange(first * GIB, last * GIB + PAGE, 0) for first, last in cells]
    return len(lay_out_tdmrs(stand_ins, len(cells)).tdmrs)
