"""Which pages in use to free so that the kernel's scan finds a slot.

For a TDMR whose PAMTs found no room, the slot with the fewest pages in use, on its home node if
that has one as good, is freed, then the policy is run again, until it works or fails for another
reason.

*Why fewer pages would not do.*  Let F be pages freed such that the policy works.  Its run with F
first differs from the failing one at some TDMR, up to the one that failed, by finding a slot that
was not free then.  All pages in use of that slot are in F, and none of an earlier chunk is in it.
So F has as many pages as the least that any slot tried in vain by one of these TDMRs lacks.  And it
has as many as all chunks together need beyond what is free.

Source: Linux v6.8 mm/page_alloc.c, alloc_contig_pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from pamt.explain.changes import Trial, pin_facts, try_policy
from pamt.kernel.contig import first_slot_address, zones_high_to_low
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import FreeRun, Machine, Node
from pamt.outcome import Outcome
from pamt.policies.linux import LinuxPolicy
from pamt.policies.protocol import Policy
from pamt.ranges import MIB, PAGE, Range, RangeSet
from pamt.standins import complete

__all__ = ["Freed", "NotFreed", "free_pages"]

ROUNDS = 64
"""At most one slot for each TDMR the module takes."""


class Freed(NamedTuple):
    """Pages freed, and the run that then works."""

    ranges: tuple[Range, ...]
    trial: Trial
    machine: Machine
    """The machine with these pages free."""
    bound: int
    """Fewer pages are proven not to be enough."""

    @property
    def pages(self) -> int:
        return sum(r.size for r in self.ranges) // PAGE


class NotFreed(NamedTuple):
    """Why freeing pages was not seen to help, and whether it is proven not to."""

    reason: str
    proven: bool


def free_pages(policy: Policy, machine: Machine) -> Freed | NotFreed:
    """Free slots one after the other until `policy` works; or why that does not help."""
    done = pin_facts(machine)
    if done.free is None:
        return NotFreed("all memory outside zone Movable is taken to be free already", True)
    freed = RangeSet()
    bound = None
    for _ in range(ROUNDS):
        trial = try_policy(policy, done)
        if trial.works:
            return Freed(freed.runs, trial, done, bound or 1)
        outcome = trial.outcome
        if outcome.reason != "ENOMEM_pamt" or outcome.failed_tdmr is None:
            return NotFreed(f"the failure is not one of room: {outcome.reason}", False)
        wanted = outcome.tdmrs[outcome.failed_tdmr]
        if wanted.home is None or not wanted.pages:
            return NotFreed("there is no memory to cover", True)
        tried = list(_tried_in_vain(complete(done).machine, outcome))
        if bound is None and isinstance(policy, LinuxPolicy):
            if not tried:
                return NotFreed("no slot that the scan tries lies in memory as a whole", True)
            bound = max(min(lack.size for lack in tried) // PAGE, _missing(done, outcome, policy))
        mine = [lack for lack in tried if lack.tdmr == outcome.failed_tdmr]
        if not mine:
            return NotFreed("no slot that the scan tries lies in memory as a whole", False)
        best = min(mine, key=lambda lack: (lack.size, lack.node != wanted.home, lack.busy.span))
        freed |= best.busy
        free = [*(done.free or ()), *(FreeRun(r.start, r.end, best.node) for r in best.busy)]
        done = replace(done, free=tuple(sorted(free)))
    return NotFreed("no set of slots was found", False)


def _missing(machine: Machine, outcome: Outcome, policy: LinuxPolicy) -> int:
    """Pages that all chunks together have more than is free."""
    dynamic = policy.variant.dynamic_pamt
    needed = sum(pamt_sizes(t.size, machine.limits, dynamic).total for t in outcome.tdmrs)
    free = RangeSet(f.range for f in complete(machine).machine.free or ())
    return max(0, needed - free.size) // PAGE


class _Lack(NamedTuple):
    """A slot that was not free when TDMR `tdmr` looked at it: what of it was in use."""

    tdmr: int
    node: int
    busy: RangeSet

    @property
    def size(self) -> int:
        return self.busy.size


def _tried_in_vain(machine: Machine, outcome: Outcome) -> Iterator[_Lack]:
    """For each TDMR, node and zone the slot that lacked least; those that no freeing helps are out.

    `machine` is completed.
    """
    nodes = {node.id: node for node in machine.nodes}
    taken = {t.tdmr: t for t in outcome.trace if t.action == "take"}
    gone = RangeSet()
    for number, planned in enumerate(outcome.tdmrs):
        if planned.home is None or planned.home not in nodes or not planned.pages:
            break
        for node_id in nodes[planned.home].fallback or (planned.home,):
            node = nodes.get(node_id)
            if node is None or not node.online:
                continue
            found = taken.get(number)
            for zone in zones_high_to_low(node.zones or ()):
                here = found is not None and (found.node, found.zone) == (node_id, zone.name)
                end = found.range.start if here and found is not None else zone.end
                best = _least_busy(machine, node, zone.range, end, gone, planned.pages * PAGE)
                if best is not None:
                    yield _Lack(number, node_id, best)
                if here:
                    break
            if found is not None and found.node == node_id:
                break
        if number in taken:
            gone |= RangeSet([taken[number].range])


def _least_busy(
    machine: Machine, node: Node, zone: Range, end: int, gone: RangeSet, size: int
) -> RangeSet | None:
    """The pages in use of the slot below `end` that has the fewest, and no page of `gone`."""
    free = RangeSet(f.range for f in machine.free or () if f.node == node.id) - gone
    memory = RangeSet(r.range for r in machine.memory or () if r.node == node.id) - gone
    memory -= RangeSet([(0, MIB)])
    memory -= RangeSet(z.range for z in node.zones or () if z.name == "Movable")
    best: RangeSet | None = None
    first = first_slot_address(zone.start, size)
    for start in _slots_near(first, size, free, memory):
        slot = Range(start, start + size)
        if slot.end > zone.end or slot.start < zone.start or slot.start >= end:
            continue
        if slot not in memory:
            continue
        busy = RangeSet([slot]) - free
        if best is None or (busy.size, busy.span.start) < (best.size, best.span.start):
            best = busy
    return best


def _slots_near(first: int, size: int, free: RangeSet, memory: RangeSet) -> Iterator[int]:
    """Starts of slots that reach into a free run, and of the first slot in each stretch of memory.

    The slot with the fewest busy pages is one of these unless all are wholly busy.
    """
    seen: set[int] = set()
    for run in free:
        inside = (run.start - first) // size
        last = (run.end - 1 - first) // size
        seen |= {inside, inside + 1, last - 1, last}
    for stretch in memory:
        seen.add(-(-(stretch.start - first) // size))
    for index in sorted(seen):
        if index >= 0:
            yield first + index * size
