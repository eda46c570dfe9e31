"""Typed answers of the verify engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.verify.scope import AtLeast

__all__ = [
    "DEFAULT_BUDGET",
    "Budget",
    "Counterexample",
    "Covered",
    "Disagreement",
    "Measure",
    "Vacuity",
    "VerifyResult",
    "magnitude",
]

VerifyVerdict = Literal["HOLDS", "VIOLATED", "UNDECIDED"]


class Budget(NamedTuple):
    """In solver steps: the same on every run, whatever the machine."""

    per_query: int = 50_000_000
    total: int = 5_000_000_000


DEFAULT_BUDGET = Budget()


class Measure(NamedTuple):
    """The order in which counterexamples are compared, smallest first."""

    ranges: int
    cmrs: int
    nodes: int
    free: int
    tdmrs: int
    span: int
    """GiBs from the first to the last that memory touches."""
    off_1g: int
    """Addresses that are not on 1 GiB."""
    off_2m: int
    """Addresses that are not on 2 MiB."""
    addresses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest map found, replayed by plain Python."""

    machine: Machine
    """As a machine file gives it."""
    outcome: Outcome | None
    """What the policy answers on it; None where it raises."""
    why: str
    label: str
    """The obligation that failed."""
    measure: Measure
    certified: bool
    """Nothing smaller breaks the property: every smaller case was refuted, and so was every smaller
    value of each component of the measure."""
    necessary: tuple[str, ...] = ()
    """What happens without each item of the map."""
    free_fields: tuple[str, ...] = ()
    """Addresses whose value does not matter: every other one that the scope allows, with the rest
    of the map as it is, does it as well.  Not worked out where an obligation has a witness of its
    own (``accepted``, ``covered``, ``complete``)."""


def magnitude(number: int) -> str:
    """A number in full, or what is left of it where it has more than 15 digits."""
    if isinstance(number, AtLeast):
        return f"more than {magnitude(int(number))}"
    digits = str(number)
    return digits if len(digits) <= 15 else f"{digits[0]}.{digits[1:3]}e{len(digits) - 1}"


class Vacuity(NamedTuple):
    """A check that the answer says something."""

    what: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The answer of :func:`pamt.verify.engine.verify`."""

    verdict: VerifyVerdict
    policy: str
    property: str
    property_words: str
    scope: str
    scope_size: int
    assumptions: tuple[str, ...]
    cases: int
    cases_done: int
    obligations: int
    """Asked of the solver."""
    trivial: int
    """Decided without it, by bounds and structure."""
    steps: int
    counterexample: Counterexample | None = None
    undecided: tuple[str, ...] = ()
    vacuity: tuple[Vacuity, ...] = field(default=())
    covered: tuple[Covered, ...] = ()
    """What was gone through, fewest items first; the last of them perhaps in part."""
    stopped: str = ""
    """What ended the work before its time.  The verdict is UNDECIDED then; a counterexample is a
    map that breaks the property all the same, but perhaps not the smallest one."""
    untested: str = ""
    """What never happens in the scope, so that the property was not put to the test."""


class Covered(NamedTuple):
    """What was gone through of the maps with so many items."""

    ranges: int
    cmrs: int
    nodes: int
    free: int
    cases: int
    obligations: int
    """Asked of the solver, or decided without it."""


class Disagreement(RuntimeError):
    """The symbolic run and the plain run say different things of one map: a bug in this tool."""

    def __init__(self, what: str, machine: Machine) -> None:
        super().__init__(what)
        self.what = what
        self.machine = machine
