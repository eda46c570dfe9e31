"""The statements for any number of TDMRs, packages and GiBs: k-induction as obligations.

For a statement S and an invariant I that carries it:

* base: I holds in the initial state;
* step: in k states in a row, each with I, followed by one more transition, I holds again;
* use: I implies S.

k is 1 for the real system, since I is strong enough.  Parameters are variables, so the kernel's
era, the erratum and every fact about the module that a statement needs are assumptions by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from pamt.prove.startup.statements import STATEMENTS, Statement
from pamt.prove.startup.system import (
    CONFIGURED,
    FRESH,
    INITIALISED,
    KEYED,
    RULES,
    UNITS_PER_GIB,
    Parameters,
    Phase,
    State,
    initial,
    well_formed,
)
from pamt.prove.terms import at_most, boolean, both, either, equal, implies, integer, negate
from pamt.prove.theorem import Claim, Obligation

__all__ = ["any_parameters", "invariant", "obligations", "symbolic_state", "transition"]


def any_parameters() -> Parameters:
    """Every parameter a variable, but for the 256 calls that a GiB takes."""
    values: dict[str, Any] = {}
    for field in fields(Parameters):
        made = boolean if isinstance(field.default, bool) else integer
        values[field.name] = made(field.name)
    values["units_per_gib"] = UNITS_PER_GIB
    return Parameters(**values)


def symbolic_state(suffix: str) -> State:
    """A state of variables, one for each field."""
    return State(
        **{
            field.name: (boolean if isinstance(field.default, bool) else integer)(
                f"{field.name}.{suffix}"
            )
            for field in fields(State)
        }
    )


def transition(before: State, after: State, p: Parameters) -> Any:
    """Some rule leads from one state to the other."""
    ways: list[Any] = []
    for rule in RULES:
        changes = rule.update(before, p)
        kept = [
            equal(getattr(after, field.name), changes.get(field.name, getattr(before, field.name)))
            for field in fields(State)
        ]
        ways.append(both(rule.guard(before, p), *kept))
    return either(*ways)


def _between(s: State, low: Phase, high: Phase) -> Any:
    return at_most(int(low), s.phase, int(high))


def invariant(s: State, p: Parameters) -> dict[str, Any]:
    """Facts of every reachable state, together inductive; no assumption on the system's facts."""
    starting = either(_between(s, Phase.LIST, Phase.INIT), _between(s, Phase.CLEAR, Phase.RELEASE))
    told = _between(s, Phase.KEY, Phase.READY)
    return {
        "phases": _between(s, Phase.IDLE, Phase.ERROR),
        "module states": at_most(FRESH, s.module, KEYED),
        "counts": both(
            s.allocated >= 0,
            s.allocated <= p.tdmrs,
            s.returned >= 0,
            s.returned <= s.allocated,
            s.done >= 0,
            s.keyed >= 0,
        ),
        "ours means initialised": implies(s.ours, s.module >= INITIALISED),
        "only our start runs": implies(
            both(s.phase >= int(Phase.LIST), s.phase <= int(Phase.RELEASE)), s.ours
        ),
        "nothing returned on the way up": implies(
            _between(s, Phase.LIST, Phase.READY), equal(s.returned, 0)
        ),
        "all allocated from then on": implies(
            _between(s, Phase.AREAS, Phase.READY), equal(s.allocated, p.tdmrs)
        ),
        "nothing allocated before": implies(
            _between(s, Phase.LIST, Phase.LAYOUT), equal(s.allocated, 0)
        ),
        "idle and empty": implies(
            equal(s.phase, int(Phase.IDLE)),
            both(
                equal(s.allocated, 0),
                equal(s.returned, 0),
                negate(s.listed),
                negate(s.array),
                negate(s.lock),
                negate(s.used),
                negate(s.failed),
            ),
        ),
        "clearing comes before freeing": implies(
            equal(s.phase, int(Phase.CLEAR)), equal(s.returned, 0)
        ),
        "released when freed": implies(
            both(
                p.frees,
                either(equal(s.phase, int(Phase.RELEASE)), equal(s.phase, int(Phase.ERROR))),
            ),
            equal(s.returned, s.allocated),
        ),
        "error is empty": implies(
            equal(s.phase, int(Phase.ERROR)),
            both(negate(s.listed), negate(s.array), negate(s.lock)),
        ),
        "listed until released": implies(
            both(s.phase >= int(Phase.LAYOUT), s.phase <= int(Phase.FREE)), s.listed
        ),
        "the lock": equal(s.lock, both(p.holds_lock, starting)),
        "configured by then": implies(told, s.module >= CONFIGURED),
        "a failed start, a failed kernel": implies(s.failed, s.ever_failed),
        "keyed on every package": implies(equal(s.module, KEYED), s.keyed >= p.packages),
        "turns": both(s.current >= 0, s.current <= p.tdmrs),
        "later calls need every key": implies(
            both(equal(s.phase, int(Phase.INIT)), s.current >= 1), equal(s.module, KEYED)
        ),
        "ready needs every key": implies(equal(s.phase, int(Phase.READY)), equal(s.module, KEYED)),
        "the watched TDMR was done in its turn": implies(
            both(
                p.loops_to_end,
                either(
                    both(equal(s.phase, int(Phase.INIT)), s.current > p.watched),
                    equal(s.phase, int(Phase.READY)),
                ),
            ),
            s.done // p.units_per_gib >= p.watched_gib,
        ),
        "use comes after ready": implies(s.used, equal(s.phase, int(Phase.READY))),
        "used means done": implies(
            both(p.loops_to_end, s.used), s.done // p.units_per_gib >= p.watched_gib
        ),
        "no failure on the way up": implies(
            both(either(negate(p.retries), p.sticky), s.failed),
            equal(s.phase, int(Phase.ERROR)),
        ),
        "covered while listed": implies(
            both(
                p.notifier,
                p.holds_lock,
                either(_between(s, Phase.LAYOUT, Phase.READY), equal(s.phase, int(Phase.IDLE))),
            ),
            negate(s.uncovered),
        ),
        "free pages are known of a told module": implies(s.known_free, s.module >= CONFIGURED),
        "free pages: undone, over, or in another kernel": implies(
            both(
                s.known_free,
                either(negate(p.retries), p.sticky, p.config_once),
                either(negate(p.kexec), p.init_once, p.config_once),
            ),
            negate(told),
        ),
        "no start after kexec from a told module": implies(
            both(s.known_free, either(negate(p.retries), p.sticky), p.init_once),
            either(
                equal(s.phase, int(Phase.FREE)),
                equal(s.phase, int(Phase.RELEASE)),
                equal(s.phase, int(Phase.ERROR)),
                both(equal(s.phase, int(Phase.IDLE)), negate(s.ours)),
            ),
        ),
        "free pages: a second kernel or a failure": implies(
            s.known_free, either(s.kexeced, s.failed, _between(s, Phase.FREE, Phase.RELEASE))
        ),
        "another kernel only by kexec": implies(s.kexeced, both(p.kexec, negate(p.erratum))),
        "uncleared pages": implies(both(p.erratum, p.clears_first), negate(s.uncleared)),
    }


