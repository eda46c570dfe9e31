"""The cases of pages given up, against every set of pages: none missing, none invented.

What makes a case is written here a second time, of a set of pages instead of a choice of parts.
In a GiB that is too large to go only four pages at its ends and one in between are tried; all pages
in between do the same.
"""

from __future__ import annotations

from itertools import combinations, product

import pytest

from pamt.certificate.withdrawal import Case, list_cases
from pamt.machine import Cmr, Limits, Machine, MemoryRange
from pamt.placement import Question, Space, pose
from pamt.placement.space import ReserveRule
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.standins import complete

MAPS = {
    "three parts": [(GIB - 3 * PAGE, 2 * GIB + 3 * PAGE, 0)],
    "ends of two": [(GIB - 2 * PAGE, 2 * GIB + 2 * PAGE, 0)],
    "ends of one": [(GIB - PAGE, 2 * GIB + PAGE, 0)],
    "two ranges": [(GIB - PAGE, GIB + 4 * PAGE, 0), (3 * GIB, 3 * GIB + 2 * PAGE, 0)],
    "two nodes": [(GIB - 3 * PAGE, GIB, 0), (GIB, 2 * GIB + 3 * PAGE, 1)],
    "many": [(2 * GIB - 3 * PAGE, 4 * GIB + 4 * PAGE, 1), (5 * GIB - PAGE, 5 * GIB + PAGE, 0)],
    "same GiB": [(GIB - 4 * PAGE, GIB + 2 * PAGE, 0), (GIB + 4 * PAGE, GIB + 5 * PAGE, 0)],
}
Key = tuple[object, ...]


def built(name: str, hidden: int = 0) -> Machine:
    """The map, of which the CMRs leave out the first pages."""
    memory = tuple(MemoryRange(start, end, node) for start, end, node in MAPS[name])
    cmrs = None
    if hidden:
        runs = RangeSet(Range(r.start, r.end) for r in memory)
        cut = runs - RangeSet([Range(memory[0].start, memory[0].start + hidden * PAGE)])
        cmrs = tuple(Cmr(r.start, r.size) for r in cut)
    return complete(Machine(limits=Limits(), memory=memory, cmrs=cmrs)).machine


