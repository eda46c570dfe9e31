"""The acceptance formula, the ordered walk, and a third, set-wise reading answer alike.

Configurations are built valid, with everything that may touch made to touch often, and then up to
three fields are changed to values that matter, up to 2^64 - 1.  A fixed sample shows that all
kinds of answers come up.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Cmr, Limits
from pamt.module.accept import accepts
from pamt.module.call import default_call
from pamt.module.check import check
from pamt.module.cmr import check_cmr_list, cmr_runs
from pamt.module.config import sys_config, walk_call
from pamt.module.registry import RULES
from pamt.module.rules.operands import dynamic_asked, op_entry_ptr
from pamt.module.words import available, need
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet, align_up

U64 = 1 << 64
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
EXAMPLES = settings(max_examples=20_000 if DEEP else 300, deadline=None)


class Case(NamedTuple):
    configuration: Configuration
    cmrs: tuple[Cmr, ...]
    limits: Limits


def build(rng: random.Random) -> Case:
    """A configuration that keeps every rule (but for more areas than there are slots)."""
    dynamic = rng.random() < 0.25
    limits = Limits(dynamic_pamt=dynamic, keyid_bits=rng.choice([4, 6, 15]))
    spans = _spans(rng, limits)
    cmrs = _cmrs(rng, spans[-1].end + 2 * GIB, limits)
    runs = RangeSet(cmr_runs(cmrs))
    taken = RangeSet()
    placed: list[list[Pamt]] = []
    for span in spans:
        own: list[Pamt] = []
        for size in pamt_sizes(span.size, limits, dynamic):
            larger = size + rng.choice([0, 0, 0, PAGE, MIB])
            spot = _spot(rng, runs - taken, larger, spans)
            if spot is None:
                return build(rng)
            taken |= RangeSet([(spot, spot + larger)])
            own.append(Pamt(spot, larger))
        placed.append(own)
    tdmrs = tuple(
        Tdmr(span.start, span.size, *own, _areas(rng, span, runs, taken))
        for span, own in zip(spans, placed, strict=True)
    )
    return Case(Configuration(tdmrs), cmrs, limits)


def _spans(rng: random.Random, limits: Limits) -> list[Range]:
    spans: list[Range] = []
    at = rng.choice([0, 0, 1, 3]) * GIB
    for _ in range(rng.randint(1, 4)):
        end = at + rng.randint(1, 3) * GIB
        spans.append(Range(at, end))
        at = end + rng.choice([0, 0, 1, 2]) * GIB
    if rng.random() < 0.1:  # up against the ceiling, and so in no CMR
        spans.append(Range(limits.address_end - GIB, limits.address_end))
    return spans


def _cmrs(rng: random.Random, end: int, limits: Limits) -> tuple[Cmr, ...]:
    end = min(end, 40 * GIB, limits.address_end)
    cmrs: list[Cmr] = []
    at = rng.choice([0, MIB, 600 * MIB])
    while at < end and len(cmrs) < 20:
        size = rng.choice(
            [512 * MIB, GIB, 2 * GIB, 3 * GIB, rng.randint(1, 2 * GIB) // PAGE * PAGE]
        )
        cmrs.append(Cmr(at, max(PAGE, size)))
        if rng.random() < 0.2:
            cmrs.append(Cmr(rng.choice([0, 5, U64 - 1]), 0))
        at += max(PAGE, size) + rng.choice([0, 0, 0, PAGE, MIB, 256 * MIB])
    return tuple(cmrs)


def _spot(rng: random.Random, free: RangeSet, size: int, spans: Sequence[Range]) -> int | None:
    """A place for `size` bytes: often against the border of a run, a TDMR or another PAMT."""
    roomy = [run for run in free if run.size >= size]
    if not roomy:
        return None
    run = rng.choice(roomy)
    borders = [b for span in spans for at in span for b in (at, at - size, at - PAGE)]
    near = [at for at in borders if run.start <= at <= run.end - size]
    anywhere = rng.randint(run.start // PAGE, (run.end - size) // PAGE) * PAGE
    return rng.choice([run.start, run.start, run.end - size, anywhere, *near])


def _areas(rng: random.Random, span: Range, runs: RangeSet, pamts: RangeSet) -> tuple[Area, ...]:
    must = runs.complement(span) | pamts.within(span)
    if rng.random() < 0.3:
        at = span.start + rng.randint(0, span.size // PAGE - 1) * PAGE
        must |= RangeSet([(at, min(span.end, at + rng.choice([PAGE, 64 * MIB])))])
    if rng.random() < 0.1:
        must = RangeSet([span])
    areas: list[Area] = []
    for run in must:
        cut = run.start + rng.randint(0, run.size // PAGE) * PAGE if rng.random() < 0.3 else run.end
        parts = (Range(run.start, cut), Range(cut, run.end))
        areas += [Area(part.start - span.start, part.size) for part in parts if part.size]
    areas += [Area(rng.choice([0, 7, U64 - 1]), 0)] * rng.randint(0, max(0, 16 - len(areas)))
    return tuple(areas)


def mutate(rng: random.Random, case: Case) -> Case:
    """One field changed: by a step that matters, to a value that matters, or to another's value."""
    configuration, cmrs, limits = case
    tdmrs = list(configuration.tdmrs)
    at = rng.randrange(len(tdmrs))
    tdmr = tdmrs[at]
    kind = rng.choice(["tdmr", "pamt", "pamt", "area", "area", "list", "cmr", "call", "limits"])
    if kind == "tdmr":
        field = rng.choice(["base", "size"])
        tdmrs[at] = tdmr._replace(**{field: _value(rng, case, getattr(tdmr, field))})
    elif kind == "pamt":
        field = rng.choice(["pamt_4k", "pamt_2m", "pamt_1g"])
        tdmrs[at] = tdmr._replace(**{field: Pamt(*_pair(rng, case, getattr(tdmr, field)))})
    elif kind == "area" and tdmr.reserved:
        areas = list(tdmr.reserved)
        j = rng.randrange(len(areas))
        change = rng.choice(["value", "value", "value", "drop", "twice", "swap", "null"])
        if change == "value":
            areas[j] = Area(*_pair(rng, case, areas[j]))
        elif change == "drop":
            del areas[j]
        elif change == "twice":
            areas.insert(j, areas[j])
        elif change == "swap":
            k = rng.randrange(len(areas))
            areas[j], areas[k] = areas[k], areas[j]
        else:
            areas[j] = Area(areas[j].offset, 0)
        tdmrs[at] = tdmr._replace(reserved=tuple(areas))
    elif kind == "list":
        change = rng.choice(["drop", "twice", "swap"])
        if change == "drop":
            del tdmrs[at]
        elif change == "twice":
            tdmrs.insert(at, tdmr)
        else:
            k = rng.randrange(len(tdmrs))
            tdmrs[at], tdmrs[k] = tdmrs[k], tdmrs[at]
        if not tdmrs:
            tdmrs = [tdmr]
    elif kind == "cmr" and cmrs:
        j = rng.randrange(len(cmrs))
        changed = Cmr(*_pair(rng, case, (cmrs[j].base, cmrs[j].size)))
        cmrs = (*cmrs[:j], *([changed] if rng.random() < 0.9 else []), *cmrs[j + 1 :])
    elif kind == "call":
        call = rng.choice(
            [
                Call(array_pa=_value(rng, case, 0x1000)),
                Call(info_pa=(0x2000, _value(rng, case, 0x2200))),
                Call(count=_value(rng, case, len(tdmrs))),
                Call(count=rng.randint(0, len(tdmrs) + 1)),
                Call(r8=_value(rng, case, 8)),
                Call(r8=rng.choice([0x20, 0x10020, 0x10008, 0x30020])),
                Call(seamrr=(_value(rng, case, 0x1000), 0x1000)),
            ]
        )
        configuration = replace(configuration, call=call)
    elif kind == "limits":
        limits = rng.choice(
            [
                replace(limits, max_tdmrs=rng.randint(0, 5)),
                replace(limits, max_reserved_per_tdmr=rng.randint(0, 8)),
                replace(limits, keyid_bits=rng.choice([0, 1, 3, 5, 16, 17, 19, 22])),
                replace(limits, dynamic_pamt=not limits.dynamic_pamt),
                replace(limits, pamt_entry_size=(15, 17, 16)),
                replace(limits, pamt_entry_size=(16, 16, 4096)),
                replace(limits, pamt_entry_size=(0, 0, 0)),
                replace(limits, pamt_page_bitmap_entry_bits=rng.choice([0, 2, 8])),
            ]
        )
    return Case(replace(configuration, tdmrs=tuple(tdmrs)), cmrs, limits)


