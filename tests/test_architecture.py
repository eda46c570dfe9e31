"""The arrows between the layers, and what starts without a solver."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAP = ROOT / "specs" / "machines" / "emr-fcp-issue135.toml"
SOLVERS = ("z3", "cvc5", "highspy", "ortools", "networkx", "numpy")
CASES = ROOT / "specs" / "cases" / "check"


def imported_by(*words: str) -> set[str]:
    """Every module that a process running `python -m pamt WORDS` imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pamt", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert done.returncode in (0, 1), done.stderr
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "made.toml"
    words = ("simulate", str(MAP), "--policy", "linux:cmr-v8.2", "-o", str(path))
    subprocess.run([sys.executable, "-m", "pamt", *words], capture_output=True, check=True)
    return path


RECORDED = "tests/conformance/data/kernel.jsonl"


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("simulate", str(MAP)),
        ("simulate", str(MAP), "--json"),
        ("simulate", str(MAP), "--policy", "greedy"),
        ("check", str(MAP), "MADE"),
        ("show", str(MAP)),
        ("show", str(MAP), "MADE"),
        ("sizes", "252GiB"),
        ("import", "tests/corpus/logs/emr-fcp-issue135.txt"),
        ("conform", "kernel", RECORDED),
    ],
    ids=" ".join,
)
def test_no_solver_is_imported_where_none_is_needed(
    words: tuple[str, ...], configuration: Path
) -> None:
    found = imported_by(*[str(configuration) if word == "MADE" else word for word in words])
    assert "pamt.cli.main" in found
    tops = {name.partition(".")[0] for name in found}
    assert tops.isdisjoint(SOLVERS)
    ours = {name for name in found if name.startswith("pamt.")}
    heavy = {name for name in ours if name.startswith(("pamt.smt", "pamt.solve", "pamt.verify"))}
    assert heavy == set()


def test_simulate_loads_nothing_it_does_not_show() -> None:
    found = imported_by("simulate", str(MAP))
    assert found.isdisjoint({"rich", "jinja2", "msgspec", "importlib.metadata", "tempfile"})


def test_place_does_import_a_solver() -> None:
    # The measurement above would be worthless if it could not see one.
    assert "z3" in {name.partition(".")[0] for name in imported_by("place", str(MAP), "--quiet")}


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout


def test_no_other_top_level_package_is_installed() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["model/pamt"]
    assert not (ROOT / "model" / "__init__.py").exists()
