"""A broken axis: addresses to terminal columns, to scale but for stretches marked as cut short.

    bytes     |--4K--|------------- 64G --------------|--2M--|--4K--|
    columns   |=====================/62.3G/====================|===|

Between the boundaries of a map nothing changes, so a long stretch between two boundaries can be cut
short without hiding anything.  The rest is drawn at one scale.  Ranges are bytes, half open.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from pamt.ranges import PAGE, Range

__all__ = ["Axis", "Segment", "lay_out", "not_to_scale"]

CUT_COLUMNS = 7
"""Columns of a stretch that is cut short."""

MOST_STRETCHES_A_COLUMN = 10


class Segment(NamedTuple):
    """Columns ``[column, column + columns)`` show `range`; a cut one is not to scale."""

    range: Range
    column: int
    columns: int
    cut: bool


class Axis(NamedTuple):
    """`scale`: bytes that one column stands for outside the cut segments."""

    segments: tuple[Segment, ...]
    scale: int

    @property
    def columns(self) -> int:
        return sum(segment.columns for segment in self.segments)

    def windows(self) -> list[Range]:
        """What each column shows, left to right; a column of a cut segment shows all of it."""
        shown: list[Range] = []
        for segment in self.segments:
            if segment.cut:
                shown += [segment.range] * segment.columns
                continue
            for at in range(segment.columns):
                start = segment.range.start + at * self.scale
                shown.append(Range(start, min(start + self.scale, segment.range.end)))
        return shown

    def column(self, address: int) -> int:
        """The column in which `address` lies; the first or last one for an address outside."""
        starts = [segment.range.start for segment in self.segments]
        at = max(0, bisect_right(starts, address) - 1)
        segment = self.segments[at]
        offset = min(max(address, segment.range.start), segment.range.end - 1) - segment.range.start
        if segment.cut:
            return segment.column + offset * segment.columns // segment.range.size
        return segment.column + offset // self.scale


def lay_out(boundaries: Iterable[int], columns: int) -> Axis:
    """The axis that shows all boundaries best in at most `columns` columns.

    Best is: the fewest stretches that are cut, or too small to see whole; then the finest scale.
    Scales are a power of two of pages.  Where there are more boundaries than columns, the axis is
    wider than `columns`; callers fold it.
    """
    edges = sorted(set(boundaries))
    stretches = [Range(a, b) for a, b in pairwise(edges)]
    if not stretches:
        return Axis((), PAGE)
    if len(stretches) > MOST_STRETCHES_A_COLUMN * columns:
        # A crowd: nothing is gained by cuts, and every column shows its share at any scale.
        scale = PAGE
        while (edges[-1] - edges[0]) > scale * columns:
            scale *= 2
        return Axis(tuple(_segments(stretches, scale, edges[-1] - edges[0])), scale)
    best: tuple[tuple[bool, int, int, int], Axis] | None = None
    scale = PAGE
    while True:
        segments = _segments(stretches, scale, _longest_drawn(stretches, scale, columns))
        width = _width(segments)
        axis = Axis(tuple(segments), scale)
        beyond = width > columns
        merit = (beyond, width if beyond else 0, not_to_scale(axis, stretches), scale)
        if best is None or merit < best[0]:
            best = (merit, axis)
        if scale >= edges[-1] - edges[0]:
            return best[1]
        scale *= 2


def not_to_scale(axis: Axis, stretches: Sequence[Range]) -> int:
    """How many of the stretches between boundaries are cut, or smaller than half a column."""
    unseen = sum(2 * stretch.size < axis.scale for stretch in stretches)
    return unseen + sum(segment.cut for segment in axis.segments)


def _longest_drawn(stretches: Sequence[Range], scale: int, columns: int) -> int:
    """Size above which stretches are cut: the largest ones, as few as make the rest fit."""
    sizes = sorted((stretch.size for stretch in stretches), reverse=True)
    # Each stretch to scale may cost a column more than its share, where a cut begins or ends.
    width = sum(-(-size // scale) for size in sizes)
    for size in sizes:
        if width <= columns or size <= CUT_COLUMNS * scale:
            return size
        width += CUT_COLUMNS - -(-size // scale)
    return 0


def _segments(stretches: Sequence[Range], scale: int, limit: int) -> list[Segment]:
    """Join neighbouring stretches that are drawn to scale; cut those larger than `limit`."""
    found: list[Segment] = []
    column = 0
    start: int | None = None

    def close(end: int) -> None:
        nonlocal start, column
        if start is not None:
            columns = -(-(end - start) // scale)
            found.append(Segment(Range(start, end), column, columns, False))
            column += columns
            start = None

    for stretch in stretches:
        if stretch.size > limit:
            close(stretch.start)
            found.append(Segment(stretch, column, CUT_COLUMNS, True))
            column += CUT_COLUMNS
        elif start is None:
            start = stretch.start
    close(stretches[-1].end)
    return found


def _width(segments: Sequence[Segment]) -> int:
    return sum(segment.columns for segment in segments)
