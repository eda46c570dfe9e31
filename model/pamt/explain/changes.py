"""Changes to a machine, and what a policy then does: the trial that every repair has to pass.

What the map file leaves out (zones, free runs, fallback orders) is stood in for again after each
change, so a withdrawn page that moves a zone's start moves the kernel's slots with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from pamt.machine import FreeRun, Machine, MemoryRange
from pamt.module.check import check_outcome
from pamt.module.status import Status
from pamt.outcome import Outcome
from pamt.policies.protocol import Policy, run_policy
from pamt.ranges import Range
from pamt.standins import complete

__all__ = ["Trial", "pin_facts", "try_policy", "withdraw"]


class Trial(NamedTuple):
    """A policy's run on a machine, and the module's answer if it succeeded."""

    outcome: Outcome
    status: Status | None

    @property
    def works(self) -> bool:
        """The policy succeeds and TDH.SYS.CONFIG accepts what it made."""
        return self.status is not None and self.status.accepted

    @property
    def max_areas(self) -> int:
        """Most reserved areas in one TDMR."""
        return max(
            (len(t.reserved) for t in self.outcome.tdmrs if t.reserved is not None), default=0
        )


def pin_facts(machine: Machine) -> Machine:
    """The machine with memory and CMRs filled in for good.

    CMRs that were stood in for by the memory must not shrink when pages are withdrawn from it.
    """
    done = complete(machine).machine
    return replace(machine, memory=done.memory, cmrs=done.cmrs)


def try_policy(policy: Policy, machine: Machine) -> Trial:
    """Fill in stand-ins, run `policy`, and ask the module."""
    done = complete(machine).machine
    outcome = run_policy(policy, done)
    return Trial(outcome, check_outcome(outcome, done) if outcome.succeeded else None)


def withdraw(machine: Machine, gone: Iterable[Range]) -> Machine:
    """The machine without the pages of `gone`: they leave memory ranges and free runs.

    Ranges may hold tracked addresses (:mod:`pamt.explain.tracked`); comparisons alone decide.
    """
    memory = list(machine.memory or ())
    free = None if machine.free is None else list(machine.free)
    for hole in gone:
        memory = [MemoryRange(a, b, r.node, r.origin) for r in memory for a, b in _cut(r, hole)]
        if free is not None:
            free = [FreeRun(a, b, f.node, f.origin) for f in free for a, b in _cut(f, hole)]
    return replace(machine, memory=tuple(memory), free=None if free is None else tuple(free))


def _cut(r: MemoryRange | FreeRun, hole: Range) -> list[tuple[int, int]]:
    if hole.end <= r.start or r.end <= hole.start:
        return [(r.start, r.end)]
    pieces = []
    if r.start < hole.start:
        pieces.append((r.start, hole.start))
    if hole.end < r.end:
        pieces.append((hole.end, r.end))
    return pieces
