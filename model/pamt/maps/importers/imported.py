"""What an import answers: the machine, and what a reader must know of how it came about."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from pamt.machine import Cmr, Machine, MemoryRange, Zone
from pamt.maps.importers.facts import Fact
from pamt.maps.importers.lines import Place, Unread
from pamt.ranges import Range

__all__ = ["Claim", "Conflict", "ImportOptions", "Imported", "Note", "Picked", "claim", "pick"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`name`, `source`: what the machine file is to say, instead of what the files suggest.

    `fill_from_cmr`: CMRs count as memory beyond the last entry of an e820 table that is cut short,
    and altogether where nothing else tells of memory.
    """

    name: str = ""
    source: str = ""
    fill_from_cmr: bool = False


class Claim(NamedTuple):
    """What one source says, and where it does."""

    origin: str
    """As ``dmesg.txt:12``: the first line of it."""
    value: tuple[MemoryRange | Range | Cmr | Zone | int, ...]
    """Only what differs, for memory."""


class Conflict(NamedTuple):
    """Two sources that do not agree; `kept` is what the machine says."""

    subject: str
    """As ``memory``, ``zones of node 1``."""
    kept: Claim
    dropped: Claim
    rule: str
    """Why the one is kept."""


class Note(NamedTuple):
    """Something a reader may want to know that is no assumption: a rule that was applied."""

    text: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """A machine made from logs.

    `assumptions` are also in the machine.  `unread` are lines of a known kind that do not parse and
    were not needed (one that is needed raises InputErrors).
    """

    machine: Machine
    assumptions: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    notes: tuple[Note, ...] = ()
    unread: tuple[Unread, ...] = ()
    facts: tuple[Fact, ...] = ()
    memory_from: str = ""
    """Which source gave the memory: early, e820, iomem, lsmem, cmr; empty when none did."""


class Picked(NamedTuple):
    """The candidate that is kept, and one of each kind that says something else."""

    kept: int
    differing: tuple[int, ...]


def pick(
    candidates: Sequence[T],
    content: Callable[[T], Hashable],
    weight: Callable[[T], int],
) -> Picked:
    """Indices of the weightiest candidate (the first of equals) and of those that differ from it.

    `candidates` must not be empty.  The order of candidates decides between equal weights, so
    callers sort them by file name first.
    """
    kept = max(range(len(candidates)), key=lambda i: (weight(candidates[i]), -i))
    seen = {content(candidates[kept])}
    differing: list[int] = []
    for index, candidate in enumerate(candidates):
        value = content(candidate)
        if value not in seen:
            seen.add(value)
            differing.append(index)
    return Picked(kept, tuple(differing))


def claim(place: Place | str, value: Iterable[MemoryRange | Range | Cmr | Zone | int]) -> Claim:
    return Claim(str(place), tuple(value))
