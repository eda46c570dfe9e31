"""What messages list."""

from __future__ import annotations

from pamt.certificate.fault import Wrong, listed, told


def test_lists_are_told_or_said_to_be_empty() -> None:
    assert listed([3, "4k"]) == "3, 4k"
    assert listed([]) == "none"
    assert told({"areas": 3, "tdmrs": 0}) == "areas 3, tdmrs 0"
    assert told({}) == "no limit at all"


def test_what_was_found_is_text() -> None:
    assert Wrong("a sum", "at least 3", 2).fault == ("a sum", "at least 3", "2")
