"""The placement benchmark says what it measures: no times here, only what is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from place_process import Run, Used
from place_targets import Row, better, ratio, targets

SCRIPT = Path(__file__).parents[1] / "bench" / "place.py"


def measured(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(SCRIPT), "--json", "--no-machines", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_a_small_instance_with_both_peers() -> None:
    found = measured("--families", "counting,easy", "--shapes", "2x2x10", "--limit", "20")
    counting, easy = found["rows"]
    assert counting["ours"]["answer"] == "infeasible"
    assert easy["ours"]["answer"] == "optimal"
    for row in (counting, easy):
        assert (row["ours"]["checked"], row["ours"]["trusted"]) == ("valid", 0)
        assert set(row["peers"]) == {"z3.Optimize", "CP-SAT"}
        for peer in row["peers"].values():
            assert (peer["answer"], peer["values"]) == (
                row["ours"]["answer"],
                row["ours"]["values"],
            )
    states = {target["text"]: target["state"] for target in found["targets"]}
    assert len(states) == len(found["targets"])
    assert states["tight: decided within 30 s"] == "not measured"


def row(ours: float, *peers: tuple[str, float], answer: str = "optimal", trusted: int = 0) -> Row:
    mine = Run(answer, (1, 2, 3), Used(ours, ours), 10.0, "valid", trusted)
    others = {f"peer {n}": Run(a, (1, 2, 3), Used(s, s)) for n, (a, s) in enumerate(peers)}
    return Row("tight", "8x8x100 #0", "linux", mine, others)


def state(rows: list[Row], part: str, start: float = 0.1) -> str:
    (found,) = [t for t in targets(rows, (), Used(start, start)) if t.text.startswith(part)]
    return found.state


def test_an_answer_counts_before_any_that_was_not_given() -> None:
    assert better(row(1.0, ("optimal", 50.0), ("unknown", 20.0))) == (50.0, True)
    assert better(row(1.0, ("no answer", 63.0), ("unknown", 60.0))) == (60.0, False)
    assert ratio(row(1.0, ("unknown", 60.0))) == ">60.0"
    assert ratio(row(2.0, ("infeasible", 60.0))) == "30.0"


def test_targets_can_be_missed() -> None:
    assert state([row(31.0, ("unknown", 60.0))], "tight: decided") == "missed"
    assert state([row(1.0, ("unknown", 60.0), answer="feasible")], "tight: decided") == "missed"
    assert state([row(1.0, ("optimal", 19.0))], "at least 20 times") == "missed"
    assert state([row(1.0, ("optimal", 21.0))], "at least 20 times") == "met"
    assert state([row(4.0, ("unknown", 60.0))], "at least 20 times") == "met as far as known"
    assert state([row(0.5, ("optimal", 0.3))], "never slower") == "missed"
    assert state([row(0.35, ("optimal", 0.3))], "never slower") == "met"
    assert state([row(1.0, trusted=1)], "every OPTIMAL") == "missed"
    assert state([row(1.0)], "every OPTIMAL") == "met"
    assert state([], "every OPTIMAL") == "missed"


def test_another_answer_of_a_peer_is_seen() -> None:
    assert row(1.0, ("infeasible", 2.0)).disagrees
    assert not row(1.0, ("unknown", 2.0)).disagrees
