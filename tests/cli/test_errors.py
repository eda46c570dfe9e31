"""Bad input, bad command lines, interrupts and defects: the code, what is said, nothing written."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from pamt.cli import main as main_module
from pamt.cli.atomic import write_whole
from pamt.cli.main import COMMANDS
from pamt.report.schemas import error_schema

ROOT = Path(__file__).resolve().parents[2]
EMR = ROOT / "specs" / "machines" / "emr-fcp-issue135.toml"

BAD = """format = 1
[[memory]]
start = 0x100001
end = 0x200000
[[memory]]
start = 0x300000
end = -1
nod = 3
"""

DISORDER = """
[[cmr]]
base = 0x40000000
size = 0x40000000
[[cmr]]
base = 0x0
size = 0x40000000
"""


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    return path


@pytest.mark.parametrize("command", ["simulate", "show", "place"])
def test_every_error_is_told_with_file_and_line(
    command: str, bad: Path, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    out = tmp_path / "out.toml"
    ran = pamt(command, bad, "-o", out)
    assert (ran.exit, ran.out) == (2, "")
    told = ran.err.splitlines()
    assert [line.split(": ")[0] for line in told] == [f"{bad}:{n}" for n in (3, 7, 8)]
    assert all("expected" in line and "found" in line for line in told)
    assert not out.exists()


def test_errors_of_both_files_are_told(bad: Path, tmp_path: Path, pamt: Callable[..., Any]) -> None:
    other = tmp_path / "configuration.toml"
    other.write_text("format = 2\ntdmr = []\n")
    told = pamt("check", bad, other).err.splitlines()
    assert len(told) == 4
    assert told[3].startswith(f"{other}:1: format: expected the integer 1, found 2")


@pytest.mark.parametrize("command", ["simulate", "place", "show"])
def test_a_cmr_list_that_sys_init_refuses_is_bad_input(
    command: str, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "disorder.toml"
    path.write_text(DISORDER)
    ran = pamt(command, path)
    assert ran.exit == 2
    assert ran.err.startswith(f"{path}:5: cmr[1]: expected a CMR list that TDH.SYS.INIT takes")
    assert "TDX_CMR_LIST_INVALID (0xc0000a2200000000), rule C_ORDER" in ran.err


def test_a_bad_cmr_list_is_told_with_the_other_errors(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "two.toml"
    path.write_text("[[cmr]]\nbase = 0x1001\nsize = 5\n[[memory]]\nstart = 0x2000\nend = 0x1000\n")
    ran = pamt("simulate", path)
    assert ran.exit == 2
    first, second = ran.err.splitlines()
    assert first.startswith(f"{path}:1: cmr[0]: expected a CMR list that TDH.SYS.INIT takes")
    assert second.startswith(f"{path}:6: memory[0].end: ")
    # `check` asks the module about such a list.
    configuration = tmp_path / "c.toml"
    configuration.write_text("tdmr = []\n")
    assert "cmr[0]" not in pamt("check", path, configuration).err


def test_check_looks_at_such_a_list_all_the_same(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "disorder.toml"
    path.write_text(DISORDER)
    configuration = tmp_path / "c.toml"
    configuration.write_text("tdmr = []\n")
    ran = pamt("check", path, configuration)
    assert ran.exit == 1
    assert ran.out.startswith("REFUSED: TDX_CMR_LIST_INVALID (0xc0000a2200000000): CMR 1\n")
    assert "base 0x0, size 0x40000000" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate"], "Missing argument 'MACHINE'"),
        (["simulat", "x"], "Did you mean 'simulate'?"),
        (["simulate", EMR, "--policy", "linux:mainlin"], "known: linux:mainline"),
        (["simulate", EMR, "--policy", "mine.py"], "for a function of a file: mine.py:FUNCTION"),
        (["simulate", EMR, "--json=3"], "does not take a value"),
        (["sizes", "12 parsecs"], "expected a size like 252GiB"),
        (["sizes", "0"], "more than 0"),
        (["sizes", "1.00001K"], "not a whole number of bytes"),
        (["show", EMR, "--window", "5"], "expected START-END"),
        (["show", EMR, "--window", "0x10-0x10"], "not above"),
        (["place", EMR, "--objective", "areas,areas"], "--objective"),
        (["place", EMR, "--reserve", "none"], "'none' is not one of"),
        (["judge", "no/such/folder"], "no such file"),
        (["simulate", "no-such-file.toml"], "expected a readable file"),
    ],
    ids=lambda value: " ".join(map(str, value))[:40] if isinstance(value, list) else None,
)
def test_a_bad_command_line_is_exit_2(
    words: list[object], said: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt(*words)
    assert (ran.exit, ran.out) == (2, "")
    assert said in ran.err


def test_an_interrupt_is_exit_3(pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pamt.policies.protocol.run_policy", interrupted)
    ran = pamt("simulate", EMR)
    assert ran.exit == 3
    assert "interrupted" in ran.err


def test_a_defect_is_exit_70_and_never_a_verdict(
    pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("pamt.policies.protocol.run_policy", broken)
    ran = pamt("simulate", EMR)
    assert ran.exit == 70
    assert "internal error: RuntimeError: a defect" in ran.err


@pytest.mark.parametrize(
    "where", ["pamt.solve.result.InternalDisagreement", "pamt.module.check.DisagreementError"]
)
def test_a_disagreement_is_exit_70_and_named(
    where: str, pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = where.rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    values = (("one", "another"), "black is white") if "Internal" in name else ("black is white",)

    def broken(*_: object) -> None:
        raise kind(*values)

    monkeypatch.setattr("pamt.policies.protocol.run_policy", broken)
    ran = pamt("simulate", EMR)
    assert (ran.exit, ran.out) == (70, "")
    assert "internal disagreement, no answer is given:" in ran.err
    assert "black is white" in ran.err


def test_a_file_that_cannot_be_written_is_told(pamt: Callable[..., Any], tmp_path: Path) -> None:
    ran = pamt("simulate", EMR, "-o", tmp_path / "no" / "such" / "folder.txt")
    assert ran.exit == 2
    assert "cannot be written" in ran.err


def test_a_reader_that_stops_reading_is_no_error() -> None:
    line = f"{sys.executable} -m pamt simulate {EMR} --json | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.stdout == "{\n"
    assert done.stderr == ""
    assert done.returncode == 1


def test_help_lists_every_command_and_the_exit_codes(pamt: Callable[..., Any]) -> None:
    said = pamt("--help").out
    for name, (_, line) in COMMANDS.items():
        assert f"{name} " in said
        assert line in said
    assert "70  internal error" in said
    assert "bad input" in said


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_line_in_the_list_is_that_of_the_command(name: str, pamt: Callable[..., Any]) -> None:
    command = main_module.cli.get_command(click.Context(main_module.cli), name)  # type: ignore[attr-defined]
    assert command is not None
    assert command.help is not None
    assert command.help.split("\n")[0] == COMMANDS[name][1]
    assert pamt(name, "--help").exit == 0


def test_version(pamt: Callable[..., Any]) -> None:
    from pamt import __version__

    assert pamt("--version").out == f"pamt {__version__}\n"


def test_files_are_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"newer")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("words", "command", "found"),
    [
        (["place", EMR, "--json", "--pamt", "no"], "place", "'no' is not one of"),
        (["simulate", "missing.toml", "--json"], "simulate", "No such file"),
        (["export", EMR, "--json", "--give-up", "1"], "export", "search over questions"),
        (["nothing", "--json"], None, "No such command"),
    ],
)
def test_errors_are_told_in_json_where_that_is_asked_for(
    words: list[Any], command: str | None, found: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt(*words)
    told = ran.json
    Draft202012Validator(error_schema()).validate(told)
    assert (ran.exit, told["exit"], told["command"]) == (2, 2, command)
    assert any(found in f"{one['expected']} {one['found']}" for one in told["errors"])
    assert ran.err
    plain = pamt(*(word for word in words if word != "--json"))
    assert (plain.exit, plain.out, plain.err) == (2, "", ran.err)
