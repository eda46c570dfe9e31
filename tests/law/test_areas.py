"""Holes, chunks inside and sorting against the definitions on plain sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pamt.configuration import Area
from pamt.kernel.areas import _heap_sort, chunks_inside, find_holes, reserve_areas, sort_areas
from pamt.kernel.layout import lay_out_tdmrs
from pamt.machine import MemoryRange
from pamt.ranges import GIB, PAGE, Range, RangeSet

UNIT = GIB // 4


@st.composite
def memory_lists(draw: st.DrawFn) -> list[MemoryRange]:
    """Sorted disjoint ranges, some touching, in quarter GiBs plus a few pages."""
    at = 0
    listed = []
    for _ in range(draw(st.integers(0, 8))):
        start = at + draw(st.integers(0, 6)) * UNIT + draw(st.integers(0, 2)) * PAGE
        end = start + draw(st.integers(0, 6)) * UNIT + draw(st.integers(1, 3)) * PAGE
        listed.append(MemoryRange(start, end, draw(st.integers(0, 2))))
        at = end
    return listed


@given(listed=memory_lists())
def test_tdmrs_are_aligned_ascending_and_cover_the_memory(listed: list[MemoryRange]) -> None:
    layout = lay_out_tdmrs(listed, 64)
    assert not layout.exhausted
    last = 0
    for tdmr in layout.tdmrs:
        assert tdmr.is_aligned(GIB) and tdmr.size > 0 and tdmr.start >= last
        last = tdmr.end
    assert RangeSet(r.range for r in listed) <= RangeSet(layout.tdmrs)
    assert len(layout.tdmrs) <= len(listed)
    for limit in range(1, len(layout.tdmrs) + 1):
        assert lay_out_tdmrs(listed, limit).exhausted == (limit < len(layout.tdmrs))


@given(listed=memory_lists())
def test_holes_are_the_tdmr_without_the_memory(listed: list[MemoryRange]) -> None:
    memory = RangeSet(r.range for r in listed)
    for tdmr in lay_out_tdmrs(listed, 64).tdmrs:
        holes = find_holes(tdmr, listed)
        assert RangeSet(holes) == memory.complement(tdmr)
        assert list(RangeSet(holes)) == holes
        # Leading ranges that end below the TDMR change nothing: what the fast path relies on.
        assert find_holes(tdmr, [r for r in listed if r.end >= tdmr.start]) == holes


@given(
    listed=memory_lists(),
    chunks=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=6),
)
def test_a_chunk_counts_in_every_tdmr_it_reaches(
    listed: list[MemoryRange], chunks: list[tuple[int, int]]
) -> None:
    placed = [Range(s * UNIT, (s + n) * UNIT) for s, n in chunks]
    for tdmr in lay_out_tdmrs(listed, 64).tdmrs:
        parts = chunks_inside(tdmr, placed)
        assert parts == [c.clip(tdmr) for c in placed if c.overlaps(tdmr)]


@given(
    sizes=st.lists(st.integers(1, 3), max_size=8),
    limit=st.integers(0, 9),
    odd=st.integers(0, 9),
)
def test_adding_stops_at_the_limit_and_at_an_unaligned_piece(
    sizes: list[int], limit: int, odd: int
) -> None:
    tdmr = Range(GIB, 2 * GIB)
    at = tdmr.start
    pieces = []
    for index, size in enumerate(sizes):
        end = at + size * PAGE
        pieces.append(Range(at, end + 1 if index == odd else end))
        at = end + PAGE
    got = reserve_areas(tdmr, pieces, limit)
    reached = min(len(pieces), limit, odd)
    assert len(got.areas) == reached
    if odd < len(pieces) and odd <= limit:
        assert got.stop == "unaligned"
    else:
        assert got.stop == ("exhausted" if len(pieces) > limit else "filled")
    assert got.areas == [Area(p.start - tdmr.start, p.size) for p in pieces[:reached]]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=16))
def test_sorting_keeps_the_areas_and_orders_them_when_none_overlap(
    given_areas: list[tuple[int, int]],
) -> None:
    areas = [Area(offset, size) for offset, size in given_areas]
    ordered, warnings = sort_areas(areas)
    assert sorted(ordered) == sorted(areas)
    disjoint = all(
        a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
        for i, a in enumerate(areas)
        for b in areas[i + 1 :]
    )
    if disjoint:
        assert list(ordered) == sorted(areas)
        assert warnings == 0
        assert _heap_sort(areas)[0] == ordered
