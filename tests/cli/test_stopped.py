"""Ctrl-C, a time limit or a budget in `verify` and `diff`: what was found until then is kept."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pamt.maps.machine_file import read_machine
from pamt.policies.protocol import run_policy
from pamt.standins import complete
from pamt.verify import diff as diff_engine
from pamt.verify import engine, mutants
from pamt.verify.properties import load_policy
from pamt.verify.result import Vacuity

ROOT = Path(__file__).resolve().parents[2]
FAILS = ("verify", "linux:mainline", "--property", "complete:linux")
LARGE = ("--ranges", "9", "--gib", "9", "--first-gib", "4")
VARIANTS = ("diff", "linux:mainline", "linux:cmr-v8.2", "--cmrs", "2")


def _break_off(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, calls: int) -> None:
    """Ctrl-C in the place of one call of a function."""
    function = getattr(where, name)
    done = 0

    def counted(*words: Any) -> Any:
        nonlocal done
        done += 1
        if done == calls:
            raise KeyboardInterrupt
        return function(*words)

    monkeypatch.setattr(where, name, counted)


def _process(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pamt", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "model")},
        start_new_session=True,
    )


def test_the_map_found_so_far_is_shown_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    _break_off(monkeypatch, engine, "improve", 1)
    ran = pamt(*FAILS, "--save", tmp_path)
    assert ran.exit == 3
    lines = ran.out.splitlines()
    said = "UNDECIDED: interrupted after 2 of 8 cases, while the smallest map was looked for; "
    assert lines[0].startswith(f"{said}a map that breaks the property: ENOMEM_pamt, though")
    assert any(line.endswith("(not proved to be the smallest)") for line in lines[:10])
    assert "Gone through:" in lines
    assert "  - 1 memory range, 1 CMR, 1 node: 2 cases, 2 obligations (the" in ran.out
    (path,) = tmp_path.iterdir()
    outcome = run_policy(load_policy("linux:mainline"), complete(read_machine(path)).machine)
    assert outcome.reason == "ENOMEM_pamt"


def test_the_map_found_so_far_in_json(
    monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    _break_off(monkeypatch, engine, "improve", 1)
    result = pamt(*FAILS, "--json").json
    assert (result["verdict"], result["exit"], result["smallest"]) == ("UNDECIDED", 3, False)
    assert result["stopped"].startswith("interrupted after 2 of 8 cases")
    assert result["counterexample"]["memory"]
    assert result["outcome"]["outcome"] == "ENOMEM_pamt"
    assert [part["cases"] for part in result["covered"]] == [2]


def test_an_interrupt_of_the_replay_keeps_the_map(
    monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    def interrupted(*_: Any) -> Iterator[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "free_fields", interrupted)
    ran = pamt(*FAILS)
    assert ran.exit == 3
    assert "a map that breaks the property: ENOMEM_pamt" in ran.out.splitlines()[0]
    assert "  memory  0x400000    0xa00000  6 MiB     0" in ran.out


def test_a_budget_that_ends_keeps_the_map(pamt: Callable[..., Any]) -> None:
    ran = pamt(*FAILS, "--steps", "20000")
    assert ran.exit == 3
    first = ran.out.splitlines()[0]
    assert first.startswith("UNDECIDED: the budget of 20000 steps ended after 2 of 8 cases, while")
    assert "a map that breaks the property: ENOMEM_pamt" in first
    assert "(not proved to be the smallest)" in ran.out


def test_mutants_that_were_not_asked_about_take_the_verdict_away(
    monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    def one(*_: Any) -> Iterator[Vacuity]:
        yield Vacuity("mutant: one", True)
        raise KeyboardInterrupt

    monkeypatch.setattr(mutants, "check_mutants", one)
    words = ("verify", "linux:mainline", "--property", "covered", "--ranges", "1", "--gib", "1")
    ran = pamt(*words)
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: interrupted while broken stages were asked about\n")
    assert "  yes   mutant: one" in ran.out


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_time_limit_is_an_interrupt(jobs: str) -> None:
    words = ("verify", "linux:mainline", "--property", "covered", *LARGE)
    began = time.monotonic()
    out, err = _process(*words, "--jobs", jobs, "--timeout", "3").communicate(timeout=60)
    assert time.monotonic() - began > 3
    assert out.startswith("UNDECIDED: the time limit of 3 s ended ")
    assert err == ""


@pytest.mark.parametrize("after", [1.5, 4.0])
def test_ctrl_c_at_a_terminal_reaches_all_processes_and_is_told_once(after: float) -> None:
    words = ("verify", "linux:mainline", "--property", "covered", *LARGE, "--jobs", "2")
    process = _process(*words)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(after)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 3
    assert out.startswith("UNDECIDED: interrupted")
    assert err == ""


def test_differences_found_so_far_are_shown_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    _break_off(monkeypatch, diff_engine, "build_map", 5)
    ran = pamt(*VARIANTS, "--ranges", "1", "--save", tmp_path)
    assert ran.exit == 3
    first = ran.out.splitlines()[0]
    assert first == "UNDECIDED: interrupted after 4 of 6 cases; 2 differences found until then"
    assert "Gone through:" in ran.out
    assert len(list(tmp_path.iterdir())) == 2
    _break_off(monkeypatch, diff_engine, "build_map", 5)
    result = pamt(*VARIANTS, "--ranges", "1", "--json").json
    assert (result["verdict"], len(result["differences"])) == ("UNDECIDED", 2)
    assert result["stopped"].startswith("interrupted")


def test_a_difference_is_kept_before_it_is_smallest(
    monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    _break_off(monkeypatch, diff_engine, "minimise", 1)
    result = pamt(*VARIANTS, "--ranges", "1", "--json").json
    (difference,) = result["differences"]
    assert result["exit"] == 3
    assert difference["smallest"] is False
    assert [o["outcome"] for o in difference["outcomes"]] == difference["answers"]


def test_diff_ends_at_its_time_limit(pamt: Callable[..., Any]) -> None:
    ran = pamt(*VARIANTS, "--ranges", "6", "--gib", "7", "--timeout", "1")
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: the time limit of 1 s ended after ")


def test_a_scope_of_more_cases_than_anybody_counts_is_begun_at_once(
    pamt: Callable[..., Any],
) -> None:
    words = ("verify", "linux:mainline", "--property", "covered", "--ranges", "40", "--nodes", "4")
    ran = pamt(*words, "--gib", "100", "--timeout", "2")
    assert ran.exit == 3
    said = re.match(
        r"UNDECIDED: the time limit of 2 s ended after (\d+) of 2\.12e76 cases", ran.out
    )
    assert said is not None
    assert int(said[1]) >= 1
    assert f"Covered: {said[1]} of 2.12e76 cases, without a map" in ran.out


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "1e400", "0", "-1"])
@pytest.mark.parametrize(
    "words", [("verify", "greedy", "--property", "clean"), ("place", "M"), ("repair", "M")]
)
def test_a_time_limit_is_a_number_of_seconds(
    words: tuple[str, ...], seconds: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt(*words, "--timeout", seconds)
    assert (ran.exit, ran.out) == (2, "")
    assert "--timeout" in ran.err


@pytest.mark.parametrize("seconds", ["1e10", "1e99", "1e300"])
@pytest.mark.parametrize(
    "words",
    [
        ("verify", "greedy", "--property", "clean", "--ranges", "1", "--gib", "1"),
        ("diff", "greedy", "greedy", "--ranges", "1", "--gib", "1"),
        ("place", str(ROOT / "specs" / "machines" / "spr-eaglestream-2s.toml")),
        ("repair", str(ROOT / "specs" / "machines" / "spr-eaglestream-2s.toml")),
    ],
)
def test_a_time_limit_without_end_is_a_long_one(
    words: tuple[str, ...], seconds: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt(*words, "--timeout", seconds)
    assert ran.exit == 0, ran.err


WIDE = ("--nodes", "2", "--ranges", "4", "--gib", "8")
LONG = {
    "verify": ("verify", "linux:mainline", "--property", "accepted", *WIDE),
    "two jobs": ("verify", "linux:mainline", "--property", "accepted", *WIDE, "--jobs", "2"),
    "diff": ("diff", "linux:mainline", "linux:dpamt", *WIDE),
}


def _group(leader: int) -> set[int]:
    """The processes of a group, from /proc."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0] != "Z" and int(words[2]) == leader:
            found.add(int(path.parent.name))
    return found


