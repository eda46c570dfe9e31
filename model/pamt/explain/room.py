"""How many pages must go, at least, before the free runs can hold every PAMT.  Counting only.

A chunk for N GiB is at least N times as large as one GiB's share of it, so a free run of a zone
holds the chunks of a known number of GiBs at most.  Withdrawing pages makes no run longer and moves
no zone's border outwards: if all runs together hold too few, GiBs must be rid of all their memory;
if each alone holds too little for a TDMR, the TDMR must be cut, and a page cuts at one border only.

Sources: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, tdmr_set_up_pamt; mm/page_alloc.c,
alloc_contig_pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pamt.explain.shortage import NEVER
from pamt.kernel.contig import zones_high_to_low
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.kernel.sizes import PAGES_PER_1G, PAGES_PER_2M, pamt_sizes
from pamt.machine import Limits, Machine, MemoryRange
from pamt.ranges import GIB, PAGE, Range, RangeSet, align_down
from pamt.standins import complete

__all__ = ["Room", "Share", "least_pages_for_room", "populated", "room_for", "share"]


class Share(NamedTuple):
    """Bytes of PAMT: `least` for a chunk, `each` for one GiB of a TDMR at the very least."""

    least: int
    each: int

    def fit(self, size: int) -> int:
        """GiBs whose chunks `size` contiguous bytes hold at most."""
        return size // self.each if size >= self.least else 0


def share(limits: Limits, dynamic: bool) -> Share:
    """What one GiB needs, with these entry sizes."""
    pages = GIB // PAGE
    entry_4k, entry_2m, entry_1g = limits.pamt_entry_size
    level_4k = pages * limits.pamt_page_bitmap_entry_bits // 8 if dynamic else pages * entry_4k
    each = level_4k + pages // PAGES_PER_2M * entry_2m + pages // PAGES_PER_1G * entry_1g
    return Share(pamt_sizes(GIB, limits, dynamic).total, max(each, 1))


def populated(listed: Iterable[MemoryRange]) -> dict[int, int]:
    """Pages of memory in each GiB that holds some, by the GiB's base."""
    found: dict[int, int] = {}
    for r in listed:
        for base in range(align_down(r.start, GIB), r.end, GIB):
            part = Range(base, base + GIB).clip(r.range)
            found[base] = found.get(base, 0) + part.size // PAGE
    return found


class Room(NamedTuple):
    """GiBs with memory, and for how many of them the free runs can hold the PAMTs at most."""

    gibs: int
    fit: int


def room_for(machine: Machine, dynamic: bool) -> Room:
    """Counted over whole free runs, as if no zone bound the scan; `machine` is completed."""
    one = share(machine.limits, dynamic)
    by_node: dict[int, list[Range]] = {}
    for f in machine.free or ():
        by_node.setdefault(f.node, []).append(f.range)
    fit = sum(one.fit(run.size) for runs in by_node.values() for run in RangeSet(runs))
    return Room(len(populated(build_memory_list(machine.memory or ()))), fit)


def least_pages_for_room(machine: Machine, dynamic: bool) -> int:
    """Pages below which no withdrawal lets every PAMT find room; NEVER if none does at all.

    0 where counting finds no shortage.  `machine` is as its file gives it, memory filled in.
    """
    listed = build_memory_list(machine.memory or ())
    done = complete(machine).machine
    by_node: dict[int, list[Range]] = {}
    for f in done.free or ():
        by_node.setdefault(f.node, []).append(f.range)
    one = share(machine.limits, dynamic)
    fitting: list[int] = []
    for node in done.nodes:
        free = RangeSet(by_node.get(node.id, ()))
        for zone in zones_high_to_low(node.zones or ()) if node.online else ():
            fitting += [one.fit(run.size) for run in free.within(zone.range)]
    room, most = sum(fitting), max(fitting, default=0)
    if not most:
        return NEVER
    gibs = populated(listed)
    costs = sorted(gibs.values())
    if len(costs) > room:
        return sum(costs[: len(costs) - room])
    tdmrs = lay_out_tdmrs(listed, len(listed)).tdmrs
    cuts = 0
    for tdmr in tdmrs:
        held = sum(base in gibs for base in range(*tdmr, GIB))
        cuts += max(0, -(-held // most) - 1)
    return min(cuts, costs[0]) if costs else 0
