"""Laws of the broken axis: nothing is lost, nothing is drawn twice, and scale is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pamt.ranges import GIB, PAGE, Range
from pamt.report.axis import CUT_COLUMNS, Axis, lay_out

EDGES = st.lists(
    st.integers(0, 1 << 40).map(lambda page: page * PAGE), min_size=2, max_size=60, unique=True
).map(sorted)


@given(EDGES, st.integers(20, 200))
def test_the_segments_tile_the_span(edges: list[int], columns: int) -> None:
    axis = lay_out(edges, columns)
    assert axis.segments[0].range.start == edges[0]
    assert axis.segments[-1].range.end == edges[-1]
    column = 0
    for segment, following in zip(axis.segments, [*axis.segments[1:], None], strict=True):
        assert segment.column == column
        column += segment.columns
        assert following is None or following.range.start == segment.range.end
    assert column == axis.columns == len(axis.windows())


@given(EDGES, st.integers(20, 200))
def test_a_cut_stretch_holds_no_boundary(edges: list[int], columns: int) -> None:
    axis = lay_out(edges, columns)
    for segment in axis.segments:
        if segment.cut:
            assert segment.columns == CUT_COLUMNS
            assert not any(segment.range.start < edge < segment.range.end for edge in edges)


@given(EDGES, st.integers(20, 200))
def test_other_segments_are_to_scale(edges: list[int], columns: int) -> None:
    axis = lay_out(edges, columns)
    for segment in axis.segments:
        if not segment.cut:
            assert segment.columns == -(-segment.range.size // axis.scale)


@given(EDGES, st.integers(20, 200), st.data())
def test_column_and_window_agree(edges: list[int], columns: int, data: st.DataObject) -> None:
    axis = lay_out(edges, columns)
    address = data.draw(st.integers(edges[0], edges[-1] - 1))
    assert axis.windows()[axis.column(address)].covers(address)


@given(EDGES, st.integers(0, 1 << 53))
def test_addresses_outside_are_at_the_ends(edges: list[int], beyond: int) -> None:
    axis = lay_out(edges, 80)
    assert axis.column(edges[-1] + beyond) == axis.columns - 1
    if edges[0] > 0:
        assert axis.column(edges[0] - 1) == 0


@given(EDGES)
def test_few_boundaries_fit_the_width(edges: list[int]) -> None:
    # Each stretch takes at most two columns for each that a cut would take.
    wide = 2 * CUT_COLUMNS * len(edges)
    assert lay_out(edges, wide).columns <= wide


def test_a_small_map() -> None:
    axis = lay_out([0, PAGE, 64 * GIB, 64 * GIB + PAGE], 40)
    assert [(s.range, s.columns, s.cut) for s in axis.segments] == [
        (Range(0, PAGE), 1, False),
        (Range(PAGE, 64 * GIB), CUT_COLUMNS, True),
        (Range(64 * GIB, 64 * GIB + PAGE), 1, False),
    ]


def test_nothing_to_show() -> None:
    assert lay_out([], 80) == lay_out([4096], 80) == Axis((), PAGE)
