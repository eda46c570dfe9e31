"""Byte counts and page counts as explanations and repairs print them."""

from __future__ import annotations

from pamt.ranges import GIB, KIB, MIB, PAGE

__all__ = ["pages_text", "size_text"]


def size_text(size: int) -> str:
    """A byte count in the largest unit that keeps it a short number: ``4 KiB``, ``7.9 GiB``."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            whole, part = divmod(size * 10 // unit, 10)
            return f"{whole} {name}" if size % unit == 0 else f"{whole}.{part} {name}"
    return f"{size} bytes"


def pages_text(number: int) -> str:
    """``2 pages (8 KiB)``."""
    noun = "page" if number == 1 else "pages"
    return f"{number:,} {noun} ({size_text(number * PAGE)})"
