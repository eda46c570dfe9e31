"""Steps made up at random, put to the checker as proofs of what brute force knows to be false.

Maps are tiny and odd: null CMRs, limits of one, nodes nearer than home, memory that is not
convertible, pages that may be given up.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import place_maps
import place_oracle

from pamt.certificate import (
    VALID,
    Cause,
    Certificate,
    Claim,
    Cuts,
    Floor,
    Split,
    Step,
    Sum,
    Where,
    Withdraw,
    check_certificate,
)
from pamt.certificate.check import Ground, refutes
from pamt.certificate.withdrawal import TooManyCases, list_cases
from pamt.machine import Machine
from pamt.placement import COMPONENTS, Space, pose

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
KINDS = ("no-memory", "outside-cmr", "tdmrs-exhausted", "address-limit", "dynamic-keyid")
SPACES = [
    Space(tdmrs, pamt, rule, pages)  # type: ignore[arg-type]
    for tdmrs in ("kernel", "free")
    for pamt in ("chunk", "split")
    for rule in ("memory", "cmr", "minimal")
    for pages in (0, 1)
]
At = dict[str, int]


def odd(random: Random) -> Machine:
    machine = place_maps.machine(random, most_gibs=2, roomy=False, crumbs=True)
    if random.random() < 0.4:
        near = random.choice(((10, 7), (10, 10), (12, 3)))
        machine = replace(
            machine,
            nodes=tuple(
                replace(node, distance=near if node.id == 0 else near[::-1])
                for node in machine.nodes
            ),
        )
    if random.random() < 0.3:
        limits = replace(machine.limits, max_reserved_per_tdmr=random.choice((1, 2, 65535)))
        machine = replace(machine, limits=limits)
    return machine


def some_sum(random: Random, tdmrs: int, splits: int) -> Sum:
    high = random.choice((1, 2, 20))

    def prices(chance: float) -> dict[int, int]:
        return {t: random.randint(-1, high) for t in range(tdmrs) if random.random() < chance}

    return Sum(
        prices(0.9),
        {t: (random.randint(0, high), random.randint(0, 2), 1) for t in prices(0.3)},
        {t: abs(price) for t, price in prices(0.6).items()},
        random.choice((0, 0, 1, 3)),
        random.choice((0, 0, 1)),
        {at: random.randint(0, 2) for at in range(splits)},
    )


def some_tree(random: Random, question_tdmrs: int, at_most: At) -> tuple[Step, ...]:
    tdmrs = max(1, question_tdmrs)
    kind = random.randrange(8)
    if kind == 0:
        return (Cause(random.choice(KINDS)),)
    if kind == 1:
        return (Floor(random.choice(COMPONENTS)),)
    if kind in (2, 3):
        names = [n for n in ("areas", "tdmrs", "pamt_pages") if n in at_most]
        return (Cuts(tuple(random.sample(names, random.randint(0, len(names))))),)
    if kind in (4, 5):
        return (some_sum(random, tdmrs, 0),)
    members = tuple(t for t in range(tdmrs) if random.random() < 0.8)
    piece = random.choice(("chunk", "4k", "2m", "largest"))
    where = Where(random.choice((None, 0, 1)), random.choice((None, 0)), None)
    split = Split(members, piece, where, random.choice((-1, 0, 0, 1)), 1, 2)
    return (split, some_sum(random, tdmrs, 1), some_sum(random, tdmrs, 1))


def proofs(random: Random, machine: Machine, space: Space, at_most: At) -> tuple[Step, ...]:
    """A tree as it is, or the same for every case of pages to give up."""
    question = pose(machine, space)
    tdmrs = len(question.kernel_tdmrs)
    tree = some_tree(random, tdmrs, at_most)
    if not space.give_up or random.random() < 0.2:
        return tree
    kind = random.choice(("layouts", "layouts", "sets"))
    limit = max(0, min(space.give_up, at_most.get("lost", space.give_up)))
    try:
        cases = list(list_cases(machine, space, limit, kind))
    except TooManyCases:
        return tree
    # For each case the first of some trees that the checker takes: as a liar would choose.
    ground = Ground(question)
    trees = [tree, *(some_tree(random, tdmrs + 1, at_most) for _ in range(6)), (Cuts(()),)]
    chosen: list[tuple[int, int]] = []
    for case in cases:
        fits = [n for n, t in enumerate(trees) if refutes(ground.case(case), t, at_most)]
        chosen.append((1, fits[0] if fits else 0))
    return (Withdraw(kind, tuple(trees), tuple(chosen)),)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_no_made_up_proof_of_what_is_false_is_taken(space: Space) -> None:
    seen: Counter[str] = Counter()
    for seed in range(300 if DEEP else 24):
        random = Random(f"lies {space} {seed}")
        machine = odd(random)
        pages = sum(r.range.size for r in machine.memory or ()) // 4096
        work = place_oracle.count_work(machine, space) * (pages if space.give_up else 1)
        if not 0 < work <= 6_000:
            continue
        possible = {answer.key for answer in place_oracle.values(machine, space, COMPONENTS)}
        for _ in range(40):
            true = True
            values = dict(
                zip(COMPONENTS, (random.randint(-2, 40) for _ in COMPONENTS), strict=True)
            )
            if possible:
                best = random.choice(sorted(possible))
                values = {
                    name: value + random.choice((-1, 0, 0, 0, 1))
                    for name, value in zip(COMPONENTS, best, strict=True)
                }
            at_most = {name: values[name] for name in COMPONENTS if random.random() < 0.6}
            for key in possible:
                costs = dict(zip(COMPONENTS, key, strict=True))
                true = true and any(costs[name] > value for name, value in at_most.items())
            steps = proofs(random, machine, space, at_most)
            made = Certificate(
                "INFEASIBLE", space, COMPONENTS, claims=(Claim({}, steps), Claim(at_most, steps))
            )
            # Whether the infeasibility or only the claim is a lie, the checker says no.
            taken = refutes(Ground(pose(machine, space)), steps, at_most, given_up(space, at_most))
            seen["taken" if taken else "refused", true] += 1
            assert true or not taken, (seed, at_most, steps)
            if possible:
                assert check_certificate(made, machine).verdict != VALID
    print(space, dict(seen))
    assert seen["refused", False] >= 8
    assert seen["taken", True] >= 1


def given_up(space: Space, at_most: At) -> int:
    return max(0, min(space.give_up, at_most.get("lost", space.give_up)))
