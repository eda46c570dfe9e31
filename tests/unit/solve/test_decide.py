"""What is left to z3, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pamt.machine import FreeRun, Machine, MemoryRange
from pamt.placement import Space
from pamt.ranges import GIB, PAGE
from pamt.solve import decide
from pamt.solve.engine import Answer
from pamt.solve.result import FEASIBLE, SIZE
from pamt.standins import complete

SPLIT = Space(tdmrs="kernel", pamt="split", reserve="memory")


def pieces(count: int) -> Machine:
    """Two nodes; node 0 has `count` free runs of a page, node 1 has room for all."""
    memory = (MemoryRange(GIB, 2 * GIB, 0), MemoryRange(4 * GIB, 6 * GIB, 1))
    free = [FreeRun(GIB + 2 * i * PAGE, GIB + (2 * i + 1) * PAGE, 0) for i in range(count)]
    free.append(FreeRun(5 * GIB, 5 * GIB + GIB // 2, 1))
    return complete(Machine(name="pieces", memory=memory, free=tuple(free))).machine


@pytest.mark.parametrize("more", [0, 1])
def test_with_fixed_tdmrs_z3_is_asked_up_to_so_many_free_runs(
    more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def search(question: object, *_: object, **__: object) -> object:
        asked.append(1)
        raise KeyboardInterrupt

    def open_end(*_: object, **__: object) -> object:
        return Answer(found, None, None)

    limit = decide.RUNS_IN_THE_KERNELS_LAYOUT
    machine = pieces(limit - 1 + more)
    found = decide.place(machine, SPLIT)
    assert found.objective is not None
    found = replace(found, verdict=FEASIBLE, certificate=None)
    monkeypatch.setattr(decide, "place_fast", open_end)
    monkeypatch.setattr(decide, "search_cuts", search)
    if more:
        answer = decide.place(machine, SPLIT)
        assert (answer.verdict, answer.stopped, asked) == (FEASIBLE, SIZE, [])
        assert f"{limit + 1} free runs" in str(answer.reason)
    else:
        with pytest.raises(KeyboardInterrupt):
            decide.place(machine, SPLIT)
        assert asked == [1]
