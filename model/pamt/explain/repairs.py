"""What to change so that a policy succeeds: every kind of repair there is, each one tried out.

A repair is shown only after the policy has been run on the changed machine and the module has
accepted what it made.  Kinds, in the order in which they are listed:

=============  ===================================================================================
withdraw       pages that the OS is told not to use (``memmap=SIZE$START``)
online         memory of a node onlined as kernel memory instead of zone Movable
free           pages freed (or moved) so that a free run grows around a slot of the kernel's scan
reserve        the PAMTs' ranges reserved at boot, at places that are optimal
variant        another kernel
cut, merge     a change to the policy: other TDMR borders, or areas that touch joined
=============  ===================================================================================

Source: docs/design.md, section 1 (repair).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from pamt.explain import map_changes, software_changes
from pamt.explain.changes import try_policy
from pamt.explain.repair import Missing, No, Repair, Repairs
from pamt.explain.runner import RUNS, Progress
from pamt.machine import Machine
from pamt.policies.greedy import greedy
from pamt.policies.linux import LinuxPolicy
from pamt.policies.protocol import Policy
from pamt.smt.children import begin_child, end_children, without_stops

__all__ = ["KINDS", "SOLVER_STEPS", "Search", "find_repairs"]

KINDS = ("withdraw", "online", "free", "reserve", "variant", "cut", "merge")
SOLVED = frozenset({"reserve", "cut", "merge"})
"""Kinds for which the placement engine is asked: the ones worth a process of their own."""
SOLVER_STEPS = 10_000_000
"""Steps for each question that is put to the placement engine."""


class Search(NamedTuple):
    """What is asked, and how much may be spent on it: the same answer for any number of jobs."""

    policy: Policy
    machine: Machine
    """As its file gives it."""
    runs: int = RUNS
    """Runs of the policy in the search for pages to withdraw."""
    steps: int = SOLVER_STEPS


def find_repairs(
    policy: Policy,
    machine: Machine,
    kinds: Sequence[str] = KINDS,
    runs: int = RUNS,
    steps: int = SOLVER_STEPS,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    stopped_by: Callable[[], str] = lambda: "interrupted",
) -> Repairs:
    """Repairs of `machine` (as its file gives it) for `policy`, in the order of `kinds`.

    Ctrl-C ends the search; what was found by then is kept, and `stopped_by` says why it ended.
    """
    trial = try_policy(policy, machine)
    if trial.works:
        return Repairs(trial, kinds=tuple(kinds))
    search = Search(policy, machine, runs, steps)
    got: dict[str, list[Repair | No]] = {kind: [] for kind in kinds}
    stopped = None
    with _beside(search, [kind for kind in kinds if kind in SOLVED], jobs) as others:
        try:
            # What takes long comes last, so that a time limit leaves the most.
            for kind in sorted(kinds, key=_length):
                if kind not in others:
                    _say(progress, kind)
                    for one in _look(search, kind, progress):
                        got[kind].append(one)
            for kind, answer in others.items():
                _say(progress, kind)
                got[kind] = answer.result()
        except KeyboardInterrupt:
            stopped = stopped_by()
            for kind, answer in others.items():
                if answer.done():
                    got[kind] = answer.result()
    found: list[Repair] = []
    missing: list[Missing] = []
    for kind in kinds:
        found += [one for one in got[kind] if isinstance(one, Repair)]
        missing += [Missing(kind, *one) for one in got[kind] if isinstance(one, No)]
        if not got[kind]:
            missing.append(Missing(kind, f"not settled: {stopped}", False))
    return Repairs(trial, tuple(found), tuple(missing), stopped, tuple(kinds))


def _length(kind: str) -> int:
    """How long a search takes, roughly: some runs, many runs, a solver."""
    return 2 if kind in SOLVED else int(kind == "withdraw")


def _say(progress: Progress | None, kind: str) -> None:
    if progress is not None:
        progress(kind)


def _look(search: Search, kind: str, progress: Progress | None = None) -> Iterator[Repair | No]:
    policy, machine, runs, steps = search
    match kind:
        case "withdraw":
            return map_changes.withdrawn(policy, machine, runs, progress)
        case "online":
            return map_changes.online(policy, machine)
        case "free":
            return map_changes.free(policy, machine)
        case "reserve":
            return software_changes.reserved(policy, machine, steps)
        case "variant":
            return software_changes.variants(policy, machine)
        case "cut":
            return software_changes.cut(policy, machine, steps)
        case "merge":
            return software_changes.merged(policy, machine, steps)
    raise ValueError(f"no kind of repair is called {kind!r}")


@contextmanager
def _beside(
    search: Search, kinds: Sequence[str], jobs: int
) -> Iterator[dict[str, Future[list[Repair | No]]]]:
    """Processes that look for `kinds` meanwhile; none with one job, or if nothing can be sent."""
    number = min(jobs - 1, len(kinds))
    if number < 1 or not _can_be_sent(search.policy):
        yield {}
        return
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(number, multiprocessing.get_context("spawn"), begin_child)
    try:
        with without_stops():
            asked = {kind: pool.submit(_all_of, search, kind) for kind in kinds}
        yield asked
    finally:
        # At an interrupt, what they are at is of no use any more; else they are idle.
        with without_stops():
            end_children(set(multiprocessing.active_children()) - before)
            pool.shutdown(cancel_futures=True)


def _can_be_sent(policy: Policy) -> bool:
    """A policy from a file of the user's own is known to this process only."""
    return isinstance(policy, LinuxPolicy) or policy is greedy


def _all_of(search: Search, kind: str) -> list[Repair | No]:
    return list(_look(search, kind))
