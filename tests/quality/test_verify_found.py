"""The maps of specs/found: each still shows what it was found for, by plain Python alone."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pamt.cli.diff import command as diff_command
from pamt.cli.scopes import scope_of
from pamt.cli.verify import command as verify_command
from pamt.maps.machine_file import read_machine
from pamt.standins import complete
from pamt.verify.assumptions import DEFAULT
from pamt.verify.cases import cases
from pamt.verify.diff import diff
from pamt.verify.engine import verify
from pamt.verify.findings import Finding, Statement
from pamt.verify.findings_list import FINDINGS, STATEMENTS
from pamt.verify.obligation import run_plainly, run_symbolically
from pamt.verify.properties import load_policy, parse_property
from pamt.verify.result import Budget
from pamt.verify.scope import Scope
from pamt.verify.symbolic_map import build_map, plain_machine

FOUND = Path(__file__).parents[2] / "specs" / "found"
QUICK = {
    "areas-stage-16-ranges",
    "stride-misses-a-run",
    "node-without-tdmr",
    "touching-cmrs-refused",
    "nocheck-null-cmr",
    "cmr-holes-exhaust-areas",
    "not-local",
    "one-page-costs-two-areas",
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
    "finding",
    [
        pytest.param(f, id=f.name, marks=() if f.name in QUICK else pytest.mark.deep)
        for f in FINDINGS
    ],
)
def test_its_command_finds_the_same_map_again(
    finding: Finding, tmp_path: Path, pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, but for the line with the name."""
    monkeypatch.chdir(FOUND.parents[1])
    words = [*shlex.split(finding.command)[1:], "--save", tmp_path]
    ran = pamt(*words, "--json")
    assert ran.json["verdict"] == ("DIFFERS" if "->" in finding.asked else "VIOLATED")
    result = ran.json
    if "->" in finding.asked:
        pair = finding.asked.rpartition(": ")[2].split(" -> ")
        (result,) = [d for d in result["differences"] if d["answers"] == pair]
    assert result["smallest"] is True
    name = f'name = "{Path(result["saved"]).stem}"'
    again = Path(result["saved"]).read_text().replace(name, f'name = "{finding.name}"', 1)
    assert again == (FOUND / f"{finding.name}.toml").read_text()


@pytest.mark.parametrize("entry", [*FINDINGS, *STATEMENTS], ids=lambda e: str(e.name))
def test_every_command_is_one_of_this_tool(entry: Finding | Statement) -> None:
    """Options and property are read back as what they stand for."""
    words = shlex.split(entry.command)
    command = diff_command if words[1] == "diff" else verify_command
    options = dict(command.make_context(words[1], words[2:]).params)
    assert scope_of(options) == entry.scope
    if words[1] == "verify":
        assert (options["policy"], options["property_name"]) == (entry.policy, entry.asked)
        assert parse_property(entry.asked).name == entry.asked


def test_every_found_map_is_a_case() -> None:
    """In specs/cases/found; a stage alone is no policy that a command runs on a map."""
    cases_found = FOUND.parent / "cases" / "found"
    have = {path.name.removesuffix(".pamt.toml") for path in cases_found.iterdir()}
    wanted = {f.name for f in FINDINGS if not f.policy.startswith("stage:")}
    exists = {f"{f.name}-exists" for f in FINDINGS if f.asked.startswith("complete:")}
    assert have == wanted | exists


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


def test_the_order_of_fallback_follows_the_distances() -> None:
    """With node 1 nearer, a PAMT that misses its home goes there; with node 2 nearer, there."""
    switches = DEFAULT - {"equal-distances"}
    scope = Scope(ranges=3, nodes=3, gib=1, distances=(20, 30), assumptions=switches)
    for distances, near in (((20, 30, 20), 1), ((30, 20, 20), 2)):
        case = next(
            c
            for c in cases(scope)
            if c.distances == distances and c.nodes == (0, 1, 2) and c.cells == ((0, 0),) * 3
        )
        mib = 1 << 20
        borders = (2, 4, 4, 504, 504, 1024)
        machine = plain_machine(scope, case, (*(b * mib for b in borders), 0, 1024 * mib))
        run = run_plainly(load_policy("linux:mainline"), complete(machine).machine)
        assert run.outcome is not None
        assert run.outcome.tdmrs[0].pamt_node == near
        made = build_map(scope, case)
        symbolic = run_symbolically(made, load_policy("linux:mainline"))
        nodes = {
            event.node
            for event in symbolic.allocator.events
            if event.action == "take" and event.node != event.wanted
        }
        assert near in nodes
        assert made.machine.nodes[0].fallback == (0, near, 3 - near)


def test_other_distances_are_other_maps() -> None:
    """Two nodes: what they are apart is of no account.  Three: renaming stays broken."""
    switches = DEFAULT - {"equal-distances"}
    two = Scope(ranges=2, nodes=2, gib=1, distances=(20, 40), assumptions=switches)
    answer = verify("linux:mainline", "local", two)
    assert answer.counterexample is not None
    assert answer.counterexample.certified
    assert [node.distance for node in answer.counterexample.machine.nodes] == [(10, 20), (20, 10)]


@pytest.mark.parametrize(
    ("name", "scope", "untested"),
    [
        ("local", Scope(ranges=1, gib=1), "a PAMT goes to another node than its TDMR's home"),
        ("renaming", Scope(ranges=1, gib=1), "memory is on more than one node"),
        ("clean", Scope(ranges=1, gib=1), "the policy fails after it has taken a chunk"),
        (
            "complete:linux@ENOSPC_reserved",
            Scope(ranges=1, gib=1),
            "the policy fails with ENOSPC_reserved",
        ),
        ("accepted", Scope(ranges=1, gib=1), ""),
        ("covered", Scope(ranges=1, gib=1), ""),
        ("clean", Scope(ranges=2, gib=2), ""),
        ("no-worse-than:linux:mainline", Scope(ranges=1, gib=1), ""),
        ("areas-at-most:4", Scope(ranges=1, gib=1), ""),
    ],
)
def test_what_was_never_put_to_the_test(name: str, scope: Scope, untested: str) -> None:
    answer = verify("linux:mainline", name, scope)
    assert (answer.verdict, answer.untested) == ("HOLDS", untested)
    premises = [c for c in answer.vacuity if c.what.endswith(" on some map")]
    assert premises
    assert any(not check.passed for check in premises) or not untested
