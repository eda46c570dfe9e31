"""The call: what is given is kept, what is not gets a value that breaks no rule, and is named."""

from __future__ import annotations

import pytest

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.machine import Limits
from pamt.module.call import NULL_RECORD, default_call, records
from pamt.module.config import walk_call
from pamt.module.rules.operands import Operands, dynamic_asked, op_entry_ptr
from pamt.ranges import GIB, PAGE


def of(count: int, call: Call | None = None) -> Configuration:
    return Configuration((NULL_RECORD,) * count, call or Call())


def test_defaults() -> None:
    operands, assumptions = default_call(of(2), Limits())
    assert operands == Operands(0x1000, (0x1200, 0x1400), 2, 32, (32, 63), (0, 0))
    assert [a.id for a in assumptions] == ["call"]
    assert assumptions[0].text == (
        "the call is not given in full: RDX = 2, the number of TDMRs; private KeyIDs 32 to 63;"
        " R8 = 0x20: private KeyID 32, static PAMT; no SEAMRR in the way of the call's structures;"
        " RCX = 0x1000; TDMR_INFO 0 and later from 0x1200 on"
    )


def test_dynamic_pamt_is_asked_for_where_the_module_has_it() -> None:
    operands, assumptions = default_call(of(1), Limits(dynamic_pamt=True))
    assert operands.r8 == 0x10020
    assert "R8 = 0x10020: private KeyID 32, dynamic PAMT" in assumptions[0].text


def test_what_is_given_is_kept() -> None:
    call = Call(0x10000, (0x20000, 0x20200), 2, 0x21, (33, 40), (0x5000, 0x1000))
    operands, assumptions = default_call(of(2, call), Limits(dynamic_pamt=True))
    assert operands == Operands(0x10000, (0x20000, 0x20200), 2, 0x21, (33, 40), (0x5000, 0x1000))
    assert assumptions == ()


def test_pointers_beyond_those_given() -> None:
    operands, assumptions = default_call(of(3, Call(info_pa=(0x20000,))), Limits())
    assert operands.info_pa == (0x20000, 0x1400, 0x1600)
    assert "TDMR_INFO 1 and later from 0x1400 on" in assumptions[0].text


@pytest.mark.parametrize("bits", [0, 1, 3, 6, 15, 16, 20])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    "seamrr",
    [None, (0, 0), (0, GIB), (0x1000, 1), (0x1000 + 65 * 512 - 1, PAGE), (0x9000, PAGE)],
)
def test_defaults_break_no_rule_of_their_own(
    bits: int, dynamic: bool, seamrr: tuple[int, int] | None
) -> None:
    limits = Limits(keyid_bits=bits, dynamic_pamt=dynamic and bits >= 4)
    operands, _ = default_call(of(64, Call(seamrr=seamrr)), limits)
    assert walk_call(operands, limits) is None
    assert not any(op_entry_ptr(pa, operands, limits) for pa in operands.info_pa)
    used = [operands.array_pa, *operands.info_pa]
    assert used == [operands.array_pa + 512 * k for k in range(65)]


def test_more_counted_than_given() -> None:
    operands, assumptions = default_call(of(1, Call(count=3)), Limits())
    assert len(operands.info_pa) == 3
    assert assumptions[-1].id == "call-records"
    assert assumptions[-1].text == (
        "RDX = 3, but 1 TDMRs are given: zero bytes are read after them"
    )
    assert records(of(1), 3) == (NULL_RECORD,) * 3


def test_a_count_beyond_all_limits_costs_nothing() -> None:
    operands, _ = default_call(of(1, Call(count=(1 << 64) - 1)), Limits())
    assert len(operands.info_pa) == 64


def test_only_what_is_counted_is_read() -> None:
    assert records(of(5), 2) == (NULL_RECORD,) * 2
    assert default_call(of(5, Call(count=2)), Limits()).operands.info_pa == (0x1200, 0x1400)


def test_a_record_that_is_not_given_is_zero_bytes() -> None:
    nothing = Pamt(0, 0)
    assert Tdmr(0, 0, nothing, nothing, nothing, (Area(0, 0),)) == NULL_RECORD


@pytest.mark.parametrize(
    ("seamrr", "array_pa"),
    [
        ((1 << 30, PAGE), PAGE),  # far above
        ((2 * PAGE, PAGE), PAGE),  # right behind the seven records
        ((2 * PAGE - 512, PAGE), 3 * PAGE),  # over the last of them
        ((PAGE, PAGE), 2 * PAGE),
        ((0, PAGE), PAGE),  # right before the array
        ((0, PAGE + 1), 2 * PAGE),
        ((0, 0), PAGE),
    ],
)
def test_structures_stand_at_page_1_or_above_seamrr(seamrr: tuple[int, int], array_pa: int) -> None:
    configuration = Configuration((), Call(count=7, seamrr=seamrr))
    operands = default_call(configuration, Limits()).operands
    assert operands.array_pa == array_pa
    assert operands.info_pa == tuple(array_pa + 512 * (at + 1) for at in range(7))


@pytest.mark.parametrize(
    ("bits", "private"),
    [(0, (1, 1)), (1, (1, 1)), (2, (2, 3)), (6, (32, 63)), (22, (1 << 15, (1 << 16) - 1))],
)
def test_private_key_ids_are_the_upper_half(bits: int, private: tuple[int, int]) -> None:
    operands = default_call(Configuration(()), Limits(keyid_bits=bits)).operands
    assert operands.private_hkid == private
    assert operands.r8 == private[0]


def test_no_more_pointers_than_the_module_reads() -> None:
    for count in (64, 65, 1 << 60):
        operands = default_call(Configuration((), Call(count=count)), Limits()).operands
        assert len(operands.info_pa) == 64


@pytest.mark.parametrize(
    ("r8", "has_it", "asked"),
    [
        (0x10020, True, True),
        (0x10020, False, False),
        (0x20020, True, False),
        (0x30020, True, True),
        (0x40020, True, False),
        (0xFFFF, True, False),
    ],
)
def test_bit_16_asks_for_dynamic_pamt(r8: int, has_it: bool, asked: bool) -> None:
    operands = default_call(of(1, Call(r8=r8)), Limits()).operands
    assert dynamic_asked(operands, Limits(dynamic_pamt=has_it)) is asked
