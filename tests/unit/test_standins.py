"""What stands in for what a map does not say, and that each stand-in is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node, Zone
from pamt.ranges import GIB, MIB, Range
from pamt.standins import Completed, complete, derive_fallback, derive_zones, node_distance


def ids(done: Completed) -> list[str]:
    return [assumption.id for assumption in done.assumptions]


FULL = Machine(
    cmrs=(Cmr(MIB, 8 * GIB - MIB),),
    memory=(MemoryRange(MIB, 8 * GIB),),
    nodes=(
        Node(0, True, (10,), (0,), (Zone("DMA32", MIB, 4 * GIB), Zone("Normal", 4 * GIB, 8 * GIB))),
    ),
    free=(FreeRun(4 * GIB, 8 * GIB),),
)


def test_a_full_map_needs_no_assumption() -> None:
    assert complete(FULL) == Completed(FULL, ())


def test_a_map_without_memory_and_cmrs_is_refused() -> None:
    with pytest.raises(ValueError, match="CMRs or memory"):
        complete(Machine())


def test_cmr_runs_stand_in_for_memory() -> None:
    """Touching CMRs make one run; null entries, and the order, do not matter.

    CMRs   |--1--|--0--| null      |--2--|
    memory |-----------|           |-----|      node 0
    """
    machine = Machine(cmrs=(Cmr(GIB, GIB), Cmr(7, 0), Cmr(0, GIB), Cmr(4 * GIB, GIB)))
    done = complete(machine)
    assert done.machine.memory is not None
    assert [(r.range, r.node) for r in done.machine.memory] == [
        (Range(0, 2 * GIB), 0),
        (Range(4 * GIB, 5 * GIB), 0),
    ]
    assert done.machine.cmrs == machine.cmrs
    assert "memory-from-cmrs" in ids(done)
    assert "cmrs-from-memory" not in ids(done)


def test_memory_stands_in_for_cmrs_with_touching_ranges_joined() -> None:
    memory = tuple(MemoryRange(n * GIB, (n + 1) * GIB, n % 2) for n in range(3))
    many = tuple(MemoryRange((2 * n + 9) * GIB, (2 * n + 10) * GIB) for n in range(40))
    done = complete(Machine(memory=memory + many))
    assert done.machine.cmrs is not None
    assert done.machine.cmrs[0].range == Range(0, 3 * GIB)
    assert len(done.machine.cmrs) == 41  # more than the module's table could hold
    assert "cmrs-from-memory" in ids(done)


def test_an_empty_list_is_a_statement_and_not_a_gap() -> None:
    done = complete(Machine(cmrs=(Cmr(0, GIB),), memory=(), free=()))
    assert done.machine.memory == ()
    assert done.machine.free == ()
    assert ids(done) == []


def test_free_runs_are_the_memory_outside_zone_movable() -> None:
    """A range below 1 MiB gives nothing; one that starts below is cut there."""
    zones = (Zone("Normal", 0, 2 * GIB), Zone("Movable", 2 * GIB, 3 * GIB))
    machine = Machine(
        memory=(MemoryRange(0x1000, 0x9F000), MemoryRange(0xA0000, 4 * GIB, 0, "log:7")),
        nodes=(Node(0, zones=zones),),
    )
    done = complete(machine)
    assert done.machine.free == (
        FreeRun(MIB, 2 * GIB, 0, "log:7"),
        FreeRun(3 * GIB, 4 * GIB, 0, "log:7"),
    )
    assert "free-from-memory" in ids(done)


def test_zone_movable_of_another_node_does_not_matter() -> None:
    movable = (Zone("Movable", 0, 8 * GIB),)
    machine = Machine(
        memory=(MemoryRange(0, GIB, 0), MemoryRange(GIB, 2 * GIB, 1)),
        nodes=(Node(0, zones=movable), Node(1)),
    )
    assert complete(machine).machine.free == (FreeRun(GIB, 2 * GIB, 1),)


def test_zones_are_cut_from_the_span_of_the_node() -> None:
    """
    node 0   [1M ... 2G)          [5G ... 6G)
    DMA       1M-16M
    DMA32       16M --------- 4G
    Normal                     4G --------- 6G
    """
    memory = [MemoryRange(MIB, 2 * GIB, 0), MemoryRange(5 * GIB, 6 * GIB, 0)]
    assert derive_zones(memory, 0) == (
        Zone("DMA", MIB, 16 * MIB),
        Zone("DMA32", 16 * MIB, 4 * GIB),
        Zone("Normal", 4 * GIB, 6 * GIB),
    )


def test_a_zone_without_memory_is_not_there() -> None:
    """The span crosses DMA32, but all memory lies below and above it."""
    memory = [MemoryRange(MIB, 2 * MIB, 0), MemoryRange(4 * GIB, 5 * GIB, 0)]
    assert [zone.name for zone in derive_zones(memory, 0)] == ["DMA", "Normal"]
    assert derive_zones(memory, 1) == ()


def test_zones_given_are_kept_and_the_rest_derived() -> None:
    given = (Zone("Normal", 0, GIB),)
    machine = Machine(
        memory=(MemoryRange(0, GIB, 0), MemoryRange(8 * GIB, 9 * GIB, 1)),
        nodes=(Node(0, zones=given), Node(1)),
    )
    done = complete(machine)
    assert done.machine.nodes[0].zones == given
    assert done.machine.nodes[1].zones == (Zone("Normal", 8 * GIB, 9 * GIB),)
    assert "zones-from-spans" in ids(done)


def test_nodes_that_only_ranges_name_are_made_up() -> None:
    done = complete(
        Machine(memory=(MemoryRange(0, GIB, 3), MemoryRange(GIB, 2 * GIB, 1)), nodes=(Node(2),))
    )
    assert [node.id for node in done.machine.nodes] == [1, 2, 3]
    assert [node.distance for node in done.machine.nodes] == [
        (10, 20, 20),
        (20, 10, 20),
        (20, 20, 10),
    ]
    assert {"zones-from-spans", "distances", "fallback-from-distances"} <= set(ids(done))


def test_one_node_needs_no_word_on_distances() -> None:
    done = complete(Machine(memory=(MemoryRange(0, GIB),)))
    assert done.machine.nodes[0].distance == (10,)
    assert done.machine.nodes[0].fallback == (0,)
    assert not {"distances", "fallback-from-distances"} & set(ids(done))


def test_the_fallback_order_takes_turns_among_equal_nodes() -> None:
    """The matrix of Linux commit 54d032ced983: two sockets of two nodes.

    Before that commit node 3 fell back to 0 before 1, as node 2 does.
    """
    rows = [(10, 12, 32, 32), (12, 10, 32, 32), (32, 32, 10, 12), (32, 32, 12, 10)]
    nodes = [Node(n, distance=row) for n, row in enumerate(rows)]
    assert derive_fallback(nodes) == {
        0: (0, 1, 2, 3),
        1: (1, 0, 3, 2),
        2: (2, 3, 0, 1),
        3: (3, 2, 1, 0),
    }


def searched(nodes: list[Node]) -> dict[int, tuple[int, ...]]:
    """The kernel's own way: search the next best node again and again."""
    ids = [node.id for node in nodes]
    load = dict.fromkeys(ids, 0)
    orders = {}
    for node in nodes:
        order = [node.id]
        while len(order) < len(ids):
            best, least = -1, -1
            for other in ids:
                value = (node_distance(node, other, ids) + (other < node.id) + 1) * 1024
                value += load[other]
                if other not in order and (best < 0 or value < least):
                    best, least = other, value
            if node_distance(node, best, ids) != node_distance(node, order[-1], ids):
                load[best] += 1
            order.append(best)
        orders[node.id] = tuple(order)
    return orders


