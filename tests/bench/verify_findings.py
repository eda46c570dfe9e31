"""Replays every command of FINDINGS.md: verdict, map, steps, seconds.

    python tests/bench/verify_findings.py            replay and compare with specs/found
    python tests/bench/verify_findings.py --page     replay, write specs/found and FINDINGS.md

Each command is run as it stands in the list, by a process of its own.  Seconds are that process'
processor time, start-up included.  `--only NAME` (repeatable) picks entries.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from pamt.maps.machine_file import read_machine
from pamt.verify.findings import Cited, Finding, Found, Statement
from pamt.verify.result import Measure

sys.path.insert(0, str(Path(__file__).parent))

from findings_page import Measured, entries, page

TOP = Path(__file__).resolve().parents[2]
FOUND = TOP / "specs" / "found"
NAME = re.compile(rb"^name +=.*$", re.MULTILINE)


class Replay(NamedTuple):
    """What a command answered."""

    result: dict[str, Any]
    seconds: float
    stored: bytes | None = None
    """The map as it belongs into specs/found."""


def main(arguments: list[str] | None = None) -> int:
    """Replay; returns how many entries came out otherwise than the list, or specs/found, says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--page", action="store_true", help="write the maps and FINDINGS.md")
    options = parser.parse_args(arguments)
    wrong = 0
    found: dict[str, Found] = {}
    measured: dict[str, Measured] = {}
    for entry in entries():
        if options.only and entry.name not in options.only:
            continue
        again = replay(entry)
        faults = differences(entry, again, compare=not options.page)
        wrong += bool(faults)
        if again.stored is not None and options.page and not faults:
            FOUND.mkdir(parents=True, exist_ok=True)
            (FOUND / f"{entry.name}.toml").write_bytes(again.stored)
        if not faults:
            if isinstance(entry, Finding):
                found[entry.name] = found_by(entry, again)
            else:
                measured[entry.name] = measured_by(again)
        told = "; ".join(faults) or again.result["verdict"]
        sys.stdout.write(f"{entry.item:3} {entry.name}: {told} | {again.seconds:.2f} s\n")
        sys.stdout.flush()
    if options.page and not options.only and not wrong:
        (TOP / "FINDINGS.md").write_text(page(found, measured))
    return wrong


def replay(entry: Finding | Statement | Cited) -> Replay:
    """Run the command of an entry, as typed, with ``--json`` and, for a map, ``--save``."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*shlex.split(entry.command)[1:], "--json"]
        if isinstance(entry, Finding):
            words += ["--save", folder]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = subprocess.run(
            [sys.executable, "-m", "pamt", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=TOP,
            env={**os.environ, "PYTHONPATH": str(TOP / "model")},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        result = json.loads(ran.stdout) if ran.stdout else {"verdict": ran.stderr}
        path = saved(entry, result)
        stored = None if path is None else renamed(Path(path).read_bytes(), entry.name)
    return Replay(result, seconds, stored)


def saved(entry: Finding | Statement | Cited, result: dict[str, Any]) -> str | None:
    """Where the map of a finding was written, if it was found."""
    if not isinstance(entry, Finding):
        return None
    one = result if "->" not in entry.asked else difference(entry, result)
    return None if one is None else one.get("saved")


def difference(entry: Finding, result: dict[str, Any]) -> dict[str, Any] | None:
    """The pair of answers that a finding speaks of."""
    pair = entry.asked.rpartition(": ")[2].split(" -> ")
    return next((d for d in result.get("differences", ()) if d["answers"] == pair), None)


def renamed(content: bytes, name: str) -> bytes:
    """The file, with the one line changed that tells its name."""
    return NAME.sub(f'name = "{name}"'.encode(), content, count=1)


def wanted(entry: Finding | Statement | Cited) -> str:
    """The verdict."""
    if isinstance(entry, Finding):
        return "DIFFERS" if "->" in entry.asked else "VIOLATED"
    return entry.verdict if isinstance(entry, Cited) else "HOLDS"


def differences(entry: Finding | Statement | Cited, again: Replay, *, compare: bool) -> list[str]:
    """In what the answer is not what is said of it."""
    faults: list[str] = []
    if again.result["verdict"] != wanted(entry):
        faults.append(f"{again.result['verdict']}, not {wanted(entry)}")
    if isinstance(entry, Finding):
        if again.stored is None:
            faults.append("no such map was found")
        elif compare and again.stored != stored(entry.name):
            faults.append("another map than in specs/found")
    return faults


def stored(name: str) -> bytes | None:
    """The map in specs/found."""
    path = FOUND / f"{name}.toml"
    return path.read_bytes() if path.exists() else None


def found_by(entry: Finding, again: Replay) -> Found:
    """What the page shows of a found map."""
    one = again.result if "->" not in entry.asked else difference(entry, again.result)
    assert one is not None
    measure = dict(one["measure"])
    measure["addresses"] = tuple(int(address, 16) for address in measure["addresses"])
    return Found(
        read_machine(FOUND / f"{entry.name}.toml"),
        one["why"] if "->" not in entry.asked else " becomes ".join(one["answers"]),
        Measure(**measure),
        one["smallest"],
        again.result["obligations"]["steps"],
        again.seconds,
        tuple(one.get("free_fields", ())),
    )


def measured_by(again: Replay) -> Measured:
    """What the page shows of an answer without a map."""
    result = again.result
    if "cases" not in result or "steps" not in (result.get("obligations") or {}):
        return Measured(result["verdict"], None, again.seconds)
    detail = f"{result['cases']['done']} cases, {result['obligations']['asked']} questions"
    steps, untested = result["obligations"]["steps"], result["untested"] or ""
    return Measured(result["verdict"], steps, again.seconds, detail, untested)


if __name__ == "__main__":
    sys.exit(main())
