"""TDH.SYS.INIT's check of the CMR list.

Source: TDX module 1.5.05, TDH.SYS.INIT.  The check that no SMRR overlaps a CMR, which follows it
there, is outside of a map.
"""

# Plain loops and counters on purpose: this source is also run symbolically.
# ruff: noqa: SIM113

from __future__ import annotations

from collections.abc import Sequence

from pamt.machine import Cmr, Limits
from pamt.module.finding import Finding, to_status
from pamt.module.rules.cmr import c_align, c_base_pa, c_end_pa, c_order, c_wrap
from pamt.module.status import Status
from pamt.module.words import cmr_runs

__all__ = ["check_cmr_list", "cmr_runs", "walk_cmr_list"]


def check_cmr_list(cmrs: Sequence[Cmr], limits: Limits) -> Status:
    """TDX_SUCCESS, or TDX_CMR_LIST_INVALID with the first entry that fails (`cmr`) and its rule.

    A list without any CMR passes.  How many entries there are is not looked at: the module's table
    always has 32.  Every field must be an unsigned 64-bit value.
    """
    return to_status(walk_cmr_list(cmrs, limits))


def walk_cmr_list(cmrs: Sequence[Cmr], limits: Limits) -> Finding | None:
    """The first entry that fails, in table order, and why; None if all pass."""
    previous = Cmr(0, 0)
    index = 0
    for cmr in cmrs:
        if cmr.size != 0:
            if c_wrap(cmr):
                return Finding("C_WRAP", cmr=index)
            if c_base_pa(cmr, limits):
                return Finding("C_BASE_PA", cmr=index)
            if c_end_pa(cmr, limits):
                return Finding("C_END_PA", cmr=index)
            if c_align(cmr):
                return Finding("C_ALIGN", cmr=index)
            if c_order(previous, cmr):
                return Finding("C_ORDER", cmr=index)
            previous = cmr
        index += 1
    return None
