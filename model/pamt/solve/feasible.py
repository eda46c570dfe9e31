"""Whether a placement question has any answer at all, asked quickly.

First what excludes every cut; then placements for a few cuts near the kernel's, with one area for
each gap (what fits that way fits in every wider space); then the engine for the space, and z3 where
its encoding is small.  Every budget counts steps, so the same question
has the same answer everywhere, and what ran out is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from pamt.certificate.fill_bound import excludes_claim
from pamt.certificate.relaxation import relax
from pamt.machine import Machine
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.solve.budget import Budget, OutOfNodes
from pamt.solve.cuts import search_cuts
from pamt.solve.engine.any_cut import place_any_cut
from pamt.solve.engine.branch import decide
from pamt.solve.engine.fixed_cut import fix_cut
from pamt.solve.engine.place import handles
from pamt.solve.engine.problem import Limits, pose_problem
from pamt.solve.result import INFEASIBLE

__all__ = ["Feasible", "is_feasible", "quickly_placed", "try_question"]

NODES = 400
"""Nodes of case trees for one cut."""
WORK = 12_000
"""Cuts times TDMRs times stretches of free runs that are tried."""
LEAST_CUTS, MOST_CUTS = 2, 60
STEPS = 3_000_000
"""z3 steps."""
MOST_TERMS, MOST_TERMS_FREE = 8_000, 1_500
"""Free runs times pieces (where the cut is free: times GiBs squared) for which z3 is asked."""
MOST_PLACES, MOST_PLACES_FEW_CUTS = 400, 50_000
"""Free runs times GiBs up to which the engine for any cut looks for a placement by itself: where it
goes through many cuts, and where it looks at few."""
# What few TDMRs and few areas allow, more would not.
ORDER = ("lost", "areas", "tdmrs")


class Feasible(NamedTuple):
    """Whether there is a configuration; None: not settled, and `reason` says what ran out."""

    answer: bool | None
    reason: str | None = None


def is_feasible(machine: Machine, space: Space, given_up: RangeSet | None = None) -> Feasible:
    """Whether a completed machine has a configuration in a space, with these pages withdrawn.

    ``space.give_up`` allows for no further pages.
    Raises :class:`pamt.placement.InputError` where the machine can't be asked about.
    """
    pages = given_up.size // PAGE if given_up is not None else 0
    return try_question(pose(machine, space._replace(give_up=pages), given_up))


def try_question(question: Question, *, quick: bool = False) -> Feasible:
    """The same for a question with no further pages to give up; `quick`: likely cuts alone."""
    if question.trivial is not None:
        return Feasible(False)
    if excludes_claim(question, (), {}):
        return Feasible(False)
    tried = 0
    for tdmrs in _likely_cuts(question):
        tried += 1
        found = _placeable(question, tdmrs)
        if found.answer:
            return found
        if handles(question.space._replace(give_up=0)):
            return found
    if quick:
        return Feasible(None, f"none among {tried} likely cuts")
    if not tried or quickly_placed(question):
        result = place_any_cut(question, ORDER, Budget(NODES), canonical=False).result
        if result.verdict == INFEASIBLE:
            return Feasible(False)
        if result.objective is not None:
            return Feasible(True)
    if _terms(question) > (MOST_TERMS_FREE if question.tdmrs is None else MOST_TERMS):
        return Feasible(None, f"none among {tried} likely cuts; too large for z3 to ask beside")
    asked = search_cuts(question, ("lost",), STEPS, canonical=False)
    if asked.verdict == INFEASIBLE:
        return Feasible(False)
    if asked.objective is not None:
        return Feasible(True)
    return Feasible(None, f"none among {tried} likely cuts, {STEPS:,} z3 steps are spent")


def quickly_placed(question: Question) -> bool:
    """Whether the engine for any cut comes to an end soon."""
    places = len(question.free) * len(question.cells)
    if question.space.reserve == "minimal" or question.tdmrs is not None:
        return places <= MOST_PLACES_FEW_CUTS
    return places <= MOST_PLACES


def _terms(question: Question) -> int:
    runs = max(1, len(question.free))
    pieces = 4 if question.space.pamt == "split" else 1
    if question.tdmrs is not None:
        return runs * len(question.tdmrs) * pieces
    return runs * len(question.cells) ** 2 * pieces


def _placeable(question: Question, tdmrs: Sequence[Range]) -> Feasible:
    """Whether PAMTs fit with these TDMRs, one area for each gap and each chunk (or region)."""
    fixed = fix_cut(question, tdmrs)
    minimal = question.space.reserve == "minimal"
    rule = "memory" if minimal else question.space.reserve
    pamt = "chunk" if minimal else question.space.pamt
    fixed = replace(fixed, space=fixed.space._replace(pamt=pamt, reserve=rule))
    if fixed.trivial is not None:
        return Feasible(None, "the TDMRs of the kernel are exhausted")
    problem = pose_problem(relax(fixed), Limits())
    if problem.overfull:
        return Feasible(False)
    try:
        return Feasible(decide(problem, Budget(NODES)).packing is not None)
    except OutOfNodes as out:
        return Feasible(None, str(out))


def _likely_cuts(question: Question) -> Iterator[tuple[Range, ...]]:
    """The TDMRs there are; or where the cut is free the kernel's, and some near them."""
    if question.tdmrs is not None:
        yield tuple(fact.range for fact in question.tdmrs)
        return
    kernel = question.kernel_tdmrs
    if not kernel or kernel[-1].end < (question.cells[-1] + 1) * GIB:
        return
    stretches = len(question.free) + len(kernel)
    most = max(LEAST_CUTS, min(MOST_CUTS, WORK // (len(kernel) * stretches)))
    yield kernel
    if len(kernel) < question.limits.max_tdmrs:
        for number, cut in enumerate(_parted(question, kernel), 2):
            if number > most:
                break
            yield cut


def _parted(question: Question, tdmrs: Sequence[Range]) -> Iterator[tuple[Range, ...]]:
    """One TDMR parted in two: those with most holes, then the largest, in the middle first."""
    cells = set(question.cells)
    holes = {tdmr: len(question.holes(tdmr)) for tdmr in tdmrs}
    order = sorted(tdmrs, key=lambda t: (-holes[t], -t.size, t.start))
    borders = {tdmr: _middle_first(tdmr, cells) for tdmr in order}
    while borders:
        for tdmr in order:
            if tdmr not in borders:
                continue
            at = next(borders[tdmr], None)
            if at is None:
                del borders[tdmr]
                continue
            parts = (Range(tdmr.start, at), Range(at, tdmr.end))
            yield tuple(part for t in tdmrs for part in (parts if t == tdmr else (t,)))


def _middle_first(tdmr: Range, cells: set[int]) -> Iterator[int]:
    low, high = tdmr.start // GIB, tdmr.end // GIB
    middle = (low + high) // 2
    for at in sorted(range(low + 1, high), key=lambda at: (abs(at - middle), at)):
        if at in cells and at - 1 in cells:
            yield at * GIB
