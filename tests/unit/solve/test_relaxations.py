"""What would help a map without a placement."""

from __future__ import annotations

from pathlib import Path

import pytest

from pamt.machine import FreeRun, Limits, Machine, MemoryRange
from pamt.maps.machine_file import read_machine
from pamt.placement import LINUX, Space
from pamt.ranges import GIB, MIB, PAGE
from pamt.solve import feasible, place
from pamt.solve import relaxations as relaxing
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


def too_short(runs: tuple[int, ...]) -> Machine:
    """TDMRs of 8 and 4 GiB and free runs of so many pages, for chunks of 8,209 and 4,105 pages."""
    memory = (MemoryRange(GIB, 9 * GIB - PAGE, 0), MemoryRange(10 * GIB, 14 * GIB - PAGE, 0))
    free = tuple(
        FreeRun((2 + at) * GIB, (2 + at) * GIB + pages * PAGE, 0) for at, pages in enumerate(runs)
    )
    return complete(Machine(memory=memory, free=free)).machine


def test_a_map_infeasible_by_packing() -> None:
    machine = too_short((8208, 4106, 2100))
    assert place(machine).verdict == "INFEASIBLE"
    found = relaxations(machine, LINUX)
    helps = {f"{option.option} {option.value}": option for option in found.single}
    assert helps["pamt split"].helps is True
    assert helps["reserve cmr"].helps is False
    # A page in the middle of the first range makes two TDMRs with smaller chunks out of one.
    assert found.give_up == GiveUp(1, 1)
    assert helps["tdmrs free"].helps is True
    lost = place(machine, Space(give_up=1))
    assert lost.objective is not None and lost.objective.lost == 1
    assert lost.checked is not None and lost.checked.verdict == "valid"


def test_what_is_not_settled_says_what_ran_out(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = too_short((8208, 4106, 2100))
    monkeypatch.setattr(relaxing, "WORK", 0)
    monkeypatch.setattr(feasible, "MOST_CUTS", 1)
    monkeypatch.setattr(feasible, "LEAST_CUTS", 1)
    monkeypatch.setattr(feasible, "MOST_PLACES", 0)
    monkeypatch.setattr(feasible, "MOST_TERMS_FREE", 0)
    found = relaxations(machine, LINUX)
    assert found.single[0] == Option(
        "tdmrs", "free", None, "none among 1 likely cuts; too large for z3 to ask beside"
    )
    left_open = relaxations(too_short((1000, 900)), LINUX).give_up
    assert left_open == GiveUp(1, None, "4 ways to give up pages were tried")


def test_with_free_cuts_and_pages_to_give_up() -> None:
    machine = too_short((1000, 900))
    for space in (Space(tdmrs="free"), Space(tdmrs="free", give_up=1)):
        found = relaxations(machine, space)
        assert found.give_up.at_least >= 1 + space.give_up
        for option in found.single:
            assert (option.helps is None) == (option.reason is not None)
