"""What is known when a search ends early: the best of everybody, the bound, and its proof."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from pamt.certificate import check_certificate
from pamt.machine import FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import DEFAULT_OBJECTIVE, LINUX, Objective, Space, evaluate
from pamt.ranges import GIB, PAGE
from pamt.solve import InternalDisagreement, place
from pamt.solve.budget import NODE, Known, Notes, Watch
from pamt.solve.conclude import conclude, note_rivals
from pamt.solve.result import FEASIBLE, OPTIMAL, UNDECIDED, PlaceResult
from pamt.solve.rivals import judge_rivals, run_rivals
from pamt.standins import complete

SPACES = [LINUX, Space("kernel", "split", "memory"), Space("free", "chunk", "cmr")]


def scattered(seed: int) -> Machine:
    """Six TDMRs on three nodes; free runs of a few chunks' length, some too short."""
    random = Random(seed)
    memory: list[MemoryRange] = []
    free: list[FreeRun] = []
    for tdmr in range(6):
        base = 3 * tdmr * GIB
        memory.append(MemoryRange(base, base + 2 * GIB - PAGE, tdmr % 3))
        at = base // PAGE + 300
        for _ in range(4):
            length = random.choice((500, 1030, 2060, 2100, 3000, 4200))
            free.append(FreeRun(at * PAGE, (at + length) * PAGE, tdmr % 3))
            at += length + random.randint(1, 90)
    distances = ((10, 21, 31), (21, 10, 17), (31, 17, 10))
    nodes = tuple(Node(n, distance=distances[n]) for n in range(3))
    made = Machine(
        "scattered", memory=tuple(memory), free=tuple(free), nodes=nodes, limits=Limits()
    )
    return complete(made).machine


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_budget_nobody_beside_it_is_better(seed: int, space: Space) -> None:
    machine = scattered(seed)
    outcomes = run_rivals(machine)
    beside = [r.objective for r in judge_rivals(machine, space, outcomes) if r is not None]
    for steps in (1, 3 * NODE):
        result = place(machine, space, budget=steps, rivals=outcomes)
        if beside:
            assert result.verdict in {OPTIMAL, FEASIBLE}
        for objective in beside:
            assert result.objective is not None
            assert result.objective.key(result.order) <= objective.key(result.order)
        if result.verdict == UNDECIDED:
            continue
        assert result.certificate is not None
        assert check_certificate(result.certificate, machine, space).fault is None
        if result.configuration is not None:
            judged = evaluate(machine, space, result.configuration)
            assert judged.objective == result.objective
        if result.verdict == FEASIBLE:
            assert result.reason
            assert result.stopped in {"steps", "size", "method"}
            assert result.objective is not None
            assert result.bound is not None
            assert result.bound.key(result.order) < result.objective.key(result.order)
        assert place(machine, space, budget=steps, rivals=outcomes) == result


@pytest.mark.parametrize("seed", range(4))
def test_broken_off_at_any_news_the_answer_is_sound(seed: int) -> None:
    """After each thing that the search tells: what is known is a true answer, and none is better.

    The bound only rises, the best only falls.
    """
    machine = scattered(seed)
    settled = place(machine, rivals=())
    order = settled.order

    class Stop(Exception):
        pass

    class After(Watch):
        def __init__(self, news: int) -> None:
            self.left_to_hear = news

        def _count(self) -> None:
            self.left_to_hear -= 1
            if self.left_to_hear <= 0:
                raise Stop

        def best(self, known: Known) -> None:
            self._count()

        def bound(self, values: object, claims: object) -> None:
            self._count()

    before: list[PlaceResult] = []
    for news in range(1, 40):
        notes = Notes(order, None, After(news))
        try:
            place(machine, watch=notes, rivals=())
        except Stop:
            pass
        else:
            break
        ended = PlaceResult(UNDECIDED, order, reason="stopped", stopped="interrupt")
        result = conclude(machine, LINUX, notes, ended)
        before.append(result)
        if settled.objective is None:
            assert result.objective is None
            continue
        assert result.bound is not None
        assert result.bound.key(order) <= settled.objective.key(order)
        if result.objective is not None:
            assert settled.objective.key(order) <= result.objective.key(order)
            assert result.checked is not None
            assert (result.checked.verdict, result.checked.trusted_steps) == ("valid", 0)
        if result.verdict == OPTIMAL:
            assert result.objective == settled.objective
    assert len(before) > 3
    lows = [r.bound.key(order) for r in before if r.bound is not None]
    bests = [r.objective.key(order) for r in before if r.objective is not None]
    assert lows == sorted(lows)
    assert bests == sorted(bests, reverse=True)
    if settled.verdict == OPTIMAL:
        assert before[-1].verdict == OPTIMAL


def test_a_policy_that_meets_the_bound_is_an_optimum() -> None:
    machine = scattered(3)
    settled = place(machine)
    assert settled.verdict == OPTIMAL
    assert settled.certificate is not None
    assert settled.configuration is not None
    assert settled.objective is not None
    notes = Notes(DEFAULT_OBJECTIVE)
    tdmrs = settled.configuration.tdmrs
    bases = tuple((t.pamt_4k.base, t.pamt_2m.base, t.pamt_1g.base) for t in tdmrs)
    ranges = tuple(t.range for t in tdmrs)
    notes.best(Known("a policy", ranges, bases, settled.given_up, settled.objective))
    notes.bound(settled.objective._asdict(), settled.certificate.claims)
    ended = PlaceResult(UNDECIDED, settled.order, reason="stopped", stopped="time")
    found = conclude(machine, LINUX, notes, ended)
    assert (found.verdict, found.objective) == (OPTIMAL, settled.objective)
    assert found.checked is not None
    assert found.checked.verdict == "valid"
    assert found.reason == "of equal ones, this may not be the first: stopped"


def test_without_a_proof_there_is_no_certificate() -> None:
    machine = scattered(1)
    notes = Notes(DEFAULT_OBJECTIVE)
    note_rivals(machine, LINUX, run_rivals(machine), notes)
    ended = PlaceResult(UNDECIDED, DEFAULT_OBJECTIVE, reason="stopped", stopped="time")
    found = conclude(machine, LINUX, notes, ended, prove=False)
    assert (found.certificate, found.checked) == (None, None)
    assert conclude(machine, LINUX, notes, ended).objective == found.objective


def test_what_a_solver_says_is_a_trusted_step() -> None:
    machine = scattered(3)
    notes = Notes(DEFAULT_OBJECTIVE)
    note_rivals(machine, LINUX, run_rivals(machine), notes)
    notes.bound({"lost": 0, "remote": 0}, None)
    ended = PlaceResult(UNDECIDED, DEFAULT_OBJECTIVE, reason="stopped", stopped="time")
    found = conclude(machine, LINUX, notes, ended)
    assert found.checked is not None
    assert (found.checked.verdict, found.checked.trusted_steps) == ("holey", 2)


def test_a_bound_above_what_exists_is_a_disagreement() -> None:
    machine = scattered(3)
    wrong = replace(place(machine), verdict=FEASIBLE)
    assert wrong.objective is not None
    high = Objective(*(value + 1 for value in wrong.objective))
    from pamt.solve.rivals import Rival, compare

    assert wrong.configuration is not None
    rival = Rival("somebody", wrong.configuration, wrong.objective)
    with pytest.raises(InternalDisagreement, match="no better than"):
        compare(replace(wrong, bound=high), [rival])
