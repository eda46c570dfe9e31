"""Discharges theorems: every obligation through every solver, with vacuity checks and mutants.

    obligation   unsat from both solvers -> HOLDS; a counterexample that plain Python arithmetic
                 confirms -> VIOLATED; anything else, or a solver missing -> UNDECIDED
    vacuity      the assumptions of a formula must be satisfiable, shown by a confirmed model
    mutants      a changed statement must fail, shown by a confirmed counterexample; so must each
                 claim when one of its `needs` is dropped

A theorem HOLDS when all its obligations do, none is vacuous, and every mutant fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pamt.prove.registry import load_theorems
from pamt.prove.terms import both, evaluate, variables
from pamt.prove.theorem import Check, Claim, Obligation, Theorem
from pamt.smt.prove_solvers import SOLVERS, Answer, ask, available

__all__ = [
    "Budget",
    "ObligationResult",
    "TheoremResult",
    "Verdict",
    "export",
    "overall",
    "prove",
    "prove_theorem",
    "settle",
]


class Verdict(StrEnum):
    HOLDS = "HOLDS"
    VIOLATED = "VIOLATED"
    UNDECIDED = "UNDECIDED"


class Budget(NamedTuple):
    """Steps that one question may cost, in each solver's own unit.

    cvc5 spends far more time on a step of a nonlinear question, so that has a limit of its own.
    """

    z3: int = 2_000_000
    cvc5: int = 300_000
    cvc5_nonlinear: int = 20_000

    def of(self, solver: str, text: str) -> int:
        if solver == "cvc5" and "(set-logic QF_UFNIA)" in text:
            return self.cvc5_nonlinear
        return self.cvc5 if solver == "cvc5" else self.z3


@dataclass(frozen=True, slots=True)
class ObligationResult:
    """What was found about one obligation or one mutant.

    `vacuous`: the assumptions cannot be met; None when that was not settled or not asked.
    `counterexample`: values that refute the claim, confirmed by evaluation; `failing` names the
    parts of the goal that they break.  `shown`: what a check has to show.
    """

    name: str
    says: str
    verdict: Verdict
    reason: str = ""
    answers: tuple[Answer, ...] = ()
    vacuous: bool | None = None
    counterexample: Mapping[str, int | bool] = field(default_factory=lambda: MappingProxyType({}))
    failing: tuple[str, ...] = ()
    shown: str = ""
    seconds: float = 0.0

    @property
    def steps(self) -> dict[str, int]:
        """Steps by solver."""
        spent: dict[str, int] = {}
        for answer in self.answers:
            spent[answer.solver] = spent.get(answer.solver, 0) + answer.steps
        return spent


@dataclass(frozen=True, slots=True)
class TheoremResult:
    """A theorem, decided.  `mutants`: results of mutants; VIOLATED is what they should be."""

    theorem: Theorem
    verdict: Verdict
    reason: str
    obligations: tuple[ObligationResult, ...]
    mutants: tuple[ObligationResult, ...]
    seconds: float

    @property
    def name(self) -> str:
        return self.theorem.name

    @property
    def uncaught(self) -> tuple[str, ...]:
        """Mutants that did not fail."""
        return tuple(m.name for m in self.mutants if m.verdict is not Verdict.VIOLATED)

    @property
    def steps(self) -> dict[str, int]:
        """Steps by solver over all obligations (mutants not counted)."""
        spent: dict[str, int] = {}
        for result in self.obligations:
            for solver, steps in result.steps.items():
                spent[solver] = spent.get(solver, 0) + steps
        return spent


def prove(
    names: Sequence[str] = (),
    *,
    folder: Path | None = None,
    solvers: Sequence[str] = SOLVERS,
    budget: Budget | None = None,
    mutants: bool = True,
    progress: Callable[[str], None] | None = None,
) -> tuple[TheoremResult, ...]:
    """Decide the named theorems, or all.

    `progress` is called with the name of each obligation before it is tried.
    Raises ProofFileError (see :func:`pamt.prove.registry.load_theorems`).
    """
    return tuple(
        prove_theorem(theorem, solvers=solvers, budget=budget, mutants=mutants, progress=progress)
        for theorem in load_theorems(names, folder)
    )


def overall(results: Sequence[TheoremResult]) -> Verdict:
    """VIOLATED if any is, else UNDECIDED if any is, else HOLDS."""
    verdicts = {result.verdict for result in results}
    for verdict in (Verdict.VIOLATED, Verdict.UNDECIDED):
        if verdict in verdicts:
            return verdict
    return Verdict.HOLDS


def prove_theorem(
    theorem: Theorem,
    *,
    solvers: Sequence[str] = SOLVERS,
    budget: Budget | None = None,
    mutants: bool = True,
    progress: Callable[[str], None] | None = None,
) -> TheoremResult:
    """Decide one theorem."""
    began = time.perf_counter()
    tell = progress or _silent
    budget = budget or Budget()
    done: list[ObligationResult] = []
    for obligation in theorem.obligations:
        tell(f"{theorem.name}: {obligation.name}")
        done.append(settle(obligation, solvers, budget))
    changed: list[ObligationResult] = []
    if mutants:
        for mutant in (*theorem.mutants, *dropped_needs(theorem)):
            tell(f"{theorem.name}: mutant {mutant.name}")
            changed.append(settle(mutant, solvers, budget, mutant=True))
    verdict, reason = _conclude(done, changed)
    seconds = time.perf_counter() - began
    return TheoremResult(theorem, verdict, reason, tuple(done), tuple(changed), seconds)


def _silent(name: str) -> None:
    """No progress wanted."""


def dropped_needs(theorem: Theorem) -> tuple[Obligation, ...]:
    """For every formula and every assumption it claims to need: the claim without it."""
    made: list[Obligation] = []
    for obligation in theorem.obligations:
        if isinstance(obligation, Check):
            continue
        made.extend(_dropping(obligation, need) for need in obligation.build().needs)
    return tuple(made)


def _dropping(obligation: Obligation, need: str) -> Obligation:
    return Obligation(
        f"{obligation.name} without {need}",
        f"{obligation.says}; the assumption `{need}` dropped",
        lambda: obligation.claim().without(need),
    )


def settle(
    obligation: Obligation | Check,
    solvers: Sequence[str] = SOLVERS,
    budget: Budget | None = None,
    *,
    mutant: bool = False,
) -> ObligationResult:
    """Decide one obligation.

    A mutant is meant to fail: one confirmed counterexample settles it, so the other solvers are
    not asked, and no vacuity check is made (a counterexample meets the assumptions).  It is looked
    for without abstractions, where the claim's hint says.
    """
    began = time.perf_counter()
    if isinstance(obligation, Check):
        evidence = obligation.run()
        return ObligationResult(
            obligation.name,
            obligation.says,
            Verdict.HOLDS if evidence.holds else Verdict.VIOLATED,
            shown=evidence.shown,
            seconds=time.perf_counter() - began,
        )
    budget = budget or Budget()
    claim = obligation.claim()
    text = obligation.search_smtlib() if mutant else obligation.smtlib()
    answers: list[Answer] = []
    missing = [solver for solver in solvers if not available(solver)]
    missing += [solver for solver in SOLVERS if solver not in solvers]
    found: ObligationResult | None = None
    for solver in solvers:
        if solver in missing:
            continue
        answer = ask(solver, text, budget.of(solver, text))
        answers.append(answer)
        if answer.found != "sat":
            continue
        failing = _refutes(claim, answer.model)
        if failing:
            found = ObligationResult(
                obligation.name,
                obligation.says,
                Verdict.VIOLATED,
                f"{solver} found a counterexample, confirmed by evaluation",
                tuple(answers),
                False,
                answer.model,
                failing,
            )
            if mutant:
                break
    if found is None:
        found = _not_refuted(obligation, tuple(answers), missing)
    if any(a.found == "unsat" for a in answers) and any(a.found == "sat" for a in answers):
        found = replace(found, verdict=Verdict.UNDECIDED, reason="the solvers disagree")
    if not mutant and found.vacuous is None:
        found = replace(found, vacuous=_is_vacuous(obligation, solvers, budget))
        if found.vacuous is not False:
            reason = "the assumptions cannot be met" if found.vacuous else "vacuity not settled"
            found = replace(found, verdict=Verdict.UNDECIDED, reason=reason)
    return replace(found, answers=tuple(answers), seconds=time.perf_counter() - began)


def _not_refuted(
    obligation: Obligation, answers: tuple[Answer, ...], missing: Sequence[str]
) -> ObligationResult:
    """HOLDS when every solver says unsat, else UNDECIDED with why."""
    open_ones: list[str] = []
    for answer in answers:
        if answer.found == "unknown":
            open_ones.append(f"{answer.solver} did not settle it ({answer.reason})")
        elif answer.found == "sat":
            open_ones.append(f"{answer.solver}'s counterexample does not stand evaluation")
    for solver in missing:
        which = "second solver" if solver == "cvc5" else "solver"
        open_ones.append(f"{which} missing: {solver}")
    verdict = Verdict.UNDECIDED if open_ones else Verdict.HOLDS
    return ObligationResult(
        obligation.name, obligation.says, verdict, "; ".join(open_ones), answers
    )


def _refutes(claim: Claim, model: Mapping[str, int | bool]) -> tuple[str, ...]:
    """Names of the goal's parts that the model breaks while it meets the assumptions."""
    values = _completed(claim, model)
    try:
        if not all(evaluate(part, values) for part in claim.assumed.values()):
            return ()
        return tuple(name for name, part in claim.goal.items() if not evaluate(part, values))
    except ValueError:
        return ()


