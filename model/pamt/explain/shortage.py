"""How many pages must go, at least, before the kernel's areas and TDMRs can be enough.

Counting only, no run of a policy: sound for every policy that lays TDMRs out like the kernel and
takes holes from the memory list.

**Where TDMRs end.**  The kernel's layout ends a TDMR at GiB border g exactly when some range of the
list ends in the GiB below g.  So all ranges inside a TDMR end in its last GiB, and its holes are
those of the last GiB, and one more before its first memory if that lies in an earlier GiB:

    TDMR      |.....==|=======|=======|==..==.===...|
    ends                                ^    ^  ^      all in the last GiB
    holes       head                    gaps, tail

**Holes.**  Withdrawing pages joins two holes of a GiB only by taking away everything between them
(an *island*); it never makes one go otherwise.  The head goes by a cut of the TDMR, for one page or
more outside those islands (below the last GiB, or at its very start).  Pages that one TDMR needs
lie inside it, so the needs of TDMRs add up.

**TDMRs.**  There is one for each GiB in which a range ends.  Such a GiB is rid of its ends only
when all that it holds of the ranges ending there is withdrawn.

Sources: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, fill_out_tdmrs, tdmr_populate_rsvd_areas.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.machine import Machine, MemoryRange
from pamt.ranges import GIB, PAGE, Range, RangeSet, align_up

__all__ = ["NEVER", "Crowding", "crowding", "ends_by_cell", "least_pages", "outside_cmrs"]

NEVER = 1 << 52
"""A bound that no number of pages reaches: withdrawing is proven not to help."""


def outside_cmrs(machine: Machine) -> RangeSet:
    """Memory at or above 1 MiB that no run of CMRs holds."""
    memory = RangeSet(r.range for r in build_memory_list(machine.memory or ()))
    return memory - RangeSet(c.range for c in machine.cmrs or () if c.size)


class Crowding(NamedTuple):
    """Holes of one TDMR, and what could make them fewer."""

    holes: int
    head: Range | None
    """What a cut takes away: memory below the last GiB, if a hole lies before it."""
    islands: tuple[Range, ...]
    """Memory between two holes of the last GiB, smallest first."""
    all_pages: int
    """Pages of memory in the last GiB."""

    def least_pages(self, limit: int) -> int:
        """Pages below which the holes stay above `limit`."""
        over = self.holes - limit
        if over <= 0:
            return 0
        least = self._islands(over)
        return min(least, 1 + self._islands(over - 1)) if self.head is not None else least

    def _islands(self, number: int) -> int:
        if number > len(self.islands):
            return self.all_pages
        return sum(island.size for island in self.islands[:number]) // PAGE


def crowding(tdmr: Range, listed: Sequence[MemoryRange]) -> Crowding:
    """The holes of a TDMR of the kernel's layout."""
    last = Range(tdmr.end - GIB, tdmr.end)
    memory = RangeSet(r.range for r in listed if r.end > tdmr.start and r.start < tdmr.end)
    inside = memory.within(last)
    gaps = inside.complement(last)
    below = memory.within(Range(tdmr.start, last.start))
    head = None
    if below and below.span.start > tdmr.start:
        head = below.span
    edges = {last.start, last.end}
    islands = [r for r in inside if r.start not in edges and r.end not in edges]
    islands.sort(key=lambda r: (r.size, r.start))
    return Crowding(len(gaps) + (head is not None), head, tuple(islands), inside.size // PAGE)


def ends_by_cell(listed: Sequence[MemoryRange]) -> dict[int, tuple[Range, ...]]:
    """For each GiB border where a TDMR ends: what the GiB below it holds of ranges ending there."""
    found: dict[int, list[Range]] = {}
    for r in listed:
        border = align_up(r.end, GIB)
        found.setdefault(border, []).append(Range(max(r.start, border - GIB), r.end))
    return {border: tuple(parts) for border, parts in found.items()}


def least_pages(machine: Machine, *, holes: bool = True) -> int:
    """Pages below which no withdrawal lets the kernel's layout and areas be enough.

    0 where counting finds no shortage.  `holes` False: the policy does not take holes from the
    memory list, and only TDMRs are counted.
    """
    listed = build_memory_list(machine.memory or ())
    limits = machine.limits
    ends = ends_by_cell(listed)
    over = len(ends) - limits.max_tdmrs
    if over > 0:
        costs = sorted(sum(part.size for part in parts) // PAGE for parts in ends.values())
        return sum(costs[:over])
    if not holes:
        return 0
    tdmrs = lay_out_tdmrs(listed, limits.max_tdmrs).tdmrs
    limit = limits.max_reserved_per_tdmr
    if len(tdmrs) == 1 and tdmrs[0].size == GIB:
        # There will be no other TDMR, so this one holds its own chunk.
        limit -= 1
    return sum(crowding(tdmr, listed).least_pages(limit) for tdmr in tdmrs)
