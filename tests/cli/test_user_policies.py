"""Policies in a file of a user's own, wherever a policy is named; and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "specs" / "machines" / "spr-eaglestream-2s.toml"
LOW_FIRST = f"{ROOT / 'docs' / 'examples' / 'low_first.py'}:low_first"


UNPLACED = """\
from pamt.outcome import Outcome, PlannedTdmr
def mine(machine, alloc):
    return Outcome(0, "success", (PlannedTdmr(0, 1 << 30),))
"""


def written(folder: Path, body: str) -> str:
    (folder / "mine.py").write_text(body)
    return f"{folder / 'mine.py'}:mine"


@pytest.mark.parametrize("command", ["simulate", "show", "repair"])
def test_a_function_of_a_file_is_a_policy_on_a_map(command: str, pamt: Callable[..., Any]) -> None:
    ran = pamt(command, MAP, "--policy", LOW_FIRST)
    assert ran.exit == 0, ran.err
    assert "low_first.py:low_first" in ran.out


def test_and_on_maps_beside_another_policy(pamt: Callable[..., Any]) -> None:
    ran = pamt("diff", "greedy", LOW_FIRST, MAP)
    assert ran.out.startswith("EQUAL")


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("def mine(machine, alloc):\n    return 3\n", 1, "found int 3"),
        ("def mine(machine, alloc):\n    return machine.fee\n", 2, "AttributeError"),
        (
            UNPLACED,
            2,
            "a success must place and reserve for every TDMR",
        ),
        ("def mine(machine, alloc\n", 1, "'(' was never closed"),
        ("import nothing_of_that_name\n", 0, "ModuleNotFoundError"),
        ("def other(machine, alloc):\n    return 3\n", 0, "no function 'mine'; it has other"),
    ],
)
@pytest.mark.parametrize("command", ["simulate", "diff"])
def test_a_wrong_one_is_bad_input_with_its_line(
    command: str, body: str, line: int, said: str, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    policy = written(tmp_path, body)
    words = ("diff", "greedy", policy, MAP) if command == "diff" else (command, MAP)
    ran = pamt(*words, *(() if command == "diff" else ("--policy", policy)))
    assert ran.exit == 2
    assert said in ran.err
    assert f"mine.py:{line}:" in ran.err or not line
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_a_file_that_is_not_there(pamt: Callable[..., Any]) -> None:
    ran = pamt("simulate", MAP, "--policy", "nowhere.py:mine")
    assert ran.exit == 2
    assert "nowhere.py: no such file" in ran.err


@pytest.mark.parametrize(
    "body",
    ["def mine(machine, alloc):\n    return 3\n", "def mine(machine, alloc):\n    pass\n"],
)
@pytest.mark.parametrize("asked", ["accepted", "clean", "local"])
def test_verify_refuses_what_is_no_outcome(
    body: str, asked: str, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    ran = pamt("verify", written(tmp_path, body), "--property", asked)
    assert ran.exit == 2
    assert "return a pamt.outcome.Outcome" in ran.err
    assert "mine.py:" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("take(5, 0)", "take of int 5"),
        ("give_back(None, 0)", "give_back of NoneType None"),
        ("take(5)", "take(): missing a required argument: 'node'"),
        ("contig('x', 0)", "contig of a symbolic size"),
    ],
)
def test_verify_refuses_what_the_allocator_cannot_be_asked(
    call: str, said: str, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    body = f"def mine(machine, alloc):\n    x = 1\n    return alloc.{call}\n"
    ran = pamt("verify", written(tmp_path, body), "--property", "accepted")
    assert ran.exit == 2
    assert "mine.py:3:" in ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("import sys\nsys.exit(0)\n", 2),
        ("raise SystemExit(0)\n", 1),
        ("raise GeneratorExit\n", 1),
        ("import sys\ndef mine(machine, alloc):\n    x = 1\n    sys.exit(0)\n", 4),
        ("def mine(machine, alloc):\n    raise SystemExit(0)\n", 2),
        ("def mine(machine, alloc):\n    raise GeneratorExit\n", 2),
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        ("simulate", MAP, "--policy", "P"),
        ("show", MAP, "--policy", "P"),
        ("repair", MAP, "--policy", "P"),
        ("diff", "greedy", "P", MAP),
        ("diff", "greedy", "P", "--ranges", "1"),
        ("verify", "P", "--property", "accepted", "--ranges", "1"),
        ("verify", "P", "--property", "accepted", "--ranges", "1", "--jobs", "2"),
        ("verify", "greedy", "--property", "P", "--ranges", "1"),
    ],
)
def test_a_file_of_ones_own_does_not_set_the_exit_code(
    words: tuple[str, ...], body: str, line: int, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    policy = written(tmp_path, body)
    ran = pamt(*(policy if word == "P" else word for word in words))
    assert ran.exit == 2, ran.out
    assert f"mine.py:{line}:" in ran.err
    assert "Exit" in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    "body",
    [
        "def mine(machine, alloc):\n    x = 1\n    raise ValueError\n",
        "import pamt.ranges as r\ndef mine(m, alloc):\n    alloc.take(r.Range(0, 4096), 0)\n",
    ],
)
def test_a_policy_that_raises_is_not_equal_to_one_that_answers(
    body: str, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    ran = pamt("diff", "greedy", written(tmp_path, body), "--ranges", "1", "--gib", "1")
    assert (ran.exit, ran.out) == (2, "")
    assert "mine.py:3:" in ran.err
