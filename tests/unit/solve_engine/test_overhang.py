"""Gaps filled by TDMRs of the right length, one of which overhangs its node."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pamt.certificate import VALID, check_certificate
from pamt.certificate.fill_bound import excludes_claim
from pamt.maps.machine_file import read_machine
from pamt.placement import COMPONENTS, MODULE, Objective, Question, build, evaluate, pose
from pamt.ranges import GIB
from pamt.solve.budget import Budget
from pamt.solve.engine.any_cut import place_any_cut
from pamt.solve.engine.overhang import fill_by_overhang
from pamt.standins import complete

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from place_spaces import low_holes


def ask(folder: Path, nodes: int, size: int, holes: int, seed: int) -> Question:
    path = folder / "map.json"
    path.write_text(low_holes(nodes, size, holes, seed))
    return pose(complete(read_machine(path)).machine, MODULE)


def layouts(question: Question, fullest: int) -> list[tuple[Objective, list[int]]]:
    """What each layout costs, and the GiBs of its TDMRs; the rules accept every one."""
    found: list[tuple[Objective, list[int]]] = []
    bound = {"lost": 0, "remote": 0, "max_areas": fullest}
    for tdmrs, bases in fill_by_overhang(question, bound, lambda: fullest):
        made = build(question, tdmrs, bases)
        judged = evaluate(question.machine, question.space, made, question.given_up)
        assert judged.objective is not None, judged
        assert judged.objective.remote == 0
        found.append((judged.objective, [tdmr.size // GIB for tdmr in tdmrs]))
    return found


def test_three_gaps_filled_with_one_tdmr_over_eight_nodes(tmp_path: Path) -> None:
    question = ask(tmp_path, 8, 64, 60, 0)
    best, sizes = min(layouts(question, 11))
    # 29 stretches must be reserved, 12 of them in the first GiB; three gaps are filled, and what
    # is left lies in one area on the first node.
    assert (best.max_areas, best.areas) == (11, 27)
    # 908 pages more than 4K regions make: a 2M region of 454 GiB, of a node of 64.
    assert sizes[-1] == 454
    assert excludes_claim(question, (), {"remote": 0, "max_areas": 10})


@pytest.mark.parametrize(
    ("seed", "fullest", "areas"), [(1, 15, 29), (2, 10, 30), (3, 14, 31)], ids=str
)
def test_placement_comes_to_the_bound(tmp_path: Path, seed: int, fullest: int, areas: int) -> None:
    question = ask(tmp_path, 2, 8, 30, seed)
    proof = place_any_cut(question, COMPONENTS, Budget(2000))
    assert proof.result.objective is not None
    assert proof.result.bound is not None
    assert proof.result.bound.max_areas == proof.result.objective.max_areas == fullest
    assert proof.result.objective.areas <= areas
    assert proof.certificate is not None
    assert check_certificate(proof.certificate, question.machine).verdict == VALID


def test_nothing_where_it_makes_no_sense(tmp_path: Path) -> None:
    question = ask(tmp_path, 2, 8, 30, 2)
    # PAMTs may be anywhere, or as many areas as are needed can't be.
    assert not list(fill_by_overhang(question, {"max_areas": 11}, lambda: 11))
    assert not layouts(question, 3)


def test_many_tdmrs_where_2m_regions_alone_do_not_do(tmp_path: Path) -> None:
    question = ask(tmp_path, 8, 64, 60, 1)
    best, sizes = min(layouts(question, 9))
    # Remainders of 53 and 121 pages, besides one for the TDMR that overhangs: more than the 2M
    # regions of the 64 GiB of a node, so each of many TDMRs gives a page of 1G region.
    assert (best.max_areas, best.areas) == (9, 28)
    assert sizes.count(1) > 40
    assert excludes_claim(question, (), {"remote": 0, "max_areas": 8})
