"""Pockets: areas that PAMTs open."""

from __future__ import annotations

from dataclasses import replace

from pamt.certificate.opened import areas_opened, pockets
from pamt.machine import Cmr, FreeRun, Machine, MemoryRange, Node
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE
from pamt.standins import complete


def pocketed(limit: int) -> Question:
    """Two TDMRs of a GiB: one free run touches a hole that must be reserved, two do not."""
    memory = (MemoryRange(0, GIB - 9 * PAGE, 0), MemoryRange(GIB, 2 * GIB, 0))
    free = (
        FreeRun(GIB - 609 * PAGE, GIB - 9 * PAGE, 0),
        FreeRun(GIB // 2, GIB // 2 + 1500 * PAGE, 0),
        FreeRun(GIB + GIB // 2, GIB + GIB // 2 + 1100 * PAGE, 0),
    )
    cmrs = tuple(Cmr(r.start, r.end - r.start) for r in memory)
    machine = Machine("m", "", cmrs=cmrs, memory=memory, free=free, nodes=(Node(0),))
    machine = replace(machine, limits=replace(machine.limits, max_reserved_per_tdmr=limit))
    return pose(complete(machine).machine, Space("kernel", "chunk", "minimal"))


def test_pockets() -> None:
    question = pocketed(16)
    found = pockets(question)
    # Below 1 MiB nothing is memory, and nothing is free.
    assert [(p.tdmr, p.opened, dict(p.pages)) for p in found] == [
        (0, False, {0: 1500}),
        (0, True, {0: 600}),
        (1, False, {0: 1100}),
    ]
    assert question.tdmrs is not None
    assert [fact.pages for fact in question.tdmrs] == [1027, 1027]
    # 2054 pages less 600 that are open: the longest other pocket holds the rest.
    assert areas_opened(question, [2, 0], 16, near=True) == 1
    # Without an area left in TDMR 0 only the pocket of TDMR 1 is there: too short.
    assert areas_opened(question, [2, 0], 2, near=True) is None
