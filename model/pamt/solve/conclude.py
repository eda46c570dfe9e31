"""An answer from what is known when a search ends, or is ended, before the question is settled.

The best placement of any engine or policy, the highest bound, and the proof that there is of it:
the same whether the search came to its end, ran out of steps, or was broken off from outside.

Source: docs/design.md, section 5 (bound, gap; greedy beside every search).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pamt.certificate import Certificate, Claim, Placed, Trust, check_certificate
from pamt.certificate.check import covers, floor, targets
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.placement import Objective, Space, build, pose
from pamt.ranges import RangeSet
from pamt.solve.budget import Known, Notes
from pamt.solve.result import (
    FEASIBLE,
    OPTIMAL,
    UNDECIDED,
    InternalDisagreement,
    PlaceResult,
)
from pamt.solve.rivals import Rival, judge_rivals

__all__ = ["certified", "complete", "conclude", "note_rivals", "placed_at", "steps_used"]


def note_rivals(
    machine: Machine, space: Space, outcomes: Sequence[tuple[str, Outcome]], notes: Notes
) -> tuple[Rival, ...]:
    """The policies' results that answer the question; `notes` are told of them."""
    judged = judge_rivals(machine, space, outcomes)
    found = tuple(rival for rival in judged if rival is not None)
    costs = {rival.name: rival.objective for rival in found}
    notes.policies({name: costs.get(name) for name, _ in outcomes})
    for rival in found:
        tdmrs = rival.configuration.tdmrs
        bases = tuple((t.pamt_4k.base, t.pamt_2m.base, t.pamt_1g.base) for t in tdmrs)
        ranges = tuple(tdmr.range for tdmr in tdmrs)
        notes.best(Known(rival.name, ranges, bases, RangeSet(), rival.objective))
    return found


def steps_used(budget: int) -> str:
    return f"the budget of {budget:,} step{'' if budget == 1 else 's'} is used up"


def conclude(
    machine: Machine, space: Space, notes: Notes, ended: PlaceResult, *, prove: bool = True
) -> PlaceResult:
    """The answer with the best of `ended`, which is not settled, and `notes`; certified.

    `prove` False leaves the certificate out, which may take a while to check.

    FEASIBLE, or UNDECIDED where no placement is known; OPTIMAL where the best placement meets the
    bound, although the search did not see it.
    """
    order = ended.order
    best = ended
    known = notes.known
    if known is not None and (
        ended.objective is None or known.objective.key(order) < ended.objective.key(order)
    ):
        question = pose(machine, space, known.given_up)
        best = replace(
            ended,
            verdict=FEASIBLE,
            configuration=build(question, known.tdmrs, known.bases),
            given_up=known.given_up,
            objective=known.objective,
            canonical=False,
        )
    values = _bounded(ended, notes)
    floors = pose(machine, space)
    keeps_all = space.give_up == 0
    low = Objective(
        *(values.get(name, floor(floors, name, keeps_all=keeps_all)) for name in Objective._fields)
    )
    if best.objective is None:
        return replace(ended, verdict=UNDECIDED, bound=low, certificate=None)
    settled = len(values) == len(order) and low.key(order) == best.objective.key(order)
    if settled:
        best = replace(best, verdict=OPTIMAL, bound=low)
        if ended.reason is not None:
            best = replace(best, reason=f"of equal ones, this may not be the first: {ended.reason}")
    else:
        best = replace(best, verdict=FEASIBLE, bound=low)
    if not prove:
        return replace(best, certificate=None)
    claims = [*notes.claims, *(ended.certificate.claims if ended.certificate else ())]
    certificate = complete(space, best, placed_at(best), claims, {} if settled else values)
    return certified(machine, space, replace(best, certificate=certificate))


def _bounded(ended: PlaceResult, notes: Notes) -> dict[str, int]:
    """The higher of two bounds: what was noted, and what the search's own certificate says."""
    values = dict(notes.values)
    if ended.certificate is None:
        return values
    own = dict(ended.certificate.bound)
    low = float("-inf")

    def key(bound: Mapping[str, int]) -> tuple[float, ...]:
        return tuple(bound.get(name, low) for name in ended.order)

    return own if key(own) > key(values) else values


def placed_at(result: PlaceResult) -> Placed | None:
    """Where a result's PAMTs lie, as a certificate says it."""
    if result.configuration is None:
        return None
    tdmrs = result.configuration.tdmrs
    return Placed(
        tuple(tdmr.range for tdmr in tdmrs),
        tuple((tdmr.pamt_4k.base, tdmr.pamt_2m.base, tdmr.pamt_1g.base) for tdmr in tdmrs),
        tuple(result.given_up),
    )


def complete(
    space: Space,
    result: PlaceResult,
    placed: Placed | None,
    claims: Sequence[Claim],
    bound: Mapping[str, int] | None = None,
) -> Certificate:
    """A certificate with those of the claims that are needed; missing ones on z3's word.

    `bound`: what is proved of a FEASIBLE answer; None: all of its bound.
    """
    value = {} if result.objective is None else dict(result.objective._asdict())
    if bound is None:
        bound = {}
        if result.verdict == FEASIBLE and result.bound is not None:
            bound = {name: getattr(result.bound, name) for name in result.order}
    bare = Certificate(result.verdict, space, result.order, placed, value, dict(bound))
    wanted = list(targets(bare))
    kept: list[Claim] = []
    for claim in claims:
        needed = any(covers(claim.at_most, target) for target in wanted)
        if needed and claim not in kept:
            kept.append(claim)
    solver = result.statistics.solver or "z3"
    trusted = [
        Claim(dict(target), (Trust(solver, "unsat"),))
        for target in wanted
        if not any(covers(claim.at_most, target) for claim in kept)
    ]
    return replace(bare, claims=(*kept, *trusted))


def certified(machine: Machine, space: Space, result: PlaceResult) -> PlaceResult:
    """The result with a certificate, where it has a verdict to prove, and the checker's answer."""
    certificate = result.certificate
    if certificate is None and result.verdict != UNDECIDED:
        certificate = complete(space, result, placed_at(result), ())
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
