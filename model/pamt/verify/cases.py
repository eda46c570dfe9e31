"""Splitting a scope into cases: what is fixed before the symbolic run, and what stays open.

A case fixes how many items there are, the node of each memory range, and the GiB in which each
range starts and ends.  Then the TDMRs, their sizes and homes are plain numbers, and only page
offsets stay symbolic: every address of the memory is any page of its GiB.

    case       | r0 .. r0 |          r1 |.. r1     |
    GiB        0          1             2          3
               start, end in GiB 0      start in 1, end in 2

Cases come in the order in which counterexamples are compared: ranges, CMRs, nodes, free runs,
TDMRs, span.  So when one is found, every smaller case has been gone through before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, combinations_with_replacement, product
from typing import NamedTuple

from pamt.kernel.layout import lay_out_tdmrs
from pamt.machine import MemoryRange
from pamt.ranges import GIB, MIB, PAGE
from pamt.verify.scope import Scope

__all__ = ["Case", "Rank", "cases"]


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
    cells: tuple[tuple[int, int], ...]
    """For each range, the GiB of its first page and the GiB of its last page."""
    cmrs: int
    free: tuple[int, ...] | None
    """None: all memory is free."""
    rank: Rank
    below: int = 0
    """So many ranges end at or below 1 MiB (where ``above-1m`` is not assumed)."""
    crossing: bool = False
    """The range after those starts below 1 MiB."""

    def words(self) -> str:
        places = " ".join(
            f"node{node}:{first}" + (f"-{last}" if last != first else "")
            for node, (first, last) in zip(self.nodes, self.cells, strict=True)
        )
        return f"{places}, {self.cmrs} CMRs"


def cases(scope: Scope) -> Iterator[Case]:
    """Every case of `scope`, smallest first."""
    for count in range(scope.fewest_ranges, scope.ranges + 1):
        fewest = 1 if scope.cmrs else 0
        for cmrs in range(fewest, scope.cmrs + 1):
            for used in range(1, min(scope.nodes, count) + 1):
                runs = range(1) if scope.assumes("free-is-memory") else range(scope.free + 1)
                for free in runs:
                    yield from _sorted_cases(scope, count, cmrs, used, free)


def _sorted_cases(scope: Scope, count: int, cmrs: int, used: int, free: int) -> Iterator[Case]:
    found: list[Case] = []
    layouts = list(_layouts(scope, count))
    for nodes in _node_choices(count, used):
        for cells, tdmrs in layouts:
            for held in _free_choices(scope, count, free):
                for below, crossing in _low_choices(scope, cells):
                    made = _tdmrs(cells[below:]) if below else tdmrs
                    rank = Rank(count, cmrs, used, free, made, cells[-1][1] + 1 - cells[0][0])
                    found.append(Case(nodes, cells, cmrs, held, rank, below, crossing))
    yield from sorted(found, key=lambda case: (case.rank, case[:2], case.free or (), case[5:]))


def _low_choices(scope: Scope, cells: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, bool]]:
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


def _free_choices(scope: Scope, count: int, free: int) -> list[tuple[int, ...] | None]:
    if scope.assumes("free-is-memory"):
        return [None]
    return list(combinations_with_replacement(range(count), free))


def _node_choices(count: int, used: int) -> Iterator[tuple[int, ...]]:
    """Which node each range is on; every node up to `used` appears.

    With two nodes, which one is called 0 is of no account (distances are all alike), so the first
    range is on node 0; with more, the fallback order goes by id, and every numbering counts.
    """
    for nodes in product(range(used), repeat=count):
        if len(set(nodes)) == used and (used > 2 or nodes[0] == 0):
            yield nodes


def _layouts(scope: Scope, count: int) -> Iterator[tuple[tuple[tuple[int, int], ...], int]]:
    """GiBs of starts and ends, ascending, with the number of TDMRs that follows."""
    cells = range(scope.first_gib, scope.gib)
    flats: Iterable[tuple[int, ...]]
    if scope.assumes("whole-gib"):
        # Borders b0 < b1 <= b2 < b3 ..., shifted so that they all differ.
        chosen = (
            tuple(border - at // 2 for at, border in enumerate(borders))
            for borders in combinations(range(len(cells) + count), 2 * count)
        )
        flats = (
            tuple(scope.first_gib + b - at % 2 for at, b in enumerate(borders))
            for borders in chosen
        )
    else:
        flats = combinations_with_replacement(cells, 2 * count)
    for flat in flats:
        pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
        yield pairs, _tdmrs(pairs)


def _tdmrs(cells: tuple[tuple[int, int], ...]) -> int:
    """How many TDMRs ranges in these GiBs get.  Any page will do: TDMRs depend on the GiBs only."""
    stand_ins = [MemoryRange(first * GIB, last * GIB + PAGE, 0) for first, last in cells]
    return len(lay_out_tdmrs(stand_ins, len(cells)).tdmrs)
