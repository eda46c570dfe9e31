"""Placement when pages may be given up: every case in turn, fewest pages first, best kept.

Each case (:mod:`pamt.solve.withdrawals`) is a question of its own; a case whose bound is already
worse than the best known is passed over, and z3 is asked only for what is no worse.

Source: docs/design.md, section 5 (``--give-up``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pamt.machine import Machine
from pamt.placement import Objective, Question, Space, canonical_key, pose
from pamt.ranges import PAGE
from pamt.smt.bounds import lower_bounds
from pamt.solve.budget import QUIET, Watch, WithoutBounds, within
from pamt.solve.cuts import search_cuts
from pamt.solve.result import (
    FEASIBLE,
    INFEASIBLE,
    METHOD,
    OPTIMAL,
    STEPS,
    UNDECIDED,
    PlaceResult,
    Statistics,
)
from pamt.solve.withdrawals import forced_cause, pose_withdrawal, withdrawals

__all__ = ["MOST_CASES", "give_up"]

MOST_CASES = 100_000
"""Cases looked at before the answer is left open."""


def give_up(
    machine: Machine,
    space: Space,
    order: tuple[str, ...],
    budget: int,
    *,
    canonical: bool,
    solver: str,
    watch: Watch = QUIET,
) -> PlaceResult:
    """Decide a question in which up to ``space.give_up`` pages may go."""
    cause = forced_cause(machine, space)
    if cause is not None:
        return PlaceResult(INFEASIBLE, order, cause=cause, statistics=Statistics("z3", solver))
    best: PlaceResult | None = None
    open_bounds: list[Objective] = []
    checks = steps = assertions = 0
    reason: str | None = None
    stopped: str | None = None
    for number, case in enumerate(withdrawals(machine, space)):
        known = best.objective if best is not None else None
        if known is not None and order[0] == "lost" and case.lost > known.lost:
            break
        left = within(budget - steps, watch)
        if number >= MOST_CASES or left <= 0:
            reason = f"only the first {number} ways to give up pages were looked at"
            stopped = METHOD if left > 0 else STEPS
            # Cases come with ever more pages; of the rest no more is known.
            open_bounds.append(_least(pose(machine, space), case.lost))
            break
        question = pose_withdrawal(machine, space, case)
        if question.trivial is not None:
            continue
        low = lower_bounds(question)
        if low.max_areas > machine.limits.max_reserved_per_tdmr:
            continue
        if known is not None and low.key(order) > known.key(order):
            continue
        result = search_cuts(
            question,
            order,
            left,
            canonical=canonical,
            floats=case.floats,
            known=known,
            watch=WithoutBounds(watch),
        )
        checks += result.statistics.checks
        steps += result.statistics.steps
        assertions += result.statistics.assertions
        reason, stopped = reason or result.reason, stopped or result.stopped
        if result.verdict in {FEASIBLE, UNDECIDED}:
            open_bounds.append(result.bound or low)
        if result.objective is not None and _better(result, best):
            best = result
    spent = Statistics("z3", solver, checks, steps, assertions)
    found = _combined(best, order, open_bounds, reason, spent)
    return replace(found, stopped=stopped if found.reason is not None else None)


def _least(question: Question, lost: int) -> Objective:
    """Below every configuration that gives up `lost` pages or more."""
    nodes = [r.node for r in question.memory]
    weights = [question.weight(home, node) for home in set(nodes) for node in set(nodes)]
    return Objective(lost, min((0, *weights)) * (question.free_set.size // PAGE), 0, 0, 0, 0)


def _better(result: PlaceResult, best: PlaceResult | None) -> bool:
    if best is None:
        return True
    return _key(result) < _key(best)


def _key(result: PlaceResult) -> tuple[object, ...]:
    assert result.objective is not None
    assert result.configuration is not None
    return (
        result.objective.key(result.order),
        canonical_key(result.configuration, result.given_up),
    )


def _combined(
    best: PlaceResult | None,
    order: tuple[str, ...],
    open_bounds: Sequence[Objective],
    reason: str | None,
    spent: Statistics,
) -> PlaceResult:
    if best is None:
        if not open_bounds:
            return PlaceResult(INFEASIBLE, order, statistics=spent)
        bound = min(open_bounds, key=lambda b: b.key(order))
        return PlaceResult(UNDECIDED, order, bound=bound, reason=reason, statistics=spent)
    assert best.objective is not None
    lows = [*open_bounds, best.objective]
    bound = min(lows, key=lambda b: b.key(order))
    settled = bound.key(order) == best.objective.key(order)
    return replace(
        best,
        verdict=OPTIMAL if settled else FEASIBLE,
        bound=bound,
        canonical=best.canonical and not open_bounds,
        reason=reason,
        statistics=spent,
    )
