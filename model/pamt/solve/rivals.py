"""Policies run beside every search: none may do better than an "optimum".

A policy's success is judged as an answer to the question: its TDMRs and PAMT positions with the
areas that the space's rule yields for them.  Source: docs/design.md, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.configuration import Configuration
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.placement import Objective, Question, Space, build, evaluate, pose
from pamt.policies.protocol import run_policy
from pamt.policies.registry import get_policy
from pamt.solve.result import INFEASIBLE, OPTIMAL, InternalDisagreement, PlaceResult

__all__ = [
    "RIVALS",
    "Rival",
    "check_rivals",
    "compare",
    "judge_rival",
    "judge_rivals",
    "run_rivals",
]

RIVALS = ("greedy", "linux:mainline")


class Rival(NamedTuple):
    """A policy's success as an answer to the question, and what it costs."""

    name: str
    configuration: Configuration
    objective: Objective


def run_rivals(machine: Machine) -> tuple[tuple[str, Outcome], ...]:
    """Outcomes of the built-in rivals on a completed machine."""
    return tuple((name, run_policy(get_policy(name), machine)) for name in RIVALS)


def judge_rival(machine: Machine, space: Space, name: str, outcome: Outcome) -> Rival | None:
    """The outcome as an answer to the question; None where it failed or is none."""
    return judge_rivals(machine, space, ((name, outcome),))[0]


def judge_rivals(
    machine: Machine, space: Space, outcomes: Sequence[tuple[str, Outcome]]
) -> tuple[Rival | None, ...]:
    """Each outcome as an answer to the question; None where it failed or is none."""
    question: Question | None = None
    found: list[Rival | None] = []
    for name, outcome in outcomes:
        found.append(None)
        if not outcome.succeeded or outcome.dynamic_pamt != machine.limits.dynamic_pamt:
            continue
        placed = outcome.configuration()
        question = question or pose(machine, space)
        if question.trivial is not None:
            continue
        ranges = [t.range for t in placed.tdmrs]
        bases = [(t.pamt_4k.base, t.pamt_2m.base, t.pamt_1g.base) for t in placed.tdmrs]
        configuration = build(question, ranges, bases)
        judged = evaluate(machine, space, configuration)
        if judged.objective is not None:
            found[-1] = Rival(name, configuration, judged.objective)
    return tuple(found)


def check_rivals(
    machine: Machine,
    space: Space,
    result: PlaceResult,
    outcomes: Sequence[tuple[str, Outcome]],
) -> tuple[Rival, ...]:
    """The rivals that answer the question.

    Raises InternalDisagreement when one succeeds although `result` is INFEASIBLE, or is better than
    its optimum or its bound.
    """
    judged = judge_rivals(machine, space, outcomes)
    found = tuple(rival for rival in judged if rival is not None)
    compare(result, found)
    return found


def compare(result: PlaceResult, rivals: Sequence[Rival]) -> None:
    """Raises InternalDisagreement where a rival is better than it can be."""
    for rival in rivals:
        if result.verdict == INFEASIBLE:
            raise InternalDisagreement(
                ("placement", rival.name), f"INFEASIBLE, but it finds {rival.objective}"
            )
        least = result.objective if result.verdict == OPTIMAL else result.bound
        if least is not None and rival.objective.key(result.order) < least.key(result.order):
            raise InternalDisagreement(
                ("placement", rival.name), f"no better than {least}, but it finds {rival.objective}"
            )
