"""Pages to give up, with proofs: held against z3, and what cases exclude against brute force."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import place_maps
import place_oracle

from pamt.certificate import VALID
from pamt.certificate.check import Ground, refutes
from pamt.certificate.format import Cuts, Floor
from pamt.certificate.withdrawal import list_cases
from pamt.machine import Machine
from pamt.placement import COMPONENTS, Space, canonical_key, pose
from pamt.solve import place
from pamt.solve.reference import place as ask_z3

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
SEEDS = st.integers(0, 2**32 - 1)
PROVED = [
    Space("kernel", "chunk", rule, pages) for rule in ("memory", "cmr") for pages in (1, 2, 3)
]  # type: ignore[arg-type]
EVERY = [
    Space(tdmrs, pamt, rule, 1)  # type: ignore[arg-type]
    for tdmrs in ("kernel", "free")
    for pamt in ("chunk", "split")
    for rule in ("memory", "cmr", "minimal")
]


def drawn(seed: int) -> tuple[Machine, tuple[str, ...]]:
    random = Random(f"give up {seed}")
    machine = place_maps.machine(random, most_gibs=2, roomy=False, crumbs=True)
    order = tuple(random.sample(COMPONENTS, random.randint(1, 6)))
    return machine, order if seed % 2 else COMPONENTS


@given(SEEDS, st.sampled_from(PROVED))
@settings(max_examples=1500 if DEEP else 60, deadline=None)
def test_the_kernels_layout_with_proofs_and_without_trust(seed: int, space: Space) -> None:
    machine, order = drawn(seed)
    found = place(machine, space, order)
    expected = ask_z3(machine, space, order, rivals=())
    assert found.verdict == expected.verdict
    assert found.checked is not None
    assert (found.checked.verdict, found.checked.trusted_steps) == (VALID, 0)
    if expected.objective is None:
        return
    assert found.objective is not None
    assert found.objective.key(order) == expected.objective.key(order)
    assert found.canonical
    assert expected.canonical
    assert (found.configuration, found.given_up) == (expected.configuration, expected.given_up)


@pytest.mark.parametrize("space", EVERY, ids=str)
def test_every_space_agrees_with_z3(space: Space) -> None:
    seen: Counter[str] = Counter()
    for seed in range(60 if DEEP else 5):
        machine, order = drawn(1000 + seed)
        found = place(machine, space, order)
        expected = ask_z3(machine, space, order, rivals=())
        assert found.verdict == expected.verdict
        assert found.checked is not None
        seen[found.checked.verdict] += 1
        if found.objective is None or expected.objective is None:
            continue
        assert found.objective.key(order) == expected.objective.key(order)
        if found.canonical:
            assert found.configuration is not None
            assert expected.configuration is not None
            assert canonical_key(found.configuration, found.given_up) == canonical_key(
                expected.configuration, expected.given_up
            )
    print(f"{space}: {dict(seen)}")


@pytest.mark.parametrize(
    "space",
    [Space(t, p, r, g) for t, p, r, _ in EVERY for g in (1, 2) if (p, g) != ("split", 2)],
    ids=str,
)
def test_counting_never_excludes_in_a_case_what_brute_force_finds(space: Space) -> None:
    """Every configuration has a case, and nothing that holds for the case excludes it."""
    seen: Counter[str] = Counter()
    work = 30_000 if space.give_up == 1 else 6_000
    for seed in range(300 if DEEP else 40):
        random = Random(f"cases {seed}")
        machine = place_maps.machine(random, most_gibs=2, roomy=False, crumbs=True)
        pages = sum(r.range.size for r in machine.memory or ()) // 4096
        sets = pages if space.give_up == 1 else pages * pages // 2
        if sets * place_oracle.count_work(machine, space) > work:
            continue
        whole = Ground(pose(machine, space))
        cases = list(list_cases(machine, space, space.give_up, "layouts"))
        for name in ("remote", "max_areas", "areas", "tdmrs", "pamt_pages"):
            least = place_oracle.solve(machine, space, (name,))
            if least is None:
                continue
            seen["least"] += 1
            at_most = {name: least.key[0]}
            steps = [Cuts(()), Floor(name)]
            if name in ("areas", "tdmrs", "pamt_pages"):
                steps.append(Cuts((name,)))
            excluded = [
                any(refutes(whole.case(case), (step,), at_most) for step in steps) for case in cases
            ]
            assert not all(excluded), (seed, name)
            seen["cases excluded"] += sum(excluded)
    assert seen["least"] >= 10
    assert seen["cases excluded"] > 0
