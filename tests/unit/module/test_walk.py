"""The ordered walk: each rule names its status word, and the order decides between two faults.

The base, which is accepted:

    CMRs      |1M------3G|      |4G-------8G|8G--------12G|          (the last two touch)
    TDMRs   |0-----2G|          |4G--5G|
    areas   |a0|  |a1|                                               a1 holds TDMR 0's PAMTs
    PAMTs         |p0|               |  p1 4K |p1 2M|p1 1G           p1 4K lies across 8G
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.machine import Cmr, Limits
from pamt.module.accept import accepts
from pamt.module.check import check
from pamt.module.config import sys_config
from pamt.module.registry import RULES
from pamt.module.status import SUCCESS
from pamt.ranges import GIB, KIB, MIB, PAGE

TOP = (1 << 64) - 1
LIMITS = Limits()
CEILING = LIMITS.address_end

CMRS = (Cmr(MIB, 3 * GIB - MIB), Cmr(77, 0), Cmr(4 * GIB, 4 * GIB), Cmr(8 * GIB, 4 * GIB))

P0 = 256 * MIB
P0_SIZE = 8 * MIB + 16 * KIB + 4 * KIB
TDMR0 = Tdmr(
    0,
    2 * GIB,
    Pamt(P0, 8 * MIB),
    Pamt(P0 + 8 * MIB, 16 * KIB),
    Pamt(P0 + 8 * MIB + 16 * KIB, 4 * KIB),
    (Area(0, MIB), Area(P0, P0_SIZE)),
)
P1 = 8 * GIB - 2 * MIB
TDMR1 = Tdmr(
    4 * GIB,
    GIB,
    Pamt(P1, 4 * MIB),
    Pamt(P1 + 4 * MIB, 8 * KIB),
    Pamt(P1 + 4 * MIB + 8 * KIB, 4 * KIB),
)
BASE = Configuration((TDMR0, TDMR1))


def first(**changed: Any) -> Configuration:
    return Configuration((TDMR0._replace(**changed), TDMR1))


def second(**changed: Any) -> Configuration:
    return Configuration((TDMR0, TDMR1._replace(**changed)))


def called(**changed: Any) -> Configuration:
    return replace(BASE, call=Call(**changed))


def areas(count: int) -> tuple[Area, ...]:
    """TDMR 0's two areas and as many single pages as make `count`."""
    return (*TDMR0.reserved, *(Area(GIB + 2 * k * PAGE, PAGE) for k in range(count - 2)))


def answer(
    configuration: Configuration, cmrs: Sequence[Cmr] = CMRS, limits: Limits = LIMITS
) -> tuple[Any, ...]:
    """Rule and what it speaks of, the same from `check` and from the walk."""
    status = sys_config(configuration, cmrs, limits)
    assert check(configuration, cmrs, limits) == status
    assert accepts(configuration, cmrs, limits) == status.accepted
    spoken = (status.tdmr, status.level, status.other, status.area, status.operand, status.cmr)
    return (status.rule, hex(status.status), *(value for value in spoken if value is not None))


def test_the_base_is_accepted() -> None:
    assert sys_config(BASE, CMRS, LIMITS) == SUCCESS
    assert answer(BASE) == (None, "0x0")


NULL_TDMR = Tdmr(0, 0, Pamt(0, 0), Pamt(0, 0), Pamt(0, 0))
HIGH = TOP - GIB + 1
PRIVATE = 32 << 46

