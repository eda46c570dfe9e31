"""Weighted sums: whether some conditions, each times a price, cannot all hold.

Over one :class:`pamt.certificate.relaxation.Relaxation`: what all pieces together must be worth is
more than what free runs can hold, run by run (:mod:`filling`, :mod:`choices`).

Source: specs/certificate.md, section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from pamt.certificate.choices import Choices
from pamt.certificate.fault import Wrong, listed
from pamt.certificate.filling import Crossing, Stretch, best_in_chain, best_in_runs
from pamt.certificate.format import Split, Sum, Where
from pamt.certificate.relaxation import CHUNK, Chain, Piece, Relaxation
from pamt.configuration import LEVELS
from pamt.ranges import PAGE

__all__ = ["Leaves"]


class Leaves:
    """Checks weighted sums over one relaxation."""

    def __init__(self, relaxation: Relaxation) -> None:
        self._facts = relaxation
        self.rest = relaxation.rest
        self.holes = sum(relaxation.holes)
        self._by_level: dict[str, list[Piece]] = {}
        for piece in relaxation.pieces:
            self._by_level.setdefault(piece.level, []).append(piece)
        self._lengths = {
            key: sorted(pages for _, pages in runs) for key, runs in relaxation.runs.items()
        }
        self._by_start = {
            start * PAGE: (*key, pages)
            for key, runs in relaxation.runs.items()
            for start, pages in runs
        }

    def check(
        self,
        step: Sum,
        cases: tuple[tuple[Split, int, int], ...],
        at_most: Mapping[str, int],
        at: str,
    ) -> None:
        """Raises where the sum is no contradiction."""
        facts = self._facts
        known = {index: (split, sign) for split, index, sign in cases}
        if any(index not in known for index in step.cases):
            raise Wrong(at, f"cases among {listed(sorted(known))}", listed(sorted(step.cases)))
        for what, prices in (("areas", step.areas), ("cases", step.cases)):
            if any(price < 0 for price in prices.values()):
                raise Wrong(at, f"no {what} with a price below 0", min(prices.values()))
        if step.remote < 0 or step.total < 0:
            raise Wrong(at, "no price below 0", min(step.remote, step.total))
        if any(t >= facts.tdmrs for t in (*step.values, *step.regions, *step.areas)):
            raise Wrong(at, f"TDMRs below {facts.tdmrs}", "one beyond")
        if step.regions and not facts.split:
            raise Wrong(at, "no regions where chunks stay whole", f"TDMRs {listed(step.regions)}")
        need = self.need(step, known, at_most, at)
        supply = self.supply(step, known)
        if supply >= need:
            raise Wrong(at, f"less worth than {need} in all runs", supply)

    def need(
        self,
        step: Sum,
        known: Mapping[int, tuple[Split, int]],
        at_most: Mapping[str, int],
        at: str = "",
    ) -> int:
        """What all pieces together must be worth, less what the conditions can contribute."""
        facts = self._facts
        need = 0
        for tdmr in {**step.values, **step.regions}:
            value = step.values.get(tdmr, 0)
            if facts.split:
                value = min(value, sum(step.regions.get(tdmr, (0, 0, 0))))
            need += value
        limit = min(facts.limit, at_most.get("max_areas", facts.limit))
        for tdmr, price in step.areas.items():
            need -= price * (limit - facts.holes[tdmr])
        for name, price in (("remote", step.remote), ("areas", step.total)):
            if price and name not in at_most:
                raise Wrong(at, f"no price on {name}, which the claim leaves open", price)
        remote = at_most.get("remote", 0)
        if facts.unit:
            remote = remote // facts.unit * facts.unit
        need -= step.remote * remote
        need -= step.total * (at_most.get("areas", 0) - sum(facts.holes))
        for index, price in step.cases.items():
            split, sign = known[index]
            need += price * (split.at_most + 1) if sign > 0 else -price * split.at_most
        return need

    def supply(self, step: Sum, known: Mapping[int, tuple[Split, int]]) -> int:
        """The most that pieces in all free runs can be worth."""
        worth = _Worth(self._facts, self._by_level, step, known)
        # Runs in which pieces are worth the same are looked at together.
        alike: dict[_Place, tuple[tuple[int, int], list[int]]] = {}
        for key, lengths in self._lengths.items():
            alike.setdefault(worth.place(*key), (key, []))[1].extend(lengths)
        supply = 0
        for (node, tdmr), lengths in alike.values():
            supply += best_in_runs(worth.choices(node, tdmr, None).all, sorted(lengths))
        # Runs that cases speak of are worth something else than the rest of their kind.
        runs = {split.where.run for split, _ in known.values() if split.where.run is not None}
        for run in sorted(runs):
            if run in self._by_start:
                node, tdmr, pages = self._by_start[run]
                supply -= best_in_runs(worth.choices(node, tdmr, None).all, [pages])
                supply += best_in_runs(worth.choices(node, tdmr, run).all, [pages])
        for chain in self._facts.chains:
            supply += best_in_chain(worth.stretches(chain))
        return supply


class _Place(NamedTuple):
    """What a piece's worth depends on where it lies inside one stretch; cases by their number."""

    node: int
    price: int
    cases: tuple[int, ...]
    lows: tuple[int, ...]


