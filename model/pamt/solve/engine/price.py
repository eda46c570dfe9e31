"""Pricing: the set of pieces worth most in a bin or a chain, under prices in floats.

Of the TDMRs of a family each has its chunk or its regions, as certificates count them
(:mod:`pamt.certificate.choices`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import combinations, groupby
from typing import NamedTuple

from pamt.certificate.choices import slots
from pamt.certificate.relaxation import CHUNK, Chain

__all__ = ["Begun", "Family", "Fronts", "best_in_chain", "fronts"]

LONGEST = 3000
Link = tuple[int, "Link"] | None
Sizes = Callable[[int, int, int | None], Sequence[tuple[int, int]]]
"""Pages and number of pieces of each class, by node, TDMR, first page of a stretch."""
Worth = Callable[[int, int, tuple[int, ...], int | None], float]


class Family(NamedTuple):
    """Classes of the same TDMRs: a chunk and its regions; or one that stands alone."""

    number: int
    """TDMRs."""
    classes: dict[str, int]
    """By level."""


class Begun(NamedTuple):
    """`number` pieces of class `kind` that begin in one stretch and overlap `tdmrs`."""

    kind: int
    node: int
    tdmrs: tuple[int, ...]
    start: int | None
    """First page of the stretch, where it is told apart from others of its group."""
    number: int


class Fronts:
    """Pairs of pages and worth, each with the set of classes that reaches it; ascending."""

    def __init__(self, entries: list[tuple[int, float, Link]], classes: int) -> None:
        self.entries = entries
        self._pages = [pages for pages, _, _ in entries]
        self._classes = classes

    def best(self, pages: int) -> tuple[float, tuple[int, ...]]:
        """Worth and count per class of the best set of at most `pages`."""
        _, value, link = self.entries[bisect_right(self._pages, pages) - 1]
        counts = [0] * self._classes
        while link is not None:
            counts[link[0]] += 1
            link = link[1]
        return value, tuple(counts)


def fronts(
    families: Sequence[Family],
    sizes: Sequence[tuple[int, int]],
    values: Sequence[float],
    room: int,
    beside: int | None = None,
) -> Fronts:
    """`sizes`: pages, and how many pieces may be taken, of each class.

    `beside`: a class of which a piece has been taken already.
    """
    front: list[tuple[int, float, Link]] = [(0, 0.0, None)]
    for family in families:
        for ways, count in _of_family(family, sizes, values, room, beside):
            for _ in range(min(count, room // ways[0][0])):
                more: list[tuple[int, float, Link]] = []
                for pages, value, kinds in ways:
                    for p, v, link in front:
                        if p + pages > room:
                            break
                        chain: Link = link
                        for kind in kinds:
                            chain = (kind, chain)
                        more.append((p + pages, v + value, chain))
                longer = _pruned(front, more)
                if longer == front:
                    break
                front = longer
    return Fronts(front, len(sizes))


Way = tuple[int, float, tuple[int, ...]]
"""Pages, worth, and classes of what one TDMR may have in a stretch."""


def _of_family(
    family: Family,
    sizes: Sequence[tuple[int, int]],
    values: Sequence[float],
    room: int,
    beside: int | None,
) -> list[tuple[list[Way], int]]:
    """Ways, shortest first, with the number of TDMRs that may go any of them."""
    if len(family.classes) == 1:
        (kind,) = family.classes.values()
        pages, number = sizes[kind]
        number -= kind == beside
        if values[kind] <= 1e-9 or pages > room or number < 1:
            return []
        return [([(pages, values[kind], (kind,))], number)]
    number = family.number
    most = {
        level: min(sizes[kind][1], number)
        for level, kind in family.classes.items()
        if values[kind] > 1e-9 and sizes[kind][0] <= room and sizes[kind][1] > 0
    }
    allowed: list[frozenset[str]] = []
    taken = next((level for level, kind in family.classes.items() if kind == beside), None)
    if taken is not None:
        number -= 1
        if taken in most:
            most[taken] -= 1
        if taken != CHUNK:
            allowed.append(frozenset(most) - {CHUNK, taken})
    allowed += slots(number, most)
    found: list[tuple[list[Way], int]] = []
    for levels, alike in groupby(allowed):
        ways = _ways(family, levels, sizes, values)
        if ways:
            found.append((ways, len(list(alike))))
    return found


def _ways(
    family: Family,
    levels: frozenset[str],
    sizes: Sequence[tuple[int, int]],
    values: Sequence[float],
) -> list[Way]:
    regions = [kind for level, kind in family.classes.items() if level in levels - {CHUNK}]
    sets: list[tuple[int, ...]] = [(family.classes[CHUNK],)] if CHUNK in levels else []
    for number in range(1, len(regions) + 1):
        sets += combinations(regions, number)
    ways = [(sum(sizes[k][0] for k in some), sum(values[k] for k in some), some) for some in sets]
    ways.sort(key=lambda way: (way[0], -way[1]))
    kept: list[Way] = []
    for way in ways:
        if not kept or way[1] > kept[-1][1] + 1e-9:
            kept.append(way)
    return kept


def _pruned(
    one: list[tuple[int, float, Link]], other: list[tuple[int, float, Link]]
) -> list[tuple[int, float, Link]]:
    both = sorted(one + other, key=lambda entry: (entry[0], -entry[1]))
    kept: list[tuple[int, float, Link]] = []
    best = -1.0
    for entry in both:
        if entry[1] > best + 1e-9:
            kept.append(entry)
            best = entry[1]
    while len(kept) > LONGEST:
        kept = [*kept[:-1:2], kept[-1]]
    return kept


State = tuple[int, float, tuple[Begun, ...]]


def best_in_chain(
    chain: Chain, families: Sequence[Family], most: Sizes, worth: Worth
) -> tuple[float, tuple[Begun, ...]]:
    """The best filling of a chain; each stretch may use all pieces that `most` lets begin in it."""
    front: list[State] = [(0, 0.0, ())]
    start = 0
    for at, (tdmr, length) in enumerate(chain.stretches):
        end = start + length
        first = chain.start + start
        sizes = most(chain.node, tdmr, first)
        values = [worth(i, chain.node, (tdmr,), first) for i in range(len(sizes))]
        inside = fronts(families, sizes, values, length)
        filled = _filled(front, inside, chain.node, tdmr, first, start, end)
        ahead = [(max(used, end), value, begun) for used, value, begun in filled]
        if at + 1 < len(chain.stretches):
            for index in range(len(sizes)):
                ahead += _crossed(chain, at, index, families, sizes, values, worth, front, start)
        front = _best_states(ahead)
        start = end
    _, value, begun = max(front, key=lambda state: (state[1], -state[0]))
    return value, begun


def _filled(
    front: list[State], inside: Fronts, node: int, tdmr: int, first: int, start: int, end: int
) -> list[State]:
    reached: list[State] = []
    for used, value, begun in front:
        if used >= end:
            reached.append((used, value, begun))
            continue
        for pages, more, _ in inside.entries:
            if max(used, start) + pages > end:
                break
            counts = inside.best(pages)[1]
            here = tuple(Begun(i, node, (tdmr,), first, n) for i, n in enumerate(counts) if n)
            reached.append((max(used, start) + pages, value + more, begun + here))
    return _best_states(reached)


def _crossed(
    chain: Chain,
    at: int,
    index: int,
    families: Sequence[Family],
    sizes: Sequence[tuple[int, int]],
    values: Sequence[float],
    worth: Worth,
    front: list[State],
    start: int,
) -> list[State]:
    """A piece of class `index` across the border, behind what others fill."""
    tdmr, length = chain.stretches[at]
    first, end = chain.start + start, start + length
    gain = worth(index, chain.node, (tdmr, chain.stretches[at + 1][0]), first)
    if gain <= 1e-9 or sizes[index][1] < 1:
        return []
    inside = fronts(families, sizes, values, length, index)
    found: list[State] = []
    pages = sizes[index][0]
    for used, value, begun in _filled(front, inside, chain.node, tdmr, first, start, end):
        if used >= end:
            continue
        stop = max(used, end - pages + 1) + pages
        over = [tdmr]
        reach = end
        for later, more in chain.stretches[at + 1 :]:
            if reach >= stop:
                break
            over.append(later)
            reach += more
        if reach < stop:
            continue
        gain = worth(index, chain.node, tuple(over), first)
        if gain > 1e-9:
            here = Begun(index, chain.node, tuple(over), first, 1)
            found.append((stop, value + gain, (*begun, here)))
    return found


def _best_states(states: list[State]) -> list[State]:
    states.sort(key=lambda state: (state[0], -state[1]))
    kept: list[State] = []
    best = -1.0
    for state in states:
        if state[1] > best + 1e-9:
            kept.append(state)
            best = state[1]
    return kept[:: max(1, len(kept) // LONGEST)]
