"""The disagreement drill: a fault in the engine is caught, and leaves a small map that shows it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pamt.maps.machine_file import read_machine

ROOT = Path(__file__).resolve().parents[2]
DRILL = ROOT / "docs" / "examples" / "drill.py"


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("canonical-pr188", "placement and linux:mainline disagree: no better than"),
        ("epyc7601-2s-8node", "placement and greedy disagree: INFEASIBLE, but it finds"),
    ],
)
def test_a_fault_in_the_engine_is_caught(name: str, said: str, tmp_path: Path) -> None:
    machine = ROOT / "specs" / "machines" / f"{name}.toml"
    ran = run(tmp_path, str(DRILL), str(machine), "--json")
    assert ran.returncode == 70
    told = json.loads(ran.stdout)
    assert (told["verdict"], told["exit"]) == (None, 70)
    assert said in told["errors"][0]["found"]
    assert f"internal disagreement, no answer is given: {said}" in ran.stderr
    left = tmp_path / f"{name}.disagreement.toml"
    assert f"{left.name}: a map that shows it, 2 memory ranges and 1 free runs" in ran.stderr
    small = read_machine(str(left))
    assert (len(small.memory or ()), len(small.free or ())) == (2, 1)
    again = run(tmp_path, str(DRILL), str(left), "--json")
    assert again.returncode == 70
    sound = run(tmp_path, "-m", "pamt", "place", str(left), "--json")
    assert sound.returncode in {0, 1}
