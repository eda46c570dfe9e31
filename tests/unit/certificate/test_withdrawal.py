"""Cases of pages to give up: none missing, none that says too much."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import islice

import pytest

from pamt.certificate import withdrawal
from pamt.certificate.check import Ground
from pamt.certificate.withdrawal import MOST_CASES, TooManyCases, fillable_with, list_cases
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange
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


@pytest.mark.parametrize("pages", [1000, 10**30])
def test_too_many_are_refused_at_once(pages: int) -> None:
    made = machine((MIB, 300 * GIB))
    for kind in ("layouts", "sets"):
        listed = list_cases(made, space(pages), pages, kind)
        with pytest.raises(TooManyCases):
            deque(islice(listed, MOST_CASES + 1), maxlen=0)


def before_too_many(made: Machine, asked: Space, kind: str) -> int | None:
    """Cases that are listed before there are too many; None where there never are."""
    listed = list_cases(made, asked, asked.give_up, kind)
    count = 0
    while True:
        try:
            if next(listed, None) is None:
                return None
        except TooManyCases:
            return count
        count += 1


def test_as_many_as_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withdrawal, "MOST_CASES", 10)
    # One case without and one for each page; of ten pages the number is known to be too large.
    nine, ten = (machine((MIB, MIB + n * PAGE)) for n in (9, 10))
    assert len(kinds(nine, space(1), "sets")) == 10
    assert before_too_many(ten, space(1), "sets") == 0
    # Five parts of a page, any of them: 31 sets, of which none is as deep as to be too many alone.
    parts = [(n * GIB, n * GIB + PAGE) for n in range(1, 6)]
    assert before_too_many(machine(*parts), space(4, tdmrs="free"), "layouts") == 10
    # Whoever gives up five of six gives up too many ways.
    pairs = [(n * GIB - PAGE, n * GIB + PAGE) for n in (1, 3, 5)]
    assert before_too_many(machine(*pairs), space(5, tdmrs="free"), "layouts") == 5
    assert len(kinds(machine(*parts[:3]), space(2, tdmrs="free"))) == 7


def test_large_maps_are_refused_unless_nothing_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withdrawal, "MOST_CASES", 10)
    nine, ten = machine((GIB, 10 * GIB)), machine((GIB, 11 * GIB))
    assert before_too_many(nine, space(1), "layouts") == 10
    assert before_too_many(nine, space(1, tdmrs="free"), "layouts") is None
    assert before_too_many(ten, space(1, tdmrs="free"), "layouts") == 0
    assert kinds(ten, space(0)) == [(0, 1, 1)]


def test_nothing_is_left_where_all_memory_is_outside() -> None:
    made = machine((MIB, MIB + PAGE), cmrs=((GIB, 2 * GIB),))
    assert kinds(made, space(5)) == []


def test_sets_say_what_goes_and_nothing_besides() -> None:
    made = machine((MIB, MIB + 2 * PAGE))
    found = [
        (case.key, case.pages, case.slack, case.gone.runs, case.places)
        for case in list_cases(made, space(1, "minimal"), 1, "sets")
    ]
    assert found == [
        (("sets",), 0, 0, (), ()),
        (("sets", MIB), 1, 0, (Range(MIB, MIB + PAGE),), ()),
        (("sets", MIB + PAGE), 1, 0, (Range(MIB + PAGE, MIB + 2 * PAGE),), ()),
    ]


class Gap:
    """Memory between stretches outside the CMRs: 4 pages, `pages`, much, and 2 pages far above."""

    def __init__(self, pages: int) -> None:
        start = 2 * GIB
        self.first = Range(start + 4 * PAGE, start + 8 * PAGE)
        self.second = Range(start + 16 * PAGE, start + (16 + pages) * PAGE)
        self.much = Range(start + (20 + pages) * PAGE, 4 * GIB - 8 * PAGE)
        self.far = Range(5 * GIB + 4 * PAGE, 5 * GIB + 6 * PAGE)

    def found(self, asked: Space, slack: int, *, most: int = 64, used: int = 0) -> list[Range]:
        """`used`: that many pages of the second are not free."""
        listed = [self.first, self.second, self.much, self.far]
        # A page is missing in the memory list only: nothing has to be reserved there.
        hole = self.first.start + 2 * PAGE
        ends = [(r.start, r.end) for r in listed[1:]]
        ends += [(self.first.start, hole), (hole + PAGE, self.first.end)]
        free = [
            FreeRun(start + (used * PAGE if start == self.second.start else 0), end)
            for start, end in ends
        ]
        made = Machine(
            limits=Limits(max_tdmrs=most),
            memory=tuple(MemoryRange(start, end) for start, end in sorted(ends)),
            cmrs=tuple(Cmr(r.start, r.size) for r in listed),
            free=tuple(free),
        )
        return list(fillable_with(pose(complete(made).machine, asked), slack))


def test_what_pamts_and_pages_given_up_might_fill() -> None:
    """Three TDMRs of a GiB: 16 bytes for each page, each 2 MiB and the GiB itself."""
    asked = space(3, "minimal")
    room = 3 * (1024 + 2 + 1)
    for slack in (0, 1, 3):
        gap = Gap(room + slack)
        assert gap.found(asked, slack) == [gap.first, gap.second, gap.far]
        gap = Gap(room + slack + 1)
        assert gap.found(asked, slack) == [gap.first, gap.far]


def test_memory_at_the_ends_of_its_gib_is_no_gap() -> None:
    """Nothing before or behind it is in a TDMR."""
    made = machine((2 * GIB, 2 * GIB + 4 * PAGE), (3 * GIB - 3 * PAGE, 3 * GIB))
    made = replace(made, cmrs=tuple(Cmr(r.start, r.range.size) for r in made.memory or ()))
    assert fillable_with(pose(made, space(1, "minimal")), 1) == ()


def test_a_whole_gib_goes_from_the_middle() -> None:
    made = machine((GIB - 3 * PAGE, 2 * GIB + 3 * PAGE))
    *_, case, last = list_cases(made, space(GIB // PAGE, tdmrs="free"), GIB // PAGE, "layouts")
    assert [r.range for r in case.question.memory] == [
        Range(GIB - 3 * PAGE, GIB),
        Range(2 * GIB, 2 * GIB + 3 * PAGE),
    ]
    assert [r.range for r in last.question.memory] == [Range(GIB - 3 * PAGE, 2 * GIB)]


def test_what_is_in_use_has_to_go() -> None:
    asked = space(3, "minimal")
    gap = Gap(10)
    assert gap.found(asked, 2, used=2) == [gap.first, gap.second, gap.far]
    assert gap.found(asked, 2, used=3) == [gap.first, gap.far]


@pytest.mark.parametrize(("most", "tdmrs"), [(64, 3), (1, 1)])
def test_what_any_cut_might_fill(most: int, tdmrs: int) -> None:
    """Any TDMRs between the first GiB and the last; each of their regions ends in a page."""
    asked = space(3, "minimal", "free")
    room = 4 * 1024 + 4 * 2 + 1 + 3 * tdmrs
    gap = Gap(room + 1)
    assert gap.found(asked, 1, most=most) == [gap.first, gap.second, gap.far]
    gap = Gap(room + 2)
    assert gap.found(asked, 1, most=most) == [gap.first, gap.far]


def test_what_may_go_besides_is_not_forgotten_between_claims() -> None:
    made = machine(*TWO_GIB)
    asked = space(2, "minimal")
    ground = Ground(pose(made, asked))
    slacks = [
        ground.case(next(list_cases(made, asked, limit, "layouts"))).slack for limit in (0, 2, 1)
    ]
    assert slacks == [0, 2, 1]
