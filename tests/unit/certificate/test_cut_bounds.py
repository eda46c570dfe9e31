"""Bounds over cuts: tables of least values, cells at home, pockets, cuts one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from pamt.certificate.cut_bound import NEVER, CutFacts, Cuts, _all_fall, _Minima, _Window, _Windows
from pamt.certificate.each_cut import AllCuts, TooMany, _Sums
from pamt.certificate.fill_bound import claim_facts
from pamt.certificate.near_home import barred_cells, pools
from pamt.certificate.opened import areas_opened, pockets
from pamt.certificate.relaxation import relax
from pamt.machine import Cmr, FreeRun, Machine, MemoryRange, Node
from pamt.maps.machine_file import read_machine
from pamt.placement import MODULE, Question, Space, pose
from pamt.ranges import GIB, PAGE
from pamt.standins import complete

MACHINES = Path(__file__).parents[3] / "specs" / "machines"


def ask(name: str, space: Space) -> Question:
    return pose(complete(read_machine(MACHINES / f"{name}.toml")).machine, space)


@pytest.mark.parametrize("falling", [True, False])
def test_least_of_windows_as_values_come(falling: bool) -> None:
    random = Random(1)
    for _ in range(200):
        n = random.randint(1, 12)
        windows: list[tuple[_Window, ...]] = []
        low = high = n
        for cell in range(n - 1, -1, -1):
            if falling:
                low = random.randint(cell + 1, low)
                high = random.randint(low, high)
            else:
                low = random.randint(cell + 1, n)
                high = random.randint(low, n)
            kinds = [_Window(0, low, high, 0), _Window(1, cell + 1, cell + 1, 3)]
            windows.append(tuple(kinds[: random.randint(0, 2)]))
            low, high = (low, high) if falling else (n, n)
        windows.reverse()
        values = [random.randint(0, 20) for _ in range(n + 1)]
        known = [10**6] * n + [values[n]]
        minima = _Minima(_Windows(windows, _all_fall(windows)), known, 2)
        for cell in range(n - 1, -1, -1):
            expected = [min(values[w.low : w.high + 1]) + 2 * w.over for w in windows[cell]]
            assert minima.least(cell) == min(expected, default=2 * NEVER)
            known[cell] = values[cell]


def facts_of(random: Random) -> CutFacts:
    n = random.randint(1, 6)
    cells = tuple(sorted(random.sample(range(9), n)))
    alone = tuple(random.randint(0, 3) for _ in range(n))
    joined = tuple(random.randint(-1, 1) for _ in range(n - 1))
    pages = tuple(7 * gib + -(-gib // 3) for gib in range(10))
    return CutFacts(
        cells, None, alone, joined, alone, joined, pages, random.randint(0, 1), 4, 3,
        barred=frozenset(i for i in range(1, n) if random.random() < 0.2),
    )  # fmt: skip


def all_cuts(n: int) -> list[tuple[tuple[int, int], ...]]:
    found = []
    for mask in range(1 << (n - 1)):
        borders = [0, *(i + 1 for i in range(n - 1) if mask >> i & 1), n]
        found.append(tuple((a, b - 1) for a, b in pairwise(borders)))
    return found


@pytest.mark.parametrize("seed", range(150))
def test_least_cut_and_cuts_one_by_one_against_all_cuts(seed: int) -> None:
    random = Random(seed)
    facts = facts_of(random)
    cap = random.randint(1, 4)
    n = len(facts.cells)

    def price(cut: tuple[tuple[int, int], ...]) -> tuple[int, int, int]:
        holes = sum(facts.holes(a, b) for a, b in cut)
        pages = sum(facts.pages[facts.cells[b] - facts.cells[a] + 1] for a, b in cut)
        return holes + facts.own * len(cut), len(cut), pages

    # A TDMR counts as allowed where a longer one is: a bound, where joining takes holes away.
    allowed = [
        cut
        for cut in all_cuts(n)
        if len(cut) <= facts.most
        and all(any(facts.holes(a, e) <= cap for e in range(b, n)) for a, b in cut)
        and not any(a in facts.barred for a, _ in cut)
    ]
    roomy = [c for c in allowed if not facts.own or price(c)[0] <= cap * len(c)]
    least = Cuts(facts, ("areas", "tdmrs", "pamt_pages"), cap).least
    wanted = min(map(price, roomy), default=None)
    if wanted is not None and not facts.own and wanted[0] < 1:
        low = min(price(c)[1:] for c in roomy)
        wanted = (1, *low) if wanted[0] < 1 else wanted
    assert least == wanted
    at_most = {"max_areas": cap, "areas": 5, "tdmrs": 2, "pamt_pages": 30}
    walked = list(AllCuts(facts, at_most))
    expected = [
        c for c in allowed if all(p <= m for p, m in zip(price(c), (5, 2, 30), strict=True))
    ]
    assert sorted(walked) == sorted(expected)


def test_what_cannot_be_stays_so_with_many_holes() -> None:
    # Nothing can follow the first cell, whose holes would bring the cost below "never".
    facts = CutFacts((0, 1), None, (3, 9), (0,), (3, 9), (0,), (0, 1, 2), 1, 5, 2)
    cuts = Cuts(facts, ("areas",), 5)
    assert cuts.relaxed[0] == NEVER
    assert cuts.least is None


def test_too_many_cuts() -> None:
    facts = CutFacts(
        tuple(range(60)),
        None,
        (0,) * 60,
        (0,) * 59,
        (0,) * 60,
        (0,) * 59,
        tuple(range(61)),
        0,
        4,
        9,
    )
    with pytest.raises(TooMany):
        list(AllCuts(facts, {"tdmrs": 9}, 500))


def test_sums() -> None:
    sums = _Sums([1024, 2048, 2, 4, 1])
    reached = {a + b for a in (0, 1024, 2048, 3072) for b in range(8)}
    assert [p for p in range(4000) if p in sums] == sorted(reached)
    # With more sums than are listed, any length counts as reached.
    assert 12345 in _Sums([(1 << 20) + (1 << k) for k in range(14)])


def test_no_tdmr_begins_where_no_free_run_is_near() -> None:
    question = ask("huawei-8node-2016", MODULE)
    barred = barred_cells(question)
    cells = question.cells
    # Only nodes 0 and 7 have free runs: homes of cells below 66 GiB and from 434 GiB on.
    assert {cells[at] for at in barred} == set(range(66, 434))
    facts, _ = claim_facts(question, {"remote": 0})
    assert facts.barred == barred
    pool = pools(question, facts, {"remote": 0})[0]
    # Inside: 66 GiB and at most 64 TDMRs; over them one that goes on to 434 GiB, if not further.
    (region,) = pool.overhanging
    assert region == 2 * (434 - 65)
    assert pool.small == 2 * 66 + 1 + 63 + 2


def pocketed(limit: int) -> Question:
    """Two TDMRs of a GiB: one free run touches a hole that must be reserved, two do not."""
    memory = (MemoryRange(0, GIB - 9 * PAGE, 0), MemoryRange(GIB, 2 * GIB, 0))
    free = (
        FreeRun(GIB - 609 * PAGE, GIB - 9 * PAGE, 0),
        FreeRun(GIB // 2, GIB // 2 + 1500 * PAGE, 0),
        FreeRun(GIB + GIB // 2, GIB + GIB // 2 + 1100 * PAGE, 0),
    )
    cmrs = tuple(Cmr(r.start, r.end - r.start) for r in memory)
    machine = Machine("m", "", cmrs=cmrs, memory=memory, free=free, nodes=(Node(0),))
    machine = replace(machine, limits=replace(machine.limits, max_reserved_per_tdmr=limit))
    return pose(complete(machine).machine, Space("kernel", "chunk", "minimal"))


def test_pockets() -> None:
    question = pocketed(16)
    found = pockets(question)
    # Below 1 MiB nothing is memory, and nothing is free.
    assert [(p.tdmr, p.opened, dict(p.pages)) for p in found] == [
        (0, False, {0: 1500}),
        (0, True, {0: 600}),
        (1, False, {0: 1100}),
    ]
    assert question.tdmrs is not None
    assert [fact.pages for fact in question.tdmrs] == [1027, 1027]
    # 2054 pages less 600 that are open: the longest other pocket holds the rest.
    assert areas_opened(question, [2, 0], 16, near=True) == 1
    # Without an area left in TDMR 0 only the pocket of TDMR 1 is there: too short.
    assert areas_opened(question, [2, 0], 2, near=True) is None


def test_the_largest_pieces_alone() -> None:
    question = ask("huawei-8node-2016", Space("kernel", "split", "memory"))
    assert question.tdmrs is not None
    facts = relax(question, largest=True)
    assert [p.pages for p in facts.pieces] == [
        fact.sizes.level_4k // PAGE for fact in question.tdmrs
    ]
    assert not facts.split
    small = [fact.pages - fact.sizes.level_4k // PAGE for fact in question.tdmrs]
    nodes = {run.node for run in question.free}
    assert facts.rest == sum(
        pages * min(question.weight(fact.home, node) for node in nodes)
        for pages, fact in zip(small, question.tdmrs, strict=True)
    )
    minimal = ask("huawei-8node-2016", Space("kernel", "chunk", "minimal"))
    facts = relax(minimal, largest=True)
    assert minimal.tdmrs is not None
    assert [p.pages for p in facts.pieces] == [fact.pages for fact in minimal.tdmrs]
    assert facts.limit == len(minimal.tdmrs)
    assert facts.rest == 0
    with pytest.raises(ValueError, match="no such relaxation"):
        relax(minimal)
