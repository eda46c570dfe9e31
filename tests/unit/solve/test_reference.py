"""The reference solver on the published Emerald Rapids map, budgets, and disagreements."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pamt.machine import Limits, Machine, MemoryRange, Node
from pamt.maps.machine_file import read_machine
from pamt.outcome import Outcome, PlannedTdmr
from pamt.placement import LINUX, Objective, Space, evaluate
from pamt.ranges import GIB, MIB, RangeSet
from pamt.smt import encoding as encoding_module
from pamt.solve import InternalDisagreement
from pamt.solve.reference import place
from pamt.solve.rivals import check_rivals, judge_rival, run_rivals
from pamt.standins import complete

SPECS = Path(__file__).parents[3] / "specs" / "machines"
EMR = complete(read_machine(SPECS / "emr-fcp-issue135.toml")).machine


def test_linux_is_infeasible_on_the_emerald_rapids_map() -> None:
    assert place(EMR).verdict == "INFEASIBLE"
    assert place(EMR, Space(pamt="split")).verdict == "INFEASIBLE"


def test_each_single_relaxation_helps_on_the_emerald_rapids_map() -> None:
    found = place(EMR, Space(reserve="cmr"))
    assert found.verdict == "OPTIMAL"
    assert found.objective == Objective(0, 0, 3, 11, 5, 262661)
    assert place(EMR, Space(reserve="minimal")).verdict == "OPTIMAL"
    assert place(EMR, Space("free")).objective is not None


def test_one_page_given_up_helps_on_the_emerald_rapids_map() -> None:
    found = place(EMR, Space(give_up=1), canonical=False)
    assert found.verdict == "OPTIMAL"
    assert found.objective is not None
    assert (found.objective.lost, found.objective.max_areas) == (1, 16)
    page = found.given_up.runs[0].start
    assert page in {0x64158000, 0x6F7FF000}


def test_eight_nodes_stay_at_home() -> None:
    memory = tuple(MemoryRange(max(MIB, n * 64 * GIB), (n + 1) * 64 * GIB, n) for n in range(8))
    machine = complete(Machine(memory=memory, nodes=tuple(Node(n) for n in range(8)))).machine
    found = place(machine)
    assert found.verdict == "OPTIMAL"
    assert found.objective == Objective(0, 0, 2, 9, 8, 8 * (1026 * 64 + 1))
    assert found.gap is None
    assert found.canonical


SMALL = complete(
    Machine(
        limits=Limits(dynamic_pamt=True),
        memory=(MemoryRange(MIB, GIB, 0), MemoryRange(GIB, 2 * GIB, 1)),
        nodes=(Node(0), Node(1)),
    )
).machine


def test_out_of_steps_before_anything_is_found() -> None:
    found = place(SMALL, budget=10)
    assert found.verdict == "UNDECIDED"
    assert found.reason
    assert found.configuration is None


def test_budgets_give_true_bounds_and_configurations() -> None:
    best = place(EMR, Space(reserve="cmr")).objective
    assert best is not None
    seen = set()
    for budget in range(2_000, 60_000, 4_000):
        found = place(EMR, Space(reserve="cmr"), budget=budget)
        seen.add(found.verdict)
        if found.objective is not None:
            assert found.objective.key(found.order) >= best.key(found.order)
        if found.bound is not None:
            assert found.bound.key(found.order) <= best.key(found.order)
        if found.verdict == "FEASIBLE":
            assert found.reason
            assert found.gap is not None
            assert found.configuration is not None
            assert evaluate(EMR, Space(reserve="cmr"), found.configuration).holds
    assert {"FEASIBLE", "UNDECIDED"} & seen
    assert "OPTIMAL" in seen


def test_trivial_causes_need_no_steps() -> None:
    found = place(replace(SMALL, limits=Limits(max_tdmrs=1)))
    assert found.verdict == "INFEASIBLE"
    assert found.cause is not None
    assert found.cause.kind == "tdmrs-exhausted"
    assert found.statistics.checks == 0


def test_memory_outside_cmrs_must_be_given_up() -> None:
    cmrs = SMALL.cmrs
    assert cmrs is not None
    first = cmrs[0]._replace(base=2 * MIB, size=cmrs[0].size - MIB)
    machine = replace(SMALL, cmrs=(first, *cmrs[1:]))
    few = place(machine, Space(give_up=255))
    assert few.cause is not None
    assert (few.verdict, few.cause.kind) == ("INFEASIBLE", "outside-cmr")
    found = place(machine, Space(give_up=256))
    assert found.objective is not None
    assert found.objective.lost == 256
    assert found.given_up == RangeSet([(MIB, 2 * MIB)])


def test_rivals_are_judged_by_the_spaces_own_rule() -> None:
    outcomes = dict(run_rivals(SMALL))
    rival = judge_rival(SMALL, Space(reserve="minimal"), "greedy", outcomes["greedy"])
    assert rival is not None
    assert rival.objective.areas <= 3
    # Mainline takes static PAMT, which is no answer for a machine asked about with dynamic PAMT.
    assert judge_rival(SMALL, LINUX, "linux:mainline", outcomes["linux:mainline"]) is None


def test_success_of_a_rival_where_infeasible_is_a_disagreement() -> None:
    outcomes = run_rivals(SMALL)
    found = place(SMALL)
    wrong = replace(found, verdict="INFEASIBLE", configuration=None, objective=None)
    with pytest.raises(InternalDisagreement, match="placement and greedy disagree"):
        check_rivals(SMALL, LINUX, wrong, outcomes)
    assert found.objective is not None
    worse = found.objective._replace(areas=found.objective.areas + 1)
    with pytest.raises(InternalDisagreement, match="no better than"):
        check_rivals(SMALL, LINUX, replace(found, objective=worse), outcomes)
    check_rivals(SMALL, LINUX, found, outcomes)


def test_an_outcome_that_breaks_the_rules_is_no_rival() -> None:
    bare = Outcome(0, "success", (PlannedTdmr(0, GIB),), dynamic_pamt=True)
    with pytest.raises(ValueError, match="place and reserve"):
        judge_rival(SMALL, LINUX, "bare", bare)


def test_a_wrong_encoding_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget_disjointness(*arguments: object, **named: object) -> object:
        slots, assertions = honest(*arguments, **named)  # type: ignore[arg-type]
        return slots, [a for a in assertions if a.group.rule not in {"disjoint", "symmetry"}]

    honest = encoding_module.place_parts
    monkeypatch.setattr(encoding_module, "place_parts", forget_disjointness)
    crowded = replace(SMALL, memory=tuple(r._replace(node=0) for r in SMALL.memory or ()))
    crowded = complete(replace(crowded, free=None)).machine
    with pytest.raises(InternalDisagreement, match="z3 encoding"):
        place(crowded, rivals=())
