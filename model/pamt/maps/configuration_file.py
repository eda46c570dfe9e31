"""Configuration files: TDMRs, PAMTs, reserved areas and the call, in TOML or JSON, or raw.

Everything is data for the module's rules: any u64 may stand anywhere, in any order and number.
"""

from __future__ import annotations

import os
from typing import Any, Literal

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.maps.decode import Complaints, Field, Fields, Path, decode_table, decode_tables
from pamt.maps.document import MAX_BYTES, parse, read_bytes
from pamt.maps.kinds import U64, U64_PAIR, array_of, integer, untouched
from pamt.maps.machine_fields import table_schema, tables
from pamt.maps.tdmr_info import looks_like_tdmr_info, read_tdmr_info
from pamt.maps.write import Hex, Value, json_document, toml_document

__all__ = [
    "CALL",
    "TDMR",
    "TOP",
    "configuration_from_text",
    "configuration_to_dict",
    "decode_configuration",
    "dump_configuration",
    "read_configuration",
]

TDMR: Fields = {
    "base": Field(U64, required=True, says="bytes"),
    "size": Field(U64, required=True, says="bytes"),
    "pamt_4k": Field(U64_PAIR, required=True, says="[base, size] in bytes"),
    "pamt_2m": Field(U64_PAIR, required=True, says="[base, size] in bytes"),
    "pamt_1g": Field(U64_PAIR, required=True, says="[base, size] in bytes"),
    "reserved": Field(
        array_of(U64_PAIR, each="pairs"),
        says="reserved areas: [offset from the TDMR base, size] in bytes; size 0 is a null entry",
    ),
}

MACHINE_KEYS = ("cmr", "memory")
"""Keys that machine files have and configuration files do not."""

CALL: Fields = {
    "array_pa": Field(U64, says="RCX: address of the array of pointers"),
    "info_pa": Field(array_of(U64, each="integers"), says="address of each TDMR_INFO"),
    "count": Field(U64, says="RDX: number of TDMRs"),
    "r8": Field(U64, says="R8: KeyID in bits 15:0; bit 16 turns dynamic PAMT on"),
    "private_hkid": Field(U64_PAIR, says="first and last private KeyID"),
    "seamrr": Field(U64_PAIR, says="[base, size] of SEAMRR in bytes"),
}

TOP: Fields = {
    "format": Field(integer(1, 1), says="the version of this format: 1"),
    "tdmr": Field(untouched(tables(TDMR)), required=True, says="TDMRs in index order"),
    "call": Field(untouched(table_schema(CALL)), says="operands of TDH.SYS.CONFIG"),
}


def read_configuration(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Configuration:
    """The configuration in a TOML, JSON or raw TDMR_INFO file; ``-`` is standard input.

    The content tells which it is.  Raises InputErrors with every problem of the file.
    """
    raw, name = read_bytes(path, max_bytes)
    return configuration_from_text(raw, name)


def configuration_from_text(raw: bytes | str, name: str = "<configuration>") -> Configuration:
    """As :func:`read_configuration`, from the content of a file."""
    if isinstance(raw, bytes) and looks_like_tdmr_info(raw):
        return read_tdmr_info(raw, name)
    document = parse(raw, name, "a configuration file")
    if "tdmr" not in document.data:
        document.refuse_other_kind(
            "a configuration file ([[tdmr]] tables)", dict.fromkeys(MACHINE_KEYS, "a machine file")
        )
    complaints = Complaints()
    configuration = decode_configuration(document.data, complaints)
    document.refuse(complaints)
    assert configuration is not None
    return configuration


def decode_configuration(
    data: object, complaints: Complaints, path: Path = ()
) -> Configuration | None:
    """The configuration in one table, which stands at `path` of its document.

    Faults go into `complaints`; the answer is None when there was one.
    """
    before = len(complaints.list)
    top = decode_table(data, TOP, path, complaints)
    if top is None:
        return None
    if type(data) is dict and "tdmr" not in data:
        complaints.add(path, "the key tdmr ([[tdmr]] tables, or tdmr = [])", "no such key")
    entries = top.get("tdmr", [])
    tdmrs = decode_tables(entries, TDMR, (*path, "tdmr"), complaints, _tdmr)
    call = decode_table(top.get("call", {}), CALL, (*path, "call"), complaints)
    if len(complaints.list) != before or call is None:
        return None
    return Configuration(tuple(tdmrs), Call(**call))


def _tdmr(good: dict[str, Any]) -> Tdmr:
    return Tdmr(
        good["base"],
        good["size"],
        Pamt(*good["pamt_4k"]),
        Pamt(*good["pamt_2m"]),
        Pamt(*good["pamt_1g"]),
        tuple(Area(*area) for area in good.get("reserved", ())),
    )


def dump_configuration(
    configuration: Configuration, syntax: Literal["toml", "json"] = "toml"
) -> str:
    """The text of a configuration file; reading it again gives the same configuration."""
    table = configuration_to_dict(configuration)
    return json_document(table) if syntax == "json" else toml_document(table)


def configuration_to_dict(configuration: Configuration) -> dict[str, Value]:
    """The configuration as plain values under the keys of the file."""
    made: dict[str, Value] = {
        "format": 1,
        "tdmr": [_tdmr_table(tdmr) for tdmr in configuration.tdmrs],
    }
    call = configuration.call
    if call != Call():
        given: dict[str, Value] = {}
        if call.array_pa is not None:
            given["array_pa"] = Hex(call.array_pa)
        if call.info_pa is not None:
            given["info_pa"] = tuple(Hex(pa) for pa in call.info_pa)
        if call.count is not None:
            given["count"] = call.count
        if call.r8 is not None:
            given["r8"] = Hex(call.r8)
        if call.private_hkid is not None:
            given["private_hkid"] = call.private_hkid
        if call.seamrr is not None:
            given["seamrr"] = _pair(call.seamrr)
        made["call"] = given
    return made


def _tdmr_table(tdmr: Tdmr) -> dict[str, Value]:
    return {
        "base": Hex(tdmr.base),
        "size": Hex(tdmr.size),
        "pamt_4k": _pair(tdmr.pamt_4k),
        "pamt_2m": _pair(tdmr.pamt_2m),
        "pamt_1g": _pair(tdmr.pamt_1g),
        "reserved": [_pair(area) for area in tdmr.reserved],
    }


def _pair(pair: tuple[int, int]) -> tuple[Hex, Hex]:
    return (Hex(pair[0]), Hex(pair[1]))
