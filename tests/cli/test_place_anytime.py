"""`pamt place` stopped at any moment: the best known, its bound, exit 3, and never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pamt.machine import FreeRun, Machine, MemoryRange, Node
from pamt.maps.machine_write import dump_machine
from pamt.ranges import GIB, PAGE

ROOT = Path(__file__).resolve().parents[2]
MACHINES = ROOT / "specs" / "machines"
EMR = MACHINES / "emr-fcp-issue135.toml"
PR188 = MACHINES / "canonical-pr188.toml"
LONG = ("--engine", "z3", "--pamt", "split")
"""What z3 alone does not settle on the map below before the tests are over."""


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve TDMRs on three nodes, free runs just long enough, each a few pages off another."""
    memory, free = [], []
    for tdmr in range(12):
        base = 4 * tdmr * GIB
        memory.append(MemoryRange(base, base + 2 * GIB - PAGE, tdmr % 3))
        at = base // PAGE + 10
        for length in (2053 + 7 * tdmr % 5, 1021 + 13 * tdmr % 11, 2049, 517):
            free.append(FreeRun(at * PAGE, (at + length) * PAGE, tdmr % 3))
            at += length + 3
    distances = ((10, 21, 31), (21, 10, 17), (31, 17, 10))
    nodes = tuple(Node(n, distance=distances[n]) for n in range(3))
    path = tmp_path_factory.mktemp("long") / "long.toml"
    machine = Machine("long", memory=tuple(memory), free=tuple(free), nodes=nodes)
    path.write_text(dump_machine(machine))
    return path


class Ended(NamedTuple):
    exit: int
    out: str
    err: str
    seconds: float


def interrupted(words: list[object], numbers: list[int], apart: float = 0.0) -> Ended:
    """A whole process, to which these signals are sent once it searches."""
    line = [sys.executable, "-m", "pamt", *map(str, words)]
    ran = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    searching = Path(f"/proc/{ran.pid}/task/{ran.pid}/children")
    while ran.poll() is None and not searching.read_text():
        time.sleep(0.05)
    time.sleep(0.3)
    began = time.monotonic()
    for number in numbers:
        ran.send_signal(number)
        time.sleep(apart)
    out, err = ran.communicate(timeout=120)
    return Ended(ran.returncode, out, err, time.monotonic() - began)


@pytest.mark.parametrize(
    ("numbers", "apart", "said"),
    [
        ([signal.SIGINT], 0.0, "stopped by Ctrl-C after "),
        ([signal.SIGINT, signal.SIGINT], 0.02, "stopped by Ctrl-C after "),
        ([signal.SIGINT] * 5, 0.0, "stopped by Ctrl-C after "),
        ([signal.SIGTERM], 0.0, "stopped by SIGTERM after "),
    ],
    ids=["once", "twice", "five times", "asked to end"],
)
def test_a_signal_gets_the_best_known(
    numbers: list[int], apart: float, said: str, long: Path
) -> None:
    ended = interrupted(["place", long, *LONG, "--json", "--accept", "feasible"], numbers, apart)
    assert (ended.exit, ended.err) == (3, "")
    found = json.loads(ended.out)
    assert found["verdict"] in {"FEASIBLE", "UNDECIDED"}
    assert found["stopped_by"] == "interrupt"
    assert found["reason"].startswith(said)
    if found["verdict"] == "FEASIBLE":
        assert found["configuration"]["tdmr"]


def test_a_time_limit_gets_the_best_known(long: Path, pamt: Callable[..., Any]) -> None:
    began = time.monotonic()
    ran = pamt("place", long, *LONG, "--timeout", "2.5", "--json")
    assert time.monotonic() - began < 60
    assert (ran.exit, ran.err) == (3, "")
    assert ran.json["stopped_by"] == "time"
    assert ran.json["reason"] == "the time limit of 2.5 s is reached"


