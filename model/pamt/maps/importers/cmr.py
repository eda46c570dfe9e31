"""CMRs as the patched kernels print them: ``virt/tdx: CMR: [0x100000, 0x77800000)``.

The order of the table is kept, null entries too.  Source: Linux TDX host patches, print_cmrs.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pamt.maps.importers.lines import HEX, Place, Source, Unread

__all__ = ["CmrLine", "CmrLog", "read_cmrs"]

TOKENS = ("CMR: [",)
_CMR = re.compile(rf"(?:virt/)?tdx: CMR: \[({HEX}), ({HEX})\)")
_STARTS = re.compile(r"(?:virt/)?tdx: CMR: \[")


class CmrLine(NamedTuple):
    start: int
    end: int
    place: Place


class CmrLog(NamedTuple):
    """The table, once for each time it is printed."""

    tables: tuple[tuple[CmrLine, ...], ...]
    unread: tuple[Unread, ...]


def read_cmrs(source: Source) -> CmrLog:
    tables: list[list[CmrLine]] = []
    unread: list[Unread] = []
    for line in source.lines(TOKENS):
        if not _STARTS.match(line.text):
            continue
        found = _CMR.fullmatch(line.text)
        if found is None or int(found[2], 16) < int(found[1], 16):
            unread.append(
                Unread(
                    line.place,
                    "CMR",
                    "a line like virt/tdx: CMR: [0x100000, 0x77800000)",
                    line.text,
                )
            )
            continue
        cmr = CmrLine(int(found[1], 16), int(found[2], 16), line.place)
        again = bool(tables) and cmr.start < cmr.end and cmr[:2] == tables[-1][0][:2]
        if again or not tables:
            tables.append([])
        tables[-1].append(cmr)
    return CmrLog(tuple(tuple(table) for table in tables), tuple(unread))
