"""``verify``: does a policy keep a property on every map of a scope?

Case by case, smallest first; in each, one symbolic run stands for every map of the case, and every
way to break the property is one question to the solver.  The first case with an answer "yes" holds
the smallest counterexample; the cases of the same rank after it are gone through too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pamt.machine import Machine
from pamt.policies.protocol import Policy
from pamt.standins import complete
from pamt.verify.cases import Case, cases
from pamt.verify.interp import Value
from pamt.verify.obligation import (
    NotDecidedHere,
    Obligation,
    PlainRun,
    Property,
    SymbolicRun,
    run_plainly,
    run_symbolically,
)
from pamt.verify.properties import load_policy, parse_property
from pamt.verify.result import (
    DEFAULT_BUDGET,
    Budget,
    Counterexample,
    Disagreement,
    Vacuity,
    VerifyResult,
)
from pamt.verify.scope import Scope
from pamt.verify.smallest import Smallest, minimise
from pamt.verify.symbolic_map import EmptyCase, SymbolicMap, build_map, plain_machine

if TYPE_CHECKING:
    from pamt.smt.symbolic import Encoding

__all__ = ["Progress", "verify"]

Progress = Callable[[int, int, int], None]
"""Called with cases done, all cases, and solver steps used."""

Replacements = Mapping[Value, Callable[..., Value]]


@dataclass
class _Search:
    """What a run over the cases has found so far."""

    done: int = 0
    asked: int = 0
    trivial: int = 0
    steps: int = 0
    best: tuple[SymbolicMap, Smallest, Obligation] | None = None
    certified: bool = True
    undecided: list[str] = field(default_factory=list)
    reached: dict[str, bool] = field(default_factory=dict)
    """Reasons of returns, and whether a map with that answer was found."""
    satisfiable: bool = False


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
) -> VerifyResult:
    """Whether `policy` keeps a property on every map of `scope`.

    `replacements` exchanges functions of the policy for others in the symbolic run, as
    primitives of the interpreter (mutants are made that way; then nothing is replayed).
    Raises Refusal for a policy outside of the language subset, ValueError for unknown names, and
    Disagreement when a counterexample does not stand up to its replay.
    """
    the_policy = load_policy(policy) if isinstance(policy, str) else policy
    the_property = (
        parse_property(property_name) if isinstance(property_name, str) else property_name
    )
    search = _Search()
    all_cases = list(cases(scope))
    for case in all_cases:
        if search.best is not None and case.rank != search.best[0].case.rank:
            break
        if search.steps >= budget.total:
            search.undecided.append(
                f"the budget of {budget.total} steps ended after {search.done} of"
                f" {len(all_cases)} cases"
            )
            break
        _one_case(
            the_policy, the_property, scope, case, budget, encoding, search, vacuity, replacements
        )
        search.done += 1
        if progress is not None:
            progress(search.done, len(all_cases), search.steps)
    counterexample = None
    if search.best is not None:
        counterexample = _counterexample(
            the_policy, the_property, search, budget, replay=not replacements
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


def _one_case(
    policy: Policy,
    the_property: Property,
    scope: Scope,
    case: Case,
    budget: Budget,
    encoding: Encoding,
    search: _Search,
    vacuity: bool,
    replacements: Replacements | None,
) -> None:
    from pamt.smt.symbolic_query import Query

    try:
        made = build_map(scope, case, encoding)
    except EmptyCase:
        return
    if replacements:
        made.interpreter.primitives.update(replacements)
    run = run_symbolically(made, policy)
    query = Query(made.symbols)
    for obligation in _all_obligations(the_property, run):
        if obligation.undecided:
            search.undecided.append(f"{case.words()}: {obligation.label}")
            search.certified = False
            continue
        if any(guard is False for guard in obligation.guards):
            search.trivial += 1
            continue
        search.asked += 1
        answer = query.ask(obligation.guards, budget.per_query)
        if answer.verdict == "unknown":
            search.undecided.append(f"{case.words()}: {obligation.label}: {answer.reason}")
            search.certified = False
        if answer.assignment is None:
            continue
        before = search.best[1].measure if search.best is not None else None
        found = minimise(
            made, query, obligation.guards, answer.assignment, budget.per_query, before
        )
        if found is not None and (before is None or found.measure < before):
            search.best = (made, found, obligation)
    if vacuity:
        _reach(run, query, search, budget)
    search.steps += query.steps


def _all_obligations(the_property: Property, run: SymbolicRun) -> Iterator[Obligation]:
    """Those of the property, after "the policy does not raise"."""
    for fault in run.faults:
        yield Obligation(f"the policy {fault.what} ({fault.place})", (fault.guard,))
    try:
        yield from the_property.obligations(run)
    except NotDecidedHere as reason:
        yield Obligation(str(reason), (), undecided=True)


def _reach(run: SymbolicRun, query: Any, search: _Search, budget: Budget) -> None:
    for guard, outcome in run.outcomes():
        reason = str(outcome.reason)
        if search.reached.get(reason):
            continue
        answer = query.ask([guard], budget.per_query)
        found = answer.assignment is not None
        search.reached[reason] = found
        search.satisfiable = search.satisfiable or found


def _vacuity(search: _Search) -> Iterator[Vacuity]:
    yield Vacuity("the assumptions are satisfiable", search.satisfiable)
    for reason, found in sorted(search.reached.items()):
        yield Vacuity(
            f"the policy answers {reason} on some map",
            found,
            "" if found else "no map of the scope (as far as gone through) leads there",
        )


def _counterexample(
    policy: Policy, the_property: Property, search: _Search, budget: Budget, replay: bool
) -> Counterexample:
    assert search.best is not None
    made, found, obligation = search.best
    label = obligation.label
    machine = plain_machine(made, found.assignment, name=f"smallest-{the_property.name}")
    if not replay:
        return Counterexample(machine, None, label, label, found.measure, found.certified)
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
        certified=found.certified and search.certified,
        necessary=tuple(_without_each(policy, the_property, machine)),
        free_fields=tuple(_free_fields(made, found, obligation, budget)),
    )


def _free_fields(
    made: SymbolicMap, found: Smallest, obligation: Obligation, budget: Budget
) -> Iterator[str]:
    """Addresses that may have any other value the scope allows, with all others as they are."""
    from pamt.smt.symbolic_query import Query

    if obligation.witness:
        return  # "for every value there is a page" is not one question
    query = Query(made.symbols)
    domain = made.interpreter.domain
    broken: Any = True
    for guard in obligation.guards:
        broken = domain.conjunction(broken, guard)
    ranks = made.case.rank
    names = [f"memory range {i // 2}" for i in range(2 * ranks.ranges)]
    names += [f"CMR {i // 2}" for i in range(2 * ranks.cmrs)]
    names += [f"free run {i // 2}" for i in range(len(made.addresses) - len(names))]
    values = [found.assignment.integer(address) for address in made.addresses]
    for index, address in enumerate(made.addresses):
        if isinstance(address, int):
            continue
        others = [
            made.interpreter.equal(other, value)
            for at, (other, value) in enumerate(zip(made.addresses, values, strict=True))
            if at != index
        ]
        if query.ask([*others, domain.negation(broken)], budget.per_query).verdict == "unsat":
            yield f"{names[index]}: {'end' if index % 2 else 'start'}"


def _broken(policy: Policy, the_property: Property, run: PlainRun) -> str | None:
    if run.outcome is None:
        return f"the policy raised {run.error}"
    return the_property.broken(policy, run)


def _without_each(policy: Policy, the_property: Property, machine: Machine) -> Iterator[str]:
    """What the property says of the map without one of its items."""
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
            try:
                why = _broken(policy, the_property, run_plainly(policy, complete(smaller).machine))
            except (ValueError, RuntimeError) as error:
                yield f"{what} {index}: without it not a map of this kind ({error})"
                continue
            yield f"{what} {index}: without it " + ("the property holds" if why is None else why)
