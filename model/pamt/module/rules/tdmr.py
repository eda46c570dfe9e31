"""A TDMR by itself and after the one before it: order first, then alignment and addresses."""

from __future__ import annotations

from pamt.configuration import Tdmr
from pamt.machine import Limits
from pamt.module.registry import rule
from pamt.module.words import fits, last_byte
from pamt.ranges import GIB

__all__ = ["t_align", "t_base_pa", "t_end_pa", "t_overlap", "t_sort", "t_wrap"]


@rule("T_WRAP", "TDX_INVALID_TDMR", "7")
def t_wrap(tdmr: Tdmr) -> bool:
    """The TDMR does not fit: base + size >= 2^64.

    Status: TDX_INVALID_TDMR, b0 = TDMR.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return not fits(tdmr.base, tdmr.size)


@rule("T_SORT", "TDX_NON_ORDERED_TDMR", "8")
def t_sort(previous: Tdmr, tdmr: Tdmr) -> bool:
    """The TDMR's base lies below the base of the TDMR before it.

    Status: TDX_NON_ORDERED_TDMR, b0 = TDMR (the later one).
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    return tdmr.base < previous.base


@rule("T_OVERLAP", "TDX_NON_ORDERED_TDMR", "9")
def t_overlap(previous: Tdmr, tdmr: Tdmr) -> bool:
    """The TDMR's base lies below the end of the TDMR before it.  Touching is allowed.

    Status: TDX_NON_ORDERED_TDMR, b0 = TDMR (the later one).
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    return tdmr.base < previous.base + previous.size


@rule("T_ALIGN", "TDX_INVALID_TDMR", "10")
def t_align(tdmr: Tdmr) -> bool:
    """The TDMR's base or size is not a multiple of 1 GiB, or its size is 0.

    Status: TDX_INVALID_TDMR, b0 = TDMR.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return tdmr.base % GIB != 0 or tdmr.size % GIB != 0 or tdmr.size == 0


@rule("T_BASE_PA", "TDX_INVALID_TDMR", "11")
def t_base_pa(tdmr: Tdmr, limits: Limits) -> bool:
    """The TDMR's base has a KeyID bit set or is not below 2^52: base >= 2^(52 - keyid_bits).

    Status: TDX_INVALID_TDMR, b0 = TDMR.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return tdmr.base >= limits.address_end


@rule("T_END_PA", "TDX_INVALID_TDMR", "12")
def t_end_pa(tdmr: Tdmr, limits: Limits) -> bool:
    """The TDMR's last byte has a KeyID bit set or is not below 2^52.

    Status: TDX_INVALID_TDMR, b0 = TDMR.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return last_byte(tdmr.base, tdmr.size) >= limits.address_end
