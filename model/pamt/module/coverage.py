"""Warnings beside the verdict: memory that a configuration leaves without use.

The module does not care whether TDMRs hold all memory, nor what a reserved area hides.

    memory    |==========|     |=================|     |=====|
    TDMR    |<------------------------------------>|
    areas            |rrrrrrrrr|        |rr|
    PAMT                                |PP|
    uncovered        |===|                             |=====|
    needless         |===|                                       (if convertible)

Everything is bytes, half open.  Source: docs/design.md, section 7 (check).
"""

from __future__ import annotations

from typing import NamedTuple

from pamt.configuration import Configuration
from pamt.machine import Machine
from pamt.module.call import handed_over
from pamt.module.words import cmr_runs
from pamt.ranges import MIB, Range, RangeSet

__all__ = ["NEEDLESSLY_RESERVED", "UNCOVERED", "CoverageWarning", "coverage_warnings"]

UNCOVERED = "uncovered"
NEEDLESSLY_RESERVED = "needlessly-reserved"


class CoverageWarning(NamedTuple):
    """A stretch of memory that guests cannot use.

    `kind` is ``uncovered`` (in no PAMT, and in no part of a TDMR that is left unreserved), or
    ``needlessly-reserved`` (usable and convertible, in no PAMT, but in this reserved area): the
    second says why for a part of the first.
    """

    kind: str
    range: Range
    tdmr: int | None = None
    """For a reserved area: index of its TDMR; else None."""
    area: int | None = None


def coverage_warnings(
    machine: Machine, configuration: Configuration
) -> tuple[CoverageWarning, ...]:
    """All warnings, by address: uncovered stretches first, then needlessly reserved ones.

    Memory below 1 MiB is left out: the kernel drops it.  TDMRs that the call does not count
    hold nothing.  Meant for configurations that the module
    accepts; for others it answers about the addresses as they stand.
    Raises ValueError when the machine's stand-ins are not filled in.
    """
    if machine.memory is None or machine.cmrs is None:
        raise ValueError("the machine's stand-ins have not been filled in")
    given = handed_over(configuration)
    memory = RangeSet((max(r.start, MIB), r.end) for r in machine.memory)
    tdmrs = RangeSet(tdmr.range for tdmr in given)
    pamts = RangeSet(pamt.range for tdmr in given for pamt in tdmr.pamts)
    areas = [
        (Range.sized(tdmr.base + area.offset, area.size).clip(tdmr.range), index, at)
        for index, tdmr in enumerate(given)
        for at, area in enumerate(tdmr.reserved)
    ]
    reserved = RangeSet(area for area, _, _ in areas)
    uncovered = memory - (tdmrs - reserved) - pamts
    wasted = uncovered & RangeSet(cmr_runs(machine.cmrs))
    found = [CoverageWarning(UNCOVERED, run) for run in uncovered]
    found += sorted(
        (
            CoverageWarning(NEEDLESSLY_RESERVED, run, index, at)
            for area, index, at in areas
            for run in wasted.within(area)
        ),
        key=lambda warning: warning.range,
    )
    return tuple(found)
