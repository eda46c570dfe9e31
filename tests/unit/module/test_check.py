"""`check` and what stands around it: disagreement, outcomes, warnings."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pamt.module.check as checking
from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.machine import Cmr, Limits, Machine, MemoryRange
from pamt.module.check import DisagreementError, check, check_outcome
from pamt.module.coverage import CoverageWarning, coverage_warnings
from pamt.module.status import SUCCESS
from pamt.outcome import ENOMEM, Outcome, PlannedTdmr
from pamt.ranges import GIB, KIB, MIB, PAGE, Range
from pamt.standins import complete

AREAS = (Area(0, MIB), Area(256 * MIB, 4 * MIB + 12 * KIB))
PAMTS = (
    Pamt(256 * MIB, 4 * MIB),
    Pamt(260 * MIB, 8 * KIB),
    Pamt(260 * MIB + 8 * KIB, 4 * KIB),
)
ONE = Configuration((Tdmr(0, GIB, *PAMTS, AREAS),))
MACHINE = complete(Machine(memory=(MemoryRange(0, GIB),), cmrs=(Cmr(MIB, GIB - MIB),))).machine
OUTCOME = Outcome(0, "success", (PlannedTdmr(0, GIB, pamts=PAMTS, reserved=AREAS),))


def test_check_names_what_the_formula_refuses() -> None:
    assert MACHINE.cmrs is not None
    assert check(ONE, MACHINE.cmrs, Limits()) == SUCCESS
    assert check(ONE, (Cmr(MIB, MIB),), Limits()).rule == "P_CMR"


def test_a_formula_that_refuses_too_much_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "accepts", lambda *_: False)
    assert MACHINE.cmrs is not None
    with pytest.raises(DisagreementError):
        check(ONE, MACHINE.cmrs, Limits())


def test_outcome_of_a_policy() -> None:
    assert check_outcome(OUTCOME, MACHINE) == SUCCESS
    bitmap = (Pamt(256 * MIB, 32 * KIB), *PAMTS[1:])
    planned = (OUTCOME.tdmrs[0]._replace(pamts=bitmap),)
    small = replace(OUTCOME, tdmrs=planned)
    assert check_outcome(small, MACHINE).rule == "P_SIZE"
    assert check_outcome(replace(small, dynamic_pamt=True), MACHINE) == SUCCESS
    capable = replace(MACHINE, limits=Limits(dynamic_pamt=True))
    assert check_outcome(small, capable).rule == "P_SIZE"  # the outcome decides, not the map


def test_outcome_that_cannot_be_checked() -> None:
    with pytest.raises(ValueError, match="no configuration"):
        check_outcome(Outcome(ENOMEM, "ENOMEM_pamt"), MACHINE)
    with pytest.raises(ValueError, match="stand-ins"):
        check_outcome(OUTCOME, Machine(memory=MACHINE.memory))


def test_nothing_to_warn_of() -> None:
    assert coverage_warnings(MACHINE, ONE) == ()


def test_warnings() -> None:
    """Memory up to 2 GiB + 16 MiB, one GiB in a TDMR, three areas over memory.

    memory  |0----------------------------------------------2G+16M|  |3G-3G+8M|
    CMRs     |1M------------------------------1G|  |1536M------2G|    |3G----4G|
    areas    |a0|       |a1: PAMT and 4 MiB|   |a2|
    """
    machine = complete(
        Machine(
            memory=(MemoryRange(0, 2 * GIB + 16 * MIB), MemoryRange(3 * GIB, 3 * GIB + 8 * MIB)),
            cmrs=(
                Cmr(MIB, GIB - 9 * MIB),
                Cmr(GIB + 512 * MIB, 512 * MIB),
                Cmr(3 * GIB, GIB),
            ),
        )
    ).machine
    areas = (Area(0, 2 * MIB), Area(256 * MIB, 8 * MIB), Area(GIB - 16 * MIB, 16 * MIB))
    configuration = Configuration((Tdmr(0, GIB, *PAMTS, areas),))
    pamt_end = 260 * MIB + 12 * KIB
    assert coverage_warnings(machine, configuration) == (
        CoverageWarning("uncovered", Range(MIB, 2 * MIB)),
        CoverageWarning("uncovered", Range(pamt_end, 264 * MIB)),
        CoverageWarning("uncovered", Range(GIB - 16 * MIB, 2 * GIB + 16 * MIB)),
        CoverageWarning("uncovered", Range(3 * GIB, 3 * GIB + 8 * MIB)),
        CoverageWarning("needlessly-reserved", Range(MIB, 2 * MIB), 0, 0),
        CoverageWarning("needlessly-reserved", Range(pamt_end, 264 * MIB), 0, 1),
        # Of the last area, 8 MiB are in no CMR: they had to be reserved.
        CoverageWarning("needlessly-reserved", Range(GIB - 16 * MIB, GIB - 8 * MIB), 0, 2),
    )


def test_warnings_of_a_configuration_of_any_values() -> None:
    top = (1 << 64) - 1
    wild = Tdmr(top, top, Pamt(top, 1), Pamt(0, 0), Pamt(5, 5), (Area(top, top), Area(0, 0)))
    assert coverage_warnings(MACHINE, Configuration((wild,))) == (
        CoverageWarning("uncovered", Range(MIB, GIB)),
    )


def test_warnings_need_a_completed_machine() -> None:
    with pytest.raises(ValueError, match="stand-ins"):
        coverage_warnings(Machine(memory=MACHINE.memory), ONE)
    with pytest.raises(ValueError, match="stand-ins"):
        coverage_warnings(Machine(cmrs=MACHINE.cmrs), ONE)


def test_a_page_is_enough_to_warn() -> None:
    short = Configuration((ONE.tdmrs[0]._replace(reserved=(Area(0, MIB + PAGE), AREAS[1])),))
    assert coverage_warnings(MACHINE, short) == (
        CoverageWarning("uncovered", Range(MIB, MIB + PAGE)),
        CoverageWarning("needlessly-reserved", Range(MIB, MIB + PAGE), 0, 0),
    )


def test_tdmrs_that_the_call_does_not_count_hold_no_memory() -> None:
    none = replace(ONE, call=Call(count=0))
    assert coverage_warnings(MACHINE, none) == (CoverageWarning("uncovered", Range(MIB, GIB)),)
    assert coverage_warnings(MACHINE, replace(ONE, call=Call(count=9))) == ()
