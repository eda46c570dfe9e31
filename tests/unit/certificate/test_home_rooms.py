"""Areas that TDMRs of a node have left for its own PAMTs: the path against every cut."""

from __future__ import annotations

from itertools import accumulate, combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.certificate import home_rooms
from pamt.certificate.cut_bound import CutFacts
from pamt.certificate.fill_bound import claim_facts, excludes_at_once, excludes_claim, least_at_home
from pamt.certificate.home_rooms import Block, RoomyPath, blocks_of_homes, full
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE
from pamt.standins import complete

G = GIB // PAGE
SPACE = Space("free", "chunk", "memory")
Cut = tuple[tuple[int, int], ...]


def ask(holes: list[int], borders: list[int], free: list[tuple[int, int]], limit: int) -> Question:
    """A machine of a GiB of memory for each of `holes`, with so many of them; pages.

    `borders`: where nodes end, in GiBs.  A chunk of n GiB has 8n + 2 pages.
    """
    memory: list[MemoryRange] = []
    for gib, number in enumerate(holes, 1):
        node = sum(gib > border for border in borders)
        at = gib * G
        for hole in range(number):
            stop = gib * G + 1000 + 2 * hole
            memory.append(MemoryRange(at * PAGE, stop * PAGE, node))
            at = stop + 1
        memory.append(MemoryRange(at * PAGE, (gib + 1) * G * PAGE, node))
    nodes = range(len(borders))
    runs = []
    for a, b in free:
        node = sum(a // G > border for border in borders)
        runs.append(FreeRun(a * PAGE, b * PAGE, node))
    machine = Machine(
        "rooms",
        "",
        Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True, max_reserved_per_tdmr=limit),
        (Cmr(GIB, len(holes) * GIB),),
        tuple(memory),
        tuple(Node(n, distance=tuple(10 if n == m else 20 for m in nodes)) for n in nodes),
        tuple(runs),
    )
    return pose(complete(machine).machine, SPACE)


def test_blocks_hold_all_free_runs_of_their_home() -> None:
    free = [(G + 5, G + 25), (2 * G - 12, 2 * G + 18), (3 * G + 7, 3 * G + 16)]
    question = ask([0, 0, 0], [2, 3], free, 4)
    # Chunks of a GiB have 10 pages.  Two and one fit into the first GiB, and one more over its end.
    assert blocks_of_homes(question) == (
        Block(0, 2, (0, 3), (4, 5)),
        Block(2, 3, (0,), (0,)),
    )
    first = blocks_of_homes(question)[0]
    assert (first.places(0, 0), first.places(1, 1), first.places(0, 1)) == (4, 2, 5)
    assert first.places(1, 9) == 2
    assert [first.until(0, number) for number in (3, 4, 5)] == [0, 1, 2]
    assert first.until(1, 1) == 1


def layout(
    memory: list[tuple[int, int, int]], free: list[tuple[int, int, int]], *, near: int = 20
) -> Question:
    """Ranges and free runs as (first page, end, node); `near`: the distance between nodes."""
    nodes = range(max(node for *_, node in memory) + 1)
    machine = Machine(
        "layout",
        "",
        Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True),
        (Cmr(GIB, 8 * GIB),),
        tuple(MemoryRange(a * PAGE, b * PAGE, node) for a, b, node in memory),
        tuple(Node(n, distance=tuple(10 if n == m else near for m in nodes)) for n in nodes),
        tuple(FreeRun(a * PAGE, b * PAGE, node) for a, b, node in free),
    )
    return pose(complete(machine).machine, SPACE)


def spans(question: Question) -> list[tuple[int, int]]:
    return [(block.start, block.end) for block in blocks_of_homes(question)]


def test_a_home_of_cells_that_are_no_neighbours_has_no_block() -> None:
    memory = [(at * G, (at + 1) * G, node) for at, node in enumerate((0, 1, 0, 2, 2), 1)]
    free = [(a + 5, a + 50, node) for a, _, node in memory]
    assert spans(layout(memory, free)) == [(1, 2), (3, 5)]
    # Nor one without a free run.
    assert spans(layout(memory, free[:3])) == [(1, 2)]


