"""Sets of pages to withdraw, built move by move from what the last failure says.

===============  =================================================================================
failure          moves
===============  =================================================================================
TDMRs exhausted  all that a GiB holds of the ranges ending there
areas exhausted  an island of the TDMR's last GiB; a cut of the TDMR at a GiB border; a page of a
                 chunk inside it, which sends the chunk elsewhere
outside CMRs     all memory that no CMR holds
no room          cuts of the TDMR (smaller chunks); the first pages of a node (the slots move); a
                 page of an earlier chunk; cuts of a TDMR into equal parts
any              a single page that was seen to change the layout or a chunk's place; all memory
                 of a GiB that holds little
===============  =================================================================================

Two queues take turns: one ordered by pages spent and still needed
(:func:`pamt.explain.shortage.least_pages`), one by how far the failure is from working.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pamt.explain.changes import Trial
from pamt.explain.runner import OutOfRunsError, Runner
from pamt.explain.shortage import crowding, ends_by_cell, least_pages, outside_cmrs
from pamt.explain.sweep import PageClass
from pamt.kernel.contig import first_slot_address
from pamt.kernel.memlist import build_memory_list
from pamt.machine import FreeRun, Machine, MemoryRange
from pamt.outcome import Outcome
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.standins import complete

__all__ = ["MOST_PAGES", "better_set"]

MOST_PAGES = GIB // PAGE
"""Largest withdrawal that is searched for."""
MOST_BORDERS = 32
"""GiB borders of a TDMR at which a cut is tried."""
OFFERS_PER_RUN = 50
"""Sets that are looked at for the price of one run."""
LONGEST_TRIM = 4096
"""Pages that a zone's start may be moved by."""

Pages = tuple[Range, ...]


class _Entry(NamedTuple):
    priority: tuple[int, ...]
    gone: Pages


class Found(NamedTuple):
    gone: Pages
    trial: Trial

    @property
    def cost(self) -> int:
        return pages_of(self.gone)


def pages_of(gone: Iterable[Range]) -> int:
    return sum(r.size for r in gone) // PAGE


def better_set(
    runner: Runner, seeds: Sequence[PageClass], bound: int, *, holes: bool
) -> Found | None:
    """The cheapest set that was found; stops at one that costs `bound`, or when runs are spent.

    So it does at Ctrl-C, which it notes with the runner.
    `seeds` are classes of single pages that do not work by themselves.
    """
    search = _Search(runner, seeds, bound, holes)
    best = search.run()
    runner.interrupted |= search.interrupted
    return best


