"""Which pages to withdraw so that a policy succeeds, cheapest first, and how few can be enough.

**Counting** (:mod:`pamt.explain.shortage`, :mod:`pamt.explain.room`, :mod:`pamt.explain.staying`):
pages below which areas, TDMRs or free runs cannot be enough, whatever else happens.

**One, two or three pages, exactly**, for the kernel's policies (:mod:`pamt.explain.few`): either
the first set that works, or the proof that none of so many pages does.

**One page, all of them** (:mod:`pamt.explain.sweep`): where a single page works, the policy is run
with an unknown page withdrawn; each run covers all addresses that lead to the same steps, and runs
follow one another until every page that the failure hangs on is covered.  For policies that are not
the kernel's this is the proof that no single page helps, too.

**More pages** (:mod:`pamt.explain.moves`): sets of moves in order of pages spent and still needed.
What is found is tried out; that nothing cheaper exists is claimed only as far as it is proven.

Pages below 1 MiB are left alone: the kernel keeps them for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pamt.explain.changes import Trial
from pamt.explain.few import Answer, few_pages
from pamt.explain.moves import better_set
from pamt.explain.room import least_pages_for_room
from pamt.explain.runner import RUNS, STEPS_PER_RUN, OutOfRunsError, Progress, Runner
from pamt.explain.sensitive import sensitive_pages
from pamt.explain.shortage import NEVER, least_pages, outside_cmrs
from pamt.explain.staying import least_pages_with_chunks
from pamt.explain.sweep import PageClass, one_page_classes
from pamt.machine import Machine
from pamt.policies.greedy import greedy
from pamt.policies.linux import LinuxPolicy
from pamt.policies.protocol import Policy
from pamt.ranges import PAGE, Range

__all__ = ["NEVER", "RUNS", "PageClass", "Withdrawal", "withdraw_pages"]

FEW = 8
"""Pages up to which the cheapest set is looked for exactly, as far as the steps go."""


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
    interrupted: bool = False
    """Ctrl-C ended the search before its time."""

    @property
    def cost(self) -> int | None:
        """Pages withdrawn."""
        return None if self.pages is None else sum(r.size for r in self.pages) // PAGE

    @property
    def optimal(self) -> bool:
        return self.cost is not None and self.cost <= self.bound


def withdraw_pages(
    policy: Policy, machine: Machine, runs: int = RUNS, progress: Progress | None = None
) -> Withdrawal:
    """The fewest pages whose withdrawal makes `policy` succeed, as far as `runs` runs can tell.

    Ctrl-C ends the search with what is known by then.
    """
    runner = Runner(policy, machine, runs, progress)
    trial = runner.without(())
    if trial.works:
        return Withdrawal((), 0, trial, runs=runner.used)
    bound = max(1, _least(policy, runner.machine))
    if bound >= NEVER:
        return Withdrawal(None, NEVER, runs=runner.used)
    exact = Answer(None, bound)
    if bound <= FEW:
        # Half of the runs, so that a larger set may be found where no small one works.
        exact = few_pages(runner, runner.left * STEPS_PER_RUN // 2, bound, FEW)
        runner.left -= -(-exact.steps // STEPS_PER_RUN)
        bound = exact.bound
    found = Withdrawal(exact.gone, bound, exact.trial)
    if exact.gone is None and not runner.interrupted:
        found = _by_runs(runner, trial, bound)
    elif found.cost == 1:
        _, classes = _classes(runner, trial)
        found = _one_page(tuple(c for c in classes if c.trial.works)) or found
    return replace(found, runs=runner.used, interrupted=runner.interrupted)


def _by_runs(runner: Runner, trial: Trial, bound: int) -> Withdrawal:
    """By running the policy again and again: every single page if need be, then sets of moves."""
    classes: tuple[PageClass, ...] = ()
    if bound == 1:
        every, classes = _classes(runner, trial)
        single = _one_page(tuple(c for c in classes if c.trial.works))
        if single is not None:
            return single
        bound = 2 if every else 1
    if runner.interrupted:
        return Withdrawal(None, bound)
    better = better_set(runner, classes, bound, holes=_counts_holes(runner.policy))
    if better is None:
        return Withdrawal(None, bound)
    return Withdrawal(better.gone, bound, better.trial)


def _classes(runner: Runner, trial: Trial) -> tuple[bool, tuple[PageClass, ...]]:
    """Whether all single pages that matter were tried, and the classes of those that were."""
    where = sensitive_pages(runner.policy, runner.machine, trial)
    found: list[PageClass] = []
    kept = runner.left // 2
    runner.left -= kept
    every = False
    try:
        found.extend(one_page_classes(runner, where))
        every = True
    except OutOfRunsError:
        pass
    except KeyboardInterrupt:
        runner.interrupted = True
    finally:
        runner.left += kept
    return every, tuple(found)


def _one_page(working: tuple[PageClass, ...]) -> Withdrawal | None:
    """The single page that disturbs least, and all others that work."""
    if not working:
        return None
    best = min(working, key=_disturbance)
    rest = tuple(c for c in working if c is not best)
    page = (Range(best.first, best.first + PAGE),)
    return Withdrawal(page, 1, best.trial, (best, *rest))


def _counts_holes(policy: Policy) -> bool:
    """Whether the policy takes holes from the memory list."""
    if isinstance(policy, LinuxPolicy):
        return not policy.variant.holes_from_cmrs
    return policy is greedy


def _least(policy: Policy, machine: Machine) -> int:
    """What counting alone says; 0 for a policy that may not follow the kernel's layout.

    Where holes come from the memory list, memory outside the CMRs is left in use, which the module
    refuses; the check for convertible memory refuses it as well.
    """
    if not isinstance(policy, LinuxPolicy) and policy is not greedy:
        return 0
    least = least_pages(machine, holes=_counts_holes(policy))
    checks = False
    if isinstance(policy, LinuxPolicy):
        checks = policy.variant.check_convertible
        least = max(least, least_pages_for_room(machine, policy.variant.dynamic_pamt))
        if _counts_holes(policy):
            least = max(least, least_pages_with_chunks(machine, policy.variant.dynamic_pamt))
    if _counts_holes(policy) or checks:
        least = max(least, outside_cmrs(machine).size // PAGE)
    return least


def _disturbance(working: PageClass) -> tuple[int, int, int, int]:
    """How much else changes with the page: TDMRs, memory for PAMTs, areas; then the lowest."""
    outcome = working.trial.outcome
    return (len(outcome.tdmrs), outcome.pamt_kb, working.trial.max_areas, working.first)
