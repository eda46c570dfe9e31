"""The exact engine against brute force, z3 and CP-SAT; every certificate valid, none trusted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import engine_maps
import place_cpsat
import place_maps
import place_oracle

from pamt.certificate import VALID, dump_certificate
from pamt.machine import FreeRun, Machine, MemoryRange
from pamt.placement import LINUX, Space, canonical_key
from pamt.ranges import GIB as G
from pamt.ranges import PAGE as P
from pamt.ranges import RangeSet
from pamt.solve.engine import Answer, place_fast
from pamt.solve.reference import place
from pamt.standins import complete

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
SEEDS = st.integers(0, 2**32 - 1)
PLACED = ("remote", "max_areas", "areas")


def decided(machine: Machine, space: Space, order: tuple[str, ...]) -> Answer:
    answer = place_fast(machine, space, order)
    assert answer.result.verdict in {"OPTIMAL", "INFEASIBLE"}
    assert answer.checked is not None
    assert answer.checked.verdict == VALID
    assert answer.checked.trusted_steps == 0
    return answer


@given(SEEDS)
@settings(max_examples=3000 if DEEP else 150, deadline=None)
@example(seed=10579)  # home is on a node that costs more than another, which has no room
@example(seed=10943)  # whole counts in a chain, from sets that do not agree
@example(seed=35763)  # cases keep a chunk out of open groups
@example(seed=120880)  # two sets for one chain, one half of each
def test_with_z3(seed: int) -> None:
    machine, space, order = engine_maps.mixed(Random(seed))
    answer = decided(machine, space, order)
    expected = place(machine, space, order, rivals=())
    assert answer.result.verdict == expected.verdict
    if expected.objective is None:
        return
    assert answer.result.objective is not None
    assert answer.result.objective.key(order) == expected.objective.key(order)
    assert answer.result.canonical
    assert expected.canonical
    assert answer.result.configuration == expected.configuration


@pytest.mark.parametrize("seed", [17219, 33912, 52997])
def test_what_was_once_left_open(seed: int) -> None:
    decided(*engine_maps.mixed(Random(seed)))


def test_nothing_is_left_open() -> None:
    for seed in range(20_000 if DEEP else 1_000):
        answer = decided(*engine_maps.mixed(Random(seed)))
        assert answer.result.canonical or answer.result.verdict == "INFEASIBLE"


def agrees_with_brute_force(machine: Machine, space: Space, order: tuple[str, ...]) -> None:
    """The same optimum, and the same canonical configuration; maps of too much work are passed."""
    if place_oracle.count_work(machine, space) > 30_000:
        return
    answer = decided(machine, space, order)
    expected = place_oracle.solve(machine, space, order)
    assert (answer.result.verdict == "OPTIMAL") == (expected is not None)
    if expected is None:
        return
    assert answer.result.objective is not None
    assert answer.result.configuration is not None
    assert answer.result.objective.key(order) == expected.key
    assert canonical_key(answer.result.configuration, RangeSet()) == expected.canonical


@given(st.sampled_from(["memory", "cmr"]), SEEDS, st.sampled_from(engine_maps.ORDERS))
@settings(max_examples=3000 if DEEP else 150, deadline=None)
def test_with_brute_force(reserve: str, seed: int, order: tuple[str, ...]) -> None:
    machine = place_maps.machine(Random(seed))
    space = Space(reserve=reserve)  # type: ignore[arg-type]
    agrees_with_brute_force(machine, space, order)


@given(st.sampled_from(["memory", "cmr"]), SEEDS, st.sampled_from(engine_maps.ORDERS))
@settings(max_examples=3000 if DEEP else 150, deadline=None)
@example(reserve="memory", seed=37, order=engine_maps.ORDERS[0])
def test_split_chunks_with_brute_force(reserve: str, seed: int, order: tuple[str, ...]) -> None:
    random = Random(f"split {seed}")
    machine = place_maps.machine(random, roomy=random.random() < 0.3)
    space = Space(pamt="split", reserve=reserve)  # type: ignore[arg-type]
    agrees_with_brute_force(machine, space, order)


SPLIT_SEEDS = (11, 33, 38, 99, 114, 268, 306, 457, 460, 1139, 1157, 1374, 1399)
"""Of these some were left open once: counts that regions in excess spoil, prices that are due to
rounding, chunks counted beside their own regions.
"""


@pytest.mark.parametrize("seed", range(200) if DEEP else SPLIT_SEEDS)
def test_split_chunks_with_cpsat(seed: int) -> None:
    machine, space, order = engine_maps.mixed(Random(seed))
    space = space._replace(pamt="split")
    answer = decided(machine, space, order)
    found = answer.result.objective.key(order) if answer.result.objective else None
    assert found == place_cpsat.solve(machine, space, order)


@pytest.mark.parametrize("goal", [("areas", "remote"), ("max_areas", "areas", "remote"), PLACED])
def test_a_split_that_pays(goal: tuple[str, ...]) -> None:
    """At home there is room for the 4K region alone; a page elsewhere costs less than the chunk."""
    chunk, gib = 1027, 1 << 18
    memory = (MemoryRange(G, 2 * G, 0), MemoryRange(3 * G, 4 * G, 1))
    free = [(gib + 8, 1024, 0), (gib + 2000, 2, 0), (gib + 2100, 1, 0), (3 * gib, 4 * chunk, 1)]
    machine = complete(
        Machine(memory=memory, free=tuple(FreeRun(a * P, (a + n) * P, node) for a, n, node in free))
    ).machine
    answer = decided(machine, Space(pamt="split"), goal)
    value = answer.result.objective
    assert value is not None
    expected = (0, 4) if goal[0] == "remote" else (10 * chunk, 2)
    assert (value.remote, value.areas) == expected


@given(SEEDS)
@settings(max_examples=1000 if DEEP else 40, deadline=None)
def test_with_cpsat_where_packing_decides(seed: int) -> None:
    machine = engine_maps.tight(Random(seed))
    answer = decided(machine, LINUX, PLACED)
    found = answer.result.objective.key(PLACED) if answer.result.objective else None
    assert found == place_cpsat.solve(machine, LINUX, PLACED)


@pytest.mark.parametrize("seed", range(4))
def test_same_bytes_for_every_hash_seed(seed: int) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from random import Random\n"
        "import engine_maps\n"
        "from pamt.certificate import dump_certificate\n"
        "from pamt.solve.engine import place_fast\n"
        "machine, space, order = engine_maps.mixed(Random(int(sys.argv[2])))\n"
        "answer = place_fast(machine, space, order)\n"
        "print(answer.result, dump_certificate(answer.certificate))\n"
    )
    outputs = set()
    for hash_seed in ("0", "1", "77"):
        run = subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent), str(seed)],
            env={
                **os.environ,
                "PYTHONHASHSEED": hash_seed,
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1
    machine, space, order = engine_maps.mixed(Random(seed))
    answer = place_fast(machine, space, order)
    assert answer.certificate is not None
    assert dump_certificate(answer.certificate) in outputs.pop()
