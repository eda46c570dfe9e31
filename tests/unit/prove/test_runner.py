"""Verdicts: what counts as proved, refuted, undecided; vacuity and mutants."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pamt.prove import (
    Budget,
    Check,
    Claim,
    Evidence,
    Obligation,
    ProofFileError,
    Theorem,
    Verdict,
    export,
    load_theorems,
    overall,
    proofs_folder,
    prove,
    runner,
)
from pamt.prove.runner import prove_theorem, settle
from pamt.prove.terms import integer
from pamt.smt import prove_solvers
from pamt.smt.prove_solvers import Answer, ask

X, Y = integer("x"), integer("y")
TRUE = Obligation(
    "true", "x < y gives x + 1 <= y", lambda: Claim({"le": X + 1 <= Y}, {"lt": X < Y})
)
FALSE = Obligation(
    "false", "x < y gives x + 1 < y", lambda: Claim({"lt": X + 1 < Y}, {"lt": X < Y})
)
VACUOUS = Obligation("vacuous", "nothing", lambda: Claim({"any": X > Y}, given={"no": X < X - 1}))
HARD = Obligation(
    "hard",
    "no cubes add up to a cube",
    lambda: Claim(
        {"sum": X * X * X + Y * Y * Y != integer("z") * integer("z") * integer("z")},
        given={"x": X > 0, "y": Y > 0, "z": integer("z") > 0},
    ),
)


def theorem(*obligations: Obligation | Check, mutants: tuple[Any, ...] = ()) -> Theorem:
    return Theorem("t0_test", "T0", "test", "words", "formal", obligations, mutants)


def test_proved_by_both_solvers() -> None:
    result = settle(TRUE)
    assert result.verdict is Verdict.HOLDS
    assert [(a.solver, a.found) for a in result.answers] == [("z3", "unsat"), ("cvc5", "unsat")]
    assert result.vacuous is False
    assert all(steps > 0 for steps in result.steps.values())


def test_refuted_with_values_that_python_confirms() -> None:
    result = settle(FALSE)
    assert result.verdict is Verdict.VIOLATED
    assert result.failing == ("lt",)
    assert result.counterexample["x"] + 1 == result.counterexample["y"]


def test_without_the_second_solver_nothing_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "available", lambda solver: solver != "cvc5")
    result = settle(TRUE)
    assert result.verdict is Verdict.UNDECIDED
    assert result.reason == "second solver missing: cvc5"
    assert settle(FALSE).verdict is Verdict.VIOLATED
    assert settle(TRUE, ("z3",)).verdict is Verdict.UNDECIDED


def test_vacuous_assumptions_prove_nothing() -> None:
    result = settle(VACUOUS)
    assert result.verdict is Verdict.UNDECIDED
    assert result.vacuous is True
    assert result.reason == "the assumptions cannot be met"


def test_a_budget_of_steps_ends_in_undecided_and_is_deterministic() -> None:
    small = Budget(z3=3000, cvc5=3000, cvc5_nonlinear=3000)
    first, second = (settle(HARD, budget=small) for _ in range(2))
    assert first.verdict is second.verdict is Verdict.UNDECIDED
    assert "did not settle it" in first.reason
    assert first.steps == second.steps


def test_a_model_that_evaluation_rejects_is_no_counterexample() -> None:
    # The solvers do not know what & means: x & 1 could be 5 for all they know.
    wrong = Obligation("bits", "x & 1 is below 2", lambda: Claim({"bit": (X & 1) < 2}))
    result = settle(wrong)
    assert result.verdict is Verdict.UNDECIDED
    assert "does not stand evaluation" in result.reason


def test_disagreement_is_never_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def contrary(solver: str, text: str, steps: int) -> Answer:
        answer = ask(solver, text, steps)
        return Answer(solver, "unsat", 1, 0.0) if solver == "cvc5" else answer

    monkeypatch.setattr(runner, "ask", contrary)
    result = settle(FALSE)
    assert result.verdict is Verdict.UNDECIDED
    assert result.reason == "the solvers disagree"


def test_a_linearised_proof_holds_and_its_counterexample_is_checked_unabridged() -> None:
    good = Obligation(
        "good", "", lambda: Claim({"g": X * Y + 1 > 0}, given={"p": X * Y >= 0}), True
    )
    assert settle(good).verdict is Verdict.HOLDS
    # As atoms x y may be 3 with x = y; no integers are so.
    square = Obligation("square", "", lambda: Claim({"g": X * X != 3}), True)
    assert settle(square).verdict is Verdict.UNDECIDED


def test_needs_are_dropped_one_by_one() -> None:
    spare = Obligation(
        "spare", "", lambda: Claim({"le": X + 1 <= Y}, {"lt": X < Y, "positive": X > 0})
    )
    result = prove_theorem(theorem(spare))
    assert result.verdict is Verdict.UNDECIDED
    assert result.uncaught == ("spare without positive",)
    assert result.reason == "the mutant `spare without positive` is not caught"


def test_mutants_must_fail() -> None:
    weak = Obligation("weak", "", lambda: TRUE.claim().replacing(weaker=X <= Y))
    result = prove_theorem(theorem(TRUE, mutants=(FALSE, weak)))
    assert result.uncaught == ("weak",)
    assert prove_theorem(theorem(TRUE, mutants=(FALSE,))).verdict is Verdict.HOLDS
    assert prove_theorem(theorem(TRUE, mutants=(FALSE, weak)), mutants=False).mutants == ()


def test_checks() -> None:
    seen = Check("seen", "", lambda: Evidence(True, "a map"))
    unseen = Check("unseen", "", lambda: Evidence(False, "none"))
    assert prove_theorem(theorem(seen, mutants=(unseen,))).verdict is Verdict.HOLDS
    assert prove_theorem(theorem(unseen)).verdict is Verdict.VIOLATED


def test_overall_verdict() -> None:
    good, bad = prove_theorem(theorem(TRUE)), prove_theorem(theorem(FALSE))
    assert overall((good,)) is Verdict.HOLDS
    assert overall((good, bad)) is Verdict.VIOLATED
    assert bad.steps["z3"] > 0


def test_a_theorem_needs_obligations_with_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="used twice: true"):
        theorem(TRUE, TRUE)
    with pytest.raises(ValueError, match="needs an obligation"):
        theorem()


def test_files_are_found_by_name_and_by_short_name(tmp_path: Path) -> None:
    names = [t.short for t in load_theorems(())]
    assert names.index("T2") < names.index("T10")
    assert load_theorems(("T4",))[0].name == "t4_chunk"
    assert load_theorems(("t4_chunk", "T4"))[0].short == "T4"
    with pytest.raises(ProofFileError, match="no theorem called T99; there are: t1_layout"):
        load_theorems(("T99",))
    assert proofs_folder().name == "proofs"
    (tmp_path / "t1_bad.py").write_text("THEOREM = 3\n")
    with pytest.raises(ProofFileError, match=r"not a pamt\.prove\.Theorem"):
        load_theorems((), tmp_path)
    (tmp_path / "t1_bad.py").write_text("1 / 0\n")
    with pytest.raises(ProofFileError, match="ZeroDivisionError"):
        load_theorems((), tmp_path)


def test_exported_text_is_what_was_decided() -> None:
    files = export((theorem(TRUE, FALSE),))
    assert sorted(files) == [
        "t0_test/false.smt2",
        "t0_test/false.vacuity.smt2",
        "t0_test/true.smt2",
        "t0_test/true.vacuity.smt2",
    ]
    for solver in ("z3", "cvc5"):
        assert ask(solver, files["t0_test/true.smt2"], 10**5).found == "unsat"
        assert ask(solver, files["t0_test/true.vacuity.smt2"], 10**5).found == "sat"
        assert ask(solver, files["t0_test/false.smt2"], 10**5).found == "sat"


def test_solvers_refuse_what_they_cannot_read() -> None:
    for solver in ("z3", "cvc5"):
        with pytest.raises(ValueError, match="cannot read"):
            ask(solver, "(assert (< x 1))\n(check-sat)\n", 1000)
    with pytest.raises(ValueError, match="no such solver"):
        ask("yices", "", 1)
    assert prove_solvers.version("z3").startswith("5")
    assert prove_solvers.version("cvc5")


def test_progress_names_every_obligation() -> None:
    said: list[str] = []
    prove(("T4",), mutants=False, progress=said.append)
    assert said[0] == "t4_chunk: disjoint"


def test_no_solver_is_loaded_before_one_is_asked() -> None:
    code = (
        "import sys, pamt.prove, pamt.prove.startup; pamt.prove.load_theorems();"
        "sys.exit(bool({'z3', 'cvc5', 'networkx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
