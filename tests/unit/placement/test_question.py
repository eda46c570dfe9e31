"""Derived facts and trivial causes."""

from __future__ import annotations

import pytest

from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node, Zone
from pamt.placement import LINUX, InputError, Space, pose
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet
from pamt.standins import complete

G = GIB


def machine(*memory: MemoryRange, **fields: object) -> Machine:
    return complete(Machine(memory=memory, **fields)).machine  # type: ignore[arg-type]


def test_low_memory_is_dropped_before_anything_else() -> None:
    q = pose(machine(MemoryRange(0, 640 * 1024, 1), MemoryRange(MIB, 2 * G, 0)), LINUX)
    assert q.memory == (MemoryRange(MIB, 2 * G, 0),)
    assert q.tdmrs is not None
    assert q.tdmrs[0].home == 0
    assert q.tdmrs[0].holes == (Range(0, MIB),)
    assert [run.start for run in q.free] == [MIB]


def test_free_runs_join_within_a_node_and_leave_out_movable() -> None:
    memory = (MemoryRange(G, 2 * G, 0), MemoryRange(2 * G, 3 * G, 0), MemoryRange(3 * G, 4 * G, 1))
    zones = (Zone("Normal", G, 2 * G + MIB), Zone("Movable", 2 * G + MIB, 3 * G))
    q = pose(machine(*memory, nodes=(Node(0, zones=zones), Node(1))), LINUX)
    assert q.free == ((G, 2 * G + MIB, 0), (3 * G, 4 * G, 1))
    given = tuple(FreeRun(r.start, r.end, r.node) for r in memory)
    q = pose(machine(*memory, nodes=(Node(0, zones=zones), Node(1)), free=given), LINUX)
    assert q.free == ((G, 2 * G + MIB, 0), (3 * G, 4 * G, 1))


def test_free_runs_must_be_memory_of_their_node() -> None:
    memory = MemoryRange(G, 2 * G, 0)
    with pytest.raises(InputError, match="not memory of node 0"):
        pose(machine(memory, free=(FreeRun(G, 2 * G + PAGE, 0),)), LINUX)
    with pytest.raises(InputError, match="not memory of node 1"):
        pose(machine(memory, free=(FreeRun(G, 2 * G, 1),), nodes=(Node(0), Node(1))), LINUX)


def test_machine_must_be_completed_and_its_cmrs_sound() -> None:
    with pytest.raises(InputError, match="stand-ins"):
        pose(Machine(memory=(MemoryRange(G, 2 * G),)), LINUX)
    with pytest.raises(InputError, match="C_ORDER"):
        pose(machine(MemoryRange(G, 2 * G), cmrs=(Cmr(G, G), Cmr(0, G))), LINUX)


def test_withdrawn_pages_leave_memory_and_free_runs() -> None:
    m = machine(MemoryRange(G, 3 * G, 0))
    q = pose(m, LINUX, RangeSet([(2 * G, 2 * G + PAGE)]))
    assert [r.range for r in q.memory] == [Range(G, 2 * G), Range(2 * G + PAGE, 3 * G)]
    assert q.kernel_tdmrs == (Range(G, 2 * G), Range(2 * G, 3 * G))
    assert [run.range for run in q.free] == [r.range for r in q.memory]


TRIVIAL = [
    ("no-memory", machine(MemoryRange(0, MIB)), LINUX),
    ("outside-cmr", machine(MemoryRange(G, 2 * G), cmrs=(Cmr(G + PAGE, G),)), LINUX),
    (
        "tdmrs-exhausted",
        machine(MemoryRange(G, 2 * G), MemoryRange(3 * G, 4 * G), limits=Limits(max_tdmrs=1)),
        LINUX,
    ),
    (
        "tdmrs-exhausted",
        machine(MemoryRange(G, 2 * G), limits=Limits(max_tdmrs=0)),
        Space("free"),
    ),
    (
        "address-limit",
        machine(MemoryRange(0, 1 << 24), limits=Limits(keyid_bits=25), cmrs=(Cmr(0, 1 << 24),)),
        LINUX,
    ),
    (
        "dynamic-keyid",
        machine(MemoryRange(G, 2 * G), limits=Limits(keyid_bits=3, dynamic_pamt=True)),
        LINUX,
    ),
]


@pytest.mark.parametrize(("kind", "asked", "space"), TRIVIAL)
def test_trivial_causes(kind: str, asked: Machine, space: Space) -> None:
    cause = pose(asked, space).trivial
    assert cause is not None
    assert cause.kind == kind


def test_touching_cmrs_and_null_entries_hold_memory_across() -> None:
    cmrs = (Cmr(G, G), Cmr(0, 0), Cmr(2 * G, G))
    q = pose(machine(MemoryRange(G, 3 * G), cmrs=cmrs), Space(reserve="cmr"))
    assert q.trivial is None
    assert q.cmr_runs.runs == (Range(G, 3 * G),)


def test_hole_counts_add_up_over_any_cut() -> None:
    memory = (
        MemoryRange(G + PAGE, 2 * G - PAGE),
        MemoryRange(2 * G + PAGE, 3 * G),
        MemoryRange(6 * G, 7 * G - PAGE),
    )
    q = pose(machine(*memory), Space("free"))
    counts = q.hole_count()
    assert q.cells == (1, 2, 6)
    for low in range(3):
        for high in range(low, 3):
            window = Range(q.cells[low] * G, (q.cells[high] + 1) * G)
            total = sum(counts.alone[low : high + 1]) + sum(counts.joined[low:high])
            assert len(q.holes(window)) == total


def test_weights_are_relative_to_home() -> None:
    nodes = (Node(0, distance=(10, 21)), Node(1, distance=(17, 12)))
    q = pose(machine(MemoryRange(G, 2 * G, 0), MemoryRange(2 * G, 3 * G, 1), nodes=nodes), LINUX)
    assert (q.weight(0, 0), q.weight(0, 1), q.weight(1, 0), q.weight(1, 1)) == (0, 11, 5, 0)
