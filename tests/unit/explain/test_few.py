"""Unknown pages: their regions, and what may be withdrawn on a ground."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pamt.explain.changes import pin_facts
from pamt.explain.few.ground import grounds
from pamt.explain.few.pages import Region, clip, drop, drop_all, inside, meets
from pamt.kernel.variants import VARIANTS
from pamt.machine import Cmr, Machine, MemoryRange
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet

MAINLINE = VARIANTS["mainline"]

regions = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), max_size=5).map(
    lambda parts: RangeSet((at, at + size) for at, size in parts).runs
)
windows = st.tuples(st.integers(0, 45), st.integers(1, 10)).map(lambda w: Range(w[0], w[0] + w[1]))


def members(region: Region) -> set[int]:
    return {at for r in region for at in range(r.start, r.end)}


@given(region=regions, window=windows, more=windows)
def test_regions_are_sets(region: Region, window: Range, more: Range) -> None:
    inner = set(range(*window))
    assert members(clip(region, *window)) == members(region) & inner
    assert members(drop(region, *window)) == members(region) - inner
    assert members(drop_all(region, [window, more])) == members(region) - inner - set(range(*more))
    assert meets(region, *window) == bool(members(region) & inner)
    if region:
        assert inside(region, *window) == (members(region) <= inner)
    assert all(r.start < r.end for r in drop(region, *window))


def machine(*memory: MemoryRange, cmrs: tuple[Cmr, ...] | None = None) -> Machine:
    return pin_facts(Machine(memory=memory, cmrs=cmrs))


def test_edges_of_nodes_and_small_pieces_are_tried_by_name() -> None:
    small = MemoryRange(4 * GIB, 4 * GIB + 2 * PAGE, 1)
    large = MemoryRange(5 * GIB, 6 * GIB, 1)
    found = list(grounds(machine(MemoryRange(MIB, GIB), small, large), MAINLINE, 2))
    gone = {ground.gone for ground in found}
    assert len(gone) == len(found)
    one = Range(4 * GIB, 4 * GIB + PAGE)
    both = Range(4 * GIB, 4 * GIB + 2 * PAGE)
    top = Range(6 * GIB - PAGE, 6 * GIB)
    low = Range(MIB, MIB + PAGE)
    assert {(), (one,), (both,), (top,), (low, top)} <= gone
    assert all(sum(r.size for r in pages) <= 2 * PAGE for pages in gone)
    without_small = next(ground for ground in found if ground.gone == (both,))
    assert without_small.borders == (GIB, 6 * GIB)
    assert next(g for g in found if not g.gone).borders == (GIB, 5 * GIB, 6 * GIB)
    for ground in found:
        # What is left of edges and small pieces stays.
        assert all(not meets(ground.barred, *r) for r in ground.memory(0, 8 * GIB, starts=True))


def test_memory_outside_the_cmrs_goes_in_any_case() -> None:
    cmrs = (Cmr(MIB, GIB - MIB),)
    outside = MemoryRange(2 * GIB, 2 * GIB + PAGE)
    whole = machine(MemoryRange(MIB, GIB), outside, cmrs=cmrs)
    assert all(outside.range in ground.gone for ground in grounds(whole, MAINLINE, 2))
    two = MemoryRange(2 * GIB, 2 * GIB + 3 * PAGE)
    assert not list(grounds(machine(MemoryRange(MIB, GIB), two, cmrs=cmrs), MAINLINE, 2))
    # The kernels that take holes from the CMRs leave such memory alone.
    variant = VARIANTS["cmr-nocheck"]
    assert any(not ground.gone for ground in grounds(whole, variant, 1))
