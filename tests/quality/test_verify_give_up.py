"""`complete:SPACE --give-up N`, held against the placement search on maps one by one."""

from __future__ import annotations

from random import Random

import pytest

from pamt.machine import Limits
from pamt.ranges import GIB, PAGE
from pamt.smt.symbolic_query import Query
from pamt.solve import INFEASIBLE, UNDECIDED, place
from pamt.standins import complete
from pamt.verify.assumptions import DEFAULT
from pamt.verify.cases import cases
from pamt.verify.casework import Task, all_obligations, set_up
from pamt.verify.engine import verify
from pamt.verify.obligation import run_plainly
from pamt.verify.properties import load_policy, parse_property, parse_space
from pamt.verify.result import DEFAULT_BUDGET
from pamt.verify.scope import Scope
from pamt.verify.smallest import measure_of
from pamt.verify.symbolic_map import build_map, plain_machine

LIMIT = DEFAULT_BUDGET.per_query

TIGHT = Limits(max_tdmrs=4, max_reserved_per_tdmr=2)
LOW = Scope(ranges=2, cmrs=1, gib=1, limits=TIGHT)
ONE = Scope(ranges=1, cmrs=2, gib=1, limits=Limits(max_tdmrs=4, max_reserved_per_tdmr=1))
THREE = Scope(ranges=3, cmrs=1, gib=1, limits=Limits(max_tdmrs=4, max_reserved_per_tdmr=3))
TWO = Scope(ranges=2, cmrs=1, gib=2, limits=TIGHT)
FREE = Scope(
    ranges=2, cmrs=1, gib=1, free=2, limits=TIGHT, assumptions=DEFAULT - {"free-is-memory"}
)
CROSSING = Scope(ranges=2, gib=1, limits=TIGHT, assumptions=DEFAULT - {"above-1m"})
OUTSIDE = Scope(ranges=2, cmrs=2, gib=1, limits=TIGHT, assumptions=DEFAULT - {"convertible"})
TOUCHING = Scope(ranges=3, gib=1, nodes=2, limits=TIGHT, assumptions=DEFAULT - {"apart"})
QUESTIONS = [
    (LOW, "linux", 1),
    (THREE, "linux", 2),
    (ONE, "--reserve minimal", 3),
    (LOW, "linux", 3),
    (LOW, "--reserve minimal", 1),
    (LOW, "--pamt split --reserve cmr", 1),
    (TWO, "linux", 1),
    (TWO, "--tdmrs free", 2),
    (FREE, "linux", 1),
    (FREE, "linux", 2),
    (CROSSING, "linux", 1),
    (OUTSIDE, "linux", 2),
    (TOUCHING, "linux", 2),
]

NAMES = (
    "two ranges",
    "three ranges, two pages",
    "minimal, three pages",
    "two ranges, three pages",
    "minimal",
    "split, cmr",
    "two GiB",
    "two GiB, any cut, two pages",
    "given free runs",
    "given free runs, two pages",
    "below 1 MiB",
    "outside of CMRs",
    "touching ranges on two nodes",
)


def _near(random: Random, addresses: tuple[int, ...]) -> tuple[int, ...]:
    """The same map with an address or two moved, by a page or to where another one is."""
    moved = list(addresses)
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(moved))
        step = random.choice((-2, -1, 1, 2)) * PAGE
        moved[at] = random.choice((moved[at] + step, random.choice(addresses) + step))
    return tuple(moved)


