"""Bounds over cuts: tables of least values, the least cut against every cut."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from pamt.certificate.cut_bound import NEVER, CutFacts, Cuts, _all_fall, _Minima, _Window, _Windows
from pamt.certificate.each_cut import AllCuts


@pytest.mark.parametrize("falling", [True, False])
def test_least_of_windows_as_values_come(falling: bool) -> None:
    random = Random(1)
    for _ in range(200):
        n = random.randint(1, 12)
        windows: list[tuple[_Window, ...]] = []
        low = high = n
        for cell in range(n - 1, -1, -1):
            if falling:
                low = random.randint(cell + 1, low)
                high = random.randint(low, high)
            else:
                low = random.randint(cell + 1, n)
                high = random.randint(low, n)
            kinds = [_Window(0, low, high, 0), _Window(1, cell + 1, cell + 1, 3)]
            windows.append(tuple(kinds[: random.randint(0, 2)]))
            low, high = (low, high) if falling else (n, n)
        windows.reverse()
        values = [random.randint(0, 20) for _ in range(n + 1)]
        known = [10**6] * n + [values[n]]
        minima = _Minima(_Windows(windows, _all_fall(windows)), known, 2)
        for cell in range(n - 1, -1, -1):
            expected = [min(values[w.low : w.high + 1]) + 2 * w.over for w in windows[cell]]
            assert minima.least(cell) == min(expected, default=2 * NEVER)
            known[cell] = values[cell]


def facts_of(random: Random) -> CutFacts:
    n = random.randint(1, 6)
    cells = tuple(sorted(random.sample(range(9), n)))
    alone = tuple(random.randint(0, 3) for _ in range(n))
    joined = tuple(random.randint(-1, 1) for _ in range(n - 1))
    pages = tuple(7 * gib + -(-gib // 3) for gib in range(10))
    return CutFacts(
        cells, None, alone, joined, alone, joined, pages, random.randint(0, 1), 4, 3,
        barred=frozenset(i for i in range(1, n) if random.random() < 0.2),
    )  # fmt: skip


def all_cuts(n: int) -> list[tuple[tuple[int, int], ...]]:
    found = []
    for mask in range(1 << (n - 1)):
        borders = [0, *(i + 1 for i in range(n - 1) if mask >> i & 1), n]
        found.append(tuple((a, b - 1) for a, b in pairwise(borders)))
    return found


@pytest.mark.parametrize("seed", range(150))
def test_least_cut_and_cuts_one_by_one_against_all_cuts(seed: int) -> None:
    random = Random(seed)
    facts = facts_of(random)
    cap = random.randint(1, 4)
    n = len(facts.cells)

    def price(cut: tuple[tuple[int, int], ...]) -> tuple[int, int, int]:
        holes = sum(facts.holes(a, b) for a, b in cut)
        pages = sum(facts.pages[facts.cells[b] - facts.cells[a] + 1] for a, b in cut)
        return holes + facts.own * len(cut), len(cut), pages

    # A TDMR counts as allowed where a longer one is: a bound, where joining takes holes away.
    allowed = [
        cut
        for cut in all_cuts(n)
        if len(cut) <= facts.most
        and all(any(facts.holes(a, e) <= cap for e in range(b, n)) for a, b in cut)
        and not any(a in facts.barred for a, _ in cut)
    ]
    roomy = [c for c in allowed if not facts.own or price(c)[0] <= cap * len(c)]
    least = Cuts(facts, ("areas", "tdmrs", "pamt_pages"), cap).least
    wanted = min(map(price, roomy), default=None)
    if wanted is not None and not facts.own and wanted[0] < 1:
        low = min(price(c)[1:] for c in roomy)
        wanted = (1, *low) if wanted[0] < 1 else wanted
    assert least == wanted
    at_most = {"max_areas": cap, "areas": 5, "tdmrs": 2, "pamt_pages": 30}
    walked = list(AllCuts(facts, at_most))
    expected = [
        c for c in allowed if all(p <= m for p, m in zip(price(c), (5, 2, 30), strict=True))
    ]
    assert sorted(walked) == sorted(expected)


def test_what_cannot_be_stays_so_with_many_holes() -> None:
    # Nothing can follow the first cell, whose holes would bring the cost below "never".
    facts = CutFacts((0, 1), None, (3, 9), (0,), (3, 9), (0,), (0, 1, 2), 1, 5, 2)
    cuts = Cuts(facts, ("areas",), 5)
    assert cuts.relaxed[0] == NEVER
    assert cuts.least is None
