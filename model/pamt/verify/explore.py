"""The exhaustive path explorer: runs a policy as Python runs it, once for each path.

Symbolic integers stand in the machine, and every ``if`` on them asks the solver which way is
possible; where both are, one is taken and the other kept for later.  No syntax tree is read, so
this is an independent check of the interpreter, and a fallback for policies outside of its language
subset.  The number of paths grows about tenfold with each memory range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import Policy, run_policy
from pamt.standins import complete
from pamt.verify.symbolic_map import SymbolicMap

__all__ = ["Path", "TooManyPaths", "explore", "explore_function"]


class Path(NamedTuple):
    """One path: the decisions that lead to it, and what comes out at its end."""

    decisions: tuple[Any, ...]
    """Guards; all hold on the path."""
    outcome: Any
    """What the function returned, or the exception it raised."""


class TooManyPaths(RuntimeError):
    """More paths than were allowed, or a question that the solver gave up on."""


def explore(policy: Policy, made: SymbolicMap, limit: int = 10_000) -> Iterator[Path]:
    """Every path of `policy` on a symbolic map, stand-ins included.

    Raises TooManyPaths beyond `limit` paths.
    """
    machine = made.machine
    bare = Machine(
        limits=machine.limits,
        cmrs=machine.cmrs,
        memory=machine.memory,
        free=machine.free if made.free_given else None,
    )

    def run() -> Outcome:
        return run_policy(policy, complete(bare).machine)

    return explore_function(run, made.symbols, limit)


def explore_function(
    function: Callable[[], Any], symbols: Any, limit: int = 10_000, budget: int = 50_000_000
) -> Iterator[Path]:
    """Every path of a function of symbolic values, depth first, in a fixed order."""
    from pamt.smt.symbolic_query import Query

    query = Query(symbols)
    waiting: list[list[bool]] = [[]]
    found = 0
    while waiting:
        given = waiting.pop()
        taken: list[bool] = []
        guards: list[Any] = []

        def decide(
            guard: Any,
            given: list[bool] = given,
            taken: list[bool] = taken,
            guards: list[Any] = guards,
        ) -> bool:
            for known in guards:
                if known is guard:
                    return True
                if known is symbols.negation(guard):
                    return False
            if len(taken) < len(given):
                way = given[len(taken)]
            else:
                yes = _possible(query, [*guards, guard], budget)
                no = _possible(query, [*guards, symbols.negation(guard)], budget)
                if yes and no:
                    waiting.append([*taken, False])
                way = yes
            taken.append(way)
            guards.append(guard if way else symbols.negation(guard))
            return way

        symbols.decide = decide
        try:
            outcome: Any = function()
        except TooManyPaths:
            raise
        except Exception as error:  # noqa: BLE001 - a path that raises is a path
            outcome = error
        finally:
            symbols.decide = None
        found += 1
        if found > limit:
            raise TooManyPaths(f"more than {limit} paths")
        yield Path(tuple(guards), outcome)


def _possible(query: Any, guards: list[Any], budget: int) -> bool:
    answer = query.ask(guards, budget)
    if answer.verdict == "unknown":
        raise TooManyPaths(f"the solver gave up: {answer.reason}")
    return bool(answer.verdict == "sat")
