"""Under ``minimal``: fewer gaps can be filled than look it, so areas are bounded better.

Filling a gap (see :mod:`pamt.certificate.cut_bound`) needs PAMTs that add up to its free runs
exactly.  Three arguments, each of them sound by itself:

* **At home.** Where the claim lets `remote` be no more than its floor, TDMRs begin at certain cells
  only, and a run holds only PAMTs of TDMRs nearest to its node (:mod:`near_home`).
* **Remainders.** Every 4K region has a multiple of the pages that one GiB takes, so what a run
  leaves over by that unit must come from 2M and 1G regions.  Of these there is only so much; but
  a TDMR that overhangs the cells of its home may fill up one run, whatever it leaves over.
* **One by one.** Where few cuts are allowed all of them are gone through
  (:mod:`pamt.certificate.each_cut`).

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from pamt.certificate.cut_bound import (
    CutFacts,
    cut_facts,
    excludes,
    fillable_gaps,
    remembered,
    rounded_levels,
)
from pamt.certificate.each_cut import none_does
from pamt.certificate.each_number import no_number_does
from pamt.certificate.home_areas import homes_apart, least_with_homes
from pamt.certificate.home_rooms import blocks_of_homes, full, least_with_rooms
from pamt.certificate.linked import modest, unbridged
from pamt.certificate.near_home import Pool, at_home, barred_cells, pools
from pamt.certificate.opened import areas_opened
from pamt.certificate.together import GapRuns
from pamt.placement import Question
from pamt.ranges import GIB, PAGE, Range

__all__ = [
    "Fills",
    "Gap",
    "claim_facts",
    "excludes_at_once",
    "excludes_by_number",
    "excludes_claim",
    "gap_runs",
    "least_at_home",
    "most_filled",
]

Gap = Range
ANYWHERE = -1
"""Stands for all nodes, where PAMTs may lie on any."""


def excludes_claim(question: Question, order: Sequence[str], at_most: Mapping[str, int]) -> bool:
    """Whether no configuration has all these components at most as stated.

    `order`: those of them that add up over TDMRs, in the order in which they are compared.
    Raises ValueError for a question with a trivial cause.
    """
    facts, gaps = claim_facts(question, at_most)
    if excludes_at_once(question, order, at_most):
        return True
    if facts.fixed is not None:
        return False
    few = most_filled(question, at_most)
    return none_does(question, facts, gaps, at_most, few) or _no_number_does(question, at_most)


def excludes_by_number(
    question: Question, order: Sequence[str], at_most: Mapping[str, int]
) -> bool:
    """Like :func:`excludes_claim`, without going through cuts one by one."""
    return excludes_at_once(question, order, at_most) or _no_number_does(question, at_most)


def _no_number_does(question: Question, at_most: Mapping[str, int]) -> bool:
    facts, gaps = claim_facts(question, at_most)
    if not gaps or facts.fixed is not None:
        return False
    runs = gap_runs(question, facts, gaps)
    return no_number_does(question, facts, runs, at_most, most_filled(question, at_most))


def excludes_at_once(question: Question, order: Sequence[str], at_most: Mapping[str, int]) -> bool:
    """Like :func:`excludes_claim`, without going through cuts, or sizes of TDMRs."""
    facts, gaps = claim_facts(question, at_most)
    if excludes(facts, order, at_most):
        return True
    if facts.fixed is not None:
        return False
    if question.space.reserve != "minimal":
        return _rooms_are_too_few(question, facts, order, at_most)
    few = 0
    if gaps:
        fills = _fills(question, facts, gaps, at_most)
        if _too_few(question, facts, fills, at_most):
            return True
        few = fills.most
    return _homes_need_more(question, facts, order, at_most, few)


def least_at_home(
    question: Question, order: Sequence[str], at_most: Mapping[str, int]
) -> tuple[int, ...] | None:
    """The least of these components, compared in order, where PAMTs of a home need room or areas.

    None where that does not make a difference, or no cut is allowed.  Steps for the components
    in `order` show it.
    """
    facts, gaps = claim_facts(question, at_most)
    if facts.fixed is not None or not at_home(question, at_most) or "areas" not in order:
        return None
    cap = min(facts.limit, at_most.get("max_areas", facts.limit))
    if question.space.reserve == "minimal":
        if (gaps and _fills(question, facts, gaps, at_most).most) or not homes_apart(question):
            return None
        return least_with_homes(question, facts, order, cap)
    if cap < 1 or not full(facts.but(limit=cap), blocks_of_homes(question)):
        return None
    return least_with_rooms(question, facts, order, cap)


def claim_facts(question: Question, at_most: Mapping[str, int]) -> tuple[CutFacts, tuple[Gap, ...]]:
    """What cuts cost under a claim's conditions, and the gaps that may be filled."""
    if question.trivial is not None:
        raise ValueError("this question has no bound over cuts")
    near = at_home(question, at_most)
    key = ("claim", near, at_most.get("max_areas"), at_most.get("tdmrs"))
    known = remembered(question)
    if key not in known:
        known[key] = _claim_facts(question, at_most, near)
    found: tuple[CutFacts, tuple[Gap, ...]] = known[key]
    return found


