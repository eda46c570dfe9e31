"""The default way to decide a placement question: exact engines first, z3 for what they leave open.

1. A cause that is seen in the map itself.
2. The engine for the kernel's TDMRs (:mod:`pamt.solve.engine.place`).
3. Bounds over all cuts, and placements that meet them (:mod:`pamt.solve.engine.any_cut`).
4. z3, told what is known (:mod:`pamt.solve.reference`); for questions with pages to give up, and
   for what 3 leaves open.

What each step proves goes into the certificate; what rests on z3 alone is a trusted step there.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pamt.certificate import Certificate, Claim
from pamt.certificate.format import Cause
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.placement import DEFAULT_OBJECTIVE, LINUX, Question, Space, pose
from pamt.smt.estimate import MOST_MEMORY
from pamt.solve import reference
from pamt.solve.budget import NODE, QUIET, Budget, Notes, Steps, Watch, within
from pamt.solve.conclude import certified, complete, conclude, note_rivals, placed_at, steps_used
from pamt.solve.cuts import FEW_CELLS, search_cuts
from pamt.solve.engine.any_cut import Proof, place_any_cut
from pamt.solve.engine.place import DEFAULT_NODES, handles, place_fast
from pamt.solve.give_up_cases import place_giving_up
from pamt.solve.reference import DEFAULT_STEPS
from pamt.solve.result import (
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    SIZE,
    STEPS,
    UNDECIDED,
    InternalDisagreement,
    PlaceResult,
    Statistics,
)
from pamt.solve.rivals import compare, run_rivals

__all__ = ["EXACT", "place"]

EXACT = "exact"
FEW_RUNS = 64
"""Free runs up to which z3 is asked for the canonical one among optima that are known."""
RUNS_IN_THE_KERNELS_LAYOUT = 128
"""Free runs up to which z3 is asked for a better placement when TDMRs are fixed.

It takes about a minute for 90 in tight memory, and comes to nothing in many for 400.
"""


def place(
    machine: Machine,
    space: Space = LINUX,
    objective: Sequence[str] = DEFAULT_OBJECTIVE,
    budget: int = DEFAULT_STEPS,
    *,
    rivals: Sequence[tuple[str, Outcome]] | None = None,
    canonical: bool = True,
    watch: Watch = QUIET,
    engine: str = EXACT,
    memory: int = MOST_MEMORY,
) -> PlaceResult:
    """Decide the placement question for a completed machine, with a certificate that was checked.

    Arguments and errors as in :func:`pamt.solve.reference.place`; `budget` is in steps, of z3 and
    of the exact engines together (:mod:`pamt.solve.budget`).  `watch` is told what is found
    meanwhile.  `engine` ``z3`` leaves the exact engines out.

    An answer that is not settled is never worse than that of a rival.
    """
    order = tuple(objective)
    notes = Notes(order, budget, watch)
    notes.phase("policies beside it")
    beside = note_rivals(machine, space, run_rivals(machine) if rivals is None else rivals, notes)
    if engine == EXACT:
        result = _decide(machine, space, order, budget, canonical, notes, memory)
    else:
        result = reference.place(
            machine, space, order, budget, rivals=(), canonical=canonical, watch=notes,
            memory=memory,
        )  # fmt: skip
    compare(result, beside)
    statistics = replace(result.statistics, steps=notes.taken)
    result = replace(result, statistics=statistics)
    if result.verdict in {FEASIBLE, UNDECIDED}:
        if result.stopped == STEPS or notes.left == 0:
            result = replace(result, reason=steps_used(budget), stopped=STEPS)
        return conclude(machine, space, notes, result)
    if result.verdict == OPTIMAL and result.stopped is not None:
        result = replace(
            result, reason=f"of equal ones, this may not be the first: {result.reason}"
        )
    notes.phase("checking the certificate")
    return certified(machine, space, result)


def _decide(
    machine: Machine,
    space: Space,
    order: tuple[str, ...],
    budget: int,
    canonical: bool,
    watch: Watch = QUIET,
    memory: int = MOST_MEMORY,
) -> PlaceResult:
    if space.give_up:
        return place_giving_up(
            machine,
            space,
            order,
            budget,
            canonical=canonical,
            decide=partial(_decide, watch=Steps(watch), memory=memory),
            watch=watch,
        )
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
    nodes = Budget(min(DEFAULT_NODES, budget // NODE), watch=watch)
    if handles(space):
        answer = place_fast(machine, space, order, nodes, canonical=canonical, check=False)
        proof = Proof(answer.result, answer.certificate)
    else:
        proof = place_any_cut(question, order, nodes, canonical=canonical)
    if handles(space) and proof.result.verdict in {OPTIMAL, INFEASIBLE}:
        return replace(proof.result, certificate=proof.certificate)
    return _settle(question, proof, budget, canonical, watch, memory)


def _settle(
    question: Question,
    proof: Proof,
    budget: int,
    canonical: bool,
    watch: Watch,
    memory: int,
) -> PlaceResult:
    """Ask z3 what the exact engines left open, where that has a prospect."""
    known = _open_end(replace(proof.result, certificate=proof.certificate), question)
    runs = len(question.free)
    small = len(question.cells) <= FEW_CELLS and runs <= FEW_RUNS
    fixed = question.tdmrs is not None and runs <= RUNS_IN_THE_KERNELS_LAYOUT
    if known.verdict == INFEASIBLE:
        return known
    if known.verdict == OPTIMAL and (known.canonical or not canonical or not small):
        return known
    if known.verdict == FEASIBLE and not (small or fixed):
        return known
    if within(budget, watch) < NODE:
        # Not worth an encoding.
        return known if known.verdict == OPTIMAL else replace(known, stopped=STEPS)
    if proof.certificate is not None and known.verdict == FEASIBLE:
        watch.bound(proof.certificate.bound, proof.certificate.claims)
    found = search_cuts(
        question,
        known.order,
        within(budget, watch),
        canonical=canonical,
        known=known.objective,
        watch=watch,
        memory=memory,
    )
    statistics = replace(found.statistics, engine="exact, z3")
    if known.objective is not None and (found.verdict == INFEASIBLE or _worse(known, found)):
        raise InternalDisagreement(
            ("engine", "z3"), f"{known.objective} against {found.verdict} {found.objective}"
        )
    if found.objective is None:
        if found.verdict == UNDECIDED and known.objective is not None:
            return replace(known, reason=found.reason, stopped=found.stopped, statistics=statistics)
        return replace(found, statistics=statistics)
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
    found = replace(found, bound=bound, statistics=statistics)
    if found.verdict == FEASIBLE:
        return found
    return replace(found, certificate=complete(question.space, found, placed_at(found), claims))


def _worse(known: PlaceResult, found: PlaceResult) -> bool:
    """Whether z3's optimum is worse than what is known."""
    if found.objective is None or known.objective is None or found.verdict != OPTIMAL:
        return False
    return found.objective.key(known.order) > known.objective.key(known.order)


def _open_end(result: PlaceResult, question: Question) -> PlaceResult:
    """What the exact engines say, in words that stand where z3 is not asked."""
    if result.verdict not in {FEASIBLE, UNDECIDED}:
        return result
    what = (
        "a better placement was neither found nor excluded"
        if result.verdict == FEASIBLE
        else "neither a placement nor a proof that there is none was found"
    )
    gib, runs = len(question.cells), len(question.free)
    why = f"with {gib} GiB of memory and {runs} free runs the question is too large for z3"
    return replace(result, reason=f"{what}, and {why}", stopped=SIZE)