REFUSED: list[tuple[Configuration, tuple[Any, ...]]] = [
    (called(array_pa=0x1001), ("OP_RCX", "0xc000010000000001", "RCX")),
    (called(count=0), ("OP_RDX", "0xc000010000000002", "RDX")),
    (called(count=65), ("OP_RDX", "0xc000010000000002", "RDX")),
    (Configuration(()), ("OP_RDX", "0xc000010000000002", "RDX")),
    (called(r8=31), ("OP_R8", "0xc000010000000008", "R8")),
    (called(r8=0x10020), ("OP_R8", "0xc000010000000008", "R8")),
    (called(info_pa=(0x2000, PRIVATE)), ("OP_ENTRY_PTR", "0xc000010000000001", "RCX")),
    (second(base=HIGH), ("T_WRAP", "0xc0000a0000000001", 1)),
    (
        Configuration((TDMR1, TDMR0)),
        ("T_SORT", "0xc0000a0100000001", 1),
    ),
    (second(base=GIB), ("T_OVERLAP", "0xc0000a0100000001", 1)),
    (Configuration((TDMR0, TDMR0)), ("T_OVERLAP", "0xc0000a0100000001", 1)),
    (first(size=GIB + PAGE), ("T_ALIGN", "0xc0000a0000000000", 0)),
    (called(count=3), ("T_SORT", "0xc0000a0100000002", 2)),
    (second(base=CEILING), ("T_BASE_PA", "0xc0000a0000000001", 1)),
    (second(base=CEILING - GIB, size=2 * GIB), ("T_END_PA", "0xc0000a0000000001", 1)),
    (
        first(reserved=(Area(0, MIB), Area(5, 0), Area(P0, P0_SIZE))),
        ("R_NULL_GAP", "0xc0000a2100000100", 0, 1),
    ),
    (second(reserved=(Area(TOP, 1),)), ("R_WRAP", "0xc0000a2000000001", 1, 0)),
    (
        first(reserved=(Area(P0, P0_SIZE), Area(0, MIB))),
        ("R_SORT", "0xc0000a2100000100", 0, 1),
    ),
    (
        first(reserved=(Area(0, MIB), Area(MIB - PAGE, PAGE), Area(P0, P0_SIZE))),
        ("R_OVERLAP", "0xc0000a2100000100", 0, 1),
    ),
    (first(reserved=(Area(0, MIB + 512),)), ("R_ALIGN", "0xc0000a2000000000", 0, 0)),
    (
        second(reserved=(Area(TOP - 4 * GIB + 1, PAGE),)),
        ("R_BASE_WRAP", "0xc0000a2000000001", 1, 0),
    ),
    (second(reserved=(Area(GIB - PAGE, 2 * PAGE),)), ("R_OUTSIDE", "0xc0000a2000000001", 1, 0)),
    (first(reserved=areas(17)), ("R_COUNT", "0xc0000a2000001000", 0, 16)),
    (
        first(reserved=(*areas(2), *(Area(0, 0),) * 14, Area(GIB, PAGE))),
        ("R_COUNT", "0xc0000a2000001000", 0, 16),
    ),
    (
        first(reserved=(*areas(16), Area(0, 0), Area(0, 0), Area(GIB, PAGE))),
        ("R_COUNT", "0xc0000a2000001200", 0, 18),
    ),
    (
        first(reserved=(*areas(14), Area(0, 0), Area(GIB + 64 * PAGE, PAGE))),
        ("R_NULL_GAP", "0xc0000a2100000e00", 0, 14),
    ),
    (first(pamt_2m=Pamt(TOP - PAGE + 1, PAGE)), ("P_WRAP", "0xc0000a1000000100", 0, "2m")),
    (first(pamt_1g=Pamt(P0 + 8, PAGE)), ("P_ALIGN", "0xc0000a1000000200", 0, "1g")),
    (second(pamt_4k=Pamt(CEILING, 4 * MIB)), ("P_BASE_PA", "0xc0000a1000000001", 1, "4k")),
    (
        second(pamt_4k=Pamt(CEILING - PAGE, 4 * MIB)),
        ("P_END_PA", "0xc0000a1000000001", 1, "4k"),
    ),
    (second(pamt_1g=Pamt(0, 0)), ("P_END_PA", "0xc0000a1000000201", 1, "1g")),
    (second(pamt_1g=Pamt(PAGE, 0)), ("P_SIZE", "0xc0000a1000000201", 1, "1g")),
    (second(pamt_4k=Pamt(P1, 4 * MIB - PAGE)), ("P_SIZE", "0xc0000a1000000001", 1, "4k")),
    (second(pamt_2m=Pamt(P0, 8 * KIB)), ("PP_OTHER", "0xc0000a1200000101", 1, "2m", 0)),
    (
        second(pamt_2m=Pamt(P1 + 4 * MIB - PAGE, 8 * KIB)),
        ("PP_SAME", "0xc0000a1200010001", 1, "4k", 1),
    ),
    (second(pamt_1g=Pamt(P1, PAGE)), ("PP_SAME", "0xc0000a1200010001", 1, "4k", 1)),
    (second(pamt_1g=Pamt(P1 + 4 * MIB, PAGE)), ("PP_SAME", "0xc0000a1200010101", 1, "2m", 1)),
    # In the base the PAMT of TDMR 1 keeps off both; here it is moved onto each.
    (second(pamt_2m=Pamt(GIB, 8 * KIB)), ("PA_AVAIL", "0xc0000a1200000101", 1, "2m", 0)),
    (second(pamt_2m=Pamt(4 * GIB, 8 * KIB)), ("PA_AVAIL", "0xc0000a1200010101", 1, "2m", 1)),
    # The later TDMR lands on the earlier one's PAMT: the owner is named first.
    (first(pamt_1g=Pamt(4 * GIB, PAGE)), ("PA_AVAIL", "0xc0000a1200010200", 0, "1g", 1)),
    (first(reserved=(Area(0, MIB),)), ("PA_AVAIL", "0xc0000a1200000000", 0, "4k", 0)),
    (second(pamt_1g=Pamt(3 * GIB, PAGE)), ("P_CMR", "0xc0000a1100000201", 1, "1g")),
    (second(pamt_1g=Pamt(12 * GIB, PAGE)), ("P_CMR", "0xc0000a1100000201", 1, "1g")),
    (first(reserved=(Area(P0, P0_SIZE),)), ("T_CMR", "0xc0000a0200000000", 0)),
    (
        first(reserved=(Area(0, MIB - PAGE), Area(P0, P0_SIZE))),
        ("T_CMR", "0xc0000a0200000000", 0),
    ),
    (second(base=3 * GIB), ("T_CMR", "0xc0000a0200000001", 1)),
]


