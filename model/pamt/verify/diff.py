"""``diff``: where two policies answer differently, and the smallest map for each difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import Policy
from pamt.standins import complete
from pamt.verify.cases import Case, Rank, cases, count_cases
from pamt.verify.interp import Fault, Refusal
from pamt.verify.obligation import run_plainly, run_symbolically
from pamt.verify.properties import load_policy
from pamt.verify.result import (
    DEFAULT_BUDGET,
    Budget,
    Covered,
    Disagreement,
    Measure,
    magnitude,
)
from pamt.verify.scope import Scope
from pamt.verify.smallest import Smallest, measure_of, minimise
from pamt.verify.symbolic_map import EmptyCase, SymbolicMap, build_map, plain_machine

if TYPE_CHECKING:
    from pamt.smt.symbolic import Encoding
    from pamt.smt.symbolic_query import Query

__all__ = ["DiffResult", "Difference", "diff"]


class Difference(NamedTuple):
    """A pair of answers that differ, with the smallest map of the scope that shows it."""

    answers: tuple[str, str]
    """Reasons: ``success``, or the name of a failure."""
    machine: Machine
    outcomes: tuple[Outcome, Outcome]
    measure: Measure
    certified: bool


@dataclass(frozen=True, slots=True)
class DiffResult:
    """The answer of :func:`diff`."""

    verdict: Literal["EQUAL", "DIFFERS", "UNDECIDED"]
    """EQUAL: in scope."""
    policies: tuple[str, str]
    scope: str
    scope_size: int
    assumptions: tuple[str, ...]
    differences: tuple[Difference, ...]
    cases: int
    cases_done: int
    obligations: int
    steps: int
    undecided: tuple[str, ...] = ()
    covered: tuple[Covered, ...] = ()
    """What was gone through, fewest items first; the last of them perhaps in part."""
    stopped: str = ""
    """What ended the work before its time; the verdict is UNDECIDED then, whatever was found."""


Progress = Callable[[int, int, int], None]
"""Called with cases done, all cases, and solver steps used."""


@dataclass
class _Search:
    """What a run over the cases has found so far."""

    policies: tuple[Policy, Policy]
    scope: Scope
    budget: Budget
    encoding: Encoding
    best: dict[tuple[str, str], Difference] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)
    covered: dict[tuple[int, int, int, int], tuple[int, int]] = field(default_factory=dict)
    asked: int = 0
    steps: int = 0
    done: int = 0

    def go_through(self, case: Case) -> None:
        """Look for every pair of answers of a case that differ."""
        asked = self.asked
        try:
            made = build_map(self.scope, case, self.encoding)
        except EmptyCase:
            pass
        else:
            self._compare(case, made)
        self.done += 1
        cases_before, before = self.covered.get(case.rank[:4], (0, 0))
        self.covered[case.rank[:4]] = (cases_before + 1, before + self.asked - asked)

    def _compare(self, case: Case, made: SymbolicMap) -> None:
        from pamt.smt.symbolic_query import Query

        a, b = (run_symbolically(made, policy) for policy in self.policies)
        query = Query(made.symbols)
        for fault in (*a.faults, *b.faults):
            self._refuse_if_it_happens(case, query, fault)
        for guard, one in a.outcomes():
            for other_guard, other in b.outcomes():
                pair = (str(one.reason), str(other.reason))
                known = self.best.get(pair)
                if pair[0] == pair[1] or made.symbols.disjoint(guard, other_guard):
                    continue
                if known is not None and known.measure[:6] < tuple(case.rank):
                    continue
                self.asked += 1
                guards = [guard, other_guard]
                answer = query.ask(guards, self.budget.per_query)
                if answer.verdict == "unknown":
                    self.undecided.append(f"{case.words()}: {pair[0]} against {pair[1]}")
                if answer.assignment is None:
                    continue
                some = Smallest(measure_of(made, answer.assignment), certified=False)
                if known is None:
                    # Kept in case that the work is stopped before there is a smaller one.
                    self._keep(case, pair, some)
                found = minimise(
                    made,
                    query,
                    guards,
                    answer.assignment,
                    self.budget.per_query,
                    known.measure if known else None,
                )
                if found is not None and (known is None or found.measure < known.measure):
                    self._keep(case, pair, found)
        self.steps += query.steps

    def _refuse_if_it_happens(self, case: Case, query: Query, fault: Fault) -> None:
        """A policy that raises gives no answer to compare.  Raises Refusal."""
        self.asked += 1
        verdict = query.ask([fault.guard], self.budget.per_query).verdict
        if verdict == "unknown":
            self.undecided.append(f"{case.words()}: whether a policy {fault.what}")
        if verdict == "sat":
            raise Refusal(fault.place, f"a policy that {fault.what}", "return an Outcome")

    def _keep(self, case: Case, pair: tuple[str, str], found: Smallest) -> None:
        """Replay the map, and note it as the smallest known.  Raises Disagreement."""
        machine = plain_machine(
            self.scope, case, found.measure.addresses, f"diff-{pair[0]}-{pair[1]}"
        )
        full = complete(machine).machine
        outcomes = tuple(run_plainly(policy, full).outcome for policy in self.policies)
        if tuple(o.reason if o else "" for o in outcomes) != pair:
            raise Disagreement(f"symbolic: {pair}, plain: {outcomes}", machine)
        assert outcomes[0] is not None
        assert outcomes[1] is not None
        self.best[pair] = Difference(
            pair,
            machine,
            (outcomes[0], outcomes[1]),
            found.measure,
            found.certified and not self.undecided,
        )

    def stop(self, reason: str, rank: Rank | None) -> str:
        """End the work before the case of `rank` is done; returns what is said of it."""
        for pair, known in self.best.items():
            if rank is not None and known.measure[:6] >= tuple(rank):
                self.best[pair] = known._replace(certified=False)
        return f"{reason} after {self.done} of {magnitude(count_cases(self.scope))} cases"


def diff(
    policy_a: str | Policy,
    policy_b: str | Policy,
    scope: Scope,
    budget: Budget = DEFAULT_BUDGET,
    encoding: Encoding = "lin",
    *,
    progress: Progress | None = None,
    stopped_by: Callable[[], str] = lambda: "interrupted",
) -> DiffResult:
    """Compare the verdicts (success, or which failure) of two policies on every map of `scope`.

    Every case is gone through; for each pair of answers the smallest map is kept.
    KeyboardInterrupt, and a budget that ends, end the work; what was found until then is kept.
    Raises as :func:`pamt.verify.engine.verify` does.
    """
    policies = tuple(load_policy(p) if isinstance(p, str) else p for p in (policy_a, policy_b))
    search = _Search((policies[0], policies[1]), scope, budget, encoding)
    total = count_cases(scope)
    stopped = ""
    rank: Rank | None = None
    try:
        for case in cases(scope):
            rank = case.rank
            if progress is not None:
                progress(search.done, total, search.steps)
            if search.steps >= budget.total:
                stopped = search.stop(f"the budget of {budget.total} steps ended", rank)
                break
            search.go_through(case)
    except KeyboardInterrupt:
        stopped = search.stop(stopped_by(), rank)
    undecided = [*([stopped] if stopped else ()), *search.undecided]
    differs = search.best and not stopped
    names = tuple(
        p if isinstance(p, str) else getattr(p, "__name__", str(p)) for p in (policy_a, policy_b)
    )
    return DiffResult(
        verdict="DIFFERS" if differs else "UNDECIDED" if undecided else "EQUAL",
        policies=(names[0], names[1]),
        scope=scope.words(),
        scope_size=scope.size(),
        assumptions=scope.assumption_texts(),
        differences=tuple(search.best[pair] for pair in sorted(search.best)),
        cases=total,
        cases_done=search.done,
        obligations=search.asked,
        steps=search.steps,
        undecided=tuple(undecided),
        covered=tuple(Covered(*key, *numbers) for key, numbers in search.covered.items()),
        stopped=stopped,
    )
