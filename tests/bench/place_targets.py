"""What the placement benchmark promises, against what it measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from place_process import Run, Used

__all__ = ["Row", "Target", "better", "ratio", "targets"]

EASY = {"100": 2.0, "1000": 4.0, "10000": 20.0}
HARD = ("tight", "area-tight", "counting", "packing")


class Row(NamedTuple):
    family: str
    """A family of generated maps, or ``machine``."""
    name: str
    """``nodes x TDMRs x runs #seed``, or the machine's name."""
    space: str
    ours: Run
    peers: dict[str, Run]
    command: Run | None = None
    """The whole command line, for machines."""

    @property
    def shape(self) -> tuple[str, ...]:
        return tuple(self.name.split(" ")[0].split("x"))

    @property
    def disagrees(self) -> bool:
        """Whether a peer that has settled the question says something else."""
        return self.ours.settled and any(
            run.settled and (run.answer, run.values) != (self.ours.answer, self.ours.values)
            for run in self.peers.values()
        )


class Target(NamedTuple):
    text: str
    state: str
    """met, missed, not measured, or what lies between."""
    measured: str


def better(row: Row, by: str = "wall") -> tuple[float, bool]:
    """Seconds of the better peer, and whether it has answered (else it takes longer)."""
    answered = [run for run in row.peers.values() if run.settled]
    seconds = min(getattr(run.used, by) for run in answered or row.peers.values())
    return seconds, bool(answered)


def ratio(row: Row, by: str = "wall") -> str:
    """How many times as long the better peer takes; ``>``: at least, it has not answered."""
    if not row.peers:
        return ""
    seconds, answered = better(row, by)
    return f"{'' if answered else '>'}{seconds / getattr(row.ours.used, by):.1f}"


def targets(
    rows: Sequence[Row], cases: Iterable[tuple[str, Run]], start: Used
) -> tuple[Target, ...]:
    """Each target of the placement benchmark.  `start`: what a process takes to begin."""
    cases = tuple(cases)
    of_machines = [row for row in rows if row.family == "machine"]
    easy = {row.shape[2]: row for row in rows if row.family == "easy" and row.shape[0] == "8"}
    hard = [row for row in rows if row.family in HARD]
    module = [row for row in rows if row.family == "low-holes"]
    found = [
        _within(
            f"every machine, --space {space}: within 1 s",
            [(row.name, row.command or row.ours, 1.0) for row in of_machines if row.space == space],
        )
        for space in ("linux", "module")
    ]
    found += [
        _within(
            f"easy 8x8x{runs}: OPTIMAL within {limit:.0f} s, below 1 GiB",
            [(easy[runs].name, easy[runs].ours, limit)] if runs in easy else [],
            lambda run: run.answer == "optimal" and run.mib < 1024,
        )
        for runs, limit in EASY.items()
    ]
    found.append(_growth(easy))
    found += [
        _within(
            f"{family}: decided within 30 s",
            [(row.name, row.ours, 30.0) for row in hard if row.family == family],
        )
        for family in HARD
    ]
    found += _against_peers([row for row in rows if row.peers], start)
    found.append(
        _within(
            "--space module, 8 nodes x 64 GiB, 60 holes, 28 CMR gaps below 4 GiB: within 10 s",
            [(row.name, row.ours, 10.0) for row in module],
        )
    )
    runs = [(f"{row.family} {row.name} {row.space}", row.ours) for row in rows]
    return (*found, _share([*runs, *cases]))


def _within(
    text: str,
    runs: Sequence[tuple[str, Run, float]],
    good: Callable[[Run], bool] = lambda run: run.settled,
) -> Target:
    if not runs:
        return Target(text, "not measured", "")
    name, slowest, _ = max(runs, key=lambda item: item[1].used.wall / item[2])
    mib = f", {slowest.mib:.0f} MiB" if slowest.mib else ""
    measured = f"slowest {_seconds(slowest.used)}{mib} ({name})"
    bad = [name for name, run, _ in runs if not good(run)]
    if bad:
        return Target(text, "missed", f"{measured}; not so: {', '.join(bad)}")
    late = [run for _, run, limit in runs if run.used.wall > limit]
    late_even_so = [run for _, run, limit in runs if run.used.cpu > limit]
    if late_even_so:
        return Target(text, "missed", measured)
    return Target(text, "met in processor time only" if late else "met", measured)


