"""What weighted sums add up to, against every way to place a few small pieces."""

from __future__ import annotations

from itertools import combinations, permutations, product
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.certificate.fault import Wrong
from pamt.certificate.format import Split, Sum, Where
from pamt.certificate.relaxation import CHUNK, Chain, Piece, Relaxation
from pamt.certificate.sums import Leaves
from pamt.configuration import LEVELS
from pamt.ranges import PAGE

TDMRS = 3
NODES = 2
STARTS = (0, 40, 80)
CHAIN = 120

Known = dict[int, tuple[Split, int]]


class Room(NamedTuple):
    """A free run: its node, its first page, and (TDMR, pages) of its stretches."""

    node: int
    start: int
    stretches: tuple[tuple[int, int], ...]


@st.composite
def relaxations(draw: st.DrawFn, *, alike: bool | None = None) -> Relaxation:
    split = draw(st.booleans())
    alike = draw(st.booleans()) if alike is None else alike
    pieces: list[Piece] = []
    home, sizes = 0, [1, 1, 1]
    for tdmr in range(TDMRS):
        if tdmr == 0 or not alike:
            home = draw(st.integers(0, NODES - 1))
            sizes = [draw(st.integers(1, 3)) for _ in LEVELS]
        pieces.append(Piece(tdmr, CHUNK, sum(sizes), home))
        if split:
            pieces += [Piece(tdmr, *one, home) for one in zip(LEVELS, sizes, strict=True)]
    runs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for start in draw(st.lists(st.sampled_from(STARTS), unique=True, max_size=3)):
        where = draw(st.integers(0, NODES - 1)), draw(st.integers(0, TDMRS - 1))
        runs.setdefault(where, []).append((start, draw(st.integers(1, 9))))
    chains: list[Chain] = []
    if draw(st.booleans()):
        first = draw(st.integers(0, 1))
        count = draw(st.integers(2, TDMRS - first))
        lengths = [draw(st.integers(1, 4)) for _ in range(count)]
        stretches = tuple((first + at, pages) for at, pages in enumerate(lengths))
        chains.append(Chain(CHAIN, draw(st.integers(0, NODES - 1)), stretches))
    # A node may be nearer than home.
    weights = {
        (home, node): 0 if home == node else draw(st.integers(-1, 2))
        for home, node in product(range(NODES), repeat=2)
    }
    return Relaxation(tuple(pieces), split, (0,) * TDMRS, 4, runs, tuple(chains), weights)


@st.composite
def splits(draw: st.DrawFn, most: int = 2) -> Split:
    where = Where(
        draw(st.none() | st.integers(0, NODES - 1)),
        draw(st.none() | st.integers(0, TDMRS - 1)),
        draw(st.none() | st.sampled_from([*STARTS, CHAIN]).map(lambda page: page * PAGE)),
    )
    tdmrs = draw(st.lists(st.integers(0, TDMRS - 1), unique=True, min_size=1))
    piece = draw(st.sampled_from([CHUNK, LEVELS[0]]))
    return Split(tuple(tdmrs), piece, where, draw(st.integers(0, most)), 1, 2)


@st.composite
def sums(draw: st.DrawFn, facts: Relaxation, known: Known) -> Sum:
    tdmrs = st.integers(0, TDMRS - 1)
    values = draw(st.dictionaries(tdmrs, st.integers(0, 9), max_size=2))
    three = st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 2))
    regions = draw(st.dictionaries(tdmrs, three, max_size=1)) if facts.split else {}
    return Sum(
        values,
        regions,
        draw(st.dictionaries(tdmrs, st.integers(0, 4))),
        draw(st.integers(0, 2)),
        draw(st.integers(0, 2)),
        draw(st.dictionaries(st.sampled_from(sorted(known)), st.integers(0, 4))) if known else {},
    )


def rooms(facts: Relaxation) -> list[Room]:
    inside = [
        Room(node, start, ((tdmr, pages),))
        for (node, tdmr), runs in facts.runs.items()
        for start, pages in runs
    ]
    return inside + [Room(chain.node, chain.start, chain.stretches) for chain in facts.chains]


def said(split: Split, piece: Piece, room: Room, tdmr: int) -> bool:
    """Whether the split counts a piece that begins there."""
    where = split.where
    return (
        piece.level == split.piece
        and piece.tdmr in split.tdmrs
        and (where.node is None or where.node == room.node)
        and (where.tdmr is None or where.tdmr == tdmr)
        and (where.run is None or where.run == room.start * PAGE)
    )


