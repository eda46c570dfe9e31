"""The text of FINDINGS.md: an index, and a section for each found map.

Everything but steps and seconds follows from the lists of :mod:`pamt.verify.findings_list` and the
maps of specs/found; tests/quality/test_findings_page.py makes it anew and compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby, pairwise
from typing import NamedTuple

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import run_policy
from pamt.ranges import GIB, PAGE, Range
from pamt.report.words import count
from pamt.standins import complete
from pamt.verify.findings import Cited, Finding, Found, Statement
from pamt.verify.findings_list import CITED, FINDINGS, STATEMENTS
from pamt.verify.properties import load_policy

COLUMNS = 64

TITLES = {
    "1a": "Holes alone exhaust the 16 areas",
    "1b": "Holes and PAMTs exhaust the 16 areas, while a configuration exists",
    "2": "The fixed stride of the slot scan misses a run that is big enough",
    "3": "PAMTs alone exhaust the areas",
    "4": "A node without a TDMR",
    "5": "Acceptance by the module",
    "6": "CMR variants: refused without need, memory lost, a null CMR",
    "7": "mainline against cmr-v8.2, both ways",
    "8": "Dynamic PAMT against mainline, both ways",
    "9": "greedy against the optimum",
    "10": "Further findings",
}

PREFACE = """# What the engine has found by itself

Each map below was found by `pamt verify` or `pamt diff` from nothing but the policy's source, the
property and the scope, by the command that stands with it. `python tests/bench/verify_findings.py`
runs every one of these commands again and compares verdict and map file, byte for byte;
`tests/quality/test_verify_found.py` does so for the quick ones, and replays every map in plain
Python. What happens on each map is a case under `specs/cases/found`.

A map is the smallest of its scope: everything smaller, in the order ranges, CMRs, nodes, free runs,
TDMRs, span in GiB, addresses off 1 GiB, off 2 MiB, address list, was refuted by the solver. A scope
without options is what the commands ask about by themselves: up to two memory ranges on one node
below 2 GiB, one CMR, the real limits. `--first-gib 4` keeps memory above 4 GiB, where a node has
one zone: it is used where many ranges or TDMRs make the question long. What holds there need not
hold for maps that reach below. `--limits TxR` scales the limits down, so that fewer items exhaust
them.

In the drawings a column is 1/64 of the GiBs that the map touches: digits are memory of that node,
`.` is a hole, `P` a PAMT (on a success), `=` a CMR, `f` a free run where not all memory is free.
Addresses that do not matter may have any other value of the scope, the rest of the map as it is.
Steps are z3's own count, the same on every run of one build; seconds are processor time of the
whole command, one process (`--jobs 2` shares the work), start-up and replay included.

Written by `python tests/bench/verify_findings.py --page`.
"""


class Measured(NamedTuple):
    """What asking took."""

    verdict: str
    steps: int | None
    """None where the command does not count steps of one solver."""
    seconds: float
    detail: str = ""
    untested: str = ""
    """What never happens in the scope."""


Entry = Finding | Statement | Cited


def entries() -> list[Entry]:
    """Everything of the page, by item."""
    everything: list[Entry] = [*FINDINGS, *STATEMENTS, *CITED]
    order = list(TITLES)
    return sorted(everything, key=lambda entry: order.index(entry.item))


def page(found: Mapping[str, Found], measured: Mapping[str, Measured]) -> str:
    """All of it.  `found` by the names of findings, `measured` by the names of the rest."""
    parts = [PREFACE, index(found, measured)]
    for item, group in groupby(entries(), key=lambda entry: entry.item):
        parts.append(f"## {item}. {TITLES[item]}\n")
        for entry in group:
            if isinstance(entry, Finding):
                parts.append(section(entry, found[entry.name]))
            else:
                parts.append(statement(entry, measured[entry.name]))
    return "\n".join(parts)


def index(found: Mapping[str, Found], measured: Mapping[str, Measured]) -> str:
    """A line for each entry."""
    lines = ["| no. | finding | verdict | map | command | seconds |", "|---|---|---|---|---|---|"]
    for entry in entries():
        map_link = "none in scope" if isinstance(entry, Statement) else ""
        if isinstance(entry, Finding):
            it = found[entry.name]
            verdict = "DIFFERS" if "->" in entry.asked else "VIOLATED"
            map_link = f"[{entry.name}](specs/found/{entry.name}.toml)"
            seconds = it.seconds
        else:
            verdict, seconds = measured[entry.name].verdict, measured[entry.name].seconds
        lines.append(
            f"| {entry.item} | [{entry.says}](#{entry.name}) | {verdict} | {map_link} |"
            f" `{entry.command}` | {seconds:.2f} |"
        )
    return "\n".join(lines) + "\n"


def statement(entry: Statement | Cited, it: Measured) -> str:
    """An entry without a map of its own."""
    lines = [f"### {entry.name}", "", sentence(entry.says), "", f"    {entry.command}", ""]
    if isinstance(entry, Statement):
        lines += [sentence(entry.scope.words()), ""]
    steps = "" if it.steps is None else f"{it.steps:,} steps, "
    detail = f"{it.detail}; " if it.detail else ""
    if it.untested:
        lines += [f"There is no map of this scope on which {it.untested}.", ""]
    lines += [f"{it.verdict}; {detail}{steps}{it.seconds:.2f} s", ""]
    return "\n".join(lines)


def section(finding: Finding, found: Found) -> str:
    """One found map."""
    measure = found.measure
    state = "certified smallest" if found.certified else "smallest found, not certified"
    outcome = run_policy(load_policy(finding.policy), complete(found.machine).machine)
    drawn = "\n".join(f"    {line}" for line in draw(found.machine, outcome))
    free = compact(found.free_fields)
    items = ", ".join(
        (
            count(measure.ranges, "memory range"),
            count(measure.cmrs, "CMR"),
            count(measure.nodes, "node"),
            *((count(measure.free, "free run"),) if measure.free else ()),
            count(measure.tdmrs, "TDMR"),
            f"{measure.span} GiB across",
        )
    )
    matters = f"Do not matter: {free}.\n\n" if free else ""
    return f"""### {finding.name}

