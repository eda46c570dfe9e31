"""Conditions on a map that are cheap to check and enough for something: theorems put to use.

:func:`area_bounds` is the inequality of T9: where it is met in every TDMR, ``linux:mainline``
cannot run out of reserved areas, whatever the allocator answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pamt.kernel.areas import find_holes
from pamt.kernel.contig import zones_high_to_low
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.kernel.sizes import home_node, pamt_sizes
from pamt.machine import Machine, MemoryRange
from pamt.ranges import PAGE, Range, RangeSet

__all__ = ["AreaBound", "area_bounds", "slot_length", "stays_local"]


class AreaBound(NamedTuple):
    """One TDMR: its holes, how many chunks could reach into it, and the limit."""

    tdmr: Range
    holes: int
    chunks: int
    limit: int

    @property
    def holds(self) -> bool:
        """Whether the areas cannot run out in this TDMR."""
        return self.holes + self.chunks <= self.limit


def slot_length(sizes: Sequence[int]) -> int:
    """Bytes of a free run inside one zone that hold chunks of these sizes, in any order (T7).

    For equal sizes (n + 1) size - 4 KiB, which is exact; else the sum of (2 size - 4 KiB).
    """
    if not sizes:
        return 0
    if min(sizes) == max(sizes):
        return (len(sizes) + 1) * sizes[0] - PAGE
    return sum(2 * size - PAGE for size in sizes)


def stays_local(machine: Machine, homes: Sequence[int], sizes: Sequence[int]) -> bool:
    """Whether every home node is sure to hold the chunks of its own TDMRs.

    `machine` has its stand-ins filled in; `homes` and `sizes` are per TDMR, bytes.
    """
    nodes = {node.id: node for node in machine.nodes}
    for home in set(homes):
        node = nodes.get(home)
        if node is None or not node.online or (node.fallback or (home,))[0] != home:
            return False
        runs = RangeSet(run.range for run in machine.free or () if run.node == home)
        spans = [z.range for z in zones_high_to_low(node.zones or ())]
        longest = max((part.size for span in spans for part in runs.within(span)), default=0)
        wanted = [size for size, at in zip(sizes, homes, strict=True) if at == home]
        if longest < slot_length(wanted):
            return False
    return True


def area_bounds(machine: Machine) -> tuple[AreaBound, ...]:
    """For every TDMR of the kernel's layout, an upper bound on its reserved areas (T9).

    A chunk lies in memory of one node, so it reaches only into TDMRs that hold memory of that node.
    If every home node is sure to hold its own chunks, a node has as many chunks as TDMRs call it
    home; otherwise any chunk may be on any node.  Free runs must lie inside memory of their node.

    Raises ValueError when the machine's stand-ins have not been filled in.
    """
    if machine.memory is None or machine.free is None:
        raise ValueError("the machine's stand-ins have not been filled in")
    listed = build_memory_list(machine.memory)
    tdmrs = lay_out_tdmrs(listed, machine.limits.max_tdmrs).tdmrs
    homes = [home if (home := home_node(t, listed)) is not None else 0 for t in tdmrs]
    sizes = [pamt_sizes(t.size, machine.limits, dynamic=False).total for t in tdmrs]
    local = stays_local(machine, homes, sizes)
    chunks_of = Counter(homes)
    bounds: list[AreaBound] = []
    for tdmr in tdmrs:
        inside = _nodes_inside(tdmr, listed)
        chunks = sum(chunks_of[node] for node in inside) if local else len(tdmrs)
        holes = len(find_holes(tdmr, listed))
        bounds.append(AreaBound(tdmr, holes, chunks, machine.limits.max_reserved_per_tdmr))
    return tuple(bounds)


def _nodes_inside(tdmr: Range, listed: Sequence[MemoryRange]) -> set[int]:
    return {r.node for r in listed if r.range.overlaps(tdmr)}
