"""Steps of the checker, each with claims just inside and just outside of what it proves."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pamt.certificate import (
    HOLEY,
    INVALID,
    VALID,
    Cause,
    Certificate,
    Checked,
    Claim,
    Floor,
    Split,
    Step,
    Sum,
    Trust,
    Where,
    check_certificate,
    load_certificate,
)
from pamt.certificate.check import covers, floor, targets
from pamt.certificate.format import Cuts
from pamt.machine import Cmr, Machine, MemoryRange, Node
from pamt.maps.machine_file import machine_from_dict
from pamt.placement import COMPONENTS, Space, pose
from pamt.ranges import GIB, MIB, PAGE
from pamt.solve import place
from pamt.standins import complete

CORPUS = Path(__file__).parents[2] / "certificates" / "valid"
KERNEL = Space()
FREE = Space(tdmrs="free")
SOME = Space(give_up=5)
SURE = Trust("a solver", "unsat")


@cache
def case(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CORPUS / f"{name}.json").read_text())
    return found


def machine(name: str = "one-abroad") -> Machine:
    return complete(machine_from_dict(case(name)["machine"])).machine


def certificate(name: str = "one-abroad") -> Certificate:
    return load_certificate(json.dumps(case(name)["certificate"]))


def judged(
    space: Space, at_most: dict[str, int], *steps: Step, name: str = "one-abroad"
) -> Checked:
    """One claim behind another that is taken on trust, so that the verdict asks for nothing."""
    claims = (Claim({}, (SURE,)), Claim(at_most, steps))
    return check_certificate(
        Certificate("INFEASIBLE", space, ("lost",), claims=claims), machine(name)
    )


def faulty(checked: Checked, expected: str) -> bool:
    assert checked.verdict in {HOLEY, INVALID}
    if checked.verdict == HOLEY:
        return False
    assert checked.fault is not None
    assert expected in checked.fault.expected
    return True


def test_the_space_asked_for_must_be_the_certificates() -> None:
    good = certificate()
    assert check_certificate(good, machine(), good.space).verdict == VALID
    checked = check_certificate(good, machine(), good.space._replace(reserve="cmr"))
    assert checked.fault is not None
    assert checked.fault.step == "space"


def test_targets_follow_the_order() -> None:
    value = {"lost": 0, "remote": 7, "areas": 3}
    optimal = Certificate("OPTIMAL", KERNEL, ("remote", "lost"), value=value)
    assert list(targets(optimal)) == [{"remote": 6}, {"remote": 7, "lost": -1}]
    bound = {"lost": 0, "remote": 5}
    feasible = Certificate(
        "FEASIBLE", KERNEL, ("lost", "remote", "areas"), value=value, bound=bound
    )
    assert list(targets(feasible)) == [{"lost": -1}, {"lost": 0, "remote": 4}]
    assert list(targets(replace(feasible, bound={}))) == []
    assert list(targets(Certificate("INFEASIBLE", KERNEL, ("lost",)))) == [{}]


def test_a_claim_covers_what_is_no_looser() -> None:
    assert covers({}, {}) and covers({}, {"lost": 1}) and covers({"lost": 1}, {"lost": 1})
    assert covers({"lost": 1}, {"lost": 0, "areas": 3})
    assert not covers({"lost": 1}, {"lost": 2})
    assert not covers({"lost": 1}, {"areas": 1})
    assert not covers({"lost": 1, "areas": 1}, {"lost": 1})


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Cuts(("tdmrs",)), "no cuts where pages may be given up"),
        (Sum({0: 999995770}, {}, {}, remote=48709), "no sum where pages may be given up"),
        (Floor("tdmrs"), "tdmrs at most 0"),
    ],
)
def test_pages_that_may_be_given_up_are_not_taken_for_kept(step: Step, expected: str) -> None:
    low = {"remote": 20529, "tdmrs": 1}
    assert not faulty(judged(KERNEL, low, step), "")
    for at_most in (low, {"lost": 1, **low}):
        assert faulty(judged(SOME, at_most, step), expected)
        assert not faulty(judged(KERNEL, at_most, step), "")
    assert not faulty(judged(SOME, {"lost": 0, **low}, step), "")
    assert not faulty(judged(SOME, {"lost": -1, **low}, step), "")


def test_a_cause_that_giving_up_may_mend() -> None:
    space = Space(reserve="cmr")
    cause = Cause("tdmrs-exhausted")
    assert not faulty(judged(space, {}, cause, name="cause"), "")
    some = space._replace(give_up=5)
    assert faulty(judged(some, {}, cause, name="cause"), "giving up pages can't mend")
    assert faulty(judged(some, {"lost": 1}, cause, name="cause"), "giving up pages can't mend")
    assert not faulty(judged(some, {"lost": 0}, cause, name="cause"), "")
    assert faulty(judged(space, {}, Cause("no-memory"), name="cause"), "tdmrs-exhausted")
    assert faulty(judged(KERNEL, {}, cause), "a map with this cause")


def test_no_memory_stays_no_memory() -> None:
    empty = replace(machine(), memory=(), free=())
    assert pose(empty, SOME).trivial is not None
    made = Certificate("INFEASIBLE", SOME, ("lost",), claims=(Claim({}, (Cause("no-memory"),)),))
    assert check_certificate(made, empty).verdict == VALID
    assert [floor(pose(empty, KERNEL), name) for name in COMPONENTS] == [0] * 6


def test_cuts_speak_of_what_the_claim_limits() -> None:
    # One TDMR would cover the GiB without memory as well; two have 3080 pages of PAMTs.
    assert not faulty(judged(FREE, {"pamt_pages": 3079}, Cuts(("pamt_pages",))), "")
    assert faulty(judged(FREE, {"pamt_pages": 3080}, Cuts(("pamt_pages",))), "no cut that costs")
    both = Cuts(("tdmrs", "pamt_pages"))
    assert faulty(judged(FREE, {"pamt_pages": 3078}, both), "components among")
    assert faulty(judged(FREE, {"remote": 0}, Cuts(("tdmrs",))), "components among")
    assert not faulty(judged(FREE, {"tdmrs": 1, "pamt_pages": 3078}, both), "")


def test_cuts_need_a_question_without_a_cause() -> None:
    space = Space(reserve="cmr")
    step = Cuts(("tdmrs",))
    assert faulty(judged(space, {"tdmrs": 1}, step, name="cause"), "a question with a bound")


def test_splits_speak_of_the_kernels_tdmrs() -> None:
    def split(*tdmrs: int) -> Split:
        return Split(tdmrs, "chunk", Where(), 0, 1, 2)

    assert not faulty(judged(KERNEL, {}, split(0, 1), SURE, SURE), "")
    assert faulty(judged(FREE, {}, split(0), SURE, SURE), "no split where the cut")
    assert faulty(judged(KERNEL, {}, split(2), SURE, SURE), "TDMRs below 2")
    assert faulty(judged(KERNEL, {}, split(1, 1), SURE, SURE), "every TDMR once")


def floors(machine: Machine, space: Space, *, keeps_all: bool = True) -> list[int]:
    question = pose(machine, space)
    return [floor(question, name, keeps_all=keeps_all) for name in COMPONENTS]


def test_floors() -> None:
    # lost, remote, max_areas, areas, tdmrs, pamt_pages
    assert floors(machine(), KERNEL) == [0, 0, 1, 1, 2, 3080]
    assert floors(machine(), FREE) == [0, 0, 1, 1, 1, 3079]
    for space in (KERNEL, FREE):
        assert floors(machine(), space, keeps_all=False) == [0, 0, 1, 1, 1, 1]
    assert floors(machine("cause"), Space(reserve="cmr")) == [0] * 6
    assert floor(pose(machine(), KERNEL), "tdmrs") == 2


def test_the_floor_of_remote_takes_the_nearest_node() -> None:
    whole = machine()
    abroad = replace(whole, free=tuple(run for run in whole.free if run.node == 1))
    # The first TDMR is at home on node 0: 2053 pages of 10 each on node 1.
    assert floors(abroad, KERNEL)[1] == 20530
    assert floors(abroad, KERNEL, keeps_all=False)[1] == 0
    assert floors(abroad, FREE)[1] == 0
    assert floors(replace(whole, free=()), KERNEL)[1] == 0
    near = replace(whole.nodes[0], distance=(10, 9))
    strange = replace(whole, nodes=(near, *whole.nodes[1:]))
    assert floors(strange, KERNEL)[1] == -2053
    assert floors(strange, KERNEL, keeps_all=False)[1] == -(1 << 62)
    assert floors(strange, FREE)[1] == -(1 << 62)


def test_both_cases_have_their_sign() -> None:
    # More than none of the second chunk begins on node 0, but no TDMR there has an area left.
    high = Split((1,), "chunk", Where(0), 0, 1, 2)
    dear = Sum({}, {}, {0: 2}, cases={0: 3})
    assert not faulty(judged(KERNEL, {"max_areas": 0}, high, SURE, dear), "")
    assert faulty(judged(KERNEL, {"max_areas": 1}, high, SURE, dear), "less worth than 1 in")
    # At most two chunks begin anywhere: there are two, so nothing is excluded.
    low = Split((0, 1), "chunk", Where(), 2, 1, 2)
    both = Sum({0: 3, 1: 3}, {}, {}, cases={0: 1})
    assert faulty(judged(KERNEL, {}, low, both, SURE), "less worth than 4 in all runs")
    assert not faulty(
        judged(KERNEL, {}, low._replace(at_most=1), both._replace(cases={0: 2}), SURE), ""
    )


def test_every_trusted_step_counts() -> None:
    split = Split((0,), "chunk", Where(), 0, 1, 2)
    assert judged(KERNEL, {}, SURE).trusted_steps == 2
    assert judged(KERNEL, {}, split, SURE, SURE).trusted_steps == 3


def nearer(*, outside: bool = False) -> Machine:
    """Two nodes, each of which the other is nearer to than itself; `outside`: a page in no CMR."""
    memory = (MemoryRange(MIB, GIB, 0), MemoryRange(4 * GIB, 6 * GIB, 1))
    first = MIB + PAGE if outside else MIB
    cmrs = (Cmr(first, GIB - first), Cmr(4 * GIB, 2 * GIB))
    nodes = (Node(0, distance=(10, 7)), Node(1, distance=(7, 10)))
    return complete(Machine(memory=memory, cmrs=cmrs, nodes=nodes)).machine


def claimed(made: Machine, space: Space, at_most: dict[str, int], *steps: Step) -> Checked:
    claims = (Claim({}, (SURE,)), Claim(at_most, steps))
    return check_certificate(Certificate("INFEASIBLE", space, ("lost",), claims=claims), made)


def test_pieces_that_a_sum_leaves_out_may_gain_by_lying_abroad() -> None:
    best = place(nearer()).objective
    assert best is not None and best.remote < 0
    gains = Sum({}, {}, {}, remote=1)
    assert faulty(claimed(nearer(), KERNEL, {"remote": best.remote}, gains), "less worth than")
    assert not faulty(claimed(nearer(), KERNEL, {"remote": best.remote - 3}, gains), "")
    assert place(nearer(), KERNEL, ("remote",)).checked == Checked(VALID)


def test_a_cause_that_may_be_mended_is_no_floor() -> None:
    made = nearer(outside=True)
    best = place(made, SOME).objective
    assert best is not None and best.remote < 0
    assert faulty(claimed(made, SOME, {"remote": -1}, Floor("remote")), "remote at most")
    assert not faulty(claimed(made, SOME, {"lost": 0, "remote": -1}, Floor("remote")), "")


def test_no_piece_is_fewer_than_none() -> None:
    split = Split((0, 1), "chunk", Where(), -1, 1, 2)
    assert not faulty(judged(KERNEL, {}, split, Sum({}, {}, {}, cases={0: 1}), SURE), "")
    assert faulty(judged(KERNEL, {}, split, SURE, Sum({}, {}, {}, cases={0: 1})), "less worth")


def test_a_case_of_the_largest_pieces_says_nothing_of_chunks_and_regions() -> None:
    # One of the largest pieces begins somewhere, which no sum over chunks and regions sees.
    largest = Split((0,), "largest", Where(), 0, 1, 2)
    price = Sum({}, {}, {}, cases={0: 1})
    assert faulty(judged(KERNEL, {}, largest, SURE, price), "(chunk, or a region)")
    split = Space(pamt="split")
    regions = price._replace(regions={0: (0, 0, 0)})
    assert faulty(judged(split, {}, largest, SURE, regions), "(chunk, or a region)")
    assert faulty(judged(split, {}, largest, SURE, price), "less worth than 1")
    chunk = largest._replace(piece="chunk")
    assert faulty(judged(split, {}, chunk, SURE, price), "(largest)")
    assert faulty(judged(KERNEL, {}, chunk, SURE, price), "less worth than 1")
    # A case without a price says nothing.
    assert faulty(judged(KERNEL, {}, largest, SURE, price._replace(cases={})), "less worth than 0")
