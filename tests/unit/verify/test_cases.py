"""Cases of a scope: all of them, in order, counted by a formula, and the neighbours of one."""

from __future__ import annotations

import json
import time
from itertools import combinations_with_replacement, islice, pairwise, product

import pytest

from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.verify.assumptions import DEFAULT
from pamt.verify.cases import Case, cases, count_cases, neighbours
from pamt.verify.cells import Cells
from pamt.verify.result import magnitude
from pamt.verify.scope import Scope

SWITCHES = (
    DEFAULT,
    DEFAULT - {"above-1m"},
    (DEFAULT | {"whole-gib"}) - {"apart"},
    (DEFAULT | {"whole-gib"}) - {"above-1m"},
    DEFAULT - {"free-is-memory"},
    DEFAULT - {"free-is-memory", "above-1m"},
)
SCOPES = [
    Scope(
        ranges=ranges,
        nodes=nodes,
        cmrs=cmrs,
        free=0 if "free-is-memory" in switches else 2,
        gib=gib,
        first_gib=first,
        assumptions=switches,
    )
    for ranges, nodes, cmrs, (first, gib) in product(
        (1, 2, 3), (1, 3), (0, 2), ((0, 1), (0, 3), (2, 4))
    )
    for switches in SWITCHES
    if ranges * nodes * gib < 20
]


def _distinct_ends(case: Case) -> int:
    """A TDMR for each GiB in which a range ends, above 1 MiB."""
    return len({last for _, last in case.cells[case.below :]})


def _all_cells(scope: Scope, ranges: int) -> set[tuple[tuple[int, int], ...]]:
    whole = "whole-gib" in scope.assumptions
    found = set()
    for flat in product(range(scope.first_gib, scope.gib), repeat=2 * ranges):
        pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
        gap = 1 if whole else 0
        ascends = all(a <= b for a, b in pairs) and all(
            before[1] + gap <= after[0] for before, after in pairwise(pairs)
        )
        if ascends:
            found.add(pairs)
    return found


@pytest.mark.parametrize("scope", SCOPES)
def test_all_cases_in_order(scope: Scope) -> None:
    found = list(cases(scope))
    assert len(set(found)) == len(found) == count_cases(scope)
    ranks = [case.rank for case in found]
    assert ranks == sorted(ranks)
    for case in found:
        assert case.rank.tdmrs == _distinct_ends(case)
        assert case.rank.span == case.cells[-1][1] + 1 - case.cells[0][0]
        assert case.rank.ranges == len(case.nodes) == len(case.cells)
        assert set(case.nodes) == set(range(case.rank.nodes))
    for ranges in range(1, scope.ranges + 1):
        cells = {case.cells for case in found if case.rank.ranges == ranges}
        assert cells == _all_cells(scope, ranges)
        if "free-is-memory" not in scope.assumptions:
            free = {case.free for case in found if case.rank.ranges == ranges}
            assert free == {
                held
                for count in range(scope.free + 1)
                for held in combinations_with_replacement(range(ranges), count)
            }


