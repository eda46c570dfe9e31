"""What a theorem file says: the statement, its obligations, the mutants that must fail.

A file of ``proofs/`` sets ``THEOREM`` to a :class:`Theorem`.  Formulas are built only when they
are asked for, so that listing theorems costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from pamt.prove.smtlib import script
from pamt.prove.terms import both, lift, negate, products_as_atoms

__all__ = ["Check", "Claim", "Evidence", "Obligation", "Theorem"]

_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Claim:
    """``given`` and ``needs`` imply every part of ``goal``, for all values of the variables.

    `needs` are the assumptions that the statement is about: each is shown necessary, by a
    counterexample to the claim without it.  `given` holds what the symbols mean (a loop invariant,
    a fact proved by another obligation) and carries no such promise.  Parts are named; a part is a
    formula or a plain truth value.
    """

    goal: Mapping[str, Any]
    needs: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    given: Mapping[str, Any] = field(default_factory=lambda: _NONE)

    def without(self, need: str) -> Claim:
        """The same claim with one assumption dropped.  Raises KeyError when there is none such."""
        kept = dict(self.needs)
        del kept[need]
        return Claim(self.goal, kept, self.given)

    def replacing(self, **goal: Any) -> Claim:
        """The same assumptions with another goal: the usual way to write a mutant."""
        return Claim(goal, self.needs, self.given)

    @property
    def assumed(self) -> dict[str, Any]:
        """Everything assumed, under one set of labels."""
        labelled = {f"given: {name}": part for name, part in self.given.items()}
        labelled.update({f"needs: {name}": part for name, part in self.needs.items()})
        return labelled

    def linearised(self) -> Claim:
        """Products of unknowns replaced by variables of their own, everywhere."""
        parts = [
            {name: products_as_atoms(part) for name, part in side.items()}
            for side in (self.goal, self.needs, self.given)
        ]
        return Claim(parts[0], parts[1], parts[2])


class Obligation(NamedTuple):
    """One formula to discharge: its name, what it says in words, and how to build it."""

    name: str
    says: str
    claim: Callable[[], Claim]
    linearise: bool = False
    """Treat a product of two unknowns as one unknown (sound: it proves more than was asked)."""

    def build(self) -> Claim:
        claim = self.claim()
        return claim.linearised() if self.linearise else claim

    def smtlib(self) -> str:
        """Unsatisfiable exactly when the claim holds."""
        claim = self.build()
        refuted = negate(both(*claim.goal.values()))
        goal = " and ".join(claim.goal)
        return script({**claim.assumed, f"not ({goal})": lift(refuted)}, (self.name, self.says))

    def vacuity_smtlib(self) -> str:
        """Satisfiable exactly when the assumptions can be met at all."""
        return script(self.build().assumed, (f"{self.name}: the assumptions can be met", self.says))


class Evidence(NamedTuple):
    """Outcome of a check: whether it holds, and what there is to see (a map, a trace, a count)."""

    holds: bool
    shown: str


class Check(NamedTuple):
    """An obligation that plain code settles: an existence claim with its witness, replayed."""

    name: str
    says: str
    run: Callable[[], Evidence]


@dataclass(frozen=True, slots=True)
class Theorem:
    """A statement with no bound on the map.

    `name` is the file's name; `short` is how people call it (``T1``).  `statement` is in words,
    `formal` in symbols, `trusts` what the proof takes for granted.  Every mutant is a version of an
    obligation that must fail.
    """

    name: str
    short: str
    title: str
    statement: str
    formal: str
    obligations: tuple[Obligation | Check, ...]
    mutants: tuple[Obligation | Check, ...] = ()
    trusts: str = ""

    def __post_init__(self) -> None:
        names = [part.name for part in (*self.obligations, *self.mutants)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{self.name}: names used twice: {', '.join(twice)}")
        if not self.obligations:
            raise ValueError(f"{self.name}: a theorem needs an obligation")