def obligations(statement: Statement, k: int = 1) -> tuple[Obligation, ...]:
    """Base, step and use for one statement.  `k`: states in a row that the step may assume."""

    def base() -> Claim:
        p = any_parameters()
        return Claim(invariant(initial(), p), given=well_formed(p))

    def step() -> Claim:
        p = any_parameters()
        run = [symbolic_state(str(at)) for at in range(k + 1)]
        given: dict[str, Any] = dict(well_formed(p))
        for at in range(k):
            given[f"invariant of state {at}"] = both(*invariant(run[at], p).values())
            given[f"transition {at}"] = transition(run[at], run[at + 1], p)
        return Claim(invariant(run[k], p), given=given)

    return (
        Obligation("base", "the invariant holds before anything happened", base),
        Obligation("step", "every rule keeps the invariant", step),
        Obligation("use", f"the invariant implies: {statement.says}", use_of(statement)),
    )


def use_of(statement: Statement) -> Callable[[], Claim]:
    """The invariant implies the statement, under what the statement needs."""

    def use() -> Claim:
        p = any_parameters()
        s = symbolic_state("0")
        needs: Mapping[str, Any] = statement.needs(p)
        given = {**well_formed(p), **invariant(s, p)}
        return Claim({statement.name: statement.holds(s, p)}, needs, given)

    return use


def provable() -> tuple[Statement, ...]:
    """The statements that are claimed of every kernel."""
    return tuple(statement for statement in STATEMENTS if not statement.refuted)
