"""Pages to free, against every set of pages in use of a small map."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))
from repair_maps import POLICY, small_machine

from pamt.explain.changes import pin_facts, try_policy
from pamt.explain.freeing import Freed, free_pages
from pamt.machine import FreeRun, Machine
from pamt.ranges import MIB, PAGE, RangeSet

MOST = 3


def with_free(machine: Machine, pages: tuple[tuple[int, int], ...]) -> Machine:
    more = [FreeRun(at, at + PAGE, node) for at, node in pages]
    return replace(machine, free=tuple(sorted([*(machine.free or ()), *more])))


def least_freed(machine: Machine) -> int | None:
    """The fewest pages in use, up to three, without which the policy works."""
    busy = [
        (at, r.node)
        for r in machine.memory or ()
        for run in RangeSet([r.range]) - RangeSet(f.range for f in machine.free or ())
        for at in range(max(run.start, MIB), run.end, PAGE)
    ]
    for size in range(1, MOST + 1):
        for chosen in combinations(busy, size):
            if try_policy(POLICY, with_free(machine, chosen)).works:
                return size
    return None


def test_every_set_of_pages_in_use() -> None:
    random = Random(8)
    seen: set[int | None] = set()
    optimal = 0
    number = 80
    while number:
        machine = pin_facts(small_machine(random, 48))
        if machine.free is None or not machine.memory:
            continue
        # Some pages of each run are in use.
        kept = []
        for run in machine.free:
            hole = run.start + random.randrange(0, max(PAGE, run.end - run.start), PAGE)
            kept += [
                run._replace(end=hole),
                run._replace(start=hole + PAGE * random.choice((1, 2, 3))),
            ]
        machine = replace(machine, free=tuple(run for run in kept if run.start < run.end))
        trial = try_policy(POLICY, machine)
        if trial.outcome.reason != "ENOMEM_pamt":
            continue
        number -= 1
        truth = least_freed(machine)
        seen.add(truth)
        found = free_pages(POLICY, machine)
        if isinstance(found, Freed):
            assert found.trial.works
            assert found.bound <= (truth or found.pages)
            assert truth is None or found.pages >= truth
            assert found.bound > MOST or truth is not None or found.pages > MOST
            optimal += found.pages == found.bound
    assert {None, 1, 2} <= seen, seen
    assert optimal >= 10
