"""Symbolic integers: every operation agrees with Python's at every value, in every encoding."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.ranges import GIB, PAGE
from pamt.smt.symbolic import Encoding, Symbols
from pamt.smt.symbolic_query import Query

ENCODINGS: tuple[Encoding, ...] = ("lin", "pair", "bv")
pages = st.integers(0, 8 * GIB // PAGE).map(lambda n: n * PAGE)
divisors = st.sampled_from([1, 3, 4096, 1027 * PAGE, GIB])


def value_at(symbols: Symbols, expression: Any, **values: int) -> int | bool:
    guards = [symbols.variables[name] == value for name, value in values.items()]
    answer = Query(symbols).ask(guards, 50_000_000)
    assert answer.assignment is not None
    if isinstance(expression, bool | symbols.guard_type):
        return answer.assignment.guard(expression)
    return answer.assignment.integer(expression)


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=15)
@given(a=pages, b=pages, k=divisors)
def test_operations_agree_with_python(encoding: Encoding, a: int, b: int, k: int) -> None:
    symbols = Symbols(encoding)
    x = symbols.address("x", 0, 8 * GIB)
    y = symbols.address("y", 0, 8 * GIB)
    chosen = symbols.choose(x < y, x + GIB, y)
    larger, smaller = symbols.extreme_of(True, x, y + PAGE), symbols.extreme_of(False, y, x)
    wanted = {
        "sum": (x + y - 5, a + b - 5),
        "times": (3 * x - y * 2, 3 * a - 2 * b),
        "floor": ((x - y) // k, (a - b) // k),
        "mod": ((x + 1) % k, (a + 1) % k),
        "less": (x < y, a < b),
        "at most": (x - y <= k, a - b <= k),
        "equal": (x == y, a == b),
        "choice": (chosen, a + GIB if a < b else b),
        "choice order": (chosen <= x, (a + GIB if a < b else b) <= a),
        "larger": (larger, max(a, b + PAGE)),
        "smaller": (smaller, min(a, b)),
        "larger order": (larger <= x, max(a, b + PAGE) <= a),
        "smaller order": (smaller < y, min(a, b) < b),
        "order larger": (y < larger, b < max(a, b + PAGE)),
        "order smaller": (x <= smaller, a <= min(a, b)),
        "both orders": (larger - PAGE <= smaller, max(a, b + PAGE) - PAGE <= min(a, b)),
        "crossed": (smaller < larger, min(a, b) < max(a, b + PAGE)),
        "same": (larger == x, max(a, b + PAGE) == a),
        "down": (symbols.align_down(x, GIB), a // GIB * GIB),
        "up": (symbols.align_up(x, GIB), -(-a // GIB) * GIB),
        "bits": (x & ~(1026 * PAGE), a & ~(1026 * PAGE)),
    }
    for name, (expression, expected) in wanted.items():
        assert value_at(symbols, expression, x=a, y=b) == expected, name


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bounds_of_variables_are_asserted(encoding: Encoding) -> None:
    symbols = Symbols(encoding)
    low, high = 3 * PAGE, 2 * GIB - 5 * PAGE
    x = symbols.address("x", low, high)
    query = Query(symbols)
    for beyond in (low - PAGE, high + PAGE):
        term = symbols.number(beyond // PAGE)
        assert query.ask([symbols._guard(x.term == term)], 10**7).verdict == "unsat"
    assert x >= low
    assert not (x > high)


def test_bounds_of_the_parts_decide_about_extremes() -> None:
    symbols = Symbols()
    x = symbols.address("x", 0, 8 * GIB)
    larger = symbols.extreme_of(True, x, 2 * GIB)
    smaller = symbols.extreme_of(False, x, 3 * GIB)
    assert (larger.low, larger.high) == (2 * GIB, 8 * GIB)
    assert (smaller.low, smaller.high) == (0, 3 * GIB)
    assert (larger < 2 * GIB) is False
    assert (smaller <= 3 * GIB) is True
    assert symbols.extreme_of(True, x, x) is x


def test_counters_are_compared_without_arithmetic() -> None:
    symbols = Symbols()
    bits = [symbols.boolean(f"b{i}") for i in range(6)]
    count: Any = 0
    for bit in bits:
        count = symbols.counter(count, bit, 1)
    assert count <= 6
    assert not (count > 6)
    query = Query(symbols)
    assert query.ask([count >= 3, *map(symbols.negation, bits[:3])], 10**6).verdict == "sat"
    assert query.ask([count >= 4, *map(symbols.negation, bits[:3])], 10**6).verdict == "unsat"
    assert query.ask([count == 2, *bits[:3]], 10**6).verdict == "unsat"
    assert query.ask([6 - count <= 2, *map(symbols.negation, bits[:3])], 10**6).verdict == "unsat"


def test_chains_of_assumptions_decide_comparisons() -> None:
    symbols = Symbols()
    a, b, c = (symbols.address(name, 0, GIB) for name in "abc")
    symbols.assume_less(a, b)
    symbols.assume_less(b, c, strictly=False)
    assert (a < c) is True
    assert (c <= a) is False
    assert not isinstance(b < c, bool)


def test_guards_know_how_they_were_made() -> None:
    symbols = Symbols()
    p, q, r = (symbols.boolean(name) for name in "pqr")
    both = symbols.conjunction(p, q)
    neither = symbols.conjunction(p, symbols.negation(q))
    assert symbols.disjoint(both, neither)
    assert symbols.disjoint(symbols.conjunction(both, r), symbols.negation(both))
    assert not symbols.disjoint(both, r)
    assert symbols.implies(symbols.conjunction(both, r), q)
    assert not symbols.implies(both, r)
    assert symbols.narrowing(both, p) is q


def test_a_symbol_has_no_plain_value() -> None:
    symbols = Symbols()
    x = symbols.integer("x", 0, 9)
    with pytest.raises(TypeError):
        bool(x < 5)
    with pytest.raises(TypeError):
        range(x)