def price(step: Sum, tdmr: int) -> int:
    return step.areas.get(tdmr, 0) + step.total


def worth(facts: Relaxation, step: Sum, known: Known, room: Room, piece: Piece, tdmr: int) -> int:
    """Of a piece that begins in `tdmr`, without its areas."""
    if piece.level == CHUNK:
        value = step.values.get(piece.tdmr, 0)
    else:
        value = step.regions.get(piece.tdmr, (0, 0, 0))[LEVELS.index(piece.level)]
    value -= step.remote * piece.pages * facts.weights[piece.home, room.node]
    for index, (split, sign) in known.items():
        if said(split, piece, room, tdmr):
            value += sign * step.cases.get(index, 0)
    return value


def apart(chosen: tuple[Piece, ...]) -> bool:
    """Whether no TDMR has both its chunk and a region."""
    whole = {p.tdmr for p in chosen if p.level == CHUNK}
    return not any(p.level != CHUNK and p.tdmr in whole for p in chosen)


def allowed(known: Known, room: Room, placed: list[tuple[Piece, int]]) -> bool:
    return all(
        sum(said(split, piece, room, tdmr) for piece, tdmr in placed) <= split.at_most
        for split, sign in known.values()
        if sign < 0
    )


def most(facts: Relaxation, step: Sum, known: Known, room: Room, count: int) -> int:
    """The most worth that at most `count` pieces have in a run, by trying every layout."""
    if len(room.stretches) == 1:
        ((tdmr, pages),) = room.stretches
        return max(
            sum(worth(facts, step, known, room, p, tdmr) - price(step, tdmr) for p in chosen)
            for size in range(count + 1)
            for chosen in combinations(facts.pieces, size)
            if sum(p.pages for p in chosen) <= pages
            if apart(chosen)
            if allowed(known, room, [(p, tdmr) for p in chosen])
        )
    owner = [tdmr for tdmr, pages in room.stretches for _ in range(pages)]
    best = 0
    for size in range(count + 1):
        for chosen in filter(apart, permutations(facts.pieces, size)):
            slack = len(owner) - sum(p.pages for p in chosen)
            for gaps in product(range(slack + 1), repeat=size) if slack >= 0 else ():
                if sum(gaps) > slack:
                    continue
                at = value = 0
                placed: list[tuple[Piece, int]] = []
                for piece, gap in zip(chosen, gaps, strict=True):
                    at += gap
                    placed.append((piece, owner[at]))
                    value += worth(facts, step, known, room, piece, owner[at])
                    value -= sum(price(step, t) for t in set(owner[at : at + piece.pages]))
                    at += piece.pages
                if value > best and allowed(known, room, placed):
                    best = value
    return best


@given(
    relaxations(), st.lists(st.tuples(splits(), st.sampled_from([-1, 1])), max_size=2), st.data()
)
@settings(max_examples=150, deadline=None)
def test_no_placement_is_worth_more(
    facts: Relaxation, cases: list[tuple[Split, int]], data: st.DataObject
) -> None:
    known = dict(enumerate(cases))
    step = data.draw(sums(facts, known))
    found = sum(most(facts, step, known, room, 2) for room in rooms(facts))
    assert Leaves(facts).supply(step, known) >= found


@given(
    relaxations().filter(lambda facts: not facts.chains),
    st.lists(st.tuples(splits(0), st.sampled_from([-1, 1])), max_size=2),
    st.data(),
)
@settings(max_examples=150, deadline=None)
def test_inside_tdmrs_the_most_is_exact(
    facts: Relaxation, cases: list[tuple[Split, int]], data: st.DataObject
) -> None:
    known = dict(enumerate(cases))
    step = data.draw(sums(facts, known))
    found = sum(most(facts, step, known, room, 3 * TDMRS) for room in rooms(facts))
    assert Leaves(facts).supply(step, known) == found


