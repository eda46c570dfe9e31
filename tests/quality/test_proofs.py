"""Every theorem, both solvers, every mutant: green, and red where it must be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pamt.prove import Obligation, Theorem, Verdict, load_theorems
from pamt.prove.runner import dropped_needs, prove_theorem

THEOREMS = load_theorems()
STEPS = {"z3": 400_000, "cvc5": 40_000}
"""No obligation takes more, in steps of each solver: far less than a second on any machine."""


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda t: t.name)
def test_theorem(theorem: Theorem) -> None:
    result = prove_theorem(theorem)
    problems = {o.name: o.reason for o in result.obligations if o.verdict is not Verdict.HOLDS}
    assert problems == {}
    assert result.uncaught == ()
    assert result.verdict is Verdict.HOLDS
    for obligation in result.obligations:
        if obligation.answers:
            assert {a.solver: a.found for a in obligation.answers} == dict.fromkeys(STEPS, "unsat")
            assert obligation.vacuous is False
        for solver, steps in obligation.steps.items():
            assert steps <= STEPS[solver], (obligation.name, solver)


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda t: t.name)
def test_theorem_says_what_it_is_about(theorem: Theorem) -> None:
    assert theorem.statement.endswith(".")
    assert theorem.title
    assert theorem.formal
    assert theorem.mutants
    assert all(part.says for part in (*theorem.obligations, *theorem.mutants))


def test_the_list() -> None:
    assert [t.short for t in THEOREMS] == [f"T{n}" for n in range(1, 18)] + ["startup"]


def test_the_page_about_proofs_counts_them(root: Path) -> None:
    page = (root / "docs" / "proofs.md").read_text()
    formulas = sum(isinstance(o, Obligation) for t in THEOREMS for o in t.obligations)
    mutants = sum(len(t.mutants) + len(dropped_needs(t)) for t in THEOREMS)
    assert f"All {len(THEOREMS)} theorems, {formulas} formulas" in page
    assert re.search(rf"they\sare {mutants}, and all fail", page)
    for theorem in THEOREMS:
        assert re.search(rf"^\| .*\b{theorem.short}\b.* \|", page, re.MULTILINE)
