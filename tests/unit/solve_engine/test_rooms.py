"""Cuts in which every node has areas left for its own PAMTs."""

from __future__ import annotations

from pathlib import Path

from pamt.certificate.cut_bound import cut_facts
from pamt.machine import FreeRun, Machine, MemoryRange, Node
from pamt.maps.machine_file import read_machine
from pamt.placement import NodeRun, Space, pose
from pamt.ranges import GIB, MIB, PAGE
from pamt.solve import place
from pamt.solve.engine.rooms import _Longest, cuts_with_room
from pamt.standins import complete

MACHINES = Path(__file__).parents[3] / "specs" / "machines"
SPACE = Space("free", "chunk", "memory")


def machine(holes: int) -> Machine:
    """Two nodes of 4 GiB, all free; so many holes of a page at the end of the first."""
    memory = [MemoryRange(GIB, 5 * GIB - 2 * holes * PAGE, 0)]
    for at in range(holes):
        start = 5 * GIB - (2 * (holes - at) - 1) * PAGE
        memory.append(MemoryRange(start, start + PAGE, 0))
    memory.append(MemoryRange(5 * GIB, 9 * GIB, 1))
    free = [FreeRun(GIB + MIB, 4 * GIB, 0), FreeRun(5 * GIB + MIB, 9 * GIB, 1)]
    nodes = (Node(0, distance=(10, 20)), Node(1, distance=(20, 10)))
    return complete(
        Machine("rooms", "", memory=tuple(memory), nodes=nodes, free=tuple(free))
    ).machine


def test_a_tdmr_begins_where_holes_do_if_it_takes_that_to_have_an_area_left() -> None:
    question = pose(machine(2), SPACE)
    facts = cut_facts(question)
    found = {cap: cut for cut, cap in cuts_with_room(question, facts, range(1, 6), at_home=True)}
    # Both begin on the first node.  The second is full of holes, so the first takes both chunks.
    assert found[2] == ((0, 2), (3, 7))
    # With three areas there is no need to part it; one TDMR of both nodes comes to fewest areas.
    assert found[3] == ((0, 7),)
    assert 1 not in found


def test_without_a_home_any_node_takes_them() -> None:
    question = pose(machine(2), SPACE)
    facts = cut_facts(question)
    ((cut, _),) = cuts_with_room(question, facts, [2], at_home=False)
    assert len(cut) == 2


def test_two_areas_in_a_tdmr_do_on_a_real_machine_of_eight_nodes() -> None:
    real = complete(read_machine(MACHINES / "epyc7601-2s-8node.toml")).machine
    found = place(real, SPACE)
    assert found.verdict == "OPTIMAL"
    assert found.objective is not None
    assert tuple(found.objective) == (0, 0, 2, 22, 11, 1046531)


def test_what_is_too_long_for_its_own_tdmr_needs_a_run_elsewhere() -> None:
    # Two nodes with free runs at both ends of 496 GiB, holes in the two lowest GiBs alone.  Were
    # the second GiB the first of all others, no run outside would take in their chunk.
    real = complete(read_machine(MACHINES / "huawei-8node-2016.toml")).machine
    for space in (SPACE, SPACE._replace(pamt="split")):
        found = place(real, space)
        assert found.verdict == "OPTIMAL"
        assert found.objective is not None
        assert tuple(found.objective) == (0, 0, 3, 7, 3, 508900)


def test_longest_parts_below_and_above_an_address() -> None:
    runs = [NodeRun(10, 14, 0), NodeRun(20, 29, 0), NodeRun(40, 45, 0)]
    longest = _Longest(runs)
    assert [longest.below(at) for at in (0, 10, 12, 14, 20, 23, 26, 29, 50)] == [
        *(0, 0, 2, 4, 4, 4, 6, 9, 9),
    ]
    assert [longest.above(at) for at in (0, 10, 20, 22, 25, 29, 41, 45, 50)] == [
        *(9, 9, 9, 7, 5, 5, 4, 0, 0),
    ]
    assert (_Longest([]).below(7), _Longest([]).above(7)) == (0, 0)