@given(
    relaxations(alike=True).filter(lambda facts: not facts.chains),
    st.lists(st.tuples(splits(), st.sampled_from([-1, -1, 1])), max_size=3),
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3), st.integers(0, 3)),
    st.data(),
)
@settings(max_examples=300, deadline=None)
def test_for_tdmrs_that_are_alike_it_is_exact_whatever_cases_allow(
    facts: Relaxation,
    cases: list[tuple[Split, int]],
    worths: tuple[int, int, int, int],
    data: st.DataObject,
) -> None:
    every = tuple(range(TDMRS))
    known = {at: (split._replace(tdmrs=every), sign) for at, (split, sign) in enumerate(cases)}
    step = data.draw(sums(facts, known))._replace(values=dict.fromkeys(every, worths[0]))
    if facts.split:
        step = step._replace(regions=dict.fromkeys(every, worths[1:]))
    found = sum(most(facts, step, known, room, 3 * TDMRS) for room in rooms(facts))
    assert Leaves(facts).supply(step, known) == found


def two(*, split: bool = False) -> Relaxation:
    """Two TDMRs with 1 and 2 holes, limit 5; remote costs 6 or 10 a piece, so it is even."""
    pieces = [Piece(0, CHUNK, 3, 0), Piece(1, CHUNK, 5, 1)]
    if split:
        pieces[1:1] = [Piece(0, level, 1, 0) for level in LEVELS]
        pieces += [
            Piece(1, level, pages, 1) for level, pages in zip(LEVELS, (3, 1, 1), strict=True)
        ]
    weights = {(0, 0): 0, (0, 1): 2, (1, 0): 2, (1, 1): 0}
    return Relaxation(tuple(pieces), split, (1, 2), 5, {(0, 0): [(0, 4)]}, (), weights)


def need(step: Sum, at_most: dict[str, int], known: Known | None = None, **kind: bool) -> int:
    return Leaves(two(**kind)).need(step, known or {}, at_most)


def test_what_pieces_must_be_worth() -> None:
    assert need(Sum({0: 4, 1: 7}, {}, {}), {}) == 11
    # Whole or in regions: whichever is worth less.
    assert need(Sum({0: 4, 1: 7}, {0: (1, 1, 1), 1: (3, 3, 3)}, {}), {}, split=True) == 3 + 7
    assert need(Sum({0: 4}, {}, {}), {}, split=True) == 0
    assert need(Sum({}, {0: (1, 2, 3)}, {}), {}, split=True) == 0
    assert need(Sum({}, {0: (-1, 0, 0)}, {}), {}, split=True) == -1


def test_areas_left_are_those_below_the_limit() -> None:
    assert need(Sum({}, {}, {0: 2, 1: 3}), {}) == -2 * 4 - 3 * 3
    assert need(Sum({}, {}, {0: 2, 1: 3}), {"max_areas": 3}) == -2 * 2 - 3 * 1
    assert need(Sum({}, {}, {0: 2}), {"max_areas": 9}) == -2 * 4
    assert need(Sum({}, {}, {}, total=2), {"areas": 7}) == -2 * (7 - 3)


def test_remote_is_a_multiple_of_what_any_piece_costs() -> None:
    assert [need(Sum({}, {}, {}, remote=3), {"remote": at}) for at in (0, 1, 2, 3, 5)] == [
        0,
        0,
        -6,
        -6,
        -12,
    ]
    assert need(Sum({}, {}, {}, remote=3), {"remote": -1}) == 6
    assert two().unit == 2


def test_a_case_counts_its_pieces() -> None:
    split = Split((0, 1), CHUNK, Where(), 1, 1, 2)
    step = Sum({}, {}, {}, cases={0: 5})
    assert need(step, {}, {0: (split, -1)}) == -5
    assert need(step, {}, {0: (split, 1)}) == 10


def test_a_case_that_lets_one_begin_bars_none() -> None:
    # One piece of 2 pages over a border between 1 page and 1: allowed where one may begin there.
    chain = Chain(CHAIN, 0, ((0, 1), (1, 1)))
    facts = Relaxation((Piece(0, CHUNK, 2, 0),), False, (0, 0), 5, {}, (chain,), {(0, 0): 0})

    def supply(
        where: Where, at_most: int, tdmrs: tuple[int, ...] = (0,), piece: str = CHUNK
    ) -> int:
        known = {0: (Split(tdmrs, piece, where, at_most, 1, 2), -1)}
        return Leaves(facts).supply(Sum({0: 5}, {}, {}), known)

    here = Where(0, 0, CHAIN * PAGE)
    assert supply(here, 0) == 0
    assert supply(here, 1) == 5
    assert supply(here._replace(node=1), 0) == 5
    assert supply(here._replace(tdmr=1), 0) == 5
    assert supply(here._replace(run=0), 0) == 5
    assert supply(here, 0, (1,)) == 5
    assert supply(here, 0, (0,), LEVELS[0]) == 5


