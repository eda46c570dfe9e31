"""System RAM by /proc/iomem.

The kernel shows addresses to root only; others read zeros, which is an error here and no map.
iomem follows the e820 table as it stands *after* late reservations of firmware data, so a page that
memblock keeps as memory may be missing here; where a boot log is there too, the log decides.
RAM that a driver added later ("System RAM (kmem)") is memory as well.
Source: Linux v6.8 arch/x86/kernel/e820.c, e820__reserve_resources; kernel/resource.c.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pamt.maps.importers.lines import Place, Source, Span, Unread
from pamt.ranges import PAGE, align_down, align_up

__all__ = ["IomemLog", "read_iomem"]

TOKENS = (" : System RAM",)
_LINE = re.compile(r"([0-9a-f]{8,16})-([0-9a-f]{8,16}) : (System RAM(?: \([^)]*\))?)")
_STARTS = re.compile(r"[0-9a-f]+-[0-9a-f]+ : System RAM")


def _whole_pages(ram: list[Span]) -> tuple[Span, ...]:
    """Ascending; what touches is joined first, since data of the boot loader ends inside a page."""
    joined: list[Span] = []
    for span in sorted(ram):
        if joined and span.start <= joined[-1].end:
            joined[-1] = joined[-1]._replace(end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    pages = [s._replace(start=align_up(s.start, PAGE), end=align_down(s.end, PAGE)) for s in joined]
    return tuple(s for s in pages if s.start < s.end)


class IomemLog(NamedTuple):
    ram: tuple[Span, ...]
    """Whole pages, ascending."""
    hidden: Place | None
    """First line whose addresses are zeros."""
    added: tuple[Place, ...]
    """Lines of RAM that a driver added."""
    unread: tuple[Unread, ...]


def read_iomem(source: Source) -> IomemLog:
    ram: list[Span] = []
    hidden: Place | None = None
    added: list[Place] = []
    unread: list[Unread] = []
    for line in source.lines(TOKENS):
        found = _LINE.fullmatch(line.text)
        if found is None:
            if _STARTS.match(line.text):
                unread.append(
                    Unread(
                        line.place, "iomem", "a line like 00100000-5d168fff : System RAM", line.text
                    )
                )
            continue
        start, end = int(found[1], 16), int(found[2], 16) + 1
        if end == 1:
            hidden = hidden or line.place
            continue
        if end <= start:
            unread.append(
                Unread(line.place, "iomem", "a range that ends after it starts", line.text)
            )
            continue
        ram.append(Span(start, end, line.place))
        if "(" in found[3]:
            added.append(line.place)
    return IomemLog(_whole_pages(ram), hidden, tuple(added), tuple(unread))
