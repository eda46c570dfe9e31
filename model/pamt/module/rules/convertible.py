"""PAMT regions (order 1G, 2M, 4K) and the usable parts of a TDMR must lie in CMR runs."""

# Plain loops and counters on purpose: this source is also run symbolically.
# ruff: noqa: SIM110

from __future__ import annotations

from collections.abc import Sequence

from pamt.configuration import Pamt
from pamt.module.registry import rule
from pamt.module.words import inside_runs
from pamt.ranges import Range

__all__ = ["p_cmr", "t_cmr"]


@rule("P_CMR", "TDX_PAMT_OUTSIDE_CMRS", "18")
def p_cmr(pamt: Pamt, runs: Sequence[Range]) -> bool:
    """No single CMR run contains the whole PAMT region.

    Status: TDX_PAMT_OUTSIDE_CMRS, b0 = TDMR, b1 = level.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    return not inside_runs(pamt.base, pamt.base + pamt.size, runs)


@rule("T_CMR", "TDX_TDMR_OUTSIDE_CMRS", "19")
def t_cmr(parts: Sequence[Range], runs: Sequence[Range]) -> bool:
    """Some part of the TDMR that is not reserved lies in no single CMR run.

    Status: TDX_TDMR_OUTSIDE_CMRS, b0 = TDMR.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    for part in parts:
        if not inside_runs(part.start, part.end, runs):
            return True
    return False