@given(data=st.data(), ids=st.sets(st.integers(0, 20), min_size=1, max_size=7))
def test_one_sort_gives_what_repeated_search_gives(data: st.DataObject, ids: set[int]) -> None:
    row = st.lists(st.integers(10, 14), min_size=len(ids), max_size=len(ids)).map(tuple)
    nodes = [Node(n, distance=data.draw(st.none() | row)) for n in sorted(ids)]
    assert derive_fallback(nodes) == searched(nodes)


def test_equal_distances_go_round_upwards() -> None:
    nodes = [Node(n, distance=(20,) * n + (10,) + (20,) * (2 - n)) for n in range(3)]
    orders = derive_fallback(nodes)
    assert orders[0] == (0, 1, 2)
    assert orders[1] == (1, 2, 0)
    assert orders[2][0] == 2


def test_the_fallback_order_holds_nodes_with_memory_that_are_online() -> None:
    machine = Machine(
        memory=(
            MemoryRange(0, GIB, 0),
            MemoryRange(GIB, 2 * GIB, 2),
            MemoryRange(4 * GIB, 5 * GIB, 3),
        ),
        nodes=(
            Node(0, distance=(10, 11, 31, 21)),
            Node(1, distance=(11, 10, 31, 31)),
            Node(2, distance=(31, 31, 10, 31), online=False),
            Node(3, distance=(21, 31, 31, 10)),
        ),
    )
    done = complete(machine)
    assert [node.fallback for node in done.machine.nodes] == [(0, 3), (1,), (2,), (3, 0)]


