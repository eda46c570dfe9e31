"""Everything that follows from a machine and a space without any search.

A :class:`Question` is posed for one set of given-up pages (none, by default): those pages leave the
memory ranges first, and the memory list, layout, home nodes and free runs follow from what remains.

    memory     |----node 0----||---node 0---|   |--node 1--|
    withdrawn          x
    list       |------| |-----||-----------|   |--node 1--|      touching ranges stay apart
    cells      |  GiB  |  GiB  |  GiB  |  GiB  |                  those that hold memory
    free runs  |-----|   |---------|            |-----|           touching runs of a node joined

All addresses and sizes are bytes, ranges half open, counts of PAMT room in 4 KiB pages where the
name says `pages`.  Source: docs/design.md, sections 2 and 5.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from pamt.kernel.areas import find_holes
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.kernel.sizes import PamtSizes, pamt_sizes
from pamt.machine import Limits, Machine, MemoryRange, Node
from pamt.module.cmr import walk_cmr_list
from pamt.module.rules.operands import DYNAMIC_PAMT_ADDRESS_END
from pamt.placement.space import Space
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet, align_up
from pamt.standins import node_distance

__all__ = [
    "HoleCount",
    "InputError",
    "NodeRun",
    "Question",
    "TdmrFacts",
    "TrivialCause",
    "pose",
]


class InputError(ValueError):
    """The machine cannot be asked about: not completed, a CMR list that TDH.SYS.INIT refuses, ...

    ... or free runs that are not memory of their node, or belong to two nodes.
    """


class NodeRun(NamedTuple):
    """A maximal run of pages of one node in which PAMTs may be placed."""

    start: int
    end: int
    node: int

    @property
    def range(self) -> Range:
        return Range(self.start, self.end)


class TrivialCause(NamedTuple):
    """Why no configuration can exist, seen without any search.

    `kind`:  ``no-memory``: the memory list is empty.  ``outside-cmr``: memory that no CMR run
    holds (`where`, each part).  ``tdmrs-exhausted``: the kernel layout needs more than `limit`
    TDMRs (`where`: the TDMRs laid out so far), or the limit is 0.  ``address-limit``: memory lies
    in a GiB that reaches past `limit`, the first address with a KeyID bit (`where`: that memory).
    ``dynamic-keyid``: dynamic PAMT is asked for, which the module refuses where KeyID bits begin
    above bit 48.
    """

    kind: str
    where: tuple[Range, ...] = ()
    limit: int = 0


class TdmrFacts(NamedTuple):
    """What follows from a TDMR's cut alone."""

    range: Range
    home: int
    sizes: PamtSizes
    """Smallest legal bytes of the three PAMT regions."""
    holes: tuple[Range, ...]
    """What the ``memory`` or ``cmr`` rule reserves besides PAMTs; empty under ``minimal``."""

    @property
    def gib(self) -> int:
        return self.range.size // GIB

    @property
    def pages(self) -> int:
        """Pages of the three PAMTs together."""
        return self.sizes.total // PAGE


