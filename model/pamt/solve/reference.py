"""The complete reference solver: a bound loop over z3, component by component.

Each component of the objective is brought down as far as it goes and then held there; a bound is
raised only where z3 says "unsat", so at any moment best and bound are both true.  Every
configuration is judged by the plain rules before it counts; what z3 claims of it must agree.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.placement import DEFAULT_OBJECTIVE, LINUX, Space, pose
from pamt.smt.estimate import MOST_MEMORY
from pamt.smt.session import solver_version
from pamt.solve.budget import QUIET, Watch
from pamt.solve.cuts import search_cuts
from pamt.solve.giving_up import give_up
from pamt.solve.result import INFEASIBLE, PlaceResult, Statistics
from pamt.solve.rivals import check_rivals, run_rivals

__all__ = ["DEFAULT_STEPS", "ENGINE", "place"]

ENGINE = "z3"
DEFAULT_STEPS = 2_000_000_000
"""Steps that a question may take: half of it enough for every node of the exact engines."""


def place(
    machine: Machine,
    space: Space = LINUX,
    objective: Sequence[str] = DEFAULT_OBJECTIVE,
    budget: int = DEFAULT_STEPS,
    *,
    rivals: Sequence[tuple[str, Outcome]] | None = None,
    canonical: bool = True,
    watch: Watch = QUIET,
    memory: int = MOST_MEMORY,
) -> PlaceResult:
    """Decide the placement question for a completed machine.

    `objective`: component names, most important first.  `budget`: z3 steps in all.  `rivals`:
    outcomes of policies to compare with; None runs the built-in ones.  `canonical` False stops at
    any optimum.  `watch` is told what is found; `memory`: bytes that an encoding may take.

    Raises :class:`pamt.placement.InputError` where the machine can't be asked about, and
    :class:`pamt.solve.InternalDisagreement` where parts of this program contradict each other.
    """
    order = tuple(objective)
    result = _decide(machine, space, order, budget, canonical, watch, memory)
    check_rivals(machine, space, result, run_rivals(machine) if rivals is None else rivals)
    return result


def _decide(
    machine: Machine,
    space: Space,
    order: tuple[str, ...],
    budget: int,
    canonical: bool,
    watch: Watch,
    memory: int,
) -> PlaceResult:
    solver = f"z3 {solver_version()}"
    if space.give_up:
        return give_up(
            machine, space, order, budget, canonical=canonical, solver=solver, watch=watch
        )
    question = pose(machine, space)
    if question.trivial is not None:
        return PlaceResult(
            INFEASIBLE, order, cause=question.trivial, statistics=Statistics(ENGINE, solver)
        )
    result = search_cuts(question, order, budget, canonical=canonical, watch=watch, memory=memory)
    return replace(result, statistics=replace(result.statistics, solver=solver))
