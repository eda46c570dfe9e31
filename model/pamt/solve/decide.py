"""The default way to decide a placement question: exact engines first, z3 for what they leave open.

1. A cause that is seen in the map itself.
2. The engine for the kernel's TDMRs with whole chunks (:mod:`pamt.solve.engine.place`).
3. Bounds over all cuts, and placements that meet them (:mod:`pamt.solve.engine.any_cut`).
4. z3, told what is known (:mod:`pamt.solve.reference`); for questions with pages to give up, and
   for what 3 leaves open.

What each step proves goes into the certificate; what rests on z3 alone is a trusted step there.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pamt.certificate import Certificate, Claim, Placed, Trust, check_certificate
from pamt.certificate.check import covers, targets
from pamt.certificate.format import Cause
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.placement import DEFAULT_OBJECTIVE, LINUX, Question, Space, pose
from pamt.solve.cuts import FEW_CELLS, search_cuts
from pamt.solve.engine.any_cut import Proof, place_any_cut
from pamt.solve.engine.branch import Budget
from pamt.solve.engine.place import DEFAULT_NODES, handles, place_fast
from pamt.solve.give_up_cases import place_giving_up
from pamt.solve.reference import DEFAULT_STEPS
from pamt.solve.result import (
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    UNDECIDED,
    InternalDisagreement,
    PlaceResult,
    Statistics,
)
from pamt.solve.rivals import check_rivals, run_rivals

__all__ = ["place"]

FEW_RUNS = 64
"""Free runs up to which z3 is asked for the canonical one among optima that are known."""


def place(
    machine: Machine,
    space: Space = LINUX,
    objective: Sequence[str] = DEFAULT_OBJECTIVE,
    budget: int = DEFAULT_STEPS,
    *,
    rivals: Sequence[tuple[str, Outcome]] | None = None,
    canonical: bool = True,
) -> PlaceResult:
    """Decide the placement question for a completed machine, with a certificate that was checked.

    Arguments and errors as in :func:`pamt.solve.reference.place`; `budget` is in z3's steps; the
    exact engines count nodes of case trees against it as well, up to a bound of their own.
    """
    order = tuple(objective)
    result = _decide(machine, space, order, budget, canonical)
    check_rivals(machine, space, result, run_rivals(machine) if rivals is None else rivals)
    return _certified(machine, space, result)


def _decide(
    machine: Machine, space: Space, order: tuple[str, ...], budget: int, canonical: bool
) -> PlaceResult:
    if space.give_up:
        return place_giving_up(machine, space, order, budget, canonical=canonical, decide=_decide)
    question = pose(machine, space)
    if question.trivial is not None:
        claims = (Claim({}, (Cause(question.trivial.kind),)),)
        return PlaceResult(
            INFEASIBLE,
            order,
            cause=question.trivial,
            statistics=Statistics("exact"),
            certificate=Certificate(INFEASIBLE, space, order, claims=claims),
        )
    if handles(space):
        nodes = min(DEFAULT_NODES, budget)
        answer = place_fast(machine, space, order, nodes, canonical=canonical, check=False)
        result = replace(answer.result, certificate=answer.certificate)
        if result.verdict in {OPTIMAL, INFEASIBLE}:
            return result
        proof = Proof(result, answer.certificate)
    else:
        proof = place_any_cut(
            question, order, Budget(min(DEFAULT_NODES, budget)), canonical=canonical
        )
    return _settle(question, proof, budget, canonical)


def _settle(question: Question, proof: Proof, budget: int, canonical: bool) -> PlaceResult:
    """Ask z3 what the exact engines left open, where that has a prospect."""
    known = replace(proof.result, certificate=proof.certificate)
    small = len(question.cells) <= FEW_CELLS and len(question.free) <= FEW_RUNS
    if known.verdict == INFEASIBLE:
        return known
    if known.verdict == OPTIMAL and (known.canonical or not canonical or not small):
        return known
    if known.verdict == FEASIBLE and not small and question.tdmrs is None:
        return known
    found = search_cuts(question, known.order, budget, canonical=canonical, known=known.objective)
    statistics = replace(found.statistics, engine="exact, z3")
    if known.objective is not None and (found.verdict == INFEASIBLE or _worse(known, found)):
        raise InternalDisagreement(
            ("engine", "z3"), f"{known.objective} against {found.verdict} {found.objective}"
        )
    if found.objective is None:
        if found.verdict == UNDECIDED and known.objective is not None:
            return replace(known, reason=found.reason, statistics=statistics)
        return replace(found, statistics=statistics)
    placed = _placed(found)
    claims = proof.certificate.claims if proof.certificate is not None else ()
    bound = found.bound
    if known.verdict == OPTIMAL:
        # Nothing is better than what is known; z3 was asked for the canonical one alone.
        if found.objective.key(known.order) != known.objective.key(known.order):  # type: ignore[union-attr]
            raise InternalDisagreement(("engine", "z3"), f"{known.objective}, {found.objective}")
        if found.verdict != OPTIMAL:
            return known
        bound = known.bound
    low = known.bound
    if found.verdict == FEASIBLE and low is not None and bound is not None:
        bound = max(bound, low, key=lambda values: values.key(known.order))
    certificate = _complete(question.space, replace(found, bound=bound), placed, claims)
    return replace(found, bound=bound, statistics=statistics, certificate=certificate)


def _worse(known: PlaceResult, found: PlaceResult) -> bool:
    """Whether z3's optimum is worse than what is known."""
    if found.objective is None or known.objective is None or found.verdict != OPTIMAL:
        return False
    return found.objective.key(known.order) > known.objective.key(known.order)


