"""The policy of low_first.py with a bug planted: running out of areas forgets to give back.

`pamt verify docs/examples/low_first_leaky.py:low_first_leaky --property clean` finds the map.
"""

from pamt.kernel.areas import chunks_inside, find_holes, reserve_areas, sort_areas
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.kernel.sizes import home_node, pamt_regions, pamt_sizes
from pamt.machine import Machine
from pamt.outcome import Outcome, PlannedTdmr
from pamt.policies.protocol import Allocator
from pamt.ranges import Range


def low_first_leaky(machine: Machine, alloc: Allocator, /) -> Outcome:
    """Each chunk at the start of the first free run of the home node that can hold it."""
    limits = machine.limits
    listed = build_memory_list(machine.memory or ())
    layout = lay_out_tdmrs(listed, limits.max_tdmrs)
    if layout.exhausted or not layout.tdmrs:
        return Outcome(-28, "no TDMRs")
    chunks = []
    for tdmr in layout.tdmrs:
        node = home_node(tdmr, listed)
        size = pamt_sizes(tdmr.size, limits, limits.dynamic_pamt).total
        place = None
        for run in alloc.free_runs(node):
            if run.end - run.start >= size:
                place = Range(run.start, run.start + size)
                break
        if place is None:
            for chunk in chunks:
                alloc.give_back(chunk[0], chunk[1])
            return Outcome(-12, "no room at home")
        alloc.take(place, node)
        chunks.append((place, node))
    planned = []
    for tdmr, chunk in zip(layout.tdmrs, chunks, strict=True):
        pieces = find_holes(tdmr, listed) + chunks_inside(tdmr, [c[0] for c in chunks])
        reserved = reserve_areas(tdmr, pieces, limits.max_reserved_per_tdmr)
        if reserved.stop != "filled":
            return Outcome(-28, "no areas left")
        sizes = pamt_sizes(tdmr.size, limits, limits.dynamic_pamt)
        planned.append(
            PlannedTdmr(
                tdmr.start,
                tdmr.size,
                chunk[1],
                pamts=pamt_regions(chunk[0].start, sizes),
                pamt_node=chunk[1],
                reserved=sort_areas(reserved.areas)[0],
            )
        )
    return Outcome(0, "success", tuple(planned), dynamic_pamt=limits.dynamic_pamt)
