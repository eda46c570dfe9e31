"""Which node an address belongs to, by the best source at hand.

The SRAT of the boot log first; else NODE cells of lsmem, memory blocks under
/sys/devices/system/node, or the span of each node in /proc/zoneinfo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.machine import MemoryRange
from pamt.maps.importers.findings import Findings
from pamt.maps.importers.imported import claim, pick
from pamt.maps.importers.lines import Place, Span
from pamt.maps.importers.reading import Reading
from pamt.maps.importers.srat import Assigned, Block, assign_nodes, known_blocks

__all__ = ["Blocks", "find_blocks", "on_nodes"]


class Blocks(NamedTuple):
    blocks: tuple[Block, ...]
    kind: str
    reading: Reading


def find_blocks(readings: Sequence[Reading], findings: Findings) -> Blocks | None:
    """Blocks with nodes; None when no source names nodes, or Linux does not use the SRAT."""
    unused = next((r.srat.unused for r in readings if r.srat.unused), None)
    if unused is not None:
        findings.note("Linux says that it does not use the SRAT: all memory is node 0", unused)
        return None
    tables = [
        Blocks(tuple(known_blocks(r.srat)), "SRAT", r)
        for r in readings
        if r.srat.blocks or r.srat.joined
    ]
    if tables:
        picked = pick(tables, _content, lambda b: len(b.blocks))
        kept = tables[picked.kept]
        for index in picked.differing:
            findings.conflict(
                "SRAT",
                claim(kept.blocks[0].place, _memory(kept.blocks)),
                claim(tables[index].blocks[0].place, _memory(tables[index].blocks)),
                "the SRAT with more blocks is kept",
            )
        return kept
    for kind, made in (
        ("lsmem", _from_lsmem),
        ("/sys/devices/system/node", _from_sysfs),
        ("/proc/zoneinfo", _from_zoneinfo),
    ):
        for reading in readings:
            blocks = made(reading, readings)
            if blocks:
                return Blocks(tuple(sorted(blocks)), kind, reading)
    return None


def on_nodes(
    spans: Sequence[Span], blocks: Blocks | None, findings: Findings
) -> tuple[MemoryRange, ...]:
    """Memory with nodes; node 0 where nothing tells, as an assumption."""
    if blocks is None:
        findings.assume(
            "no SRAT lines and no other source of nodes: all memory is taken to be on node 0;"
            " with more nodes Linux would split memory at their borders and make other TDMRs"
        )
        return tuple(MemoryRange(s.start, s.end, 0, str(s.place)) for s in spans)
    findings.need(blocks.reading.srat.unread if blocks.kind == "SRAT" else ())
    assigned = assign_nodes(spans, blocks.blocks)
    _explain(assigned, blocks, findings)
    return assigned.memory


def _explain(assigned: Assigned, blocks: Blocks, findings: Findings) -> None:
    if assigned.overlap is not None:
        low, high = assigned.overlap
        findings.conflict(
            f"{blocks.kind} blocks",
            claim(low.place, [MemoryRange(low.start, low.end, low.node)]),
            claim(high.place, [MemoryRange(high.start, high.end, high.node)]),
            "blocks of different nodes overlap: none is used, as Linux does",
        )
        findings.assume(
            f"blocks of nodes {low.node} and {high.node} overlap ({low.place}, {high.place}): all"
            " memory is taken to be on node 0, as Linux does"
        )
    elif assigned.dropped:
        first = assigned.uncovered[0]
        size = sum(s.end - s.start for s in assigned.uncovered)
        findings.assume(
            f"{blocks.kind} blocks leave {size:#x} bytes of memory uncovered (first"
            f" [{first.start:#x}, {first.end:#x}), {first.place}): all memory is taken to be on"
            " node 0, as Linux does when 1 MiB or more is uncovered; if the log merely lacks"
            " lines, the nodes are wrong"
        )
    else:
        for span in assigned.uncovered:
            findings.assume(
                f"[{span.start:#x}, {span.end:#x}) ({span.place}) is in no {blocks.kind} block:"
                " taken to be on node 0"
            )
        for border in assigned.flag_borders:
            findings.assume(
                f"memory of one node is kept apart at {border:#x}, where only the SRAT's hot-plug"
                " flag changes; Linux joins it if the kernel itself lies on that node"
            )


def _content(blocks: Blocks) -> tuple[tuple[int, int, int, bool], ...]:
    return tuple(b[:4] for b in blocks.blocks)


def _memory(blocks: Sequence[Block]) -> list[MemoryRange]:
    return [MemoryRange(b.start, b.end, b.node, str(b.place)) for b in blocks]


def _from_lsmem(reading: Reading, _all: Sequence[Reading]) -> list[Block]:
    rows = reading.lsmem.online
    if any(row.node is None for row in rows):
        return []
    return [Block(row.start, row.end, row.node or 0, False, row.place) for row in rows]


def _from_sysfs(reading: Reading, readings: Sequence[Reading]) -> list[Block]:
    """Needs the size of a block, which another file may tell (block_size_bytes, lsmem)."""
    sizes = [r.sysfs.block_size or r.lsmem.block_size for r in readings]
    size = next((s for s in sizes if s), None)
    if size is None:
        return []
    owners: dict[int, list[tuple[int, Place]]] = {}
    for b in reading.sysfs.blocks:
        owners.setdefault(b.block, []).append((b.node, b.place))
    # A block that two nodes share tells nothing.
    return [
        Block(at * size, (at + 1) * size, owner[0][0], False, owner[0][1])
        for at, owner in owners.items()
        if len(owner) == 1
    ]


def _from_zoneinfo(reading: Reading, _all: Sequence[Reading]) -> list[Block]:
    spans: dict[int, Block] = {}
    for z in reading.zoneinfo.zones:
        old = spans.get(z.node)
        start = min(old.start, z.zone.start) if old else z.zone.start
        end = max(old.end, z.zone.end) if old else z.zone.end
        spans[z.node] = Block(start, end, z.node, False, old.place if old else z.place)
    return list(spans.values())
