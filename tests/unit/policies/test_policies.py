"""The registry, the public protocol, and greedy on maps where its choices can be seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pamt.kernel.conform import machine_of_vector
from pamt.machine import FreeRun, Limits, Machine, MemoryRange
from pamt.outcome import Outcome
from pamt.policies.protocol import Allocator, run_policy
from pamt.policies.registry import UnknownPolicyError, get_policy, policy_names
from pamt.ranges import GIB, MIB, PAGE, RangeSet
from pamt.standins import complete

RECORDED = Path(__file__).parents[2] / "conformance" / "data" / "kernel.jsonl"


def recorded_machines() -> list[Machine]:
    return [
        machine_of_vector(json.loads(line)["input"]) for line in RECORDED.read_text().splitlines()
    ]


def test_built_in_names() -> None:
    assert set(policy_names()) >= {
        "linux:mainline",
        "linux:dpamt",
        "linux:cmr-v8.2",
        "linux:cmr-nocheck",
        "greedy",
    }


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownPolicyError, match="linux:mainline"):
        get_policy("linux:minline")


def test_a_policy_is_any_function_of_machine_and_allocator() -> None:
    def takes_one_page(machine: Machine, alloc: Allocator) -> Outcome:
        found = alloc.contig(PAGE, 0)
        return Outcome(0 if found else -12, "success" if found else "ENOMEM_pamt")

    machine = complete(Machine(memory=(MemoryRange(MIB, GIB),))).machine
    assert run_policy(takes_one_page, machine).succeeded


def test_greedy_succeeds_wherever_mainline_does_and_the_layouts_agree() -> None:
    greedy, mainline = get_policy("greedy"), get_policy("linux:mainline")
    more = 0
    for machine in recorded_machines():
        theirs, ours = run_policy(mainline, machine), run_policy(greedy, machine)
        assert ours.succeeded or not theirs.succeeded
        more += ours.succeeded and not theirs.succeeded
        if ours.succeeded:
            configuration = ours.configuration()
            chunks = RangeSet(p.range for t in configuration.tdmrs for p in t.pamts)
            assert chunks <= RangeSet(f.range for f in machine.free or ())
            for t in configuration.tdmrs:
                assert len(t.reserved) <= machine.limits.max_reserved_per_tdmr
    assert more > 0


def test_greedy_passes_over_a_tdmr_without_a_reserved_area_left() -> None:
    # TDMR 0 has two holes and may have two areas; its free memory cannot be used for a PAMT.
    machine = complete(
        Machine(
            limits=Limits(max_reserved_per_tdmr=2),
            memory=(
                MemoryRange(MIB, 256 * MIB),
                MemoryRange(512 * MIB, GIB),
                MemoryRange(GIB, 2 * GIB),
            ),
            free=(FreeRun(600 * MIB, 2 * GIB),),
        )
    ).machine
    outcome = run_policy(get_policy("greedy"), machine)
    assert outcome.succeeded
    assert all(t.pamts is not None and t.pamts[0].base >= GIB for t in outcome.tdmrs)


def test_greedy_gives_back_after_a_failure() -> None:
    machine = complete(
        Machine(
            memory=(MemoryRange(MIB, GIB), MemoryRange(GIB, 2 * GIB)),
            free=(FreeRun(16 * MIB, 16 * MIB + 1500 * PAGE),),
        )
    ).machine
    outcome = run_policy(get_policy("greedy"), machine)
    assert (outcome.ret, outcome.reason, outcome.failed_tdmr) == (-12, "ENOMEM_pamt", 1)
    assert [event.action for event in outcome.trace] == ["take", "give back"]
