"""The whole start-up: memory list, then three passes over all TDMRs, in the kernel's order.

A failure in pass 2 or 3 gives back every PAMT taken.  SEAMCALLs are taken to succeed here; what
the module says of the result is asked separately.

Source: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, init_tdx_module and construct_tdmrs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from pamt.kernel import messages
from pamt.kernel.areas import (
    EXHAUSTED,
    UNALIGNED,
    chunks_inside,
    find_holes,
    reserve_areas,
    sort_areas,
)
from pamt.kernel.contig import Placement
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list, first_range_outside_cmrs, trim_cmrs
from pamt.kernel.sizes import home_node, pamt_regions, pamt_sizes
from pamt.kernel.variants import Variant
from pamt.machine import Machine, MemoryRange
from pamt.outcome import EINVAL, ENOMEM, ENOSPC, SUCCESS, Message, Outcome, PlannedTdmr, Taken
from pamt.ranges import KIB, PAGE, Range

__all__ = ["ChunkSource", "construct"]


class ChunkSource(Protocol):
    """Where PAMT chunks come from; :class:`pamt.kernel.contig.ContigAllocator` is the kernel's."""

    def contig(self, size: int, node: int) -> Placement | None:
        """Take `size` contiguous bytes, `node` first; None when none fits."""

    def give_back(self, returned: Range, node: int) -> None:
        """Return pages taken before."""


def construct(machine: Machine, alloc: ChunkSource, variant: Variant) -> Outcome:
    """Run the start-up of `variant` on a machine whose stand-ins are filled in.

    Raises ValueError when memory or CMRs are missing (see :func:`pamt.standins.complete`).
    """
    if machine.memory is None or machine.cmrs is None:
        raise ValueError("the machine's stand-ins have not been filled in")
    limits = machine.limits
    said: list[Message] = []

    listed = build_memory_list(machine.memory)
    cmrs = trim_cmrs(machine.cmrs) if variant.holes_from_cmrs else []
    if variant.check_convertible:
        outside = _first_outside(listed, cmrs)
        if outside is not None:
            said.append(messages.not_convertible(outside.range))
            return _failed(EINVAL, "EINVAL_memlist_not_in_cmr", said, variant)

    layout = lay_out_tdmrs(listed, limits.max_tdmrs)
    if layout.exhausted:
        said.append(messages.tdmrs_exhausted())
        return _failed(ENOSPC, "ENOSPC_tdmrs", said, variant)
    # With an empty list the kernel goes on with the first record of its zeroed array.
    ranges = layout.tdmrs or [Range(0, 0)]
    if limits.max_tdmrs - len(ranges) < messages.TDMRS_LEFT_TO_WARN:
        said.append(messages.tdmrs_reaching_limit(len(ranges), limits.max_tdmrs))

    tdmrs, trace, enough = _allocate_pamts(machine, alloc, variant, ranges, listed, said)
    if not enough:
        failed = len(tdmrs) - 1
        tdmrs += [PlannedTdmr(r.start, r.size) for r in ranges[len(tdmrs) :]]
        trace = _give_back(alloc, trace)
        return _failed(ENOMEM, "ENOMEM_pamt", said, variant, tdmrs, failed, trace)

    present: Sequence[Range | MemoryRange] = cmrs if variant.holes_from_cmrs else listed
    ascending = not variant.holes_from_cmrs
    chunks = [taken.range for taken in trace]
    warnings = 0
    for index, tdmr in enumerate(ranges):
        # Ranges that end below the TDMR are passed over by the walk; skip them in one step.
        low = bisect_left(present, tdmr.start, key=_end) if ascending else 0
        holes = find_holes(tdmr, present[low:] if low else present)
        pieces = holes + chunks_inside(tdmr, chunks)
        reserved = reserve_areas(tdmr, pieces, limits.max_reserved_per_tdmr)
        if reserved.stop == EXHAUSTED:
            said.append(messages.areas_exhausted(tdmr))
            trace = _give_back(alloc, trace)
            return _failed(ENOSPC, "ENOSPC_reserved", said, variant, tdmrs, index, trace, warnings)
        if reserved.stop == UNALIGNED:
            trace = _give_back(alloc, trace)
            return _failed(
                EINVAL, "EINVAL_unaligned_area", said, variant, tdmrs, index, trace, warnings + 1
            )
        areas, met = sort_areas(reserved.areas)
        warnings += met
        tdmrs[index] = tdmrs[index]._replace(reserved=areas)

    if variant.dynamic_pamt:
        said.append(messages.dynamic_pamt())
    kilobytes = sum(taken.range.size for taken in trace) // KIB
    said += [messages.allocated(kilobytes), messages.initialized()]
    return Outcome(
        0,
        SUCCESS,
        tuple(tdmrs),
        messages=tuple(said),
        kernel_warnings=warnings,
        trace=tuple(trace),
        dynamic_pamt=variant.dynamic_pamt,
    )


