"""Cuts one by one: all that are within the limits, none else, and the steps that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from random import Random
from typing import NamedTuple

import pytest

from pamt.certificate.cut_bound import NEVER, CutFacts
from pamt.certificate.each_cut import AllCuts, Cut, TooMany


def facts_of(random: Random, most_cells: int = 5) -> CutFacts:
    n = random.randint(1, most_cells)
    cells = tuple(sorted(random.sample(range(n + 2), n)))
    alone = tuple(random.randint(0, 3) for _ in range(n))
    joined = tuple(random.randint(-1, 1) for _ in range(n - 1))
    pages = tuple(7 * gib + -(-gib // 3) for gib in range(n + 3))
    return CutFacts(
        cells,
        None,
        alone,
        joined,
        tuple(holes - (random.random() < 0.4) for holes in alone),
        tuple(holes - (random.random() < 0.4) for holes in joined),
        pages,
        random.randint(0, 1),
        random.randint(2, 6),
        random.randint(1, 6),
        barred=frozenset(i for i in range(1, n) if random.random() < 0.1),
    )


class Limit(NamedTuple):
    """TDMRs of `cap` areas at most; all together cost no more than `most`."""

    facts: CutFacts
    cap: int
    most: int
    counts: str = ""
    """What is counted."""

    def allows(self, first: int, last: int) -> bool:
        later = range(last, len(self.facts.cells))
        return first not in self.facts.barred and any(
            self.facts.holes(first, end) <= self.cap for end in later
        )

    def price(self, first: int, last: int) -> int:
        if self.counts == "areas":
            return self.facts.holes(first, last) + self.facts.own
        if self.counts == "pages":
            return self.facts.pages[self.facts.cells[last] - self.facts.cells[first] + 1]
        return 0

    @lru_cache(maxsize=10**5)  # noqa: B019
    def least(self, first: int, number: int) -> int:
        """The least of all that begins at cell `first`, into `number` TDMRs."""
        n = len(self.facts.cells)
        if number == 0:
            return 0 if first == n else NEVER
        return min(
            (
                self.price(first, last) + self.least(last + 1, number - 1)
                for last in range(first, n)
                if self.allows(first, last)
            ),
            default=NEVER,
        )


def limits_of(facts: CutFacts, at_most: Mapping[str, int], few: int | None) -> list[Limit]:
    cap = min(facts.limit, at_most.get("max_areas", facts.limit))
    found = [Limit(facts, cap, 0)]
    if "areas" in at_most:
        found.append(Limit(facts, cap, at_most["areas"], "areas"))
    if "pamt_pages" in at_most:
        found.append(Limit(facts, cap, at_most["pamt_pages"], "pages"))
    if few is not None and not facts.own:
        # No gap counts as filled, but so many areas more there may be.
        counts, most = ("areas", at_most["areas"]) if "areas" in at_most else ("", 0)
        found.append(Limit(facts.unfilled, cap + few, most + few, counts))
    return found


def walk(limits: list[Limit], first: int, number: int) -> Iterator[Cut | None]:
    """All cuts from a cell on, and None for each step."""
    yield None
    n = len(limits[0].facts.cells)
    if number == 1:
        yield ((first, n - 1),)
        return
    for last in range(first, n - 1):
        rest = [each._replace(most=each.most - each.price(first, last)) for each in limits]
        if all(
            each.allows(first, last) and each.least(last + 1, number - 1) <= each.most
            for each in rest
        ):
            for found in walk(rest, last + 1, number - 1):
                yield ((first, last), *found) if found is not None else None


def walk_all(facts: CutFacts, limits: list[Limit], tdmrs: int) -> Iterator[Cut | None]:
    n = len(facts.cells)
    if any(all(e.least(0, k) > e.most for k in range(1, n + 1)) for e in limits):
        return
    for number in range(1, min(facts.most, n, tdmrs) + 1):
        yield None
        if all(each.least(0, number) <= each.most for each in limits):
            yield from walk(limits, 0, number)


def some_limits(number: int) -> Iterator[tuple[CutFacts, dict[str, int], int | None]]:
    for seed in range(number):
        random = Random(seed)
        facts = facts_of(random)
        n = len(facts.cells)
        ranges = {
            "max_areas": (0, 5),
            "areas": (0, 2 * n + 1),
            "tdmrs": (1, n + 1),
            "pamt_pages": (7 * n, 9 * n + 14),
        }
        names = [name for name in ranges if random.random() < 0.6]
        at_most = {name: random.randint(*ranges[name]) for name in names}
        yield facts, at_most, random.choice((None, 0, 1, 2))


def test_all_cuts_within_the_limits_and_none_else_in_so_many_steps() -> None:
    number = 0
    for facts, at_most, few in some_limits(900):
        limits = limits_of(facts, at_most, few)
        walked = list(walk_all(facts, limits, at_most.get("tdmrs", 99)))
        cuts = [cut for cut in walked if cut is not None]
        steps = walked.count(None)
        assert list(AllCuts(facts, at_most, steps, few=few)) == cuts
        number += len(cuts)
        if steps:
            with pytest.raises(TooMany):
                list(AllCuts(facts, at_most, steps - 1, few=few))
    assert number > 1000


def plain(n: int, most: int, longest: tuple[int, ...] = ()) -> CutFacts:
    """Cells without holes."""
    none = (0,) * n, (0,) * (n - 1)
    pages = tuple(range(n + 1))
    return CutFacts(tuple(range(n)), None, *none, *none, pages, 0, 4, most, longest=longest)


def steps_of(facts: CutFacts, at_most: Mapping[str, int], few: int | None = None) -> int:
    """The fewest steps that are enough."""
    for steps in range(1000):
        try:
            list(AllCuts(facts, at_most, steps, few=few))
        except TooMany:
            continue
        return steps
    raise AssertionError


def test_many_cells_take_more_steps() -> None:
    # For each number of TDMRs a step, and one for every 16 cells; one for each cut; one for each
    # cell from which all ends are looked at, and another for every 64 ends.
    assert [steps_of(plain(n, 1), {}) for n in (15, 16, 31, 32)] == [2, 3, 3, 4]
    assert steps_of(plain(63, 2), {}) == 4 + 1 + 4 + 1 + 62
    assert steps_of(plain(64, 2), {}) == 5 + 1 + 5 + 2 + 63
    # From the first cell no further than the 64th of 65, or the 63rd.
    assert steps_of(plain(65, 2, (64,) + (65,) * 64), {}) == 5 + 5 + 2 + 64
    assert steps_of(plain(65, 2, (63,) + (65,) * 64), {}) == 5 + 5 + 1 + 63
    # Into three: the first TDMR is of one cell; the ends of the second are 64, or 63.
    short = (1,) + (65,) * 64
    two = 5 + 1 + 1
    assert steps_of(plain(65, 3, short), {}) == 5 + two + 5 + 1 + 2 + 63
    assert steps_of(plain(64, 3, short[:64]), {}) == 5 + two + 5 + 1 + 1 + 62


def test_too_many_cuts() -> None:
    with pytest.raises(TooMany):
        list(AllCuts(plain(60, 9), {"tdmrs": 9}, 500))
