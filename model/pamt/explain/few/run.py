"""The kernel's run with unknown pages gone: it goes on until it asks where they are, then forks.

TDMRs are laid out one by one, in address order, each with its chunk before the next:

* **where it ends**: at the next border where one ends in any case, or at a GiB border below, if an
  unknown page there cuts it.  A page cuts at the first border at or above its address, unless it is
  the first of its range or stands right above another withdrawn page;
* **which slot its chunk gets**: the first one free, or, if an unknown page lies in that, the next.

Every fork is exhaustive and its branches exclude each other: "no page lies there", "the first of
the pages known so far that lies there is number i", "only a further page does".  A branch ends as
soon as a TDMR has more areas than the module takes, whatever the pages do.

Right above a withdrawn page another one cuts nothing, where the two would cut at different borders
(the lower is the first page of a GiB) or the lower cuts none (it is the first of its range).  Such
a pair is of use only if a slot begins with its upper page, so it is looked for there.

Sources: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c, fill_out_tdmrs, tdmr_populate_rsvd_areas;
mm/page_alloc.c, alloc_contig_pages.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pamt.explain.few.ground import Ground
from pamt.explain.few.pages import Region, Unknown, clip, drop, drop_all, inside, meets
from pamt.explain.room import populated, share
from pamt.kernel.contig import first_slot
from pamt.kernel.sizes import pamt_sizes
from pamt.kernel.variants import Variant
from pamt.machine import MemoryRange
from pamt.ranges import GIB, PAGE, Range, align_down, align_up

__all__ = ["Fork", "Forked", "Laid"]


class Laid(NamedTuple):
    """A TDMR and its areas so far: holes, and the chunks inside."""

    range: Range
    areas: int


class Wanted(NamedTuple):
    """A chunk to be found next."""

    size: int
    home: int


class Forked(NamedTuple):
    """A run as far as it has got."""

    pages: tuple[Unknown, ...]
    tdmrs: tuple[Laid, ...]
    chunks: tuple[Range, ...]
    silent: Region
    """Where no page may lie that cuts."""
    free: tuple[tuple[int, tuple[Range, ...]], ...]
    """By node, without the chunks."""
    wanted: Wanted | None = None
    cuts: tuple[int, ...] = ()
    """Borders at which a TDMR was cut without a page."""

    @property
    def end(self) -> int:
        return self.tdmrs[-1].range.end if self.tdmrs else 0


class Fork:
    """Runs of `variant` on a ground, with at most `most` pages of unknown address.

    At up to `cuts` further GiB borders TDMRs may end for no reason: a kernel that cuts them there.
    """

    def __init__(self, ground: Ground, variant: Variant, most: int, cuts: int = 0) -> None:
        self._ground = ground
        self._variant = variant
        self._most = most
        self._cuts_for_free = cuts
        self._limit = ground.limits.max_reserved_per_tdmr
        self._share = share(ground.limits, variant.dynamic_pamt)
        self._gibs = sorted(populated(ground.listed))

    def begin(self) -> Forked:
        return Forked((), (), (), (), tuple(self._ground.free.items()))

    def is_done(self, run: Forked) -> bool:
        """Every TDMR is laid out and has its chunk."""
        ground = self._ground
        return run.wanted is None and ground.first_at(run.end) == len(ground.listed)

    def after(self, run: Forked) -> Iterator[Forked]:
        """The branches of a run that is not done; none if it fails."""
        return self._next_tdmr(run) if run.wanted is None else self._chunk(run, run.wanted)

    def finished(self, spend: Callable[[int], None]) -> Iterator[Forked]:
        """Every run in which each TDMR has its chunk; `spend` is told of every step."""
        stack: list[Iterator[Forked]] = [iter((self.begin(),))]
        while stack:
            run = next(stack[-1], None)
            if run is None:
                stack.pop()
                continue
            spend(1)
            if self.is_done(run):
                yield run
            else:
                stack.append(self.after(run))

    # Layout ---------------------------------------------------------------------------------------

    def _next_tdmr(self, run: Forked) -> Iterator[Forked]:
        ground = self._ground
        at = run.end
        to_come = len(ground.borders) - bisect_right(ground.borders, at)
        spare = ground.limits.max_tdmrs - len(run.tdmrs) - to_come
        if spare < 0 or not self._has_room(run):
            return
        first = ground.listed[ground.first_at(at)]
        base = max(align_down(first.start, GIB), at)
        border = ground.borders[-to_come]
        yield from self._end_at(run, first, Range(base, border))
        if spare > 0:
            if len(run.cuts) < self._cuts_for_free:
                for cut in range(base + GIB, border, GIB):
                    cutting = run._replace(cuts=(*run.cuts, cut))
                    yield from self._end_at(cutting, first, Range(base, cut))
            for cut in self._cuts(run, base, border):
                # Pages that cut there; the first page of a range does not.
                region = self._ground.memory(cut - GIB + PAGE, cut + PAGE, starts=False)
                for cutting in self._one_lies_in(run, region, cuts=True):
                    yield from self._end_at(cutting, first, Range(base, cut))

    def _has_room(self, run: Forked) -> bool:
        """False where counting shows that the chunks to come find no room."""
        fitting = [self._share.fit(r.size) for _, runs in run.free for r in runs]
        at = bisect_left(self._gibs, run.end)
        if len(self._gibs) - at > sum(fitting):
            return False
        most = max(fitting)
        cuts = self._most - len(run.pages) + self._cuts_for_free - len(run.cuts)
        cuts += sum(page.where[-1].end > run.end for page in run.pages)
        borders = self._ground.borders
        for border in borders[bisect_right(borders, run.end) :]:
            held = bisect_left(self._gibs, border, at) - at
            at += held
            if held > most:
                cuts -= -(-held // most) - 1
                if cuts < 0:
                    return False
        return True

    def _cuts(self, run: Forked, base: int, border: int) -> Iterable[int]:
        """GiB borders between the two at which a page may cut."""
        if not self._most:
            return ()
        if len(run.pages) < self._most:
            return range(base + GIB, border, GIB)
        found: set[int] = set()
        for page in run.pages:
            for part in clip(page.where, base + PAGE, border - GIB + PAGE):
                found.update(range(align_up(part.start, GIB), part.end - PAGE + GIB, GIB))
        return sorted(found)

    def _end_at(self, run: Forked, first: MemoryRange, tdmr: Range) -> Iterator[Forked]:
        """The TDMR is `tdmr`; no page cuts it further below."""
        quiet = _without_start(
            Range(tdmr.start + PAGE, tdmr.end - GIB + PAGE), max(first.start, tdmr.start)
        )
        pages = run.pages
        if quiet:
            kept = []
            for page in pages:
                where = page.where if page.quiet else drop_all(page.where, quiet)
                if not where:
                    return
                kept.append(page._replace(where=where))
            pages = tuple(kept)
        areas = self._ground.holes(tdmr) + sum(chunk.overlaps(tdmr) for chunk in run.chunks)
        laid = Laid(tdmr, areas)
        if areas + self._further_holes(pages, tdmr) > self._limit:
            return
        size = pamt_sizes(tdmr.size, self._ground.limits, self._variant.dynamic_pamt).total
        yield run._replace(
            pages=pages,
            tdmrs=(*run.tdmrs, laid),
            silent=(*run.silent, *quiet),
            wanted=Wanted(size, first.node),
        )

    def _further_holes(self, pages: tuple[Unknown, ...], tdmr: Range) -> int:
        """1 if a page makes a hole of its own in `tdmr`, wherever it lies."""
        if not self._ground.holes_count:
            return 0
        return int(any(inside(p.where, *tdmr) and not self._near_an_edge(p.where) for p in pages))

    def _near_an_edge(self, region: Region) -> bool:
        """Whether the page may lie so near an end of its range that the hole beside takes it in.

        Pages between, if any, would have to be withdrawn, too.
        """
        ground = self._ground
        near = self._most * PAGE
        for part in region:
            for r in ground.listed[ground.first_at(part.start) :]:
                if r.start >= part.end:
                    break
                if part.start < r.start + near or r.end - near < part.end:
                    return True
        return False

    # Chunks ---------------------------------------------------------------------------------------

    def _chunk(self, run: Forked, wanted: Wanted) -> Iterator[Forked]:
        free = dict(run.free)
        size = wanted.size
        for node, zone in self._ground.scan.get(wanted.home, ()):
            runs = free.get(node, ())
            start = first_slot(zone, size, runs)
            while start is not None:
                slot = Range(start, start + size)
                if any(inside(page.where, *slot) for page in run.pages):
                    start = first_slot(zone, size, _from(runs, start + PAGE))
                    continue
                taken = self._taken(run, slot, node)
                if taken is not None:
                    yield taken
                yield from self._blocked(run, slot)
                return

    def _taken(self, run: Forked, slot: Range, node: int) -> Forked | None:
        pages = tuple(page._replace(where=drop(page.where, *slot)) for page in run.pages)
        tdmrs = list(run.tdmrs)
        number = bisect_right(tdmrs, slot.start, key=_end)
        while number < len(tdmrs) and tdmrs[number].range.start < slot.end:
            laid = tdmrs[number]
            if laid.areas + 1 + self._further_holes(pages, laid.range) > self._limit:
                return None
            tdmrs[number] = Laid(laid.range, laid.areas + 1)
            number += 1
        free = tuple(
            (other, drop(runs, *slot) if other == node else runs) for other, runs in run.free
        )
        return run._replace(
            pages=pages,
            tdmrs=tuple(tdmrs),
            chunks=(*run.chunks, slot),
            free=free,
            wanted=None,
        )

    def _blocked(self, run: Forked, slot: Range) -> Iterator[Forked]:
        """Some page lies in `slot`; the search for the chunk goes on from there."""
        region = self._ground.memory(*slot, starts=True)
        if not region:
            return
        yield from self._one_lies_in(run, region, cuts=False)
        r = self._ground.range_of(slot.start)
        for below in range(1, self._most):
            start = slot.start - below * PAGE
            if r is not None and (start == r.start or (start > r.start and start % GIB == 0)):
                yield from self._stack(run, range(start, slot.start + PAGE, PAGE))

    def _stack(self, run: Forked, pages: range) -> Iterator[Forked]:
        """All of `pages`, of which only the lowest may cut."""
        runs = [run]
        for at in pages:
            one = Range(at, at + PAGE)
            if drop_all((one,), self._ground.barred) != (one,):
                return
            quiet = at != pages.start
            runs = [after for now in runs for after in self._is_gone(now, one, quiet)]
        yield from runs

    def _is_gone(self, run: Forked, one: Range, quiet: bool) -> Iterator[Forked]:
        for number, page in enumerate(run.pages):
            if meets(page.where, *one):
                yield _with(run, number, Unknown((one,), quiet))
        where = drop_all((one,), run.chunks if quiet else (*run.chunks, *run.silent))
        if where and len(run.pages) < self._most:
            yield run._replace(pages=(*run.pages, Unknown((one,), quiet)))

    # Pages ----------------------------------------------------------------------------------------

    def _one_lies_in(self, run: Forked, region: Region, *, cuts: bool) -> Iterator[Forked]:
        """Every way for a page to lie in `region` (and to cut, if it `cuts`)."""
        others: list[Unknown] = []
        for number, page in enumerate(run.pages):
            if cuts and page.quiet:
                others.append(page)
                continue
            hit = _common(page.where, region)
            rest = run.pages[number + 1 :]
            if hit:
                yield run._replace(pages=(*others, page._replace(where=hit), *rest))
            missed = drop_all(page.where, region)
            if not missed:
                return
            others.append(page._replace(where=missed))
        if len(run.pages) < self._most:
            fresh = drop_all(region, (*run.chunks, *run.silent))
            if fresh:
                yield run._replace(pages=(*others, Unknown(fresh)))


def _end(laid: Laid) -> int:
    return laid.range.end


def _with(run: Forked, number: int, page: Unknown) -> Forked:
    return run._replace(pages=(*run.pages[:number], page, *run.pages[number + 1 :]))


def _common(region: Region, other: Region) -> Region:
    found: list[Range] = []
    for r in other:
        found += clip(region, *r)
    return tuple(found)


def _without_start(part: Range, start: int) -> Region:
    """`part` without the page at `start`, the first of its range."""
    return drop((part,), start, start + PAGE) if part.start < part.end else ()


def _from(runs: tuple[Range, ...], low: int) -> list[Range]:
    """What `runs` hold at or above `low`."""
    return [Range(max(r.start, low), r.end) for r in runs if r.end > low]
