"""TDH.SYS.INIT: the CMR table that firmware (MCHECK) hands to the module.

Null entries (size 0) are skipped, whatever their base.  The ids are ours: the module answers the
same word for all five and names no entry.
"""

from __future__ import annotations

from pamt.machine import Cmr, Limits
from pamt.module.registry import rule
from pamt.module.words import fits, last_byte
from pamt.ranges import PAGE

__all__ = ["c_align", "c_base_pa", "c_end_pa", "c_order", "c_wrap"]


@rule("C_WRAP", "TDX_CMR_LIST_INVALID", "init")
def c_wrap(cmr: Cmr) -> bool:
    """The CMR does not fit: base + size >= 2^64.

    Status: TDX_CMR_LIST_INVALID, no detail bytes.
    Source: TDX module 1.5.05, TDH.SYS.INIT; Intel TDX Module ABI specification, same leaf.
    """
    return not fits(cmr.base, cmr.size)


@rule("C_BASE_PA", "TDX_CMR_LIST_INVALID", "init")
def c_base_pa(cmr: Cmr, limits: Limits) -> bool:
    """The CMR's base has a KeyID bit set or is not below 2^52: base >= 2^(52 - keyid_bits).

    Status: TDX_CMR_LIST_INVALID, no detail bytes.
    Source: TDX module 1.5.05, TDH.SYS.INIT; Intel TDX Module ABI specification, same leaf.
    """
    return cmr.base >= limits.address_end


@rule("C_END_PA", "TDX_CMR_LIST_INVALID", "init")
def c_end_pa(cmr: Cmr, limits: Limits) -> bool:
    """The CMR's last byte has a KeyID bit set or is not below 2^52.

    Status: TDX_CMR_LIST_INVALID, no detail bytes.
    Source: TDX module 1.5.05, TDH.SYS.INIT; Intel TDX Module ABI specification, same leaf.
    """
    return last_byte(cmr.base, cmr.size) >= limits.address_end


@rule("C_ALIGN", "TDX_CMR_LIST_INVALID", "init")
def c_align(cmr: Cmr) -> bool:
    """The CMR's base or size is not a multiple of 4096.

    Status: TDX_CMR_LIST_INVALID, no detail bytes.
    Source: TDX module 1.5.05, TDH.SYS.INIT; Intel TDX Module ABI specification, CMR_INFO.
    """
    return cmr.base % PAGE != 0 or cmr.size % PAGE != 0


@rule("C_ORDER", "TDX_CMR_LIST_INVALID", "init")
def c_order(previous: Cmr, cmr: Cmr) -> bool:
    """The CMR's base lies below the end of the last CMR that is not null.  Touching is allowed.

    Status: TDX_CMR_LIST_INVALID, no detail bytes.
    Source: TDX module 1.5.05, TDH.SYS.INIT; Intel TDX Module ABI specification, same leaf.
    """
    return cmr.base < previous.base + previous.size
