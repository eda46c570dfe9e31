"""What a property asks of a symbolic run, and of a plain one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, runtime_checkable

from pamt.kernel.contig import ContigAllocator
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import Policy
from pamt.verify.allocator import SymbolicAllocator
from pamt.verify.interp import (
    Choice,
    Fault,
    Refusal,
    Return,
    Value,
    ended_by,
    place_of_function,
)
from pamt.verify.symbolic_map import SymbolicMap

__all__ = [
    "Conditional",
    "NotDecidedHere",
    "Obligation",
    "PlainRun",
    "Property",
    "SymbolicRun",
    "run_plainly",
    "run_symbolically",
]

Guard = Any


class NotDecidedHere(Exception):
    """A property cannot say of a symbolic run what would break it; the case stays undecided."""


class Obligation(NamedTuple):
    """A way to break the property: it is broken on a map where all `guards` hold together."""

    label: str
    guards: tuple[Guard, ...]
    undecided: bool = False
    """Nothing can be asked: `label` says why.  `guards`, if any, say where it matters."""
    witness: bool = False
    """The guards speak of something chosen freely (a page, places for PAMTs) besides the map."""


@dataclass(frozen=True)
class SymbolicRun:
    """A policy run on a symbolic map."""

    made: SymbolicMap
    policy: Policy
    allocator: SymbolicAllocator
    returns: tuple[Return, ...]
    """Each with an :class:`pamt.outcome.Outcome` whose fields may be symbolic."""
    faults: tuple[Fault, ...]

    def successes(self) -> Iterator[tuple[Guard, Outcome]]:
        """Returns that may be successes."""
        for guard, outcome in self.outcomes():
            if isinstance(outcome.ret, int) and outcome.ret == 0:
                yield guard, outcome

    def failures(self) -> Iterator[tuple[Guard, Outcome]]:
        """Returns that are failures."""
        for guard, outcome in self.outcomes():
            if not (isinstance(outcome.ret, int) and outcome.ret == 0):
                yield guard, outcome

    def outcomes(self) -> Iterator[tuple[Guard, Outcome]]:
        """All returns, split until each has one reason, and is a success or a failure."""
        domain = self.made.interpreter.domain
        for found in self.returns:
            outcome: Any = found.value
            if not isinstance(outcome, Outcome):
                raise Refusal(
                    found.place,
                    f"a policy that returns {type(outcome).__name__}",
                    "return a pamt.outcome.Outcome (docs/policies.md)",
                )
            reasons: Any = ((True, outcome.reason),)
            if isinstance(outcome.reason, Choice):
                reasons = outcome.reason.alternatives
            for choice, reason in reasons:
                guard = domain.conjunction(found.guard, choice)
                one = replace(outcome, reason=reason)
                if isinstance(outcome.ret, int):
                    answers = [(True, one)]
                else:
                    succeeds = outcome.ret == 0
                    answers = [
                        (succeeds, replace(one, ret=0)),
                        (domain.negation(succeeds), one),
                    ]
                for answer, split in answers:
                    narrowed = domain.conjunction(guard, answer)
                    if narrowed is not False:
                        yield narrowed, split

    def seen(self, guard: Guard, items: Value) -> list[tuple[Guard, Value]]:
        """The items of a list of an outcome that is returned under `guard`."""
        interpreter = self.made.interpreter
        return interpreter.relevant(interpreter.pairs(items), guard)


class PlainRun(NamedTuple):
    """A policy run on a completed machine."""

    machine: Machine
    outcome: Outcome | None
    """None where the policy raised."""
    allocator: ContigAllocator
    """As the policy left it."""
    error: str = ""


class Property(Protocol):
    """A property of policies."""

    @property
    def name(self) -> str:
        """As written on the command line."""

    @property
    def words(self) -> str:
        """What it says, in a sentence."""

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """Every way to break it, one at a time."""

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        """Why a plain run breaks it; None where it does not."""


@runtime_checkable
class Conditional(Property, Protocol):
    """A property that says something of some runs only: of others it holds whatever they do."""

    @property
    def premise(self) -> str:
        """What has to happen, after "on some map"."""

    def meets_premise(self, run: SymbolicRun) -> Iterator[tuple[Guard, ...]]:
        """Every way in which it happens: where all guards hold together."""


def run_symbolically(made: SymbolicMap, policy: Policy) -> SymbolicRun:
    """Run `policy` on a symbolic map with a fresh allocator."""
    allocator = made.allocator()
    result = made.interpreter.call(policy, made.machine, allocator)
    return SymbolicRun(made, policy, allocator, result.returns, result.faults)


def run_plainly(policy: Policy, machine: Machine) -> PlainRun:
    """Run `policy` by Python itself on a completed machine."""
    allocator = ContigAllocator(machine.nodes, machine.free or ())
    try:
        outcome = policy(machine, allocator)
    except Exception as error:  # noqa: BLE001 - a policy of a user's own may raise anything
        return PlainRun(machine, None, allocator, repr(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ended_by(error, place_of_function(policy)) from error
    return PlainRun(machine, outcome, allocator)
