"""What there is to draw: a machine, and what a configuration or a policy puts on it.

Gathered once, so that the terminal drawing and any other picture show the same things.  Ranges are
bytes, half open.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pamt.configuration import Configuration
from pamt.kernel.areas import chunks_inside, find_holes
from pamt.kernel.memlist import build_memory_list, trim_cmrs
from pamt.kernel.sizes import home_node
from pamt.kernel.variants import Variant
from pamt.machine import ADDRESS_LIMIT, Machine, MemoryRange
from pamt.outcome import Outcome
from pamt.ranges import Range, RangeSet

__all__ = [
    "DrawnTdmr",
    "Scene",
    "scene_of_configuration",
    "scene_of_outcome",
]

EVERYTHING = Range(0, ADDRESS_LIMIT)


class DrawnTdmr(NamedTuple):
    """A TDMR and what is known of it."""

    range: Range
    home: int | None
    pamts: tuple[Range, ...]
    """Regions by level, 4K first; empty when none was placed."""
    pamt_node: int | None
    areas: int
    """Reserved areas: used, or needed where that is more than the limit."""


class Scene(NamedTuple):
    name: str
    cmrs: tuple[Range, ...]
    memory: tuple[MemoryRange, ...]
    """What the OS hands out above 1 MiB."""
    tdmrs: tuple[DrawnTdmr, ...]
    reserved: RangeSet
    """Absolute addresses of all reserved areas."""
    holes: RangeSet
    """Parts of TDMRs that are not memory; a hole across a TDMR border is one here."""
    max_reserved: int
    free: RangeSet = RangeSet()
    """Free runs; empty, too, where all memory outside zone Movable is free."""

    def boundaries(self) -> list[int]:
        """Every address at which something begins or ends."""
        edges: set[int] = set()
        groups: tuple[Iterable[Range | MemoryRange], ...] = (
            self.cmrs,
            self.memory,
            (tdmr.range for tdmr in self.tdmrs),
            (pamt for tdmr in self.tdmrs for pamt in _chunks(tdmr.pamts)),
            self.reserved,
            self.free,
        )
        for group in groups:
            for r in group:
                edges.add(r.start)
                edges.add(r.end)
        return sorted(edges)


def scene_of_outcome(machine: Machine, outcome: Outcome, variant: Variant | None) -> Scene:
    """What a policy made of a completed machine; on a failure, as far as it got.

    The areas of a TDMR that the policy did not come to are counted by the kernel's rule of
    `variant` (mainline's for None).
    """
    listed = build_memory_list(machine.memory or ())
    from_cmrs = variant is not None and variant.holes_from_cmrs
    present: Sequence[Range | MemoryRange] = trim_cmrs(machine.cmrs or ()) if from_cmrs else listed
    chunks = [
        Range(t.pamts[0].base, t.pamts[2].base + t.pamts[2].size) for t in outcome.tdmrs if t.pamts
    ]
    ends = [] if from_cmrs else [r.end for r in listed]
    drawn: list[DrawnTdmr] = []
    reserved: list[Range] = []
    for t in outcome.tdmrs:
        if t.reserved is None:
            areas = _holes(t.range, present, ends) + chunks_inside(t.range, chunks)
        else:
            areas = [Range.sized(t.base + area.offset, area.size) for area in t.reserved]
        reserved += areas
        drawn.append(
            DrawnTdmr(
                t.range,
                t.home,
                tuple(pamt.range for pamt in t.pamts or ()),
                t.pamt_node,
                len(areas),
            )
        )
    return _scene(machine, listed, drawn, RangeSet(reserved))


def _holes(tdmr: Range, present: Sequence[Range | MemoryRange], ends: Sequence[int]) -> list[Range]:
    """What `present` leaves over of `tdmr`; `ends` are its ends, if they ascend, else empty."""
    if not ends:
        return find_holes(tdmr, present)
    low = bisect_left(ends, tdmr.start)
    # The first range that ends at or above the TDMR's end is the last one that matters.
    return find_holes(tdmr, present[low : bisect_left(ends, tdmr.end) + 1])


def scene_of_configuration(machine: Machine, configuration: Configuration) -> Scene:
    """A configuration over a completed machine; it may hold anything, sense or not."""
    listed = build_memory_list(machine.memory or ())
    drawn: list[DrawnTdmr] = []
    reserved: list[Range] = []
    for t in configuration.tdmrs:
        areas = [area for area in t.reserved if area.size]
        reserved += [Range.sized(t.base + a.offset, a.size).clip(EVERYTHING) for a in areas]
        pamts = tuple(pamt.range.clip(EVERYTHING) for pamt in t.pamts)
        drawn.append(
            DrawnTdmr(
                t.range.clip(EVERYTHING),
                home_node(t.range, listed),
                pamts,
                _node_at(listed, pamts[0]),
                len(areas),
            )
        )
    return _scene(machine, listed, drawn, RangeSet(reserved))


def _scene(
    machine: Machine, listed: list[MemoryRange], drawn: list[DrawnTdmr], reserved: RangeSet
) -> Scene:
    memory = RangeSet(r.range for r in listed)
    inside = RangeSet(tdmr.range for tdmr in drawn)
    cmrs = tuple(
        clipped
        for cmr in machine.cmrs or ()
        if not (clipped := cmr.range.clip(EVERYTHING)).is_empty
    )
    return Scene(
        machine.name,
        cmrs,
        tuple(listed),
        tuple(drawn),
        reserved,
        inside - memory,
        machine.limits.max_reserved_per_tdmr,
        _free(machine, memory),
    )


def _free(machine: Machine, memory: RangeSet) -> RangeSet:
    """The free runs above 1 MiB, if they say more than the zones do."""
    free = RangeSet(run.range for run in machine.free or ()) & memory
    zones = [zone for node in machine.nodes for zone in node.zones or ()]
    movable = RangeSet(zone.range for zone in zones if zone.name == "Movable")
    return RangeSet() if free == memory - movable else free


def _chunks(pamts: Iterable[Range]) -> RangeSet:
    """Regions that touch are drawn as one."""
    return RangeSet(pamts)


def _node_at(listed: Sequence[MemoryRange], where: Range) -> int | None:
    for r in listed:
        if r.range.overlaps(where):
            return r.node
    return None
