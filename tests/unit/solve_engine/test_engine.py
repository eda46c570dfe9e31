"""The exact engine on small maps that show one thing each."""

from __future__ import annotations

import pytest

from pamt.certificate import Cause, Sum, check_certificate
from pamt.certificate.relaxation import relax
from pamt.machine import FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Space, evaluate, pose
from pamt.ranges import GIB, PAGE, RangeSet
from pamt.solve.engine import place_fast, problem
from pamt.solve.engine.master import Use
from pamt.solve.engine.pack import pack
from pamt.solve.engine.price import Begun
from pamt.solve.engine.view import look
from pamt.standins import complete

CHUNK = 1027
"""Pages of the three PAMTs of 1 GiB."""


def machine(
    memory: list[tuple[int, int, int]],
    free: list[tuple[int, int, int]] | None = None,
    limit: int = 16,
    nodes: tuple[Node, ...] = (),
) -> Machine:
    """Memory in pages from GiB 1 on; free runs as (first page, pages, node)."""
    runs = tuple(FreeRun(a * PAGE, (a + n) * PAGE, node) for a, n, node in free or ())
    return complete(
        Machine(
            limits=Limits(max_reserved_per_tdmr=limit),
            memory=tuple(MemoryRange(a * PAGE, b * PAGE, n) for a, b, n in memory),
            free=runs if free is not None else None,
            nodes=nodes,
        )
    ).machine


G = GIB // PAGE


def test_everything_at_home() -> None:
    m = machine([(G, 2 * G, 0), (3 * G, 4 * G, 1)])
    answer = place_fast(m)
    assert answer.result.verdict == "OPTIMAL"
    assert answer.result.canonical
    assert answer.result.objective == (0, 0, 1, 2, 2, 2 * CHUNK)
    assert answer.result.bound == answer.result.objective
    assert answer.checked is not None
    assert answer.checked.verdict == "valid"


