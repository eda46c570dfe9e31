"""TDH.SYS.CONFIG, once per call: the registers; and, per TDMR, the pointer to its TDMR_INFO."""

from __future__ import annotations

from typing import NamedTuple

from pamt.machine import Limits
from pamt.module.registry import rule
from pamt.module.words import BAD_FROM, overlap

__all__ = [
    "POINTER_ALIGNMENT",
    "R8_DYNAMIC_PAMT",
    "Operands",
    "bad_pointer",
    "dynamic_asked",
    "op_entry_ptr",
    "op_r8",
    "op_rcx",
    "op_rdx",
]

POINTER_ALIGNMENT = 512
"""Alignment of the pointer array and of each TDMR_INFO, and the bytes of each that are checked."""

R8_DYNAMIC_PAMT = 1 << 16
"""R8 bit 16 turns dynamic PAMT on; reserved in a module without that feature."""

DYNAMIC_PAMT_ADDRESS_END = 1 << 48
"""With dynamic PAMT, KeyID bits must begin at bit 48 or below (at least four of them)."""


class Operands(NamedTuple):
    """The operands of a call, and the platform facts they are compared with; nothing left open."""

    array_pa: int
    info_pa: tuple[int, ...]
    tdmr_count: int
    r8: int
    private_hkid: tuple[int, int]
    """First and last private KeyID."""
    seamrr: tuple[int, int]
    """Base and size in bytes; size 0: none."""


def bad_pointer(pa: int, operands: Operands, limits: Limits) -> bool:
    """Whether `pa` may not be handed to the module as the address of a 512-byte structure.

    A KeyID in it is fine as long as it is a shared one, that is below the first private one.
    SEAMRR is compared with the address without its KeyID.
    """
    if pa % POINTER_ALIGNMENT != 0:
        return True
    if pa >= BAD_FROM:
        return True
    if pa // limits.address_end >= operands.private_hkid[0]:
        return True
    if operands.seamrr[1] == 0:
        return False
    address = pa % limits.address_end
    return overlap(address, POINTER_ALIGNMENT, operands.seamrr[0], operands.seamrr[1])


def dynamic_asked(operands: Operands, limits: Limits) -> bool:
    """Whether the call turns dynamic PAMT on: the module has the feature and R8 bit 16 is set."""
    return limits.dynamic_pamt and operands.r8 // R8_DYNAMIC_PAMT % 2 == 1


@rule("OP_RCX", "TDX_OPERAND_INVALID", "3", operand="RCX")
def op_rcx(operands: Operands, limits: Limits) -> bool:
    """The address of the pointer array is not a multiple of 512, or is not below 2^52, or its
    KeyID is not a shared one, or its 512 bytes overlap SEAMRR.

    Status: TDX_OPERAND_INVALID, b0 = 1 (RCX).
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    return bad_pointer(operands.array_pa, operands, limits)


@rule("OP_RDX", "TDX_OPERAND_INVALID", "4", operand="RDX")
def op_rdx(operands: Operands, limits: Limits) -> bool:
    """The number of TDMRs is above max_tdmrs (64), or is 0.

    Status: TDX_OPERAND_INVALID, b0 = 2 (RDX).
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    return operands.tdmr_count > limits.max_tdmrs or operands.tdmr_count < 1


@rule("OP_R8", "TDX_OPERAND_INVALID", "5, 5a", operand="R8")
def op_r8(operands: Operands, limits: Limits) -> bool:
    """A reserved bit of R8 is set (bits 63:16; where the module has dynamic PAMT, bits 63:17), or
    the KeyID in bits 15:0 is not a private one, or dynamic PAMT is asked for (bit 16) and KeyID
    bits begin above bit 48.

    Status: TDX_OPERAND_INVALID, b0 = 8 (R8).
    Source: TDX module 1.5.05 and later ones with dynamic PAMT, TDH.SYS.CONFIG.
    """
    reserved_from = R8_DYNAMIC_PAMT
    if limits.dynamic_pamt:
        reserved_from = 2 * R8_DYNAMIC_PAMT
    if operands.r8 >= reserved_from:
        return True
    key = operands.r8 % R8_DYNAMIC_PAMT
    if key < operands.private_hkid[0] or key > operands.private_hkid[1]:
        return True
    return dynamic_asked(operands, limits) and limits.address_end > DYNAMIC_PAMT_ADDRESS_END


@rule("OP_ENTRY_PTR", "TDX_OPERAND_INVALID", "6", operand="RCX")
def op_entry_ptr(pa: int, operands: Operands, limits: Limits) -> bool:
    """The address of this TDMR's TDMR_INFO breaks one of the four conditions of OP_RCX.

    Status: TDX_OPERAND_INVALID, b0 = 1 (RCX).
    Source: TDX module 1.5.05, TDH.SYS.CONFIG; Intel TDX Module ABI specification, same leaf.
    """
    return bad_pointer(pa, operands, limits)
