"""Memory ranges with their nodes, and the nodes themselves, as the boot log prints them.

``Early memory node ranges`` is memblock's list, one line for each range: exactly what the TDX code
walks later, split at node borders and where flags differ.  Ends are included in what is printed.
Source: Linux v6.8 mm/mm_init.c, free_area_init.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pamt.machine import MemoryRange
from pamt.maps.importers.lines import MEM, Place, Source, Unread, half_open

__all__ = ["EarlyRange", "NodeLog", "read_nodes"]

_RANGE = re.compile(rf"node\s+(\d{{1,4}}): {MEM}")
_STARTS = re.compile(r"node\s+\d+: \[mem")
_FALLBACK = re.compile(r"Fallback order for Node (\d{1,4}): ((?:\d{1,4} ?)+)")
_MEMORYLESS = re.compile(
    r"(?:Initializing node (\d{1,4}) as memoryless|Initmem setup node (\d{1,4}) as memoryless)"
)
_SETUP = re.compile(r"Initmem setup node (\d{1,4}) \[mem ")
TOKENS = (re.compile("node {1,4}[0-9]"), "Fallback order for ")


class EarlyRange(NamedTuple):
    start: int
    end: int
    node: int
    place: Place

    @property
    def memory(self) -> MemoryRange:
        return MemoryRange(self.start, self.end, self.node, str(self.place))


class NodeLog(NamedTuple):
    """What one boot says of nodes.

    `ranges`: each list as printed.  `fallback`: node to order and place.  `offline`: nodes without
    memory that Linux leaves offline.  `seen`: all nodes set up, with or without memory.
    """

    ranges: tuple[tuple[EarlyRange, ...], ...]
    fallback: tuple[tuple[int, tuple[int, ...], Place], ...]
    offline: tuple[tuple[int, Place], ...]
    seen: tuple[tuple[int, Place], ...]
    unread: tuple[Unread, ...]


def read_nodes(source: Source) -> NodeLog:
    ranges: list[EarlyRange] = []
    fallback: list[tuple[int, tuple[int, ...], Place]] = []
    offline: list[tuple[int, Place]] = []
    seen: list[tuple[int, Place]] = []
    unread: list[Unread] = []
    for line in source.lines(TOKENS):
        text = line.text
        if _STARTS.match(text):
            found = _RANGE.fullmatch(text)
            ends = half_open(found[2], found[3]) if found else None
            if found is None or ends is None:
                unread.append(
                    Unread(
                        line.place,
                        "Early memory node ranges",
                        "a line like node   0: [mem 0x0000000000001000-0x000000000009efff]",
                        text,
                    )
                )
            else:
                ranges.append(EarlyRange(*ends, int(found[1]), line.place))
        elif text.startswith("Fallback order for "):
            found = _FALLBACK.fullmatch(text)
            if found is None:
                unread.append(
                    Unread(
                        line.place,
                        "Fallback order",
                        "a line like Fallback order for Node 0: 0 1",
                        text,
                    )
                )
            else:
                order = tuple(int(word) for word in found[2].split())
                fallback.append((int(found[1]), order, line.place))
        elif found := _MEMORYLESS.match(text):
            node = int(found[1] or found[2])
            seen.append((node, line.place))
            if found[1]:
                # This wording is printed only of a node that is not online.
                offline.append((node, line.place))
        elif found := _SETUP.match(text):
            seen.append((int(found[1]), line.place))
    return NodeLog(_split(ranges), tuple(fallback), tuple(offline), tuple(seen), tuple(unread))


def _split(ranges: Sequence[EarlyRange]) -> tuple[tuple[EarlyRange, ...], ...]:
    """A list printed twice as two: it starts anew at or below where it stood."""
    blocks: list[list[EarlyRange]] = []
    for r in ranges:
        if not blocks or r.start <= blocks[-1][-1].start:
            blocks.append([])
        blocks[-1].append(r)
    return tuple(tuple(block) for block in blocks)
