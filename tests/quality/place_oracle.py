"""Brute force for placement questions, on literal sets of pages.

Straight from docs/design.md, section 5.

Shares nothing with the solvers but the machine: it enumerates every layout, every position of
every region and every set of pages to give up, and counts areas page by page.  Maps must be tiny.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import NamedTuple

from pamt.machine import Machine
from pamt.placement import Space

GIB_PAGES = 1 << 18
LOW = 256  # pages below 1 MiB


class Answer(NamedTuple):
    """Least objective key; None when infeasible; with the canonical key among equals."""

    key: tuple[int, ...]
    canonical: tuple


class Map(NamedTuple):
    """A machine as page numbers."""

    memory: list[tuple[int, int, int]]
    cmrs: list[tuple[int, int]]
    free: list[tuple[int, int, int]]
    distance: dict[tuple[int, int], int]


def read(machine: Machine, lost: frozenset[int]) -> Map:
    memory: list[tuple[int, int, int]] = []
    for r in machine.memory or ():
        run: list[int] = []
        for page in range(max(r.start // 4096, LOW), r.end // 4096):
            if page in lost:
                if run:
                    memory.append((run[0], run[-1] + 1, r.node))
                run = []
            else:
                run.append(page)
        if run:
            memory.append((run[0], run[-1] + 1, r.node))
    free: list[tuple[int, int, int]] = []
    for node in {r.node for r in machine.free or ()}:
        pages = {
            page
            for r in machine.free or ()
            if r.node == node
            for page in range(max(r.start // 4096, LOW), r.end // 4096)
        }
        free += [(a, b, node) for a, b in runs(pages - lost)]
    cmrs: list[tuple[int, int]] = []
    for c in machine.cmrs or ():
        if not c.size:
            continue
        start, end = c.base // 4096, (c.base + c.size) // 4096
        if cmrs and cmrs[-1][1] == start:
            cmrs[-1] = (cmrs[-1][0], end)
        else:
            cmrs.append((start, end))
    ids = sorted(n.id for n in machine.nodes)
    distance = {
        (n.id, other): (n.distance[ids.index(other)] if n.distance else 20 - 10 * (n.id == other))
        for n in machine.nodes
        for other in ids
    }
    return Map(memory, cmrs, sorted(free), distance)


def runs(pages: set[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for page in sorted(pages):
        if found and found[-1][1] == page:
            found[-1] = (found[-1][0], page + 1)
        else:
            found.append((page, page + 1))
    return found


def layouts(m: Map, machine: Machine, space: Space) -> Iterator[list[tuple[int, int]]]:
    """TDMRs as page ranges."""
    most = machine.limits.max_tdmrs
    if space.tdmrs == "kernel":
        made: list[tuple[int, int]] = []
        for start, end, _ in m.memory:
            low, high = start // GIB_PAGES * GIB_PAGES, -(-end // GIB_PAGES) * GIB_PAGES
            if made and high <= made[-1][1]:
                continue
            made.append((max(low, made[-1][1]) if made else low, high))
        if len(made) <= most:
            yield made
        return
    cells = sorted({page // GIB_PAGES for s, e, _ in m.memory for page in (*range(s, e),)})
    for cuts in product((False, True), repeat=len(cells) - 1):
        groups = [[cells[0]]]
        for cell, cut in zip(cells[1:], cuts, strict=True):
            if cut:
                groups.append([cell])
            else:
                groups[-1].append(cell)
        if len(groups) <= most:
            yield [(g[0] * GIB_PAGES, (g[-1] + 1) * GIB_PAGES) for g in groups]


def sizes(machine: Machine, tdmr: tuple[int, int]) -> tuple[int, int, int]:
    pages = tdmr[1] - tdmr[0]
    e4, e2, e1 = machine.limits.pamt_entry_size
    first = pages * e4
    if machine.limits.dynamic_pamt:
        first = -(-pages * machine.limits.pamt_page_bitmap_entry_bits // 8)
    return (
        -(-first // 4096),
        -(-(pages // 512 * e2) // 4096),
        -(-(pages // GIB_PAGES * e1) // 4096),
    )


def placements(m: Map, space: Space, need: tuple[int, int, int]) -> list[tuple]:
    """All (bases, pages, pieces) of one TDMR's PAMTs, with the node of each region."""
    total = sum(need)
    found = []
    for start, end, node in m.free:
        for at in range(start, end - total + 1):
            bases = (at, at + need[0], at + need[0] + need[1])
            pages = frozenset(range(at, at + total))
            found.append((bases, pages, ((at, at + total),), (node,) * 3))
    if space.pamt == "chunk":
        return found
    chunks = {(bases, nodes) for bases, _, _, nodes in found}
    single = [
        [(at, node) for start, end, node in m.free for at in range(start, end - size + 1)]
        for size in need
    ]
    for three in product(*single):
        bases = tuple(at for at, _ in three)
        nodes = tuple(node for _, node in three)
        if (bases, nodes) in chunks:
            continue
        pieces = tuple((at, at + size) for at, size in zip(bases, need, strict=True))
        pages = frozenset(page for a, b in pieces for page in range(a, b))
        if len(pages) == total:
            found.append((bases, pages, pieces, nodes))
    return found