def parts_of(question: Question) -> list[tuple[int, Range]]:
    found = []
    for owner, r in enumerate(question.memory):
        for gib in range(r.start // GIB, (r.end - 1) // GIB + 1):
            part = Range(max(r.start, gib * GIB), min(r.end, (gib + 1) * GIB))
            found.append((owner, part))
    return found


def tried(part: Range) -> list[int]:
    size = part.size // PAGE
    at = range(size) if size < 6 else (0, 1, 2, size // 2, size - 1)
    return [part.start + i * PAGE for i in at]


def keys(parts: list[tuple[int, Range]], gone: set[int], space: Space) -> list[Key]:
    """The cases that a set of pages is in: of a border that is open on both sides, either's."""

    def whole(part: Range) -> bool:
        return part.size // PAGE < 6 and gone.issuperset(tried(part))

    ways: list[list[tuple[int, str]]] = []
    for at, (owner, part) in enumerate(parts):
        if whole(part):
            ways.append([(at, "whole")])
            continue
        if space.tdmrs == "free" or at + 1 == len(parts):
            continue
        other, following = parts[at + 1]
        if other != owner or whole(following):
            continue
        first = next(page for page in range(*part, PAGE) if page not in gone)
        sides = ["left"] if any(first < page < part.end for page in gone) else []
        sides += ["right"] if following.start in gone else []
        if sides and space.reserve != "memory":
            sides = ["either"]
        if sides:
            ways.append([(at, side) for side in sides])
    return [("layouts", *way) for way in product(*ways)]


def every_set(parts: list[tuple[int, Range]], limit: int) -> list[set[int]]:
    pages = [page for _, part in parts for page in tried(part)]
    most = min(limit, sum(part.size // PAGE for _, part in parts) - 1)
    return [set(chosen) for n in range(most + 1) for chosen in combinations(pages, n)]


def check(case: Case, base: Question, parts: list[tuple[int, Range]], limit: int) -> None:
    """What a case says of itself follows from its key."""
    items: list[tuple[int, str]] = list(case.key[1:])  # type: ignore[arg-type]
    whole = [parts[at][1] for at, side in items if side == "whole"]
    opened = {at: side for at, side in items if side != "whole"}
    gone = base.given_up | RangeSet(whole)
    assert case.pages == gone.size // PAGE + len(opened)
    free_to_go = limit - case.pages + len(opened)
    assert case.slack == (free_to_go if base.space.reserve == "minimal" else 0)
    assert case.gone == gone
    memory: list[MemoryRange] = []
    for owner, r in enumerate(base.memory):
        ends = [parts[at][1].end for at in opened if parts[at][0] == owner]
        left = [e - PAGE for e in ends if opened[_at(parts, owner, e)] == "left"]
        right = [e for e in ends if opened[_at(parts, owner, e)] == "right"]
        holes = RangeSet([*whole, *(Range(p, p + PAGE) for p in (*left, *right))])
        for low, high in zip([r.start, *ends], [*ends, r.end], strict=True):
            runs = RangeSet([Range(low, high)]) - holes
            memory += [MemoryRange(run.start, run.end, r.node, r.origin) for run in runs]
    assert case.question.memory == tuple(memory)
    assert case.question.given_up == gone
    free = [(n.start, n.end, n.node) for n in case.question.free]
    expected = [
        (run.start, run.end, n.node)
        for n in base.free
        for run in RangeSet([n.range]) - RangeSet(whole)
    ]
    assert free == expected


def _at(parts: list[tuple[int, Range]], owner: int, end: int) -> int:
    return parts.index(next(p for p in parts if p[0] == owner and p[1].end == end))


@pytest.mark.parametrize("tdmrs", ["kernel", "free"])
@pytest.mark.parametrize("reserve", ["memory", "cmr", "minimal"])
@pytest.mark.parametrize("name", MAPS)
def test_cases_are_those_of_all_sets_of_pages(name: str, reserve: ReserveRule, tdmrs: str) -> None:
    for limit in (0, 1, 2, 3):
        if name == "many" and limit == 3:
            continue
        space = Space(tdmrs, "chunk", reserve, limit)  # type: ignore[arg-type]
        machine = built(name)
        base = pose(machine, space)
        parts = parts_of(base)
        listed = list(list_cases(machine, space, limit, "layouts"))
        cases = {case.key: case for case in listed}
        assert len(cases) == len(listed)
        assert listed[0].key == ("layouts",)
        for case in listed:
            check(case, base, parts, limit)
        least: dict[Key, int] = {}
        ways: dict[Key, set[int]] = {}
        for gone in every_set(parts, limit):
            for key in keys(parts, gone, space):
                case = cases[key]
                if len(gone) == least.setdefault(key, len(gone)):
                    ways.setdefault(key, set()).update(p for p in gone if p not in case.gone)
                if tdmrs == "kernel":
                    runs = RangeSet(Range(page, page + PAGE) for page in gone)
                    real = pose(machine, space, runs)
                    layout = real.kernel_tdmrs
                    assert layout == case.question.kernel_tdmrs, (key, gone)
        # A border between parts of one or two pages may stay open to both sides on paper.
        exact = reserve == "memory" or all(part.size > 2 * PAGE for _, part in parts)
        if exact:
            assert cases.keys() == least.keys()
        for key, pages in least.items():
            assert pages == cases[key].pages
            assert len(cases[key].places) == sum(side != "whole" for _, side in key[1:])  # type: ignore[misc]
            everywhere = {
                page
                for place in cases[key].places
                for _, part in parts
                for page in tried(part)
                if page in place
            }
            assert everywhere == ways[key] if exact else everywhere >= ways[key]


def test_pages_outside_the_cmrs_count() -> None:
    """One part begins later; no more than the rest of the limit may go besides."""
    space = Space("kernel", "chunk", "minimal", 3)
    machine = built("three parts", hidden=1)
    hidden = RangeSet([Range(GIB - 3 * PAGE, GIB - 2 * PAGE)])
    base = pose(machine, space, hidden)
    listed = list(list_cases(machine, space, 3, "layouts"))
    for case in listed:
        check(case, base, parts_of(base), 3)
    assert [len(case.key) - 1 for case in listed] == [0, 1, 1, 2, 1]
    assert [case.pages for case in listed] == [1, 3, 2, 3, 2]
    assert list(list_cases(machine, space, 0, "layouts")) == []
