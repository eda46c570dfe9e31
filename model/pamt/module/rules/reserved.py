"""The reserved areas of a TDMR, one after the other; the first null entry ends the list."""

from __future__ import annotations

from pamt.configuration import Area, Tdmr
from pamt.module.registry import rule
from pamt.module.words import fits
from pamt.ranges import PAGE

__all__ = [
    "r_align",
    "r_base_wrap",
    "r_count",
    "r_null_gap",
    "r_outside",
    "r_overlap",
    "r_sort",
    "r_wrap",
]


@rule("R_NULL_GAP", "TDX_NON_ORDERED_RESERVED_IN_TDMR", "13a")
def r_null_gap(area: Area, following: Area) -> bool:
    """The entry is null (size 0) and the one after it is not.  The last entry has none after it.

    Status: TDX_NON_ORDERED_RESERVED_IN_TDMR, b0 = TDMR, b1 = the null entry.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return area.size == 0 and following.size != 0


@rule("R_WRAP", "TDX_INVALID_RESERVED_IN_TDMR", "13b")
def r_wrap(area: Area) -> bool:
    """The area does not fit: offset + size >= 2^64.

    Status: TDX_INVALID_RESERVED_IN_TDMR, b0 = TDMR, b1 = area.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return not fits(area.offset, area.size)


@rule("R_SORT", "TDX_NON_ORDERED_RESERVED_IN_TDMR", "13c")
def r_sort(previous: Area, area: Area) -> bool:
    """The area's offset lies below the offset of the area before it.

    Status: TDX_NON_ORDERED_RESERVED_IN_TDMR, b0 = TDMR, b1 = area (the later one).
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return area.offset < previous.offset


@rule("R_OVERLAP", "TDX_NON_ORDERED_RESERVED_IN_TDMR", "13d")
def r_overlap(previous: Area, area: Area) -> bool:
    """The area's offset lies below the end of the area before it.  Touching is allowed.

    Status: TDX_NON_ORDERED_RESERVED_IN_TDMR, b0 = TDMR, b1 = area (the later one).
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return area.offset < previous.offset + previous.size


@rule("R_ALIGN", "TDX_INVALID_RESERVED_IN_TDMR", "13e")
def r_align(area: Area) -> bool:
    """The area's offset or size is not a multiple of 4096.

    Status: TDX_INVALID_RESERVED_IN_TDMR, b0 = TDMR, b1 = area.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return area.offset % PAGE != 0 or area.size % PAGE != 0


@rule("R_BASE_WRAP", "TDX_INVALID_RESERVED_IN_TDMR", "13f")
def r_base_wrap(tdmr: Tdmr, area: Area) -> bool:
    """The area's address does not fit: base + offset >= 2^64, or base + offset + size >= 2^64.

    Status: TDX_INVALID_RESERVED_IN_TDMR, b0 = TDMR, b1 = area.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    if not fits(tdmr.base, area.offset):
        return True
    return not fits(tdmr.base + area.offset, area.size)


@rule("R_OUTSIDE", "TDX_INVALID_RESERVED_IN_TDMR", "13g")
def r_outside(tdmr: Tdmr, area: Area) -> bool:
    """The area ends above the TDMR's end.  Ending on it is allowed.

    Status: TDX_INVALID_RESERVED_IN_TDMR, b0 = TDMR, b1 = area.
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, TDMR_INFO.
    """
    return tdmr.base + area.offset + area.size > tdmr.base + tdmr.size


@rule("R_COUNT", "TDX_INVALID_RESERVED_IN_TDMR", "13, after the last entry")
def r_count(area: Area) -> bool:
    """An entry beyond max_reserved_per_tdmr (16) is not null.  Not a check of the module: a
    TDMR_INFO record has no room for such an entry, so the configuration cannot be handed over at
    all.  The status stands in for that.

    Status: TDX_INVALID_RESERVED_IN_TDMR, b0 = TDMR, b1 = the first entry too many.
    Source: Intel TDX Module ABI specification, TDMR_INFO (number of reserved areas).
    """
    return area.size != 0
