"""Zones of each node by /proc/zoneinfo: start_pfn and spanned, both in pages.

Zones without a present page are not populated and left out; so is ZONE_DEVICE, which the page
allocator never hands out.  Source: Linux v6.8 mm/vmstat.c, zoneinfo_show_print.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pamt.machine import Zone
from pamt.maps.importers.lines import Place, Source, Unread
from pamt.ranges import PAGE

__all__ = ["NodeZone", "ZoneinfoLog", "read_zoneinfo"]

TOKENS = (", zone ", "spanned ", "present ", "start_pfn:")
NAMES = frozenset({"DMA", "DMA32", "Normal", "Movable"})

_HEAD = re.compile(r"Node (\d{1,4}), zone\s+(\w+)")
_NUMBER = re.compile(r"(spanned|present|start_pfn:)\s+(\d{1,18})")
_WANTED = ("spanned", "present", "start_pfn:")


class NodeZone(NamedTuple):
    node: int
    zone: Zone
    place: Place


class ZoneinfoLog(NamedTuple):
    zones: tuple[NodeZone, ...]
    unread: tuple[Unread, ...]


def read_zoneinfo(source: Source) -> ZoneinfoLog:
    zones: list[NodeZone] = []
    unread: list[Unread] = []
    head: tuple[int, str, Place] | None = None
    numbers: dict[str, int] = {}

    def close() -> None:
        if head is None or head[1] not in NAMES:
            return
        if numbers.get("present", 1) == 0 or numbers.get("spanned", 1) == 0:
            return
        if any(word not in numbers for word in _WANTED):
            if numbers:  # with none of them it is another file's line, as in /proc/buddyinfo
                missing = ", ".join(word.rstrip(":") for word in _WANTED if word not in numbers)
                unread.append(
                    Unread(
                        head[2],
                        "zoneinfo",
                        f"{missing} of node {head[0]}, zone {head[1]}",
                        "the next zone, or the end of the file",
                    )
                )
            return
        start = numbers["start_pfn:"] * PAGE
        zone = Zone(head[1], start, start + numbers["spanned"] * PAGE)
        zones.append(NodeZone(head[0], zone, head[2]))

    for line in source.lines(TOKENS):
        if found := _HEAD.match(line.text):
            close()
            head, numbers = (int(found[1]), found[2], line.place), {}
        elif head is not None and (found := _NUMBER.fullmatch(line.text)):
            numbers.setdefault(found[1], int(found[2]))
    close()
    return ZoneinfoLog(tuple(zones), tuple(unread))
