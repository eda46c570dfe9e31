"""What a policy did on a machine, in words and in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pamt.explain.evidence import AreaEvidence, area_evidence
from pamt.explain.margins import room_left
from pamt.kernel.conform import outcome_record
from pamt.kernel.memlist import trim_cmrs
from pamt.machine import Machine
from pamt.module.status import Status
from pamt.outcome import EIO, ENOMEM, Outcome
from pamt.policies.registry import DEFAULT_POLICY
from pamt.ranges import PAGE, Range
from pamt.report.margins import tightest
from pamt.report.module_answer import condition, status_fields, status_text
from pamt.report.table import table
from pamt.report.words import count, errno_text, size_text, span_text

__all__ = ["Simulated", "simulate_fields", "simulate_text"]

HEX_FIELDS = frozenset(
    {"base", "size", "pamt_4k", "pamt_2m", "pamt_1g", "pamt_total_size", "reserved"}
)
NO_MEMORY = "there is no memory above 1 MiB"
MOST_AREAS = 100
MOST_ORIGINS = 8
MOST_ROWS = 200


_AREA_KINDS = {
    "low": "below 1 MiB, dropped by the kernel",
    "head": "before the first memory",
    "hole": "hole",
    "tail": "after the last memory",
    "empty": "no memory at all",
    "outside-cmr": "in no CMR",
    "pamt": "PAMT chunk of TDMR {owner}",
}


class Simulated(NamedTuple):
    """A policy's outcome on a completed machine, and the module's answer to a success."""

    path: str
    policy: str
    machine: Machine
    outcome: Outcome
    module: Status | None
    from_cmrs: bool
    """The policy derives holes from the CMRs."""

    @property
    def verdict(self) -> str:
        accepted = self.module is not None and self.module.accepted
        return "SUCCEEDS" if self.outcome.succeeded and accepted else "FAILS"

    @property
    def exhausted_areas(self) -> list[AreaEvidence]:
        """All areas that the TDMR needs which ran out of them; empty for other outcomes.

        The kernel stops counting at the limit; a reader wants all of them.  Empty, too, where the
        areas of what was placed are within the limit: a policy may give up before it places more.
        """
        failed = self.outcome.failed_tdmr
        if self.outcome.reason != "ENOSPC_reserved" or failed is None:
            return []
        chunks = [
            Range(t.pamts[0].base, t.pamts[2].base + t.pamts[2].size) if t.pamts else Range(0, 0)
            for t in self.outcome.tdmrs
        ]
        cmrs = trim_cmrs(self.machine.cmrs or ()) if self.from_cmrs else None
        needed = area_evidence(self.machine, self.outcome.tdmrs[failed].range, chunks, cmrs)
        return needed if len(needed) > self.machine.limits.max_reserved_per_tdmr else []


def simulate_fields(simulated: Simulated) -> dict[str, Any]:
    """The outcome as recorded vectors show it, and the module's answer (null if not asked)."""
    record = outcome_record(simulated.outcome)
    record["tdmrs"] = [_hexed(entry) for entry in record["tdmrs"]]
    module = simulated.module
    return {
        "policy": simulated.policy,
        **record,
        "module": None if module is None else status_fields(module),
        "needed_areas": [
            {
                "kind": area.kind,
                "start": f"{area.range.start:#x}",
                "end": f"{area.range.end:#x}",
                "owner": area.owner,
                "notes": [note._asdict() for note in area.notes],
            }
            for area in simulated.exhausted_areas
        ],
    }


def _hexed(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _hex(value) if key in HEX_FIELDS else value for key, value in entry.items()}


def _hex(value: Any) -> Any:
    if isinstance(value, list):
        return [_hex(item) for item in value]
    return f"{value:#x}"


def simulate_text(simulated: Simulated) -> Iterator[str]:
    """Verdict, reason, next step; the kernel's lines to the letter; areas; TDMRs."""
    outcome = simulated.outcome
    areas = simulated.exhausted_areas
    yield _headline(simulated, areas)
    yield f"Policy:  {simulated.policy} on {simulated.machine.name or simulated.path}"
    yield f"Reason:  {_reason(simulated, areas)}"
    if simulated.verdict == "SUCCEEDS" and outcome.tdmrs:
        yield f"Margin:  {tightest(room_left(simulated.machine, outcome))}"
    for at, step in enumerate(_next_steps(simulated)):
        yield f"{'Next:' if at == 0 else '':9}{step}"
    if outcome.messages:
        yield ""
        yield "Kernel log:"
        for message in outcome.messages:
            yield f"  {message.text}"
    if areas:
        yield ""
        yield from _area_list(simulated, areas)
    if outcome.tdmrs:
        yield ""
        yield from _tdmr_table(simulated)


