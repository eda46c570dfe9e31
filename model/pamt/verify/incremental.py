"""Goals about one symbolic run, one after the other; what is proved helps with what follows.

For a function without stated invariants: the goals of a walk over a list (item by item, pair by
pair) mostly follow from those before them, where all at once would be out of reach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pamt.smt.symbolic import Symbols
    from pamt.smt.symbolic_query import Assignment

__all__ = ["Goal", "Goals", "prove_in_order"]


class Goal(NamedTuple):
    """`then` holds wherever all of `given` hold."""

    name: str
    given: tuple[Any, ...]
    then: Any


@dataclass(frozen=True)
class Goals:
    """What became of them."""

    proved: int
    steps: int
    failed: str | None = None
    """The first goal that does not hold, or is not settled."""
    counterexample: Assignment | None = None
    """Where it does not hold; None where it is not settled."""

    @property
    def hold(self) -> bool:
        return self.failed is None


def prove_in_order(symbols: Symbols, goals: Iterable[Goal], budget: int) -> Goals:
    """Prove the goals, each from those before it, within `budget` solver steps each.

    Goals may be made while others are being proved, from the same symbols.
    """
    from pamt.smt.symbolic_query import Query

    query = Query(symbols)
    proved = 0
    with query.holding(()):
        for goal in goals:
            wrong = symbols.negation(goal.then)
            answer = query.ask((*goal.given, wrong), budget)
            if answer.verdict != "unsat":
                return Goals(proved, query.steps, goal.name, answer.assignment)
            proved += 1
            given: Any = True
            for guard in goal.given:
                given = symbols.conjunction(given, guard)
            query.hold(symbols.disjunction([symbols.negation(given), goal.then]))
    return Goals(proved, query.steps)
