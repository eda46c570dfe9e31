"""The cases of a question in one process, or spread over several: the same answers in one order."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from pamt.smt.children import begin_child, end_children, without_stops
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
    """Holds the pool alone, so that its semaphores go with it."""

    def __init__(self, task: Task, jobs: int) -> None:
        super().__init__(task)
        self._others = set(multiprocessing.active_children())
        context = multiprocessing.get_context("spawn")
        self._pool: ProcessPoolExecutor | None = ProcessPoolExecutor(jobs, context, _begin, (task,))

    def each(self, stage: Stage, arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        assert self._pool is not None
        waiting: list[Future[Any]] = []
        try:
            for those in arguments:
                # A process may be started now.
                with without_stops():
                    waiting.append(self._pool.submit(_run, stage, those))
            for one in waiting:
                yield one.result()
        finally:
            for one in waiting:
                one.cancel()

    def end(self) -> None:
        """What has not begun is dropped, what runs is of no use any more."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        started = set(multiprocessing.active_children()) - self._others
        # The pool's own thread holds semaphores as well, and the second shutdown waits for nothing.
        manager: Any = pool._executor_manager_thread  # noqa: SLF001
        pool.shutdown(wait=False, cancel_futures=True)
        end_children(started)
        if manager is not None:
            manager.join()
        del manager
        del pool
        # Semaphores are named, and outlive a process that ends without collecting them.
        gc.collect()


@contextmanager
def workers(task: Task, jobs: int) -> Iterator[Workers]:
    """`jobs` processes; this one alone where there is one job, or where `task` cannot be sent."""
    if jobs <= 1 or not task.can_be_sent:
        yield Workers(task)
        return
    crew: _Processes | None = None
    try:
        with without_stops():
            crew = _Processes(task, jobs)
        yield crew
    finally:
        if crew is not None:
            with without_stops():
                crew.end()


_tasks: list[Task] = []
"""In a worker: the one it is there for."""


def _begin(task: Task) -> None:
    begin_child()
    _tasks[:] = [task]


def _run(stage: Stage, arguments: tuple[Any, ...]) -> Any:
    return stage(_tasks[0], *arguments)
