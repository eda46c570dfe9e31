"""TDH.SYS.CONFIG, check by check, in the module's own order; the first that fails decides.

The order matters and is not rule by rule: all checks of TDMR 0 come before TDMR 1 is even read, so
a fault of TDMR 0 hides any of TDMR 1, and a conflict between the two is found at TDMR 1.  The
module's lock and state (TDX_SYS_BUSY, TDX_SYS_CONFIG_NOT_PENDING) come first there; they are
outside of a map, and taken to be in order.

Source: TDX module 1.5.05, TDH.SYS.CONFIG, and later ones with dynamic PAMT.
"""

# Plain loops and counters on purpose: this source is also run symbolically.
# ruff: noqa: SIM110, SIM113

from __future__ import annotations

from collections.abc import Sequence

from pamt.configuration import Area, Configuration, Pamt, Tdmr
from pamt.machine import Cmr, Limits
from pamt.module.call import default_call, records
from pamt.module.cmr import walk_cmr_list
from pamt.module.finding import Finding, to_status
from pamt.module.rules.convertible import p_cmr, t_cmr
from pamt.module.rules.operands import (
    Operands,
    dynamic_asked,
    op_entry_ptr,
    op_r8,
    op_rcx,
    op_rdx,
)
from pamt.module.rules.overlaps import pa_avail, pp_other, pp_same
from pamt.module.rules.pamt import p_align, p_base_pa, p_end_pa, p_size, p_wrap
from pamt.module.rules.reserved import (
    r_align,
    r_base_wrap,
    r_count,
    r_null_gap,
    r_outside,
    r_overlap,
    r_sort,
    r_wrap,
)
from pamt.module.rules.tdmr import t_align, t_base_pa, t_end_pa, t_overlap, t_sort, t_wrap
from pamt.module.status import Status
from pamt.module.words import available, cmr_runs, need
from pamt.ranges import Range

__all__ = [
    "default_call",
    "sys_config",
    "walk_call",
    "walk_conflicts",
    "walk_pamts",
    "walk_reserved",
    "walk_tdmr",
    "walk_tdmrs",
]

LEVELS_UP = (0, 1, 2)
"""4K, 2M, 1G: the order of the overlap rules."""

LEVELS_DOWN = (2, 1, 0)
"""1G, 2M, 4K: the order of the rules about one region."""


def sys_config(configuration: Configuration, cmrs: Sequence[Cmr], limits: Limits) -> Status:
    """What TDH.SYS.CONFIG answers.

    A CMR list that TDH.SYS.INIT refuses never gets there: the answer is then TDX_CMR_LIST_INVALID.
    Operands that the configuration leaves open are :func:`default_call`'s.  `limits` stand in place
    of the module's 64 TDMRs, 16 areas and 16-byte entries.  Every field must be an unsigned 64-bit
    value.
    """
    return to_status(_first_failing(configuration, cmrs, limits))


def _first_failing(
    configuration: Configuration, cmrs: Sequence[Cmr], limits: Limits
) -> Finding | None:
    found = walk_cmr_list(cmrs, limits)
    if found is not None:
        return found
    operands = default_call(configuration, limits).operands
    found = walk_call(operands, limits)
    if found is not None:
        return found
    tdmrs = records(configuration, operands.tdmr_count)
    return walk_tdmrs(tdmrs, operands, cmr_runs(cmrs), limits)


def walk_call(operands: Operands, limits: Limits) -> Finding | None:
    """Checks 3 to 5a, once per call."""
    if op_rcx(operands, limits):
        return Finding("OP_RCX")
    if op_rdx(operands, limits):
        return Finding("OP_RDX")
    if op_r8(operands, limits):
        return Finding("OP_R8")
    return None


def walk_tdmrs(
    tdmrs: Sequence[Tdmr], operands: Operands, runs: Sequence[Range], limits: Limits
) -> Finding | None:
    """Checks 6 to 19, TDMR by TDMR.  `runs`: the CMR runs."""
    dynamic = dynamic_asked(operands, limits)
    earlier: list[Tdmr] = []
    parts: list[list[Range]] = []
    index = 0
    for tdmr in tdmrs:
        if op_entry_ptr(operands.info_pa[index], operands, limits):
            return Finding("OP_ENTRY_PTR")
        found = walk_tdmr(index, tdmr, earlier, limits)
        if found is not None:
            return found
        found = walk_reserved(index, tdmr, limits)
        if found is not None:
            return found
        found = walk_pamts(index, tdmr, limits, dynamic)
        if found is not None:
            return found
        own_parts = available(tdmr)
        found = walk_conflicts(index, tdmr, earlier, own_parts, parts)
        if found is not None:
            return found
        for level in LEVELS_DOWN:
            if p_cmr(tdmr.pamts[level], runs):
                return Finding("P_CMR", tdmr=index, level=level)
        if t_cmr(own_parts, runs):
            return Finding("T_CMR", tdmr=index)
        earlier.append(tdmr)
        parts.append(own_parts)
        index += 1
    return None


