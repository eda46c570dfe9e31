"""The raw TDMR_INFO array, as it lies in memory for TDH.SYS.CONFIG.

A record has 320 bytes of little-endian u64: base, size, then base and size of PAMT 1G, 2M and 4K
(in this order), then 16 reserved areas of offset and size.  Each record's address is a multiple of
512, so in an array they lie 512 bytes apart.  (Intel TDX module ABI specification, TDMR_INFO.)
"""

from __future__ import annotations

import struct

from pamt.configuration import Area, Configuration, Pamt, Tdmr
from pamt.maps.errors import InputErrors, InputProblem

__all__ = [
    "AREAS",
    "RECORD_SIZE",
    "RECORD_STRIDE",
    "looks_like_tdmr_info",
    "read_tdmr_info",
    "write_tdmr_info",
]

RECORD_SIZE = 320
RECORD_STRIDE = 512
AREAS = 16

_RECORD = struct.Struct("<40Q")
_NULL = Area(0, 0)


def looks_like_tdmr_info(raw: bytes) -> bool:
    """Whether `raw` is no text: it holds zero bytes, as every record written in full does.

    UTF-16 text has zero bytes too, but never four in a row; its byte order mark gives it away.
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return b"\0\0\0\0" in raw
    return b"\0" in raw


def read_tdmr_info(raw: bytes, name: str = "<TDMR_INFO>") -> Configuration:
    """The records in `raw`, 512 bytes apart; the last one may end after its 320 bytes.

    Trailing areas of all zeros are no areas; a null entry before a used one is kept, since the
    module has a rule against it.  What lies between the records is not looked at, as the module
    does not look at it either.  Raises InputErrors for a length that is no whole number of records.
    """
    if not raw or len(raw) % RECORD_STRIDE not in (0, RECORD_SIZE):
        expected = f"TDMR_INFO records: {RECORD_SIZE} bytes each, {RECORD_STRIDE} bytes apart"
        fault = InputProblem(name, 0, "", expected, f"{len(raw)} bytes")
        raise InputErrors([fault])
    return Configuration(
        tuple(_tdmr(_RECORD.unpack_from(raw, at)) for at in range(0, len(raw), RECORD_STRIDE))
    )


def _tdmr(words: tuple[int, ...]) -> Tdmr:
    areas = [Area(*words[at : at + 2]) for at in range(8, 40, 2)]
    while areas and areas[-1] == _NULL:
        areas.pop()
    return Tdmr(
        words[0],
        words[1],
        pamt_4k=Pamt(words[6], words[7]),
        pamt_2m=Pamt(words[4], words[5]),
        pamt_1g=Pamt(words[2], words[3]),
        reserved=tuple(areas),
    )


def write_tdmr_info(configuration: Configuration, name: str = "<configuration>") -> bytes:
    """The records of `configuration`, each filled with zeros up to 512 bytes.

    The call is not part of it.  Raises InputErrors for more than 16 areas in a TDMR, and for a
    number that is no u64.
    """
    problems: list[InputProblem] = []
    records: list[bytes] = []
    for index, tdmr in enumerate(configuration.tdmrs):
        if len(tdmr.reserved) > AREAS:
            found = f"{len(tdmr.reserved)}"
            expected = f"at most {AREAS} areas, which is all that TDMR_INFO holds"
            problems.append(InputProblem(name, 0, f"tdmr[{index}].reserved", expected, found))
            continue
        words = [tdmr.base, tdmr.size, *tdmr.pamt_1g, *tdmr.pamt_2m, *tdmr.pamt_4k]
        for area in tdmr.reserved:
            words += area
        words += [0] * (40 - len(words))
        try:
            record = _RECORD.pack(*words)
        except struct.error:
            expected = "integers from 0 to 0xffffffffffffffff"
            problems.append(InputProblem(name, 0, f"tdmr[{index}]", expected, "another"))
            continue
        records.append(record.ljust(RECORD_STRIDE, b"\0"))
    if problems:
        raise InputErrors(problems)
    return b"".join(records)
