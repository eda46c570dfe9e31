"""Under ``minimal``, all PAMTs at home: cuts made so that their regions fill given gaps.

A gap takes so many GiBs of 4K regions and a remainder of 2M and 1G regions
(:mod:`pamt.certificate.fill_bound`).  A TDMR of k GiB has about twice k pages of 2M region, so a
remainder says how long a TDMR must be; the largest is left to a TDMR that overhangs its node:

    cells     | low, with holes | node 0              | node 1           | node 2     |
    TDMRs     |<->|<->|<------->|<-k->|<--k-->|<-rest->|<-- n: overhangs -->|<-others->|

Layouts are looked for in this shape only; whether they are any good is for others to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import NamedTuple

from pamt.certificate.cut_bound import CutFacts, cut_facts, cut_ranges
from pamt.certificate.fill_bound import claim_facts, most_filled
from pamt.certificate.near_home import at_home, homes, near
from pamt.placement import NodeRun, Question
from pamt.ranges import GIB, PAGE, Range
from pamt.solve.engine.fill import Layout, filled
from pamt.solve.engine.fixed_cut import fix_cut
from pamt.solve.engine.hang import Pieces, hang

__all__ = ["fill_by_overhang"]

MOST_SETS = 4000
"""Sets of gaps that are looked at for one limit of areas."""
MOST_DESIGNS = 150
"""Cuts for which places are looked for, for one limit of areas."""
SLACK = 4
"""Pages of a remainder that are left to 1G regions and to 2M regions of single GiBs."""

Cut = tuple[tuple[int, int], ...]


class _Shape(NamedTuple):
    """Where cuts are designed: cells (by index) without a hole from `first` on, all of one home."""

    node: int
    low: tuple[tuple[int, int], ...]
    """TDMRs before `first`."""
    first: int
    behind: int
    """The first cell behind that home."""
    end: int
    """The first cell behind the last without a hole."""


def fill_by_overhang(
    question: Question, bound: Mapping[str, int], best: Callable[[], int]
) -> Iterator[Layout]:
    """Layouts with gaps filled, for ever more areas in the fullest TDMR, up to `best` of them.

    `bound`: with ``remote``, for PAMTs at home.  `best`: what is known to be possible now.
    """
    known = {name: bound[name] for name in ("remote", "max_areas") if name in bound}
    if question.tdmrs is not None or question.space.pamt != "split":
        return
    if not {"remote", "max_areas"} <= known.keys() or not at_home(question, known):
        return
    pieces = Pieces(question, at_home=True)
    for cap in range(known["max_areas"], best() + 1):
        if cap > best():
            return
        yield from _within(question, {**known, "max_areas": cap}, cap, pieces)


def _within(
    question: Question, at_most: Mapping[str, int], cap: int, pieces: Pieces
) -> Iterator[Layout]:
    facts, gaps = claim_facts(question, at_most)
    most = most_filled(question, at_most)
    tried = 0
    for chosen, runs in _sets(question, facts, gaps, cap, most):
        shape = _shape(question, cut_facts(question, chosen), cap)
        if shape is None or any(run.node != shape.node for run in runs):
            continue
        for cut in chain(
            _designs(question, shape, runs), _in_single_gib(question, facts, shape, runs)
        ):
            tried += 1
            if tried > MOST_DESIGNS:
                return
            tdmrs = tuple(cut_ranges(facts, cut))
            layout = _layout(question, tdmrs, runs, pieces, cap)
            if layout is not None:
                yield layout
                break


def _layout(
    question: Question, tdmrs: tuple[Range, ...], runs: Sequence[NodeRun], pieces: Pieces, cap: int
) -> Layout | None:
    for wanted in (runs, runs[::-1]):
        placed = filled(pieces.of(tdmrs), wanted)
        if placed is None:
            continue
        fixed = fix_cut(question, tdmrs)
        for some in (0, cap):
            hung = hang(fixed, tdmrs, at_home=True, placed=placed, cap=some)
            if hung is not None:
                return tdmrs, hung.bases
    return None


def _sets(
    question: Question, facts: CutFacts, gaps: Sequence[Range], cap: int, most: int
) -> Iterator[tuple[tuple[Range, ...], list[NodeRun]]]:
    """Sets of gaps that leave no cell with more than `cap` areas; the largest first."""
    unit = question.sizes(1).level_4k // PAGE
    wanted = {at: holes - cap for at, holes in enumerate(facts.alone) if holes > cap}
    inside = {
        gap: [run for run in question.free if gap.start <= run.start and run.end <= gap.end]
        for gap in gaps
    }
    rest = {gap: sum(_pages(run) % unit for run in runs) for gap, runs in inside.items()}
    # What a TDMR that overhangs fills up does not count, so long gaps are as good with it.
    small = sorted(gaps, key=lambda gap: (rest[gap], gap.start))
    room = 2 * sum(home == homes(question)[0] for home in homes(question)) + facts.most
    looked = 0
    for number in range(most, 0, -1):
        found: list[tuple[int, tuple[Range, ...]]] = []
        for chosen in combinations(small, number):
            looked += 1
            if looked > MOST_SETS:
                break
            if any(_in_cell(facts, chosen, at) < count for at, count in wanted.items()):
                continue
            rests = [_pages(run) % unit for gap in chosen for run in inside[gap]]
            if sum(rests) - max(rests) <= room:
                found.append((sum(rests) - max(rests), chosen))
        for _, chosen in sorted(found):
            runs = [run for gap in chosen for run in inside[gap]]
            # The one that is left to a TDMR that overhangs comes first.
            yield chosen, sorted(runs, key=lambda run: (-(_pages(run) % unit), run.start))


def _pages(run: NodeRun) -> int:
    return (run.end - run.start) // PAGE


def _in_cell(facts: CutFacts, gaps: Sequence[Range], cell: int) -> int:
    window = Range(facts.cells[cell] * GIB, (facts.cells[cell] + 1) * GIB)
    return sum(window.start < gap.start and gap.end < window.end for gap in gaps)


def _shape(question: Question, facts: CutFacts, cap: int) -> _Shape | None:
    """The cells behind the last with a hole, and TDMRs as long as may be before them."""
    holes = [at for at, number in enumerate(facts.alone) if number]
    first = max(holes, default=-1) + 1
    cells, home = facts.cells, homes(question)
    if first == len(cells) or cells[-1] - cells[first] != len(cells) - 1 - first:
        return None
    nodes = near(question)[home[first]]
    if len(nodes) != 1:
        return None
    reach = facts.cuts((), cap).reach
    low: list[tuple[int, int]] = []
    at = 0
    while at < first:
        end = min(reach[at], first)
        if end <= at:
            return None
        low.append((at, end - 1))
        at = end
    behind = next((k for k in range(first, len(cells)) if home[k] != home[first]), len(cells))
    return _Shape(min(nodes), tuple(low), first, behind, len(cells))


def _designs(question: Question, shape: _Shape, runs: Sequence[NodeRun]) -> Iterator[Cut]:
    """Cuts with a TDMR for each remainder; and more of them, for what 4K regions must add up to."""
    one = question.sizes(1)
    unit, per_gib = one.level_4k // PAGE, max(1, one.level_2m // PAGE)
    rests = [_pages(run) % unit for run in runs]
    whole = [_pages(run) // unit for run in runs]
    own, total = shape.behind - shape.first, shape.end - shape.first
    inner = [rest // per_gib for rest in rests[1:] if rest >= per_gib]
    for less in range(SLACK):
        over = rests[0] // per_gib - less
        if over < 1:
            return
        seen: set[tuple[int, ...]] = set()
        low = [last - first + 1 for first, last in shape.low]
        for more in _more(low, inner, whole):
            sizes = [*inner, *more]
            # What is left over begins before the one that overhangs, so that no other home has
            # PAMTs; or it comes behind it.
            pad = total - over - sum(sizes)
            for before in (True, False):
                if before and pad > 0 and sum(sizes) + pad < own:
                    some = [*sizes, pad, over]
                elif before or sum(sizes) >= own or sum(sizes) + over > total or pad < 0:
                    continue
                else:
                    some = [*sizes, over, pad] if pad else [*sizes, over]
                if tuple(some) not in seen:
                    seen.add(tuple(some))
                    yield shape.low + _laid(shape.first, some)


def _in_single_gib(
    question: Question, facts: CutFacts, shape: _Shape, runs: Sequence[NodeRun]
) -> Iterator[Cut]:
    """Cuts with ever more TDMRs of a GiB, where 2M regions don't do: each has a 1G region.

    Every TDMR brings a page of 1G region, wherever borders are; 2M regions add up to the same.
    """
    one = question.sizes(1)
    unit, per_gib = one.level_4k // PAGE, max(1, one.level_2m // PAGE)
    rests = [_pages(run) % unit for run in runs]
    own, total = shape.behind - shape.first, shape.end - shape.first
    missing = sum(rests[1:]) - per_gib * own
    if missing <= 0:
        return
    highest = min(facts.most - len(shape.low) - 3, own - 1)
    for single in range(min(highest, max(0, missing - SLACK)), highest + 1):
        inner = [own - 1 - single] if single < own - 1 else []
        for less in range(0, SLACK + 1, 2):
            over = rests[0] // per_gib - less
            pad = total - over - own + 1
            if over > 1 and pad >= 0:
                sizes = [*[1] * single, *inner, over, *([pad] if pad else [])]
                yield shape.low + _laid(shape.first, sizes)


def _more(low: Sequence[int], inner: Sequence[int], whole: Sequence[int]) -> Iterator[list[int]]:
    """TDMRs besides, so that 4K regions may add up: none, or one that completes a run."""
    yield []
    have = sorted({0, *low, *inner, sum(low)})
    wanted = sorted({gib - part for gib in whole for part in have if gib > part})
    for gib in wanted:
        yield [gib]
    for pair in combinations(wanted, 2):
        yield list(pair)


def _laid(first: int, sizes: Sequence[int]) -> Cut:
    found: list[tuple[int, int]] = []
    for size in sizes:
        found.append((first, first + size - 1))
        first += size
    return tuple(found)
