"""Margins: one more is too much, and just as many is not, by plain runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamt.explain.changes import try_policy
from pamt.explain.margins import least_loss, margins
from pamt.machine import FreeRun, Limits, Machine, MemoryRange
from pamt.policies.registry import get_policy
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet
from pamt.standins import complete

MAINLINE = get_policy("linux:mainline")
DPAMT = get_policy("linux:dpamt")


def lose_from_top(machine: Machine, node: int, size: int) -> Machine:
    """The machine without the `size` highest bytes of free memory on `node`."""
    done = complete(machine).machine
    kept: list[FreeRun] = []
    for run in sorted(done.free or (), reverse=True):
        if run.node != node:
            kept.append(run)
            continue
        gone = min(size, run.end - run.start)
        size -= gone
        if run.end - gone > run.start:
            kept.append(FreeRun(run.start, run.end - gone, node))
    return replace(done, free=tuple(sorted(kept)))


pieces = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 12)), min_size=1, max_size=5)


@given(pieces=pieces, second=st.booleans())
def test_the_least_loss_is_the_least(pieces: list[tuple[int, int]], second: bool) -> None:
    """Every smaller loss, page by page, leaves the policy working; this one does not."""
    at, free = GIB, []
    for size, gap in pieces:
        free.append(FreeRun(at, at + size * PAGE, 0))
        at += (size + gap) * PAGE
    memory = [MemoryRange(GIB, GIB + 400 * PAGE, 0)]
    if second:
        memory.append(MemoryRange(2 * GIB, 2 * GIB + 30 * PAGE, 1))
        free.append(FreeRun(2 * GIB, 2 * GIB + 11 * PAGE, 1))
    limits = Limits(pamt_entry_size=(1, 1, 1))
    machine = Machine(memory=tuple(memory), free=tuple(free), limits=limits)
    if not try_policy(DPAMT, machine).works:
        return
    lost = least_loss(DPAMT, machine, 0)
    assert lost is not False
    pages = sum(size for size, _ in pieces)
    fails = next(
        (
            n
            for n in range(1, pages + 1)
            if not try_policy(DPAMT, lose_from_top(machine, 0, n * PAGE)).works
        ),
        None,
    )
    assert (None if lost is None else lost // PAGE) == fails


def two_nodes() -> Machine:
    return Machine(
        memory=(MemoryRange(MIB, 3 * GIB), MemoryRange(4 * GIB, 36 * GIB, 1)),
        limits=Limits(max_reserved_per_tdmr=4),
    )


def test_room_for_holes_is_used_up_by_so_many() -> None:
    machine = two_nodes()
    trial = try_policy(MAINLINE, machine)
    room = {m.tdmr: m.number for m in margins(MAINLINE, machine, trial) if m.kind == "areas"}
    # TDMR 1 [4 GiB, 36 GiB) holds its own chunk.
    assert room[1] == 3
    last = RangeSet([Range(35 * GIB, 36 * GIB)])
    for number in (3, 4):
        holes = RangeSet(
            Range(35 * GIB + (1 + 3 * n) * MIB, 35 * GIB + (2 + 3 * n) * MIB) for n in range(number)
        )
        # The layout is cut below the last GiB by no hole, for every range ends in it.
        assert holes <= last
        low = RangeSet([Range(4 * GIB, 36 * GIB)]) - holes
        memory = (MemoryRange(MIB, 3 * GIB), *(MemoryRange(r.start, r.end, 1) for r in low))
        assert try_policy(MAINLINE, replace(machine, memory=memory)).works == (number == 3)


def test_margins_name_every_tdmr_and_node() -> None:
    machine = two_nodes()
    trial = try_policy(MAINLINE, machine)
    found = margins(MAINLINE, machine, trial)
    assert [m.kind for m in found] == ["areas", "areas", "chunk", "chunk", "loss", "loss"]
    for loss in (m for m in found if m.kind == "loss" and m.size is not None):
        assert loss.node is not None and loss.size is not None
        assert not try_policy(MAINLINE, lose_from_top(machine, loss.node, loss.size)).works
        less = loss.size - PAGE
        assert try_policy(MAINLINE, lose_from_top(machine, loss.node, less)).works


@pytest.mark.parametrize("policy", ["linux:mainline", "linux:dpamt"])
def test_a_policy_that_fails_has_no_margins(policy: str) -> None:
    machine = replace(two_nodes(), free=())
    chosen = get_policy(policy)
    assert margins(chosen, machine, try_policy(chosen, machine)) == ()
