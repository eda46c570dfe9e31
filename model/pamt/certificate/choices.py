"""Which pieces may begin in one stretch together: at most one of each choice.

A TDMR has its chunk, or its regions, of which any may lie in the stretch.  Where cases say that at
most so many of some pieces begin there, fewer are listed:

* if these pieces belong to TDMRs that are alike in all that counts, as *slots*: each takes what one
  such TDMR may have there, the first ones a chunk, the last ones a region of a level, as many as
  are allowed.  Whatever the TDMRs have there fits into the slots, one each;
* else as many copies of the best, apart from what else their TDMRs may have.

    three TDMRs, at most one chunk, at most two 4K regions:   | chunk | 4K |    |
                                                              |       | 4K | 4K |   no: two slots
    slots                                                     | chunk | 4K | 4K |   yes: these

Source: docs/design.md, section 5; specs/certificate.md, "The most that fits in a run".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from pamt.certificate.filling import Choice, Item
from pamt.certificate.format import Split
from pamt.certificate.relaxation import CHUNK, Piece
from pamt.configuration import LEVELS

__all__ = ["Choices", "slots"]


def slots(number: int, most: Mapping[str, int]) -> list[frozenset[str]]:
    """For each of `number` TDMRs the levels that it may have; `most`: of each level at most."""
    return [
        frozenset(
            level
            for level, limit in most.items()
            if (at < limit if level == CHUNK else at >= number - limit)
        )
        for at in range(number)
    ]


class Choices:
    """The choices for one stretch.

    `worthy`: pieces with what they are worth inside it, above 0.  `lows`: cases that say that at
    most so many of some pieces begin there.
    """

    def __init__(self, worthy: Sequence[tuple[Piece, int]], lows: Sequence[Split]) -> None:
        by_tdmr: dict[int, dict[str, Item]] = {}
        for piece, value in worthy:
            by_tdmr.setdefault(piece.tdmr, {})[piece.level] = Item(piece.pages, value)
        self._apart: list[Choice] = []
        limits = _limited(by_tdmr, lows, self._apart)
        self._groups = _groups(by_tdmr, limits)
        self._group_of = {t: at for at, group in enumerate(self._groups) for t in group.tdmrs}
        self._known: dict[tuple[int, str], tuple[Choice, ...]] = {}
        self.all = self._listed(-1, "")

    def beside(self, crossing: Piece) -> tuple[Choice, ...]:
        """Those for what begins there besides `crossing`, which begins there and goes on behind."""
        at = self._group_of.get(crossing.tdmr)
        return self.all if at is None else self._listed(at, crossing.level)

    def _listed(self, without: int, level: str) -> tuple[Choice, ...]:
        """Of group `without` one TDMR has the piece `level` elsewhere."""
        if (without, level) not in self._known:
            found = list(self._apart)
            for at, group in enumerate(self._groups):
                found += group.choices(level if at == without else None)
            self._known[without, level] = tuple(sorted(found))
        return self._known[without, level]


class _Group(NamedTuple):
    """TDMRs that are alike: the same items, and the same cases speak of them."""

    tdmrs: tuple[int, ...]
    items: Mapping[str, Item]
    most: Mapping[str, int]
    """Of each level at most so many begin there."""

    def choices(self, elsewhere: str | None) -> list[Choice]:
        """`elsewhere`: what one of them has begun besides."""
        if elsewhere is None:
            return self._slots(len(self.tdmrs), self.most)
        most = dict(self.most)
        if elsewhere in most:
            most[elsewhere] -= 1
        found = self._slots(len(self.tdmrs) - 1, most)
        if elsewhere != CHUNK:
            found += _alternatives(self.items, frozenset(self.items) - {CHUNK, elsewhere})
        return found

    def _slots(self, number: int, most: Mapping[str, int]) -> list[Choice]:
        return [c for levels in slots(number, most) for c in _alternatives(self.items, levels)]


def _groups(by_tdmr: Mapping[int, Mapping[str, Item]], lows: Sequence[Split]) -> list[_Group]:
    alike: dict[tuple[object, ...], list[int]] = {}
    for tdmr, items in by_tdmr.items():
        under = tuple(at for at, low in enumerate(lows) if tdmr in low.tdmrs)
        alike.setdefault((tuple(sorted(items.items())), under), []).append(tdmr)
    found: list[_Group] = []
    for tdmrs in alike.values():
        items = by_tdmr[tdmrs[0]]
        most = dict.fromkeys(items, len(tdmrs))
        for low in lows:
            if tdmrs[0] in low.tdmrs and low.piece in most:
                most[low.piece] = min(most[low.piece], low.at_most)
        found.append(_Group(tuple(tdmrs), items, most))
    return found


def _limited(
    by_tdmr: dict[int, dict[str, Item]], lows: Sequence[Split], found: list[Choice]
) -> list[Split]:
    """Lows that speak of TDMRs that are alike; for others pieces go from `by_tdmr` to `found`."""
    left = sorted(lows, key=lambda low: low.at_most)
    while True:
        left = [low for low in left if len(_held(by_tdmr, low)) > max(0, low.at_most)]
        other = next(
            (low for low in left if low.at_most < 1 or not _alike(by_tdmr, low, left)), None
        )
        if other is None:
            return left
        gone = [by_tdmr[tdmr].pop(other.piece) for tdmr in _held(by_tdmr, other)]
        best = Item(min(item.pages for item in gone), max(item.value for item in gone))
        found += [(best,)] * other.at_most


def _held(by_tdmr: Mapping[int, Mapping[str, Item]], low: Split) -> list[int]:
    return [tdmr for tdmr in low.tdmrs if low.piece in by_tdmr.get(tdmr, ())]


def _alike(by_tdmr: Mapping[int, Mapping[str, Item]], low: Split, lows: Sequence[Split]) -> bool:
    """Whether all TDMRs of a low have the same items, and the same lows speak of them."""
    held = _held(by_tdmr, low)
    first = held[0]
    return all(
        by_tdmr[tdmr] == by_tdmr[first]
        and all((tdmr in other.tdmrs) == (first in other.tdmrs) for other in lows)
        for tdmr in held
    )


def _alternatives(items: Mapping[str, Item], levels: frozenset[str]) -> list[Choice]:
    """What one TDMR may have, of these levels: as a choice, or none if that is nothing."""
    regions = [items[level] for level in LEVELS if level in levels]
    ways = [items[CHUNK]] if CHUNK in levels else []
    ways += [
        Item(sum(item.pages for item in some), sum(item.value for item in some))
        for number in range(1, len(regions) + 1)
        for some in combinations(regions, number)
    ]
    ways.sort(key=lambda item: (item.pages, -item.value))
    kept: list[Item] = []
    for way in ways:
        if not kept or way.value > kept[-1].value:
            kept.append(way)
    return [tuple(kept)] if kept else []
