"""Every machine in every space: verdict, objective, certificate, seconds; and shares of all.

    python tests/bench/place_spaces.py [--machines epyc,huawei] [--families] [--spaces free/split]

Each line is one whole process of the command line (`pamt place`), certificate checked.  Seconds are
those of the processor, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).parents[2]
OPTIONS = {
    "tdmrs": ("kernel", "free"),
    "pamt": ("chunk", "split"),
    "reserve": ("memory", "cmr", "minimal"),
}
FAMILIES = (
    ("easy", "8x4x100"),
    ("fragmented", "8x4x100"),
    ("tight", "8x4x100"),
    ("area-tight", "8x4x100"),
    ("counting", "8x4x100"),
    ("packing", "8x4x100"),
    ("low-holes", "8x64x60"),
)


class Line(NamedTuple):
    verdict: str
    values: tuple[int, ...] | None
    gap: str
    checked: str
    trusted: int
    canonical: bool
    seconds: float


def ask(path: Path, space: tuple[str, ...], seconds: float) -> Line:
    """One question, answered by a process of its own."""
    command = [sys.executable, "-m", "pamt", "place", str(path), "--json"]
    for name, value in zip(OPTIONS, space, strict=True):
        command += [f"--{name}", value]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "model")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    try:
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        text = run.stdout
    except subprocess.TimeoutExpired:
        text = ""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    if not text.startswith("{"):
        return Line("no answer", None, "", "", 0, False, spent)
    found = json.loads(text)
    value, gap, proof = found.get("objective"), found.get("gap"), found.get("certificate") or {}
    return Line(
        found["verdict"],
        tuple(value.values()) if value else None,
        f"{gap['component']} {gap['by']}" if gap else "",
        proof.get("checked") or "",
        proof.get("trusted_steps") or 0,
        bool(found.get("canonical")),
        spent,
    )


def low_holes(nodes: int, size: int, holes: int, seed: int = 0) -> str:
    """Nodes of `size` GiB each, all memory free, with holes below 4 GiB; nearly half of them are
    gaps between CMRs, too.  As the text of a machine file."""
    from random import Random

    from pamt.machine import Cmr, Machine, MemoryRange, Node
    from pamt.maps.machine_write import dump_machine
    from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet

    random = Random(f"{nodes}/{size}/{holes}/{seed}")
    bottom, top = MIB // PAGE, 3 * GIB // PAGE
    edges = sorted(random.sample(range(bottom + 1, top - 1), 2 * holes))
    low = RangeSet([(bottom * PAGE, top * PAGE)]) - RangeSet(
        Range(a * PAGE, b * PAGE) for a, b in zip(edges[::2], edges[1::2], strict=True)
    )
    gaps = sorted(random.sample(list(zip(edges[::2], edges[1::2], strict=True)), min(28, holes)))
    outside = RangeSet(Range(a * PAGE, b * PAGE) for a, b in gaps)
    memory = [MemoryRange(run.start, run.end, 0) for run in low]
    at = 4 * GIB
    for node in range(nodes):
        end = at + size * GIB - (3 * GIB if node == 0 else 0)
        memory.append(MemoryRange(at, end, node))
        at = end
    runs = (RangeSet([(MIB, 3 * GIB)]) - outside) | RangeSet([(4 * GIB, at)])
    machine = Machine(
        f"low-holes-{nodes}x{size}x{holes}-{seed}",
        "generated",
        cmrs=tuple(Cmr(run.start, run.size) for run in runs),
        memory=tuple(memory),
        nodes=tuple(Node(node) for node in range(nodes)),
    )
    return dump_machine(machine, "json")


def maps(folder: Path, families: bool, seeds: int) -> Iterator[tuple[str, Path]]:
    """Names and files: the real machines, then generated ones."""
    for path in sorted((ROOT / "specs" / "machines").glob("*.toml")):
        yield path.stem, path
    if not families:
        return
    from place_families import generate

    from pamt.maps.machine_write import dump_machine

    for (family, shape), seed in product(FAMILIES, range(seeds)):
        numbers = tuple(int(part) for part in shape.split("x"))
        name = f"{family}-{shape}-{seed}"
        path = folder / f"{name}.json"
        if family == "low-holes":
            path.write_text(low_holes(*numbers, seed=seed))
        else:
            path.write_text(dump_machine(generate(family, *numbers, seed=seed), "json"))
        yield name, path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--machines", default="", help="parts of names, with commas between")
    parser.add_argument("--spaces", default="", help="parts of tdmrs/pamt/reserve")
    parser.add_argument("--families", action="store_true", help="generated machines as well")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for a question")
    options = parser.parse_args()
    names = [part for part in options.machines.split(",") if part]
    spaces = [part for part in options.spaces.split(",") if part]
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path in maps(Path(folder), options.families, options.seeds):
            if names and not any(part in name for part in names):
                continue
            for space in product(*OPTIONS.values()):
                label = "/".join(space)
                if spaces and not any(part in label for part in spaces):
                    continue
                line = ask(path, space, options.timeout)
                lines.append(line)
                shown = f"{name:24} {label:20} {line.verdict:10} {line.values!s:36} {line.gap:16}"
                shown += f" {line.checked:6} {line.trusted} {'c' if line.canonical else '-'}"
                print(f"{shown} {line.seconds:6.2f} s", flush=True)
    settled = [line for line in lines if line.verdict in {"OPTIMAL", "INFEASIBLE"}]
    proved = [line for line in settled if line.checked == "valid"]
    print(
        f"{len(lines)} questions: {len(settled)} settled, {len(proved)} of these proved without a"
        f" trusted step, slowest {max((line.seconds for line in lines), default=0.0):.2f} s"
    )


if __name__ == "__main__":
    main()
