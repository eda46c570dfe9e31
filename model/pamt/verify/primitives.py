"""Functions that a symbolic run answers from knowledge instead of from their source.

Each entry says why the answer is the same.  Tests run both on the same values.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from pamt.kernel import construct, messages
from pamt.kernel.areas import sort_areas
from pamt.kernel.memlist import first_range_outside_cmrs
from pamt.outcome import Message
from pamt.ranges import Range, RangeSet
from pamt.verify.interp import GuardedList, Interpreter, Value

__all__ = ["PRIMITIVES", "AscendingRuns"]

Guard = Any


class AscendingRuns:
    """A set given by ascending, disjoint ranges: what a zone's span needs of RangeSet."""

    symbolic_methods = ("overlaps",)

    def __init__(self, items: list[tuple[Guard, Value]]) -> None:
        self.items = items

    @property
    def span(self) -> Range:
        """From the first start to the last end; ``[0, 0)`` for the empty set."""
        if not self.items:
            return Range(0, 0)
        return Range(self.items[0][1].start, self.items[-1][1].end)

    def overlaps(self, interpreter: Interpreter, live: Guard, window: Range) -> Guard:
        """Whether a range shares an integer with `window`, which must not be empty."""
        both = interpreter.domain.conjunction
        return interpreter.domain.disjunction(
            both(guard, both(r.start < window.end, window.start < r.end)) for guard, r in self.items
        )


def _range_set(interpreter: Interpreter, live: Guard, ranges: Value = ()) -> Value:
    pairs = interpreter.pairs(ranges)
    if not interpreter.merger.is_symbolic(tuple(v for _, v in pairs)):
        return RangeSet(value for _, value in pairs)
    return AscendingRuns(pairs)


def _skip_nothing(interpreter: Interpreter, live: Guard, *args: Value, **keywords: Value) -> int:
    """The callers skip ranges that the walk after it passes over anyway; 0 skips none."""
    return 0


def _outside(interpreter: Interpreter, live: Guard, listed: Value, cmrs: Value) -> Value:
    """The quick search answers what the plain one does."""
    return interpreter.apply(first_range_outside_cmrs, (listed, cmrs), {}, live, _NOWHERE)


def _sorted_areas(interpreter: Interpreter, live: Guard, areas: Value) -> Value:
    """Order is of no account here: whether areas are disjoint is asked of every pair."""
    return (areas, 0)


def _text(interpreter: Interpreter, live: Guard, *args: Value, **keywords: Value) -> Message:
    """What is printed decides nothing."""
    return Message("I", "(not composed in a symbolic run)")


_NOWHERE: Any = None

PRIMITIVES: Mapping[Value, Callable[..., Value]] = {
    RangeSet: _range_set,
    bisect_left: _skip_nothing,
    sort_areas: _sorted_areas,
    getattr(construct, "_first_outside", first_range_outside_cmrs): _outside,
    **{
        value: _text
        for value in vars(messages).values()
        if callable(value) and getattr(value, "__module__", "") == messages.__name__
    },
}
"""For :class:`pamt.verify.interp.Interpreter`."""


def plain_items(value: Value) -> list[tuple[Guard, Value]]:
    """The items of a list of any kind with their guards."""
    if isinstance(value, GuardedList):
        return list(value.items)
    return [(True, item) for item in value or ()]
