"""Hostile names, terminals without UTF-8, outputs that take nothing, absurd numbers to parse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.dom import minidom

import pytest

from pamt.cli.judge import judge_case
from pamt.maps.case_file import read_case

ROOT = Path(__file__).resolve().parents[2]
EMR = ROOT / "specs" / "machines" / "emr-fcp-issue135.toml"

EVIL = r"""format = 1
name = "e\u001b[2J\u009b5m\u202e<script>\r\nSUCCEEDS: all fine é"
assumptions = ["a\u001b[31m\nVERDICT"]
[limits]
max_reserved_per_tdmr = 1
[[cmr]]
base = 0x100000
size = 0x7ff00000
origin = "log\u001b[5m:1"
[[memory]]
start = 0x100000
end = 0x40000000
origin = "log\u001b[5m:2"
[[memory]]
start = 0x40001000
end = 0x80000000
origin = "log\u001b[5m:3"
[[firmware]]
start = 0x40000000
end = 0x40001000
kind = "ACPI\u001b[1m"
"""

NO_LINE_STARTS_WITH = ("SUCCEEDS", "VERDICT")


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    path = tmp_path / "café.toml"
    path.write_text(EVIL, encoding="utf-8")
    return path


def run(*words: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A process of its own, whose streams the environment decides."""
    return subprocess.run(
        [sys.executable, "-m", "pamt", *map(str, words)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "model"), **environment},
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["simulate"],
        ["simulate", "--policy", "linux:cmr-v8.2"],
        ["show"],
        ["place"],
        ["export", "--reserve", "cmr"],
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_files_say_cannot_steer_a_terminal(
    words: list[str], form: list[str], evil: Path, pamt: Callable[..., Any]
) -> None:
    ran = pamt(words[0], evil, *words[1:], *form)
    assert ran.out.replace("\n", "").isprintable()
    if form:
        assert json.loads(ran.out)["command"] == words[0]
    else:
        assert not any(line.startswith(NO_LINE_STARTS_WITH) for line in ran.out.splitlines())


def test_colours_do_not_let_escape_sequences_through(
    evil: Path, pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pamt.cli.show._shows_colour", lambda: True)
    out = pamt("show", evil).out
    assert "\x1b[1m" in out  # colours are on
    assert "\x1b[2J" not in out
    assert "\x1b[31m\nVERDICT" not in out
    assert "\r" not in out


def test_a_picture_of_a_hostile_map_is_xml(
    evil: Path, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    picture = tmp_path / "map.svg"
    assert pamt("show", evil, "-o", picture).exit == 0
    drawn = minidom.parse(str(picture))
    assert not drawn.getElementsByTagName("script")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_terminal_without_utf_8_gets_escapes(form: list[str], evil: Path) -> None:
    ran = run("simulate", evil, *form, PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert rb"\xe9" in ran.stdout or rb"\u00e9" in ran.stdout
    if form:
        assert json.loads(ran.stdout)["exit"] == 1


def test_an_output_that_takes_nothing_is_told_in_one_line() -> None:
    with Path(os.devnull).open("rb") as unwritable:
        ran = subprocess.run(
            [sys.executable, "-m", "pamt", "simulate", str(EMR)],
            stdout=unwritable,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "model")},
            check=False,
        )
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith("standard output: cannot be written: ")
    assert len(ran.stderr.splitlines()) == 1


def test_a_file_name_in_no_encoding_is_escaped(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.toml"
    Path(os.fsdecode(path)).write_bytes(EMR.read_bytes())
    out = tmp_path / "out.json"
    for words in (["--json"], [], ["--json", "-o", str(out)]):
        ran = run("simulate", os.fsdecode(path), *words)
        assert ran.returncode == 1
        ran.stdout.decode()
    assert json.loads(out.read_text())["input"]["name"].endswith("caf\udce9.toml")


@pytest.mark.parametrize(
    "words",
    [
        ["sizes", "9" * 5000],
        ["sizes", "1." + "9" * 5000 + "G"],
        ["show", EMR, "--window", "0-" + "9" * 5000],
        ["show", EMR, "--window", "0x10-010"],
    ],
)
def test_absurd_numbers_are_bad_command_lines(
    words: list[object], pamt: Callable[..., Any]
) -> None:
    ran = pamt(*words)
    assert (ran.exit, ran.out) == (2, "")
    assert "Traceback" not in ran.err


def test_standard_input_is_read_for_one_file_only(pamt: Callable[..., Any]) -> None:
    for command in ("check", "show"):
        ran = pamt(command, "-", "-")
        assert ran.exit == 2
        assert "only one of them" in ran.err


def test_judge_tells_the_errors_of_a_case_that_has_no_answer(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "bad.pamt.toml"
    path.write_text(
        'ask = "simulate"\nmachine = { memory = [{ start = 5, end = 0x1000 }] }\n'
        '[expect]\nverdict = "SUCCEEDS"\n'
    )
    ran = pamt("judge", path)
    assert ran.exit == 1
    assert f"{path}:2: machine.memory[0].start: expected a page-aligned address" in ran.out


def test_judge_takes_no_answer_for_one_that_is_not_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mute.pamt.toml"
    path.write_text('ask = "sizes 1GiB"\n[expect]\nexit = 0\n')
    monkeypatch.setattr("pamt.cli.main.invoke", lambda _: 0)
    result = judge_case(path, read_case(path)).result
    assert result == {"exit": 0, "verdict": None, "errors": [{"found": "no result"}]}
