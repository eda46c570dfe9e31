"""One question, one answer, as JSON: what the placement benchmark starts for each measurement.

``pamt`` decides as the command `pamt place` does, writes the certificate and checks it; ``start``
only reads the map, which every process has to.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def peak_mib() -> float:
    """Peak of this process since it began to run this program (wait4 would count its parent's)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def answer(path: str, who: str, space: str, seconds: float) -> dict[str, Any]:
    """What `who` says of the map in a file."""
    from pamt.maps.machine_file import read_machine
    from pamt.standins import complete

    machine = complete(read_machine(path, 1 << 30)).machine
    if who == "start":
        return {"answer": "", "values": None}
    if who != "pamt":
        from place_peers import PEERS

        try:
            verdict, values = PEERS[who](machine, seconds)
        except ImportError:
            verdict, values = "not installed", None
        return {"answer": verdict, "values": values}
    from pamt.certificate import dump_certificate
    from pamt.placement import PRESETS
    from pamt.solve import place

    result = place(machine, PRESETS[space])
    if result.certificate is not None:
        dump_certificate(result.certificate)
    return {
        "answer": result.verdict.lower(),
        "values": list(result.objective[1:4]) if result.objective is not None else None,
        "checked": result.checked.verdict if result.checked is not None else "",
        "trusted": result.checked.trusted_steps if result.checked is not None else 0,
        "nodes": result.statistics.checks,
        "steps": result.statistics.steps,
    }


def main() -> None:
    """Arguments: file, who, space, seconds for a peer."""
    file, who, space, seconds = sys.argv[1:]
    print(json.dumps({**answer(file, who, space, float(seconds)), "mib": peak_mib()}))
