"""The e820 table of a boot log, and what Linux makes of it.

Linux prints the firmware's table ("BIOS-e820"), then, where they apply, the table with the boot
loader's data marked ("reserve setup_data") and the one that ``memmap=`` made ("user").  After that
it changes the table in place and prints each change ("e820: update", "e820: remove").  Memory is
what memblock takes over from it (Linux v6.8 arch/x86/kernel/setup.c, setup_arch;
arch/x86/kernel/e820.c, e820__memblock_setup):

* RAM only (data of the boot loader is RAM that is merely in use, and prints as usable);
* less page 0 and 640K-1M: trim_bios_range takes both out on every boot, whether or not the log
  still has the lines that say so;
* ranges that touch are one, then cut to whole pages;
* changes printed *later* do not count.  memblock is filled after the last "last_pfn" line.  What
  EFI reserves afterwards (ESRT, the MOK table: efi_mem_reserve) and what is set aside for the MP
  table only changes the e820 tables; memblock keeps the page as memory and reserves it.  So a late
  ``update [mem 0x661e2000-0x661e2fff] usable ==> reserved`` does not split a memory range, though
  it takes a page out of the free ones and shows in /proc/iomem.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from pamt.maps.importers.lines import HEX, MEM, Line, Place, Source, Span, Unread, half_open
from pamt.ranges import PAGE, Range, RangeSet

__all__ = ["BIOS_HOLE", "Change", "E820Log", "E820Memory", "Entry", "Table", "ram_of", "read_e820"]

BIOS_HOLE = Range(0xA0000, 0x100000)
"""640K-1M: never memory on a PC."""

FIRST_PAGE = Range(0, PAGE)

RAM_NAMES = frozenset({"usable", "kernel usable RAM", "System RAM"})
"""How RAM prints: until 2025, and in the wordings of 2026."""

KINDS = ("BIOS-e820", "reserve setup_data", "user")
"""Tables in the order in which they are printed: the last one holds."""

TOKENS = ("e820: ", "reserve setup_data: ", "user: ", "last_pfn = ", "MTRRs don't cover")
LATER_PHASE = ("SRAT: ", "NUMA: ", "Early memory node ranges", "esrt: ", "Using GB pages")

_SIZE = r"(?:\s+\d+(?:\.\d+)?\s+[KMGT]B)?"
_ENTRY = re.compile(rf"(BIOS-e820|reserve setup_data|user): {MEM}{_SIZE}\s+(\S.*)")
_GAP = re.compile(r"(?:BIOS-e820|reserve setup_data|user): \[gap ")
_STARTS = re.compile(r"(BIOS-e820|reserve setup_data|user): ")
_UPDATE = re.compile(rf"e820: update {MEM}\s*(\S.*?)\s*==>\s*(\S.*)")
_REMOVE = re.compile(rf"e820: remove {MEM}\s*(.*)")
_WHOLE_TYPES = ("usable", "reserved", "soft reserved", "ACPI data", "ACPI NVS", "unusable")
_LAST_PFN = re.compile(rf"(?:e820: )?last_pfn = ({HEX})")


class Entry(NamedTuple):
    """A line of a table; bytes, half open."""

    start: int
    end: int
    type: str
    place: Place

    @property
    def is_ram(self) -> bool:
        return self.type in RAM_NAMES


class Table(NamedTuple):
    kind: str
    entries: tuple[Entry, ...]


class Change(NamedTuple):
    """A line "update [..] old ==> new"; `new` is empty for "remove [..] old"."""

    start: int
    end: int
    old: str
    new: str
    place: Place

    @property
    def takes_ram(self) -> bool:
        """Whether RAM in the range stops being RAM."""
        return (not self.old or self.old in RAM_NAMES) and self.new not in RAM_NAMES


class E820Log(NamedTuple):
    """What one boot says: tables as printed, changes, and the line up to which changes count."""

    tables: tuple[Table, ...]
    changes: tuple[Change, ...]
    filled_at: int | None
    """Line after which memblock has been filled; None if no line of the log tells."""
    mtrr_trim: bool
    unread: tuple[Unread, ...]


class E820Memory(NamedTuple):
    """Memory by the table: ranges with the line each comes from."""

    memory: tuple[Span, ...]
    table_end: int
    """End of the last entry, of whatever type."""
    first: Place
    late: tuple[Change, ...]
    """Changes that came too late to change memory."""
    undated: tuple[Change, ...]
    """Those of `late` of which no line tells that they are; taken as late."""
    overlaps: tuple[tuple[Entry, Entry], ...]
    """RAM that another entry calls something else: never so in a table that Linux prints."""


def read_e820(source: Source) -> E820Log:
    """Everything that one boot prints of its e820 table."""
    entries: dict[str, list[Entry]] = {}
    changes: list[Change] = []
    unread: list[Unread] = []
    filled_at: int | None = None
    mtrr = False
    for line in source.lines(TOKENS):
        text = line.text
        if _LAST_PFN.match(text):
            filled_at = line.place.line
        elif "MTRRs don't cover" in text:
            mtrr = True
        elif text.startswith("e820: "):
            change = _change(line)
            if isinstance(change, Change):
                changes.append(change)
            elif change is not None:
                unread.append(change)
        elif _STARTS.match(text) and not _GAP.match(text):
            found = _ENTRY.fullmatch(text)
            ends = half_open(found[2], found[3]) if found else None
            if found is None or ends is None or _is_cut(found[4]):
                if text.startswith("user: ") and "[mem" not in text:
                    continue  # some other program's line
                unread.append(
                    Unread(
                        line.place,
                        _STARTS.match(text)[1],  # type: ignore[index]
                        "a line like BIOS-e820: [mem 0x0000000000100000-0x000000005d168fff] usable",
                        text,
                    )
                )
                continue
            entries.setdefault(found[1], []).append(Entry(*ends, found[4], line.place))
    if filled_at is None:
        later = [
            ln for ln in source.lines(LATER_PHASE) if ln.text.startswith(("ACPI: ", *LATER_PHASE))
        ]
        filled_at = later[0].place.line if later else None
    tables = [
        Table(kind, block)
        for kind in KINDS
        if kind in entries
        for block in split_repeats(entries[kind])
    ]
    return E820Log(tuple(tables), tuple(changes), filled_at, mtrr, tuple(unread))


def _is_cut(name: str) -> bool:
    """Whether the name of a type lacks its end."""
    if name.startswith("persistent"):
        return not name.endswith(")") and "type" in name
    return name not in _WHOLE_TYPES and any(whole.startswith(name) for whole in _WHOLE_TYPES)


def split_repeats(entries: Sequence[Entry]) -> list[tuple[Entry, ...]]:
    """A table printed twice (two boots in one file) as two: it starts anew at a lower address."""
    blocks: list[list[Entry]] = []
    for entry in entries:
        if not blocks or entry.start < blocks[-1][-1].start or entry[:2] == blocks[-1][0][:2]:
            blocks.append([])
        blocks[-1].append(entry)
    return [tuple(block) for block in blocks]


def _change(line: Line) -> Change | Unread | None:
    text = line.text
    if text.startswith("e820: update ["):
        found = _UPDATE.fullmatch(text)
        expected = "a line like e820: update [mem 0x00000000-0x00000fff] usable ==> reserved"
    elif text.startswith("e820: remove ["):
        found = _REMOVE.fullmatch(text)
        expected = "a line like e820: remove [mem 0x000a0000-0x000fffff] usable"
    else:
        return None
    ends = half_open(found[1], found[2]) if found else None
    if found is None or ends is None:
        return Unread(line.place, "e820 change", expected, text)
    new = found[4] if found.re is _UPDATE else ""
    return Change(*ends, found[3], new, line.place)


def ram_of(table: Table, log: E820Log) -> E820Memory:
    """Memory that memblock takes over from `table` and the changes that `log` lists after it."""
    ram = RangeSet((e.start, e.end) for e in table.entries if e.is_ram)
    after = table.entries[-1].place.line
    early: list[Change] = []
    late: list[Change] = []
    undated: list[Change] = []
    trimmed = False
    for change in log.changes:
        if change.place.line < after or not change.takes_ram:
            continue
        if log.filled_at is not None:
            counts = change.place.line < log.filled_at
        else:
            # Without a dated line: up to the trimming of the BIOS area they count, and so does
            # the cut that a line about MTRRs explains.
            counts = not trimmed or log.mtrr_trim
            if not counts and ram.overlaps(Range(change.start, change.end)):
                undated.append(change)
        (early if counts else late).append(change)
        trimmed = trimmed or (change.start, change.end) == BIOS_HOLE
    gone = RangeSet([FIRST_PAGE, BIOS_HOLE, *((c.start, c.end) for c in early)])
    ram = (ram - gone).align_inward(PAGE)
    starts = sorted((e.start, e.place) for e in table.entries if e.is_ram)
    keys = [start for start, _ in starts]
    memory = tuple(
        Span(run.start, run.end, starts[bisect_right(keys, run.start) - 1][1]) for run in ram
    )
    return E820Memory(
        memory,
        max(e.end for e in table.entries),
        table.entries[0].place,
        tuple(late),
        tuple(undated),
        _overlaps(table.entries),
    )


def _overlaps(entries: Sequence[Entry]) -> tuple[tuple[Entry, Entry], ...]:
    found: list[tuple[Entry, Entry]] = []
    last: Entry | None = None
    for entry in sorted(entries):
        if last is not None and entry.start < last.end and entry.is_ram != last.is_ram:
            found.append((last, entry))
        if last is None or entry.end > last.end:
            last = entry
    return tuple(found)
