"""Stages at their borders: what ends where low memory does, half pages, areas that touch."""

from __future__ import annotations

from pamt.configuration import Area
from pamt.kernel.areas import FILLED, UNALIGNED, reserve_areas, sort_areas
from pamt.kernel.memlist import build_memory_list
from pamt.machine import MemoryRange
from pamt.ranges import GIB, MIB, PAGE, Range


def test_what_ends_at_one_mebibyte_is_not_listed() -> None:
    memory = (MemoryRange(0, MIB), MemoryRange(MIB, 2 * MIB))
    assert build_memory_list(memory) == [MemoryRange(MIB, 2 * MIB)]
    assert build_memory_list((MemoryRange(0, MIB + PAGE),)) == [MemoryRange(MIB, MIB + PAGE)]


def test_half_a_page_is_refused_at_either_end() -> None:
    tdmr = Range(GIB, 2 * GIB)
    for piece in (Range(GIB + 1, GIB + PAGE), Range(GIB, GIB + PAGE - 1)):
        assert reserve_areas(tdmr, [piece], 16).stop == UNALIGNED
    assert reserve_areas(tdmr, [Range(GIB, GIB + PAGE)], 16) == ([Area(0, PAGE)], FILLED)


def test_areas_that_touch_are_no_reason_to_warn() -> None:
    """The comparison warns where two areas overlap; two that touch add nothing to that."""
    overlapping = [Area(10 * PAGE, 4 * PAGE), Area(12 * PAGE, 4 * PAGE)]
    for touching in ([Area(0, PAGE), Area(PAGE, PAGE)], [Area(PAGE, PAGE), Area(0, PAGE)]):
        apart = [area._replace(offset=2 * area.offset) for area in touching]
        areas, met = sort_areas(touching + overlapping)
        assert met == sort_areas(apart + overlapping)[1] > 0
        assert areas[:2] == (Area(0, PAGE), Area(PAGE, PAGE))
    assert sort_areas([Area(PAGE, PAGE), Area(0, PAGE)])[1] == 0
