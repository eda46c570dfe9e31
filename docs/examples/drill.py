"""A fault put into the engine on purpose: what `pamt place` does about it.

    python docs/examples/drill.py MACHINE [OPTIONS OF pamt place]

The engine is made to overlook all free memory but that of the first TDMR, and to take any sum for a
proof.  Policies that run beside it, the plain rules and the certificate checker do not share the
fault: `pamt` gives no answer, ends with exit 70, and leaves NAME.disagreement.toml, a map as small
as still shows it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from pamt.cli.main import main
from pamt.solve.engine import linux

right = linux.pose_problem


def overlooks(facts: Any, limits: Any) -> Any:
    """What the engine is shown of a map."""
    problem = right(facts, limits)
    spots = {group: runs for group, runs in problem.spots.items() if group[1] == 0}
    return replace(problem, spots=spots, chains=())


if __name__ == "__main__":
    linux.pose_problem = overlooks
    linux.Prover._holds = lambda *_: True  # noqa: SLF001
    sys.exit(main(["place", *sys.argv[1:]]))
