"""Numbers and tables as they are printed."""

from __future__ import annotations

import pytest

from pamt.ranges import GIB, KIB, MIB
from pamt.report.table import table
from pamt.report.words import count, errno_text, size_text, span_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (KIB, "1 KiB"),
        (776 * KIB, "776 KiB"),
        (MIB + 84 * KIB, "1.08 MiB"),
        (64 * GIB, "64 GiB"),
        (1024 * GIB, "1 TiB"),
        (1536 * GIB, "1.5 TiB"),
        (GIB - 4 * KIB, "1024 MiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_small_words() -> None:
    assert span_text(0, 0x80000000) == "[0x0, 0x80000000)"
    assert (count(1, "area"), count(17, "area")) == ("1 area", "17 areas")
    assert (errno_text(-28), errno_text(-99)) == ("-28 ENOSPC", "-99")


def test_a_table_is_aligned_and_has_no_trailing_blanks() -> None:
    assert table([["#", "name"], ["10", "x"]], right=(0,)) == ["   #  name", "  10  x"]
    assert table([]) == []
