"""Numbers in the form that all text here uses: addresses in hex, sizes as KiB, MiB, GiB."""

from __future__ import annotations

from pamt.ranges import GIB, KIB, MIB

__all__ = ["ERRNO_NAMES", "count", "errno_text", "one_line", "size_text", "span_text"]

ERRNO_NAMES = {-5: "EIO", -12: "ENOMEM", -22: "EINVAL", -28: "ENOSPC"}

TIB = 1 << 40


def size_text(size: int) -> str:
    """Bytes in the largest unit that keeps the number short: ``776 KiB``, ``1.45 GiB``."""
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(size) >= unit:
            whole, rest = divmod(size, unit)
            if not rest:
                return f"{whole} {name}"
            return f"{size / unit:.2f}".rstrip("0").rstrip(".") + f" {name}"
    return f"{size} B"


def span_text(start: int, end: int) -> str:
    """A range as ``[0x0, 0x80000000)``."""
    return f"[{start:#x}, {end:#x})"


def count(number: int, thing: str, plural: str = "") -> str:
    """``1 area``, ``17 areas``."""
    return f"{number} {thing}" if number == 1 else f"{number} {plural or thing + 's'}"


def one_line(text: str) -> str:
    """`text` as it may be shown on one line of a terminal.

    Names and remarks come from files, which nobody vouches for: what is not printable (line breaks,
    escape sequences, marks that turn the direction of writing) is spelled as in a Python string.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def errno_text(ret: int) -> str:
    """``-28 ENOSPC``."""
    name = ERRNO_NAMES.get(ret, "")
    return f"{ret} {name}".rstrip()
