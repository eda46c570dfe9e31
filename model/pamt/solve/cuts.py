"""The search over one question, coarse cuts before all cuts where there are many.

With free TDMRs every GiB that holds memory is a place to cut, and the full encoding grows with the
square of their number.  A map with many is first asked with a few likely cuts: what that finds is a
configuration like any other, and optimal where it meets the bound for all cuts.  Then all cuts
follow, up to a size; beyond it the answer stays open and says so.

Source: docs/design.md, section 5 (``--tdmrs free``).
"""

from __future__ import annotations

from dataclasses import replace

from pamt.placement import Objective, Question
from pamt.ranges import GIB
from pamt.smt.bounds import lower_bounds
from pamt.smt.encoding import encode
from pamt.smt.estimate import MOST_MEMORY, Size, estimate
from pamt.smt.floats import Float
from pamt.solve.budget import QUIET, Watch, WithoutBounds
from pamt.solve.result import (
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    SIZE,
    UNDECIDED,
    InternalDisagreement,
    PlaceResult,
    Statistics,
)
from pamt.solve.search import Search

__all__ = ["likely_borders", "search_cuts"]

FEW_CELLS = 12
"""Up to here all cuts are asked at once."""
MANY_CELLS = 48
"""Beyond, not all cuts are asked."""
LIKELY = 10


def search_cuts(
    question: Question,
    order: tuple[str, ...],
    budget: int,
    *,
    canonical: bool,
    floats: tuple[Float, ...] = (),
    known: Objective | None = None,
    watch: Watch = QUIET,
    memory: int = MOST_MEMORY,
) -> PlaceResult:
    """Decide a question without a trivial cause; `known` leaves out whatever is worse.

    Nothing is encoded that would take more than `memory` bytes; the answer is left open then.
    """
    low = lower_bounds(question)
    if low.max_areas > question.limits.max_reserved_per_tdmr:
        return PlaceResult(INFEASIBLE, order, statistics=Statistics("z3"))
    watch.phase("z3: encoding")
    if question.space.tdmrs == "kernel" or len(question.cells) <= FEW_CELLS:
        size = estimate(question)
        if size.memory > memory:
            return _too_large(question, order, size, memory, low)
        encoding = encode(question, floats=floats)
        return Search(encoding, order, budget, known, watch).run(canonical=canonical)
    borders = likely_borders(question, LIKELY)
    size = estimate(question, len(borders) + 1)
    if size.memory > memory:
        return _too_large(question, order, size, memory, low)
    encoding = encode(question, floats=floats, borders=borders)
    some = Search(encoding, order, budget // 2, known, WithoutBounds(watch))
    coarse = some.run(canonical=canonical)
    best = coarse.objective
    many = len(question.cells) > MANY_CELLS
    if best is not None and best.key(order) == low.key(order) and (many or not canonical):
        return replace(coarse, verdict=OPTIMAL, bound=low, canonical=False)
    if many:
        return replace(
            coarse,
            verdict=UNDECIDED if best is None else FEASIBLE,
            bound=low,
            canonical=False,
            reason=f"TDMRs can begin at {len(question.cells)} GiBs, too many for z3: it was asked"
            f" about {len(borders) + 1} of them",
            stopped=SIZE,
        )
    left = budget - coarse.statistics.steps
    size = estimate(question)
    if size.memory > memory:
        open_end = _too_large(question, order, size, memory, low)
        if best is None:
            return replace(open_end, statistics=coarse.statistics)
        return replace(
            coarse,
            verdict=FEASIBLE,
            bound=low,
            canonical=False,
            reason=open_end.reason,
            stopped=SIZE,
        )
    full = Search(encode(question, floats=floats), order, left, best or known, watch)
    result = full.run(canonical=canonical)
    spent = Statistics(
        "z3",
        checks=coarse.statistics.checks + result.statistics.checks,
        steps=coarse.statistics.steps + result.statistics.steps,
        assertions=coarse.statistics.assertions + result.statistics.assertions,
    )
    if result.verdict == INFEASIBLE and best is not None:
        raise InternalDisagreement(
            ("few cuts", "all cuts"), f"INFEASIBLE with all cuts, {best} with {len(borders)}"
        )
    if result.objective is None and best is not None:
        # The budget ran out before the full search came up to what is known.
        bound = result.bound or low
        return replace(
            coarse,
            verdict=FEASIBLE,
            bound=bound,
            canonical=False,
            reason=result.reason,
            stopped=result.stopped,
            statistics=spent,
        )
    return replace(result, statistics=spent)


def _too_large(
    question: Question, order: tuple[str, ...], size: Size, memory: int, low: Objective
) -> PlaceResult:
    gib, runs = len(question.cells), len(question.free)
    return PlaceResult(
        UNDECIDED,
        order,
        bound=low,
        reason=f"the question is too large for z3: with {gib} GiB of memory and {runs} free runs it"
        f" would take about {size.memory >> 20} MiB, more than {memory >> 20} MiB",
        stopped=SIZE,
        statistics=Statistics("z3"),
    )


def likely_borders(question: Question, most: int) -> frozenset[int]:
    """Cells (by index) at which a cut is most likely to help, at most `most` of them.

    Where the kernel cuts, and on both sides of the cells with the most holes, or the most ranges.
    """
    cells = question.cells
    kernel = {tdmr.start // GIB for tdmr in question.kernel_tdmrs}
    counts = question.hole_count().alone
    if question.space.reserve == "minimal":
        per_cell = dict.fromkeys(cells, 0)
        for r in question.memory:
            per_cell[r.start // GIB] += 1
        counts = tuple(per_cell[cell] for cell in cells)
    rank: dict[int, tuple[int, int]] = {}
    for at in range(1, len(cells)):
        crowded = max(counts[at - 1], counts[at])
        worth = crowded if crowded > 1 else 0
        if cells[at] in kernel or worth:
            rank[at] = (-worth, at)
    return frozenset(sorted(rank, key=lambda at: rank[at])[:most])
