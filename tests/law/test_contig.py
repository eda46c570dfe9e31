"""The allocator's closed forms against the literal scan: page by page, slot by slot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pamt.kernel.contig import ContigAllocator, first_slot, first_slot_address
from pamt.machine import FreeRun, Node, Zone
from pamt.ranges import PAGE, Range, RangeSet

pages = st.integers(min_value=0, max_value=60)


@st.composite
def page_runs(draw: st.DrawFn) -> list[tuple[int, int]]:
    starts = draw(st.lists(pages, max_size=6))
    return [(s, s + draw(st.integers(1, 12))) for s in starts]


def literal_first_slot(zone: Range, nr: int, free: set[int]) -> int | None:
    """The scan as the kernel writes it, in pages."""
    page = (zone.start + nr - 1) & ~(nr - 1)
    while zone.start <= page + nr - 1 < zone.end:
        if all(p in free for p in range(page, page + nr)):
            return page
        page += nr
    return None


@given(zone_start=pages, zone_size=pages, nr=st.integers(1, 12), runs=page_runs())
def test_first_slot_is_the_literal_scan(
    zone_start: int, zone_size: int, nr: int, runs: list[tuple[int, int]]
) -> None:
    zone = Range(zone_start, zone_start + zone_size)
    free = RangeSet(runs)
    in_bytes = [Range(r.start * PAGE, r.end * PAGE) for r in free]
    got = first_slot(Range(zone.start * PAGE, zone.end * PAGE), nr * PAGE, in_bytes)
    inside = {p for r in free for p in range(r.start, r.end)}
    expected = literal_first_slot(zone, nr, inside)
    assert got == (None if expected is None else expected * PAGE)


@given(zone_start=st.integers(0, 1 << 40), nr=st.integers(1, 1 << 20))
def test_the_scan_starts_less_than_one_chunk_above_the_zone(zone_start: int, nr: int) -> None:
    start = first_slot_address(zone_start * PAGE, nr * PAGE)
    assert zone_start * PAGE <= start < (zone_start + nr) * PAGE
    assert start // PAGE == (zone_start + nr - 1) & ~(nr - 1)
    if nr & (nr - 1) == 0:
        assert start % (nr * PAGE) == 0


@given(
    runs=page_runs(),
    zones=st.lists(st.integers(1, 80), min_size=1, max_size=2, unique=True).map(sorted),
    calls=st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=12),
)
def test_searches_in_a_row_are_the_literal_scan(
    runs: list[tuple[int, int]], zones: list[int], calls: list[tuple[int, bool]]
) -> None:
    """Where a search resumes must not change what it finds, whatever is taken and given back."""
    free = {p for s, e in runs for p in range(s, e)}
    ends = [0, *zones]
    spans = [
        Zone(name, a * PAGE, b * PAGE)
        for name, a, b in zip(("DMA32", "Normal"), ends, ends[1:], strict=False)
    ]
    node = Node(0, fallback=(0,), zones=tuple(spans))
    alloc = ContigAllocator([node], [FreeRun(s * PAGE, e * PAGE) for s, e in runs])
    taken: list[Range] = []
    for nr, give_back_first in calls:
        if give_back_first and taken:
            back = taken.pop(0)
            alloc.give_back(back, 0)
            free |= set(range(back.start // PAGE, back.end // PAGE))
        got = alloc.contig(nr * PAGE, 0)
        expected = None
        for zone in reversed(spans):
            span = Range(zone.start // PAGE, zone.end // PAGE)
            expected = literal_first_slot(span, nr, free)
            if expected is not None:
                break
        assert (None if got is None else got.range.start // PAGE) == expected
        if got is not None:
            taken.append(got.range)
            free -= set(range(got.range.start // PAGE, got.range.end // PAGE))
        known = RangeSet((p * PAGE, (p + 1) * PAGE) for p in free)
        assert alloc.free_runs(0) == known.runs
