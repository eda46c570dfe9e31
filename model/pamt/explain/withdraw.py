"""Which pages to withdraw so that a policy succeeds: every single page, then small sets.

**One page, exactly.**  The policy is run with an unknown page withdrawn
(:mod:`pamt.explain.tracked`); each run covers all addresses that lead to the same steps, and runs
follow one another until every page of every memory range is covered.  If none helps, no single
page does: that is the bound that a repair of two pages is proven cheapest with.

**More pages.**  Sets of *moves* in order of pages spent: take a whole memory range between two
holes out (two holes become one), split a TDMR at a GiB border (a page withdrawn below the border
makes the kernel end a TDMR there), trim the start of a node (which shifts the kernel's slots).  What is
found is tried out; that nothing cheaper exists is claimed only as far as it is proven, by the
single-page runs and by counting holes (:func:`least_pages`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

from pamt.explain.changes import Trial, pin_facts, try_policy, withdraw
from pamt.explain.tracked import Window
from pamt.kernel.areas import find_holes
from pamt.kernel.contig import first_slot
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import LOW_MEMORY_END, build_memory_list
from pamt.machine import Machine
from pamt.outcome import PlannedTdmr
from pamt.policies.protocol import Policy
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.standins import complete

__all__ = ["PageClass", "Withdrawal", "least_pages", "one_page_classes", "withdraw_pages"]

RUNS = 5_000
"""Runs of the policy that a search may spend."""
MOST_PAGES = 4096
"""Largest withdrawal that is searched for (16 MiB)."""


class PageClass(NamedTuple):
    """Pages any single one of which has the same effect: addresses `first` to `last`, inclusive."""

    first: int
    last: int
    trial: Trial

    @property
    def pages(self) -> int:
        return (self.last - self.first) // PAGE + 1


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The answer of a search for pages to withdraw.

    `pages` is the cheapest set found (ascending, disjoint), None if none was found.  Fewer than
    `bound` pages are proven not to be enough.  `alternatives` are all classes of single pages that
    work, when one page is enough.
    """

    pages: tuple[Range, ...] | None
    bound: int
    trial: Trial | None = None
    alternatives: tuple[PageClass, ...] = ()
    runs: int = 0

    @property
    def cost(self) -> int | None:
        """Pages withdrawn."""
        return None if self.pages is None else sum(r.size for r in self.pages) // PAGE

    @property
    def optimal(self) -> bool:
        return self.cost is not None and self.cost <= self.bound


class _OutOfRunsError(Exception):
    """The budget of policy runs is spent."""


class _Runner:
    def __init__(self, policy: Policy, machine: Machine, runs: int) -> None:
        self.machine = pin_facts(machine)
        self.left = runs
        self._policy = policy

    def without(self, gone: Sequence[Range]) -> Trial:
        if self.left <= 0:
            raise _OutOfRunsError
        self.left -= 1
        return try_policy(self._policy, withdraw(self.machine, gone))


def withdraw_pages(policy: Policy, machine: Machine, runs: int = RUNS) -> Withdrawal:
    """The fewest pages whose withdrawal makes `policy` succeed, as far as `runs` runs can tell."""
    runner = _Runner(policy, machine, runs)
    trial = runner.without(())
    if trial.works:
        return Withdrawal((), 0, trial, runs=runs - runner.left)
    bound = 1
    try:
        classes = list(one_page_classes(runner))
    except _OutOfRunsError:
        return Withdrawal(None, bound, runs=runs)
    working = tuple(c for c in classes if c.trial.works)
    if working:
        best = min(working, key=_disturbance)
        page = (Range(best.first, best.first + PAGE),)
        return Withdrawal(page, bound, runner.without(page), working, runs - runner.left)
    bound = max(2, least_pages(runner.machine))
    try:
        found = _search(runner)
    except _OutOfRunsError:
        found = None
    if found is None:
        return Withdrawal(None, bound, runs=runs - runner.left)
    gone, trial = found
    return Withdrawal(gone, bound, trial, runs=runs - runner.left)


def _disturbance(working: PageClass) -> tuple[int, int, int, int]:
    """How much else changes with the page: memory for PAMTs, TDMRs, areas; then the lowest."""
    outcome = working.trial.outcome
    return (outcome.pamt_kb, len(outcome.tdmrs), working.trial.max_areas, working.first)


def one_page_classes(runner: _Runner) -> Iterator[PageClass]:
    """Every single page of memory above 1 MiB, in classes of equal effect."""
    for r in runner.machine.memory or ():
        start = max(r.start, LOW_MEMORY_END)
        at = start
        while at < r.end:
            # The first and the last page of a range leave one piece, the others two.
            high = r.end - PAGE
            if at in (r.start, high):
                window = Window(at, at, at)
            else:
                window = Window(at, at, max(at, high - PAGE))
            page: Any = window.page()
            trial = runner.without((Range(page, page + PAGE),))
            yield PageClass(at, window.high, _settled(trial, runner, at, window))
            at = window.high + PAGE


