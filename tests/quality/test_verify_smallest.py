"""The smallest map and what is said of it, held against plain Python on many other maps."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import pairwise
from random import Random

import pytest

from pamt.kernel.contig import ContigAllocator
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import run_policy
from pamt.ranges import GIB, MIB, PAGE
from pamt.standins import complete
from pamt.verify.assumptions import DEFAULT
from pamt.verify.cases import Case, cases
from pamt.verify.casework import Task, improve, refute
from pamt.verify.engine import verify
from pamt.verify.free_fields import field_names, free_fields
from pamt.verify.interp import Refusal
from pamt.verify.obligation import run_plainly
from pamt.verify.properties import load_policy, parse_property
from pamt.verify.result import DEFAULT_BUDGET, Measure, VerifyResult
from pamt.verify.scope import Scope
from pamt.verify.symbolic_map import plain_machine

HIGH = Scope(ranges=1, gib=5, first_gib=4)
QUESTIONS = (
    ("linux:mainline", "never:ENOMEM_pamt", HIGH),
    ("linux:mainline", "complete:linux", HIGH),
    ("linux:mainline", "complete:module", Scope(ranges=1, gib=1)),
    (
        "linux:cmr-nocheck",
        "covered",
        Scope(ranges=1, gib=5, first_gib=4, assumptions=DEFAULT - {"convertible"}),
    ),
    (
        "linux:mainline",
        "accepted",
        Scope(ranges=1, gib=5, first_gib=4, assumptions=DEFAULT - {"convertible"}),
    ),
    ("linux:mainline", "local", Scope(ranges=2, nodes=2, gib=6, first_gib=4)),
    ("linux:cmr-v8.2", "complete:module", Scope(ranges=1, cmrs=2, gib=5, first_gib=4)),
    ("linux:mainline", "never:success", Scope(ranges=2, gib=6, first_gib=4)),
)
NAMES = [f"{policy} {name}" for policy, name, _ in QUESTIONS]


def refused(machine: Machine, alloc: ContigAllocator) -> Outcome:
    """A policy with what the language has not."""
    try:
        return run_policy(load_policy("linux:mainline"), machine)
    finally:
        del alloc


def _found(policy: str, name: str, scope: Scope) -> tuple[VerifyResult, Case, Measure]:
    result = verify(policy, name, scope)
    assert result.counterexample is not None
    measure = result.counterexample.measure
    memory = result.counterexample.machine.memory or ()
    cells = tuple((r.start // GIB, (r.end - PAGE) // GIB) for r in memory)
    nodes = tuple(r.node for r in memory)
    same = [c for c in cases(scope) if (c.rank, c.cells, c.nodes) == (measure[:6], cells, nodes)]
    return result, same[0], measure


def _in_scope(scope: Scope, machine: Machine) -> bool:
    memory, cmrs = machine.memory or (), machine.cmrs or ()
    borders = [b for r in memory for b in (r.start, r.end)]
    ends = [b for c in cmrs for b in (c.base, c.base + c.size)]
    ascends = all(a < b for a, b in zip(borders[::2], borders[1::2], strict=True))
    apart = all(
        a.end < b.start or (a.end == b.start and a.node != b.node) for a, b in pairwise(memory)
    )
    if not ascends or not apart or any(c.size <= 0 for c in cmrs) or ends != sorted(ends):
        return False
    inside = scope.lowest <= borders[0] and borders[-1] <= scope.end and ends[-1] <= scope.end
    return inside and scope.excludes(machine) is None


@pytest.mark.parametrize(("policy", "name", "scope"), QUESTIONS, ids=NAMES)
def test_what_does_not_matter_does_not(policy: str, name: str, scope: Scope) -> None:
    result, case, measure = _found(policy, name, scope)
    assert result.counterexample is not None
    named = result.counterexample.free_fields
    the_policy, the_property = load_policy(policy), parse_property(name)
    random = Random(7)
    for index, field in enumerate(field_names(case)):
        known = measure.addresses[index]
        steps = (-4 * MIB, -2 * MIB, -PAGE, 0, PAGE, 2 * MIB, 4 * MIB)
        near = [address + step for address in measure.addresses for step in steps]
        values = [random.randrange(scope.end // PAGE) * PAGE for _ in range(60)]
        values += [random.randrange(scope.lowest, scope.end, PAGE) for _ in range(60)]
        kept = 0
        others = 0
        for value in (*near, scope.lowest, scope.end, *values):
            addresses = list(measure.addresses)
            addresses[index] = value
            machine = plain_machine(scope, case, addresses)
            if value == known or value < 0 or not _in_scope(scope, machine):
                continue
            others += 1
            run = run_plainly(the_policy, complete(machine).machine)
            kept += the_property.broken(the_policy, run) is None
        if field in named:
            assert others
            assert kept == 0, field
        else:
            # Some value was seen that does matter, or there is no other one.
            assert kept or not others, field


@pytest.mark.parametrize(("policy", "name", "scope"), QUESTIONS, ids=NAMES)
def test_nothing_on_a_grid_is_smaller(policy: str, name: str, scope: Scope) -> None:
    result, case, measure = _found(policy, name, scope)
    assert result.counterexample is not None
    assert result.counterexample.certified
    the_policy, the_property = load_policy(policy), parse_property(name)
    random = Random(11)
    tried = 0
    for _ in range(400):
        addresses = list(measure.addresses)
        for _ in range(random.randrange(1, 3)):
            at = random.randrange(len(addresses))
            grain = random.choice((PAGE, 2 * MIB, GIB))
            addresses[at] = random.randrange(scope.end // grain + 1) * grain
        off_1g = sum(1 for a in addresses if a % GIB)
        off_2m = sum(1 for a in addresses if a % (2 * MIB))
        machine = plain_machine(scope, case, addresses)
        smaller = (off_1g, off_2m, tuple(addresses)) < measure[6:]
        if not smaller or not _in_scope(scope, machine):
            continue
        memory = machine.memory or ()
        if tuple((r.start // GIB, (r.end - PAGE) // GIB) for r in memory) != case.cells:
            continue
        tried += 1
        run = run_plainly(the_policy, complete(machine).machine)
        assert the_property.broken(the_policy, run) is None, machine
    assert tried >= (name in {"local", "never:ENOMEM_pamt"})


def test_an_address_that_nothing_else_fits_in_is_not_named() -> None:
    whole = Scope(ranges=2, gib=6, first_gib=4, assumptions=(DEFAULT | {"whole-gib"}) - {"apart"})
    result = verify("linux:mainline", "never:success", whole)
    assert result.counterexample is not None
    # Nothing lies below the start; and at a later end the memory would leave its CMR.
    assert result.counterexample.free_fields == ("CMR 0: start", "CMR 0: end")


@pytest.mark.parametrize(
    ("policy", "name", "scope"),
    [
        ("linux:mainline", "local", Scope(ranges=2, nodes=2, gib=6, first_gib=4)),
        ("linux:mainline", "complete:linux@ENOMEM_pamt", Scope(ranges=2, gib=6, first_gib=4)),
        ("docs/examples/low_first.py:low_first", "covered", Scope(ranges=1, gib=6, first_gib=4)),
    ],
)
def test_the_answer_is_the_same_for_any_number_of_processes(
    policy: str, name: str, scope: Scope
) -> None:
    alone = verify(policy, name, scope)
    assert verify(policy, name, scope, jobs=2) == alone
    assert verify(policy, name, scope, jobs=3) == alone


def test_a_budget_ends_after_the_same_case_for_any_number_of_processes() -> None:
    scope = Scope(ranges=2, nodes=2, gib=7, first_gib=4)
    budget = DEFAULT_BUDGET._replace(total=300_000)
    alone = verify("linux:mainline", "covered", scope, budget)
    assert alone.verdict == "UNDECIDED"
    assert 0 < alone.cases_done < alone.cases
    assert verify("linux:mainline", "covered", scope, budget, jobs=2) == alone


def test_an_error_in_a_worker_is_the_error_of_the_question() -> None:
    with pytest.raises(Refusal, match="Try"):
        verify(f"{__file__}:refused", "covered", HIGH, jobs=2)


def test_ctrl_c_ends_all_processes() -> None:
    words = "verify linux:mainline --property covered --ranges 9 --gib 9 --first-gib 4 --jobs 2"
    script = (
        "from pamt.cli.main import main\nif __name__ == '__main__':\n    raise SystemExit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words.split()], stdout=subprocess.PIPE, text=True
    )
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(8)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 3
    assert out.startswith("UNDECIDED: interrupted")


def test_a_case_answers_for_itself() -> None:
    scope = Scope(ranges=1, gib=5, first_gib=4)
    task = Task("linux:mainline", "complete:linux", scope, DEFAULT_BUDGET, "lin")
    (case,) = cases(scope)
    first = refute(task, case, frozenset())
    assert first.broken
    assert refute(task, case, frozenset()) == first
    better = improve(task, case, first.broken, None)
    assert better.found is not None
    # Nothing is smaller than the smallest.
    again = improve(task, case, first.broken, better.found.measure)
    assert again.found is None
    assert again.complete
    # Just above it, the same map is found.
    above = better.found.measure._replace(off_2m=1)
    assert improve(task, case, first.broken, above).found == better.found


def test_free_fields_of_a_map_that_is_not_the_smallest() -> None:
    task = Task("linux:mainline", "never:ENOMEM_pamt", HIGH, DEFAULT_BUDGET, "lin")
    (case,) = cases(HIGH)
    base = 4 * GIB
    # 3 MiB at the end of the GiB: too small wherever it starts, if not far earlier.
    addresses = (base + 1021 * MIB, base + GIB, 0, base + GIB)
    assert list(free_fields(task, case, addresses)) == ["memory range 0: end", "CMR 0: start"]
