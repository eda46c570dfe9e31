"""The whole start-up at its edges: what is missing, half pages, CMRs in any order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pamt.configuration import Area
from pamt.kernel.construct import _first_outside, construct
from pamt.kernel.contig import ContigAllocator
from pamt.kernel.variants import VARIANTS
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange
from pamt.outcome import Outcome
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.standins import complete

TWO = (MemoryRange(GIB, 2 * GIB), MemoryRange(3 * GIB, 4 * GIB))


def run(machine: Machine, variant: str) -> tuple[Outcome, ContigAllocator]:
    ready = complete(machine).machine
    alloc = ContigAllocator(ready.nodes, ready.free or ())
    return construct(ready, alloc, VARIANTS[variant]), alloc


@pytest.mark.parametrize("missing", [{"memory": None}, {"cmrs": None}])
def test_stand_ins_must_be_there(missing: dict[str, None]) -> None:
    machine = complete(Machine(memory=TWO)).machine
    alloc = ContigAllocator(machine.nodes, machine.free or ())
    with pytest.raises(ValueError, match="stand-ins have not been filled in"):
        construct(replace(machine, **missing), alloc, VARIANTS["mainline"])


def test_cmrs_out_of_order_are_walked_from_the_first() -> None:
    """The walk for the first TDMR stops at once: all of it is a hole; the second has none."""
    cmrs = (Cmr(3 * GIB, GIB), Cmr(GIB, GIB))
    outcome, _ = run(
        Machine(memory=TWO, cmrs=cmrs, free=(FreeRun(3 * GIB, 4 * GIB),)), "cmr-nocheck"
    )
    first, second = outcome.tdmrs
    assert first.reserved == (Area(0, GIB),)
    bases = sorted(tdmr.pamts[0].base for tdmr in (first, second))
    assert [3 * GIB + area.offset for area in second.reserved] == bases


@pytest.mark.parametrize(
    ("cmrs", "inside"),
    [
        ([(4, 8), (0, 4)], [(0, 4), (4, 8), (1, 3)]),  # descending
        ([(0, 10), (2, 4)], [(0, 9), (2, 4)]),  # one inside another
        ([(4, 6), (0, 8)], [(1, 5), (4, 6), (0, 8)]),  # ends ascend, starts do not
        ([(0, 4), (4, 8)], [(0, 4), (4, 8)]),
    ],
)
def test_a_range_is_inside_whatever_the_order_of_cmrs(
    cmrs: list[tuple[int, int]], inside: list[tuple[int, int]]
) -> None:
    given = [Range(*cmr) for cmr in cmrs]
    for start, end in inside:
        assert _first_outside([MemoryRange(start, end)], given) is None
    assert _first_outside([MemoryRange(7, 11)], given) == MemoryRange(7, 11)


def test_half_a_page_between_cmrs_ends_in_einval_with_everything_given_back() -> None:
    cmrs = (Cmr(GIB, 512 * MIB + 1), Cmr(GIB + 512 * MIB + PAGE, 512 * MIB - PAGE))
    machine = Machine(memory=TWO[:1], cmrs=cmrs, free=(FreeRun(GIB, GIB + 64 * MIB),))
    outcome, alloc = run(machine, "cmr-nocheck")
    assert (outcome.ret, outcome.reason) == (-22, "EINVAL_unaligned_area")
    assert (outcome.failed_tdmr, outcome.kernel_warnings) == (0, 1)
    assert [taken.action for taken in outcome.trace] == ["take", "give back"]
    assert alloc.free_runs(0) == (Range(GIB, GIB + 64 * MIB),)


def test_areas_exhausted_gives_everything_back() -> None:
    limits = Limits(max_reserved_per_tdmr=1)
    memory = (MemoryRange(GIB, GIB + 512 * MIB), MemoryRange(GIB + 600 * MIB, 2 * GIB))
    machine = Machine(memory=memory, limits=limits, free=(FreeRun(GIB, GIB + 64 * MIB),))
    outcome, alloc = run(machine, "mainline")
    assert (outcome.ret, outcome.reason) == (-28, "ENOSPC_reserved")
    assert [taken.action for taken in outcome.trace] == ["take", "give back"]
    assert alloc.free_runs(0) == (Range(GIB, GIB + 64 * MIB),)


def test_no_room_for_the_second_chunk_gives_the_first_back() -> None:
    run_of_one = FreeRun(GIB, GIB + 1027 * PAGE)
    outcome, alloc = run(Machine(memory=TWO, free=(run_of_one,)), "mainline")
    assert (outcome.ret, outcome.reason, outcome.failed_tdmr) == (-12, "ENOMEM_pamt", 1)
    assert [taken.action for taken in outcome.trace] == ["take", "give back"]
    assert alloc.free_runs(0) == (run_of_one.range,)
    assert [tdmr.pamts for tdmr in outcome.tdmrs[1:]] == [None]
