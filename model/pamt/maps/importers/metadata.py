"""Head lines of a log kept in a collection: ``#source_url: "https://..."``."""

from __future__ import annotations

import json
import re

from pamt.maps.importers.lines import Source

__all__ = ["read_metadata"]

MOST = 100
_HEAD = re.compile(r"#(\w{1,40}):\s*(.*)")


def read_metadata(source: Source) -> dict[str, str]:
    """Key to text of the lines at the top that have this form.

    A JSON string is decoded; anything else is kept as it is.
    """
    found: dict[str, str] = {}
    for index in range(min(source.count, MOST)):
        head = _HEAD.fullmatch(source.line(index).text)
        if head is None:
            break
        try:
            value = json.loads(head[2])
        except (ValueError, RecursionError):
            value = head[2]
        text = value if isinstance(value, str) else head[2]
        if text.isprintable():
            found.setdefault(head[1], text)
    return found
