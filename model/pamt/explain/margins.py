"""How much more a machine can take before a policy fails on it.

* ``areas``: how many more holes each TDMR has room for (its reserved areas not in use);
* ``chunk``: the largest chunk that the kernel's scan still finds on a node, the PAMTs all placed;
* ``loss``: the fewest free pages, from the top of a node's free memory downwards, whose loss makes
  the policy fail; exact, found with an unknown address below which memory stays free.

Sources: Linux v6.8 mm/page_alloc.c, alloc_contig_pages; arch/x86/virt/vmx/tdx/tdx.c.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, NamedTuple

from pamt.explain.changes import Trial, pin_facts, try_policy
from pamt.explain.repair import Repairs
from pamt.explain.tracked import Window
from pamt.kernel.contig import ContigAllocator, first_slot, zones_high_to_low
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import FreeRun, Limits, Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import Policy
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.standins import complete

__all__ = ["Margin", "largest_chunk", "least_loss", "margins", "margins_after", "room_left"]

MOST_CUTS = 2_000
"""Runs that the sweep of one node may take."""


class Margin(NamedTuple):
    """One margin of a TDMR (``areas``) or a node: `number` of holes, or `size` in bytes.

    `size` None: the policy works even when the node has no free memory left.
    """

    kind: str
    tdmr: int | None = None
    node: int | None = None
    number: int | None = None
    size: int | None = None


def margins(policy: Policy, machine: Machine, trial: Trial) -> tuple[Margin, ...]:
    """The margins of a policy that works (`trial`); () for one that fails."""
    if not trial.works:
        return ()
    done = complete(machine).machine
    found = list(room_left(done, trial.outcome))
    for node in sorted({r.node for r in done.memory or ()}):
        lost = least_loss(policy, machine, node)
        if lost is not False:
            found.append(Margin("loss", node=node, size=lost))
    return tuple(found)


def margins_after(policy: Policy, machine: Machine, repairs: Repairs) -> tuple[Margin, ...]:
    """The margins of the machine as it is, or with the repair that is shown first.

    A repair of software leaves the machine as it is and has another configuration: of that, only
    how many more holes its TDMRs have room for.
    """
    best = repairs.best
    if not repairs.needed:
        return margins(policy, machine, repairs.trial)
    if best is None:
        return ()
    if best.machine is not None:
        return margins(policy, best.machine, try_policy(policy, best.machine))
    if best.configuration is None:
        return ()
    limit = machine.limits.max_reserved_per_tdmr
    return tuple(
        Margin("areas", tdmr=index, number=limit - len(t.reserved))
        for index, t in enumerate(best.configuration.tdmrs)
    )


def room_left(done: Machine, outcome: Outcome) -> tuple[Margin, ...]:
    """The margins that one success shows by itself: ``areas`` of each TDMR, ``chunk`` of each node.

    `done` is completed.
    """
    limit = done.limits.max_reserved_per_tdmr
    found: list[Margin] = []
    for index, t in enumerate(outcome.tdmrs):
        found.append(Margin("areas", tdmr=index, number=limit - len(t.reserved or ())))
    alloc = ContigAllocator(done.nodes, done.free or ())
    for taken in outcome.trace:
        if taken.action == "take":
            alloc.take(taken.range, taken.node)
    for node in sorted({r.node for r in done.memory or ()}):
        size = largest_chunk(alloc, node, done.limits, outcome.dynamic_pamt)
        found.append(Margin("chunk", node=node, size=size))
    return tuple(found)


def largest_chunk(alloc: ContigAllocator, node: int, limits: Limits, dynamic: bool) -> int:
    """Bytes of the largest chunk, of a TDMR of whole GiBs, that a slot of `node` has room for.

    0 when even that of one GiB finds none.  Sizes are tried from the largest down: a slot for a
    chunk does not mean that there is one for every smaller chunk.
    """
    known = alloc.nodes.get(node)
    runs = alloc.free_runs(node)
    if known is None or not known.online or not runs:
        return 0
    zones = zones_high_to_low(known.zones or ())
    most = max(run.size for run in runs)
    gibs = most // pamt_sizes(GIB, limits, dynamic).total + 1
    while pamt_sizes(gibs * GIB, limits, dynamic).total <= most:
        gibs *= 2
    for number in range(gibs, 0, -1):
        size = pamt_sizes(number * GIB, limits, dynamic).total
        if size <= most and any(first_slot(z.range, size, runs) is not None for z in zones):
            return size
    return 0


def least_loss(policy: Policy, machine: Machine, node: int) -> int | Literal[False] | None:
    """Bytes of free memory whose loss, from the top of `node` down, makes `policy` fail.

    None when it works without any; False when too many runs would be needed to tell.
    """
    done = complete(pin_facts(machine)).machine
    own = RangeSet(f.range for f in done.free or () if f.node == node)
    others = [f for f in done.free or () if f.node != node]
    at = own.span.end - PAGE
    lowest = own.span.start
    for _ in range(MOST_CUTS):
        if at < lowest:
            return None
        window = Window(at, lowest, at)
        cut: Any = window.page()
        left = [FreeRun(r.start, min(r.end, cut), node) for r in own if r.start < cut]
        trial = try_policy(policy, replace(done, free=(*others, *left)))
        if not trial.works:
            return own.within(Range(at, own.span.end)).size
        at = window.low - PAGE
    return False
