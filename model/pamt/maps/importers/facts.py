"""What the log says happened: kept beside the map, to show and to compare with an answer.

Nothing here enters the machine, but for the KeyID range.  Wording of Linux v6.8 and later, and of
the postings before it ("65667 pages allocated for PAMT").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pamt.maps.importers.lines import HEX, Place, Source
from pamt.ranges import Range

__all__ = [
    "AreasExhausted",
    "Fact",
    "InitFailed",
    "Initialized",
    "KernelVersion",
    "KeyIds",
    "ModuleVersion",
    "PamtAllocated",
    "SeamcallFailed",
    "TdmrsExhausted",
    "describe_fact",
    "keyid_bits",
    "outcomes",
    "read_facts",
]

TOKENS = ("tdx: ", "Linux version ")


class PamtAllocated(NamedTuple):
    kilobytes: int
    place: Place


class AreasExhausted(NamedTuple):
    tdmr: Range
    place: Place


class TdmrsExhausted(NamedTuple):
    place: Place


class InitFailed(NamedTuple):
    ret: int
    """Negative errno."""
    place: Place


class Initialized(NamedTuple):
    place: Place


class SeamcallFailed(NamedTuple):
    leaf: int
    status: int
    place: Place


class KeyIds(NamedTuple):
    """Private KeyIDs that the BIOS set aside: ``[start, end)``."""

    start: int
    end: int
    place: Place


class ModuleVersion(NamedTuple):
    text: str
    place: Place


class KernelVersion(NamedTuple):
    text: str
    place: Place


Fact = (
    PamtAllocated
    | AreasExhausted
    | TdmrsExhausted
    | InitFailed
    | Initialized
    | SeamcallFailed
    | KeyIds
    | ModuleVersion
    | KernelVersion
)

_TDX = r"(?:virt/)?tdx: "
_KB = re.compile(_TDX + r"(\d{1,18}) (KB|pages) allocated for PAMT\.?")
_AREAS = re.compile(
    _TDX + rf"initialization failed: TDMR \[({HEX}), ({HEX})\): reserved areas exhausted\.?"
)
_TDMRS = re.compile(_TDX + r"initialization failed: TDMRs exhausted\.?")
_FAILED = re.compile(_TDX + r"(?:TDX-Module|module) initialization failed \((-\d{1,4})\)")
_DONE = re.compile(_TDX + r"(?:TDX-Module|TDX module|module) initialized\.?")
_SEAMCALL = re.compile(_TDX + rf"SEAMCALL \(?({HEX})\)? failed: ({HEX})")
_KEYS = re.compile(_TDX + r"BIOS enabled: private KeyID range \[(\d{1,6}), (\d{1,6})\)")
_MODULE = re.compile(
    _TDX + r"TDX[ -][Mm]odule(?: version)?:? "
    r"((?:attributes|\d+\.\d+)[ -~]{1,200})"
)
_KERNEL = re.compile(r"Linux version (\S{1,100})")


def read_facts(source: Source) -> tuple[Fact, ...]:
    """Facts in the order of the log; lines that do not parse whole say nothing."""
    facts: list[Fact] = []
    for line in source.lines(TOKENS):
        text, place = line.text, line.place
        if found := _KB.fullmatch(text):
            count = int(found[1])
            facts.append(PamtAllocated(count if found[2] == "KB" else count * 4, place))
        elif found := _AREAS.fullmatch(text):
            facts.append(AreasExhausted(Range(int(found[1], 16), int(found[2], 16)), place))
        elif _TDMRS.fullmatch(text):
            facts.append(TdmrsExhausted(place))
        elif found := _FAILED.fullmatch(text):
            facts.append(InitFailed(int(found[1]), place))
        elif _DONE.fullmatch(text):
            facts.append(Initialized(place))
        elif found := _SEAMCALL.fullmatch(text):
            facts.append(SeamcallFailed(int(found[1], 16), int(found[2], 16), place))
        elif found := _KEYS.fullmatch(text):
            facts.append(KeyIds(int(found[1]), int(found[2]), place))
        elif found := _MODULE.fullmatch(text):
            facts.append(ModuleVersion(found[1], place))
        elif found := _KERNEL.match(text):
            facts.append(KernelVersion(found[1], place))
    return tuple(facts)


def keyid_bits(keys: KeyIds) -> int:
    """Upper address bits that select a key, from the range of private KeyIDs.

    KeyIDs are numbered from 0; shared ones (KeyID 0 and those of MKTME) come first and private
    ones last, up to 2^bits.  So ``[32, 64)`` makes 64 KeyIDs, 6 bits, and ``[64, 128)`` 7 bits.
    A BIOS that leaves KeyIDs unused at the top would show here as too few bits only if fewer than
    half of them were in use.  Source: Intel, IA32_MKTME_KEYID_PARTITIONING.
    """
    return max(0, keys.end - 1).bit_length()


def describe_fact(fact: Fact) -> str:
    """One fact in words, without its place."""
    match fact:
        case PamtAllocated(kilobytes, _):
            return f"{kilobytes} KB allocated for PAMT"
        case AreasExhausted(tdmr, _):
            return f"TDMR {tdmr}: reserved areas exhausted"
        case TdmrsExhausted():
            return "TDMRs exhausted"
        case InitFailed(ret, _):
            return f"module initialization failed ({ret})"
        case Initialized():
            return "module initialized"
        case SeamcallFailed(leaf, status, _):
            return f"SEAMCALL {leaf:#x} failed: {status:#018x}"
        case KeyIds(start, end, _):
            return f"private KeyID range [{start}, {end})"
        case ModuleVersion(text, _):
            return f"TDX module {text}"
        case KernelVersion(text, _):
            return f"kernel {text}"


def outcomes(facts: Sequence[Fact]) -> list[Fact]:
    """Those that tell how the start-up went."""
    kinds = (PamtAllocated, AreasExhausted, TdmrsExhausted, InitFailed, Initialized, SeamcallFailed)
    return [fact for fact in facts if isinstance(fact, kinds)]
