"""A small formula language: Booleans, integers, and linear sums of both.

Everything is an immutable tuple, so a formula can be compared, hashed, printed and translated.
The constructors below (`every`, `some`, `no`, `linear`, ...) fold constants; use those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

__all__ = [
    "FALSE",
    "TRUE",
    "And",
    "Const",
    "Flag",
    "Formula",
    "Int",
    "Linear",
    "Not",
    "Or",
    "Sum",
    "constant",
    "every",
    "holds",
    "implies",
    "no",
    "same",
    "some",
    "variables",
]


class Const(NamedTuple):
    """True or false."""

    value: bool


class Flag(NamedTuple):
    """A Boolean variable."""

    name: str


class Not(NamedTuple):
    inner: Formula


class And(NamedTuple):
    parts: tuple[Formula, ...]


class Or(NamedTuple):
    parts: tuple[Formula, ...]


class Linear(NamedTuple):
    """``sum(c * integer) + sum(w * [formula]) <= bound``; ``[f]`` is 1 where f holds, else 0."""

    ints: tuple[tuple[int, str], ...]
    flags: tuple[tuple[int, Formula], ...]
    bound: int


Formula: TypeAlias = "Const | Flag | Not | And | Or | Linear"

TRUE = Const(True)
FALSE = Const(False)


def constant(value: bool) -> Const:
    return TRUE if value else FALSE


def no(inner: Formula) -> Formula:
    """Negation."""
    if isinstance(inner, Const):
        return constant(not inner.value)
    return inner.inner if isinstance(inner, Not) else Not(inner)


def every(parts: Iterable[Formula]) -> Formula:
    """Conjunction; TRUE when empty."""
    kept: list[Formula] = []
    for part in parts:
        if part == FALSE:
            return FALSE
        if isinstance(part, And):
            kept.extend(part.parts)
        elif part != TRUE:
            kept.append(part)
    return TRUE if not kept else kept[0] if len(kept) == 1 else And(tuple(kept))


def some(parts: Iterable[Formula]) -> Formula:
    """Disjunction; FALSE when empty."""
    kept: list[Formula] = []
    for part in parts:
        if part == TRUE:
            return TRUE
        if isinstance(part, Or):
            kept.extend(part.parts)
        elif part != FALSE:
            kept.append(part)
    return FALSE if not kept else kept[0] if len(kept) == 1 else Or(tuple(kept))


def implies(left: Formula, right: Formula) -> Formula:
    return some((no(left), right))


def same(left: Formula, right: Formula) -> Formula:
    """Both hold or neither does."""
    return every((implies(left, right), implies(right, left)))


class Sum(NamedTuple):
    """A linear sum under construction: integers, weighted flags and a constant."""

    ints: tuple[tuple[int, str], ...] = ()
    flags: tuple[tuple[int, Formula], ...] = ()
    constant: int = 0

    def __add__(self, other: object) -> Sum:
        if isinstance(other, int):
            return Sum(self.ints, self.flags, self.constant + other)
        if isinstance(other, Sum):
            return Sum(
                self.ints + other.ints, self.flags + other.flags, self.constant + other.constant
            )
        return NotImplemented

    def times(self, factor: int) -> Sum:
        return Sum(
            tuple((c * factor, x) for c, x in self.ints),
            tuple((w * factor, f) for w, f in self.flags),
            self.constant * factor,
        )

    def minus(self, other: Sum | int) -> Sum:
        return self + (-other if isinstance(other, int) else other.times(-1))

    def at_most(self, other: Sum | int) -> Formula:
        """``self <= other``, constants folded."""
        gap = self.minus(other)
        ints: dict[str, int] = {}
        for c, x in gap.ints:
            ints[x] = ints.get(x, 0) + c
        bound = -gap.constant
        flags: list[tuple[int, Formula]] = []
        for w, f in gap.flags:
            if isinstance(f, Const):
                bound -= w * f.value
            elif w:
                flags.append((w, f))
        kept = tuple((c, x) for x, c in ints.items() if c)
        if not kept and not flags:
            return constant(bound >= 0)
        return Linear(kept, tuple(flags), bound)

    def at_least(self, other: Sum | int) -> Formula:
        return self.times(-1).at_most(other.times(-1) if isinstance(other, Sum) else -other)

    def equals(self, other: Sum | int) -> Formula:
        return every((self.at_most(other), self.at_least(other)))

    def below(self, other: Sum | int) -> Formula:
        return self.at_most(other.minus(1) if isinstance(other, Sum) else other - 1)


def Int(name: str) -> Sum:  # noqa: N802  (reads as the sort it makes)
    """An integer variable, as a sum of itself."""
    return Sum(((1, name),))


def count(flags: Iterable[Formula]) -> Sum:
    """How many of `flags` hold."""
    return Sum((), tuple((1, flag) for flag in flags))


def variables(formulas: Iterable[Formula]) -> tuple[dict[str, None], dict[str, None]]:
    """Names of the Booleans and of the integers in `formulas`, each in order of first use."""
    bools: dict[str, None] = {}
    ints: dict[str, None] = {}
    seen: set[int] = set()

    def walk(formula: Formula) -> None:
        if id(formula) in seen:
            return
        seen.add(id(formula))
        if isinstance(formula, Flag):
            bools.setdefault(formula.name)
        elif isinstance(formula, Not):
            walk(formula.inner)
        elif isinstance(formula, (And, Or)):
            for part in formula.parts:
                walk(part)
        elif isinstance(formula, Linear):
            for _, name in formula.ints:
                ints.setdefault(name)
            for _, flag in formula.flags:
                walk(flag)

    kept = list(formulas)  # keeps the ids alive while `seen` is in use
    for formula in kept:
        walk(formula)
    return bools, ints


def holds(formula: Formula, values: Mapping[str, int]) -> bool:
    """Whether `formula` is true under `values` (Booleans as 0 and 1).

    Raises KeyError for a variable without a value.
    """
    if isinstance(formula, Const):
        return formula.value
    if isinstance(formula, Flag):
        return bool(values[formula.name])
    if isinstance(formula, Not):
        return not holds(formula.inner, values)
    if isinstance(formula, And):
        return all(holds(part, values) for part in formula.parts)
    if isinstance(formula, Or):
        return any(holds(part, values) for part in formula.parts)
    total = sum(c * values[x] for c, x in formula.ints)
    total += sum(w for w, f in formula.flags if holds(f, values))
    return total <= formula.bound
