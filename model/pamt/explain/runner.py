"""Runs of a policy on one machine with pages withdrawn, counted."""

from __future__ import annotations

from collections.abc import Sequence

from pamt.explain.changes import Trial, pin_facts, try_policy, withdraw
from pamt.machine import Machine
from pamt.policies.protocol import Policy
from pamt.ranges import Range

__all__ = ["RUNS", "OutOfRunsError", "Runner"]

RUNS = 4_000
"""Runs of the policy that a search may spend."""


class OutOfRunsError(Exception):
    """The budget of policy runs is spent."""


class Runner:
    """Tries out withdrawals; raises OutOfRunsError when `runs` of them have been tried."""

    def __init__(self, policy: Policy, machine: Machine, runs: int) -> None:
        self.policy = policy
        self.machine = pin_facts(machine)
        self.runs = runs
        self.left = runs

    @property
    def used(self) -> int:
        return self.runs - self.left

    def without(self, gone: Sequence[Range]) -> Trial:
        """What the policy does without the pages of `gone` (addresses may be tracked)."""
        if self.left <= 0:
            raise OutOfRunsError
        self.left -= 1
        return try_policy(self.policy, self.after(gone))

    def after(self, gone: Sequence[Range]) -> Machine:
        """The machine without the pages of `gone`."""
        return withdraw(self.machine, gone)
