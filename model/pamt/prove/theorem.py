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

    `hint` says where counterexamples to a mutant of the claim may be looked for (a few small
    values, true facts about ``&``).  It plays no part in a proof, and a counterexample is confirmed
    against the claim itself.
    """

    goal: Mapping[str, Any]
    needs: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    given: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    hint: Mapping[str, Any] = field(default_factory=lambda: _NONE)

    def without(self, need: str) -> Claim:
        """The same claim with one assumption dropped.  Raises KeyError when there is none such."""
        kept = dict(self.needs)
        del kept[need]
        return Claim(self.goal, kept, self.given, self.hint)

    def replacing(self, **goal: Any) -> Claim:
        """The same assumptions with another goal: the usual way to write a mutant."""
        return Claim(goal, self.needs, self.given, self.hint)

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
        return self._text(self.build(), {})

    def search_smtlib(self) -> str:
        """A counterexample to a mutant: nothing linearised, and where the claim's hint says."""
        claim = self.claim()
        return self._text(claim, {f"hint: {name}": part for name, part in claim.hint.items()})

    def _text(self, claim: Claim, hints: Mapping[str, Any]) -> str:
        refuted = {f"not ({' and '.join(claim.goal)})": lift(negate(both(*claim.goal.values())))}
        return script({**claim.assumed, **hints, **refuted}, (self.name, self.says))

    def vacuity_smtlib(self, hinted: bool = True) -> str:
        """Satisfiable when the assumptions can be met; without `hinted`, only when they can."""
        claim = self.claim()
        hints = {f"hint: {name}": part for name, part in claim.hint.items() if hinted}
        title = f"{self.name}: the assumptions can be met"
        return script({**claim.assumed, **hints}, (title, self.says))


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
