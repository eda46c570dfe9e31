"""The bound with chunks that stay: nothing cheaper works, whichever way pages are taken away."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recorded_maps import recorded

from pamt.explain.changes import pin_facts, try_policy, withdraw
from pamt.explain.shortage import least_pages
from pamt.explain.staying import least_pages_with_chunks
from pamt.explain.withdraw import withdraw_pages
from pamt.machine import FreeRun, Limits, Machine, MemoryRange
from pamt.policies.registry import get_policy
from pamt.ranges import GIB, PAGE, Range, RangeSet

MAINLINE = get_policy("linux:mainline")
CLOSED = {"gaps_in_gb-009": 95382, "gaps_in_gb-022": 42186, "gaps_in_gb-023": 9230}


@pytest.mark.parametrize(("name", "pages"), CLOSED.items())
def test_recorded_maps_that_counting_holes_alone_leaves_open(name: str, pages: int) -> None:
    machine = pin_facts(recorded(name))
    assert least_pages(machine) < least_pages_with_chunks(machine, dynamic=False) == pages
    found = withdraw_pages(MAINLINE, machine, 100)
    assert found.optimal and found.cost == pages


def crowded(random: Random) -> Machine:
    """One GiB full of holes, with the chunks of itself and of a few GiBs above it."""
    at = 4 * GIB + random.choice((0, 0, 99)) * PAGE
    memory: list[MemoryRange] = []
    for _ in range(random.randint(3, 7)):
        size = random.choice((1, 40, 300, 2000, 9000, 30_000))
        memory.append(MemoryRange(at, at + size * PAGE))
        at += (size + random.choice((1, 1, 5, 700))) * PAGE
    memory.append(MemoryRange(at, 5 * GIB))
    for above in range(random.randint(0, 4)):
        base = (6 + 2 * above) * GIB
        memory.append(MemoryRange(base, base + random.choice((GIB, GIB // 2))))
    free = None
    if random.random() < 0.3:
        free = tuple(FreeRun(r.start, r.end) for r in memory if random.random() < 0.9)
    limits = Limits(max_reserved_per_tdmr=random.randint(3, 8))
    return Machine(memory=tuple(memory), free=free, limits=limits)


def some_set(random: Random, machine: Machine, most: int) -> RangeSet:
    """Fewer than `most` pages: whole ranges, ends of ranges, a page in each slot, any pages."""
    gone = RangeSet()
    listed = machine.memory or ()
    for _ in range(random.randint(1, 8)):
        r = random.choice(listed)
        pages = (r.end - r.start) // PAGE
        size = random.choice((1, 2, pages, random.randint(1, pages))) * PAGE
        step = random.choice((1027 * PAGE, GIB))
        start = random.randrange(r.start, r.end, PAGE)
        more = {
            0: [r.range],
            1: [Range(r.start, r.start + size)],
            2: [Range(r.end - size, r.end)],
            3: [Range(p, p + PAGE) for p in range(r.start, r.end, step)],
            4: [Range(start, min(r.end, start + size))],
        }[random.randrange(5)]
        if (gone | RangeSet(more)).size < most * PAGE:
            gone |= RangeSet(more)
    return gone


def test_fewer_pages_never_work() -> None:
    random = Random(3)
    said = 0
    for _ in range(60):
        machine = pin_facts(crowded(random))
        bound = least_pages_with_chunks(machine, dynamic=False)
        if bound <= max(1, least_pages(machine)):
            continue
        said += 1
        for _ in range(25):
            gone = some_set(random, machine, bound)
            assert not try_policy(MAINLINE, withdraw(machine, gone)).works, (machine, gone)
    assert said >= 8


def test_what_is_found_is_never_below_the_bound() -> None:
    random = Random(4)
    met = 0
    for _ in range(60):
        machine = pin_facts(crowded(random))
        bound = least_pages_with_chunks(machine, dynamic=False)
        if bound and not try_policy(MAINLINE, machine).works:
            found = withdraw_pages(MAINLINE, machine, 40)
            assert found.cost is None or found.cost >= bound
            met += found.cost == bound
    assert met >= 5
