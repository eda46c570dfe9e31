"""Stage 3b: find physically contiguous room for a chunk, the way alloc_contig_pages scans.

For every node in the fallback order of the wanted one, for every zone from Normal down to DMA, the
kernel tries *slots*: places at a fixed stride of the chunk's own size, counted from a first slot
that depends on where the zone starts.  A slot is good when all its pages are free and of that node.

    zone      |.......................................|
    slots         |  s0  |  s1  |  s2  |  s3  |  s4  |
    free runs   |======|      |=============|             only s3 fits, though s1 is half free

Source: Linux v6.8 mm/page_alloc.c, alloc_contig_pages.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pamt.machine import FreeRun, Node, Zone
from pamt.ranges import PAGE, Range, RangeSet

__all__ = ["ContigAllocator", "Placement", "first_slot", "first_slot_address", "zones_high_to_low"]

SCANNED_ZONES = ("Normal", "DMA32", "DMA")
"""Zones that are scanned, high to low; Movable never is."""


class Placement(NamedTuple):
    """Contiguous pages found: where, of which node, in which zone."""

    range: Range
    node: int
    zone: str


def first_slot_address(zone_start: int, size: int) -> int:
    """Where the scan of a zone begins, for a chunk of `size` bytes.

    The kernel rounds up with the formula for powers of two, applied to a size that seldom is one:
    the result lies in ``[zone_start, zone_start + size)`` and need not be a multiple of `size`.
    """
    mask = size - PAGE
    return (zone_start + mask) & ~mask


def first_slot(zone: Range, size: int, runs: Sequence[Range]) -> int | None:
    """Address of the lowest slot of `zone` that lies inside one of `runs`; None if none does.

    `runs` are the free runs of the node: ascending, disjoint, touching ones joined.  `size` > 0.
    Slots are not walked one by one: the first slot at or above a run's start has a closed form.
    """
    first = first_slot_address(zone.start, size)
    for run in runs:
        if run.start + size > zone.end:
            break
        if run.end - run.start < size:
            continue
        slot = first
        if run.start > first:
            slot = first + -((first - run.start) // size) * size
        if slot + size <= run.end and slot + size <= zone.end:
            return slot
    return None


def zones_high_to_low(zones: Sequence[Zone]) -> list[Zone]:
    """The zones of a node that are scanned, in the order of the scan."""
    ordered: list[Zone] = []
    for name in SCANNED_ZONES:
        for zone in zones:
            if zone.name == name:
                ordered.append(zone)
    return ordered


class ContigAllocator:
    """The free runs of a machine, from which chunks are taken and given back.

    Nodes must have their zones and fallback order filled in (:func:`pamt.standins.complete`).
    """

    def __init__(self, nodes: Iterable[Node], free: Iterable[FreeRun]) -> None:
        self._nodes = {node.id: node for node in nodes}
        by_node: dict[int, list[tuple[int, int]]] = {}
        for run in free:
            by_node.setdefault(run.node, []).append((run.start, run.end))
        self._free = {node: list(RangeSet(runs).runs) for node, runs in by_node.items()}
        # Between two searches free runs only shrink, so a search for the same size in the same
        # zone need not look below the slot found before.  Emptied when pages come back.
        self._resume: dict[tuple[int, Zone, int], int] = {}

    @property
    def nodes(self) -> dict[int, Node]:
        """Nodes by id."""
        return self._nodes

    def free_runs(self, node: int) -> tuple[Range, ...]:
        """What is free on `node` now: ascending, disjoint, touching runs joined."""
        return tuple(self._free.get(node, ()))

    def contig(self, size: int, node: int) -> Placement | None:
        """Take a chunk of `size` bytes as the kernel does, `node` first; None when none fits.

        A size of 0 finds nothing.
        """
        if size <= 0 or node not in self._nodes:
            return None
        for candidate in self._nodes[node].fallback or (node,):
            found = self._scan_node(candidate, size)
            if found is not None:
                self.take(found.range, found.node)
                return found
        return None

    def _scan_node(self, node: int, size: int) -> Placement | None:
        known = self._nodes.get(node)
        if known is None or not known.online:
            return None
        runs = self._free.get(node, [])
        for zone in zones_high_to_low(known.zones or ()):
            key = (node, zone, size)
            low = self._resume.get(key, zone.start)
            at = bisect_right(runs, low, key=_end)
            slot = first_slot(zone.range, size, runs[at:] if at else runs)
            self._resume[key] = zone.end if slot is None else slot
            if slot is not None:
                return Placement(Range(slot, slot + size), node, zone.name)
        return None

    def take(self, wanted: Range, node: int) -> None:
        """Remove `wanted` from the free runs of `node`.

        Raises ValueError when a page of it is not free.
        """
        runs = self._free.get(node, [])
        at = bisect_right(runs, wanted.start, key=_end)
        if wanted.is_empty or at == len(runs) or not runs[at].contains(wanted):
            raise ValueError(f"{wanted} is not free on node {node}")
        run = runs[at]
        left = Range(run.start, wanted.start)
        right = Range(wanted.end, run.end)
        runs[at : at + 1] = [piece for piece in (left, right) if not piece.is_empty]

    def give_back(self, returned: Range, node: int) -> None:
        """Put `returned` back among the free runs of `node`, joining what touches.

        Raises ValueError when a page of it is free already.
        """
        runs = self._free.setdefault(node, [])
        low = bisect_left(runs, returned.start, key=_end)
        high = low
        while high < len(runs) and runs[high].start <= returned.end:
            if runs[high].overlaps(returned):
                raise ValueError(f"{returned} is already free, in part, on node {node}")
            high += 1
        start = min([returned.start, *(run.start for run in runs[low:high])])
        end = max([returned.end, *(run.end for run in runs[low:high])])
        runs[low:high] = [Range(start, end)]
        self._resume.clear()


def _end(run: Range) -> int:
    return run.end
