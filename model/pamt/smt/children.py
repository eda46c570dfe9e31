"""Processes of a pool: signals are for the process that asked, and none outlives it.

A terminal sends Ctrl-C, and ``timeout`` sends SIGTERM, to every process of a group.  The one that
asked takes it and ends the others; were they to end by themselves, its pool would be broken.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

from pamt.smt.interrupt import STOPS

__all__ = ["begin_child", "end_children", "without_stops"]


def begin_child() -> None:
    """In a new process: ignore what stops work, and end when the parent does, however that was."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """The sentinel is a pipe that the parent holds open for as long as it lives."""
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def end_children(processes: Iterable[BaseProcess]) -> None:
    """End them now.  They ignore SIGTERM."""
    started = list(processes)
    for process in started:
        process.kill()
    for process in started:
        process.join()


@contextmanager
def without_stops() -> Iterator[None]:
    """A signal of :data:`~pamt.smt.interrupt.STOPS` that comes meanwhile is let through at the end.

    The mask is for processes that begin here: they keep what is blocked, so that a signal does not
    reach them before they can say that they ignore it.  It holds for this thread alone: a signal
    that a timer sends lands in another one, and Python would still run the handler in this one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    handlers = [
        (number, signal.signal(number, lambda number, _frame: came.append(number)))
        for number in STOPS
    ]
    try:
        yield
    finally:
        for number, handler in handlers:
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for one in came[:1]:
            signal.raise_signal(one)
