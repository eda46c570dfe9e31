"""Every rule by itself: on its boundary it passes, one step beyond it is broken."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

import pamt.module.rules
from pamt.configuration import Area, Pamt, Tdmr
from pamt.machine import Cmr, Limits
from pamt.module.registry import RULES
from pamt.module.rules.operands import Operands
from pamt.ranges import GIB, PAGE, Range

TOP = (1 << 64) - 1
LIMITS = Limits()  # 6 KeyID bits: the ceiling is 2^46
CEILING = 1 << 46
DYNAMIC = Limits(dynamic_pamt=True)


def tdmr(base: int, size: int) -> Tdmr:
    return Tdmr(base, size, Pamt(0, 0), Pamt(0, 0), Pamt(0, 0))


def call(**changed: Any) -> Operands:
    usual = Operands(0x1000, (0x1200,), 1, 32, (32, 63), (0x10000, 0x2000))
    return usual._replace(**changed)


class Row(NamedTuple):
    rule: str
    passes: list[tuple[Any, ...]]
    fails: list[tuple[Any, ...]]


def pointers(make: Any) -> tuple[list[Any], list[Any]]:
    """Addresses on both sides of each of the four conditions."""
    good = [
        0,
        512,
        0x10000 - 512,  # ends where SEAMRR begins
        0x12000,  # begins where SEAMRR ends
        (31 << 46) + 0x1000,  # the last shared KeyID
    ]
    bad = [
        0x1000 + 1,
        0x1000 + 256,
        0x10000,
        0x12000 - 512,
        (32 << 46) + 0x1000,  # the first private KeyID
        (63 << 46) + 0x1000,
        (5 << 46) + 0x10000,  # SEAMRR behind a KeyID
        1 << 52,
        TOP - 511,
    ]
    return [make(pa) for pa in good], [make(pa) for pa in bad]


# With private KeyIDs beyond 6 bits only the width of an address stops what lies above it.
WIDE = call(private_hkid=(1000, 1001))
RCX_GOOD, RCX_BAD = pointers(lambda pa: (call(array_pa=pa), LIMITS))
PTR_GOOD, PTR_BAD = pointers(lambda pa: (pa, call(), LIMITS))

PTR_GOOD.append(((1 << 52) - 512, WIDE, LIMITS))
PTR_BAD.append((1 << 52, WIDE, LIMITS))
# A SEAMRR without bytes is none.
PTR_GOOD.append((0x1000, call(seamrr=(0x1100, 0)), LIMITS))
PTR_BAD.append((0x1000, call(seamrr=(0x1100, 1)), LIMITS))

FOUR_BITS = Limits(dynamic_pamt=True, keyid_bits=4)
THREE_BITS = Limits(dynamic_pamt=True, keyid_bits=3)

TABLE = [
    Row("C_WRAP", [(Cmr(TOP - 4096, 4096),), (Cmr(0, TOP),)], [(Cmr(TOP - 4095, 4096),)]),
    Row("C_BASE_PA", [(Cmr(CEILING - PAGE, PAGE), LIMITS)], [(Cmr(CEILING, PAGE), LIMITS)]),
    Row(
        "C_END_PA",
        [(Cmr(CEILING - PAGE, PAGE), LIMITS)],
        [(Cmr(CEILING - PAGE, PAGE + 1), LIMITS), (Cmr(CEILING - PAGE, 2 * PAGE), LIMITS)],
    ),
    Row(
        "C_ALIGN",
        [(Cmr(PAGE, PAGE),), (Cmr(0, 3 * PAGE),)],
        [(Cmr(PAGE + 1, PAGE),), (Cmr(PAGE, PAGE - 1),), (Cmr(2048, PAGE),), (Cmr(0, 2048),)],
    ),
    Row(
        "C_ORDER",
        [(Cmr(PAGE, PAGE), Cmr(2 * PAGE, PAGE)), (Cmr(0, 0), Cmr(0, PAGE))],
        [(Cmr(PAGE, PAGE), Cmr(2 * PAGE - 1, PAGE)), (Cmr(PAGE, PAGE), Cmr(0, PAGE))],
    ),
    Row("OP_RCX", RCX_GOOD, RCX_BAD),
    Row(
        "OP_RDX",
        [(call(tdmr_count=1), LIMITS), (call(tdmr_count=64), LIMITS)],
        [
            (call(tdmr_count=0), LIMITS),
            (call(tdmr_count=65), LIMITS),
            (call(tdmr_count=TOP), LIMITS),
            (call(tdmr_count=3), Limits(max_tdmrs=2)),
        ],
    ),
    Row(
        "OP_R8",
        [
            (call(r8=32), LIMITS),
            (call(r8=63), LIMITS),
            (call(r8=32), DYNAMIC),
            (call(r8=0x10000 + 63), DYNAMIC),
            (call(r8=0x10000 + 8, private_hkid=(8, 15)), FOUR_BITS),
            (call(r8=4, private_hkid=(4, 7)), THREE_BITS),  # 5a binds dynamic PAMT only
        ],
        [
            (call(r8=31), LIMITS),
            (call(r8=64), LIMITS),
            (call(r8=0xFFFF), LIMITS),
            (call(r8=0x10000 + 32), LIMITS),  # bit 16 is reserved without the feature
            (call(r8=0x10000, private_hkid=(0, 63)), LIMITS),
            (call(r8=(1 << 63) + 32), LIMITS),
            (call(r8=0x20000 + 32), DYNAMIC),
            (call(r8=0x30000 + 32), DYNAMIC),
            (call(r8=0x10000 + 31), DYNAMIC),
            (call(r8=0x10000 + 4, private_hkid=(4, 7)), THREE_BITS),
        ],
    ),
    Row("OP_ENTRY_PTR", PTR_GOOD, PTR_BAD),
    Row(
        "T_WRAP",
        [(tdmr(TOP - GIB, GIB),), (tdmr(0, TOP),)],
        [(tdmr(TOP - GIB + 1, GIB),), (tdmr(TOP, TOP),)],
    ),
    Row(
        "T_SORT",
        [(tdmr(GIB, GIB), tdmr(GIB, GIB))],  # equal is T_OVERLAP's
        [(tdmr(GIB, GIB), tdmr(GIB - 1, GIB))],
    ),
    Row(
        "T_OVERLAP",
        [(tdmr(GIB, GIB), tdmr(2 * GIB, GIB))],
        [(tdmr(GIB, GIB), tdmr(2 * GIB - 1, GIB)), (tdmr(GIB, GIB), tdmr(GIB, GIB))],
    ),
    Row(
        "T_ALIGN",
        [(tdmr(0, GIB),), (tdmr(3 * GIB, 5 * GIB),)],
        [
            (tdmr(1, GIB),),
            (tdmr(GIB // 2, GIB),),
            (tdmr(GIB, GIB + PAGE),),
            (tdmr(GIB, GIB // 2),),
            (tdmr(GIB, 0),),
        ],
    ),
    Row("T_BASE_PA", [(tdmr(CEILING - GIB, GIB), LIMITS)], [(tdmr(CEILING, GIB), LIMITS)]),
    Row(
        "T_END_PA",
        [(tdmr(CEILING - GIB, GIB), LIMITS), (tdmr((1 << 47) - GIB, GIB), Limits(keyid_bits=5))],
        [(tdmr(CEILING - GIB, GIB + 1), LIMITS), (tdmr(CEILING - GIB, 2 * GIB), LIMITS)],
    ),
    Row(
        "R_NULL_GAP",
        [
            (Area(7, 0), Area(9, 0)),
            (Area(0, PAGE), Area(PAGE, PAGE)),
            (Area(0, PAGE), Area(0, 0)),
        ],
        [(Area(0, 0), Area(PAGE, PAGE)), (Area(0, 0), Area(0, 1))],
    ),
    Row("R_WRAP", [(Area(TOP - PAGE, PAGE),)], [(Area(TOP - PAGE + 1, PAGE),)]),
    Row(
        "R_SORT",
        [(Area(PAGE, PAGE), Area(PAGE, PAGE))],  # equal is R_OVERLAP's
        [(Area(PAGE, PAGE), Area(PAGE - 1, PAGE))],
    ),
    Row(
        "R_OVERLAP",
        [(Area(PAGE, PAGE), Area(2 * PAGE, PAGE))],
        [(Area(PAGE, PAGE), Area(2 * PAGE - 1, PAGE)), (Area(PAGE, PAGE), Area(PAGE, PAGE))],
    ),
    Row(
        "R_ALIGN",
        [(Area(0, PAGE),), (Area(3 * PAGE, 5 * PAGE),)],
        [(Area(1, PAGE),), (Area(2048, PAGE),), (Area(0, PAGE + 1),), (Area(0, 2048),)],
    ),
    Row(
        "R_BASE_WRAP",
        [
            (tdmr(GIB, GIB), Area(TOP - GIB - PAGE, PAGE)),
            (tdmr(GIB, GIB), Area(TOP - GIB, 0)),
        ],
        [
            (tdmr(GIB, GIB), Area(TOP - GIB + 1, 0)),
            (tdmr(GIB, GIB), Area(TOP - GIB - PAGE + 1, PAGE)),
        ],
    ),
    Row(
        "R_OUTSIDE",
        [(tdmr(GIB, GIB), Area(GIB - PAGE, PAGE)), (tdmr(GIB, GIB), Area(0, GIB))],
        [(tdmr(GIB, GIB), Area(GIB - PAGE, PAGE + 1)), (tdmr(GIB, GIB), Area(GIB, PAGE))],
    ),
    Row("R_COUNT", [(Area(0, 0),), (Area(TOP, 0),)], [(Area(0, 1),), (Area(0, PAGE),)]),
    Row("P_WRAP", [(Pamt(TOP - PAGE, PAGE),)], [(Pamt(TOP - PAGE + 1, PAGE),)]),
    Row(
        "P_ALIGN",
        [(Pamt(PAGE, PAGE),), (Pamt(3 * PAGE, 0),)],
        [(Pamt(1, PAGE),), (Pamt(2048, PAGE),), (Pamt(0, PAGE + 1),), (Pamt(0, 16),)],
    ),
    Row("P_BASE_PA", [(Pamt(CEILING - PAGE, PAGE), LIMITS)], [(Pamt(CEILING, PAGE), LIMITS)]),
    Row(
        "P_END_PA",
        [(Pamt(CEILING - PAGE, PAGE), LIMITS), (Pamt(PAGE, 0), LIMITS), (Pamt(0, 1), LIMITS)],
        [(Pamt(CEILING - PAGE, PAGE + 1), LIMITS), (Pamt(0, 0), LIMITS)],
    ),
    Row("P_SIZE", [(Pamt(0, 4096), 4096), (Pamt(0, 8192), 4096)], [(Pamt(0, 4095), 4096)]),
    *(
        Row(
            rule,
            [
                (Pamt(2 * PAGE, 2 * PAGE), Pamt(0, 2 * PAGE)),
                (Pamt(2 * PAGE, 2 * PAGE), Pamt(4 * PAGE, PAGE)),
            ],
            [
                (Pamt(2 * PAGE, 2 * PAGE), Pamt(0, 2 * PAGE + 1)),
                (Pamt(2 * PAGE, 2 * PAGE), Pamt(4 * PAGE - 1, PAGE)),
                (Pamt(2 * PAGE, 2 * PAGE), Pamt(0, 9 * PAGE)),
                (Pamt(0, 9 * PAGE), Pamt(2 * PAGE, PAGE)),
                (Pamt(2 * PAGE, PAGE), Pamt(2 * PAGE, PAGE)),
            ],
        )
        for rule in ("PP_OTHER", "PP_SAME")
    ),
    Row(
        "PA_AVAIL",
        [
            (Pamt(2 * PAGE, PAGE), []),
            (Pamt(2 * PAGE, PAGE), [Range(0, 2 * PAGE), Range(3 * PAGE, 4 * PAGE)]),
        ],
        [
            (Pamt(2 * PAGE, PAGE), [Range(0, 2 * PAGE + 1)]),
            (Pamt(2 * PAGE, PAGE), [Range(0, PAGE), Range(3 * PAGE - 1, 4 * PAGE)]),
        ],
    ),
    Row(
        "P_CMR",
        [
            (Pamt(PAGE, PAGE), [Range(PAGE, 2 * PAGE)]),
            (Pamt(5 * PAGE, PAGE), [Range(0, PAGE), Range(4 * PAGE, 7 * PAGE)]),
        ],
        [
            (Pamt(PAGE, PAGE), []),
            (Pamt(PAGE, PAGE), [Range(PAGE + 1, 3 * PAGE)]),
            (Pamt(PAGE, PAGE), [Range(0, 2 * PAGE - 1)]),
            # Two runs that overlap or touch do not add up: the caller joins what touches.
            (Pamt(PAGE, 2 * PAGE), [Range(0, 2 * PAGE), Range(2 * PAGE, 4 * PAGE)]),
        ],
    ),
    Row(
        "T_CMR",
        [
            ([], []),
            ([Range(PAGE, 2 * PAGE), Range(3 * PAGE, 4 * PAGE)], [Range(PAGE, 4 * PAGE)]),
        ],
        [
            ([Range(0, PAGE)], []),
            ([Range(PAGE, 2 * PAGE), Range(3 * PAGE, 4 * PAGE + 1)], [Range(PAGE, 4 * PAGE)]),
            ([Range(PAGE - 1, 2 * PAGE), Range(3 * PAGE, 4 * PAGE)], [Range(PAGE, 4 * PAGE)]),
        ],
    ),
]


def test_the_table_has_every_rule_once() -> None:
    assert pamt.module.rules.__name__  # registers them
    assert [row.rule for row in TABLE] == list(RULES)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.rule)
def test_a_rule_on_its_boundary(row: Row) -> None:
    rule = RULES[row.rule]
    assert [args for args in row.passes if rule.broken(*args) is not False] == []
    assert [args for args in row.fails if rule.broken(*args) is not True] == []
