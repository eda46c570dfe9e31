"""Under ``minimal``: fewer gaps can be filled than look it, so areas are bounded better.

Filling a gap (see :mod:`pamt.certificate.cut_bound`) needs PAMTs that add up to its free runs
exactly.  Three arguments, each of them sound by itself:

* **At home.** Where the claim lets `remote` be no more than its floor, a run holds only PAMTs of
  TDMRs that are nearest to its node.  Those begin on certain cells and reach only so far.
* **Remainders.** Every 4K region has a multiple of the pages that one GiB takes, so what a run
  leaves over by that unit must come from 2M and 1G regions, and of these there is only so much.
* **One by one.** Where few TDMRs are allowed all cuts are gone through, and what their regions can
  add up to is known exactly.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from pamt.certificate.cut_bound import (
    CutFacts,
    Cuts,
    cut_facts,
    cut_ranges,
    excludes,
    fillable_gaps,
)
from pamt.placement import Question
from pamt.ranges import GIB, PAGE, Range

__all__ = ["Gap", "claim_facts", "excludes_claim"]

MOST_STEPS = 60_000
"""Steps of going through all cuts; a claim that takes more is not proved this way."""

Gap = Range


def excludes_claim(question: Question, order: Sequence[str], at_most: Mapping[str, int]) -> bool:
    """Whether no configuration has all these components at most as stated.

    `order`: those of them that add up over TDMRs, in the order in which they are compared.
    Raises ValueError for a question with a trivial cause.
    """
    facts, gaps = claim_facts(question, at_most)
    if excludes(facts, order, at_most):
        return True
    if not gaps or facts.fixed is not None:
        return False
    few = most_fills(question, facts, gaps, at_most)
    return _too_few(facts, few, at_most) or _none_fits(question, facts, gaps, at_most)


def claim_facts(question: Question, at_most: Mapping[str, int]) -> tuple[CutFacts, tuple[Gap, ...]]:
    """What cuts cost under a claim's conditions, and the gaps that may be filled."""
    if question.trivial is not None:
        raise ValueError("this question has no bound over cuts")
    if question.space.reserve != "minimal":
        return cut_facts(question), ()
    gaps = fillable_gaps(question)
    if question.tdmrs is not None:
        facts = cut_facts(question, gaps)
        near = _at_home(question, at_most)
        return replace(facts, extra=_extra(question, near)), gaps
    facts = cut_facts(question, gaps)
    if not _at_home(question, at_most):
        return facts, gaps
    while gaps:
        rooms = _rooms(question, facts, at_most)
        kept = tuple(gap for gap in gaps if _fits(question, gap, rooms))
        if kept == gaps:
            break
        gaps = kept
        facts = cut_facts(question, gaps)
    return facts, gaps


def _at_home(question: Question, at_most: Mapping[str, int]) -> bool:
    """Whether the claim forces every PAMT page to a node nearest to its TDMR's home."""
    if "remote" not in at_most or not question.free:
        return False
    if question.tdmrs is None:
        homes = {r.node for r in question.memory}
        nodes = question.free_by_node
        return at_most["remote"] <= 0 and all(
            question.weight(a, b) >= 0 for a in homes for b in nodes
        )
    return at_most["remote"] <= sum(
        fact.pages * _least_weight(question, fact.home) for fact in question.tdmrs
    )


def _least_weight(question: Question, home: int) -> int:
    return min(question.weight(home, node) for node in question.free_by_node)


def _extra(question: Question, at_home: bool) -> int:
    """With fixed TDMRs: areas that PAMTs add where a TDMR has no hole that must be reserved.

    A TDMR's largest piece may fit into such TDMRs alone; each family of TDMRs that share none of
    those adds as many areas.
    """
    assert question.tdmrs is not None
    facts = question.tdmrs
    free_of = [not _has_forced(question, fact.range) for fact in facts]
    families: list[frozenset[int]] = []
    for fact in facts:
        size = fact.sizes.total if question.space.pamt == "chunk" else max(fact.sizes)
        least = _least_weight(question, fact.home) if question.free else 0
        met: set[int] = set()
        for run in question.free:
            if run.end - run.start < size:
                continue
            if at_home and question.weight(fact.home, run.node) != least:
                continue
            met |= {at for at, other in enumerate(facts) if other.range.overlaps(run.range)}
        if met and all(free_of[at] for at in met):
            families.append(frozenset(met))
    taken: set[int] = set()
    number = 0
    for family in sorted(families, key=lambda f: (len(f), sorted(f))):
        if not family & taken:
            taken |= family
            number += 1
    return number


