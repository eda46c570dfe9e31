"""Rows of the speed table: what was asked, what it took, and whether that is what was promised.

Seconds are user seconds of this process and its children, so that other load counts little; steps
and questions are the same on every run of one z3 build.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """What one question came to."""

    answer: str
    asked: int | None = None
    """Obligations, or questions."""
    steps: int | None = None


class Spent:
    """User seconds, once the ``with`` is over."""

    seconds: float = 0.0


@contextmanager
def spending() -> Iterator[Spent]:
    """Count user seconds of this process and of children that have ended."""
    spent = Spent()
    began = os.times()
    yield spent
    ended = os.times()
    own = ended.user - began.user
    spent.seconds = own + ended.children_user - began.children_user


class Table:
    """Prints rows as they come, and keeps what did not come out as it must."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.met: list[bool] = []

    def heading(self, text: str) -> None:
        """A title, and the names of the columns."""
        self._print(
            f"\n{text}\n{'':50} {'asked':>7} {'steps':>12} {'user s':>8} {'target':>8}  answer"
        )

    def row(
        self,
        what: str,
        question: Callable[[], Measured],
        *,
        target: float | None = None,
        must: str | None = None,
    ) -> float:
        """Ask, and print a row; answers the seconds.  `must` is how the answer has to begin."""
        with spending() as spent:
            it = question()
        self.line(what, it, spent.seconds, target, must)
        return spent.seconds

    def line(
        self,
        what: str,
        it: Measured,
        seconds: float,
        target: float | None = None,
        must: str | None = None,
    ) -> None:
        """Print a row that was measured elsewhere."""
        said = ""
        if target is not None:
            met = seconds <= target
            self.met.append(met)
            said = f"{'met' if met else 'MISSED'}: "
        if must is not None and not it.answer.startswith(must):
            self.wrong.append(f"{what}: {it.answer}, not {must}")
        asked, steps = _number(it.asked), _number(it.steps)
        wanted = "" if target is None else f"{target:g} s"
        self._print(
            f"{what:50} {asked:>7} {steps:>12} {seconds:>8.2f} {wanted:>8}  {said}{it.answer}"
        )

    def note(self, text: str) -> None:
        """A line of its own."""
        self._print(text)

    def _print(self, text: str) -> None:
        sys.stdout.write(text.rstrip() + "\n")
        sys.stdout.flush()


def _number(value: Any) -> str:
    return "" if value is None else f"{value:,}"
