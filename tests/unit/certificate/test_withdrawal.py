"""Cases of pages to give up: none missing, none that says too much."""

from __future__ import annotations

from collections import deque
from itertools import islice

import pytest

from pamt.certificate.check import Ground
from pamt.certificate.withdrawal import MOST_CASES, TooManyCases, list_cases
from pamt.machine import Cmr, Limits, Machine, MemoryRange
from pamt.placement import Space, pose
from pamt.placement.space import ReserveRule, TdmrChoice
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.standins import complete


def machine(*ranges: tuple[int, int], cmrs: tuple[tuple[int, int], ...] | None = None) -> Machine:
    """Memory given by first and last byte."""
    memory = tuple(MemoryRange(start, end) for start, end in ranges)
    listed = None if cmrs is None else tuple(Cmr(start, end - start) for start, end in cmrs)
    return complete(Machine(limits=Limits(), memory=memory, cmrs=listed)).machine


def space(pages: int, reserve: ReserveRule = "memory", tdmrs: TdmrChoice = "kernel") -> Space:
    return Space(tdmrs, "chunk", reserve, pages)


def kinds(made: Machine, asked: Space, kind: str = "layouts") -> list[tuple[int, int, int]]:
    """Of each case: pages, TDMRs, memory ranges."""
    return [
        (case.pages, len(case.question.kernel_tdmrs), len(case.question.memory))
        for case in list_cases(made, asked, asked.give_up, kind)
    ]


TWO_GIB = ((MIB, 2 * GIB),)


def test_a_border_may_be_opened_from_either_side() -> None:
    assert kinds(machine(*TWO_GIB), space(1)) == [(0, 1, 1), (1, 2, 2), (1, 2, 2)]
    left, right = list(list_cases(machine(*TWO_GIB), space(1), 1, "layouts"))[1:]
    assert left.question.memory[0].range == Range(MIB, GIB - PAGE)
    assert right.question.memory[1].range == Range(GIB + PAGE, 2 * GIB)
    assert left.places[0].runs == (Range(MIB + PAGE, GIB),)
    assert right.places[0].runs == (Range(GIB, GIB + PAGE),)
    # The page is free in the case, whichever it will be.
    assert [run.range for run in left.question.free] == [Range(MIB, 2 * GIB)]


def test_sides_do_not_matter_where_holes_are_those_of_the_cmrs() -> None:
    for reserve in ("cmr", "minimal"):
        assert kinds(machine(*TWO_GIB), space(1, reserve)) == [(0, 1, 1), (1, 2, 2)]


def test_free_cuts_ask_only_which_parts_go() -> None:
    made = machine((MIB, MIB + PAGE), (8 * MIB, 2 * GIB))
    assert kinds(made, space(1, tdmrs="free")) == [(0, 2, 2), (1, 1, 1)]


def test_two_pages_open_two_borders_or_take_a_part_of_two() -> None:
    made = machine((MIB, 3 * GIB))
    assert len(kinds(made, space(2))) == 1 + 4 + 4
    made = machine((GIB, GIB + 2 * PAGE), (2 * GIB, 3 * GIB))
    assert kinds(made, space(2)) == [(0, 2, 2), (2, 1, 1)]


def test_a_part_keeps_a_page_between_two_borders() -> None:
    """The middle GiB is whole; the last part of a range of two pages cannot lose both its ends."""
    made = machine((GIB - 2 * PAGE, 2 * GIB + 2 * PAGE))
    found = kinds(made, space(2))
    # None, left and right of each border, a part gone (first, last), and pairs of borders.
    assert found.count((2, 3, 3)) == 4
    assert (2, 1, 1) in found
    assert all(pages <= 2 for pages, _, _ in found)


def test_memory_outside_the_cmrs_goes_in_every_case() -> None:
    made = machine((MIB, GIB), cmrs=((MIB + PAGE, GIB),))
    assert kinds(made, space(0)) == []
    assert kinds(made, space(1)) == [(1, 1, 1)]


def test_not_all_memory_goes() -> None:
    made = machine((MIB, MIB + PAGE), (GIB, GIB + PAGE))
    for kind in ("layouts", "sets"):
        assert [pages for pages, _, _ in kinds(made, space(9), kind)] == [0, 1, 1]


def test_sets_are_all_sets() -> None:
    made = machine((MIB, MIB + 3 * PAGE), (GIB, GIB + 2 * PAGE))
    assert len(kinds(made, space(2), "sets")) == 1 + 5 + 10


@pytest.mark.parametrize("pages", [2, 1000, 10**30])
def test_too_many_are_refused_at_once(pages: int) -> None:
    made = machine((MIB, 300 * GIB))
    for kind in ("layouts", "sets"):
        listed = list_cases(made, space(pages), pages, kind)
        with pytest.raises(TooManyCases):
            deque(islice(listed, MOST_CASES + 1), maxlen=0)


def test_what_may_go_besides_is_not_forgotten_between_claims() -> None:
    made = machine(*TWO_GIB)
    asked = space(2, "minimal")
    ground = Ground(pose(made, asked))
    slacks = [
        ground.case(next(list_cases(made, asked, limit, "layouts"))).slack for limit in (0, 2, 1)
    ]
    assert slacks == [0, 2, 1]
