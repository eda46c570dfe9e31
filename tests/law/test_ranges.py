"""Every operation of the interval algebra against plain Python sets of integers."""

from __future__ import annotations

import pickle
from copy import copy, deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamt.ranges import Range, RangeSet, align_down, align_up, is_aligned

LOW, HIGH = -12, 40
ends = st.integers(LOW, HIGH)
# Empty and reversed ranges are ranges too: they hold nothing.
ranges = st.builds(Range, ends, ends)
lists = st.lists(ranges, max_size=7)
alignments = st.integers(1, 9)


def held(item: Range | RangeSet) -> set[int]:
    """The integers inside, one by one."""
    runs = [item] if isinstance(item, Range) else item.runs
    return {value for run in runs for value in range(run.start, run.end)}


def of(values: set[int]) -> RangeSet:
    return RangeSet((value, value + 1) for value in values)


def is_canonical(made: RangeSet) -> bool:
    """Runs ascend, are not empty, and neither overlap nor touch."""
    return all(isinstance(run, Range) and run.start < run.end for run in made.runs) and all(
        a.end < b.start for a, b in zip(made.runs, made.runs[1:], strict=False)
    )


sets = lists.map(RangeSet)


# -- ranges ------------------------------------------------------------------------------------


@given(a=ranges, value=ends)
def test_a_range_holds_its_integers(a: Range, value: int) -> None:
    assert a.size == len(held(a))
    assert a.is_empty == (not held(a))
    assert a.covers(value) == (value in held(a))


@given(a=ranges, b=ranges)
def test_relations_of_two_ranges(a: Range, b: Range) -> None:
    assert a.contains(b) == (held(b) <= held(a))
    assert a.overlaps(b) == bool(held(a) & held(b))
    assert a.overlaps(b) == b.overlaps(a)
    both = held(a) | held(b)
    joined = bool(held(a)) and bool(held(b)) and max(both) - min(both) + 1 == len(both)
    assert a.touches(b) == (joined and not held(a) & held(b))
    assert held(a.clip(b)) == held(a) & held(b)


@given(a=ranges, b=ranges)
def test_a_part_that_is_not_there_is_the_empty_range(a: Range, b: Range) -> None:
    part = a.clip(b)
    assert part == Range(0, 0) or not part.is_empty


@given(a=ranges, offset=ends)
def test_shifting_a_range(a: Range, offset: int) -> None:
    assert held(a.shift(offset)) == {value + offset for value in held(a)}


@given(base=ends, size=st.integers(0, 20))
def test_base_and_size(base: int, size: int) -> None:
    assert Range.sized(base, size) == Range(base, base + size)
    assert Range.sized(base, size).size == size


@given(value=st.integers(), alignment=st.integers(1, 1 << 40))
def test_alignment_of_numbers(value: int, alignment: int) -> None:
    down, up = align_down(value, alignment), align_up(value, alignment)
    assert down <= value <= up
    assert value - down < alignment
    assert up - value < alignment
    assert is_aligned(down, alignment)
    assert is_aligned(up, alignment)
    assert is_aligned(value, alignment) == (down == value) == (up == value)


def blocks(alignment: int) -> list[set[int]]:
    first = align_down(LOW, alignment)
    return [set(range(at, at + alignment)) for at in range(first - alignment, HIGH + 1, alignment)]


@given(a=ranges, alignment=alignments)
def test_aligning_a_range_keeps_whole_blocks(a: Range, alignment: int) -> None:
    inside = set().union(*(b for b in blocks(alignment) if b <= held(a)))
    assert held(a.align_inward(alignment)) == inside
    if not a.is_empty:
        around = set().union(*(b for b in blocks(alignment) if b & held(a)))
        assert held(a.align_outward(alignment)) == around
    assert a.is_aligned(alignment) == (a.start % alignment == 0 and a.end % alignment == 0)


# -- sets --------------------------------------------------------------------------------------


@given(listed=lists)
def test_a_set_holds_what_its_ranges_hold(listed: list[Range]) -> None:
    made = RangeSet(listed)
    wanted = set().union(*(held(r) for r in listed))
    assert held(made) == wanted
    assert is_canonical(made)
    assert made.size == len(wanted)
    assert made.is_empty == (not wanted)
    assert bool(made) == bool(wanted)
    assert len(made) == len(list(made)) == len(made.runs)
    span = made.span
    assert span == (Range(min(wanted), max(wanted) + 1) if wanted else Range(0, 0))