def test_crossing_pays_in_every_tdmr_it_overlaps() -> None:
    chain = Chain(CHAIN, 0, ((0, 1), (1, 1), (2, 1)))
    pieces = tuple(Piece(tdmr, CHUNK, 2 + (tdmr == 1), 0) for tdmr in range(3))
    facts = Relaxation(pieces, False, (0, 0, 0), 5, {}, (chain,), {(0, 0): 0})

    def supply(tdmr: int, areas: dict[int, int], total: int = 0) -> int:
        return Leaves(facts).supply(Sum({tdmr: 20}, {}, areas, total=total), {})

    assert supply(1, {0: 1, 1: 2, 2: 4}) == 20 - 7
    assert supply(1, {0: 1, 1: 2, 2: 4}, 2) == 20 - 13
    assert supply(0, {0: 1, 1: 2, 2: 40}) == 20 - 3
    assert supply(0, {0: 40, 1: 2, 2: 1}) == 20 - 3
    assert supply(0, {0: 15, 1: 5, 2: 15}) == 0
    assert supply(0, {0: 15, 1: 4, 2: 16}) == 1


def test_so_many_of_the_best_stand_for_those_a_case_lets_begin() -> None:
    pieces = (Piece(0, CHUNK, 3, 0), Piece(1, CHUNK, 1, 0), Piece(2, CHUNK, 2, 0))
    runs = {(0, 0): [(0, 2)]}
    facts = Relaxation(pieces, False, (0, 0, 0), 5, runs, (), {(0, 0): 0})

    def supply(at_most: int, tdmrs: tuple[int, ...]) -> int:
        known = {0: (Split(tdmrs, CHUNK, Where(), at_most, 1, 2), -1)}
        return Leaves(facts).supply(Sum({0: 9, 1: 2, 2: 3}, {}, {}), known)

    assert supply(0, (0, 1, 2)) == 0
    assert supply(1, (0, 1, 2)) == 9
    assert supply(2, (0, 1, 2)) == 18
    assert supply(3, (0, 1, 2)) == 3
    assert supply(1, (1, 2)) == 3
    assert supply(0, (1,)) == 3
    assert supply(0, (2,)) == 2
    assert supply(2, (1, 2)) == 3


def refused(step: Sum, at_most: dict[str, int], known: Known | None = None, **kind: bool) -> str:
    """Why a sum is no contradiction; empty where it is one."""
    cases = tuple((split, index, sign) for index, (split, sign) in (known or {}).items())
    try:
        Leaves(two(**kind)).check(step, cases, at_most, "here")
    except Wrong as wrong:
        return wrong.fault.expected
    return ""


def test_a_sum_contradicts_where_all_runs_hold_less() -> None:
    # The only run has 4 pages in the first TDMR: it holds the piece of 3 and not the piece of 5.
    assert refused(Sum({1: 1}, {}, {}), {}) == ""
    assert refused(Sum({0: 1}, {}, {}), {}) == "less worth than 1 in all runs"
    assert refused(Sum({0: 1, 1: 1}, {}, {}), {}) == ""
    # At home on the other node, so it costs 10 where it would fit, and needs no more.
    assert refused(Sum({1: 1}, {}, {}, remote=1), {"remote": 0}) == ""
    assert refused(Sum({1: 1}, {}, {}, remote=1), {"remote": 2}) == "less worth than -1 in all runs"


def test_no_price_is_below_nothing() -> None:
    split = Split((0, 1), CHUNK, Where(), 0, 1, 2)
    known = {0: (split, 1)}
    assert "areas with a price below 0" in refused(Sum({1: 1}, {}, {1: -1}), {})
    assert "areas with a price below 0" in refused(Sum({1: 1}, {}, {0: 0, 1: -1}), {})
    assert "cases with a price below 0" in refused(Sum({1: 1}, {}, {}, cases={0: -1}), {}, known)
    assert refused(Sum({1: 1}, {}, {0: 0}, cases={0: 0}), {}, known) == ""
    for price in (-1, -2):
        assert refused(Sum({1: 9}, {}, {}, remote=price), {"remote": 0}) == "no price below 0"
        assert refused(Sum({1: 9}, {}, {}, total=price), {"areas": 3}) == "no price below 0"
    assert refused(Sum({1: 9}, {}, {}, total=0, remote=0), {}) == ""


