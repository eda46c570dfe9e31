"""A machine as the text of a machine file.  Reading it again gives the same machine."""

from __future__ import annotations

from typing import Literal

from pamt.machine import Cmr, FirmwareRange, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.maps.write import Hex, Value, json_document, toml_document

__all__ = ["dump_machine", "machine_to_dict"]


def dump_machine(machine: Machine, syntax: Literal["toml", "json"] = "toml") -> str:
    """The text of a machine file; keys always come in the same order, addresses in hex.

    What the machine does not say (None, or the default) is left out.
    """
    if syntax == "json":
        return json_document(machine_to_dict(machine))
    return toml_document(machine_to_dict(machine))


def machine_to_dict(machine: Machine) -> dict[str, Value]:
    """The machine as plain values under the keys of the file."""
    made: dict[str, Value] = {"format": 1}
    if machine.name:
        made["name"] = machine.name
    if machine.source:
        made["source"] = machine.source
    if machine.assumptions:
        made["assumptions"] = list(machine.assumptions)
    if machine.limits != Limits():
        made["limits"] = _limits(machine.limits)
    if machine.cmrs is not None:
        made["cmr"] = [_cmr(cmr) for cmr in machine.cmrs]
    if machine.memory is not None:
        made["memory"] = [_range(r) for r in machine.memory]
    if machine.nodes:
        made["node"] = [_node(node) for node in machine.nodes]
    if machine.free is not None:
        made["free"] = [_range(r) for r in machine.free]
    if machine.firmware:
        made["firmware"] = [_firmware(f) for f in machine.firmware]
    return made


def _limits(limits: Limits) -> dict[str, Value]:
    return {
        "max_tdmrs": limits.max_tdmrs,
        "max_reserved_per_tdmr": limits.max_reserved_per_tdmr,
        "pamt_entry_size": limits.pamt_entry_size,
        "dynamic_pamt": limits.dynamic_pamt,
        "pamt_page_bitmap_entry_bits": limits.pamt_page_bitmap_entry_bits,
        "keyid_bits": limits.keyid_bits,
    }


def _cmr(cmr: Cmr) -> dict[str, Value]:
    made: dict[str, Value] = {"base": Hex(cmr.base), "size": Hex(cmr.size)}
    if cmr.origin:
        made["origin"] = cmr.origin
    return made


def _range(r: MemoryRange | FreeRun) -> dict[str, Value]:
    made: dict[str, Value] = {"start": Hex(r.start), "end": Hex(r.end), "node": r.node}
    if r.origin:
        made["origin"] = r.origin
    return made


def _firmware(f: FirmwareRange) -> dict[str, Value]:
    made: dict[str, Value] = {"start": Hex(f.start), "end": Hex(f.end), "kind": f.kind}
    if f.origin:
        made["origin"] = f.origin
    return made


def _node(node: Node) -> dict[str, Value]:
    made: dict[str, Value] = {"id": node.id}
    if not node.online:
        made["online"] = False
    if node.distance is not None:
        made["distance"] = node.distance
    if node.fallback is not None:
        made["fallback"] = node.fallback
    if node.zones is not None:
        made["zones"] = [
            {"name": zone.name, "start": Hex(zone.start), "end": Hex(zone.end)}
            for zone in node.zones
        ]
    return made
