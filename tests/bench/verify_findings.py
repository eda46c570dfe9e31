"""Ask for every listed finding again and write its map: ``python tests/bench/verify_findings.py``.

Run from the top of the checkout.  A line for each finding goes to standard output.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pamt.maps.machine_write import dump_machine
from pamt.verify.findings import FINDINGS, reproduce


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask all questions and write the maps; 1 when one has no answer any more."""
    parser = argparse.ArgumentParser(description="find the listed maps again")
    parser.add_argument("directory", nargs="?", default="specs/found", type=Path)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args(arguments)
    missing = 0
    for finding in FINDINGS:
        if options.only and finding.name not in options.only:
            continue
        found = reproduce(finding)
        if found is None:
            missing += 1
            sys.stdout.write(f"{finding.name}: NOT FOUND by {finding.command}\n")
            continue
        machine = replace(
            found.machine,
            name=finding.name,
            source=finding.command,
            assumptions=(finding.says,),
        )
        options.directory.mkdir(parents=True, exist_ok=True)
        (options.directory / f"{finding.name}.toml").write_text(dump_machine(machine))
        certificate = "smallest" if found.certified else "smallest found"
        sys.stdout.write(
            f"{finding.name}: {found.why} | {certificate} {tuple(found.measure[:8])} |"
            f" {found.steps} steps, {found.seconds:.2f} s | {finding.command}\n"
        )
        sys.stdout.flush()
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
