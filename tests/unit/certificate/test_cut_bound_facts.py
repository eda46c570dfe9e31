"""Bounds over cuts: what the facts of a question are, against its pieces of memory one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement, groupby, pairwise
from random import Random
from typing import NamedTuple

import pytest

from pamt.certificate import cut_bound
from pamt.certificate.cut_bound import (
    CutFacts,
    _Fits,
    cut_facts,
    cut_ranges,
    excludes,
    fillable_gaps,
    forced_stretches,
    most_pamt_bytes,
    remembered,
    rounded_levels,
)
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE, Range
from pamt.standins import complete

G = GIB // PAGE


class Piece(NamedTuple):
    """Pages of one kind: memory in use, free memory, convertible without memory, none of these."""

    kind: str
    start: int
    end: int
    node: int = 0

    @property
    def is_memory(self) -> bool:
        return self.kind in ("used", "free")


def drawn(random: Random) -> list[Piece]:
    """A few GiBs, some without memory; small pieces at both ends of each."""
    found: list[Piece] = []
    at = G
    for _ in range(random.randint(1, 4)):
        kinds = random.choices(("used", "free", "open", "none"), (1, 4, 1, 3), k=7)
        if random.random() < 0.15:
            kinds = random.choices(("open", "none"), k=7)
        widths = [random.choice((1, 2, 3, 8, 9, 10, 18, 20)) for _ in kinds]
        middle = random.randrange(7)
        widths[middle] = 0
        widths[middle] = G - sum(widths)
        if kinds[middle] == "free" and random.random() < 0.8:
            kinds[middle] = random.choice(("open", "none"))
        for kind, width in zip(kinds, widths, strict=True):
            found.append(Piece(kind, at, at + width))
            at += width
    if not any(piece.is_memory for piece in found):
        return drawn(random)
    # From some piece on memory is of another node.
    border = random.choice(found).start
    return [piece._replace(node=int(piece.start >= border)) for piece in found]


def asked(pieces: list[Piece], space: Space, limits: Limits) -> Question:
    machine = Machine(
        "facts",
        "",
        limits,
        tuple(Cmr(p.start * PAGE, (p.end - p.start) * PAGE) for p in pieces if p.kind != "none"),
        tuple(MemoryRange(p.start * PAGE, p.end * PAGE, p.node) for p in pieces if p.is_memory),
        (Node(0), Node(1)),
        tuple(FreeRun(p.start * PAGE, p.end * PAGE, p.node) for p in pieces if p.kind == "free"),
    )
    return pose(complete(machine).machine, space)


def stretches(pieces: list[Piece], start: int, end: int) -> list[tuple[int, int]]:
    """Those between these pages without memory that hold a page outside the CMR runs."""
    inside = [piece for piece in pieces if start <= piece.start < end]
    found = []
    for is_memory, group in groupby(inside, lambda piece: piece.is_memory):
        some = list(group)
        if not is_memory and any(piece.kind == "none" for piece in some):
            found.append((some[0].start, some[-1].end))
    return found


LIMITS = [
    Limits(pamt_entry_size=(16, second, third), dynamic_pamt=True, max_tdmrs=most)
    for second, third in ((1, 1), (8, 4096), (8, 1), (16, 4096))
    for most in (4, 5, 64)
]
"""A GiB takes 8 pages of the first region, and one or two of each other."""


def some_questions(
    number: int, tdmrs: str = "free", reserve: str = "minimal"
) -> Iterator[tuple[Random, list[Piece], Question]]:
    for seed in range(number):
        random = Random(seed)
        pieces = drawn(random)
        space = Space(tdmrs, random.choice(("chunk", "split")), reserve)
        limits = random.choice(LIMITS)
        if tdmrs == "free":
            limits = Limits(
                pamt_entry_size=limits.pamt_entry_size,
                dynamic_pamt=True,
                max_tdmrs=random.choice((1, 2, 3, 64)),
                max_reserved_per_tdmr=random.randint(1, 16),
            )
        yield random, pieces, asked(pieces, space, limits)


def whole(question: Question) -> tuple[int, int]:
    return question.cells[0] * G, (question.cells[-1] + 1) * G


def pages_of(found: Range) -> tuple[int, int]:
    return found.start // PAGE, found.end // PAGE


def test_stretches_that_must_be_reserved() -> None:
    for _, pieces, question in some_questions(100):
        found = [pages_of(stretch) for stretch in forced_stretches(question)]
        assert found == stretches(pieces, *whole(question))


def may_be(question: Question, pages: int) -> bool:
    """Whether PAMT regions may have so many pages together."""
    chunk = question.space.pamt == "chunk"
    if question.tdmrs is not None:
        sizes = [[fact.sizes.total] if chunk else list(fact.sizes) for fact in question.tdmrs]
        each = [size // PAGE for some in sizes for size in some]
        return any(
            sum(some) == pages
            for number in range(len(each) + 1)
            for some in combinations(each, number)
        )
    if not chunk:
        return True
    rounding = sum(rounded_levels(question))
    most = min(question.limits.max_tdmrs, len(question.cells))
    for gib in range(1, (whole(question)[1] - whole(question)[0]) // G + 1):
        one = question.sizes(gib).total // PAGE
        if one <= pages <= one + rounding * (min(gib, most) - 1):
            return True
    return False


def gaps_of(pieces: list[Piece], question: Question) -> list[tuple[int, int]]:
    if question.tdmrs is not None:
        room = sum(fact.pages for fact in question.tdmrs)
    else:
        most = min(question.limits.max_tdmrs, len(question.cells))
        low, high = whole(question)
        room = question.sizes((high - low) // G).total // PAGE
        room += most * sum(rounded_levels(question))
    found = []
    forced = stretches(pieces, *whole(question))
    for (_, low), (high, _) in pairwise(forced):
        memory = [p for p in pieces if low <= p.start < high and p.is_memory]
        lengths: list[int] = []
        before: Piece | None = None
        for piece in memory:
            if before is not None and before.end == piece.start and before.node == piece.node:
                lengths[-1] += piece.end - piece.start
            else:
                lengths.append(piece.end - piece.start)
            before = piece
        if (
            all(piece.kind == "free" for piece in memory)
            and sum(lengths) <= room
            and all(may_be(question, length) for length in lengths)
        ):
            found.append((memory[0].start, memory[-1].end))
    return found


@pytest.mark.parametrize("tdmrs", ["free", "kernel"])
def test_gaps_that_pamts_may_fill(tdmrs: str) -> None:
    seen = 0
    for _, pieces, question in some_questions(150, tdmrs):
        found = [pages_of(gap) for gap in fillable_gaps(question)]
        assert found == gaps_of(pieces, question)
        assert fillable_gaps(question) is fillable_gaps(question)
        seen += len(found)
    assert seen > 50


def test_a_tdmr_has_the_stretches_inside_less_the_gaps_it_reaches_across() -> None:
    for random, pieces, question in some_questions(150):
        gaps = list(fillable_gaps(question))
        some = sorted(random.sample(gaps, random.randint(0, len(gaps))))
        facts = cut_facts(question, some)
        cells = question.cells
        assert facts.cells == cells
        assert (facts.own, facts.limit, facts.most, facts.fixed) == (
            0,
            question.limits.max_reserved_per_tdmr,
            question.limits.max_tdmrs,
            None,
        )
        span = cells[-1] - cells[0] + 1
        assert facts.pages == tuple(question.sizes(n).total // PAGE for n in range(span + 1))
        for first in range(len(cells)):
            for last in range(first, len(cells)):
                low, high = cells[first] * G, (cells[last] + 1) * G
                forced = len(stretches(pieces, low, high))
                assert facts.unfilled.holes(first, last) == forced
                inside = [pages_of(gap) for gap in some]
                counted = sum(_is_counted(cells, gap, first, last) for gap in inside)
                assert facts.holes(first, last) == forced - counted
                # It takes a page on either side of a gap to join something.
                assert counted >= sum(low < start and end < high for start, end in inside)
        assert cut_facts(question, some) is facts
        assert cut_facts(question) == cut_facts(question, gaps)
        assert cut_facts(question, ()) == facts.unfilled


def _is_counted(cells: tuple[int, ...], gap: tuple[int, int], first: int, last: int) -> bool:
    """Whether a TDMR over these cells reaches the page behind a gap, and the one before it.

    Where others lie between the cells of the two, the last of them stands for all before.
    """
    before = max(at for at, cell in enumerate(cells) if cell * G < gap[0])
    behind = min(at for at, cell in enumerate(cells) if gap[1] < (cell + 1) * G)
    return first <= max(before, behind - 1) and behind <= last


def test_tdmrs_of_the_kernel_have_the_stretches_and_gaps_inside() -> None:
    seen = 0
    for random, pieces, question in some_questions(150, "kernel"):
        gaps = list(fillable_gaps(question))
        some = sorted(random.sample(gaps, random.randint(0, len(gaps))))
        facts = cut_facts(question, some)
        assert question.tdmrs is not None
        tdmrs = [pages_of(fact.range) for fact in question.tdmrs]
        inside = [
            sum(low <= start and end <= high for start, end in map(pages_of, some))
            for low, high in tdmrs
        ]
        seen += sum(inside)
        assert facts.fixed == tuple(
            (len(stretches(pieces, low, high)), joined, fact.pages)
            for (low, high), joined, fact in zip(tdmrs, inside, question.tdmrs, strict=True)
        )
        assert (facts.own, facts.limit, facts.most) == (0, 16, question.limits.max_tdmrs)
        assert cut_facts(question) == cut_facts(question, gaps)
    assert seen > 20


@pytest.mark.parametrize("reserve", ["memory", "cmr"])
def test_other_rules_reserve_holes_and_an_area_for_each_tdmr(reserve: str) -> None:
    for _, _, question in some_questions(40, "free", reserve):
        facts = cut_facts(question)
        assert (facts.own, facts.fixed, facts.unfilled) == (1, None, facts)
        cells = question.cells
        for first in range(len(cells)):
            for last in range(first, len(cells)):
                tdmr = Range(cells[first] * GIB, (cells[last] + 1) * GIB)
                assert facts.holes(first, last) == len(question.holes(tdmr))
    for _, _, question in some_questions(40, "kernel", reserve):
        facts = cut_facts(question)
        assert question.tdmrs is not None
        assert facts.own == 1
        assert facts.fixed == tuple((len(f.holes), 0, f.pages) for f in question.tdmrs)


@pytest.mark.parametrize("dynamic", [True, False])
def test_a_level_rounds_up_if_many_gibs_take_less_than_each_alone(dynamic: bool) -> None:
    random = Random(1)
    pieces = [Piece("used", G, 2 * G)]
    for _ in range(100):
        sizes = tuple(
            random.choice((1, 2, 4, 7, 8, 12, 16, 24, 2048, 4095, 4096)) for _ in range(3)
        )
        limits = Limits(
            pamt_entry_size=(sizes[0], sizes[1], sizes[2]),
            dynamic_pamt=dynamic,
            pamt_page_bitmap_entry_bits=random.randint(1, 3),
        )
        one = pamt_sizes(GIB, limits, dynamic)
        many = pamt_sizes(4096 * GIB, limits, dynamic)
        expected = tuple(b < 4096 * a for a, b in zip(one, many, strict=True))
        assert rounded_levels(asked(pieces, Space(), limits)) == expected


def used(*gibs: int) -> list[Piece]:
    return [Piece("used", gib * G, gib * G + 50) for gib in gibs]


def test_the_most_bytes_of_all_pamts() -> None:
    # 8 pages and two rounded up to one, for each GiB; seven GiBs, and at most three TDMRs.
    limits = Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True, max_tdmrs=3)
    question = asked(used(1, 2, 4, 7), Space(), limits)
    assert most_pamt_bytes(question) == (8 * 7 + 1 + 1 + 2 * 3) * PAGE
    # Of four GiBs with memory no more than four TDMRs can be.
    many = asked(used(1, 2, 4, 7), Space(), Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True))
    assert most_pamt_bytes(many) == (8 * 7 + 1 + 1 + 2 * 4) * PAGE


def test_chunks_add_up_to_no_more_pages_than_single_ones_have() -> None:
    # Chunks of 1 to 3 GiB have 10, 18, 26 pages; of the same GiBs each TDMR more may add two.
    space = Space("free", "chunk", "minimal")
    small = (16, 1, 1)
    for most, expected in (
        (64, {10, 18, 19, 20, 26, 27, 28, 29, 30}),
        (2, {10, 18, 19, 20, 26, 27, 28}),
        (1, {10, 18, 26}),
    ):
        limits = Limits(pamt_entry_size=small, dynamic_pamt=True, max_tdmrs=most)
        fits = _Fits(asked(used(1, 2, 3), space, limits))
        assert {pages for pages in range(1, 40) if fits._may_be(pages)} == expected
    # What sums of chunks of three GiBs in all have is among them.
    sums = {
        sum(8 * gib + 2 for gib in some)
        for number in range(1, 4)
        for some in combinations_with_replacement((1, 2, 3), number)
        if sum(some) <= 3
    }
    assert sums == {10, 18, 20, 26, 28, 30}


def test_regions_apart_add_up_to_anything_but_those_of_known_tdmrs() -> None:
    limits = Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True)
    apart = _Fits(asked(used(1, 4), Space("free", "split", "minimal"), limits))
    assert all(apart._may_be(pages) for pages in range(40))
    # Two TDMRs of a GiB: regions of 8, 1, 1 pages each.
    known = _Fits(asked(used(1, 4), Space("kernel", "split", "minimal"), limits))
    expected = {*range(5), *range(8, 13), *range(16, 21)}
    assert {pages for pages in range(40) if known._may_be(pages)} == expected
    whole = _Fits(asked(used(1, 4), Space("kernel", "chunk", "minimal"), limits))
    assert {pages for pages in range(40) if whole._may_be(pages)} == {0, 10, 20}
    assert apart.room == most_pamt_bytes(asked(used(1, 4), Space(), limits)) == 38 * PAGE
    assert known.room == whole.room == 20 * PAGE


def test_each_run_of_a_gap_has_a_length_of_its_own_though_it_touches_one_of_another_node() -> None:
    # A chunk has 10 or 18 pages, two together have 20.
    space = Space("free", "chunk", "minimal")
    limits = Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True)

    def gaps(first: int, second: int) -> int:
        kinds = (("used", 5), ("none", 2), ("free", first), ("free", second), ("none", 2))
        pieces, at = [], G
        for kind, pages in kinds:
            pieces.append(Piece(kind, at, at + pages))
            at += pages
        pieces[3] = pieces[3]._replace(node=1)
        return len(fillable_gaps(asked([*pieces, Piece("used", at, 2 * G + 9)], space, limits)))

    assert gaps(10, 10) == 1
    assert gaps(9, 9) == gaps(8, 10) == gaps(10, 8) == 0


def test_only_the_question_asked_last_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut_bound, "_LAST", [])
    limits = Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True)
    first = asked(used(1, 4), Space("free", "split", "minimal"), limits)
    second = asked(used(1, 4), Space("free", "split", "minimal"), limits)
    remembered(first)["something"] = 1
    assert remembered(first)["something"] == 1
    # Equal is not the same.
    assert remembered(second) == {}
    assert "something" not in remembered(first)
    facts = cut_facts(first)
    assert cut_facts(first) is facts
    assert cut_facts(second) == facts
    assert cut_facts(second) is not facts
    cut_facts(first)
    forced = remembered(first)["forced"]
    cut_facts(first, ())
    assert remembered(first)["forced"] is forced


def test_there_is_no_bound_where_no_cut_will_do_anyway() -> None:
    outside = [Piece("used", G, G + 9)]
    question = asked(outside, Space("free", "split", "minimal"), Limits(max_tdmrs=0))
    assert question.trivial is not None
    with pytest.raises(ValueError, match="no bound"):
        cut_facts(question)


def test_a_claim_is_excluded_if_the_least_is_above_it_in_the_order_asked() -> None:
    # Two cells with two holes each: one TDMR has four, two have them too; an area each besides.
    facts = CutFacts((1, 3), None, (2, 2), (0,), (2, 2), (0,), (0, 7, 14, 21), 1, 9, 2)
    for order, least in ((("areas", "pamt_pages"), (5, 21)), (("pamt_pages", "areas"), (14, 6))):
        at_most = dict(zip(order, least, strict=True))
        assert not excludes(facts, order, at_most)
        for name in order:
            assert excludes(facts, order, {**at_most, name: at_most[name] - 1})
        # What is more important decides alone where it is not equal.
        assert not excludes(facts, order, {**at_most, order[0]: least[0] + 1, order[1]: 0})
        assert excludes(facts, order, {**at_most, order[0]: least[0] - 1, order[1]: 99})
    # One TDMR with both cells has no area left for PAMTs, if there are four; two have two.
    assert not excludes(facts, ("tdmrs",), {"tdmrs": 1, "max_areas": 5})
    assert excludes(facts, ("tdmrs",), {"tdmrs": 1, "max_areas": 4})
    assert not excludes(facts, ("tdmrs",), {"tdmrs": 2, "max_areas": 3})
    assert excludes(facts, (), {"max_areas": 2})
    assert not excludes(facts, (), {"max_areas": 3})


def test_ranges_of_a_cut_go_from_the_first_cell_to_behind_the_last() -> None:
    facts = CutFacts((1, 3, 4), None, (0,) * 3, (0,) * 2, (0,) * 3, (0,) * 2, (), 0, 1, 2)
    assert list(cut_ranges(facts, ((0, 1), (2, 2)))) == [
        Range(GIB, 4 * GIB),
        Range(4 * GIB, 5 * GIB),
    ]
