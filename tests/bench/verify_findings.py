"""Ask for every listed finding again: ``python tests/bench/verify_findings.py [--only NAME]``.

Run from the top of the checkout.  A line for each goes to standard output.  With ``--page`` the
found maps are written to specs/found, and FINDINGS.md anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from findings_page import Measured, entries, page

from pamt.maps.machine_write import dump_machine
from pamt.verify.engine import verify
from pamt.verify.findings import Cited, Finding, Found, Statement, reproduce

FOUND = Path("specs/found")


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask all questions; 1 when one has another answer than the listed one."""
    parser = argparse.ArgumentParser(description="find the listed maps again")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--page", action="store_true", help="write the maps and FINDINGS.md")
    options = parser.parse_args(arguments)
    wrong = 0
    found: dict[str, Found] = {}
    measured: dict[str, Measured] = {}
    for entry in entries():
        if options.only and entry.name not in options.only:
            continue
        if isinstance(entry, Finding):
            answer = reproduce(entry)
            if answer is not None:
                found[entry.name] = answer
            text = "NOT FOUND" if answer is None else told(answer)
            wrong += answer is None
        else:
            it = measured[entry.name] = asked(entry)
            wanted = entry.verdict if isinstance(entry, Cited) else "HOLDS"
            text = f"{it.verdict} | {it.steps} steps, {it.seconds:.2f} s"
            wrong += it.verdict != wanted
        sys.stdout.write(f"{entry.item:3} {entry.name}: {text}\n")
        sys.stdout.flush()
    if options.page and not options.only and not wrong:
        write(found, measured)
    return 1 if wrong else 0


def told(answer: Found) -> str:
    """One finding on a line."""
    state = "" if answer.certified else " (not certified)"
    return f"{answer.why}{state} | {answer.steps} steps, {answer.seconds:.2f} s"


def asked(entry: Statement | Cited) -> Measured:
    """The answer of a statement's property, or of another command."""
    began = time.perf_counter()
    if isinstance(entry, Statement):
        result = verify(entry.policy, entry.asked, entry.scope)
        seconds = time.perf_counter() - began
        detail = f"{result.cases_done} cases, {result.obligations} questions"
        return Measured(result.verdict, result.steps, seconds, detail)
    script = "from pamt.cli.main import main; raise SystemExit(main())"
    ran = subprocess.run(
        [sys.executable, "-c", script, *entry.words.split(), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = json.loads(ran.stdout)["verdict"] if ran.stdout else ran.stderr
    return Measured(verdict, None, time.perf_counter() - began)


def write(found: dict[str, Found], measured: dict[str, Measured]) -> None:
    """Every map as a machine file, and the page."""
    FOUND.mkdir(parents=True, exist_ok=True)
    for entry in entries():
        if isinstance(entry, Finding):
            machine = replace(
                found[entry.name].machine,
                name=entry.name,
                source=entry.command,
                assumptions=(entry.says,),
            )
            (FOUND / f"{entry.name}.toml").write_text(dump_machine(machine))
    Path("FINDINGS.md").write_text(page(found, measured))


if __name__ == "__main__":
    sys.exit(main())