def test_the_lowest_price_is_named() -> None:
    cases = ((Split((0, 1), CHUNK, Where(), 0, 1, 2), 0, 1),)
    for step, lowest in (
        (Sum({}, {}, {0: 3, 1: -2}), "-2"),
        (Sum({}, {}, {0: 0}, cases={0: -4}), "-4"),
        (Sum({}, {}, {}, remote=2, total=-3), "-3"),
        (Sum({}, {}, {}, remote=-3, total=2), "-3"),
    ):
        with pytest.raises(Wrong) as wrong:
            Leaves(two()).check(step, cases, {"remote": 0, "areas": 5}, "here")
        assert wrong.value.fault.found == lowest


def test_places_differ_by_the_cases_that_speak_of_them() -> None:
    # A piece of 3 pages, which a run in either TDMR holds; areas cost the same in both.
    pieces = (Piece(0, CHUNK, 3, 0), Piece(1, CHUNK, 9, 0))
    runs = {(0, 0): [(0, 4)], (0, 1): [(40, 4)], (1, 1): [(80, 4)]}
    weights = {(0, 0): 0, (0, 1): 0}
    leaves = Leaves(Relaxation(pieces, False, (0, 0), 5, runs, (), weights))

    def supply(where: Where, sign: int, price: int = 2) -> int:
        split = Split((0,), CHUNK, where, 0, 1, 2)
        return leaves.supply(Sum({0: 5}, {}, {}, cases={0: price}), {0: (split, sign)})

    assert supply(Where(), 1) == 7 + 7 + 7
    assert supply(Where(tdmr=1), 1) == 5 + 7 + 7
    assert supply(Where(node=0), 1) == 7 + 7 + 5
    assert supply(Where(node=1, tdmr=1), 1) == 5 + 5 + 7
    assert supply(Where(tdmr=1), -1) == 5 + 0 + 0
    assert supply(Where(node=0), -1) == 0 + 0 + 5
    assert supply(Where(node=2), -1) == 5 + 5 + 5
    # A case without a price bars pieces all the same.
    assert supply(Where(tdmr=1), -1, 0) == 5 + 0 + 0
    assert supply(Where(node=0), -1, 0) == 0 + 0 + 5


def test_places_differ_by_what_areas_cost() -> None:
    pieces = (Piece(0, CHUNK, 3, 0), Piece(1, CHUNK, 9, 0))
    runs = {(0, 0): [(0, 4)], (0, 1): [(40, 4)]}
    leaves = Leaves(Relaxation(pieces, False, (0, 0), 5, runs, (), {(0, 0): 0}))
    for areas, total, expected in (
        ({}, 1, 8),
        ({0: 1}, 0, 9),
        ({0: 1, 1: 2}, 0, 7),
        ({0: 2, 1: 1}, 1, 5),
        ({0: 1, 1: 1}, 1, 6),
        ({0: 9, 1: 1}, 0, 4),
    ):
        assert leaves.supply(Sum({0: 5}, {}, areas, total=total), {}) == expected


def test_a_piece_of_no_value_is_worth_what_a_nearer_node_saves() -> None:
    pieces = (Piece(0, CHUNK, 3, 0),)
    runs = {(1, 0): [(0, 4)]}
    leaves = Leaves(Relaxation(pieces, False, (0,), 5, runs, (), {(0, 0): 0, (0, 1): -1}))
    assert leaves.supply(Sum({}, {}, {}, remote=2), {}) == 6
    assert leaves.supply(Sum({}, {}, {0: 1}, remote=2), {}) == 5
    assert leaves.supply(Sum({}, {}, {}), {}) == 0


def test_prices_need_a_limit() -> None:
    assert "no price on remote" in refused(Sum({1: 1}, {}, {}, remote=1), {})
    assert "no price on areas" in refused(Sum({1: 1}, {}, {}, total=1), {})


