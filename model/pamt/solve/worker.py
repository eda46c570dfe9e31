"""Work in processes of their own, so that it can be broken off at any moment, whatever it is at.

A job runs in a copy of this process (``fork``).  It sends *news* while it works and its answer at
the end.  The parent waits, and only waits: a time limit, Ctrl-C and SIGTERM reach it at once, it
ends the jobs, and what they sent until then is there.

    parent   --- fork ---+--------- waits, reads news ---------+--- goes on with the answers
    job 1                |-- news -- news -- answer            |
    job 2                |-- news -- news -- ... ended --------|

Memory is bounded by the operating system (``setrlimit``), for each job by itself.
Where there is no ``fork`` (Windows) jobs run here, one after the other, and nothing bounds them.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any, NamedTuple, NoReturn, Self

from pamt.smt.interrupt import STOPS, TERMINATED
from pamt.smt.session import NO_MEMORY, limit_memory

__all__ = ["Came", "Job", "Send", "Until", "run_jobs"]

Send = Callable[[object], None]
Job = Callable[[Send], object]

_MOST_SECONDS = 30 * 24 * 3600.0
"""What waits for files takes no larger number than some weeks everywhere."""
_HEAD = struct.Struct("<Q")


class Came(NamedTuple):
    """What came of a job: `value` if it is `done`, else what it was broken off by."""

    done: bool
    value: object = None
    lack: str | None = None
    """``stopped`` (see :class:`Until`), ``memory``, ``broke down`` (under a memory limit) or
    ``killed`` (from outside)."""
    after: object = None
    """What the parent wanted to know of the process at its end."""


class Until:
    """When work is to stop: after a time limit, on Ctrl-C, on SIGTERM.

    A context.  Outside of :func:`run_jobs` a signal raises KeyboardInterrupt, as without this
    class; inside, and after :meth:`note_only`, it is noted.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.began = time.monotonic()
        self.seconds = None if seconds is None else min(seconds, _MOST_SECONDS)
        self.signal: int | None = None
        """The first signal that came while jobs were waited for."""
        self.after = 0.0
        """Seconds until then."""
        self._noting = False
        self._before: dict[int, Any] = {}
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            reads, writes = socket.socketpair()
            reads.setblocking(False)
            writes.setblocking(False)
            self._ends = (reads, writes)
            for number in STOPS:
                self._before[number] = signal.signal(number, self._came)
            self._wakeup_before = signal.set_wakeup_fd(writes.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ends is None:
            return
        signal.set_wakeup_fd(self._wakeup_before)
        for number, before in self._before.items():
            # The process `pamt` has handlers of its own.  It ends with what was found when the
            # first signal came: a second one must not break off the telling of it.
            ours = before not in {signal.default_int_handler, signal.SIG_DFL}
            last = self.signal is not None and ours
            signal.signal(number, signal.SIG_IGN if last else before)
        for end in self._ends:
            end.close()

    def _came(self, number: int, frame: FrameType | None) -> None:
        del frame
        if not self._noting:
            # Once: what is done about it must not be broken off in its turn.
            self._noting = True
            raise KeyboardInterrupt(*([TERMINATED] if number == signal.SIGTERM else []))
        self._note(number)

    def _note(self, number: int) -> None:
        if self.signal is None:
            self.signal = number
            self.after = time.monotonic() - self.began

    def left(self) -> float | None:
        """Seconds until the time limit, at least 0; None: no limit."""
        if self.seconds is None:
            return None
        return max(0.0, self.began + self.seconds - time.monotonic())

    @property
    def signal_name(self) -> str:
        """What a reader calls the signal that came."""
        return "Ctrl-C" if self.signal == signal.SIGINT else "SIGTERM"

    @property
    def over(self) -> bool:
        return self.signal is not None or self.left() == 0.0

    def note_only(self) -> None:
        """There is an answer: signals no longer break off what is left to do."""
        self._noting = True

    def while_there_is_time(self, work: Callable[[], object]) -> bool:
        """Do `work` here; whether it came to its end.  A signal breaks it off, and is noted."""
        before = self._noting
        try:
            self._noting = False
            work()
        except KeyboardInterrupt as stop:
            self._note(signal.SIGTERM if TERMINATED in stop.args else signal.SIGINT)
            return False
        finally:
            self._noting = before
        return True

    def _woken(self) -> None:
        """Forget wake-ups that were seen."""
        assert self._ends is not None
        try:
            while self._ends[0].recv(64):
                pass
        except BlockingIOError:
            pass

    def _wait(self, files: Sequence[int]) -> list[int]:
        """Files of `files` with something to read; none where it is time to stop."""
        wake = [] if self._ends is None else [self._ends[0].fileno()]
        while not self.over:
            ready, _, _ = select.select([*files, *wake], [], [], self.left())
            if wake and wake[0] in ready:
                self._woken()
            found = [file for file in files if file in ready]
            if found:
                return found
        return []


class _Running:
    """A job's process, seen from its parent."""

    def __init__(self, number: int, pid: int, reads: int) -> None:
        self.number = number
        self.reads = reads
        self._pid = pid
        self._bytes = bytearray()

    def messages(self) -> list[tuple[str, object]] | None:
        """Those that have come in whole; None at the end of all."""
        chunk = os.read(self.reads, 1 << 16)
        self._bytes += chunk
        found: list[tuple[str, object]] = []
        while len(self._bytes) >= _HEAD.size:
            (length,) = _HEAD.unpack_from(self._bytes)
            end = _HEAD.size + length
            if len(self._bytes) < end:
                break
            # What is read here was written by a copy of this very program.
            found.append(pickle.loads(memoryview(self._bytes)[_HEAD.size : end]))  # noqa: S301
            del self._bytes[:end]
        return found if chunk else None

    def end(self) -> int:
        """End the process if it is still there; how it ended, as ``waitpid`` says it."""
        os.close(self.reads)
        return os.waitpid(self._pid, 0)[1]

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)


