"""T7 and T9 put to use on maps."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from pamt.kernel.conform import machine_of_vector
from pamt.kernel.contig import ContigAllocator
from pamt.machine import FreeRun, Limits, Machine, MemoryRange, Node, Zone
from pamt.maps.machine_file import read_machine
from pamt.policies.linux import mainline
from pamt.policies.protocol import run_policy
from pamt.prove.conditions import area_bounds, slot_length, stays_local
from pamt.ranges import GIB, MIB, PAGE, RangeSet
from pamt.standins import complete


@pytest.mark.parametrize(
    ("gib", "pages"), [((1,), 2053), ((4,), 8209), ((1, 1), 3080), ((1, 1, 1), 4107)]
)
def test_lengths_that_were_measured(gib: tuple[int, ...], pages: int) -> None:
    sizes = [(1026 * n + 1) * PAGE for n in gib]
    assert slot_length(sizes) == pages * PAGE


def test_a_run_of_that_length_holds_the_chunks_in_any_order() -> None:
    rng = random.Random(3)
    for _ in range(200):
        sizes = [rng.randint(1, 9) * PAGE for _ in range(rng.randint(1, 5))]
        length = slot_length(sizes)
        zone_start = rng.randint(0, 50) * PAGE
        start = zone_start + rng.randint(0, 50) * PAGE
        zone = Zone("Normal", zone_start, start + length + rng.randint(0, 9) * PAGE)
        node = Node(0, fallback=(0,), zones=(zone,))
        allocator = ContigAllocator([node], [FreeRun(start, start + length)])
        assert all(allocator.contig(size, 0) is not None for size in sizes)
    assert slot_length([]) == 0


def test_the_map_of_the_report_does_not_meet_the_inequality(root: Path) -> None:
    machine = complete(read_machine(root / "specs" / "machines" / "emr-fcp-issue135.toml")).machine
    assert run_policy(mainline, machine).reason == "ENOSPC_reserved"
    assert not all(bound.holds for bound in area_bounds(machine))


def test_two_roomy_nodes_count_only_their_own() -> None:
    machine = complete(
        Machine(
            memory=(MemoryRange(MIB, 4 * GIB, 0), MemoryRange(4 * GIB, 8 * GIB, 1)),
            free=(FreeRun(MIB, 4 * GIB, 0), FreeRun(4 * GIB, 8 * GIB, 1)),
        )
    ).machine
    assert [(b.holes, b.chunks, b.holds) for b in area_bounds(machine)] == [
        (1, 1, True),
        (0, 1, True),
    ]
    assert stays_local(machine, (0, 1), (4105 * PAGE, 4105 * PAGE))
    assert not stays_local(machine, (0, 1), (4105 * PAGE, 3 * GIB))
    assert not stays_local(machine, (0, 7), (4105 * PAGE, PAGE))


def test_a_node_without_room_may_put_its_chunk_anywhere() -> None:
    machine = complete(
        Machine(
            limits=Limits(max_reserved_per_tdmr=2),
            memory=(MemoryRange(MIB, 4 * GIB, 0), MemoryRange(4 * GIB, 8 * GIB, 1)),
            free=(FreeRun(MIB, 4 * GIB, 0),),
        )
    ).machine
    bounds = area_bounds(machine)
    assert [b.chunks for b in bounds] == [2, 2]
    assert [b.holds for b in bounds] == [False, True]
    outcome = run_policy(mainline, machine)
    assert outcome.reason == "ENOSPC_reserved"
    assert outcome.failed_tdmr == 0


def test_stand_ins_must_be_there() -> None:
    with pytest.raises(ValueError, match="stand-ins"):
        area_bounds(Machine(memory=(MemoryRange(MIB, GIB),)))
    with pytest.raises(ValueError, match="stand-ins"):
        area_bounds(replace(Machine(), free=()))


def test_the_inequality_on_every_recorded_run(root: Path) -> None:
    """Where it is met, the kernel itself did not run out of areas; and it is met often enough."""
    recorded = root / "tests" / "conformance" / "data" / "kernel.jsonl"
    met = exhausted = 0
    for line in recorded.read_text().splitlines():
        record = json.loads(line)
        machine = machine_of_vector(record["input"])
        if not _free_is_memory(machine):
            continue
        ran_out = record["pre_cmr_fix"]["outcome"] == "ENOSPC_reserved"
        if all(bound.holds for bound in area_bounds(machine)):
            met += 1
            assert not ran_out, record["id"]
        exhausted += ran_out
    assert met >= 100
    assert exhausted >= 20


def _free_is_memory(machine: Machine) -> bool:
    memory = machine.memory or ()
    return all(
        run.range in RangeSet(r.range for r in memory if r.node == run.node)
        for run in machine.free or ()
    )
