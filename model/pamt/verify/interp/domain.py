"""What the interpreter asks of symbolic values.

Integers bring their own operators; a domain combines truth values and merges.  Truth values handed
around here are plain bools or the domain's own; whatever is decided comes back plain.
:class:`pamt.smt.symbolic.Symbols` is the solver's domain; :class:`Concrete` has no symbols at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

__all__ = ["Concrete", "Domain", "Guard"]

Guard = Any


class Domain(Protocol):
    """Operations on guards, and the merging of integers and guards."""

    @property
    def integer_type(self) -> type:
        """The class of symbolic integers."""

    @property
    def guard_type(self) -> type:
        """The class of symbolic truth values."""

    def conjunction(self, a: Guard, b: Guard) -> Guard:
        """``a and b``."""

    def disjunction(self, guards: Iterable[Guard]) -> Guard:
        """Whether any holds."""

    def negation(self, a: Guard) -> Guard:
        """``not a``."""

    def narrowing(self, inner: Guard, outer: Guard) -> Guard:
        """A guard g with ``outer and g`` the same as ``inner``, where `inner` implies `outer`."""

    def disjoint(self, a: Guard, b: Guard) -> bool:
        """Whether `a` and `b` are known never to hold together; False when in doubt."""

    def implies(self, a: Guard, b: Guard) -> bool:
        """Whether `a` is known to imply `b`; False when in doubt."""

    def choose(self, guard: Guard, a: Any, b: Any) -> Any:
        """Integer `a` where `guard` holds, else `b`."""

    def extreme_of(self, largest: bool, a: Any, b: Any) -> Any:
        """The larger of two integers, or the smaller."""

    def choose_guard(self, guard: Guard, a: Guard, b: Guard) -> Guard:
        """Truth value `a` where `guard` holds, else `b`."""

    def counter(self, value: Any, guard: Guard, step: int) -> Any:
        """`value` plus `step` where `guard` holds."""


class _Nothing:
    """A type without values."""


class Concrete:
    """Plain values only: every guard is a bool."""

    integer_type: type = _Nothing
    guard_type: type = _Nothing

    def conjunction(self, a: Guard, b: Guard) -> Guard:
        return a and b

    def disjunction(self, guards: Iterable[Guard]) -> Guard:
        return any(guards)

    def negation(self, a: Guard) -> Guard:
        return not a

    def narrowing(self, inner: Guard, outer: Guard) -> Guard:
        return inner

    def disjoint(self, a: Guard, b: Guard) -> bool:
        return not (a and b)

    def implies(self, a: Guard, b: Guard) -> bool:
        return bool(b or not a)

    def choose(self, guard: Guard, a: Any, b: Any) -> Any:
        return a if guard else b

    def extreme_of(self, largest: bool, a: Any, b: Any) -> Any:
        return max(a, b) if largest else min(a, b)

    def choose_guard(self, guard: Guard, a: Guard, b: Guard) -> Guard:
        return a if guard else b

    def counter(self, value: Any, guard: Guard, step: int) -> Any:
        return value + step if guard else value
