"""Words and numbers around the drawing of a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pamt.ranges import Range, RangeSet
from pamt.report.drawing import Glyphs, Span
from pamt.report.scene import DrawnTdmr, Scene
from pamt.report.words import count, one_line, size_text

__all__ = ["scene_fields", "tdmr_lines", "title_lines"]

MOST_ROWS = 128
BAR_COLUMNS = 32


def title_lines(scene: Scene, name: str, shown: str, said: Sequence[str]) -> list[list[Span]]:
    """Name, what there is, what is drawn on it, and what the kernel says."""
    memory = RangeSet(r.range for r in scene.memory)
    nodes = {r.node for r in scene.memory}
    lines = [
        [Span(one_line(name), "bold"), Span(f": {one_line(shown)}")],
        [
            Span(
                f"{size_text(memory.size)} in {count(len(scene.memory), 'memory range')} on"
                f" {count(len(nodes), 'node')}; {count(len(scene.cmrs), 'CMR')};"
                f" {count(len(scene.tdmrs), 'TDMR')}; {count(len(scene.holes), 'hole')}"
            )
        ],
    ]
    lines += [[Span(one_line(text), "red")] for text in said]
    return [*lines, []]


def tdmr_lines(scene: Scene, glyphs: Glyphs) -> list[list[Span]]:
    """One line for each TDMR: where, home, PAMT, reserved areas used of those there are."""
    if not scene.tdmrs:
        return []
    rows = [("#", "TDMR", "size", "home", "PAMT at", "on", "reserved areas")]
    for index, tdmr in enumerate(scene.tdmrs[:MOST_ROWS]):
        rows.append(
            (
                str(index),
                str(tdmr.range),
                size_text(tdmr.range.size),
                "-" if tdmr.home is None else str(tdmr.home),
                f"{min(tdmr.pamts).start:#x}" if tdmr.pamts else "-",
                "-" if tdmr.pamt_node is None else str(tdmr.pamt_node),
                f"{tdmr.areas} of {scene.max_reserved}",
            )
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    right = (0, 2, 3, 5, 6)
    lines: list[list[Span]] = []
    for number, row in enumerate(rows):
        cells = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = [Span("  ".join(cells), "" if number else "dim")]
        if number:
            line += [Span("  "), *_bar(scene.tdmrs[number - 1], scene.max_reserved, glyphs)]
        lines.append(line)
    if len(scene.tdmrs) > MOST_ROWS:
        lines.append([Span(f"... and {len(scene.tdmrs) - MOST_ROWS} more (all with --json)")])
    return lines


def _bar(tdmr: DrawnTdmr, limit: int, glyphs: Glyphs) -> list[Span]:
    """Areas used, free, and over the limit: one column an area while that is short enough."""
    full, empty = glyphs.shares[-1], "." if glyphs.shares.isascii() else "░"
    columns = min(limit, BAR_COLUMNS)
    used = min(tdmr.areas, limit)
    filled = -(-used * columns // limit)
    over = max(0, tdmr.areas - limit)
    style = "red" if over else "yellow" if used == limit else "green"
    spans = [Span(full * filled, style), Span(empty * (columns - filled), "dim")]
    if over:
        shown = min(over, BAR_COLUMNS)
        spans.append(Span("!" * shown + f" {over} too many", "bold red"))
    return spans


def scene_fields(scene: Scene) -> dict[str, Any]:
    """What is drawn, in numbers."""
    return {
        "cmrs": [_range(r) for r in scene.cmrs],
        "memory": [{**_range(r.range), "node": r.node} for r in scene.memory],
        "holes": [_range(r) for r in scene.holes],
        "tdmrs": [
            {
                **_range(tdmr.range),
                "home": tdmr.home,
                "pamts": [_range(pamt) for pamt in tdmr.pamts],
                "pamt_node": tdmr.pamt_node,
                "areas": tdmr.areas,
            }
            for tdmr in scene.tdmrs
        ],
        "reserved": [_range(r) for r in scene.reserved],
        "max_reserved_per_tdmr": scene.max_reserved,
    }


def _range(r: Range) -> dict[str, str]:
    return {"start": f"{r.start:#x}", "end": f"{r.end:#x}"}
