"""The lines that Linux prints, so that they can be matched against a log to the letter.

The wording is that of v6.8.
"""

from __future__ import annotations

from pamt.outcome import Message
from pamt.ranges import PAGE, Range

PREFIX = "virt/tdx: "
TDMRS_LEFT_TO_WARN = 4


def _line(level: str, text: str) -> Message:
    return Message(level, PREFIX + text)


def not_convertible(outside: Range) -> Message:
    """Prints page numbers divided by the page size once more, as the posted patch does."""
    start, end = outside.start // PAGE // PAGE, outside.end // PAGE // PAGE
    return _line("E", f"memory region [{start:#x}, {end:#x}) is not TDX convertible memory.")


def tdmrs_exhausted() -> Message:
    return _line("W", "initialization failed: TDMRs exhausted.")


def tdmrs_reaching_limit(used: int, limit: int) -> Message:
    return _line("W", f"consumed TDMRs reaching limit: {used} used out of {limit}")


def no_local_node(tdmr: Range) -> Message:
    return _line(
        "W",
        f"TDMR {tdmr}: unable to find local NUMA node for PAMT allocation, fallback to use node 0.",
    )


def areas_exhausted(tdmr: Range) -> Message:
    return _line("W", f"initialization failed: TDMR {tdmr}: reserved areas exhausted.")


def dynamic_pamt() -> Message:
    return _line("I", "Enable Dynamic PAMT")


def allocated(kilobytes: int) -> Message:
    return _line("I", f"{kilobytes} KB allocated for PAMT")


def initialized() -> Message:
    return _line("I", "module initialized")


def initialization_failed(ret: int) -> Message:
    return _line("E", f"module initialization failed ({ret})")
