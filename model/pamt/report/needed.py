"""The reserved areas that a TDMR needs under the kernel's rule, each with where it comes from.

The kernel stops counting at the limit; a reader wants all of them.  Ranges are bytes, half open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.kernel.areas import find_holes
from pamt.kernel.memlist import LOW_MEMORY_END, build_memory_list, trim_cmrs
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.ranges import Range

__all__ = ["NeededArea", "Sides", "needed_areas"]


class Sides(NamedTuple):
    """Where the ranges on both sides of a hole come from, as ``file:line``; may be empty."""

    before: str = ""
    after: str = ""


class NeededArea(NamedTuple):
    kind: str
    """``low``: below 1 MiB; ``hole``; ``pamt``: a chunk, or the part of it inside."""
    range: Range
    sides: Sides = Sides()
    owner: int | None = None
    """TDMR whose PAMTs these are."""


def needed_areas(
    machine: Machine, outcome: Outcome, index: int, *, from_cmrs: bool
) -> list[NeededArea]:
    """All areas that TDMR `index` of a policy's outcome needs, in the order they are added."""
    tdmr = outcome.tdmrs[index].range
    if from_cmrs:
        ends = [(cmr.range, cmr.origin) for cmr in machine.cmrs or () if cmr.size]
        holes = find_holes(tdmr, trim_cmrs(machine.cmrs or ()))
    else:
        listed = build_memory_list(machine.memory or ())
        ends = [(r.range, r.origin) for r in listed]
        holes = find_holes(tdmr, listed)
    found: list[NeededArea] = []
    for hole, sides in zip(holes, _sides(holes, ends), strict=True):
        low = not from_cmrs and hole == Range(0, LOW_MEMORY_END)
        found.append(NeededArea("low" if low else "hole", hole, Sides() if low else sides))
    for owner, planned in enumerate(outcome.tdmrs):
        if not planned.pamts:
            continue
        last = planned.pamts[2]
        inside = Range(planned.pamts[0].base, last.base + last.size).clip(tdmr)
        if not inside.is_empty:
            found.append(NeededArea("pamt", inside, owner=owner))
    return found


def _sides(holes: Sequence[Range], ends: Sequence[tuple[Range, str]]) -> list[Sides]:
    ending = {r.end: origin for r, origin in ends}
    starting = {r.start: origin for r, origin in ends}
    return [Sides(ending.get(hole.start, ""), starting.get(hole.end, "")) for hole in holes]
