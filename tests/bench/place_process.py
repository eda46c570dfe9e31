"""One process of the placement benchmark: start it, wait for it, and what it said and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["ROOT", "Run", "Used", "command_line", "decide", "start"]

ROOT = Path(__file__).parents[2]
SETTLED = frozenset({"optimal", "infeasible"})
GRACE = 3.0
"""Seconds a peer may go on after its limit, which counts from when it has built its model."""


class Used(NamedTuple):
    wall: float
    """Seconds on the clock."""
    cpu: float
    """Seconds of the processor, of all threads."""


class Run(NamedTuple):
    answer: str
    """optimal, feasible, infeasible, undecided; of a peer also unknown; no answer."""
    values: tuple[int, ...] | None
    """remote, max_areas, areas."""
    used: Used
    mib: float = 0.0
    """Peak of what is resident; 0 where the process did not live to say it."""
    checked: str = ""
    trusted: int = 0
    nodes: int = 0
    """Nodes of case trees, or questions to a solver."""
    steps: int = 0

    @property
    def settled(self) -> bool:
        return self.answer in SETTLED

    @property
    def proved(self) -> bool:
        """Whether a certificate without trusted steps was checked."""
        return self.checked == "valid" and self.trusted == 0

    def record(self) -> dict[str, Any]:
        return {**self._asdict(), "used": self.used._asdict()}


def start(command: list[str], seconds: float) -> tuple[str, Used]:
    """Standard output of a process, empty if it had to be ended after `seconds`."""
    paths = os.pathsep.join((str(ROOT / "model"), str(Path(__file__).parent)))
    environment = {**os.environ, "PYTHONPATH": paths}
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.DEVNULL)
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            wall = time.monotonic() - began
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                break
            if wall > seconds:
                child.kill()
                _, _, usage = os.wait4(child.pid, 0)
                child.returncode = -9
                return "", Used(wall, usage.ru_utime + usage.ru_stime)
            time.sleep(0.002)
        out.seek(0)
        return out.read().strip(), Used(wall, usage.ru_utime + usage.ru_stime)


def decide(path: Path, who: str, space: str, seconds: float) -> Run:
    """`who` decides the map of a file in a process of its own; a peer within `seconds`."""
    program = "import place_one; place_one.main()"
    most = 600.0 if who == "pamt" else seconds + GRACE
    text, used = start([sys.executable, "-c", program, str(path), who, space, str(seconds)], most)
    if not text:
        return Run("no answer", None, used)
    found = json.loads(text)
    values = tuple(found.pop("values") or ()) or None
    return Run(values=values, used=used, **found)


def command_line(path: Path, arguments: list[str]) -> Run:
    """`pamt place`, as a user calls it."""
    command = [sys.executable, "-m", "pamt", "place", str(path), *arguments, "--json"]
    text, used = start(command, 600.0)
    if not text.startswith("{"):
        return Run("no answer", None, used)
    found = json.loads(text)
    proof = found.get("certificate") or {}
    objective = found.get("objective")
    return Run(
        str(found.get("verdict") or "bad input").lower(),
        tuple(objective[name] for name in ("remote", "max_areas", "areas")) if objective else None,
        used,
        checked=proof.get("checked") or "",
        trusted=proof.get("trusted_steps") or 0,
    )
