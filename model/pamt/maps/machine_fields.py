"""The keys of a machine file, with what each may hold (docs/design.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pamt.maps.decode import Field, Fields
from pamt.maps.kinds import (
    ADDRESS,
    BOOLEAN,
    BYTE_ADDRESS,
    TEXT,
    U64,
    array_of,
    integer,
    one_of,
    untouched,
)

__all__ = [
    "CMR",
    "FIRMWARE",
    "FREE",
    "LIMITS",
    "MEMORY",
    "NODE",
    "TOP",
    "ZONE",
    "ZONE_NAMES",
    "table_schema",
    "tables",
]

ZONE_NAMES = ("DMA", "DMA32", "Normal", "Movable")

U16_MAX = 65535
NODE_ID = integer(0, 1023)
"""Linux numbers nodes below MAX_NUMNODES, 1024 at most."""

ORIGIN = Field(TEXT, says="where the entry was read from, as file:line")


def table_schema(fields: Fields) -> dict[str, Any]:
    """The JSON Schema of a table of these fields."""
    properties: dict[str, Any] = {}
    for key, field in fields.items():
        described: dict[str, Any] = {"description": field.says} if field.says else {}
        properties[key] = {**described, **field.kind.schema}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    required = [key for key, field in fields.items() if field.required]
    if required:
        schema["required"] = required
    return schema


def tables(fields: Fields) -> Mapping[str, Any]:
    """The JSON Schema of an array of such tables."""
    return {"type": "array", "items": table_schema(fields)}


LIMITS: Fields = {
    "max_tdmrs": Field(integer(1, U16_MAX), says="TDMRs that TDH.SYS.CONFIG takes (64)"),
    "max_reserved_per_tdmr": Field(integer(1, U16_MAX), says="reserved areas of a TDMR (16)"),
    "pamt_entry_size": Field(
        array_of(integer(1, U16_MAX), 3, 3, "integers (4K, 2M, 1G)"),
        says="bytes of a PAMT entry at level 4K, 2M, 1G (16 each)",
    ),
    "dynamic_pamt": Field(BOOLEAN, says="the 4K level is a bitmap (false)"),
    "pamt_page_bitmap_entry_bits": Field(
        integer(1, 255), says="bits of that bitmap for each 4 KiB page (1)"
    ),
    "keyid_bits": Field(
        integer(0, 16), says="upper physical address bits, below bit 52, that select a key (6)"
    ),
}
"""The module reports the first five as 16-bit and 8-bit fields; a KeyID operand has 16 bits."""

CMR: Fields = {
    "base": Field(U64, required=True, says="bytes"),
    "size": Field(U64, required=True, says="bytes; 0 is a null entry"),
    "origin": ORIGIN,
}

MEMORY: Fields = {
    "start": Field(ADDRESS, required=True, says="bytes, included"),
    "end": Field(ADDRESS, required=True, says="bytes, excluded"),
    "node": Field(NODE_ID, says="NUMA node (0)"),
    "origin": ORIGIN,
}

FREE: Fields = MEMORY

FIRMWARE: Fields = {
    "start": Field(BYTE_ADDRESS, required=True, says="bytes, included; need not be page aligned"),
    "end": Field(BYTE_ADDRESS, required=True, says="bytes, excluded"),
    "kind": Field(TEXT, required=True, says="what firmware calls it, as ACPI data"),
    "origin": ORIGIN,
}

ZONE: Fields = {
    "name": Field(one_of(ZONE_NAMES), required=True),
    "start": Field(ADDRESS, required=True, says="bytes, included"),
    "end": Field(ADDRESS, required=True, says="bytes, excluded"),
}

NODE: Fields = {
    "id": Field(NODE_ID, required=True),
    "online": Field(BOOLEAN, says="whether the allocator may use the node (true)"),
    "distance": Field(
        array_of(integer(0, 255), 1, each="distances"),
        says="SLIT distances to all nodes, by ascending id; 10 is local",
    ),
    "fallback": Field(
        array_of(NODE_ID, 1, each="node ids"),
        says="node ids in the order in which the allocator tries them, itself first",
    ),
    "zones": Field(untouched(tables(ZONE)), says="zones with memory; disjoint within a node"),
}

TOP: Fields = {
    "format": Field(integer(1, 1), says="the version of this format: 1"),
    "name": Field(TEXT, says="a short name of the machine"),
    "source": Field(TEXT, says="where the map comes from"),
    "assumptions": Field(
        array_of(TEXT, each="strings"), says="sentences that an importer had to assume"
    ),
    "limits": Field(untouched(table_schema(LIMITS)), says="what the TDX module reports of itself"),
    "cmr": Field(
        untouched({**tables(CMR), "maxItems": 32}),
        says="the CMR table in the module's order; data for the module's rules",
    ),
    "memory": Field(untouched(tables(MEMORY)), says="ranges the OS hands out; disjoint"),
    "node": Field(
        untouched(tables(NODE)),
        says="NUMA nodes; if any is given, memory and free runs name no other",
    ),
    "free": Field(
        untouched(tables(FREE)),
        says="where a PAMT may be placed: inside memory of the node, outside zone Movable;"
        " disjoint",
    ),
    "firmware": Field(
        untouched(tables(FIRMWARE)),
        says="what firmware says of ranges that are not memory: notes for explanations, which no"
        " rule looks at; disjoint",
    ),
}
