"""Exact integer interval algebra: the vocabulary of everything else.

A :class:`Range` is half open, ``[start, end)``, in bytes unless a caller says otherwise.  A
:class:`RangeSet` is a set of integers kept as its maximal runs: sorted, disjoint, never touching,
never empty.  Two sets are equal exactly when they hold the same integers, so the representation is
canonical and can be compared, hashed and printed.

Nothing here rounds, wraps or looks at a clock: integers are Python's own, of any size.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = [
    "GIB",
    "KIB",
    "MIB",
    "PAGE",
    "Range",
    "RangeSet",
    "align_down",
    "align_up",
    "is_aligned",
]

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
PAGE = 4 * KIB


def align_down(value: int, alignment: int) -> int:
    """The largest multiple of `alignment` (> 0) that is not above `value`."""
    return value // alignment * alignment


def align_up(value: int, alignment: int) -> int:
    """The smallest multiple of `alignment` (> 0) that is not below `value`."""
    return -(-value // alignment) * alignment


def is_aligned(value: int, alignment: int) -> bool:
    """Whether `value` is a multiple of `alignment` (> 0)."""
    return value % alignment == 0


class Range(NamedTuple):
    """Half-open interval ``[start, end)`` of integers; empty when ``end <= start``.

    A plain named tuple: it sorts by start, unpacks, and costs no more than a pair.
    """

    start: int
    end: int

    @classmethod
    def sized(cls, base: int, size: int) -> Range:
        """``[base, base + size)``: Intel's base-and-size form."""
        return cls(base, base + size)

    @property
    def size(self) -> int:
        """Number of integers inside; 0 when empty."""
        return max(0, self.end - self.start)

    @property
    def is_empty(self) -> bool:
        return self.end <= self.start

    def covers(self, value: int) -> bool:
        """Whether the integer `value` lies inside."""
        return self.start <= value < self.end

    def contains(self, other: Range) -> bool:
        """Whether every integer of `other` lies inside (an empty `other` always does)."""
        return other.is_empty or (self.start <= other.start and other.end <= self.end)

    def overlaps(self, other: Range) -> bool:
        """Whether the two share an integer; ranges that only touch do not."""
        return max(self.start, other.start) < min(self.end, other.end)

    def touches(self, other: Range) -> bool:
        """Whether one (not empty) ends exactly where the other (not empty) begins."""
        if self.is_empty or other.is_empty:
            return False
        return self.end == other.start or other.end == self.start

    def clip(self, window: Range) -> Range:
        """The part inside `window`; the empty range ``[0, 0)`` if there is none."""
        start = max(self.start, window.start)
        end = min(self.end, window.end)
        return Range(start, end) if start < end else Range(0, 0)

    def shift(self, offset: int) -> Range:
        """The same range moved up by `offset`."""
        return Range(self.start + offset, self.end + offset)

    def align_inward(self, alignment: int) -> Range:
        """The largest aligned range inside; may be empty."""
        return Range(align_up(self.start, alignment), align_down(self.end, alignment))

    def align_outward(self, alignment: int) -> Range:
        """The smallest aligned range around a range that is not empty."""
        return Range(align_down(self.start, alignment), align_up(self.end, alignment))

    def is_aligned(self, alignment: int) -> bool:
        return is_aligned(self.start, alignment) and is_aligned(self.end, alignment)

    def __str__(self) -> str:
        return f"[{self.start:#x}, {self.end:#x})"