def _seconds(used: Used) -> str:
    return f"{used.wall:.2f} s ({used.cpu:.2f} s of processor)"


def _growth(easy: dict[str, Row]) -> Target:
    text = "easy 8x8: from 1,000 to 10,000 runs at most 12 times the time"
    if "1000" not in easy or "10000" not in easy:
        return Target(text, "not measured", "")
    small, large = easy["1000"].ours.used, easy["10000"].ours.used
    wall, cpu = large.wall / small.wall, large.cpu / small.cpu
    state = "met" if wall <= 12 else "met in processor time only" if cpu <= 12 else "missed"
    return Target(text, state, f"{wall:.1f} times ({cpu:.1f} in processor time)")


def _against_peers(rows: Sequence[Row], start: Used) -> list[Target]:
    """Both times are tried: where others use the machine only that of the processor is fair."""
    twenty = "at least 20 times as fast as the better peer where that needs more than a second"
    never = "never slower than the better peer by more than process start"
    if not rows:
        return [Target(twenty, "not measured", ""), Target(never, "not measured", "")]
    wall, cpu = _twenty(rows, "wall"), _twenty(rows, "cpu")
    found = [_either(twenty, wall, cpu)]
    wall, cpu = _never(rows, "wall", start.wall), _never(rows, "cpu", start.cpu)
    found.append(_either(never, wall, cpu))
    return found


def _either(text: str, wall: tuple[str, str], cpu: tuple[str, str]) -> Target:
    if wall[0] != "missed":
        return Target(text, *wall)
    state = "missed" if cpu[0] == "missed" else f"{cpu[0]} in processor time only"
    return Target(text, state, f"{wall[1]}; in processor time: {cpu[1]}")


def _twenty(rows: Sequence[Row], by: str) -> tuple[str, str]:
    """A peer that was ended may take any time: then too small a ratio says nothing."""
    slow = [row for row in rows if better(row, by)[0] > 1.0]
    below = [row for row in slow if better(row, by)[0] < 20 * getattr(row.ours.used, by)]
    missed = [row for row in below if better(row, by)[1]]
    unknown = [row for row in below if not better(row, by)[1]]
    text = f"{len(slow) - len(below)} of {len(slow)}"
    for what, among in (("below", missed), ("not known, the peers were ended", unknown)):
        if among:
            text += f"; {what}: " + ", ".join(f"{r.family} {r.name} {ratio(r, by)}" for r in among)
    return "missed" if missed else "met as far as known" if unknown else "met", text


def _never(rows: Sequence[Row], by: str, start: float) -> tuple[str, str]:
    late = [
        row
        for row in rows
        if better(row, by)[1] and getattr(row.ours.used, by) > better(row, by)[0] + start
    ]
    text = f"{len(rows) - len(late)} of {len(rows)} (start: {start:.2f} s)"
    if late:
        text += "; not: " + ", ".join(f"{r.family} {r.name} {ratio(r, by)}" for r in late)
    return "missed" if late else "met", text


def _share(runs: Sequence[tuple[str, Run]]) -> Target:
    settled = [(name, run) for name, run in runs if run.settled]
    bare = [name for name, run in settled if not run.proved]
    text = "every OPTIMAL and INFEASIBLE has a certificate that is valid without trusted steps"
    measured = f"{len(settled) - len(bare)} of {len(settled)} (of {len(runs)} questions)"
    if bare:
        measured += f"; not: {', '.join(bare)}"
    return Target(text, "missed" if bare or not settled else "met", measured)
