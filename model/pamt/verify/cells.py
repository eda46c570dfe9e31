"""In which GiB each memory range starts and ends: all choices, in order, made when asked for.

Ranges ascend, so the GiBs do: start of the first, end of the first, start of the second, and so on,
each at or above the one before (with whole GiBs: each start above the end before it).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from math import comb

__all__ = ["CellPairs", "Cells"]

CellPairs = tuple[tuple[int, int], ...]
"""For each range, the GiB of its first page and the GiB of its last page."""


@dataclass(frozen=True)
class Cells:
    """Choices for `ranges` memory ranges in the GiBs ``[first, end)``."""

    ranges: int
    first: int
    end: int
    whole: bool
    """Ranges begin and end on GiB borders: no two share a GiB."""

    def allows(self, pairs: CellPairs) -> bool:
        """Whether this is one of them."""
        low = self.first
        for start, last in pairs:
            if not low <= start <= last < self.end:
                return False
            low = last + 1 if self.whole else last
        return len(pairs) == self.ranges

    def count(self) -> int:
        """How many there are."""
        if self.end <= self.first:
            return 0 if self.ranges else 1
        if self.whole:
            # Borders b0 < b1 <= b2 < b3 ..., shifted so that they all differ.
            return comb(self.end - self.first + self.ranges, 2 * self.ranges)
        return comb(self.end - self.first + 2 * self.ranges - 1, 2 * self.ranges)

    def ascending(self, ends: Collection[int], span: int) -> Iterator[CellPairs]:
        """Those over exactly `span` GiBs in which ranges end in so many different GiBs, ascending.

        Every step is taken only where something follows, so the first one comes at once.
        """
        for start in range(self.first, self.end - span + 1):
            yield from self._from(start, start + span - 1, frozenset(ends))

    def _from(self, start: int, last: int, ends: frozenset[int]) -> Iterator[CellPairs]:
        """Those that start in one GiB and end in another."""

        @cache
        def possible(left: int, low: int, before: int, used: int) -> bool:
            """Whether `left` more ranges fit, given the GiB in which one ended last, if any."""
            if left == 0:
                return before == last and used in ends
            return any(True for _ in steps(left, low, before, used))

        def steps(left: int, low: int, before: int, used: int) -> Iterator[tuple[int, int, int]]:
            """The GiBs of the next range, and how many GiBs were ended in then."""
            if used > max(ends) or used + left < min(ends):
                return
            for a in range(low, last + 1):
                if left == self.ranges and a > start:
                    return
                for b in range(a, last + 1):
                    now = used + (b != before)
                    if possible(left - 1, b + 1 if self.whole else b, b, now):
                        yield a, b, now

        def walk(left: int, low: int, before: int, used: int) -> Iterator[CellPairs]:
            if left == 0:
                yield ()
                return
            for a, b, now in steps(left, low, before, used):
                for rest in walk(left - 1, b + 1 if self.whole else b, b, now):
                    yield ((a, b), *rest)

        if possible(self.ranges, start, -1, 0):
            yield from walk(self.ranges, start, -1, 0)
