"""How many pages must go, at least, where chunks stay in a crowded TDMR whatever is withdrawn.

Take a GiB `c`, the last of a TDMR, in which the first zone begins that some home node scans.  As
long as any slot inside `c` is free, a chunk of that home node lands there, for the scan takes the
lowest one.  Sending it elsewhere takes so many pages that it cannot be done for less than `B`:

* in a run that works, no more than the limit of areas are holes, or chunks, of the TDMR of `c`;
* so withdrawn pages lie in at most (holes now + limit) stretches, chunks in at most (limit), and
  they cut the free runs of `c` into at most (runs + holes now + 2 limit) pieces;
* a piece of L bytes holds at least L / size - 2 slots, wherever their grid begins;
* what is free in `c` is no less than now, less B and the chunks.

If that leaves a slot for the largest chunk, all chunks of that home node lie in `c`.  TDMRs keep
their ends, and are no larger than now, while B is less than what ranges hold of any GiB in which
they end.  With `q` chunks there to stay, the holes have to make do with the limit less `q`.

Sources: Linux v6.8 mm/page_alloc.c, alloc_contig_pages; arch/x86/virt/vmx/tdx/tdx.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.explain.shortage import crowding, ends_by_cell
from pamt.kernel.contig import zones_high_to_low
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Machine, MemoryRange
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.standins import complete

__all__ = ["least_pages_with_chunks"]


class _Home(NamedTuple):
    """A TDMR whose memory is all of one node."""

    node: int
    size: int
    """Of its chunk, bytes."""


def least_pages_with_chunks(machine: Machine, dynamic: bool) -> int:
    """Pages below which no withdrawal lets holes and the chunks that stay share a TDMR's areas.

    0 where this shows nothing.  `machine` is as its file gives it, memory filled in; holes are
    those of the memory list.
    """
    listed = build_memory_list(machine.memory or ())
    limits = machine.limits
    tdmrs = lay_out_tdmrs(listed, len(listed)).tdmrs
    ends = ends_by_cell(listed)
    if not ends:
        return 0
    keeps_ends = min(sum(part.size for part in parts) // PAGE for parts in ends.values())
    homes = [_home(tdmr, listed, machine, dynamic) for tdmr in tdmrs]
    largest = max(pamt_sizes(t.size, limits, dynamic).total for t in tdmrs)
    done = complete(machine).machine
    best = 0
    for tdmr in tdmrs:
        cell = Range(tdmr.end - GIB, tdmr.end)
        crowd = crowding(tdmr, listed)
        for node in done.nodes:
            zones = zones_high_to_low(node.zones or ())
            first = (node.fallback or (node.id,))[0] == node.id
            if not node.online or not first or not zones or zones[0].start < cell.start:
                continue
            window = zones[0].range.clip(cell)
            free = RangeSet(f.range for f in done.free or () if f.node == node.id).within(window)
            here = sorted(home.size for home in homes if home and home.node == node.id)
            pieces = len(free) + crowd.holes + 2 * limits.max_reserved_per_tdmr
            for staying in range(len(here), 0, -1):
                allowed = limits.max_reserved_per_tdmr - staying
                pages = crowd.least_pages(allowed) if allowed >= 0 else crowd.all_pages
                pages = min(pages, keeps_ends)
                left = free.size - pages * PAGE - limits.max_reserved_per_tdmr * largest
                if left > 2 * here[staying - 1] * pieces:
                    best = max(best, pages)
                    break
    return best


def _home(
    tdmr: Range, listed: Sequence[MemoryRange], machine: Machine, dynamic: bool
) -> _Home | None:
    nodes = {r.node for r in listed if r.range.overlaps(tdmr)}
    if len(nodes) != 1:
        return None
    return _Home(nodes.pop(), pamt_sizes(tdmr.size, machine.limits, dynamic).total)