def test_every_map_below_1_mib_has_its_case() -> None:
    """Which ranges end below 1 MiB, and whether one lies across, is all that is said of it."""
    scope = Scope(ranges=2, gib=2, assumptions=DEFAULT - {"above-1m"})
    known = {(case.cells, case.below, case.crossing) for case in cases(scope)}
    borders = (0, MIB - PAGE, MIB, MIB + PAGE, GIB, 2 * GIB)
    for a, b, c, d in combinations_with_replacement(borders, 4):
        if not (a < b < c < d):
            continue
        ranges = (Range(a, b), Range(c, d))
        cells = tuple((r.start // GIB, (r.end - PAGE) // GIB) for r in ranges)
        below = sum(1 for r in ranges if r.end <= MIB)
        crossing = any(r.start < MIB < r.end for r in ranges)
        assert (cells, below, crossing) in known


def test_the_first_cases_of_a_huge_scope_come_at_once() -> None:
    scope = Scope(ranges=64, nodes=4, gib=200)
    began = time.process_time()
    first = list(islice(cases(scope), 200))
    assert count_cases(scope) > 10**100
    assert scope.size() > 10**100
    assert [case.rank.ranges for case in first] == [1] * 200
    assert time.process_time() - began < 5


@pytest.mark.parametrize("whole", [False, True])
def test_cells_by_number_of_ends_and_span(whole: bool) -> None:
    cells = Cells(3, 1, 5, whole=whole)
    found = [
        pairs
        for ends in (1, 2, 3)
        for span in range(1, 5)
        for pairs in cells.ascending([ends], span)
    ]
    assert len(set(found)) == len(found) == cells.count()
    assert all(cells.allows(pairs) for pairs in found)
    assert list(cells.ascending([1, 2, 3], 4)) == sorted(cells.ascending([1, 2, 3], 4))
    assert not cells.allows(((0, 1), (1, 2), (2, 3)))
    assert not cells.allows(((1, 2), (2, 3)))


@pytest.mark.parametrize("scope", [s for s in SCOPES if s.ranges == 2])
def test_neighbours_are_the_cases_that_differ_in_one_border(scope: Scope) -> None:
    everything = list(cases(scope))
    for case in everything[:: max(1, len(everything) // 5)]:
        mine = [cell for pair in case.cells for cell in pair]
        near = {
            other
            for other in everything
            if (other.nodes, other.cmrs, other.free) == (case.nodes, case.cmrs, case.free)
            and sum(
                a != b for a, b in zip(mine, [c for pair in other.cells for c in pair], strict=True)
            )
            <= 1
        }
        found = list(neighbours(scope, case))
        assert found[0] == case
        assert len(set(found)) == len(found)
        assert set(found) == near


def test_the_size_of_a_scope_is_the_number_of_its_layouts() -> None:
    """Against enumeration, where a scope is a few pages: 6 pages at the end of GiB 0."""
    for nodes, apart in product((1, 2, 3), (True, False)):
        switches = DEFAULT if apart else DEFAULT - {"apart"}
        pages = range(4)
        scope = Scope(ranges=3, nodes=nodes, gib=1, assumptions=switches)
        # The same formula for fewer pages: bounds are all that it takes from the addresses.
        small = _Small(scope, len(pages))
        assert small.size() == _enumerated(nodes, apart, len(pages), 3)


class _Small(Scope):
    """A scope of so few pages that they can be gone through."""

    def __init__(self, like: Scope, pages: int) -> None:
        for name in like.__dataclass_fields__:
            object.__setattr__(self, name, getattr(like, name))
        object.__setattr__(self, "_pages", pages)

    __slots__ = ("_pages",)

    @property
    def lowest(self) -> int:
        return 0

    @property
    def end(self) -> int:
        pages: int = self._pages  # type: ignore[attr-defined]
        return pages * PAGE


def _enumerated(nodes: int, apart: bool, pages: int, most: int) -> int:
    total = 0
    for count in range(1, most + 1):
        for ids in product(range(nodes), repeat=count):
            if set(ids) != set(range(max(ids) + 1)):
                continue
            for borders in combinations_with_replacement(range(pages + 1), 2 * count):
                pairs = list(zip(borders[::2], borders[1::2], strict=True))
                if any(a >= b for a, b in pairs):
                    continue
                touching = [at for at in range(count - 1) if pairs[at][1] == pairs[at + 1][0]]
                if apart and any(ids[at] == ids[at + 1] for at in touching):
                    continue
                total += 1
    return total


def test_distances_multiply_the_cases_and_make_a_slit() -> None:
    plain = Scope(ranges=3, nodes=3, gib=1)
    scope = Scope(
        ranges=3, nodes=3, gib=1, distances=(20, 30), assumptions=DEFAULT - {"equal-distances"}
    )
    found = [case for case in cases(scope) if case.rank.nodes == 3]
    assert len(found) == 8 * sum(1 for case in cases(plain) if case.rank.nodes == 3)
    assert count_cases(scope) == sum(1 for _ in cases(scope))
    assert all(not case.slit() for case in cases(plain))
    case = next(case for case in found if case.distances == (20, 30, 20))
    assert [node.distance for node in case.slit()] == [(10, 20, 30), (20, 10, 20), (30, 20, 10)]


@pytest.mark.parametrize("distances", [(10,), (30, 20), (20, 20), (256,), (20, 30)])
def test_distances_that_are_none_are_refused(distances: tuple[int, ...]) -> None:
    switches = DEFAULT if distances == (20, 30) else DEFAULT - {"equal-distances"}
    with pytest.raises(ValueError, match=r"distances|apart"):
        Scope(distances=distances, assumptions=switches)


@pytest.mark.parametrize(
    "wide",
    [
        {"ranges": 256, "gib": 1 << 16},
        {"ranges": 256, "fewest_ranges": 250, "gib": 1 << 16, "nodes": 1024},
        {"ranges": 70, "gib": 512},
    ],
)
def test_what_takes_long_to_count_is_counted_in_part(wide: dict[str, int]) -> None:
    scope = Scope(**wide)
    for number in (scope.size(), count_cases(scope)):
        assert number > 10**50
        assert str(number).startswith("more than ")
        assert magnitude(number).startswith("more than ")
        assert json.loads(json.dumps(number)) == number


def test_what_is_counted_in_full_is_told_as_such() -> None:
    scope = Scope(ranges=64, gib=64, nodes=2)
    assert str(scope.size()).isdigit()
    assert str(count_cases(scope)).isdigit()