def _settled(trial: Trial, runner: _Runner, at: int, window: Window) -> Trial:
    """The trial without tracked addresses: run again for a page that is going to be shown."""
    if window.low == window.high or not trial.works:
        return Trial(replace(trial.outcome, tdmrs=(), trace=()), trial.status)
    return runner.without((Range(at, at + PAGE),))


def least_pages(machine: Machine) -> int:
    """A number of pages below which no withdrawal can bring every TDMR's holes under the limit.

    Inside one GiB, memory pieces have fixed gaps between them, and the GiB lies in one TDMR
    whatever the layout: each gap between two pieces that stay takes an area.  A gap goes only when
    a whole piece goes.
    """
    listed = build_memory_list(machine.memory or ())
    limit = machine.limits.max_reserved_per_tdmr
    least = 0
    for tdmr in lay_out_tdmrs(listed, machine.limits.max_tdmrs).tdmrs:
        for base in range(tdmr.start, tdmr.end, GIB):
            cell = Range(base, base + GIB)
            pieces = [r.range.clip(cell) for r in listed if r.range.overlaps(cell)]
            gaps = sum(a.end < b.start for a, b in pairwise(pieces))
            over = gaps - limit
            if over > 0:
                sizes = sorted(piece.size // PAGE for piece in pieces)
                least = max(least, sum(sizes[:over]))
    return least


class _Entry(NamedTuple):
    cost: int
    gone: tuple[Range, ...]


def _search(runner: _Runner) -> tuple[tuple[Range, ...], Trial] | None:
    """Sets of moves in order of pages; the first that works."""
    waiting: list[_Entry] = [_Entry(0, ())]
    seen: set[tuple[Range, ...]] = {()}
    while waiting:
        gone = heapq.heappop(waiting).gone
        trial = runner.without(gone)
        if trial.works:
            return gone, trial
        for move in _moves(withdraw(runner.machine, gone), trial):
            after = RangeSet((*gone, *move)).runs
            spent = sum(r.size for r in after) // PAGE
            if spent <= MOST_PAGES and after not in seen:
                seen.add(after)
                heapq.heappush(waiting, _Entry(spent, after))
    return None


def _moves(machine: Machine, trial: Trial) -> Iterator[tuple[Range, ...]]:
    """Moves that can change how `trial` failed."""
    outcome = trial.outcome
    if outcome.reason == "ENOSPC_tdmrs":
        for r in build_memory_list(machine.memory or ()):
            if r.end - r.start <= MOST_PAGES * PAGE:
                yield (r.range,)
        return
    if outcome.failed_tdmr is None or outcome.failed_tdmr >= len(outcome.tdmrs):
        return
    failed = outcome.tdmrs[outcome.failed_tdmr]
    if outcome.reason == "ENOSPC_reserved":
        yield from _fewer_holes(machine, failed)
    elif outcome.reason == "ENOMEM_pamt":
        yield from _shifted_slots(machine, failed)


def _fewer_holes(machine: Machine, failed: PlannedTdmr) -> Iterator[tuple[Range, ...]]:
    listed = build_memory_list(machine.memory or ())
    tdmr = failed.range
    holes = find_holes(tdmr, listed)
    edges = {hole.end for hole in holes} | {tdmr.start}
    for r in listed:
        inside = r.range.clip(tdmr)
        if inside.is_empty or inside.size > MOST_PAGES * PAGE:
            continue
        # Taking a piece out joins the hole before it with the one behind it.
        if inside.start in edges:
            yield (r.range,)
    for r in listed:
        for border in range(tdmr.start + GIB, tdmr.end, GIB):
            if r.start < border < r.end:
                yield (Range(border - PAGE, border),)
                yield (Range(border, border + PAGE),)


def _shifted_slots(machine: Machine, failed: PlannedTdmr) -> Iterator[tuple[Range, ...]]:
    """Trim the lowest memory of the home node until a slot of its zone falls into a free run.

    Only zones that the map does not give move.  The fewest pages that do it for any of the node's
    free runs; the trial decides whether the rest of the start-up follows.
    """
    done = complete(machine).machine
    own = [r for r in machine.memory or () if r.node == failed.home]
    known = [node for node in machine.nodes if node.id == failed.home]
    if not own or not failed.pages or any(node.zones is not None for node in known):
        return
    size = failed.pages * PAGE
    lowest = min(own)
    runs = RangeSet(f.range for f in done.free or () if f.node == failed.home)
    zone_of = {node.id: node.zones or () for node in done.nodes}
    for zone in zone_of.get(lowest.node, ()):
        if zone.start != lowest.start:
            continue
        for pages in range(1, min(MOST_PAGES, (lowest.end - lowest.start) // PAGE)):
            start = zone.start + pages * PAGE
            if first_slot(Range(start, zone.end), size, runs.runs) is not None:
                yield (Range(lowest.start, start),)
                break