@given(listed=lists, data=st.data())
def test_a_set_knows_neither_order_nor_cuts(listed: list[Range], data: st.DataObject) -> None:
    made = RangeSet(listed)
    assert RangeSet(data.draw(st.permutations(listed))) == made
    assert of(held(made)) == made
    assert hash(of(held(made))) == hash(made)
    assert RangeSet(made.runs) == made


@given(a=sets, b=sets)
def test_the_operators(a: RangeSet, b: RangeSet) -> None:
    for made, wanted in (
        (a | b, held(a) | held(b)),
        (a & b, held(a) & held(b)),
        (a - b, held(a) - held(b)),
        (a ^ b, held(a) ^ held(b)),
    ):
        assert held(made) == wanted
        assert is_canonical(made)
    assert (a <= b) == (held(a) <= held(b))
    assert (a == b) == (held(a) == held(b))
    assert a.isdisjoint(b) == held(a).isdisjoint(held(b))


@given(a=sets, b=sets, c=sets)
def test_the_laws_of_set_algebra(a: RangeSet, b: RangeSet, c: RangeSet) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)
    assert (a - b) | (a & b) == a
    assert a ^ b == (a | b) - (a & b)


@given(a=sets, window=ranges)
def test_complement_and_part_in_a_window(a: RangeSet, window: Range) -> None:
    missing = a.complement(window)
    part = a.within(window)
    assert held(missing) == held(window) - held(a)
    assert held(part) == held(window) & held(a)
    assert is_canonical(missing)
    assert is_canonical(part)
    assert missing.complement(window) == part
    assert a.overlaps(window) == bool(part)


@given(a=sets)
def test_gaps_lie_between_runs(a: RangeSet) -> None:
    gaps = a.gaps()
    assert held(gaps) == held(a.span) - held(a)
    assert len(gaps) == max(0, len(a) - 1)
    assert is_canonical(gaps)


@given(a=sets, value=ends)
def test_the_run_that_holds_a_value(a: RangeSet, value: int) -> None:
    found = a.run_at(value)
    assert found == next((run for run in a.runs if run.covers(value)), None)
    assert (value in a) == (value in held(a))


@given(a=sets, wanted=ranges)
def test_the_run_that_contains_a_range(a: RangeSet, wanted: Range) -> None:
    if not wanted.is_empty:
        found = a.run_containing(wanted)
        assert found == next((run for run in a.runs if run.contains(wanted)), None)
    assert (wanted in a) == (held(wanted) <= held(a))


@given(a=sets, offset=ends, alignment=alignments)
def test_shifting_and_aligning_a_set(a: RangeSet, offset: int, alignment: int) -> None:
    assert held(a.shift(offset)) == {value + offset for value in held(a)}
    inward, outward = a.align_inward(alignment), a.align_outward(alignment)
    assert held(inward) == set().union(*(b for b in blocks(alignment) if b <= held(a)))
    assert held(outward) == set().union(*(b for b in blocks(alignment) if b & held(a)))
    for made in (a.shift(offset), inward, outward):
        assert is_canonical(made)


@given(a=sets)
def test_a_set_can_be_copied_and_not_changed(a: RangeSet) -> None:
    assert copy(a) == deepcopy(a) == pickle.loads(pickle.dumps(a)) == a
    with pytest.raises(AttributeError):
        a._runs = ()  # type: ignore[misc]
    assert a != a.runs


def test_spelling() -> None:
    assert str(Range(0x1000, 0x9F000)) == "[0x1000, 0x9f000)"
    assert str(RangeSet([(0, 1), (2, 3)])) == "[0x0, 0x1) [0x2, 0x3)"
    assert str(RangeSet()) == "(empty)"
    assert repr(RangeSet([(2, 3), (0, 2)])) == "RangeSet([(0, 3)])"


def test_touching_runs_become_one_at_any_size() -> None:
    far = 1 << 400
    assert RangeSet([(far, far + 1), (far + 1, far + 2)]).runs == (Range(far, far + 2),)
    assert far in RangeSet([(far, far + 1)])
    assert far + 1 not in RangeSet([(far, far + 1)])
    assert True not in RangeSet([(5, 6)])
