"""How long a command may work, with how many processes, and what it may end with."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

__all__ = ["AS_CTRL_C", "Clock", "accept_option", "jobs_option", "timeout_option"]

AS_CTRL_C = "Stop then, as Ctrl-C does: with what was found so far."
"""What the time limit of most commands does."""


class _Seconds(click.FloatRange):
    """A time limit: a number above 0.  Past :data:`MOST_SECONDS` all are the same."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return min(seconds, MOST_SECONDS)


MOST_SECONDS = 30 * 24 * 3600.0
"""Timers and waits do not take just any number; a month is as good as for ever."""


def timeout_option(says: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """``--timeout``, in seconds."""
    seconds = _Seconds(0, min_open=True)
    return click.option("--timeout", type=seconds, metavar="SECONDS", help=says)


def jobs_option(says: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """``--jobs``, a number of processes."""
    return click.option(
        "--jobs",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        metavar="NUMBER",
        help=says,
    )


accept_option = click.option(
    "--accept", type=click.Choice(["feasible"]), help="FEASIBLE is exit 0, too."
)


class Clock:
    """The time that ``--timeout`` grants, all phases of the work together.

    When it is over, the process gets what Ctrl-C would send it.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds
        self._over = False
        self._running = False

    def stopped_by(self) -> str:
        """What an interrupt stands for, in words."""
        from pamt.smt.interrupt import stopped_by

        return f"the time limit of {self._seconds:g} s ended" if self._over else stopped_by()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Enter inside of what makes Ctrl-C an exception."""
        if self._end is None:
            yield
            return
        # Never at once: what is run in here is to get to where it notices.
        timer = threading.Timer(max(0.1, self._end - time.monotonic()), self._ring)
        timer.daemon = True
        self._running = True
        timer.start()
        try:
            yield
        finally:
            self._running = False
            timer.cancel()

    def _ring(self) -> None:
        if self._running:
            self._over = True
            os.kill(os.getpid(), signal.SIGINT)
