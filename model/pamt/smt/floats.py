"""Withdrawn pages whose exact place is left to the solver.

A *float* is a run of `length` pages given up somewhere in `[low, high]` (page numbers of its first
page), strictly inside one memory range and one GiB, so that layout, homes and the number of holes
are the same wherever it lies.  PAMTs keep off it.

Source: docs/design.md, section 5 (``--give-up``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pamt.smt.labels import Assertion, Group
from pamt.smt.pieces import Slot
from pamt.smt.terms import Int, Sum, implies, some

__all__ = ["Float", "keep_off"]


class Float(NamedTuple):
    """A run of pages to give up; see the module.  All in pages."""

    number: int
    low: int
    high: int
    length: int
    cell: int
    """Floats of one cell (a memory range within a GiB) ascend and do not touch."""

    @property
    def name(self) -> str:
        return f"gone:{self.number}"

    @property
    def base(self) -> Sum:
        return Int(self.name)

    @property
    def end(self) -> Sum:
        return self.base + self.length


def keep_off(floats: Sequence[Float], slots: Sequence[Slot]) -> list[Assertion]:
    """Floats lie in their windows, apart from each other, and no PAMT part holds a page of one."""
    made: list[Assertion] = []
    for gone in floats:
        group = Group("withdrawn", gone.number)
        made.append(Assertion(group, gone.base.at_least(gone.low)))
        made.append(Assertion(group, gone.base.at_most(gone.high)))
        for part in (part for slot in slots for part in slot.parts):
            apart = some((part.end.at_most(gone.base), gone.end.at_most(part.base)))
            made.append(Assertion(group, implies(part.live, apart)))
    for a, b in pairwise(floats):
        if a.cell == b.cell:
            made.append(Assertion(Group("withdrawn", b.number), (a.end + 1).at_most(b.base)))
    return made
