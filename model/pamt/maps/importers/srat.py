"""Which node memory belongs to: the SRAT as the boot log prints it, and how Linux applies it.

Linux cuts the SRAT's blocks at the end of memory, joins blocks of one node when no other node's
block lies between them (it prints ``NUMA: Node 0 [mem A] + [mem B] -> [mem C]``, and what lies
between A and B then belongs to the node too), and splits memory at the borders.  If the blocks
leave 1 MiB of memory or more uncovered, or blocks of different nodes overlap, the SRAT is not used
at all and all memory is node 0.  Source: Linux v6.8 arch/x86/mm/numa.c, numa_cleanup_meminfo and
numa_meminfo_cover_memory; drivers/acpi/numa/srat.c.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pamt.machine import MemoryRange
from pamt.maps.importers.lines import MEM, Place, Source, Span, Unread, half_open
from pamt.ranges import MIB, Range, RangeSet

__all__ = ["Assigned", "Block", "SratLog", "assign_nodes", "known_blocks", "read_srat"]

SLACK = 1 * MIB
"""Memory that may lie in no block before Linux drops the SRAT."""

TOKENS = ("SRAT: ", "NUMA: ", "Faking a node at ", "No NUMA configuration found")

_SRAT = re.compile(rf"(?:ACPI: )?SRAT: Node (\d{{1,4}}) PXM \d{{1,10}} {MEM}\s*(.*)")
_SRAT_STARTS = re.compile(r"(?:ACPI: )?SRAT: Node \d+ PXM \d+ \[mem")
_CPU = re.compile(r"(?:ACPI: )?SRAT: PXM \d+ -> APIC \w+ -> Node (\d{1,4})$")
_JOIN = re.compile(rf"NUMA: Node (\d{{1,4}}) {MEM} \+ {MEM} -> {MEM}")
_JOIN_STARTS = re.compile(r"NUMA: Node \d+ \[mem")


class Block(NamedTuple):
    """A range of one node, by the SRAT; bytes, half open."""

    start: int
    end: int
    node: int
    hotplug: bool
    place: Place


class SratLog(NamedTuple):
    blocks: tuple[Block, ...]
    """SRAT lines as printed."""
    joined: tuple[Block, ...]
    """Both parts of every join that Linux prints; they tell of blocks whose own line is lost."""
    with_cpus: frozenset[int]
    unused: Place | None
    """The line that says that Linux does not use the SRAT."""
    unread: tuple[Unread, ...]


class Assigned(NamedTuple):
    """Memory with nodes, and what had to be decided on the way."""

    memory: tuple[MemoryRange, ...]
    uncovered: tuple[Span, ...] = ()
    """Memory in no block: left on node 0 when below the slack."""
    dropped: bool = False
    """The SRAT covers too little; all memory is node 0."""
    overlap: tuple[Block, Block] | None = None
    """Blocks of different nodes that overlap; all memory is node 0."""
    flag_borders: tuple[int, ...] = ()
    """Addresses at which memory of one node is kept apart for its hot-plug flag alone."""


def read_srat(source: Source) -> SratLog:
    blocks: list[Block] = []
    joined: list[Block] = []
    cpus: set[int] = set()
    unused: Place | None = None
    unread: list[Unread] = []
    for line in source.lines(TOKENS):
        text = line.text
        if _SRAT_STARTS.match(text):
            found = _SRAT.fullmatch(text)
            ends = half_open(found[2], found[3]) if found else None
            if found is None or ends is None:
                unread.append(
                    Unread(
                        line.place,
                        "SRAT",
                        "a line like ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x7fffffff]",
                        text,
                    )
                )
            else:
                hot = "hotplug" in found[4]
                blocks.append(Block(*ends, int(found[1]), hot, line.place))
        elif _JOIN_STARTS.match(text):
            parts = _JOIN.fullmatch(text)
            pairs = [half_open(parts[k], parts[k + 1]) for k in (2, 4)] if parts else [None]
            if parts is None or None in pairs:
                unread.append(
                    Unread(
                        line.place, "NUMA", "NUMA: Node N [mem A-B] + [mem C-D] -> [mem A-D]", text
                    )
                )
            else:
                joined += [Block(*p, int(parts[1]), False, line.place) for p in pairs if p]
        elif found := _CPU.match(text):
            cpus.add(int(found[1]))
        elif text.startswith(("NUMA: nodes only cover", "No NUMA configuration", "Faking a node")):
            unused = unused or line.place
    return SratLog(tuple(blocks), tuple(joined), frozenset(cpus), unused, tuple(unread))


def known_blocks(log: SratLog) -> list[Block]:
    """SRAT lines, and the parts of joins that no SRAT line covers; ascending, none twice."""
    by_node: dict[int, list[tuple[int, int]]] = {}
    for block in log.blocks:
        by_node.setdefault(block.node, []).append((block.start, block.end))
    covered = {node: RangeSet(ranges) for node, ranges in by_node.items()}
    made = {(b.start, b.end, b.node): b for b in reversed(log.blocks)}
    for part in log.joined:
        left = RangeSet([(part.start, part.end)]) - covered.get(part.node, RangeSet())
        for run in left:
            made.setdefault(
                (run.start, run.end, part.node), part._replace(start=run.start, end=run.end)
            )
    return sorted(made.values())


def assign_nodes(memory: Sequence[Span], blocks: Sequence[Block]) -> Assigned:
    """Split `memory` (ascending, disjoint) at the borders of `blocks`, as Linux does."""
    if not memory:
        return Assigned(())
    top = memory[-1].end
    present = RangeSet((m.start, m.end) for m in memory)
    kept = [
        b._replace(end=min(b.end, top))
        for b in sorted(blocks)
        if b.start < top and present.overlaps(Range(b.start, b.end))
    ]
    for low, high in pairwise(kept):
        if high.start < low.end and high.node != low.node:
            return Assigned(_on_node_0(memory), overlap=(low, high))
    joined: list[Block] = []
    for block in kept:
        if joined and joined[-1].node == block.node:
            joined[-1] = joined[-1]._replace(end=max(joined[-1].end, block.end))
        else:
            joined.append(block)
    covered = RangeSet((b.start, b.end) for b in joined)
    missing = [
        Span(run.start, run.end, m.place)
        for m in memory
        for run in RangeSet([(m.start, m.end)]) - covered.within(Range(m.start, m.end))
    ]
    if sum(m.end - m.start for m in missing) >= SLACK:
        return Assigned(_on_node_0(memory), tuple(missing), dropped=True)
    pieces, borders = _split(memory, joined, kept)
    return Assigned(tuple(pieces), tuple(missing), flag_borders=tuple(borders))


def _split(
    memory: Sequence[Span], joined: Sequence[Block], blocks: Sequence[Block]
) -> tuple[list[MemoryRange], list[int]]:
    """Memory cut wherever the node changes, or only the hot-plug flag does (returned too)."""
    flags = [(b.start, b.end) for b in blocks if b.hotplug]
    hot = RangeSet(flags)
    pieces: list[MemoryRange] = []
    borders: list[int] = []
    at = 0
    for m in memory:
        start = m.start
        while start < m.end:
            while at < len(joined) and joined[at].end <= start:
                at += 1
            inside = at < len(joined) and joined[at].start <= start
            node = joined[at].node if inside else 0
            end = m.end
            if at < len(joined):
                end = min(end, joined[at].end if inside else joined[at].start)
            last = pieces[-1] if pieces else None
            for low, high in _flag_runs(start, end, hot):
                if last is not None and last.end == low and last.node == node:
                    if low == start and (low in hot) == (low - 1 in hot):
                        pieces[-1] = last = last._replace(end=high)
                        continue
                    borders.append(low)
                last = MemoryRange(low, high, node, str(m.place))
                pieces.append(last)
            start = end
    return pieces, borders


def _flag_runs(start: int, end: int, hot: RangeSet) -> list[tuple[int, int]]:
    cuts = [start]
    for run in hot.within(Range(start, end)):
        cuts += [run.start, run.end]
    cuts.append(end)
    return [(a, b) for a, b in pairwise(cuts) if a < b]


def _on_node_0(memory: Sequence[Span]) -> tuple[MemoryRange, ...]:
    return tuple(MemoryRange(m.start, m.end, 0, str(m.place)) for m in memory)