{sentence(finding.says)}

    {finding.command}

{sentence(finding.scope.words())}

{found.why}

{drawn}

{matters}{items};
{state}; {found.steps:,} steps, {found.seconds:.2f} s; map: `specs/found/{finding.name}.toml`
"""


def sentence(text: str) -> str:
    """With a capital and a full stop; names of policies keep their small letter."""
    names = ("mainline", "cmr-", "greedy")
    first = text if text.startswith(names) else text[0].upper() + text[1:]
    return f"{first}."


def compact(names: Iterable[str]) -> str:
    """``memory range 0: end``, ``memory range 1: end`` as ``ends of memory ranges 0-1``."""
    by_kind: dict[tuple[str, str], list[int]] = {}
    for name in names:
        item, _, side = name.partition(": ")
        kind, _, number = item.rpartition(" ")
        by_kind.setdefault((kind, side), []).append(int(number))
    return "; ".join(
        f"{side} of {kind} {numbers[0]}"
        if len(numbers) == 1
        else f"{side}s of {kind}s {spans(numbers)}"
        for (kind, side), numbers in by_kind.items()
    )


def spans(numbers: list[int]) -> str:
    """Ascending numbers, runs joined."""
    cuts = [0, *(at for at, (a, b) in enumerate(pairwise(numbers), 1) if b > a + 1), len(numbers)]
    runs = [numbers[a:b] for a, b in pairwise(cuts)]
    return ", ".join(f"{r[0]}" if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)


def draw(machine: Machine, outcome: Outcome) -> list[str]:
    """The map as lines of text."""
    memory = machine.memory or ()
    low = memory[0].start // GIB * GIB
    high = -(-memory[-1].end // GIB) * GIB
    cell = (high - low) // COLUMNS

    def mark(line: list[str], part: Range, letter: str) -> None:
        for at in range(COLUMNS):
            window = Range(low + at * cell, low + (at + 1) * cell)
            if part.overlaps(window):
                line[at] = letter

    lines: list[str] = []
    row = ["."] * COLUMNS
    for r in memory:
        mark(row, r.range, str(r.node))
    if outcome.succeeded:
        for t in outcome.tdmrs:
            for p in t.pamts or ():
                mark(row, p.range, "P")
    lines.append("memory  |" + "".join(row) + "|")
    if machine.free is not None:
        row = [" "] * COLUMNS
        for f in machine.free:
            mark(row, f.range, "f")
        lines.append("free    |" + "".join(row) + "|")
    row = [" "] * COLUMNS
    for c in machine.cmrs or ():
        mark(row, c.range, "=")
    lines.append("CMRs    |" + "".join(row) + "|")
    lines.append(f"         {low:#x} .. {high:#x}")
    if len(memory) <= 4:
        lines += [f"{r.range} node {r.node}: {(r.end - r.start) // PAGE} pages" for r in memory]
        lines += [f"{f.range} free: {(f.end - f.start) // PAGE} pages" for f in machine.free or ()]
        lines += [f"{c.range} CMR" for c in machine.cmrs or ()]
    return lines
