"""Merging the values of two paths that meet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from pamt.verify.interp.domain import Domain, Guard
from pamt.verify.interp.values import MISSING, Choice, GuardedList, Value

__all__ = ["Merger"]


class Merger:
    """Merges for one domain.  `refuse` is called with what and what to write instead."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def is_guard(self, value: Value) -> bool:
        return isinstance(value, bool | self.domain.guard_type)

    def is_integer(self, value: Value) -> bool:
        return isinstance(value, int | self.domain.integer_type) and not isinstance(value, bool)

    def is_symbolic(self, value: Value, depth: int = 0) -> bool:
        """Whether a symbol, an absent item or a choice hides anywhere inside."""
        kinds = (self.domain.integer_type, self.domain.guard_type, Choice, GuardedList)
        if isinstance(value, kinds):
            return True
        if depth > 6:
            return False
        if isinstance(value, tuple | list):
            return any(self.is_symbolic(item, depth + 1) for item in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return any(
                self.is_symbolic(getattr(value, f.name), depth + 1)
                for f in dataclasses.fields(value)
            )
        return hasattr(type(value), "symbolic_methods")

    def merge(self, guard: Guard, a: Value, b: Value) -> Value:
        """`a` where `guard` holds, else `b`."""
        if a is b or guard is True:
            return a
        if guard is False:
            return b
        if a is MISSING or b is MISSING:
            return self._choice(guard, a, b)
        if self.is_guard(a) and self.is_guard(b):
            return self.domain.choose_guard(guard, a, b)
        if self.is_integer(a) and self.is_integer(b):
            return self.domain.choose(guard, a, b)
        if isinstance(a, GuardedList) and isinstance(b, GuardedList):
            return self._lists(guard, a, b)
        if type(a) is type(b):
            if isinstance(a, tuple):
                if hasattr(a, "_fields"):
                    return type(a)(*(self.merge(guard, x, y) for x, y in zip(a, b, strict=True)))
                if len(a) == len(b):
                    return tuple(self.merge(guard, x, y) for x, y in zip(a, b, strict=True))
            elif dataclasses.is_dataclass(a) and not isinstance(a, type):
                return self._records(guard, a, b)
            elif isinstance(a, str) and a == b:
                return a
        if isinstance(a, tuple | GuardedList) and isinstance(b, tuple | GuardedList):
            return self._lists(guard, self.as_list(a), self.as_list(b))
        return self._choice(guard, a, b)

    def as_list(self, value: Value) -> GuardedList:
        if isinstance(value, GuardedList):
            return value
        return GuardedList((True, item) for item in value)

    def _lists(self, guard: Guard, a: GuardedList, b: GuardedList) -> GuardedList:
        a.frozen = b.frozen = True
        conjunction, other = self.domain.conjunction, self.domain.negation(guard)
        return GuardedList(
            [(conjunction(guard, g), v) for g, v in a] + [(conjunction(other, g), v) for g, v in b]
        )

    def _records(self, guard: Guard, a: Any, b: Any) -> Any:
        changed = {
            f.name: self.merge(guard, getattr(a, f.name), getattr(b, f.name))
            for f in dataclasses.fields(a)
        }
        return dataclasses.replace(a, **changed)

    def _choice(self, guard: Guard, a: Value, b: Value) -> Value:
        other = self.domain.negation(guard)
        arms: list[tuple[Guard, Value]] = []
        for side, value in ((guard, a), (other, b)):
            inner = value.alternatives if isinstance(value, Choice) else ((True, value),)
            for inside, v in inner:
                g = self.domain.conjunction(side, inside)
                if g is False:
                    continue
                for at, (known, old) in enumerate(arms):
                    if old is v or (isinstance(v, str | int) and type(v) is type(old) and old == v):
                        arms[at] = (self.domain.disjunction([known, g]), old)
                        break
                    if type(old) is type(v) and hasattr(v, "_fields"):
                        # One record with merged fields, so that a choice is "none, or this one".
                        arms[at] = (self.domain.disjunction([known, g]), self.merge(known, old, v))
                        break
                else:
                    arms.append((g, v))
        if len(arms) == 1:
            return arms[0][1]
        return Choice(tuple(arms))

    def spread(self, value: Value, apply: Callable[[Value], Value]) -> Value:
        """`apply` to every alternative of a choice, merged again; to a plain value directly."""
        if not isinstance(value, Choice):
            return apply(value)
        return self.first([(g, apply(v)) for g, v in value.alternatives])

    def first(self, arms: Sequence[tuple[Guard, Value]]) -> Value:
        """The value of the first arm whose guard holds; the last one needs no guard."""
        result = arms[-1][1]
        for guard, value in reversed(arms[:-1]):
            result = self.merge(guard, value, result)
        return result
