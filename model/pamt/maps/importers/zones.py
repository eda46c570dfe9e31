"""Zones: what the boot log says of all nodes together, and what follows for each node.

The log gives one span a zone ("Zone ranges") and, if ZONE_MOVABLE is in use, where it begins on
each node.  A node's zone is the node's own span cut to the zone's; what lies at or above the start
of ZONE_MOVABLE belongs to that zone instead.  Zones are spans, holes included; a zone without any
memory of the node is not populated and left out.
Source: Linux v6.8 mm/mm_init.c, zone_spanned_pages_in_node and adjust_zone_range_for_zone_movable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pamt.machine import MemoryRange, Zone
from pamt.maps.importers.lines import HEX, MEM, Place, Source, Unread, half_open
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet, is_aligned

__all__ = ["MOVABLE", "ZoneLog", "node_zones", "read_zones", "zone_limits"]

MOVABLE = "Movable"
USUAL = {
    "DMA": Range(0, 16 * MIB),
    "DMA32": Range(16 * MIB, 4 * GIB),
    "Normal": Range(4 * GIB, 1 << 64),
}
"""Spans where the log does not give them."""

TOKENS = ("Zone ranges", "DMA", "Normal", MOVABLE, "Node ")

_ZONE = re.compile(rf"(DMA|DMA32|Normal|Movable)\s+(?:{MEM}|empty)")
_ZONE_STARTS = re.compile(r"(?:DMA|DMA32|Normal|Movable)\s+\[mem")
_MOVABLE = re.compile(rf"Node (\d{{1,4}}): ({HEX})")
_MOVABLE_STARTS = re.compile(r"Node \d+: 0x")


class ZoneLog(NamedTuple):
    """What one boot says of zones."""

    spans: tuple[tuple[str, Range, Place], ...]
    """Zones that are not empty."""
    heading: bool
    """Whether "Zone ranges" itself is there: then a zone that is not listed does not exist."""
    movable: tuple[tuple[int, int, Place], ...]
    """Node, address at which its ZONE_MOVABLE begins."""
    unread: tuple[Unread, ...]

    @property
    def is_empty(self) -> bool:
        return not self.spans and not self.movable


def read_zones(source: Source) -> ZoneLog:
    spans: dict[str, tuple[Range, Place]] = {}
    movable: dict[int, tuple[int, Place]] = {}
    heading = False
    unread: list[Unread] = []
    for line in source.lines(TOKENS):
        text = line.text
        if found := _ZONE.fullmatch(text):
            if found[2] is None:
                continue
            ends = half_open(found[2], found[3])
            if ends is not None and Range(*ends).is_aligned(PAGE):
                spans.setdefault(found[1], (Range(*ends), line.place))
                continue
        elif (found := _MOVABLE.fullmatch(text)) and is_aligned(int(found[2], 16), PAGE):
            movable.setdefault(int(found[1]), (int(found[2], 16), line.place))
            continue
        elif text.startswith("Zone ranges"):
            heading = True
            continue
        elif not _ZONE_STARTS.match(text) and not _MOVABLE_STARTS.match(text):
            continue
        unread.append(
            Unread(
                line.place,
                "zone",
                "a line like Normal   [mem 0x0000000100000000-0x0000007c7fffffff] or"
                " Node 1: 0x0000001080000000",
                text,
            )
        )
    return ZoneLog(
        tuple((name, span, place) for name, (span, place) in spans.items()),
        heading,
        tuple((node, start, place) for node, (start, place) in sorted(movable.items())),
        tuple(unread),
    )


def node_zones(
    memory: Iterable[MemoryRange], node: int, spans: Mapping[str, Range], movable: int | None
) -> tuple[Zone, ...]:
    """The populated zones of `node`; `movable` is where its ZONE_MOVABLE begins, None for nowhere.

    `spans` are the limits of DMA, DMA32 and Normal, bytes, half open; one left out does not exist.
    """
    own = RangeSet(r.range for r in memory if r.node == node)
    node_span = own.span
    zones: list[Zone] = []
    for name in ("DMA", "DMA32", "Normal"):
        if name not in spans:
            continue
        part = node_span.clip(spans[name])
        if movable is not None:
            part = part.clip(Range(0, movable))
        if not part.is_empty and own.overlaps(part):
            zones.append(Zone(name, part.start, part.end))
    if movable is not None:
        part = node_span.clip(Range(movable, max(movable, node_span.end)))
        if not part.is_empty and own.overlaps(part):
            zones.append(Zone(MOVABLE, part.start, part.end))
    return tuple(zones)


def zone_limits(log: ZoneLog) -> dict[str, Range]:
    """Limits of DMA, DMA32 and Normal by the log, the usual ones where it is cut short."""
    given = {name: span for name, span, _ in log.spans if name != MOVABLE}
    if not log.heading:
        for name, span in USUAL.items():
            if not any(span.overlaps(other) for other in given.values()):
                given[name] = span
    return given
