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


def test_windows_fall_if_none_of_a_kind_begins_or_ends_above_that_of_a_later_cell() -> None:
    def falls(*windows: tuple[int, int, int] | None) -> bool:
        return _all_fall([(_Window(*w, 0),) if w is not None else () for w in windows])

    assert falls((0, 1, 3), (0, 2, 3), (0, 3, 3))
    assert falls((0, 1, 2), (0, 2, 3), (0, 3, 3))
    assert falls((0, 2, 3), (0, 2, 3))
    assert not falls((0, 1, 3), (0, 2, 2))
    assert not falls((0, 3, 3), (0, 2, 3))
    # Each kind is compared with itself, over cells that have none.
    assert falls((0, 1, 3), (1, 2, 2), (0, 3, 3))
    assert falls((0, 3, 3), (1, 2, 2))
    assert not falls((0, 1, 3), None, (0, 2, 2))
    assert not falls((0, 1, 3), (1, 2, 2), (0, 2, 2))
    # Nor is one forgotten behind a nearer one.
    assert not falls((0, 1, 3), (0, 1, 2), (0, 3, 3))


def test_pamt_pages_are_so_many_for_each_gib_and_steps_above() -> None:
    def steps(*pages: int) -> tuple[int, tuple[tuple[int, int], ...]]:
        facts = CutFacts((0,), None, (0,), (), (0,), (), pages, 0, 16, 1)
        return facts.page_steps

    # 7 for each GiB, one more for the first of every two.
    assert steps(0, 8, 15, 23, 30, 38) == (7, ((2, 1), (4, 2), (5, 3)))
    assert steps(0, 8, 15, 22) == (7, ((3, 1),))
    assert steps(0, 7) == (7, ((1, 0),))
    assert steps(0) == (0, ())


def fixed(*tdmrs: tuple[int, int, int], own: int, most: int = 9, limit: int = 4) -> CutFacts:
    return CutFacts((), tdmrs, (), (), (), (), (), own, limit, most)


def test_tdmrs_of_the_kernel_have_what_they_have() -> None:
    order = ("areas", "tdmrs", "pamt_pages")
    # Holes, gaps filled, pages.
    some = fixed((3, 1, 70), (4, 0, 80), own=0)
    assert some.cuts(order).least == (6, 2, 150)
    assert some.cuts(("pamt_pages", "areas")).least == (150, 6)
    assert some.cuts((), 4).least == ()
    assert some.cuts((), 3).least is None
    assert some.but(most=2).cuts(()).least == ()
    assert some.but(most=1).cuts(()).least is None
    # What PAMTs add besides; None where they find no room.
    assert some.but(extra=2).cuts(order).least == (8, 2, 150)
    assert some.but(extra=None).cuts(order).least is None
    # All together have no more than each at most.
    assert some.but(extra=3).cuts(order).least is None
    # Some PAMT takes an area, so there must be one.
    empty = fixed((1, 1, 70), own=0)
    assert empty.cuts(("areas",)).least == (1,)
    assert empty.but(fixed=((2, 0, 70),)).cuts(("areas",)).least == (2,)
    assert empty.cuts(("areas",), 1).least == (1,)
    assert empty.cuts(("areas",), 0).least is None


def test_tdmrs_of_the_kernel_need_an_area_each_somewhere() -> None:
    # Seven holes and two areas for PAMTs; one TDMR may be full of holes.
    full = fixed((4, 0, 70), (3, 0, 80), own=1, limit=5)
    assert full.cuts(("areas",)).least == (9,)
    assert full.cuts(("areas",), 4).least is None
    assert full.but(fixed=((4, 0, 70), (2, 0, 80))).cuts(("areas",), 4).least == (8,)
    assert full.but(fixed=((4, 0, 70), (2, 0, 80)), extra=1).cuts(("areas",), 4).least is None
    # A filled hole counts for less here as well.
    assert full.but(fixed=((4, 0, 70), (3, 1, 80))).cuts(("areas",), 4).least == (8,)


def test_one_area_there_is_even_if_no_cut_needs_one() -> None:
    # Two cells without holes that must be bridged by one; a TDMR of two GiBs has 9 pages, not 10.
    facts = CutFacts((0, 1), None, (0, 0), (1,), (0, 0), (1,), (0, 5, 9), 0, 16, 2)
    assert facts.cuts(("areas",)).least == (1,)
    # Two TDMRs have no area, one has one; with one area in any case that is as good.
    assert facts.cuts(("areas", "tdmrs", "pamt_pages")).least == (1, 1, 9)
    assert facts.cuts(("areas", "pamt_pages", "tdmrs")).least == (1, 9, 1)
    assert facts.cuts(("pamt_pages", "areas", "tdmrs")).least == (9, 1, 1)
    assert facts.cuts(("pamt_pages", "tdmrs", "areas")).least == (9, 1, 1)
    assert facts.cuts(("tdmrs", "pamt_pages")).least == (1, 9)
    assert facts.cuts(("areas",), 0).least is None
    # Where each TDMR needs one for itself, nothing is added.
    assert facts.but(own=1).cuts(("areas",)).least == (2,)


def test_full_tdmrs_will_do_where_pamts_need_no_area_of_their_own() -> None:
    # Every TDMR of two areas is full; two of a GiB have less pages, but only one there may be.
    facts = CutFacts((0, 1), None, (2, 2), (-2,), (2, 2), (-2,), (0, 5, 20), 0, 2, 1)
    assert facts.cuts(("pamt_pages",)).least == (20,)
    assert facts.but(own=1).cuts(("pamt_pages",)).least is None
    assert facts.but(most=2).cuts(("pamt_pages",)).least == (10,)


def test_the_least_may_be_of_fewer_tdmrs_than_the_number_allowed() -> None:
    # From the second cell on a TDMR is of one GiB: no cut but this leaves out the first border.
    holes = (0, 0, 0), (3, -1)
    facts = CutFacts((0, 1, 2), None, *holes, *holes, (0, 1, 2, 3), 0, 16, 2, longest=(3, 1, 1))
    layers = [facts.cuts(("areas",)).layer(number)[0] for number in (1, 2, 3)]
    assert layers == [2, 3, 0]
    assert facts.cuts(("areas",)).least == (2,)
