"""Whatever is shown as a repair works, tried another way: through files, from scratch."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from recorded_maps import recorded
from repair_maps import small_machine

from pamt.explain.repair import Repair
from pamt.explain.repairs import KINDS, find_repairs
from pamt.machine import Machine, Node, Zone
from pamt.maps.machine_file import machine_from_text
from pamt.maps.machine_write import dump_machine
from pamt.module.config import sys_config
from pamt.placement import LINUX, evaluate
from pamt.policies.linux import LINUX as VARIANTS
from pamt.policies.protocol import Policy, run_policy
from pamt.policies.registry import get_policy
from pamt.ranges import PAGE, RangeSet
from pamt.standins import complete

CHOSEN = (
    *("gaps_in_gb-016", "stride_scan-022", "stride_scan-023", "remote_fallback-023"),
    *("realistic-003", "realistic-077", "tdmr_overflow-021", "tiny-006", "cmr_shapes-019"),
    *("dma_zones-020", "entry_sizes-002", "fuzz-046"),
)


def apply(repair: Repair, policy: Policy, machine: Machine) -> None:
    """Run what the repair changes, on a machine read from a file, and ask every rule."""
    if repair.machine is not None:
        text = dump_machine(repair.machine)
        again = complete(machine_from_text(text.encode(), "changed.toml")).machine
        outcome = run_policy(policy, again)
        assert outcome.succeeded
        assert outcome.configuration() == repair.configuration
        memory = RangeSet(r.range for r in complete(machine).machine.memory or ())
        if repair.kind == "withdraw":
            left = RangeSet(r.range for r in again.memory or ())
            assert left == memory - RangeSet(repair.ranges)
            assert repair.cost * PAGE == RangeSet(repair.ranges).size
            assert again.cmrs == complete(machine).machine.cmrs
    done = complete(machine).machine
    assert repair.configuration is not None
    dynamic = getattr(getattr(policy, "variant", None), "dynamic_pamt", False)
    if repair.kind == "variant":
        works = [
            (outcome.configuration(), other.variant.dynamic_pamt)
            for other in VARIANTS.values()
            if (outcome := run_policy(other, done)).succeeded
        ]
        assert any(made == repair.configuration for made, _ in works)
        dynamic = next(how for made, how in works if made == repair.configuration)
        assert not dynamic or "Dynamic PAMT" in repair.actions[0]
    limits = replace(done.limits, dynamic_pamt=dynamic)
    assert done.cmrs is not None
    assert sys_config(repair.configuration, done.cmrs, limits).accepted
    spaces = {
        "cut": LINUX._replace(tdmrs="free"),
        "merge": LINUX._replace(reserve="minimal"),
        "reserve": LINUX,
    }
    if repair.kind in spaces:
        asked = replace(done, limits=limits)
        assert not evaluate(asked, spaces[repair.kind], repair.configuration).violations


@pytest.mark.parametrize("name", CHOSEN)
def test_recorded_maps(name: str) -> None:
    policy = get_policy("linux:mainline")
    found = find_repairs(policy, recorded(name), runs=300, steps=5_000_000)
    assert found.found
    for repair in found.found:
        apply(repair, policy, recorded(name))


@settings(max_examples=25)
@given(seed=st.integers(0, 10**9))
def test_small_maps(seed: int) -> None:
    """Without the kinds that ask the solver, so that many maps are met."""
    policy = get_policy("linux:dpamt")
    machine = small_machine(Random(seed), 36)
    kinds = [kind for kind in KINDS if kind not in {"reserve", "cut", "merge"}]
    for repair in find_repairs(policy, machine, kinds, runs=200).found:
        apply(repair, policy, machine)


def test_every_kind_is_met() -> None:
    """The recorded maps above, and one with a zone Movable, give a repair of each kind."""
    policy = get_policy("linux:mainline")
    machine = recorded("tiny-006")
    memory = machine.memory or ()
    zone = Zone("Movable", min(memory).start, max(memory).end)
    movable = replace(machine, free=None, nodes=(Node(0, zones=(zone,)),))
    got = {r.kind for r in find_repairs(policy, movable, ("online",)).found}
    for repair in find_repairs(policy, movable, ("online",)).found:
        apply(repair, policy, movable)
    for name in CHOSEN:
        got |= {r.kind for r in find_repairs(policy, recorded(name), runs=60).found}
    assert got == set(KINDS)
