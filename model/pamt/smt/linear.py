"""Linear programmes by HiGHS, with columns that come as they are priced.

It takes a fifth of a second to be loaded, and is a hundred times as fast then as plain Python; what
is small is done without it (:mod:`pamt.solve.engine.simplex`).  What comes out is a hint, never a
proof.

HiGHS is run in one thread, from the basis it had before: same input, same answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

__all__ = ["HighsProgramme"]


class HighsProgramme:
    """Minimise the cost of columns x >= 0 under rows that are ``<= b`` or ``>= b`` with b >= 0.

    What no column covers of a row ``>= b`` costs `penalty`.  Rows are fixed at the start; columns
    may be added at any time.
    """

    def __init__(
        self, bounds: Sequence[tuple[str, float]], stalled: type[Exception] = ArithmeticError
    ) -> None:
        """`bounds`: for each row ``("<=", b)`` or ``(">=", b)``.

        `stalled`: raised where HiGHS comes to no optimum.
        """
        self._stalled = stalled
        self.bounds = [b for _, b in bounds]
        self.penalty = 4.0
        self._senses = [sense for sense, _ in bounds]
        self._columns: list[tuple[tuple[int, float], ...]] = []
        self._costs: list[float] = []
        self._spare: dict[int, int] = {}
        """Columns that stand for what is not covered, with their row."""
        self._barred: frozenset[int] = frozenset()
        self._basis: tuple[list[Any], list[Any]] | None = None
        self._highs: Any = None
        self._passed = 0
        """Columns that HiGHS knows."""
        self._values: list[float] = []
        for row, (sense, _) in enumerate(bounds):
            if sense == ">=":
                self._stand_in(row)

    def _stand_in(self, row: int) -> None:
        self._spare[len(self._columns)] = row
        self._columns.append(((row, 1.0),))
        self._costs.append(0.0)

    def add(self, entries: Sequence[tuple[int, float]], cost: float) -> int:
        """Add a column; returns its number."""
        self._columns.append(tuple(sorted(entries)))
        self._costs.append(cost)
        return len(self._columns) - 1

    def crash(self, columns: Sequence[int]) -> None:
        """HiGHS finds its own beginning."""

    def extended(
        self, sense: str, bound: float, coefficients: Mapping[int, float], barred: Collection[int]
    ) -> HighsProgramme:
        """The same with one row more, at the same basis; `barred` columns stay 0.

        `coefficients`: of columns in the new row.
        """
        row = len(self.bounds)
        made = HighsProgramme((), self._stalled)
        made.bounds = [*self.bounds, bound]
        made._senses = [*self._senses, sense]
        made._columns = [
            (*column, (row, coefficients[number])) if number in coefficients else column
            for number, column in enumerate(self._columns)
        ]
        made._costs = list(self._costs)
        made._spare = dict(self._spare)
        made._barred = self._barred | frozenset(barred)
        if self._basis is not None:
            basic = _statuses().kBasic
            columns = list(self._basis[0])
            if sense == ">=":
                columns.append(_statuses().kLower)
            made._basis = (columns, [*self._basis[1], basic])
        if sense == ">=":
            made._stand_in(row)
        return made

    def optimise(self, phase: int, limit: int) -> list[float]:
        """The multipliers of the rows at an optimum.  Raises `stalled`.

        `phase` 1: as little as possible is left uncovered, whatever columns cost.
        """
        import numpy as np

        highs = self._loaded()
        number = len(self._columns)
        costs = np.zeros(number) if phase == 1 else np.array(self._costs)
        spare = np.fromiter(self._spare, dtype=np.int32, count=len(self._spare))
        costs[spare] = 1.0 if phase == 1 else self.penalty
        highs.changeColsCost(number, np.arange(number, dtype=np.int32), costs)
        highs.setOptionValue("simplex_iteration_limit", limit)
        highs.run()
        if highs.getModelStatus() != _highs().HighsModelStatus.kOptimal:
            raise self._stalled
        solution = highs.getSolution()
        self._values = list(solution.col_value)
        return list(solution.row_dual)

    def rest(self) -> None:
        """Nothing is asked for the time being: keep the basis alone."""
        if self._highs is not None:
            basis = self._highs.getBasis()
            self._basis = (list(basis.col_status), list(basis.row_status))
            self._highs = None
            self._passed = 0

    def _loaded(self) -> Any:
        import numpy as np

        module = _highs()
        if self._highs is None:
            # What highspy.Highs is made of; that class prints a banner to standard output.
            highs = module._core._Highs()  # noqa: SLF001
            highs.setOptionValue("output_flag", False)
            highs.setOptionValue("threads", 1)
            highs.setOptionValue("parallel", "off")
            highs.setOptionValue("presolve", "off")
            highs.setOptionValue("solver", "simplex")
            infinity = module.kHighsInf
            for sense, bound in zip(self._senses, self.bounds, strict=True):
                low, high = (bound, infinity) if sense == ">=" else (-infinity, bound)
                highs.addRow(low, high, 0, np.array([], dtype=np.int32), np.array([]))
            self._highs = highs
        highs = self._highs
        new = self._columns[self._passed :]
        if new:
            starts: Any = np.zeros(len(new), dtype=np.int32)
            np.cumsum([len(column) for column in new[:-1]], out=starts[1:])
            rows = np.array([row for column in new for row, _ in column], dtype=np.int32)
            values = np.array([value for column in new for _, value in column])
            upper = np.full(len(new), module.kHighsInf)
            for number in self._barred:
                if number >= self._passed:
                    upper[number - self._passed] = 0.0
            highs.addCols(
                len(new), np.zeros(len(new)), np.zeros(len(new)), upper, len(rows), starts, rows,
                values,
            )  # fmt: skip
            first = self._passed == 0
            self._passed = len(self._columns)
            if first and self._basis is not None:
                basis = module.HighsBasis()
                columns = [
                    *self._basis[0],
                    *[_statuses().kLower] * (len(self._columns) - len(self._basis[0])),
                ]
                basis.col_status = columns
                basis.row_status = self._basis[1]
                basis.valid = True
                highs.setBasis(basis)
        return highs

    def infeasibility(self, prices: Sequence[float]) -> float:
        """Value of the bounds under phase-1 multipliers: above 0, no solution exists."""
        return sum(p * b for p, b in zip(prices, self.bounds, strict=True))

    def uncovered(self) -> float:
        """What is left uncovered."""
        return sum(self._values[column] for column in self._spare)

    def solution(self) -> dict[int, float]:
        """Columns that are not 0, with their values."""
        return {
            number: value
            for number, value in enumerate(self._values)
            if value > 1e-5 and number not in self._spare
        }


def _highs() -> Any:
    import highspy

    return highspy


def _statuses() -> Any:
    return _highs().HighsBasisStatus
