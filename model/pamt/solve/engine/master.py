"""The linear relaxation of a problem under some cases: which sets of pieces go into which bins.

What is least is `remote`, or all areas of pieces; a limit on the other is a row.
Columns: a piece of a class in an open group; a set of pieces in a bin.  Sets are priced when they
are wanted (column generation), over exactly the relaxation that certificates sum over.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

from pamt.solve.engine.price import Begun, best_in_chain, fronts
from pamt.solve.engine.simplex import MANY_ROWS, Stalled, programme
from pamt.solve.engine.view import Bin, Kind, View

__all__ = ["AREAS", "REMOTE", "Case", "Master", "Prices", "Relaxed", "Use"]

REMOTE, AREAS = "remote", "areas"
DUST = 1e-9
"""Prices below are due to rounding."""
PIVOTS = 4000
ROUNDS = 400


_Priced = tuple[tuple[tuple[int, int], ...], tuple[float, ...]]
"""Pages and number, and worth, of each class."""


class Case(NamedTuple):
    """Of class `kind`, at most (or, `more`: at least) `number` pieces begin there.  None: any."""

    kind: int
    node: int | None
    tdmr: int | None
    start: int | None
    """First page of a stretch that is a bin of its own, or of a stretch of a chain."""
    more: bool
    number: int


class Use(NamedTuple):
    """What a column stands for: pieces that begin at places, in an open group or in bin `bin`."""

    bin: int | None
    begun: tuple[Begun, ...]


@dataclass(frozen=True)
class Prices:
    """Multipliers, in floats; all at least 0."""

    rows: tuple[float, ...]
    """By row of the view; besides what the cheapest node costs."""
    areas: dict[int, float]
    remote: float
    total: float
    cases: tuple[float, ...]


@dataclass(frozen=True)
class Relaxed:
    feasible: bool
    bound: float
    """The least of the relaxation: of `remote`, or of areas."""
    prices: Prices
    uses: tuple[tuple[Use, float], ...]
    """Columns with their values; those that are 0 are left out, but perhaps for sets."""
    bins: tuple[Bin, ...] = ()
    kinds: tuple[Kind, ...] = ()
    """Of the classes."""
    row_kinds: tuple[Kind, ...] = ()

    def excludes(self, view: View) -> bool:
        """Whether these multipliers alone leave nothing within the limits of a problem.

        They may come from another problem: any multipliers give a bound, good ones a sharp bound.
        """
        prices, problem = self.prices, view.problem
        known = dict(zip(self.row_kinds, prices.rows, strict=True))
        rows = [
            known.get(kind, known.get(kind._replace(loose=False), 0.0)) for kind in view.row_kinds
        ]
        limit = 0.0
        if prices.remote > 0:
            if problem.remote is None:
                return False
            limit = prices.remote * (
                problem.remote - sum(problem.least_cost(piece) for piece in problem.waiting)
            )
        values = [sum([rows[row] for row in c.rows]) for c in view.classes]
        bound = sum([v * number for v, number in zip(rows, view.demands, strict=True)])
        bound -= sum([p * max(0, problem.room[tdmr]) for tdmr, p in prices.areas.items()])
        if prices.total > 0:
            if problem.overlaps is None:
                return False
            bound -= prices.total * problem.overlaps
        base = {
            node: [
                value - prices.remote * (problem.cost(p, node) - problem.least_cost(p))
                for value, p in zip(values, (c.members[0] for c in view.classes), strict=True)
            ]
            for node in view.nodes
        }
        sizes = [(c.pages, len(c.members)) for c in view.classes]
        paid = [prices.areas.get(tdmr, 0.0) + prices.total for tdmr in range(len(problem.room))]

        def worth(kind: int, node: int, tdmrs: tuple[int, ...], start: int | None) -> float:
            del start
            return base[node][kind] - sum([paid[tdmr] for tdmr in tdmrs])

        # In an open group the cheapest TDMR of its node will do.
        cheapest: dict[int, float] = {}
        cheapest_small: dict[int, float] = {}
        for least, groups in ((cheapest, view.open), (cheapest_small, view.open_to_small)):
            for node, tdmr in groups:
                least[node] = min(paid[tdmr], least.get(node, paid[tdmr]))
        for kind, (_, number) in enumerate(sizes):
            best = max([base[n][kind] - price for n, price in cheapest.items()], default=0.0)
            if kind in view.small:
                for n, price in cheapest_small.items():
                    best = max(best, base[n][kind] - price)
            bound -= max(0.0, best) * number
        longest: dict[tuple[int, int], int] = {}
        for b in view.bins:
            if b.chain is None:
                longest[b.node, b.tdmr] = max(b.pages, longest.get((b.node, b.tdmr), 0))
        table = {}
        for (n, t), pages in longest.items():
            here = [value - paid[t] for value in base[n]]
            if (n, t) in view.open_to_small:
                for kind in view.small:
                    here[kind] = 0.0
            table[n, t] = fronts(view.families, sizes, here, pages)
        for b in view.bins:
            if b.chain is not None:
                bound -= best_in_chain(b.chain, view.families, lambda *_: sizes, worth)[0]
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
        goal: str = REMOTE,
    ) -> None:
        """`known`: a solution under fewer cases, to begin with.  `goal`: REMOTE or AREAS."""
        self.view = view
        # Cost above the cheapest node's: rows say "at least", so no column may pay for itself.
        self._units = {
            node: [
                (view.problem.cost(c.members[0], node) - view.problem.least_cost(c.members[0]))
                / scale
                for c in view.classes
            ]
            for node in view.nodes
        }
        self._cases = tuple(cases)
        self._scale = scale
        self._goal = goal
        bounds: list[tuple[str, float]] = [(">=", number) for number in view.demands]
        self._area_row: dict[int, int] = {}
        for tdmr in view.crowded:
            self._area_row[tdmr] = len(bounds)
            bounds.append(("<=", view.problem.room[tdmr]))
        self._total_row: int | None = None
        if view.problem.overlaps is not None and goal == REMOTE:
            self._total_row = len(bounds)
            bounds.append(("<=", view.problem.overlaps))
        self._remote_row: int | None = None
        if view.problem.remote is not None and goal == AREAS:
            self._remote_row = len(bounds)
            bounds.append(("<=", (view.problem.remote - self._least_remote) / scale))
        self._bin_row = len(bounds)
        bounds += [("<=", b.number) for b in view.bins]
        self._case_row = len(bounds)
        bounds += [(">=" if case.more else "<=", case.number) for case in cases]
        self._bounds = bounds
        self._programme = programme(bounds)
        self._uses: list[Use] = []
        self._columns: list[int] = []
        self._known: dict[Use, int] = {}
        """Number of the column of each use."""
        self._allowance: dict[tuple[int, int, int | None], list[tuple[int, int]]] = {}
        for (node, tdmr), spot in sorted(view.open.items()):
            for index in range(len(view.classes)):
                if self._most(index, node, tdmr, None):
                    self._add(Use(None, (Begun(index, node, (tdmr,), spot.start, 1),)))
        for node, tdmr in view.open_to_small:
            for index in sorted(view.small):
                if self._most(index, node, tdmr, None):
                    self._add(Use(None, (Begun(index, node, (tdmr,), None, 1),)))
        for number, which in enumerate(view.bins):
            if which.chain is None:
                for index, c in enumerate(view.classes):
                    if index in view.small and (which.node, which.tdmr) in view.open_to_small:
                        continue
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
        self._known = dict(self._known)
        self._allowance = {}
        coefficients: dict[int, float] = {}
        barred: list[int] = []
        for use, column in zip(self._uses, self._columns, strict=True):
            number = sum(begun.number for begun in use.begun if matches(case, begun))
            if number:
                coefficients[column] = float(number)
                if number > case.number and not case.more and not self._allowed(use):
                    barred.append(column)
        row = (">=" if case.more else "<=", case.number)
        self._bounds = [*self._bounds, row]
        self._programme = self._programme.extended(*row, coefficients, barred)

    def _begin_with(self, known: Relaxed) -> None:
        """Take over what still fits of another solution: its columns, and those it used first."""
        numbers: dict[tuple[object, ...], int] = {}
        for number, b in enumerate(self.view.bins):
            key = (b.node, b.tdmr, b.pages, b.chain, b.spot)
            numbers[key] = number
        used: list[int] = []
        kinds = {c.kind: kind for kind, c in enumerate(self.view.classes)}
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
            if not same:
                begun_now = [(now[begun.kind], begun) for begun in mine.begun]
                if any(kind is None for kind, _ in begun_now):
                    continue
                mine = mine._replace(
                    begun=tuple(b._replace(kind=kind or 0) for kind, b in begun_now)
                )
            if use.bin is None:
                (begun,) = mine.begun
                group = (begun.node, begun.tdmrs[0])
                if group in self.view.open:
                    mine = Use(None, (begun._replace(start=self.view.open[group].start),))
                elif group in self.view.open_to_small and begun.kind in self.view.small:
                    mine = Use(None, (begun._replace(start=None),))
                else:
                    continue
            if not self._allowed(mine):
                continue
            self._add(mine)
            if value > 0:
                used.append(self._known[mine])
        self._programme.crash(used)

    def _allowed(self, use: Use) -> bool:
        """Whether the cases let so many pieces begin in each stretch."""
        counts: dict[tuple[int, int, int, int | None], int] = {}
        for begun in use.begun:
            key = (begun.kind, begun.node, begun.tdmrs[0], begun.start)
            counts[key] = counts.get(key, 0) + begun.number
        return all(number <= self._most(*key) for key, number in counts.items())

    def _start(self, number: int) -> int | None:
        spot = self.view.bins[number].spot
        return spot.start if spot is not None else None

    def _most(self, kind: int, node: int, tdmr: int, start: int | None) -> int:
        """How many pieces of a class the cases let begin in a stretch."""
        if not self._cases:
            return len(self.view.classes[kind].members)
        return self._sizes(node, tdmr, start)[kind][1]

    def _sizes(self, node: int, tdmr: int, start: int | None) -> list[tuple[int, int]]:
        """Pages of each class, and how many of its pieces may begin in a stretch."""
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
        entries: dict[int, float] = {}
        remote = 0.0
        overlaps = 0
        for begun in use.begun:
            remote += begun.number * self._units[begun.node][begun.kind]
            overlaps += begun.number * len(begun.tdmrs)
            for row in self.view.classes[begun.kind].rows:
                entries[row] = entries.get(row, 0.0) + begun.number
            for tdmr in begun.tdmrs:
                area = self._area_row.get(tdmr)
                if area is not None:
                    entries[area] = entries.get(area, 0.0) + begun.number
                if self._total_row is not None:
                    entries[self._total_row] = entries.get(self._total_row, 0.0) + begun.number
            for at, case in enumerate(self._cases):
                if matches(case, begun):
                    row = self._case_row + at
                    entries[row] = entries.get(row, 0.0) + begun.number
        if use.bin is not None:
            entries[self._bin_row + use.bin] = 1.0
        if self._remote_row is not None and remote:
            entries[self._remote_row] = remote
        cost = remote if self._goal == REMOTE else float(overlaps)
        self._known[use] = self._programme.add(list(entries.items()), cost)
        self._columns.append(self._known[use])
        self._uses.append(use)
        return True

    def solve(self, *, every: bool = True) -> Relaxed | None:
        """None where the floats do not settle.  `every`: with columns for others to begin with."""
        try:
            return self._solved(every=every)
        except Stalled:
            if len(self._bounds) >= MANY_ROWS:
                return None
        self._begin_again()
        try:
            return self._solved(every=every)
        except Stalled:
            return None

    def _begin_again(self) -> None:
        """The same columns, for the other solver."""
        self._programme = programme(self._bounds, large=True)
        uses, self._uses, self._columns, self._known = self._uses, [], [], {}
        for use in uses:
            if self._allowed(use):
                self._add(use)

    def _solved(self, *, every: bool) -> Relaxed:
        try:
            # Mostly a moderate price for what is not covered settles both questions at once.
            duals = self._settle(2)
            if self._programme.uncovered() > 1e-4:
                duals = self._settle(1)
                if self._programme.infeasibility(duals) > 1e-6:
                    prices = self._prices(duals, 1)
                    return Relaxed(False, 0.0, prices, (), (), self._kinds, self.view.row_kinds)
                self._programme.penalty = 1e4
                duals = self._settle(2)
        finally:
            self._programme.rest()
        bound = self._programme.infeasibility(duals)
        if self._goal == REMOTE:
            bound = bound * self._scale + self._least_remote
        solution = self._programme.solution()
        uses = tuple(
            (use, solution.get(column, 0.0))
            for use, column in zip(self._uses, self._columns, strict=True)
            if column in solution or (every and (len(use.begun) > 1 or use.begun[0].number > 1))
        )
        prices = self._prices(duals, 2)
        return Relaxed(True, bound, prices, uses, self.view.bins, self._kinds, self.view.row_kinds)

    @property
    def _least_remote(self) -> int:
        problem = self.view.problem
        return sum(problem.least_cost(piece) for piece in problem.waiting)

    @property
    def _kinds(self) -> tuple[Kind, ...]:
        return tuple(c.kind for c in self.view.classes)

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
            tuple(_clean(duals[i]) for i in range(len(self.view.demands))),
            {tdmr: _clean(-duals[row]) for tdmr, row in self._area_row.items()},
            self._price_of(REMOTE, self._remote_row, duals, phase) / self._scale,
            self._price_of(AREAS, self._total_row, duals, phase),
            tuple(_clean(abs(duals[first + at])) for at in range(len(self._cases))),
        )

    def _price_of(self, what: str, row: int | None, duals: Sequence[float], phase: int) -> float:
        """What is least costs itself; what is limited, what its row says."""
        if self._goal == what:
            return 1.0 if phase == 2 else 0.0
        return _clean(-duals[row]) if row is not None else 0.0

    def _price(self, duals: Sequence[float], phase: int) -> bool:
        """Add sets that improve; whether there were any."""
        view = self.view
        prices = self._prices(duals, phase)

        worths = [sum([prices.rows[row] for row in c.rows]) for c in view.classes]
        remote = prices.remote * self._scale
        base = {
            node: [worth - remote * cost for worth, cost in zip(worths, costs, strict=True)]
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
            """Worth of a piece of each class that lies inside one stretch."""
            paid = prices.areas.get(tdmr, 0.0) + prices.total
            found = [value - paid for value in base[node]]
            for case, toll in zip(self._cases, prices.cases, strict=True):
                if toll and matches(case, Begun(case.kind, node, (tdmr,), start, 1)):
                    found[case.kind] += toll if case.more else -toll
            if (node, tdmr) in view.open_to_small:
                # These have columns of their own.
                for kind in view.small:
                    found[kind] = 0.0
            return found

        # Stretches in which pieces are worth the same have one table.
        keys: dict[tuple[int, int, int | None], _Priced] = {}
        longest: dict[_Priced, int] = {}
        for number, which in enumerate(view.bins):
            if which.chain is None:
                place = (which.node, which.tdmr, self._start(number))
                if place not in keys:
                    keys[place] = (tuple(self._sizes(*place)), tuple(values(*place)))
                longest[keys[place]] = max(longest.get(keys[place], 0), which.pages)
        table = {
            key: fronts(view.families, key[0], key[1], pages) for key, pages in longest.items()
        }
        added = False
        for number, which in enumerate(view.bins):
            paid = -duals[self._bin_row + number]
            if which.chain is not None:
                value, begun = best_in_chain(which.chain, view.families, self._sizes, worth)
            else:
                start = self._start(number)
                front = table[keys[which.node, which.tdmr, start]]
                value, counts = front.best(which.pages)
                begun = tuple(
                    Begun(i, which.node, (which.tdmr,), start, n) for i, n in enumerate(counts) if n
                )
            if value > paid + 1e-7:
                added |= self._add(Use(number, begun))
        return added


def _clean(price: float) -> float:
    """Without what is due to rounding alone."""
    return price if price > DUST else 0.0


def matches(case: Case, begun: Begun) -> bool:
    """Whether pieces of a column count for a case."""
    return (
        case.kind == begun.kind
        and case.node in {None, begun.node}
        and case.tdmr in {None, begun.tdmrs[0]}
        and case.start in {None, begun.start}
    )
