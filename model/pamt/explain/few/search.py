"""All runs of the kernel with one page fewer, with two, with three: the first that works."""

from __future__ import annotations

from typing import NamedTuple

from pamt.explain.changes import Trial
from pamt.explain.few.ground import Ground, grounds
from pamt.explain.few.run import Fork, Forked
from pamt.explain.few.settle import settled
from pamt.explain.runner import OutOfRunsError, Runner
from pamt.kernel.sizes import pamt_sizes
from pamt.policies.linux import LinuxPolicy
from pamt.ranges import GIB, PAGE, Range, RangeSet

__all__ = ["Answer", "few_pages"]

STEPS_PER_GROUND = 20
"""What setting up a ground costs, in steps of a run."""
SAY_EVERY = 1_000
"""Steps between two lines of progress."""
TRIES_PER_RUN = 4
"""Settled sets of one finished run that are tried out; all but never is the first one refused."""


class Answer(NamedTuple):
    """`gone` works (`trial` shows it); fewer than `bound` pages are proven not to."""

    gone: tuple[Range, ...] | None
    bound: int
    trial: Trial | None = None
    steps: int = 0


class _OutOfStepsError(Exception):
    pass


def few_pages(runner: Runner, steps: int, least: int = 1, most: int = 3) -> Answer:
    """The fewest pages, `least` to `most`, whose withdrawal makes the runner's policy work.

    The policy fails as it is; fewer than `least` pages are known not to be enough.  Where `steps`
    or the runner's runs do not suffice, at Ctrl-C (which the runner is told of), or for a policy
    that is none of the kernel's, the bound says how far the search has come.
    """
    search = _Search(runner, steps)
    bound = least
    try:
        if not search.applies(most):
            return Answer(None, bound)
        for size in range(least, most + 1):
            found = search.pages(size)
            if found is not None:
                return Answer(found[0], bound, found[1], search.steps)
            if search.open:
                break
            bound = size + 1
    except (_OutOfStepsError, OutOfRunsError):
        pass
    except KeyboardInterrupt:
        runner.interrupted = True
    return Answer(None, bound, None, search.steps)


class _Search:
    def __init__(self, runner: Runner, steps: int) -> None:
        self._runner = runner
        self._left = steps
        self._size = 0
        self.steps = 0
        self.open = False
        """A finished run was left that the policy did not follow: nothing is proven any more."""

    def applies(self, most: int) -> bool:
        """Whether what :mod:`pamt.explain.few.ground` says holds for this machine and policy."""
        policy = self._runner.policy
        if not isinstance(policy, LinuxPolicy):
            return False
        limits = self._runner.machine.limits
        least = pamt_sizes(GIB, limits, policy.variant.dynamic_pamt).total
        if least <= most * PAGE:
            return False
        return not policy.variant.check_convertible or not self._refused()

    def _refused(self) -> bool:
        return "EINVAL" in self._runner.without(()).outcome.reason

    def pages(self, size: int) -> tuple[tuple[Range, ...], Trial] | None:
        """`size` pages that work, or None."""
        policy = self._runner.policy
        assert isinstance(policy, LinuxPolicy)
        self._size = size
        for ground in grounds(self._runner.machine, policy.variant, size):
            self._spend(STEPS_PER_GROUND)
            if not ground.listed:
                # Without memory the kernel asks for a PAMT of no pages, and gets none.
                continue
            left = size - sum(r.size for r in ground.gone) // PAGE
            fork = Fork(ground, policy.variant, left)
            for run in fork.finished(self._spend):
                found = self._try_out(ground, run, left)
                if found is not None:
                    return found
        return None

    def _try_out(
        self, ground: Ground, run: Forked, left: int
    ) -> tuple[tuple[Range, ...], Trial] | None:
        tried = 0
        for pages in settled(ground, run, left, lambda: self._spend(1)):
            gone = RangeSet((*ground.gone, *pages)).runs
            trial = self._runner.without(gone)
            if trial.works:
                return gone, trial
            tried += 1
            if tried == TRIES_PER_RUN:
                break
        if tried:
            self.open = True
        return None

    def _spend(self, steps: int) -> None:
        if (self.steps + steps) // SAY_EVERY > self.steps // SAY_EVERY:
            self._runner.say(f"withdraw: {self._size} pages: step {self.steps + steps}")
        self.steps += steps
        self._left -= steps
        if self._left < 0:
            raise _OutOfStepsError