@pytest.mark.parametrize(("scope", "space", "pages"), QUESTIONS, ids=NAMES)
def test_what_is_said_of_a_map_is_what_the_search_says(
    scope: Scope, space: str, pages: int
) -> None:
    """A failing map breaks the property just when the search finds a placement.

    Asked of maps that break it, as the solver gives them, and of maps next to those.
    """
    name = f"complete:{space} --give-up {pages}"
    policy, the_property = load_policy("linux:mainline"), parse_property(name)
    task = Task("linux:mainline", name, scope, DEFAULT_BUDGET, "lin")
    wide = parse_space(f"{space} --give-up {pages}")
    assert wide.give_up == pages
    random = Random(f"{space} {pages} {scope.ranges}")
    seen = {True: 0, False: 0}
    full_rank = (scope.ranges, scope.cmrs, scope.nodes, scope.free)
    everything = [case for case in cases(scope) if case.rank[:4] == full_rank]
    for case in random.sample(everything, min(2, len(everything))):
        made = build_map(scope, case)
        symbolic = set_up(task, made)
        query = Query(made.symbols)
        ways = [o for o in all_obligations(task, symbolic) if False not in o.guards]
        assert not any(way.undecided for way in ways)
        maps: list[tuple[int, ...]] = []
        for way in random.sample(ways, len(ways)):
            answer = query.ask(way.guards, LIMIT)
            if answer.assignment is not None:
                maps.append(measure_of(made, answer.assignment).addresses)
            if len(maps) == 3:
                break
        for failure, _ in symbolic.failures():
            answer = query.ask([failure], LIMIT)
            if answer.assignment is not None:
                maps.append(measure_of(made, answer.assignment).addresses)
        maps += [_near(random, random.choice(maps)) for _ in range(5)] if maps else []
        for addresses in maps:
            equal = made.interpreter.equal
            here = [equal(a, b) for a, b in zip(made.addresses, addresses, strict=True)]
            if query.ask(here, LIMIT).verdict != "sat":
                continue
            full = complete(plain_machine(scope, case, addresses)).machine
            run = run_plainly(policy, full)
            if run.outcome is None or run.outcome.succeeded:
                continue
            answered = place(full, wide, ("lost",), canonical=False).verdict
            assert answered != UNDECIDED
            exists = answered != INFEASIBLE
            seen[exists] += 1
            found = any(query.ask((*here, *way.guards), LIMIT).verdict == "sat" for way in ways)
            assert found is exists, full
            assert (the_property.broken(policy, run) is not None) is exists
    assert sum(seen.values()) > 2
    assert seen[True]


def test_a_page_given_up_makes_room_for_a_configuration() -> None:
    """Two ranges, two areas: with the single page of the first one gone, two holes are one."""
    scope = LOW
    name = "complete:linux --give-up 1@ENOSPC_reserved"
    result = verify("linux:mainline", name, scope)
    assert result.verdict == "VIOLATED"
    found = result.counterexample
    assert found is not None
    assert found.certified
    assert "without [0x1ff000, 0x200000)" in found.why
    memory = found.machine.memory or ()
    assert [(r.start, r.end) for r in memory] == [(0x1FF000, 0x200000), (0x400000, GIB)]
    # Nothing given up: no such map.
    assert verify("linux:mainline", name.replace(" --give-up 1", ""), scope).verdict == "HOLDS"


def test_it_holds_where_no_page_helps() -> None:
    result = verify("linux:mainline", "complete:linux --give-up 1@ENOMEM_pamt", _too_small())
    assert result.verdict == "HOLDS"
    assert not result.undecided
    assert not result.untested


def test_more_stretches_than_are_gone_through_leave_it_undecided() -> None:
    exact = verify("linux:mainline", "complete:linux --give-up 3@ENOMEM_pamt", _too_small())
    assert exact.verdict == "HOLDS"
    result = verify("linux:mainline", "complete:linux --give-up 9@ENOMEM_pamt", _too_small())
    assert result.verdict == "UNDECIDED"
    assert "in more than 6 separate stretches was not covered" in result.undecided[0]
    # A map that breaks the property is one all the same, but perhaps not the smallest.
    found = verify("linux:mainline", "complete:linux --give-up 9@ENOSPC_reserved", LOW)
    assert found.verdict == "VIOLATED"
    assert found.counterexample is not None
    assert not found.counterexample.certified


def _too_small() -> Scope:
    """One GiB of which a policy that fails for want of memory could have used no more."""
    switches = (DEFAULT | {"whole-gib"}) - {"free-is-memory"}
    return Scope(ranges=1, gib=5, first_gib=4, free=0, assumptions=switches)
