"""One unknown page address, followed through a concrete run: for which other addresses is it the
same run?

A :class:`Tracked` integer is ``a * p + c`` for the unknown `p`, together with the value that `p`
has in this run.  Sums and differences stay exact; every comparison is answered for this run's value
and notes for which `p` the answer is the same.  When the run is over, :class:`Window` holds the
interval of all `p` that take the very same path.  Going from interval to interval covers every page
of a map with a few runs, and misses none: that is what makes "no single page helps" a proof.
"""

from __future__ import annotations

from typing import Any

from pamt.ranges import PAGE

__all__ = ["Tracked", "Window"]


class Window:
    """The addresses of the unknown page that lead to the run at hand: `low` to `high`, inclusive.

    `value` is the address used in this run; all three are multiples of 4 KiB.
    """

    __slots__ = ("high", "low", "value")

    def __init__(self, value: int, low: int, high: int) -> None:
        self.value = value
        self.low = low
        self.high = high

    def page(self) -> Tracked:
        """The unknown itself."""
        return Tracked(self, 1, 0)

    def at_most(self, a: int, c: int) -> None:
        """Keep the addresses with ``a * p + c <= 0``; holds for `value`."""
        if a > 0:
            self.high = min(self.high, -c // a // PAGE * PAGE)
        elif a < 0:
            self.low = max(self.low, _ceil(c, -a))


def _ceil(c: int, a: int) -> int:
    """The smallest multiple of 4 KiB at or above ``c / a``, a > 0."""
    return -(-c // (a * PAGE)) * PAGE


class Tracked:
    """``a * p + c``.  Behaves like an integer; never equal to one by accident of hashing."""

    __slots__ = ("a", "c", "window")

    def __init__(self, window: Window, a: int, c: int) -> None:
        self.window = window
        self.a = a
        self.c = c

    @property
    def now(self) -> int:
        """The value in this run."""
        return self.a * self.window.value + self.c

    def _make(self, a: int, c: int) -> Any:
        return Tracked(self.window, a, c) if a else c

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Tracked):
            return self._make(self.a + other.a, self.c + other.c)
        return self._make(self.a, self.c + other)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return self._make(-self.a, -self.c)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, factor: int) -> Any:
        return self._make(self.a * factor, self.c * factor)

    __rmul__ = __mul__

    def __floordiv__(self, by: int) -> int:
        quotient = self.now // by
        # by * quotient <= a p + c <= by * quotient + by - 1
        self.window.at_most(-self.a, by * quotient - self.c)
        self.window.at_most(self.a, self.c - by * quotient - by + 1)
        return quotient

    def __mod__(self, by: int) -> Any:
        if self.a * PAGE % by == 0:
            return self.c % by
        return self - self // by * by

    def __and__(self, other: int) -> int:
        # Not linear in the page: this value only.
        return self.__index__() & other

    def __or__(self, other: Any) -> _Either:
        return _Either(self, other)

    __ror__ = __or__

    def _signs(self, other: Any) -> tuple[int, int, int]:
        difference = self - other
        if isinstance(difference, Tracked):
            return difference.a, difference.c, difference.now
        return 0, difference, difference

    def __lt__(self, other: Any) -> bool:
        a, c, now = self._signs(other)
        if now < 0:
            self.window.at_most(a, c + 1)
            return True
        self.window.at_most(-a, -c)
        return False

    def __le__(self, other: Any) -> bool:
        a, c, now = self._signs(other)
        if now <= 0:
            self.window.at_most(a, c)
            return True
        self.window.at_most(-a, -c + 1)
        return False

    def __gt__(self, other: Any) -> bool:
        return not self.__le__(other)

    def __ge__(self, other: Any) -> bool:
        return not self.__lt__(other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (int, Tracked)):
            return NotImplemented
        a, c, now = self._signs(other)
        if now == 0:
            self.window.at_most(a, c)
            self.window.at_most(-a, -c)
            return True
        if now < 0:
            self.window.at_most(a, c + 1)
        else:
            self.window.at_most(-a, -c + 1)
        return False

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __bool__(self) -> bool:
        return self != 0

    def __index__(self) -> int:
        """The value of this run; any other use of it could differ, so the window closes on it."""
        self.window.low = self.window.high = self.window.value
        return self.now

    __int__ = __index__

    def __hash__(self) -> int:
        return hash(self.__index__())

    def __repr__(self) -> str:
        return f"Tracked({self.a} * p + {self.c:#x})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        # Text never steers a run, so it need not close the window.
        return format(self.now, spec)


class _Either:
    """``x | y``, as far as rules use it: remainders by powers of two, and whether it is zero."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __mod__(self, by: int) -> _Either:
        if by & (by - 1):
            raise TypeError("the bits of a tracked address are known modulo powers of two only")
        return _Either(*(part % by for part in self.parts))

    def __bool__(self) -> bool:
        return any(part != 0 for part in self.parts)
