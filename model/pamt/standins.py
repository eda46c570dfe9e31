"""Stand-ins for what a map does not say, each named as an assumption with its consequence.

=================  ==========================================================================
missing            stood in for by
=================  ==========================================================================
memory             the CMR runs, on node 0
cmr                the memory, touching ranges joined
free               all memory outside zone Movable
node               one node for each node id that memory, or free runs, name
zones              the kernel's, from the node's span
fallback           the kernel's order, from the distances
distance           10 to itself, 20 to any other
=================  ==========================================================================

Free runs lose what lies below 1 MiB, which the kernel drops before anything else.

Sources: docs/design.md, section 6; Linux v6.8 mm/mm_init.c (zone spans)
and mm/page_alloc.c, find_next_best_node (fallback order).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from pamt.machine import (
    LOCAL_DISTANCE,
    REMOTE_DISTANCE,
    Cmr,
    FreeRun,
    Machine,
    MemoryRange,
    Node,
    Zone,
)
from pamt.ranges import GIB, MIB, Range, RangeSet

__all__ = [
    "Assumption",
    "Completed",
    "complete",
    "derive_fallback",
    "derive_zones",
    "node_distance",
]

DMA_END = 16 * MIB
DMA32_END = 4 * GIB

MAX_NUMNODES = 1024
"""Weight of a distance step against the load counter in the kernel's choice of the next node."""


class Assumption(NamedTuple):
    """What was assumed, and what follows if it is wrong."""

    id: str
    text: str
    consequence: str


class Completed(NamedTuple):
    machine: Machine
    """Every field filled in: memory, cmrs, free, nodes with zones, fallback and distance."""
    assumptions: tuple[Assumption, ...]


def complete(machine: Machine) -> Completed:
    """Fill in what `machine` does not say.

    Raises ValueError when it gives neither memory nor CMRs.
    """
    made: list[Assumption] = [
        Assumption("map", text, "taken from the map file") for text in machine.assumptions
    ]
    made += _unusual_limits(machine)
    memory = machine.memory
    cmrs = machine.cmrs
    if memory is None:
        if cmrs is None:
            raise ValueError("a machine needs CMRs or memory ranges")
        runs = RangeSet(c.range for c in cmrs)
        memory = tuple(MemoryRange(run.start, run.end, 0, "stand-in: CMR run") for run in runs)
        made.append(
            Assumption(
                "memory-from-cmrs",
                "no memory ranges given: the CMR runs stand in, on node 0",
                "holes inside CMRs (ACPI, firmware) and NUMA nodes are not seen: a real kernel may"
                " need more reserved areas and more TDMRs",
            )
        )
    elif cmrs is None:
        runs = RangeSet(r.range for r in memory)
        cmrs = tuple(Cmr(run.start, run.size, "stand-in: memory") for run in runs)
        made.append(
            Assumption(
                "cmrs-from-memory",
                "no CMRs given: the memory stands in, touching ranges joined"
                " (the limit of 32 CMRs does not apply)",
                "memory that is not convertible, which TDH.SYS.CONFIG would refuse, is not seen;"
                " the CMR hole rules give what the memory list gives",
            )
        )
    assert cmrs is not None
    nodes = _complete_nodes(machine, memory, made)
    free = machine.free
    if free is None:
        free = _free_from_memory(memory, nodes)
        made.append(
            Assumption(
                "free-from-memory",
                "no free runs given: all memory outside zone Movable counts as free",
                "boot-time reservations and pages in use are not seen: a real kernel may find less"
                " contiguous room, and place PAMTs elsewhere",
            )
        )
    free = _above_low_memory(free)
    done = replace(machine, memory=memory, cmrs=cmrs, nodes=nodes, free=free)
    return Completed(done, tuple(made))


def _unusual_limits(machine: Machine) -> list[Assumption]:
    given, usual = machine.limits, type(machine.limits)()
    differing = [
        f"{name} = {getattr(given, name)}"
        for name in (
            "max_tdmrs",
            "max_reserved_per_tdmr",
            "pamt_entry_size",
            "pamt_page_bitmap_entry_bits",
        )
        if getattr(given, name) != getattr(usual, name)
    ]
    if not differing:
        return []
    return [
        Assumption(
            "limits",
            f"the map's limits replace the real module's: {', '.join(differing)}",
            "an answer holds for a module with these limits only",
        )
    ]


