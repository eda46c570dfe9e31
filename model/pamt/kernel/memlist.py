"""Stage 1: the list of memory that TDX is going to cover.

Source: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, build_tdx_memlist; for the CMR variants the
postings "Reduce TDMR's reserved areas by using CMRs to find memory holes" (2024, never merged).
"""

from __future__ import annotations

from collections.abc import Sequence

from pamt.machine import Cmr, MemoryRange
from pamt.ranges import MIB, Range

__all__ = ["LOW_MEMORY_END", "build_memory_list", "first_range_outside_cmrs", "trim_cmrs"]

LOW_MEMORY_END = 1 * MIB
"""Memory below this is dropped before anything else looks at it."""


def build_memory_list(memory: Sequence[MemoryRange]) -> list[MemoryRange]:
    """Memory ranges in address order, without what lies below 1 MiB.

    Ranges are never merged: two that touch stay two.
    """
    listed: list[MemoryRange] = []
    for r in memory:
        start = max(r.start, LOW_MEMORY_END)
        if start >= r.end:
            continue
        listed.append(MemoryRange(start, r.end, r.node, r.origin))
    return listed


def trim_cmrs(cmrs: Sequence[Cmr]) -> list[Range]:
    """CMRs up to the first null entry; what follows one is not looked at (variants cmr-*)."""
    kept: list[Range] = []
    for c in cmrs:
        if c.size == 0:
            break
        kept.append(Range(c.base, c.base + c.size))
    return kept


def first_range_outside_cmrs(
    listed: Sequence[MemoryRange], cmrs: Sequence[Range]
) -> MemoryRange | None:
    """The first range of the list that no single CMR contains whole (variant cmr-v8.2).

    Touching CMRs are not joined: a range across two of them counts as outside.
    """
    for r in listed:
        inside = False
        for c in cmrs:
            if c.start <= r.start and r.end <= c.end:
                inside = True
                break
        if not inside:
            return r
    return None
