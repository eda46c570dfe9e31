"""Homes whose PAMTs take an area that no stretch and no other home's PAMTs share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.certificate.cut_bound import CutFacts, cut_facts
from pamt.certificate.fill_bound import excludes_at_once, excludes_claim
from pamt.certificate.home_areas import Block, homes_apart, least_of, least_with_homes
from pamt.certificate.linked import largest_fitting, linked_pages
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE
from pamt.standins import complete

G = GIB // PAGE
LIMITS = Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True)
"""A TDMR of n GiB has 8n pages of 4K region, and one of each other region."""
SPACE = Space("free", "split", "minimal")

Runs = list[tuple[int, int]]


def ask(memory: dict[int, Runs], free: dict[int, Runs], cmrs: Runs, **limits: int) -> Question:
    """A question about a machine of some nodes; pages."""
    nodes = range(max(memory) + 1)
    listed = sorted((a, b, node) for node, runs in memory.items() for a, b in runs)
    open_runs = sorted((a, b, node) for node, runs in free.items() for a, b in runs)
    machine = Machine(
        "homes",
        "",
        Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True, **limits),
        tuple(Cmr(a * PAGE, (b - a) * PAGE) for a, b in cmrs),
        tuple(MemoryRange(a * PAGE, b * PAGE, node) for a, b, node in listed),
        tuple(Node(n, distance=tuple(10 if n == m else 20 for m in nodes)) for n in nodes),
        tuple(FreeRun(a * PAGE, b * PAGE, node) for a, b, node in open_runs),
    )
    return pose(complete(machine).machine, SPACE)


def inside(node: int) -> tuple[Runs, Runs]:
    """Memory and free runs of a node of one GiB: 20 pages free, between pages in use."""
    at = (node + 1) * G
    return [(at, at + G)], [(at + 5, at + 25)]


def two(*, border: int = 0) -> Question:
    """Two nodes, a GiB each; `border`: free pages on either side of where one ends."""
    memory = {node: inside(node)[0] for node in (0, 1)}
    free = {node: list(inside(node)[1]) for node in (0, 1)}
    if border:
        free[0].append((2 * G - border, 2 * G))
        free[1].insert(0, (2 * G, 2 * G + min(4, border)))
    return ask(memory, free, [(G, 3 * G)])


def test_two_nodes_with_runs_of_their_own_have_two_areas() -> None:
    question = two()
    assert linked_pages(question, bridged=True) == {}
    assert homes_apart(question) == (Block(0, 1, 0), Block(1, 2, 0))
    facts = cut_facts(question)
    # One TDMR over both has its PAMTs on the first node.
    assert least_with_homes(question, facts, ("areas",), 16) == (1,)
    assert least_with_homes(question, facts, ("tdmrs", "areas"), 16) == (1, 1)
    separate = facts.but(joined=(1,), least_joined=(1,))
    assert least_with_homes(question, separate, ("areas", "tdmrs"), 16) == (2, 1)


def test_runs_that_touch_where_a_node_ends_may_be_one_area() -> None:
    assert homes_apart(two(border=1)) == (Block(0, 1, 0),)
    assert homes_apart(two(border=9)) == (Block(0, 1, 0),)


def test_a_stretch_between_the_runs_keeps_them_apart() -> None:
    memory = {0: [(G, 2 * G - 2)], 1: [(2 * G + 2, 3 * G)]}
    free = {0: [(G + 5, G + 25), (2 * G - 6, 2 * G - 2)], 1: [(2 * G + 2, 2 * G + 9)]}
    free[1].append((2 * G + 50, 2 * G + 70))
    runs = [*memory[0], *memory[1]]
    # What lies between is reserved; the runs beside it are linked, but too short.
    question = ask(memory, free, runs)
    assert linked_pages(question, bridged=True) == {0: 4, 1: 7}
    assert homes_apart(question) == (Block(0, 1, 0), Block(1, 2, 0))
    # If it is convertible, nothing keeps PAMTs on both sides from being one area.
    assert homes_apart(ask(memory, free, [(G, 3 * G)])) == (Block(0, 1, 0),)


def test_every_second_of_many_neighbours_is_apart() -> None:
    memory = {node: inside(node)[0] for node in range(5)}
    free = {node: [((node + 1) * G, (node + 1) * G + 9), *inside(node)[1]] for node in range(5)}
    for node in range(5):
        at = (node + 1) * G
        free[node] = [(at, at + 9), (at + 20, at + 50), (at + G - 9, at + G)]
    question = ask(memory, free, [(G, 6 * G)])
    assert [block.start for block in homes_apart(question)] == [0, 2, 4]


def test_a_home_of_linked_runs_for_every_tdmr_is_not_apart() -> None:
    # Beside the stretch there are 17 free pages: enough for the 4K region of 2 GiB.
    def linked(pages: int) -> Question:
        memory = {0: [(G, G + 5), (G + 7, 3 * G)]}
        return ask(memory, {0: [(G + 7, G + 7 + pages), (2 * G, 2 * G + 40)]}, memory[0])

    assert largest_fitting(linked(17), 17) == 2
    assert homes_apart(linked(17)) == ()
    assert homes_apart(linked(15)) == (Block(0, 2, 1),)
    question = linked(15)
    facts = cut_facts(question)
    # Two TDMRs of a GiB may hang on the stretch, one of two may not.
    assert least_with_homes(question, facts, ("areas", "tdmrs"), 16) == (1, 2)
    assert least_with_homes(question, facts, ("tdmrs", "areas"), 16) == (1, 2)
    one = {"remote": 0, "areas": 1, "tdmrs": 1}
    assert excludes_at_once(question, ("areas", "tdmrs"), one)
    assert excludes_at_once(question, ("tdmrs",), one)
    assert not excludes_claim(question, ("areas", "tdmrs"), {**one, "tdmrs": 2})
    assert not excludes_claim(question, ("areas", "tdmrs"), {**one, "areas": 2})
    # PAMTs that may lie anywhere are not at home, but there is only one node.
    assert not excludes_at_once(question, ("areas", "tdmrs"), {"areas": 2, "tdmrs": 1})


def test_so_many_areas_take_so_many_tdmrs_and_these_so_many_pages() -> None:
    # Four GiBs of one node, a stretch in each; one area in a TDMR means four TDMRs.
    memory = [(at, at + 100) for at in range(G, 5 * G, G)]
    memory += [(at + 102, at + G) for at in range(G, 5 * G, G)]
    free = {0: [(at + 50, at + 80) for at in range(G, 5 * G, G)]}
    question = ask({0: memory}, free, sorted(memory), max_reserved_per_tdmr=2)
    claim = {"remote": 0, "max_areas": 2, "areas": 9}
    order = ("areas", "tdmrs", "pamt_pages")
    # Four stretches and an area of PAMTs: three TDMRs of two areas each, of 3 pages besides 32.
    least = 3 * 2 + 32
    for tdmrs, pages, excluded in (
        (2, least + 9, True),
        (3, least - 1, True),
        (3, least, False),
        (4, least, False),
    ):
        at_most = {**claim, "tdmrs": tdmrs, "pamt_pages": pages}
        assert excludes_at_once(question, order, at_most) == excluded
        assert excludes_at_once(question, order[1:], at_most) == excluded


def all_cuts(cells: int) -> Iterator[tuple[tuple[int, int], ...]]:
    for number in range(cells):
        for borders in combinations(range(1, cells), number):
            edges = (0, *borders, cells)
            yield tuple((a, b - 1) for a, b in pairwise(edges))


def cost(
    facts: CutFacts, blocks: Sequence[Block], cut: tuple[tuple[int, int], ...], order: list[str]
) -> tuple[int, ...]:
    charged = {
        block
        for block in blocks
        for first, last in cut
        if block.start <= first < block.end
        and facts.cells[last] - facts.cells[first] + 1 > block.small
    }
    sizes = [facts.cells[last] - facts.cells[first] + 1 for first, last in cut]
    values = {
        "areas": sum(facts.holes(a, b) for a, b in cut) + len(charged),
        "tdmrs": len(cut),
        "pamt_pages": sum(facts.pages[gib] for gib in sizes),
    }
    return tuple(values[name] for name in order)


@st.composite
def problems(draw: st.DrawFn) -> tuple[CutFacts, tuple[Block, ...], list[str]]:
    count = draw(st.integers(1, 7))
    cells = draw(st.lists(st.integers(1, 10), min_size=count, max_size=count, unique=True))
    cells.sort()
    alone = tuple(draw(st.integers(0, 3)) for _ in cells)
    joined = tuple(draw(st.integers(0, 1)) for _ in cells[1:])
    pages = tuple(5 * gib + -(-gib // 3) for gib in range(11))
    barred = draw(st.sets(st.integers(1, count), max_size=2))
    facts = CutFacts(
        *(tuple(cells), None, alone, joined, alone, joined, pages, 0, 16, 64),
        barred=frozenset(barred),
    )
    borders = draw(st.lists(st.integers(0, count), unique=True, max_size=4).map(sorted))
    blocks = tuple(
        Block(a, b, draw(st.integers(0, 6)))
        for a, b in pairwise(borders)
        if draw(st.booleans()) or b == count
    )
    order = draw(st.permutations(["areas", "tdmrs", "pamt_pages"]))
    return facts, blocks, order[: draw(st.integers(1, 3))]


@given(problems(), st.integers(1, 8))
@settings(max_examples=300, deadline=None)
def test_the_path_finds_the_least_of_all_cuts(
    problem: tuple[CutFacts, tuple[Block, ...], list[str]], cap: int
) -> None:
    facts, blocks, order = problem
    costs = [
        cost(facts, blocks, cut, order)
        for cut in all_cuts(len(facts.cells))
        if all(facts.holes(a, b) <= cap for a, b in cut)
        if not any(first in facts.barred for first, _ in cut)
    ]
    assert least_of(facts.but(limit=cap), order, blocks) == min(costs, default=None)


@pytest.mark.parametrize("border", [0, 9])
def test_nothing_possible_is_excluded(border: int) -> None:
    question = two(border=border)
    order = ("areas", "tdmrs", "pamt_pages")
    claim = {"remote": 0, "max_areas": 2, "areas": 2, "tdmrs": 2, "pamt_pages": 20}
    assert not excludes_claim(question, order, claim)
    claim = {"remote": 0, "max_areas": 1, "areas": 1, "tdmrs": 1, "pamt_pages": 18}
    assert not excludes_claim(question, order, claim)
    assert excludes_claim(question, order, {**claim, "pamt_pages": 17})
