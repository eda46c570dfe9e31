"""Kernel logs, /proc and /sys files, and output of tools into a machine.

:func:`import_files` takes any mix of them.  One module reads one kind of lines; :mod:`combine` puts
together what they say, keeps where each range comes from, and reports what does not agree.
"""

from __future__ import annotations

from pamt.maps.importers.combine import WANTED, import_files
from pamt.maps.importers.imported import Claim, Conflict, Imported, ImportOptions, Note
from pamt.maps.importers.lines import Place, Unread

__all__ = [
    "WANTED",
    "Claim",
    "Conflict",
    "ImportOptions",
    "Imported",
    "Note",
    "Place",
    "Unread",
    "import_files",
]
