"""The reference solver against CP-SAT, a solver of another kind with a model of its own."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from pamt.placement import Space
from pamt.solve.reference import place

sys.path.insert(0, str(Path(__file__).parent))
import place_cpsat
import place_maps

SPACES = [
    Space("kernel", "chunk", "memory"),
    Space("kernel", "chunk", "cmr"),
    Space("kernel", "split", "memory"),
    Space("kernel", "split", "cmr"),
]
ORDERS = [
    ("lost", "remote", "max_areas", "areas", "tdmrs", "pamt_pages"),
    ("areas", "remote", "max_areas"),
    ("max_areas", "remote"),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_reference_agrees_with_cp_sat(space: Space) -> None:
    seen: Counter[str] = Counter()
    chunk = space.pamt == "chunk"
    for seed in range(60 if chunk else 30):
        machine = place_maps.machine(
            Random(f"cp-sat {seed}"), most_gibs=6 if chunk else 2, roomy=chunk
        )
        order = ORDERS[seed % len(ORDERS)]
        found = place(machine, space, order, canonical=False)
        expected = place_cpsat.solve(machine, space, order)
        seen[found.verdict] += 1
        assert (found.objective.key(order) if found.objective else None) == expected
    print(f"{space}: {dict(seen)}")
    assert min(seen["OPTIMAL"], seen["INFEASIBLE"]) >= (10 if chunk else 5)
