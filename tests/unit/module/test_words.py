"""The words that rules are made of, on their boundaries."""

from __future__ import annotations

import pytest

from pamt.configuration import Area, Pamt, Tdmr
from pamt.machine import Limits
from pamt.module.words import available, fits, inside_runs, last_byte, need, overlap
from pamt.ranges import GIB, KIB, MIB, PAGE, Range

TOP = (1 << 64) - 1


def test_fits() -> None:
    assert fits(0, TOP)
    assert fits(TOP, 0)
    assert not fits(TOP, 1)
    assert not fits(1 << 63, 1 << 63)


def test_last_byte_wraps_for_nothing_at_zero_only() -> None:
    assert last_byte(0, 0) == TOP
    assert last_byte(0, 1) == 0
    assert last_byte(1, 0) == 0
    assert last_byte(PAGE, PAGE) == 2 * PAGE - 1


def test_overlap_of_an_empty_range() -> None:
    """As the module's comparison has it: an empty range strictly inside another overlaps it."""
    assert overlap(5, 0, 4, 2)
    assert not overlap(4, 0, 4, 2)
    assert not overlap(6, 0, 4, 2)


def test_inside_one_run() -> None:
    runs = [Range(0, 4), Range(6, 9)]
    assert inside_runs(0, 4, runs)
    assert inside_runs(7, 8, runs)
    assert not inside_runs(3, 5, runs)
    assert not inside_runs(0, 9, runs)


@pytest.mark.parametrize(
    ("areas", "parts"),
    [
        ((), [Range(GIB, 2 * GIB)]),
        ((Area(0, 0), Area(5, 0)), [Range(GIB, 2 * GIB)]),
        ((Area(0, GIB),), []),
        ((Area(0, PAGE), Area(PAGE, GIB - PAGE)), []),
        ((Area(0, PAGE),), [Range(GIB + PAGE, 2 * GIB)]),
        ((Area(GIB - PAGE, PAGE),), [Range(GIB, 2 * GIB - PAGE)]),
        (
            (Area(PAGE, PAGE), Area(2 * PAGE, PAGE), Area(4 * PAGE, PAGE)),
            [
                Range(GIB, GIB + PAGE),
                Range(GIB + 3 * PAGE, GIB + 4 * PAGE),
                Range(GIB + 5 * PAGE, 2 * GIB),
            ],
        ),
    ],
)
def test_available(areas: tuple[Area, ...], parts: list[Range]) -> None:
    nothing = Pamt(0, 0)
    assert available(Tdmr(GIB, GIB, nothing, nothing, nothing, areas)) == parts


def test_need() -> None:
    usual = Limits()
    assert [need(GIB, level, usual, False) for level in range(3)] == [4 * MIB, 8 * KIB, 16]
    assert [need(257 * GIB, level, usual, False) for level in (1, 2)] == [257 * 8 * KIB, 4112]
    assert [need(GIB, level, usual, True) for level in range(3)] == [32 * KIB, 8 * KIB, 16]
    other = Limits(pamt_entry_size=(8, 24, 40), pamt_page_bitmap_entry_bits=3)
    assert [need(2 * GIB, level, other, False) for level in range(3)] == [4 * MIB, 24 * KIB, 80]
    assert need(2 * GIB, 0, other, True) == 192 * KIB


def test_no_run_is_no() -> None:
    assert inside_runs(0, PAGE, []) is False
    assert inside_runs(PAGE, 3 * PAGE, [Range(0, 2 * PAGE), Range(2 * PAGE, 4 * PAGE)]) is False
