"""A greedy allocator to compare searches with: first fit, local node first, largest TDMR first.

The layout of TDMRs and the hole rule are the kernel's (``--space linux``); only where the chunks go
is decided here.  A place is taken only if every TDMR it reaches into has a reserved area left,
so that, unlike the kernel's scan, one crowded TDMR does not end the attempt.
"""

from __future__ import annotations

from collections.abc import Sequence

from pamt.kernel.areas import chunks_inside, find_holes, reserve_areas, sort_areas
from pamt.kernel.contig import Placement
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.kernel.sizes import home_node, pamt_regions, pamt_sizes
from pamt.machine import Machine
from pamt.outcome import ENOMEM, ENOSPC, SUCCESS, Outcome, PlannedTdmr, Taken
from pamt.policies.protocol import Allocator
from pamt.ranges import PAGE, Range
from pamt.standins import node_distance

__all__ = ["greedy"]


def greedy(machine: Machine, alloc: Allocator, /) -> Outcome:
    """Place the largest TDMR's chunk first, each in the first place that fits, nearest first."""
    limits = machine.limits
    dynamic = limits.dynamic_pamt
    listed = build_memory_list(machine.memory or ())
    layout = lay_out_tdmrs(listed, limits.max_tdmrs)
    if layout.exhausted:
        return Outcome(ENOSPC, "ENOSPC_tdmrs", dynamic_pamt=dynamic)
    if not layout.tdmrs:
        return Outcome(ENOMEM, "ENOMEM_pamt", dynamic_pamt=dynamic)

    planned: list[PlannedTdmr] = []
    for tdmr in layout.tdmrs:
        sizes = pamt_sizes(tdmr.size, limits, dynamic)
        planned.append(
            PlannedTdmr(tdmr.start, tdmr.size, home_node(tdmr, listed), sizes.total // PAGE)
        )
    room: list[int] = []
    for index, tdmr in enumerate(layout.tdmrs):
        room.append(limits.max_reserved_per_tdmr - len(find_holes(tdmr, listed)))
        if room[index] < 0:
            return Outcome(ENOSPC, "ENOSPC_reserved", tuple(planned), index, dynamic_pamt=dynamic)

    trace: list[Taken] = []
    for index in sorted(range(len(planned)), key=lambda i: (-planned[i].size, i)):
        want = planned[index]
        sizes = pamt_sizes(want.size, limits, dynamic)
        found, any_run = _first_fit(machine, alloc, want, sizes.total, layout.tdmrs, room)
        if found is None:
            for taken in trace:
                alloc.give_back(taken.range, taken.node)
            back = [taken._replace(action="give back") for taken in trace]
            ret, reason = (ENOSPC, "ENOSPC_reserved") if any_run else (ENOMEM, "ENOMEM_pamt")
            return Outcome(
                ret,
                reason,
                tuple(planned),
                index,
                trace=tuple(trace + back),
                dynamic_pamt=dynamic,
            )
        alloc.take(found.range, found.node)
        trace.append(Taken("take", found.range, found.node, found.zone, index))
        for touched, tdmr in enumerate(layout.tdmrs):
            if tdmr.overlaps(found.range):
                room[touched] -= 1
        planned[index] = want._replace(
            pamts=pamt_regions(found.range.start, sizes),
            pamt_node=found.node,
            pamt_zone=found.zone,
        )

    chunks = [taken.range for taken in sorted(trace, key=lambda taken: taken.tdmr)]
    for index, tdmr in enumerate(layout.tdmrs):
        pieces = find_holes(tdmr, listed) + chunks_inside(tdmr, chunks)
        reserved = reserve_areas(tdmr, pieces, limits.max_reserved_per_tdmr)
        planned[index] = planned[index]._replace(reserved=sort_areas(reserved.areas)[0])
    return Outcome(0, SUCCESS, tuple(planned), trace=tuple(trace), dynamic_pamt=dynamic)


def _first_fit(
    machine: Machine,
    alloc: Allocator,
    want: PlannedTdmr,
    size: int,
    tdmrs: Sequence[Range],
    room: Sequence[int],
) -> tuple[Placement | None, bool]:
    """The first place for `size` bytes, and whether a free run was big enough at all."""
    ids = [node.id for node in machine.nodes]
    home = alloc.nodes.get(want.home if want.home is not None else ids[0])
    order = sorted(ids, key=lambda node: (node_distance(home, node, ids) if home else 0, node))
    any_run = False
    for node in order:
        for run in alloc.free_runs(node):
            if run.size < size:
                continue
            any_run = True
            # The start of the run, then wherever a TDMR begins inside it: between those, moving
            # up cannot leave a TDMR that is full.
            starts = [run.start] + [
                tdmr.start for tdmr in tdmrs if run.start < tdmr.start <= run.end - size
            ]
            for start in starts:
                place = Range(start, start + size)
                full = any(room[i] <= 0 and tdmr.overlaps(place) for i, tdmr in enumerate(tdmrs))
                if not full:
                    return Placement(place, node, ""), True
    return None, any_run