def test_a_sum_speaks_of_what_there_is() -> None:
    assert refused(Sum({2: 1}, {}, {}), {}) == "TDMRs below 2"
    assert refused(Sum({}, {}, {2: 1}), {}) == "TDMRs below 2"
    assert refused(Sum({}, {2: (1, 1, 1)}, {}), {}, split=True) == "TDMRs below 2"
    assert refused(Sum({1: 1}, {1: (1, 1, 1)}, {}), {}) == "no regions where chunks stay whole"
    assert refused(Sum({1: 1}, {}, {}, cases={3: 1}), {}) == "cases among none"
    assert (
        refused(Sum({1: 9}, {1: (9, 0, 0)}, {}), {}, split=True) == "less worth than 9 in all runs"
    )


def test_a_cases_run_is_worth_its_own() -> None:
    facts = two()
    longer = Relaxation(
        *(facts.pieces, False, (1, 2), 5, {(0, 0): [(2, 4), (9, 3)]}, (), facts.weights)
    )
    split = Split((0,), CHUNK, Where(run=9 * PAGE), 0, 1, 2)
    step = Sum({0: 5}, {}, {}, cases={0: 2})
    assert Leaves(longer).supply(step, {0: (split, 1)}) == 5 + 7
    assert Leaves(longer).supply(step, {0: (split, -1)}) == 5 + 0
    beside = split._replace(where=Where(run=8 * PAGE))
    assert Leaves(longer).supply(step, {0: (beside, 1)}) == 5 + 5


def one_run(pages: int, *sizes: int) -> Leaves:
    """Chunks of these sizes, and one run in the first TDMR."""
    pieces = tuple(Piece(tdmr, CHUNK, size, 0) for tdmr, size in enumerate(sizes))
    holes = (0,) * len(sizes)
    return Leaves(Relaxation(pieces, False, holes, 5, {(0, 0): [(0, pages)]}, (), {(0, 0): 0}))


def test_a_case_may_be_all_that_a_piece_is_worth() -> None:
    anywhere = Split((0,), CHUNK, Where(), 0, 1, 2)
    for price in (1, 2):
        step = Sum({}, {}, {}, cases={0: price})
        assert one_run(4, 3).supply(step, {0: (anywhere, 1)}) == price
    # Twice the room, but one piece.
    step = Sum({0: 5}, {}, {}, cases={0: 2})
    assert one_run(6, 3).supply(step, {0: (anywhere, 1)}) == 7


def test_a_case_prices_pieces_of_its_kind() -> None:
    region = Split((0,), LEVELS[0], Where(), 0, 1, 2)
    step = Sum({0: 1}, {}, {}, cases={0: 2})
    assert Leaves(two(split=True)).supply(step, {0: (region, 1)}) == 2
    # The chunk instead, where that is worth more: never both.
    assert Leaves(two(split=True)).supply(step._replace(values={0: 5}), {0: (region, 1)}) == 5


def test_pieces_worth_nothing_are_not_among_those_held_back() -> None:
    most_one = Split((0, 1), CHUNK, Where(), 1, 1, 2)
    for value in (0, -1):
        step = Sum({0: 9, 1: value}, {}, {})
        assert one_run(2, 3, 1).supply(step, {0: (most_one, -1)}) == 0


def test_in_a_chain_a_piece_lies_inside_or_across() -> None:
    chain = Chain(CHAIN, 0, ((0, 4), (1, 2)))
    facts = Relaxation((Piece(0, CHUNK, 3, 0),), False, (0, 0), 5, {}, (chain,), {(0, 0): 0})
    assert Leaves(facts).supply(Sum({0: 20}, {}, {0: 1}), {}) == 19
    assert Leaves(facts).supply(Sum({0: 20}, {}, {0: 1, 1: 1}), {}) == 19


def test_a_case_may_speak_of_a_chain() -> None:
    here = Split((0,), CHUNK, Where(run=CHAIN * PAGE), 0, 1, 2)
    step = Sum({0: 5}, {}, {}, cases={0: 2})
    for pages, count in ((2, 1), (1, 2)):
        chain = Chain(CHAIN, 0, ((0, 1), (1, 1)))
        piece = Piece(0, CHUNK, pages, 0)
        facts = Relaxation((piece,), False, (0, 0), 5, {}, (chain,), {(0, 0): 0})
        assert Leaves(facts).supply(step, {0: (here, 1)}) == 7 * count
        beside = here._replace(where=Where(run=CHAIN * PAGE + PAGE))
        assert Leaves(facts).supply(step, {0: (beside, 1)}) == 5 * count