class _Worth:
    """What a piece is worth in a place, under the prices of one sum."""

    def __init__(
        self,
        facts: Relaxation,
        by_level: Mapping[str, list[Piece]],
        step: Sum,
        known: Mapping[int, tuple[Split, int]],
    ) -> None:
        self._facts = facts
        self._step = step
        self._pieces: list[tuple[Piece, int]] = []
        for tdmr, value in step.values.items():
            self._pieces.append((by_level[CHUNK][tdmr], value))
        for tdmr, three in step.regions.items():
            for level, value in zip(LEVELS, three, strict=True):
                self._pieces.append((by_level[level][tdmr], value))
        if step.remote and min(facts.weights.values(), default=0) < 0:
            # Where a node is nearer than home a piece is worth something there by itself.
            have = {(piece.tdmr, piece.level) for piece, _ in self._pieces}
            self._pieces += [(p, 0) for p in facts.pieces if (p.tdmr, p.level) not in have]
        self._cases = [
            (split.where, split.piece, frozenset(split.tdmrs), sign * step.cases[index])
            for index, (split, sign) in known.items()
            if step.cases.get(index)
        ]
        self._lows = [split for split, sign in known.values() if sign < 0]
        for _where, level, tdmrs, price in self._cases:
            if price > 0 and level in by_level:
                # Pieces of no value of their own may be worth a case's price.
                have = {(piece.tdmr, piece.level) for piece, _ in self._pieces}
                self._pieces += [
                    (by_level[level][t], 0) for t in sorted(tdmrs) if (t, level) not in have
                ]
        self._pieces.sort(key=lambda pair: (pair[0].pages, pair[0].tdmr, pair[0].level))

    def _price(self, tdmr: int) -> int:
        """Of one area in a TDMR."""
        return self._step.areas.get(tdmr, 0) + self._step.total

    def place(self, node: int, tdmr: int) -> _Place:
        """Stretches of equal places, of which no case tells the run, have equal choices."""
        return _Place(
            node,
            self._price(tdmr),
            tuple(n for n, case in enumerate(self._cases) if _inside(case[0], node, tdmr, None)),
            tuple(n for n, low in enumerate(self._lows) if _inside(low.where, node, tdmr, None)),
        )

    def choices(self, node: int, tdmr: int, run: int | None) -> Choices:
        """Pieces worth something when they lie inside one stretch of TDMR `tdmr`."""
        price = self._price(tdmr)
        worthy = [
            (piece, value - price) for piece, value in self._begun(node, tdmr, run) if value > price
        ]
        return Choices(worthy, [s for s in self._lows if _inside(s.where, node, tdmr, run)])

    def _barred(self, piece: Piece, node: int, tdmr: int, run: int | None) -> bool:
        """Whether a case says that the piece does not begin there."""
        return any(
            split.at_most < 1 and _speaks_of(split, piece) and _inside(split.where, node, tdmr, run)
            for split in self._lows
        )

    def stretches(self, chain: Chain) -> list[Stretch]:
        made: list[Stretch] = []
        run = chain.start * PAGE
        for index, (tdmr, pages) in enumerate(chain.stretches):
            later = [t for t, _ in chain.stretches[index:]]
            prices = list(accumulate(map(self._price, later)))
            choices = self.choices(chain.node, tdmr, run)
            crossing = [
                Crossing(
                    piece.pages,
                    [value - price for price in prices[1:]],
                    choices.beside(piece),
                )
                for piece, value in self._begun(chain.node, tdmr, run)
                if prices[1:] and value > prices[1]
                if not self._barred(piece, chain.node, tdmr, run)
            ]
            made.append(Stretch(pages, choices.all, crossing))
        return made

    def _begun(self, node: int, tdmr: int, run: int | None) -> list[tuple[Piece, int]]:
        """Worth of each piece that begins there, before any area is paid for."""
        facts, remote = self._facts, self._step.remote
        cases = [
            (level, tdmrs, price)
            for where, level, tdmrs, price in self._cases
            if _inside(where, node, tdmr, run)
        ]
        found: list[tuple[Piece, int]] = []
        for piece, value in self._pieces:
            worth = value - remote * facts.cost(piece, node) if remote else value
            for level, tdmrs, price in cases:
                if piece.level == level and piece.tdmr in tdmrs:
                    worth += price
            found.append((piece, worth))
        return found


def _speaks_of(split: Split, piece: Piece) -> bool:
    return piece.level == split.piece and piece.tdmr in split.tdmrs


def _inside(where: Where, node: int, tdmr: int, run: int | None) -> bool:
    return where.node in {None, node} and where.tdmr in {None, tdmr} and where.run in {None, run}
