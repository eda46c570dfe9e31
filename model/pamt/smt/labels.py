"""What an assertion speaks about: a rule and an object, as data that sentences are made from.

Source of the rules: docs/design.md, section 5.
"""

from __future__ import annotations

from typing import NamedTuple

from pamt.ranges import Range

__all__ = ["Assertion", "Group"]

from pamt.smt.terms import Formula


class Group(NamedTuple):
    """A rule applied to one object: the granularity at which causes are reported.

    ==============  ================================================================
    rule            object
    ==============  ================================================================
    definition      none: gives a variable its meaning, never a cause
    contiguity      TDMR `tdmr`: each of its PAMT pieces lies in one free run
    cmr             TDMR `tdmr`: each of its PAMT regions lies in one CMR run
    disjoint        TDMRs `tdmr` <= `other`: their PAMT regions don't overlap
    hole            TDMR `tdmr`: the hole `where` takes an area
    limit           TDMR `tdmr`: areas are at most the module's limit
    tdmr-limit      none: TDMRs are at most the module's limit
    withdrawn       withdrawn run number `tdmr`: where it may lie, and that PAMTs keep off it
    symmetry        TDMRs `tdmr` < `other`, alike: ordered by base; a choice, never a cause
    ==============  ================================================================

    With free TDMRs, `tdmr` counts GiBs that hold memory: it means the TDMR that begins there.
    """

    rule: str
    tdmr: int | None = None
    other: int | None = None
    where: Range | None = None

    @property
    def name(self) -> str:
        """Short and unique, of letters that every solver reads: ``hole:0:3f000-40000``."""
        parts = [self.rule]
        parts += [str(n) for n in (self.tdmr, self.other) if n is not None]
        if self.where is not None:
            parts.append(f"{self.where.start:x}-{self.where.end:x}")
        return ":".join(parts)


DEFINITION = Group("definition")
SYMMETRY = "symmetry"


class Assertion(NamedTuple):
    """A formula that must hold, and the group it belongs to."""

    group: Group
    formula: Formula
