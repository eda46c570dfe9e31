"""Whether a cut, with its TDMRs known, may come to what a claim allows: by plain definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from random import Random
from typing import NamedTuple

import pytest

from pamt.certificate import each_cut
from pamt.certificate.cut_bound import CutFacts, cut_facts
from pamt.certificate.each_cut import AllCuts, Cut, CutJudge, TooMany, _Sums, none_does
from pamt.certificate.linked import modest, opens
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE, Range
from pamt.standins import complete

G = GIB // PAGE
Runs = Sequence[tuple[int, int, int]]


def ask(
    memory: Runs,
    free: Runs,
    space: Space,
    *,
    cmrs: Sequence[tuple[int, int]] = ((G, 12 * G),),
    limit: int = 16,
    apart: int = 20,
) -> Question:
    """Memory and free runs by pages and node; nodes are `apart`.

    A TDMR of n GiB has 8n pages of 4K region, and one of each other region.
    """
    nodes = range(max(node for *_, node in memory) + 1)
    machine = Machine(
        "cuts",
        "",
        Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True, max_reserved_per_tdmr=limit),
        tuple(Cmr(a * PAGE, (b - a) * PAGE) for a, b in cmrs),
        tuple(MemoryRange(a * PAGE, b * PAGE, node) for a, b, node in memory),
        tuple(Node(n, distance=tuple(10 if n == m else apart for m in nodes)) for n in nodes),
        tuple(FreeRun(a * PAGE, b * PAGE, node) for a, b, node in sorted(free)),
    )
    return pose(complete(machine).machine, space)


def all_cuts(n: int) -> Iterator[Cut]:
    for number in range(n):
        for inner in combinations(range(1, n), number):
            borders = (0, *inner, n)
            yield tuple((borders[at], borders[at + 1] - 1) for at in range(number + 1))


def pieces(question: Question, gib: int) -> tuple[int, ...]:
    return (8 * gib + 2,) if question.space.pamt == "chunk" else (8 * gib, 1, 1)


class Case(NamedTuple):
    question: Question
    facts: CutFacts
    gaps: tuple[Range, ...]
    near: bool
    """Whether PAMTs lie on the nodes of their homes."""
    nodes: Mapping[int, frozenset[int]]
    """Nodes for the TDMRs of each home."""

    def where(self, first: int) -> frozenset[int]:
        start = self.facts.cells[first] * GIB
        home = next(r.node for r in self.question.memory if start < r.end)
        return self.nodes[home] if self.near else frozenset(self.question.free_by_node)


def case(random: Random, space: Space) -> Case:
    """GiBs with a free run or two inside, and such as go over borders; some missing."""
    cells = sorted(random.sample(range(1, 7), random.randint(1, 5)))
    node = 0
    memory: list[tuple[int, int, int]] = []
    free: list[tuple[int, int, int]] = []
    gaps: list[Range] = []
    for cell in cells:
        if memory and random.random() < 0.4:
            node += 1
        memory.append((cell * G, (cell + 1) * G, node))
        for _ in range(random.randint(0, 2)):
            at = cell * G + random.choice((0, 1, 500 * random.randint(1, 9)))
            free.append((at, at + random.choice((1, 2, 8, 9, 10, 11, 16, 18, 20, 24, 25)), node))
        if cell > cells[0] and cell - 1 in cells and random.random() < 0.7:
            left = next(n for a, _, n in memory if a == (cell - 1) * G)
            free.append((cell * G - random.choice((1, 2, 10)), cell * G, left))
            free.append((cell * G, cell * G + random.choice((1, 8, 18)), node))
        elif random.random() < 0.5:
            free.append(((cell + 1) * G - random.choice((1, 8, 20)), (cell + 1) * G, node))
    spread: list[tuple[int, int, int]] = []
    for run in sorted(free):
        if not spread or spread[-1][1] <= run[0]:
            spread.append(run)
    start = None
    for at, (a, b, _) in enumerate(spread):
        start = a if start is None else start
        if at + 1 == len(spread) or spread[at + 1][0] != b:
            gaps.append(Range(start * PAGE, b * PAGE))
            start = None
    apart = random.choice((10, 20))
    question = ask(memory, spread, space, limit=random.randint(1, 4), apart=apart)
    most = 3 if space.reserve == "minimal" else 1
    facts = cut_facts(question).but(
        alone=tuple(random.randint(0, most) for _ in cells),
        joined=tuple(random.choice((-1, 0, 0, 1)) for _ in cells[1:]),
    )
    low = tuple(holes - random.randint(0, 1) for holes in facts.alone)
    facts = facts.but(least_alone=low, least_joined=facts.joined)
    if space.reserve != "minimal":
        facts = facts.but(least_alone=facts.alone)
    on = frozenset(question.free_by_node)
    nodes = {n: on if apart == 10 else on & {n} for n in range(node + 1)}
    return Case(question, facts, tuple(gaps), bool(free) and random.random() < 0.6, nodes)


def some_cases(number: int, reserve: str) -> Iterator[tuple[Case, dict[str, int]]]:
    for seed in range(number):
        random = Random(seed)
        pamt = random.choice(("chunk", "split"))
        some = case(random, Space("free", pamt, reserve))  # type: ignore[arg-type]
        at_most = {}
        if some.near:
            at_most["remote"] = 0
        if random.random() < 0.3:
            at_most["max_areas"] = random.randint(0, 5)
        if random.random() < 0.7:
            at_most["areas"] = random.randint(0, 12)
        if random.random() < 0.7:
            at_most["tdmrs"] = random.randint(1, 5)
        yield some, at_most


def adds_up(sizes: Sequence[int], total: int) -> bool:
    sums = {0}
    for size in sizes:
        sums |= {size + each for each in sums}
    return total in sums


def filled_inside(some: Case, cut: Cut) -> list[int]:
    """For each TDMR, the gaps with a page around them that pieces add up to, one at a time."""
    question, cells = some.question, some.facts.cells
    found: list[int] = []
    for first, last in cut:
        whole = Range(cells[first] * GIB, (cells[last] + 1) * GIB)
        number = 0
        for gap in some.gaps:
            fills = all(
                adds_up(
                    [
                        size
                        for a, b in cut
                        if node in some.where(a)
                        for size in pieces(question, cells[b] - cells[a] + 1)
                    ],
                    run.clip(gap).size // PAGE,
                )
                for node, runs in question.free_by_node.items()
                for run in runs
                if run.overlaps(gap)
            )
            number += fills and whole.start < gap.start and gap.end < whole.end
        found.append(number)
    return found


def test_gaps_that_pieces_of_a_cut_fill_and_areas_that_are_left() -> None:
    filled = 0
    for some, at_most in some_cases(250, "minimal"):
        facts = some.facts
        judge = CutJudge(some.question, facts, some.gaps, at_most)
        cap = min(facts.limit, at_most.get("max_areas", facts.limit))
        small = modest(some.question, facts, at_home=some.near)
        for cut in all_cuts(len(facts.cells)):
            credit = filled_inside(some, cut)
            filled += sum(credit)
            assert judge.credit(cut) == credit
            left = [
                facts.unfilled.holes(a, b) - each for (a, b), each in zip(cut, credit, strict=True)
            ]
            assert judge.left(cut) == left
            areas = max(1, sum(left) + opens(facts.unfilled, small, cut))
            assert judge.may_do(cut) == (max(left) <= cap and areas <= at_most.get("areas", areas))
    assert filled > 300


def supply(some: Case, cut: Cut, nodes: frozenset[int], size: int, room: list[int]) -> int:
    """Pieces that lie in a TDMR each, where room and runs let them; and one over each border."""
    cells = some.facts.cells
    runs = [r for n in nodes for r in some.question.free_by_node[n] if r.size >= size]
    total = 0
    for at, (first, last) in enumerate(cut):
        whole = Range(cells[first] * GIB, (cells[last] + 1) * GIB)
        inside = sum(run.clip(whole).size // size for run in runs)
        total += min(inside, room[at])
        over = [run for run in runs if run.start < whole.end < run.end]
        total += len(over) if over and room[at] and room[at + 1] else 0
    return total


def has_room(some: Case, cut: Cut, at_most: Mapping[str, int]) -> bool:
    facts = some.facts
    cap = min(facts.limit, at_most.get("max_areas", facts.limit))
    holes = [facts.holes(a, b) for a, b in cut]
    room = [cap - each for each in holes]
    if min(room) < 0 or sum(room) < len(cut):
        return False
    spare = at_most["areas"] - sum(holes) if "areas" in at_most else 3 * len(cut)
    if spare < len(cut):
        return False
    # To split a TDMR takes two areas more than there are TDMRs.
    whole = some.question.space.pamt == "chunk" or spare < len(cut) + 2
    wanted: list[tuple[frozenset[int], int]] = []
    for first, last in cut:
        gib = facts.cells[last] - facts.cells[first] + 1
        wanted.append((some.where(first), PAGE * (8 * gib + 2 * whole)))
    return all(
        supply(some, cut, nodes, size, room) >= sum(n == nodes and s >= size for n, s in wanted)
        for nodes, size in wanted
    )


def test_cuts_whose_pamts_have_room_near_their_homes() -> None:
    answers = []
    for some, at_most in some_cases(800, "memory"):
        judge = CutJudge(some.question, some.facts, (), at_most)
        for cut in all_cuts(len(some.facts.cells)):
            answers.append(has_room(some, cut, at_most))
            assert judge.may_do(cut) == answers[-1]
    assert min(answers.count(True), answers.count(False)) > 300


@pytest.mark.parametrize("reserve", ["memory", "minimal"])
def test_no_cut_does_where_all_are_few_and_none_may_do(
    reserve: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = 0
    for number, (some, at_most) in enumerate(some_cases(200, reserve)):
        facts = some.facts
        judge = CutJudge(some.question, facts, some.gaps, at_most)
        few = number % 3
        least = 0
        while True:
            try:
                cuts = list(AllCuts(facts, at_most, least, few=few))
                break
            except TooMany:
                least += 1
        none = not any(judge.may_do(cut) for cut in cuts)
        asked = "tdmrs" in at_most or (reserve == "memory" and "areas" in at_most)
        # Where it takes long to look at a cut, steps are fewer.
        unit = 20 if reserve == "memory" else 1
        for steps in (unit * least, unit * least - 1):
            monkeypatch.setattr(each_cut, "MOST_STEPS", steps)
            enough = not least or steps == unit * least
            found = none_does(some.question, facts, some.gaps, at_most, few)
            assert found == (asked and none and enough)
            shown += found
    assert shown > 10


def test_room_is_counted_for_pieces_that_are_as_long_or_longer() -> None:
    # A GiB with 19 free pages, and one with 9 on the same node; chunks of a GiB have 10 pages.
    memory = [(G, 3 * G, 0)]
    both = ((0, 0), (1, 1))

    def does(free: Runs, cut: Cut, **at_most: int) -> bool:
        question = ask(memory, free, Space("free", "chunk", "memory"), limit=2)
        return CutJudge(question, cut_facts(question), (), at_most).may_do(cut)

    assert not does([(G + 5, G + 24, 0), (2 * G + 5, 2 * G + 14, 0)], both)
    assert does([(G + 5, G + 25, 0), (2 * G + 5, 2 * G + 14, 0)], both)
    # One TDMR of both GiBs has 18 pages.
    assert does([(G + 5, G + 23, 0)], ((0, 1),))
    assert not does([(G + 5, G + 22, 0)], ((0, 1),))
    # A piece over the border takes an area on both sides of it.
    over = [(2 * G - 5, 2 * G + 5, 0), (G + 5, G + 15, 0)]
    assert does(over, both)
    assert does(over, both, areas=2)
    assert not does(over, both, areas=1)
    assert not does(over, both, max_areas=0)


def test_a_tdmr_with_more_holes_than_areas_does_no_good_though_others_have_room() -> None:
    # Chunks have 10 pages; there is room for four of them in the last two GiBs.
    memory, free = [(G, 4 * G, 0)], [(2 * G + 5, 2 * G + 25, 0), (3 * G + 5, 3 * G + 25, 0)]
    question = ask(memory, free, Space("free", "chunk", "memory"), limit=2)
    cut = ((0, 0), (1, 1), (2, 2))
    does: list[bool] = []
    for holes in (2, 3):
        facts = cut_facts(question).but(alone=(holes, 0, 0), least_alone=(holes, 0, 0))
        does.append(CutJudge(question, facts, (), {}).may_do(cut))
    assert does == [True, False]


def test_sums() -> None:
    sums = _Sums([1024, 2048, 2, 4, 1])
    reached = {a + b for a in (0, 1024, 2048, 3072) for b in range(8)}
    assert [p for p in range(4000) if p in sums] == sorted(reached)
    assert [p for p in range(9) if p in _Sums([])] == [0]
    # Pieces of the same size are used one by one, small ones (a 64th of the longest) as well.
    assert [p for p in range(300) if p in _Sums([128, 2, 2, 1, 1])] == [
        *range(7),
        *range(128, 135),
    ]

    # Less than a 64th of the longest, but not less than a 65th: small, and used once.
    assert [p for p in range(300) if p in _Sums([129, 2])] == [0, 2, 129, 131]


def test_with_more_sums_than_are_listed_any_length_counts_as_reached() -> None:
    def doubling(number: int) -> list[int]:
        # No two of them have the same sum; all count as large.
        return [(1 << 20) + (1 << k) for k in range(number)]

    assert 12345 not in _Sums(doubling(12))
    assert (2 << 20) + 3 in _Sums(doubling(12))
    assert 12345 in _Sums(doubling(13))
    assert 12345 in _Sums(doubling(14))
    # Many pieces with few sums, or small ones, are all listed.
    assert 12345 not in _Sums([1 << 20] * 40)
    assert 12345 not in _Sums([1 << 20, *(1 << k for k in range(13))])
