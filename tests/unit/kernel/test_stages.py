"""Stages at their borders: what ends where low memory does, half pages, areas that touch."""

from __future__ import annotations

import random
from itertools import pairwise

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


def heap_sorted(areas: list[Area]) -> tuple[tuple[Area, ...], int]:
    """Heap sort from the bottom up, with whole paths: down to a leaf, back up, turned by one."""
    items = list(areas)
    warned = 0

    def at_least(a: Area, b: Area) -> bool:
        nonlocal warned
        before = a.offset + a.size <= b.offset
        behind = a.offset >= b.offset + b.size
        warned += not before and not behind
        return not before and behind

    def sift(root: int, end: int) -> None:
        path = [root]
        while (left := 2 * path[-1] + 1) < end:
            alone = left + 1 == end
            path.append(left if alone or at_least(items[left], items[left + 1]) else left + 1)
        while len(path) > 1 and at_least(items[root], items[path[-1]]):
            path.pop()
        carried = items[root]
        for upper, lower in pairwise(path):
            items[upper] = items[lower]
        items[path[-1]] = carried

    for root in reversed(range(len(items) // 2)):
        sift(root, len(items))
    for end in reversed(range(1, len(items))):
        items[0], items[end] = items[end], items[0]
        sift(0, end)
    return tuple(items), warned


def test_areas_that_overlap_end_up_where_a_heap_sort_puts_them() -> None:
    rng = random.Random(16)
    warned = 0
    for _ in range(300):
        areas = [
            Area(rng.randint(0, 40) * PAGE, rng.randint(1, 6) * PAGE)
            for _ in range(rng.randint(2, 16))
        ]
        met = any(a.offset + a.size > b.offset for a, b in pairwise(sorted(areas)))
        wanted = heap_sorted(areas) if met else (tuple(sorted(areas)), 0)
        assert sort_areas(areas) == wanted
        warned += wanted[1]
    assert warned > 300