def _claim_facts(
    question: Question, at_most: Mapping[str, int], near: bool
) -> tuple[CutFacts, tuple[Gap, ...]]:
    barred = barred_cells(question) if near and question.tdmrs is None else frozenset()
    if question.space.reserve != "minimal":
        return cut_facts(question).but(barred=barred), ()
    gaps = fillable_gaps(question)
    if question.tdmrs is not None:
        facts = cut_facts(question, gaps)
        assert facts.fixed is not None
        cap = min(facts.limit, at_most.get("max_areas", facts.limit))
        low = [holes - credit for holes, credit, _ in facts.fixed]
        return facts.but(extra=areas_opened(question, low, cap, near=near)), gaps
    facts = cut_facts(question, gaps).but(barred=barred)
    if not near:
        return facts, gaps
    while gaps:
        some = pools(question, facts, at_most)
        kept = tuple(gap for gap in gaps if _fits(question, gap, some))
        if kept == gaps:
            break
        gaps = kept
        facts = cut_facts(question, gaps).but(barred=barred)
    return facts, gaps


def _runs(question: Question, gap: Gap) -> Iterator[tuple[int, int]]:
    """Node and pages of the free runs that a gap is made of."""
    for node, runs in question.free_by_node.items():
        for run in runs.within(gap):
            yield node, run.size // PAGE


