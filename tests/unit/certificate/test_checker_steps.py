"""What the checker rebuilds once, and steps that are only seen in some spaces."""

from __future__ import annotations

import json
from pathlib import Path

from pamt.certificate import (
    INVALID,
    VALID,
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
)
from pamt.certificate.check import Ground, _broken, floor, refutes
from pamt.certificate.format import Cuts, Withdraw
from pamt.certificate.withdrawal import list_cases
from pamt.machine import Cmr, FreeRun, Machine, MemoryRange, Node
from pamt.maps.machine_file import machine_from_dict
from pamt.placement import COMPONENTS, Question, Space, Violation, pose
from pamt.ranges import GIB, PAGE, Range
from pamt.solve import place
from pamt.standins import complete

CORPUS = Path(__file__).parents[2] / "certificates" / "valid"
MINIMAL = Space(reserve="minimal")
SURE = Trust("a solver", "unsat")


def machine() -> Machine:
    found = json.loads((CORPUS / "one-abroad.json").read_text())
    return complete(machine_from_dict(found["machine"])).machine


def claimed(space: Space, at_most: dict[str, int], *steps: Step) -> Checked:
    claims = (Claim({}, (SURE,)), Claim(at_most, steps))
    return check_certificate(Certificate("INFEASIBLE", space, ("lost",), claims=claims), machine())


def test_a_violation_is_told_with_what_is_known_of_it() -> None:
    name = "one that breaks: areas"
    assert _broken(Violation("areas", None, None, None)) == name
    assert _broken(Violation("areas", 3, None, None)) == f"{name} of TDMR 3"
    assert _broken(Violation("areas", None, "4k", None)) == f"{name}, 4k"
    where = Range(0x1000, 0x3000)
    assert _broken(Violation("areas", None, None, where)) == f"{name}, at [0x1000, 0x3000)"
    told = f"{name} of TDMR 0, 2m, at [0x1000, 0x3000)"
    assert _broken(Violation("areas", 0, "2m", where)) == told


def test_what_steps_speak_of_is_rebuilt_once() -> None:
    ground = Ground(pose(machine(), Space(pamt="split")))
    assert ground.leaves("") is ground.leaves("")
    assert ground.largest("") is ground.largest("")
    assert ground.leaves("") is not ground.largest("")
    (case, *_) = list_cases(machine(), Space(give_up=1), 1, "layouts")
    assert ground.case(case) is ground.case(case)
    assert ground.case(case).slack == case.slack


def test_under_minimal_sums_are_of_the_largest_pieces_and_not_of_areas() -> None:
    found = place(machine(), MINIMAL)
    assert found.checked == Checked(VALID)
    assert found.certificate is not None
    assert any(isinstance(step, Sum) for claim in found.certificate.claims for step in claim.steps)
    # With no area allowed no piece may begin on node 0; under `minimal` areas may be shared.
    high = Split((1,), "chunk", Where(0), 0, 1, 2)
    dear = Sum({}, {}, {0: 2}, cases={0: 3})
    assert claimed(Space(), {"max_areas": 0}, high, SURE, dear).verdict != INVALID
    largest = high._replace(piece="largest")
    for most in ({"max_areas": 0}, {"areas": 0}, {"max_areas": 0, "areas": 0}):
        assert claimed(MINIMAL, most, largest, SURE, dear).verdict == INVALID


def test_refutes_says_whether_steps_prove_it_without_trust() -> None:
    ground = Ground(pose(machine(), Space()))
    assert refutes(ground, (Floor("lost"),), {"lost": -1}) is True
    assert refutes(ground, (Floor("lost"),), {"lost": 0}) is False
    assert refutes(ground, (SURE,), {"lost": -1}) is False
    # Cuts say nothing where pages may be given up, which they may not unless it is said.
    assert refutes(ground, (Cuts(("tdmrs",)),), {"tdmrs": 1}) is True
    assert refutes(ground, (Cuts(("tdmrs",)),), {"tdmrs": 1}, 1) is False


def test_more_cases_than_are_listed() -> None:
    step = Withdraw("sets", ((SURE,),), ((20_000, 0),))
    checked = claimed(Space(give_up=5), {"lost": 5}, step)
    assert checked.fault is not None
    assert checked.fault.expected == "at most 20000 cases"


def between(used: int) -> Question:
    """Two stretches to be reserved, and so many pages in use between them; pages behind."""
    low = GIB // PAGE
    memory = [(low, low + 10), (low + 20, low + 20 + used), (low + 40, 2 * low)]
    listed = tuple(MemoryRange(a * PAGE, b * PAGE, 0) for a, b in memory)
    free = (FreeRun((low + 50) * PAGE, 2 * low * PAGE, 0),)
    cmrs = tuple(Cmr(one.start, one.end - one.start) for one in listed)
    made = Machine("m", "", cmrs=cmrs, memory=listed, nodes=(Node(0),), free=free)
    return pose(complete(made).machine, Space("free", "chunk", "minimal"))


def test_pages_that_may_go_besides_may_join_stretches() -> None:
    cuts = (Cuts(("areas",)),)
    assert refutes(Ground(between(2)), cuts, {"areas": 1})
    assert refutes(Ground(between(2), 1), cuts, {"areas": 1})
    assert not refutes(Ground(between(2), 2), cuts, {"areas": 1})


def test_without_memory_nothing_costs_anything() -> None:
    empty = Machine("m", "", cmrs=(), memory=(), nodes=(Node(0),), free=())
    question = pose(empty, Space(give_up=1))
    for keeps_all in (True, False):
        assert [floor(question, name, keeps_all=keeps_all) for name in COMPONENTS] == [0] * 6
    # With memory, and nothing known of what stays, each but these is at least 1.
    some = pose(machine(), Space(give_up=1))
    found = {name: floor(some, name, keeps_all=False) for name in COMPONENTS}
    assert found.pop("lost") == found.pop("remote") == 0
    assert set(found.values()) == {1}
