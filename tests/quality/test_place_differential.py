"""The reference solver against brute force, in every space, on tiny maps."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pamt.machine import Machine
from pamt.placement import COMPONENTS, Space, canonical_key
from pamt.solve import cuts
from pamt.solve.reference import place

sys.path.insert(0, str(Path(__file__).parent))
import place_maps
import place_oracle

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
TOO_MUCH = 30_000
"""Combinations beyond which a map is left to the other tests."""

ORDERS = st.one_of(
    st.just(COMPONENTS),
    st.permutations(COMPONENTS).map(tuple),
    st.permutations(COMPONENTS).flatmap(
        lambda names: st.integers(1, 5).map(lambda n: tuple(names[:n]))
    ),
)


def agree(machine: Machine, space: Space, order: tuple[str, ...], seen: Counter[str]) -> None:
    expected = place_oracle.solve(machine, space, order)
    found = place(machine, space, order)
    seen["maps"] += 1
    if expected is None:
        seen["infeasible"] += 1
        assert found.verdict == "INFEASIBLE"
        return
    assert found.verdict == "OPTIMAL"
    assert found.canonical
    assert found.objective is not None
    assert found.configuration is not None
    assert found.objective.key(order) == expected.key
    assert canonical_key(found.configuration, found.given_up) == expected.canonical
    seen["lost"] += found.objective.lost > 0
    seen["remote"] += found.objective.remote > 0


FIRST = [Space("kernel", "chunk", "memory"), Space("kernel", "chunk", "cmr")]
OTHERS = [
    Space("kernel", "chunk", "minimal"),
    Space("free", "chunk", "memory"),
    Space("free", "chunk", "cmr"),
    Space("free", "chunk", "minimal"),
    Space("kernel", "split", "memory"),
    Space("kernel", "split", "cmr"),
    Space("kernel", "split", "minimal"),
    Space("free", "split", "memory"),
    Space("free", "split", "cmr"),
    Space("free", "split", "minimal"),
]


def hold_against_brute_force(space: Space, maps: int) -> Counter[str]:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=maps,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(machine=place_maps.machines(roomy=space.pamt == "chunk"), order=ORDERS)
    def run(machine: Machine, order: tuple[str, ...]) -> None:
        assume(place_oracle.count_work(machine, space) <= TOO_MUCH)
        agree(machine, space, order, seen)

    run()
    print(f"{space}: {dict(seen)}")
    return seen


@pytest.mark.parametrize("space", FIRST, ids=str)
def test_first_spaces_agree_with_brute_force(space: Space) -> None:
    seen = hold_against_brute_force(space, 2000 if DEEP else 200)
    assert seen["infeasible"] >= 0.3 * seen["maps"]
    assert seen["remote"] >= 0.3 * seen["maps"]


@pytest.mark.parametrize("space", OTHERS, ids=str)
def test_other_spaces_agree_with_brute_force(space: Space) -> None:
    seen = hold_against_brute_force(space, 1000 if DEEP else 40)
    assert seen["infeasible"] >= 0.1 * seen["maps"]
    assert seen["remote"] >= 0.2 * seen["maps"]


@pytest.mark.parametrize("reserve", ["memory", "minimal"])
def test_few_cuts_first_comes_to_the_same(reserve: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuts, "FEW_CELLS", 1)
    monkeypatch.setattr(cuts, "LIKELY", 1)
    space = Space("free", "chunk", reserve)  # type: ignore[arg-type]
    seen: Counter[str] = Counter()
    for seed in range(60):
        machine = place_maps.machine(Random(f"cuts {seed}"))
        if place_oracle.count_work(machine, space) <= TOO_MUCH:
            agree(machine, space, COMPONENTS, seen)
    print(f"{space}, few cuts first: {dict(seen)}")
    assert seen["maps"] >= 30


@pytest.mark.parametrize("tdmrs", ["kernel", "free"])
def test_another_node_may_be_nearer_than_home(tdmrs: str) -> None:
    space = Space(tdmrs, "chunk", "memory")  # type: ignore[arg-type]
    seen: Counter[str] = Counter()
    for seed in range(40):
        machine = place_maps.machine(Random(f"near {seed}"))
        odd = tuple(replace(n, distance=(10, 7) if n.id == 0 else (13, 12)) for n in machine.nodes)
        if place_oracle.count_work(machine, space) <= TOO_MUCH:
            agree(replace(machine, nodes=odd), space, COMPONENTS, seen)
    assert seen["maps"] >= 20


def test_answers_that_leave_cuts_out_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuts, "FEW_CELLS", 1)
    monkeypatch.setattr(cuts, "MANY_CELLS", 1)
    monkeypatch.setattr(cuts, "LIKELY", 0)
    space = Space("free", "chunk", "memory")
    verdicts: Counter[str] = Counter()
    for seed in range(60):
        machine = place_maps.machine(Random(f"cuts {seed}"))
        if place_oracle.count_work(machine, space) > TOO_MUCH:
            continue
        found = place(machine, space)
        expected = place_oracle.solve(machine, space, COMPONENTS)
        verdicts[found.verdict] += 1
        if found.verdict == "INFEASIBLE":
            assert expected is None
        if found.objective is not None:
            assert expected is not None
            assert found.objective.key(COMPONENTS) >= expected.key
            assert found.verdict == "FEASIBLE" or found.objective.key(COMPONENTS) == expected.key
        if found.bound is not None and expected is not None:
            assert found.bound.key(COMPONENTS) <= expected.key
    assert set(verdicts) == {"INFEASIBLE", "UNDECIDED", "FEASIBLE", "OPTIMAL"}


GIVING_UP = [
    Space("kernel", "chunk", "memory", 1),
    Space("kernel", "chunk", "memory", 2),
    Space("kernel", "chunk", "cmr", 1),
    Space("kernel", "chunk", "minimal", 1),
    Space("kernel", "chunk", "minimal", 2),
    Space("free", "chunk", "memory", 1),
    Space("free", "chunk", "minimal", 1),
    Space("kernel", "split", "memory", 1),
    Space("free", "split", "minimal", 1),
]


@pytest.mark.parametrize("space", GIVING_UP, ids=str)
def test_giving_up_agrees_with_brute_force(space: Space) -> None:
    seen: Counter[str] = Counter()
    work = 60_000 if space.give_up == 1 else 6_000
    # Under `cmr` it seldom helps to give pages up.
    for seed in range(400 if DEEP else 100 if space.reserve == "cmr" else 25):
        random = Random(f"give up {seed}")
        machine = place_maps.machine(random, most_gibs=2, roomy=False, crumbs=True)
        pages = sum(r.range.size for r in machine.memory or ()) // 4096
        sets = pages if space.give_up == 1 else pages * pages // 2
        if sets * place_oracle.count_work(machine, space) > work:
            seen["left out"] += 1
            continue
        order = tuple(random.sample(COMPONENTS, random.randint(1, 6)))
        agree(machine, space, order if seed % 2 else COMPONENTS, seen)
    print(f"{space}: {dict(seen)}")
    assert seen["maps"] >= 10
    assert seen["lost"] >= 2
