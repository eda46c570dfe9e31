"""Values that only a guarded run has: lists whose items may be absent, and choices of values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["MISSING", "Choice", "GuardedList", "Value", "guarded"]

Value = Any
Guard = Any


class _Missing:
    """The value of a variable on the paths that never assigned it."""

    def __repr__(self) -> str:
        return "(not assigned)"


MISSING = _Missing()


class GuardedList:
    """A list in which item i is present where its guard holds.  Never compacted.

    Guards are absolute: an item added on some path carries the whole condition of that path, so a
    list needs no merging where paths meet.
    """

    __slots__ = ("frozen", "items")

    def __init__(self, items: Iterable[tuple[Guard, Value]] = ()) -> None:
        self.items: list[tuple[Guard, Value]] = [item for item in items if item[0] is not False]
        self.frozen = False
        """Merged into another list: adding to it would be lost there."""

    @property
    def is_plain(self) -> bool:
        """Whether every item is certainly present."""
        return all(guard is True for guard, _ in self.items)

    def plain(self) -> list[Value]:
        """The items of a plain list."""
        return [value for _, value in self.items]

    def __iter__(self) -> Iterator[tuple[Guard, Value]]:
        return iter(self.items)

    def __repr__(self) -> str:
        return f"GuardedList({self.items!r})"


class Choice:
    """One of several values that cannot be merged into one term: (guard, value) pairs.

    The guards are disjoint and, on the paths on which the value exists, one of them holds.
    """

    __slots__ = ("alternatives",)

    def __init__(self, alternatives: tuple[tuple[Guard, Value], ...]) -> None:
        self.alternatives = alternatives

    def __repr__(self) -> str:
        return f"Choice({self.alternatives!r})"


def guarded(items: Iterable[Value]) -> GuardedList:
    """A list whose items are all present."""
    return GuardedList((True, item) for item in items)
