"""Bounds over all cuts and placements that meet them: against brute force, in every space."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from pamt.certificate import INVALID, VALID, Certificate, Claim, check_certificate
from pamt.certificate.cut_bound import ADDITIVE
from pamt.certificate.fill_bound import excludes_claim
from pamt.certificate.format import Cuts, dump_certificate, load_certificate
from pamt.certificate.home_areas import homes_apart
from pamt.machine import Machine
from pamt.maps.machine_file import read_machine
from pamt.placement import COMPONENTS, MODULE, Question, Space, canonical_key, pose
from pamt.solve import place
from pamt.solve.engine.any_cut import place_any_cut
from pamt.solve.engine.branch import Budget
from pamt.solve.engine.place import handles
from pamt.solve.result import PlaceResult
from pamt.standins import complete

sys.path.insert(0, str(Path(__file__).parent))
import place_maps
import place_oracle

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
TOO_MUCH = 12_000
MACHINES = sorted((Path(__file__).parents[2] / "specs" / "machines").glob("*.toml"))

SPACES = [
    Space(tdmrs, pamt, reserve)  # type: ignore[arg-type]
    for tdmrs in ("kernel", "free")
    for pamt in ("chunk", "split")
    for reserve in ("memory", "cmr", "minimal")
]


def order_for(random: Random, seed: int) -> tuple[str, ...]:
    if seed % 3 == 0:
        return COMPONENTS
    return tuple(random.sample(COMPONENTS, random.randint(1, 6)))


def agreed(
    question: Question, machine: Machine, space: Space, order: tuple[str, ...], seen: Counter[str]
) -> tuple[place_oracle.Answer | None, PlaceResult]:
    """What brute force finds, and the answer over cuts, which agrees; verdicts are counted."""
    expected = place_oracle.solve(machine, space, order)
    found = place_any_cut(question, order, Budget(2000))
    result = found.result
    seen[result.verdict] += 1
    if found.certificate is not None:
        read = load_certificate(dump_certificate(found.certificate))
        assert check_certificate(read, machine, space).verdict == VALID
    if expected is None:
        assert result.objective is None
        return None, result
    assert result.verdict != "INFEASIBLE"
    assert result.bound is not None
    assert result.bound.key(order) <= expected.key
    if result.verdict == "OPTIMAL":
        assert result.objective is not None
        assert result.objective.key(order) == expected.key
    if result.canonical:
        assert result.configuration is not None
        assert canonical_key(result.configuration, result.given_up) == expected.canonical
    return expected, result


def nothing_possible_is_excluded(
    question: Question,
    order: Sequence[str],
    expected: place_oracle.Answer,
    claims: Iterable[Sequence[str]],
) -> None:
    """No claim that what is possible fulfils is ever proved, whatever it speaks of."""
    best = dict(zip(order, expected.key, strict=True))
    for names in claims:
        at_most = {name: best[name] for name in names}
        additive = [name for name in ADDITIVE if name in at_most]
        assert not excludes_claim(question, additive, at_most)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_agrees_with_brute_force(space: Space) -> None:
    seen: Counter[str] = Counter()
    for seed in range(1500 if DEEP else 60):
        random = Random(f"cut {seed}")
        machine = place_maps.machine(random, roomy=space.pamt == "chunk")
        order = order_for(random, seed)
        question = pose(machine, space)
        if question.trivial is not None or place_oracle.count_work(machine, space) > TOO_MUCH:
            continue
        expected, result = agreed(question, machine, space, order, seen)
        if expected is None:
            continue
        seen["canonical"] += result.canonical
        # What is possible is never excluded, whatever is compared first.
        best = dict(zip(order, expected.key, strict=True))
        additive = [name for name in ADDITIVE if name in best]
        for some in (additive, additive[::-1], additive[:1], []):
            assert not excludes_claim(question, some, best)
    print(f"{space}: {dict(seen)}")
    assert seen["OPTIMAL"] >= 5
    assert seen["canonical"] >= 1


@pytest.mark.parametrize("space", [s for s in SPACES if s.pamt == "chunk"], ids=str)
def test_agrees_with_brute_force_at_home(space: Space) -> None:
    """Maps on which it matters at which cells TDMRs may begin, and which gaps they fill."""
    seen: Counter[str] = Counter()
    for seed in range(2000 if DEEP else 40):
        random = Random(f"home {seed}")
        machine = place_maps.homely(random)
        order = COMPONENTS if seed % 2 else order_for(random, seed)
        question = pose(machine, space)
        if question.trivial is not None or place_oracle.count_work(machine, space) > TOO_MUCH:
            continue
        expected, _ = agreed(question, machine, space, order, seen)
        if expected is None:
            continue
        some = [name for name in order if random.random() < 0.6]
        nothing_possible_is_excluded(
            question, order, expected, (order, order[:2], order[-2:], some)
        )
    print(f"{space}: {dict(seen)}")
    assert sum(seen.values()) >= 5
    assert seen["OPTIMAL"] >= 1


@pytest.mark.parametrize("pamt", ["chunk", "split"])
def test_agrees_with_brute_force_away_from_holes(pamt: Literal["chunk", "split"]) -> None:
    """Maps on which PAMTs may have to lie where they share no area with a hole."""
    space = Space("free", pamt, "minimal")
    seen: Counter[str] = Counter()
    for seed in range(3000 if DEEP else 150):
        random = Random(f"pat {seed}")
        machine = place_maps.patterned(random)
        order = random.choice((COMPONENTS, ("areas", "tdmrs"), ("remote", "areas", "max_areas")))
        question = pose(machine, space)
        if question.trivial is not None or place_oracle.count_work(machine, space) > TOO_MUCH:
            continue
        expected, _ = agreed(question, machine, space, order, seen)
        if expected is None:
            continue
        nothing_possible_is_excluded(question, order, expected, (order, order[:2], ("areas",)))
    print(f"{space}: {dict(seen)}")
    assert sum(seen.values()) >= 20
    assert seen["OPTIMAL"] >= 1


def test_agrees_with_brute_force_where_every_node_has_its_own() -> None:
    """Maps of two nodes or three whose PAMTs share an area, or do not."""
    space = Space("free", "chunk", "minimal")
    seen: Counter[str] = Counter()
    for seed in range(6000 if DEEP else 200):
        random = Random(f"nei {seed}")
        machine = place_maps.neighbours(random)
        order = random.choice(
            (COMPONENTS, ("remote", "areas", "tdmrs"), ("remote", "tdmrs", "areas"))
        )
        question = pose(machine, space)
        if question.trivial is not None or place_oracle.count_work(machine, space) > TOO_MUCH:
            continue
        expected, _ = agreed(question, machine, space, order, seen)
        if expected is None:
            continue
        seen["homes apart"] += len(homes_apart(question)) > 1
        some = [name for name in order if random.random() < 0.6]
        nothing_possible_is_excluded(question, order, expected, (order, order[:2], order[:3], some))
    print(f"{space}: {dict(seen)}")
    assert seen["OPTIMAL"] >= 5
    assert seen["homes apart"] >= 5


@pytest.mark.parametrize("space", [s for s in SPACES if s.tdmrs == "free"], ids=str)
def test_the_default_decides_like_brute_force(space: Space) -> None:
    maps = 0
    for seed in range(200 if DEEP else 8):
        random = Random(f"default {seed}")
        machine = place_maps.machine(random, roomy=space.pamt == "chunk")
        if place_oracle.count_work(machine, space) > TOO_MUCH:
            continue
        maps += 1
        order = order_for(random, seed)
        expected = place_oracle.solve(machine, space, order)
        found = place(machine, space, order)
        assert found.checked is not None
        if expected is None:
            assert found.verdict == "INFEASIBLE"
            continue
        assert (found.verdict, found.canonical) == ("OPTIMAL", True)
        assert found.objective is not None
        assert found.configuration is not None
        assert found.objective.key(order) == expected.key
        assert canonical_key(found.configuration, found.given_up) == expected.canonical
    assert maps >= 3


def machine_named(name: str) -> Machine:
    (path,) = (p for p in MACHINES if p.stem == name)
    return complete(read_machine(path)).machine


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_real_machines_have_certificates_without_trusted_steps(path: Path) -> None:
    machine = complete(read_machine(path)).machine
    for space in (MODULE, Space("free", "chunk", "cmr"), Space("kernel", "chunk", "minimal")):
        found = place(machine, space)
        assert found.checked is not None
        assert found.checked.verdict == VALID
        assert found.objective is not None


def test_a_page_between_two_holes_is_filled_by_a_pamt() -> None:
    found = place(machine_named("spr-eaglestream-2s"), MODULE)
    assert found.verdict == "OPTIMAL"
    assert found.configuration is not None
    # One page lies between two holes that must be reserved: a PAMT of one page joins them.
    pages = {(p.base, p.size) for t in found.configuration.tdmrs for p in t.pamts}
    assert (0x777FF000, 0x1000) in pages
    assert found.objective is not None
    assert (found.objective.max_areas, found.objective.areas) == (1, 4)


def test_claims_one_higher_are_refused() -> None:
    machine = machine_named("canonical-pr188")
    for space in SPACES:
        certificate = place(machine, space).certificate
        assert certificate is not None
        cuts = 0
        for at, claim in enumerate(certificate.claims):
            if not isinstance(claim.steps[0], Cuts):
                continue
            cuts += 1
            name = list(claim.at_most)[-1]
            raised = Claim({**claim.at_most, name: claim.at_most[name] + 1}, claim.steps)
            claims = (*certificate.claims[:at], raised, *certificate.claims[at + 1 :])
            broken = replace(certificate, claims=claims)
            assert check_certificate(broken, machine, space).verdict == INVALID
        assert cuts or handles(space)


def test_cuts_do_not_prove_what_is_not_so() -> None:
    machine = machine_named("canonical-pr188")
    for claim in (
        Claim({}, (Cuts(()),)),
        Claim({"remote": 0}, (Cuts(()),)),
        Claim({}, (Cuts(("areas",)),)),
    ):
        certificate = Certificate("INFEASIBLE", MODULE, COMPONENTS, claims=(claim,))
        assert check_certificate(certificate, machine, MODULE).verdict == INVALID