class RangeSet:
    """An immutable set of integers, kept as its maximal runs in ascending order.

    Operators: ``|`` union, ``&`` intersection, ``-`` difference, ``^`` symmetric difference,
    ``<=`` subset, ``in`` for an integer or a whole :class:`Range`.  Every operator is linear in
    the number of runs; membership is logarithmic.
    """

    __slots__ = ("_runs",)
    _runs: tuple[Range, ...]

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        runs: list[Range] = []
        for start, end in sorted(ranges):
            if end <= start:
                continue
            if runs and start <= runs[-1].end:
                if end > runs[-1].end:
                    runs[-1] = Range(runs[-1].start, end)
            else:
                runs.append(Range(start, end))
        object.__setattr__(self, "_runs", tuple(runs))

    @classmethod
    def _from_runs(cls, runs: Iterable[Range]) -> RangeSet:
        """Trusted constructor: `runs` is already canonical."""
        made = cls.__new__(cls)
        object.__setattr__(made, "_runs", tuple(runs))
        return made

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("RangeSet is immutable")

    def __reduce__(self) -> tuple[type[RangeSet], tuple[tuple[Range, ...]]]:
        return (RangeSet, (self._runs,))

    @property
    def runs(self) -> tuple[Range, ...]:
        """The maximal runs: ascending, disjoint, not touching, none empty."""
        return self._runs

    @property
    def is_empty(self) -> bool:
        return not self._runs

    @property
    def size(self) -> int:
        """Number of integers in the set."""
        return sum(run.end - run.start for run in self._runs)

    @property
    def span(self) -> Range:
        """The smallest range around the whole set; ``[0, 0)`` for the empty set."""
        if not self._runs:
            return Range(0, 0)
        return Range(self._runs[0].start, self._runs[-1].end)

    def run_at(self, value: int) -> Range | None:
        """The maximal run that holds the integer `value`, or None."""
        at = bisect_right(self._runs, (value, float("inf"))) - 1
        if at >= 0 and value < self._runs[at].end:
            return self._runs[at]
        return None

    def run_containing(self, wanted: Range) -> Range | None:
        """The one run that contains all of `wanted` (not empty), or None."""
        run = self.run_at(wanted.start)
        return run if run is not None and wanted.end <= run.end else None

    def __contains__(self, item: object) -> bool:
        if isinstance(item, Range):
            return item.is_empty or self.run_containing(item) is not None
        return isinstance(item, int) and self.run_at(item) is not None

    def overlaps(self, window: Range) -> bool:
        """Whether the set shares an integer with `window`."""
        return not window.is_empty and bool(self._overlapping(window))

    def _overlapping(self, window: Range) -> tuple[Range, ...]:
        low = bisect_right(self._runs, (window.start, float("inf"))) - 1
        if low < 0 or self._runs[low].end <= window.start:
            low += 1
        high = bisect_right(self._runs, (window.end, float("-inf")))
        return self._runs[low:high]

    def within(self, window: Range) -> RangeSet:
        """The part of the set inside `window`."""
        if window.is_empty:
            return RangeSet()
        return RangeSet._from_runs(run.clip(window) for run in self._overlapping(window))

    def complement(self, window: Range) -> RangeSet:
        """What `window` holds and the set does not: head, gaps and tail."""
        found: list[Range] = []
        at = window.start
        for run in self._overlapping(window) if not window.is_empty else ():
            if run.start > at:
                found.append(Range(at, run.start))
            at = run.end
        if at < window.end:
            found.append(Range(at, window.end))
        return RangeSet._from_runs(found)

    def gaps(self) -> RangeSet:
        """What lies between the runs."""
        return self.complement(self.span)

    def __or__(self, other: RangeSet) -> RangeSet:
        return RangeSet((*self._runs, *other._runs))

    def __and__(self, other: RangeSet) -> RangeSet:
        found: list[Range] = []
        mine, theirs = self._runs, other._runs
        i = j = 0
        while i < len(mine) and j < len(theirs):
            start = max(mine[i].start, theirs[j].start)
            end = min(mine[i].end, theirs[j].end)
            if start < end:
                found.append(Range(start, end))
            if mine[i].end <= theirs[j].end:
                i += 1
            else:
                j += 1
        return RangeSet._from_runs(found)

    def __sub__(self, other: RangeSet) -> RangeSet:
        mine, theirs = self._runs, other._runs
        if not mine or not theirs or theirs[-1].end <= mine[0].start:
            return self
        if mine[-1].end <= theirs[0].start:
            return self
        return self & other.complement(self.span)

    def __xor__(self, other: RangeSet) -> RangeSet:
        return (self - other) | (other - self)

    def __le__(self, other: RangeSet) -> bool:
        return all(other.run_containing(run) is not None for run in self._runs)

    def isdisjoint(self, other: RangeSet) -> bool:
        return (self & other).is_empty

    def shift(self, offset: int) -> RangeSet:
        return RangeSet._from_runs(run.shift(offset) for run in self._runs)

    def align_inward(self, alignment: int) -> RangeSet:
        """Every run cut to the largest aligned part (runs that vanish are dropped)."""
        if not any(start % alignment or end % alignment for start, end in self._runs):
            return self
        return RangeSet(run.align_inward(alignment) for run in self._runs)

    def align_outward(self, alignment: int) -> RangeSet:
        """Every run widened to the alignment; runs that then meet become one."""
        return RangeSet(run.align_outward(alignment) for run in self._runs)

    def __iter__(self) -> Iterator[Range]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def __bool__(self) -> bool:
        return bool(self._runs)

    def __eq__(self, other: object) -> bool:
        return self._runs == other._runs if isinstance(other, RangeSet) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._runs)

    def __repr__(self) -> str:
        return f"RangeSet({[(run.start, run.end) for run in self._runs]!r})"

    def __str__(self) -> str:
        return " ".join(str(run) for run in self._runs) or "(empty)"
