"""Which pages in use to free so that the kernel's scan finds a slot.

For a TDMR whose PAMTs found no room, the slot of its home node with the fewest pages in use is
freed, then the policy is run again, until it works or fails for another reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from pamt.explain.changes import Trial, pin_facts, try_policy
from pamt.kernel.contig import first_slot_address, zones_high_to_low
from pamt.machine import FreeRun, Machine
from pamt.outcome import Outcome
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
    for _ in range(ROUNDS):
        trial = try_policy(policy, done)
        if trial.works:
            return Freed(freed.runs, trial, done)
        outcome = trial.outcome
        if outcome.reason != "ENOMEM_pamt" or outcome.failed_tdmr is None:
            return NotFreed(f"the failure is not one of room: {outcome.reason}", False)
        wanted = outcome.tdmrs[outcome.failed_tdmr]
        if wanted.home is None or not wanted.pages:
            return NotFreed("there is no memory to cover", True)
        best = _cheapest_slot(done, outcome, wanted.home, wanted.pages * PAGE)
        if best is None:
            return NotFreed(f"no slot of node {wanted.home} lies in its memory as a whole", False)
        freed |= best
        free = [*(done.free or ()), *(FreeRun(r.start, r.end, wanted.home) for r in best)]
        done = replace(done, free=tuple(sorted(free)))
    return NotFreed("no set of slots was found", False)


def _cheapest_slot(machine: Machine, outcome: Outcome, node: int, size: int) -> RangeSet | None:
    """The pages in use of the slot that has the fewest of them."""
    completed = complete(machine).machine
    # The PAMTs of earlier TDMRs stand where the failed run had put them.
    taken = RangeSet(t.range for t in outcome.trace if t.action == "take")
    free = RangeSet(f.range for f in completed.free or () if f.node == node) - taken
    low = RangeSet([(0, MIB)])
    memory = RangeSet(r.range for r in completed.memory or () if r.node == node) - taken - low
    zones = next((n.zones or () for n in completed.nodes if n.id == node), ())
    memory -= RangeSet(z.range for z in zones if z.name == "Movable")
    best: RangeSet | None = None
    for zone in zones_high_to_low(zones):
        first = first_slot_address(zone.start, size)
        for start in _slots_near(first, size, free, memory):
            slot = Range(start, start + size)
            if slot.end > zone.end or slot.start < zone.start or slot not in memory:
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
