"""How many gaps each number of TDMRs has to fill, and whether it can."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from pamt.certificate import each_number
from pamt.certificate.cut_bound import NEVER, CutFacts
from pamt.certificate.each_number import (
    _begins,
    _fewest,
    _kinds,
    _longest,
    _numbers,
    no_number_does,
    ways_to_fill,
)
from pamt.certificate.fill_bound import (
    claim_facts,
    excludes_by_number,
    excludes_claim,
    gap_runs,
    most_filled,
)
from pamt.certificate.together import GapRuns, Sizes
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE
from pamt.standins import complete

G = GIB // PAGE
SPACE = Space("free", "split", "minimal")


@cache
def ask(
    runs: tuple[int, ...] = (1024, 1026),
    *,
    nodes: int = 2,
    room: int = 50_000,
    entry: int = 16,
    space: Space = SPACE,
    beside: bool = False,
    skipped: int = 0,
    limit: int = 16,
) -> Question:
    """Nodes of 4 GiB each; free runs of these lengths at the begin, between stretches, and room.

    `beside`: the room of the first node lies beside a stretch.  `skipped`: GiBs outside the CMRs
    before the last.
    """
    at = start = G
    memory: list[tuple[int, int, int]] = []
    free: list[tuple[int, int, int]] = []
    cmrs: list[tuple[int, int]] = []
    for run in (10, *runs):
        memory.append((at, at + run, 0))
        cmrs.append((at, at + run))
        free.append((at, at + run, 0))
        at += run + 10
    free.pop(0)
    low = at
    for node in range(nodes):
        end = (5 + 4 * node) * G
        memory.append((at, end, node))
        begin = low if not node and beside else at + 100
        free.append((begin, begin + room, node))
        at = end
    cmrs.append((low, at))
    if skipped:
        memory[-1] = (memory[-1][0], at - (1 + skipped) * G, nodes - 1)
        memory.append((at - G, at, nodes - 1))
        cmrs[-1] = (low, at - (1 + skipped) * G)
        cmrs.append((at - G, at))
    machine = Machine(
        "m",
        "",
        Limits(pamt_entry_size=(entry, 16, 16), max_reserved_per_tdmr=limit),
        tuple(Cmr(a * PAGE, (b - a) * PAGE) for a, b in cmrs),
        tuple(MemoryRange(a * PAGE, b * PAGE, node) for a, b, node in memory),
        tuple(
            Node(n, distance=tuple(10 if n == m else 20 for m in range(nodes)))
            for n in range(nodes)
        ),
        tuple(FreeRun(a * PAGE, b * PAGE, node) for a, b, node in free),
    )
    assert start == G
    return pose(complete(machine).machine, space)


def asked(question: Question, **at_most: int) -> tuple[CutFacts, dict[int, list[GapRuns]], int]:
    facts, gaps = claim_facts(question, {"remote": 0, **at_most})
    few = most_filled(question, {"remote": 0, **at_most})
    return facts, gap_runs(question, facts, gaps), few


def test_gaps_by_number_of_tdmrs() -> None:
    # Three stretches, and an area that holds what is too large for linked runs.  Both gaps are
    # filled by a TDMR of 1 GiB, 1,024 pages, and by one more with 1,024 + 2.
    question = ask()
    facts, gaps, few = asked(question, areas=2, tdmrs=3)
    assert few == 2
    assert {node: [one.runs for one in some] for node, some in gaps.items()} == {
        0: [(1024,), (1026,)]
    }
    assert [_fewest(question, facts, 18, n) for n in (1, 2, 3)] == [4, 4, 4]

    def excluded(**at_most: int) -> bool:
        return excludes_by_number(question, ("areas", "tdmrs"), {"remote": 0, **at_most})

    assert excluded(areas=2, tdmrs=1)
    assert excluded(areas=2, tdmrs=2)
    assert not excluded(areas=2, tdmrs=3)
    # One gap: 1,024 pages are there of a TDMR of a GiB, so of two TDMRs.
    assert excluded(areas=3, tdmrs=1)
    assert not excluded(areas=3, tdmrs=2)
    assert excluded(areas=1, tdmrs=8)
    assert not excluded(areas=4, tdmrs=1)
    assert excludes_claim(question, ("areas",), {"remote": 0, "areas": 2, "tdmrs": 2})


def test_it_says_nothing_where_it_does_not_apply() -> None:
    question = ask()
    facts, gaps, few = asked(question, areas=2, tdmrs=2)
    least = {"remote": 0, "areas": 2, "tdmrs": 2}
    assert no_number_does(question, facts, gaps, least, few)
    for name in least:
        some = {other: most for other, most in least.items() if other != name}
        assert not no_number_does(question, facts, gaps, some, few)
        assert list(ways_to_fill(question, facts, gaps, some, few)) == []
    assert not no_number_does(question, facts, {**gaps, 1: gaps[0]}, least, few)
    assert not no_number_does(question, facts, {}, least, few)
    chunks = ask(space=SPACE._replace(pamt="chunk"))
    assert not no_number_does(chunks, facts, gaps, least, few)
    # Cells of the node that are not neighbours.
    nodes = tuple(
        Node(n, distance=tuple(10 if n == m or n + m == 2 else 20 for m in range(3)))
        for n in range(3)
    )
    apart = pose(replace(ask(nodes=3).machine, nodes=nodes), SPACE)
    facts, gaps, few = asked(apart, areas=2, tdmrs=2)
    assert list(gaps) == [0]
    assert not no_number_does(apart, facts, gaps, least, few)
    # Fixed TDMRs, or no gap: nothing is asked.
    for other in (ask(space=SPACE._replace(tdmrs="kernel")), ask(())):
        at_most = {"remote": 0, "areas": 9, "tdmrs": 9}
        assert not excludes_by_number(other, ("areas", "tdmrs"), at_most)


def test_where_there_is_too_much_to_go_through_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    question = replace(ask())
    facts, gaps, few = asked(question, areas=2, tdmrs=2)
    monkeypatch.setattr("pamt.certificate.together.MOST_SIZES", 1)
    least = {"remote": 0, "areas": 2, "tdmrs": 2}
    assert not no_number_does(question, facts, gaps, least, few)


def test_no_area_comes_besides_where_tdmrs_hang_on_stretches() -> None:
    # 30 GiB would fit beside the last stretch; a TDMR that begins on the second node has no run.
    question = ask(beside=True, nodes=1)
    facts, _, _ = asked(question)
    assert [_fewest(question, facts, 18, n) for n in (1, 2)] == [3, 3]
    question = ask(beside=True, nodes=1, room=1024)
    facts, _, _ = asked(question)
    # All TDMRs must be of a GiB.
    assert [_fewest(question, facts, 18, n) for n in (1, 3, 4, 5)] == [4, 4, 3, NEVER + 0]
    question = ask(beside=True)
    facts, _, _ = asked(question)
    assert [_fewest(question, facts, 18, n) for n in (1, 8)] == [3, 4]


def test_cells_with_more_stretches_than_areas_must_have_gaps_filled() -> None:
    # Three stretches in the first GiB, and no more than two areas in a TDMR.
    question = ask((1024, 1026), limit=2)
    facts, gaps, few = asked(question, areas=4, tdmrs=1)
    at_most = {"remote": 0, "areas": 4, "tdmrs": 1}
    assert no_number_does(question, facts, gaps, at_most, few)
    assert not no_number_does(question, facts, gaps, {**at_most, "tdmrs": 2}, few)
    at_most = {"remote": 0, "areas": 4, "tdmrs": 2, "max_areas": 1}
    facts, gaps, few = asked(question, **at_most)
    assert no_number_does(question, facts, gaps, at_most, few)


def test_bridges_take_gibs() -> None:
    facts = claim_facts(ask(), {"remote": 0})[0]
    assert list(_kinds(facts)) == [(False, 0)]
    bridged = claim_facts(ask(skipped=2), {"remote": 0})[0]
    assert bridged.joined == (0, 0, 0, 0, 1)
    assert list(_kinds(bridged)) == [(False, 0), (True, 2)]
    both = bridged.but(cells=(1, 3, 4, 5, 9, 10), joined=(1, 0, 0, 1, 0))
    assert list(_kinds(both)) == [(False, 0), (True, 1)]


def test_pages_limit_the_longest_tdmr() -> None:
    question = ask()
    facts, _, _ = asked(question)
    assert _longest(facts, 1, 0, None) == 8
    # A TDMR has 1,026 pages a GiB and 1 more, up to 256 GiB.
    assert _longest(facts, 1, 0, 8 * 1026 + 1) == 8
    assert _longest(facts, 1, 0, 8 * 1026) == 0
    assert _longest(facts, 3, 0, 8 * 1026 + 3) == 8
    assert _longest(facts, 3, 0, 8 * 1026 + 2) == 0
    assert _longest(facts, 1, 2, 10 * 1026 + 1) == 8
    assert _longest(facts, 1, 2, 10 * 1026) == 0
    long = facts.but(pages=tuple(1026 * gib + -(-gib // 3) for gib in range(9)))
    assert [_longest(long, 2, 0, 8 * 1026 + more) for more in (1, 2, 3, 4)] == [0, 3, 6, 8]


def test_cells_of_a_node_must_be_neighbours() -> None:
    question = ask(nodes=3)
    assert [_begins(question, node) for node in (0, 1, 2)] == [(0, 4), (4, 8), (8, 12)]
    assert _begins(question, 3) is None
    # Nodes 0 and 2 are as near to one another as to themselves; or 0 and 1.
    for near, expected in ((2, None), (1, (0, 8))):
        nodes = tuple(
            Node(n, distance=tuple(10 if n == m or {n, m} == {0, near} else 20 for m in range(3)))
            for n in range(3)
        )
        assert _begins(pose(replace(question.machine, nodes=nodes), SPACE), 0) == expected


def test_ways_name_what_fills_how_much() -> None:
    question = ask()
    facts, gaps, few = asked(question, areas=2, tdmrs=3)
    at_most = {"remote": 0, "areas": 2, "tdmrs": 3}
    ways = list(ways_to_fill(question, facts, gaps, at_most, few))
    # One of a GiB for each gap, and 2 small pages: of either's 2M region, or of 1G regions.
    assert ways
    assert all(chosen == tuple(gaps[0]) for _, chosen in ways)
    assert (Sizes((1, 1), (6, 6)), tuple(gaps[0])) in ways
    assert all(sizes.gibs.count(1) >= 2 for sizes, _ in ways)


def test_numbers_worked_out_by_hand() -> None:
    # 1,043 = 1,024 + 19 and 2,056 = 2 * 1,024 + 8 pages: TDMRs of 1 and 2 GiB, and of 9 GiB to the
    # last cell. Their 2M regions have 2, 4 and 18 pages, their 1G regions 1 each: 19 = 18 + 1 and
    # 8 = 4 + 2 + 1 + 1.  Two TDMRs have no regions of both 1 and 2 units.
    def excluded(runs: tuple[int, int], tdmrs: int) -> bool:
        question = ask(runs, nodes=3)
        facts, gaps, few = asked(question, areas=2, tdmrs=8)
        assert few == 2
        at_most = {"remote": 0, "areas": 2, "tdmrs": tdmrs}
        return no_number_does(question, facts, gaps, at_most, few)

    assert [excluded((1043, 2056), number) for number in (1, 2, 3)] == [True, True, False]
    # 11 = 10 + 1 takes one of 5 GiB that overhangs, and so another one behind it.
    assert [excluded((1035, 2052), number) for number in (2, 3, 4)] == [True, True, False]


def test_the_stretch_that_is_bridged_is_not_crossed_otherwise() -> None:
    question = ask(skipped=2)
    facts, gaps, _ = asked(question, areas=2, tdmrs=3)
    plain = each_number._together(question, facts, gaps, 16, 2, bridged=False)
    over = each_number._together(question, facts, gaps, 16, 2, bridged=True)
    assert plain._reach == [5, 5, 5, 5, 5, 6]
    assert over._reach == [6] * 6
    assert each_number._together(question, facts, gaps, 16, 2, bridged=True) is over


def test_numbers_from_one_to_as_many_as_may_be() -> None:
    facts = claim_facts(ask(), {"remote": 0})[0]
    assert list(_numbers(facts, {"tdmrs": 3})) == [1, 2, 3]
    assert list(_numbers(facts, {"tdmrs": 64})) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert list(_numbers(facts.but(most=2), {"tdmrs": 3})) == [1, 2]


def test_more_gaps_than_can_be_filled_at_once_are_too_many() -> None:
    question = ask()
    facts, gaps, few = asked(question, areas=2, tdmrs=3)
    at_most = {"remote": 0, "areas": 2, "tdmrs": 3}
    assert not no_number_does(question, facts, gaps, at_most, few)
    assert no_number_does(question, facts, gaps, at_most, few - 1)


def test_a_number_with_more_pages_than_allowed_will_not_do() -> None:
    question = ask()
    facts, gaps, few = asked(question, areas=9, tdmrs=1)
    at_most = {"remote": 0, "areas": 9, "tdmrs": 1, "pamt_pages": 8 * 1026 + 1}
    assert not no_number_does(question, facts, gaps, at_most, few)
    assert no_number_does(question, facts, gaps, {**at_most, "pamt_pages": 8 * 1026}, few)


def test_tdmrs_reach_no_further_than_gaps_filled_alone_and_at_once_let_them() -> None:
    question = ask()
    facts, gaps, _ = asked(question, areas=2, tdmrs=3)
    facts = facts.but(alone=(3, 3) + (0,) * 6, least_alone=(1, 1) + (0,) * 6)
    # With areas for three stretches, and one gap; or for four, all gaps filled or four of them.
    reach = {
        (cap, few): each_number._together(question, facts, gaps, cap, few, bridged=True)._reach[0]
        for cap in (1, 2, 3)
        for few in (0, 1, 4)
    }
    assert reach == {
        (1, 0): 0, (1, 1): 0, (1, 4): 1,
        (2, 0): 0, (2, 1): 1, (2, 4): 8,
        (3, 0): 1, (3, 1): 1, (3, 4): 8,
    }  # fmt: skip
