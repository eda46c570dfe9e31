"""The fast paths of the whole start-up against its plain stages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pamt.kernel.construct import _first_outside
from pamt.kernel.memlist import first_range_outside_cmrs
from pamt.machine import MemoryRange
from pamt.ranges import Range

spans = st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda p: Range(p[0], p[0] + p[1]))


@given(
    memory=st.lists(spans, max_size=6),
    cmrs=st.lists(spans, max_size=6),
    ordered=st.booleans(),
)
def test_the_convertibility_check_is_the_plain_walk(
    memory: list[Range], cmrs: list[Range], ordered: bool
) -> None:
    listed = [MemoryRange(r.start, r.end) for r in sorted(memory)]
    if ordered:
        kept: list[Range] = []
        for c in sorted(cmrs):
            if not kept or c.start >= kept[-1].end:
                kept.append(c)
        cmrs = kept
    assert _first_outside(listed, cmrs) == first_range_outside_cmrs(listed, cmrs)
