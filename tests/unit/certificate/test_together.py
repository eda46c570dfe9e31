"""Gaps filled together: the sizes that TDMRs can have, and what their regions add up to."""

from __future__ import annotations

from itertools import pairwise, product
from random import Random

import pytest

from pamt.certificate import together
from pamt.certificate.together import GapRuns, Sizes, Together, TooManyWays
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE, Range
from pamt.standins import complete

NOWHERE = Range(0, 0)
Cut = tuple[tuple[int, int], ...]


def ask(cells: list[int]) -> Question:
    """Memory in these GiBs; a TDMR of n GiB has 1,024n pages of 4K, 2n of 2M, 1 of 1G region."""
    memory = tuple(MemoryRange(cell * GIB, (cell + 1) * GIB, 0) for cell in cells)
    low, high = cells[0] * GIB, (cells[-1] + 1) * GIB
    free = (FreeRun(low + GIB // 2, low + GIB // 2 + PAGE, 0),)
    machine = Machine("m", "", Limits(), (Cmr(low, high - low),), memory, (Node(0),), free)
    return pose(complete(machine).machine, Space("free", "split", "minimal"))


@pytest.fixture(autouse=True)
def _nothing_is_known() -> None:
    together._disjoint.cache_clear()


def gap(*runs: int, cell: int | None = 0) -> GapRuns:
    return GapRuns(cell, runs, NOWHERE)


def gaps_of(
    *runs: int, cells: int = 12, begins: tuple[int, int] = (0, 12), reach: tuple[int, ...] = ()
) -> Together:
    """Gaps of one run each, with cells 0, 1, ... all of memory."""
    question = ask(list(range(cells)))
    return Together(question, [gap(run) for run in runs], begins, reach or (cells,) * cells)


def all_cuts(n: int) -> list[Cut]:
    found = []
    for mask in range(1 << (n - 1)):
        borders = [0, *(i + 1 for i in range(n - 1) if mask >> i & 1), n]
        found.append(tuple((a, b - 1) for a, b in pairwise(borders)))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_sizes_are_those_of_all_cuts(seed: int) -> None:
    random = Random(seed)
    n = random.randint(1, 7)
    cells = sorted(random.sample(range(9), n)) if random.random() < 0.5 else list(range(n))
    start = random.choice((0, 0, random.randrange(n)))
    end = random.randint(start + 1, n)
    reach = [random.choice((n, n, random.randint(at + 1, n))) for at in range(n)]
    number, longest = random.randint(1, 5), random.randint(1, 9)
    units = random.randint(0, 4)
    asked = Together(ask(cells), [gap(1024 * units + 1)], (start, end), reach)
    # An overhanging TDMR of more GiBs than any run has units is told by fewest and most GiBs.
    wanted = set()
    for cut in all_cuts(n):
        near = [(a, b) for a, b in cut if start <= a < end]
        sizes = [cells[b] - cells[a] + 1 for a, b in near]
        allowed = all(b < reach[a] for a, b in near) and all(size <= longest for size in sizes)
        if len(cut) <= number and allowed:
            over = sizes[-1] if near and near[-1][1] >= end and sizes[-1] > units else 0
            inside = sizes[:-1] if over else sizes
            wanted.add((tuple(sorted(inside)), over))
    found = set()
    spans = set()
    for gibs, over in asked._sizes(number, longest):
        assert gibs == tuple(sorted(gibs))
        if over is None:
            found.add((gibs, 0))
        else:
            assert units < over[0] <= over[1]
            found |= {(gibs, over[0]), (gibs, over[1])}
            spans.add((gibs, over))
    for gibs, over in wanted:
        assert (gibs, over) in found or any(
            some == gibs and low <= over <= high for some, (low, high) in spans
        )
    # Where others come before, these may have any borders.
    assert found <= wanted or start


def test_sizes_where_others_come_before() -> None:
    # Cells 2 and 3 of five: the TDMR before ends at 1, 2, 3 or behind.
    asked = gaps_of(1, cells=5, begins=(2, 4))
    assert asked._sizes(1, 5) == {Sizes((), None)}
    assert asked._sizes(2, 5) == {
        Sizes((), None),
        Sizes((), (2, 2)),
        Sizes((), (3, 3)),
    }
    assert asked._sizes(3, 5) == {
        Sizes((), None),
        Sizes((), (2, 2)),
        Sizes((), (3, 3)),
        Sizes((1,), None),
        Sizes((2,), None),
        Sizes((1,), (2, 2)),
    }


def pieces_of(gibs: list[int]) -> list[int]:
    return [pages for gib in gibs for pages in (1024 * gib, 2 * gib, 1)]


def fill(runs: tuple[int, ...], pieces: tuple[int, ...]) -> bool:
    """Whether each run is the sum of some of the pieces, by going through all subsets."""
    if not runs:
        return True
    for taken in product((False, True), repeat=len(pieces)):
        if sum(p for p, t in zip(pieces, taken, strict=True) if t) == runs[0]:
            left = tuple(p for p, t in zip(pieces, taken, strict=True) if not t)
            if fill(runs[1:], left):
                return True
    return False


@pytest.mark.parametrize("seed", range(60))
def test_gaps_are_filled_together_where_all_choices_say_so(seed: int) -> None:
    random = Random(seed)
    n = random.randint(2, 5)
    end = random.choice((n, random.randint(1, n)))
    cuts = [cut for cut in all_cuts(n) if len(cut) <= 3]
    gaps: list[GapRuns] = []
    for _ in range(random.randint(1, 3)):
        # What some TDMRs add up to, or nearly.
        cut = random.choice(cuts)
        pieces = pieces_of([b - a + 1 for a, b in cut])
        parts = random.sample(pieces, random.choice((1, 2, 3, min(5, len(pieces)))))
        half = random.randint(0, len(parts) - 1)
        runs = [sum(some) for some in (parts[:half], parts[half:]) if some]
        runs[-1] += random.choice((0, 0, 0, 1))
        gaps.append(gap(*runs, cell=random.choice((None, 0, 1))))
    asked = Together(ask(list(range(n))), gaps, (0, end), (n,) * n)
    least = random.randint(1, len(gaps))
    wanted = {random.randint(0, 1): 1} if random.random() < 0.3 else {}
    number = random.randint(1, 3)
    expected = False
    for cut in cuts:
        near = tuple(pieces_of([b - a + 1 for a, b in cut if a < end]))
        for taken in product((False, True), repeat=len(gaps)):
            some = [one for one, take in zip(gaps, taken, strict=True) if take]
            enough = len(some) >= max(least, 1) and all(
                sum(one.cell == cell for one in some) >= count for cell, count in wanted.items()
            )
            runs = tuple(sorted((r for one in some for r in one.runs), reverse=True))
            expected |= len(cut) <= number and enough and fill(runs, near)
    assert asked.may_be(number, least, wanted, 10**6, n) == expected


def test_each_region_is_used_once() -> None:
    # One TDMR of 12 GiB has 12 units, and 24 + 1 small pages; two have 1 page more.
    assert gaps_of(12 * 1024 + 24).may_be(1, 1, {}, 25, 12)
    assert gaps_of(12 * 1024 + 24, 24).may_be(1, 1, {}, 25, 12)
    assert not gaps_of(12 * 1024 + 24, 24).may_be(1, 2, {}, 50, 12)
    assert not gaps_of(12 * 1024 + 25, 1).may_be(1, 2, {}, 50, 12)
    assert gaps_of(12 * 1024 + 24, 1).may_be(1, 2, {}, 50, 12)
    # 4 and 8 GiB: runs of 8 and of 16 pages; of 7 and 9 GiB none has 8.
    assert gaps_of(8, 16).may_be(2, 2, {}, 50, 12)
    assert gaps_of(8, 17, 1).may_be(2, 3, {}, 50, 12)
    assert not gaps_of(8, 17, 2).may_be(2, 3, {}, 50, 12)
    assert gaps_of(8, 17, 2).may_be(3, 3, {}, 50, 12)


def test_the_size_of_the_one_that_overhangs_follows_from_its_2m_region() -> None:
    # TDMRs begin in the first two of 12 cells.  1,024 + 14 + 1 pages are those of 1 GiB, and of 7
    # that go on from the second cell; in a cut into two these would be 11.
    asked = gaps_of(1024 + 14 + 1, begins=(0, 2))
    assert not asked.may_be(2, 1, {}, 50, 12)
    assert asked.may_be(3, 1, {}, 50, 12)
    # With 6 GiB at most it is 1,024 + 12 + 2 + 1; with 5 there are 10 + 2 + 1 + 1 small pages.
    assert asked.may_be(3, 1, {}, 50, 6)
    assert not asked.may_be(3, 1, {}, 50, 5)
    assert gaps_of(1024 + 22 + 1, begins=(0, 2)).may_be(2, 1, {}, 50, 12)
    # Its 2M region lies in one run alone: 14 and 14 take another one of 7 GiB.
    twice = gaps_of(14 + 1, 14, begins=(0, 2))
    assert twice.may_be(3, 1, {}, 50, 12)
    assert not twice.may_be(3, 2, {}, 50, 12)
    # From 256 GiB on its 1G region has a page more: 512 + 2 is that of one with 256, 510 + 4 not.
    long = {"cells": 300, "begins": (0, 1)}
    assert gaps_of(2 * 299 + 2, **long).may_be(2, 1, {}, 50, 300)
    assert not gaps_of(2 * 256 + 3, **long).may_be(1, 1, {}, 50, 300)
    assert gaps_of(2 * 257 + 2, **long).may_be(2, 1, {}, 50, 300)
    assert not gaps_of(2 * 256 + 2, **long).may_be(2, 1, {}, 1, 256)


def test_its_4k_region_may_fill_a_run_as_well() -> None:
    # 3 GiB from the first cell on, and 9 where the node has no cell.
    asked = gaps_of(3 * 1024, begins=(0, 2))
    assert asked.may_be(2, 1, {}, 50, 12)
    assert not asked.may_be(1, 1, {}, 50, 12)
    assert gaps_of(3 * 1024 + 6, begins=(0, 2)).may_be(3, 1, {}, 50, 12)
    assert gaps_of(3 * 1024 + 6 + 2 + 1, begins=(0, 2)).may_be(3, 1, {}, 50, 12)
    # Of 4 and of 5 units there is one at most that overhangs; the other has a single GiB.
    assert not gaps_of(5 * 1024, 4 * 1024, begins=(0, 2)).may_be(3, 2, {}, 50, 12)
    assert gaps_of(5 * 1024, 1 * 1024, begins=(0, 2)).may_be(3, 2, {}, 50, 12)


def test_gaps_of_given_cells_must_be_among_them() -> None:
    asked = Together(
        ask([0, 1, 2]), [gap(1, cell=0), gap(2, cell=1), gap(2, cell=None)], (0, 3), (3,) * 3
    )
    assert asked.may_be(2, 1, {0: 1}, 50, 3)
    assert asked.may_be(2, 1, {1: 1}, 50, 3)
    assert not asked.may_be(2, 1, {2: 1}, 50, 3)
    assert not asked.may_be(2, 2, {0: 2}, 50, 3)
    # Two in all, whatever is asked for besides: 1 and 2 pages are there of 1 and 2 GiB.
    assert asked.may_be(2, 0, {0: 1, 1: 1}, 50, 3)
    assert not asked.may_be(1, 0, {0: 1, 1: 1}, 50, 3)
    # Nothing to be filled is filled, whatever there is.
    assert asked.may_be(1, 0, {}, 0, 1)


def test_sets_that_take_too_many_small_pages_are_left_out() -> None:
    asked = gaps_of(1024 + 5, 2048 + 9, 7)
    runs = lambda small, over: {  # noqa: E731
        tuple(sorted(run for one in chosen for run in one.runs))
        for chosen in asked._sets(2, {}, small, over)
    }
    assert runs(21, 0) == {(7, 1029), (1029, 2057), (7, 2057)}
    assert runs(14, 0) == {(7, 1029), (1029, 2057)}
    assert runs(13, 0) == {(7, 1029)}
    assert runs(11, 0) == set()
    # One run may have as much of the 2M region of the one that overhangs.
    assert runs(5, 7) == {(7, 1029), (1029, 2057)} - {(1029, 2057)}
    assert runs(7, 9) == {(7, 1029), (1029, 2057), (7, 2057)}
    assert runs(4, 100) == set()


def test_ways_name_sizes_and_gaps() -> None:
    some = [gap(1, cell=0), gap(1024 * 2 + 2, cell=1)]
    asked = Together(ask([0, 1, 2]), some, (0, 3), (3,) * 3)
    assert list(asked.ways(2, 2, {}, 50, 3)) == [(Sizes((1, 2), None), tuple(some))]
    # With runs of the same length one set stands for all.
    alike = [gap(1, cell=0), gap(1, cell=1)]
    asked = Together(ask([0, 1, 2]), alike, (0, 3), (3,) * 3)
    assert list(asked.ways(1, 1, {}, 50, 3)) == [(Sizes((3,), None), (alike[0],))]


def test_ways_come_in_the_order_of_sizes() -> None:
    # Two or more pages of 2M region, and one of each 1G region.
    asked = gaps_of(1, cells=6, begins=(0, 3))
    keys = [(sizes.gibs, sizes.over or ()) for sizes, _ in asked.ways(4, 1, {}, 50, 6)]
    assert keys == sorted(set(keys))
    assert ((1,), (3, 5)) in keys
    assert ((1, 2), ()) in keys
    # The same sizes besides: where one that overhangs may begin at many cells.
    asked = gaps_of(1, cells=30, begins=(1, 25))
    overs = [sizes.over for sizes, _ in asked.ways(2, 1, {}, 50, 30)]
    assert overs == [(gib, gib) for gib in range(6, 30)]
    overs = [sizes.over for sizes, _ in asked.ways(3, 1, {}, 50, 30) if not sizes.gibs]
    assert overs == [(low, low + 4) for low in range(2, 26)]


def test_any_run_may_be_that_of_the_one_that_overhangs() -> None:
    # A TDMR of a GiB, and one that goes on from the second cell: 2 + 1 + 1 small pages, and one
    # region of 4 pages or more.
    assert gaps_of(4, 3, begins=(0, 2)).may_be(3, 2, {}, 50, 12)
    assert gaps_of(3, 4, begins=(0, 2)).may_be(3, 2, {}, 50, 12)
    assert gaps_of(4, 4, begins=(0, 2)).may_be(3, 2, {}, 50, 12)
    assert not gaps_of(4, 4, 4, begins=(0, 2)).may_be(3, 3, {}, 50, 12)
    assert not gaps_of(4, 3, 2, begins=(0, 2)).may_be(3, 3, {}, 50, 12)
    assert gaps_of(4, 3, 1, begins=(0, 2)).may_be(3, 3, {}, 50, 12)
    # However many ways there are, sizes and set come once.
    twice = gaps_of(4, 4, begins=(0, 2))
    assert len([sizes for sizes, _ in twice.ways(3, 2, {}, 50, 12) if sizes.gibs == (1,)]) == 1


def test_small_pages_may_be_more_than_a_unit() -> None:
    # 1,024 + 1,198 pages: a 4K region of 1 GiB and a 2M region of 599.
    assert gaps_of(2222, cells=600, begins=(0, 600), reach=(600,) * 600).may_be(2, 1, {}, 5000, 600)
    assert not gaps_of(100, cells=600, begins=(0, 600)).may_be(1, 1, {}, 5000, 600)


def test_no_small_page_is_needed_for_whole_units() -> None:
    assert gaps_of(2048).may_be(2, 1, {}, 0, 12)
    assert not gaps_of(2049).may_be(2, 1, {}, 0, 1)


def test_what_a_tdmr_before_leaves() -> None:
    # From the second cell of four on; the first TDMR ends in front of it or behind.
    asked = gaps_of(1, cells=4, begins=(1, 3))
    assert asked._sizes(1, 4) == {Sizes((), None)}
    assert asked._sizes(2, 4) == {Sizes((), None), Sizes((), (2, 2)), Sizes((), (3, 3))}


def too_many(cells: int, end: int, number: int, steps: int, patch: pytest.MonkeyPatch) -> bool:
    patch.setattr(together, "MOST_SIZES", steps)
    try:
        gaps_of(1, cells=cells, begins=(0, end))._sizes(number, cells)
    except TooManyWays:
        return True
    return False


def test_steps_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of 3 cells: from the first three ends, from the second two; from the third one after 2, and
    # one after 1 and 1, each with a step for itself: 4 + 3 + 2 + 2.
    assert [too_many(3, 3, 3, steps, monkeypatch) for steps in (10, 11)] == [True, False]
    # Ends behind the cells of the node are not counted: 3 + 2.
    assert [too_many(3, 2, 3, steps, monkeypatch) for steps in (4, 5)] == [True, False]
    # A single TDMR: nothing but the step itself.
    assert [too_many(3, 1, 1, steps, monkeypatch) for steps in (0, 1)] == [True, False]
    assert [too_many(9, 2, 1, steps, monkeypatch) for steps in (0, 1)] == [True, False]


def test_more_than_eight_tdmrs_are_too_many() -> None:
    asked = gaps_of(5, cells=10, begins=(0, 10))
    assert asked.may_be(8, 1, {}, 50, 10)
    with pytest.raises(TooManyWays):
        asked.may_be(9, 1, {}, 50, 10)


def test_sets_and_looks_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = gaps_of(5, 7, 9, cells=40, begins=(0, 40))
    monkeypatch.setattr(together, "MOST_SETS", 3)
    with pytest.raises(TooManyWays):
        asked.may_be(2, 1, {}, 50, 40)
    monkeypatch.setattr(together, "MOST_SETS", 4)
    asked.may_be(2, 1, {}, 50, 40)
    monkeypatch.setattr(together, "MOST_LOOKS", len(asked._sizes(2, 40)) * 3 - 1)
    with pytest.raises(TooManyWays):
        asked.may_be(2, 1, {}, 50, 40)
    monkeypatch.setattr(together, "MOST_LOOKS", len(asked._sizes(2, 40)) * 3)
    asked.may_be(2, 1, {}, 50, 40)


def test_what_was_too_much_stays_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = gaps_of(5, cells=40, begins=(0, 40))
    monkeypatch.setattr(together, "MOST_SIZES", 10)
    with pytest.raises(TooManyWays):
        asked.may_be(3, 1, {}, 50, 40)
    # It is not gone through a second time.
    monkeypatch.setattr(together, "MOST_SIZES", 10**6)
    with pytest.raises(TooManyWays):
        asked.may_be(3, 1, {}, 50, 40)