def walk_tdmr(index: int, tdmr: Tdmr, earlier: Sequence[Tdmr], limits: Limits) -> Finding | None:
    """Checks 7 to 12.  `earlier`: the TDMRs before, all of which passed."""
    if t_wrap(tdmr):
        return Finding("T_WRAP", tdmr=index)
    if index > 0:
        if t_sort(earlier[index - 1], tdmr):
            return Finding("T_SORT", tdmr=index)
        if t_overlap(earlier[index - 1], tdmr):
            return Finding("T_OVERLAP", tdmr=index)
    if t_align(tdmr):
        return Finding("T_ALIGN", tdmr=index)
    if t_base_pa(tdmr, limits):
        return Finding("T_BASE_PA", tdmr=index)
    if t_end_pa(tdmr, limits):
        return Finding("T_END_PA", tdmr=index)
    return None


def walk_reserved(index: int, tdmr: Tdmr, limits: Limits) -> Finding | None:
    """Checks 13a to 13g for each entry; entries that a configuration does not list are null."""
    null = Area(0, 0)
    listed = len(tdmr.reserved)
    slots = limits.max_reserved_per_tdmr
    previous = null
    at = 0
    for area in tdmr.reserved:
        if at >= slots:
            if r_count(area):
                return Finding("R_COUNT", tdmr=index, area=at)
            at += 1
            continue
        following = null
        if at + 1 < slots and at + 1 < listed:
            following = tdmr.reserved[at + 1]
        if r_null_gap(area, following):
            return Finding("R_NULL_GAP", tdmr=index, area=at)
        if area.size != 0:
            if r_wrap(area):
                return Finding("R_WRAP", tdmr=index, area=at)
            if at > 0:
                if r_sort(previous, area):
                    return Finding("R_SORT", tdmr=index, area=at)
                if r_overlap(previous, area):
                    return Finding("R_OVERLAP", tdmr=index, area=at)
            if r_align(area):
                return Finding("R_ALIGN", tdmr=index, area=at)
            if r_base_wrap(tdmr, area):
                return Finding("R_BASE_WRAP", tdmr=index, area=at)
            if r_outside(tdmr, area):
                return Finding("R_OUTSIDE", tdmr=index, area=at)
        previous = area
        at += 1
    return None


def walk_pamts(index: int, tdmr: Tdmr, limits: Limits, dynamic: bool) -> Finding | None:
    """Checks 14a to 14e for each level, 1G first."""
    for level in LEVELS_DOWN:
        pamt = tdmr.pamts[level]
        if p_wrap(pamt):
            return Finding("P_WRAP", tdmr=index, level=level)
        if p_align(pamt):
            return Finding("P_ALIGN", tdmr=index, level=level)
        if p_base_pa(pamt, limits):
            return Finding("P_BASE_PA", tdmr=index, level=level)
        if p_end_pa(pamt, limits):
            return Finding("P_END_PA", tdmr=index, level=level)
        if p_size(pamt, need(tdmr.size, level, limits, dynamic)):
            return Finding("P_SIZE", tdmr=index, level=level)
    return None


def walk_conflicts(
    index: int,
    tdmr: Tdmr,
    earlier: Sequence[Tdmr],
    own_parts: Sequence[Range],
    parts: Sequence[Sequence[Range]],
) -> Finding | None:
    """Checks 15 to 17: PAMT against PAMT, PAMT against usable parts.

    `own_parts` are the usable parts of `tdmr`, `parts` those of the TDMRs in `earlier`.
    """
    other = 0
    for before in earlier:
        for level in LEVELS_UP:
            if _hits_any(tdmr.pamts[level], before):
                return Finding("PP_OTHER", tdmr=index, level=level, other=other)
        other += 1
    if pp_same(tdmr.pamt_4k, tdmr.pamt_2m):
        return Finding("PP_SAME", tdmr=index, level=0, other=index)
    if pp_same(tdmr.pamt_4k, tdmr.pamt_1g):
        return Finding("PP_SAME", tdmr=index, level=0, other=index)
    if pp_same(tdmr.pamt_2m, tdmr.pamt_1g):
        return Finding("PP_SAME", tdmr=index, level=1, other=index)
    other = 0
    for before in earlier:
        for level in LEVELS_UP:
            if pa_avail(tdmr.pamts[level], parts[other]):
                return Finding("PA_AVAIL", tdmr=index, level=level, other=other)
        for level in LEVELS_UP:
            if pa_avail(before.pamts[level], own_parts):
                return Finding("PA_AVAIL", tdmr=other, level=level, other=index)
        other += 1
    for level in LEVELS_UP:
        if pa_avail(tdmr.pamts[level], own_parts):
            return Finding("PA_AVAIL", tdmr=index, level=level, other=index)
    return None


def _hits_any(pamt: Pamt, earlier: Tdmr) -> bool:
    for level in LEVELS_UP:
        if pp_other(pamt, earlier.pamts[level]):
            return True
    return False