def _pair(rng: random.Random, case: Case, pair: tuple[int, int]) -> tuple[int, int]:
    if rng.random() < 0.5:
        return (_value(rng, case, pair[0]), pair[1])
    return (pair[0], _value(rng, case, pair[1]))


def _value(rng: random.Random, case: Case, value: int) -> int:
    step = rng.choice([1, 512, PAGE, PAGE, PAGE, MIB, GIB, GIB])
    other = rng.choice(case.configuration.tdmrs)
    ceiling = case.limits.address_end
    chosen = rng.choice(
        [
            value + step,
            value - step,
            value + step,
            value - step,
            0,
            U64 - value,
            U64 - step,
            U64 - 1,
            1 << 63,
            ceiling,
            ceiling - step,
            other.base,
            other.base + other.size,
            other.pamt_4k.base,
            other.pamt_1g.base + other.pamt_1g.size,
            rng.randrange(U64),
        ]
    )
    return chosen % U64


def case_of(rng: random.Random, changes: int) -> Case:
    case = build(rng)
    for _ in range(changes):
        case = mutate(rng, case)
    return case


def accepted_by_sets(case: Case) -> bool:
    """The rules read as statements about sets of addresses, without order and without haste."""
    configuration, cmrs, limits = case
    if not check_cmr_list(cmrs, limits).accepted:
        return False
    operands = default_call(configuration, limits).operands
    if walk_call(operands, limits) is not None:
        return False
    tdmrs = configuration.tdmrs[: operands.tdmr_count]
    if len(tdmrs) < operands.tdmr_count:
        return False
    if any(op_entry_ptr(pa, operands, limits) for pa in operands.info_pa[: len(tdmrs)]):
        return False
    dynamic = dynamic_asked(operands, limits)
    runs = RangeSet(cmr.range for cmr in cmrs)
    left = RangeSet()
    last = 0
    for tdmr in tdmrs:
        if tdmr.base < last or not tdmr.range.is_aligned(GIB) or tdmr.size == 0:
            return False
        last = tdmr.base + tdmr.size
        if last > limits.address_end:
            return False
        used = len([area for area in tdmr.reserved if area.size])
        areas = tdmr.reserved[:used]
        if used > limits.max_reserved_per_tdmr or any(area.size == 0 for area in areas):
            return False
        spans = [Range.sized(tdmr.base + area.offset, area.size) for area in areas]
        if not all(tdmr.range.contains(span) and span.is_aligned(PAGE) for span in spans):
            return False
        if any(a.end > b.start for a, b in pairwise(spans)):
            return False
        left |= RangeSet(spans).complement(tdmr.range)
        for level, pamt in enumerate(tdmr.pamts):
            if pamt.size < need(tdmr.size, level, limits, dynamic):
                return False
    pamts = [pamt.range for tdmr in tdmrs for pamt in tdmr.pamts]
    return (
        all(pamt.is_aligned(PAGE) and pamt.end <= limits.address_end for pamt in pamts)
        and all(pamt in runs and pamt.size > 0 for pamt in pamts)
        and RangeSet(pamts).size == sum(pamt.size for pamt in pamts)
        and RangeSet(pamts).isdisjoint(left)
        and left <= runs
    )