def _cell(facts: CutFacts, gap: Gap) -> int | None:
    """The cell (by index) whose own holes a gap joins; None where a border of cells is between."""
    low = bisect_right(facts.cells, (gap.start - 1) // GIB) - 1
    return low if low >= bisect_left(facts.cells, gap.end // GIB) else None


def gap_runs(question: Question, facts: CutFacts, gaps: Sequence[Gap]) -> dict[int, list[GapRuns]]:
    """What it takes to fill gaps, by the node of the first run of each; all PAMTs at home."""
    found: dict[int, list[GapRuns]] = {}
    for gap in gaps:
        runs = list(_runs(question, gap))
        node = runs[0][0]
        own = tuple(pages for where, pages in runs if where == node)
        found.setdefault(node, []).append(GapRuns(_cell(facts, gap), own, gap))
    return found


def _fits(question: Question, gap: Gap, some: Mapping[int, Pool]) -> bool:
    needs: dict[int, int] = {}
    for node, pages in _runs(question, gap):
        needs[node] = needs.get(node, 0) + pages
    return all(pages <= some[node].pages for node, pages in needs.items())


class _Need(NamedTuple):
    """What filling one gap takes, on the node that it is counted for."""

    cell: int | None
    """The cell (by index) whose own holes it joins; None where a border of cells is between."""
    pages: int
    small: int
    """Pages of 2M and 1G regions it takes at least."""
    spared: tuple[int, ...]
    """The same with one, two, ... runs filled up by TDMRs that overhang."""


class Fills:
    """How many of some gaps can be filled at once under a claim's conditions, at most."""

    def __init__(
        self, question: Question, facts: CutFacts, gaps: Sequence[Gap], at_most: Mapping[str, int]
    ) -> None:
        self._near = at_home(question, at_most)
        if self._near:
            self._pools = pools(question, facts, at_most)
        else:
            number = min(facts.most, len(facts.cells), at_most.get("tdmrs", facts.most))
            sizes = question.sizes(facts.cells[-1] - facts.cells[0] + 1)
            _, second, third = rounded_levels(question)
            small = (sizes.level_2m + sizes.level_1g) // PAGE + (second + third) * number
            whole = sizes.level_4k // PAGE + rounded_levels(question)[0] * number + small
            self._pools = {ANYWHERE: Pool(whole, small, small, ())}
        self._unit = question.sizes(1).level_4k // PAGE
        self._split = question.space.pamt == "split"
        self._needs: dict[int, list[_Need]] = {}
        for gap in gaps:
            runs = list(_runs(question, gap))
            node = runs[0][0] if self._near else ANYWHERE
            own = [pages for n, pages in runs if node in (n, ANYWHERE)]
            self._needs.setdefault(node, []).append(self._need(facts, gap, node, own))

    def _need(self, facts: CutFacts, gap: Gap, node: int, own: Sequence[int]) -> _Need:
        # What is no multiple of a 4K region's unit is 2M and 1G regions.
        rests = [pages % self._unit for pages in own] if self._split else [0]
        over = self._pools[node].overhanging
        # A region that overhangs fits into a run that is no shorter.
        long = [
            rest
            for rest, pages in zip(rests, own, strict=False)
            if any(region <= pages for region in over)
        ]
        long.sort(reverse=True)
        spared = sum(rests) - sum(long[: len(over)])
        saved = list(accumulate(long[: len(over)], initial=0))
        saved += [saved[-1]] * (len(over) + 1 - len(saved))
        assert spared == sum(rests) - saved[-1]
        return _Need(
            _cell(facts, gap),
            sum(own),
            sum(rests),
            tuple(sum(rests) - less for less in saved[1:]),
        )

    @cached_property
    def most(self) -> int:
        """At most so many can be filled."""
        total = 0
        for node, needs in self._needs.items():
            pool = self._pools[node]
            fitting = sum(used <= pool.pages for used in accumulate(sorted(n.pages for n in needs)))
            table = _least_small(needs, fitting, len(pool.overhanging))
            total += max(
                number
                for number, least in enumerate(table)
                if not number or (least[0] <= pool.every and least[-1] <= pool.small)
            )
        return total

    def may_be(self, wanted: Mapping[int, int]) -> bool:
        """Whether in each of these cells (by index) so many may be filled, all at once."""
        for node, needs in self._needs.items():
            pool = self._pools[node]
            over = len(pool.overhanging)
            least = [0] * (over + 1)
            for cell, number in wanted.items():
                inside = [need for need in needs if need.cell == cell]
                others = self._inside(cell) - len(inside)
                own = _least_small(inside, max(0, number - others), over)[-1]
                least = [
                    min(least[k] + own[spared - k] for k in range(spared + 1))
                    for spared in range(over + 1)
                ]
            if least[0] > pool.every or least[-1] > pool.small:
                return False
        return all(number <= self._inside(cell) for cell, number in wanted.items())

    def _inside(self, cell: int) -> int:
        return sum(need.cell == cell for needs in self._needs.values() for need in needs)


NEVER = 1 << 62


def _least_small(needs: Sequence[_Need], number: int, over: int) -> list[list[int]]:
    """The least small pages that 0, 1, ..., `number` of gaps take, each for 0, 1, ... runs spared.

    `over`: runs that may be spared at most, which TDMRs that overhang fill up.
    """
    table = [[0 if not k else NEVER] * (over + 1) for k in range(number + 1)]
    for need in needs:
        costs = (need.small, *need.spared)
        for k in range(number, 0, -1):
            for spared in range(over, -1, -1):
                ways = (table[k - 1][spared - own] + costs[own] for own in range(spared + 1))
                table[k][spared] = min(table[k][spared], *ways)
    return table


def most_filled(question: Question, at_most: Mapping[str, int]) -> int:
    """How many gaps can be filled at once under a claim's conditions, at most; cuts free."""
    facts, gaps = claim_facts(question, at_most)
    return _fills(question, facts, gaps, at_most).most if gaps else 0


def _fills(
    question: Question, facts: CutFacts, gaps: Sequence[Gap], at_most: Mapping[str, int]
) -> Fills:
    """:class:`Fills` of a claim's conditions, made once."""
    known = remembered(question)
    key = ("fills", at_home(question, at_most), at_most.get("max_areas"), at_most.get("tdmrs"))
    if key not in known:
        known[key] = Fills(question, facts, gaps, at_most)
    made: Fills = known[key]
    return made


def _too_few(question: Question, facts: CutFacts, fills: Fills, at_most: Mapping[str, int]) -> bool:
    """Whether filling as many gaps as can be leaves too many areas."""
    cap = min(facts.limit, at_most.get("max_areas", facts.limit))
    wanted = {at: holes - cap for at, holes in enumerate(facts.alone) if holes > cap}
    few = fills.most
    if sum(wanted.values()) > few or not fills.may_be(wanted):
        return True
    if "areas" not in at_most:
        return False
    near = at_home(question, at_most)
    # Either all PAMTs share areas with stretches inside cells, or there is an area besides.
    most = at_most["areas"] + few
    return _stretches(question, facts, near, cap + few, "all") > most or (
        _stretches(question, facts, near, cap + few, "unbridged") + 1 > most
        and _stretches(question, facts, near, cap + few, "modest") > most
    )


def _rooms_are_too_few(
    question: Question, facts: CutFacts, order: Sequence[str], at_most: Mapping[str, int]
) -> bool:
    """``memory``, ``cmr``: whether nodes have too few areas left for their own PAMTs."""
    cap = min(facts.limit, at_most.get("max_areas", facts.limit))
    blocks = blocks_of_homes(question) if at_home(question, at_most) else ()
    if cap < 1 or not full(facts.but(limit=cap), blocks):
        return False
    names = ("areas", *order) if "areas" in at_most and "areas" not in order else tuple(order)
    least = least_with_rooms(question, facts, names, cap)
    return least is None or least > tuple(at_most[name] for name in names)


def _homes_need_more(
    question: Question,
    facts: CutFacts,
    order: Sequence[str],
    at_most: Mapping[str, int],
    few: int,
) -> bool:
    """Whether areas of homes make it too much, with `few` gaps filled at most."""
    most = min(facts.limit, at_most.get("max_areas", facts.limit))
    near = at_home(question, at_most)
    least: tuple[int, ...] | None = None
    if near and homes_apart(question):
        least = least_with_homes(question, facts, ("areas",), most + few)
        if least is None:
            return True
    areas = least[0] if least else _stretches(question, facts, near, most + few, "all")
    if "tdmrs" in at_most and _too_many(facts, at_most, most, few, areas - few):
        return True
    if least is None or "areas" not in at_most:
        return False
    names = order if "areas" in order else ("areas", *order)
    limits = {**at_most, "areas": at_most["areas"] + few}
    least = least_with_homes(question, facts, names, most + few)
    return least is None or least > tuple(limits[name] for name in names)


def _too_many(facts: CutFacts, at_most: Mapping[str, int], most: int, few: int, areas: int) -> bool:
    """Whether so many areas, `most` in a TDMR, take too many TDMRs, or these too many pages."""
    number = -(-areas // most)
    if number > at_most["tdmrs"]:
        return True
    if number <= 1 or "pamt_pages" not in at_most:
        return False
    cuts = facts.unfilled.but(limit=most + few).cuts(("pamt_pages",))
    numbers = range(number, min(at_most["tdmrs"], len(facts.cells), facts.most) + 1)
    return all(cuts.layer(n)[0] > at_most["pamt_pages"] for n in numbers)


def _stretches(question: Question, facts: CutFacts, near: bool, cap: int, kind: str) -> int:
    """The fewest stretches to be reserved, `cap` in a TDMR at most; of one kind of cuts."""
    known = remembered(question)
    key = ("stretches", near, cap, kind)
    if key not in known:
        if kind == "unbridged":
            facts = unbridged(facts)
        elif kind == "modest":
            facts = modest(question, facts, at_home=near)
        # An area that is there whatever the stretches is not counted.
        least = facts.unfilled.but(limit=cap).cuts(("areas",)).least_number
        known[key] = NEVER if least is None else least
    found: int = known[key]
    return found
