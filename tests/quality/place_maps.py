"""Tiny maps for differential tests of placement: few pages of memory in few GiBs.

Dynamic PAMT with one-byte entries makes the three regions of a 1 GiB TDMR 8 + 1 + 1 pages.  The
mix is aimed: free runs barely long enough, low area limits, remote nodes, gaps that are
convertible or not, ranges across GiB borders and touching ones.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import strategies as st

from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.standins import complete

P = 4096
GIB_PAGES = 1 << 18


def machines(most_gibs: int = 3, roomy: bool = True) -> st.SearchStrategy[Machine]:
    """Completed machines, each from a seed, so that the mix is ours and not the shrinker's."""
    seeds = st.integers(0, 2**32 - 1)
    return seeds.map(lambda seed: machine(Random(seed), most_gibs, roomy))


def machine(
    random: Random, most_gibs: int = 3, roomy: bool = True, crumbs: bool = False
) -> Machine:
    """One completed machine.

    `roomy` False keeps free runs so short that few positions exist.  `crumbs` adds single pages of
    memory, some not convertible, under a low limit: it pays to give them up.
    """
    lengths = (10, 11, 12, 18, 20, 22, 29) if roomy else (8, 9, 10, 11, 12)
    # In most maps every GiB begins with a range too short for a PAMT, on a node of its own, so
    # that whatever is placed lies far from home.
    far_from_home = random.random() < 0.7
    ranges: list[tuple[int, int, int]] = []
    at = 256
    gibs = random.randint(1, most_gibs if roomy else 2)
    first = random.choice((0, 1, 1))
    for gib in range(first, max(first, gibs - 1) + 1):
        low = gib * GIB_PAGES
        if far_from_home:
            start = max(low, at)
            short = random.choice((1, 1, 2, 5))
            room = random.choice((20, 21, 22, 33, 34)) if roomy else random.choice((10, 11, 20))
            after = start + short + random.choice((0, 0, 1, 7))
            ranges += [(start, start + short, 0), (after, after + room, 1)]
            at = after + room
            continue
        for _ in range(random.choice((1, 1, 1, 2, 2))):
            length = random.choice(lengths if random.random() < 0.8 else (1, 1, 2, 3))
            where = random.choice(("low", "mid", "touch", "end", "cross"))
            start = {
                "low": low + random.randint(0, 1),
                "mid": max(at, low) + random.randint(1, 40),
                "touch": at,
                "end": low + GIB_PAGES - length,
                "cross": low + GIB_PAGES - random.randint(1, length),
            }[where]
            start = max(start, at)
            ranges.append((start, start + length, random.randint(0, 1)))
            at = start + length
    if not ranges:
        ranges = [(GIB_PAGES, GIB_PAGES + 12, 0)]
    limit = random.choice((2, 3, 4, 5, 6, 16, 16))
    if crumbs:
        for _, e, n in list(ranges):
            if all(x >= e + 6 or y <= e for x, y, _ in ranges) and random.random() < 0.6:
                ranges.append((e + 3, e + 4, n))
        ranges.sort()
        limit = random.choice((2, 3, 3, 4, 16))
    memory = tuple(MemoryRange(s * P, e * P, n) for s, e, n in ranges)
    free = []
    for s, e, n in ranges:
        kind = random.choice(("all", "all", "all", "all", "tail", "head", "none"))
        cut = random.randint(1, 2)
        if kind == "none" or (kind != "all" and e - s <= cut):
            continue
        free.append(FreeRun((s + cut * (kind == "tail")) * P, (e - cut * (kind == "head")) * P, n))
    far = random.choice((11, 20, 21, 32))
    nodes = (Node(0, distance=(10, far)), Node(1, distance=(random.choice((20, far)), 10)))
    limits = Limits(
        max_tdmrs=random.choice((1, 3, 64, 64, 64, 64)),
        max_reserved_per_tdmr=limit,
        pamt_entry_size=(16, 1, 1),
        dynamic_pamt=True,
    )
    cmrs = _cmrs(random, ranges, 0.3 if crumbs else 0.03)
    return complete(Machine("tiny", "", limits, cmrs, memory, nodes, tuple(free))).machine