@pytest.mark.parametrize(("configuration", "wanted"), REFUSED)
def test_refused(configuration: Configuration, wanted: tuple[Any, ...]) -> None:
    assert answer(configuration) == wanted


def test_every_rule_of_sys_config_is_named_above() -> None:
    assert {wanted[0] for _, wanted in REFUSED} == {
        rule for rule in RULES if not rule.startswith("C_")
    }


FULLY_RESERVED = Tdmr(
    CEILING - GIB,
    GIB,
    Pamt(9 * GIB, 4 * MIB),
    Pamt(10 * GIB, 8 * KIB),
    Pamt(11 * GIB, PAGE),
    (Area(0, GIB - PAGE), Area(GIB - PAGE, PAGE)),
)

ACCEPTED: list[Configuration] = [
    # 16 areas; null entries after them are no areas, whatever their offset and number.
    first(reserved=areas(16)),
    first(reserved=(*areas(16), Area(12345, 0), Area(TOP, 0))),
    first(reserved=(*areas(3), Area(1, 0), Area(TOP, 0))),
    # A TDMR that is reserved as a whole needs no CMR, and may end on the ceiling.
    Configuration((TDMR0, FULLY_RESERVED)),
    # A PAMT may lie under several areas that touch.
    first(
        reserved=(
            Area(0, MIB),
            Area(P0, PAGE),
            Area(P0 + PAGE, P0_SIZE - 2 * PAGE),
            Area(P0 + P0_SIZE - PAGE, PAGE),
        )
    ),
    # Larger than needed; convertible memory reserved for no reason.
    second(pamt_1g=Pamt(P1 + 4 * MIB + 8 * KIB, MIB), reserved=(Area(0, 512 * MIB),)),
    # A PAMT that ends where a usable part begins, at both ends of TDMR 1; CMRs end on 3G and 12G.
    second(pamt_1g=Pamt(5 * GIB, PAGE)),
    second(pamt_1g=Pamt(3 * GIB - PAGE, PAGE)),
    second(pamt_1g=Pamt(12 * GIB - PAGE, PAGE)),
    # Half in a gap between TDMRs, half in a reserved area.
    second(pamt_2m=Pamt(5 * GIB - PAGE, 8 * KIB), reserved=(Area(GIB - PAGE, PAGE),)),
    # TDMRs that touch; one across two CMRs that touch.
    second(base=7 * GIB, size=GIB, reserved=(Area(GIB - 2 * MIB, 2 * MIB),)),
    Configuration(
        (
            TDMR0,
            Tdmr(
                7 * GIB,
                2 * GIB,
                Pamt(4 * GIB, 8 * MIB),
                Pamt(4 * GIB + 8 * MIB, 16 * KIB),
                Pamt(4 * GIB + 9 * MIB, PAGE),
            ),
        )
    ),
    # The call: only what is counted is read; shared KeyIDs are fine in pointers.
    replace(Configuration((TDMR0, NULL_TDMR)), call=Call(count=1)),
    called(array_pa=(31 << 46) + 0x1000, info_pa=(512, 0), r8=63),
    called(seamrr=(0x1000, 0x1000)),
    called(seamrr=(0, 1 << 40)),
]


