"""A PAMT region by itself; the levels are looked at in the order 1G, 2M, 4K."""

from __future__ import annotations

from pamt.configuration import Pamt
from pamt.machine import Limits
from pamt.module.registry import rule
from pamt.module.words import fits, last_byte
from pamt.ranges import PAGE

__all__ = ["p_align", "p_base_pa", "p_end_pa", "p_size", "p_wrap"]


@rule("P_WRAP", "TDX_INVALID_PAMT", "14a")
def p_wrap(pamt: Pamt) -> bool:
    """The PAMT region does not fit: base + size >= 2^64.

    Status: TDX_INVALID_PAMT, b0 = TDMR, b1 = level.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return not fits(pamt.base, pamt.size)


@rule("P_ALIGN", "TDX_INVALID_PAMT", "14b")
def p_align(pamt: Pamt) -> bool:
    """The PAMT region's base or size is not a multiple of 4096.

    Status: TDX_INVALID_PAMT, b0 = TDMR, b1 = level.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return pamt.base % PAGE != 0 or pamt.size % PAGE != 0


@rule("P_BASE_PA", "TDX_INVALID_PAMT", "14c")
def p_base_pa(pamt: Pamt, limits: Limits) -> bool:
    """The PAMT region's base has a KeyID bit set or is not below 2^52.

    Status: TDX_INVALID_PAMT, b0 = TDMR, b1 = level.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return pamt.base >= limits.address_end


@rule("P_END_PA", "TDX_INVALID_PAMT", "14d")
def p_end_pa(pamt: Pamt, limits: Limits) -> bool:
    """The PAMT region's last byte has a KeyID bit set or is not below 2^52.  For base = size = 0
    that byte is 2^64 - 1.

    Status: TDX_INVALID_PAMT, b0 = TDMR, b1 = level.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return last_byte(pamt.base, pamt.size) >= limits.address_end


@rule("P_SIZE", "TDX_INVALID_PAMT", "14e")
def p_size(pamt: Pamt, needed: int) -> bool:
    """The PAMT region is smaller than the entries of the TDMR's pages at its level (with dynamic
    PAMT, at 4K: than the page bitmap).  The needed size is not rounded; larger is allowed.

    Status: TDX_INVALID_PAMT, b0 = TDMR, b1 = level.
    Source: TDX module 1.5.05 and later ones with dynamic PAMT, TDH.SYS.CONFIG; Intel TDX Module
    ABI specification, TDMR_INFO.
    """
    return pamt.size < needed