def _first_outside(listed: Sequence[MemoryRange], cmrs: Sequence[Range]) -> MemoryRange | None:
    """:func:`first_range_outside_cmrs`, near linear when the CMRs are sorted and disjoint.

    Then only the first CMR that ends at or above a range's end can contain the range: a later one
    starts higher still.
    """
    if any(a.end > b.start for a, b in pairwise(cmrs)):
        return first_range_outside_cmrs(listed, cmrs)
    for r in listed:
        at = bisect_left(cmrs, r.end, key=_end)
        if first_range_outside_cmrs([r], cmrs[at : at + 1]) is not None:
            return r
    return None


def _allocate_pamts(
    machine: Machine,
    alloc: ChunkSource,
    variant: Variant,
    ranges: Sequence[Range],
    listed: Sequence[MemoryRange],
    said: list[Message],
) -> tuple[list[PlannedTdmr], list[Taken], bool]:
    """Pass 2: a chunk for every TDMR in index order; stops at the first that finds none."""
    tdmrs: list[PlannedTdmr] = []
    trace: list[Taken] = []
    for index, tdmr in enumerate(ranges):
        low = bisect_left(listed, tdmr.start, key=_end)
        node = home_node(tdmr, listed[low:] if low else listed)
        if node is None:
            said.append(messages.no_local_node(tdmr))
            node = 0
        sizes = pamt_sizes(tdmr.size, machine.limits, variant.dynamic_pamt)
        planned = PlannedTdmr(tdmr.start, tdmr.size, node, sizes.total // PAGE)
        found = alloc.contig(sizes.total, node)
        if found is None:
            tdmrs.append(planned)
            return tdmrs, trace, False
        tdmrs.append(
            planned._replace(
                pamts=pamt_regions(found.range.start, sizes),
                pamt_node=found.node,
                pamt_zone=found.zone,
            )
        )
        trace.append(Taken("take", found.range, found.node, found.zone, index))
    return tdmrs, trace, True


def _give_back(alloc: ChunkSource, trace: list[Taken]) -> list[Taken]:
    """The error path: return every chunk, in index order; the trace goes on with it."""
    for taken in trace:
        alloc.give_back(taken.range, taken.node)
    return trace + [taken._replace(action="give back") for taken in trace]


def _failed(
    ret: int,
    reason: str,
    said: list[Message],
    variant: Variant,
    tdmrs: Sequence[PlannedTdmr] = (),
    failed_tdmr: int | None = None,
    trace: Sequence[Taken] = (),
    warnings: int = 0,
) -> Outcome:
    return Outcome(
        ret,
        reason,
        tuple(tdmrs),
        failed_tdmr,
        (*said, messages.initialization_failed(ret)),
        warnings,
        tuple(trace),
        variant.dynamic_pamt,
    )


def _end(r: Range | MemoryRange) -> int:
    return r.end