@pytest.mark.parametrize("configuration", ACCEPTED)
def test_accepted(configuration: Configuration) -> None:
    assert answer(configuration) == (None, "0x0")


ORDER: list[tuple[Configuration, tuple[Any, ...]]] = [
    # TDMR by TDMR: the last check of TDMR 0 comes before the first of TDMR 1.
    (
        replace(first(reserved=(Area(P0, P0_SIZE),)), call=Call(info_pa=(0x2000, 1))),
        ("T_CMR", "0xc0000a0200000000", 0),
    ),
    # Order before alignment, for TDMRs and for areas; disorder before overlap changes no word.
    (second(base=GIB + PAGE), ("T_OVERLAP", "0xc0000a0100000001", 1)),
    (
        first(reserved=(Area(0, MIB), Area(MIB - 512, PAGE))),
        ("R_OVERLAP", "0xc0000a2100000100", 0, 1),
    ),
    # A null entry is named although the next one is unaligned too.
    (
        first(reserved=(Area(0, 0), Area(1, 1))),
        ("R_NULL_GAP", "0xc0000a2100000000", 0, 0),
    ),
    # Areas one by one: alignment of area 0 before the order of area 1.
    (
        first(reserved=(Area(PAGE, PAGE + 1), Area(0, PAGE))),
        ("R_ALIGN", "0xc0000a2000000000", 0, 0),
    ),
    # 1G before 2M before 4K alone, 4K before 2M before 1G in overlaps.
    (
        first(pamt_4k=Pamt(0, 0), pamt_2m=Pamt(0, 0), pamt_1g=Pamt(1, 1)),
        ("P_ALIGN", "0xc0000a1000000200", 0, "1g"),
    ),
    (
        first(pamt_4k=Pamt(0, 0), pamt_2m=Pamt(1, 1)),
        ("P_ALIGN", "0xc0000a1000000100", 0, "2m"),
    ),
    (
        second(pamt_1g=Pamt(P0, PAGE), pamt_4k=Pamt(P0 + MIB, 4 * MIB)),
        ("PP_OTHER", "0xc0000a1200000001", 1, "4k", 0),
    ),
    (
        second(pamt_4k=Pamt(5 * GIB, 4 * MIB), pamt_2m=Pamt(2 * GIB - PAGE, 2 * PAGE)),
        ("PA_AVAIL", "0xc0000a1200000101", 1, "2m", 0),
    ),
    (
        second(pamt_2m=Pamt(3 * GIB, 2 * PAGE), pamt_1g=Pamt(3 * GIB + MIB, PAGE)),
        ("P_CMR", "0xc0000a1100000201", 1, "1g"),
    ),
    (
        second(pamt_4k=Pamt(3 * GIB, 4 * MIB), pamt_2m=Pamt(3 * GIB + 8 * MIB, 2 * PAGE)),
        ("P_CMR", "0xc0000a1100000101", 1, "2m"),
    ),
    # PAMT against an earlier PAMT before PAMT against its own kind, and both before usable parts.
    (
        second(pamt_4k=Pamt(P1, 4 * MIB), pamt_2m=Pamt(P1, 2 * PAGE), pamt_1g=Pamt(P0, PAGE)),
        ("PP_OTHER", "0xc0000a1200000201", 1, "1g", 0),
    ),
    (
        second(pamt_4k=Pamt(GIB, 4 * MIB), pamt_2m=Pamt(P1, 2 * PAGE), pamt_1g=Pamt(P1, PAGE)),
        ("PP_SAME", "0xc0000a1200010101", 1, "2m", 1),
    ),
    # Against TDMR 0 first, then TDMR 0's against this one, then its own.
    (
        Configuration(
            (
                TDMR0._replace(pamt_1g=Pamt(4 * GIB, PAGE)),
                TDMR1._replace(pamt_4k=Pamt(4 * GIB + MIB, 4 * MIB)),
            )
        ),
        ("PA_AVAIL", "0xc0000a1200010200", 0, "1g", 1),
    ),
    (
        Configuration(
            (
                TDMR0._replace(pamt_1g=Pamt(4 * GIB, PAGE)),
                TDMR1._replace(pamt_4k=Pamt(4 * GIB + MIB, 4 * MIB), pamt_1g=Pamt(GIB, PAGE)),
            )
        ),
        ("PA_AVAIL", "0xc0000a1200000201", 1, "1g", 0),
    ),
    # Once per call before anything else, RCX before RDX before R8.
    (
        replace(first(base=1), call=Call(array_pa=1, count=0, r8=0)),
        ("OP_RCX", "0xc000010000000001", "RCX"),
    ),
    (replace(first(base=1), call=Call(count=0, r8=0)), ("OP_RDX", "0xc000010000000002", "RDX")),
    (replace(first(base=1), call=Call(r8=0)), ("OP_R8", "0xc000010000000008", "R8")),
    # The pointer before the TDMR it points to.
    (
        replace(first(base=1), call=Call(info_pa=(1, 0))),
        ("OP_ENTRY_PTR", "0xc000010000000001", "RCX"),
    ),
]


