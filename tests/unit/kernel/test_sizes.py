"""PAMT sizes against figures known from real logs and against the closed form."""

from __future__ import annotations

import pytest

from pamt.kernel.sizes import home_node, pamt_regions, pamt_sizes
from pamt.machine import Limits, MemoryRange
from pamt.ranges import GIB, PAGE, Range


@pytest.mark.parametrize("gib", [1, 2, 62, 255, 256, 257, 512, 513, 1024])
def test_the_closed_forms_for_16_byte_entries(gib: int) -> None:
    static = pamt_sizes(gib * GIB, Limits(), dynamic=False)
    assert static.total == (1024 * gib + 2 * gib + -(-gib // 256)) * PAGE
    bitmap = pamt_sizes(gib * GIB, Limits(), dynamic=True)
    assert bitmap.total == (8 * gib + 2 * gib + -(-gib // 256)) * PAGE


def test_every_level_has_its_own_entry_size() -> None:
    limits = Limits(pamt_entry_size=(24, 10, 4097))
    sizes = pamt_sizes(GIB, limits, dynamic=False)
    assert sizes == (262144 * 24, 2 * PAGE, 2 * PAGE)


def test_the_regions_stand_back_to_back_4k_first() -> None:
    sizes = pamt_sizes(GIB, Limits(), dynamic=False)
    low, middle, high = pamt_regions(0x1000000, sizes)
    assert low == (0x1000000, 4 << 20)
    assert middle == (low.base + low.size, 8192)
    assert high == (middle.base + middle.size, 4096)
    assert high.range.end == 0x1000000 + sizes.total


def test_home_is_the_first_range_that_ends_above_the_base() -> None:
    listed = [
        MemoryRange(0, GIB, 1),
        MemoryRange(GIB, 2 * GIB, 2),
        MemoryRange(5 * GIB, 6 * GIB, 3),
    ]
    assert home_node(Range(GIB, 2 * GIB), listed) == 2
    assert home_node(Range(0, GIB), listed) == 1
    # Its start plays no part: the range may lie wholly above the TDMR.
    assert home_node(Range(3 * GIB, 4 * GIB), listed) == 3
    assert home_node(Range(6 * GIB, 7 * GIB), listed) is None
