"""What is true of one page: the plain conditions behind ``accepted`` and ``covered``.

Ordinary functions over plain or symbolic configurations.  The module's rules about places say the
same page by page: a stretch lies in one CMR run exactly when each of its pages lies in a CMR, and
two regions overlap exactly when they share a page.
"""

from __future__ import annotations

from collections.abc import Sequence

from pamt.machine import Cmr, MemoryRange
from pamt.outcome import PlannedTdmr
from pamt.ranges import MIB

__all__ = ["in_a_cmr", "in_memory", "owners", "usable"]


def usable(page: int, tdmrs: Sequence[PlannedTdmr]) -> bool:
    """Whether the page is in a part of a TDMR that no reserved area takes."""
    found = False
    for t in tdmrs:
        if page < t.base or page >= t.base + t.size:
            continue
        reserved = False
        for area in t.reserved or ():
            start = t.base + area.offset
            if start <= page and page < start + area.size:
                reserved = True
        if not reserved:
            found = True
    return found


def owners(page: int, tdmrs: Sequence[PlannedTdmr]) -> int:
    """In how many PAMT regions the page lies."""
    count = 0
    for t in tdmrs:
        for pamt in t.pamts or ():
            if pamt.base <= page and page < pamt.base + pamt.size:
                count += 1
    return count


def in_a_cmr(page: int, cmrs: Sequence[Cmr]) -> bool:
    """Whether the page is convertible."""
    found = False
    for cmr in cmrs:
        if cmr.base <= page and page < cmr.base + cmr.size:
            found = True
    return found


def in_memory(page: int, memory: Sequence[MemoryRange]) -> bool:
    """Whether the page is memory that TDX has to cover: nothing below 1 MiB counts."""
    if page < MIB:
        return False
    found = False
    for r in memory:
        if r.start <= page and page < r.end:
            found = True
    return found
