"""Small maps whose memory can be withdrawn page by page, set by set.

Dynamic PAMT with entries of one byte needs ten pages for a GiB, so that a few dozen pages make a
machine with several TDMRs; ranges lie around GiB borders, where cuts, heads and tails come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from random import Random

from pamt.explain.changes import Trial, pin_facts, try_policy, withdraw
from pamt.kernel.memlist import build_memory_list
from pamt.machine import FreeRun, Limits, Machine, MemoryRange
from pamt.policies.registry import get_policy
from pamt.ranges import GIB, PAGE, Range

POLICY = get_policy("linux:dpamt")


def small_machine(random: Random, pages: int) -> Machine:
    """At most `pages` pages of memory in a few ranges near GiB borders."""
    memory: list[MemoryRange] = []
    left = pages
    node = 0
    for border in sorted(random.sample(range(1, 5), random.randint(1, 2))):
        at = border * GIB - random.choice((0, 0, 2, 7)) * PAGE
        for _ in range(random.randint(1, 6)):
            size = random.choice((1, 1, 1, 2, 2, 3, 5, 12, 14, 24, 30))
            if size > left:
                break
            left -= size
            memory.append(MemoryRange(at, at + size * PAGE, node))
            at += (size + random.choice((0, 1, 1, 1, 2))) * PAGE
        node = random.choice((node, 1 - node))
    free = None
    if random.random() < 0.5:
        free = tuple(FreeRun(r.start, r.end, r.node) for r in memory if r.end - r.start > 4 * PAGE)
    limits = Limits(
        max_tdmrs=random.choice((2, 3, 64)),
        max_reserved_per_tdmr=random.randint(2, 6),
        pamt_entry_size=(1, 1, 1),
    )
    return Machine(memory=tuple(memory), free=free, limits=limits)


def pages_of(machine: Machine) -> list[int]:
    listed = build_memory_list(machine.memory or ())
    return [at for r in listed for at in range(r.start, r.end, PAGE)]


def without(machine: Machine, pages: tuple[int, ...]) -> Trial:
    gone = [Range(at, at + PAGE) for at in pages]
    return try_policy(POLICY, withdraw(pin_facts(machine), gone))


def mending_sets(machine: Machine, size: int) -> Iterator[tuple[int, ...]]:
    """Every set of `size` pages whose withdrawal makes the policy work, by trying them all."""
    for chosen in combinations(pages_of(machine), size):
        if without(machine, chosen).works:
            yield chosen


def failing_machines(seed: int, number: int, pages: int, reason: str) -> Iterator[Machine]:
    """Machines on which the policy fails for `reason` (a part of its name)."""
    random = Random(seed)
    while number:
        machine = small_machine(random, pages)
        if machine.memory:
            trial = try_policy(POLICY, machine)
            if not trial.works and reason in trial.outcome.reason:
                number -= 1
                yield machine
