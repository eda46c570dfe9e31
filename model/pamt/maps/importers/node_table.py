"""The nodes of the machine: zones, fallback orders, distances, which are online.

Only what a source really says is written; what is missing stays out and is stood in for later, as
an assumption of the answer (:mod:`pamt.standins`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pamt.machine import ADDRESS_LIMIT, MemoryRange, Node, Zone
from pamt.maps.importers.findings import Findings
from pamt.maps.importers.imported import claim
from pamt.maps.importers.lines import Place
from pamt.maps.importers.reading import Reading
from pamt.maps.importers.zones import MOVABLE, ZoneLog, node_zones, zone_limits
from pamt.ranges import RangeSet

__all__ = ["build_nodes", "check_sizes"]

MAX_NODE = 1023
MAX_DISTANCE = 255


class _Zones(NamedTuple):
    zones: tuple[Zone, ...]
    place: Place


def build_nodes(
    readings: Sequence[Reading], memory: Sequence[MemoryRange], findings: Findings
) -> tuple[Node, ...]:
    """Nodes by ascending id; none when no source says more than the memory ranges do."""
    zones = _zones(readings, memory, findings)
    fallback = _fallback(readings, findings)
    distances = _distances(readings, findings)
    with_memory = {r.node for r in memory}
    offline = _offline(readings, with_memory)
    named = with_memory | set(zones) | set(fallback) | set(distances) | set(offline)
    if max(named, default=0) > MAX_NODE:
        findings.wrong(readings[0].source.line(0).place, "node", "ids up to 1023", str(max(named)))
        return ()
    if distances:
        # Each row lists the online nodes by ascending id, so no other node may be listed.
        listed = set(distances)
        if named - listed <= set(offline):
            named &= listed
        else:
            missing = ", ".join(str(n) for n in sorted(named - listed))
            findings.assume(f"the distances given leave out node {missing}: they are not used")
            distances = {}
    fallback = _whole_orders(fallback, named, findings)
    if not (zones or fallback or distances or offline):
        return ()
    return tuple(
        Node(
            node,
            node not in offline,
            distances.get(node),
            fallback[node][0] if node in fallback else None,
            zones[node].zones if node in zones else None,
        )
        for node in sorted(named)
    )


def _zones(
    readings: Sequence[Reading], memory: Sequence[MemoryRange], findings: Findings
) -> dict[int, _Zones]:
    listed = _zoneinfo(readings, findings)
    derived = _boot_zones(readings, memory, findings)
    for node in sorted(set(listed) & set(derived)):
        if listed[node].zones != derived[node].zones:
            findings.conflict(
                f"zones of node {node}",
                claim(listed[node].place, listed[node].zones),
                claim(derived[node].place, derived[node].zones),
                "/proc/zoneinfo lists the zones themselves",
            )
    return {**derived, **listed}


def _zoneinfo(readings: Sequence[Reading], findings: Findings) -> dict[int, _Zones]:
    found: dict[int, _Zones] = {}
    for reading in readings:
        by_node: dict[int, list[tuple[Zone, Place]]] = {}
        for z in reading.zoneinfo.zones:
            known = by_node.setdefault(z.node, [])
            if z.zone not in [zone for zone, _ in known]:
                known.append((z.zone, z.place))
        for node, pairs in by_node.items():
            ordered = sorted((zone.start, zone, place) for zone, place in pairs)
            made = _Zones(tuple(zone for _, zone, _ in ordered), pairs[0][1])
            if not _well_formed(node, ordered, findings):
                continue
            old = found.setdefault(node, made)
            if old.zones != made.zones:
                findings.conflict(
                    f"zones of node {node}",
                    claim(old.place, old.zones),
                    claim(made.place, made.zones),
                    "the file that comes first by name is kept",
                )
    return found


def _well_formed(node: int, ordered: Sequence[tuple[int, Zone, Place]], findings: Findings) -> bool:
    last: Zone | None = None
    names: set[str] = set()
    for _, zone, place in ordered:
        overlap = last is not None and zone.start < last.end
        if zone.end > ADDRESS_LIMIT or overlap or zone.name in names:
            findings.wrong(
                place,
                f"zones of node {node}",
                "each zone once, disjoint, below 2^52",
                f"{zone.name} {zone.range}",
            )
            return False
        names.add(zone.name)
        last = zone
    return True


def _boot_zones(
    readings: Sequence[Reading], memory: Sequence[MemoryRange], findings: Findings
) -> dict[int, _Zones]:
    """Zones of each node with memory, by the boot log's zone ranges."""
    logs = [r.zones for r in readings if not r.zones.is_empty]
    if not logs or not memory:
        return {}
    log = max(logs, key=lambda z: (z.heading, len(z.spans) + len(z.movable)))
    for other in logs:
        if [s[:2] for s in other.spans] != [s[:2] for s in log.spans] or [
            m[:2] for m in other.movable
        ] != [m[:2] for m in log.movable]:
            findings.conflict(
                "zone ranges",
                claim(_first(log), (Zone(n, s.start, s.end) for n, s, _ in log.spans)),
                claim(_first(other), (Zone(n, s.start, s.end) for n, s, _ in other.spans)),
                "the log with more lines of zones is kept",
            )
    if not log.heading:
        findings.assume(
            f"the log shows only part of its zone ranges ({_first(log)}): DMA below 16 MiB and"
            " DMA32 below 4 GiB are taken as usual"
        )
    limits = zone_limits(log)
    ordered = sorted((s, name, place) for name, s, place in log.spans if name != MOVABLE)
    for (low, first, _), (high, second, place) in pairwise(ordered):
        if low.overlaps(high):
            findings.wrong(
                place, "zone ranges", "zones that do not overlap", f"{first} {low}, {second} {high}"
            )
    movable = {node: start for node, start, _ in log.movable}
    top = max(r.end for r in memory)
    highest = max((s.end for name, s, _ in log.spans if name == "Normal"), default=0)
    if highest and top > highest:
        findings.conflict(
            "end of memory",
            claim(memory[-1].origin, [top]),
            claim(_first(log), [highest]),
            "memory ranges are kept; zones end where the log says",
        )
    made: dict[int, _Zones] = {}
    for node in sorted({r.node for r in memory}):
        zones = node_zones(memory, node, limits, movable.get(node))
        made[node] = _Zones(zones, _first(log))
    return made


