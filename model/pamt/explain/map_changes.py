"""Repairs that change what memory the kernel has: withdraw, online, free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from pamt.explain.amounts import pages_text
from pamt.explain.changes import pin_facts, try_policy, withdraw
from pamt.explain.freeing import Freed, free_pages
from pamt.explain.repair import No, Repair, boot_lines, ranges_text, tried
from pamt.explain.runner import Progress
from pamt.explain.withdraw import NEVER, Withdrawal, withdraw_pages
from pamt.machine import Machine
from pamt.policies.protocol import Policy

__all__ = ["free", "online", "withdrawn"]

ONLINE_TRIALS = 256
"""Sets of nodes that are tried out."""


def withdrawn(
    policy: Policy, machine: Machine, runs: int, progress: Progress | None = None
) -> Iterator[Repair | No]:
    """Pages that the OS is told not to use.  Raises KeyboardInterrupt after what it has found."""
    found: Withdrawal = withdraw_pages(policy, machine, runs, progress)
    if found.pages is None or found.trial is None or found.cost is None:
        yield _no_pages(found)
    else:
        yield Repair(
            "withdraw",
            found.cost,
            found.bound,
            f"withdraw {pages_text(found.cost)}: {ranges_text(found.pages)}",
            boot_lines(found.pages),
            found.pages,
            found.alternatives,
            found.trial.max_areas,
            found.trial.outcome.pamt_kb,
            found.trial.outcome.configuration(),
            withdraw(pin_facts(machine), found.pages),
        )
    if found.interrupted:
        raise KeyboardInterrupt


def _no_pages(found: Withdrawal) -> No:
    if found.bound >= NEVER:
        return No("no free run holds the PAMTs of one GiB, and withdrawing frees nothing", True)
    text = "no set of pages was found"
    if found.bound > 1:
        least = "one page" if found.bound == 2 else f"{found.bound - 1:,} pages or fewer"
        text += f"; proven: {least} cannot do it"
    return No(text, False)


def online(policy: Policy, machine: Machine) -> Iterator[Repair | No]:
    movable = [node for node in machine.nodes if any(z.name == "Movable" for z in node.zones or ())]
    if not movable:
        yield No("no node has a zone Movable", True)
        return
    if machine.free is not None:
        yield No("the map gives the free runs, which do not say what zone Movable holds", False)
        return
    trials = 0
    for number in range(1, len(movable) + 1):
        for chosen in combinations(movable, number):
            if trials == ONLINE_TRIALS:
                yield No("none of the sets of nodes that were tried helps", False)
                return
            trials += 1
            ids = {node.id for node in chosen}
            nodes = tuple(replace(n, zones=None) if n.id in ids else n for n in machine.nodes)
            changed = replace(machine, nodes=nodes)
            trial = try_policy(policy, changed)
            if trial.works:
                names = ", ".join(str(node.id) for node in chosen)
                yield tried(
                    "online",
                    trial,
                    f"online the memory of node {names} as kernel memory, not in zone Movable",
                    ("boot without movable_node, or online its blocks with 'online_kernel'",),
                    changed,
                )
                return
    yield No("no order of onlining helps: the policy fails without any zone Movable too", True)


def free(policy: Policy, machine: Machine) -> Iterator[Repair | No]:
    got = free_pages(policy, machine)
    if not isinstance(got, Freed):
        yield No(got.reason, got.proven)
        return
    yield Repair(
        "free",
        got.pages,
        got.bound,
        f"free (or move what is in) {pages_text(got.pages)}: {ranges_text(got.ranges)}",
        ("start TDX earlier after boot, before this memory is taken into use",),
        got.ranges,
        (),
        got.trial.max_areas,
        got.trial.outcome.pamt_kb,
        got.trial.outcome.configuration(),
        got.machine,
    )
