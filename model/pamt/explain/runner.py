"""Runs of a policy on one machine with pages withdrawn, counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pamt.explain.changes import Trial, pin_facts, try_policy, withdraw
from pamt.machine import Machine
from pamt.policies.protocol import Policy
from pamt.ranges import Range

__all__ = ["RUNS", "STEPS_PER_RUN", "OutOfRunsError", "Progress", "Runner"]

RUNS = 2_000
"""Runs of the policy that a search may spend."""
STEPS_PER_RUN = 50
"""Steps of the exact search for the price of one run."""
SAY_EVERY = 50
"""Runs between two lines of progress."""

Progress = Callable[[str], None]


class OutOfRunsError(Exception):
    """The budget of policy runs is spent."""


class Runner:
    """Tries out withdrawals; raises OutOfRunsError when `runs` of them have been tried."""

    def __init__(
        self, policy: Policy, machine: Machine, runs: int, progress: Progress | None = None
    ) -> None:
        self.policy = policy
        self.machine = pin_facts(machine)
        self.runs = runs
        self.left = runs
        self.interrupted = False
        """Ctrl-C ended a search; what it had found was kept."""
        self._progress = progress

    @property
    def used(self) -> int:
        return self.runs - self.left

    def without(self, gone: Sequence[Range]) -> Trial:
        """What the policy does without the pages of `gone` (addresses may be tracked)."""
        if self.left <= 0:
            raise OutOfRunsError
        self.left -= 1
        if self.left % SAY_EVERY == 0:
            self.say(f"withdraw: run {self.used} of {self.runs}")
        return try_policy(self.policy, self.after(gone))

    def say(self, text: str) -> None:
        """A line of progress."""
        if self._progress is not None:
            self._progress(text)

    def after(self, gone: Sequence[Range]) -> Machine:
        """The machine without the pages of `gone`."""
        return withdraw(self.machine, gone)
