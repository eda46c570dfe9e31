"""How fast the verify engine answers, beside hypothesis and CrossHair on the same question.

``python tests/bench/verify_speed.py``: seconds and solver steps; one line a measurement.  The
question for the peers: memory ranges in one GiB that leave more holes than the limit, by the
kernel's own ``find_holes``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from pamt.machine import Limits
from pamt.verify.cases import cases
from pamt.verify.engine import verify
from pamt.verify.explore import explore
from pamt.verify.properties import load_policy
from pamt.verify.scope import Scope
from pamt.verify.symbolic_map import build_map

PEER = '''
from pamt.kernel.areas import find_holes
from pamt.machine import MemoryRange
from pamt.ranges import GIB, PAGE, Range

def overflows(cuts: list[int], limit: int) -> bool:
    """Whether ranges between these pages of one GiB leave more holes than `limit`."""
    if any(a >= b for a, b in zip(cuts, cuts[1:])) or not all(0 <= c <= GIB // PAGE for c in cuts):
        return False
    ranges = [MemoryRange(a * PAGE, b * PAGE) for a, b in zip(cuts[::2], cuts[1::2])]
    return len(find_holes(Range(0, GIB), ranges)) > limit
'''


def say(what: str, seconds: float, detail: str) -> None:
    sys.stdout.write(f"{what:44} {seconds:8.2f} s  {detail}\n")
    sys.stdout.flush()


def timed(what: str, question: Callable[[], Any], describe: Callable[[Any], str]) -> None:
    began = time.perf_counter()
    answer = question()
    say(what, time.perf_counter() - began, describe(answer))


def described(answer: Any) -> str:
    return f"{answer.verdict}, {answer.cases_done} cases, {answer.steps} steps"


def stage(limit: int, ranges: int) -> Any:
    limits = Limits(max_reserved_per_tdmr=limit)
    scope = Scope(ranges=ranges, gib=5, first_gib=4, limits=limits)
    return verify("stage:areas", "never:ENOSPC_reserved", scope)


def ours() -> None:
    for limit, ranges in ((1, 1), (2, 2), (4, 4), (16, 15), (16, 16), (31, 32), (63, 64)):
        timed(
            f"areas stage, limit {limit}, {ranges} ranges", partial(stage, limit, ranges), described
        )
    for ranges, nodes in ((1, 1), (2, 2), (3, 1)):
        scope = Scope(ranges=ranges, nodes=nodes, gib=6, first_gib=4)
        for name in ("accepted", "covered", "clean"):
            timed(
                f"linux:mainline {name}, {ranges} ranges, {nodes} nodes",
                partial(verify, "linux:mainline", name, scope),
                described,
            )


def paths() -> None:
    scope = Scope(ranges=1, gib=5, first_gib=4)
    for ranges in (1, 2):
        began, count = time.perf_counter(), 0
        for case in cases(replace(scope, ranges=ranges, fewest_ranges=ranges)):
            count += sum(1 for _ in explore(load_policy("linux:mainline"), build_map(scope, case)))
        spent = time.perf_counter() - began
        say(
            f"path explorer, {ranges} ranges", spent, f"{count} paths, {count / spent:.0f} a second"
        )


def peers(limit_seconds: int = 30) -> None:
    names: dict[str, Any] = {}
    exec(PEER, names)
    for limit in (1, 2, 4, 8, 16):
        cuts = st.lists(st.integers(0, 1 << 18), max_size=40, unique=True).map(sorted)
        allowed = settings(
            max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck)
        )
        began = time.perf_counter()
        try:
            found = find(
                cuts, lambda c, limit=limit: names["overflows"](c, limit), settings=allowed
            )
            text = f"found, {len(found) // 2} ranges"
        except NoSuchExample:
            text = "not found in 20000 examples"
        say(f"hypothesis, limit {limit} (sorted lists)", time.perf_counter() - began, text)
    for limit in (1, 2, 4, 8, 16):
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "peer_target.py"
            target.write_text(
                PEER
                + "\ndef never(cuts: list[int]) -> bool:\n"
                + '    """post: not __return__"""\n'
                + f"    return overflows(cuts, {limit})\n"
            )
            began = time.perf_counter()
            ran = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "crosshair",
                    "check",
                    "--per_condition_timeout",
                    str(limit_seconds),
                    str(target),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            text = "found" if ran.returncode == 1 else f"not found in {limit_seconds} s"
            say(f"CrossHair, limit {limit}", time.perf_counter() - began, text)


if __name__ == "__main__":
    ours()
    paths()
    peers()
