"""The start-up: explicit search and induction read one text and agree; traces can be followed."""

from __future__ import annotations

import random
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pamt.prove.runner import settle
from pamt.prove.startup import ERAS, STATEMENTS, Decision, decide, decide_all, graph
from pamt.prove.startup.draw import trace_svg, trace_text
from pamt.prove.startup.explicit import instances, shortest_violation, successors
from pamt.prove.startup.induction import (
    invariant,
    obligations,
    provable,
    symbolic_state,
    transition,
)
from pamt.prove.startup.system import RULES, Parameters, State, initial, updated, well_formed
from pamt.prove.terms import evaluate

ERA = {era.name: era for era in ERAS}
STATEMENT = {statement.name: statement for statement in STATEMENTS}


@pytest.fixture(scope="module")
def decisions() -> dict[tuple[str, str], Decision]:
    return {(d.era.name, d.statement.name): d for d in decide_all()}


def test_what_holds_and_what_does_not(decisions: dict[tuple[str, str], Decision]) -> None:
    violated = {key for key, decision in decisions.items() if decision.violated}
    later = {
        (era, name)
        for era in ("v6.18", "2026")
        for name in ("no-start-after-error-anywhere", "cleared-on-every-part")
    }
    free = {(era, "no-call-can-write-free-pages") for era in ERA}
    assert violated == later | free
    assert len(decisions) == len(ERAS) * len(STATEMENTS)


def test_traces_are_runs_of_the_system(decisions: dict[tuple[str, str], Decision]) -> None:
    for decision in decisions.values():
        if decision.parameters is None:
            continue
        state = initial()
        for step in decision.trace:
            assert decision.statement.holds(state, decision.parameters)
            assert step.rule.guard(state, decision.parameters)
            state = updated(state, step.rule.update(state, decision.parameters))
            assert state == step.state
        assert not decision.statement.holds(state, decision.parameters)


def test_the_shortest_trace_to_free_pages_that_could_be_written() -> None:
    decision = decide(STATEMENT["no-call-can-write-free-pages"], ERA["v6.8"])
    names = [step.rule.name for step in decision.trace]
    assert names[-4:] == ["config", "key-fails", "clear", "give-back"]
    assert names[0] == "sys-init"


def test_every_rule_can_happen() -> None:
    fired: set[str] = set()
    denied = {"sticky": False, "init_once": False, "notifier": False}
    for p in (*list(instances(ERA["2026"]))[:40], ERA["v6.18"].parameters(**denied)):
        fired |= {data["rule"] for _, _, data in graph(p).edges(data=True)}
    assert fired == {rule.name for rule in RULES}


def test_every_start_ends_ready_or_in_error() -> None:
    """From every reachable state without kexec, a state with nothing left to do can be reached."""
    import networkx as nx

    states = graph(ERA["v6.8"].parameters())
    ends = [s for s in states if s.phase in {8, 12}]
    reverse = states.reverse()
    reached: set[State] = set()
    for end in ends:
        reached |= {end} | nx.descendants(reverse, end)
    assert reached == set(states)


def test_the_invariant_holds_in_every_reachable_state() -> None:
    for era in ERAS:
        for p in list(instances(era))[::7]:
            for state in graph(p):
                failing = [name for name, holds in invariant(state, p).items() if not holds]
                assert failing == []


def test_formulas_and_numbers_have_the_same_transitions() -> None:
    """The transition formula under random states is what the explicit search does."""
    p = ERA["2026"].parameters(sticky=False, retries=True, init_once=False)
    assert all(well_formed(p).values())
    before, after = symbolic_state("0"), symbolic_state("1")
    formula = transition(before, after, p)
    rng = random.Random(1)
    states = sorted(graph(p), key=repr)
    names = [field.name for field in fields(State)]
    for _ in range(60):
        state = rng.choice(states)
        following = [step.state for step in successors(state, p)]
        other = rng.choice([*following, rng.choice(states)])
        values = {f"{n}.0": getattr(state, n) for n in names}
        values |= {f"{n}.1": getattr(other, n) for n in names}
        assert evaluate(formula, values) == (other in following)


def test_two_steps_of_induction_hold_as_well() -> None:
    base, step, _ = obligations(provable()[0], k=2)
    assert settle(base).verdict == "HOLDS"
    assert settle(step).verdict == "HOLDS"


@pytest.mark.parametrize(
    ("statement", "era", "facts"),
    [
        ("no-uncovered-memory-when-ready", "v6.8", {"notifier": False}),
        ("no-uncovered-memory-when-ready", "v6.8", {"holds_lock": False}),
        ("no-start-after-error", "v6.18", {"sticky": False}),
        ("all-freed-after-failure", "2026", {"frees": False}),
        ("no-use-before-block-initialised", "2026", {"loops_to_end": False}),
        ("cleared-on-erratum-parts", "2026", {"clears_first": False, "erratum": True}),
        ("lock-held-exactly-while-starting", "v6.8", {"holds_lock": False}),
    ],
)
def test_what_rests_on_what(statement: str, era: str, facts: dict[str, bool]) -> None:
    kept = {"erratum": facts.get("erratum", False)}
    assert shortest_violation(STATEMENT[statement], ERA[era].parameters(**kept)) is None
    assert shortest_violation(STATEMENT[statement], ERA[era].parameters(**facts)) is not None


def test_a_trace_is_drawn() -> None:
    decision = decide(STATEMENT["no-call-can-write-free-pages"], ERA["v6.8"])
    assert isinstance(decision.parameters, Parameters)
    text = trace_text(decision.trace, decision.parameters)
    assert len(text.splitlines()) == len(decision.trace) + 2
    assert "told, but free" in text.splitlines()[-1]
    assert "TDH.SYS.KEY.CONFIG fails" in text
    drawing = ET.fromstring(trace_svg(decision.trace, decision.parameters, "a < b & c"))
    said = [element.text or "" for element in drawing.iter() if element.tag.endswith("text")]
    assert any("PAMTs of a TDMR go back" in line for line in said)
    assert drawing.find("{http://www.w3.org/2000/svg}title").text == "a < b & c"


def test_the_drawing_in_the_documentation_is_the_trace(root: Path) -> None:
    decision = decide(STATEMENT["no-call-can-write-free-pages"], ERA["v6.8"])
    assert decision.parameters is not None
    drawn = trace_svg(decision.trace, decision.parameters, decision.statement.says)
    assert (root / "docs" / "startup-trace.svg").read_text() == drawn
