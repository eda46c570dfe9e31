"""Text of a log into the few lines that matter, free of what stands in front of them.

A line is found by a *token* that it must hold (a plain substring search over the whole text, so a
log of millions of lines costs little), then stripped of its prefixes: time stamps, syslog and
journal heads, /dev/kmsg heads, quoting.  Carriage returns and terminal colours go first.

Line numbers are those of the text as given; a log of several boots is cut into one
:class:`Source` for each boot.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from pamt.maps.errors import InputProblem

__all__ = [
    "HEX",
    "MEM",
    "Line",
    "Place",
    "Source",
    "Span",
    "Unread",
    "half_open",
    "split_boots",
    "strip_prefix",
]

HEX = r"0x[0-9a-fA-F]{1,16}"
MEM = rf"\[mem ({HEX})-({HEX})\]"
"""Linux' way to print a range of memory, the last byte included."""

LONGEST = 4096
"""No line that we read is longer; of a longer one, only this much is looked at."""

_ANSI = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_PREFIXES = re.compile(
    r"""\s+
      | <\d{1,3}>                                         # syslog level
      | \d{1,3},\d{1,20},\d{1,20},[-\w]{1,8}(?:,[^;\s]{0,60})?;   # /dev/kmsg
      | \[(?!mem|gap)[^\[\]]{1,40}\](?=[\s\[<A-Za-z])      # time stamp, caller
      | [a-z]{2,9}[ ]*:[a-z]{2,7}[ ]*:                    # dmesg -x: facility, level
      | \d{1,9}:(?=[\[<]|\s*[A-Za-z])                     # grep -n
      | [>|](?=\s)                                        # quoted in a mail
    """,
    re.VERBOSE,
)
_JOURNAL = re.compile(r"\s{0,20}\S[^\n]{0,119}? kernel(?:\[\d{1,9}\])?:(?=\s)")
"""Head of a line by journalctl or of /var/log/kern.log."""

_BOOT = "Linux version "
_TABLE = "BIOS-e820: [mem 0x0000000000000000-"


class Place(NamedTuple):
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Line(NamedTuple):
    """A line without its prefixes, and where it stands."""

    place: Place
    text: str


class Span(NamedTuple):
    """Half-open range of bytes that a line names."""

    start: int
    end: int
    place: Place


class Unread(NamedTuple):
    """A line of a known kind that does not parse: cut short, or damaged.  Never guessed at."""

    place: Place
    kind: str
    """What it seems to be, as ``BIOS-e820``."""
    expected: str
    text: str

    @property
    def problem(self) -> InputProblem:
        shown = self.text if len(self.text) <= 100 else self.text[:97] + "..."
        return InputProblem(
            self.place.file,
            self.place.line,
            self.kind,
            self.expected,
            shown if shown.isprintable() else ascii(shown),
            "the line is cut short or damaged",
        )


def half_open(first: str, last: str) -> tuple[int, int] | None:
    """Two hex numbers, the last byte included, as ``(start, end)``; None if they are reversed."""
    start, end = int(first, 16), int(last, 16) + 1
    return (start, end) if start < end else None


def strip_prefix(text: str) -> str:
    """The message of a log line: no time stamp, no journal head, no blanks around it."""
    at = 0
    if text.find(" kernel", 0, 160) >= 0:
        head = _JOURNAL.match(text)
        at = head.end() if head else 0
    for _ in range(8):
        found = _PREFIXES.match(text, at, at + LONGEST)
        if found is None:
            break
        at = found.end()
    return text[at : at + LONGEST].strip()


class Source:
    """The text of one boot (or of one /proc file), searched by tokens."""

    def __init__(self, name: str, text: str, first_line: int = 1) -> None:
        self.name = name
        self.text = _ANSI.sub("", text) if "\x1b" in text else text
        self.first_line = first_line

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def _raw(self, index: int) -> str:
        start = self._starts[index]
        end = self.text.find("\n", start, start + LONGEST)
        return self.text[start : end if end >= 0 else start + LONGEST]

    def line(self, index: int) -> Line:
        """The line at `index`, counted from 0 within this source."""
        return Line(Place(self.name, self.first_line + index), strip_prefix(self._raw(index)))

    def lines(self, tokens: Iterable[str | re.Pattern[str]]) -> list[Line]:
        """Lines that hold one of `tokens`, in the order of the text."""
        return [self.line(index) for index in self.indices(tokens)]

    def indices(self, tokens: Iterable[str | re.Pattern[str]]) -> list[int]:
        """Indices of the lines that hold one of `tokens`: words, or patterns beginning with one."""
        found: set[int] = set()
        for token in tokens:
            at = self._next(token, 0)
            while at >= 0:
                index = bisect_right(self._starts, at) - 1
                found.add(index)
                if index + 1 == len(self._starts):
                    break
                at = self._next(token, self._starts[index + 1])
        return sorted(found)

    def _next(self, token: str | re.Pattern[str], start: int) -> int:
        if isinstance(token, str):
            return self.text.find(token, start)
        match = token.search(self.text, start)
        return match.start() if match else -1

    def starts_of(self, indices: Sequence[int]) -> list[int]:
        """Offsets in the text at which the lines begin."""
        return [self._starts[index] for index in indices]

    @property
    def count(self) -> int:
        return len(self._starts)


def split_boots(name: str, text: str) -> list[Source]:
    """One source for each boot in `text`.

    A boot begins at a "Linux version" line, or where the firmware's table is printed again.
    """
    whole = Source(name, text)
    cuts = [0]
    seen: set[str] = set()
    for index in whole.indices((_BOOT, _TABLE)):
        message = whole.line(index).text
        mark = next((m for m in (_BOOT, _TABLE) if message.startswith(m)), None)
        if mark is None:
            continue
        if mark in seen or (mark == _BOOT and seen):
            cuts.append(index)
            seen = set()
        seen.add(mark)
    if len(cuts) == 1:
        return [whole]
    starts = [*whole.starts_of(cuts), len(whole.text)]
    return [
        Source(name, whole.text[low:high], 1 + cut)
        for cut, low, high in zip(cuts, starts, starts[1:], strict=False)
    ]
