"""A placement question in a process of its own: an answer at any moment, whatever it is at.

The search tells what it finds while it goes on.  When it is broken off (Ctrl-C, a time limit, too
little memory), the best placement and the highest bound that it told of are the answer.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pamt.certificate import Claim
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.placement import Objective, Space
from pamt.smt.estimate import MOST_MEMORY
from pamt.solve.budget import QUIET, Known, Notes, Watch
from pamt.solve.conclude import conclude, note_rivals
from pamt.solve.decide import EXACT, place
from pamt.solve.result import (
    INTERRUPT,
    MEMORY,
    TIME,
    UNDECIDED,
    PlaceResult,
    Statistics,
)
from pamt.solve.worker import Came, Send, Until, run_jobs

__all__ = ["Answered", "Asked", "place_until", "why_stopped"]

EVERY = 0.1
"""Seconds between news of steps alone."""


class Asked(NamedTuple):
    """A question and what may be spent on it."""

    machine: Machine
    """Completed."""
    space: Space
    order: tuple[str, ...]
    steps: int
    engine: str = EXACT
    encoding: int = MOST_MEMORY
    """Bytes that an encoding for z3 may take."""
    memory: int | None = None
    """Bytes that a process may take."""


class Answered(NamedTuple):
    result: PlaceResult
    judged: Mapping[str, Objective | None]
    """What each policy costs that ran beside it; None where it is no answer."""
    after: object = None
    """What the caller wanted to know of the search's process at its end, if it came to it."""


class _Teller(Watch):
    """Sends what it is told to the parent; steps only now and then."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._steps = 0
        self._last = 0.0

    def phase(self, text: str) -> None:
        self._send(("phase", text))

    def spent(self, steps: int) -> None:
        self._steps += steps
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._last = now
            self._send(("spent", self._steps))
            self._steps = 0

    def best(self, known: Known) -> None:
        self._send(("best", known))

    def bound(self, values: Mapping[str, int], claims: Sequence[Claim] | None) -> None:
        self._send(("bound", dict(values), claims))

    def policies(self, judged: Mapping[str, Objective | None]) -> None:
        self._send(("policies", dict(judged)))


def place_until(
    asked: Asked,
    outcomes: Sequence[tuple[str, Outcome]],
    until: Until,
    watch: Watch = QUIET,
    after: Callable[[], object] = lambda: None,
) -> Answered:
    """Decide the question, or stop when `until` says so; `outcomes` are those of policies.

    `after` is called in the process of the search, at its end.

    Raises what :func:`pamt.solve.place` raises.
    """
    notes = Notes(asked.order, None, watch)

    def job(send: Send) -> PlaceResult:
        return place(
            asked.machine,
            asked.space,
            asked.order,
            asked.steps,
            rivals=outcomes,
            watch=_Teller(send),
            engine=asked.engine,
            memory=asked.encoding,
        )

    def hear(_: int, news: object) -> None:
        assert isinstance(news, tuple)
        getattr(notes, news[0])(*news[1:])

    (came,) = run_jobs([job], until, memory=asked.memory, on_news=hear, after=after)
    if came.done:
        assert isinstance(came.value, PlaceResult)
        return Answered(came.value, notes.judged or {}, came.after)
    if notes.judged is None:
        note_rivals(asked.machine, asked.space, outcomes, notes)
    stopped, reason = why_stopped(came, until, asked.memory)
    statistics = Statistics(asked.engine, steps=notes.taken)
    ended = PlaceResult(
        UNDECIDED, asked.order, reason=reason, stopped=stopped, statistics=statistics
    )
    found: list[PlaceResult] = []
    # A second Ctrl-C does without the proof of the bound.
    until.while_there_is_time(
        lambda: found.append(conclude(asked.machine, asked.space, notes, ended))
    )
    if not found:
        found.append(conclude(asked.machine, asked.space, notes, ended, prove=False))
    return Answered(found[0], notes.judged or {})


def why_stopped(came: Came, until: Until, memory: int | None) -> tuple[str, str]:
    """One word and plain words for a job that was broken off."""
    most = "" if memory is None else f" of {_size(memory)}"
    if came.lack == "memory":
        return MEMORY, f"the memory limit{most} is reached"
    if came.lack == "broke down":
        return MEMORY, f"the search broke down under the memory limit{most}"
    if came.lack == "killed":
        return MEMORY, "the search was ended from outside, perhaps for lack of memory"
    if until.signal is not None:
        after = f"after {until.after:.1f} s"
        return INTERRUPT, f"stopped by {until.signal_name} {after}"
    return TIME, f"the time limit of {until.seconds:g} s is reached"


def _size(amount: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if amount >= unit:
            return f"{amount / unit:.4g} {name}"
    return f"{amount} bytes"