def has_empty_pamt(case: Case) -> bool:
    """An empty PAMT region is refused but for entry sizes of 0; sets do not tell where it lies."""
    return any(pamt.size == 0 for tdmr in case.configuration.tdmrs for pamt in tdmr.pamts)


@EXAMPLES
@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_formula_and_walk_agree(rng: random.Random, changes: int) -> None:
    case = case_of(rng, changes)
    status = sys_config(*case)
    assert accepts(*case) == status.accepted
    assert check(*case) == status
    if not has_empty_pamt(case):
        assert accepted_by_sets(case) == status.accepted


def test_a_fixed_sample_holds_every_kind_of_answer() -> None:
    rng = random.Random(20)
    seen: Counter[str | None] = Counter()
    for number in range(12_000 if DEEP else 3000):
        case = case_of(rng, number % 4)
        status = sys_config(*case)
        assert accepts(*case) == status.accepted, case
        if not has_empty_pamt(case):
            assert accepted_by_sets(case) == status.accepted, case
        seen[status.rule] += 1
    assert seen[None] > 900
    assert set(seen) == {None, *RULES}, set(RULES) - set(seen)


def test_no_bytes_on_the_end_of_the_last_run() -> None:
    """A region of no bytes at the ceiling lies in a run, and yet its base is no address."""
    limits = Limits(pamt_entry_size=(0, 0, 0))
    end = limits.address_end
    below = Pamt(end - GIB, 0)
    for base, rule in ((end, "P_BASE_PA"), (end - PAGE, "PA_AVAIL"), (end - GIB, None)):
        tdmr = Tdmr(end - GIB, GIB, Pamt(base, 0), below, below)
        case = Case(Configuration((tdmr,)), (Cmr(end - GIB, GIB),), limits)
        assert sys_config(*case).rule == rule
        assert accepts(*case) == (rule is None)


