"""The facts that steps speak of, written out for two machines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pamt.certificate.relaxation import CHUNK, Chain, Piece, Relaxation, relax
from pamt.machine import FreeRun, Machine
from pamt.maps.machine_file import machine_from_dict, read_machine
from pamt.placement import Question, Space, pose
from pamt.ranges import PAGE
from pamt.standins import complete

MACHINES = Path(__file__).parents[3] / "specs" / "machines"
CORPUS = Path(__file__).parents[2] / "certificates" / "valid"


def machine(name: str) -> Machine:
    found = json.loads((CORPUS / f"{name}.json").read_text())
    return complete(machine_from_dict(found["machine"])).machine


def ask(name: str, space: Space) -> Question:
    return pose(complete(read_machine(MACHINES / f"{name}.toml")).machine, space)


def facts(machine: Machine, space: Space | None = None) -> Relaxation:
    return relax(pose(machine, space or Space()))


def with_run(start: int, end: int) -> Relaxation:
    """The machine of TDMRs at 1, 2, 4 and 5 GiB, with one free run."""
    whole = machine("chain")
    return facts(replace(whole, free=(FreeRun(start, end),)))


def test_chunks_runs_and_a_chain() -> None:
    assert facts(machine("chain")) == Relaxation(
        tuple(Piece(tdmr, CHUNK, (66, 130)[tdmr % 2], 0) for tdmr in range(4)),
        split=False,
        holes=(1, 1, 0, 0),
        limit=5,
        runs={(0, 1): [(0xC5738, 66), (0xFBF9A, 130)], (0, 2): [(0x1001A1, 66)]},
        chains=(Chain(0x13FF3A, 0, ((2, 198), (3, 198))),),
        weights={(0, 0): 0},
    )
    assert facts(machine("chain")).chains[0].pages == 396
    # Where nothing costs anything there is no unit.
    assert facts(machine("chain")).unit == 0


def test_regions_are_pieces_where_they_may_lie_apart() -> None:
    found = facts(machine("one-abroad"), Space(pamt="split"))
    assert found.pieces == (
        Piece(0, CHUNK, 2053, 0),
        Piece(0, "4k", 2048, 0),
        Piece(0, "2m", 4, 0),
        Piece(0, "1g", 1, 0),
        Piece(1, CHUNK, 1027, 1),
        Piece(1, "4k", 1024, 1),
        Piece(1, "2m", 2, 1),
        Piece(1, "1g", 1, 1),
    )
    assert found.split
    assert found.runs == {(0, 0): [(0x40000, 1027)], (1, 1): [(0x100000, 4000)]}
    assert found.weights == {(0, 0): 0, (0, 1): 10, (1, 0): 10, (1, 1): 0}
    assert [found.cost(piece, 1) for piece in found.pieces[:4]] == [20530, 20480, 40, 10]
    assert (found.unit, found.tdmrs) == (10, 2)


def test_pieces_left_out_cost_nothing_where_nothing_is_free() -> None:
    pieces = (
        Piece(0, CHUNK, 10, 0),
        Piece(0, "4k", 8, 0),
        Piece(0, "2m", 1, 0),
        Piece(0, "1g", 1, 0),
    )
    found = Relaxation(pieces, True, (0,), 5, {}, (), {}).largest()
    assert (found.pieces, found.split, found.rest) == ((Piece(0, CHUNK, 8, 0),), False, 0)


def test_runs_are_cut_where_tdmrs_begin() -> None:
    inside = with_run(0xFF000000, 0x1_00000000)
    assert (inside.runs, inside.chains) == ({(0, 1): [(0xFF000, 4096)]}, ())
    to_border = with_run(0xFF000000, 0x1_40000000)
    assert (to_border.runs, to_border.chains) == (
        {},
        (Chain(0xFF000, 0, ((1, 4096), (2, 0x40000))),),
    )
    over_three = with_run(0xFF000000, 0x1_40000000 + PAGE)
    assert over_three.chains == (Chain(0xFF000, 0, ((1, 4096), (2, 0x40000), (3, 1))),)


@pytest.mark.parametrize("space", [Space(tdmrs="free"), Space(reserve="minimal")])
def test_other_questions_have_none(space: Space) -> None:
    with pytest.raises(ValueError, match="no such relaxation"):
        facts(machine("one-abroad"), space)


def test_a_trivial_cause_leaves_none() -> None:
    assert pose(machine("cause"), Space(reserve="cmr")).trivial is not None
    with pytest.raises(ValueError, match="no such relaxation"):
        facts(machine("cause"), Space(reserve="cmr"))


def test_the_largest_pieces_alone() -> None:
    question = ask("huawei-8node-2016", Space("kernel", "split", "memory"))
    assert question.tdmrs is not None
    facts = relax(question, largest=True)
    assert [p.pages for p in facts.pieces] == [
        fact.sizes.level_4k // PAGE for fact in question.tdmrs
    ]
    assert not facts.split
    small = [fact.pages - fact.sizes.level_4k // PAGE for fact in question.tdmrs]
    nodes = {run.node for run in question.free}
    assert facts.rest == sum(
        pages * min(question.weight(fact.home, node) for node in nodes)
        for pages, fact in zip(small, question.tdmrs, strict=True)
    )
    minimal = ask("huawei-8node-2016", Space("kernel", "chunk", "minimal"))
    facts = relax(minimal, largest=True)
    assert minimal.tdmrs is not None
    assert [p.pages for p in facts.pieces] == [fact.pages for fact in minimal.tdmrs]
    assert facts.limit == len(minimal.tdmrs)
    assert facts.rest == 0
    with pytest.raises(ValueError, match="no such relaxation"):
        relax(minimal)