def gaps(present: list[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    found, at = [], low
    for start, end in present:
        if end <= low or start >= high:
            continue
        if start > at:
            found.append((at, start))
        at = max(at, end)
    if at < high:
        found.append((at, high))
    return found


def minimal_areas(m: Map, taken: set[int], tdmr: tuple[int, int]) -> int:
    """Stretches of the TDMR without usable pages that hold a page which must be reserved."""
    usable = {page for s, e, _ in m.memory for page in range(s, e)} - taken
    stretches = gaps(runs(usable), *tdmr)
    outside = gaps(m.cmrs, *tdmr)
    count = 0
    for a, b in stretches:
        must = any(a < y and x < b for x, y in outside) or any(a <= page < b for page in taken)
        count += must
    return count


def values(machine: Machine, space: Space, order: tuple[str, ...]) -> Iterator[Answer]:
    """Every valid configuration: its objective key and canonical key."""
    memory = sorted(
        {
            page
            for r in machine.memory or ()
            for page in range(max(r.start // 4096, LOW), r.end // 4096)
        }
    )
    for size in range(space.give_up + 1):
        for lost in combinations(memory, size):
            if len(lost) < len(memory):
                yield from _values(machine, space, order, frozenset(lost))


def _values(
    machine: Machine, space: Space, order: tuple[str, ...], lost: frozenset[int]
) -> Iterator[Answer]:
    m = read(machine, lost)
    limit = machine.limits.max_reserved_per_tdmr
    convertible = all(
        any(x <= s and e <= y for x, y in m.cmrs)
        for s, e in runs({page for s, e, _ in m.memory for page in range(s, e)})
    )
    if not convertible or not m.memory:
        return
    for tdmrs in layouts(m, machine, space):
        needs = [sizes(machine, t) for t in tdmrs]
        homes = [next(n for s, e, n in m.memory if e > t[0]) for t in tdmrs]
        options = [placements(m, space, need) for need in needs]
        present = m.cmrs if space.reserve == "cmr" else [(s, e) for s, e, _ in m.memory]
        holes = [len(gaps(present, *t)) for t in tdmrs]
        cuts = tuple((a * 4096, (b - a) * 4096) for a, b in tdmrs)
        for chosen in product(*options):
            taken: set[int] = set()
            for _, pages, _, _ in chosen:
                taken |= pages
            if len(taken) != sum(map(sum, needs)):
                continue
            if space.reserve == "minimal":
                counts = [minimal_areas(m, taken, t) for t in tdmrs]
            else:
                pieces = [piece for _, _, some, _ in chosen for piece in some]
                counts = [
                    hole + sum(a < t[1] and t[0] < b for a, b in pieces)
                    for hole, t in zip(holes, tdmrs, strict=True)
                ]
            if max(counts) > limit:
                continue
            remote = sum(
                pages * (m.distance[home, node] - m.distance[home, home])
                for home, need, (_, _, _, nodes) in zip(homes, needs, chosen, strict=True)
                for pages, node in zip(need, nodes, strict=True)
            )
            cost = {
                "lost": len(lost),
                "remote": remote,
                "max_areas": max(counts),
                "areas": sum(counts),
                "tdmrs": len(tdmrs),
                "pamt_pages": sum(map(sum, needs)),
            }
            bases = tuple(b * 4096 for c in chosen for b in c[0])
            gone = tuple((a * 4096, b * 4096) for a, b in runs(set(lost)))
            yield Answer(tuple(cost[name] for name in order), (cuts, bases, len(lost) * 4096, gone))


def solve(machine: Machine, space: Space, order: tuple[str, ...]) -> Answer | None:
    """The canonical optimum, or None when there is no valid configuration."""
    return min(values(machine, space, order), default=None)


def count_work(machine: Machine, space: Space) -> int:
    """Roughly how many combinations :func:`solve` looks at (for no pages given up)."""
    m = read(machine, frozenset())
    if not m.memory:
        return 0
    work = 0
    for tdmrs in layouts(m, machine, space):
        each = 1
        for t in tdmrs:
            need = sizes(machine, t)
            spots = [sum(max(0, e - s - n + 1) for s, e, _ in m.free) for n in (*need, sum(need))]
            each *= spots[3] + (spots[0] * spots[1] * spots[2] if space.pamt == "split" else 0)
        work += each
    return work
