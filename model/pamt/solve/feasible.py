"""Whether a placement question has any answer at all, asked quickly."""

from __future__ import annotations

from pamt.machine import Machine
from pamt.placement import Question, Space, pose
from pamt.ranges import PAGE, RangeSet
from pamt.solve.cuts import search_cuts
from pamt.solve.engine.any_cut import place_any_cut
from pamt.solve.engine.branch import Budget
from pamt.solve.result import INFEASIBLE

__all__ = ["is_feasible"]

NODES = 2_000
STEPS = 20_000_000
MOST_TERMS = 4_000
"""Free runs times places to cut up to which z3 is asked."""
# What few TDMRs and few areas allow, more would not.
ORDER = ("lost", "areas", "tdmrs")


def is_feasible(machine: Machine, space: Space, given_up: RangeSet | None = None) -> bool | None:
    """Whether a completed machine has a configuration in a space, with these pages withdrawn.

    None where that was not settled.  ``space.give_up`` allows for no further pages.
    Raises :class:`pamt.placement.InputError` where the machine can't be asked about.
    """
    pages = given_up.size // PAGE if given_up is not None else 0
    question = pose(machine, space._replace(give_up=pages), given_up)
    if question.trivial is not None:
        return False
    result = place_any_cut(question, ORDER, Budget(NODES), canonical=False).result
    if result.verdict == INFEASIBLE:
        return False
    if result.objective is not None:
        return True
    if len(question.free) * _places(question) > MOST_TERMS:
        return None
    found = search_cuts(question, ("lost",), STEPS, canonical=False)
    if found.verdict == INFEASIBLE:
        return False
    return True if found.objective is not None else None


def _places(question: Question) -> int:
    return len(question.cells if question.tdmrs is None else question.tdmrs)
