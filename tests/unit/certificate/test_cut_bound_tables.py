"""Bounds over cuts: each table and each question about it, against all cuts of a few cells.

A TDMR counts as allowed where a longer one is: a bound, where joining takes holes away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest

from pamt.certificate.cut_bound import (
    ADDITIVE,
    NEVER,
    WIDTH,
    CutFacts,
    Cuts,
    _HolesOnly,
    _Overfull,
)

Cut = tuple[tuple[int, int], ...]
ORDERS = [order for length in range(4) for order in permutations(ADDITIVE, length)]


def facts_of(random: Random, most_cells: int = 5) -> CutFacts:
    n = random.randint(1, most_cells)
    low = random.randint(0, 2)
    cells = tuple(low + cell for cell in sorted(random.sample(range(n + 2), n)))
    alone = tuple(random.randint(0, 3) for _ in range(n))
    joined = tuple(random.randint(-1, 1) for _ in range(n - 1))
    pages = [0]
    for _ in range(n + 2):
        pages.append(pages[-1] + random.choice((7, 7, 8, 9)))
    longest = tuple(random.randint(0, n + 2) for _ in range(n)) if random.random() < 0.4 else ()
    return CutFacts(
        cells,
        None,
        alone,
        joined,
        tuple(holes - (random.random() < 0.3) for holes in alone),
        tuple(holes - (random.random() < 0.3) for holes in joined),
        tuple(pages),
        random.randint(0, 1),
        random.randint(1, 4),
        random.randint(1, 5),
        barred=frozenset(i for i in range(n) if random.random() < 0.1),
        longest=longest,
    )


def some_facts(number: int) -> Iterator[tuple[Random, CutFacts, int]]:
    """With a limit of areas each."""
    for seed in range(number):
        random = Random(seed)
        yield random, facts_of(random), random.randint(0, 4)


def least_holes(facts: CutFacts, first: int, last: int) -> int:
    return sum(facts.least_alone[first : last + 1]) + sum(facts.least_joined[first:last])


def gibs(facts: CutFacts, first: int, last: int) -> int:
    return facts.cells[last] - facts.cells[first] + 1


def is_allowed(facts: CutFacts, cap: int, first: int, last: int) -> bool:
    later = range(last, len(facts.cells))
    return (
        first not in facts.barred
        and (not facts.longest or gibs(facts, first, last) <= facts.longest[first])
        and any(least_holes(facts, first, end) <= cap for end in later)
    )


def all_cuts(facts: CutFacts, cap: int, first: int = 0) -> Iterator[Cut]:
    """All cuts of the cells from `first` on, by the sizes of their TDMRs."""
    if first == len(facts.cells):
        yield ()
    for last in range(first, len(facts.cells)):
        if is_allowed(facts, cap, first, last):
            for rest in all_cuts(facts, cap, last + 1):
                yield ((first, last), *rest)


def price(facts: CutFacts, cut: Cut, order: Sequence[str]) -> tuple[int, ...]:
    total = {
        "areas": sum(least_holes(facts, a, b) + facts.own for a, b in cut),
        "tdmrs": len(cut),
        "pamt_pages": sum(facts.pages[gibs(facts, a, b)] for a, b in cut),
    }
    return tuple(total[name] for name in order)


def in_one_number(values: Sequence[int]) -> int:
    number = 0
    for value in values:
        number = (number << WIDTH) + value
    return number


def cost(facts: CutFacts, cut: Cut, order: Sequence[str]) -> int:
    return in_one_number(price(facts, cut, order))


def test_a_tdmr_reaches_as_far_as_areas_and_gibs_let_it() -> None:
    for _, facts, cap in some_facts(200):
        n = len(facts.cells)
        allowed = [[b for b in range(a, n) if is_allowed(facts, cap, a, b)] for a in range(n)]
        # All ends up to the last: where one is allowed, all before it are.
        assert allowed == [list(range(a, facts.reach(cap)[a])) for a in range(n)]
        assert [max(ends, default=a - 1) + 1 for a, ends in enumerate(allowed)] == list(
            facts.reach(cap)
        )
        assert facts.reach(cap) is facts.reach(cap)
        assert Cuts(facts, (), cap).reach == facts.reach(min(cap, facts.limit))


def test_windows_hold_each_end_once_with_what_it_costs() -> None:
    for _, facts, cap in some_facts(100):
        base, steps = facts.page_steps
        for by_pages in (False, True):
            windows = facts.windows(cap, by_pages=by_pages)
            for first, (some, reach) in enumerate(
                zip(windows.by_cell, facts.reach(cap), strict=True)
            ):
                ends = [(end, w.over) for w in some for end in range(w.low, w.high + 1)]
                expected = [
                    (end, facts.pages[gibs(facts, first, end - 1)] if by_pages else 0)
                    for end in range(first + 1, reach + 1)
                ]
                if by_pages:
                    expected = [
                        (end, pages - base * gibs(facts, first, end - 1)) for end, pages in expected
                    ]
                assert ends == expected
                assert all(not by_pages or steps[w.step][1] == w.over for w in some)
                assert len({w.step for w in some}) == len(some)
                assert all(w.low <= w.high for w in some)
            assert facts.windows(cap, by_pages=by_pages) is windows


def test_least_of_all_cells_from_each_on_and_the_first_cut_that_costs_it() -> None:
    for random, facts, cap in some_facts(150):
        order = random.choice(ORDERS)
        cuts = Cuts(facts, order, cap)
        allowed = min(cap, facts.limit)
        n = len(facts.cells)
        known = [list(all_cuts(facts, allowed, first)) for first in range(n + 1)]
        costs = [[cost(facts, cut, order) for cut in some] for some in known]
        assert cuts.relaxed == [min(some, default=NEVER) for some in costs]
        assert cuts.relaxed_least == cuts.relaxed[0]
        for number in range(n + 2):
            assert cuts.layer(number) == [
                min(
                    (c for c, cut in zip(costs[at], known[at], strict=True) if len(cut) == number),
                    default=NEVER,
                )
                for at in range(n + 1)
            ]
        if known[0]:
            assert cuts.trace(cuts.relaxed) == list(known[0][costs[0].index(min(costs[0]))])


def test_holes_alone_and_by_how_much_they_are_too_many() -> None:
    for _, facts, cap in some_facts(100):
        known = list(all_cuts(facts, min(cap, facts.limit)))
        holes = [sum(least_holes(facts, a, b) for a, b in cut) for cut in known]
        over = [h + (1 - cap) * len(cut) for h, cut in zip(holes, known, strict=True)]
        counted = _HolesOnly(facts, (), cap)
        assert counted.relaxed_least == min(holes, default=NEVER)
        for number in range(1, len(facts.cells) + 1):
            some = [h for h, cut in zip(holes, known, strict=True) if len(cut) == number]
            assert counted.layer(number)[0] == min(some, default=NEVER)
        if cap <= facts.limit:
            assert _Overfull(facts, (), cap).relaxed_least == min(over, default=NEVER)


def test_what_one_tdmr_costs_in_parts_and_as_a_whole() -> None:
    for random, facts, cap in some_facts(100):
        order = random.choice(ORDERS)
        cuts = Cuts(facts, order, cap)
        n = len(facts.cells)
        behind = [random.randint(0, 99) for _ in range(n + 1)]
        with_holes = cuts.behind(behind)
        assert with_holes == [cuts.with_holes(value, end) for end, value in enumerate(behind)]
        for first in range(n):
            alone = [cost(facts, ((first, last),), order) for last in range(first, n)]
            assert [cuts.alone(first, last) for last in range(first, n)] == alone
            low = random.randint(first, n)
            high = random.randint(low, n)
            begin = cuts.begin(first)
            assert [begin + rest for rest in cuts.step(with_holes, first, low, high)] == [
                alone[last - first] + behind[last + 1] for last in range(low, high)
            ]
        assert cuts.area == in_one_number([name == "areas" for name in order])


def test_ends_of_tdmrs_that_with_all_behind_them_cost_no_more() -> None:
    for random, facts, cap in some_facts(100):
        order = random.choice(ORDERS)
        cuts = Cuts(facts, order, cap)
        n = len(facts.cells)
        for _ in range(4):
            first = random.randrange(n)
            number = random.randint(1, n)
            known = [
                (cost(facts, cut, order), cut[0][1])
                for cut in all_cuts(facts, cuts.cap, first)
                if len(cut) == number
            ]
            limit = random.choice([each for each, _ in known] or [0]) + random.randint(-1, 1)
            found = cuts.ends(number, first, limit)
            assert found == sorted({last for each, last in known if each <= limit})
            assert cuts.ends(number, first, limit) == found


def test_what_cannot_be_is_above_all_limits() -> None:
    # No TDMR may begin at the second cell, so nothing comes behind the first.
    facts = CutFacts((0, 1), None, (3, 9), (0,), (3, 9), (0,), (0, 1, 2), 1, 16, 2)
    cuts = Cuts(facts.but(barred=frozenset((1,))), ADDITIVE)
    assert cuts.ends(2, 0, NEVER - 1) == []
    assert cuts.layer(2) == [NEVER] * 3
    assert cuts.ends(1, 0, NEVER - 1) == [1]
    # That stays so with a begin that takes many holes off, or holes of less than none.
    for some in (facts, facts.but(own=0, least_alone=(3, -1))):
        cuts = Cuts(some, ADDITIVE)
        for value in (NEVER, 2 * NEVER):
            assert all(cuts.with_holes(value, 2) + cuts.begin(at) >= NEVER for at in (0, 1))


def test_the_first_cut_of_least_pages_is_looked_for_among_ends_with_the_same_pages_more() -> None:
    # TDMRs of one or two GiBs have one page more than 7 each, longer ones two.  No TDMR begins at
    # the third cell, so one alone is the least; that of three with one behind it has a page more.
    none = (0,) * 4, (0,) * 3
    facts = CutFacts((0, 1, 2, 3), None, *none, *none, (0, 8, 15, 23, 30), 0, 16, 4)
    cuts = Cuts(facts.but(barred=frozenset((2,))), ("pamt_pages",))
    assert cuts.relaxed == [30, 23, NEVER, 8, 0]
    assert cuts.trace(cuts.relaxed) == [(0, 3)]
    with pytest.raises(ValueError, match="costs so little"):
        cuts.trace([29, 23, NEVER, 8, 0])


def roomy(facts: CutFacts, cap: int, known: Sequence[Cut]) -> list[Cut]:
    """Those in which areas that holes leave over are as many as TDMRs, if these are needed."""
    return [
        cut
        for cut in known
        if not facts.own or sum(least_holes(facts, a, b) + 1 for a, b in cut) <= cap * len(cut)
    ]


@pytest.mark.parametrize("part", range(4))
def test_the_least_cut_that_may_be(part: int) -> None:
    for random, facts, cap in some_facts(400):
        order = random.choice(ORDERS)
        if random.randrange(4) != part:
            continue
        cuts = Cuts(facts, order, cap)
        allowed = min(cap, facts.limit)
        known = list(all_cuts(facts, allowed)) if allowed >= 1 else []
        few = [cut for cut in known if len(cut) <= facts.most]
        # Room is asked for in some cut of as many TDMRs, not in the one that costs least.
        numbers = {len(cut) for cut in roomy(facts, allowed, few)}
        found = [price(facts, cut, order) for cut in few if len(cut) in numbers]
        least = min(found, default=None)
        assert cuts.least_number == (None if least is None else in_one_number(least))
        if least is not None:
            assert cuts.split(in_one_number(least)) == least
        if least is not None and not facts.own and "areas" in order:
            at = order.index("areas")
            if least[at] < 1:
                # Some PAMT takes an area; then cuts without any are as good as cuts with one.
                rest = order[:at] + order[at + 1 :]
                others = min(price(facts, cut, rest) for cut in few)
                least = (*others[:at], 1, *others[at:])
        assert cuts.least == least


def test_room_for_pamts_in_any_cut_in_some_number_and_in_one() -> None:
    for random, facts, cap in some_facts(200):
        cuts = Cuts(facts, random.choice(ORDERS), cap)
        known = list(all_cuts(facts, cuts.cap))
        good = roomy(facts, cuts.cap, known)
        for number in range(1, len(facts.cells) + 1):
            expected = not facts.own or any(len(cut) == number for cut in good)
            assert cuts._room_at(number) == expected
        if facts.own:
            assert cuts._enough_room() == bool(good)
        if known:
            assert cuts._room_for_all(cuts.relaxed) == (tuple(cuts.trace(cuts.relaxed)) in good)


def test_no_cut_into_so_many_tdmrs_or_more_is_below_the_bound_that_ends_the_search() -> None:
    for random, facts, cap in some_facts(200):
        order = random.choice(ORDERS)
        cuts = Cuts(facts, order, cap)
        known = list(all_cuts(facts, cuts.cap))
        if not known:
            continue
        holes = min(sum(least_holes(facts, a, b) for a, b in cut) for cut in known)
        pages = min(price(facts, cut, ("pamt_pages",))[0] for cut in known)
        for number in range(1, len(facts.cells) + 1):
            parts = {"areas": holes + facts.own * number, "tdmrs": number, "pamt_pages": pages}
            below = cuts._below(number)
            assert below == in_one_number([parts[name] for name in order])
            assert all(below <= cost(facts, cut, order) for cut in known if len(cut) >= number)


def test_components_of_a_number_may_be_negative() -> None:
    facts = CutFacts((0,), None, (0,), (), (0,), (), (0, 1), 0, 16, 1)
    half = 1 << (WIDTH - 1)
    for values in ((0, 0, 0), (5, -1, 7), (1, 0, -2), (-3, half - 1, -half), (0, -half, half - 1)):
        assert Cuts(facts, ADDITIVE).split(in_one_number(values)) == values


def test_of_the_same_facts_everything_is_made_once() -> None:
    facts = facts_of(Random(1))
    cuts = facts.cuts(["areas", "tdmrs"], 3)
    assert facts.cuts(("areas", "tdmrs"), 3) is cuts
    assert (cuts.order, cuts.cap) == (("areas", "tdmrs"), min(3, facts.limit))
    assert facts.cuts(("tdmrs", "areas"), 3).order == ("tdmrs", "areas")
    assert facts.cuts(("areas",)).cap == facts.limit
    assert facts.cuts(("areas",), facts.limit + 1).cap == facts.limit
    assert facts.cuts(("areas",), 0).cap == 0
    assert facts.but(limit=7) is facts.but(limit=7)
    assert facts.but(limit=7) == replace(facts, limit=7)
    assert cuts.layer(2) is cuts.layer(2)


def test_nothing_is_filled_where_no_pamt_fills_a_gap() -> None:
    facts = facts_of(Random(4))
    assert facts.unfilled == replace(
        facts, least_alone=facts.alone, least_joined=facts.joined, fixed=None
    )
    fixed = replace(facts, fixed=((3, 2, 40), (1, 1, 50)))
    assert fixed.unfilled.fixed == ((3, 0, 40), (1, 0, 50))
    n = len(facts.cells)
    for first in range(n):
        for last in range(first, n):
            assert facts.holes(first, last) == least_holes(facts, first, last)
