"""Work in other processes: answers in order, news meanwhile, and an end at any moment."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pamt.solve import InternalDisagreement
from pamt.solve.worker import Send, Until, run_jobs

FOREVER = 60.0


@contextmanager
def signalled_after(seconds: float, number: int = signal.SIGINT) -> Iterator[None]:
    timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), number))
    timer.start()
    try:
        yield
    finally:
        timer.join()


def busy(send: Send) -> None:
    """Python that never waits, with news before."""
    send("began")
    while True:
        pass


def children() -> set[str]:
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return set(path.read_text(encoding="ascii").split())


def test_answers_come_in_the_order_of_the_jobs() -> None:
    def job(number: int, send: Send) -> tuple[int, int]:
        time.sleep(0.05 * (3 - number))
        send(number)
        return number, os.getpid()

    heard: list[tuple[int, object]] = []
    jobs = [lambda send, n=n: job(n, send) for n in range(4)]
    with Until() as until:
        came = run_jobs(
            jobs, until, at_once=4, on_news=lambda n, what: heard.append((n, what)), after=os.getpid
        )
    assert [one.done for one in came] == [True] * 4
    values = [one.value for one in came]
    assert [value[0] for value in values] == [0, 1, 2, 3]  # type: ignore[index]
    assert [one.after for one in came] == [value[1] for value in values]  # type: ignore[index]
    assert len({os.getpid(), *(one.after for one in came)}) == 5
    assert sorted(heard) == [(n, n) for n in range(4)]


def test_no_more_run_at_a_time_than_are_allowed() -> None:
    def job(send: Send) -> None:
        send(1)
        time.sleep(0.05)
        send(-1)

    running = most = 0

    def hear(_: int, change: object) -> None:
        nonlocal running, most
        assert isinstance(change, int)
        running += change
        most = max(most, running)

    with Until() as until:
        run_jobs([job] * 6, until, at_once=2, on_news=hear)
    assert most <= 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_jobs_and_keeps_what_was_told(number: int) -> None:
    before = signal.getsignal(number)
    heard: list[object] = []
    began = time.monotonic()
    with Until() as until, signalled_after(0.4, number):
        came = run_jobs(
            [lambda _: "done", busy, busy],
            until,
            at_once=2,
            on_news=lambda _, news: heard.append(news),
        )
    assert time.monotonic() - began < FOREVER / 2
    assert came[0].value == "done"
    assert [one.lack for one in came] == [None, "stopped", "stopped"]
    assert (until.signal, until.after > 0.2) == (number, True)
    assert heard in (["began"], ["began", "began"])
    assert signal.getsignal(number) == before
    assert children() == set()


def test_many_signals_are_as_one() -> None:
    with Until() as until, signalled_after(0.2), signalled_after(0.2), signalled_after(0.21):
        came = run_jobs([busy], until)
        until.note_only()
        time.sleep(0.1)
    assert (came[0].lack, until.signal) == ("stopped", signal.SIGINT)


def test_signals_that_follow_one_change_nothing() -> None:
    with Until() as until:
        with signalled_after(0.2, signal.SIGTERM):
            run_jobs([busy], until)
        with signalled_after(0.05, signal.SIGTERM):
            time.sleep(0.2)
        with signalled_after(0.05):
            assert not until.while_there_is_time(lambda: time.sleep(FOREVER))
        with signalled_after(0.05):
            time.sleep(0.2)
    assert until.signal == signal.SIGTERM


def test_a_signal_to_all_is_for_the_one_that_asked() -> None:
    def job(send: Send) -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        return "done"

    with Until() as until:
        (came,) = run_jobs([job], until)
    assert came.value == "done"


def test_a_time_limit_ends_the_jobs() -> None:
    began = time.monotonic()
    with Until(0.3) as until:
        (came,) = run_jobs([busy], until)
        again = run_jobs([lambda _: "never"], until)
    assert (came.done, came.lack, until.signal) == (False, "stopped", None)
    assert again[0].lack == "stopped"
    assert 0.25 < time.monotonic() - began < FOREVER / 2


def test_a_signal_elsewhere_is_raised_as_ever() -> None:
    with Until(), pytest.raises(KeyboardInterrupt), signalled_after(0.05):
        time.sleep(FOREVER)


def test_what_there_is_no_time_for_is_left_out() -> None:
    with Until() as until:
        assert until.while_there_is_time(lambda: None)
        until.note_only()
        with signalled_after(0.05):
            assert not until.while_there_is_time(lambda: time.sleep(FOREVER))
        assert until.signal == signal.SIGINT


def test_too_little_memory_is_told() -> None:
    with Until() as until:
        (came,) = run_jobs([lambda _: len(bytes(1 << 31))], until, memory=1 << 29)
        (fine,) = run_jobs([lambda _: len(bytes(1 << 20))], until, memory=1 << 29)
    assert (came.done, came.lack) == (False, "memory")
    assert fine.value == 1 << 20


def test_a_solver_that_needs_too_much_is_stopped() -> None:
    def ask(send: Send) -> str:
        from pamt.smt.session import Session
        from pamt.smt.terms import Flag, some

        session = Session()
        for number in range(100_000):
            session.add([some(Flag(f"{number}:{at}") for at in range(100))])
        return "had enough"

    with Until() as until:
        (came,) = run_jobs([ask], until, memory=200 << 20)
    assert (came.done, came.lack) == (False, "memory")


def test_a_library_that_just_ends_the_process_is_told() -> None:
    with Until() as until:
        (came,) = run_jobs([lambda _: os._exit(127)], until, memory=1 << 32)
        assert came.lack == "broke down"
        with pytest.raises(RuntimeError, match="without an answer"):
            run_jobs([lambda _: os._exit(127)], until)


def test_a_job_killed_from_outside_is_told() -> None:
    with Until() as until:
        (came,) = run_jobs([lambda _: os.kill(os.getpid(), signal.SIGKILL)], until)
    assert came.lack == "killed"


def test_a_disagreement_comes_through_whole() -> None:
    def job(send: Send) -> None:
        raise InternalDisagreement(("one", "other"), "they differ")

    with Until() as until, pytest.raises(InternalDisagreement) as caught:
        run_jobs([busy, job], until, at_once=2)
    assert caught.value.parties == ("one", "other")
    assert "test_worker.py" in str(caught.value.__cause__)
    assert children() == set()


def test_an_error_that_cannot_be_sent_is_told_as_text() -> None:
    class Local(Exception):
        pass

    def job(send: Send) -> None:
        raise Local("of its own kind")

    with Until() as until, pytest.raises(RuntimeError, match="Local: of its own kind"):
        run_jobs([job], until)


def test_jobs_end_with_the_process_that_asked() -> None:
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:

        def job(send: Send) -> None:
            os.write(writes, f"{os.getpid()} ".encode())
            busy(send)

        with Until() as until:
            run_jobs([job], until)
        os._exit(0)
    os.close(writes)
    job_pid = int(os.read(reads, 100))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    # The job held the other end; it is closed when the job is gone.
    assert os.read(reads, 1) == b""
    os.close(reads)
    assert job_pid > 0
