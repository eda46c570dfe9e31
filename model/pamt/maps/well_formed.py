"""What a machine file must keep beyond the shape of its values.

Entries come in the order of the file, None for one that was bad by itself.  Every check is a sort
and one pass, since a map may hold a million ranges.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from pamt.machine import MAX_CMRS, Cmr, FreeRun, MemoryRange, Node
from pamt.maps.decode import Complaints, Path, spell
from pamt.ranges import Range, RangeSet

__all__ = ["check_cmr_count", "check_free", "check_node_ids", "check_nodes", "in_order"]


def in_order(
    entries: Sequence[Any] | None, path: Path, complaints: Complaints
) -> tuple[Any, ...] | None:
    """The good entries sorted by start; complains of empty and of overlapping ones."""
    if entries is None:
        return None
    listed = [(entry.start, index, entry) for index, entry in enumerate(entries) if entry]
    listed.sort()
    reach: tuple[Any, int] | None = None
    for start, index, entry in listed:
        if entry.end <= start:
            complaints.add(
                (*path, index, "end"), f"an address above the start {start:#x}", f"{entry.end:#x}"
            )
            continue
        if reach is not None and start < reach[0].end:
            other, at = reach
            complaints.add(
                (*path, index),
                "ranges that do not overlap",
                f"{_span(entry)}, which overlaps {spell((*path, at))} {_span(other)}",
                other=(*path, at),
            )
        if reach is None or entry.end > reach[0].end:
            reach = (entry, index)
    return tuple(entry for _, _, entry in listed)


def _span(entry: Any) -> Range:
    return Range(entry.start, entry.end)


def check_cmr_count(cmrs: Sequence[Cmr | None], path: Path, complaints: Complaints) -> None:
    if len(cmrs) > MAX_CMRS:
        complaints.add((*path, MAX_CMRS), f"at most {MAX_CMRS} CMR entries", f"{len(cmrs)}")


def check_nodes(nodes: Sequence[Node], path: Path, complaints: Complaints) -> None:
    """Ids once each; distances as many as nodes; fallback orders of known nodes, itself first."""
    first: dict[int, int] = {}
    for index, node in enumerate(nodes):
        at = first.setdefault(node.id, index)
        if at != index:
            complaints.add(
                (*path, index, "id"),
                "each node id once",
                f"{node.id} again",
                other=(*path, at, "id"),
            )
    for index, node in enumerate(nodes):
        here = (*path, index)
        if node.distance is not None and len(node.distance) != len(first):
            complaints.add(
                (*here, "distance"),
                f"{len(first)} distances, one for each [[node]]",
                f"{len(node.distance)}",
            )
        if node.fallback is None:
            continue
        if node.fallback[0] != node.id:
            complaints.add(
                (*here, "fallback", 0), f"the node itself, {node.id}, first", f"{node.fallback[0]}"
            )
        seen: set[int] = set()
        for at, other in enumerate(node.fallback):
            if other not in first:
                complaints.add((*here, "fallback", at), _known(first), f"{other}")
            elif other in seen:
                complaints.add((*here, "fallback", at), "each node once", f"{other} again")
            seen.add(other)


def _known(ids: dict[int, int]) -> str:
    shown = ", ".join(str(i) for i in sorted(ids)[:16])
    return f"the id of a [[node]] ({shown}{', ...' if len(ids) > 16 else ''})"


def check_node_ids(
    nodes: Sequence[Node],
    entries: Sequence[MemoryRange | FreeRun | None] | None,
    path: Path,
    complaints: Complaints,
) -> None:
    """When nodes are listed, ranges name no other."""
    known = {node.id: 0 for node in nodes}
    for index, entry in enumerate(entries or ()):
        if entry is not None and entry.node not in known:
            complaints.add((*path, index, "node"), _known(known), f"{entry.node}")


def check_free(
    cmrs: Sequence[Cmr | None] | None,
    memory: Sequence[MemoryRange | None] | None,
    free: Sequence[FreeRun | None] | None,
    nodes: Sequence[Node],
    path: Path,
    complaints: Complaints,
) -> None:
    """Free runs lie inside memory ranges of their node, and not in its zone Movable.

    Where no memory is given the CMR runs on node 0 stand in for it.
    """
    if not free:
        return
    where = "the memory of node {}"
    if memory is None:
        where = "the CMRs (they stand in for memory, on node 0)"
        memory = [
            None if c is None else MemoryRange(c.base, c.base + c.size, 0) for c in cmrs or ()
        ]
    owned = _by_node(memory) if None not in memory else None
    listed = sorted(r for r in memory if r is not None)
    nothing = RangeSet()
    movable = {
        node.id: RangeSet(zone.range for zone in node.zones or () if zone.name == "Movable")
        for node in nodes
    }
    for index, run in enumerate(free):
        if run is None or run.end <= run.start:
            continue
        closed = movable.get(run.node)
        if closed and closed.overlaps(run.range):
            complaints.add(
                (*path, "free", index),
                f"a free run outside zone Movable {closed} of node {run.node}",
                f"{run.range}",
            )
        # Where a memory range is bad by itself, nothing certain can be said of what it should hold.
        if owned is None or run.range in owned.get(run.node, nothing):
            continue
        first = owned.get(run.node, nothing).complement(run.range).runs[0]
        complaints.add(
            (*path, "free", index),
            f"a free run inside {where.format(run.node)}",
            f"{run.range}, of which {first} {_whose(first, listed)}",
        )


def _by_node(memory: Sequence[MemoryRange | None]) -> dict[int, RangeSet]:
    listed: dict[int, list[Range]] = {}
    for r in memory:
        if r is not None:
            listed.setdefault(r.node, []).append(r.range)
    return {node: RangeSet(ranges) for node, ranges in listed.items()}


def _whose(stretch: Range, listed: Sequence[MemoryRange]) -> str:
    """Whose memory `stretch` begins with, or that it is none; `listed` is sorted by start."""
    at = bisect_right(listed, stretch.start, key=_start)
    for r in listed[max(0, at - 1) : at + 1]:
        if r.range.overlaps(stretch):
            return f"holds {r.range.clip(stretch)}, memory of node {r.node}"
    return "is not memory"


def _start(r: MemoryRange) -> int:
    return r.start