def _ends(leader: int) -> bool:
    end = time.monotonic() + 15
    while _group(leader):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize("to_all", [False, True])
@pytest.mark.parametrize("asked", sorted(LONG))
def test_sigterm_is_ctrl_c(asked: str, to_all: bool) -> None:
    """Sent to the process, or as ``timeout`` does: to the process and then to its group."""
    process = _process(*LONG[asked])
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(4)
        os.kill(process.pid, signal.SIGTERM)
        if to_all:
            os.killpg(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert _ends(process.pid)
    finally:
        process.kill()
    assert process.returncode == 3
    assert out.startswith("UNDECIDED: stopped by SIGTERM after ")
    assert err == ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("after", [1.0, 4.0])
def test_no_process_outlives_the_one_that_asked(number: int, after: float) -> None:
    process = _process(*LONG["two jobs"])
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(after)
        os.kill(process.pid, number)
        process.communicate(timeout=60)
        assert _ends(process.pid)
    finally:
        process.kill()


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "linux:mainline", "--property", "local"),
        ("diff", "linux:mainline", "linux:mainline"),
    ],
)
def test_a_time_limit_ends_the_widest_scope(
    words: tuple[str, ...], pamt: Callable[..., Any]
) -> None:
    began = time.process_time()
    ran = pamt(*words, "--ranges", "256", "--gib", "65536", "--nodes", "1000", "--timeout", "1")
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: the time limit of 1 s ended after ")
    assert " of more than " in ran.out.splitlines()[0]
    assert time.process_time() - began < 20
