"""PAMT regions against each other and against the usable parts of TDMRs; order 4K, 2M, 1G."""

# Plain loops and counters on purpose: this source is also run symbolically.
# ruff: noqa: SIM110

from __future__ import annotations

from collections.abc import Sequence

from pamt.configuration import Pamt
from pamt.module.registry import rule
from pamt.module.words import overlap
from pamt.ranges import Range

__all__ = ["pa_avail", "pp_other", "pp_same"]


@rule("PP_OTHER", "TDX_PAMT_OVERLAP", "15")
def pp_other(pamt: Pamt, earlier: Pamt) -> bool:
    """The PAMT region overlaps one of an earlier TDMR.  Touching is allowed.

    Status: TDX_PAMT_OVERLAP, b0 = TDMR, b1 = level of its region, b2 = the earlier TDMR.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    return overlap(pamt.base, pamt.size, earlier.base, earlier.size)


@rule("PP_SAME", "TDX_PAMT_OVERLAP", "16")
def pp_same(pamt: Pamt, other: Pamt) -> bool:
    """Two PAMT regions of the TDMR overlap; pairs in the order 4K-2M, 4K-1G, 2M-1G.

    Status: TDX_PAMT_OVERLAP, b0 = TDMR, b1 = level of the first of the pair, b2 = TDMR again.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    return overlap(pamt.base, pamt.size, other.base, other.size)


@rule("PA_AVAIL", "TDX_PAMT_OVERLAP", "17")
def pa_avail(pamt: Pamt, parts: Sequence[Range]) -> bool:
    """The PAMT region overlaps a part of a TDMR (any so far, its own too) that is not reserved.

    Status: TDX_PAMT_OVERLAP, b0 = TDMR that owns the PAMT, b1 = its level, b2 = the TDMR it hits.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    for part in parts:
        if overlap(pamt.base, pamt.size, part.start, part.end - part.start):
            return True
    return False
