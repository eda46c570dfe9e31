"""How fast configurations of 64 TDMRs with 16 areas each are accepted, against the ordered walk.

    PYTHONPATH=model python tests/bench/acceptance.py [seconds per measurement]

Printed are configurations a second for the acceptance formula and for the walk, whose nested loops
over TDMRs are the module's own, and their ratio.  Exit 1 below 300 a second or a ratio below 10.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from pamt.configuration import Area, Configuration, Pamt, Tdmr
from pamt.machine import Cmr, Limits
from pamt.module.accept import accepts
from pamt.module.config import sys_config
from pamt.ranges import GIB, KIB, MIB, PAGE

Answer = Callable[[Configuration, Sequence[Cmr], Limits], object]

TDMRS = 64
AREAS = 16
WANTED_PER_SECOND = 300
WANTED_RATIO = 10


def full_configuration() -> tuple[Configuration, tuple[Cmr, ...]]:
    """64 TDMRs of 4 GiB that touch; 15 holes and one area with the PAMTs in each."""
    tdmrs: list[Tdmr] = []
    for index in range(TDMRS):
        base = index * 4 * GIB
        pamt = base + GIB + index * MIB
        sizes = (16 * MIB, 32 * KIB, 4 * KIB)
        areas = [Area(k * 32 * MIB, PAGE) for k in range(AREAS - 1)]
        areas.append(Area(pamt - base, sum(sizes)))
        tdmrs.append(
            Tdmr(
                base,
                4 * GIB,
                Pamt(pamt, sizes[0]),
                Pamt(pamt + sizes[0], sizes[1]),
                Pamt(pamt + sizes[0] + sizes[1], sizes[2]),
                tuple(areas),
            )
        )
    cmrs = tuple(Cmr(k * 8 * GIB, 8 * GIB) for k in range(32))
    return Configuration(tuple(tdmrs)), cmrs


def per_second(answer: Answer, seconds: float) -> float:
    """Calls a second, over at least `seconds`."""
    configuration, cmrs = full_configuration()
    limits = Limits()
    answer(configuration, cmrs, limits)
    calls = 0
    start = time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        answer(configuration, cmrs, limits)
        calls += 1
    return calls / spent


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    configuration, cmrs = full_configuration()
    assert accepts(configuration, cmrs, Limits())
    assert sys_config(configuration, cmrs, Limits()).accepted
    fast = per_second(accepts, seconds)
    slow = per_second(sys_config, seconds)
    sys.stdout.write(
        f"{TDMRS} TDMRs x {AREAS} areas: formula {fast:.0f}/s, ordered walk {slow:.1f}/s,"
        f" ratio {fast / slow:.0f}\n"
    )
    return 0 if fast >= WANTED_PER_SECOND and fast / slow >= WANTED_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
