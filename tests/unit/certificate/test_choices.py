"""What may begin in one stretch together, against all ways to place pieces there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from random import Random

import pytest

from pamt.certificate.choices import Choices, slots
from pamt.certificate.filling import Choice
from pamt.certificate.format import Split, Where
from pamt.certificate.relaxation import CHUNK, Piece
from pamt.configuration import LEVELS

NAMES = (CHUNK, *LEVELS)
Held = tuple[str, ...]
"""Levels of one TDMR that begin in the stretch."""


def low(tdmrs: Sequence[int], piece: str, at_most: int) -> Split:
    return Split(tuple(tdmrs), piece, Where(), at_most, 0, 0)


def ways(levels: Sequence[str]) -> Iterator[Held]:
    """What one TDMR may have in the stretch: nothing, its chunk, or some of its regions."""
    if CHUNK in levels:
        yield (CHUNK,)
    regions = [level for level in levels if level != CHUNK]
    for number in range(len(regions) + 1):
        yield from combinations(regions, number)


def best_by_room(
    worthy: Sequence[tuple[Piece, int]],
    lows: Sequence[Split],
    rooms: Sequence[int],
    crossing: Piece | None = None,
) -> list[int]:
    """The most that fits into so many pages, besides `crossing`, by looking at everything."""
    by_tdmr: dict[int, dict[str, tuple[int, int]]] = {}
    for piece, value in worthy:
        by_tdmr.setdefault(piece.tdmr, {})[piece.level] = (piece.pages, value)
    most = [0] * len(rooms)
    for held in product(*(list(ways(list(items))) for items in by_tdmr.values())):
        have = {t: set(levels) for t, levels in zip(by_tdmr, held, strict=True)}
        if crossing is not None:
            own = have[crossing.tdmr]
            if crossing.level in own or CHUNK in own or (crossing.level == CHUNK and own):
                continue
        # A piece that goes on behind the stretch begins there, too.
        begun = {t: set(levels) for t, levels in have.items()}
        if crossing is not None:
            begun[crossing.tdmr].add(crossing.level)
        if any(sum(low.piece in begun.get(t, ()) for t in low.tdmrs) > low.at_most for low in lows):
            continue
        items = [by_tdmr[t][level] for t, levels in have.items() for level in levels]
        pages, value = sum(p for p, _ in items), sum(v for _, v in items)
        most = [max(m, value) if pages <= room else m for m, room in zip(most, rooms, strict=True)]
    return most


def best_of(choices: Sequence[Choice], rooms: Sequence[int]) -> list[int]:
    table = [0] * (max(rooms) + 1)
    for choice in choices:
        table = [
            max(
                [table[room], *(table[room - i.pages] + i.value for i in choice if i.pages <= room)]
            )
            for room in range(len(table))
        ]
    return [table[room] for room in rooms]


def priced(random: Random) -> dict[str, tuple[int, int]]:
    """Pages and values of a TDMR's pieces; those that are worth nothing are left out."""
    regions = {level: random.randint(1, 6) for level in LEVELS}
    pages = {CHUNK: sum(regions.values()), **regions}
    some = [name for name in NAMES if random.random() < 0.75]
    return {name: (pages[name], random.randint(1, 12)) for name in some}


def pieces_of(tdmrs: Mapping[int, Mapping[str, tuple[int, int]]]) -> list[tuple[Piece, int]]:
    return [
        (Piece(tdmr, name, pages, 0), value)
        for tdmr, items in tdmrs.items()
        for name, (pages, value) in items.items()
    ]


ROOMS = (0, 1, 2, 3, 5, 8, 13, 60)


