"""The assumptions a scope makes about its maps: each one named, worded and switchable."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ASSUMPTIONS", "DEFAULT", "ScopeAssumption"]


class ScopeAssumption(NamedTuple):
    """One assumption: what is said when it is made, and when it is not."""

    name: str
    made: str
    dropped: str


ASSUMPTIONS: dict[str, ScopeAssumption] = {
    a.name: a
    for a in (
        ScopeAssumption(
            "convertible",
            "every page of memory lies inside a CMR run",
            "CMRs are any list that TDH.SYS.INIT accepts",
        ),
        ScopeAssumption(
            "free-is-memory",
            "all memory is free (start at boot, before anything is taken)",
            "the free runs are any disjoint parts of memory (start at run time)",
        ),
        ScopeAssumption(
            "apart",
            "neighbouring memory ranges, or free runs, of one node do not touch (memblock merges"
            " those, unless their flags differ)",
            "memory ranges of one node may touch (free runs given as such still do not)",
        ),
        ScopeAssumption(
            "above-1m",
            "no memory below 1 MiB (that is dropped before anything else)",
            "memory may start at any page from 0 on",
        ),
        ScopeAssumption(
            "no-null-cmr", "no CMR entry is null", "any CMR entry may be null (size 0)"
        ),
        ScopeAssumption(
            "equal-distances",
            "any two nodes are 20 apart (10 to itself), and fall back in the kernel's order",
            "every two nodes are any of the distances given apart, alike in both directions (10 to"
            " itself), and fall back in the kernel's order for these",
        ),
        ScopeAssumption(
            "whole-gib",
            "memory ranges begin and end on GiB borders",
            "memory ranges begin and end on any 4 KiB page",
        ),
    )
}

DEFAULT = frozenset(ASSUMPTIONS) - {"whole-gib"}
