"""Maps aimed at the engine: runs barely long enough, borders, low area limits, odd distances."""

from __future__ import annotations

from random import Random

from pamt.kernel.sizes import pamt_sizes
from pamt.machine import FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Space
from pamt.ranges import GIB, MIB, PAGE
from pamt.standins import complete

ORDERS = (
    ("lost", "remote", "max_areas", "areas", "tdmrs", "pamt_pages"),
    ("remote", "areas", "max_areas"),
    ("max_areas", "remote"),
    ("areas", "max_areas", "remote"),
    ("max_areas",),
)
G = GIB // PAGE


def mixed(random: Random) -> tuple[Machine, Space, tuple[str, ...]]:
    """A few GiB on up to three nodes, with everything that can go wrong on a small map."""
    nodes = random.choice((1, 1, 2, 2, 3))
    memory = _memory(random, nodes)
    entry = random.choice(((16, 16, 16), (1, 1, 1), (3, 2, 1)))
    limits = Limits(
        max_tdmrs=random.choice((64, 64, 4)),
        max_reserved_per_tdmr=random.choice((16, 2, 3, 3, 4, 4, 5)),
        pamt_entry_size=entry,
    )
    chunk = pamt_sizes(GIB, limits, False).total // PAGE
    free = [run for r in memory for run in _free(random, r, chunk)]
    distances = []
    for a in range(nodes):
        others = [20, 21, 11, 12, 9] if random.random() < 0.3 else [20]
        distances.append(tuple(10 if a == b else random.choice(others) for b in range(nodes)))
    machine = Machine(
        limits=limits,
        memory=tuple(MemoryRange(a * PAGE, b * PAGE, n) for a, b, n in memory),
        free=tuple(FreeRun(a * PAGE, b * PAGE, n) for a, b, n in _apart(free)),
        nodes=tuple(Node(n, distance=distances[n]) for n in range(nodes)),
    )
    space = Space(reserve=random.choice(("memory", "cmr")))
    order = random.choice(ORDERS) if random.random() < 0.5 else ORDERS[0]
    return complete(machine).machine, space, order


def _memory(random: Random, nodes: int) -> list[tuple[int, int, int]]:
    """Ranges in pages with their node; some split inside, some with ragged ends."""
    found: list[tuple[int, int, int]] = []
    at = 0
    many = random.randint(1, 5)
    for index in range(many):
        size = random.choice((1, 1, 1, 2, 3)) * G
        at += random.choice((0, 0, 0, G))
        start = at + random.choice((0, 0, random.randint(1, 2000)))
        end = at + size - random.choice((0, 0, random.randint(1, 2000)))
        node = min(nodes - 1, index * nodes // many)
        if random.random() < 0.2:
            node = random.randrange(nodes)
        if random.random() < 0.4:
            middle = (start + end) // 2
            after = middle + random.choice((0, 0, 1, 5))
            found += [(start, middle, node)]
            found += [(after, end, node if random.random() < 0.8 else random.randrange(nodes))]
        else:
            found.append((start, end, node))
        at += size
    return found


def _free(random: Random, r: tuple[int, int, int], chunk: int) -> list[tuple[int, int, int]]:
    """Some runs of about one to four chunks: at the ends, across GiB borders, anywhere."""
    low, high, node = max(r[0], MIB // PAGE), r[1], r[2]
    found: list[tuple[int, int, int]] = []
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        want = chunk * random.choice((1, 1, 1, 2, 2, 3, 4)) + random.choice((0, 0, -1, 1, -2, 2, 5))
        start = random.choice(
            (
                low,
                high - want,
                random.randrange(r[0] // G, high // G + 1) * G - random.randint(0, want),
                random.randrange(low, max(low + 1, high)),
            )
        )
        start = max(start, low)
        found.append((start, min(start + want, high), node))
    return found


def _apart(runs: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    for start, end, node in sorted(runs):
        first = max(start, found[-1][1]) if found else start
        if first < end:
            found.append((first, end, node))
    return found


def tight(random: Random) -> Machine:
    """Pieces cut for a hidden placement, some a page or two off: packing decides."""
    nodes, per_node = random.choice((1, 1, 2, 2, 3)), random.randint(2, 5)
    limits = Limits(max_reserved_per_tdmr=random.choice((16, 16, 3, 4, 5)))
    tdmrs: list[tuple[int, int, int]] = []
    at = G
    for node in range(nodes):
        for _ in range(per_node):
            size = random.choice((1, 2, 3, 4, 5))
            tdmrs.append((at, at + size * G, node))
            at += (size + 1) * G
    pages = [pamt_sizes((b - a) * PAGE, limits, False).total // PAGE for a, b, _ in tdmrs]
    waiting = list(range(len(tdmrs)))
    random.shuffle(waiting)
    ends = [a for a, _, _ in tdmrs]
    free: list[FreeRun] = []
    while waiting:
        group = [waiting.pop() for _ in range(min(len(waiting), random.randint(1, 4)))]
        length = sum(pages[c] for c in group) + random.choice((0, 0, 0, 1, -1, 2, 3, -2, -3))
        node = tdmrs[group[0]][2] if random.random() < 0.8 else random.randrange(nodes)
        where = random.choice([t for t, (_, _, n) in enumerate(tdmrs) if n == node])
        start = ends[where] + random.randint(1, 9)
        if start + length < tdmrs[where][1]:
            free.append(FreeRun(start * PAGE, (start + length) * PAGE, node))
            ends[where] = start + length
    machine = Machine(
        limits=limits,
        memory=tuple(MemoryRange(a * PAGE, (b - 1) * PAGE, n) for a, b, n in tdmrs),
        free=tuple(sorted(free)),
    )
    return complete(machine).machine
