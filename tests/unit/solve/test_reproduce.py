"""A disagreement is shown on a small map."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pamt.machine import Machine, MemoryRange
from pamt.ranges import GIB, MIB, RangeSet
from pamt.solve import InternalDisagreement
from pamt.solve.reproduce import disagrees, minimise_map
from pamt.standins import complete

MACHINE = complete(
    Machine(memory=tuple(MemoryRange(n * GIB, n * GIB + 64 * MIB, n % 2) for n in range(1, 20)))
).machine


def two_of_them(machine: Machine) -> None:
    starts = {r.start for r in machine.memory or ()}
    if {3 * GIB, 11 * GIB} <= starts and any(r.start == 11 * GIB for r in machine.free or ()):
        raise InternalDisagreement(("one", "other"), "both ranges are there")


def test_what_is_not_needed_goes() -> None:
    smallest = minimise_map(MACHINE, two_of_them)
    assert [r.start // GIB for r in smallest.memory or ()] == [3, 11]
    assert [r.start // GIB for r in smallest.free or ()] == [11]
    assert smallest.cmrs == ()
    assert disagrees(two_of_them, smallest)
    assert minimise_map(MACHINE, two_of_them) == smallest


def test_free_runs_stay_inside_memory() -> None:
    def any_of_them(machine: Machine) -> None:
        memory = RangeSet(r.range for r in machine.memory or ())
        assert all(r.range in memory for r in machine.free or ())
        raise InternalDisagreement(("one", "other"), "always")

    smallest = minimise_map(MACHINE, any_of_them)
    assert (smallest.memory, smallest.free) == ((), ())


def test_few_tries_leave_a_map_that_shows_it() -> None:
    smallest = minimise_map(MACHINE, two_of_them, tries=3)
    assert disagrees(two_of_them, smallest)


@pytest.mark.parametrize("fault", [ValueError, AssertionError, KeyError])
def test_other_errors_are_no_disagreement(fault: type[Exception]) -> None:
    def broken(machine: Machine) -> None:
        raise fault(machine.name)

    assert not disagrees(broken, replace(MACHINE, name="any"))
