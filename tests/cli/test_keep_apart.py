"""No command writes over a file that it reads, or twice to one file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "specs" / "machines" / "canonical-pr188.toml"
POLICY = """
from pamt.policies.registry import get_policy

mine = get_policy("linux:mainline")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with one file of each kind."""
    shutil.copy(MAP, tmp_path / "m.toml")
    shutil.copy(ROOT / "tests" / "corpus" / "logs" / "kernel-doc-64g.txt", tmp_path / "log.txt")
    (tmp_path / "mine.py").write_text(POLICY)
    (tmp_path / "soft.toml").symlink_to("m.toml")
    os.link(tmp_path / "m.toml", tmp_path / "hard.toml")
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "one.pamt.toml").write_text(
        'ask = "simulate"\nmachine = "../m.toml"\n[expect]\nexit = 0\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        "place m.toml -o m.toml",
        "place m.toml -o ./cases/../m.toml",
        "place m.toml -o soft.toml",
        "place soft.toml -o m.toml",
        "place m.toml -o hard.toml",
        "place m.toml --certificate m.toml",
        "place m.toml --certificate new -o new",
        "place m.toml --certificate ./new.toml -o new.toml",
        "import log.txt -o log.txt",
        "import m.toml log.txt -o log.txt",
        "simulate m.toml -o m.toml",
        "simulate m.toml --policy mine.py:mine -o mine.py",
        "show m.toml --policy mine.py:mine -o mine.py",
        "repair m.toml --policy mine.py:mine -o mine.py",
        "export m.toml -o m.toml",
        "check m.toml log.txt -o log.txt",
        "certify log.txt m.toml -o log.txt",
        "conform kernel log.txt -o log.txt",
        "diff linux:mainline mine.py:mine m.toml -o mine.py",
        "diff linux:mainline greedy m.toml -o m.toml",
        "verify mine.py:mine --property accepted -o mine.py",
        "verify greedy --property no-worse-than:mine.py:mine -o mine.py",
        "judge cases -o cases/one.pamt.toml",
        "judge cases -o m.toml",
    ],
)
def test_what_is_read_is_never_written_over(
    line: str, folder: Path, pamt: Callable[..., Any]
) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

    before = content()
    ran = pamt(*line.split())
    assert (ran.exit, ran.out) == (2, "")
    assert "would be" in ran.err
    assert content() == before


def test_standard_input_may_be_a_file_too(folder: Path, pamt: Callable[..., Any]) -> None:
    kept = os.dup(0)
    try:
        with (folder / "m.toml").open() as stream:
            os.dup2(stream.fileno(), 0)
            ran = pamt("place", "-", "-o", "m.toml")
    finally:
        os.dup2(kept, 0)
        os.close(kept)
    assert ran.exit == 2
    assert "would be overwritten" in ran.err


def test_another_file_and_devices_are_fine(folder: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("place", "m.toml", "-o", "best.toml", "--certificate", "best.cert")
    assert ran.exit == 0
    assert json.loads((folder / "best.cert").read_text())
    # Again, over the results of the first time.
    assert pamt("place", "m.toml", "-o", "best.toml", "--certificate", "best.cert").exit == 0
    assert pamt("place", "m.toml", "-o", "/dev/null", "--certificate", "/dev/null").exit == 0
