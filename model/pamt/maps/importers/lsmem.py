"""Memory blocks by ``lsmem``: whole hot-plug blocks, online or not.

A block is 128 MiB to 2 GiB large, so holes inside are not seen: good for nodes and as a
cross-check, and a map of its own only where nothing better is there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pamt.maps.importers.lines import HEX, Place, Source, Unread

__all__ = ["BlockRange", "LsmemLog", "read_lsmem"]

TOKENS = (" online", " offline", "RANGE", "Memory block size:")
_ROW = re.compile(rf"({HEX})-({HEX})\s+\S+\s+(online|offline)(\s.*)?")
_STARTS = re.compile(rf"{HEX}-{HEX}\s+\S+\s+o(?:n|ff)line")
_UNIT = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_BLOCK = re.compile(r"Memory block size:\s+(\d{1,6})([KMGT])")


class BlockRange(NamedTuple):
    start: int
    end: int
    node: int | None
    place: Place


class LsmemLog(NamedTuple):
    online: tuple[BlockRange, ...]
    block_size: int | None
    unread: tuple[Unread, ...]


def read_lsmem(source: Source) -> LsmemLog:
    online: list[BlockRange] = []
    unread: list[Unread] = []
    columns: list[str] = []
    block_size: int | None = None
    for line in source.lines(TOKENS):
        text = line.text
        if text.startswith("RANGE"):
            columns = text.split()
        elif found := _BLOCK.match(text):
            block_size = int(found[1]) * _UNIT[found[2]]
        elif found := _ROW.fullmatch(text):
            start, end = int(found[1], 16), int(found[2], 16) + 1
            if start < end and found[3] == "online":
                online.append(BlockRange(start, end, _node(columns, text.split()), line.place))
            elif start >= end:
                unread.append(
                    Unread(line.place, "lsmem", "a range that ends after it starts", text)
                )
        elif _STARTS.match(text):
            unread.append(Unread(line.place, "lsmem", "RANGE SIZE STATE REMOVABLE BLOCK", text))
    return LsmemLog(tuple(sorted(online)), block_size, tuple(unread))


def _node(columns: list[str], cells: list[str]) -> int | None:
    """The NODE cell, if the heading has such a column and the row all its cells."""
    if "NODE" not in columns or len(columns) != len(cells):
        return None
    cell = cells[columns.index("NODE")]
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 5 else None
