"""Symbolic verdicts against enumeration, against the path explorer, and against planted bugs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from pamt.machine import Limits, Machine
from pamt.ranges import GIB, MIB, PAGE
from pamt.smt.symbolic_query import Query
from pamt.standins import complete
from pamt.verify.assumptions import DEFAULT
from pamt.verify.cases import Case, cases
from pamt.verify.engine import verify
from pamt.verify.enumeration import maps_on_grid
from pamt.verify.explore import explore
from pamt.verify.mutants import MUTANTS, Mutant, check_mutants
from pamt.verify.obligation import Obligation, run_plainly, run_symbolically
from pamt.verify.properties import load_policy, parse_property
from pamt.verify.scope import Scope
from pamt.verify.symbolic_map import EmptyCase, SymbolicMap, build_map, plain_machine

TIGHT = Limits(max_tdmrs=4, max_reserved_per_tdmr=2)
BASE = 4 * GIB
CHUNK = 1027 * PAGE
GRID = (BASE, BASE + MIB, BASE + MIB + CHUNK, BASE + 8 * MIB, BASE + GIB, BASE + 2 * GIB)


def case_of(scope: Scope, machine: Machine) -> Case:
    memory = machine.memory or ()
    cells = tuple((r.start // GIB, (r.end - PAGE) // GIB) for r in memory)
    nodes = tuple(r.node for r in memory)
    for case in cases(scope):
        if case.cells == cells and case.nodes == nodes:
            return case
    raise AssertionError(f"no case for {machine}")


def grid() -> Iterator[tuple[Scope, Machine]]:
    for nodes, count, places in ((1, 1, GRID), (2, 2, GRID[:2] + GRID[3:])):
        scope = Scope(ranges=2, nodes=nodes, gib=6, first_gib=4, limits=TIGHT)
        for machine in maps_on_grid(scope, places, count):
            first = (machine.memory or ())[0]
            if first.node == 0:
                yield scope, machine


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        ("linux:mainline", "accepted"),
        ("linux:mainline", "covered"),
        ("linux:mainline", "complete:linux"),
        ("linux:mainline", "local"),
        ("linux:mainline", "clean"),
        ("linux:mainline", "areas-at-most:1"),
        ("linux:mainline", "no-worse-than:linux:dpamt"),
        ("linux:cmr-nocheck", "never:ENOMEM_pamt"),
        ("greedy", "local"),
        ("linux:mainline", "renaming"),
        ("greedy", "renaming"),
        ("linux:mainline", "complete:linux --give-up 1"),
    ],
)
def test_every_map_of_a_grid_is_judged_alike(policy: str, name: str) -> None:
    the_policy, the_property = load_policy(policy), parse_property(name)
    seen = 0
    made_for: dict[Case, tuple[SymbolicMap, list[Obligation], Query]] = {}
    for scope, machine in grid():
        case = case_of(scope, machine)
        if case not in made_for:
            made = build_map(scope, case)
            run = run_symbolically(made, the_policy)
            found = list(the_property.obligations(run))
            made_for[case] = (made, found, Query(made.symbols))
        made, found, query = made_for[case]
        addresses: list[int] = []
        for r in machine.memory or ():
            addresses += [r.start, r.end]
        for c in machine.cmrs or ():
            addresses += [c.base, c.base + c.size]
        here = [
            made.interpreter.equal(a, v) for a, v in zip(made.addresses, addresses, strict=True)
        ]
        answers = {query.ask([*here, *o.guards], 10**8).verdict for o in found}
        plain = the_property.broken(the_policy, run_plainly(the_policy, complete(machine).machine))
        assert ("sat" in answers) == (plain is not None), (machine, plain)
        assert "unknown" not in answers
        seen += 1
    assert seen > 20


@pytest.mark.parametrize("policy", ["linux:mainline", "linux:dpamt", "greedy"])
def test_every_path_ends_where_the_interpreter_says(policy: str) -> None:
    scope = Scope(ranges=1, gib=6, first_gib=4)
    paths = 0
    for case in cases(scope):
        made = build_map(scope, case)
        run = run_symbolically(made, load_policy(policy))
        query = Query(made.symbols)
        for path in explore(load_policy(policy), made):
            paths += 1
            for guard, outcome in run.outcomes():
                answer = query.ask([*path.decisions, guard], 10**8).verdict
                assert answer == ("sat" if outcome.reason == path.outcome.reason else "unsat")
    assert paths >= 6


@cache
def checked(name: str) -> dict[str, bool]:
    return {check.what: check.passed for check in check_mutants("linux:mainline", name)}


@pytest.mark.parametrize("mutant", MUTANTS, ids=[m.name for m in MUTANTS])
def test_planted_bugs_are_noticed(mutant: Mutant) -> None:
    for name in mutant.noticed_by:
        assert checked(name)[f"mutant: {mutant.name}"]
        # Noticed is the bug: without it, the property holds there.
        assert verify("linux:mainline", name, mutant.scope, vacuity=False).verdict == "HOLDS"


@pytest.mark.parametrize("policy", ["linux:mainline", "linux:cmr-v8.2", "linux:dpamt", "greedy"])
@pytest.mark.parametrize("dropped", ["above-1m", "apart", "no-null-cmr", "convertible"])
def test_every_answer_is_what_python_gives(policy: str, dropped: str) -> None:
    low = dropped == "above-1m"
    scope = Scope(
        ranges=2,
        cmrs=1 if low else 2,
        gib=1 if low else 5,
        first_gib=0 if low else 4,
        assumptions=DEFAULT - {dropped},
    )
    the_policy, seen = load_policy(policy), 0
    for case in cases(scope):
        try:
            made = build_map(scope, case)
        except EmptyCase:
            continue
        query = Query(made.symbols)
        for guard, outcome in run_symbolically(made, the_policy).outcomes():
            found = query.ask([guard], 10**8).assignment
            if found is None:
                continue
            seen += 1
            addresses = [found.integer(address) for address in made.addresses]
            machine = complete(plain_machine(scope, case, addresses)).machine
            plain = run_plainly(the_policy, machine).outcome
            assert plain is not None
            assert plain.reason == outcome.reason, machine
    assert seen >= 4
