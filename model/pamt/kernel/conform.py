"""Replay recorded runs of the real kernel functions and list every difference.

A line of the file is one JSON object: a map in pages, and the result of each kernel variant
(tests/conformance/data).  Everything recorded is compared, messages and order included.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pamt.kernel.construct import construct
from pamt.kernel.contig import ContigAllocator
from pamt.kernel.variants import VARIANTS
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node, Zone
from pamt.outcome import Outcome
from pamt.ranges import PAGE

__all__ = [
    "RECORDED_VARIANTS",
    "BadVectorError",
    "Difference",
    "Replayed",
    "machine_of_vector",
    "outcome_record",
    "replay_kernel",
]

RECORDED_VARIANTS = {
    "pre_cmr_fix": "mainline",
    "post_cmr_fix": "cmr-v8.2",
    "post_cmr_fix_nocheck": "cmr-nocheck",
    "dpamt": "dpamt",
}
"""Name in the recordings -> name of the variant."""


class BadVectorError(ValueError):
    """A line that is not a recorded run; `line` counts from 1."""

    def __init__(self, line: int, found: str) -> None:
        super().__init__(f"line {line}: expected one recorded kernel run, found {found}")
        self.line = line
        self.found = found


class Difference(NamedTuple):
    """One field in which the recorded run and ours differ."""

    field: str
    recorded: Any
    ours: Any


class Replayed(NamedTuple):
    """One recorded run of one variant, replayed."""

    id: str
    variant: str
    differences: tuple[Difference, ...]


def replay_kernel(lines: Iterable[str]) -> Iterator[Replayed]:
    """Replay each line in each variant that it records.

    Raises BadVectorError at the first line that cannot be read: a recording is never half used.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            machine = machine_of_vector(record["input"])
            runs = [(name, _run(record[name])) for name in RECORDED_VARIANTS if name in record]
            name = str(record["id"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadVectorError(number, _fault_text(error)) from None
        if not runs:
            raise BadVectorError(number, f"no result of {', '.join(RECORDED_VARIANTS)}")
        for recorded_name, recorded in runs:
            variant = VARIANTS[RECORDED_VARIANTS[recorded_name]]
            alloc = ContigAllocator(machine.nodes, machine.free or ())
            ours = outcome_record(construct(machine, alloc, variant))
            yield Replayed(name, variant.name, tuple(_differences(recorded, ours)))


def _fault_text(error: Exception) -> str:
    """What is wrong with a line, in words."""
    if isinstance(error, json.JSONDecodeError):
        return "a line that is no JSON"
    if isinstance(error, KeyError):
        return f"a line without {error}"
    if isinstance(error, RecursionError):
        return "values nested too deep"
    return f"a line of another shape ({error})"


def machine_of_vector(given: dict[str, Any]) -> Machine:
    """The machine of a recorded input; page numbers become bytes, nothing is stood in for.

    Raises KeyError, TypeError or ValueError for what is not shaped like one.
    """
    limits = given["limits"]
    return Machine(
        limits=Limits(
            max_tdmrs=_number(limits["max_tdmrs"]),
            max_reserved_per_tdmr=_number(limits["max_reserved_per_tdmr"]),
            pamt_entry_size=_three(limits["pamt_entry_size"]),
            pamt_page_bitmap_entry_bits=_number(limits["pamt_page_bitmap_entry_bits"]),
        ),
        cmrs=tuple(Cmr(_number(base), _number(size)) for base, size in given["cmrs"]),
        memory=tuple(
            MemoryRange(_bytes(s), _bytes(e), _number(nid)) for s, e, nid in given["memblocks"]
        ),
        nodes=tuple(
            Node(
                _number(node["nid"]),
                bool(node["online"]),
                fallback=tuple(_number(nid) for nid in node["fallback"]),
                zones=tuple(
                    Zone(str(zone["name"]), _bytes(zone["start_pfn"]), _bytes(zone["end_pfn"]))
                    for zone in node["zones"]
                ),
            )
            for node in given["nodes"]
        ),
        free=tuple(FreeRun(_bytes(s), _bytes(e), _number(nid)) for s, e, nid in given["free"]),
    )


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{str(value)[:60]!r} where a count or an address should be")
    return value


def _bytes(pages: object) -> int:
    return _number(pages) * PAGE


def _three(values: Any) -> tuple[int, int, int]:
    level_4k, level_2m, level_1g = values
    return (_number(level_4k), _number(level_2m), _number(level_1g))


def _run(recorded: Any) -> dict[str, Any]:
    if type(recorded) is not dict:
        raise TypeError("a result that is no object")
    tdmrs = recorded.get("tdmrs", [])
    if type(tdmrs) is not list or any(type(tdmr) is not dict for tdmr in tdmrs):
        raise TypeError("tdmrs that are no array of objects")
    return recorded


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """An outcome in the shape of the recordings: plain numbers, without what was not reached."""
    record: dict[str, Any] = {
        "ret": outcome.ret,
        "outcome": outcome.reason,
        "messages": [message.text for message in outcome.messages],
        "levels": "".join(message.level for message in outcome.messages),
        "kernel_warnings": outcome.kernel_warnings,
        "nr_tdmrs": len(outcome.tdmrs),
    }
    if outcome.succeeded:
        record["pamt_kb"] = outcome.pamt_kb
    if outcome.failed_tdmr is not None:
        record["failed_tdmr"] = outcome.failed_tdmr
    tdmrs: list[dict[str, Any]] = []
    for t in outcome.tdmrs:
        entry: dict[str, Any] = {"base": t.base, "size": t.size}
        if t.home is not None:
            entry["nid"] = t.home
        if t.pages is not None:
            entry["nr_pages"] = t.pages
        if t.pamts is not None:
            entry["pamt_nid"] = t.pamt_node
            entry["pamt_zone"] = t.pamt_zone
            for level, pamt in zip(("4k", "2m", "1g"), t.pamts, strict=True):
                entry[f"pamt_{level}"] = [pamt.base, pamt.size]
            entry["pamt_total_size"] = sum(pamt.size for pamt in t.pamts)
        if t.reserved is not None:
            entry["reserved"] = [[area.offset, area.size] for area in t.reserved]
        tdmrs.append(entry)
    record["tdmrs"] = tdmrs
    return record


def _differences(recorded: dict[str, Any], ours: dict[str, Any]) -> Iterator[Difference]:
    for field in sorted(recorded.keys() | ours.keys()):
        if field == "tdmrs":
            continue
        if recorded.get(field) != ours.get(field):
            yield Difference(field, recorded.get(field), ours.get(field))
    theirs, mine = recorded.get("tdmrs", []), ours.get("tdmrs", [])
    for index in range(max(len(theirs), len(mine))):
        a = theirs[index] if index < len(theirs) else {}
        b = mine[index] if index < len(mine) else {}
        for field in sorted(a.keys() | b.keys()):
            if a.get(field) != b.get(field):
                yield Difference(f"tdmrs[{index}].{field}", a.get(field), b.get(field))