def _placed(result: PlaceResult) -> Placed | None:
    if result.configuration is None:
        return None
    tdmrs = result.configuration.tdmrs
    return Placed(
        tuple(tdmr.range for tdmr in tdmrs),
        tuple((tdmr.pamt_4k.base, tdmr.pamt_2m.base, tdmr.pamt_1g.base) for tdmr in tdmrs),
        tuple(result.given_up),
    )


def _complete(
    space: Space, result: PlaceResult, placed: Placed | None, claims: Sequence[Claim]
) -> Certificate:
    """A certificate with the claims there are, the missing ones on z3's word."""
    value = {} if result.objective is None else dict(result.objective._asdict())
    bound = {}
    if result.verdict == FEASIBLE and result.bound is not None:
        bound = {name: getattr(result.bound, name) for name in result.order}
    bare = Certificate(result.verdict, space, result.order, placed, value, bound)
    wanted = list(targets(bare))
    kept = [c for c in claims if any(covers(c.at_most, target) for target in wanted)]
    solver = result.statistics.solver or "z3"
    trusted = [
        Claim(dict(target), (Trust(solver, "unsat"),))
        for target in wanted
        if not any(covers(claim.at_most, target) for claim in kept)
    ]
    return replace(bare, claims=(*kept, *trusted))


def _certified(machine: Machine, space: Space, result: PlaceResult) -> PlaceResult:
    """The result with a certificate, where it has a verdict to prove, and the checker's answer."""
    certificate = result.certificate
    if certificate is None and result.verdict != UNDECIDED:
        certificate = _complete(space, result, _placed(result), ())
    if certificate is None:
        return result
    value = {} if result.objective is None else dict(result.objective._asdict())
    if (certificate.verdict, dict(certificate.value)) != (result.verdict, value):
        proved = f"{certificate.verdict} {dict(certificate.value)}"
        raise InternalDisagreement(("engine", "certificate"), f"{result.verdict} {value}, {proved}")
    checked = check_certificate(certificate, machine, space)
    if checked.fault is not None:
        raise InternalDisagreement(("placement", "certificate checker"), str(checked.fault))
    return replace(result, certificate=certificate, checked=checked)
