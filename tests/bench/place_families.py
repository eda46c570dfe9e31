"""Generated machines for the placement benchmark: nodes x TDMRs x free runs, in families.

Same arguments, same machine.  Every TDMR is one memory range (or, where holes are wanted, one and
some short ones in its last GiB), a gap of 1 GiB apart, so that the kernel lays out one TDMR each.

    node      |-------- TDMR 0 --------|   gap   |------ TDMR 1 ------| ...
    memory    |=====================|= =|        |====================|
    free         |==|  |=| |=====|                 |====| |==|
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pamt.kernel.sizes import pamt_sizes
from pamt.machine import FreeRun, Limits, Machine, MemoryRange, Node
from pamt.ranges import GIB, PAGE

__all__ = ["FAMILIES", "generate"]

SIZES = (8, 4, 2, 8, 4, 1, 8, 2)
"""GiB of a node's TDMRs, in turn."""
LIMITS = Limits()


class Plan:
    """Memory of all nodes, and what is free so far."""

    def __init__(self, nodes: int, tdmrs: int, seed: int) -> None:
        self.random = Random(f"{nodes}/{tdmrs}/{seed}")
        self.nodes = nodes
        self.tdmrs: list[tuple[int, int, int]] = []
        at = GIB
        for node in range(nodes):
            for index in range(tdmrs):
                size = SIZES[index % len(SIZES)] * GIB
                self.tdmrs.append((at, at + size, node))
                at += size + GIB
        self.memory: list[MemoryRange] = []
        self.free: list[FreeRun] = []

    def pages(self, tdmr: int) -> int:
        start, end, _ = self.tdmrs[tdmr]
        return pamt_sizes(end - start, LIMITS, False).total // PAGE

    def whole(self) -> None:
        """One memory range a TDMR: no hole but a last page."""
        for start, end, node in self.tdmrs:
            self.memory.append(MemoryRange(start, end - PAGE, node))

    def with_holes(self, holes: list[int]) -> None:
        """That many holes in each TDMR, all in its last GiB."""
        for (start, end, node), wanted in zip(self.tdmrs, holes, strict=True):
            at = end - GIB // 2
            self.memory.append(MemoryRange(start, at, node))
            for _ in range(wanted):
                self.memory.append(MemoryRange(at + PAGE, at + 9 * PAGE, node))
                at += 9 * PAGE

    def lay(self, tdmr: int, lengths: list[int]) -> None:
        """Free runs of these pages in one TDMR, spread over it, in shuffled order."""
        start, end, node = self.tdmrs[tdmr]
        room = (end - GIB // 2 - start) // PAGE - sum(lengths) - len(lengths) - 1
        assert room >= 0, "more free runs than memory"
        lengths = lengths.copy()
        self.random.shuffle(lengths)
        at = start // PAGE + 1
        for length in lengths:
            at += self.random.randint(0, room // (len(lengths) + 1))
            self.free.append(FreeRun(at * PAGE, (at + length) * PAGE, node))
            at += length + 1

    def machine(self, name: str) -> Machine:
        distances = [
            tuple(10 if a == b else 20 + abs(a - b) for b in range(self.nodes))
            for a in range(self.nodes)
        ]
        return Machine(
            name,
            "generated",
            LIMITS,
            None,
            tuple(sorted(self.memory)),
            tuple(Node(n, distance=distances[n]) for n in range(self.nodes)),
            tuple(sorted(self.free)),
        )


def easy(plan: Plan, runs: int) -> None:
    """Room everywhere, in runs of all lengths."""
    plan.whole()
    per_tdmr = max(1, runs * plan.nodes // len(plan.tdmrs))
    for tdmr in range(len(plan.tdmrs)):
        start, end, _ = plan.tdmrs[tdmr]
        most = (end - start) // PAGE // (2 * per_tdmr)
        lengths = [plan.random.randint(1, max(1, most // 2)) for _ in range(per_tdmr - 1)]
        plan.lay(tdmr, [*lengths, (end - start) // PAGE // 8])


def fragmented(plan: Plan, runs: int) -> None:
    """Nearly all runs are too short; of the others there are enough."""
    plan.whole()
    per_tdmr = max(4, runs * plan.nodes // len(plan.tdmrs))
    for tdmr in range(len(plan.tdmrs)):
        _, _, node = plan.tdmrs[tdmr]
        own = [t for t, (_, _, n) in enumerate(plan.tdmrs) if n == node]
        fit = [plan.pages(plan.random.choice(own)) + plan.random.randint(0, 40) for _ in range(2)]
        # The chunk's own size as well, so that nobody has to leave home.
        short = [plan.random.randint(1, 60) for _ in range(per_tdmr - 3)]
        plan.lay(tdmr, [plan.pages(tdmr) + plan.random.randint(0, 3), *fit, *short])


def _hidden(plan: Plan, spare: Callable[[], int]) -> dict[int, list[int]]:
    """Free runs by TDMR, just big enough for a placement that sends some chunks abroad."""
    order = list(range(len(plan.tdmrs)))
    plan.random.shuffle(order)
    pieces: dict[int, list[int]] = {tdmr: [] for tdmr in order}
    waiting: dict[int, list[int]] = {}
    for chunk in order:
        node = plan.tdmrs[chunk][2]
        if plan.nodes > 1 and plan.random.random() < 0.2:
            node = plan.random.choice([n for n in range(plan.nodes) if n != node])
        waiting.setdefault(node, []).append(chunk)
    for node, chunks in sorted(waiting.items()):
        own = [t for t, (s, e, n) in enumerate(plan.tdmrs) if n == node and e - s > GIB]
        while chunks:
            group = [chunks.pop() for _ in range(min(len(chunks), plan.random.randint(1, 3)))]
            length = sum(plan.pages(chunk) for chunk in group) + spare()
            pieces[plan.random.choice(own)].append(length)
    return pieces


def tight(plan: Plan, runs: int) -> None:
    """Pieces just big enough; some chunks have to leave home."""
    plan.whole()
    for tdmr, lengths in _hidden(plan, lambda: plan.random.randint(0, 4)).items():
        short = [plan.random.randint(1, 200) for _ in range(runs // 8)]
        plan.lay(tdmr, lengths + short)


def packing(plan: Plan, runs: int) -> None:
    """As many free pages as chunks need, or more; but two pieces are one page off."""
    plan.whole()
    pieces = _hidden(plan, lambda: 0)
    filled = [(t, at) for t, lengths in sorted(pieces.items()) for at in range(len(lengths))]
    (one, at), (other, to) = plan.random.sample(filled, 2)
    pieces[one][at] -= 1
    pieces[other][to] += 1
    for tdmr, lengths in pieces.items():
        short = [plan.random.randint(1, 200) for _ in range(runs // 8)]
        plan.lay(tdmr, lengths + short)


def _area_tight(plan: Plan, runs: int, spare: int) -> None:
    """Holes leave as many areas as there are chunks, and `spare` more, unevenly spread."""
    slots = [0] * len(plan.tdmrs)
    for _ in range(len(plan.tdmrs) + spare):
        free = [t for t, used in enumerate(slots) if used < 4]
        slots[plan.random.choice(free)] += 1
    # With the hole at the end of each TDMR.
    plan.with_holes([LIMITS.max_reserved_per_tdmr - 1 - n for n in slots])
    for tdmr in range(len(plan.tdmrs)):
        start, end, _ = plan.tdmrs[tdmr]
        short = [plan.random.randint(1, 200) for _ in range(runs // 8)]
        plan.lay(tdmr, [(end - start) // PAGE // 4, *short])


def area_tight(plan: Plan, runs: int) -> None:
    """Holes use nearly all areas."""
    _area_tight(plan, runs, 2)


def counting(plan: Plan, runs: int) -> None:
    """Holes leave one area less than there are chunks."""
    _area_tight(plan, runs, -1)


FAMILIES: dict[str, Callable[[Plan, int], None]] = {
    "easy": easy,
    "fragmented": fragmented,
    "tight": tight,
    "area-tight": area_tight,
    "counting": counting,
    "packing": packing,
}


def generate(family: str, nodes: int, tdmrs: int, runs: int, seed: int = 0) -> Machine:
    """A machine of a family: `tdmrs` and `runs` (about) for each of `nodes`."""
    plan = Plan(nodes, tdmrs, seed)
    FAMILIES[family](plan, runs)
    return plan.machine(f"{family}-{nodes}x{tdmrs}x{runs}-{seed}")
