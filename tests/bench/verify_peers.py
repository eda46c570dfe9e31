"""The same question to CrossHair and to hypothesis: can holes exhaust the areas of a TDMR?

Each is given the policy function that ``pamt verify`` is given, `areas_stage`, on memory ranges
between ascending page numbers of one GiB.  All three run as processes of their own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from verify_table import spending

TARGET = '''
from pamt.machine import Limits, Machine, MemoryRange
from pamt.ranges import GIB, PAGE
from pamt.verify.stages import areas_stage

def exhausts(cuts: list[int]) -> bool:
    """Whether ranges between these pages of one GiB leave more holes than there are areas.

    post: not __return__
    """
    if any(a >= b for a, b in zip(cuts, cuts[1:])) or not all(0 <= c <= GIB // PAGE for c in cuts):
        return False
    memory = tuple(
        MemoryRange(4 * GIB + a * PAGE, 4 * GIB + b * PAGE) for a, b in zip(cuts[::2], cuts[1::2])
    )
    machine = Machine(memory=memory, limits=Limits(max_reserved_per_tdmr={limit}))
    return areas_stage(machine, None).reason == "ENOSPC_reserved"
'''

HYPOTHESIS = """
import sys
from hypothesis import HealthCheck, find, settings, strategies as st
from hypothesis.errors import NoSuchExample

allowed = settings(
    max_examples={examples}, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)
cuts = st.lists(st.integers(0, 1 << 18), max_size=80, unique=True).map(sorted)
try:
    found = find(cuts, exhausts, settings=allowed)
except NoSuchExample:
    sys.exit(1)
print(len(found) // 2)
"""

OURS = """
from pamt.machine import Limits
from pamt.verify.engine import verify
from pamt.verify.scope import Scope

limits = Limits(max_reserved_per_tdmr={limit})
scope = Scope(ranges={limit}, gib=5, first_gib=4, limits=limits)
found = verify("stage:areas", "never:ENOSPC_reserved", scope).counterexample
print(len(found.machine.memory), found.certified)
"""


class Peer(NamedTuple):
    """What one of the three said."""

    found: bool
    seconds: float
    """User seconds of the whole process, start-up included."""
    words: str


def ours(limit: int) -> Peer:
    """``verify``: the smallest map, and that none is smaller."""
    with spending() as spent:
        ran = _python(OURS.replace("{limit}", str(limit)))
    words = ran.stdout.split()
    found = words[1:] == ["True"]
    return Peer(found, spent.seconds, f"found, {words[0]} ranges, certified smallest")


def hypothesis(limit: int, examples: int) -> Peer:
    """Random sorted lists, and shrinking: some map, nothing said about smaller ones."""
    script = TARGET.replace("{limit}", str(limit)) + HYPOTHESIS
    with spending() as spent:
        ran = _python(script.replace("{examples}", str(examples)))
    found = ran.returncode == 0
    # Anything before the last line is a remark about how the search went.
    text = f"found, {ran.stdout.split()[-1]} ranges" if found else f"not found in {examples:,} maps"
    return Peer(found, spent.seconds, text)


def crosshair(limit: int, seconds: int) -> Peer:
    """Symbolic execution path by path: some map."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "peer_target.py"
        target.write_text(TARGET.replace("{limit}", str(limit)))
        with spending() as spent:
            ran = subprocess.run(
                [
                    *(sys.executable, "-m", "crosshair", "check", str(target)),
                    *("--per_condition_timeout", str(seconds)),
                    *("--analysis_kind", "PEP316"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"CrossHair ended with {ran.returncode}: {ran.stderr.strip()}")
    found = ran.returncode == 1 and "exhausts" in ran.stdout
    return Peer(found, spent.seconds, "found" if found else f"not found in {seconds} s")


def _python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