def run_jobs(
    jobs: Sequence[Job],
    until: Until,
    *,
    at_once: int = 1,
    memory: int | None = None,
    on_news: Callable[[int, object], None] | None = None,
    after: Callable[[], object] = lambda: None,
) -> list[Came]:
    """What came of each job, in their order.  `at_once` of them run at a time.

    `memory`: bytes that a job may use.  `on_news(number, news)` is called for what a job sends.
    `after` is called in a job's process at its end.  Raises what a job raises.
    """
    if not hasattr(os, "fork"):
        done = [job(_news_of(number, on_news)) for number, job in enumerate(jobs)]
        return [Came(True, value, after=after()) for value in done]
    came: dict[int, Came] = {}
    running: dict[int, _Running] = {}
    waiting = list(enumerate(jobs))[::-1]
    alive = os.pipe()
    noting, until._noting = until._noting, True  # noqa: SLF001 - the two are one
    try:
        while waiting or running:
            while waiting and len(running) < at_once and not until.over:
                number, job = waiting.pop()
                one = _start(number, job, after, memory, alive, list(running))
                running[one.reads] = one
            ready = until._wait(list(running))  # noqa: SLF001
            if not ready:
                break
            for file in ready:
                if _read(running[file], came, on_news):
                    one = running.pop(file)
                    status = one.end()
                    if one.number not in came:
                        came[one.number] = _died(status, memory)
    finally:
        for one in running.values():
            one.kill()
            try:
                while not _read(one, came, on_news):
                    pass
            finally:
                one.end()
        for end in alive:
            os.close(end)
        # After a signal others may follow (`timeout` sends it twice): they change nothing.
        until._noting = noting or until.over  # noqa: SLF001
    return [came.get(number, Came(False, lack="stopped")) for number in range(len(jobs))]


def _news_of(number: int, on_news: Callable[[int, object], None] | None) -> Send:
    return lambda news: None if on_news is None else on_news(number, news)


def _read(
    one: _Running, came: dict[int, Came], on_news: Callable[[int, object], None] | None
) -> bool:
    """Take in what a job has sent; whether nothing more will come."""
    messages = one.messages()
    for kind, what in messages or ():
        if kind == "news":
            if on_news is not None:
                on_news(one.number, what)
        elif kind == "done":
            assert isinstance(what, tuple)
            came[one.number] = Came(True, what[0], after=what[1])
        elif kind == "memory":
            came[one.number] = Came(False, lack="memory")
        else:
            assert isinstance(what, tuple)
            error, trace = what
            error.__cause__ = _Elsewhere(trace)
            raise error
    return messages is None


class _Elsewhere(Exception):
    """The traceback of an error in another process."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def _died(status: int, memory: int | None) -> Came:
    """A job ended without an answer."""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number in {signal.SIGKILL, signal.SIGTERM}:
        return Came(False, lack="killed")
    if memory is not None:
        # Not every library gets as far as to say that memory was short.
        return Came(False, lack="broke down")
    raise RuntimeError(f"a process of the search ended without an answer (status {status:#x})")


def _start(
    number: int,
    job: Job,
    after: Callable[[], object],
    memory: int | None,
    alive: tuple[int, int],
    others: Sequence[int],
) -> _Running:
    reads, writes = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    # No signal may run a handler of the parent's in the child.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    pid = os.fork()
    if pid == 0:
        try:
            for file in (reads, alive[1], *others):
                os.close(file)
            _child(job, after, writes, memory, alive[0])
        finally:
            os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    os.close(writes)
    return _Running(number, pid, reads)


def _child(
    job: Job, after: Callable[[], object], writes: int, memory: int | None, alive: int
) -> NoReturn:
    """Run the job, send what comes of it, and end without anything of the parent's own ending."""
    signal.set_wakeup_fd(-1)
    # Signals are for the process that asked, though they may be sent to all; it ends the jobs.
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
    if memory is not None:
        _bound_memory(memory)

    def send(kind: str, what: object) -> None:
        content = pickle.dumps((kind, what))
        whole = memoryview(_HEAD.pack(len(content)) + content)
        while whole:
            whole = whole[os.write(writes, whole) :]

    out_of_memory = pickle.dumps(("memory", None))
    try:
        value = job(lambda news: send("news", news))
        send("done", (value, after()))
    except BaseException as error:  # noqa: BLE001 - the parent raises it again
        if _for_want_of_memory(error):
            os.write(writes, _HEAD.pack(len(out_of_memory)) + out_of_memory)
        else:
            send("error", (_sendable(error), traceback.format_exc()))
    os._exit(0)


def _for_want_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says so; solvers do in their own words."""
    while error is not None:
        if isinstance(error, MemoryError) or any(word in str(error) for word in NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False


def _bound_memory(most: int) -> None:
    import faulthandler
    import resource

    # A solver that ends for want of memory says so in its own way; the parent says it better.
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    # Linux counts what is written to, and no mapped library, under RLIMIT_DATA.
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    _, hard = resource.getrlimit(kind)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (least, hard))
    limit_memory(most)


def _end_with_parent(alive: int) -> None:
    """The parent holds the other end for as long as it lives."""
    os.read(alive, 1)
    os._exit(1)


def _sendable(error: BaseException) -> BaseException:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - written one line before
    except Exception:  # noqa: BLE001 - whatever goes wrong there, the error is told as text
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
