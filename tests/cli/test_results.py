"""What every command has in common: JSON by its schema, -o, --quiet, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from pamt.cli.exits import EXITS, exit_for
from pamt.cli.main import COMMANDS
from pamt.maps.case_file import EXITS as CASE_EXITS
from pamt.report import schemas

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "specs" / "schema"
MACHINES = ROOT / "specs" / "machines"
EMR = MACHINES / "emr-fcp-issue135.toml"
LOG = ROOT / "tests" / "corpus" / "logs" / "emr-fcp-issue135.txt"
CASES = ROOT / "specs" / "cases"
RECORDED = ROOT / "tests" / "conformance" / "data"


def validator(command: str) -> Draft202012Validator:
    machine = json.loads((FOLDER / "machine.schema.json").read_text())
    registry: Registry[Any] = Registry().with_resource(
        "machine.schema.json", Resource.from_contents(machine)
    )
    return Draft202012Validator(schemas.result_schemas()[command], registry=registry)


@pytest.fixture
def made(tmp_path: Path, pamt: Callable[..., Any]) -> Path:
    path = tmp_path / "made.toml"
    assert pamt("simulate", EMR, "--policy", "linux:cmr-v8.2", "-o", path).exit == 0
    return path


def false_theorem(folder: Path) -> Path:
    """A folder of theorem files, with one theorem that does not hold."""
    proofs = folder / "proofs"
    proofs.mkdir()
    (proofs / "wrong.py").write_text(
        "from pamt.prove import Check, Evidence, Theorem\n"
        "check = Check('no', 'no', lambda: Evidence(False, ''))\n"
        "THEOREM = Theorem('wrong', 'wrong', 'x', 'x', 'x', (check,))\n"
    )
    return proofs


def lines(made: Path, tmp_path: Path) -> dict[str, list[list[object]]]:
    """For each command, command lines that between them give every shape of result."""
    short = tmp_path / "short.jsonl"
    recorded = json.loads((RECORDED / "kernel.jsonl").read_text().split("\n", 1)[0])
    recorded["dpamt"]["ret"] -= 1
    short.write_text(json.dumps(recorded) + "\n")
    wrong = tmp_path / "wrong.pamt.toml"
    wrong.write_text('ask = "sizes 1GiB"\nwhy = "x."\n[expect]\npamt_kb = 1\nnone = 2\n')
    starved = tmp_path / "starved.toml"
    starved.write_text(
        "format = 1\nmemory = [ { start = 0x100000, end = 0x40000000 } ]\nfree = []\n"
    )
    return {
        "import": [["import", LOG], ["import", LOG, "--fill-from-cmr", "-o", tmp_path / "m.toml"]],
        "show": [["show", EMR], ["show", EMR, made]],
        "simulate": [
            ["simulate", EMR],
            ["simulate", EMR, "--policy", "linux:cmr-v8.2"],
            ["simulate", EMR, "--policy", "greedy"],
            *[["simulate", machine] for machine in sorted(MACHINES.glob("*.toml"))],
        ],
        "check": [["check", EMR, made], ["check", MACHINES / "canonical-pr188.toml", made]],
        "repair": [
            ["repair", EMR],
            ["repair", EMR, "--policy", "linux:cmr-v8.2"],
            ["repair", starved, "--kinds", "withdraw,variant"],
        ],
        "place": [["place", EMR], ["place", EMR, "--reserve", "cmr"]],
        "export": [["export", EMR], ["export", EMR, "--reserve", "cmr", "--at-most", "areas=11"]],
        "diff": [
            ["diff", "linux:mainline", "linux:cmr-v8.2", "--cmrs", 2, "--ranges", 1, "--gib", 1],
            ["diff", "linux:mainline", "linux:cmr-nocheck", "--ranges", 1, "--gib", 1],
            ["diff", "linux:mainline", "linux:dpamt", EMR, MACHINES / "canonical-pr188.toml"],
            ["diff", "linux:mainline", "greedy", MACHINES / "canonical-pr188.toml"],
        ],
        "verify": [
            ["verify", "linux:mainline", "--property", wanted, "--ranges", 1, "--gib", 1]
            for wanted in ("covered", "complete:linux", "areas-at-most:2", "never:success")
        ],
        "prove": [["prove", "T10"], ["prove", "--proofs", false_theorem(tmp_path)]],
        "certify": [
            ["certify", CASES / "certify" / f"{name}.json", EMR]
            for name in ("emr-cmr-optimal", "emr-cmr-holey", "emr-cmr-claims-too-much")
        ],
        "sizes": [["sizes", "252GiB"], ["sizes", "2GiB", "62G", "--dynamic"]],
        "conform": [["conform", "cmr", RECORDED / "cmr.jsonl"], ["conform", "kernel", short]],
        "judge": [["judge", CASES / "check"], ["judge", wrong]],
    }


@pytest.mark.parametrize("command", list(COMMANDS))
def test_json_follows_the_schema_and_is_the_same_every_time(
    command: str, made: Path, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    check = validator(command)
    verdicts = set()
    for words in lines(made, tmp_path)[command]:
        ran = pamt(*words, "--json")
        result = ran.json
        check.validate(result)
        assert result["command"] == command
        assert result["exit"] == ran.exit == exit_for(result["verdict"])
        assert pamt(*words, "--json").out == ran.out
        verdicts.add(result["verdict"])
    wanted = {v for v in schemas.VERDICTS[command] if v not in {"FEASIBLE", "UNDECIDED"}}
    assert verdicts == wanted


def test_the_schema_files_are_up_to_date() -> None:
    for name, text in schemas.schema_texts().items():
        assert (FOLDER / name).read_text() == text, "run: python -m pamt.report.schemas"


def test_every_command_has_a_schema() -> None:
    assert set(schemas.result_schemas()) == set(COMMANDS)
    for schema in schemas.result_schemas().values():
        Draft202012Validator.check_schema(schema)


def test_one_table_of_verdicts_and_exits() -> None:
    assert dict(CASE_EXITS) == EXITS
    assert exit_for("FEASIBLE", accept_feasible=True) == 0
    for verdicts in schemas.VERDICTS.values():
        assert {v for v in verdicts if v is not None} <= set(EXITS)


def test_the_input_is_named_with_its_digest(pamt: Callable[..., Any]) -> None:
    given = pamt("simulate", EMR, "--json").json["input"]
    assert given == {"name": str(EMR), "sha256": hashlib.sha256(EMR.read_bytes()).hexdigest()}


def test_solver_builds_are_told_only_if_a_solver_was_loaded(root: Path) -> None:
    import subprocess
    import sys

    def solvers(*words: str) -> list[str]:
        line = [sys.executable, "-m", "pamt", *words, str(EMR), "--json"]
        done = subprocess.run(line, capture_output=True, check=False)
        return list(json.loads(done.stdout)["tool"]["solvers"])

    assert solvers("simulate") == []
    assert solvers("place") == ["z3"]


def test_quiet_prints_the_verdict_line_only(made: Path, pamt: Callable[..., Any]) -> None:
    assert pamt("check", EMR, made, "--quiet").out == (
        "ACCEPTED: TDX_SUCCESS (0x0000000000000000)\n"
    )
    assert pamt("simulate", EMR, "--quiet").out.startswith("FAILS: -28 ENOSPC: TDMR [0x0, 0x8")


def test_output_goes_to_a_file_instead(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "result.json"
    ran = pamt("simulate", EMR, "--json", "-o", path)
    assert (ran.exit, ran.out) == (1, "")
    assert json.loads(path.read_text())["verdict"] == "FAILS"
    text = tmp_path / "result.txt"
    assert pamt("simulate", EMR, "-o", text).out == ""
    assert text.read_text() == pamt("simulate", EMR).out


@pytest.mark.parametrize("suffix", [".toml", ".json", ".bin"])
def test_a_configuration_can_be_written_and_read_in_three_forms(
    suffix: str, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / f"made{suffix}"
    assert pamt("simulate", EMR, "--policy", "linux:cmr-v8.2", "-o", path).exit == 0
    assert pamt("check", EMR, path).exit == 0
    placed = tmp_path / f"placed{suffix}"
    assert pamt("place", EMR, "--reserve", "cmr", "-o", placed).exit == 0
    assert pamt("check", EMR, placed).exit == 0


def test_no_configuration_is_written_where_there_is_none(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "made.toml"
    ran = pamt("simulate", EMR, "-o", path)
    assert ran.exit == 1
    assert "not written, there is no configuration" in ran.err
    assert not path.exists()
    assert list(tmp_path.iterdir()) == []
