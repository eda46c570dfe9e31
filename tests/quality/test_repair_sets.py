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
from pamt.explain.sensitive import sensitive_pages
from pamt.explain.shortage import least_pages
from pamt.explain.withdraw import NEVER, withdraw_pages
from pamt.kernel.conform import machine_of_vector
from pamt.machine import Machine
from pamt.policies.registry import get_policy
from pamt.ranges import Range

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
        if "reserved" in trial.outcome.reason:
            assert found.cost == size and found.optimal
        return size
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


def test_the_pairs_that_decide_are_met() -> None:
    """Maps on which three pages are proven cheapest, so that the proof for pairs has been used."""
    threes = 0
    for machine in failing_machines(5, 60, 30, "reserved"):
        found = withdraw_pages(POLICY, machine)
        if found.cost == 3 and found.optimal and least_pages(pin_facts(machine)) < 3:
            assert not list(mending_sets(machine, 2))
            threes += 1
    assert threes


def recorded() -> Iterator[tuple[str, str, Machine]]:
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        outcome = record["pre_cmr_fix"]["outcome"]
        if outcome != "success":
            yield record["id"], outcome, machine_of_vector(record["input"])


@pytest.mark.parametrize(
    ("reason", "least"), [("ENOSPC_reserved", 32), ("ENOSPC_tdmrs", 8), ("ENOMEM_pamt", 3)]
)
def test_recorded_failures_that_are_mended(reason: str, least: int) -> None:
    """So many of the recorded failures are mended and proven cheapest within 700 runs each."""
    optimal = 0
    for _, outcome, machine in recorded():
        if outcome == reason:
            found = withdraw_pages(get_policy("linux:mainline"), machine, 700)
            optimal += found.optimal
            if found.trial is not None:
                assert found.trial.works
            if found.bound == NEVER:
                assert found.pages is None
    assert optimal >= least


def test_memory_outside_the_cmrs_is_withdrawn() -> None:
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        if record["id"] == "cmr_shapes-013":
            machine = machine_of_vector(record["input"])
            found = withdraw_pages(get_policy("linux:mainline"), machine, 500)
            assert found.optimal and found.pages
            runs = [c.range for c in machine.cmrs or ()]
            assert not any(r.overlaps(Range(*run)) for r in found.pages for run in runs)
