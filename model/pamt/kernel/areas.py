"""Stage 4: reserved areas of a TDMR: holes first, then every PAMT chunk that reaches into it.

    TDMR        |<----------------------------------------->|
    memory          |======|   |=======PPPP====|
    areas       | 0 |      | 1 |       | 3|    |    2       |     0, 1, 2 holes; 3 a chunk

Touching areas stay separate, and what crosses a TDMR border counts in both TDMRs.
Source: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, tdmr_populate_rsvd_areas and
what it calls; lib/sort.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pamt.configuration import Area
from pamt.machine import MemoryRange
from pamt.ranges import PAGE, Range

__all__ = ["Reserved", "chunks_inside", "find_holes", "reserve_areas", "sort_areas"]

FILLED = "filled"
EXHAUSTED = "exhausted"
UNALIGNED = "unaligned"


class Reserved(NamedTuple):
    """Areas added so far, and why adding stopped: filled, exhausted, unaligned."""

    areas: list[Area]
    stop: str


def find_holes(tdmr: Range, present: Sequence[Range | MemoryRange]) -> list[Range]:
    """The parts of `tdmr` that none of `present` covers: head, gaps and tail.

    `present` is the memory list, or the CMRs in the CMR variants; right for sorted and disjoint
    ranges.  For others the walk is the kernel's: the end of the range seen last counts.
    """
    holes: list[Range] = []
    prev_end = tdmr.start
    for r in present:
        if r.start >= tdmr.end:
            break
        if r.end < tdmr.start:
            continue
        if r.start > prev_end:
            holes.append(Range(prev_end, r.start))
        prev_end = r.end
    if prev_end < tdmr.end:
        holes.append(Range(prev_end, tdmr.end))
    return holes


def chunks_inside(tdmr: Range, chunks: Sequence[Range]) -> list[Range]:
    """For each chunk that shares a page with `tdmr`, the part inside; in chunk order."""
    parts: list[Range] = []
    for chunk in chunks:
        start = max(chunk.start, tdmr.start)
        end = min(chunk.end, tdmr.end)
        if start < end:
            parts.append(Range(start, end))
    return parts


def reserve_areas(tdmr: Range, pieces: Sequence[Range], max_reserved: int) -> Reserved:
    """Add one area for each piece, in order, until done or one more than `max_reserved`."""
    areas: list[Area] = []
    count = 0
    for piece in pieces:
        offset = piece.start - tdmr.start
        if offset % PAGE != 0 or piece.end % PAGE != 0:
            return Reserved(areas, UNALIGNED)
        if count == max_reserved:
            return Reserved(areas, EXHAUSTED)
        areas.append(Area(offset, piece.end - piece.start))
        count += 1  # noqa: SIM113 - a plain counter, for the symbolic run
    return Reserved(areas, FILLED)


def sort_areas(areas: Sequence[Area]) -> tuple[tuple[Area, ...], int]:
    """Areas by ascending offset, and how often the comparison met two that overlap.

    Without an overlap this is plain sorting.  With one, the kernel's comparison warns and answers
    "smaller", so the order, and the number of warnings, depend on its sorting algorithm: a
    bottom-up heap sort, repeated here so that recorded runs of that kind agree as well.
    """
    ordered = sorted(areas)
    overlap = any(a.offset + a.size > b.offset for a, b in pairwise(ordered))
    return _heap_sort(list(areas)) if overlap else (tuple(ordered), 0)


def _heap_sort(items: list[Area]) -> tuple[tuple[Area, ...], int]:
    warnings = 0

    def not_smaller(a: Area, b: Area) -> bool:
        nonlocal warnings
        if a.offset + a.size <= b.offset:
            return False
        if a.offset < b.offset + b.size:
            warnings += 1
            return False
        return True

    def sift(root: int, length: int) -> None:
        # Go down along the larger children to a leaf, climb back to where the root belongs, then
        # turn the path by one place.
        at = root
        while 2 * at + 2 < length:
            left, right = 2 * at + 1, 2 * at + 2
            at = left if not_smaller(items[left], items[right]) else right
        if 2 * at + 1 == length - 1:
            at = 2 * at + 1
        while at != root and not_smaller(items[root], items[at]):
            at = (at - 1) // 2
        bottom = at
        while at != root:
            at = (at - 1) // 2
            items[at], items[bottom] = items[bottom], items[at]

    for root in range(len(items) // 2 - 1, -1, -1):
        sift(root, len(items))
    for last in range(len(items) - 1, 0, -1):
        items[0], items[last] = items[last], items[0]
        sift(0, last)
    return tuple(items), warnings
