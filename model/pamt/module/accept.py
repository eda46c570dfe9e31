"""Accepted or not, as one formula over the whole configuration: fast, and without a reason.

What the ordered walk (:mod:`pamt.module.config`) finds check by check is here said at once: areas
and TDMRs are gone over once, PAMT regions are sorted once, and the CMR run and the usable part that
a region might hit are found by bisection.  Near-linear in the number of areas.

This is the one place where conditions of the module are written a second time.  That both answer
alike, for any number of TDMRs, areas, parts, regions and CMRs, is proved step by step from this
source (theorem T12), and tested on every recorded vector and on mutated configurations.

Source: TDX module 1.5.05, TDH.SYS.CONFIG, as an acceptance formula.
"""

# Plain loops and counters on purpose: this source is also run symbolically.
# ruff: noqa: SIM110

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from pamt.configuration import Configuration, Tdmr
from pamt.machine import Cmr, Limits
from pamt.module.call import default_call, records
from pamt.module.cmr import walk_cmr_list
from pamt.module.config import walk_call
from pamt.module.rules.operands import Operands, dynamic_asked, op_entry_ptr
from pamt.module.words import cmr_runs, need
from pamt.ranges import GIB, PAGE, Range

__all__ = [
    "accepts",
    "add_parts",
    "add_regions",
    "all_in_runs",
    "in_a_run",
    "pointers_good",
    "records_good",
    "regions_fit",
    "tdmr_fits",
]


def accepts(configuration: Configuration, cmrs: Sequence[Cmr], limits: Limits) -> bool:
    """Whether TDH.SYS.CONFIG answers TDX_SUCCESS; same arguments as `sys_config`."""
    if walk_cmr_list(cmrs, limits) is not None:
        return False
    operands = default_call(configuration, limits).operands
    if walk_call(operands, limits) is not None:
        return False
    if not pointers_good(operands, limits):
        return False
    tdmrs = records(configuration, operands.tdmr_count)
    return records_good(tdmrs, cmr_runs(cmrs), limits, dynamic_asked(operands, limits))


def pointers_good(operands: Operands, limits: Limits) -> bool:
    """Whether each record may lie where the call says."""
    for pa in operands.info_pa:
        if op_entry_ptr(pa, operands, limits):
            return False
    return True


def records_good(
    tdmrs: Sequence[Tdmr], runs: Sequence[Range], limits: Limits, dynamic: bool
) -> bool:
    """Whether the records of the call break no rule.  `runs`: the CMR runs."""
    starts: list[int] = []
    ends: list[int] = []
    regions: list[tuple[int, int]] = []
    last_end = 0
    for tdmr in tdmrs:
        if not tdmr_fits(tdmr, last_end, limits):
            return False
        if not add_parts(tdmr, limits.max_reserved_per_tdmr, starts, ends):
            return False
        if not add_regions(tdmr, limits, dynamic, regions):
            return False
        last_end = tdmr.base + tdmr.size
    run_starts = [run.start for run in runs]
    run_ends = [run.end for run in runs]
    if not all_in_runs(starts, ends, run_starts, run_ends):
        return False
    return regions_fit(sorted(regions), starts, ends, run_starts, run_ends)


def tdmr_fits(tdmr: Tdmr, last_end: int, limits: Limits) -> bool:
    """Whether a TDMR is whole GiBs, not before the end of the last one, below the ceiling."""
    if tdmr.base < last_end or tdmr.base % GIB != 0:
        return False
    if tdmr.size % GIB != 0 or tdmr.size == 0:
        return False
    return tdmr.base + tdmr.size <= limits.address_end


def add_parts(tdmr: Tdmr, slots: int, starts: list[int], ends: list[int]) -> bool:
    """Whether the areas of a TDMR that fits are good; what they leave over is added, ascending."""
    base = tdmr.base
    at = base
    used = 0
    ended = False
    for offset, size in tdmr.reserved:
        if size == 0:
            ended = True
            continue
        start = base + offset
        if ended or start < at or offset % PAGE != 0 or size % PAGE != 0:
            return False
        if at < start:
            starts.append(at)
            ends.append(start)
        at = start + size
        used += 1
    end = base + tdmr.size
    if at > end or used > slots:
        return False
    if at < end:
        starts.append(at)
        ends.append(end)
    return True


def add_regions(tdmr: Tdmr, limits: Limits, dynamic: bool, regions: list[tuple[int, int]]) -> bool:
    """Whether the PAMT regions are whole pages and large enough; they are added as (start, end).

    That a region ends below the ceiling follows from lying in a CMR run.  Only where one of no
    bytes begins has to be asked: it may stand on the end of the last run.
    """
    ceiling = limits.address_end
    for level, (base, size) in enumerate(tdmr.pamts):
        if base % PAGE != 0 or size % PAGE != 0 or base >= ceiling or base + size == 0:
            return False
        if size < need(tdmr.size, level, limits, dynamic):
            return False
        regions.append((base, base + size))
    return True


def in_a_run(start: int, end: int, run_starts: Sequence[int], run_ends: Sequence[int]) -> bool:
    """Whether one of the ascending, disjoint runs contains ``[start, end)``."""
    run = bisect_right(run_starts, start) - 1
    return run >= 0 and end <= run_ends[run]


def all_in_runs(
    starts: Sequence[int], ends: Sequence[int], run_starts: Sequence[int], run_ends: Sequence[int]
) -> bool:
    """Whether each of the stretches lies in a run."""
    for start, end in zip(starts, ends, strict=True):
        if not in_a_run(start, end, run_starts, run_ends):
            return False
    return True


def regions_fit(
    regions: Sequence[tuple[int, int]],
    part_starts: Sequence[int],
    part_ends: Sequence[int],
    run_starts: Sequence[int],
    run_ends: Sequence[int],
) -> bool:
    """Whether sorted regions are apart, each in a run, and off the ascending, disjoint parts."""
    last_end = 0
    for start, end in regions:
        if start < last_end or not in_a_run(start, end, run_starts, run_ends):
            return False
        # The last part that starts below the region's end is the only one that can reach into it.
        part = bisect_left(part_starts, end) - 1
        if part >= 0 and part_ends[part] > start:
            return False
        last_end = end
    return True