def test_the_chunk_that_costs_least_goes_abroad() -> None:
    #   node 0   |==chunk==|                 room for one of the two TDMRs of node 0
    #   node 1   |==chunk==|==chunk==|==|
    m = machine(
        [(G, 2 * G, 0), (3 * G, 5 * G, 0), (6 * G, 7 * G, 1)],
        [(G, 2053, 0), (6 * G, 3000, 1)],
    )
    answer = place_fast(m)
    assert answer.result.objective is not None
    assert answer.result.objective.remote == CHUNK * 10
    placed = answer.result.configuration
    assert placed is not None
    assert [t.pamt_4k.base // PAGE for t in placed.tdmrs] == [6 * G, G, 6 * G + CHUNK]


def test_one_page_too_short() -> None:
    m = machine([(G, 2 * G, 0)], [(G, CHUNK - 1, 0)])
    answer = place_fast(m)
    assert answer.result.verdict == "INFEASIBLE"
    assert answer.certificate is not None
    (claim,) = answer.certificate.claims
    assert claim.at_most == {}
    assert isinstance(claim.steps[0], Sum)


def test_a_chunk_across_a_border_needs_an_area_on_both_sides() -> None:
    #   TDMR 0 |-----------free|free-------| TDMR 1     the only run, across the border
    memory = [(G, 2 * G, 0), (2 * G, 3 * G, 0)]
    free = [(2 * G - 500, 2 * CHUNK, 0)]
    assert place_fast(machine(memory, free, limit=1)).result.verdict == "INFEASIBLE"
    answer = place_fast(machine(memory, free, limit=2))
    assert answer.result.objective is not None
    assert answer.result.objective.max_areas == 2
    assert answer.result.objective.areas == 3


def test_counting_areas() -> None:
    m = machine([(G, 2 * G - 1, 0), (3 * G, 4 * G - 1, 0)], limit=1)
    answer = place_fast(m)
    assert answer.result.verdict == "INFEASIBLE"
    assert answer.checked is not None
    assert answer.checked.verdict == "valid"


def test_trivial_cause() -> None:
    answer = place_fast(machine([(0, 1, 0)]))
    assert answer.result.verdict == "INFEASIBLE"
    assert answer.result.cause is not None
    assert answer.certificate is not None
    assert isinstance(answer.certificate.claims[0].steps[0], Cause)


def test_a_nearer_node_than_home() -> None:
    # The map says that node 1 is nearer to node 0 than node 0 itself.
    nodes = (Node(0, distance=(10, 8)), Node(1, distance=(20, 10)))
    answer = place_fast(machine([(G, 2 * G, 0), (3 * G, 4 * G, 1)], nodes=nodes))
    assert answer.result.objective is not None
    assert answer.result.objective.remote == -2 * CHUNK
    assert answer.checked is not None
    assert answer.checked.verdict == "valid"


def test_no_budget_is_no_verdict() -> None:
    m = machine([(G, 2 * G, 0), (3 * G, 4 * G, 0)], [(G, CHUNK, 0), (3 * G, CHUNK + 9, 0)])
    answer = place_fast(m, budget=0)
    assert answer.result.verdict in {"UNDECIDED", "FEASIBLE"}
    if answer.certificate is not None:
        assert check_certificate(answer.certificate, m).verdict == "valid"


@pytest.mark.parametrize("reserve", ["memory", "cmr"])
@pytest.mark.parametrize("order", [("areas", "remote"), ("max_areas",), ("remote", "areas")])
def test_every_answer_is_judged(reserve: str, order: tuple[str, ...]) -> None:
    space = Space(reserve=reserve)  # type: ignore[arg-type]
    m = machine(
        [(G, 2 * G - 3, 0), (3 * G, 4 * G, 1), (4 * G, 6 * G, 1)],
        [(G + 5, 1100, 0), (3 * G, 2054, 1), (4 * G - 9, 3000, 1)],
    )
    answer = place_fast(m, space, order)
    assert answer.result.configuration is not None
    judged = evaluate(m, space, answer.result.configuration, RangeSet())
    assert judged.objective == answer.result.objective


def test_a_node_nearer_than_home_without_room() -> None:
    # Node 1 would cost less than home, but its TDMR has no area left: nothing is nearer than home.
    nodes = (Node(0, distance=(10, 5)), Node(1, distance=(11, 10)))
    holes = [(3 * G + 10 * i, 3 * G + 10 * i + 5, 1) for i in range(4)]
    m = machine(
        [(G, 2 * G, 0), *holes, (3 * G + 100, 4 * G, 1)],
        [(G, 3 * CHUNK, 0), (3 * G + 100, 3 * CHUNK, 1)],
        limit=4,
        nodes=nodes,
    )
    answer = place_fast(m)
    assert answer.result.objective is not None
    assert answer.result.objective.remote == CHUNK
    assert answer.checked is not None
    assert answer.checked.verdict == "valid"
    assert answer.checked.trusted_steps == 0


def test_two_sets_for_one_chain_are_not_laid_over_each_other() -> None:
    # |--TDMR 0 ... free|free ... TDMR 1--|   one free run across the border, and room for a second
    m = machine(
        [(G, 2 * G, 0), (2 * G, 3 * G, 0)],
        [(2 * G - 1500, 3000, 0), (3 * G - 1100, 1100, 0)],
    )
    view = look(problem.pose_problem(relax(pose(m, Space())), problem.Limits(max_areas=2)))
    (chain,) = [n for n, b in enumerate(view.bins) if b.chain is not None]
    kind = 0
    use = Use(chain, (Begun(kind, 0, (0,), 2 * G - 1500, 1),))
    packing = pack(view, [(use, 1), (use, 1)])
    assert packing is not None
    taken = sorted((lie.start, lie.start + chunk.pages) for chunk, lie in packing.items())
    assert taken[0][1] <= taken[1][0]
