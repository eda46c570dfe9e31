"""Cuts without a page, and what counting room says, against trying everything."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from repair_maps import small_machine

from pamt.explain.changes import pin_facts, try_policy
from pamt.explain.few.cuts import fewest_cuts, kept_apart
from pamt.explain.room import least_pages_for_room, room_for, share
from pamt.explain.shortage import NEVER
from pamt.kernel.conform import machine_of_vector
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import FreeRun, Limits, Machine, MemoryRange
from pamt.placement import LINUX as LINUX_SPACE
from pamt.placement import evaluate
from pamt.policies.linux import mainline
from pamt.ranges import GIB, PAGE, align_down, align_up
from pamt.standins import complete

RECORDED = Path(__file__).parents[1] / "conformance" / "data" / "kernel.jsonl"


def failing() -> Iterator[tuple[str, Machine]]:
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        if record["pre_cmr_fix"]["outcome"] in {"ENOSPC_reserved", "ENOMEM_pamt"}:
            yield record["id"], machine_of_vector(record["input"])


def borders_of(machine: Machine) -> list[int]:
    return sorted(
        {
            border
            for r in machine.memory or ()
            for border in range(align_down(r.start, GIB) + GIB, align_up(r.end, GIB), GIB)
        }
    )


def test_the_fewest_cuts_of_recorded_maps() -> None:
    """Where a map has few borders, against every one and every two of them."""
    mended = 0
    for name, machine in failing():
        pinned = pin_facts(machine)
        borders = borders_of(pinned)
        if len(borders) > 16:
            continue
        found = fewest_cuts(mainline, machine, 20_000)
        number = next(
            (
                number
                for number in (1, 2)
                for chosen in combinations(borders, number)
                if try_policy(mainline, kept_apart(pinned, chosen)).works
            ),
            None,
        )
        if number is None:
            assert found is None or len(found.borders) > 2, name
            continue
        assert found is not None, name
        assert len(found.borders) == number, name
        assert found.trial.works
        done = complete(machine).machine
        space = LINUX_SPACE._replace(tdmrs="free")
        assert not evaluate(done, space, found.trial.outcome.configuration()).violations
        mended += 1
    assert mended >= 5


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), number=st.integers(0, 2))
def test_ranges_kept_apart_hold_the_same_memory(seed: int, number: int) -> None:
    machine = pin_facts(small_machine(Random(seed), 40))
    borders = borders_of(machine)[:number]
    apart = kept_apart(machine, borders)
    assert sum(r.end - r.start for r in apart.memory or ()) == sum(
        r.end - r.start for r in machine.memory or ()
    )
    assert not any(r.start < at < r.end for r in apart.memory or () for at in borders)


entries = st.tuples(*[st.integers(1, 70)] * 3)


@given(entries=entries, gibs=st.integers(1, 2000), dynamic=st.booleans())
def test_a_chunk_is_never_smaller_than_the_shares(
    entries: tuple[int, int, int], gibs: int, dynamic: bool
) -> None:
    limits = Limits(pamt_entry_size=entries)
    size = pamt_sizes(gibs * GIB, limits, dynamic).total
    one = share(limits, dynamic)
    assert size >= gibs * one.each
    assert size >= one.least
    assert one.fit(size) >= gibs
    assert one.fit(one.least - PAGE) == 0


def test_room_for_few_gibs() -> None:
    """Four GiBs of memory, room for the PAMTs of two: two must go as a whole."""
    memory = tuple(
        MemoryRange(at * GIB, at * GIB + pages * PAGE)
        for at, pages in ((4, 2000), (6, 5000), (8, 3000), (10, 7000))
    )
    pages = pamt_sizes(2 * GIB, Limits(), dynamic=False).total // PAGE
    machine = pin_facts(Machine(memory=memory, free=(FreeRun(10 * GIB, 10 * GIB + pages * PAGE),)))
    assert least_pages_for_room(machine, dynamic=False) == 2000 + 3000
    assert room_for(complete(machine).machine, dynamic=False) == (4, 2)
    assert least_pages_for_room(machine, dynamic=True) == 0
    none = replace(machine, free=(FreeRun(10 * GIB, 10 * GIB + 1000 * PAGE),))
    assert least_pages_for_room(none, dynamic=False) == NEVER


@pytest.mark.parametrize(("run", "cuts"), [(8, 0), (7, 1), (4, 1), (3, 2), (2, 3), (1, 7)])
def test_each_free_run_holds_the_chunk_of_few_gibs(run: int, cuts: int) -> None:
    """One range of eight GiBs, and free runs that hold so many each: one page for each cut."""
    size = pamt_sizes(run * GIB, Limits(), dynamic=False).total
    free = tuple(
        FreeRun(4 * GIB + n * (64 << 20), 4 * GIB + n * (64 << 20) + size) for n in range(10)
    )
    machine = pin_facts(Machine(memory=(MemoryRange(4 * GIB, 12 * GIB),), free=free))
    assert least_pages_for_room(machine, dynamic=False) == cuts
