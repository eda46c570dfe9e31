"""The machine: a physical memory map, as firmware and the operating system report it.

All addresses and sizes are bytes; ranges are half open.  A :class:`Machine` holds what a map file
says and no more: a field that the file leaves out is None, and :mod:`pamt.standins` fills it in,
naming every stand-in as an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pamt.ranges import Range

__all__ = [
    "ADDRESS_LIMIT",
    "LOCAL_DISTANCE",
    "MAX_CMRS",
    "REMOTE_DISTANCE",
    "Cmr",
    "FirmwareRange",
    "FreeRun",
    "Limits",
    "Machine",
    "MemoryRange",
    "Node",
    "Zone",
]

ADDRESS_LIMIT = 1 << 52
"""No physical address reaches this (TDX module 1.5.05)."""

MAX_CMRS = 32
"""Entries of the CMR table."""

LOCAL_DISTANCE = 10
REMOTE_DISTANCE = 20
"""SLIT distances where the map gives none."""


class Cmr(NamedTuple):
    """One entry of the CMR table, base and size in bytes; size 0 is a null entry.

    Data for the module's rules: any u64 may stand here.
    """

    base: int
    size: int
    origin: str = ""

    @property
    def range(self) -> Range:
        return Range(self.base, self.base + self.size)


class MemoryRange(NamedTuple):
    """A range the OS hands out (Linux: one memblock memory range), with its NUMA node."""

    start: int
    end: int
    node: int = 0
    origin: str = ""

    @property
    def range(self) -> Range:
        return Range(self.start, self.end)


class FreeRun(NamedTuple):
    """Pages of one node in which a PAMT may be placed."""

    start: int
    end: int
    node: int = 0
    origin: str = ""

    @property
    def range(self) -> Range:
        return Range(self.start, self.end)


class FirmwareRange(NamedTuple):
    """What firmware says of a range that is not memory for the OS, e.g. ``ACPI data``.

    A note for explanations; no rule and no policy looks at it.
    """

    start: int
    end: int
    kind: str
    origin: str = ""


class Zone(NamedTuple):
    """A Linux zone of one node: a span, holes included.  Name: DMA, DMA32, Normal, Movable."""

    name: str
    start: int
    end: int

    @property
    def range(self) -> Range:
        return Range(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Node:
    """A NUMA node.  None means that the map does not say.

    `distance[k]` belongs to the k-th node by ascending id (SLIT); `fallback` lists node ids in
    the order in which the page allocator tries them, itself first.
    """

    id: int
    online: bool = True
    distance: tuple[int, ...] | None = None
    fallback: tuple[int, ...] | None = None
    zones: tuple[Zone, ...] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the TDX module reports of itself; the defaults are the real module's."""

    max_tdmrs: int = 64
    max_reserved_per_tdmr: int = 16
    pamt_entry_size: tuple[int, int, int] = (16, 16, 16)
    """Bytes per entry at level 4K, 2M, 1G."""
    dynamic_pamt: bool = False
    pamt_page_bitmap_entry_bits: int = 1
    keyid_bits: int = 6

    @property
    def address_end(self) -> int:
        """First address with a KeyID bit set: TDMRs and PAMTs must end at or below it."""
        return 1 << (52 - self.keyid_bits)


@dataclass(frozen=True, slots=True)
class Machine:
    """A memory map as a file gives it; None where the file says nothing.

    `memory`, `free` and zones are well formed (sorted, page aligned, disjoint, below 2^52) when
    they come from :mod:`pamt.maps`; `cmrs` keep the order and the values of the module's table.
    `assumptions` are sentences an importer wrote into the file.
    """

    name: str = ""
    source: str = ""
    limits: Limits = field(default_factory=Limits)
    cmrs: tuple[Cmr, ...] | None = None
    memory: tuple[MemoryRange, ...] | None = None
    nodes: tuple[Node, ...] = ()
    free: tuple[FreeRun, ...] | None = None
    assumptions: tuple[str, ...] = ()
    firmware: tuple[FirmwareRange, ...] = ()
    """Ascending by start."""
