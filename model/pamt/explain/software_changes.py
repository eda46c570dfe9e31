"""Repairs that change the software: reserve, variant, cut, merge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pamt.configuration import Configuration
from pamt.explain.amounts import pages_text
from pamt.explain.changes import Trial, try_policy
from pamt.explain.few.cuts import fewest_cuts
from pamt.explain.repair import No, Repair, tried
from pamt.explain.room import room_for
from pamt.kernel.construct import construct
from pamt.kernel.contig import Placement
from pamt.machine import Machine
from pamt.module.check import check_outcome
from pamt.placement import LINUX, Space
from pamt.policies.linux import LINUX as VARIANTS
from pamt.policies.linux import LinuxPolicy
from pamt.policies.protocol import Policy
from pamt.ranges import KIB, PAGE, Range
from pamt.solve import INFEASIBLE, place
from pamt.standins import complete

__all__ = ["cut", "merged", "reserved", "variants"]

RESERVE_BY = (
    "a kernel developer changes the kernel to set the places below aside at boot, for the PAMTs;"
    " an unmodified mainline kernel can't: it has no option for it"
)
CUT_BY = (
    "a kernel developer changes how the kernel lays out TDMRs, to the list below;"
    " an unmodified mainline kernel can't: it has no option for it"
)
CUT_STEPS = 20_000
"""Steps of the search for the fewest cuts; then the placement engine is asked."""


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


def reserved(policy: Policy, machine: Machine, steps: int) -> Iterator[Repair | No]:
    if not isinstance(policy, LinuxPolicy):
        yield No("a boot-time reservation is known for the kernel variants only", True)
        return
    variant = policy.variant
    done, space = _question(policy, machine)
    room = room_for(done, variant.dynamic_pamt)
    if room.fit < room.gibs:
        yield _no_room(room.fit, room.gibs)
        return
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
    summary = f"reserve {pages_text(pages)} at boot for the PAMTs (needs a change to the kernel)"
    details = tuple(
        f"TDMR {index}: {p.range.start:#x}-{p.range.end:#x} on node {p.node}"
        for index, p in enumerate(places)
    )
    yield replace(
        tried("reserve", trial, summary, (RESERVE_BY,)),
        cost=pages,
        bound=pages,
        ranges=tuple(p.range for p in places),
        details=details,
    )


def variants(policy: Policy, machine: Machine) -> Iterator[Repair | No]:
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
            yield tried("variant", trial, summary, actions)
    if not works:
        yield No("every other kernel variant fails on this map", True)


def cut(policy: Policy, machine: Machine, steps: int) -> Iterator[Repair | No]:
    """Other TDMR borders, all else as the policy has it; else, some placement with such borders."""
    if isinstance(policy, LinuxPolicy):
        found = fewest_cuts(policy, machine, CUT_STEPS)
        if found is not None:
            borders = ", ".join(f"{at:#x}" for at in found.borders)
            summary = f"change the policy: end TDMRs also at {borders}"
            lines = _tdmr_lines(found.trial.outcome.configuration())
            yield replace(tried("cut", found.trial, summary, (CUT_BY,)), details=lines)
            return
    what = "cut TDMRs at other GiB borders than the kernel's"
    yield _placed("cut", what, policy, machine, ("tdmrs", "free"), steps)


def merged(policy: Policy, machine: Machine, steps: int) -> Iterator[Repair | No]:
    """Areas for what must be reserved only, those that touch as one."""
    what = "reserve only what must be, and join reserved areas that touch"
    yield _placed("merge", what, policy, machine, ("reserve", "minimal"), steps)


def _placed(
    kind: str, what: str, policy: Policy, machine: Machine, option: tuple[str, str], steps: int
) -> Repair | No:
    done, space = _question(policy, machine)
    room = room_for(done, done.limits.dynamic_pamt)
    if room.fit < room.gibs:
        return _no_room(room.fit, room.gibs)
    wider = space._replace(**dict([option]))  # type: ignore[arg-type]
    result = place(done, wider, ("lost",), steps, canonical=False)
    configuration = result.configuration
    if configuration is None:
        proven = result.verdict == INFEASIBLE
        said = "does not help" if proven else "was not seen to help"
        return No(f"to {what} {said} ({result.verdict})", proven)
    by = CUT_BY if isinstance(policy, LinuxPolicy) else "change the policy to make the TDMRs below"
    return Repair(
        kind,
        0,
        0,
        f"change the policy: {what}",
        (by,) if kind == "cut" else (),
        max_areas=max(len(t.reserved) for t in configuration.tdmrs),
        pamt_kb=sum(p.size for t in configuration.tdmrs for p in t.pamts) // KIB,
        configuration=configuration,
        details=_tdmr_lines(configuration) if kind == "cut" else (),
    )


def _question(policy: Policy, machine: Machine) -> tuple[Machine, Space]:
    """What the policy is to solve, as a placement question: the completed machine, the space."""
    if not isinstance(policy, LinuxPolicy):
        return complete(machine).machine, LINUX
    variant = policy.variant
    limits = replace(machine.limits, dynamic_pamt=variant.dynamic_pamt)
    done = complete(replace(machine, limits=limits)).machine
    return done, LINUX._replace(reserve="cmr" if variant.holes_from_cmrs else "memory")


def _no_room(fit: int, gibs: int) -> No:
    return No(
        f"the free runs hold the PAMTs of {fit} GiB at most, and {gibs} GiB have memory", True
    )


def _tdmr_lines(configuration: Configuration) -> tuple[str, ...]:
    return tuple(f"TDMR {i}: {t.range}" for i, t in enumerate(configuration.tdmrs))