@pytest.mark.parametrize(("configuration", "wanted"), ORDER)
def test_of_two_faults_the_first_in_the_order_decides(
    configuration: Configuration, wanted: tuple[Any, ...]
) -> None:
    assert answer(configuration) == wanted


def test_a_part_after_the_last_of_16_areas_is_checked_too() -> None:
    beyond = second(base=2 * GIB, size=2 * GIB, pamt_4k=Pamt(P1, 8 * MIB))
    grown = Configuration(
        (
            TDMR0,
            beyond.tdmrs[1]._replace(
                pamt_2m=Pamt(P1 + 8 * MIB, 16 * KIB),
                pamt_1g=Pamt(P1 + 9 * MIB, PAGE),
                reserved=tuple(Area(2 * k * PAGE, PAGE) for k in range(16)),
            ),
        )
    )
    assert answer(grown) == ("T_CMR", "0xc0000a0200000001", 1)  # [3G, 4G) is in no CMR
    covered = (*CMRS[:1], Cmr(3 * GIB, GIB), *CMRS[2:])
    assert answer(grown, covered) == (None, "0x0")


def test_a_hole_of_one_page_between_cmrs_is_enough() -> None:
    apart = (*CMRS[:3], Cmr(8 * GIB + PAGE, GIB))
    assert answer(BASE, apart) == ("P_CMR", "0xc0000a1100000001", 1, "4k")


