"""A trace of the start-up, as text and as SVG: what happened, and who holds what after it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from pamt.prove.startup.explicit import Step
from pamt.prove.startup.system import Parameters, Phase, State, initial

__all__ = ["Lane", "lanes", "trace_svg", "trace_text"]

_MODULE = ("fresh", "initialised", "configured", "keyed")
_ROW, _TOP, _LEFT = 26, 44, 16
_SAID_WIDTH, _LANE_WIDTH = 530, 150


class Lane(NamedTuple):
    """One column of a drawn trace: a title, and what to write for a state."""

    title: str
    cell: str
    alarm: bool


def lanes(state: State, p: Parameters) -> tuple[Lane, ...]:
    """What a state shows: the kernel's phase, PAMT pages, the module, guests and memory."""
    held = state.allocated - state.returned
    owners: list[str] = []
    if held:
        owners.append(f"{held} of {p.tdmrs} held")
    if state.known_free:
        owners.append("told, but free")
    elif state.returned:
        owners.append(f"{state.returned} given back")
    notes = [
        word
        for word, shown in (
            ("lock", state.lock),
            ("list", state.listed),
            ("in use", state.used),
            ("uncovered memory", state.uncovered),
            ("uncleared", state.uncleared),
        )
        if shown
    ]
    return (
        Lane("kernel", Phase(state.phase).name.lower(), state.phase == Phase.ERROR),
        Lane("PAMT", ", ".join(owners) or "-", bool(state.known_free)),
        Lane("module", _MODULE[state.module], False),
        Lane("also", ", ".join(notes) or "-", bool(state.uncovered or state.uncleared)),
    )


def _rows(trace: Sequence[Step]) -> list[tuple[str, State]]:
    return [("(before anything)", initial())] + [(step.rule.said, step.state) for step in trace]


def trace_text(trace: Sequence[Step], p: Parameters) -> str:
    """One line a step: number, what happened, and the state after it."""
    rows = _rows(trace)
    table = [("", "", *(lane.title for lane in lanes(initial(), p)))]
    for number, (said, state) in enumerate(rows):
        table.append((str(number), said, *(lane.cell for lane in lanes(state, p))))
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column == 0 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return "\n".join(lines) + "\n"


def trace_svg(trace: Sequence[Step], p: Parameters, title: str = "") -> str:
    """The same as a drawing: time runs downwards, one column a lane, trouble in red."""
    rows = _rows(trace)
    titles = [lane.title for lane in lanes(initial(), p)]
    width = 2 * _LEFT + _SAID_WIDTH + _LANE_WIDTH * len(titles)
    height = _TOP + _ROW * (len(rows) + 1)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">'
        ),
        f"<title>{escape(title or 'trace of the start-up')}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for column, name in enumerate(titles):
        x = _LEFT + _SAID_WIDTH + _LANE_WIDTH * column
        parts.append(f'<text x="{x}" y="{_TOP - 14}" font-weight="bold">{escape(name)}</text>')
    for number, (said, state) in enumerate(rows):
        y = _TOP + _ROW * number
        weight = ' font-weight="bold"' if number == len(rows) - 1 else ""
        parts.append(f'<text x="{_LEFT}" y="{y + 17}"{weight}>{number}. {escape(said)}</text>')
        for column, lane in enumerate(lanes(state, p)):
            x = _LEFT + _SAID_WIDTH + _LANE_WIDTH * column
            fill = "#f4c7c3" if lane.alarm else "#e8eef7"
            if lane.cell != "-":
                parts.append(
                    f'<rect x="{x - 4}" y="{y}" width="{_LANE_WIDTH - 6}" height="{_ROW - 2}"'
                    f' fill="{fill}"/>'
                )
            parts.append(f'<text x="{x}" y="{y + 17}">{escape(lane.cell)}</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
