"""Nodes by /sys/devices/system/node: distances and the memory blocks of each node.

Read from any listing that shows paths: ``grep . /sys/devices/system/node/node*/distance``,
``ls -d /sys/devices/system/node/node*/memory*``, ``grep . .../block_size_bytes``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pamt.maps.importers.lines import Place, Source, Unread

__all__ = ["NodeBlock", "SysfsLog", "read_sysfs"]

TOKENS = ("node/node", "block_size_bytes", "memory/auto_online")
_DISTANCE = re.compile(r"\S*node/node(\d{1,4})/distance:\s*((?:\d{1,3}\s?)+)")
_DISTANCE_STARTS = re.compile(r"\S*node/node\d+/distance:")
_MEMORY = re.compile(r"\S*node/node(\d{1,4})/memory(\d{1,9})(?=[\s:/@]|$)")
_DIRECTORY = re.compile(r"\S*node/node(\d{1,4})/?:")
_BLOCK_SIZE = re.compile(r"\S*memory/block_size_bytes:\s*([0-9a-fA-F]{1,12})")
_LISTED = re.compile(r"memory(\d{1,9})@?")
MAX_LISTED = 1 << 17
"""Lines of a directory listing that are looked at."""


class NodeBlock(NamedTuple):
    node: int
    block: int
    place: Place


class SysfsLog(NamedTuple):
    distances: tuple[tuple[int, tuple[int, ...], Place], ...]
    """Node, distances to the online nodes by ascending id, place."""
    blocks: tuple[NodeBlock, ...]
    block_size: int | None
    unread: tuple[Unread, ...]


def read_sysfs(source: Source) -> SysfsLog:
    distances: dict[int, tuple[tuple[int, ...], Place]] = {}
    blocks: dict[tuple[int, int], Place] = {}
    block_size: int | None = None
    unread: list[Unread] = []
    for index in source.indices(TOKENS):
        line = source.line(index)
        if found := _DISTANCE.fullmatch(line.text):
            row = tuple(int(word) for word in found[2].split())
            distances.setdefault(int(found[1]), (row, line.place))
        elif _DISTANCE_STARTS.match(line.text):
            unread.append(Unread(line.place, "node distance", "node0/distance:10 21", line.text))
        elif found := _BLOCK_SIZE.fullmatch(line.text):
            block_size = int(found[1], 16) or None
        elif found := _DIRECTORY.fullmatch(line.text):
            for listed, place in _listing(source, index):
                blocks.setdefault((int(found[1]), listed), place)
        else:
            for path in _MEMORY.finditer(line.text):
                blocks.setdefault((int(path[1]), int(path[2])), line.place)
    return SysfsLog(
        tuple((node, row, place) for node, (row, place) in sorted(distances.items())),
        tuple(NodeBlock(node, at, place) for (node, at), place in sorted(blocks.items())),
        block_size,
        tuple(unread),
    )


def _listing(source: Source, index: int) -> list[tuple[int, Place]]:
    """Blocks (memoryN) in the listing of a directory: up to a blank line or another heading."""
    found: list[tuple[int, Place]] = []
    for at in range(index + 1, min(source.count, index + 1 + MAX_LISTED)):
        line = source.line(at)
        if not line.text or line.text.endswith(":"):
            break
        found += [
            (int(name[1]), line.place)
            for name in map(_LISTED.fullmatch, line.text.split())
            if name is not None
        ]
    return found
