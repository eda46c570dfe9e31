"""Formulas as a domain of :mod:`pamt.verify.interp`: stage functions become terms of a proof."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pamt.prove.terms import BoolTerm, IntTerm, Term, both, choose, either, negate
from pamt.ranges import align_down, align_up

__all__ = ["Formulas"]

Guard = Any


class Formulas:
    """Guards and integers are terms of :mod:`pamt.prove.terms`; what is known stays plain."""

    integer_type: type = IntTerm
    guard_type: type = BoolTerm

    def conjunction(self, a: Guard, b: Guard) -> Guard:
        return a if a is b else both(a, b)

    def disjunction(self, guards: Iterable[Guard]) -> Guard:
        return either(*guards)

    def negation(self, a: Guard) -> Guard:
        return negate(a)

    def narrowing(self, inner: Guard, outer: Guard) -> Guard:
        return inner

    def disjoint(self, a: Guard, b: Guard) -> bool:
        """Whether one is a conjunction with a part whose negation is a part of the other."""
        left, right = _parts(a), _parts(b)
        if any(part is False for part in (*left, *right)):
            return True
        mine = {id(part) for part in left}
        denied = {id(part.args[0]) for part in left if isinstance(part, Term) and part.op == "not"}
        for part in right:
            if id(part) in denied:
                return True
            if isinstance(part, Term) and part.op == "not" and id(part.args[0]) in mine:
                return True
        return False

    def implies(self, a: Guard, b: Guard) -> bool:
        """Whether every part of the conjunction `b` is a part of `a`."""
        left = _parts(a)
        if any(part is False for part in left):
            return True
        mine = {id(part) for part in left}
        return all(part is True or id(part) in mine for part in _parts(b))

    def choose(self, guard: Guard, a: Any, b: Any) -> Any:
        return choose(guard, a, b)

    def extreme_of(self, largest: bool, a: Any, b: Any) -> Any:
        return choose(b > a if largest else b < a, b, a)

    def choose_guard(self, guard: Guard, a: Guard, b: Guard) -> Guard:
        return choose(guard, a, b)

    def counter(self, value: Any, guard: Guard, step: int) -> Any:
        return choose(guard, value + step, value)

    def align_down(self, value: Any, alignment: int) -> Any:
        return align_down(value, alignment)

    def align_up(self, value: Any, alignment: int) -> Any:
        return align_up(value, alignment)


def _parts(guard: Guard) -> list[Guard]:
    found: list[Guard] = []
    waiting = [guard]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Term) and part.op == "and":
            waiting.extend(part.args)
        else:
            found.append(part)
    return found
