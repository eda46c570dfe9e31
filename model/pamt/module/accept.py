"""Accepted or not, as one formula over the whole configuration: fast, and without a reason.

What the ordered walk (:mod:`pamt.module.config`) finds check by check is here said at once: sorted
areas and TDMRs are walked with one finger on the CMR runs, PAMT regions are sorted once, and the
usable parts they might hit are found by bisection.  Near-linear in the number of areas.

This is the one place where conditions are written a second time; that both agree is tested on
every recorded vector and on mutated configurations.

Source: TDX module 1.5.05, TDH.SYS.CONFIG, as an acceptance formula.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from pamt.configuration import Configuration, Tdmr
from pamt.machine import Cmr, Limits
from pamt.module.call import default_call, records
from pamt.module.cmr import walk_cmr_list
from pamt.module.rules.operands import dynamic_asked, op_entry_ptr, op_r8, op_rcx, op_rdx
from pamt.module.words import cmr_runs, need
from pamt.ranges import GIB, PAGE, Range

__all__ = ["accepts"]


def accepts(configuration: Configuration, cmrs: Sequence[Cmr], limits: Limits) -> bool:
    """Whether TDH.SYS.CONFIG answers TDX_SUCCESS; same arguments as `sys_config`."""
    if walk_cmr_list(cmrs, limits) is not None:
        return False
    operands = default_call(configuration, limits).operands
    if op_rcx(operands, limits) or op_rdx(operands, limits) or op_r8(operands, limits):
        return False
    tdmrs = records(configuration, operands.tdmr_count)
    for at in range(operands.tdmr_count):
        if op_entry_ptr(operands.info_pa[at], operands, limits):
            return False
    runs = cmr_runs(cmrs)
    parts = _usable_parts(tdmrs, runs, limits)
    if parts is None:
        return False
    return _pamts_fit(tdmrs, parts, runs, limits, dynamic_asked(operands, limits))


def _usable_parts(
    tdmrs: Sequence[Tdmr], runs: Sequence[Range], limits: Limits
) -> tuple[list[int], list[int]] | None:
    """Starts and ends of what no area reserves, ascending; None if a TDMR or an area is wrong."""
    address_end = limits.address_end
    slots = limits.max_reserved_per_tdmr
    starts: list[int] = []
    ends: list[int] = []
    last_end = 0
    for tdmr in tdmrs:
        base, size = tdmr.base, tdmr.size
        end = base + size
        if base < last_end or (base | size) % GIB or size == 0 or end > address_end:
            return None
        last_end = end
        at = base
        used = 0
        areas = iter(tdmr.reserved)
        for offset, area_size in areas:
            if area_size == 0:
                break
            used += 1
            start = base + offset
            if start < at or (offset | area_size) % PAGE:
                return None
            if start > at:
                starts.append(at)
                ends.append(start)
            at = start + area_size
        if at > end or used > slots:
            return None
        for _offset, area_size in areas:
            if area_size:
                return None
        if at < end:
            starts.append(at)
            ends.append(end)
    return (starts, ends) if _inside(starts, ends, runs) else None


def _inside(starts: Sequence[int], ends: Sequence[int], runs: Sequence[Range]) -> bool:
    """Whether each of the ascending, disjoint stretches lies in one of the ascending runs."""
    following = iter(runs)
    run_start = run_end = 0
    for start, end in zip(starts, ends, strict=True):
        while run_end < end:
            run = next(following, None)
            if run is None:
                return False
            run_start, run_end = run
        if start < run_start:
            return False
    return True


def _pamts_fit(
    tdmrs: Sequence[Tdmr],
    parts: tuple[list[int], list[int]],
    runs: Sequence[Range],
    limits: Limits,
    dynamic: bool,
) -> bool:
    """Whether the PAMT regions are aligned, large enough, apart, convertible and off the parts.

    That they end below the address ceiling follows from lying in a CMR.
    """
    regions: list[tuple[int, int]] = []
    for tdmr in tdmrs:
        for level, (base, size) in enumerate(tdmr.pamts):
            if (base | size) % PAGE:
                return False
            if size < need(tdmr.size, level, limits, dynamic) or base + size == 0:
                return False
            regions.append((base, base + size))
    regions.sort()
    part_starts, part_ends = parts
    run_starts = [run.start for run in runs]
    last_end = 0
    for start, end in regions:
        if start < last_end:
            return False
        last_end = end
        run = bisect_right(run_starts, start) - 1
        if run < 0 or end > runs[run].end:
            return False
        # The last part that starts below the region's end is the only one that can reach into it.
        part = bisect_left(part_starts, end) - 1
        if part >= 0 and part_ends[part] > start:
            return False
    return True