def test_distance_counts_positions_by_ascending_id() -> None:
    node = Node(7, distance=(21, 10))
    assert node_distance(node, 2, [2, 7]) == 21
    assert node_distance(node, 7, [2, 7]) == 10
    assert node_distance(Node(7), 7, [2, 7]) == 10
    assert node_distance(Node(7), 2, [2, 7]) == 20
    assert node_distance(node, 9, [2, 7]) == 20


def test_unusual_limits_and_notes_of_the_file_are_assumptions() -> None:
    machine = replace(
        FULL, limits=Limits(max_reserved_per_tdmr=8), assumptions=("the SRAT is a guess",)
    )
    done = complete(machine)
    assert ids(done) == ["map", "limits"]
    assert done.assumptions[0].text == "the SRAT is a guess"
    assert "max_reserved_per_tdmr = 8" in done.assumptions[1].text


def test_every_assumption_says_what_follows_from_it() -> None:
    machine = Machine(memory=(MemoryRange(0, GIB, 0), MemoryRange(GIB, 2 * GIB, 1)))
    made = complete(machine).assumptions
    assert len(made) == 5
    assert all(a.text and a.consequence for a in made)


def test_completing_twice_changes_nothing() -> None:
    once = complete(Machine(cmrs=(Cmr(0, 3 * GIB),)))
    assert complete(once.machine) == Completed(once.machine, ())


def test_nothing_below_1_mib_is_free_whoever_says_so() -> None:
    """Boot-time reserved: not from the memory that stands in, and not where a map claims it.

    free    |====|  |==========|    |=====
            0x1000   ^1 MiB
    """
    low = (FreeRun(0x1000, 0x9F000), FreeRun(MIB // 2, 2 * MIB), FreeRun(3 * MIB, 4 * MIB))
    memory = (MemoryRange(0x1000, 8 * GIB),)
    done = complete(replace(FULL, memory=memory, free=low)).machine
    assert done.free == (FreeRun(MIB, 2 * MIB), FreeRun(3 * MIB, 4 * MIB))
    assert complete(replace(FULL, memory=memory, free=None)).machine.free == (
        FreeRun(MIB, 8 * GIB),
    )


def test_a_bitmap_of_other_bits_is_not_the_real_module() -> None:
    odd = complete(replace(FULL, limits=Limits(pamt_page_bitmap_entry_bits=2))).assumptions
    assert [a.id for a in odd] == ["limits"]
    assert "pamt_page_bitmap_entry_bits = 2" in odd[0].text
