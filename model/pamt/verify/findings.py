"""What the engine has found by itself, as questions that can be asked again.

``python -m pamt.verify.findings [--only NAME] [DIRECTORY]`` asks them all and writes each found map,
with the answer in it, as an ordinary machine file; a line for each goes to standard output.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pamt.machine import Limits, Machine
from pamt.maps.machine_write import dump_machine
from pamt.verify.assumptions import DEFAULT
from pamt.verify.diff import diff
from pamt.verify.engine import verify
from pamt.verify.result import Measure
from pamt.verify.scope import Scope

__all__ = ["FINDINGS", "Finding", "Found", "reproduce"]


class Finding(NamedTuple):
    """A question with its expected answer."""

    name: str
    policy: str
    asked: str
    """A property; or, for a difference, ``POLICY: REASON -> REASON``."""
    scope: Scope
    says: str
    """The finding, in words."""

    @property
    def command(self) -> str:
        """As typed."""
        scope = self.scope
        options = f"--ranges {scope.ranges} --cmrs {scope.cmrs} --nodes {scope.nodes}"
        options += f" --gib {scope.gib}"
        if scope.fewest_ranges > 1:
            options += f" --fewest-ranges {scope.fewest_ranges}"
        if scope.first_gib:
            options += f" --first-gib {scope.first_gib}"
        if scope.free:
            options += f" --free {scope.free}"
        limits = scope.limits
        if limits != Limits():
            options += f" --limits {limits.max_tdmrs}x{limits.max_reserved_per_tdmr}"
        for name in sorted(DEFAULT - scope.assumptions):
            options += f" --without {name}"
        for name in sorted(scope.assumptions - DEFAULT):
            options += f" --with {name}"
        if "->" in self.asked:
            other = self.asked.rpartition(": ")[0]
            return f"pamt diff {self.policy} {other} {options}"
        return f"pamt verify {self.policy} --property '{self.asked}' {options}"


class Found(NamedTuple):
    """What came out."""

    machine: Machine
    why: str
    measure: Measure
    certified: bool
    steps: int
    seconds: float


HIGH = Scope(ranges=1, gib=5, first_gib=4)
"""One GiB above 4 GiB: a single zone, Normal."""

FINDINGS: tuple[Finding, ...] = (
    Finding(
        "areas-stage-16-ranges",
        "stage:areas",
        "never:ENOSPC_reserved",
        replace(HIGH, ranges=16),
        "holes alone exhaust the 16 areas of a TDMR from 16 memory ranges on; 15 never do",
    ),
    Finding(
        "areas-with-pamts-15-ranges",
        "linux:mainline",
        "complete:linux@ENOSPC_reserved",
        replace(HIGH, ranges=15, gib=6),
        "with PAMTs 15 ranges suffice, although PAMTs in the other TDMR would do; 14 never do",
    ),
    Finding(
        "areas-with-pamts-15-ranges-module",
        "linux:mainline",
        "complete:module@ENOSPC_reserved",
        replace(HIGH, ranges=15, gib=5, fewest_ranges=14),
        "one GiB with 15 ranges fails, although the module accepts a configuration",
    ),
    Finding(
        "stride-misses-a-run",
        "linux:mainline",
        "complete:linux@ENOMEM_pamt",
        Scope(ranges=1, gib=1),
        "the fixed stride of the slot scan misses a free run that is big enough",
    ),
    Finding(
        "stride-misses-a-run-above-4g",
        "linux:mainline",
        "complete:linux@ENOMEM_pamt",
        HIGH,
        "the same in zone Normal",
    ),
    Finding(
        "areas-exhausted-by-pamts",
        "linux:mainline",
        "complete:linux@ENOSPC_reserved",
        replace(
            HIGH,
            ranges=3,
            gib=7,
            limits=Limits(max_tdmrs=8, max_reserved_per_tdmr=2),
            assumptions=(DEFAULT | {"whole-gib"}) - {"apart"},
        ),
        "PAMTs pile up in the first TDMR of a node and exhaust its areas, with no hole anywhere"
        " (2 areas: 3 TDMRs)",
    ),
    Finding(
        "not-accepted-unless-convertible",
        "linux:mainline",
        "accepted",
        replace(HIGH, assumptions=DEFAULT - {"convertible"}),
        "memory outside of the CMRs is only noticed by the module",
    ),
    Finding(
        "touching-cmrs-refused",
        "linux:cmr-v8.2",
        "complete:module@EINVAL_memlist_not_in_cmr",
        replace(HIGH, cmrs=2),
        "cmr-v8.2 refuses a range across two CMRs that touch; the module would accept",
    ),
    Finding(
        "nocheck-loses-memory",
        "linux:cmr-nocheck",
        "covered",
        replace(HIGH, assumptions=DEFAULT - {"convertible"}),
        "cmr-nocheck succeeds and silently reserves memory that no CMR holds",
    ),
    Finding(
        "nocheck-null-cmr",
        "linux:cmr-nocheck",
        "covered",
        replace(HIGH, cmrs=3, assumptions=DEFAULT - {"no-null-cmr"}),
        "a null CMR hides the ones after it: convertible memory is taken out of use",
    ),
    Finding(
        "nocheck-not-accepted",
        "linux:cmr-nocheck",
        "accepted",
        replace(HIGH, assumptions=DEFAULT - {"convertible"}),
        "cmr-nocheck can hand over overlapping areas: a PAMT inside of a hole",
    ),
    Finding(
        "works-on-mainline-only",
        "linux:mainline",
        "linux:cmr-v8.2: success -> EINVAL_memlist_not_in_cmr",
        replace(HIGH, cmrs=2),
        "works on mainline, fails on cmr-v8.2",
    ),
    Finding(
        "works-on-cmr-only",
        "linux:mainline",
        "linux:cmr-v8.2: ENOSPC_reserved -> success",
        replace(HIGH, ranges=15, fewest_ranges=14),
        "works on cmr-v8.2, fails on mainline (real limits)",
    ),
    Finding(
        "cmr-holes-exhaust-areas",
        "linux:mainline",
        "linux:cmr-v8.2: success -> ENOSPC_reserved",
        replace(HIGH, cmrs=2, limits=Limits(max_tdmrs=4, max_reserved_per_tdmr=2)),
        "CMRs with more gaps than the memory list: cmr-v8.2 runs out of areas (2 areas)",
    ),
    Finding(
        "dynamic-pamt-fits",
        "linux:mainline",
        "linux:dpamt: ENOMEM_pamt -> success",
        HIGH,
        "less memory than one static chunk is enough for Dynamic PAMT",
    ),
    Finding(
        "not-local",
        "linux:mainline",
        "local",
        replace(HIGH, ranges=2, nodes=2),
        "a PAMT goes to another node although a free run of the home node could hold it",
    ),
    Finding(
        "node-numbers-matter",
        "linux:mainline",
        "renaming",
        replace(HIGH, ranges=3, nodes=3),
        "with three nodes at equal distances, numbering them otherwise moves a PAMT to another node",
    ),
)


def reproduce(finding: Finding) -> Found | None:
    """Ask the question; None when the answer is that nothing is found."""
    began = time.perf_counter()
    if "->" in finding.asked:
        other, _, pair = finding.asked.rpartition(": ")
        wanted = tuple(pair.split(" -> "))
        answer = diff(finding.policy, other, finding.scope)
        for difference in answer.differences:
            if difference.answers == wanted:
                return Found(
                    difference.machine,
                    f"{wanted[0]} becomes {wanted[1]}",
                    difference.measure,
                    difference.certified,
                    answer.steps,
                    time.perf_counter() - began,
                )
        return None
    result = verify(finding.policy, finding.asked, finding.scope)
    found = result.counterexample
    if found is None:
        return None
    return Found(
        found.machine,
        found.why,
        found.measure,
        found.certified,
        result.steps,
        time.perf_counter() - began,
    )


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
            print(f"{finding.name}: NOT FOUND by {finding.command}")
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
        print(
            f"{finding.name}: {found.why} | {certificate} {tuple(found.measure[:8])} |"
            f" {found.steps} steps, {found.seconds:.2f} s | {finding.command}",
            flush=True,
        )
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
