"""``diff``: where two policies answer differently, and the smallest map for each difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import Policy
from pamt.standins import complete
from pamt.verify.cases import cases
from pamt.verify.obligation import run_plainly, run_symbolically
from pamt.verify.properties import load_policy
from pamt.verify.result import DEFAULT_BUDGET, Budget, Disagreement, Measure
from pamt.verify.scope import Scope
from pamt.verify.smallest import minimise
from pamt.verify.symbolic_map import EmptyCase, build_map, plain_machine

if TYPE_CHECKING:
    from pamt.smt.symbolic import Encoding

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


def diff(
    policy_a: str | Policy,
    policy_b: str | Policy,
    scope: Scope,
    budget: Budget = DEFAULT_BUDGET,
    encoding: Encoding = "lin",
) -> DiffResult:
    """Compare the verdicts (success, or which failure) of two policies on every map of `scope`.

    Every case is gone through; for each pair of answers the smallest map is kept.
    Raises as :func:`pamt.verify.engine.verify` does.
    """
    from pamt.smt.symbolic_query import Query

    policies = tuple(load_policy(p) if isinstance(p, str) else p for p in (policy_a, policy_b))
    best: dict[tuple[str, str], Difference] = {}
    undecided: list[str] = []
    asked = steps = done = 0
    all_cases = list(cases(scope))
    for case in all_cases:
        if steps >= budget.total:
            undecided.append(f"the budget ended after {done} of {len(all_cases)} cases")
            break
        done += 1
        try:
            made = build_map(scope, case, encoding)
        except EmptyCase:
            continue
        a, b = (run_symbolically(made, policy) for policy in policies)
        query = Query(made.symbols)
        for guard, one in a.outcomes():
            for other_guard, other in b.outcomes():
                pair = (str(one.reason), str(other.reason))
                known = best.get(pair)
                if pair[0] == pair[1] or made.symbols.disjoint(guard, other_guard):
                    continue
                if known is not None and known.measure[:6] < tuple(case.rank):
                    continue
                asked += 1
                answer = query.ask([guard, other_guard], budget.per_query)
                if answer.verdict == "unknown":
                    undecided.append(f"{case.words()}: {pair[0]} against {pair[1]}")
                if answer.assignment is None:
                    continue
                found = minimise(
                    made,
                    query,
                    [guard, other_guard],
                    answer.assignment,
                    budget.per_query,
                    known.measure if known else None,
                )
                if found is None or (known is not None and found.measure >= known.measure):
                    continue
                machine = plain_machine(
                    scope, case, found.measure.addresses, f"diff-{pair[0]}-{pair[1]}"
                )
                full = complete(machine).machine
                outcomes = tuple(run_plainly(policy, full).outcome for policy in policies)
                if tuple(o.reason if o else "" for o in outcomes) != pair:
                    raise Disagreement(f"symbolic: {pair}, plain: {outcomes}", machine)
                assert outcomes[0] is not None
                assert outcomes[1] is not None
                best[pair] = Difference(
                    pair,
                    machine,
                    (outcomes[0], outcomes[1]),
                    found.measure,
                    found.certified and not undecided,
                )
        steps += query.steps
    names = tuple(
        p if isinstance(p, str) else getattr(p, "__name__", str(p)) for p in (policy_a, policy_b)
    )
    return DiffResult(
        verdict="DIFFERS" if best else "UNDECIDED" if undecided else "EQUAL",
        policies=(names[0], names[1]),
        scope=scope.words(),
        scope_size=scope.size(),
        assumptions=scope.assumption_texts(),
        differences=tuple(best[pair] for pair in sorted(best)),
        cases=len(all_cases),
        cases_done=done,
        obligations=asked,
        steps=steps,
        undecided=tuple(undecided),
    )
