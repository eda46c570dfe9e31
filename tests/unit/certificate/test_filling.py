"""The most that fits: exact for single stretches, never too little for chains."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.certificate import filling
from pamt.certificate.filling import (
    Crossing,
    Item,
    Stretch,
    best_in_chain,
    best_in_runs,
    front_of,
    thinned,
)

ITEMS = st.lists(st.builds(Item, st.integers(1, 9), st.integers(-3, 9)), max_size=6)


def best_set(items: list[Item], room: int) -> int:
    """By trying every set."""
    return max(
        sum(item.value for item in chosen)
        for size in range(len(items) + 1)
        for chosen in combinations(items, size)
        if sum(item.pages for item in chosen) <= room
    )


@given(ITEMS, st.lists(st.integers(0, 30), max_size=4))
@settings(max_examples=200, deadline=None)
def test_single_stretches_are_exact(items: list[Item], lengths: list[int]) -> None:
    expected = sum(best_set(items, room) for room in lengths)
    assert best_in_runs(items, sorted(lengths)) == expected


@given(ITEMS, st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_front_ascends_and_starts_empty(items: list[Item], room: int) -> None:
    front = front_of(items, room)
    assert front[0] == (0, 0)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(front))
    assert front[-1][0] <= room


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_thinning_only_overestimates(pairs: list[tuple[int, int]]) -> None:
    front = filling.pruned(list(pairs))
    longest = filling.LONGEST_FRONT
    try:
        filling.LONGEST_FRONT = 5
        short = thinned(list(front))
    finally:
        filling.LONGEST_FRONT = longest
    assert len(short) <= 5
    for pages, value in front:
        assert any(p <= pages and v >= value for p, v in short)


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
        items = [Item(p, v - price[index]) for p, v in pieces if v > price[index]]
        crossing = [
            Crossing(
                p,
                [v - sum(price[index : k + 1]) for k in range(index + 1, len(lengths))],
                v - price[index],
            )
            for p, v in pieces
            if index + 1 < len(lengths)
        ]
        stretches.append(Stretch(pages, items, crossing))
    assert best_in_chain(stretches) >= best_layout(lengths, pieces, price)


def test_a_chain_without_borders_is_a_run() -> None:
    items = [Item(3, 5), Item(4, 6), Item(2, 1)]
    assert best_in_chain([Stretch(7, items)]) == best_in_runs(items, [7]) == 11


def test_the_crossing_piece_is_not_counted_inside_as_well() -> None:
    # One piece of 3 pages: inside the first stretch or across the border, not both.
    first = Stretch(4, [Item(3, 5)], [Crossing(3, [5], 5)])
    assert best_in_chain([first, Stretch(2, [])]) == 5
