"""What would help a map without a placement."""

from __future__ import annotations

from pathlib import Path

from pamt.machine import Limits, Machine, MemoryRange
from pamt.maps.machine_file import read_machine
from pamt.placement import LINUX, Space
from pamt.ranges import GIB, MIB, PAGE
from pamt.solve import place
from pamt.solve.relaxations import GiveUp, Option, relaxations
from pamt.standins import complete

SPECS = Path(__file__).parents[3] / "specs" / "machines"
EMR = complete(read_machine(SPECS / "emr-fcp-issue135.toml")).machine


def test_four_options_help_on_the_emerald_rapids_map() -> None:
    found = relaxations(EMR, LINUX)
    assert found.single == (
        Option("tdmrs", "free", True),
        Option("pamt", "split", False),
        Option("reserve", "cmr", True),
        Option("reserve", "minimal", True),
    )
    assert found.give_up == GiveUp(1, 1)
    assert found.together is None


def test_options_that_hold_already_are_left_out() -> None:
    found = relaxations(EMR, Space(pamt="split"))
    assert [option.option for option in found.single] == ["tdmrs", "reserve", "reserve"]


def crowded(limit: int, cells: int) -> Machine:
    """In each GiB two ranges, more holes than areas; free runs too short for a whole chunk."""
    memory = []
    for cell in range(1, cells + 1):
        for part in range(4):
            start = cell * GIB + part * 16 * MIB
            memory.append(MemoryRange(start, start + 1025 * PAGE, 0))
    limits = Limits(max_reserved_per_tdmr=limit)
    return complete(Machine(limits=limits, memory=tuple(memory))).machine


def test_a_smallest_set_where_no_option_helps_alone() -> None:
    machine = crowded(4, 1)
    assert place(machine).verdict == "INFEASIBLE"
    found = relaxations(machine, LINUX)
    assert not any(option.helps for option in found.single)
    assert found.together is not None
    assert [(o.option, o.value) for o in found.together] == [
        ("pamt", "split"),
        ("reserve", "minimal"),
    ]
    helped = place(machine, Space(pamt="split", reserve="minimal"))
    assert helped.objective is not None


def test_nothing_helps_without_room() -> None:
    machine = complete(Machine(memory=(MemoryRange(GIB, GIB + 100 * PAGE, 0),))).machine
    found = relaxations(machine, LINUX)
    assert not any(option.helps for option in found.single)
    assert found.together is None
    assert found.give_up.at_most is None
