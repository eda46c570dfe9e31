"""Stage 2: lay out the TDMRs.

    list     |--r0--|   |-r1-|        |----r2----|
    GiB    |         |         |         |         |
    TDMRs  |<------- T0 ------>|<------- T1 ------>|      r1 ends inside T0: no TDMR of its own

Source: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, fill_out_tdmrs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.machine import MemoryRange
from pamt.ranges import GIB, Range, align_down, align_up

__all__ = ["Layout", "lay_out_tdmrs"]


class Layout(NamedTuple):
    """TDMR ranges in order; `exhausted` when one more than the limit was needed."""

    tdmrs: list[Range]
    exhausted: bool


def lay_out_tdmrs(listed: Sequence[MemoryRange], max_tdmrs: int) -> Layout:
    """One TDMR for each range of the list, from whole GiBs, less what the last TDMR covers.

    Only the last TDMR is looked at, and TDMRs that touch are not merged.  An empty list gives no
    TDMR here (the kernel then goes on with one of size 0, see :mod:`pamt.kernel.construct`).
    """
    tdmrs: list[Range] = []
    count = 0
    last_end = 0
    for r in listed:
        base = align_down(r.start, GIB)
        end = align_up(r.end, GIB)
        if end <= last_end:
            continue
        base = max(base, last_end)
        if count == max_tdmrs:
            return Layout(tdmrs, True)
        tdmrs.append(Range(base, end))
        count += 1
        last_end = end
    return Layout(tdmrs, False)
