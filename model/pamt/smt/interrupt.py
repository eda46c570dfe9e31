"""Ctrl-C (or SIGTERM) while a solver is at work: it ends the work, whichever moment it comes at.

Python's own KeyboardInterrupt gets lost there.  z3 catches the signal itself while it searches, and
may still answer; raised inside its bindings, the exception is turned into another one by ctypes,
or swallowed by a destructor.  So inside the bindings the wish is only noted, and raised later by
:func:`poll`; and a search that is under way is told to stop by a thread of its own, for Python's
handlers run in the main thread only, which is then inside the solver.

Other Python code swallows it as well: destructors, callbacks of weak references and of the garbage
collector.  There the signal is put off: the thread sends it again a moment later.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from types import FrameType, TracebackType
from typing import Any

__all__ = ["STOPS", "TERMINATED", "check", "interruptible", "poll", "stopped_by"]

STOPS = (signal.SIGINT, signal.SIGTERM)
"""The signals that end work with what was found so far."""

TERMINATED = "stopped by SIGTERM"
"""The argument of a KeyboardInterrupt that stands for SIGTERM; one for Ctrl-C has none."""
AGAIN = 0.01
"""Seconds after which a signal is sent again that came where it would be lost."""
SAME = 2.0
"""Seconds in which one SIGTERM after another is the same: ``timeout`` sends it twice."""


class _State:
    """One for the process, as signals are."""

    wanted = False
    """A signal came at a moment at which nothing could be raised."""
    terminated: float | None = None
    """When SIGTERM came, if it did since :class:`interruptible` was entered last."""
    searching: Any = None
    """The z3 context that is searching now."""
    watched = False
    """Whether this is inside of :class:`interruptible`."""
    again: socket.socket | None = None
    """What tells the thread to send the signal again."""


def poll() -> None:
    """Raises KeyboardInterrupt if Ctrl-C came while nothing could be raised."""
    if _State.wanted:
        _State.wanted = False
        raise _stop()


def stopped_by() -> str:
    """What the last KeyboardInterrupt from here stood for, in words."""
    return "interrupted" if _State.terminated is None else TERMINATED


def _stop() -> KeyboardInterrupt:
    return KeyboardInterrupt(*([] if _State.terminated is None else [TERMINATED]))


def check(solver: Any, *assumed: Any) -> str:
    """``sat``, ``unsat`` or ``unknown`` from a z3 solver, with what is assumed.

    Raises KeyboardInterrupt for Ctrl-C, wherever that is not ignored.
    """
    if not _State.watched and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        with interruptible():
            return _check(solver, *assumed)
    return _check(solver, *assumed)


def _check(solver: Any, *assumed: Any) -> str:
    poll()
    solver.set("ctrl_c", False)
    _State.searching = solver.ctx
    try:
        answer = str(solver.check(*assumed))
    finally:
        _State.searching = None
    poll()
    return answer


class interruptible:  # noqa: N801 - reads as a verb, as context managers do
    """A block in which Ctrl-C raises KeyboardInterrupt: at once, or from the next :func:`poll`.

    Does nothing outside of the main thread, which alone may handle signals.  A class, not a
    generator: raised in the frames of contextlib, KeyboardInterrupt would leave the generator, and
    with it the signal handlers and the sockets, to the garbage collector.  In the frames of this
    module it is only noted.
    """

    _before: dict[int, Any]
    _wakeup_before = -1
    _ends: tuple[socket.socket, socket.socket] | None = None
    _watcher: threading.Thread

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        # The handler comes first and goes last: between them a signal is noted, and breaks off
        # nothing half way.
        _State.wanted = False
        _State.terminated = None
        self._before = {signal.SIGINT: signal.signal(signal.SIGINT, _interrupt)}
        if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
            self._before[signal.SIGTERM] = signal.signal(signal.SIGTERM, _interrupt)
        reads, writes = socket.socketpair()
        writes.setblocking(False)
        self._ends = (reads, writes)
        self._watcher = threading.Thread(target=_stop_searches, args=(reads,), daemon=True)
        self._watcher.start()
        self._wakeup_before = signal.set_wakeup_fd(writes.fileno(), warn_on_full_buffer=False)
        _State.again = writes
        _State.watched = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ends is None:
            return
        reads, writes = self._ends
        _State.watched = False
        _State.again = None
        signal.set_wakeup_fd(self._wakeup_before)
        writes.close()
        self._watcher.join()
        reads.close()
        if _State.terminated is not None and callable(self._before.get(signal.SIGTERM)):
            # It has been heard; what is told of it now is not to be lost to the second one.
            self._before[signal.SIGTERM] = signal.SIG_IGN
        for number, before in self._before.items():
            signal.signal(number, before)
        wanted, _State.wanted = _State.wanted, False
        if wanted and error is None:
            raise _stop()


def _stop_searches(reads: socket.socket) -> None:
    """Until the other end is closed: each signal stops the search under way, or comes again."""
    while numbers := reads.recv(64):
        context = _State.searching
        if context is not None and any(number in numbers for number in STOPS):
            context.interrupt()
        if 0 in numbers:
            time.sleep(AGAIN)
            os.kill(os.getpid(), signal.SIGINT)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if number == signal.SIGTERM:
        now, last = time.monotonic(), _State.terminated
        if last is not None and now - last < SAME:
            return
        _State.terminated = now
    if _in_bindings(frame):
        _State.wanted = True
    elif _State.again is not None and _swallows(frame):
        _State.wanted = True
        _State.again.send(b"\0")
    else:
        _State.wanted = False
        raise _stop()


def _in_bindings(frame: FrameType | None) -> bool:
    """Whether Python code of a solver, or what calls it here, is being run."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name == __name__ or name.partition(".")[0] in {"z3", "cvc5"}:
            return True
        frame = frame.f_back
    return False


def _swallows(frame: FrameType | None) -> bool:
    """Whether an exception raised in this frame ends in a destructor or a callback."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code in callbacks:
            return True
        if frame.f_globals.get("__name__") in {"weakref", "_weakrefset"}:
            return True
        frame = frame.f_back
    return False
