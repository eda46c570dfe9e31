"""Placement beside two plain peers: every family of generated maps, and the real machines.

    python tests/bench/place.py [--quick] [--json] [--families easy,tight] [--no-machines] ...

Each line is one whole process: read the map, decide, write and check the certificate.  Seconds are
those of the clock, in brackets those of the processor, of all threads (on a machine that does other
work only these tell anything); "nodes" counts nodes of case trees, the same on every run; memory is
the peak of the process; "times" is how many times as long the better peer takes, ">" where neither
has answered.  The peers (place_peers.py) get two workers and 60 s.  For machines the last column is
the command `pamt place` as a whole, which also explains, and asks what would help.

Ends with 1 if a peer has another answer, or a certificate is not valid.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from place_process import ROOT, Run, command_line, decide
from place_targets import Row, Target, ratio, targets

PEERS = ("z3.Optimize", "CP-SAT")
SHAPES = {
    "easy": ("8x8x100", "8x8x1000", "8x8x10000"),
    "fragmented": ("8x4x100", "8x8x1000"),
    "tight": ("8x4x100", "8x8x100", "8x8x100#1", "8x8x100#2"),
    "area-tight": ("8x4x100", "8x8x100"),
    "counting": ("8x4x100", "8x8x100"),
    "packing": ("8x4x100", "8x8x100"),
}
"""Nodes x TDMRs x free runs, and a seed that is not 0."""
HEAD = (
    f"{'family':10} {'instance':23} {'space':6} {'answer':10} {'certificate':11} {'nodes':>5}"
    f" {'seconds':>15} {'MiB':>5} |"
    + "".join(f" {who:>26} |" for who in PEERS)
    + f" {'times':>15} | command"
)


def measure(
    family: str, name: str, path: Path, space: str, peers: bool, limit: float, command: bool
) -> Row:
    ours = decide(path, "pamt", space, limit)
    others = {who: decide(path, who, space, limit) for who in PEERS} if peers else {}
    others = {who: run for who, run in others.items() if run.answer != "not installed"}
    whole = command_line(path, ["--space", space]) if command else None
    return Row(family, name, space, ours, others, whole)


def spent(run: Run) -> str:
    return f"{run.used.wall:6.2f} ({run.used.cpu:6.2f})"


def line(row: Row) -> str:
    ours = row.ours
    proof = ours.checked if not ours.trusted else f"{ours.checked} {ours.trusted}"
    text = f"{row.family:10} {row.name:23} {row.space:6} {ours.answer:10} {proof:11} {ours.nodes:5}"
    text += f" {spent(ours)} {ours.mib:5.0f} |"
    for who in PEERS:
        run = row.peers.get(who)
        said = f" {run.answer:>10} {spent(run)}" if run else f" {'':>10} {'':15}"
        text += f"{said} |"
    both = f"{ratio(row)} ({ratio(row, 'cpu')})" if row.peers else ""
    text += f" {both:>15} |"
    if row.command is not None:
        text += spent(row.command)
    return text + ("   A PEER DISAGREES" if row.disagrees else "")


def instances(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    from place_families import generate
    from place_spaces import low_holes

    from pamt.maps.machine_write import dump_machine

    peers = not options.no_peers
    if not options.no_machines:
        for path in sorted((ROOT / "specs" / "machines").glob("*.toml")):
            for space in ("linux", "module"):
                beside = peers and space == "linux"
                yield measure("machine", path.stem, path, space, beside, options.limit, True)
    for family in filter(None, options.families.split(",")):
        for shape in options.shapes.split(",") if options.shapes else SHAPES[family]:
            sizes, _, seed = shape.partition("#")
            nodes, tdmrs, runs = (int(part) for part in sizes.split("x"))
            path = folder / "map.json"
            made = generate(family, nodes, tdmrs, runs, int(seed or 0))
            path.write_text(dump_machine(made, "json"))
            name = f"{sizes} #{seed or 0}"
            yield measure(family, name, path, "linux", peers, options.limit, False)
    if not options.no_machines:
        path = folder / "low.json"
        path.write_text(low_holes(8, 64, 60))
        yield measure("low-holes", "8x64 GiB, 60 holes", path, "module", False, 0.0, False)


def compile_all(folder: Path, machine: Path) -> None:
    """Let no process that is measured compile Python: installed packages are compiled."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    for space in ("linux", "module"):
        decide(machine, "pamt", space, 0.0)
        command_line(machine, ["--space", space])
    for who in PEERS:
        decide(machine, who, "linux", 10.0)


def place_cases(folder: Path) -> Iterator[tuple[str, Run]]:
    """The questions `place` among the cases, as the command line answers them."""
    from pamt.maps.case_file import read_case

    for path in sorted((ROOT / "specs" / "cases").rglob("*.pamt.toml")):
        case = read_case(path)
        if case.ask[0] != "place" or case.machine is None or path.parent.name == "bad":
            continue
        machine = case.machine
        if not isinstance(machine, Path):
            text = machine.text()
            machine = folder / "case.json"
            machine.write_text(text, encoding="utf-8")
        yield path.stem, command_line(machine, list(case.ask[1:]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="peers get 2 s, one seed, no 10,000")
    parser.add_argument("--limit", type=float, help="seconds for a peer (60, with --quick 2)")
    parser.add_argument("--families", default=",".join(SHAPES))
    parser.add_argument("--shapes", help="nodes x TDMRs x free runs[#seed], for every family")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-machines", action="store_true", help="neither machines nor cases")
    parser.add_argument("--json", action="store_true", help="all that was measured, as JSON")
    options = parser.parse_args()
    options.limit = options.limit or (2.0 if options.quick else 60.0)
    if options.quick:
        for family, shapes in SHAPES.items():
            SHAPES[family] = tuple(s for s in shapes if "#" not in s and not s.endswith("10000"))
    say = (lambda _: None) if options.json else (lambda text: print(text, flush=True))
    load = os.getloadavg()[0]
    say(f"{os.cpu_count()} processors, load {load:.1f}; peers get {options.limit:.0f} s")
    say(HEAD)
    rows: list[Row] = []
    plain = ROOT / "specs" / "machines" / "emr-fcp-issue135.toml"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compile_all(folder / "compiled", plain)
        for row in instances(options, folder):
            rows.append(row)
            say(line(row))
        cases = [] if options.no_machines else list(place_cases(folder))
        start = min(decide(plain, "start", "linux", 0.0).used for _ in range(3))
    found = targets(rows, cases, start)
    say("")
    for target in found:
        say(f"{target.state}: {target.text}: {target.measured}")
    wrong = [row for row in rows if row.disagrees or row.ours.checked == "invalid"]
    if options.json:
        print(json.dumps(record(rows, cases, found, load, options.limit), indent=1))
    return 1 if wrong else 0


def record(
    rows: list[Row],
    cases: list[tuple[str, Run]],
    found: tuple[Target, ...],
    load: float,
    limit: float,
) -> dict[str, object]:
    return {
        "processors": os.cpu_count(),
        "load": load,
        "peer_seconds": limit,
        "rows": [
            {
                **row._asdict(),
                "ours": row.ours.record(),
                "peers": {who: run.record() for who, run in row.peers.items()},
                "command": row.command.record() if row.command else None,
                "times": ratio(row),
                "times_processor": ratio(row, "cpu"),
            }
            for row in rows
        ],
        "cases": {name: run.record() for name, run in cases},
        "targets": [target._asdict() for target in found],
    }


if __name__ == "__main__":
    sys.exit(main())
