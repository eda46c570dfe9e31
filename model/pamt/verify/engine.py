"""``verify``: does a policy keep a property on every map of a scope?

Case by case, smallest first; in each, one symbolic run stands for every map of the case, and every
way to break the property is one question to the solver.  The first case with an answer "yes" is
among those that hold the smallest counterexample; all cases of its rank are gone through.  Then it
is looked for in each of them, and in the end certified: nothing in any of them is smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pamt.machine import Machine
from pamt.policies.protocol import Policy
from pamt.standins import complete
from pamt.verify.cases import Case, Rank, cases
from pamt.verify.casework import (
    Refuted,
    Replacements,
    Task,
    improve,
    refute,
)
from pamt.verify.free_fields import free_fields
from pamt.verify.obligation import PlainRun, Property, run_plainly
from pamt.verify.result import (
    DEFAULT_BUDGET,
    Budget,
    Counterexample,
    Disagreement,
    Vacuity,
    VerifyResult,
)
from pamt.verify.scope import Scope
from pamt.verify.smallest import Smallest
from pamt.verify.symbolic_map import plain_machine
from pamt.verify.workers import Workers, workers

if TYPE_CHECKING:
    from pamt.smt.symbolic import Encoding

__all__ = ["Progress", "verify"]

Progress = Callable[[int, int, int], None]
"""Called with cases done, all cases, and solver steps used."""

BATCH = 32
"""Most cases that are gone through with one knowledge of which reasons were reached."""


@dataclass
class _Search:
    """What a run over the cases has found so far."""

    done: int = 0
    asked: int = 0
    trivial: int = 0
    steps: int = 0
    broken: list[tuple[Case, Refuted]] = field(default_factory=list)
    """Cases of one rank, with an obligation each that a map breaks."""
    undecided: list[str] = field(default_factory=list)
    reached: dict[str, bool] = field(default_factory=dict)
    """Reasons of returns, and whether a map with that answer was found."""

    @property
    def rank(self) -> Rank | None:
        return self.broken[0][0].rank if self.broken else None

    def add(self, case: Case, answer: Refuted) -> None:
        self.done += 1
        self.asked += answer.asked
        self.trivial += answer.trivial
        self.steps += answer.steps
        self.undecided += answer.undecided
        if answer.broken:
            self.broken.append((case, answer))
        for reason, found in answer.reached:
            self.reached[reason] = self.reached.get(reason, False) or found


def verify(
    policy: str | Policy,
    property_name: str | Property,
    scope: Scope,
    budget: Budget = DEFAULT_BUDGET,
    *,
    encoding: Encoding = "lin",
    progress: Progress | None = None,
    vacuity: bool = True,
    replacements: Replacements | None = None,
    jobs: int = 1,
) -> VerifyResult:
    """Whether `policy` keeps a property on every map of `scope`.

    `replacements` exchanges functions of the policy for others in the symbolic run, as
    primitives of the interpreter (mutants are made that way; then nothing is replayed).
    `jobs` processes go through the cases; the answer is the same for any number of them, steps
    included.  Only what is given by name can be sent to another process: with a function for
    `policy` or an object for the property, one process does it all.
    Raises Refusal for a policy outside of the language subset, ValueError for unknown names, and
    Disagreement when a counterexample does not stand up to its replay.
    """
    task = Task(policy, property_name, scope, budget, encoding, vacuity, replacements)
    _, the_property = task.parts()
    search = _Search()
    all_cases = list(cases(scope))
    counterexample = None
    with workers(task, jobs) as crew:
        _refute_all(crew, all_cases, search, progress)
        if search.broken:
            case, found, label, certified = _smallest(crew, search)
            counterexample = _counterexample(
                task, case, found, label, certified, replay=not replacements
            )
    verdict: Any = "VIOLATED" if counterexample else "UNDECIDED" if search.undecided else "HOLDS"
    return VerifyResult(
        verdict=verdict,
        policy=policy if isinstance(policy, str) else getattr(policy, "__name__", str(policy)),
        property=the_property.name,
        property_words=the_property.words,
        scope=scope.words(),
        scope_size=scope.size(),
        assumptions=scope.assumption_texts(),
        cases=len(all_cases),
        cases_done=search.done,
        obligations=search.asked,
        trivial=search.trivial,
        steps=search.steps,
        counterexample=counterexample,
        undecided=tuple(search.undecided),
        vacuity=tuple(_vacuity(search)) if vacuity else (),
    )


def _refute_all(
    crew: Workers, all_cases: list[Case], search: _Search, progress: Progress | None
) -> None:
    """Go through the cases until all of the rank of the first broken one are done."""
    total = crew.task.budget.total
    size = 1
    while search.done < len(all_cases):
        batch = all_cases[search.done : search.done + size]
        size = min(2 * size, BATCH)
        known = frozenset(reason for reason, found in search.reached.items() if found)
        answers = crew.each(refute, ((case, known) for case in batch))
        for case in batch:
            if search.rank is not None and case.rank != search.rank:
                return
            if search.steps >= total:
                search.undecided.append(
                    f"the budget of {total} steps ended after {search.done} of"
                    f" {len(all_cases)} cases"
                )
                return
            search.add(case, next(answers))
            if progress is not None:
                progress(search.done, len(all_cases), search.steps)


def _smallest(crew: Workers, search: _Search) -> tuple[Case, Smallest, str, bool]:
    """The smallest map of the broken cases, with its label, and whether that is certain.

    Ctrl-C ends the search with the smallest map known, if there is one.
    """
    best: tuple[Smallest, Case, str] | None = None
    certified = not search.undecided
    waiting = search.broken
    size = 1
    while waiting:
        batch, waiting = waiting[:size], waiting[size:]
        size = min(2 * size, BATCH)
        known = best[0].measure if best is not None else None
        arguments = ((case, answer.broken, known) for case, answer in batch)
        try:
            for (case, _), better in zip(batch, crew.each(improve, arguments), strict=True):
                search.steps += better.steps
                certified = certified and better.complete
                found = better.found
                if found is not None and (best is None or found.measure < best[0].measure):
                    best = (found, case, better.label)
        except KeyboardInterrupt:
            if best is None:
                raise
            certified = False
            break
    assert best is not None, "a map that breaks it was found before"
    return best[1], best[0], best[2], certified and best[0].certified


def _vacuity(search: _Search) -> Iterator[Vacuity]:
    yield Vacuity("the assumptions are satisfiable", any(search.reached.values()))
    for reason, found in sorted(search.reached.items()):
        yield Vacuity(
            f"the policy answers {reason} on some map",
            found,
            "" if found else "no map of the scope (as far as gone through) leads there",
        )


def _counterexample(
    task: Task, case: Case, found: Smallest, label: str, certified: bool, *, replay: bool
) -> Counterexample:
    policy, the_property = task.parts()
    name = f"smallest-{the_property.name}"
    machine = plain_machine(task.scope, case, found.measure.addresses, name)
    if not replay:
        return Counterexample(machine, None, label, label, found.measure, certified)
    run = run_plainly(policy, complete(machine).machine)
    why = _broken(policy, the_property, run)
    if why is None:
        raise Disagreement(
            f"the symbolic run breaks {the_property.name} ({label}), the plain run does not",
            machine,
        )
    return Counterexample(
        machine,
        run.outcome,
        why,
        label,
        found.measure,
        certified=certified,
        necessary=tuple(_without_each(policy, the_property, task.scope, machine)),
        free_fields=tuple(free_fields(task, case, found.measure.addresses)),
    )


def _broken(policy: Policy, the_property: Property, run: PlainRun) -> str | None:
    if run.outcome is None:
        return f"the policy raised {run.error}"
    return the_property.broken(policy, run)


def _without_each(
    policy: Policy, the_property: Property, scope: Scope, machine: Machine
) -> Iterator[str]:
    """Each item of the map, and why it is there: what is the case without it."""
    from dataclasses import replace

    lists: list[tuple[str, Any]] = [("memory range", machine.memory)]
    if machine.free is not None:
        lists.append(("free run", machine.free))
    lists.append(("CMR", machine.cmrs))
    fields = {"memory range": "memory", "free run": "free", "CMR": "cmrs"}
    for what, items in lists:
        for index in range(len(items or ())):
            rest = tuple(item for at, item in enumerate(items) if at != index)
            if not rest and what != "free run":
                yield f"{what} {index}: the only one"
                continue
            changed: dict[str, Any] = {fields[what]: rest}
            smaller = replace(machine, **changed)
            outside = scope.excludes(smaller)
            if outside is not None:
                yield f"{what} {index}: without it not a map of this scope ({outside})"
                continue
            why = _broken(policy, the_property, run_plainly(policy, complete(smaller).machine))
            yield f"{what} {index}: without it " + ("the property holds" if why is None else why)
