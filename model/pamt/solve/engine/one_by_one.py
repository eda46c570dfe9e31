"""Under ``minimal``: all cuts better than what is known, where they are few, best first.

For each it is known what its regions can add up to, so most are seen to do no good; for the others
the gaps are filled and the remaining PAMTs hung.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations

from pamt.certificate.cut_bound import cut_ranges
from pamt.certificate.each_cut import AllCuts, Cut, CutJudge, TooMany
from pamt.certificate.fill_bound import claim_facts
from pamt.placement import Objective, Question
from pamt.ranges import Range
from pamt.solve.engine.fill import Layout, filled
from pamt.solve.engine.fixed_cut import fix_cut
from pamt.solve.engine.hang import Pieces, hang

__all__ = ["better_cuts"]

MOST_STEPS = 60_000
MOST_TRIED = 12
"""Cuts that may do for which a layout is looked for."""
FEW_TDMRS = 3
"""TDMRs that are gone up to where the bound does not say how many."""
MOST_SETS = 32


def better_cuts(
    question: Question, order: Sequence[str], bound: Mapping[str, int], best: Objective
) -> Iterator[Layout]:
    """Layouts of cuts that may be better than `best`, those that may cost least first."""
    at_most: dict[str, int] = {}
    for name in order:
        known = getattr(best, name)
        if known > bound[name]:
            at_most[name] = known - 1
            break
        at_most[name] = known
    if "tdmrs" not in at_most:
        at_most["tdmrs"] = FEW_TDMRS
    facts, gaps = claim_facts(question, at_most)
    judge = CutJudge(question, facts, gaps, at_most)
    found: list[tuple[tuple[int, ...], Cut]] = []
    with suppress(TooMany):
        found.extend(
            (_key(judge, facts.pages, facts.cells, cut, order), cut)
            for cut in AllCuts(facts, at_most, MOST_STEPS)
            if judge.may_do(cut)
        )
    at_home = "remote" in order
    pieces = Pieces(question, at_home=at_home)
    for _, cut in sorted(found)[:MOST_TRIED]:
        tdmrs = tuple(cut_ranges(facts, cut))
        for bases in _filled_or_not(question, tdmrs, gaps, pieces, at_home):
            yield tdmrs, bases


def _key(
    judge: CutJudge, pages: Sequence[int], cells: Sequence[int], cut: Cut, order: Sequence[str]
) -> tuple[int, ...]:
    left = judge.left(cut)
    values = {
        "max_areas": max(left),
        "areas": sum(left),
        "tdmrs": len(cut),
        "pamt_pages": sum(pages[cells[b] - cells[a] + 1] for a, b in cut),
    }
    return tuple(values.get(name, 0) for name in order)


def _filled_or_not(
    question: Question,
    tdmrs: Sequence[Range],
    gaps: Sequence[Range],
    all_pieces: Pieces,
    at_home: bool,
) -> Iterator[tuple[tuple[int, int, int], ...]]:
    """Bases for one cut, with as many gaps filled as is found."""
    pieces = all_pieces.of(tdmrs)
    fixed = fix_cut(question, tdmrs)
    inside = [gap for gap in gaps if any(tdmr.contains(gap) for tdmr in tdmrs)]
    tried = 0
    for number in range(len(inside), -1, -1):
        for some in combinations(inside, number):
            if tried >= MOST_SETS:
                return
            tried += 1
            wanted = [
                run
                for run in question.free
                if any(gap.start <= run.start and run.end <= gap.end for gap in some)
            ]
            wanted.sort(key=lambda run: (run.start - run.end, run.start))
            for runs in (wanted, wanted[::-1]):
                placed = filled(pieces, runs)
                if placed is None:
                    continue
                for opened in range(len(question.free_by_node) + 1):
                    layout = hang(fixed, tdmrs, at_home=at_home, placed=placed, opened=opened)
                    if layout is not None:
                        yield layout.bases
                        return
                break
