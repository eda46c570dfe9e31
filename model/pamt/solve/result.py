"""What an answer to a placement question is made of.

Source: docs/design.md, sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pamt.certificate import Certificate, Checked
from pamt.configuration import Configuration
from pamt.placement import Objective, TrivialCause
from pamt.ranges import RangeSet

__all__ = [
    "FEASIBLE",
    "INFEASIBLE",
    "INTERRUPT",
    "MEMORY",
    "METHOD",
    "OPTIMAL",
    "SIZE",
    "STEPS",
    "TIME",
    "UNDECIDED",
    "Gap",
    "InternalDisagreement",
    "PlaceResult",
    "Statistics",
    "gap_between",
]

OPTIMAL = "OPTIMAL"
FEASIBLE = "FEASIBLE"
INFEASIBLE = "INFEASIBLE"
UNDECIDED = "UNDECIDED"


STEPS = "steps"
"""The budget of steps is used up."""
TIME = "time"
INTERRUPT = "interrupt"
"""Ctrl-C, or a request to end."""
MEMORY = "memory"
SIZE = "size"
"""What is left open is too large to be encoded for a solver."""
METHOD = "method"
"""The search came to its own end: more time or steps would not help."""


class InternalDisagreement(RuntimeError):
    """Two parts of this program contradict each other: a bug, never an answer (exit 70).

    `parties` names the two; `detail` is what each of them says.
    """

    def __init__(self, parties: tuple[str, str], detail: str) -> None:
        super().__init__(f"{parties[0]} and {parties[1]} disagree: {detail}")
        self.parties = parties
        self.detail = detail

    def __reduce__(self) -> tuple[type[InternalDisagreement], tuple[tuple[str, str], str]]:
        return type(self), (self.parties, self.detail)


class Gap(NamedTuple):
    """The first component in which the best known and the bound differ, and by how much."""

    component: str
    amount: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an answer took.  Counts only, no times: the same on every run."""

    engine: str
    solver: str = ""
    checks: int = 0
    """Questions put to the solver."""
    steps: int = 0
    """Steps spent, those of the exact engines included (:mod:`pamt.solve.budget`)."""
    assertions: int = 0


@dataclass(frozen=True, slots=True)
class PlaceResult:
    """The answer to a placement question.

    OPTIMAL: `configuration` is the canonical optimum and `bound` equals `objective` in `order`.
    FEASIBLE: the best one found; nothing is below `bound`.  INFEASIBLE: none exists; `cause` says
    why where no search was needed.  UNDECIDED: `reason` says what ran out.
    """

    verdict: str
    order: tuple[str, ...]
    configuration: Configuration | None = None
    given_up: RangeSet = field(default_factory=RangeSet)
    objective: Objective | None = None
    bound: Objective | None = None
    cause: TrivialCause | None = None
    reason: str | None = None
    """Why there is no more than this, in plain words."""
    stopped: str | None = None
    """The same as one word: STEPS, TIME, INTERRUPT, MEMORY, SIZE or METHOD."""
    canonical: bool = False
    """Whether `configuration` is known to be the canonical one among equals."""
    statistics: Statistics = field(default_factory=lambda: Statistics("none"))
    certificate: Certificate | None = None
    """What proves the verdict; None for UNDECIDED, and from the reference solver alone."""
    checked: Checked | None = None
    """What the checker says of it; never invalid."""

    @property
    def gap(self) -> Gap | None:
        """Where best and bound differ first, in objective order; None where they don't."""
        if self.objective is None or self.bound is None:
            return None
        return gap_between(self.objective, self.bound, self.order)


def gap_between(best: Objective, bound: Objective, order: Sequence[str]) -> Gap | None:
    """The first component of `order` in which the two differ."""
    for name in order:
        amount = int(getattr(best, name)) - int(getattr(bound, name))
        if amount:
            return Gap(name, amount)
    return None
