"""PAMTs under ``minimal``: hung on stretches that are reserved anyway, so that they take no area.

    memory     |====================|   |===========|      a PAMT that begins where a forced hole
    CMR runs   |====================|   |===========|      ends, or behind one that does, makes the
    PAMTs      |PPPP|QQ|        |RR|            |SSS|      hole's area longer and adds none

A free run is open at its left (right) end if a hole lies there, in the same TDMR, that must be
reserved.  Pieces are placed in canonical order, each at the lowest place that leaves room for the
rest; the answer is canonical if nothing lower was passed over.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pamt.placement import Question
from pamt.ranges import GIB, PAGE, Range

__all__ = ["Hung", "Piece", "Pieces", "hang"]


class Piece(NamedTuple):
    """A region, or a chunk (as level 0)."""

    tdmr: int
    level: int
    pages: int
    nodes: frozenset[int]
    """Where it may lie."""


class _Slot:
    """Free pages of one node in one TDMR, and the ends at which pieces may be hung."""

    __slots__ = ("high", "left", "low", "node", "right", "tdmr")

    def __init__(
        self, node: int, tdmr: Range, low: int, high: int, left: bool, right: bool
    ) -> None:
        self.node = node
        self.tdmr = tdmr
        self.low = low
        self.high = high
        self.left = left
        self.right = right

    @property
    def pages(self) -> int:
        return self.high - self.low


class Hung(NamedTuple):
    bases: tuple[tuple[int, int, int], ...]
    lowest: bool
    """Whether no lower place of any piece was passed over."""


def hang(
    question: Question,
    tdmrs: Sequence[Range],
    *,
    at_home: bool,
    placed: Mapping[tuple[int, int], int] | None = None,
    cap: int = 0,
) -> Hung | None:
    """Places for all PAMTs of these TDMRs that add no area; None where none were found.

    `at_home`: only on the nearest nodes with free runs.  `placed`: first page of regions, by TDMR
    and level, that fill whole free runs.  `cap`: areas may be added, up to so many in a
    TDMR; as few as are needed, in the longest slots.
    """
    done = placed or {}
    pieces = [p for p in Pieces(question, at_home=at_home).of(tdmrs) if p[:2] not in done]
    full = set(done.values())
    slots = [slot for slot in _slots(question, tdmrs) if slot.low not in full]
    opened = bool(cap) and _open(question, tdmrs, pieces, slots, cap)
    bases: list[list[int]] = [[0, 0, 0] for _ in tdmrs]
    for (tdmr, level), page in done.items():
        bases[tdmr][level] = page * PAGE
    lowest = not done and not opened
    for at, piece in enumerate(pieces):
        chosen, exact = _place(pieces, at, slots)
        if chosen is None:
            return None
        lowest = lowest and exact
        bases[piece.tdmr][piece.level] = chosen * PAGE
    if question.space.pamt == "chunk":
        for index, where in enumerate(tdmrs):
            sizes = question.facts(where).sizes
            bases[index][1] = bases[index][0] + sizes.level_4k
            bases[index][2] = bases[index][1] + sizes.level_2m
    return Hung(tuple((b4, b2, b1) for b4, b2, b1 in bases), lowest)


def _open(
    question: Question,
    tdmrs: Sequence[Range],
    pieces: Sequence[Piece],
    slots: Sequence[_Slot],
    cap: int,
) -> bool:
    """Let pieces lie in slots that touch no forced hole, where they don't fit otherwise."""
    edges = _Edges(question)
    room = {tdmr: cap - edges.count(tdmr) for tdmr in tdmrs}
    groups: dict[frozenset[int], list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.nodes, []).append(piece)
    some = False
    for nodes, group in groups.items():
        near = [slot for slot in slots if slot.node in nodes]
        closed = sorted(
            (slot for slot in near if not (slot.left or slot.right)),
            key=lambda s: (-s.pages, s.low),
        )
        for slot in closed:
            if _fit(group, near):
                break
            if room[slot.tdmr] > 0:
                slot.left = some = True
                room[slot.tdmr] -= 1
    return some


def _place(pieces: Sequence[Piece], at: int, slots: Sequence[_Slot]) -> tuple[int | None, bool]:
    """First page for a piece, the slot taken; and whether nothing lower may do."""
    piece, rest = pieces[at], pieces[at + 1 :]
    exact = True
    for slot in slots:
        if slot.node not in piece.nodes or slot.pages < piece.pages:
            continue
        if not slot.left:
            exact = False
            continue
        slot.low += piece.pages
        if _fit(rest, slots):
            return slot.low - piece.pages, exact
        slot.low -= piece.pages
        exact = False
    for slot in slots:
        if slot.node in piece.nodes and slot.pages >= piece.pages and slot.right:
            slot.high -= piece.pages
            if _fit(rest, slots):
                return slot.high, False
            slot.high += piece.pages
    return None, False