class _Search:
    def __init__(self, runner: Runner, seeds: Sequence[PageClass], bound: int, holes: bool) -> None:
        self._runner = runner
        self._bound = bound
        self._holes = holes
        self._seeds = tuple(_distinct(seeds))
        self._cheap: list[_Entry] = []
        self._near: list[_Entry] = []
        self._needed: dict[Pages, tuple[int, int]] = {}
        self._done: set[Pages] = set()
        self._best: Found | None = None
        memory = RangeSet(r.range for r in build_memory_list(runner.machine.memory or ()))
        self._all = memory.size // PAGE
        self._trims: dict[int, tuple[Pages, ...]] = {}
        self.interrupted = False

    def run(self) -> Found | None:
        try:
            self._offer((), 1, 0)
            turn = 0
            while self._cheap or self._near:
                turn += 1
                queue = self._near if self._near and (turn % 2 or not self._cheap) else self._cheap
                gone = heapq.heappop(queue).gone
                if gone not in self._done and pages_of(gone) < self._ceiling:
                    self._visit(gone)
                if self._best is not None and self._best.cost <= self._bound:
                    break
        except (OutOfRunsError, KeyboardInterrupt) as stop:
            self.interrupted = isinstance(stop, KeyboardInterrupt)
        return self._best

    @property
    def _ceiling(self) -> int:
        known = self._best.cost if self._best is not None else self._all
        return min(known, MOST_PAGES + 1, self._all)

    def _visit(self, gone: Pages) -> None:
        """Count once more what is needed; if it is no more than was thought, run the policy."""
        machine = self._runner.after(gone)
        needed = max(1, least_pages(machine, holes=self._holes))
        thought, away = self._needed[gone]
        if needed > thought:
            self._push(gone, needed, away)
            return
        self._done.add(gone)
        trial = self._runner.without(gone)
        if trial.works:
            self._best = Found(gone, trial)
            return
        away = _distance(trial, machine)
        offered = 0
        for move in self._moves(machine, trial):
            offered += 1
            after = RangeSet((*gone, *move)).runs
            if after != gone:
                self._offer(after, max(1, needed - pages_of(move)), away)
        self._runner.left -= offered // OFFERS_PER_RUN

    def _offer(self, gone: Pages, needed: int, away: int) -> None:
        if gone not in self._needed:
            self._push(gone, needed, away)

    def _push(self, gone: Pages, needed: int, away: int) -> None:
        self._needed[gone] = (needed, away)
        total = pages_of(gone) + needed
        # What is needed may turn out to be nothing, so only pages spent rule a set out.
        if pages_of(gone) < self._ceiling:
            heapq.heappush(self._cheap, _Entry((total, needed, away), gone))
            heapq.heappush(self._near, _Entry((needed, away, total), gone))

    def _moves(self, machine: Machine, trial: Trial) -> Iterator[Pages]:
        outcome = trial.outcome
        yield from _moves_for(machine, outcome)
        yield from _emptied_cells(machine)
        if outcome.reason == "ENOMEM_pamt" and outcome.failed_tdmr is not None:
            size = (outcome.tdmrs[outcome.failed_tdmr].pages or 0) * PAGE
            if size not in self._trims:
                self._trims[size] = tuple(_shifted_slots(self._runner.machine, size))
            yield from self._trims[size]
        for seed in self._seeds:
            yield (Range(seed, seed + PAGE),)


def _distinct(classes: Sequence[PageClass]) -> Iterator[int]:
    """One page for each different layout and set of chunks that single pages lead to."""
    seen = set()
    for one in classes:
        outcome = one.trial.outcome
        effect = (
            outcome.reason,
            tuple(t.range for t in outcome.tdmrs),
            tuple(t.range for t in outcome.trace if t.action == "take"),
        )
        if effect not in seen:
            seen.add(effect)
            yield one.first


