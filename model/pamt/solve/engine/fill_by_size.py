"""Under ``minimal``, all PAMTs at home: cuts of the sizes that are known to fill enough gaps.

The checker goes through sizes of TDMRs to see that none do (:mod:`pamt.certificate.each_number`).
Where some may, they are laid out here in every order, and each gap is filled with regions that add
up to it, each used once; the others are hung.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from pamt.certificate.cut_bound import CutFacts, cut_ranges
from pamt.certificate.each_number import ways_to_fill
from pamt.certificate.fill_bound import claim_facts, gap_runs, most_filled
from pamt.certificate.together import Sizes, TooManyWays
from pamt.placement import NodeRun, Question
from pamt.ranges import PAGE
from pamt.solve.engine.fill import Layout
from pamt.solve.engine.fixed_cut import fix_cut
from pamt.solve.engine.hang import Piece, Pieces, hang

__all__ = ["fill_by_size"]

MOST_WAYS = 40
"""Sizes and gaps that are laid out."""
MOST_CUTS = 150
"""Orders of TDMRs that are tried for one of these."""
MOST_CHOICES = 5_000
"""Choices of regions for one cut."""

Cut = tuple[tuple[int, int], ...]


def fill_by_size(question: Question, at_most: Mapping[str, int]) -> Iterator[Layout]:
    """Layouts with as many gaps filled as a claim that allows this much asks for."""
    facts, gaps = claim_facts(question, at_most)
    if not gaps or facts.fixed is not None:
        return
    few = most_filled(question, at_most)
    cap = min(facts.limit, at_most.get("max_areas", facts.limit))
    reach = facts.unfilled.reach(cap + few)
    pieces = Pieces(question, at_home=True)
    ways = ways_to_fill(question, facts, gap_runs(question, facts, gaps), at_most, few)
    with suppress(TooManyWays):
        for sizes, chosen in islice(ways, MOST_WAYS):
            runs = [
                run
                for run in question.free
                if any(one.gap.start <= run.start and run.end <= one.gap.end for one in chosen)
            ]
            cuts = _cuts(facts, reach, sizes, at_most["tdmrs"])
            for cut in islice(cuts, MOST_CUTS):
                tdmrs = tuple(cut_ranges(facts, cut))
                placed = _filled(pieces.of(tdmrs), runs)
                if placed is None:
                    continue
                fixed = fix_cut(question, tdmrs)
                for some in (0, cap):
                    hung = hang(fixed, tdmrs, at_home=True, placed=placed, cap=some)
                    if hung is not None:
                        yield tdmrs, hung.bases
                        break


def _cuts(facts: CutFacts, reach: Sequence[int], sizes: Sizes, most: int) -> Iterator[Cut]:
    """Cuts that begin with TDMRs of these sizes, in any order; one more takes in the rest."""
    over = range(sizes.over[0], sizes.over[1] + 1) if sizes.over else (0,)
    for gib in over:
        for cut in _orders(facts.cells, reach, sizes.gibs, gib, 0):
            last = cut[-1][1] if cut else -1
            if last + 1 == len(facts.cells):
                yield cut
            elif len(cut) < most and reach[last + 1] == len(facts.cells):
                yield (*cut, (last + 1, len(facts.cells) - 1))


def _orders(
    cells: Sequence[int], reach: Sequence[int], gibs: tuple[int, ...], over: int, first: int
) -> Iterator[Cut]:
    """TDMRs of sizes `gibs` in any order from a cell on; `over`: size of one behind them, or 0."""
    left = gibs or ((over,) if over else ())
    if not left:
        yield ()
        return
    for at, gib in enumerate(left):
        last = bisect_left(cells, cells[first] + gib - 1)
        known = last < reach[first] and cells[last] == cells[first] + gib - 1
        if not known or gib in left[:at]:
            continue
        rest, behind = left[:at] + left[at + 1 :], over if gibs else 0
        if last + 1 < len(cells):
            for cut in _orders(cells, reach, rest, behind, last + 1):
                yield ((first, last), *cut)
        elif not rest and not behind:
            yield ((first, last),)


def _filled(pieces: Sequence[Piece], runs: Sequence[NodeRun]) -> dict[tuple[int, int], int] | None:
    """First pages of pieces that fill all these runs; None where none do, or it takes long."""
    steps = iter(range(MOST_CHOICES))

    def fill(at: int, left: Sequence[Piece]) -> dict[tuple[int, int], int] | None:
        if at == len(runs):
            return {}
        run = runs[at]
        near = sorted((p for p in left if run.node in p.nodes), key=lambda p: (-p.pages, p))
        for chosen in _adding_up(near, (run.end - run.start) // PAGE):
            if next(steps, None) is None:
                return None
            found = fill(at + 1, [piece for piece in left if piece not in chosen])
            if found is not None:
                page = run.start // PAGE
                for piece in sorted(chosen):
                    found[piece.tdmr, piece.level] = page
                    page += piece.pages
                return found
        return None

    return fill(0, pieces)


def _adding_up(pieces: Sequence[Piece], pages: int) -> Iterator[list[Piece]]:
    """Choices of pieces (the longest first) that have exactly so many pages together."""
    sums = [1]
    for piece in reversed(pieces):
        sums.append((sums[-1] | sums[-1] << piece.pages) & ((2 << pages) - 1))
    sums.reverse()

    def choose(at: int, left: int) -> Iterator[list[Piece]]:
        if not left:
            yield []
            return
        for number in range(at, len(pieces)):
            piece = pieces[number]
            if not sums[number] >> left & 1:
                return
            alike = number > at and piece.pages == pieces[number - 1].pages
            if not alike and piece.pages <= left and sums[number + 1] >> (left - piece.pages) & 1:
                for rest in choose(number + 1, left - piece.pages):
                    yield [piece, *rest]

    return choose(0, pages)
