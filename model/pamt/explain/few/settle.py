"""Addresses for the pages that a run has left open, so that the holes they make fit in.

Whether a page makes a hole depends on whether it lies beside one, beside another withdrawn page, or
neither; which TDMR it counts in, on the TDMR it lies in.  If any addresses fit, so do some that lie
at ends of regions, at borders of TDMRs, or near ends of ranges, or up to a few pages from one of
those of another page.  Pages that are left over fill what separates a hole from the next.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from pamt.explain.few.ground import Ground
from pamt.explain.few.pages import holds_page, meets
from pamt.explain.few.run import Forked
from pamt.kernel.areas import find_holes
from pamt.ranges import GIB, PAGE, Range, RangeSet, align_up

__all__ = ["settled"]


def settled(
    ground: Ground, run: Forked, most: int, spend: Callable[[], None]
) -> Iterator[tuple[Range, ...]]:
    """Sets of at most `most` pages with which the run goes as it went and every area fits.

    `spend` is called for each set that is looked at.
    """
    fits = _Fits(ground, run)
    places = [_places(ground, run, page, most) for page in range(len(run.pages))]
    seen: set[frozenset[int]] = set()
    for chosen in _choices(run, places, most):
        pages = frozenset(chosen)
        if pages in seen or len(pages) < len(run.pages):
            continue
        seen.add(pages)
        for full in _filled(ground, run, pages, most - len(pages)):
            spend()
            if fits(full):
                yield RangeSet(Range(at, at + PAGE) for at in full).runs


def _choices(run: Forked, places: Sequence[Sequence[int]], most: int) -> Iterator[tuple[int, ...]]:
    """One address for each page: of `places`, or a few pages from one chosen before."""

    def rest(chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        number = len(chosen)
        if number == len(places):
            yield chosen
            return
        where = run.pages[number].where
        beside = [at + step * PAGE for at in chosen for step in range(-most, most + 1) if step]
        for at in dict.fromkeys([*places[number], *(at for at in beside if holds_page(where, at))]):
            yield from rest((*chosen, at))

    yield from rest(())


def _places(ground: Ground, run: Forked, number: int, most: int) -> list[int]:
    """Addresses that stand for all there are, those that make no hole first."""
    edges: list[int] = []
    others: list[int] = []
    for part in run.pages[number].where:
        for r in ground.listed[ground.first_at(part.start) :]:
            if r.start >= part.end:
                break
            for step in range(most):
                edges += [r.start + step * PAGE, r.end - (step + 1) * PAGE]
        for step in range(most + 1):
            others += [part.end - (step + 1) * PAGE, part.start + step * PAGE]
        for laid in run.tdmrs:
            for border in laid.range:
                others += [border, border - PAGE]
    where = run.pages[number].where
    return [at for at in dict.fromkeys([*edges, *others]) if holds_page(where, at)]


def _filled(
    ground: Ground, run: Forked, pages: frozenset[int], spare: int
) -> Iterator[frozenset[int]]:
    """`pages`, and with them what lies between holes, as far as `spare` further pages go."""
    yield pages
    islands: list[range] = []
    ordered = sorted(pages)
    for at in ordered if spare else ():
        r = ground.range_of(at)
        if r is None:
            continue
        above = min([other for other in ordered if other > at] + [r.end])
        below = max([other + PAGE for other in ordered if other < at] + [r.start])
        islands += [range(at + PAGE, above, PAGE), range(below, at, PAGE)]
    small = list(dict.fromkeys(i for i in islands if 0 < len(i) <= spare))
    for number in range(1, len(small) + 1):
        for chosen in combinations(small, number):
            more = [at for island in chosen for at in island]
            if len(more) <= spare and not any(_kept(ground, run, at) for at in more):
                yield pages | frozenset(more)


def _kept(ground: Ground, run: Forked, page: int) -> bool:
    return meets(ground.barred, page, page + PAGE) or meets(run.chunks, page, page + PAGE)


class _Fits:
    """Whether the run goes as it went without given pages, and every TDMR has areas enough."""

    def __init__(self, ground: Ground, run: Forked) -> None:
        self._ground = ground
        self._run = run
        self._borders = {laid.range.end for laid in run.tdmrs}
        self._starts = [laid.range.start for laid in run.tdmrs]

    def __call__(self, pages: frozenset[int]) -> bool:
        ground, run = self._ground, self._run
        cut = set(ground.borders)
        touched: set[int] = set()
        for at in pages:
            r = ground.range_of(at)
            if r is None or meets(run.chunks, at, at + PAGE):
                return False
            if at != r.start and at - PAGE not in pages:
                cut.add(align_up(at, GIB))
            touched.add(bisect_right(self._starts, at) - 1)
        if cut != self._borders:
            return False
        limit = ground.limits.max_reserved_per_tdmr
        if not ground.holes_count:
            return True
        for number in touched:
            laid = run.tdmrs[number]
            if laid.areas + self._holes(laid.range, pages) - ground.holes(laid.range) > limit:
                return False
        return True

    def _holes(self, tdmr: Range, pages: frozenset[int]) -> int:
        listed: list[Range] = []
        for r in self._ground.listed[self._ground.first_at(tdmr.start) :]:
            if r.start >= tdmr.end:
                break
            start = r.start
            for at in sorted(page for page in pages if r.start <= page < r.end):
                if at > start:
                    listed.append(Range(start, at))
                start = at + PAGE
            if start < r.end:
                listed.append(Range(start, r.end))
        return len(find_holes(tdmr, listed))