def homely(random: Random) -> Machine:
    """One completed machine on whose nodes TDMRs begin at known cells, if PAMTs are to be at home.

    Up to five GiBs with little memory each, node after node, some nodes without free runs; free
    runs of lengths that few regions add up to, between holes that mostly must be reserved.
    """
    gibs = random.randint(2, 4)
    nodes = random.randint(1, min(3, gibs))
    borders = sorted(random.randrange(gibs) for _ in range(nodes - 1))
    with_free = [random.random() < 0.7 for _ in range(nodes)]
    with_free[0] = True
    ranges: list[tuple[int, int, int]] = []
    free: list[FreeRun] = []
    most = random.choice((2, 3))
    begun: set[int] = set()
    for gib in range(gibs):
        node = sum(gib >= border for border in borders)
        at = max(256, gib * GIB_PAGES) + random.choice((0, 0, 0, 3))
        if with_free[node] and node not in begun:
            # Room for about as much as the node's own GiBs need.
            begun.add(node)
            length = 10 * random.randint(1, gibs - gib) + random.randint(0, 2)
            ranges.append((at, at + length, node))
            free.append(FreeRun(at * P, (at + length) * P, node))
            at += length + random.choice((1, 2, 5))
        for _ in range(random.choice((1, 1, 2, most)) if gib < 2 else 1):
            length = random.choice((1, 1, 2, 3, 8, 9, 10, 16))
            ranges.append((at, at + length, node))
            if with_free[node] and random.random() < 0.6:
                free.append(FreeRun(at * P, (at + length) * P, node))
            at += length + random.choice((1, 2, 5))
    cmrs = [Cmr(s * P, (e - s) * P) for s, e, _ in ranges]
    if random.random() < 0.3:
        cmrs = [Cmr(ranges[0][0] * P, (ranges[-1][1] - ranges[0][0]) * P)]
    limits = Limits(
        max_tdmrs=random.choice((2, 3, 64, 64)),
        max_reserved_per_tdmr=random.choice((1, 2, 3, 4, 16, 16)),
        pamt_entry_size=(16, 1, 1),
        dynamic_pamt=True,
    )
    memory = tuple(MemoryRange(s * P, e * P, n) for s, e, n in ranges)
    listed = tuple(Node(node) for node in sorted({n for _, _, n in ranges}))
    return complete(Machine("tiny", "", limits, tuple(cmrs), memory, listed, tuple(free))).machine