class HoleCount(NamedTuple):
    """Holes of a single cell, and how many fewer (or more) it makes to join it with the next.

    The holes of a TDMR over cells i..j are ``sum(alone[i..j]) + sum(joined[i..j-1])``; a bridge
    over GiBs without memory is part of `joined`.
    """

    alone: tuple[int, ...]
    joined: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """A placement question with its derived facts.  Make one with :func:`pose`."""

    machine: Machine
    """Completed: see :func:`pamt.standins.complete`."""
    space: Space
    given_up: RangeSet
    """Pages withdrawn, as judged here; at most ``space.give_up`` pages for a valid answer."""
    memory: tuple[MemoryRange, ...]
    """The memory list: above 1 MiB, without what was given up; touching ranges stay apart."""
    cmr_runs: RangeSet
    """CMRs with touching ones joined and null entries skipped."""
    free: tuple[NodeRun, ...]
    """Ascending by (start, node); maximal per node; disjoint."""

    @property
    def limits(self) -> Limits:
        return self.machine.limits

    @cached_property
    def memory_set(self) -> RangeSet:
        """All pages of the memory list."""
        return RangeSet(r.range for r in self.memory)

    @cached_property
    def free_by_node(self) -> dict[int, RangeSet]:
        by_node: dict[int, list[Range]] = {}
        for run in self.free:
            by_node.setdefault(run.node, []).append(run.range)
        return {node: RangeSet(runs) for node, runs in sorted(by_node.items())}

    @cached_property
    def free_set(self) -> RangeSet:
        """All pages, of any node, in which PAMTs may be placed."""
        return RangeSet(run.range for run in self.free)

    @cached_property
    def cells(self) -> tuple[int, ...]:
        """Indices of the GiBs that hold memory, ascending; cell g is ``[g GiB, (g + 1) GiB)``."""
        found: list[int] = []
        for run in self.memory_set.align_outward(GIB):
            found.extend(range(run.start // GIB, run.end // GIB))
        return tuple(found)

    @cached_property
    def _layout(self) -> tuple[tuple[Range, ...], bool]:
        layout = lay_out_tdmrs(self.memory, self.limits.max_tdmrs)
        return tuple(layout.tdmrs), layout.exhausted

    @property
    def kernel_tdmrs(self) -> tuple[Range, ...]:
        """The layout Linux computes; cut short where its TDMRs are exhausted."""
        return self._layout[0]

    @cached_property
    def tdmrs(self) -> tuple[TdmrFacts, ...] | None:
        """Facts of the TDMRs where the space fixes them; None where the cut is free."""
        if self.space.tdmrs == "free":
            return None
        return tuple(self.facts(tdmr) for tdmr in self.kernel_tdmrs)

    @cached_property
    def trivial(self) -> TrivialCause | None:
        """A cause of infeasibility that needs no search, or None.

        Judged for this question's `given_up`; with pages still to give up, another choice of them
        may mend it (all causes but ``no-memory``).
        """
        if not self.memory:
            return TrivialCause("no-memory")
        outside = self.memory_set - self.cmr_runs
        if outside:
            return TrivialCause("outside-cmr", outside.runs)
        ceiling = self.limits.address_end
        if align_up(self.memory_set.span.end, GIB) > ceiling:
            beyond = [r.range for r in self.memory if align_up(r.end, GIB) > ceiling]
            return TrivialCause("address-limit", tuple(beyond), ceiling)
        if self.limits.dynamic_pamt and ceiling > DYNAMIC_PAMT_ADDRESS_END:
            return TrivialCause("dynamic-keyid", limit=DYNAMIC_PAMT_ADDRESS_END)
        if self.limits.max_tdmrs < 1 or (self.space.tdmrs == "kernel" and self._layout[1]):
            return TrivialCause("tdmrs-exhausted", self.kernel_tdmrs, self.limits.max_tdmrs)
        return None

    def facts(self, tdmr: Range) -> TdmrFacts:
        """What follows from the cut of one TDMR.

        Raises ValueError when no memory ends above its base: such a TDMR has no home.
        """
        at = bisect_right(self._memory_ends, tdmr.start)
        if at == len(self.memory):
            raise ValueError(f"no memory above the base of {tdmr}")
        return TdmrFacts(tdmr, self.memory[at].node, self.sizes(tdmr.size // GIB), self.holes(tdmr))

    @cached_property
    def _memory_ends(self) -> list[int]:
        return [r.end for r in self.memory]

    def sizes(self, gib: int) -> PamtSizes:
        """Smallest legal PAMT sizes, in bytes, of a TDMR of `gib` GiB."""
        return pamt_sizes(gib * GIB, self.limits, self.limits.dynamic_pamt)

    def holes(self, tdmr: Range) -> tuple[Range, ...]:
        """Parts of `tdmr` that the ``memory`` or ``cmr`` rule reserves besides PAMTs.

        Empty under ``minimal``, where what must be reserved depends on the PAMTs' places.
        """
        if self.space.reserve == "minimal":
            return ()
        if self.space.reserve == "memory":
            low = bisect_left(self._memory_ends, tdmr.start)
            high = bisect_left(self._memory_starts, tdmr.end)
            return tuple(find_holes(tdmr, self.memory[low:high]))
        return self.cmr_runs.complement(tdmr).runs

    @cached_property
    def _memory_starts(self) -> list[int]:
        return [r.start for r in self.memory]

    def hole_count(self) -> HoleCount:
        """Hole counts per cell, for any cut (rules ``memory`` and ``cmr``)."""
        windows = [Range(g * GIB, (g + 1) * GIB) for g in self.cells]
        alone = [len(self.holes(w)) for w in windows]
        joined = [
            len(self.holes(Range(a.start, b.end))) - n - m
            for a, b, n, m in zip(windows, windows[1:], alone, alone[1:], strict=False)
        ]
        return HoleCount(tuple(alone), tuple(joined))

    @cached_property
    def _node_ids(self) -> tuple[int, ...]:
        return tuple(sorted(node.id for node in self.machine.nodes))

    def weight(self, home: int, node: int) -> int:
        """Cost of one PAMT page on `node` for a TDMR at home on `home`; 0 at home.

        Negative only where the map says that another node is nearer than home.
        """
        known = self._node_ids
        own = self._nodes[home]
        return node_distance(own, node, known) - node_distance(own, home, known)

    @cached_property
    def _nodes(self) -> dict[int, Node]:
        return {node.id: node for node in self.machine.nodes}


def pose(machine: Machine, space: Space, given_up: RangeSet | None = None) -> Question:
    """The question about a completed machine, with the pages `given_up` already withdrawn.

    Raises InputError when the machine is not completed, when TDH.SYS.INIT refuses its CMR list,
    when a free run leaves its node's memory ranges, or when free runs of two nodes overlap.
    """
    if machine.memory is None or machine.cmrs is None or machine.free is None:
        raise InputError("the machine's stand-ins have not been filled in")
    refused = walk_cmr_list(machine.cmrs, machine.limits)
    if refused is not None:
        raise InputError(f"the CMR list breaks {refused.rule}")
    gone = given_up if given_up is not None else RangeSet()
    memory = without(build_memory_list(machine.memory), gone)
    return Question(
        machine,
        space,
        gone,
        memory,
        RangeSet(c.range for c in machine.cmrs if c.size),
        _free_runs(machine, gone),
    )


def without(memory: Sequence[MemoryRange], gone: RangeSet) -> tuple[MemoryRange, ...]:
    """The memory list less the pages in `gone`: a range that loses pages inside falls apart."""
    if not gone:
        return tuple(memory)
    left: list[MemoryRange] = []
    for r in memory:
        runs = gone.complement(r.range) if gone.overlaps(r.range) else (r.range,)
        left += [MemoryRange(run.start, run.end, r.node, r.origin) for run in runs]
    return tuple(left)


def _free_runs(machine: Machine, gone: RangeSet) -> tuple[NodeRun, ...]:
    """Free runs per node: touching joined; below 1 MiB, zone Movable and `gone` left out.

    Runs must lie inside their node's memory as the file gives it, before anything is dropped.
    """
    assert machine.free is not None
    assert machine.memory is not None
    by_node: dict[int, list[Range]] = {}
    for free in machine.free:
        by_node.setdefault(free.node, []).append(free.range)
    memory: dict[int, list[Range]] = {}
    for r in machine.memory:
        memory.setdefault(r.node, []).append(r.range)
    closed: dict[int, list[Range]] = {}
    for known in machine.nodes:
        closed[known.id] = [z.range for z in known.zones or () if z.name == "Movable"]
    found: list[NodeRun] = []
    for node, given in sorted(by_node.items()):
        runs = RangeSet(given)
        stray = runs - RangeSet(memory.get(node, ()))
        if stray:
            raise InputError(f"free run {stray.runs[0]} is not memory of node {node}")
        runs = runs - RangeSet([(0, MIB)]) - RangeSet(closed.get(node, ())) - gone
        found += [NodeRun(run.start, run.end, node) for run in runs.align_inward(PAGE)]
    found.sort()
    for low, high in pairwise(found):
        if low.end > high.start:
            raise InputError(f"{high.range} is free on node {low.node} and on node {high.node}")
    return tuple(found)
