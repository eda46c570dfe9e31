"""The fewest further GiB borders at which a kernel would have to end TDMRs to succeed.

Everything else stays the kernel's own: which slots chunks get, what areas stand for.  That a cut
works is seen by running the policy on the machine with its memory ranges kept apart at the borders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pamt.explain.changes import Trial, pin_facts, try_policy
from pamt.explain.few.ground import grounds
from pamt.explain.few.run import Fork
from pamt.machine import Machine, MemoryRange
from pamt.policies.linux import LinuxPolicy

__all__ = ["Cut", "fewest_cuts", "kept_apart"]

MOST = 8
"""Further borders that are tried together."""


class Cut(NamedTuple):
    """Borders, ascending, and the run with TDMRs cut there."""

    borders: tuple[int, ...]
    trial: Trial


class _Over(Exception):
    pass


def fewest_cuts(policy: LinuxPolicy, machine: Machine, steps: int) -> Cut | None:
    """The fewest borders that do, up to eight; None if there are none or `steps` are spent."""
    left = steps

    def spend(number: int) -> None:
        nonlocal left
        left -= number
        if left < 0:
            raise _Over

    pinned = pin_facts(machine)
    ground = next(iter(grounds(pinned, policy.variant, 0)), None)
    if ground is None or not ground.listed:
        return None
    try:
        for number in range(1, MOST + 1):
            for run in Fork(ground, policy.variant, 0, number).finished(spend):
                if len(run.cuts) == number:
                    trial = try_policy(policy, kept_apart(pinned, run.cuts))
                    if trial.works:
                        return Cut(run.cuts, trial)
    except _Over:
        pass
    return None


def kept_apart(machine: Machine, borders: Sequence[int]) -> Machine:
    """The machine with each memory range that crosses one of `borders` in two parts there."""
    memory: list[MemoryRange] = []
    for r in machine.memory or ():
        inner = [at for at in sorted(borders) if r.start < at < r.end]
        for start, end in zip([r.start, *inner], [*inner, r.end], strict=True):
            memory.append(MemoryRange(start, end, r.node, r.origin))
    return replace(machine, memory=tuple(memory))
