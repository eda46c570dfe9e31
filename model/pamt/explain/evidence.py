"""What each reserved area of a TDMR stands for, and which lines of the map it comes from.

    list      |---r3---|            |---r4---|
    area               [   hole   )         after r3 (file:26), before r4 (file:28)

Bytes, half open.  Needs no solver.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal, NamedTuple

from pamt.kernel.areas import chunks_inside, find_holes
from pamt.kernel.memlist import LOW_MEMORY_END, build_memory_list
from pamt.machine import FirmwareRange, Machine, MemoryRange
from pamt.ranges import Range

__all__ = ["AreaEvidence", "Note", "area_evidence"]

Kind = Literal["low", "hole", "head", "tail", "empty", "outside-cmr", "pamt"]


class Note(NamedTuple):
    """A short remark with the place in a log or map that it comes from (may be empty)."""

    text: str
    origin: str = ""


class AreaEvidence(NamedTuple):
    """One thing that needs a reserved area of its own.

    `kind`: ``low`` below 1 MiB; ``head``, ``hole``, ``tail``: before the first, between two, after
    the last memory range of the TDMR; ``empty``: the TDMR holds no memory; ``outside-cmr``: in no
    CMR; ``pamt``: a chunk, of TDMR `owner`.
    """

    kind: Kind
    range: Range
    notes: tuple[Note, ...] = ()
    owner: int | None = None


def area_evidence(
    machine: Machine,
    tdmr: Range,
    chunks: Sequence[Range] = (),
    cmrs: Sequence[Range] | None = None,
) -> list[AreaEvidence]:
    """What takes the reserved areas of `tdmr`, holes first (ascending), then chunks in TDMR order.

    `machine` is completed.  `chunks` are the PAMT chunks by owner.  With `cmrs` (ascending) holes
    are what those leave over, else what the memory list leaves over.
    """
    listed = build_memory_list(machine.memory or ())
    found: list[AreaEvidence] = []
    if cmrs is None:
        found += [_hole(machine, listed, tdmr, hole) for hole in find_holes(tdmr, listed)]
    else:
        found += [_outside(machine, hole) for hole in find_holes(tdmr, cmrs)]
    for owner, chunk in enumerate(chunks):
        found += [AreaEvidence("pamt", part, (), owner) for part in chunks_inside(tdmr, [chunk])]
    return found


def _hole(
    machine: Machine, listed: Sequence[MemoryRange], tdmr: Range, hole: Range
) -> AreaEvidence:
    before, after = _neighbours(listed, hole)
    notes = tuple(
        Note(f"{word} memory {r.range}", r.origin)
        for word, r in (("after", before), ("before", after))
        if r is not None and r.range.overlaps(tdmr)
    )
    kind: Kind = "hole"
    if hole == tdmr:
        kind = "empty"
    elif hole.start == tdmr.start:
        kind = "low" if hole.end <= LOW_MEMORY_END else "head"
    elif hole.end == tdmr.end:
        kind = "tail"
    return AreaEvidence(kind, hole, firmware_notes(machine, hole) + notes)


def _outside(machine: Machine, hole: Range) -> AreaEvidence:
    notes = tuple(
        Note(f"{word} CMR {c.range}", c.origin)
        for c in machine.cmrs or ()
        for word, edge in (("after", c.range.end == hole.start), ("before", c.base == hole.end))
        if c.size and edge
    )
    return AreaEvidence("outside-cmr", hole, firmware_notes(machine, hole) + notes)


def _neighbours(
    listed: Sequence[MemoryRange], hole: Range
) -> tuple[MemoryRange | None, MemoryRange | None]:
    at = bisect_right(listed, hole.start, key=_end)
    below = bisect_left(listed, hole.end, key=_start)
    before = listed[at - 1] if at > 0 else None
    after = listed[below] if below < len(listed) else None
    return before, after


def firmware_notes(machine: Machine, hole: Range) -> tuple[Note, ...]:
    """What firmware says lies in `hole`, where the map keeps it."""
    at = bisect_right(machine.firmware, hole.start, key=_end)
    notes: list[Note] = []
    for entry in machine.firmware[at:]:
        if entry.start >= hole.end:
            break
        notes.append(Note(entry.kind, entry.origin))
    return tuple(notes)


def _start(r: MemoryRange) -> int:
    return r.start


def _end(r: MemoryRange | FirmwareRange) -> int:
    return r.end
