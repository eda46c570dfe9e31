"""The most that fits: exact for single stretches, never too little for chains."""

from __future__ import annotations

from itertools import pairwise, permutations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.certificate import filling
from pamt.certificate.filling import (
    Choice,
    Crossing,
    Item,
    Stretch,
    best_in_chain,
    best_in_runs,
    front_of,
    thinned,
)

ITEM = st.builds(Item, st.integers(1, 9), st.integers(-3, 9))
CHOICES = st.lists(st.lists(ITEM, min_size=1, max_size=3).map(tuple), max_size=5)


def alone(*items: Item) -> tuple[Choice, ...]:
    """Choices of a single item each."""
    return tuple((item,) for item in items)


def best_set(choices: list[Choice], room: int) -> int:
    """By trying every way to take one of each, or none."""
    return max(
        sum(item.value for item in chosen)
        for chosen in product(*([*choice, Item(0, 0)] for choice in choices))
        if sum(item.pages for item in chosen) <= room
    )


@given(CHOICES, st.lists(st.integers(0, 30), max_size=4))
@settings(max_examples=200, deadline=None)
def test_single_stretches_are_exact(choices: list[Choice], lengths: list[int]) -> None:
    expected = sum(best_set(choices, room) for room in lengths)
    assert best_in_runs(choices, sorted(lengths)) == expected


@given(CHOICES, st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_front_ascends_and_starts_empty(choices: list[Choice], room: int) -> None:
    front = front_of(choices, room)
    assert front[0] == (0, 0)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(front))
    assert front[-1][0] <= room


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=40))
@settings(max_examples=100, deadline=None)
def test_thinning_only_overestimates(steps: list[tuple[int, int]]) -> None:
    front = [(0, 0)]
    for pages, value in steps:
        front.append((front[-1][0] + pages, front[-1][1] + value))
    short = thinned_to(5, front)
    assert len(short) <= 5
    for pages, value in front:
        assert any(p <= pages and v >= value for p, v in short)


def thinned_to(longest: int, front: list[tuple[int, int]]) -> list[tuple[int, int]]:
    before = filling.LONGEST_FRONT
    try:
        filling.LONGEST_FRONT = longest
        return thinned(list(front))
    finally:
        filling.LONGEST_FRONT = before


def test_thinning_joins_neighbours_and_no_more() -> None:
    front = [(at, 10 * at) for at in range(6)]
    assert thinned_to(6, front) == front
    assert thinned_to(5, front) == [(0, 10), (2, 30), (4, 50)]
    assert thinned_to(4, front[:5]) == [(0, 10), (2, 30), (4, 40)]
    assert thinned_to(2, front) == [(0, 30), (4, 50)]


def test_only_pairs_that_no_other_matches_stay() -> None:
    assert filling.pruned([(3, 4), (0, 0), (1, 4), (3, 9), (1, 2), (5, 9)]) == [
        (0, 0),
        (1, 4),
        (3, 9),
    ]


def test_a_crossing_piece_begins_anywhere_before_the_border() -> None:
    # A piece of 3 pages and a border after 4: it may begin on page 2 or 3, ends on page 5 or 6.
    def best(room: int, *before: Item) -> int:
        others = alone(*before)
        return best_in_chain([Stretch(4, others, [Crossing(3, [7], others)]), Stretch(room, [])])

    assert [best(room) for room in (0, 1, 2)] == [0, 7, 7]
    # What lies before it moves it up: 3 pages leave 1, so 2 must follow.
    assert [best(room, Item(3, 1)) for room in (1, 2)] == [7, 8]
    assert best(2, Item(4, 1)) == 7


def test_a_crossing_piece_costs_by_the_stretches_it_overlaps() -> None:
    chain = [Stretch(1, [], [Crossing(3, [9, 5], ())]), Stretch(1, []), Stretch(1, [])]
    assert best_in_chain(chain) == 5
    assert best_in_chain([chain[0], Stretch(2, []), chain[2]]) == 9
    # What follows a crossing piece begins where it ends.
    after = Stretch(3, alone(Item(2, 4)))
    assert best_in_chain([Stretch(1, [], [Crossing(2, [9], ())]), after]) == 13
    assert best_in_chain([Stretch(1, [], [Crossing(3, [9], ())]), after]) == 9
    assert best_in_chain([Stretch(1, [], [Crossing(2, [-9], ())]), after]) == 4