@pytest.mark.parametrize("seed", range(150))
def test_alike_tdmrs_exactly(seed: int) -> None:
    random = Random(seed)
    number = random.randint(1, 3)
    items = priced(random)
    worthy = pieces_of(dict.fromkeys(range(number), items))
    names = random.sample(NAMES, random.randint(0, 2))
    lows = [low(range(number), name, random.randint(0, number)) for name in names]
    if random.random() < 0.3:
        lows += [one._replace(at_most=one.at_most + random.choice((0, 1))) for one in lows]
    found = Choices(worthy, lows)
    assert best_of(found.all, ROOMS) == best_by_room(worthy, lows, ROOMS)
    for piece, _ in worthy:
        allowed = [one for one in lows if one.piece == piece.level]
        if not all(one.at_most for one in allowed):
            continue
        beside = best_of(found.beside(piece), ROOMS)
        expected = best_by_room(worthy, lows, ROOMS, piece)
        if allowed == lows:
            assert beside == expected
        assert all(a >= b for a, b in zip(beside, expected, strict=True))


@pytest.mark.parametrize("seed", range(150))
def test_any_tdmrs_never_too_little(seed: int) -> None:
    random = Random(1000 + seed)
    number = random.randint(2, 4)
    kinds = [priced(random) for _ in range(2)]
    worthy = pieces_of({tdmr: random.choice(kinds) for tdmr in range(number)})
    lows = [
        low(
            sorted(random.sample(range(number), random.randint(1, number))),
            random.choice(NAMES),
            random.randint(0, 2),
        )
        for _ in range(random.randint(1, 3))
    ]
    found = Choices(worthy, lows)
    for got, least in zip(
        best_of(found.all, ROOMS), best_by_room(worthy, lows, ROOMS), strict=True
    ):
        assert got >= least
    for piece, _ in worthy:
        expected = best_by_room(worthy, lows, ROOMS, piece)
        beside = best_of(found.beside(piece), ROOMS)
        assert all(a >= b for a, b in zip(beside, expected, strict=True))


def test_a_piece_that_nothing_is_listed_of_stands_beside_all() -> None:
    worthy = pieces_of({0: {CHUNK: (4, 5)}})
    found = Choices(worthy, [])
    assert found.beside(Piece(7, CHUNK, 3, 0)) == found.all
    assert found.beside(worthy[0][0]) == ()


def test_of_unlike_tdmrs_as_many_of_the_best_as_are_allowed() -> None:
    worthy = pieces_of({0: {CHUNK: (9, 5)}, 1: {CHUNK: (4, 3)}, 2: {CHUNK: (7, 2), "4k": (3, 1)}})
    found = Choices(worthy, [low((0, 1, 2), CHUNK, 2)])
    # Two chunks as small as the smallest and worth as much as the best, and the region apart.
    assert sorted(found.all) == [((3, 1),), ((4, 5),), ((4, 5),)]
    assert Choices(worthy, [low((0, 1, 2), CHUNK, 0)]).all == (((3, 1),),)
    # A case that speaks of no more TDMRs than it allows says nothing.
    assert len(Choices(worthy, [low((0, 1, 2), CHUNK, 3)]).all) == 3


def test_a_case_about_some_of_alike_tdmrs_parts_them() -> None:
    items = {CHUNK: (4, 5), "4k": (3, 1)}
    worthy = pieces_of(dict.fromkeys(range(3), items))
    found = Choices(worthy, [low((0, 1), CHUNK, 1)])
    assert best_of(found.all, (12,)) == best_by_room(worthy, [low((0, 1), CHUNK, 1)], (12,)) == [11]


def test_a_case_about_all_goes_apart_where_another_speaks_of_some() -> None:
    worthy = pieces_of({tdmr: {CHUNK: (4, 5), "4k": (3, 1)} for tdmr in range(3)})
    lows = [low((0, 1, 2), CHUNK, 1), low((0, 1), "4k", 1)]
    # Two groups, one chunk in each, would be worth 11.
    assert best_of(Choices(worthy, lows).all, (20,)) == [5 + 1 + 1]


def test_slots_take_chunks_from_one_side_and_regions_from_the_other() -> None:
    assert slots(3, {CHUNK: 1, "4k": 2}) == [
        frozenset({CHUNK}),
        frozenset({"4k"}),
        frozenset({"4k"}),
    ]
    assert slots(2, {CHUNK: 2, "2m": 1}) == [frozenset({CHUNK}), frozenset({CHUNK, "2m"})]
    assert slots(0, {CHUNK: 1}) == []