def _complete_nodes(
    machine: Machine, memory: Sequence[MemoryRange], made: list[Assumption]
) -> tuple[Node, ...]:
    named = {r.node for r in memory} | {f.node for f in machine.free or ()}
    known = {node.id: node for node in machine.nodes}
    nodes = sorted(
        (known.get(node_id, Node(node_id)) for node_id in named | set(known)), key=lambda n: n.id
    )
    if any(node.zones is None for node in nodes):
        made.append(
            Assumption(
                "zones-from-spans",
                "zones not given: derived from each node's span (DMA below 16 MiB, DMA32 below"
                " 4 GiB, Normal above)",
                "the slots the kernel tries start elsewhere if the real zones start elsewhere",
            )
        )
        by_node: dict[int, list[MemoryRange]] = {}
        for r in memory:
            by_node.setdefault(r.node, []).append(r)
        nodes = [
            node
            if node.zones is not None
            else replace(node, zones=derive_zones(by_node.get(node.id, ()), node.id))
            for node in nodes
        ]
    if any(node.distance is None for node in nodes) and len(nodes) > 1:
        made.append(
            Assumption(
                "distances",
                "node distances not given: 10 to itself, 20 to any other",
                "the cost of a remote PAMT, and the fallback order, may differ",
            )
        )
    nodes = [
        node
        if node.distance is not None
        else replace(
            node,
            distance=tuple(
                LOCAL_DISTANCE if other.id == node.id else REMOTE_DISTANCE for other in nodes
            ),
        )
        for node in nodes
    ]
    if any(node.fallback is None for node in nodes):
        with_memory = {r.node for r in memory}
        populated = [n for n in nodes if n.id in with_memory and n.online]
        orders = derive_fallback(populated, [n.id for n in nodes])
        if len(nodes) > 1:
            made.append(
                Assumption(
                    "fallback-from-distances",
                    "fallback order not given: the kernel's, from the distances, with CPUs on"
                    " every node",
                    "a PAMT that finds no room at home may land on another node than here",
                )
            )
        nodes = [
            node
            if node.fallback is not None
            else replace(node, fallback=orders.get(node.id, (node.id,)))
            for node in nodes
        ]
    return tuple(nodes)


def derive_zones(memory: Iterable[MemoryRange], node: int) -> tuple[Zone, ...]:
    """The populated zones of `node`: its span, cut at 16 MiB and 4 GiB.

    Zones are spans, so they hold the node's holes too; one without any memory is left out.
    """
    own = RangeSet(r.range for r in memory if r.node == node)
    span = own.span
    limits = (
        ("DMA", Range(0, DMA_END)),
        ("DMA32", Range(DMA_END, DMA32_END)),
        ("Normal", Range(DMA32_END, max(span.end, DMA32_END))),
    )
    zones: list[Zone] = []
    for name, limit in limits:
        part = span.clip(limit)
        if not part.is_empty and own.overlaps(part):
            zones.append(Zone(name, part.start, part.end))
    return tuple(zones)


def derive_fallback(
    nodes: Sequence[Node], all_ids: Sequence[int] | None = None
) -> dict[int, tuple[int, ...]]:
    """Fallback order of each of `nodes` (those with memory; distances filled in), by id.

    `all_ids` are the ids that the distances are listed for, ascending; by default those of `nodes`.

    The kernel builds the lists one node after the other; each time, the unused node with the
    smallest ``(distance + (lower id than self) + (has CPUs)) * MAX_NUMNODES + load`` comes next,
    and the first node of a new distance group has its load counted up.
    """
    ids = [node.id for node in nodes]
    load = dict.fromkeys(ids, 0)
    orders: dict[int, tuple[int, ...]] = {}
    known = list(all_ids) if all_ids is not None else ids
    place = {node_id: at for at, node_id in enumerate(known)}
    for node in nodes:
        own = node.id
        given = node.distance or ()
        far = {
            other: given[place[other]]
            if other in place and place[other] < len(given)
            else LOCAL_DISTANCE
            if other == own
            else REMOTE_DISTANCE
            for other in ids
        }
        # A load counted up belongs to a node that this list holds already, so that within one
        # list the keys stay what they are: one sort does what the kernel's repeated search does.
        keys = {
            other: ((far[other] + (other < own) + 1) * MAX_NUMNODES + load[other], other)
            for other in ids
        }
        order = [own, *sorted((other for other in ids if other != own), key=keys.__getitem__)]
        for previous, other in pairwise(order):
            if far[other] != far[previous]:
                load[other] += 1
        orders[own] = tuple(order)
    return orders


def node_distance(node: Node, other: int, ids: Sequence[int]) -> int:
    """SLIT distance from `node` to node id `other`; `ids` are all node ids, ascending.

    10 to itself and 20 to any other where the map gives none.
    """
    if node.distance is not None and other in ids:
        at = list(ids).index(other)
        if at < len(node.distance):
            return node.distance[at]
    return LOCAL_DISTANCE if other == node.id else REMOTE_DISTANCE


def _free_from_memory(memory: Sequence[MemoryRange], nodes: Sequence[Node]) -> tuple[FreeRun, ...]:
    movable = {
        node.id: RangeSet(z.range for z in node.zones or () if z.name == "Movable")
        for node in nodes
    }
    free: list[FreeRun] = []
    for r in memory:
        closed = movable.get(r.node)
        if not closed:
            free.append(FreeRun(r.start, r.end, r.node, r.origin))
            continue
        left = RangeSet([r.range]) - closed
        free += [FreeRun(run.start, run.end, r.node, r.origin) for run in left]
    return tuple(free)


def _above_low_memory(free: Sequence[FreeRun]) -> tuple[FreeRun, ...]:
    """Free runs without what lies below 1 MiB: boot-time reserved, whatever a map says."""
    return tuple(
        run if run.start >= MIB else run._replace(start=MIB) for run in free if run.end > MIB
    )
