"""``verify``: does a policy keep a property on every map of a scope?

Case by case, smallest first; in each, one symbolic run stands for every map of the case, and every
way to break the property is one question to the solver.  The first case with an answer "yes" is
among those that hold the smallest counterexample; all cases of its rank are gone through.  Then it
is looked for in each of them, and in the end certified: nothing in any of them is smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pamt.machine import Machine
from pamt.policies.protocol import Policy
from pamt.standins import complete
from pamt.verify.cases import Case, Rank, cases, count_cases
from pamt.verify.casework import (
    Refuted,
    Replacements,
    Task,
    improve,
    refute,
)
from pamt.verify.free_fields import free_fields
from pamt.verify.obligation import NotDecidedHere, PlainRun, Property, run_plainly
from pamt.verify.properties.simple import Never
from pamt.verify.result import (
    DEFAULT_BUDGET,
    Budget,
    Counterexample,
    Covered,
    Disagreement,
    Measure,
    Vacuity,
    VerifyResult,
    magnitude,
)
from pamt.verify.scope import Scope
from pamt.verify.symbolic_map import plain_machine
from pamt.verify.workers import Workers, workers

if TYPE_CHECKING:
    from pamt.smt.symbolic import Encoding

__all__ = ["Progress", "verify"]

Progress = Callable[[int, int, int], None]
"""Called with cases done, all cases, and solver steps used."""

BATCH = 32
"""Most cases that are gone through with one knowledge of which reasons were reached."""


class _Known(NamedTuple):
    """A map that breaks the property."""

    case: Case
    measure: Measure
    label: str
    certified: bool = False


@dataclass
class _Search:
    """What a run over the cases has found so far."""

    total: int
    """How many cases there are."""
    done: int = 0
    asked: int = 0
    trivial: int = 0
    steps: int = 0
    broken: list[tuple[Case, Refuted]] = field(default_factory=list)
    """Cases of one rank, with an obligation each that a map breaks."""
    known: _Known | None = None
    """The smallest map found so far."""
    undecided: list[str] = field(default_factory=list)
    reached: dict[str, bool] = field(default_factory=dict)
    """Reasons of returns, and whether a map with that answer was found."""
    premises: dict[str, bool] = field(default_factory=dict)
    """The same for what the property speaks of."""
    covered: dict[tuple[int, int, int, int], tuple[int, int]] = field(default_factory=dict)
    """Cases and obligations by numbers of items."""
    stopped: str = ""

    @property
    def rank(self) -> Rank | None:
        return self.broken[0][0].rank if self.broken else None

    @property
    def familiar(self) -> frozenset[str]:
        """Reasons and premises of which a map is known."""
        both = (*self.reached.items(), *self.premises.items())
        return frozenset(what for what, found in both if found)

    def add(self, case: Case, answer: Refuted) -> None:
        self.done += 1
        self.asked += answer.asked
        self.trivial += answer.trivial
        self.steps += answer.steps
        self.undecided += answer.undecided
        if answer.broken:
            self.broken.append((case, answer))
        if answer.map_found is not None:
            self.note(_Known(case, *answer.map_found))
        for reason, found in answer.reached:
            self.reached[reason] = self.reached.get(reason, False) or found
        for premise, found in answer.premises:
            self.premises[premise] = self.premises.get(premise, False) or found
        cases_before, before = self.covered.get(case.rank[:4], (0, 0))
        obligations = before + answer.asked + answer.trivial
        self.covered[case.rank[:4]] = (cases_before + 1, obligations)

    def note(self, known: _Known) -> None:
        """Keep a map if it is smaller than what is known."""
        if self.known is None or known.measure < self.known.measure:
            self.known = known

    def stop(self, reason: str) -> None:
        """End the work, for `reason`."""
        where = (
            f"after {self.done} of {magnitude(self.total)} cases"
            if self.done
            else "in the first case"
        )
        if self.broken and self.known is not None:
            where += ", while the smallest map was looked for"
        self.stopped = f"{reason} {where}"
        self.undecided.insert(0, self.stopped)


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
    stopped_by: Callable[[], str] = lambda: "interrupted",
) -> VerifyResult:
    """Whether `policy` keeps a property on every map of `scope`.

    `replacements` exchanges functions of the policy for others in the symbolic run, as
    primitives of the interpreter (mutants are made that way; then nothing is replayed).
    `jobs` processes go through the cases; the answer is the same for any number of them, steps
    included.  Only what is given by name can be sent to another process: with a function for
    `policy` or an object for the property, one process does it all.
    KeyboardInterrupt, and a budget that ends, end the work; what was found until then is kept.
    `stopped_by` says in words what the interrupt stands for.
    Raises Refusal for a policy outside of the language subset, ValueError for unknown names, and
    Disagreement when a counterexample does not stand up to its replay.
    """
    task = Task(policy, property_name, scope, budget, encoding, vacuity, replacements)
    _, the_property = task.parts()
    search = _Search(count_cases(scope))
    if progress is not None:
        progress(0, search.total, 0)
    counterexample = None
    try:
        with workers(task, jobs) as crew:
            _refute_all(crew, search, progress)
            if search.broken and not search.stopped:
                _smallest(crew, search)
        counterexample = _replayed(task, search)
    except KeyboardInterrupt:
        search.stop(stopped_by())
        counterexample = _replayed(task, search)
    verdict: Any = "UNDECIDED" if search.undecided else "HOLDS"
    if counterexample is not None and not search.stopped:
        verdict = "VIOLATED"
    return VerifyResult(
        verdict=verdict,
        policy=policy if isinstance(policy, str) else getattr(policy, "__name__", str(policy)),
        property=the_property.name,
        property_words=the_property.words,
        scope=scope.words(),
        scope_size=scope.size(),
        assumptions=scope.assumption_texts(),
        cases=search.total,
        cases_done=search.done,
        obligations=search.asked,
        trivial=search.trivial,
        steps=search.steps,
        counterexample=counterexample,
        undecided=tuple(search.undecided),
        vacuity=tuple(_vacuity(search, the_property)) if vacuity else (),
        covered=tuple(Covered(*key, *numbers) for key, numbers in search.covered.items()),
        stopped=search.stopped,
        untested=_untested(search) if verdict == "HOLDS" else "",
    )


def _refute_all(crew: Workers, search: _Search, progress: Progress | None) -> None:
    """Go through the cases until all of the rank of the first broken one are done."""
    total = crew.task.budget.total
    waiting = cases(crew.task.scope)
    size = 1
    while batch := list(islice(waiting, size)):
        size = min(2 * size, BATCH)
        familiar = search.familiar
        answers = crew.each(refute, ((case, familiar) for case in batch))
        for case in batch:
            if search.rank is not None and case.rank != search.rank:
                return
            if search.steps >= total:
                search.stop(f"the budget of {total} steps ended")
                return
            search.add(case, next(answers))
            if progress is not None:
                progress(search.done, search.total, search.steps)


def _smallest(crew: Workers, search: _Search) -> None:
    """Look for the smallest map of the broken cases, and settle whether it is that for certain."""
    total = crew.task.budget.total
    certified = not search.undecided
    waiting = search.broken
    best: _Known | None = None
    size = 1
    while waiting:
        if search.steps >= total:
            search.stop(f"the budget of {total} steps ended")
            return
        batch, waiting = waiting[:size], waiting[size:]
        size = min(2 * size, BATCH)
        known = best.measure if best is not None else None
        arguments = ((case, answer.broken, known) for case, answer in batch)
        for (case, _), better in zip(batch, crew.each(improve, arguments), strict=True):
            search.steps += better.steps
            certified = certified and better.complete
            found = better.found
            if found is not None and (best is None or found.measure < best.measure):
                best = _Known(case, found.measure, better.label, found.certified)
                search.note(best._replace(certified=False))
    if best is not None:
        search.known = best._replace(certified=certified and best.certified)


def _vacuity(search: _Search, the_property: Property) -> Iterator[Vacuity]:
    nowhere = "no map of the scope (as far as gone through) leads there"
    yield Vacuity("the assumptions are satisfiable", any(search.reached.values()))
    if isinstance(the_property, Never) and the_property.reason not in search.reached:
        what = f"a return of the policy answers {the_property.reason}"
        yield Vacuity(what, False, "none does in this scope: is the name right?")
    for premise, found in search.premises.items():
        yield Vacuity(f"{premise} on some map", found, "" if found else nowhere)
    for reason, found in sorted(search.reached.items()):
        yield Vacuity(f"the policy answers {reason} on some map", found, "" if found else nowhere)


def _untested(search: _Search) -> str:
    """The premise of the property that no map meets."""
    return next((premise for premise, found in search.premises.items() if not found), "")


def _replayed(task: Task, search: _Search) -> Counterexample | None:
    """The smallest map known, replayed; None where there is none, or where the replay has no end.

    Where the work was stopped, what is there for the reader's understanding only is left out.
    """
    if search.known is None:
        return None
    try:
        return _counterexample(task, search.known, brief=bool(search.stopped))
    except NotDecidedHere as reason:
        search.undecided.append(f"a map that seems to break it was not replayed: {reason}")
        return None


def _counterexample(task: Task, known: _Known, *, brief: bool) -> Counterexample:
    """The map with its replay.  Raises NotDecidedHere when that comes to no end."""
    policy, the_property = task.parts()
    case, addresses = known.case, known.measure.addresses
    machine = plain_machine(task.scope, case, addresses, f"smallest-{the_property.name}")
    if task.replacements:
        return Counterexample(
            machine, None, known.label, known.label, known.measure, known.certified
        )
    run = run_plainly(policy, complete(machine).machine)
    why = _broken(policy, the_property, run)
    if why is None:
        raise Disagreement(
            f"the symbolic run breaks {the_property.name} ({known.label}), the plain run does not",
            machine,
        )
    return Counterexample(
        machine,
        run.outcome,
        why,
        known.label,
        known.measure,
        certified=known.certified,
        necessary=() if brief else tuple(_without_each(policy, the_property, task.scope, machine)),
        free_fields=() if brief else tuple(free_fields(task, case, addresses)),
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
            try:
                why = _broken(policy, the_property, run_plainly(policy, complete(smaller).machine))
            except NotDecidedHere as reason:
                why = str(reason)
            yield f"{what} {index}: without it " + ("the property holds" if why is None else why)
