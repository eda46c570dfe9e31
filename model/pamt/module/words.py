"""The words that the rules are made of: fitting, address ceiling, overlap, CMR runs, parts, need.

Bytes, half open, exact integers.  Source: TDX module 1.5.05, TDH.SYS.CONFIG.
"""

# Plain loops and counters on purpose: this source is also run symbolically.
# ruff: noqa: SIM110

from __future__ import annotations

from collections.abc import Sequence

from pamt.configuration import Tdmr
from pamt.machine import Cmr, Limits
from pamt.ranges import PAGE, Range

__all__ = [
    "BAD_FROM",
    "U64",
    "available",
    "cmr_runs",
    "fits",
    "inside_runs",
    "last_byte",
    "need",
    "overlap",
]

U64 = 1 << 64

BAD_FROM = 1 << 52
"""Physical addresses have 52 bits at most, KeyID included; the CPU's own width is not looked at."""

PAGES_PER_2M = 512
PAGES_PER_1G = 512 * 512


def fits(base: int, size: int) -> bool:
    """Whether base + size can be held in 64 bits; exactly 2^64 already cannot."""
    return base + size < U64


def last_byte(base: int, size: int) -> int:
    """The last byte, base + size - 1 in 64 bits; of values that fit, only 0 and 0 wrap round."""
    if base + size == 0:
        return U64 - 1
    return base + size - 1


def overlap(base: int, size: int, other_base: int, other_size: int) -> bool:
    """Whether two ranges overlap, as the module compares them; ranges that only touch do not."""
    return base < other_base + other_size and other_base < base + size


def cmr_runs(cmrs: Sequence[Cmr]) -> list[Range]:
    """Maximal chains of CMRs, in table order, in which each starts where the one before ends.

    Null entries are passed over and do not break a chain.
    """
    runs: list[Range] = []
    start = 0
    end = 0
    for cmr in cmrs:
        if cmr.size == 0:
            continue
        if cmr.base != end or start == end:
            if start < end:
                runs.append(Range(start, end))
            start = cmr.base
        end = cmr.base + cmr.size
    if start < end:
        runs.append(Range(start, end))
    return runs


def inside_runs(start: int, end: int, runs: Sequence[Range]) -> bool:
    """Whether one CMR run contains all of ``[start, end)``."""
    for run in runs:
        if run.start <= start and end <= run.end:
            return True
    return False


def available(tdmr: Tdmr) -> list[Range]:
    """The parts of a TDMR that its reserved areas leave over, ascending.

        TDMR     |<------------------------------>|
        areas    |aaaa|    |aaa||aa|          |aaa|
        parts         |----|       |----------|         none between areas that touch

    Areas must have passed the reserved area rules; null entries are passed over.
    """
    parts: list[Range] = []
    at = tdmr.base
    for area in tdmr.reserved:
        if area.size == 0:
            continue
        start = tdmr.base + area.offset
        if at < start:
            parts.append(Range(at, start))
        at = start + area.size
    end = tdmr.base + tdmr.size
    if at < end:
        parts.append(Range(at, end))
    return parts


def need(tdmr_size: int, level: int, limits: Limits, dynamic: bool) -> int:
    """Smallest size in bytes of a TDMR's PAMT at `level` (4K = 0, 2M = 1, 1G = 2), not rounded.

    With dynamic PAMT the 4K level is a page bitmap.  `tdmr_size` is a multiple of 1 GiB.
    """
    pages = tdmr_size // PAGE
    if level == 0:
        if dynamic:
            return pages * limits.pamt_page_bitmap_entry_bits // 8
        return pages * limits.pamt_entry_size[0]
    if level == 1:
        return pages // PAGES_PER_2M * limits.pamt_entry_size[1]
    return pages // PAGES_PER_1G * limits.pamt_entry_size[2]
