"""From float multipliers to a weighted sum of a certificate, summed exactly before it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pamt.certificate.check import Leaves
from pamt.certificate.format import Split, Sum, Where
from pamt.certificate.relaxation import CHUNK
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
        self.at_most = dict(at_most)

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
            step = Sum({chunk.tdmr: 1 for chunk in problem.chunks}, {}, {}, total=1)
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
        for scale in SCALES:
            step = self._rounded(view, cases, prices, scale)
            if step is not None and self._holds(step, known):
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
        values: dict[int, int] = {}
        for index, c in enumerate(view.classes):
            value = round(prices.chunks[index] * scale) + remote * problem.least_cost(c.members[0])
            for node, tdmr in view.open:
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
            if value:
                values.update({chunk.tdmr: value for chunk in c.members})
        # A price that nothing is worth, not even where the way there pays for itself.
        gain = max((-problem.cost(c.members[0], n) for c in view.classes for n in nodes), default=0)
        high = 1 + max((abs(value) for value in values.values()), default=0) + sum(tolls)
        high += remote * max(0, gain)
        for tdmr, room in enumerate(problem.room):
            if room == 0:
                areas[tdmr] = high
        return Sum(
            values,
            {},
            {tdmr: price for tdmr, price in areas.items() if price},
            remote,
            total,
            {at: toll for at, toll in enumerate(tolls) if toll},
        )


def split_of(view: View, case: Case, low: int = 0, high: int = 0) -> Split:
    """The case split with `case` on one side; `case.number` is that of the side "at most"."""
    members = tuple(chunk.tdmr for chunk in view.classes[case.kind].members)
    run, tdmr = case.start, case.tdmr
    if run is not None:
        for chain in view.problem.chains:
            at = chain.start
            for over, pages in chain.stretches:
                if at <= run < at + pages:
                    return Split(
                        members,
                        CHUNK,
                        Where(case.node, over, chain.start * PAGE),
                        case.number,
                        low,
                        high,
                    )
                at += pages
    where = Where(case.node, tdmr, None if run is None else run * PAGE)
    return Split(members, CHUNK, where, case.number, low, high)
