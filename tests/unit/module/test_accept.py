"""The steps of the acceptance formula, just inside and just outside of what each allows."""

from __future__ import annotations

import pytest

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.machine import Limits
from pamt.module.accept import (
    add_parts,
    add_regions,
    all_in_runs,
    in_a_run,
    pointers_good,
    records_good,
    regions_fit,
    tdmr_fits,
)
from pamt.module.call import default_call
from pamt.ranges import GIB, KIB, MIB, PAGE, Range

LIMITS = Limits()
END = LIMITS.address_end
NONE = Pamt(0, 0)


def tdmr(base: int, size: int, *areas: tuple[int, int]) -> Tdmr:
    return Tdmr(base, size, NONE, NONE, NONE, tuple(Area(*area) for area in areas))


@pytest.mark.parametrize(
    ("base", "size", "last_end", "fits"),
    [
        (GIB, GIB, GIB, True),
        (GIB, GIB, GIB + 1, False),
        (END - GIB, GIB, 0, True),
        (END - GIB, 2 * GIB, 0, False),
        (GIB, 0, 0, False),
        (GIB + MIB, GIB, 0, False),
        (GIB, GIB + MIB, 0, False),
    ],
)
def test_a_tdmr_fits(base: int, size: int, last_end: int, fits: bool) -> None:
    assert tdmr_fits(tdmr(base, size), last_end, LIMITS) is fits


@pytest.mark.parametrize(
    ("areas", "parts"),
    [
        ((), [(GIB, 2 * GIB)]),
        (((0, GIB),), []),
        (((0, PAGE), (PAGE, PAGE)), [(GIB + 2 * PAGE, 2 * GIB)]),
        (((PAGE, PAGE), (5, 0)), [(GIB, GIB + PAGE), (GIB + 2 * PAGE, 2 * GIB)]),
        (((GIB - PAGE, PAGE),), [(GIB, 2 * GIB - PAGE)]),
        (((0, PAGE), (2 * PAGE, PAGE), (4 * PAGE, PAGE)), None),
        (((GIB - PAGE, 2 * PAGE),), None),
        (((PAGE, PAGE), (0, PAGE)), None),
        (((0, 0), (0, PAGE)), None),
        (((1, PAGE),), None),
        (((PAGE, PAGE + 1),), None),
    ],
)
def test_areas_and_what_they_leave(
    areas: tuple[tuple[int, int], ...], parts: list[tuple[int, int]] | None
) -> None:
    starts: list[int] = []
    ends: list[int] = []
    assert add_parts(tdmr(GIB, GIB, *areas), 2, starts, ends) is (parts is not None)
    if parts is not None:
        assert list(zip(starts, ends, strict=True)) == parts


SIZES = (4 * MIB, 8 * KIB, PAGE)


@pytest.mark.parametrize(
    ("level", "change", "good"),
    [
        (0, (0, 0), True),
        (0, (0, PAGE), True),
        (0, (0, -PAGE), False),
        (1, (1, 0), False),
        (2, (0, 1), False),
        (2, (0, -PAGE), False),
    ],
)
def test_regions_by_themselves(level: int, change: tuple[int, int], good: bool) -> None:
    pamts = [Pamt(8 * MIB * (k + 1), size) for k, size in enumerate(SIZES)]
    pamts[level] = Pamt(pamts[level].base + change[0], pamts[level].size + change[1])
    found: list[tuple[int, int]] = []
    record = Tdmr(GIB, GIB, *pamts)
    assert add_regions(record, LIMITS, False, found) is good
    if good:
        assert found == [(pamt.base, pamt.base + pamt.size) for pamt in pamts]


def test_regions_of_no_bytes() -> None:
    limits = Limits(pamt_entry_size=(0, 0, 0))
    for base, good in ((PAGE, True), (END - PAGE, True), (END, False), (0, False)):
        record = Tdmr(GIB, GIB, Pamt(PAGE, 0), Pamt(base, 0), Pamt(PAGE, 0))
        assert add_regions(record, limits, False, []) is good


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [(2, 4, True), (3, 4, True), (4, 4, True), (1, 3, False), (3, 5, False), (4, 6, False),
     (6, 9, True), (5, 5, False), (9, 9, True), (10, 10, False), (0, 1, False)],
)  # fmt: skip
def test_in_a_run(start: int, end: int, inside: bool) -> None:
    starts, ends = [2, 6], [4, 9]
    assert in_a_run(start, end, starts, ends) is inside
    assert all_in_runs([2, start], [3, end], starts, ends) is inside
    assert all_in_runs([start, 6], [end, 7], starts, ends) is inside
    assert not in_a_run(start, end, [], [])


@pytest.mark.parametrize(
    ("regions", "fit"),
    [
        ([], True),
        ([(10, 12), (12, 14)], True),
        ([(10, 12), (11, 14)], False),
        ([(10, 20)], True),
        ([(9, 11)], False),
        ([(19, 21)], False),
        ([(30, 33)], False),
        ([(10, 11), (28, 30)], True),
        ([(28, 31)], False),
        ([(24, 26)], False),
    ],
)
def test_sorted_regions(regions: list[tuple[int, int]], fit: bool) -> None:
    """Runs [5, 30) and [31, 40), parts [5, 10), [20, 28) and [30, 32)."""
    assert regions_fit(regions, [5, 20, 30], [10, 28, 32], [5, 31], [30, 40]) is fit


def test_pointers() -> None:
    good = default_call(Configuration((), Call(count=3)), LIMITS).operands
    assert pointers_good(good, LIMITS) is True
    for at in range(3):
        moved = list(good.info_pa)
        moved[at] += 1
        assert pointers_good(good._replace(info_pa=tuple(moved)), LIMITS) is False


def test_records_against_the_runs() -> None:
    """Touching TDMRs; the PAMTs of both stand behind each other in the second."""
    at = GIB
    regions = [Pamt(at, SIZES[0]), Pamt(at + SIZES[0], SIZES[1])]
    regions.append(Pamt(at + SIZES[0] + SIZES[1], SIZES[2]))
    size = sum(SIZES)
    others = [Pamt(pamt.base + size, pamt.size) for pamt in regions]
    first = Tdmr(0, GIB, *regions)
    second = Tdmr(GIB, GIB, *others, (Area(0, 2 * size),))
    runs = [Range(0, 2 * GIB)]
    assert records_good([first, second], runs, LIMITS, False) is True
    assert records_good([second, first], runs, LIMITS, False) is False
    assert records_good([first, second._replace(reserved=())], runs, LIMITS, False) is False
    assert records_good([first, second._replace(pamt_1g=NONE)], runs, LIMITS, False) is False
    assert records_good([first, second._replace(pamt_4k=regions[0])], runs, LIMITS, False) is False
    assert records_good([first, second], [Range(0, 2 * GIB - PAGE)], LIMITS, False) is False
    assert records_good([first], runs, LIMITS, False) is True