def _first(log: ZoneLog) -> Place:
    return log.spans[0][2] if log.spans else log.movable[0][2]


def _fallback(
    readings: Sequence[Reading], findings: Findings
) -> dict[int, tuple[tuple[int, ...], Place]]:
    found: dict[int, tuple[tuple[int, ...], Place]] = {}
    for reading in readings:
        for node, order, place in reading.nodes.fallback:
            old = found.setdefault(node, (order, place))
            if old[0] != order:
                findings.conflict(
                    f"fallback order of node {node}",
                    claim(old[1], old[0]),
                    claim(place, order),
                    "the line that comes first is kept",
                )
    return found


def _whole_orders(
    fallback: dict[int, tuple[tuple[int, ...], Place]], named: set[int], findings: Findings
) -> dict[int, tuple[tuple[int, ...], Place]]:
    """Orders without those that cannot be whole: every order lists the same nodes, itself first.

    A node without memory starts with another one; Linux prints such an order too, and it is left
    out, since nothing is ever wanted there.
    """
    longest = max((len(order) for order, _ in fallback.values()), default=0)
    kept: dict[int, tuple[tuple[int, ...], Place]] = {}
    for node, (order, place) in fallback.items():
        if order[0] != node and len(order) == longest:
            continue
        if len(order) != longest or len(set(order)) != len(order) or not set(order) <= named:
            findings.assume(
                f"the fallback order of node {node} ({place}) is not whole: it is not used"
            )
            continue
        kept[node] = (order, place)
    return kept


def _distances(readings: Sequence[Reading], findings: Findings) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[tuple[int, ...], Place]] = {}
    for reading in readings:
        rows: list[tuple[int, tuple[int, ...], Place]] = list(reading.sysfs.distances)
        table = reading.numactl.distances
        if table is not None:
            order = sorted(range(len(table.ids)), key=lambda k: table.ids[k])
            rows += [
                (node, tuple(row[k] for k in order), table.place)
                for node, row in sorted(table.rows.items())
            ]
        for node, row, place in rows:
            old = found.setdefault(node, (row, place))
            if old[0] != row:
                findings.conflict(
                    f"distances of node {node}",
                    claim(old[1], old[0]),
                    claim(place, row),
                    "the source that comes first is kept",
                )
    for node, (row, place) in sorted(found.items()):
        if len(row) != len(found) or max(row) > MAX_DISTANCE:
            findings.assume(
                f"the distances of node {node} ({place}) are not {len(found)} numbers up to 255:"
                " no distance is used"
            )
            return {}
    return {node: row for node, (row, _) in found.items()}


def _offline(readings: Sequence[Reading], with_memory: set[int]) -> set[int]:
    """Nodes that Linux leaves offline: it says so, or they have neither memory nor a CPU line."""
    said = {node for r in readings for node, _ in r.nodes.offline}
    set_up = {node for r in readings for node, _ in r.nodes.seen}
    cpus = {node for r in readings for node in r.srat.with_cpus}
    listed = {b.node for r in readings for b in r.srat.blocks} if with_memory else set()
    return (said | (listed - set_up - cpus)) - with_memory


def check_sizes(
    readings: Sequence[Reading], memory: Sequence[MemoryRange], findings: Findings
) -> None:
    """Numactl's node sizes are what Linux manages: never more than the memory of the node."""
    if not memory:
        return
    owned: dict[int, RangeSet] = {}
    for node in {r.node for r in memory}:
        owned[node] = RangeSet(r.range for r in memory if r.node == node)
    for reading in readings:
        for size in reading.numactl.sizes:
            has = owned.get(size.node, RangeSet()).size
            if size.size > has:
                findings.conflict(
                    f"size of node {size.node}",
                    claim(memory[0].origin, [has]),
                    claim(size.place, [size.size]),
                    "memory ranges are kept",
                )