def _headline(simulated: Simulated, areas: Sequence[AreaEvidence]) -> str:
    outcome, limits = simulated.outcome, simulated.machine.limits
    if outcome.succeeded:
        module = simulated.module
        if module is not None and not module.accepted:
            refusal = f"the TDX module refuses the result: {status_text(module)}"
            return f"FAILS: {errno_text(EIO)}: {refusal}"
        most = max((len(t.reserved or ()) for t in outcome.tdmrs), default=0)
        return (
            f"SUCCEEDS: {count(len(outcome.tdmrs), 'TDMR')}, {outcome.pamt_kb} KB allocated for"
            f" PAMT, at most {most} of {limits.max_reserved_per_tdmr} reserved areas in a TDMR"
            + _remote_text(outcome)
        )
    at = outcome.failed_tdmr
    what = outcome.reason
    if at is not None and areas:
        what = (
            f"TDMR {outcome.tdmrs[at].range} needs {len(areas)} reserved areas,"
            f" the limit is {limits.max_reserved_per_tdmr}"
        )
    elif at is not None and outcome.reason == "ENOSPC_reserved":
        what = (
            f"no place for the PAMT of TDMR {outcome.tdmrs[at].range} leaves every TDMR within"
            f" {count(limits.max_reserved_per_tdmr, 'reserved area')}"
        )
    elif at is not None and outcome.ret == ENOMEM:
        pages = outcome.tdmrs[at].pages
        what = f"no room for the PAMT of TDMR {outcome.tdmrs[at].range}" + (
            f": {pages} contiguous pages" if pages else ""
        )
        if pages == 0:
            what = NO_MEMORY
    elif outcome.reason == "ENOSPC_tdmrs":
        what = f"the memory needs more than {count(limits.max_tdmrs, 'TDMR')}"
    elif outcome.reason == "EINVAL_memlist_not_in_cmr":
        what = "a memory range lies in no single CMR"
    return f"FAILS: {errno_text(outcome.ret)}: {what}"


def _remote_text(outcome: Outcome) -> str:
    """How many PAMTs a success has away from home; nothing where there is none."""
    remote = sum(t.pamt_node != t.home for t in outcome.tdmrs if t.home is not None)
    return (
        f"; {remote} of {count(len(outcome.tdmrs), 'PAMT')} not on the home node" if remote else ""
    )


def _reason(simulated: Simulated, areas: Sequence[AreaEvidence]) -> str:
    outcome, machine = simulated.outcome, simulated.machine
    at = outcome.failed_tdmr
    if outcome.succeeded:
        module = simulated.module
        if module is None:
            return "the module was not asked"
        if module.accepted:
            return f"TDH.SYS.CONFIG answers {module.name} to the result"
        assert module.rule is not None
        return f"{module.rule}: {condition(module.rule)}"
    if at is not None and areas:
        pamts = sum(area.kind == "pamt" for area in areas)
        holes = len(areas) - pamts
        return (
            f"{outcome.reason}: {count(holes, 'hole')} in"
            f" {'the CMRs' if simulated.from_cmrs else 'the memory list'}"
            f" and {count(pamts, 'PAMT chunk')} in TDMR {at} of {len(outcome.tdmrs)}"
        )
    if at is not None and outcome.ret == ENOMEM:
        home, pages = outcome.tdmrs[at].home, outcome.tdmrs[at].pages or 0
        if not pages:
            return f"{outcome.reason}: {NO_MEMORY}, so the kernel asks for a PAMT of 0 pages"
        largest = max((run.end - run.start for run in machine.free or ()), default=0)
        text = (
            f"{outcome.reason}: TDMR {at}, wanted on node {home}, needs"
            f" {size_text(pages * PAGE)}; the largest free run of the map has {size_text(largest)}"
        )
        fits = largest >= pages * PAGE
        return text + (
            ": taken before, or no slot of the scan lies in it, or its node is not tried"
            if fits
            else ""
        )
    return f"{outcome.reason}" + (f" at TDMR {at}" if at is not None else "")