def test_a_value_of_nothing_is_no_gain() -> None:
    assert best_in_runs(alone(Item(1, -3), Item(1, 0)), [5]) == 0
    assert best_in_runs(alone(Item(3, 2)), []) == 0
    assert best_in_runs(alone(Item(3, 2), Item(4, 5)), [2, 3, 6, 7]) == 0 + 2 + 5 + 7
    assert best_in_runs([(Item(3, 2), Item(4, 5))], [2, 3, 6, 7]) == 0 + 2 + 5 + 5


def best_layout(lengths: list[int], pieces: list[tuple[int, int]], price: list[int]) -> int:
    """Every order of every set of pieces, each at its lowest page or just across a border."""
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]

    def over(at: int, pages: int) -> list[int]:
        starts = [0, *ends[:-1]]
        return [i for i in range(len(ends)) if starts[i] < at + pages and at < ends[i]]

    best = 0
    for size in range(len(pieces) + 1):
        for chosen in permutations(pieces, size):
            for gaps in product(range(3), repeat=size):
                at = worth = 0
                for (pages, value), gap in zip(chosen, gaps, strict=True):
                    if gap:
                        # At the next border, or as late as it may be to reach over it.
                        later = [end for end in ends if end > at]
                        if not later:
                            break
                        at = max(at, later[0] if gap == 1 else later[0] - pages + 1)
                    if at + pages > ends[-1]:
                        break
                    worth += value - sum(price[i] for i in over(at, pages))
                    at += pages
                else:
                    best = max(best, worth)
    return best


def worthy(pieces: list[tuple[int, int]], price: int) -> tuple[Choice, ...]:
    return alone(*(Item(p, v - price) for p, v in pieces if v > price))


@given(
    st.lists(st.integers(1, 8), min_size=2, max_size=3),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=3),
    st.lists(st.integers(0, 4), min_size=3, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_chains_never_hold_more(
    lengths: list[int], pieces: list[tuple[int, int]], price: list[int]
) -> None:
    stretches = []
    for index, pages in enumerate(lengths):
        crossing = [
            Crossing(
                p,
                [v - sum(price[index : k + 1]) for k in range(index + 1, len(lengths))],
                worthy(pieces[:at] + pieces[at + 1 :], price[index]),
            )
            for at, (p, v) in enumerate(pieces)
            if index + 1 < len(lengths)
        ]
        stretches.append(Stretch(pages, worthy(pieces, price[index]), crossing))
    assert best_in_chain(stretches) >= best_layout(lengths, pieces, price)


def test_a_chain_without_borders_is_a_run() -> None:
    items = alone(Item(3, 5), Item(4, 6), Item(2, 1))
    assert best_in_chain([Stretch(7, items)]) == best_in_runs(items, [7]) == 11


def test_the_crossing_piece_is_not_counted_inside_as_well() -> None:
    # One piece of 3 pages: inside the first stretch or across the border, not both.
    first = Stretch(4, alone(Item(3, 5)), [Crossing(3, [5], ())])
    assert best_in_chain([first, Stretch(2, [])]) == 5


def test_what_reaches_through_a_stretch_leaves_no_room_in_it() -> None:
    # The first piece ends on page 4, in the third stretch: one page is left there.
    through = [Stretch(1, [], [Crossing(4, [9, 9], ())]), Stretch(1, [])]
    assert best_in_chain([*through, Stretch(3, alone(Item(2, 4)))]) == 9
    assert best_in_chain([*through, Stretch(4, alone(Item(2, 4)))]) == 13


def test_nothing_begins_in_a_stretch_that_is_full() -> None:
    second = Stretch(1, [], [Crossing(2, [5], ())])
    for pages in (2, 3):
        first = Stretch(1, [], [Crossing(pages, [7, 7], ())])
        assert best_in_chain([first, second, Stretch(5, [])]) == 7
    assert best_in_chain([Stretch(1, []), second, Stretch(5, [])]) == 5
