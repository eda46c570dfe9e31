"""Whether a policy keeps a property, in words and in JSON; the map that breaks it, drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pamt.machine import Machine
from pamt.maps.machine_write import dump_machine
from pamt.report.drawing import ASCII, UNICODE, draw
from pamt.report.module_answer import status_text
from pamt.report.scene import scene_of_outcome
from pamt.report.show import tdmr_lines
from pamt.report.simulate import Simulated, simulate_fields
from pamt.report.table import table
from pamt.report.words import count, errno_text, size_text

__all__ = [
    "Broken",
    "Checked",
    "Covered",
    "Verified",
    "cases_text",
    "covered_fields",
    "covered_lines",
    "drawn_map",
    "map_table",
    "measure_text",
    "replay_lines",
    "scope_text",
    "verify_fields",
    "verify_text",
]

MOST_ITEMS = 100


class Checked(NamedTuple):
    """A check that the answer says something."""

    what: str
    passed: bool
    detail: str


class Covered(NamedTuple):
    """What was gone through of the maps with so many items."""

    ranges: int
    cmrs: int
    nodes: int
    free: int
    cases: int
    obligations: int


class Broken(NamedTuple):
    """The map that breaks the property, and its replay by plain Python."""

    machine: Machine
    """As its file gives it."""
    completed: Machine
    simulated: Simulated | None
    """What the policy does there; None where it raises."""
    why: str
    measure: Mapping[str, Any]
    certified: bool
    """Nothing smaller breaks the property."""
    necessary: tuple[str, ...]
    free_fields: tuple[str, ...]
    placement: str | None
    """Verdict of a placement search where the policy fails."""
    space: str | None
    """What it searched."""


class Verified(NamedTuple):
    asked: str
    """The command line."""
    verdict: str
    policy: str
    property: str
    property_words: str
    scope: Mapping[str, Any]
    cases: int
    cases_told: str
    """The number as it is said."""
    cases_done: int
    obligations: int
    trivial: int
    steps: int
    undecided: tuple[str, ...]
    vacuity: tuple[Checked, ...]
    broken: Broken | None
    saved: str | None
    next_step: str
    covered: tuple[Covered, ...] = ()
    stopped: str = ""
    """What ended the work before its time."""
    untested: str = ""
    """What never happens in the scope, so that the property was not put to the test."""


def verify_fields(verified: Verified) -> dict[str, Any]:
    broken = verified.broken
    return {
        "property": verified.property,
        "property_words": verified.property_words,
        "policy": verified.policy,
        "scope": dict(verified.scope),
        "cases": {"all": verified.cases, "done": verified.cases_done},
        "obligations": {
            "asked": verified.obligations,
            "trivial": verified.trivial,
            "steps": verified.steps,
        },
        "undecided": list(verified.undecided),
        "vacuity": [check._asdict() for check in verified.vacuity],
        "counterexample": None if broken is None else machine_fields(broken.machine),
        "why": None if broken is None else broken.why,
        "measure": None if broken is None else measure_fields(broken.measure),
        "smallest": None if broken is None else broken.certified,
        "necessary": [] if broken is None else list(broken.necessary),
        "free_fields": [] if broken is None else list(broken.free_fields),
        "outcome": (
            None
            if broken is None or broken.simulated is None
            else simulate_fields(broken.simulated)
        ),
        "placement": (
            None
            if broken is None or broken.placement is None
            else {"verdict": broken.placement, "space": broken.space}
        ),
        "saved": verified.saved,
        "covered": covered_fields(verified.covered),
        "stopped": verified.stopped or None,
        "untested": verified.untested or None,
    }


def covered_fields(covered: Sequence[Covered]) -> list[dict[str, int]]:
    """What was gone through, by numbers of items."""
    return [part._asdict() for part in covered]


def machine_fields(machine: Machine) -> dict[str, Any]:
    """In the shape of a machine file."""
    made: dict[str, Any] = json.loads(dump_machine(machine, "json"))
    return made


def measure_fields(measure: Mapping[str, Any]) -> dict[str, Any]:
    """The place in the order of maps, smallest first."""
    return {**measure, "addresses": [f"{address:#x}" for address in measure["addresses"]]}


def verify_text(verified: Verified, width: int, unicode: bool) -> Iterator[str]:
    """Verdict, reason, scope, next step; then the map, its replay, and the checks."""
    broken = verified.broken
    yield _headline(verified)
    yield f"Policy:  {verified.policy}"
    yield f"Keeps:   {verified.property}: {verified.property_words}"
    yield from scope_text(verified.scope)
    if broken is not None:
        smallest = "proved" if broken.certified else "not proved"
        measure = measure_text(broken.measure, all_free=broken.machine.free is None)
        yield f"Map:     {measure} ({smallest} to be the smallest)"
    if verified.verdict == "UNDECIDED":
        covered = f"{verified.cases_done} of {cases_text(verified.cases, verified.cases_told)}"
        without = ", without a map that breaks the property" if broken is None else ""
        yield f"Covered: {covered}{without}"
    yield f"Next:    {verified.next_step}"
    if verified.saved is not None:
        yield f"Saved:   {verified.saved}"
    if broken is not None:
        yield ""
        sides = () if broken.simulated is None else (broken.simulated,)
        yield from replay_lines(sides, broken.placement, broken.space)
        yield ""
        yield from drawn_map(broken.completed, broken.simulated, width, unicode)
        yield from map_table(broken.machine)
        yield from _listed("Each item", broken.necessary)
        yield from _listed("Any other value does as well", broken.free_fields)
    if len(verified.undecided) > 1 or (verified.undecided and verified.verdict != "UNDECIDED"):
        yield ""
        yield from _listed("Not settled", verified.undecided)
    if verified.verdict == "UNDECIDED":
        yield ""
        yield from covered_lines(verified.covered)
    yield ""
    yield from _work(verified)


def cases_text(cases: int, told: str) -> str:
    """How many cases; `told` is the number as it is said, for it may be huge."""
    return "1 case" if cases == 1 else f"{told} cases"


def covered_lines(covered: Sequence[Covered]) -> Iterator[str]:
    """What was gone through, fewest items first."""
    if not covered:
        return
    yield "Gone through:"
    for at, part in enumerate(covered):
        items = (
            count(part.ranges, "memory range"),
            count(part.cmrs, "CMR"),
            count(part.nodes, "node"),
            *((count(part.free, "free run"),) if part.free else ()),
        )
        done = f"{count(part.cases, 'case')}, {count(part.obligations, 'obligation')}"
        last = " (the last ones gone through)" if at == len(covered) - 1 else ""
        yield f"  - {', '.join(items)}: {done}{last}"


def _headline(verified: Verified) -> str:
    broken = verified.broken
    if broken is not None and verified.stopped:
        return f"UNDECIDED: {verified.stopped}; a map that breaks the property: {broken.why}"
    if broken is not None:
        return f"{verified.verdict}: {broken.why}"
    if verified.untested:
        return f"HOLDS, but never put to the test: there is no map on which {verified.untested}"
    if verified.verdict == "HOLDS":
        return f"HOLDS: {verified.policy} keeps {verified.property} on every map of the scope"
    left = len(verified.undecided) - 1
    more = f" (and {left} more)" if left > 0 else ""
    return f"UNDECIDED: {verified.undecided[0]}{more}"


def scope_text(scope: Mapping[str, Any]) -> Iterator[str]:
    """The scope as a sentence, and how many memory layouts that is."""
    yield f"Scope:   {scope['words']}"
    yield f"Size:    {_grouped(scope['size'])} layouts of memory, each with every CMR list allowed"


MORE = "more than "


def _grouped(digits: str) -> str:
    """Short numbers in full, long ones by their magnitude; "more than" stays before them."""
    if digits.startswith(MORE):
        return MORE + _grouped(digits.removeprefix(MORE))
    if len(digits) <= 15:
        return f"{int(digits):,}"
    return f"{digits[0]}.{digits[1:3]}e{len(digits) - 1}"


def measure_text(measure: Mapping[str, Any], *, all_free: bool) -> str:
    """``1 memory range, 1 CMR, ...``: by what maps are compared, smallest first.

    `all_free`: the map lists no free runs, and all its memory counts as free.
    """
    return ", ".join(
        (
            count(measure["ranges"], "memory range"),
            count(measure["cmrs"], "CMR"),
            count(measure["nodes"], "node"),
            "all memory free" if all_free else count(measure["free"], "free run"),
            count(measure["tdmrs"], "TDMR"),
            f"{measure['span']} GiB across",
            f"{count(measure['off_1g'], 'address', 'addresses')} off 1 GiB",
            f"{measure['off_2m']} off 2 MiB",
        )
    )


def replay_lines(
    sides: Sequence[Simulated], placement: str | None, space: str | None
) -> Iterator[str]:
    """What plain Python makes of the map: each policy, the module's rules, a placement."""
    yield "Replayed:"
    for side in sides:
        outcome = side.outcome
        at = "" if outcome.failed_tdmr is None else f" at TDMR {outcome.failed_tdmr}"
        said = "success"
        if not outcome.succeeded:
            said = f"{errno_text(outcome.ret)}, {outcome.reason}{at}"
        yield f"  policy {side.policy}: {said}"
        if side.module is not None:
            yield f"  module: {status_text(side.module)}"
    if not sides:
        yield "  policy: raises an exception"
    if placement is not None:
        exists = {"INFEASIBLE": "none exists", "UNDECIDED": "not settled"}.get(placement, "exists")
        yield f"  placement in {space}: {exists}"