def _next_steps(simulated: Simulated) -> Iterator[str]:
    path = simulated.path
    if simulated.verdict == "SUCCEEDS":
        yield f"pamt show {path} --policy {simulated.policy}    (draw it)"
        return
    if simulated.outcome.succeeded:
        yield f"pamt show {path} --policy {simulated.policy}    (draw what the module refuses)"
        return
    chosen = "" if simulated.policy == DEFAULT_POLICY else f" --policy {simulated.policy}"
    yield f"pamt repair {path}{chosen}    (what to change so that it works)"
    yield f"pamt place {path}    (is there any layout that works, and if not, why)"


def _area_list(simulated: Simulated, areas: Sequence[AreaEvidence]) -> Iterator[str]:
    failed = simulated.outcome.failed_tdmr
    assert failed is not None
    tdmr = simulated.outcome.tdmrs[failed].range
    yield f"The {len(areas)} reserved areas that TDMR {failed} {tdmr} needs:"
    rows: list[list[str]] = []
    for number, area in enumerate(areas[:MOST_AREAS], start=1):
        rows.append(
            [
                f"{number}.",
                span_text(*area.range),
                size_text(area.range.size),
                _area_source(area),
            ]
        )
    yield from table(rows, right=(0, 2))
    if len(areas) > MOST_AREAS:
        yield f"  ... and {len(areas) - MOST_AREAS} more (all with --json)"


def _area_source(area: AreaEvidence) -> str:
    """What the area stands for, and the lines of the log or the map that say so."""
    meant = _AREA_KINDS[area.kind].format(owner=area.owner)
    beside = ("after ", "before ")
    firmware = [note for note in area.notes if not note.text.startswith(beside)]
    if firmware:
        kinds = ", ".join(dict.fromkeys(note.text for note in firmware))
        lines = _lines_of([note.origin for note in firmware])
        return f"{meant}: {kinds}" + (f" ({lines})" if lines else "")
    if area.kind in {"low", "pamt"}:
        return meant
    sides = [note for note in area.notes if note.origin]
    if len(sides) == 2:
        low, high = (note.origin.rpartition(":") for note in sides)
        if low[0] == high[0]:
            return f"{meant}: {low[0]}, between lines {low[2]} and {high[2]}"
        return f"{meant}: between {sides[0].origin} and {sides[1].origin}"
    return f"{meant}: {sides[0].text.split(' ')[0]} {sides[0].origin}" if sides else meant


def _lines_of(origins: Sequence[str]) -> str:
    """``log.txt:51, 52, 53``; places that are not file:line as they are."""
    texts: list[str] = []
    last = ""
    for origin in dict.fromkeys(origins):
        file, _, line = origin.rpartition(":")
        texts.append(line if file and file == last else origin)
        last = file
    shown = [text for text in texts if text][:MOST_ORIGINS]
    return ", ".join(shown) + (", ..." if len(texts) > MOST_ORIGINS else "")


def _tdmr_table(simulated: Simulated) -> Iterator[str]:
    outcome, limits = simulated.outcome, simulated.machine.limits
    state = "" if outcome.succeeded else " (PAMTs placed were given back)"
    yield f"TDMRs{state}:"
    rows: list[list[str]] = [["#", "range", "size", "home", "PAMT at", "size", "on", "areas"]]
    for index, t in enumerate(outcome.tdmrs[:MOST_ROWS]):
        where = ["-", "-", "-"]
        if t.pamts:
            total = sum(pamt.size for pamt in t.pamts)
            zone = f" {t.pamt_zone}" if t.pamt_zone else ""
            where = [f"{t.pamts[0].base:#x}", size_text(total), f"node {t.pamt_node}{zone}"]
        used = "-" if t.reserved is None else f"{len(t.reserved)} of {limits.max_reserved_per_tdmr}"
        if index == outcome.failed_tdmr:
            used = "fails here"
        rows.append(
            [
                str(index),
                str(t.range),
                size_text(t.size),
                "-" if t.home is None else f"node {t.home}",
                *where,
                used,
            ]
        )
    yield from table(rows, right=(0, 2, 5))
    if len(outcome.tdmrs) > MOST_ROWS:
        yield f"  ... and {len(outcome.tdmrs) - MOST_ROWS} more (all with --json)"
