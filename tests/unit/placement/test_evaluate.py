"""The judge: each condition broken on its own, and the objective of a good configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pamt.configuration import Area, Call, Configuration, Pamt
from pamt.machine import Cmr, Limits, Machine, MemoryRange, Node
from pamt.placement import (
    LINUX,
    MODULE,
    Objective,
    Space,
    build,
    evaluate,
    parse_objective,
    pieces_of,
    pose,
)
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet
from pamt.standins import complete

G, P = GIB, PAGE

#   0      1 MiB        1 GiB              2 GiB      2.5 GiB   3 GiB
#   | low  |---- node 0 ----|---- node 0 ----|- node 1 -|         |
MACHINE = complete(
    Machine(
        limits=Limits(dynamic_pamt=True),
        cmrs=(Cmr(MIB, 3 * G - MIB),),
        memory=(MemoryRange(MIB, 2 * G, 0), MemoryRange(2 * G, 2 * G + G // 2, 1)),
        nodes=(Node(0, distance=(10, 21)), Node(1, distance=(21, 10))),
    )
).machine


def chunked(space: Space, *at: int) -> Configuration:
    question = pose(MACHINE, space)
    bases = []
    for base, tdmr in zip(at, question.kernel_tdmrs, strict=True):
        sizes = question.facts(tdmr).sizes
        second = base + sizes.level_4k
        bases.append((base, second, second + sizes.level_2m))
    return build(question, question.kernel_tdmrs, bases)


GOOD = chunked(LINUX, MIB, 2 * G)


def test_good_configuration() -> None:
    judged = evaluate(MACHINE, LINUX, GOOD)
    assert judged.holds
    # 8 + 2 pages a GiB and one for the 1G level: 21 and 11; holes: below 1 MiB and the tail.
    assert judged.objective == Objective(0, 0, 2, 4, 2, 32)


def test_remote_counts_pages_times_extra_distance() -> None:
    remote = chunked(LINUX, MIB, G)
    assert evaluate(MACHINE, LINUX, remote).objective == Objective(0, 11 * 11, 3, 4, 2, 32)


def changed(tdmr: int, **fields: object) -> Configuration:
    tdmrs = list(GOOD.tdmrs)
    tdmrs[tdmr] = tdmrs[tdmr]._replace(**fields)
    return replace(GOOD, tdmrs=tuple(tdmrs))


T0 = GOOD.tdmrs[0]
BROKEN = [
    ("layout", replace(GOOD, tdmrs=GOOD.tdmrs[:1])),
    ("layout", replace(GOOD, tdmrs=(*GOOD.tdmrs, T0))),
    ("sizes", changed(0, pamt_1g=Pamt(T0.pamt_1g.base, 2 * P))),
    ("placed", changed(0, pamt_4k=Pamt(T0.pamt_4k.base + 16, T0.pamt_4k.size))),
    ("placed", changed(0, pamt_4k=Pamt(0, T0.pamt_4k.size))),
    ("placed", chunked(LINUX, MIB, 2 * G + G // 2 - P)),
    ("placed", chunked(LINUX, MIB, MIB + 20 * P)),
    ("placed", chunked(LINUX, MIB, 2 * G - 5 * P)),
    ("areas", changed(0, reserved=T0.reserved[:1])),
    ("areas", changed(0, reserved=(Area(0, MIB + 21 * P),))),
    ("accepted", changed(0, reserved=T0.reserved[:1])),
    ("covered", changed(0, reserved=(*T0.reserved, Area(G, P)))),
]


@pytest.mark.parametrize(("condition", "configuration"), BROKEN)
def test_each_condition_is_noticed(condition: str, configuration: Configuration) -> None:
    judged = evaluate(MACHINE, LINUX, configuration)
    assert condition in {violation.condition for violation in judged.violations}
    assert judged.objective is None


def test_limit() -> None:
    tight = replace(MACHINE, limits=replace(MACHINE.limits, max_reserved_per_tdmr=1))
    broken = {v.condition for v in evaluate(tight, LINUX, GOOD).violations}
    assert broken == {"limit", "accepted"}


def test_null_entries_at_the_end_change_nothing() -> None:
    padded = changed(0, reserved=(*T0.reserved, Area(0, 0)))
    assert evaluate(MACHINE, LINUX, padded).holds


@pytest.mark.parametrize(
    "gone",
    [RangeSet([(MIB, MIB + 2 * P)]), RangeSet([(0, P)]), RangeSet([(MIB, MIB + 16)])],
    ids=["too many", "not memory", "not a page"],
)
def test_give_up_is_checked(gone: RangeSet) -> None:
    judged = evaluate(MACHINE, Space(give_up=1), GOOD, gone)
    assert "give-up" in {violation.condition for violation in judged.violations}


def test_free_layout_is_checked() -> None:
    space = Space("free")
    question = pose(MACHINE, space)
    one = build(question, [Range(0, 3 * G)], [(MIB, MIB + 24 * P, MIB + 30 * P)])
    assert evaluate(MACHINE, space, one).objective == Objective(0, 0, 3, 3, 1, 31)
    for wrong in (
        [Range(0, 2 * G)],
        [Range(0, 4 * G)],
        [Range(0, 2 * G), Range(2 * G, 2 * G)],
        [Range(0, 2 * G), Range(G, 3 * G)],
        [Range(2 * G, 3 * G), Range(0, 2 * G)],
    ):
        tdmrs = tuple(one.tdmrs[0]._replace(base=r.start, size=r.size) for r in wrong)
        judged = evaluate(MACHINE, space, Configuration(tdmrs))
        assert {v.condition for v in judged.violations} == {"layout"}


def test_split_regions_count_one_by_one_unless_back_to_back() -> None:
    space = Space(pamt="split")
    question = pose(MACHINE, space)
    sizes = question.facts(question.kernel_tdmrs[0]).sizes
    together = chunked(space, MIB, 2 * G)
    assert len(pieces_of(question, together.tdmrs[0].pamts)) == 1
    apart = build(
        question,
        question.kernel_tdmrs,
        [(MIB, G, G + sizes.level_2m), (2 * G, 2 * G + 8 * P, 2 * G + 10 * P)],
    )
    assert len(pieces_of(question, apart.tdmrs[0].pamts)) == 3
    assert evaluate(MACHINE, space, apart).objective == Objective(0, 0, 4, 6, 2, 32)
    assert "placed" in {v.condition for v in evaluate(MACHINE, LINUX, apart).violations}


def test_minimal_joins_what_touches_and_leaves_convertible_holes() -> None:
    space = Space(reserve="minimal")
    # Right above the first MiB, which is outside the CMRs: one area for both.  The tail of
    # TDMR 1 is convertible and need not be reserved.
    low = chunked(space, MIB, 2 * G)
    assert [len(t.reserved) for t in low.tdmrs] == [1, 1]
    assert low.tdmrs[0].reserved == (Area(0, MIB + 21 * P),)
    apart = chunked(space, MIB + P, 2 * G)
    assert [len(t.reserved) for t in apart.tdmrs] == [2, 1]
    assert evaluate(MACHINE, space, low).objective == Objective(0, 0, 1, 2, 2, 32)
    assert evaluate(MACHINE, space, apart).objective == Objective(0, 0, 2, 3, 2, 32)


def test_cmr_rule_reserves_gaps_between_cmr_runs() -> None:
    space = Space(reserve="cmr")
    judged = evaluate(MACHINE, space, chunked(space, MIB, 2 * G))
    assert judged.objective == Objective(0, 0, 2, 3, 2, 32)
    assert not evaluate(MACHINE, space, GOOD).holds


def test_objective_order_is_read() -> None:
    assert parse_objective("remote, areas") == ("remote", "areas")
    assert Objective(1, 2, 3, 4, 5, 6).key(("areas", "lost")) == (4, 1)
    for wrong in ("remote,remote", "costs", "", ","):
        with pytest.raises(ValueError, match=r"component|at least"):
            parse_objective(wrong)
    assert MODULE == Space("free", "split", "minimal", 0)


def test_a_call_that_counts_other_tdmrs_hides_nothing_from_the_module() -> None:
    """A null entry before a used area: a fault that the module alone sees, in the second TDMR."""
    gap = changed(1, reserved=(Area(0, 0), *GOOD.tdmrs[1].reserved))
    for count in (None, 1, 2, 65):
        assert evaluate(MACHINE, LINUX, replace(GOOD, call=Call(count=count))).holds
        judged = evaluate(MACHINE, LINUX, replace(gap, call=Call(count=count)))
        assert [v.condition for v in judged.violations] == ["accepted"]
