"""Ask for every listed finding again: ``python tests/bench/verify_findings.py [--only NAME]``.

Run from the top of the checkout.  Each found map is written to specs/found; with ``--page`` all of
FINDINGS.md is written anew.  A line for each finding goes to standard output.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pamt.machine import Machine
from pamt.maps.machine_write import dump_machine
from pamt.outcome import Outcome
from pamt.policies.protocol import run_policy
from pamt.ranges import GIB, PAGE, Range
from pamt.standins import complete
from pamt.verify.findings import FINDINGS, Finding, Found, reproduce
from pamt.verify.properties import load_policy

COLUMNS = 64

PREFACE = """# What the engine has found by itself

Each map below was found by `pamt verify` or `pamt diff` from nothing but the policy's source, the
property and the scope; plain Python replays it in `tests/quality/test_verify_found.py`. It is the
smallest of its scope: everything smaller, in the order ranges, CMRs, nodes, free runs, TDMRs, span
in GiB, addresses off 1 GiB, off 2 MiB, address list, was refuted by the solver. `--first-gib 4`
keeps memory above 4 GiB, where a node has one zone; what holds there need not hold for maps that
reach below.

In the drawings a column is 1/64 of the GiBs that the map touches: digits are memory of that node,
`.` is a hole, `P` a PAMT (on a success), `=` a CMR, `f` a free run where not all memory is free.
Steps are z3's own count, the same on every run of one build; seconds are one run on a busy two-core
machine.

Written by `python tests/bench/verify_findings.py --page`.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask all questions and write the maps; 1 when one has no answer any more."""
    parser = argparse.ArgumentParser(description="find the listed maps again")
    parser.add_argument("directory", nargs="?", default="specs/found", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--page", action="store_true", help="write FINDINGS.md")
    options = parser.parse_args(arguments)
    missing = 0
    sections: list[str] = []
    for finding in FINDINGS:
        if options.only and finding.name not in options.only:
            continue
        found = reproduce(finding)
        if found is None:
            missing += 1
            sys.stdout.write(f"{finding.name}: NOT FOUND by {finding.command}\n")
            continue
        machine = replace(
            found.machine, name=finding.name, source=finding.command, assumptions=(finding.says,)
        )
        options.directory.mkdir(parents=True, exist_ok=True)
        (options.directory / f"{finding.name}.toml").write_text(dump_machine(machine))
        sections.append(section(finding, found))
        sys.stdout.write(
            f"{finding.name}: {found.why} | {found.steps} steps, {found.seconds:.2f} s\n"
        )
        sys.stdout.flush()
    if options.page and not missing:
        Path("FINDINGS.md").write_text("\n".join([PREFACE, *sections]))
    return 1 if missing else 0


def section(finding: Finding, found: Found) -> str:
    """One finding as a part of the page."""
    measure = found.measure
    state = "certified smallest" if found.certified else "smallest found, not certified"
    outcome = run_policy(load_policy(finding.policy), complete(found.machine).machine)
    drawn = "\n".join(f"    {line}" for line in draw(found.machine, outcome))
    return f"""## {finding.name}

{finding.says[0].upper()}{finding.says[1:]}.

    {finding.command}

{finding.scope.words()[0].upper()}{finding.scope.words()[1:]}.

{found.why}

{drawn}

{measure.ranges} ranges, {measure.cmrs} CMRs, {measure.nodes} nodes, {measure.tdmrs} TDMRs,
{measure.span} GiB; {state};
{found.steps:,} steps, {found.seconds:.2f} s; map: `specs/found/{finding.name}.toml`
"""


def draw(machine: Machine, outcome: Outcome) -> list[str]:
    """The map as lines of text."""
    memory = machine.memory or ()
    low = memory[0].start // GIB * GIB
    high = -(-memory[-1].end // GIB) * GIB
    cell = (high - low) // COLUMNS

    def mark(line: list[str], part: Range, letter: str) -> None:
        for at in range(COLUMNS):
            window = Range(low + at * cell, low + (at + 1) * cell)
            if part.overlaps(window):
                line[at] = letter

    lines: list[str] = []
    row = ["."] * COLUMNS
    for r in memory:
        mark(row, r.range, str(r.node))
    if outcome.succeeded:
        for t in outcome.tdmrs:
            for p in t.pamts or ():
                mark(row, p.range, "P")
    lines.append("memory  |" + "".join(row) + "|")
    if machine.free is not None:
        row = [" "] * COLUMNS
        for f in machine.free:
            mark(row, f.range, "f")
        lines.append("free    |" + "".join(row) + "|")
    row = [" "] * COLUMNS
    for c in machine.cmrs or ():
        mark(row, c.range, "=")
    lines.append("CMRs    |" + "".join(row) + "|")
    lines.append(f"         {low:#x} .. {high:#x}")
    if len(memory) <= 4:
        lines += [f"{r.range} node {r.node}: {(r.end - r.start) // PAGE} pages" for r in memory]
        lines += [f"{f.range} free: {(f.end - f.start) // PAGE} pages" for f in machine.free or ()]
        lines += [f"{c.range} CMR" for c in machine.cmrs or ()]
    return lines


if __name__ == "__main__":
    sys.exit(main())
