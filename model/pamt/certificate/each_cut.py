"""One by one: all cuts that a claim allows, each shown to do no good, where these are few.

The walk leaves out what :class:`pamt.certificate.cut_bound.Cuts` says costs too much.  A cut does
no good when, with its TDMRs known,

* ``minimal``: the gaps that its regions can add up to, each looked at alone, leave too many areas;
* ``memory``, ``cmr``: more PAMTs of some size or more have to lie near a home than there is room
  for: a TDMR holds no more than its areas let in, nor more than its free runs are long.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from pamt.certificate.cut_bound import CutFacts, Cuts
from pamt.certificate.linked import modest, opens
from pamt.certificate.near_home import at_home, homes, near
from pamt.placement import Question
from pamt.ranges import GIB, PAGE, Range

__all__ = ["AllCuts", "CutJudge", "TooMany", "none_does"]

MOST_STEPS = 60_000
"""Steps of going through all cuts; a claim that takes more is not proved this way."""
ROOM_STEPS = 20
"""Steps that stand for one look at whether all PAMTs have room."""
MOST_SUMS = 4096
"""Sums of large regions that are listed one by one."""

Cut = tuple[tuple[int, int], ...]
"""First and last cell (by index) of each TDMR."""


class TooMany(Exception):
    """There are more cuts than can be gone through."""


def none_does(
    question: Question,
    facts: CutFacts,
    gaps: Sequence[Range],
    at_most: Mapping[str, int],
    few: int,
) -> bool:
    """Whether all cuts are few, and none can have all components at most as stated.

    `few`: gaps that can be filled at once, at most.
    """
    if "tdmrs" not in at_most and not (facts.own and "areas" in at_most):
        return False
    judge = CutJudge(question, facts, gaps, at_most)
    # With ``memory`` and ``cmr`` it takes long to see that a cut does no good.
    steps = MOST_STEPS // ROOM_STEPS if facts.own else MOST_STEPS
    try:
        return not any(judge.may_do(cut) for cut in AllCuts(facts, at_most, steps, few=few))
    except TooMany:
        return False


class AllCuts:
    """All cuts whose TDMRs, areas and PAMT pages are at most as stated, gaps counted as filled.

    `few`: gaps that can be filled at once, at most; None: not known.
    Iterating raises TooMany after `steps` steps.
    """

    def __init__(
        self,
        facts: CutFacts,
        at_most: Mapping[str, int],
        steps: int = MOST_STEPS,
        *,
        few: int | None = None,
    ) -> None:
        self._facts = facts
        self._most = min(facts.most, len(facts.cells), at_most.get("tdmrs", facts.most))
        self._limits: list[tuple[Cuts, int]] = []
        if few is not None and not facts.own:
            cap = few + min(facts.limit, at_most.get("max_areas", facts.limit))
            names, limit = (("areas",), at_most["areas"]) if "areas" in at_most else ((), 0)
            plain = facts.unfilled.but(limit=cap).cuts(names)
            self._limits.append((plain, few + limit))
        for name in ("areas", "pamt_pages"):
            if name in at_most:
                self._limits.append((facts.cuts((name,), at_most.get("max_areas")), at_most[name]))
        if not {"areas", "pamt_pages"} & at_most.keys():
            self._limits.append((facts.cuts((), at_most.get("max_areas")), 0))
        self._left = steps

    def __iter__(self) -> Iterator[Cut]:
        limits = [limit for _, limit in self._limits]
        # Without a single TDMR: what no number of them can go below.
        if any(cuts.relaxed[0] > limit for cuts, limit in self._limits):
            return
        for number in range(1, self._most + 1):
            self._spend(1 + len(self._facts.cells) // 16)
            if all(cuts.layer(number)[0] <= limit for cuts, limit in self._limits):
                yield from self._go(0, number, limits)

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooMany

    def _go(self, first: int, number: int, left: Sequence[int]) -> Iterator[Cut]:
        """From cell `first` on, into `number` TDMRs; what is `left` is enough for some."""
        if number == 1:
            self._spend(1)
            yield ((first, len(self._facts.cells) - 1),)
            return
        # All ends are looked at for the last limit, which leaves few over for the others.
        cuts, limit = self._limits[-1][0], left[-1]
        self._spend(1 + (cuts.reach[first] - first) // 64)
        behind = [(each, each.layer(number - 1), each.reach[first]) for each, _ in self._limits]
        for last in cuts.ends(number, first, limit):
            rest: list[int] = []
            for (each, least, reach), spare in zip(behind, left, strict=True):
                rest.append(spare - each.alone(first, last))
                if last >= reach or rest[-1] < least[last + 1]:
                    break
            else:
                for following in self._go(last + 1, number - 1, rest):
                    yield ((first, last), *following)


class CutJudge:
    """Whether a cut, with its TDMRs known, may come to what a claim allows."""

    def __init__(
        self,
        question: Question,
        facts: CutFacts,
        gaps: Sequence[Range],
        at_most: Mapping[str, int],
    ) -> None:
        self._question = question
        self._facts = facts
        self._near = at_home(question, at_most)
        self._homes = homes(question)
        self._nodes = near(question)
        self._plain = facts.unfilled
        self._most = min(facts.limit, at_most.get("max_areas", facts.limit))
        self._areas = at_most.get("areas")
        self._gaps = [(gap, list(_runs_in(question, gap))) for gap in gaps]
        self._wanted = sorted({node for _, runs in self._gaps for node, _ in runs})
        self._sizes: dict[int, tuple[int, ...]] = {}
        self._fillable: dict[tuple[tuple[int, ...], ...], list[bool]] = {}
        self._modest = None if facts.own else modest(question, facts, at_home=self._near)

    def may_do(self, cut: Cut) -> bool:
        if self._modest is None:
            return self._room_for_all(cut)
        left = self.left(cut)
        if max(left) > self._most:
            return False
        if self._areas is None:
            return True
        areas = sum(left)
        if areas > self._areas:
            return False
        return max(1, areas + opens(self._plain, self._modest, cut)) <= self._areas

    def left(self, cut: Cut) -> list[int]:
        """``minimal``: areas of each TDMR, with every gap filled that could be alone."""
        return [
            self._plain.holes(a, b) - credit
            for (a, b), credit in zip(cut, self.credit(cut), strict=True)
        ]

    def credit(self, cut: Cut) -> list[int]:
        """For each TDMR, the gaps inside it that the pieces of this cut can fill, one at a time."""
        cells = self._facts.cells
        starts = [cells[first] * GIB for first, _ in cut]
        credit = [0] * len(cut)
        for (gap, _), fills in zip(self._gaps, self._filled(cut), strict=True):
            at = bisect_right(starts, gap.start - 1) - 1
            # It takes a page on either side of the gap to join something.
            if at >= 0 and fills and gap.end < (cells[cut[at][1]] + 1) * GIB:
                credit[at] += 1
        return credit

    def _filled(self, cut: Cut) -> list[bool]:
        """For each gap, whether pieces of this cut add up to its runs; asked once for all sizes."""
        cells = self._facts.cells
        sizes = tuple(
            tuple(
                sorted(
                    cells[last] - cells[first] + 1
                    for first, last in cut
                    if not self._near or node in self._nodes[self._homes[first]]
                )
            )
            for node in self._wanted
        )
        found = self._fillable.get(sizes)
        if found is None:
            sums = {
                node: _Sums([pages for gib in some for pages in self._pieces(gib)])
                for node, some in zip(self._wanted, sizes, strict=True)
            }
            found = [all(pages in sums[n] for n, pages in runs) for _, runs in self._gaps]
            self._fillable[sizes] = found
        return found

    def _pieces(self, gib: int) -> tuple[int, ...]:
        found = self._sizes.get(gib)
        if found is None:
            sizes = self._question.sizes(gib)
            whole = self._question.space.pamt == "chunk"
            found = tuple(size // PAGE for size in ((sizes.total,) if whole else sizes))
            self._sizes[gib] = found
        return found

    def _room_for_all(self, cut: Cut) -> bool:
        """Whether room and free runs let PAMTs of every size or more lie near their homes."""
        cells = self._facts.cells
        room = [self._most - self._facts.holes(a, b) for a, b in cut]
        if self._areas is not None:
            spare = self._areas - sum(self._facts.holes(a, b) for a, b in cut)
            if spare < len(cut):
                return False
            # So many TDMRs may split: three pieces each, one for all others.
            splits = (spare - len(cut)) // 2
        else:
            splits = len(cut)
        if sum(room) < len(cut) or min(room) < 0:
            return False
        whole = self._question.space.pamt == "chunk" or splits == 0
        ranges = [Range(cells[a] * GIB, (cells[b] + 1) * GIB) for a, b in cut]
        need: dict[frozenset[int], list[int]] = {}
        for first, last in cut:
            sizes = self._question.sizes(cells[last] - cells[first] + 1)
            # Split or not, one piece of every TDMR is no smaller than its largest region.
            size = sizes.total if whole else max(sizes)
            nodes = (
                self._nodes[self._homes[first]]
                if self._near
                else frozenset(self._question.free_by_node)
            )
            need.setdefault(nodes, []).append(size)
        for nodes, sizes_here in need.items():
            sizes_here.sort(reverse=True)
            for number, size in enumerate(sizes_here, 1):
                if self._supply(nodes, size, ranges, room) < number:
                    return False
        return True

    def _supply(
        self,
        nodes: frozenset[int],
        size: int,
        ranges: Sequence[Range],
        room: Sequence[int],
    ) -> int:
        """Pieces of `size` bytes that room and runs let in on these nodes."""
        slots = [0] * len(ranges)
        shared = 0
        starts = [where.start for where in ranges]
        for node in nodes:
            for run in self._question.free_by_node[node]:
                if run.size < size:
                    continue
                first = bisect_right(starts, run.start) - 1
                last = bisect_right(starts, run.end - 1) - 1
                for at in range(first, last + 1):
                    part = run.clip(ranges[at])
                    slots[at] += part.size // size
                    # Across a border: a piece that begins here takes room here and behind.
                    if at < last and room[at] > 0 and room[at + 1] > 0:
                        shared += 1
        return sum(map(min, slots, room)) + shared


class _Sums:
    """What some pieces can add up to, each used once at most; too much rather than too little."""

    def __init__(self, pieces: Sequence[int]) -> None:
        longest = max(pieces, default=0)
        large = [p for p in pieces if p * 64 >= longest]
        small = [p for p in pieces if p * 64 < longest]
        self._small = 1
        self._large: set[int] | None = {0}
        for pages in small:
            self._small |= self._small << pages
        for pages in large:
            if self._large is not None and len(self._large) <= MOST_SUMS // 2:
                self._large |= {total + pages for total in self._large}
            else:
                self._large = None

    def __contains__(self, pages: int) -> bool:
        if self._large is None:
            return True
        return any(pages >= total and self._small >> (pages - total) & 1 for total in self._large)


def _runs_in(question: Question, gap: Range) -> Iterator[tuple[int, int]]:
    """Node and pages of the free runs that a gap is made of."""
    for node, runs in question.free_by_node.items():
        for run in runs.within(gap):
            yield node, run.size // PAGE
