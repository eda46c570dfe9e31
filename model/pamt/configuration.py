"""The configuration that TDH.SYS.CONFIG is asked to accept: the TDMR_INFO array and the call.

Bytes throughout.  Everything here is data for the module's rules: any u64 may stand in any field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pamt.ranges import Range

__all__ = ["LEVELS", "Area", "Call", "Configuration", "Pamt", "Tdmr"]

LEVELS = ("4k", "2m", "1g")
"""Level names by page-level number: 4K = 0, 2M = 1, 1G = 2."""


class Pamt(NamedTuple):
    """One PAMT region of one level: base address and size in bytes."""

    base: int
    size: int

    @property
    def range(self) -> Range:
        return Range(self.base, self.base + self.size)


class Area(NamedTuple):
    """A reserved area: offset from the TDMR base, and size, in bytes; size 0 is a null entry."""

    offset: int
    size: int


class Tdmr(NamedTuple):
    """One TDMR_INFO record (Intel TDX module ABI specification, table TDMR_INFO)."""

    base: int
    size: int
    pamt_4k: Pamt
    pamt_2m: Pamt
    pamt_1g: Pamt
    reserved: tuple[Area, ...] = ()

    @property
    def range(self) -> Range:
        return Range(self.base, self.base + self.size)

    @property
    def pamts(self) -> tuple[Pamt, Pamt, Pamt]:
        """By page-level number: 4K, 2M, 1G."""
        return (self.pamt_4k, self.pamt_2m, self.pamt_1g)


@dataclass(frozen=True, slots=True)
class Call:
    """Operands of TDH.SYS.CONFIG and the platform facts that its operand checks look at.

    None means "not given": :func:`pamt.module.config.default_call` fills in sensible values.
    `array_pa`: address of the array of pointers.  `info_pa`: address of each TDMR_INFO.
    `count`: RDX.  `r8`: R8, KeyID in bits 15:0 and, with dynamic PAMT, bit 16.
    `private_hkid`: inclusive range of private KeyIDs.  `seamrr`: base and size of SEAMRR.
    """

    array_pa: int | None = None
    info_pa: tuple[int, ...] | None = None
    count: int | None = None
    r8: int | None = None
    private_hkid: tuple[int, int] | None = None
    seamrr: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """TDMRs in index order, with the call they are handed over in."""

    tdmrs: tuple[Tdmr, ...]
    call: Call = field(default_factory=Call)
