"""Withdrawn sets against all sets there are: every pair and triple of a small map tried out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from repair_maps import POLICY, failing_machines, mending_sets

from pamt.explain.changes import pin_facts, try_policy
from pamt.explain.few import few_pages
from pamt.explain.room import least_pages_for_room
from pamt.explain.runner import Runner
from pamt.explain.sensitive import sensitive_pages
from pamt.explain.shortage import least_pages
from pamt.explain.withdraw import withdraw_pages
from pamt.kernel.conform import machine_of_vector
from pamt.machine import Machine
from pamt.policies.registry import get_policy
from pamt.ranges import PAGE, Range

MAINLINE = get_policy("linux:mainline")
RECORDED = Path(__file__).parents[1] / "conformance" / "data" / "kernel.jsonl"


def hold_against_all_sets(machine: Machine, most: int) -> int | None:
    """The least number of pages, up to `most`, that mend `machine`; all claims are held to it."""
    pinned = pin_facts(machine)
    trial = try_policy(POLICY, pinned)
    found = withdraw_pages(POLICY, machine)
    for size in range(1, most + 1):
        sets = list(mending_sets(machine, size))
        if not sets:
            continue
        assert least_pages(pinned) <= size
        where = sensitive_pages(POLICY, pinned, trial, size)
        assert all(any(page in where for page in pages) for pages in sets)
        assert found.bound <= size
        assert found.cost is None or found.cost >= size
        if size == 1:
            assert sum(one.pages for one in found.alternatives) == len(sets)
        assert found.cost == size and found.optimal
        return size
    assert found.bound > most
    assert found.cost is None or found.cost > most
    return None


@pytest.mark.parametrize(("seed", "most"), [(1, 2), (2, 2), (3, 3)])
def test_areas_exhausted(seed: int, most: int) -> None:
    """What up to three pages mend is mended, and proven cheapest."""
    number = 12 if most == 3 else 25
    sizes = {
        hold_against_all_sets(machine, most)
        for machine in failing_machines(seed, number, 30, "reserved")
    }
    assert 1 in sizes and None in sizes


@pytest.mark.parametrize("reason", ["ENOMEM", "tdmrs"])
def test_other_failures(reason: str) -> None:
    for machine in failing_machines(11, 15, 30, reason):
        hold_against_all_sets(machine, 2)


def recorded() -> Iterator[tuple[str, str, Machine]]:
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        outcome = record["pre_cmr_fix"]["outcome"]
        if outcome != "success":
            yield record["id"], outcome, machine_of_vector(record["input"])


def test_every_recorded_shortage_of_areas_is_settled_up_to_three_pages() -> None:
    """Mended at the least cost, or proven not to be mended by three pages or fewer."""
    optimal, maps = 0, 0
    for name, outcome, machine in recorded():
        if outcome == "ENOSPC_reserved":
            found = withdraw_pages(MAINLINE, machine, 300)
            assert found.optimal or found.bound > 3, name
            assert found.trial is None or found.trial.works
            optimal += found.optimal
            maps += 1
    assert (optimal, maps) == (35, 49)


def test_every_recorded_shortage_of_tdmrs_is_mended() -> None:
    found = [withdraw_pages(MAINLINE, m, 50) for _, outcome, m in recorded() if "tdmrs" in outcome]
    assert len(found) == 8
    assert all(one.optimal and one.trial is not None and one.trial.works for one in found)


def test_recorded_shortages_of_room() -> None:
    """Six are mended by up to three pages; each of the others is proven to need more."""
    cost: dict[str, int | None] = {}
    for name, outcome, machine in recorded():
        if outcome == "ENOMEM_pamt":
            runner = Runner(MAINLINE, machine, 100)
            least = max(1, least_pages_for_room(runner.machine, dynamic=False))
            found = few_pages(runner, 20_000, least, 3)
            assert found.gone is not None or found.bound > 3, name
            if found.gone is not None:
                cost[name] = sum(r.size for r in found.gone) // PAGE
                assert cost[name] == found.bound
    assert cost == {
        "realistic_tight-022": 3,
        "realistic_tight-023": 2,
        "remote_fallback-023": 1,
        "stride_scan-017": 3,
        "stride_scan-022": 1,
        "stride_scan-023": 1,
    }


def test_memory_outside_the_cmrs_is_withdrawn() -> None:
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        if record["id"] == "cmr_shapes-013":
            machine = machine_of_vector(record["input"])
            found = withdraw_pages(MAINLINE, machine, 500)
            assert found.optimal and found.pages
            runs = [c.range for c in machine.cmrs or ()]
            assert not any(r.overlaps(Range(*run)) for r in found.pages for run in runs)
