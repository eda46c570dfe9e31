"""What is done with one case: refuting it, and finding its smallest map.

Each of these depends on its arguments alone, never on what other cases gave: so cases can be gone
through in any order, in any number of processes, with the same answers and the same steps.

The smallest map of a case is looked for on the grid of 2 MiB first, where the solver has 512 times
fewer places for each address and nothing is off 2 MiB.  What is found there is the smallest map
unless one with fewer addresses off 1 GiB exists off that grid, which is one more question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pamt.policies.protocol import Policy
from pamt.verify.cases import Case
from pamt.verify.interp import Value
from pamt.verify.obligation import (
    Conditional,
    NotDecidedHere,
    Obligation,
    Property,
    SymbolicRun,
    run_symbolically,
)
from pamt.verify.properties import load_policy, parse_property
from pamt.verify.result import Budget, Measure
from pamt.verify.scope import Scope
from pamt.verify.smallest import GRAIN, Smallest, measure_of, minimise, smaller_than
from pamt.verify.symbolic_map import EmptyCase, SymbolicMap, build_map

if TYPE_CHECKING:
    from pamt.smt.symbolic import Encoding
    from pamt.smt.symbolic_query import Query

__all__ = [
    "Improved",
    "Refuted",
    "Replacements",
    "Task",
    "all_obligations",
    "improve",
    "refute",
    "set_up",
]

Replacements = Mapping[Value, Callable[..., Value]]


@dataclass(frozen=True)
class Task:
    """The question that is asked of every case.  Pickled if policy and property are names."""

    policy: str | Policy
    the_property: str | Property
    scope: Scope
    budget: Budget
    encoding: Encoding
    vacuity: bool = True
    replacements: Replacements | None = None
    loaded: list[tuple[Policy, Property]] = field(default_factory=list, compare=False)

    def parts(self) -> tuple[Policy, Property]:
        """Policy and property as such; those of a file are loaded once."""
        if not self.loaded:
            policy, name = self.policy, self.the_property
            self.loaded.append(
                (
                    load_policy(policy) if isinstance(policy, str) else policy,
                    parse_property(name) if isinstance(name, str) else name,
                )
            )
        return self.loaded[0]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "loaded": []}

    @property
    def can_be_sent(self) -> bool:
        """Whether another process can do it: functions have no way there but their names."""
        named = isinstance(self.policy, str) and isinstance(self.the_property, str)
        return named and not self.replacements


class Refuted(NamedTuple):
    """What became of the obligations of a case."""

    steps: int = 0
    asked: int = 0
    trivial: int = 0
    broken: tuple[int, ...] = ()
    """Indices of obligations that a map breaks."""
    undecided: tuple[str, ...] = ()
    reached: tuple[tuple[str, bool], ...] = ()
    """Reasons of returns, and whether a map of the case leads there."""
    premises: tuple[tuple[str, bool], ...] = ()
    """What has to happen for the property to be put to the test, and whether it does somewhere."""
    map_found: tuple[Measure, str] | None = None
    """Some map that breaks the first of `broken`, and what that is."""


class Improved(NamedTuple):
    """What a case says about the smallest map."""

    steps: int = 0
    found: Smallest | None = None
    """The smallest map of the case, if it is smaller than what was known."""
    label: str = ""
    complete: bool = True
    """Every question was settled."""


def set_up(task: Task, made: SymbolicMap) -> SymbolicRun:
    """Run the policy of `task` on a symbolic map."""
    if task.replacements:
        made.interpreter.primitives.update(task.replacements)
    return run_symbolically(made, task.parts()[0])


def all_obligations(task: Task, run: SymbolicRun) -> Iterator[Obligation]:
    """Those of the property, after "the policy does not raise"."""
    for fault in run.faults:
        yield Obligation(f"the policy {fault.what} ({fault.place})", (fault.guard,))
    try:
        yield from task.parts()[1].obligations(run)
    except NotDecidedHere as reason:
        yield Obligation(str(reason), (), undecided=True)


def _open(obligation: Obligation) -> bool:
    """Whether a solver has to be asked."""
    return not any(guard is False for guard in obligation.guards)


def refute(task: Task, case: Case, known: frozenset[str]) -> Refuted:
    """Ask all obligations of a case; and of reasons and premises not among `known`, a map each."""
    from pamt.smt.symbolic_query import Query

    try:
        made = build_map(task.scope, case, task.encoding)
    except EmptyCase:
        return Refuted()
    run = set_up(task, made)
    query = Query(made.symbols)
    asked = trivial = 0
    broken: list[int] = []
    undecided: list[str] = []
    map_found: tuple[Measure, str] | None = None
    for index, obligation in enumerate(all_obligations(task, run)):
        if obligation.undecided:
            if _may_hold(query, obligation.guards, task.budget.per_query):
                undecided.append(f"{case.words()}: {obligation.label}")
            continue
        if not _open(obligation):
            trivial += 1
            continue
        asked += 1
        answer = query.ask(obligation.guards, task.budget.per_query)
        if answer.verdict == "unknown":
            why = f"the solver gave up ({answer.reason})"
            undecided.append(f"{case.words()}: {obligation.label}: {why}")
        if answer.assignment is not None:
            broken.append(index)
            if map_found is None:
                map_found = (measure_of(made, answer.assignment), obligation.label)
    reached: tuple[tuple[str, bool], ...] = ()
    premises: tuple[tuple[str, bool], ...] = ()
    if task.vacuity:
        reached = tuple(_reach(task, run, query, known))
        premises = tuple(_premises(task, run, query, known))
    return Refuted(
        query.steps,
        asked,
        trivial,
        tuple(broken),
        tuple(undecided),
        reached,
        premises,
        map_found,
    )


def _may_hold(query: Query, guards: Sequence[object], limit: int) -> bool:
    """Whether what is not decided there happens at all."""
    return not guards or query.ask(guards, limit).verdict != "unsat"


def _reach(
    task: Task, run: SymbolicRun, query: Query, known: frozenset[str]
) -> Iterator[tuple[str, bool]]:
    here: set[str] = set()
    for guard, outcome in run.outcomes():
        reason = str(outcome.reason)
        if reason in known or reason in here:
            continue
        found = query.ask([guard], task.budget.per_query).verdict == "sat"
        if found:
            here.add(reason)
        yield reason, found


def _premises(
    task: Task, run: SymbolicRun, query: Query, known: frozenset[str]
) -> Iterator[tuple[str, bool]]:
    the_property = task.parts()[1]
    if not isinstance(the_property, Conditional) or the_property.premise in known:
        return
    try:
        found = any(
            query.ask(guards, task.budget.per_query).verdict == "sat"
            for guards in the_property.meets_premise(run)
            if not any(guard is False for guard in guards)
        )
    except NotDecidedHere:
        # Then the obligations are not decided either.
        return
    yield the_property.premise, found


def improve(task: Task, case: Case, broken: Sequence[int], best: Measure | None) -> Improved:
    """The smallest map of a case that breaks an obligation, if it is smaller than `best`.

    `broken` are the obligations that can be broken at all.
    """
    aligned = _on_grid(task, case, best)
    known = aligned.found.measure if aligned.found is not None else best
    made = build_map(task.scope, case, task.encoding)
    # A map that is smaller still, if any, is not on the grid, unless something is left open there.
    fewest = 1 if aligned.complete else 0
    off_grid = _among(task, made, broken, known, fewest, aligned_is_known=aligned.complete)
    steps = aligned.steps + off_grid.steps
    complete = aligned.complete and off_grid.complete
    better = off_grid if off_grid.found is not None else aligned
    return Improved(steps, better.found, better.label, complete)


def _on_grid(task: Task, case: Case, best: Measure | None) -> Improved:
    """The smallest map on the grid of 2 MiB, if it is smaller than `best`.

    Which obligations there are, and their order, may differ from those off the grid: all are asked.
    """
    try:
        made = build_map(task.scope, case, task.encoding, GRAIN)
    except EmptyCase:
        return Improved()
    return _among(task, made, None, best, 0, aligned_is_known=False)


def _among(
    task: Task,
    made: SymbolicMap,
    broken: Sequence[int] | None,
    best: Measure | None,
    fewest_off_2m: int,
    *,
    aligned_is_known: bool,
) -> Improved:
    from pamt.smt.symbolic_query import Query

    limit = task.budget.per_query
    run = set_up(task, made)
    query = Query(made.symbols)
    found: Smallest | None = None
    label, complete = "", True
    for index, obligation in enumerate(all_obligations(task, run)):
        if obligation.undecided:
            complete = complete and not _may_hold(query, obligation.guards, limit)
            continue
        if (broken is not None and index not in broken) or not _open(obligation):
            continue
        guards: tuple[object, ...] = obligation.guards
        if best is not None:
            smaller = smaller_than(made, best, aligned_is_known=aligned_is_known)
            guards = (smaller, *guards)
        answer = query.ask(guards, limit)
        complete = complete and answer.verdict != "unknown"
        if answer.assignment is None:
            continue
        smallest = minimise(made, query, guards, answer.assignment, limit, best, fewest_off_2m)
        complete = complete and (smallest is None or smallest.certified)
        if smallest is not None and (best is None or smallest.measure < best):
            found, label, best = smallest, obligation.label, smallest.measure
    return Improved(query.steps, found, label, complete)
