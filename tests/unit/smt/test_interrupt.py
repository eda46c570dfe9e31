"""Ctrl-C ends the work of a solver, whichever moment it comes at."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import z3

from pamt.smt.interrupt import check, interruptible


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()


def easy(context: z3.Context) -> z3.Solver:
    solver = z3.SimpleSolver(context)
    x, y = z3.Int("x", context), z3.Int("y", context)
    solver.add(x > y, y > 3, x < 9)
    return solver


def pigeons(holes: int) -> z3.Solver:
    solver = z3.Solver(ctx=z3.Context())
    birds = [z3.Int(f"x{i}", solver.ctx) for i in range(holes + 1)]
    for bird in birds:
        solver.add(bird >= 0, bird < holes)
    solver.add(z3.Distinct(birds))
    return solver


def ask_on_and_on() -> None:
    """Contexts come and go, too: an exception in their destructor would be swallowed."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        assert check(easy(z3.Context())) == "sat"


def count_on_and_on() -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pass


@pytest.mark.parametrize("moment", range(20))
def test_among_many_short_searches(moment: int) -> None:
    delay = 0.01 + moment * 0.003
    with pytest.raises(KeyboardInterrupt), interruptible(), interrupted_after(delay):
        ask_on_and_on()


def test_in_a_long_search() -> None:
    solver = pigeons(30)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interruptible(), interrupted_after(0.5):
        check(solver)
    assert time.monotonic() - began < 60


def test_in_plain_python() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible(), interrupted_after(0.1):
        count_on_and_on()


class Heavy:
    """Its destructor takes long, and swallows whatever is raised in it."""

    def __del__(self) -> None:
        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            pass


def drop_on_and_on() -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        Heavy()


@pytest.mark.parametrize("moment", range(5))
def test_in_a_destructor_it_is_put_off(moment: int) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible(), interrupted_after(0.1 + moment / 250):
        drop_on_and_on()


@pytest.mark.parametrize("moment", range(5))
def test_in_a_callback_of_the_garbage_collector_it_is_put_off(moment: int) -> None:
    def callback(phase: str, info: dict[str, int]) -> None:
        Heavy().__del__()

    gc.callbacks.append(callback)
    try:
        with (
            pytest.raises(KeyboardInterrupt),
            interruptible(),
            interrupted_after(0.1 + moment / 250),
        ):
            collect_on_and_on()
    finally:
        gc.callbacks.remove(callback)


def collect_on_and_on() -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        gc.collect(0)


@pytest.mark.filterwarnings("error")
def test_put_off_to_the_end_it_is_raised_there() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible(), interrupted_after(0.005):
        Heavy().__del__()


def test_everything_is_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    threads = threading.active_count()
    with interruptible():
        assert signal.getsignal(signal.SIGINT) is not before
        assert check(easy(z3.Context())) == "sat"
    assert signal.getsignal(signal.SIGINT) is before
    assert threading.active_count() == threads
    assert check(pigeons(3)) == "unsat"


def test_in_another_thread_nothing_is_changed() -> None:
    before = signal.getsignal(signal.SIGINT)
    answers: list[str] = []

    def work() -> None:
        with interruptible():
            answers.append(check(easy(z3.Context())))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == ["sat"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_session_is_ended_wherever_it_is_asked() -> None:
    """Outside of `interruptible` as well: no answer, but KeyboardInterrupt."""
    from pamt.smt.session import Session
    from pamt.smt.terms import Int, every, some

    session = Session()
    birds = [Int(f"x{i}") for i in range(14)]
    session.add(every((bird.at_least(0), bird.at_most(12))) for bird in birds)
    session.add(some((a.below(b), b.below(a))) for at, a in enumerate(birds) for b in birds[:at])
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interrupted_after(0.3):
        session.check()
    assert signal.getsignal(signal.SIGINT) is before
