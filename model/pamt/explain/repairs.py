"""What to change so that a policy succeeds: every kind of repair there is, each one tried out.

A repair is shown only after the policy has been run on the changed machine and the module has
accepted what it made.  Kinds, in the order in which they are listed:

=============  ===================================================================================
withdraw       pages that the OS is told not to use (``memmap=SIZE$START``)
online         memory of a node onlined as kernel memory instead of zone Movable
free           pages freed (or moved) so that a free run grows around a slot of the kernel's scan
reserve        the PAMTs' ranges reserved at boot, at places that are optimal
variant        another kernel
cut, merge     a change to the policy: other TDMR borders, or areas that touch joined
=============  ===================================================================================

Source: docs/design.md, section 1 (repair).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from pamt.explain.changes import Trial, pin_facts, try_policy, withdraw
from pamt.explain.freeing import Freed, free_pages
from pamt.explain.repair import Missing, Repair, Repairs, boot_lines
from pamt.explain.sentences import size_text
from pamt.explain.withdraw import NEVER, RUNS, Withdrawal, withdraw_pages
from pamt.kernel.construct import construct
from pamt.kernel.contig import Placement
from pamt.machine import Machine
from pamt.module.check import check_outcome
from pamt.placement import LINUX, Space
from pamt.policies.linux import LINUX as VARIANTS
from pamt.policies.linux import LinuxPolicy
from pamt.policies.protocol import Policy
from pamt.ranges import KIB, PAGE, Range
from pamt.solve import FEASIBLE, INFEASIBLE, OPTIMAL, place
from pamt.standins import complete

__all__ = ["KINDS", "SOLVER_STEPS", "find_repairs"]

ONLINE_TRIALS = 256
"""Sets of nodes that are tried out."""
KINDS = ("withdraw", "online", "free", "reserve", "variant", "cut", "merge")
SOLVER_STEPS = 50_000_000
"""Steps for each question that is put to the placement engine."""


class No(NamedTuple):
    """No repair, and whether that is proven."""

    reason: str
    proven: bool


def find_repairs(
    policy: Policy,
    machine: Machine,
    kinds: Sequence[str] = KINDS,
    runs: int = RUNS,
    steps: int = SOLVER_STEPS,
) -> Repairs:
    """Repairs of `machine` (as its file gives it) for `policy`, cheapest kind first.

    `runs` bounds runs of the policy in the search for pages to withdraw, `steps` the solver's.
    """
    trial = try_policy(policy, machine)
    if trial.works:
        return Repairs(trial)
    finders = {
        "withdraw": lambda: _withdraw(policy, machine, runs),
        "online": lambda: _online(policy, machine),
        "free": lambda: _free(policy, machine),
        "reserve": lambda: _reserve(policy, machine, steps),
        "variant": lambda: _variants(policy, machine),
        "cut": lambda: _policy_change("cut", machine, LINUX._replace(tdmrs="free"), steps),
        "merge": lambda: _policy_change("merge", machine, LINUX._replace(reserve="minimal"), steps),
    }
    found: list[Repair] = []
    missing: list[Missing] = []
    for kind in kinds:
        for got in finders[kind]():
            if isinstance(got, Repair):
                found.append(got)
            else:
                missing.append(Missing(kind, *got))
    return Repairs(trial, tuple(found), tuple(missing))


def _withdraw(policy: Policy, machine: Machine, runs: int) -> Iterator[Repair | No]:
    found: Withdrawal = withdraw_pages(policy, machine, runs)
    if found.pages is None or found.trial is None or found.cost is None:
        if found.bound >= NEVER:
            yield No("no free run holds the PAMTs of one GiB, and withdrawing frees nothing", True)
        else:
            yield No(
                f"no set of pages was found; fewer than {found.bound} are proven not to be enough",
                False,
            )
        return
    yield Repair(
        "withdraw",
        found.cost,
        found.bound,
        f"withdraw {_pages(found.cost)}: {_ranges(found.pages)}",
        boot_lines(found.pages),
        found.pages,
        found.alternatives,
        found.trial.max_areas,
        found.trial.outcome.pamt_kb,
        found.trial.outcome.configuration(),
        withdraw(pin_facts(machine), found.pages),
    )


def _online(policy: Policy, machine: Machine) -> Iterator[Repair | No]:
    movable = [node for node in machine.nodes if any(z.name == "Movable" for z in node.zones or ())]
    if not movable:
        yield No("no node has a zone Movable", True)
        return
    if machine.free is not None:
        yield No("the map gives the free runs, which do not say what zone Movable holds", False)
        return
    tried = 0
    for number in range(1, len(movable) + 1):
        for chosen in combinations(movable, number):
            if tried == ONLINE_TRIALS:
                yield No("none of the sets of nodes that were tried helps", False)
                return
            tried += 1
            ids = {node.id for node in chosen}
            nodes = tuple(replace(n, zones=None) if n.id in ids else n for n in machine.nodes)
            changed = replace(machine, nodes=nodes)
            trial = try_policy(policy, changed)
            if trial.works:
                names = ", ".join(str(node.id) for node in chosen)
                yield _from_trial(
                    "online",
                    trial,
                    f"online the memory of node {names} as kernel memory, not in zone Movable",
                    ("boot without movable_node, or online its blocks with 'online_kernel'",),
                    changed,
                )
                return
    yield No("no order of onlining helps: the policy fails without any zone Movable too", True)


def _free(policy: Policy, machine: Machine) -> Iterator[Repair | No]:
    got = free_pages(policy, machine)
    if not isinstance(got, Freed):
        yield No(got.reason, got.proven)
        return
    yield Repair(
        "free",
        got.pages,
        1,
        f"free (or move what is in) {_pages(got.pages)}: {_ranges(got.ranges)}",
        ("start TDX earlier after boot, before this memory is taken into use",),
        got.ranges,
        (),
        got.trial.max_areas,
        got.trial.outcome.pamt_kb,
        got.trial.outcome.configuration(),
        got.machine,
    )


class _Reserved:
    """A source of chunks at fixed places: what a boot-time reservation would hand out."""

    def __init__(self, places: Sequence[Placement]) -> None:
        self._left = list(places)

    def contig(self, size: int, node: int) -> Placement | None:
        del node
        if self._left and self._left[0].range.size == size:
            return self._left.pop(0)
        return None

    def give_back(self, returned: Range, node: int) -> None:
        del returned, node


def _reserve(policy: Policy, machine: Machine, steps: int) -> Iterator[Repair | No]:
    if not isinstance(policy, LinuxPolicy):
        yield No("a boot-time reservation is known for the kernel variants only", True)
        return
    variant = policy.variant
    limits = replace(machine.limits, dynamic_pamt=variant.dynamic_pamt)
    done = complete(replace(machine, limits=limits)).machine
    space = LINUX._replace(reserve="cmr" if variant.holes_from_cmrs else "memory")
    result = place(done, space, budget=steps, canonical=False)
    if result.configuration is None:
        proven = result.verdict == INFEASIBLE
        lead = "no place for every PAMT exists" if proven else "no place for every PAMT was found"
        yield No(f"{lead} ({result.verdict})", proven)
        return
    node_of = [(f.range, f.node) for f in done.free or ()]
    places = []
    for t in result.configuration.tdmrs:
        whole = Range(t.pamt_4k.base, t.pamt_1g.range.end)
        node = next((n for r, n in node_of if r.covers(whole.start)), 0)
        places.append(Placement(whole, node, "reserved"))
    outcome = construct(done, _Reserved(places), variant)
    trial = Trial(outcome, check_outcome(outcome, done) if outcome.succeeded else None)
    if not trial.works:
        yield No("the kernel's other steps fail even with every PAMT at its best place", False)
        return
    pages = sum(p.range.size for p in places) // PAGE
    summary = f"reserve {_pages(pages)} at boot for the PAMTs, at the places listed"
    actions = tuple(
        f"TDMR {index}: {p.range.start:#x}-{p.range.end:#x} on node {p.node}"
        for index, p in enumerate(places)
    )
    yield replace(
        _from_trial("reserve", trial, summary, actions),
        cost=pages,
        bound=pages,
        ranges=tuple(p.range for p in places),
    )


def _variants(policy: Policy, machine: Machine) -> Iterator[Repair | No]:
    works = False
    for name, other in VARIANTS.items():
        if other == policy:
            continue
        trial = try_policy(other, machine)
        if trial.works:
            works = True
            summary = f"run linux:{name} ({other.variant.summary})"
            needs = ("the TDX module must support Dynamic PAMT",)
            actions = needs if other.variant.dynamic_pamt else ()
            yield _from_trial("variant", trial, summary, actions)
    if not works:
        yield No("every other kernel variant fails on this map", True)


def _policy_change(kind: str, machine: Machine, space: Space, steps: int) -> Iterator[Repair | No]:
    done = complete(machine).machine
    result = place(done, space, budget=steps, canonical=False)
    what = {
        "cut": "cut TDMRs at other GiB borders than the kernel's",
        "merge": "reserve only what must be, and join reserved areas that touch",
    }[kind]
    if result.verdict not in {OPTIMAL, FEASIBLE} or result.configuration is None:
        proven = result.verdict == INFEASIBLE
        said = "does not help" if proven else "was not seen to help"
        yield No(f"to {what} {said} ({result.verdict})", proven)
        return
    configuration = result.configuration
    most = max(len(t.reserved) for t in configuration.tdmrs)
    yield Repair(
        kind,
        0,
        0,
        f"change the policy: {what}",
        tuple(f"TDMR {i}: {t.range}" for i, t in enumerate(configuration.tdmrs))
        if kind == "cut"
        else (),
        (),
        (),
        most,
        sum(p.size for t in configuration.tdmrs for p in t.pamts) // KIB,
        configuration,
    )


def _from_trial(
    kind: str,
    trial: Trial,
    summary: str,
    actions: tuple[str, ...],
    machine: Machine | None = None,
) -> Repair:
    return Repair(
        kind,
        0,
        0,
        summary,
        actions,
        (),
        (),
        trial.max_areas,
        trial.outcome.pamt_kb,
        trial.outcome.configuration(),
        machine,
    )


def _pages(number: int) -> str:
    noun = "page" if number == 1 else "pages"
    return f"{number} {noun} ({size_text(number * PAGE)})"


def _ranges(ranges: Sequence[Range]) -> str:
    """Single pages by their address, others as ranges; a few of them."""
    shown = [f"{r.start:#x}" if r.size == PAGE else f"{r.start:#x}-{r.end:#x}" for r in ranges[:4]]
    more = len(ranges) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
