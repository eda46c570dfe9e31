"""Status words of the TDX module: a class in bits 63:32, detail bytes in bits 31:0.

Source: Intel TDX Module ABI specification, completion status codes; TDX module 1.5.05.
"""

from __future__ import annotations

from typing import NamedTuple

from pamt.configuration import LEVELS

__all__ = ["CLASSES", "OPERANDS", "SUCCESS", "Detail", "Status", "decode", "encode"]

OPERANDS = {"RAX": 0, "RCX": 1, "RDX": 2, "R8": 8, "R9": 9, "R10": 10}
"""Operand numbers that TDX_OPERAND_INVALID carries in its lowest byte."""

DETAIL_BYTES = 4


class StatusClass(NamedTuple):
    """The class part of a status word, and which field each detail byte holds, lowest first."""

    word: int
    details: tuple[str, ...] = ()


CLASSES = {
    "TDX_SUCCESS": StatusClass(0x00000000_00000000),
    "TDX_OPERAND_INVALID": StatusClass(0xC0000100_00000000, ("operand",)),
    "TDX_OPERAND_ADDR_RANGE_ERROR": StatusClass(0xC0000101_00000000, ("operand",)),
    "TDX_SYS_BUSY": StatusClass(0x80000202_00000000),
    "TDX_PAGE_NOT_FREE": StatusClass(0xC0000303_00000000),
    "TDX_HPA_RANGE_NOT_FREE": StatusClass(0xC0000304_00000000),
    "TDX_NO_PAMT_PAGE_PAIR": StatusClass(0xC0000305_00000000),
    "TDX_MISSING_PAMT_PAGE_PAIR": StatusClass(0x80000308_00000000),
    "TDX_SYS_CONFIG_NOT_PENDING": StatusClass(0xC000050C_00000000),
    "TDX_SMRR_OVERLAPS_CMR": StatusClass(0xC0000912_00000000, ("other", "cmr")),
    "TDX_INVALID_TDMR": StatusClass(0xC0000A00_00000000, ("tdmr",)),
    "TDX_NON_ORDERED_TDMR": StatusClass(0xC0000A01_00000000, ("tdmr",)),
    "TDX_TDMR_OUTSIDE_CMRS": StatusClass(0xC0000A02_00000000, ("tdmr",)),
    "TDX_TDMR_ALREADY_INITIALIZED": StatusClass(0x00000A03_00000000),
    "TDX_INVALID_PAMT": StatusClass(0xC0000A10_00000000, ("tdmr", "level")),
    "TDX_PAMT_OUTSIDE_CMRS": StatusClass(0xC0000A11_00000000, ("tdmr", "level")),
    "TDX_PAMT_OVERLAP": StatusClass(0xC0000A12_00000000, ("tdmr", "level", "other")),
    "TDX_INVALID_RESERVED_IN_TDMR": StatusClass(0xC0000A20_00000000, ("tdmr", "area")),
    "TDX_NON_ORDERED_RESERVED_IN_TDMR": StatusClass(0xC0000A21_00000000, ("tdmr", "area")),
    "TDX_CMR_LIST_INVALID": StatusClass(0xC0000A22_00000000),
}

_NAMES = {known.word: name for name, known in CLASSES.items()}


class Detail(NamedTuple):
    """What a status word speaks of; None where it does not apply."""

    tdmr: int | None = None
    """Index of the TDMR (TDX_PAMT_OVERLAP: of the one that owns the PAMT)."""
    level: int | None = None
    """Page-level number: 4K = 0, 2M = 1, 1G = 2."""
    other: int | None = None
    """Index of the other TDMR of an overlap (TDX_SMRR_OVERLAPS_CMR: of the SMRR)."""
    area: int | None = None
    """Index of the reserved area."""
    operand: str | None = None
    """Register that holds the bad operand."""
    cmr: int | None = None
    """Index in the CMR table: our own finding, TDX_CMR_LIST_INVALID has no detail bytes."""


class Status(NamedTuple):
    """An answer of the module, with the rule that decided it.

    `level` is a name ("4k", "2m", "1g"); see :class:`Detail` for the rest.  `rule` is None for
    success and for a word that was decoded rather than worked out.
    """

    status: int
    name: str
    rule: str | None = None
    tdmr: int | None = None
    level: str | None = None
    other: int | None = None
    area: int | None = None
    operand: str | None = None
    cmr: int | None = None

    @property
    def accepted(self) -> bool:
        return self.status == 0

    @property
    def status_class(self) -> int:
        """The word without its detail bytes."""
        return self.status >> 32 << 32

    @property
    def details(self) -> tuple[int, ...]:
        """The four detail bytes, lowest first."""
        return tuple(self.status >> 8 * at & 0xFF for at in range(DETAIL_BYTES))


SUCCESS = Status(0, "TDX_SUCCESS")


def encode(name: str, detail: Detail | None = None, rule: str | None = None) -> Status:
    """The status `name` about `detail`.

    A detail byte holds the low eight bits of an index; the field of the result holds all of it
    (they differ only where a map raises the module's limits above 256).
    Raises KeyError when `name`, or the operand, is not known.
    """
    known = CLASSES[name]
    about = detail if detail is not None else Detail()
    word = known.word
    for at, field in enumerate(known.details):
        value = getattr(about, field)
        byte = OPERANDS[value] if field == "operand" else value
        word |= (byte & 0xFF) << 8 * at
    level = None if about.level is None else LEVELS[about.level]
    return Status(
        word, name, rule, about.tdmr, level, about.other, about.area, about.operand, about.cmr
    )


def decode(word: int) -> Status:
    """What a status word from a log says.

    A class that is not known has the name ``unknown``, an operand or level number that is not
    known is given as a number.  Raises ValueError when `word` is not an unsigned 64-bit value.
    """
    if not 0 <= word < 1 << 64:
        raise ValueError(f"a status word is an unsigned 64-bit value, not {word:#x}")
    name = _NAMES.get(word >> 32 << 32)
    if name is None:
        return Status(word, "unknown")
    made = Status(word, name)
    for at, field in enumerate(CLASSES[name].details):
        byte = word >> 8 * at & 0xFF
        if field == "tdmr":
            made = made._replace(tdmr=byte)
        elif field == "level":
            made = made._replace(level=LEVELS[byte] if byte < len(LEVELS) else str(byte))
        elif field == "other":
            made = made._replace(other=byte)
        elif field == "area":
            made = made._replace(area=byte)
        elif field == "cmr":
            made = made._replace(cmr=byte)
        else:
            made = made._replace(operand=_operand_name(byte))
    return made


def _operand_name(number: int) -> str:
    for name, known in OPERANDS.items():
        if known == number:
            return name
    return str(number)
