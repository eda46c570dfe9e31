"""Stage 3a: how large a TDMR's PAMTs are, and which node they should come from.

Source: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, tdmr_get_pamt_sz and tdmr_get_nid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.configuration import Pamt
from pamt.machine import Limits, MemoryRange
from pamt.ranges import PAGE, Range, align_up

__all__ = ["PamtSizes", "home_node", "pamt_regions", "pamt_sizes"]

PAGES_PER_2M = 512
PAGES_PER_1G = 512 * 512


class PamtSizes(NamedTuple):
    """Bytes of each PAMT region of one TDMR; each a multiple of 4 KiB.

    With dynamic PAMT `level_4k` is the page bitmap.
    """

    level_4k: int
    level_2m: int
    level_1g: int

    @property
    def total(self) -> int:
        return self.level_4k + self.level_2m + self.level_1g


def pamt_sizes(tdmr_size: int, limits: Limits, dynamic: bool) -> PamtSizes:
    """The sizes that Linux asks for, which are the smallest legal ones for these entry sizes.

    For a TDMR of N GiB and 16-byte entries the three together are ``1024 N + 2 N + ceil(N/256)``
    pages; with dynamic PAMT and one bit a page ``8 N + 2 N + ceil(N/256)``.
    """
    pages = tdmr_size // PAGE
    if dynamic:
        bits = pages * limits.pamt_page_bitmap_entry_bits
        level_4k = align_up(-(-bits // 8), PAGE)
    else:
        level_4k = align_up(pages * limits.pamt_entry_size[0], PAGE)
    level_2m = align_up(pages // PAGES_PER_2M * limits.pamt_entry_size[1], PAGE)
    level_1g = align_up(pages // PAGES_PER_1G * limits.pamt_entry_size[2], PAGE)
    return PamtSizes(level_4k, level_2m, level_1g)


def pamt_regions(base: int, sizes: PamtSizes) -> tuple[Pamt, Pamt, Pamt]:
    """The chunk at `base` cut into its three regions, low to high: 4K, 2M, 1G."""
    at_2m = base + sizes.level_4k
    at_1g = at_2m + sizes.level_2m
    return (Pamt(base, sizes.level_4k), Pamt(at_2m, sizes.level_2m), Pamt(at_1g, sizes.level_1g))


def home_node(tdmr: Range, listed: Sequence[MemoryRange]) -> int | None:
    """Node of the first range of the list that ends above the TDMR's base; None if none does."""
    for r in listed:
        if r.end > tdmr.start:
            return r.node
    return None
