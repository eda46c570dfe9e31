"""Machine files: a physical memory map in TOML or JSON (docs/design.md, section 6).

What must be well formed is checked here: memory, free runs and zones.  CMR entries are data for the
module's rules and keep their values and their order.  What a file leaves out stays None.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from pamt.machine import Cmr, FirmwareRange, FreeRun, Limits, Machine, MemoryRange, Node, Zone
from pamt.maps.decode import (
    Complaints,
    Fields,
    Path,
    check_whole,
    decode_table,
    decode_tables,
    describe,
    spell,
)
from pamt.maps.document import MAX_BYTES, parse, read_bytes
from pamt.maps.errors import InputErrors, InputProblem
from pamt.maps.machine_fields import CMR, FIRMWARE, FREE, LIMITS, MEMORY, NODE, TOP, ZONE
from pamt.maps.machine_write import dump_machine
from pamt.maps.well_formed import check_cmr_count, check_free, check_node_ids, check_nodes, in_order

__all__ = [
    "decode_machine",
    "dump_machine",
    "machine_from_dict",
    "machine_from_text",
    "read_machine",
]


def read_machine(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Machine:
    """The machine that a TOML or JSON file describes; ``-`` is standard input.

    Raises InputErrors with every problem of the file.
    """
    raw, name = read_bytes(path, max_bytes)
    return machine_from_text(raw, name)


def machine_from_text(text: bytes | str, name: str = "<machine>") -> Machine:
    """As :func:`read_machine`, from the content of a file; `name` is what problems call it."""
    document = parse(text, name, "a machine file")
    if not {"cmr", "memory"} & document.data.keys():
        document.refuse_other_kind(
            "a machine file (cmr or memory)",
            {"tdmr": "a configuration file", "ask": "a case file", "claims": "a certificate"},
        )
    complaints = Complaints()
    machine = decode_machine(document.data, complaints)
    document.refuse(complaints)
    assert machine is not None
    return machine


def machine_from_dict(data: Mapping[str, Any], name: str = "<machine>") -> Machine:
    """As :func:`read_machine`, from plain dicts and lists; problems carry no line.

    Raises InputErrors.
    """
    complaints = Complaints()
    machine = decode_machine(dict(data), complaints)
    if complaints:
        raise InputErrors(
            (
                InputProblem(name, 0, spell(c.path), c.expected, c.found, c.hint)
                for c in complaints.list
            ),
            complaints.omitted,
        )
    assert machine is not None
    return machine


def decode_machine(data: object, complaints: Complaints, path: Path = ()) -> Machine | None:
    """The machine in one table; `path` is where the table stands in its document.

    Faults go into `complaints`; the answer is None when there was one.
    """
    before = len(complaints.list)
    top = decode_table(data, TOP, path, complaints)
    if top is None or type(data) is not dict:
        return None
    if "cmr" not in data and "memory" not in data:
        there = ", ".join(key for key in data if key in TOP)
        found = f"only {there}" if there else "neither"
        complaints.add(path, "at least one of cmr, memory", found)
    limits = _limits(top.get("limits", {}), (*path, "limits"), complaints)
    cmrs = _tables(top, "cmr", CMR, path, complaints, _cmr)
    memory = _tables(top, "memory", MEMORY, path, complaints, _memory)
    free = _tables(top, "free", FREE, path, complaints, _free)
    firmware = _tables(top, "firmware", FIRMWARE, path, complaints, _firmware)
    nodes = _nodes(top, path, complaints)
    if cmrs is not None:
        check_cmr_count(cmrs, (*path, "cmr"), complaints)
    ordered_memory = in_order(memory, (*path, "memory"), complaints)
    ordered_free = in_order(free, (*path, "free"), complaints)
    ordered_firmware = in_order(firmware, (*path, "firmware"), complaints)
    if nodes:
        check_nodes(nodes, (*path, "node"), complaints)
        check_node_ids(nodes, memory, (*path, "memory"), complaints)
        check_node_ids(nodes, free, (*path, "free"), complaints)
    check_free(cmrs, memory, free, nodes or [], path, complaints)
    if len(complaints.list) != before:
        return None
    return Machine(
        name=top.get("name", ""),
        source=top.get("source", ""),
        limits=limits,
        cmrs=None if cmrs is None else tuple(cmrs),
        memory=ordered_memory,
        nodes=tuple(sorted(nodes or (), key=lambda node: node.id)),
        free=ordered_free,
        assumptions=top.get("assumptions", ()),
        firmware=ordered_firmware or (),
    )


def _tables(
    top: dict[str, Any],
    key: str,
    fields: Fields,
    path: Path,
    complaints: Complaints,
    build: Callable[[dict[str, Any]], Any],
) -> list[Any] | None:
    if key not in top:
        return None
    return decode_tables(top[key], fields, (*path, key), complaints, build)


def _limits(value: object, path: Path, complaints: Complaints) -> Limits:
    good = decode_table(value, LIMITS, path, complaints)
    return Limits(**good) if good else Limits()


def _cmr(good: dict[str, Any]) -> Cmr:
    return Cmr(good["base"], good["size"], good.get("origin", ""))


def _memory(good: dict[str, Any]) -> MemoryRange:
    return MemoryRange(good["start"], good["end"], good.get("node", 0), good.get("origin", ""))


def _free(good: dict[str, Any]) -> FreeRun:
    return FreeRun(good["start"], good["end"], good.get("node", 0), good.get("origin", ""))


def _firmware(good: dict[str, Any]) -> FirmwareRange:
    return FirmwareRange(good["start"], good["end"], good["kind"], good.get("origin", ""))


def _zone(good: dict[str, Any]) -> Zone:
    return Zone(good["name"], good["start"], good["end"])


def _nodes(top: dict[str, Any], path: Path, complaints: Complaints) -> list[Node] | None:
    """The nodes in the order of the file; None when not given, or when an id is not known."""
    if "node" not in top:
        return None
    entries = top["node"]
    at = (*path, "node")
    if type(entries) is not list:
        complaints.add(at, "an array of tables", describe(entries))
        return None
    nodes: list[Node] = []
    for index, entry in enumerate(entries):
        good = decode_table(entry, NODE, (*at, index), complaints)
        if good is None or type(entry) is not dict:
            continue
        check_whole(good, entry, NODE, (*at, index), complaints)
        zones: tuple[Zone, ...] | None = None
        if "zones" in good:
            here = (*at, index, "zones")
            listed = decode_tables(good["zones"], ZONE, here, complaints, _zone)
            zones = in_order(listed, here, complaints)
            _check_zone_names(listed, here, complaints)
        if "id" in good:
            nodes.append(
                Node(
                    good["id"],
                    good.get("online", True),
                    good.get("distance"),
                    good.get("fallback"),
                    zones,
                )
            )
    return nodes if len(nodes) == len(entries) else None


def _check_zone_names(zones: list[Zone | None], path: Path, complaints: Complaints) -> None:
    first: dict[str, int] = {}
    for index, zone in enumerate(zones):
        if zone is None:
            continue
        at = first.setdefault(zone.name, index)
        if at != index:
            complaints.add(
                (*path, index, "name"),
                "each zone name once in a node",
                f"{zone.name} again",
                other=(*path, at, "name"),
            )
