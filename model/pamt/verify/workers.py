"""The cases of a question in one process, or spread over several: the same answers in one order."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from pamt.verify.casework import Task

__all__ = ["Workers", "workers"]

Stage = Callable[..., Any]
"""``stage(task, *arguments)``, a function of a module."""


class Workers:
    """Runs a stage of casework on many arguments; the default is here and now, one by one."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def each(self, stage: Stage, arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """The answer for each tuple of arguments, in their order, when it is asked for."""
        for those in arguments:
            yield stage(self.task, *those)


class _Processes(Workers):
    def __init__(self, task: Task, pool: ProcessPoolExecutor) -> None:
        super().__init__(task)
        self._pool = pool

    def each(self, stage: Stage, arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        waiting: list[Future[Any]] = [self._pool.submit(_run, stage, those) for those in arguments]
        try:
            for one in waiting:
                yield one.result()
        finally:
            for one in waiting:
                one.cancel()


@contextmanager
def workers(task: Task, jobs: int) -> Iterator[Workers]:
    """`jobs` processes; this one alone where there is one job, or where `task` cannot be sent."""
    if jobs <= 1 or not task.can_be_sent:
        yield Workers(task)
        return
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, _begin, (task,))
    try:
        yield _Processes(task, pool)
    finally:
        # What has not begun is dropped, what runs is of no use any more.
        started = set(multiprocessing.active_children()) - others
        pool.shutdown(wait=False, cancel_futures=True)
        for process in started:
            process.terminate()
        for process in started:
            process.join()


_tasks: list[Task] = []
"""In a worker: the one it is there for."""


def _begin(task: Task) -> None:
    # Ctrl-C is for the process that asked; it ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _tasks[:] = [task]


def _run(stage: Stage, arguments: tuple[Any, ...]) -> Any:
    return stage(_tasks[0], *arguments)