def test_steps_end_the_same_way_every_time(long: Path) -> None:
    """Other processes, other hash seeds, other numbers of workers: the same bytes."""
    found = set()
    for seed, jobs, steps in (("1", "1", "300000"), ("77", "2", "300000"), ("1", "3", "300000")):
        line = [sys.executable, "-m", "pamt", "place", str(long), *LONG, "--json"]
        line += ["--steps", steps, "--jobs", jobs]
        done = subprocess.run(
            line, capture_output=True, check=False, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        assert (done.returncode, done.stderr) == (3, b"")
        found.add(done.stdout)
    (only,) = found
    assert json.loads(only)["reason"] == "the budget of 300,000 steps is used up"


@pytest.mark.parametrize("machine", [EMR, PR188], ids=["infeasible", "optimal"])
def test_the_same_bytes_for_any_number_of_jobs(machine: Path) -> None:
    found = set()
    for seed, jobs in (("0", "1"), ("5", "2"), ("9", "4")):
        line = [sys.executable, "-m", "pamt", "place", str(machine), "--jobs", jobs]
        done = [
            subprocess.run(
                [*line, *more],
                capture_output=True,
                check=False,
                env={**os.environ, "PYTHONHASHSEED": seed},
            ).stdout
            for more in ([], ["--json"])
        ]
        found.add(tuple(done))
    assert len(found) == 1


def test_a_step_is_not_enough_but_policies_count(pamt: Callable[..., Any]) -> None:
    """With no step at all the answer is that of the best policy, or what the engine needs none for.

    On this map both policies succeed.
    """
    ran = pamt("place", PR188, "--engine", "z3", "--steps", "1", "--json")
    assert ran.exit == 3
    assert ran.json["verdict"] == "FEASIBLE"
    beside = [rival["objective"] for rival in ran.json["rivals"]]
    order = ran.json["order"]
    assert None not in beside
    best = min(tuple(one[name] for name in order) for one in beside)
    assert tuple(ran.json["objective"][name] for name in order) == best
    assert ran.json["reason"] == "the budget of 1 step is used up"


def test_steps_of_the_engine_count(pamt: Callable[..., Any]) -> None:
    full = pamt("place", PR188, "--json").json
    assert full["verdict"] == "OPTIMAL"
    assert full["statistics"]["steps"] > 0
    few = pamt("place", PR188, "--json", "--steps", str(full["statistics"]["steps"] // 2)).json
    assert few["statistics"]["steps"] < full["statistics"]["steps"]
    same = pamt("place", PR188, "--json", "--steps", str(full["statistics"]["steps"])).json
    assert same == full


def test_too_little_memory_is_an_answer(long: Path) -> None:
    """A process of its own: one that has much memory to spare needs no more."""
    line = [sys.executable, "-m", "pamt", "place", str(long), *LONG, "--memory", "64MiB", "--json"]
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (3, "")
    found = json.loads(ran.stdout)
    assert found["stopped_by"] == "memory"
    assert "the memory limit of 64 MiB" in found["reason"]


def test_an_interrupt_while_help_is_looked_for_keeps_the_verdict(
    pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pamt.solve import relaxations

    def forever(*_: object) -> None:
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(60)

    monkeypatch.setattr(relaxations, "relaxations", forever)
    ran = pamt("place", EMR)
    assert ran.exit == 1
    assert ran.out.startswith("INFEASIBLE: TDMR [0x0, 0x80000000) needs 17 reserved areas")
    assert f"Next:    pamt repair {EMR}" in ran.out


def test_what_there_was_no_time_to_look_into_is_said(
    pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pamt.solve import relaxations

    def forever(*_: object) -> None:
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(60)

    monkeypatch.setattr(relaxations, "_give_up", forever)
    ran = pamt("place", EMR, "--jobs", "2")
    assert ran.exit == 1
    assert "--give-up not settled (there was no time left)" in ran.out
    assert ran.out.splitlines()[0].startswith("INFEASIBLE: ")


@pytest.mark.parametrize("options", [(), ("--space", "module")], ids=str)
def test_no_question_that_is_too_large_is_put_to_z3(
    options: tuple[str, ...], pamt: Callable[..., Any]
) -> None:
    words = (*options, "--engine", "z3", "--max-encoding", "1MiB")
    ran = pamt("place", PR188, *words, "--json")
    assert ran.exit == 3
    assert (ran.json["verdict"], ran.json["stopped_by"]) == ("FEASIBLE", "size")
    assert "too large for z3" in ran.json["reason"]
    assert ran.json["certificate"]["checked"] == "valid"
    assert pamt("place", PR188, *words, "--accept", "feasible", "--quiet").exit == 0


def test_a_memory_limit_that_no_machine_has_is_refused(pamt: Callable[..., Any]) -> None:
    ran = pamt("place", PR188, "--memory", "99999999999999999999GiB")
    assert (ran.exit, ran.out) == (2, "")
    assert "--memory: more than" in ran.err
    assert pamt("place", PR188, "--memory", "9999TiB", "--quiet").exit == 0


def test_no_text_that_is_too_large_is_written(pamt: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    path.write_text(f"memory = [{{start = 0x100000, end = {500 * GIB:#x}}}]\n")
    ran = pamt("export", path, "--space", "module")
    assert ran.exit == 2
    assert "--max-size" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("name", ["best.foo", "best", "best.tom"])
@pytest.mark.parametrize("command", ["place", "simulate", "repair"])
def test_an_unknown_ending_is_refused(
    command: str, name: str, pamt: Callable[..., Any], tmp_path: Path
) -> None:
    ran = pamt(command, PR188, "-o", tmp_path / name)
    assert ran.exit == 2
    assert all(ending in ran.err for ending in (".toml", ".json", ".bin", ".txt"))
    assert not (tmp_path / name).exists()


def test_the_text_goes_into_a_file_that_is_named_so(
    pamt: Callable[..., Any], tmp_path: Path
) -> None:
    assert pamt("place", PR188, "-o", tmp_path / "best.txt").exit == 0
    assert (tmp_path / "best.txt").read_text().startswith("OPTIMAL: 3 TDMRs")