def test_runs_may_reach_both_ends_of_a_block_and_none_may_lie_elsewhere() -> None:
    memory = [(G, 2 * G, 0), (2 * G, 3 * G, 1), (3 * G, 4 * G, 1)]
    whole = [(2 * G, 4 * G, 1)]
    assert spans(layout(memory, [(G + 5, G + 50, 0), *whole])) == [(0, 1), (1, 3)]
    # The second GiB begins with memory of the first node: it is the home of a TDMR from there.
    for shared, expected in (
        ([(2 * G + 60, 2 * G + 80, 1)], [(0, 2)]),
        ([(3 * G + 10, 3 * G + 80, 1)], [(0, 2), (2, 3)]),
        ([(2 * G + 60, 2 * G + 80, 1), (3 * G + 10, 3 * G + 80, 1)], [(0, 2)]),
    ):
        mixed = [(G, 2 * G + 50, 0), (2 * G + 50, 4 * G, 1)]
        assert spans(layout(mixed, [(G + 5, G + 50, 0), *shared])) == expected
    # The third GiB ends with memory of the second node, and begins with the first's.
    behind = [(G, 2 * G, 1), (2 * G, 2 * G + 50, 0), (2 * G + 50, 3 * G, 1)]
    for shared, expected in (
        ([(G, 2 * G, 1)], [(0, 1), (1, 2)]),
        ([(G, 2 * G, 1), (2 * G + 60, 2 * G + 90, 1)], [(1, 2)]),
    ):
        assert spans(layout(behind, [*shared, (2 * G, 2 * G + 40, 0)])) == expected


def test_where_another_node_is_as_near_its_runs_count() -> None:
    memory = [(G, 2 * G, 0), (2 * G, 3 * G, 1)]
    free = [(G + 5, G + 50, 0), (2 * G + 5, 2 * G + 50, 1)]
    assert spans(layout(memory, free)) == [(0, 1), (1, 2)]
    assert spans(layout(memory, free, near=10)) == []
    assert spans(layout(memory, free[:1], near=10)) == [(0, 1)]


def test_of_split_chunks_the_largest_region_says_how_many_fit() -> None:
    free = [(G + 5, G + 25), (2 * G - 8, 2 * G), (3 * G + 7, 3 * G + 16)]
    question = ask([0, 0, 0], [2, 3], free, 4)
    question = pose(question.machine, SPACE._replace(pamt="split"))
    # 4K regions of a GiB have 8 pages: two and one; one; and one.
    assert blocks_of_homes(question) == (Block(0, 2, (0, 3), (3, 3)), Block(2, 3, (0,), (1,)))


def test_full_tdmrs_and_those_without_a_run() -> None:
    free = [(G + 5, G + 25), (3 * G + 5, 3 * G + 25)]
    question = ask([3, 2, 4], [3], free, 3)
    facts, _ = claim_facts(question, {"remote": 0})
    blocks = blocks_of_homes(question)
    assert full(facts, blocks) == 3
    assert full(facts, blocks, runs=True) == 4
    assert full(facts.but(limit=16), blocks) == 0
    assert full(facts, ()) == 0
    # Holes that a bridge takes in count, too; of those over a border of cells none is lost.
    bridged = facts.but(limit=2, alone=(1, 0, 4), joined=(1, 1))
    first, last = Block(0, 2, (0, 0), (1, 1)), Block(2, 3, (0,), (1,))
    assert [full(bridged, some) for some in ((first,), (last,), (first, last))] == [1, 2, 2]
    assert full(bridged, (last, first)) == 2
    merged = facts.but(limit=2, alone=(1, 1, 0), joined=(-1, 1))
    assert full(merged, (first,)) == 1
    assert full(facts.but(limit=2, alone=(1, 0, 0), joined=(0, 5)), (first,)) == 0
    last_two = Block(1, 3, (0, 0), (1, 1))
    assert full(facts.but(limit=2, alone=(9, 1, 0), joined=(9, 1)), (last_two,)) == 1


def test_a_node_full_of_holes_needs_tdmrs_that_are_not() -> None:
    # Two GiBs of each node, the second one full; a TDMR over both nodes is too much.
    free = [(G + 5, G + 105), (3 * G + 5, 3 * G + 105)]
    question = ask([0, 3, 0, 3], [2, 4], free, 3)
    order = ("areas", "tdmrs", "pamt_pages")
    # Each node in two: the first of them takes in both chunks.
    assert least_at_home(question, order, {"remote": 0}) == (10, 4, 40)
    claim = {"remote": 0, "max_areas": 3, "areas": 10, "tdmrs": 4, "pamt_pages": 40}
    assert not excludes_claim(question, order, claim)
    for name in order:
        assert excludes_claim(question, order, {**claim, name: claim[name] - 1})
    assert excludes_at_once(question, ("tdmrs",), {**claim, "areas": 9})
    # Without room near their homes they may lie anywhere.
    assert least_at_home(question, order, {}) is None
    short = ask([0, 3, 0, 3], [2, 4], [(G + 5, G + 105), (4 * G + 5, 4 * G + 105)], 3)
    assert excludes_at_once(short, (), {"remote": 0, "max_areas": 3})
    assert not excludes_at_once(short, (), {"remote": 10**6, "max_areas": 3})


