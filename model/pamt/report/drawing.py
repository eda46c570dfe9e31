"""The terminal drawing of a map: one row a kind of thing, over one broken axis.

A column that is only partly memory shows how much of it is, in eighths; nothing is rounded away: a
column with any memory is never blank, and one with any hole is never full.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from pamt.ranges import Range, RangeSet
from pamt.report.axis import Axis, lay_out, not_to_scale
from pamt.report.scene import Scene
from pamt.report.words import size_text

__all__ = ["ASCII", "UNICODE", "Glyphs", "Span", "draw"]

LABEL_WIDTH = 9
NODE_STYLES = ("cyan", "green", "blue", "yellow", "bright_cyan", "bright_green", "bright_blue")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_PANELS = 12
MOST_PANELS_FOR_DETAIL = 3
CROWD = 30
"""Boundaries for each column from which on more panels would not help."""
PANEL_COST = 4
"""Stretches that another panel must show to scale, for it to be worth its lines."""


class Span(NamedTuple):
    """Text in one style; styles are names that rich knows."""

    text: str
    style: str = ""


class Glyphs(NamedTuple):
    """Characters for shares from nothing to everything, and for the ruler and its cuts."""

    shares: str
    ruler: str
    tick: str
    dash: str
    hole: str


UNICODE = Glyphs(" ▁▂▃▄▅▆▇█", "─", "┬", "─", "·")
ASCII = Glyphs(" .:-=+*%#", "-", "+", "-", "_")


class _Row(NamedTuple):
    label: str
    cells: list[str]
    styles: list[str]


def draw(scene: Scene, width: int, glyphs: Glyphs, window: Range | None = None) -> list[list[Span]]:
    """The drawing and the table of TDMRs, as lines of styled text at most `width` columns wide.

    `window` restricts the drawing to some addresses.
    """
    edges = scene.boundaries()
    if window is not None:
        edges = sorted({window.start, window.end, *(e for e in edges if window.covers(e))})
    if len(edges) < 2:
        return [[Span("nothing to draw: no memory, no CMR, no TDMR")]]
    across = max(20, width - LABEL_WIDTH)
    axis = _axis(edges, across)
    rows = _rows(scene, axis, glyphs)
    lines: list[list[Span]] = []
    panels = _panels(axis, across)
    for low, high in panels[:MOST_PANELS]:
        lines += _ruler(axis, low, high, glyphs)
        for row in rows:
            if any(cell != " " for cell in row.cells[low:high]) or row.label == "memory":
                lines.append(_line(row, low, high))
        lines.append([])
    left = len(panels) - MOST_PANELS
    if left > 0:
        at = axis.windows()[panels[MOST_PANELS][0]].start
        lines.append([Span(f"... {left} more panels: see --window {at:#x}-{edges[-1]:#x}")])
    lines.append([Span(f"One column is {size_text(axis.scale)}.", "dim")])
    if any(segment.cut for segment in axis.segments):
        lines.append([Span("Where the ruler shows /size/, it is cut short.", "dim")])
    lines += _hint(axis, edges)
    return lines


def _hint(axis: Axis, edges: Sequence[int]) -> list[list[Span]]:
    """Where most is too small to see: the addresses to look at more closely."""
    small = [Range(a, b) for a, b in pairwise(edges) if 2 * (b - a) < axis.scale]
    crowds = [
        [r for r in small if segment.range.contains(r)]
        for segment in axis.segments
        if not segment.cut
    ]
    crowd = max(crowds, key=len, default=[])
    if len(crowd) < 2:
        return []
    window = f"{crowd[0].start:#x}-{crowd[-1].end:#x}"
    return [[Span(f"Too small to see: {len(small)} stretches; --window {window}", "dim")]]


def _panels(axis: Axis, across: int) -> list[tuple[int, int]]:
    """Fold the axis into lines of at most `across` columns, never inside a cut stretch."""
    folds: list[tuple[int, int]] = []
    low = 0
    while low < axis.columns:
        high = min(low + across, axis.columns)
        for segment in axis.segments:
            if segment.cut and low < segment.column < high < segment.column + segment.columns:
                high = segment.column
        folds.append((low, high))
        low = high
    return folds


def _axis(edges: Sequence[int], across: int) -> Axis:
    """The axis for as many panels as are worth their lines."""
    if len(edges) > CROWD * across:
        return lay_out(edges, across)
    stretches = [Range(a, b) for a, b in pairwise(edges)]
    axes = [lay_out(edges, across * panels) for panels in range(1, MOST_PANELS_FOR_DETAIL + 1)]
    costs = [
        not_to_scale(axis, stretches) + PANEL_COST * number for number, axis in enumerate(axes)
    ]
    return axes[costs.index(min(costs))]


def _rows(scene: Scene, axis: Axis, glyphs: Glyphs) -> list[_Row]:
    windows = axis.windows()
    memory = RangeSet(r.range for r in scene.memory)
    rows = [_boxes("CMRs", [(r, DIGITS[i % 62]) for i, r in enumerate(scene.cmrs)], axis, "white")]
    nodes = _node_of_columns(scene, axis)
    filled = _shares("memory", memory, windows, glyphs, "cyan")
    for column, node in enumerate(nodes):
        if node is not None:
            filled.styles[column] = NODE_STYLES[node % len(NODE_STYLES)]
    rows.append(filled)
    if len({r.node for r in scene.memory}) > 1:
        cells = [" " if n is None else "+" if n < 0 else DIGITS[n % 62] for n in nodes]
        rows.append(_Row("node", cells, list(filled.styles)))
    if scene.free:
        rows.append(_shares("free", scene.free, windows, glyphs, "green"))
    rows.append(_counts("holes", scene.holes, axis, glyphs, "red"))
    boxes = [(tdmr.range, DIGITS[i % 62]) for i, tdmr in enumerate(scene.tdmrs)]
    rows.append(_boxes("TDMRs", boxes, axis, "bold"))
    owners = [
        (run, DIGITS[i % 62]) for i, tdmr in enumerate(scene.tdmrs) for run in RangeSet(tdmr.pamts)
    ]
    rows.append(_marks("PAMTs", owners, axis, "magenta"))
    rows.append(_shares("reserved", scene.reserved, windows, glyphs, "yellow"))
    return rows


def _shares(
    label: str, shown: RangeSet, windows: Sequence[Range], glyphs: Glyphs, style: str
) -> _Row:
    full = len(glyphs.shares) - 1
    cells: list[str] = []
    for window in windows:
        inside = shown.within(window).size
        share = inside * full // window.size
        if inside and not share:
            share = 1
        cells.append(glyphs.shares[share])
    return _Row(label, cells, [style] * len(cells))


def _counts(label: str, shown: RangeSet, axis: Axis, glyphs: Glyphs, style: str) -> _Row:
    """Each run is dotted; the column where it begins shows how many begin there."""
    cells = [" "] * axis.columns
    begun = [0] * axis.columns
    for run in _in_view(shown, axis):
        first, last = axis.column(run.start), axis.column(run.end - 1)
        for column in range(first, last + 1):
            cells[column] = glyphs.hole
        begun[first] += 1
    for column, number in enumerate(begun):
        if number:
            cells[column] = str(number) if number < 10 else "+"
    return _Row(label, cells, [style] * len(cells))


def _boxes(label: str, boxes: Iterable[tuple[Range, str]], axis: Axis, style: str) -> _Row:
    cells = [" "] * axis.columns
    for box, name in boxes:
        if not _visible(box, axis):
            continue
        first, last = axis.column(box.start), axis.column(box.end - 1)
        for column in range(first, last + 1):
            cells[column] = "-"
        cells[last] = "]"
        cells[first] = "[" if last > first else name
        if last > first + 1:
            cells[first + 1] = name
    return _Row(label, cells, [style] * len(cells))


def _marks(label: str, marks: Iterable[tuple[Range, str]], axis: Axis, style: str) -> _Row:
    cells = [" "] * axis.columns
    for mark, name in marks:
        if not _visible(mark, axis):
            continue
        for column in range(axis.column(mark.start), axis.column(mark.end - 1) + 1):
            cells[column] = name if cells[column] in {" ", name} else "+"
    return _Row(label, cells, [style] * len(cells))


def _node_of_columns(scene: Scene, axis: Axis) -> list[int | None]:
    """The node whose memory a column shows; -1 for several, None for no memory."""
    found: list[int | None] = [None] * axis.columns
    for r in scene.memory:
        if not _visible(r.range, axis):
            continue
        for column in range(axis.column(r.start), axis.column(r.end - 1) + 1):
            found[column] = r.node if found[column] in {None, r.node} else -1
    return found


def _visible(r: Range, axis: Axis) -> bool:
    shown = Range(axis.segments[0].range.start, axis.segments[-1].range.end)
    return not r.is_empty and r.overlaps(shown)


def _in_view(shown: RangeSet, axis: Axis) -> RangeSet:
    return shown.within(Range(axis.segments[0].range.start, axis.segments[-1].range.end))


def _ruler(axis: Axis, low: int, high: int, glyphs: Glyphs) -> list[list[Span]]:
    """Addresses over ticks; the ruler itself carries the sizes of cut stretches."""
    ruler = [glyphs.ruler] * axis.columns
    wanted: list[tuple[int, int]] = []
    for segment in axis.segments:
        if segment.cut:
            text = _short(segment.range.size).center(segment.columns - 2, " ")
            ruler[segment.column : segment.column + segment.columns] = f"/{text}/"
        wanted.append((segment.column, segment.range.start))
    windows = axis.windows()
    shown = {column for column, _ in wanted}
    if low not in shown and not _inside_cut(axis, low):
        wanted.append((low, windows[low].start))
    labels = [" "] * (high - low)
    taken = -1
    for column, address in sorted(wanted):
        if not low <= column < high:
            continue
        text = f"{address:#x}"
        at = column - low
        if at <= taken or at + len(text) > high - low:
            continue
        labels[at : at + len(text)] = text
        taken = at + len(text)
        if ruler[column] == glyphs.ruler:
            ruler[column] = glyphs.tick
    pad = " " * LABEL_WIDTH
    return [
        [Span(pad + "".join(labels).rstrip(), "dim")],
        [Span(pad + "".join(ruler[low:high]), "dim")],
    ]


def _inside_cut(axis: Axis, column: int) -> bool:
    return any(
        segment.cut and segment.column <= column < segment.column + segment.columns
        for segment in axis.segments
    )


def _short(size: int) -> str:
    """At most five characters: 4K, 1.45G, 62.4G."""
    text, unit = size_text(size).split(" ")
    if len(text) > 4:
        text = text[:4].rstrip(".")
    return text + unit[0]


def _line(row: _Row, low: int, high: int) -> list[Span]:
    spans = [Span(row.label.ljust(LABEL_WIDTH))]
    text, style = "", ""
    for cell, wanted in zip(row.cells[low:high], row.styles[low:high], strict=True):
        if wanted != style and text:
            spans.append(Span(text, style))
            text = ""
        style = wanted
        text += cell
    spans.append(Span(text.rstrip(), style))
    return spans
