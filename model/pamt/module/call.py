"""The call of TDH.SYS.CONFIG: what a configuration file leaves open gets a sensible value.

The values are such as break no rule of their own; each that was filled in is named in an
assumption all the same.
"""

from __future__ import annotations

from typing import NamedTuple

from pamt.configuration import Area, Configuration, Pamt, Tdmr
from pamt.machine import Limits
from pamt.module.rules.operands import POINTER_ALIGNMENT, R8_DYNAMIC_PAMT, Operands
from pamt.ranges import PAGE, align_up
from pamt.standins import Assumption

__all__ = ["NULL_RECORD", "CompleteCall", "default_call", "handed_over", "records"]

NULL_RECORD = Tdmr(0, 0, Pamt(0, 0), Pamt(0, 0), Pamt(0, 0), (Area(0, 0),))
"""A TDMR_INFO of zero bytes: what a call reads that counts more TDMRs than it hands over."""


class CompleteCall(NamedTuple):
    operands: Operands
    assumptions: tuple[Assumption, ...]


def default_call(configuration: Configuration, limits: Limits) -> CompleteCall:
    """The operands of the call, with every field that is None filled in.

    ==============  =============================================================================
    `count`         the number of TDMRs
    `private_hkid`  the upper half of the KeyIDs
    `r8`            the first private KeyID, and bit 16 if `limits.dynamic_pamt`
    `seamrr`        none
    `array_pa`      page 1, or the first page above SEAMRR if it lies there
    `info_pa`       512 bytes apart, after the array
    ==============  =============================================================================

    An R8 that is given wins over `limits.dynamic_pamt`: without bit 16 the call is checked as
    static.  With bit 16 on a module without dynamic PAMT it breaks OP_R8, as there.
    """
    call = configuration.call
    filled: list[str] = []
    count = call.count
    if count is None:
        count = len(configuration.tdmrs)
        filled.append(f"RDX = {count}, the number of TDMRs")
    private = call.private_hkid
    if private is None:
        keys = min(1 << limits.keyid_bits, R8_DYNAMIC_PAMT)  # R8 has 16 bits for a KeyID
        private = (max(1, keys // 2), max(1, keys - 1))
        filled.append(f"private KeyIDs {private[0]} to {private[1]}")
    r8 = call.r8
    if r8 is None:
        r8 = private[0]
        if limits.dynamic_pamt:
            r8 += R8_DYNAMIC_PAMT
        kind = "dynamic" if limits.dynamic_pamt else "static"
        filled.append(f"R8 = {r8:#x}: private KeyID {private[0]}, {kind} PAMT")
    seamrr = call.seamrr
    if seamrr is None:
        seamrr = (0, 0)
        filled.append("no SEAMRR in the way of the call's structures")
    room = POINTER_ALIGNMENT * (1 + min(max(count, len(configuration.tdmrs)), limits.max_tdmrs))
    start = PAGE
    if seamrr[0] < start + room and start < seamrr[0] + seamrr[1]:
        start = align_up(seamrr[0] + seamrr[1], PAGE)
    array_pa = call.array_pa
    if array_pa is None:
        array_pa = start
        filled.append(f"RCX = {array_pa:#x}")
    given = call.info_pa if call.info_pa is not None else ()
    wanted = min(count, limits.max_tdmrs)
    info_pa = given[:wanted]
    if len(given) < wanted:
        first = start + POINTER_ALIGNMENT
        info_pa = given + tuple(
            first + POINTER_ALIGNMENT * index for index in range(len(given), wanted)
        )
        filled.append(f"TDMR_INFO {len(given)} and later from {info_pa[len(given)]:#x} on")
    operands = Operands(array_pa, info_pa, count, r8, private, seamrr)
    return CompleteCall(operands, _assumptions(filled, count, len(configuration.tdmrs)))


def handed_over(configuration: Configuration) -> tuple[Tdmr, ...]:
    """The TDMRs that the call counts; where it says nothing, all of them."""
    return configuration.tdmrs[: configuration.call.count]


def records(configuration: Configuration, count: int) -> tuple[Tdmr, ...]:
    """The `count` TDMR_INFO records that the call reads; missing ones are zero bytes."""
    missing = max(0, count - len(configuration.tdmrs))
    return configuration.tdmrs[:count] + (NULL_RECORD,) * missing


def _assumptions(filled: list[str], count: int, given: int) -> tuple[Assumption, ...]:
    made: list[Assumption] = []
    if filled:
        made.append(
            Assumption(
                "call",
                f"the call is not given in full: {'; '.join(filled)}",
                "OP_RCX, OP_RDX, OP_R8 and OP_ENTRY_PTR say nothing of the operands of a real call",
            )
        )
    if count > given:
        made.append(
            Assumption(
                "call-records",
                f"RDX = {count}, but {given} TDMRs are given: zero bytes are read after them",
                "what a real call finds there decides the status for these TDMRs",
            )
        )
    return tuple(made)