def _distance(trial: Trial, machine: Machine) -> int:
    """How far from working a run ended; 0 is never returned for a failure."""
    outcome = trial.outcome
    if outcome.succeeded or outcome.reason == "EINVAL_memlist_not_in_cmr":
        return 1
    if outcome.reason == "ENOSPC_reserved":
        listed = build_memory_list(machine.memory or ())
        chunks = [taken.range for taken in outcome.trace if taken.action == "take"]
        limit = machine.limits.max_reserved_per_tdmr
        ranges = [t.range for t in outcome.tdmrs]
        inside = [0] * len(ranges)
        for chunk in chunks:
            at = bisect_right(ranges, chunk.start, key=_end)
            while at < len(ranges) and ranges[at].start < chunk.end:
                inside[at] += 1
                at += 1
        needed = [crowding(r, listed).holes + held for r, held in zip(ranges, inside, strict=True)]
        return 1 + sum(max(0, areas - limit) for areas in needed)
    if outcome.reason == "ENOMEM_pamt" and outcome.failed_tdmr is not None:
        missing = outcome.tdmrs[outcome.failed_tdmr :]
        return 1_000 + sum(t.size // GIB for t in missing)
    return 1_000_000


def _end(tdmr: Range) -> int:
    return tdmr.end


def _moves_for(machine: Machine, outcome: Outcome) -> Iterator[Pages]:
    """Moves that can change how a run failed, or why the module refuses what it made."""
    listed = build_memory_list(machine.memory or ())
    if outcome.succeeded or outcome.reason == "EINVAL_memlist_not_in_cmr":
        outside = outside_cmrs(machine)
        if outside:
            yield outside.runs
    if outcome.reason == "ENOSPC_tdmrs":
        for parts in ends_by_cell(listed).values():
            yield tuple(parts)
        return
    if outcome.failed_tdmr is None or outcome.failed_tdmr >= len(outcome.tdmrs):
        return
    failed = outcome.tdmrs[outcome.failed_tdmr]
    chunks = [taken.range for taken in outcome.trace if taken.action == "take"]
    holes = crowding(failed.range, listed)
    if outcome.reason == "ENOSPC_reserved":
        for island in holes.islands:
            yield (island,)
        yield from _cuts(machine, failed.range)
        for chunk in chunks:
            if chunk.overlaps(failed.range):
                yield (Range(chunk.start, chunk.start + PAGE),)
                yield (Range(chunk.end - PAGE, chunk.end),)
    elif outcome.reason == "ENOMEM_pamt":
        yield from _cuts(machine, failed.range)
        yield from _equal_cuts(machine, failed.range)
        for chunk in chunks:
            yield (Range(chunk.start, chunk.start + PAGE),)
            yield (Range(chunk.end - PAGE, chunk.end),)


def _emptied_cells(machine: Machine) -> Iterator[Pages]:
    """All memory of a GiB, where that is little: one TDMR and its chunk less."""
    listed = build_memory_list(machine.memory or ())
    for border, parts in ends_by_cell(listed).items():
        cell = Range(border - GIB, border)
        if sum(part.size for part in parts) <= LONGEST_TRIM * PAGE:
            held = RangeSet(r.range.clip(cell) for r in listed if r.range.overlaps(cell))
            if held.size <= LONGEST_TRIM * PAGE:
                yield held.runs


def _cuts(machine: Machine, tdmr: Range) -> Iterator[Pages]:
    """One page on either side of a GiB border inside the TDMR; borders spread over it."""
    cells = tdmr.size // GIB
    step = max(1, cells // MOST_BORDERS)
    borders = range(tdmr.start + GIB, tdmr.end, step * GIB)
    for r in build_memory_list(machine.memory or ()):
        for border in borders:
            if r.start < border < r.end:
                yield (Range(border - PAGE, border),)
                yield (Range(border, border + PAGE),)


def _equal_cuts(machine: Machine, tdmr: Range) -> Iterator[Pages]:
    """The TDMR in 2, 3, 4, 6, 8, ... parts, a page below each border."""
    cells = tdmr.size // GIB
    listed = build_memory_list(machine.memory or ())
    parts = 2
    while parts <= cells:
        pages = []
        for part in range(1, parts):
            border = tdmr.start + cells * part // parts * GIB
            if any(r.start < border < r.end for r in listed):
                pages.append(Range(border - PAGE, border))
        if pages:
            yield tuple(pages)
        parts += max(1, parts // 2)


def _shifted_slots(machine: Machine, size: int) -> Iterator[Pages]:
    """Trim the lowest memory of a node until a slot of its zone falls into a free run.

    Only zones that the map does not give move.  For each free run the fewest pages that do it.
    """
    if not size:
        return
    done = complete(machine).machine
    given = {node.id for node in machine.nodes if node.zones is not None}
    for node in done.nodes:
        own = [r for r in machine.memory or () if r.node == node.id]
        if not own or node.id in given:
            continue
        runs = [f for f in done.free or () if f.node == node.id and f.end - f.start >= size]
        for zone in node.zones or ():
            if zone.start == min(own).start:
                yield from _later_starts(own, zone.end, runs, size)


def _later_starts(
    own: Sequence[MemoryRange], zone_end: int, runs: Sequence[FreeRun], size: int
) -> Iterator[Pages]:
    """For each run, the fewest of the lowest pages without which a slot falls into it."""
    waiting = set(range(len(runs)))
    below: list[Range] = []
    left = LONGEST_TRIM
    for r in sorted(own):
        # A start at the range's first page: all lower ranges are gone.
        for pages in range(0 if below else 1, min(left, (r.end - r.start) // PAGE - 1) + 1):
            if not waiting:
                return
            start = r.start + pages * PAGE
            first = first_slot_address(start, size)
            for at in sorted(waiting):
                run = runs[at]
                low = max(run.start, start)
                slot = max(first, first + -((first - low) // size) * size)
                if slot + size <= min(run.end, zone_end):
                    waiting.discard(at)
                    trimmed = [Range(r.start, start)] if pages else []
                    yield (*below, *trimmed)
        below.append(r.range)
        left -= (r.end - r.start) // PAGE
        if left <= 0:
            return
