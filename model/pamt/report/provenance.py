"""From a hole between two ranges to the log lines that make it.

A range remembers the line it was read from.  The lines between the two ranges' lines are quoted
only if the log is at hand and they name addresses inside the hole, so that what is shown is what
was read; otherwise the two lines are named and nothing is claimed of what stands between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pamt.ranges import Range
from pamt.report.needed import Sides

__all__ = ["Quote", "Sources", "split_origin"]

MOST_LINES_BETWEEN = 64
LARGEST_LOG = 64 << 20
_NAMED = re.compile(r"\[mem (0x[0-9a-fA-F]{1,16})-(0x[0-9a-fA-F]{1,16})\]")


class Quote(NamedTuple):
    """One line of a log."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def split_origin(origin: str) -> tuple[str, int] | None:
    """``file:line`` in parts; None for anything else."""
    file, _, line = origin.rpartition(":")
    return (file, int(line)) if file and line.isdigit() else None


class Sources:
    """The logs that a map was made from, as far as they are still where the map says.

    `folders` are tried in turn for a relative name.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self._read: dict[str, list[str] | None] = {}

    def between(self, sides: Sides, hole: Range) -> list[Quote]:
        """The lines between the two sides that name addresses inside `hole`."""
        before, after = split_origin(sides.before), split_origin(sides.after)
        if before is None and after is None:
            return []
        if before is not None and after is not None and before[0] != after[0]:
            return []
        low = before[1] if before else max(0, after[1] - 2 if after else 0)
        high = after[1] if after else low + 2
        file = (before or after or ("", 0))[0]
        lines = self._lines(file)
        if lines is None or not low < high <= low + MOST_LINES_BETWEEN:
            return []
        quotes: list[Quote] = []
        for number in range(low + 1, min(high, len(lines) + 1)):
            text = lines[number - 1]
            named = _NAMED.search(text)
            if named and Range(int(named[1], 16), int(named[2], 16) + 1).overlaps(hole):
                quotes.append(Quote(file, number, text.strip()))
        return quotes

    def _lines(self, file: str) -> list[str] | None:
        if file not in self._read:
            self._read[file] = self._load(file)
        return self._read[file]

    def _load(self, file: str) -> list[str] | None:
        for folder in self._folders:
            path = folder / file
            try:
                if path.is_file() and path.stat().st_size <= LARGEST_LOG:
                    return path.read_text(errors="replace").split("\n")
            except OSError:
                continue
        return None
