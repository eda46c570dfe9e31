"""What an allocator policy answers: a configuration, or a failure, with the trace of pages taken.

Shapes follow what a kernel log and the recorded vectors show, so that `pamt simulate` can print a
policy's answer to the letter.  Bytes throughout, ranges half open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pamt.configuration import Area, Configuration, Pamt, Tdmr
from pamt.ranges import KIB, Range

__all__ = [
    "EINVAL",
    "EIO",
    "ENOMEM",
    "ENOSPC",
    "SUCCESS",
    "Message",
    "Outcome",
    "PlannedTdmr",
    "Taken",
]

EIO = -5
ENOMEM = -12
EINVAL = -22
ENOSPC = -28

SUCCESS = "success"


class Message(NamedTuple):
    """One kernel log line without its time stamp; level is I (info), W (warning) or E (error)."""

    level: str
    text: str


class Taken(NamedTuple):
    """One event of the trace: pages taken from (or given back to) the free runs."""

    action: str
    """``"take"`` or ``"give back"``."""
    range: Range
    node: int
    zone: str
    tdmr: int
    """Index of the TDMR the pages were wanted for."""


class PlannedTdmr(NamedTuple):
    """A TDMR as far as the policy got with it; None for a step that was not reached."""

    base: int
    size: int
    home: int | None = None
    """Node that the policy asked for (the home node)."""
    pages: int | None = None
    """Pages of the three PAMTs together."""
    pamts: tuple[Pamt, Pamt, Pamt] | None = None
    """By level: 4K, 2M, 1G."""
    pamt_node: int | None = None
    pamt_zone: str | None = None
    reserved: tuple[Area, ...] | None = None

    @property
    def range(self) -> Range:
        return Range(self.base, self.base + self.size)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A policy's answer.

    `ret` is 0 or a negative errno; `reason` is ``success`` or the failure's name as in
    the recorded vectors (ENOSPC_tdmrs, ENOMEM_pamt, ENOSPC_reserved, EINVAL_memlist_not_in_cmr,
    EINVAL_unaligned_area), or a name of a user policy's own.  On failure `tdmrs` shows how far the
    policy got and `failed_tdmr` where it stopped; the PAMTs shown have been given back.
    """

    ret: int
    reason: str
    tdmrs: tuple[PlannedTdmr, ...] = ()
    failed_tdmr: int | None = None
    messages: tuple[Message, ...] = ()
    kernel_warnings: int = 0
    trace: tuple[Taken, ...] = ()
    dynamic_pamt: bool = False
    """The configuration is meant for TDH.SYS.CONFIG with dynamic PAMT switched on."""

    @property
    def succeeded(self) -> bool:
        return self.ret == 0

    @property
    def pamt_kb(self) -> int:
        """KiB of all PAMTs placed, as the kernel's "KB allocated for PAMT" line counts them."""
        return sum(p.size for t in self.tdmrs if t.pamts for p in t.pamts) // KIB

    def configuration(self) -> Configuration:
        """The TDMR_INFO array of a success.

        Raises ValueError on a failure.
        """
        if not self.succeeded:
            raise ValueError(f"a failed outcome ({self.reason}) has no configuration")
        made: list[Tdmr] = []
        for t in self.tdmrs:
            if t.pamts is None or t.reserved is None:
                raise ValueError("a success must place and reserve for every TDMR")
            made.append(Tdmr(t.base, t.size, *t.pamts, t.reserved))
        return Configuration(tuple(made))
