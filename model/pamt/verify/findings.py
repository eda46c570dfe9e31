"""What the engine has found by itself, as questions that can be asked again.

``tests/bench/verify_findings.py`` asks them all and writes each found map as a machine file.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

from pamt.machine import Limits, Machine
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
        "areas-exhausted-by-pamts-real-limits",
        "linux:mainline",
        "complete:linux@ENOSPC_reserved",
        replace(
            HIGH,
            ranges=17,
            fewest_ranges=16,
            gib=21,
            assumptions=(DEFAULT | {"whole-gib"}) - {"apart"},
        ),
        "the same at the real limit of 16: 17 TDMRs on one node; 16 never do",
    ),
    Finding(
        "node-without-tdmr",
        "linux:mainline",
        "docs/examples/predicates.py:every_node_is_at_home",
        replace(HIGH, ranges=2, nodes=2),
        "a node whose memory lies inside another's rounded GiB is no TDMR's home: its pages have"
        " their metadata on the other node",
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
        "greedy-fails",
        "greedy",
        "complete:linux",
        replace(
            HIGH,
            ranges=3,
            fewest_ranges=3,
            free=2,
            gib=8,
            assumptions=DEFAULT - {"apart", "free-is-memory"},
        ),
        "greedy puts the largest chunk into the first run that holds it, where the two smaller ones"
        " would have fitted exactly",
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
        "with three nodes at equal distances, other node numbers move a PAMT to another node",
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
