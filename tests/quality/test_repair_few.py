"""The exact search for a few pages, against every set of pages, with GiBs of a few pages.

A machine of several GiBs has too many pages to try every set of them.  So the constant is made
small, in every module that has read it: TDMRs, cuts and module rules all follow.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from pamt.explain.changes import pin_facts, try_policy, withdraw
from pamt.explain.few import few_pages
from pamt.explain.runner import Runner
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange
from pamt.policies.protocol import Policy
from pamt.policies.registry import get_policy
from pamt.ranges import MIB, PAGE, Range
from pamt.standins import complete

MAINLINE = get_policy("linux:mainline")


def shrink(monkeypatch: pytest.MonkeyPatch, cell: int) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("pamt.") and hasattr(module, "GIB"):
            monkeypatch.setattr(module, "GIB", cell)


def small_machine(random: Random, cell: int, most: int) -> Machine:
    """Ranges that touch or not, of two nodes, over several GiBs of `cell` bytes."""
    at = 2 * MIB + random.choice((0, 0, 1, 3)) * PAGE
    left = random.randint(10, most)
    memory: list[MemoryRange] = []
    node = 0
    while left > 0:
        size = min(left, random.choice((1, 2, 3, 5, 8, 13, 21, 34, 45)))
        left -= size
        memory.append(MemoryRange(at, at + size * PAGE, node))
        at += (size + random.choice((0, 0, 1, 1, 2, 5))) * PAGE
        node = 1 - node if random.random() < 0.2 else node
    free: list[FreeRun] = []
    for r in memory:
        start = r.start
        while start < r.end:
            end = min(r.end, start + random.randint(4, 30) * PAGE)
            free.append(FreeRun(start, end, r.node))
            start = end + random.choice((0, 1, 2)) * PAGE
    limits = Limits(
        max_tdmrs=random.choice((3, 5, 64)),
        max_reserved_per_tdmr=random.randint(1, 5),
        # A GiB needs so many pages; the search wants more than may be withdrawn.
        pamt_entry_size=(random.choice((4, 5, 6)) * PAGE * PAGE // cell,) * 3,
    )
    machine = Machine(
        memory=tuple(memory), free=tuple(free) if random.random() < 0.6 else None, limits=limits
    )
    if random.random() < 0.5:
        # Zones given: they stay when pages go.
        machine = replace(machine, nodes=complete(machine).machine.nodes)
    return machine


def with_cmrs(random: Random, machine: Machine, *, outside: bool) -> Machine:
    """CMRs that stand for the memory, or are one; or leave a page or two of memory out."""
    memory = machine.memory or ()
    low, high = min(memory).start, max(memory).end
    choice = random.randrange(3 if outside else 2)
    if choice == 0:
        return machine
    if choice == 1:
        return replace(machine, cmrs=(Cmr(low, high - low),))
    return replace(machine, cmrs=(Cmr(low, high - low - random.choice((1, 1, 2)) * PAGE),))


def failing(policy: Policy, random: Random, cell: int, most: int, number: int) -> Iterator[Machine]:
    while number:
        machine = small_machine(random, cell, most)
        machine = with_cmrs(random, machine, outside=policy is MAINLINE)
        trial = try_policy(policy, machine)
        rare = "reserved" not in trial.outcome.reason
        if not trial.works and random.random() < (0.1 if rare else 0.5):
            number -= 1
            yield machine


def least_set(policy: Policy, machine: Machine, most: int) -> int | None:
    pinned = pin_facts(machine)
    pages = [page for r in pinned.memory or () for page in range(max(r.start, MIB), r.end, PAGE)]
    for size in range(1, most + 1):
        for chosen in combinations(pages, size):
            gone = [Range(page, page + PAGE) for page in chosen]
            if try_policy(policy, withdraw(pinned, gone)).works:
                return size
    return None


@pytest.mark.parametrize(
    ("name", "seed", "cell", "pages", "most", "number"),
    [
        ("mainline", 1, 16, 50, 2, 30),
        ("mainline", 2, 32, 60, 2, 20),
        ("mainline", 3, 16, 30, 3, 12),
        ("cmr-nocheck", 4, 16, 45, 2, 15),
        ("cmr-v8.2", 5, 16, 45, 2, 10),
    ],
)
def test_every_set_of_a_small_map(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    seed: int,
    cell: int,
    pages: int,
    most: int,
    number: int,
) -> None:
    shrink(monkeypatch, cell * PAGE)
    mended: set[int | None] = set()
    policy = get_policy(f"linux:{name}")
    for machine in failing(policy, Random(seed), cell * PAGE, pages, number):
        truth = least_set(policy, machine, most)
        found = few_pages(Runner(policy, machine, 1_000), 10**6, 1, most)
        cost = None if found.gone is None else sum(r.size for r in found.gone) // PAGE
        assert cost == truth
        assert found.bound == (most + 1 if truth is None else truth)
        mended.add(truth)
    assert {None, 1} <= mended


def test_a_budget_ends_the_search_where_it_is() -> None:
    memory = (MemoryRange(MIB, 64 << 30),)
    machine = Machine(memory=memory, free=(), limits=Limits(max_reserved_per_tdmr=1))
    whole = few_pages(Runner(MAINLINE, machine, 10), 10**6)
    assert (whole.gone, whole.bound) == (None, 4)
    for steps in range(0, whole.steps, 7):
        part = few_pages(Runner(MAINLINE, machine, 10), steps)
        assert part.gone is None
        assert part.bound <= 4
        assert part.steps >= steps
