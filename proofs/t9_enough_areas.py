"""T9: an inequality under which mainline cannot run out of reserved areas.

The loops are `chunks_inside` (how many chunks count in a TDMR) and `reserve_areas` (T6: one area
a piece). The inequality itself is `pamt.prove.conditions.area_bounds`.
"""

from __future__ import annotations

import random
from typing import Any

from pamt.kernel.areas import EXHAUSTED, chunks_inside, reserve_areas
from pamt.machine import FreeRun, Limits, Machine, MemoryRange
from pamt.policies.linux import mainline
from pamt.policies.protocol import run_policy
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.conditions import area_bounds
from pamt.prove.stages import appended, turn
from pamt.prove.terms import boolean, both, choose, either, equal, implies, integer, negate
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.standins import complete
from pamt.verify.interp import GuardedList

TDMR = Range(integer("tdmr_start"), integer("tdmr_end"))
CHUNK = Range(integer("chunk_start"), integer("chunk_end"))
MEMORY = Range(integer("memory_start"), integer("memory_end"))
COUNTED, BOUND = integer("counted"), integer("bound")
HOLES, MAX = integer("holes"), integer("max_reserved")
OF_A_NODE_INSIDE = boolean("chunk is of a node with memory in the TDMR")


def counted(chunk: Range) -> Any:
    parts = GuardedList()
    turn(chunks_inside, {"tdmr": TDMR, "parts": parts}, chunk)
    return choose(appended(parts)[0].when, 1, 0)


def meets(a: Range, b: Range) -> Any:
    return both(a.start < b.end, b.start < a.end)


def node_inside() -> Claim:
    """A chunk that counts in a TDMR is of a node with memory in it.

    The chunk lies in a free run, which lies in touching memory ranges of its node; `MEMORY` is
    the stretch that they form together.
    """
    return Claim(
        {"memory of the node inside": implies(equal(counted(CHUNK), 1), meets(MEMORY, TDMR))},
        needs={
            "chunk in memory of its node": both(
                MEMORY.start <= CHUNK.start, CHUNK.end <= MEMORY.end
            )
        },
    )


def step() -> Claim:
    """One more chunk: the count grows by at most what the bound grows by."""
    return Claim(
        {
            "still within": COUNTED + counted(CHUNK) <= BOUND + choose(OF_A_NODE_INSIDE, 1, 0),
        },
        needs={
            "within": COUNTED <= BOUND,
            "it counts only if of a node inside": implies(
                equal(counted(CHUNK), 1), OF_A_NODE_INSIDE
            ),
        },
    )


def any_node_step() -> Claim:
    """The cruder bound, one for each TDMR, needs no locality at all."""
    return Claim(
        {"still within": COUNTED + counted(CHUNK) <= BOUND + 1},
        needs={"within": COUNTED <= BOUND},
    )


def use() -> Claim:
    """Holes and chunks are all the pieces; within the limit, none is refused."""
    piece = Range(integer("piece_start"), integer("piece_end"))
    done = integer("done")
    state = {"tdmr": TDMR, "areas": GuardedList(), "count": done, "max_reserved": MAX}
    made = turn(reserve_areas, state, piece)
    refused = either(*(r.guard for r in made.returns if r.value.stop == EXHAUSTED))
    return Claim(
        {"not exhausted": negate(refused)},
        needs={
            "a piece is left": done < HOLES + COUNTED,
            "within the bound": COUNTED <= BOUND,
            "the inequality": HOLES + BOUND <= MAX,
        },
    )


def _random_map(rng: random.Random) -> Machine:
    at = MIB
    memory: list[MemoryRange] = []
    for _ in range(rng.randint(1, 7)):
        start = at + rng.choice((0, PAGE, 64 * MIB, 300 * MIB))
        at = start + rng.choice((16 * MIB, 700 * MIB, GIB, 3 * GIB)) + rng.randint(0, 9) * PAGE
        memory.append(MemoryRange(start, at, rng.randint(0, 1)))
    limits = Limits(max_reserved_per_tdmr=rng.randint(2, 8))
    free = tuple(FreeRun(r.start, r.end, r.node) for r in memory if rng.random() < 0.9)
    return Machine("t9", memory=tuple(memory), limits=limits, free=free)


def replayed() -> Evidence:
    """Random maps with small limits: where the inequality is met, areas do not run out."""
    rng = random.Random(9)
    met = exhausted = 0
    for _ in range(400):
        machine = complete(_random_map(rng)).machine
        reason = run_policy(mainline, machine).reason
        exhausted += reason == "ENOSPC_reserved"
        if all(bound.holds for bound in area_bounds(machine)):
            met += 1
            if reason == "ENOSPC_reserved":
                return Evidence(False, str(machine))
    enough = met > 50 and exhausted > 50
    return Evidence(enough, f"400 maps: met on {met}, areas exhausted on {exhausted} others")


def _replayed_with(slack: int) -> Evidence:
    """The same with an inequality that is too weak by `slack` areas: a map must refute it."""
    rng = random.Random(9)
    for _ in range(400):
        machine = complete(_random_map(rng)).machine
        weak = all(b.holes + b.chunks <= b.limit + slack for b in area_bounds(machine))
        if weak and run_policy(mainline, machine).reason == "ENOSPC_reserved":
            return Evidence(False, str(machine))
    return Evidence(True, "not refuted")


THEOREM = Theorem(
    name="t9_enough_areas",
    short="T9",
    title="A checkable inequality under which areas cannot run out",
    statement="If for every TDMR its holes and the chunks of nodes with memory in it are together"
    " at most max_reserved_per_tdmr, linux:mainline cannot end with reserved areas exhausted. A"
    " node counts the TDMRs that call it home if every home node has a free run in a zone of the"
    " length of T7 for its own chunks; else every node counts all TDMRs.",
    formal="holes(t) + sum over nodes m with memory in t of |{j : home(j) = m}| <= L => not ENOSPC",
    trusts="T6 (areas are holes and pieces), T7 (a home node with such a run holds its chunks),"
    " free runs inside memory of their node.",
    obligations=(
        Obligation("node-inside", "a chunk counts only where its node has memory", node_inside),
        Obligation("step", "the bound grows with the count", step),
        Obligation("any-node-step", "one for each TDMR, wherever chunks are", any_node_step),
        Obligation("use", "within the limit, no piece is refused", use),
        Check("replayed", "random maps, small limits", replayed),
    ),
    mutants=(
        Obligation(
            "one area too many",
            "one more than the limit is fine",
            lambda: Claim(
                use().goal,
                {**use().needs, "the inequality": HOLES + BOUND <= MAX + 1},
                use().given,
            ),
        ),
        Obligation(
            "chunks do not count",
            "a chunk never counts",
            lambda: step().replacing(m=equal(counted(CHUNK), 0)),
        ),
        Obligation(
            "the TDMR holds the chunk",
            "a chunk that counts lies in the TDMR",
            lambda: node_inside().replacing(
                m=implies(equal(counted(CHUNK), 1), CHUNK.start >= TDMR.start)
            ),
        ),
        Check(
            "inequality too weak by one", "holes + chunks <= limit + 1", lambda: _replayed_with(1)
        ),
    ),
)
