"""Nodes, sizes and distances by ``numactl -H``."""

from __future__ import annotations

import re
from typing import NamedTuple

from pamt.maps.importers.lines import Place, Source, Unread
from pamt.ranges import MIB

__all__ = ["Distances", "NodeSize", "NumactlLog", "read_numactl"]

TOKENS = (" size: ", "node distances:")
_SIZE = re.compile(r"node (\d{1,4}) size: (\d{1,15}) MB")
_HEAD = re.compile(r"node((?:\s+\d{1,4})+)")
_ROW = re.compile(r"(\d{1,4}):((?:\s+\d{1,3})+)")
MAX_NODES = 1024


class NodeSize(NamedTuple):
    """MemTotal of a node in bytes, rounded down to MiB: never above its memory."""

    node: int
    size: int
    place: Place


class Distances(NamedTuple):
    """``rows[n][k]``: distance from node n to the k-th of `ids`."""

    ids: tuple[int, ...]
    rows: dict[int, tuple[int, ...]]
    place: Place


class NumactlLog(NamedTuple):
    sizes: tuple[NodeSize, ...]
    distances: Distances | None
    unread: tuple[Unread, ...]


def read_numactl(source: Source) -> NumactlLog:
    sizes: list[NodeSize] = []
    distances: Distances | None = None
    unread: list[Unread] = []
    for index in source.indices(TOKENS):
        line = source.line(index)
        if found := _SIZE.fullmatch(line.text):
            sizes.append(NodeSize(int(found[1]), int(found[2]) * MIB, line.place))
        elif line.text.startswith("node distances:"):
            read = _matrix(source, index)
            if isinstance(read, Unread):
                unread.append(read)
            else:
                distances = distances or read
    return NumactlLog(tuple(sizes), distances, tuple(unread))


def _matrix(source: Source, index: int) -> Distances | Unread:
    place = source.line(index).place
    ids: tuple[int, ...] = ()
    rows: dict[int, tuple[int, ...]] = {}
    for at in range(index + 1, min(source.count, index + 2 + MAX_NODES)):
        text = source.line(at).text
        if not ids:
            found = _HEAD.fullmatch(text)
            if found is None:
                break
            ids = tuple(int(word) for word in found[1].split())
            continue
        found = _ROW.fullmatch(text)
        if found is None:
            break
        rows[int(found[1])] = tuple(int(word) for word in found[2].split())
    if not ids or set(rows) != set(ids) or any(len(row) != len(ids) for row in rows.values()):
        return Unread(
            place,
            "node distances",
            f"{len(ids)} rows of {len(ids)} distances" if ids else "a row of node ids",
            f"{len(rows)} rows of {sorted({len(r) for r in rows.values()})}" if rows else "none",
        )
    return Distances(ids, rows, place)