def all_cuts(cells: int) -> list[Cut]:
    found = []
    for number in range(cells):
        for borders in combinations(range(1, cells), number):
            edges = (0, *borders, cells)
            found.append(tuple((a, b - 1) for a, b in pairwise(edges)))
    return found


def allowed(facts: CutFacts, blocks: tuple[Block, ...], cut: Cut, *, counted: bool) -> bool:
    """The balances, forward: what every TDMR takes in, and what it leaves to the next block."""
    by_cell = {at: block for block in blocks for at in range(block.start, block.end)}
    over = 0
    balance: dict[Block, int] = {}
    for first, last in cut:
        left = facts.limit - facts.holes(first, last)
        if left < 0 or first in facts.barred:
            return False
        block = by_cell.get(first)
        spare = left
        if block is not None:
            before = balance.setdefault(block, over)
            own = min(left, block.places(first, last)) if counted else left
            balance[block] = before + own - 1
            spare = left - max(0, 1 - before)
        following = by_cell.get(last + 1)
        if block is not None and following is not block and balance[block] < 0:
            return False
        over = 0
        if following is not None and following is not block and following.start <= last:
            fitting = following.places(following.start, last) if counted else spare
            over = max(0, min(spare, fitting))
    return True


@st.composite
def problems(draw: st.DrawFn) -> tuple[CutFacts, tuple[Block, ...], list[str]]:
    count = draw(st.integers(1, 7))
    cells = draw(st.lists(st.integers(1, 10), min_size=count, max_size=count, unique=True))
    cells.sort()
    alone = tuple(draw(st.integers(0, 3)) for _ in cells)
    joined = tuple(draw(st.integers(0, 1)) for _ in cells[1:])
    pages = tuple(5 * gib + -(-gib // 3) for gib in range(11))
    barred = draw(st.sets(st.integers(1, count), max_size=1))
    facts = CutFacts(
        *(tuple(cells), None, alone, joined, alone, joined, pages, 1),
        *(draw(st.integers(1, 6)), 64),
        barred=frozenset(barred),
    )
    borders = draw(st.lists(st.integers(0, count), unique=True, min_size=2, max_size=4).map(sorted))
    blocks = []
    for a, b in pairwise(borders):
        if draw(st.integers(0, 3)):
            number = [draw(st.integers(0, 2)) for _ in range(a, b)]
            below = list(accumulate(number, initial=0))[:-1]
            over = [draw(st.integers(0, 1)) for _ in range(a, b)]
            within = accumulate(
                (x + y + z for x, y, z in zip(below, number, over, strict=True)), max
            )
            blocks.append(Block(a, b, tuple(below), tuple(within)))
    order = draw(st.permutations(["areas", "tdmrs", "pamt_pages"]))
    return facts, tuple(blocks), order[: draw(st.integers(1, 3))]


def cost(facts: CutFacts, cut: Cut, order: list[str]) -> tuple[int, ...]:
    sizes = [facts.cells[last] - facts.cells[first] + 1 for first, last in cut]
    values = {
        "areas": sum(facts.holes(a, b) for a, b in cut) + len(cut),
        "tdmrs": len(cut),
        "pamt_pages": sum(facts.pages[gib] for gib in sizes),
    }
    return tuple(values[name] for name in order)


def path_of(
    facts: CutFacts, order: list[str], blocks: tuple[Block, ...], *, counted: bool
) -> RoomyPath:
    """`counted`: how many PAMTs fit into free runs; else only areas."""
    before = home_rooms.MOST_FULL
    try:
        home_rooms.MOST_FULL = before if counted else -1
        return RoomyPath(facts, order, blocks)
    finally:
        home_rooms.MOST_FULL = before


@pytest.mark.parametrize("counted", [True, False])
@given(problem=problems())
@settings(max_examples=300, deadline=None)
def test_the_path_finds_the_least_of_all_cuts(
    counted: bool, problem: tuple[CutFacts, tuple[Block, ...], list[str]]
) -> None:
    facts, blocks, order = problem
    if not counted:
        # Runs for any number of PAMTs.
        blocks = tuple(block._replace(within=(99,) * (block.end - block.start)) for block in blocks)
    path = RoomyPath(facts, order, blocks)
    cuts = [
        cut for cut in all_cuts(len(facts.cells)) if allowed(facts, blocks, cut, counted=counted)
    ]
    assert path.least == min((cost(facts, cut, order) for cut in cuts), default=None)
    if path.least is not None:
        found = tuple(path.cut())
        assert found in cuts
        assert cost(facts, found, order) == path.least
    else:
        with pytest.raises(ValueError, match="no cut"):
            path.cut()
