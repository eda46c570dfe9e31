"""Placement beside two plain peers: every family of generated maps, and the real machines.

    python tests/bench/place.py [--families easy,tight] [--shapes 8x4x100] [--seeds 1] [--peers]

Each line is one whole process: read the map, decide, write and check the certificate.  Times are
wall seconds, memory is the peak of the process.  Peers get 60 s.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).parents[2]
PEER_SECONDS = 60.0
SHAPES = {
    "easy": ("8x8x100", "8x8x1000", "8x8x10000"),
    "fragmented": ("8x4x100", "8x8x1000"),
    "tight": ("8x4x100", "8x8x100"),
    "area-tight": ("8x4x100", "8x8x100"),
    "counting": ("8x4x100", "8x8x100"),
    "packing": ("8x4x100", "8x8x100"),
}


class Run(NamedTuple):
    answer: str
    values: tuple[int, ...] | None
    seconds: float
    mib: float
    checked: str = ""


def peak_mib() -> float:
    """Peak of this process since it began to run this program (wait4 would count its parent's)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def solve(path: str, who: str) -> None:
    """One process: answer on standard output as JSON."""
    from pamt.maps.machine_file import read_machine
    from pamt.standins import complete

    machine = complete(read_machine(path, 1 << 30)).machine
    if who != "pamt":
        from place_peers import PEERS

        verdict, values = PEERS[who](machine, PEER_SECONDS)
        print(json.dumps({"answer": verdict, "values": values, "mib": peak_mib()}))
        return
    from pamt.certificate import dump_certificate
    from pamt.solve.engine import place_fast

    answer = place_fast(machine)
    result = answer.result
    if answer.certificate is not None:
        dump_certificate(answer.certificate)
    found = {
        "answer": result.verdict.lower(),
        "values": list(result.objective[1:4]) if result.objective is not None else None,
        "checked": answer.checked.verdict if answer.checked is not None else "",
        "mib": peak_mib(),
    }
    print(json.dumps(found))


def run(path: Path, who: str, seconds: float) -> Run:
    """A process of its own, with its wall time and peak memory."""
    command = [sys.executable, __file__, "--solve", str(path), "--who", who]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "model")}
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.DEVNULL)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        spent = time.monotonic() - started
        out.seek(0)
        text = out.read().strip()
    if not text:
        return Run("no answer", None, spent, 0.0)
    found = json.loads(text)
    values = tuple(found["values"]) if found["values"] is not None else None
    return Run(found["answer"], values, spent, found["mib"], found.get("checked", ""))


def compare(name: str, path: Path, peers: bool) -> list[Run]:
    ours = run(path, "pamt", 600)
    line = f"{name:26} {ours.answer:11} {ours.values!s:22} {ours.checked:6}"
    line += f" {ours.seconds:7.2f} s {ours.mib:6.0f} MiB"
    found = [ours]
    best = None
    for who in ("z3.Optimize", "CP-SAT") if peers else ():
        other = run(path, who, PEER_SECONDS + 5)
        found.append(other)
        line += f" | {who} {other.answer:10} {other.seconds:6.2f} s"
        settled = other.answer in {"optimal", "infeasible"}
        if settled and (other.answer, other.values) != (ours.answer, ours.values):
            line += f" DIFFERS {other.values}"
        best = other.seconds if best is None else min(best, other.seconds)
    if best is not None:
        line += f" | {best / ours.seconds:6.1f} x"
    print(line, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--families", default=",".join(SHAPES))
    parser.add_argument("--shapes", help="nodes x TDMRs x free runs, for every family")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--machines", action="store_true", help="the real machines as well")
    parser.add_argument("--solve", help=argparse.SUPPRESS)
    parser.add_argument("--who", default="pamt", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.solve:
        solve(options.solve, options.who)
        return
    from place_families import generate

    from pamt.maps.machine_write import dump_machine

    if options.machines:
        for path in sorted((ROOT / "specs" / "machines").glob("*.toml")):
            compare(path.stem, path, options.peers)
    with tempfile.TemporaryDirectory() as folder:
        for family in filter(None, options.families.split(",")):
            shapes = options.shapes.split(",") if options.shapes else SHAPES[family]
            for shape in shapes:
                nodes, tdmrs, runs = (int(part) for part in shape.split("x"))
                for seed in range(options.seeds):
                    path = Path(folder) / "map.json"
                    machine = generate(family, nodes, tdmrs, runs, seed)
                    path.write_text(dump_machine(machine, "json"))
                    compare(f"{family} {shape} #{seed}", path, options.peers)


if __name__ == "__main__":
    main()