@EXAMPLES
@given(st.randoms(use_true_random=False))
def test_what_is_built_valid_is_accepted_but_for_the_number_of_areas(rng: random.Random) -> None:
    assert sys_config(*build(rng)).rule in {None, "R_COUNT"}


@EXAMPLES
@given(st.randoms(use_true_random=False), st.integers(0, 2))
def test_the_first_fault_does_not_look_ahead(rng: random.Random, changes: int) -> None:
    """Only TDMRs up to the last one that the status speaks of decide it."""
    case = case_of(rng, changes)
    call = default_call(case.configuration, case.limits).operands
    configuration = replace(case.configuration, call=Call(*call[:2], None, *call[3:]))
    status = sys_config(configuration, case.cmrs, case.limits)
    if status.tdmr is None:
        return
    last = max(status.tdmr, status.other or 0)
    prefix = replace(configuration, tdmrs=configuration.tdmrs[: last + 1])
    assert sys_config(prefix, case.cmrs, case.limits) == status
    shorter = replace(configuration, tdmrs=configuration.tdmrs[:last])
    if last:
        assert sys_config(shorter, case.cmrs, case.limits).accepted


@EXAMPLES
@given(st.randoms(use_true_random=False), st.integers(0, 2))
def test_how_the_cmr_table_is_cut_does_not_matter(rng: random.Random, changes: int) -> None:
    """Cutting a CMR in two that touch, and null entries, leave the answer as it is."""
    case = case_of(rng, changes)
    if not check_cmr_list(case.cmrs, case.limits).accepted:
        return
    cut: list[Cmr] = []
    for cmr in case.cmrs:
        half = cmr.size // PAGE // 2 * PAGE
        cut += [Cmr(cmr.base, half), Cmr(rng.randrange(U64), 0)]
        cut.append(Cmr(cmr.base + half, cmr.size - half))
    joined = tuple(Cmr(run.start, run.size) for run in cmr_runs(case.cmrs))
    status = sys_config(*case)
    assert sys_config(case.configuration, tuple(cut), case.limits) == status
    assert sys_config(case.configuration, joined, case.limits) == status


@EXAMPLES
@given(st.randoms(use_true_random=False))
def test_any_other_order_of_tdmrs_or_areas_is_refused(rng: random.Random) -> None:
    case = build(rng)
    if not sys_config(*case).accepted:
        return
    tdmrs = list(case.configuration.tdmrs)
    rng.shuffle(tdmrs)
    shuffled = replace(case.configuration, tdmrs=tuple(tdmrs))
    status = sys_config(shuffled, case.cmrs, case.limits)
    same = shuffled == case.configuration
    assert status.name == ("TDX_SUCCESS" if same else "TDX_NON_ORDERED_TDMR")
    at = rng.randrange(len(tdmrs))
    areas = [area for area in case.configuration.tdmrs[at].reserved if area.size]
    rng.shuffle(areas)
    turned = list(case.configuration.tdmrs)
    turned[at] = turned[at]._replace(reserved=tuple(areas))
    status = sys_config(replace(case.configuration, tdmrs=tuple(turned)), case.cmrs, case.limits)
    if status.accepted:
        assert areas == sorted(areas)
    else:
        assert status.name == "TDX_NON_ORDERED_RESERVED_IN_TDMR"
        assert status.tdmr == at


@EXAMPLES
@given(st.randoms(use_true_random=False))
def test_parts_and_runs_are_the_sets_they_stand_for(rng: random.Random) -> None:
    case = build(rng)
    assert tuple(cmr_runs(case.cmrs)) == RangeSet(cmr.range for cmr in case.cmrs).runs
    for tdmr in case.configuration.tdmrs:
        areas = RangeSet(Range.sized(tdmr.base + a.offset, a.size) for a in tdmr.reserved)
        assert tuple(available(tdmr)) == areas.complement(tdmr.range).runs


@EXAMPLES
@given(
    st.integers(1, 1 << 20),
    st.tuples(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535)),
    st.integers(0, 255),
    st.booleans(),
)
def test_linux_asks_for_the_smallest_legal_sizes(
    gib: int, entries: tuple[int, int, int], bits: int, dynamic: bool
) -> None:
    limits = Limits(pamt_entry_size=entries, pamt_page_bitmap_entry_bits=bits)
    sizes = pamt_sizes(gib * GIB, limits, dynamic)
    needed = [need(gib * GIB, level, limits, dynamic) for level in range(3)]
    assert list(sizes) == [align_up(size, PAGE) for size in needed]
