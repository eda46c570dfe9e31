"""A disagreement inside this program, shown on as small a map as can be found.

Delta debugging: ever smaller parts of a list (memory ranges, free runs, CMRs) are left out as long
as the disagreement stays; then the last rest is tried one by one.

Source: docs/design.md, section 5 (internal errors leave a minimised reproduction behind).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pamt.machine import Cmr, FreeRun, Machine, MemoryRange
from pamt.placement import InputError
from pamt.ranges import Range, RangeSet
from pamt.solve.result import InternalDisagreement

__all__ = ["disagrees", "minimise_map"]

MOST_TRIES = 200
"""Maps that are tried."""

Item = TypeVar("Item")
Ask = Callable[[Machine], object]


def disagrees(ask: Ask, machine: Machine) -> bool:
    """Whether `ask` ends in an internal disagreement on this map."""
    try:
        ask(machine)
    except InternalDisagreement:
        return True
    except (InputError, ValueError, ArithmeticError, LookupError, AssertionError):
        return False
    return False


def minimise_map(machine: Machine, ask: Ask, tries: int = MOST_TRIES) -> Machine:
    """A part of `machine` on which `ask` still ends in an internal disagreement.

    `machine` itself must show it.  The same map comes out every time.
    """
    budget = [tries]

    def shows(candidate: Machine) -> bool:
        if budget[0] <= 0:
            return False
        budget[0] -= 1
        return disagrees(ask, candidate)

    while True:
        before = machine
        for part in (_with_memory, _with_free, _with_cmrs):
            machine = _shortened(machine, part, shows)
        if machine == before or budget[0] <= 0:
            return machine


def _shortened(
    machine: Machine,
    part: Callable[[Machine, Sequence[Any]], Machine],
    shows: Callable[[Machine], bool],
) -> Machine:
    lists: dict[Any, Sequence[Any] | None] = {
        _with_memory: machine.memory,
        _with_free: machine.free,
        _with_cmrs: machine.cmrs,
    }
    kept = _fewest(lists[part] or (), lambda items: shows(part(machine, items)))
    return part(machine, kept)


def _fewest(items: Sequence[Item], shows: Callable[[Sequence[Item]], bool]) -> Sequence[Item]:
    """A part of `items`, in order, that still shows it; of which no single item can go."""
    size = max(1, len(items) // 2)
    while items:
        at = 0
        while at < len(items):
            rest = (*items[:at], *items[at + size :])
            if len(rest) < len(items) and shows(rest):
                items = rest
            else:
                at += size
        if size == 1:
            break
        size = max(1, size // 2)
    return items


def _with_free(machine: Machine, kept: Sequence[FreeRun]) -> Machine:
    return replace(machine, free=tuple(kept))


def _with_cmrs(machine: Machine, kept: Sequence[Cmr]) -> Machine:
    return replace(machine, cmrs=tuple(kept))


def _with_memory(machine: Machine, kept: Sequence[MemoryRange]) -> Machine:
    """The machine with only this memory; free runs are cut to it."""
    if tuple(kept) == machine.memory:
        return machine
    inside: dict[int, list[Range]] = {}
    for r in kept:
        inside.setdefault(r.node, []).append(r.range)
    sets = {node: RangeSet(runs) for node, runs in inside.items()}
    free = tuple(
        FreeRun(part.start, part.end, run.node, run.origin)
        for run in machine.free or ()
        for part in sets.get(run.node, RangeSet()).within(run.range)
    )
    return replace(machine, memory=tuple(kept), free=free)
