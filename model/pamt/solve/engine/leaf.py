"""From float multipliers to a weighted sum of a certificate, summed exactly before it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pamt.certificate.format import Split, Sum, Where
from pamt.certificate.relaxation import CHUNK
from pamt.certificate.sums import Leaves
from pamt.configuration import LEVELS
from pamt.ranges import PAGE
from pamt.solve.engine.master import Case, Prices, matches
from pamt.solve.engine.price import Begun
from pamt.solve.engine.problem import Problem
from pamt.solve.engine.view import View

__all__ = ["Prover", "split_of"]

SCALES = (1, 2, 3, 4, 6, 12, 60, 10**3, 10**6, 10**9, 10**12)


class Prover:
    """Makes the sums of one claim."""

    def __init__(self, leaves: Leaves, at_most: Mapping[str, int]) -> None:
        self._leaves = leaves
        self.holes = leaves.holes
        """Areas of all TDMRs without any PAMT."""
        self.at_most = dict(at_most)
        self._scale = SCALES[0]

    def without_room(self, problem: Problem) -> Sum | None:
        """A TDMR whose holes alone are too many."""
        for tdmr, room in enumerate(problem.room):
            if room < 0:
                step = Sum({}, {}, {tdmr: 1})
                return step if self._holds(step, {}) else None
        return None

    def too_few_areas(self, problem: Problem) -> Sum | None:
        """Fewer areas in all than the holes need."""
        if problem.overlaps is not None and problem.overlaps < len(problem.chunks):
            regions = dict.fromkeys(problem.regions, (1, 0, 0))
            step = Sum({chunk.tdmr: 1 for chunk in problem.chunks}, regions, {}, total=1)
            return step if self._holds(step, {}) else None
        return None

    def sum(
        self, view: View, cases: Sequence[Case], splits: Sequence[Split], prices: Prices
    ) -> Sum | None:
        """Integer multipliers near `prices` whose sum is a contradiction; None if none is found."""
        known = {
            at: (split, 1 if case.more else -1)
            for at, (split, case) in enumerate(zip(splits, cases, strict=True))
        }
        # What did for the last sum of this claim mostly does for the next.
        for scale in sorted(SCALES, key=lambda scale: (scale != self._scale, scale)):
            step = self._rounded(view, cases, prices, scale)
            if step is not None and self._holds(step, known):
                self._scale = scale
                return step
        return None

    def _holds(self, step: Sum, known: Mapping[int, tuple[Split, int]]) -> bool:
        need = self._leaves.need(step, known, self.at_most)
        return need > 0 and self._leaves.supply(step, known) < need

    def _rounded(self, view: View, cases: Sequence[Case], prices: Prices, scale: int) -> Sum | None:
        problem = view.problem
        remote = round(prices.remote * scale)
        if prices.remote > 0 and remote == 0:
            return None
        total = round(prices.total * scale)
        areas = {tdmr: round(price * scale) for tdmr, price in prices.areas.items()}
        tolls = [round(price * scale) for price in prices.cases]
        nodes = sorted({node for _, node in problem.weights})
        rows = [round(price * scale) for price in prices.rows]
        worths: list[int] = []
        for index, c in enumerate(view.classes):
            value = sum(rows[row] for row in c.rows) + remote * problem.least_cost(c.members[0])
            for node, tdmr in (*view.open, *(view.open_to_small if index in view.small else ())):
                most = remote * problem.cost(c.members[0], node) + areas.get(tdmr, 0) + total
                here = [
                    (case, toll)
                    for case, toll in zip(cases, tolls, strict=True)
                    if matches(case, Begun(index, node, (tdmr,), None, 1))
                ]
                if any(not case.more and case.number < 1 for case, _ in here):
                    continue  # none begins there
                most += sum(-toll if case.more else toll for case, toll in here)
                value = min(value, most)
            worths.append(value)
        values, regions = _by_tdmr(view, worths)
        # A price that nothing is worth, not even where the way there pays for itself.
        gain = max((-problem.cost(c.members[0], n) for c in view.classes for n in nodes), default=0)
        high = 1 + max((abs(value) for value in worths), default=0) + sum(tolls)
        high += remote * max(0, gain)
        for tdmr, room in enumerate(problem.room):
            if room == 0:
                areas[tdmr] = high
        return Sum(
            values,
            regions,
            {tdmr: price for tdmr, price in areas.items() if price},
            remote,
            total,
            {at: toll for at, toll in enumerate(tolls) if toll},
        )


def _by_tdmr(
    view: View, worths: Sequence[int]
) -> tuple[dict[int, int], dict[int, tuple[int, int, int]]]:
    """From values of classes to those of chunks, and of regions where chunks may be split."""
    values: dict[int, int] = {}
    parts: dict[int, dict[str, int]] = {}
    for c, worth in zip(view.classes, worths, strict=True):
        for piece in c.members:
            if c.kind.level == CHUNK:
                values[piece.tdmr] = worth
            else:
                parts.setdefault(piece.tdmr, {})[c.kind.level] = worth
    regions: dict[int, tuple[int, int, int]] = {}
    for tdmr, by_level in parts.items():
        # The smaller of the two sums counts, so the other need not be worth more.
        first, second, third = (by_level[level] for level in LEVELS)
        values[tdmr] = min(values[tdmr], first + second + third)
        regions[tdmr] = (values[tdmr] - second - third, second, third)
    shown = {tdmr: three for tdmr, three in regions.items() if any(three)}
    if regions and not shown:
        # A sum without regions would be one over the largest pieces alone.
        shown = dict(list(regions.items())[:1])
    return {tdmr: value for tdmr, value in values.items() if value}, shown


def split_of(view: View, case: Case, low: int = 0, high: int = 0) -> Split:
    """The case split with `case` on one side; `case.number` is that of the side "at most"."""
    kind = view.classes[case.kind].kind
    members = tuple(piece.tdmr for piece in view.classes[case.kind].members)
    run, tdmr = case.start, case.tdmr
    if run is not None:
        for chain in view.problem.chains:
            at = chain.start
            for over, pages in chain.stretches:
                if at <= run < at + pages:
                    return Split(
                        members,
                        kind.level,
                        Where(case.node, over, chain.start * PAGE),
                        case.number,
                        low,
                        high,
                    )
                at += pages
    where = Where(case.node, tdmr, None if run is None else run * PAGE)
    return Split(members, kind.level, where, case.number, low, high)
