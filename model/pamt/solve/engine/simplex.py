"""A linear programme with columns that come as they are priced: revised simplex, in floats.

For programmes of few rows; others go to HiGHS (:mod:`pamt.smt.linear`).

Minimise the cost of columns x >= 0 under rows that are each ``<= b`` or ``>= b`` with b >= 0.  What
comes out is a hint, never a proof: solutions are rounded and checked, and multipliers are rounded
to integers and summed exactly by the certificate's own arithmetic.

Same input, same pivots: ties go to the lowest index, nothing depends on hashing.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

__all__ = ["MANY_ROWS", "Column", "LinearProgramme", "Programme", "Stalled", "programme"]

MANY_ROWS = 80
"""From so many on HiGHS is worth the time it takes to be loaded."""

EPS = 1e-9
NUDGE = 1e-7
"""Bounds are loosened by different multiples of this, so that pivots make progress."""
IMPROVES = 1e-7
LIKELY = 24
"""Columns that are tried first until none of them improves."""
REFACTOR = 500
"""Pivots after which the inverse is computed anew."""


class Stalled(RuntimeError):
    """The pivots do not come to an end within the limit."""


class Column(NamedTuple):
    entries: tuple[tuple[int, float], ...]
    """(row, coefficient), rows ascending."""
    cost: float


class LinearProgramme(Protocol):
    """What a relaxation asks of a linear programme, whoever solves it.

    Minimise the cost of columns x >= 0 under rows ``<= b`` or ``>= b``, b >= 0; what is left
    uncovered of a row ``>= b`` costs `penalty`.
    """

    penalty: float

    def add(self, entries: Sequence[tuple[int, float]], cost: float) -> int:
        """Add a column of (row, coefficient); returns its number."""

    def extended(
        self, sense: str, bound: float, coefficients: Mapping[int, float], barred: Collection[int]
    ) -> LinearProgramme:
        """The same with one row more; `barred` columns are to be 0."""

    def crash(self, columns: Sequence[int]) -> None:
        """Columns to begin with."""

    def optimise(self, phase: int, limit: int) -> list[float]:
        """Multipliers of the rows at an optimum, after `limit` pivots at most.  Raises Stalled.

        `phase` 1: as little as possible is left uncovered, whatever columns cost.
        """

    def uncovered(self) -> float:
        """What is left uncovered."""

    def infeasibility(self, prices: Sequence[float]) -> float:
        """What multipliers make of the bounds."""

    def solution(self) -> dict[int, float]:
        """Columns that are not 0, with their values."""

    def rest(self) -> None:
        """Nothing is asked for the time being."""


def programme(bounds: Sequence[tuple[str, float]], *, large: bool = False) -> LinearProgramme:
    """A programme with these rows: ``("<=", b)`` or ``(">=", b)``; `large`: by HiGHS."""
    if len(bounds) < MANY_ROWS and not large:
        return Programme(bounds)
    from pamt.smt.linear import HighsProgramme

    return HighsProgramme(bounds, Stalled)


class Programme:
    """Rows are fixed at the start; columns may be added at any time."""

    def __init__(self, bounds: Sequence[tuple[str, float]]) -> None:
        """`bounds`: for each row ``("<=", b)`` or ``(">=", b)``."""
        size = len(bounds)
        self.size = size
        self.columns: list[Column] = []
        self._pivots = 0
        self._pairs: list[tuple[int, float, int, int]] = []
        self._triples: list[tuple[int, float, int, int, int]] = []
        self._sixes: list[tuple[int, float, tuple[tuple[int, float], ...]]] = []
        self._others: list[tuple[int, float, tuple[tuple[int, float], ...]]] = []
        self.penalty = 4.0
        """Cost of what no column covers, outside phase 1."""
        self._artificial: set[int] = set()
        self.bounds = [b for _, b in bounds]
        self._moved = [
            b + (NUDGE if sense == "<=" else -NUDGE) * (1 + (7 * i) % 13 + i / size)
            for i, (sense, b) in enumerate(bounds)
        ]
        basis: list[int] = []
        for row, (sense, _) in enumerate(bounds):
            if sense == "<=":
                basis.append(self._new(((row, 1.0),), 0.0))
            else:
                self._new(((row, -1.0),), 0.0)
                self.columns.append(Column(((row, 1.0),), 0.0))
                self._artificial.add(len(self.columns) - 1)
                basis.append(len(self.columns) - 1)
        self._basis = basis
        self._inverse = [[float(i == j) for j in range(size)] for i in range(size)]
        self._x = list(self._moved)

    def _new(self, entries: tuple[tuple[int, float], ...], cost: float) -> int:
        self.columns.append(Column(entries, cost))
        self._file(len(self.columns) - 1)
        return len(self.columns) - 1

    def _file(self, number: int) -> None:
        """Most columns have two or three entries of 1, the others six at most: these are
        looked through without a call or a loop.
        """
        entries, cost = self.columns[number]
        size = len(entries)
        if size == 2 and entries[0][1] == entries[1][1] == 1.0:
            self._pairs.append((number, cost, entries[0][0], entries[1][0]))
        elif size == 3 and entries[0][1] == entries[1][1] == entries[2][1] == 1.0:
            self._triples.append((number, cost, entries[0][0], entries[1][0], entries[2][0]))
        elif size <= 6:
            self._sixes.append((number, cost, entries + ((0, 0.0),) * (6 - size)))
        else:
            self._others.append((number, cost, entries))

    def extended(
        self, sense: str, bound: float, coefficients: Mapping[int, float], barred: Collection[int]
    ) -> Programme:
        """The same with one row more, at the same basis; `barred` columns are driven out.

        `coefficients`: of columns in the new row.
        """
        made = Programme(())
        row = self.size
        made.size = row + 1
        made.columns = [
            Column((*column.entries, (row, coefficients[number])), column.cost)
            if number in coefficients
            else column
            for number, column in enumerate(self.columns)
        ]
        made._artificial = self._artificial | set(barred)
        for number in range(len(made.columns)):
            if number not in made._artificial:
                made._file(number)
        made.bounds = [*self.bounds, bound]
        made._moved = [*self._moved, bound + (NUDGE if sense == "<=" else -NUDGE) * 3]
        reached = 0.0
        below = [0.0] * row
        for at, (column, x) in enumerate(zip(self._basis, self._x, strict=True)):
            coefficient = coefficients.get(column, 0.0)
            if coefficient:
                reached += coefficient * x
                for j, value in enumerate(self._inverse[at]):
                    if value:
                        below[j] += coefficient * value
        sign = 1.0 if sense == "<=" else -1.0
        basic = made._new(((row, sign),), 0.0)
        rest = sign * (made._moved[row] - reached)
        if rest < 0:
            sign, rest = -sign, -rest
            made.columns.append(Column(((row, sign),), 0.0))
            basic = len(made.columns) - 1
            made._artificial.add(basic)
        made._basis = [*self._basis, basic]
        made._x = [*self._x, rest]
        made._inverse = [[*line, 0.0] for line in self._inverse]
        made._inverse.append([*(-value / sign for value in below), 1.0 / sign])
        return made

    def add(self, entries: Sequence[tuple[int, float]], cost: float) -> int:
        """Add a column; returns its number."""
        return self._new(tuple(sorted(entries)), cost)

    def _cost(self, column: int, phase: int) -> float:
        if column in self._artificial:
            return 1.0 if phase == 1 else self.penalty
        return 0.0 if phase == 1 else self.columns[column].cost

    def duals(self, phase: int) -> list[float]:
        """Multiplier of each row at the current basis."""
        prices = [0.0] * self.size
        for row, column in enumerate(self._basis):
            cost = self._cost(column, phase)
            if cost:
                for j, value in enumerate(self._inverse[row]):
                    if value:
                        prices[j] += cost * value
        return prices

    def optimise(self, phase: int, limit: int) -> list[float]:
        """Pivot until no column improves; returns the multipliers.  Raises Stalled.

        All columns are looked through only when those that improved last time no longer do; the
        multipliers are computed anew only when none improves by those brought up to date.
        """
        left = limit
        prices = self.duals(phase)
        fresh = True
        likely: list[int] = []
        while True:
            entering, best = self._best_of(likely, prices, phase)
            if entering < 0:
                found = self._improving(prices, phase)
                if not found and not fresh:
                    prices = self.duals(phase)
                    found = self._improving(prices, phase)
                likely = [number for _, number in heapq.nsmallest(LIKELY, found)]
                entering, best = self._best_of(likely, prices, phase)
                if entering < 0:
                    return prices
            fresh = False
            left -= 1
            if left < 0:
                raise Stalled
            row = self._pivot(entering)
            # The row of the new inverse is that of the old one over the pivot.
            for j, value in enumerate(self._inverse[row]):
                if value:
                    prices[j] += best * value

    def _improving(self, p: list[float], phase: int) -> list[tuple[float, int]]:
        """All columns whose reduced cost is below 0, with it."""
        w = 0.0 if phase == 1 else 1.0
        found = [
            (reduced, number)
            for number, cost, a, b in self._pairs
            if (reduced := w * cost - p[a] - p[b]) < -IMPROVES
        ]
        found += [
            (reduced, number)
            for number, cost, a, b, c in self._triples
            if (reduced := w * cost - p[a] - p[b] - p[c]) < -IMPROVES
        ]
        found += [
            (reduced, number)
            for number, cost, ((a, q), (b, r), (c, s), (d, t), (e, u), (f, v)) in self._sixes
            if (
                reduced := w * cost
                - (p[a] * q + p[b] * r + p[c] * s + p[d] * t + p[e] * u + p[f] * v)
            )
            < -IMPROVES
        ]
        found += [
            (reduced, number)
            for number, cost, entries in self._others
            if (reduced := w * cost - sum([p[row] * value for row, value in entries])) < -IMPROVES
        ]
        return found

    def _best_of(self, numbers: list[int], prices: list[float], phase: int) -> tuple[int, float]:
        """The column of `numbers`, none of them artificial, that improves most; -1: none."""
        entering, best = -1, -IMPROVES
        w = 0.0 if phase == 1 else 1.0
        for number in numbers:
            entries, cost = self.columns[number]
            reduced = w * cost
            for row, value in entries:
                reduced -= prices[row] * value
            if reduced < best:
                entering, best = number, reduced
        return entering, best

    def _pivot(self, entering: int) -> int:
        """Bring a column into the basis; the row in which it now stands."""
        entries = self.columns[entering].entries
        inverse = self._inverse
        if len(entries) == 1:
            ((a, value),) = entries
            direction = [line[a] * value for line in inverse]
        elif len(entries) == 2:
            (a, one), (b, two) = entries
            direction = [line[a] * one + line[b] * two for line in inverse]
        elif len(entries) == 3:
            (a, one), (b, two), (c, three) = entries
            direction = [line[a] * one + line[b] * two + line[c] * three for line in inverse]
        else:
            direction = [sum([line[row] * value for row, value in entries]) for line in inverse]
        leaving, step = -1, float("inf")
        for i, d in enumerate(direction):
            if d > EPS:
                ratio = self._x[i] / d
                if ratio < step - 1e-12:
                    leaving, step = i, ratio
        if leaving < 0:
            raise Stalled
        pivot = direction[leaving]
        top = [value / pivot for value in self._inverse[leaving]]
        places = [(j, value) for j, value in enumerate(top) if value]
        self._inverse[leaving] = top
        x = self._x
        for i, d in enumerate(direction):
            if i != leaving and (d > 1e-13 or d < -1e-13):
                line = self._inverse[i]
                for j, value in places:
                    line[j] -= d * value
                x[i] -= d * step
        x[leaving] = step
        self._basis[leaving] = entering
        self._pivots += 1
        if self._pivots % REFACTOR == 0:
            self._refactor()
        return leaving

    def _refactor(self) -> None:
        """The inverse from the basis itself, by elimination with row exchange."""
        size = self.size
        table = [[0.0] * (2 * size) for _ in range(size)]
        for j, column in enumerate(self._basis):
            for row, value in self.columns[column].entries:
                table[row][j] = value
        for i in range(size):
            table[i][size + i] = 1.0
        for j in range(size):
            at = max(range(j, size), key=lambda i, j=j: (abs(table[i][j]), -i))  # type: ignore[misc]
            if abs(table[at][j]) < EPS:
                raise Stalled
            table[j], table[at] = table[at], table[j]
            scale = table[j][j]
            line = table[j] = [value / scale for value in table[j]]
            for i in range(size):
                factor = table[i][j]
                if i != j and factor:
                    table[i] = [a - factor * b for a, b in zip(table[i], line, strict=True)]
        self._inverse = [line[size:] for line in table]
        self._x = [
            max(0.0, sum(a * b for a, b in zip(line, self._moved, strict=True)))
            for line in self._inverse
        ]

    def infeasibility(self, prices: Sequence[float]) -> float:
        """Value of the true bounds under phase-1 multipliers: above 0, no solution exists."""
        return sum(p * b for p, b in zip(prices, self.bounds, strict=True))

    def crash(self, columns: Sequence[int]) -> None:
        """Bring these columns into the basis first, whatever they cost."""
        for column in columns:
            if column not in self._basis:
                self._pivot(column)

    def uncovered(self) -> float:
        """What artificial columns still stand for."""
        return sum(
            x for column, x in zip(self._basis, self._x, strict=True) if column in self._artificial
        )

    def rest(self) -> None:
        """What it knows stays with it."""

    def solution(self) -> dict[int, float]:
        """Columns that are not 0, slacks among them, with their values."""
        return {
            column: value
            for column, value in sorted(zip(self._basis, self._x, strict=True))
            if value > 1e-5
        }
