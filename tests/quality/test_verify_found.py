"""The maps of specs/found: each still shows what it was found for, by plain Python alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pamt.maps.machine_file import read_machine
from pamt.standins import complete
from pamt.verify.diff import diff
from pamt.verify.engine import verify
from pamt.verify.findings import Finding, reproduce
from pamt.verify.findings_list import FINDINGS
from pamt.verify.obligation import run_plainly
from pamt.verify.properties import load_policy, parse_property
from pamt.verify.result import Budget
from pamt.verify.scope import Scope

FOUND = Path(__file__).parents[2] / "specs" / "found"
QUICK = {
    "areas-stage-16-ranges",
    "stride-misses-a-run",
    "not-accepted-unless-convertible",
    "touching-cmrs-refused",
    "nocheck-null-cmr",
    "cmr-holes-exhaust-areas",
    "not-local",
}


@pytest.mark.parametrize("finding", FINDINGS, ids=[f.name for f in FINDINGS])
def test_the_map_shows_it(finding: Finding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOUND.parents[1])
    machine = complete(read_machine(FOUND / f"{finding.name}.toml")).machine
    policy = load_policy(finding.policy)
    run = run_plainly(policy, machine)
    if "->" in finding.asked:
        other, _, pair = finding.asked.rpartition(": ")
        another = run_plainly(load_policy(other), machine)
        assert run.outcome is not None
        assert another.outcome is not None
        assert f"{run.outcome.reason} -> {another.outcome.reason}" == pair
    else:
        assert parse_property(finding.asked).broken(policy, run) is not None


@pytest.mark.parametrize(
    "finding", [f for f in FINDINGS if f.name in QUICK], ids=lambda f: str(f.name)
)
def test_the_engine_finds_the_same_map_again(finding: Finding) -> None:
    found = reproduce(finding)
    assert found is not None
    assert found.certified
    stored = read_machine(FOUND / f"{finding.name}.toml")
    assert (stored.memory, stored.cmrs, stored.free) == (
        found.machine.memory,
        found.machine.cmrs,
        found.machine.free,
    )


def test_nothing_smaller_than_the_stage_limit_is_violated() -> None:
    scope = Scope(ranges=15, gib=5, first_gib=4)
    answer = verify("stage:areas", "never:ENOSPC_reserved", scope)
    assert answer.verdict == "HOLDS"
    assert answer.cases_done == answer.cases == 15


def test_a_budget_that_is_too_small_leaves_it_undecided() -> None:
    scope = Scope(ranges=1, gib=1)
    budget = Budget(per_query=5, total=10**9)
    answer = verify("linux:mainline", "accepted", scope, budget, vacuity=False)
    assert answer.verdict == "UNDECIDED"
    assert answer.undecided


def test_the_answer_is_the_same_twice() -> None:
    scope = Scope(ranges=2, nodes=2, gib=6, first_gib=4)
    first = verify("linux:mainline", "local", scope)
    again = verify("linux:mainline", "local", scope)
    assert first == again
    assert all(check.passed for check in first.vacuity)


def test_a_policy_equals_itself() -> None:
    scope = Scope(ranges=1, gib=5, first_gib=4)
    assert diff("linux:mainline", "linux:mainline", scope).verdict == "EQUAL"


def test_user_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOUND.parents[1])
    scope = Scope(ranges=2, nodes=2, gib=6, first_gib=4)
    tight = replace(scope, limits=replace(scope.limits, max_reserved_per_tdmr=2))
    good, leaky = (f"docs/examples/{name}.py:{name}" for name in ("low_first", "low_first_leaky"))
    assert verify(good, "clean", tight).verdict == "HOLDS"
    assert verify(good, "accepted", scope).verdict == "HOLDS"
    found = verify(leaky, "clean", tight)
    assert found.verdict == "VIOLATED"
    assert found.counterexample is not None
    assert found.counterexample.measure.ranges == 1


def test_steps_do_not_depend_on_the_hash_seed() -> None:
    script = (
        "from pamt.verify.engine import verify; from pamt.verify.scope import Scope;"
        "a = verify('linux:mainline', 'local', Scope(ranges=2, nodes=2, gib=5, first_gib=4));"
        "print(a.steps, a.counterexample.measure)"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_addresses_that_do_not_matter_are_named() -> None:
    found = verify("linux:mainline", "never:ENOMEM_pamt", Scope(ranges=1, gib=5, first_gib=4))
    assert found.counterexample is not None
    assert "memory range 0: start" in found.counterexample.free_fields
    assert "memory range 0: end" not in found.counterexample.free_fields
