"""Which memory the machine has: one source is kept, the others are compared with it.

The order of trust, and why:

1. "Early memory node ranges": memblock itself, with nodes, after every change;
2. the e820 table with the changes that count, and the SRAT: what memblock is made from;
3. /proc/iomem: the e820 table after later reservations, so a few pages may be missing;
4. lsmem: whole memory blocks, holes inside are not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pamt.machine import ADDRESS_LIMIT, Cmr, FirmwareRange, MemoryRange
from pamt.maps.importers.e820 import BIOS_HOLE, E820Memory, Table, ram_of
from pamt.maps.importers.findings import Findings
from pamt.maps.importers.imported import ImportOptions, claim, pick
from pamt.maps.importers.lines import Place, Span
from pamt.maps.importers.node_blocks import find_blocks, on_nodes
from pamt.maps.importers.nodes import EarlyRange
from pamt.maps.importers.reading import Reading
from pamt.ranges import PAGE, Range, RangeSet

__all__ = ["FILL_HINT", "ChosenMemory", "choose_memory"]

RULE_EARLY = "the early node ranges are memblock's own list"
RULE_E820 = "memory is made from the e820 table; /proc/iomem and lsmem show it later"
RULE_TABLE = "the table with more entries is kept"
FILL_HINT = "with --fill-from-cmr they are"
"""In an assumption: memory that only the CMRs show is left out."""


class ChosenMemory(NamedTuple):
    memory: tuple[MemoryRange, ...] | None
    kind: str
    reading: Reading | None
    firmware: tuple[FirmwareRange, ...] = ()
    """Entries of the e820 table that are no RAM."""


class _E820(NamedTuple):
    reading: Reading
    table: Table
    memory: E820Memory


def choose_memory(
    readings: Sequence[Reading],
    cmrs: Sequence[Cmr],
    options: ImportOptions,
    findings: Findings,
) -> ChosenMemory:
    """The memory of the best source, or None; well formed, or a problem says why not."""
    early = _early(readings, findings)
    e820 = _e820(readings, findings)
    iomem = _iomem(readings)
    if early is not None:
        reading, ranges = early
        findings.need(tuple(u for u in reading.nodes.unread if u.kind.startswith("Early")))
        memory = tuple(sorted(r.memory for r in ranges))
        _check([(r.start, r.end, r.place) for r in ranges], "Early memory node ranges", findings)
        if options.fill_from_cmr:
            findings.note("fill from CMRs has no effect: the early node ranges are complete")
        if e820 is not None:
            quiet = Findings()
            derived = _from_e820(e820, readings, (), quiet)
            _note_late(e820, findings)
            _compare(
                memory,
                derived,
                e820.memory.first,
                RULE_EARLY,
                findings,
                by_node=not quiet.assumptions,
            )
        _compare_iomem(memory, iomem, e820, RULE_EARLY, findings)
        _compare_lsmem(memory, readings, RULE_EARLY, findings)
        return ChosenMemory(memory, "early", reading, _firmware(e820))
    if e820 is not None:
        findings.need(e820.reading.e820.unread)
        extra = _beyond_table(e820, cmrs, options, findings)
        memory = _from_e820(e820, readings, extra, findings)
        _explain_e820(e820, findings)
        _check([(m.start, m.end, e820.memory.first) for m in memory], "memory", findings)
        _compare_iomem(memory, iomem, e820, RULE_E820, findings)
        _compare_lsmem(memory, readings, RULE_E820, findings)
        return ChosenMemory(memory, "e820", e820.reading, _firmware(e820))
    return _without_boot_log(readings, cmrs, iomem, options, findings)


def _without_boot_log(
    readings: Sequence[Reading],
    cmrs: Sequence[Cmr],
    iomem: Reading | None,
    options: ImportOptions,
    findings: Findings,
) -> ChosenMemory:
    if iomem is not None and iomem.iomem.ram:
        findings.need(iomem.iomem.unread)
        _check(iomem.iomem.ram, "iomem", findings)
        findings.assume(
            "memory is taken from /proc/iomem, which shows the e820 table after later reservations"
            " of firmware data: Linux may have counted those pages as memory, and have fewer holes"
        )
        memory = on_nodes(_join(iomem.iomem.ram), find_blocks(readings, findings), findings)
        _compare_lsmem(memory, readings, RULE_E820, findings)
        return ChosenMemory(memory, "iomem", iomem)
    for reading in readings:
        if reading.iomem.hidden is not None:
            findings.wrong(
                reading.iomem.hidden,
                "iomem",
                "addresses",
                "zeros",
                "/proc/iomem shows addresses to root only; read it with sudo",
            )
            return ChosenMemory(None, "", None)
    rows = [(row, reading) for reading in readings for row in reading.lsmem.online]
    if rows:
        reading = rows[0][1]
        findings.need(reading.lsmem.unread)
        online = RangeSet((row.start, row.end) for row, _ in rows)
        if cmrs:
            online = online & RangeSet(c.range for c in cmrs)
        spans = _spans(online.align_inward(PAGE), [(row.start, row.place) for row, _ in rows])
        _check(spans, "lsmem", findings)
        findings.assume(
            "memory is taken from the online blocks of lsmem"
            + (", inside the CMRs" if cmrs else "")
            + ": holes inside a block are not seen; a real kernel needs more reserved areas"
        )
        memory = on_nodes(spans, find_blocks(readings, findings), findings)
        return ChosenMemory(memory, "lsmem", reading)
    if options.fill_from_cmr and cmrs:
        spans = _cmr_spans(cmrs, 0)
        _check(spans, "CMR", findings)
        findings.assume(
            "no e820 table and no other list of memory: all CMRs are taken as memory; holes inside"
            " them (ACPI, firmware) are not seen"
        )
        memory = on_nodes(spans, find_blocks(readings, findings), findings)
        return ChosenMemory(memory, "cmr", None)
    return ChosenMemory(None, "", None)


def _early(
    readings: Sequence[Reading], findings: Findings
) -> tuple[Reading, tuple[EarlyRange, ...]] | None:
    found = [(r, ranges) for r in readings for ranges in r.nodes.ranges]
    if not found:
        # Cut lines alone are no list, but they say that there was one.
        for r in readings:
            findings.need(tuple(u for u in r.nodes.unread if u.kind.startswith("Early")))
        return None
    picked = pick(found, lambda f: tuple(r[:3] for r in f[1]), lambda f: len(f[1]))
    kept = found[picked.kept]
    for index in picked.differing:
        other = found[index][1]
        findings.conflict(
            "Early memory node ranges",
            claim(kept[1][0].place, (r.memory for r in kept[1])),
            claim(other[0].place, (r.memory for r in other)),
            RULE_TABLE,
        )
    return kept


def _e820(readings: Sequence[Reading], findings: Findings) -> _E820 | None:
    found: list[_E820] = []
    for r in readings:
        last = r.e820.tables[-1].kind if r.e820.tables else ""
        found += [_E820(r, t, ram_of(t, r.e820)) for t in r.e820.tables if t.kind == last]
    if not found:
        return None
    picked = pick(
        found, lambda f: tuple(m[:2] for m in f.memory.memory), lambda f: len(f.table.entries)
    )
    kept = found[picked.kept]
    for index in picked.differing:
        other = found[index]
        findings.conflict(
            "e820 table",
            claim(kept.memory.first, (Range(m.start, m.end) for m in kept.memory.memory)),
            claim(other.memory.first, (Range(m.start, m.end) for m in other.memory.memory)),
            RULE_TABLE,
        )
    return kept


def _from_e820(
    e820: _E820, readings: Sequence[Reading], extra: Sequence[Span], findings: Findings
) -> tuple[MemoryRange, ...]:
    spans = _join((*e820.memory.memory, *extra))
    return on_nodes(spans, find_blocks(readings, findings), findings)


def _firmware(e820: _E820 | None) -> tuple[FirmwareRange, ...]:
    """Notes for explanations; what a damaged table says twice is left out."""
    noted: list[FirmwareRange] = []
    for entry in sorted(e820.table.entries) if e820 else ():
        if entry.is_ram or entry.end > ADDRESS_LIMIT or not entry.type.isprintable():
            continue
        if not noted or entry.start >= noted[-1].end:
            noted.append(FirmwareRange(entry.start, entry.end, entry.type, str(entry.place)))
    return tuple(noted)


def _explain_e820(e820: _E820, findings: Findings) -> None:
    for low, high in e820.memory.overlaps:
        findings.wrong(
            high.place,
            "BIOS-e820",
            "entries that do not overlap",
            f"[{high.start:#x}, {high.end:#x}) {high.type}, which overlaps"
            f" [{low.start:#x}, {low.end:#x}) {low.type} ({low.place})",
        )
    changes = {(c.start, c.end): c.place for c in e820.reading.e820.changes}
    for cut, name in ((Range(0, PAGE), "page 0"), (BIOS_HOLE, "640K-1M")):
        place = changes.get((cut.start, cut.end))
        findings.note(
            f"{name} is not memory: "
            + ("the log says so" if place else "Linux takes it out on every boot")
            + " (trim_bios_range)",
            place,
        )
    _note_late(e820, findings)
    for change in e820.memory.undated:
        findings.assume(
            f"the log does not show when [{change.start:#x}, {change.end:#x}) became {change.new}"
            f" ({change.place}): taken as after memblock was filled, so it does not split memory"
        )
    first = e820.table.entries[0]
    if first.start >= BIOS_HOLE.end:
        findings.assume(
            f"the e820 table begins at {first.start:#x} ({first.place}): lines before it may be"
            " missing, and memory below with them"
        )


def _note_late(e820: _E820, findings: Findings) -> None:
    ram = RangeSet(m[:2] for m in e820.memory.memory)
    for change in e820.memory.late:
        if ram.overlaps(Range(change.start, change.end)):
            findings.note(
                f"[{change.start:#x}, {change.end:#x}) was reserved after memblock was filled: it"
                " stays memory and makes no hole, but a PAMT cannot be placed there",
                change.place,
            )


def _beyond_table(
    e820: _E820, cmrs: Sequence[Cmr], options: ImportOptions, findings: Findings
) -> tuple[Span, ...]:
    """What the CMRs hold beyond the last entry of the table."""
    end = e820.memory.table_end
    extra = _cmr_spans(cmrs, end)
    if not extra:
        return ()
    last = max(e820.table.entries, key=lambda e: e.end)
    size = sum(s.end - s.start for s in extra)
    beyond = f"the e820 table ends at {end:#x} ({last.place}), but CMRs hold {size:#x} bytes beyond"
    if not options.fill_from_cmr:
        findings.assume(
            f"{beyond}: the table is taken as whole, and they are not memory here ({FILL_HINT})"
        )
        return ()
    _check(extra, "CMR", findings)
    findings.assume(
        f"{beyond}: they are taken as memory; holes inside them and node borders are not seen"
    )
    return extra


def _cmr_spans(cmrs: Sequence[Cmr], above: int) -> tuple[Span, ...]:
    runs = RangeSet(c.range for c in cmrs)
    window = Range(above, max(above, runs.span.end))
    starts = [(c.base, _place(c.origin)) for c in cmrs if c.size]
    return _spans(runs.within(window).align_inward(PAGE), starts)


def _place(origin: str) -> Place:
    file, _, line = origin.rpartition(":")
    return Place(file, int(line))


def _spans(runs: RangeSet, starts: Sequence[tuple[int, Place]]) -> tuple[Span, ...]:
    """Runs with the place of the last start at or below each."""
    from bisect import bisect_right

    ordered = sorted(starts)
    keys = [start for start, _ in ordered]
    return tuple(
        Span(run.start, run.end, ordered[bisect_right(keys, run.start) - 1][1]) for run in runs
    )


def _join(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Ascending, touching ones as one, as memblock does before nodes are known."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = joined[-1]._replace(end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def _check(ranges: Iterable[tuple[int, int, Place]], what: str, findings: Findings) -> None:
    """Memory must be whole pages below 2^52, and disjoint."""
    last: tuple[int, int, Place] | None = None
    for start, end, place in sorted(ranges):
        if start % PAGE or end % PAGE or end > ADDRESS_LIMIT:
            findings.wrong(place, what, "whole pages below 2^52", f"[{start:#x}, {end:#x})")
        elif last is not None and start < last[1]:
            findings.wrong(
                place,
                what,
                "ranges that do not overlap",
                f"[{start:#x}, {end:#x}), which overlaps [{last[0]:#x}, {last[1]:#x}) ({last[2]})",
            )
        if last is None or end > last[1]:
            last = (start, end, place)


def _iomem(readings: Sequence[Reading]) -> Reading | None:
    return next((r for r in readings if r.iomem.ram), None)


def _compare(
    memory: Sequence[MemoryRange],
    other: Sequence[MemoryRange],
    place: Place,
    rule: str,
    findings: Findings,
    *,
    by_node: bool,
) -> None:
    """Report what differs; nodes count only if the other source knows them."""
    nodes = {r.node for r in (*memory, *other)} if by_node else {None}
    kept: list[MemoryRange] = []
    dropped: list[MemoryRange] = []
    for node in sorted(nodes, key=str):
        mine = RangeSet(r.range for r in memory if node is None or r.node == node)
        theirs = RangeSet(r.range for r in other if node is None or r.node == node)
        kept += [MemoryRange(x.start, x.end, node or 0) for x in mine - theirs]
        dropped += [MemoryRange(x.start, x.end, node or 0) for x in theirs - mine]
    if kept or dropped:
        first = next((r.origin for r in memory if not kept or r.end > kept[0].start), "")
        findings.conflict("memory", claim(first, kept), claim(place, dropped), rule)


def _compare_iomem(
    memory: Sequence[MemoryRange],
    iomem: Reading | None,
    e820: _E820 | None,
    rule: str,
    findings: Findings,
) -> None:
    """Late reservations may be missing in iomem; anything else is a conflict."""
    if iomem is None:
        return
    late = RangeSet((c.start, c.end) for c in e820.memory.late) if e820 else RangeSet()
    shown = RangeSet((s.start, s.end) for s in iomem.iomem.ram) | (
        late & RangeSet(r.range for r in memory)
    )
    other = [MemoryRange(run.start, run.end) for run in shown]
    _compare(memory, other, iomem.iomem.ram[0].place, rule, findings, by_node=False)


def _compare_lsmem(
    memory: Sequence[MemoryRange], readings: Sequence[Reading], rule: str, findings: Findings
) -> None:
    """Memory outside every online block is a conflict; the rest of a block may be a hole."""
    rows = [row for r in readings for row in r.lsmem.online]
    if not rows:
        return
    outside = RangeSet(r.range for r in memory) - RangeSet((row.start, row.end) for row in rows)
    if outside:
        findings.conflict(
            "memory",
            claim(memory[0].origin, outside),
            claim(rows[0].place, (Range(row.start, row.end) for row in rows)),
            rule,
        )
