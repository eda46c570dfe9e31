"""``memory`` and ``cmr``, cuts free, every PAMT at home: areas that TDMRs of a node have left.

If all free runs near a home lie in neighbouring cells of that home (a *block*), the PAMTs of TDMRs
that begin there take areas of TDMRs that overlap the block: of these themselves, and of the one
that reaches into it from before, if any.  Each takes one or more:

    cells       | . . . 0 0 0 0 0 0 0 . . . |     limit 3
    TDMRs       |---------|<->|<--->|--------     three begin in the block
    holes       |     o   | ooo  o o|    oo       0, 1 and 1 areas left in them, 2 in the one before
    balance               2   1     1    1        areas left less PAMTs, after each: never short

A TDMR takes in no more PAMTs than fit into its free runs, were each as small as that of one GiB.
The balance of a block is what the TDMRs in it can take in, less one for each that begins there,
with what the one from before has left over from its own block.  At the end of a block it is not
below 0.
A shortest path over the cells, right to left, in which each cell of a block has a cost for every
balance, gives the least of all components in any order of importance.

Only so many TDMRs of a block can be full of holes, or have no free run, and the one that ends
behind it; so a balance as high as their number is as good as any.

Source: docs/design.md, section 5 (``memory``, ``remote``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from pamt.certificate.cut_bound import NEVER, CutFacts, Cuts, remembered
from pamt.certificate.near_home import homes, near
from pamt.placement import Question
from pamt.ranges import GIB, Range

__all__ = ["Block", "RoomyPath", "blocks_of_homes", "full", "least_with_rooms"]

MOST_FULL = 16
"""TDMRs of one block that may have no run, or be full, up to which it is asked whether they do."""


class Block(NamedTuple):
    """Neighbouring cells (by index, `end` excluded) that hold all free runs near their home."""

    start: int
    end: int
    below: tuple[int, ...]
    """For each of its cells, the PAMTs that fit into free runs below it."""
    within: tuple[int, ...]
    """The same up to the end of each cell, with one that begins there and ends behind it."""

    def places(self, first: int, last: int) -> int:
        """PAMTs that may begin in these cells, at most; `last` may lie behind the block."""
        last = min(last, self.end - 1)
        return self.within[last - self.start] - self.below[first - self.start]

    def until(self, first: int, number: int) -> int:
        """The last cell up to which more than `number` may begin, from cell `first` on."""
        return self.start + bisect_left(self.within, number + 1 + self.below[first - self.start])


def blocks_of_homes(question: Question) -> tuple[Block, ...]:
    """All blocks, ascending."""
    known = remembered(question)
    if "blocks" not in known:
        known["blocks"] = tuple(_blocks(question))
    found: tuple[Block, ...] = known["blocks"]
    return found


def _blocks(question: Question) -> Iterable[Block]:
    cells = question.cells
    by_cell = homes(question)
    spans: dict[int, tuple[int, int]] = {}
    for at, home in enumerate(by_cell):
        spans[home] = (spans.get(home, (at, at))[0], at + 1)
    nodes = near(question)
    for home, (start, end) in sorted(spans.items(), key=lambda pair: pair[1]):
        if any(by_cell[at] != home for at in range(start, end)):
            continue
        runs = [run.range for run in question.free if run.node in nodes[home]]
        low, high = cells[start] * GIB, (cells[end - 1] + 1) * GIB
        if runs and all(low <= run.start and run.end <= high for run in runs):
            yield Block(start, end, *_places(question, cells[start:end], runs))


def _places(
    question: Question, cells: Sequence[int], runs: Sequence[Range]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`below` and `within` of a :class:`Block`, for runs in ascending order."""
    sizes = question.sizes(1)
    # Of each TDMR some piece is no smaller.
    least = sizes.total if question.space.pamt == "chunk" else max(sizes)
    starts = [run.start for run in runs]
    whole = list(accumulate((run.size // least for run in runs), initial=0))

    def count(address: int) -> tuple[int, bool]:
        """Pieces below an address; and whether a run goes on there."""
        number = bisect_left(starts, address)
        if not number or runs[number - 1].end <= address:
            return whole[number], False
        part = address - runs[number - 1].start
        return whole[number - 1] + part // least, True

    below = [count(cell * GIB)[0] for cell in cells]
    within = [sum(count((cell + 1) * GIB)) for cell in cells]
    return tuple(below), tuple(accumulate(within, max))


def full(facts: CutFacts, blocks: Sequence[Block], *, runs: bool = False) -> int:
    """TDMRs inside one block that may be full of holes, the most of any; `runs`: or have no run.

    `facts.limit`: areas in one TDMR, at most.
    """
    return max((_full(facts, block, runs=runs) for block in blocks), default=0)


def _full(facts: CutFacts, block: Block, *, runs: bool) -> int:
    holes = sum(facts.alone[block.start : block.end])
    holes += sum(max(0, joined) for joined in facts.joined[block.start : block.end - 1])
    empty = sum(not block.places(at, at) for at in range(block.start, block.end))
    return holes // facts.limit + runs * empty


def least_with_rooms(
    question: Question, facts: CutFacts, order: Sequence[str], cap: int
) -> tuple[int, ...] | None:
    """The least of the components, compared in order, of all cuts; None: no cut is allowed.

    `cap`: areas in one TDMR, at most.
    """
    known = remembered(question)
    facts = facts.but(limit=cap)
    key = ("rooms", facts, tuple(order))
    if key not in known:
        known[key] = RoomyPath(facts, order, blocks_of_homes(question)).least
    found: tuple[int, ...] | None = known[key]
    return found


class _Room(NamedTuple):
    """What TDMRs can take in."""

    left: int
    """Areas besides holes."""
    own: int
    """PAMTs of its own home, or as many as make no difference."""
    over: int
    """PAMTs of the next home in a block that they reach into, likewise."""
    inside: bool
    """Whether more cells of its block follow."""


class RoomyPath:
    """The cheapest cut in which no balance of `blocks` falls short.

    `facts.limit`: areas in one TDMR, at most.
    """

    def __init__(self, facts: CutFacts, order: Sequence[str], blocks: Sequence[Block]) -> None:
        self._facts = facts
        self._cuts: Cuts = facts.cuts(order)
        size = len(facts.cells)
        self._blocks: list[Block | None] = [None] * size
        """For each cell the block that it is in."""
        self._starts = frozenset(block.start for block in blocks)
        self._next = [0] * size + [size + 1]
        """For each cell, the first from it on that is in a block."""
        for block in blocks:
            self._blocks[block.start : block.end] = [block] * (block.end - block.start)
        for at in range(size - 1, -1, -1):
            self._next[at] = self._next[at + 1] if self._blocks[at] is None else at
        self._counted = full(facts, blocks, runs=True) <= MOST_FULL
        """Whether it counts how many PAMTs fit into free runs; else only areas do."""
        # One more may end behind its block, and be full of what lies there.
        self._most = min(full(facts, blocks, runs=self._counted) + 1, facts.most)
        self._even = self._most
        """The number of the balance 0: that of -`_most` is 0."""
        balances = 2 * self._most + 1
        self._costs = [[NEVER] * balances for _ in range(size)]
        layer = [NEVER] * size + [0]
        self._behind = [self._cuts.behind(layer) for _ in range(balances)]
        """For each balance that the TDMR at an end finds, by end: the cost of what follows."""
        for at in range(size - 1, -1, -1):
            self._add(at)

    @property
    def least(self) -> tuple[int, ...] | None:
        """The components, compared in order; None where no cut is allowed."""
        least = self._costs[0][self._even]
        return None if least >= NEVER else self._cuts.split(least)

    def cut(self) -> list[tuple[int, int]]:
        """A cut of the least cost, by first and last cell (by index)."""
        found: list[tuple[int, int]] = []
        at, number = 0, self._even
        while at < len(self._costs):
            at, number = self._followed(at, number)
            found.append((found[-1][1] + 1 if found else 0, at - 1))
        return found

    def _followed(self, at: int, number: int) -> tuple[int, int]:
        """The first end of a TDMR from a cell at the least cost; and the balance found there."""
        wanted = self._costs[at][number] - self._cuts.begin(at)
        for low, high, room in self._alike(at):
            for last in range(low, high):
                balance = self._balance(at, room, number - self._even)
                if balance is not None and self._min(balance, at, last, last + 1) == wanted:
                    start = last + 1 in self._starts
                    return last + 1, self._even if start else balance + self._even
        raise ValueError("no cut is allowed")

    def _add(self, at: int) -> None:
        """The costs of all TDMRs that begin at a cell, and what follows them, for each balance."""
        costs = self._costs[at]
        begin = self._cuts.begin(at)
        for low, high, room in self._alike(at):
            for number, known in enumerate(costs):
                balance = self._balance(at, room, number - self._even)
                if balance is not None:
                    costs[number] = min(known, self._min(balance, at, low, high) + begin)
        for number, table in enumerate(self._behind):
            # Nothing reaches into a block from before where a TDMR begins at its start.
            same = self._even if at in self._starts else number
            table[at] = self._cuts.with_holes(costs[same], at)

    def _alike(self, first: int) -> Iterable[tuple[int, int, _Room]]:
        """Last cells (`high` excluded) of TDMRs from `first` with the same room."""
        facts, block = self._facts, self._blocks[first]
        reach = self._cuts.reach[first]
        low = first
        while low < reach:
            left = facts.limit - facts.holes(first, low)
            high = min(reach, bisect_right(facts.holes_to, facts.holes_to[low + 1], low + 1) - 1)
            following = self._blocks[low + 1] if low + 1 < len(self._blocks) else None
            inside = block is not None and following is block
            enough = min(left, 2 * self._most + 1)
            own = self._fitting(block, first, low, enough)
            over = self._most
            if following is None:
                high = min(high, self._next[low + 1] - 1)
            elif low < following.start:
                high = low + 1
            else:
                high = min(high, following.end - 1)
                if not inside:
                    first_there, enough = following.start, over
                    own_there = over = self._fitting(following, first_there, low, enough)
                else:
                    first_there, own_there = first, own
                if own_there < enough:
                    high = min(high, following.until(first_there, own_there))
            yield low, high, _Room(left, own, over, inside)
            low = high

    def _fitting(self, block: Block | None, first: int, last: int, most: int) -> int:
        """PAMTs near a block that these cells of it take in, `most` at most."""
        if block is None or not self._counted:
            return most
        return min(most, block.places(first, last))

    def _balance(self, first: int, room: _Room, before: int) -> int | None:
        """What the TDMR behind one of these cells finds; None if there are too few areas.

        `before`: the balance that this one finds itself.
        """
        if self._blocks[first] is None:
            return min(room.left, room.over)
        balance = min(before + room.own - 1, self._most)
        if room.inside:
            return balance if balance >= -self._most else None
        # What its own block does not need is left to the next.
        return min(room.left - max(0, 1 - before), room.over) if balance >= 0 else None

    def _min(self, balance: int, first: int, low: int, high: int) -> int:
        table = self._behind[balance + self._even]
        return min(self._cuts.step(table, first, low, high), default=2 * NEVER)
