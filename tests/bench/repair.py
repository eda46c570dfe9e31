"""Repairs of every recorded map on which the mainline kernel fails, by kind of failure.

    python tests/bench/repair.py             two tables
    python tests/bench/repair.py --maps      and a line for each map

The first table is about pages to withdraw: how many maps are OPTIMAL (the cheapest set is proven),
FEASIBLE (a set, and a bound below it), INFEASIBLE (proven that none helps) or open (a bound only);
in how many it is settled what up to three pages can do.  The second: on how many maps each kind of
repair works, or is proven not to exist.  Runs are those of the policy, steps of the exact search
included at their price.  Seconds are processor time of this process; floors are on counts alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pamt.explain.repair import Repair
from pamt.explain.repairs import KINDS, find_repairs
from pamt.explain.withdraw import NEVER, Withdrawal, withdraw_pages
from pamt.kernel.conform import machine_of_vector
from pamt.machine import Machine
from pamt.policies.registry import get_policy

TOP = Path(__file__).resolve().parents[2]
RECORDED = TOP / "tests" / "conformance" / "data" / "kernel.jsonl"
MAINLINE = get_policy("linux:mainline")
OTHER_KINDS = tuple(kind for kind in KINDS if kind != "withdraw")
FEW = 3

FLOORS = {
    ("ENOSPC_reserved", "OPTIMAL"): 35,
    ("ENOSPC_reserved", "settled"): 49,
    ("ENOSPC_tdmrs", "OPTIMAL"): 8,
    ("ENOSPC_tdmrs", "settled"): 8,
    ("ENOMEM_pamt", "OPTIMAL"): 6,
    ("ENOMEM_pamt", "settled"): 30,
}
"""How many recorded maps at least come out so."""


class Failing(NamedTuple):
    name: str
    reason: str
    machine: Machine


class Tally:
    """What became of the maps of one failure."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.pages: list[int] = []
        self.bounds: list[int] = []
        self.runs = 0
        self.seconds = 0.0

    def add(self, found: Withdrawal, seconds: float) -> str:
        verdict = verdict_of(found)
        self.counts[verdict] += 1
        self.counts["maps"] += 1
        self.counts["settled"] += found.optimal or found.bound > FEW
        if found.cost is not None:
            self.pages.append(found.cost)
        if verdict in {"FEASIBLE", "open"}:
            self.bounds.append(found.bound)
        self.runs += found.runs
        self.seconds += seconds
        return verdict


def verdict_of(found: Withdrawal) -> str:
    if found.optimal:
        return "OPTIMAL"
    if found.cost is not None:
        return "FEASIBLE"
    return "INFEASIBLE" if found.bound >= NEVER else "open"


def failing() -> Iterator[Failing]:
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        reason = record["pre_cmr_fix"]["outcome"]
        if reason != "success":
            yield Failing(record["id"], reason, machine_of_vector(record["input"]))


def span(numbers: list[int]) -> str:
    if not numbers:
        return "-"
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def withdrawals(*, maps: bool) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    for one in failing():
        began = time.process_time()
        found = withdraw_pages(MAINLINE, one.machine)
        seconds = time.process_time() - began
        verdict = tallies.setdefault(one.reason, Tally()).add(found, seconds)
        if maps:
            cost = "-" if found.cost is None else f"{found.cost:,}"
            bound = "none" if found.bound >= NEVER else f"{found.bound:,}"
            print(
                f"{one.name:28} {one.reason:16} {verdict:10} {cost:>9} {bound:>11} {seconds:6.2f}"
            )
    head = ("failure", "maps", "OPTIMAL", "FEASIBLE", "INFEASIBLE", "open", "up to 3")
    print(("{:16} {:>5} {:>8} {:>9} {:>11} {:>5} {:>8}").format(*head), end="")
    print(f" {'pages':>20} {'bounds left':>24} {'runs':>8} {'seconds':>8}")
    for reason, tally in sorted(tallies.items()):
        counts = [tally.counts[key] for key in ("maps", *head[2:6], "settled")]
        print(("{:16} {:>5} {:>8} {:>9} {:>11} {:>5} {:>8}").format(reason, *counts), end="")
        print(f" {span(tally.pages):>20} {span(tally.bounds):>24}", end="")
        print(f" {tally.runs:>8,} {tally.seconds:>8.1f}")
    return tallies


def other_kinds() -> None:
    works: Counter[str] = Counter()
    proven: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    longest: dict[str, float] = dict.fromkeys(OTHER_KINDS, 0.0)
    number = 0
    for one in failing():
        number += 1
        for kind in OTHER_KINDS:
            began = time.process_time()
            found = find_repairs(MAINLINE, one.machine, (kind,))
            took = time.process_time() - began
            seconds[kind] += took  # type: ignore[assignment]
            longest[kind] = max(longest[kind], took)
            works[kind] += any(isinstance(repair, Repair) for repair in found.found)
            proven[kind] += bool(found.missing) and all(m.proven for m in found.missing)
    print(
        f"\n{'kind':10} {'works':>6} {'proven none':>12} {'open':>5} {'seconds':>8} {'longest':>8}"
    )
    for kind in OTHER_KINDS:
        left = number - works[kind] - proven[kind]
        print(f"{kind:10} {works[kind]:>6} {proven[kind]:>12} {left:>5}", end="")
        print(f" {seconds[kind]:>8.1f} {longest[kind]:>8.1f}")


def main(arguments: list[str] | None = None) -> int:
    """Measure; returns how many floors are not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", action="store_true", help="a line for each map")
    options = parser.parse_args(arguments)
    tallies = withdrawals(maps=options.maps)
    other_kinds()
    below = 0
    for (reason, what), floor in FLOORS.items():
        seen = tallies[reason].counts[what]
        if seen < floor:
            print(f"{reason}: {seen} {what}, at least {floor} are promised")
            below += 1
    return below


if __name__ == "__main__":
    sys.exit(main())