def _fit(pieces: Sequence[Piece], slots: Sequence[_Slot]) -> bool:
    """Whether the pieces, longest first, each fit into the first slot with room."""
    room = [[slot.node, slot.pages] for slot in slots if slot.left or slot.right]
    total = sum(piece.pages for piece in pieces)
    roomy = {node for node, pages in room if pages >= total}
    for piece in sorted(pieces, key=lambda p: -p.pages):
        if piece.nodes & roomy:
            continue
        for entry in room:
            if entry[0] in piece.nodes and entry[1] >= piece.pages:
                entry[1] -= piece.pages
                break
        else:
            return False
    return True


class Pieces:
    """The pieces of any cut of one question; what TDMRs have in common is worked out once.

    `at_home`: only on the nearest nodes with free runs.
    """

    def __init__(self, question: Question, *, at_home: bool) -> None:
        self._question = question
        self._at_home = at_home
        self._ends = [r.end for r in question.memory]
        self._near: dict[int, frozenset[int]] = {}
        self._pages: dict[int, tuple[int, ...]] = {}

    def of(self, tdmrs: Sequence[Range]) -> list[Piece]:
        """In canonical order."""
        found: list[Piece] = []
        for index, tdmr in enumerate(tdmrs):
            home = self._question.memory[bisect_right(self._ends, tdmr.start)].node
            near = self._near.get(home)
            if near is None:
                near = self._near[home] = self._nearest(home)
            gib = tdmr.size // GIB
            sizes = self._pages.get(gib)
            if sizes is None:
                sizes = self._pages[gib] = self._sizes(gib)
            found += [Piece(index, level, pages, near) for level, pages in enumerate(sizes)]
        return found

    def _nearest(self, home: int) -> frozenset[int]:
        question = self._question
        weights = {node: question.weight(home, node) for node in question.free_by_node}
        least = min(weights.values(), default=0)
        return frozenset(n for n, w in weights.items() if not self._at_home or w == least)

    def _sizes(self, gib: int) -> tuple[int, ...]:
        sizes = self._question.sizes(gib)
        whole = self._question.space.pamt == "chunk"
        return tuple(size // PAGE for size in ((sizes.total,) if whole else sizes))


def _slots(question: Question, tdmrs: Sequence[Range]) -> list[_Slot]:
    starts = [tdmr.start for tdmr in tdmrs]
    edges = _Edges(question)
    found: list[_Slot] = []
    for run in question.free:
        first = tdmrs[bisect_right(starts, run.start) - 1]
        last = tdmrs[bisect_left(starts, run.end) - 1]
        left = edges.forced(edges.before(first, run.start))
        right = edges.forced(edges.behind(last, run.end))
        if first == last:
            found.append(_Slot(run.node, first, run.start // PAGE, run.end // PAGE, left, right))
            continue
        found.append(_Slot(run.node, first, run.start // PAGE, first.end // PAGE, left, False))
        found.append(_Slot(run.node, last, last.start // PAGE, run.end // PAGE, False, right))
    return found


class _Edges:
    """Holes at the ends of free runs."""

    def __init__(self, question: Question) -> None:
        self._memory = question.memory_set
        self._runs = question.memory_set.runs
        self._starts = [run.start for run in self._runs]
        self._ends = [run.end for run in self._runs]
        self._cmr = question.cmr_runs

    def before(self, tdmr: Range, at: int) -> Range:
        """The hole that ends at `at`, inside `tdmr`; empty if memory does, or the TDMR begins."""
        index = bisect_left(self._ends, at)
        if index < len(self._runs) and self._starts[index] < at:
            return Range(at, at)
        return Range(max(tdmr.start, self._ends[index - 1] if index else 0), at)

    def behind(self, tdmr: Range, at: int) -> Range:
        """The hole that begins at `at`, inside `tdmr`; empty if there is none."""
        index = bisect_right(self._starts, at)
        if index and self._ends[index - 1] > at:
            return Range(at, at)
        return Range(
            at, min(tdmr.end, self._starts[index] if index < len(self._runs) else tdmr.end)
        )

    def count(self, tdmr: Range) -> int:
        """Stretches of a TDMR that must be reserved anyway."""
        outside = self._cmr.complement(tdmr)
        if not outside:
            return 0
        return sum(outside.overlaps(hole) for hole in self._memory.complement(tdmr))

    def forced(self, hole: Range) -> bool:
        return not hole.is_empty and bool(self._cmr.complement(hole))
