"""What the engine has found by itself, as questions that can be asked again.

``tests/bench/verify_findings.py`` asks them all and writes each found map as a machine file.
"""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from typing import NamedTuple

from pamt.machine import Machine
from pamt.verify.diff import diff
from pamt.verify.engine import verify
from pamt.verify.result import Measure
from pamt.verify.scope import Scope

__all__ = ["Cited", "Finding", "Found", "Statement", "reproduce"]


@dataclass(frozen=True)
class _Asked:
    item: str
    name: str
    policy: str
    asked: str
    """A property; or, for a difference, ``POLICY: REASON -> REASON``."""
    scope: Scope
    says: str
    """The finding, in words."""

    @property
    def command(self) -> str:
        """As typed."""
        if "->" in self.asked:
            words = ["pamt", "diff", self.policy, self.asked.rpartition(": ")[0]]
        else:
            words = ["pamt", "verify", self.policy, "--property", self.asked]
        return f"{shlex.join(words)} {self.scope.options()}".strip()


class Finding(_Asked):
    """A question that a map answers."""


class Statement(_Asked):
    """A question that no map of the scope answers: the property holds."""


class Cited(NamedTuple):
    """What another command of this tool says."""

    item: str
    name: str
    words: str
    """The command line after ``pamt``."""
    verdict: str
    says: str

    @property
    def command(self) -> str:
        """As typed."""
        return f"pamt {self.words}"


class Found(NamedTuple):
    """What came out."""

    machine: Machine
    why: str
    measure: Measure
    certified: bool
    steps: int
    seconds: float
    """Of processor time."""
    free_fields: tuple[str, ...] = ()


def reproduce(finding: Finding) -> Found | None:
    """Ask the question; None when the answer is that nothing is found."""
    began = time.process_time()
    if "->" in finding.asked:
        other, _, pair = finding.asked.rpartition(": ")
        wanted = tuple(pair.split(" -> "))
        answer = diff(finding.policy, other, finding.scope)
        for difference in answer.differences:
            if difference.answers == wanted:
                return Found(
                    difference.machine,
                    f"{wanted[0]} becomes {wanted[1]}",
                    difference.measure,
                    difference.certified,
                    answer.steps,
                    time.process_time() - began,
                )
        return None
    result = verify(finding.policy, finding.asked, finding.scope)
    found = result.counterexample
    if found is None:
        return None
    return Found(
        found.machine,
        found.why,
        found.measure,
        found.certified,
        result.steps,
        time.process_time() - began,
        found.free_fields,
    )
