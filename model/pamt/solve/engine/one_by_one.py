"""Under ``minimal``: all cuts better than what is known, where they are few, best first.

For each it is known what its regions can add up to, so most are seen to do no good; for the others
the gaps are filled and the remaining PAMTs hung.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations, islice

from pamt.certificate.cut_bound import ADDITIVE, cut_ranges
from pamt.certificate.each_cut import AllCuts, Cut, CutJudge, TooMany
from pamt.certificate.fill_bound import claim_facts, excludes_by_number, most_filled
from pamt.placement import Objective, Question
from pamt.ranges import Range
from pamt.solve.engine.cut_choice import Bounds, is_excluded, least_beyond
from pamt.solve.engine.fill import Layout, filled
from pamt.solve.engine.fill_by_size import fill_by_size
from pamt.solve.engine.fixed_cut import fix_cut
from pamt.solve.engine.hang import Pieces, hang

__all__ = ["better_cuts"]

MOST_STEPS = 60_000
FEW_STEPS = 10_000
"""Where the bound does not say how many TDMRs there are."""
MOST_JUDGED = 12_000
"""Cuts for which it is worked out what their regions add up to."""
MOST_TRIED = 12
"""Cuts that may do for which a layout is looked for."""
FEW_TDMRS = 3
"""TDMRs that are gone up to where the bound does not say how many."""
MOST_SETS = 32


def better_cuts(
    question: Question, order: Sequence[str], bound: Mapping[str, int], best: Objective
) -> Iterator[Layout]:
    """Layouts of cuts that may be better than `best`, those that may cost least first."""
    held: dict[str, int] = {}
    for name in order:
        known = getattr(best, name)
        additive = [n for n in (*held, name) if n in ADDITIVE]
        less = {**held, name: known - 1}
        # Whether another cut has fewer pages is soon seen; all else is asked for the bound, too.
        excluded = excludes_by_number if name == "pamt_pages" else is_excluded
        if known > bound[name] and not excluded(question, additive, less):
            if name == "tdmrs":
                yield from fill_by_size(question, less)
            # Pages are mostly far less than they could be, and the less the fewer are the cuts.
            parts = (32, 8, 2, 1) if name == "pamt_pages" else (1,)
            so_far = Bounds(order)
            so_far.values = dict(held)
            low = known if parts == (1,) else least_beyond(question, so_far, name)[0]
            for part in parts:
                limit = known - 1 if part == 1 else low + (known - low) // part
                yield from _with(question, order, {**less, name: limit})
        held[name] = known


def _with(question: Question, order: Sequence[str], limits: Mapping[str, int]) -> Iterator[Layout]:
    at_most = {"tdmrs": FEW_TDMRS, **limits}
    steps = MOST_STEPS if "tdmrs" in limits else FEW_STEPS
    facts, gaps = claim_facts(question, at_most)
    few = most_filled(question, at_most)
    judge = CutJudge(question, facts, gaps, at_most)
    found: list[tuple[tuple[int, ...], Cut]] = []
    with suppress(TooMany):
        found.extend(
            (_key(judge, facts.pages, facts.cells, cut, order), cut)
            for cut in islice(AllCuts(facts, at_most, steps, few=few), MOST_JUDGED)
            if judge.may_do(cut)
        )
    at_home = "remote" in order
    pieces = Pieces(question, at_home=at_home)
    most = min(facts.limit, at_most.get("max_areas", facts.limit))
    for _, cut in sorted(found)[:MOST_TRIED]:
        tdmrs = tuple(cut_ranges(facts, cut))
        for bases in _filled_or_not(question, tdmrs, gaps, pieces, at_home, most):
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
    most: int,
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
                for cap in (0, most):
                    layout = hang(fixed, tdmrs, at_home=at_home, placed=placed, cap=cap)
                    if layout is not None:
                        yield layout.bases
                        return
                break
