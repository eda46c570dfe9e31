"""Where two policies differ, in words and in JSON; each smallest map drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pamt.machine import Machine
from pamt.report.envelope import InputFile
from pamt.report.simulate import Simulated, simulate_fields
from pamt.report.table import table
from pamt.report.verify import (
    Checked,
    Covered,
    cases_text,
    covered_fields,
    covered_lines,
    drawn_map,
    machine_fields,
    map_table,
    measure_fields,
    measure_text,
    replay_lines,
    scope_text,
)
from pamt.report.words import count, errno_text

__all__ = [
    "Compared",
    "Differing",
    "OnMachine",
    "OnMachines",
    "diff_fields",
    "diff_text",
    "machines_fields",
    "machines_text",
]


class Differing(NamedTuple):
    """A pair of answers, and the smallest map on which the policies give them."""

    answers: tuple[str, str]
    machine: Machine
    completed: Machine
    sides: tuple[Simulated, Simulated]
    measure: Mapping[str, Any]
    certified: bool
    saved: str | None


class Compared(NamedTuple):
    """Two policies on every map of a scope."""

    asked: str
    policies: tuple[str, str]
    scope: Mapping[str, Any]
    differences: tuple[Differing, ...]
    cases: int
    cases_told: str
    """The number as it is said."""
    cases_done: int
    obligations: int
    steps: int
    undecided: tuple[str, ...]
    vacuity: tuple[Checked, ...]
    covered: tuple[Covered, ...]
    stopped: str
    """What ended the work before its time."""

    @property
    def verdict(self) -> str:
        if self.stopped:
            return "UNDECIDED"
        if self.differences:
            return "DIFFERS"
        return "UNDECIDED" if self.undecided else "EQUAL"


class OnMachine(NamedTuple):
    """Two policies on one map."""

    path: str
    file: InputFile
    sides: tuple[Simulated, Simulated]

    @property
    def same(self) -> bool:
        return _answer(self.sides[0]) == _answer(self.sides[1])


class OnMachines(NamedTuple):
    policies: tuple[str, str]
    rows: tuple[OnMachine, ...]

    @property
    def verdict(self) -> str:
        return "EQUAL" if all(row.same for row in self.rows) else "DIFFERS"


def _answer(side: Simulated) -> tuple[str, str | None]:
    """What is compared on a map: the policy's answer, and the module's to a success."""
    return side.outcome.reason, None if side.module is None else side.module.name


def diff_fields(compared: Compared) -> dict[str, Any]:
    return {
        "policies": list(compared.policies),
        "scope": dict(compared.scope),
        "cases": {"all": compared.cases, "done": compared.cases_done},
        "obligations": {"asked": compared.obligations, "steps": compared.steps},
        "undecided": list(compared.undecided),
        "vacuity": [check._asdict() for check in compared.vacuity],
        "differences": [
            {
                "answers": list(d.answers),
                "machine": machine_fields(d.machine),
                "outcomes": [simulate_fields(side) for side in d.sides],
                "measure": measure_fields(d.measure),
                "smallest": d.certified,
                "saved": d.saved,
            }
            for d in compared.differences
        ],
        "machines": None,
        "covered": covered_fields(compared.covered),
        "stopped": compared.stopped or None,
    }


def diff_text(compared: Compared, width: int, unicode: bool) -> Iterator[str]:
    """Verdict, scope, next step; a table of differences; then each map with its replay."""
    a, b = compared.policies
    yield _headline(compared)
    yield f"Compares: {a} and {b} by their answer: success, or which failure"
    yield from scope_text(compared.scope)
    yield f"Next:    {_next_step(compared)}"
    if compared.differences:
        yield ""
        rows = [["#", a, b, "smallest map"]]
        for number, d in enumerate(compared.differences, start=1):
            proved = "" if d.certified else " (perhaps not the smallest)"
            measure = measure_text(d.measure, all_free=d.machine.free is None)
            rows.append([str(number), *d.answers, measure + proved])
        yield from table(rows, right=(0,))
    for number, d in enumerate(compared.differences, start=1):
        yield ""
        yield f"{number}. {d.answers[0]} becomes {d.answers[1]}"
        if d.saved is not None:
            yield f"Saved:   {d.saved}"
        yield from replay_lines(d.sides, None, None)
        yield ""
        shown = d.sides[1] if d.sides[1].outcome.succeeded else d.sides[0]
        yield f"With {shown.policy}:"
        yield from drawn_map(d.completed, shown, width, unicode)
        yield from map_table(d.machine)
    if len(compared.undecided) > 1 or (compared.undecided and compared.verdict != "UNDECIDED"):
        yield ""
        yield "Not settled:"
        for text in compared.undecided:
            yield f"  - {text}"
    if compared.verdict == "UNDECIDED":
        yield ""
        yield from covered_lines(compared.covered)
    yield ""
    yield (
        f"Work: {compared.cases_done} of {cases_text(compared.cases, compared.cases_told)},"
        f" {count(compared.obligations, 'obligation')} asked of the solver in"
        f" {compared.steps} steps"
    )
    if compared.vacuity:
        yield "Does the answer say anything?"
        for check in compared.vacuity:
            yield f"  {'yes' if check.passed else 'no':4}  {check.what}"


def _headline(compared: Compared) -> str:
    a, b = compared.policies
    found = len(compared.differences)
    if compared.verdict == "EQUAL":
        return f"EQUAL: {a} and {b} give the same answer on every map of the scope"
    if compared.verdict == "DIFFERS":
        how = count(found, "difference")
        return f"DIFFERS: {a} and {b}: {how}; {' becomes '.join(compared.differences[0].answers)}"
    known = f"; {count(found, 'difference')} found until then" if found else ""
    return f"UNDECIDED: {compared.undecided[0]}{known}"


def _next_step(compared: Compared) -> str:
    if any(d.saved is not None for d in compared.differences):
        first = next(d for d in compared.differences if d.saved is not None)
        a, b = compared.policies
        return f"pamt diff {a} {b} {first.saved}    (this map alone)"
    if compared.differences and not compared.stopped:
        return f"{compared.asked} --save DIR    (keep the maps)"
    if compared.verdict == "UNDECIDED":
        return f"{compared.asked} --steps NUMBER    (with more steps, or more time)"
    return f"pamt verify {compared.policies[1]} --property no-worse-than:{compared.policies[0]}"


def machines_fields(compared: OnMachines) -> dict[str, Any]:
    return {
        "policies": list(compared.policies),
        "scope": None,
        "cases": None,
        "obligations": None,
        "undecided": [],
        "vacuity": [],
        "differences": [],
        "covered": [],
        "stopped": None,
        "machines": [
            {
                "input": row.file._asdict(),
                "same": row.same,
                "outcomes": [simulate_fields(side) for side in row.sides],
            }
            for row in compared.rows
        ],
    }


def machines_text(compared: OnMachines) -> Iterator[str]:
    """Verdict, next step, and one row for each map."""
    a, b = compared.policies
    differ = [row for row in compared.rows if not row.same]
    maps = count(len(compared.rows), "map")
    if differ:
        yield f"DIFFERS: {a} and {b}: {len(differ)} of {maps} get different answers"
        yield f"Next:    pamt show {differ[0].path} --policy {b}"
    else:
        yield f"EQUAL: {a} and {b} give the same answer on {maps}"
        yield f"Next:    pamt diff {a} {b}    (on every map of a scope)"
    yield ""
    rows = [
        ["same" if row.same else "differs", row.path, *map(_said, row.sides)]
        for row in compared.rows
    ]
    yield from table([["", "map", a, b], *rows])


def _said(side: Simulated) -> str:
    outcome = side.outcome
    if not outcome.succeeded:
        return f"{errno_text(outcome.ret)}, {outcome.reason}"
    if side.module is None or side.module.accepted:
        return "success"
    return f"success, which the module refuses: {side.module.name}"
