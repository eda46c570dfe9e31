"""Pages of which only a region is known so far.

A region is a tuple of ranges: ascending, disjoint, page aligned, none empty.  An :class:`Unknown`
page lies somewhere in its region; a run that depends on where makes the region smaller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pamt.ranges import PAGE, Range

__all__ = ["Region", "Unknown", "clip", "drop", "drop_all", "inside", "meets"]

Region = tuple[Range, ...]


class Unknown(NamedTuple):
    """One page to withdraw.

    `quiet`: it stands right above another withdrawn page and so cuts nothing by itself.
    """

    where: Region
    quiet: bool = False


def clip(region: Region, low: int, high: int) -> Region:
    """The part of `region` in ``[low, high)``."""
    return tuple(
        Range(max(r.start, low), min(r.end, high)) for r in region if r.start < high and low < r.end
    )


def drop(region: Region, low: int, high: int) -> Region:
    """The part of `region` outside ``[low, high)``."""
    if not meets(region, low, high):
        return region
    left: list[Range] = []
    for r in region:
        if r.end <= low or high <= r.start:
            left.append(r)
            continue
        if r.start < low:
            left.append(Range(r.start, low))
        if high < r.end:
            left.append(Range(high, r.end))
    return tuple(left)


def drop_all(region: Region, parts: Iterable[Range]) -> Region:
    """The part of `region` outside all of `parts`."""
    for part in parts:
        if not region:
            break
        region = drop(region, part.start, part.end)
    return region


def meets(region: Region, low: int, high: int) -> bool:
    """Whether `region` holds an address of ``[low, high)``."""
    return any(r.start < high and low < r.end for r in region)


def inside(region: Region, low: int, high: int) -> bool:
    """Whether all of `region` lies in ``[low, high)``."""
    return low <= region[0].start and region[-1].end <= high


def holds_page(region: Region, at: int) -> bool:
    """Whether `region` holds the page at `at`."""
    return meets(region, at, at + PAGE)
