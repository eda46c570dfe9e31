"""The linear relaxation of a problem under some cases: which sets of chunks go into which bins.

Columns: a chunk of a class in an open group; a set of chunks in a bin.  Sets are priced when they
are wanted (column generation), over exactly the relaxation that certificates sum over.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

from pamt.solve.engine.price import Begun, best_in_chain, fronts
from pamt.solve.engine.simplex import Programme, Stalled
from pamt.solve.engine.view import Bin, View

__all__ = ["Case", "Master", "Prices", "Relaxed", "Use"]

PIVOTS = 4000
ROUNDS = 400


class Case(NamedTuple):
    """Of class `kind`, at most (or, `more`: at least) `number` chunks begin there.  None: any."""

    kind: int
    node: int | None
    tdmr: int | None
    start: int | None
    """First page of a stretch that is a bin of its own, or of a stretch of a chain."""
    more: bool
    number: int


class Use(NamedTuple):
    """What a column stands for: chunks that begin at places, in an open group or in bin `bin`."""

    bin: int | None
    begun: tuple[Begun, ...]


@dataclass(frozen=True)
class Prices:
    """Multipliers, in floats; all at least 0."""

    chunks: tuple[float, ...]
    """By class; besides what the cheapest node costs."""
    areas: dict[int, float]
    remote: float
    total: float
    cases: tuple[float, ...]


@dataclass(frozen=True)
class Relaxed:
    feasible: bool
    bound: float
    """Least `remote` of the relaxation."""
    prices: Prices
    uses: tuple[tuple[Use, float], ...]
    """Columns with their values; those that are 0 are left out, but for sets that were priced."""
    bins: tuple[Bin, ...] = ()
    kinds: tuple[tuple[int, int], ...] = ()
    """Pages and home of each class."""

    def excludes(self, view: View) -> bool:
        """Whether these multipliers alone leave nothing within the limits of a problem.

        They may come from another problem: any multipliers give a bound, good ones a sharp bound.
        """
        prices, problem = self.prices, view.problem
        worths = dict(zip(self.kinds, prices.chunks, strict=True))
        limit = 0.0
        if prices.remote > 0:
            if problem.remote is None:
                return False
            limit = prices.remote * (
                problem.remote - sum(problem.least_cost(chunk) for chunk in problem.chunks)
            )
        units = {
            node: [
                prices.remote
                * (problem.cost(c.members[0], node) - problem.least_cost(c.members[0]))
                for c in view.classes
            ]
            for node in {key[0] for key in view.open} | {b.node for b in view.bins}
        }
        values = [worths.get((c.pages, c.home), 0.0) for c in view.classes]
        bound = sum(v * len(c.members) for v, c in zip(values, view.classes, strict=True))
        bound -= sum(p * max(0, problem.room[tdmr]) for tdmr, p in prices.areas.items())
        if problem.overlaps is not None:
            bound -= prices.total * problem.overlaps
        sizes = [(c.pages, len(c.members)) for c in view.classes]

        def worth(kind: int, node: int, tdmrs: tuple[int, ...], start: int | None) -> float:
            del start
            paid = sum(prices.areas.get(t, 0.0) + prices.total for t in tdmrs)
            return values[kind] - units[node][kind] - paid

        for kind, (_, number) in enumerate(sizes):
            best = max((worth(kind, n, (t,), None) for n, t in view.open), default=0.0)
            bound -= max(0.0, best) * number
        longest: dict[tuple[int, int], int] = {}
        for b in view.bins:
            if b.chain is None:
                longest[b.node, b.tdmr] = max(b.pages, longest.get((b.node, b.tdmr), 0))
        table = {
            (n, t): fronts(sizes, [worth(k, n, (t,), None) for k in range(len(sizes))], pages)
            for (n, t), pages in longest.items()
        }
        for b in view.bins:
            if b.chain is not None:
                bound -= best_in_chain(b.chain, lambda *_: sizes, worth)[0]
            else:
                bound -= b.number * table[b.node, b.tdmr].best(b.pages)[0]
        return bound > limit + 1e-6 * max(1.0, abs(limit))


class Master:
    """One linear programme."""

    def __init__(
        self,
        view: View,
        cases: Sequence[Case],
        scale: float,
        known: Relaxed | None = None,
    ) -> None:
        """`known`: a solution under fewer cases, to begin with."""
        self.view = view
        nodes = sorted({key[0] for key in view.open} | {b.node for b in view.bins})
        # Cost above the cheapest node's: rows say "at least", so no column may pay for itself.
        self._units = {
            node: [
                (view.problem.cost(c.members[0], node) - view.problem.least_cost(c.members[0]))
                / scale
                for c in view.classes
            ]
            for node in nodes
        }
        self._cases = tuple(cases)
        self._scale = scale
        bounds: list[tuple[str, float]] = [(">=", len(c.members)) for c in view.classes]
        self._area_row: dict[int, int] = {}
        for tdmr in view.crowded:
            self._area_row[tdmr] = len(bounds)
            bounds.append(("<=", view.problem.room[tdmr]))
        self._total_row: int | None = None
        if view.problem.overlaps is not None:
            self._total_row = len(bounds)
            bounds.append(("<=", view.problem.overlaps))
        self._bin_row = len(bounds)
        bounds += [("<=", b.number) for b in view.bins]
        self._case_row = len(bounds)
        bounds += [(">=" if case.more else "<=", case.number) for case in cases]
        self._programme = Programme(bounds)
        self._uses: list[Use] = []
        self._columns: list[int] = []
        """Number of each use's column."""
        self._known: set[Use] = set()
        self._allowance: dict[tuple[int, int, int | None], list[tuple[int, int]]] = {}
        for (node, tdmr), spot in sorted(view.open.items()):
            for index in range(len(view.classes)):
                if self._most(index, node, tdmr, None):
                    self._add(Use(None, (Begun(index, node, (tdmr,), spot.start, 1),)))
        for number, which in enumerate(view.bins):
            if which.chain is None:
                for index, c in enumerate(view.classes):
                    start = self._start(number)
                    if c.pages <= which.pages and self._most(index, which.node, which.tdmr, start):
                        begun = Begun(index, which.node, (which.tdmr,), start, 1)
                        self._add(Use(number, (begun,)))

        if known is not None:
            self._begin_with(known)

    def under(self, case: Case) -> Master:
        """The same relaxation with one case more, at the same solution."""
        made = copy(self)
        made._take_on(case)  # noqa: SLF001  (a copy of this object)
        return made

    def _take_on(self, case: Case) -> None:
        self._cases = (*self._cases, case)
        self._uses = list(self._uses)
        self._columns = list(self._columns)
        self._known = set(self._known)
        self._allowance = {}
        coefficients: dict[int, float] = {}
        barred: list[int] = []
        for use, column in zip(self._uses, self._columns, strict=True):
            number = sum(begun.number for begun in use.begun if matches(case, begun))
            if number:
                coefficients[column] = float(number)
                if number > case.number and not case.more and not self._allowed(use):
                    barred.append(column)
        self._programme = self._programme.extended(
            ">=" if case.more else "<=", case.number, coefficients, barred
        )

    def _begin_with(self, known: Relaxed) -> None:
        """Take over what still fits of another solution: its columns, and those it used first."""
        numbers: dict[tuple[object, ...], int] = {}
        for number, b in enumerate(self.view.bins):
            key = (b.node, b.tdmr, b.pages, b.chain, b.spot)
            numbers[key] = number
        used: list[int] = []
        kinds = {(c.pages, c.home): kind for kind, c in enumerate(self.view.classes)}
        now = [kinds.get(kind) for kind in known.kinds]
        same = now == list(range(len(self.view.classes)))
        for use, value in known.uses:
            mine = use
            if use.bin is not None:
                b = known.bins[use.bin]
                number_of = numbers.get((b.node, b.tdmr, b.pages, b.chain, b.spot))
                if number_of is None:
                    continue
                mine = use._replace(bin=number_of)
            elif (use.begun[0].node, use.begun[0].tdmrs[0]) not in self.view.open:
                continue
            if not same:
                begun_now = [(now[begun.kind], begun) for begun in mine.begun]
                if any(kind is None for kind, _ in begun_now):
                    continue
                mine = mine._replace(
                    begun=tuple(b._replace(kind=kind or 0) for kind, b in begun_now)
                )
            if use.bin is None:
                (begun,) = mine.begun
                spot = self.view.open[begun.node, begun.tdmrs[0]]
                mine = Use(None, (begun._replace(start=spot.start),))
            if not self._allowed(mine):
                continue
            self._add(mine)
            if value > 0:
                used.append(self._columns[self._uses.index(mine)])
        self._programme.crash(used)

    def _allowed(self, use: Use) -> bool:
        """Whether the cases let so many chunks begin in each stretch."""
        counts: dict[tuple[int, int, int, int | None], int] = {}
        for begun in use.begun:
            key = (begun.kind, begun.node, begun.tdmrs[0], begun.start)
            counts[key] = counts.get(key, 0) + begun.number
        return all(number <= self._most(*key) for key, number in counts.items())

    def _start(self, number: int) -> int | None:
        spot = self.view.bins[number].spot
        return spot.start if spot is not None else None

    def _most(self, kind: int, node: int, tdmr: int, start: int | None) -> int:
        """How many chunks of a class the cases let begin in a stretch."""
        if not self._cases:
            return len(self.view.classes[kind].members)
        return self._sizes(node, tdmr, start)[kind][1]

    def _sizes(self, node: int, tdmr: int, start: int | None) -> list[tuple[int, int]]:
        """Pages of each class, and how many of its chunks may begin in a stretch."""
        key = (node, tdmr, start)
        found = self._allowance.get(key)
        if found is None:
            found = [(c.pages, len(c.members)) for c in self.view.classes]
            for case in self._cases:
                if not case.more and matches(case, Begun(case.kind, node, (tdmr,), start, 1)):
                    pages, most = found[case.kind]
                    found[case.kind] = (pages, min(most, case.number))
            self._allowance[key] = found
        return found

    def _add(self, use: Use) -> bool:
        if use in self._known:
            return False
        self._known.add(use)
        entries: dict[int, float] = {}
        cost = 0.0
        for begun in use.begun:
            cost += begun.number * self._units[begun.node][begun.kind]
            entries[begun.kind] = entries.get(begun.kind, 0.0) + begun.number
            for tdmr in begun.tdmrs:
                row = self._area_row.get(tdmr)
                if row is not None:
                    entries[row] = entries.get(row, 0.0) + begun.number
                if self._total_row is not None:
                    entries[self._total_row] = entries.get(self._total_row, 0.0) + begun.number
            for at, case in enumerate(self._cases):
                if matches(case, begun):
                    row = self._case_row + at
                    entries[row] = entries.get(row, 0.0) + begun.number
        if use.bin is not None:
            entries[self._bin_row + use.bin] = 1.0
        self._columns.append(self._programme.add(list(entries.items()), cost))
        self._uses.append(use)
        return True

    def solve(self) -> Relaxed | None:
        """None where the floats do not settle."""
        try:
            # Mostly a moderate price for what is not covered settles both questions at once.
            duals = self._settle(2)
            if self._programme.uncovered() > 1e-4:
                duals = self._settle(1)
                if self._programme.infeasibility(duals) > 1e-6:
                    return Relaxed(False, 0.0, self._prices(duals, 1), (), (), self._kinds)
                self._programme.penalty = 1e4
                duals = self._settle(2)
        except Stalled:
            return None
        bound = self._programme.infeasibility(duals) * self._scale
        bound += sum(self.view.problem.least_cost(chunk) for chunk in self.view.problem.chunks)
        solution = self._programme.solution()
        uses = tuple(
            (use, solution.get(column, 0.0))
            for use, column in zip(self._uses, self._columns, strict=True)
            if column in solution or len(use.begun) > 1 or use.begun[0].number > 1
        )
        return Relaxed(True, bound, self._prices(duals, 2), uses, self.view.bins, self._kinds)

    @property
    def _kinds(self) -> tuple[tuple[int, int], ...]:
        return tuple((c.pages, c.home) for c in self.view.classes)

    def _settle(self, phase: int) -> list[float]:
        """Multipliers at which no set of chunks improves.  Raises Stalled."""
        for _ in range(ROUNDS):
            duals = self._programme.optimise(phase, PIVOTS)
            if not self._price(duals, phase):
                return duals
        raise Stalled

    def _prices(self, duals: Sequence[float], phase: int) -> Prices:
        first = self._case_row
        return Prices(
            tuple(max(0.0, duals[i]) for i in range(len(self.view.classes))),
            {tdmr: max(0.0, -duals[row]) for tdmr, row in self._area_row.items()},
            1.0 / self._scale if phase == 2 else 0.0,
            max(0.0, -duals[self._total_row]) if self._total_row is not None else 0.0,
            tuple(abs(duals[first + at]) for at in range(len(self._cases))),
        )

    def _price(self, duals: Sequence[float], phase: int) -> bool:
        """Add sets that improve; whether there were any."""
        view = self.view
        prices = self._prices(duals, phase)

        base = {
            node: [
                u - (c if phase == 2 else 0.0) for u, c in zip(prices.chunks, costs, strict=True)
            ]
            for node, costs in self._units.items()
        }

        def worth(index: int, node: int, tdmrs: tuple[int, ...], start: int | None) -> float:
            value = base[node][index]
            for tdmr in tdmrs:
                value -= prices.areas.get(tdmr, 0.0) + prices.total
            if not self._cases:
                return value
            begun = Begun(index, node, tdmrs, start, 1)
            for at, case in enumerate(self._cases):
                if matches(case, begun):
                    value += prices.cases[at] if case.more else -prices.cases[at]
            return value

        def values(node: int, tdmr: int, start: int | None) -> list[float]:
            """Worth of a chunk of each class that lies inside one stretch."""
            paid = prices.areas.get(tdmr, 0.0) + prices.total
            found = [value - paid for value in base[node]]
            for case, toll in zip(self._cases, prices.cases, strict=True):
                if toll and matches(case, Begun(case.kind, node, (tdmr,), start, 1)):
                    found[case.kind] += toll if case.more else -toll
            return found

        longest: dict[tuple[int, int, int | None], int] = {}
        for number, which in enumerate(view.bins):
            if which.chain is None:
                key = (which.node, which.tdmr, self._start(number))
                longest[key] = max(longest.get(key, 0), which.pages)
        table = {}
        for (node, tdmr, start), pages in longest.items():
            table[node, tdmr, start] = fronts(
                self._sizes(node, tdmr, start), values(node, tdmr, start), pages
            )
        added = False
        for number, which in enumerate(view.bins):
            paid = -duals[self._bin_row + number]
            if which.chain is not None:
                value, begun = best_in_chain(which.chain, self._sizes, worth)
            else:
                start = self._start(number)
                front = table[which.node, which.tdmr, start]
                value, counts = front.best(which.pages)
                begun = tuple(
                    Begun(i, which.node, (which.tdmr,), start, n) for i, n in enumerate(counts) if n
                )
            if value > paid + 1e-7:
                added |= self._add(Use(number, begun))
        return added


def matches(case: Case, begun: Begun) -> bool:
    """Whether chunks of a column count for a case."""
    return (
        case.kind == begun.kind
        and case.node in {None, begun.node}
        and case.tdmr in {None, begun.tdmrs[0]}
        and case.start in {None, begun.start}
    )
