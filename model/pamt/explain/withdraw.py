"""Which pages to withdraw so that a policy succeeds, cheapest first, and how few can be enough.

**Counting** (:mod:`pamt.explain.shortage`): pages below which the kernel's areas or TDMRs cannot be
enough, whatever else happens.

**One page, exactly.**  The policy is run with an unknown page withdrawn
(:mod:`pamt.explain.tracked`); each run covers all addresses that lead to the same steps, and runs
follow one another until every page that the failure hangs on is covered
(:mod:`pamt.explain.sensitive`; no other page can help).  If none helps, no single page does: that
is the bound with which a repair of two pages is proven cheapest.

**Two pages, exactly**, when three are found and counting allows two (:mod:`pamt.explain.pairs`).

**More pages** (:mod:`pamt.explain.moves`): sets of moves in order of pages spent and still needed.
What is found is tried out; that nothing cheaper exists is claimed only as far as it is proven.

Pages below 1 MiB are left alone: the kernel keeps them for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from pamt.explain.changes import Trial
from pamt.explain.moves import better_set
from pamt.explain.pairs import two_pages_can_do
from pamt.explain.runner import RUNS, OutOfRunsError, Runner
from pamt.explain.sensitive import sensitive_pages
from pamt.explain.shortage import least_pages, outside_cmrs
from pamt.explain.sweep import PageClass, one_page_classes
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Machine
from pamt.policies.greedy import greedy
from pamt.policies.linux import LinuxPolicy
from pamt.policies.protocol import Policy
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.standins import complete

__all__ = ["NEVER", "RUNS", "PageClass", "Withdrawal", "withdraw_pages"]

NEVER = 1 << 52
"""A bound that no number of pages reaches: withdrawing is proven not to help."""


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


def withdraw_pages(policy: Policy, machine: Machine, runs: int = RUNS) -> Withdrawal:
    """The fewest pages whose withdrawal makes `policy` succeed, as far as `runs` runs can tell."""
    runner = Runner(policy, machine, runs)
    trial = runner.without(())
    if trial.works:
        return Withdrawal((), 0, trial, runs=runner.used)
    if _hopeless(policy, runner.machine):
        return Withdrawal(None, NEVER, runs=runner.used)
    bound = max(1, _least(policy, runner.machine))
    classes: tuple[PageClass, ...] = ()
    if bound == 1:
        where = sensitive_pages(policy, runner.machine, trial)
        try:
            # Half of the runs, so that a set of pages may be found where this one is too much.
            runner.left -= runs // 2
            classes = tuple(one_page_classes(runner, where))
            bound = 2
        except OutOfRunsError:
            pass
        finally:
            runner.left += runs // 2
        working = tuple(c for c in classes if c.trial.works)
        if working:
            return _one_page(runner, working)
    found = better_set(runner, classes, bound, holes=_counts_holes(policy))
    if found is None:
        return Withdrawal(None, bound, runs=runner.used)
    if found.cost == 3 and bound == 2:
        pair = two_pages_can_do(runner, holes=_counts_holes(policy))
        if pair is False:
            bound = 3
        elif pair is not None:
            runner.left += 1
            return Withdrawal(pair, bound, runner.without(pair), runs=runner.used)
    return Withdrawal(found.gone, bound, found.trial, runs=runner.used)


def _one_page(runner: Runner, working: tuple[PageClass, ...]) -> Withdrawal:
    best = min(working, key=_disturbance)
    rest = tuple(c for c in working if c is not best)
    page = (Range(best.first, best.first + PAGE),)
    return Withdrawal(page, 1, best.trial, (best, *rest), runner.used)


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
    checks = isinstance(policy, LinuxPolicy) and policy.variant.check_convertible
    if _counts_holes(policy) or checks:
        least = max(least, outside_cmrs(machine).size // PAGE)
    return least


def _hopeless(policy: Policy, machine: Machine) -> bool:
    """No free run holds the chunk of even one GiB, and withdrawing frees nothing."""
    if not isinstance(policy, LinuxPolicy):
        return False
    least = pamt_sizes(GIB, machine.limits, policy.variant.dynamic_pamt).total
    free = complete(machine).machine.free or ()
    by_node: dict[int, list[Range]] = {}
    for f in free:
        by_node.setdefault(f.node, []).append(f.range)
    return not any(run.size >= least for runs in by_node.values() for run in RangeSet(runs))


def _disturbance(working: PageClass) -> tuple[int, int, int, int]:
    """How much else changes with the page: TDMRs, memory for PAMTs, areas; then the lowest."""
    outcome = working.trial.outcome
    return (len(outcome.tdmrs), outcome.pamt_kb, working.trial.max_areas, working.first)
