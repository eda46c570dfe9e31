"""PAMT totals from TDMR sizes alone, as the log's "KB allocated for PAMT" counts them."""

from __future__ import annotations

from collections.abc import Iterable

from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Limits
from pamt.ranges import KIB

__all__ = ["pamt_total_kb"]


def pamt_total_kb(tdmr_sizes: Iterable[int], limits: Limits, dynamic: bool = False) -> int:
    """KiB of the PAMTs of TDMRs of these sizes (bytes, whole GiBs).

    With 16-byte entries ``4104 N + 4 ceil(N / 256)`` for a TDMR of N GiB, so the total depends on
    the split as well: every TDMR has its own 1G level, of at least a page.
    Source: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, tdmr_get_pamt_sz.
    """
    return sum(pamt_sizes(size, limits, dynamic).total for size in tdmr_sizes) // KIB