def _has_forced(question: Question, tdmr: Range) -> bool:
    outside = question.cmr_runs.complement(tdmr)
    return bool(outside) and any(
        outside.overlaps(hole) for hole in question.memory_set.complement(tdmr)
    )


def _rooms(
    question: Question, facts: CutFacts, at_most: Mapping[str, int]
) -> dict[int, tuple[int, int]]:
    """For each node: pages of all PAMTs that may lie there, and of their 2M and 1G regions."""
    cells = facts.cells
    reach = Cuts(facts, (), at_most.get("max_areas")).reach
    homes = [question.facts(Range(c * GIB, (c + 1) * GIB)).home for c in cells]
    rooms: dict[int, tuple[int, int]] = {}
    for node in question.free_by_node:
        covered = behind = 0
        starts = 0
        for at, home in enumerate(homes):
            if reach[at] <= at or question.weight(home, node) > 0:
                continue
            starts += 1
            low, high = max(behind, cells[at]), cells[reach[at] - 1] + 1
            covered += max(0, high - low)
            behind = max(behind, high)
        number = min(starts, facts.most, at_most.get("tdmrs", facts.most))
        sizes = question.sizes(covered)
        small = (sizes.level_2m + sizes.level_1g) // PAGE + 2 * number
        rooms[node] = (sizes.level_4k // PAGE + number + small, small)
    return rooms


def _runs(question: Question, gap: Gap) -> Iterator[tuple[int, int]]:
    """Node and pages of the free runs that a gap is made of."""
    for node, runs in question.free_by_node.items():
        for run in runs.within(gap):
            yield node, run.size // PAGE


def _fits(question: Question, gap: Gap, rooms: Mapping[int, tuple[int, int]]) -> bool:
    needs: dict[int, int] = {}
    for node, pages in _runs(question, gap):
        needs[node] = needs.get(node, 0) + pages
    return all(pages <= rooms[node][0] for node, pages in needs.items())


def most_fills(
    question: Question, facts: CutFacts, gaps: Sequence[Gap], at_most: Mapping[str, int]
) -> int:
    """At most so many of these gaps can be filled at once."""
    if _at_home(question, at_most):
        rooms = _rooms(question, facts, at_most)
    else:
        number = min(facts.most, len(facts.cells), at_most.get("tdmrs", facts.most))
        sizes = question.sizes(facts.cells[-1] - facts.cells[0] + 1)
        small = (sizes.level_2m + sizes.level_1g) // PAGE + 2 * number
        rooms = {-1: (sizes.level_4k // PAGE + number + small, small)}
    unit = question.sizes(1).level_4k // PAGE
    split = question.space.pamt == "split"
    needs: dict[int, list[tuple[int, int]]] = {}
    for gap in gaps:
        runs = list(_runs(question, gap))
        node = runs[0][0] if -1 not in rooms else -1
        own = [pages for n, pages in runs if node in (n, -1)]
        # What is no multiple of a 4K region's unit is 2M and 1G regions.
        rest = sum(pages % unit for pages in own) if split else 0
        needs.setdefault(node, []).append((sum(own), rest))
    total = 0
    for node, wanted in needs.items():
        total += min(
            _count([pages for pages, _ in wanted], rooms[node][0]),
            _count([rest for _, rest in wanted], rooms[node][1]),
        )
    return total


def _count(needs: Sequence[int], room: int) -> int:
    return sum(used <= room for used in accumulate(sorted(needs)))


def _too_few(facts: CutFacts, few: int, at_most: Mapping[str, int]) -> bool:
    """Whether filling `few` gaps at most leaves too many areas."""
    cap = min(facts.limit, at_most.get("max_areas", facts.limit))
    if sum(max(0, holes - cap) for holes in facts.alone) > few:
        return True
    if "areas" not in at_most:
        return False
    plain = Cuts(replace(facts.unfilled(), limit=cap + few), ("areas",)).least
    return plain is None or plain[0] - few > at_most["areas"]


def _none_fits(
    question: Question, facts: CutFacts, gaps: Sequence[Gap], at_most: Mapping[str, int]
) -> bool:
    """Whether, of all cuts with so few TDMRs, none can fill as many gaps as it must."""
    if "tdmrs" not in at_most:
        return False
    cap = at_most.get("max_areas")
    plain = facts.unfilled()
    at_home = _at_home(question, at_most)
    walk = _Walk(facts, at_most)
    try:
        for cut in walk.cuts():
            tdmrs = list(cut_ranges(facts, cut))
            credit = _exact_credit(question, tdmrs, gaps, at_home)
            holes = [plain.holes(a, b) for a, b in cut]
            left = [h - c for h, c in zip(holes, credit, strict=True)]
            most = facts.limit if cap is None else min(cap, facts.limit)
            if max(left) <= most and max(1, sum(left)) <= at_most.get("areas", sum(left) + 1):
                return False
    except _TooMany:
        return False
    return True


class _TooMany(Exception):
    pass


class _Walk:
    """All cuts whose TDMRs, areas and PAMT pages are at most as stated, gaps counted as filled."""

    def __init__(self, facts: CutFacts, at_most: Mapping[str, int]) -> None:
        self._facts = facts
        self._most = min(at_most["tdmrs"], facts.most, len(facts.cells))
        self._limits: list[tuple[Cuts, int]] = []
        for name in ("areas", "pamt_pages"):
            if name in at_most:
                self._limits.append((Cuts(facts, (name,), at_most.get("max_areas")), at_most[name]))
        if not self._limits:
            self._limits.append((Cuts(facts, (), at_most.get("max_areas")), 0))
        self._steps = 0

    def cuts(self) -> Iterator[tuple[tuple[int, int], ...]]:
        for number in range(1, self._most + 1):
            yield from self._go(0, number, [limit for _, limit in self._limits])

    def _go(
        self, first: int, number: int, left: Sequence[int]
    ) -> Iterator[tuple[tuple[int, int], ...]]:
        if number == 0:
            if first == len(self._facts.cells):
                yield ()
            return
        allowed: set[int] | None = None
        spent: list[list[int]] = []
        for (cuts, _), limit in zip(self._limits, left, strict=True):
            layer = cuts.layer(number - 1)
            if cuts.layer(number)[first] > limit:
                return
            costs = cuts.step(cuts.behind(layer), first)
            self._steps += 1 + len(costs) // 16
            fits = {size for size, cost in enumerate(costs) if cost <= limit}
            allowed = fits if allowed is None else allowed & fits
            spent.append([cost - layer[first + size + 1] for size, cost in enumerate(costs)])
        if self._steps > MOST_STEPS:
            raise _TooMany
        for size in sorted(allowed or ()):
            rest = [limit - own[size] for limit, own in zip(left, spent, strict=True)]
            for following in self._go(first + size + 1, number - 1, rest):
                yield ((first, first + size), *following)


def _exact_credit(
    question: Question, tdmrs: Sequence[Range], gaps: Sequence[Gap], at_home: bool
) -> list[int]:
    """For each TDMR, the gaps inside it that the pieces of this cut can fill, one at a time."""
    sums: dict[int, int] = {}
    credit = [0] * len(tdmrs)
    longest = max(pages for gap in gaps for _, pages in _runs(question, gap))
    mask = (1 << (longest + 1)) - 1
    facts = [question.facts(tdmr) for tdmr in tdmrs]
    for gap in gaps:
        inside = [at for at, tdmr in enumerate(tdmrs) if tdmr.contains(gap)]
        if not inside:
            continue
        good = True
        for node, pages in _runs(question, gap):
            if node not in sums:
                bits = 1
                for fact in facts:
                    if at_home and question.weight(fact.home, node) > 0:
                        continue
                    chunk = question.space.pamt == "chunk"
                    for size in (fact.sizes.total,) if chunk else fact.sizes:
                        bits |= bits << (size // PAGE) & mask
                sums[node] = bits
            good = good and bool(sums[node] >> pages & 1)
        credit[inside[0]] += good
    return credit