def drawn_map(
    completed: Machine, simulated: Simulated | None, width: int, unicode: bool
) -> Iterator[str]:
    """The drawing that ``pamt show`` makes."""
    from pamt.outcome import Outcome

    glyphs = UNICODE if unicode else ASCII
    outcome = Outcome(0, "") if simulated is None else simulated.outcome
    scene = scene_of_outcome(completed, outcome, None)
    for line in (*draw(scene, width, glyphs), [], *tdmr_lines(scene, glyphs), []):
        yield "".join(span.text for span in line).rstrip()


def map_table(machine: Machine) -> list[str]:
    """Every range of the map, with its size."""
    rows = [
        ["what", "start", "end", "size", "node"],
        *(["CMR", *_bounds(c.base, c.base + c.size), ""] for c in machine.cmrs or ()),
        *(["memory", *_bounds(r.start, r.end), str(r.node)] for r in machine.memory or ()),
        *(["free", *_bounds(f.start, f.end), str(f.node)] for f in machine.free or ()),
    ]
    return ["The map:", *table(rows, right=(1, 2, 3, 4))]


def _bounds(start: int, end: int) -> tuple[str, str, str]:
    return f"{start:#x}", f"{end:#x}", size_text(end - start)


def _listed(head: str, items: tuple[str, ...]) -> Iterator[str]:
    if not items:
        return
    yield f"{head}:"
    for item in items[:MOST_ITEMS]:
        yield f"  - {item}"
    if len(items) > MOST_ITEMS:
        yield f"  ... and {len(items) - MOST_ITEMS} more (all with --json)"


def _work(verified: Verified) -> Iterator[str]:
    yield (
        f"Work: {verified.cases_done} of {cases_text(verified.cases, verified.cases_told)},"
        f" {count(verified.obligations, 'obligation')} asked of the solver in {verified.steps}"
        f" steps, {verified.trivial} settled without it"
    )
    if verified.vacuity:
        yield "Does the answer say anything?"
        no = "open" if verified.verdict == "UNDECIDED" else "no"
        for check in verified.vacuity:
            detail = f" ({check.detail})" if check.detail and not check.passed else ""
            yield f"  {'yes' if check.passed else no:4}  {check.what}{detail}"
        if verified.verdict == "HOLDS" and not any(
            check.what.startswith("mutant: ") for check in verified.vacuity
        ):
            yield "  -     no planted bug was asked about: none is listed, or --no-mutants"