def _completed(claim: Claim, model: Mapping[str, int | bool]) -> dict[str, int | bool]:
    """The model, with a value for variables that the solver found irrelevant."""
    parts = (*claim.assumed.values(), *claim.goal.values())
    values: dict[str, int | bool] = {
        name: 0 if sort == "Int" else False for name, sort in variables(*parts).items()
    }
    values.update({name: value for name, value in model.items() if name in values})
    return values


def _is_vacuous(obligation: Obligation, solvers: Sequence[str], budget: Budget) -> bool | None:
    """Whether nothing meets the assumptions; None when no solver settled it.

    A model is looked for where the claim's hint says, then anywhere, and confirmed by evaluation.
    """
    claim = obligation.claim()
    assumed = both(*claim.assumed.values())
    if assumed is True:
        return False
    for hinted in (True, False) if claim.hint else (False,):
        text = obligation.vacuity_smtlib(hinted)
        for solver in solvers:
            if not available(solver):
                continue
            answer = ask(solver, text, budget.of(solver, text))
            if answer.found == "unsat" and not hinted:
                return True
            if answer.found == "sat" and evaluate(assumed, _completed(claim, answer.model)):
                return False
    return None


def _conclude(
    done: Sequence[ObligationResult], changed: Sequence[ObligationResult]
) -> tuple[Verdict, str]:
    for verdict in (Verdict.VIOLATED, Verdict.UNDECIDED):
        for result in done:
            if result.verdict is verdict:
                return verdict, f"{result.name}: {result.reason or 'the check fails'}"
    for mutant in changed:
        if mutant.verdict is not Verdict.VIOLATED:
            return Verdict.UNDECIDED, f"the mutant `{mutant.name}` is not caught"
    return Verdict.HOLDS, ""


def export(theorems: Sequence[Theorem]) -> dict[str, str]:
    """SMT-LIB text of every formula, by file name ``THEOREM/OBLIGATION.smt2``.

    Each is unsatisfiable when the theorem holds; ``.vacuity.smt2`` beside it is satisfiable.
    """
    files: dict[str, str] = {}
    for theorem in theorems:
        for obligation in theorem.obligations:
            if isinstance(obligation, Check):
                continue
            stem = f"{theorem.name}/{obligation.name}"
            files[f"{stem}.smt2"] = obligation.smtlib()
            files[f"{stem}.vacuity.smt2"] = obligation.vacuity_smtlib()
    return files
