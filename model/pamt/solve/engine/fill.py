"""Under ``minimal``: gaps between stretches that must be reserved, filled with PAMTs exactly.

    memory     |=========|    |===|    |==========|
    reserved   |    |0000|    |111|    |2222|            three areas
    PAMTs                     |PQQ|                      P and Q fill the gap: one area

Which lengths can be filled follows from the sizes of TDMRs, so cuts are tried in canonical order
until the pieces add up to every free run that is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, islice
from math import gcd
from typing import NamedTuple

from pamt.certificate.check import floor
from pamt.certificate.cut_bound import ADDITIVE, CutFacts, cut_facts, cut_ranges
from pamt.certificate.fill_bound import claim_facts
from pamt.certificate.near_home import at_home, barred_cells
from pamt.placement import NodeRun, Question
from pamt.ranges import PAGE, Range
from pamt.solve.engine.cut_choice import cheapest_cuts, sampled_cuts
from pamt.solve.engine.fixed_cut import fix_cut
from pamt.solve.engine.hang import Piece, Pieces, hang

__all__ = ["Layout", "fill", "filled"]

FEW_GAPS = 5
"""Up to here all sets of gaps are looked at; of more, the shortest."""
SET_SIZES = (1, 2, 3, 4, 6, 8)
MOST_CUTS = 200
"""Cuts looked at for a set of gaps."""
MOST_DRAWN = 800
"""Cuts drawn at random besides."""
MORE_TDMRS = 4
"""TDMRs that a cut may have beyond the least number."""
MOST_HUNG = 20
"""Cuts whose pieces add up, but whose other pieces found no place."""

Layout = tuple[tuple[Range, ...], tuple[tuple[int, int, int], ...]]


class _Filling(NamedTuple):
    """A set of gaps to be filled: what cuts cost then, and the least of each component."""

    gaps: tuple[Range, ...]
    facts: CutFacts
    bounds: dict[str, int]

    @property
    def key(self) -> tuple[int, ...]:
        return tuple(self.bounds.values())


def fill(
    question: Question, order: Sequence[str], best: Callable[[], tuple[int, ...] | None]
) -> Iterator[Layout]:
    """Cuts with places for all PAMTs, gaps filled; sets of gaps with the lowest bound first.

    `best`: the key of the best configuration known so far; sets that can't beat it are left out.
    """
    _, gaps = claim_facts(question, {"remote": floor(question, "remote")})
    ranked: list[_Filling] = []
    for chosen in _sets(gaps):
        facts = _facts(question, chosen, order)
        bounds = _bounds(question, facts, order)
        if bounds is not None and _may_be(question, chosen, bounds):
            ranked.append(_Filling(chosen, facts, bounds))
    for filling in sorted(ranked, key=lambda filling: filling.key):
        known = best()
        if known is None or filling.key < known:
            yield from _with(question, order, filling)


def _may_be(question: Question, gaps: Sequence[Range], values: Mapping[str, int]) -> bool:
    """Whether all these gaps may be filled where this little is allowed."""
    known = {name: values[name] for name in ("remote", "max_areas") if name in values}
    return set(gaps) <= set(claim_facts(question, known)[1])


def _facts(question: Question, gaps: Sequence[Range], order: Sequence[str]) -> CutFacts:
    """What cuts cost with these gaps filled; where PAMTs are to be at home, only such cuts."""
    facts = cut_facts(question, gaps)
    if "remote" in order and at_home(question, {"remote": floor(question, "remote")}):
        return facts.but(barred=barred_cells(question)) if facts.fixed is None else facts
    return facts


def _bounds(question: Question, facts: CutFacts, order: Sequence[str]) -> dict[str, int] | None:
    """The least of each component, in order, with the gaps of `facts` filled."""
    values: dict[str, int] = {}
    for name in order:
        held = tuple(n for n in values if n in ADDITIVE)
        if name in ("lost", "remote"):
            values[name] = floor(question, name)
        elif name == "max_areas":
            want = tuple(values[n] for n in held)
            for cap in range(1, facts.limit + 1):
                least = facts.cuts(held, cap).least
                if least is not None and least <= want:
                    values[name] = cap
                    break
            else:
                return None
        else:
            least = facts.cuts((*held, name), values.get("max_areas")).least
            if least is None:
                return None
            values[name] = least[-1]
    return values


def _sets(gaps: Sequence[Range]) -> Iterator[tuple[Range, ...]]:
    if len(gaps) <= FEW_GAPS:
        for number in range(len(gaps), 0, -1):
            yield from combinations(gaps, number)
        return
    short = sorted(gaps, key=lambda gap: (gap.size, gap.start))
    for number in SET_SIZES:
        yield tuple(sorted(short[:number]))


def _with(question: Question, order: Sequence[str], filling: _Filling) -> Iterator[Layout]:
    """Layouts that fill these gaps, with cuts that then cost least."""
    wanted = [
        run
        for run in question.free
        if any(gap.start <= run.start and run.end <= gap.end for gap in filling.gaps)
    ]
    wanted.sort(key=lambda run: (run.start - run.end, run.start))
    at_home = "remote" in order
    all_pieces = Pieces(question, at_home=at_home)
    for cuts in _cuts(question, order, filling, wanted):
        # The cheapest of the cuts of one kind; the kinds come cheapest first.
        hung = 0
        found: list[tuple[int, Layout]] = []
        for tdmrs in cuts:
            pieces = all_pieces.of(tdmrs)
            pages = sum(piece.pages for piece in pieces)
            if hung >= MOST_HUNG or (found and pages >= found[0][0]):
                continue
            placed = filled(pieces, wanted)
            if placed is None:
                continue
            hung += 1
            fixed = fix_cut(question, tdmrs)
            for cap in (0, question.limits.max_reserved_per_tdmr):
                layout = hang(fixed, tdmrs, at_home=at_home, placed=placed, cap=cap)
                if layout is not None and not cap:
                    found = [(pages, (tdmrs, layout.bases))]
                elif layout is not None:
                    yield tdmrs, layout.bases
                if layout is not None:
                    break
        if found:
            yield found[0][1]
            return


def filled(pieces: Sequence[Piece], wanted: Sequence[NodeRun]) -> dict[tuple[int, int], int] | None:
    """First pages of pieces that fill all these runs; None where they don't add up."""
    placed: dict[tuple[int, int], int] = {}
    for run in wanted:
        near = [p for p in pieces if run.node in p.nodes and p[:2] not in placed]
        chosen = exact_sum(near, (run.end - run.start) // PAGE)
        if chosen is None:
            return None
        page = run.start // PAGE
        for piece in chosen:
            placed[piece.tdmr, piece.level] = page
            page += piece.pages
    return placed


def _cuts(
    question: Question, order: Sequence[str], filling: _Filling, wanted: Sequence[NodeRun]
) -> Iterator[Iterator[tuple[Range, ...]]]:
    """Kinds of cuts: those that cost least, then of ever more TDMRs."""
    if question.tdmrs is not None:
        yield iter([tuple(fact.range for fact in question.tdmrs)])
        return
    facts, values = filling.facts, filling.bounds
    additive = tuple(name for name in order if name in ADDITIVE)
    most = values.get("max_areas")
    cheapest = cheapest_cuts(facts, additive, most)
    yield (tuple(cut_ranges(facts, cut)) for cut in islice(cheapest, MOST_CUTS))
    sizes = _telling_sizes(question, wanted)
    least = values.get("tdmrs", 1)
    areas = ("areas",) if "areas" in order else ()
    for count in range(least, min(least + MORE_TDMRS, facts.most) + 1):
        drawn = sampled_cuts(facts, areas, most, count, sizes, MOST_DRAWN)
        yield (tuple(cut_ranges(facts, cut)) for cut in drawn)


def _telling_sizes(question: Question, wanted: Sequence[NodeRun]) -> list[int]:
    """Numbers of GiB whose regions alone, or those of all other TDMRs, would fill much of a run."""
    one = question.sizes(1)
    cells = len(question.cells)
    span = question.cells[-1] - question.cells[0] + 1
    found: set[int] = set()
    for run in wanted:
        pages = run.end - run.start
        for count in range(pages // one.level_4k, max(-1, pages // one.level_4k - 3), -1):
            rest = (pages - count * one.level_4k) // one.level_2m
            for gib in (count, rest, rest - 1):
                found |= {gib, cells - gib, span - gib}
    return sorted(found)


def exact_sum(pieces: Sequence[Piece], pages: int) -> list[Piece] | None:
    """Pieces that have exactly so many pages together, in canonical order; None if none do.

    Large pieces (the 4K regions) are counted in a unit of their own, so that sums stay short.
    """
    if not pieces:
        return None
    longest = max(p.pages for p in pieces)
    large = [p for p in pieces if p.pages * 64 >= longest]
    small = [p for p in pieces if p.pages * 64 < longest]
    unit = gcd(*(p.pages for p in large))
    some = _sums([p.pages for p in small], pages)
    many = _sums([p.pages // unit for p in large], pages // unit)
    rest = sum(p.pages for p in small)
    for count in range(max(0, -(-(pages - rest) // unit)), pages // unit + 1):
        if many[-1] >> count & 1 and some[-1] >> (pages - unit * count) & 1:
            chosen = _pick(large, [p.pages // unit for p in large], many, count)
            chosen += _pick(small, [p.pages for p in small], some, pages - unit * count)
            return sorted(chosen)
    return None


def _sums(sizes: Sequence[int], most: int) -> list[int]:
    """For each number of first sizes, the sums of some of them, as bits."""
    found = [1]
    mask = (1 << (most + 1)) - 1
    for size in sizes:
        found.append((found[-1] | found[-1] << size) & mask)
    return found


def _pick(
    pieces: Sequence[Piece], sizes: Sequence[int], sums: Sequence[int], total: int
) -> list[Piece]:
    chosen: list[Piece] = []
    for at in range(len(pieces) - 1, -1, -1):
        if not sums[at] >> total & 1:
            chosen.append(pieces[at])
            total -= sizes[at]
    return chosen
