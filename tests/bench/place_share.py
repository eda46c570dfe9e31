"""What share of the answers to placement questions is proved without a solver's word.

Every ``place`` question of specs/cases, and every machine of specs/machines in both presets; prints
a line for each, then the share of OPTIMAL and INFEASIBLE answers whose certificate is valid.

    python tests/bench/place_share.py

Exit 1 where an answer is not certified, or rests on a solver.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SPECS = Path(__file__).resolve().parents[2] / "specs"
SETTLED = ("OPTIMAL", "INFEASIBLE")
SECONDS = 120


class Asked(NamedTuple):
    name: str
    machine: Path
    options: tuple[str, ...]


def questions(folder: Path) -> Iterator[Asked]:
    """Those of the cases first, then machines; machines that stand in a case go into `folder`."""
    for path in sorted((SPECS / "cases").rglob("*.pamt.toml")):
        case = tomllib.loads(path.read_text())
        words = shlex.split(str(case.get("ask", "")))
        if not words or words[0] != "place":
            continue
        machine = case["machine"]
        if isinstance(machine, str):
            where = (path.parent / machine).resolve()
        else:
            where = folder / f"{path.name}.json"
            where.write_text(json.dumps({"format": 1, **machine}))
        yield Asked(str(path.relative_to(SPECS)), where, tuple(words[1:]))
    for path in sorted((SPECS / "machines").glob("*.toml")):
        for space in ("linux", "module"):
            yield Asked(f"{path.stem} --space {space}", path, ("--space", space))


def answer(asked: Asked) -> dict[str, Any] | None:
    """The answer in JSON; None for bad input."""
    words = [sys.executable, "-m", "pamt", "place", str(asked.machine), *asked.options, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode == 2:
        return None
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def main() -> int:
    settled = proved = others = 0
    with tempfile.TemporaryDirectory() as folder:
        for asked in questions(Path(folder)):
            found = answer(asked)
            if found is None or found["verdict"] not in SETTLED:
                others += 1
                print(f"{asked.name:55} {'bad input' if found is None else found['verdict']}")
                continue
            certificate = found["certificate"] or {"checked": None, "trusted_steps": 0}
            good = certificate["checked"] == "valid" and certificate["trusted_steps"] == 0
            settled += 1
            proved += good
            told = f"{certificate['checked']}, {certificate['trusted_steps']} trusted"
            print(f"{asked.name:55} {found['verdict']:10} {told}", flush=True)
    share = 100 * proved // max(settled, 1)
    print(f"{proved} of {settled} OPTIMAL and INFEASIBLE answers are proved ({share} %); ", end="")
    print(f"{others} questions have another answer")
    return 0 if proved == settled else 1


if __name__ == "__main__":
    sys.exit(main())