def test_a_cmr_list_that_sys_init_refuses_gets_no_further() -> None:
    backwards = (CMRS[2], CMRS[0])
    assert answer(BASE, backwards) == ("C_ORDER", "0xc0000a2200000000", 1)
    assert answer(BASE, ()) == ("P_CMR", "0xc0000a1100000200", 0, "1g")


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        (Limits(max_tdmrs=2), (None, "0x0")),
        (Limits(max_tdmrs=1), ("OP_RDX", "0xc000010000000002", "RDX")),
        (Limits(max_reserved_per_tdmr=2), (None, "0x0")),
        (Limits(max_reserved_per_tdmr=1), ("R_COUNT", "0xc0000a2000000100", 0, 1)),
        (Limits(max_reserved_per_tdmr=0), ("R_COUNT", "0xc0000a2000000000", 0, 0)),
        (Limits(pamt_entry_size=(8, 16, 4096)), ("P_SIZE", "0xc0000a1000000200", 0, "1g")),
        (Limits(pamt_entry_size=(8, 4, 2048)), (None, "0x0")),
        (Limits(pamt_entry_size=(8, 17, 2048)), ("P_SIZE", "0xc0000a1000000100", 0, "2m")),
        (Limits(pamt_entry_size=(17, 16, 16)), ("P_SIZE", "0xc0000a1000000000", 0, "4k")),
        (Limits(keyid_bits=52 - 34), (None, "0x0")),
        (Limits(keyid_bits=52 - 33), ("C_BASE_PA", "0xc0000a2200000000", 3)),
    ],
)
def test_limits_of_the_map_stand_in_for_the_modules(
    limits: Limits, wanted: tuple[Any, ...]
) -> None:
    assert answer(BASE, limits=limits) == wanted


def bitmap(size: int) -> Configuration:
    return first(pamt_4k=Pamt(P0, size))


@pytest.mark.parametrize(
    ("configuration", "limits", "wanted"),
    [
        # 2 GiB are 2^19 pages: a bitmap of 64 KiB at one bit each; a full-size PAMT does as well.
        (bitmap(64 * KIB), Limits(dynamic_pamt=True), (None, "0x0")),
        (
            bitmap(64 * KIB - PAGE),
            Limits(dynamic_pamt=True),
            ("P_SIZE", "0xc0000a1000000000", 0, "4k"),
        ),
        (bitmap(8 * MIB), Limits(dynamic_pamt=True), (None, "0x0")),
        (
            bitmap(128 * KIB - PAGE),
            Limits(dynamic_pamt=True, pamt_page_bitmap_entry_bits=2),
            ("P_SIZE", "0xc0000a1000000000", 0, "4k"),
        ),
        (
            bitmap(128 * KIB),
            Limits(dynamic_pamt=True, pamt_page_bitmap_entry_bits=2),
            (None, "0x0"),
        ),
        (bitmap(64 * KIB), LIMITS, ("P_SIZE", "0xc0000a1000000000", 0, "4k")),
        # An R8 that is given wins: static without bit 16, though the module could.
        (
            replace(bitmap(64 * KIB), call=Call(r8=0x20)),
            Limits(dynamic_pamt=True),
            ("P_SIZE", "0xc0000a1000000000", 0, "4k"),
        ),
        (
            replace(bitmap(64 * KIB), call=Call(r8=0x10020)),
            Limits(dynamic_pamt=True),
            (None, "0x0"),
        ),
        # Three KeyID bits: the ceiling is 2^49, above what dynamic PAMT allows.
        (
            bitmap(64 * KIB),
            Limits(dynamic_pamt=True, keyid_bits=3),
            ("OP_R8", "0xc000010000000008", "R8"),
        ),
        (bitmap(64 * KIB), Limits(dynamic_pamt=True, keyid_bits=4), (None, "0x0")),
    ],
)
def test_dynamic_pamt(
    configuration: Configuration, limits: Limits, wanted: tuple[Any, ...]
) -> None:
    assert answer(configuration, limits=limits) == wanted


@pytest.mark.parametrize("gib", [1, 256, 257, 512])
def test_pamt_1g_sizes(gib: int) -> None:
    """16 bytes for each GiB, and 4 KiB alignment: one page up to 256 GiB, two up to 512."""
    size = 4096 if gib <= 256 else 8192
    cmrs = (Cmr(0, 4096 * GIB),)
    start = 1024 * GIB

    def made(size_1g: int) -> Configuration:
        pamts = (
            Pamt(start, gib * 4 * MIB),
            Pamt(start + 3 * GIB, gib * 8 * KIB),
            Pamt(start + 4 * GIB, size_1g),
        )
        return Configuration((Tdmr(0, gib * GIB, *pamts),))

    assert answer(made(size), cmrs) == (None, "0x0")
    assert answer(made(size - PAGE), cmrs)[0] == "P_SIZE"