def patterned(random: Random) -> Machine:
    """One completed machine of two or three GiBs, some with a GiB without memory in between.

    Each GiB holds a few of these, at its begin or at its end: free runs, pages in use, holes that
    are convertible and holes that are not; so free runs lie next to holes that must be reserved,
    behind others, or away from all of them.
    """
    ranges: list[tuple[int, int, int]] = []
    free: list[tuple[int, int, int]] = []
    holes: list[tuple[int, int]] = []
    nodes = random.choice((1, 1, 2))
    gib = 0
    for count in range(random.choice((2, 2, 3))):
        gib += (1 if count else random.choice((0, 1))) + random.choice((0, 0, 1))
        node = random.randrange(nodes)
        tokens = [random.choice("FFUUHHHh") for _ in range(random.randint(2, 5))]
        tokens.insert(random.choice((0, len(tokens))), "F")
        lengths = [
            {"F": random.choice((1, 2, 8, 10, 11)), "U": 1}.get(t, random.randint(1, 3))
            for t in tokens
        ]
        # One run that is long enough, away from holes more often than not.
        if not count or random.random() < 0.5:
            lengths[0 if tokens[0] == "F" else -1] = 10 * random.randint(1, 3)
            if tokens[0] == "F" and random.random() < 0.7:
                tokens.insert(1, "U")
                lengths.insert(1, 1)
        at = max(256, gib * GIB_PAGES)
        if random.random() < 0.4:
            at = (gib + 1) * GIB_PAGES - sum(lengths)
        for token, length in zip(tokens, lengths, strict=True):
            if token in "FU":
                ranges.append((at, at + length, node))
            if token == "F":
                free.append((at, at + length, node))
            if token == "H":
                holes.append((at, at + length))
            at += length
    if not ranges:
        ranges = [(GIB_PAGES, GIB_PAGES + 12, 0)]
    # What lies between GiBs is convertible or not as a whole.
    edges = [(a[1], b[0]) for a, b in pairwise(ranges)]
    wide = [(a, b) for a, b in edges if b - a > GIB_PAGES // 2 and random.random() < 0.7]
    out = sorted(
        (max(a, ranges[0][1]), min(b, ranges[-1][0]))
        for a, b in (*holes, *wide)
        if a >= ranges[0][1] and b <= ranges[-1][0]
    )
    cmrs: list[Cmr] = []
    at = ranges[0][0]
    for a, b in out:
        if a > at:
            cmrs.append(Cmr(at * P, (a - at) * P))
        at = max(at, b)
    cmrs.append(Cmr(at * P, (ranges[-1][1] - at) * P))
    far = random.choice((10, 20))
    limits = Limits(
        max_tdmrs=random.choice((1, 2, 64, 64)),
        max_reserved_per_tdmr=random.choice((2, 3, 16, 16)),
        pamt_entry_size=(16, 1, 1),
        dynamic_pamt=True,
    )
    memory = tuple(MemoryRange(s * P, e * P, n) for s, e, n in ranges)
    listed = (Node(0, distance=(10, far)), Node(1, distance=(far, 10)))
    runs = tuple(FreeRun(s * P, e * P, n) for s, e, n in free)
    return complete(Machine("tiny", "", limits, tuple(cmrs), memory, listed, runs)).machine


def _cmrs(
    random: Random, ranges: list[tuple[int, int, int]], missing: float
) -> tuple[Cmr, ...] | None:
    """CMR runs around the memory: gaps convertible, not, or in part.

    `missing`: the chance that the first page is not convertible.
    """
    if random.random() < 0.2:
        return None
    start, end, _ = ranges[0]
    start -= min(start, random.choice((0, 0, 5)))
    runs: list[list[int]] = [[start, end]]
    for s, e, _ in ranges[1:]:
        gap = s - runs[-1][1]
        kind = random.choice(("join", "apart", "partly", "hole"))
        if gap == 0 or kind == "join":
            runs[-1][1] = e
        elif kind == "apart" or gap < 3:
            runs.append([s, e])
        elif kind == "partly":
            runs[-1][1] += 1
            runs.append([s - 1, e])
        else:
            runs += [[s - gap // 2, s - gap // 2 + 1], [s, e]] if gap > 4 else [[s, e]]
    runs[-1][1] += random.choice((0, 0, 3))
    if random.random() < missing:
        runs[0][0] += 1
    table = [Cmr(s * P, (e - s) * P) for s, e in runs if e > s]
    if random.random() < 0.5:
        table.insert(len(table) // 2, Cmr(0, 0))
    return tuple(table)


def neighbours(random: Random) -> Machine:
    """One completed machine of two to four GiBs on two nodes or more, each with PAMTs of its own.

    Memory lies at the begin or at the end of a GiB, so that free runs of two nodes may touch where
    one node ends; holes may have to be reserved or not, mostly with short free runs beside them.
    """
    gibs = random.choice((2, 2, 3, 3, 4))
    nodes = random.randint(2, min(3, gibs))
    borders = sorted(random.sample(range(1, gibs), nodes - 1))
    ranges: list[tuple[int, int, int]] = []
    free: list[tuple[int, int, int]] = []
    holes: list[tuple[int, int]] = []
    end = False
    skipped = random.choice((0, 1))
    for count in range(gibs):
        gib = count + skipped
        node = sum(count >= border for border in borders)
        # Behind memory at the end of a GiB mostly comes some at the begin of the next.
        begin = random.random() < (0.8 if end else 0.4)
        end = not begin
        tokens = [random.choice("FUUHHh") for _ in range(random.randint(0, 3))]
        lengths = [random.choice((1, 1, 2, 8) if t == "F" else (1, 2)) for t in tokens]
        tokens.insert(0 if begin else len(tokens), random.choice("FFU"))
        lengths.insert(0 if begin else len(lengths), random.choice((1, 2, 8, 10, 11)))
        if count in (0, *borders) or random.random() < 0.3:
            # Room for the node's PAMTs, in the middle or at the outer end.
            where = random.choice((0, len(tokens)))
            tokens[where:where] = ["U", "F", "U"]
            lengths[where:where] = [1, random.choice((10, 11, 20, 22, 30)), 1]
        at = max(256, gib * GIB_PAGES) if begin else (gib + 1) * GIB_PAGES - sum(lengths)
        for token, length in zip(tokens, lengths, strict=True):
            if token in "FU":
                ranges.append((at, at + length, node))
            if token == "F":
                free.append((at, at + length, node))
            if token == "H":
                holes.append((at, at + length))
            at += length
    edges = [(a[1], b[0]) for a, b in pairwise(ranges)]
    wide = [(a, b) for a, b in edges if b - a > GIB_PAGES // 2 and random.random() < 0.5]
    first, last = ranges[0][0], ranges[-1][1]
    cmrs: list[Cmr] = []
    at = first
    for a, b in sorted((min(max(a, first), last), min(b, last)) for a, b in (*holes, *wide)):
        if a > at:
            cmrs.append(Cmr(at * P, (a - at) * P))
        at = max(at, b)
    if at < last:
        cmrs.append(Cmr(at * P, (last - at) * P))
    limits = Limits(
        max_tdmrs=random.choice((2, 3, 64, 64)),
        max_reserved_per_tdmr=random.choice((1, 2, 3, 16, 16)),
        pamt_entry_size=(16, 1, 1),
        dynamic_pamt=True,
    )
    memory = tuple(MemoryRange(s * P, e * P, n) for s, e, n in ranges)
    runs = tuple(FreeRun(s * P, e * P, n) for s, e, n in free)
    listed = tuple(
        Node(node, distance=tuple(10 if node == other else 20 for other in range(nodes)))
        for node in range(nodes)
    )
    return complete(Machine("tiny", "", limits, tuple(cmrs), memory, listed, runs)).machine
