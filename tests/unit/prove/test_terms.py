"""Formulas mean what Python means: built and evaluated, printed and read back by both solvers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Limits
from pamt.prove.smtlib import script
from pamt.prove.terms import (
    boolean,
    both,
    choose,
    either,
    equal,
    evaluate,
    implies,
    integer,
    larger,
    negate,
    products_as_atoms,
    smaller,
    variables,
)
from pamt.ranges import GIB, align_down, align_up
from pamt.smt.prove_solvers import ask

NAMES = ("a", "b", "c")


def _expressions() -> st.SearchStrategy[Any]:
    """Functions of three integers, written once for numbers and for formulas."""
    leaves = st.one_of(
        st.integers(-20, 20).map(lambda n: lambda _: n),
        st.sampled_from(NAMES).map(lambda name: lambda v: v[name]),
    )

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        pair = st.tuples(inner, inner)
        divisor = st.integers(1, 9)
        return st.one_of(
            pair.map(lambda p: lambda v: p[0](v) + p[1](v)),
            pair.map(lambda p: lambda v: p[0](v) - p[1](v)),
            pair.map(lambda p: lambda v: p[0](v) * p[1](v)),
            inner.map(lambda f: lambda v: -f(v)),
            st.tuples(inner, divisor).map(lambda p: lambda v: p[0](v) * p[1] // p[1]),
            st.tuples(inner, divisor).map(lambda p: lambda v: p[0](v) // p[1]),
            st.tuples(inner, divisor).map(lambda p: lambda v: p[0](v) * 6 // p[1]),
            st.tuples(inner, divisor).map(lambda p: lambda v: p[0](v) * 6 % p[1]),
            pair.map(lambda p: lambda v: p[0](v) & ~p[1](v)),
            pair.map(lambda p: lambda v: larger(p[0](v), p[1](v))),
            pair.map(lambda p: lambda v: smaller(p[0](v), p[1](v))),
            st.tuples(inner, inner, inner).map(
                lambda p: (
                    lambda v: choose(
                        both(p[0](v) < p[1](v), negate(equal(p[1](v), p[2](v)))), p[0](v), p[2](v)
                    )
                )
            ),
        )

    return st.recursive(leaves, grow, max_leaves=12)


VALUES = st.fixed_dictionaries({name: st.integers(-300, 300) for name in NAMES})


@given(_expressions(), VALUES)
def test_a_formula_evaluates_to_what_python_computes(function: Any, values: dict[str, int]) -> None:
    formula = function({name: integer(name) for name in NAMES})
    assert evaluate(formula, values) == function(values)


@given(_expressions(), VALUES)
def test_both_solvers_compute_the_same(function: Any, values: dict[str, int]) -> None:
    formula = function({name: integer(name) for name in NAMES})
    if "bitand" in repr(formula):
        return  # a function of which the solvers know nothing
    fixed = both(*(equal(integer(name), value) for name, value in values.items()))
    wanted = function(values)
    for solver in ("z3", "cvc5"):
        assert ask(solver, script({"v": fixed, "f": equal(formula, wanted)}), 10**6).found == "sat"
        other = script({"v": fixed, "f": negate(equal(formula, wanted))})
        assert ask(solver, other, 10**6).found == "unsat"


def test_a_term_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(integer("x") < 3)
    with pytest.raises(TypeError, match="no truth value"):
        max(integer("x"), 3)


def test_python_values_stay_python_values() -> None:
    assert both(True, True) is True
    assert either(False, False) is False
    assert implies(False, False) is True
    assert choose(True, 1, integer("x")) == 1
    assert integer("x") * 0 == 0
    assert equal(3, 3) is True


def test_sorts_are_kept_apart() -> None:
    with pytest.raises(TypeError, match="compares"):
        equal(integer("x"), boolean("b"))
    with pytest.raises(TypeError, match="chooses"):
        choose(boolean("b"), integer("x"), boolean("c"))
    with pytest.raises(ValueError, match="two sorts"):
        variables(equal(integer("x"), 1), boolean("x"))
    with pytest.raises(TypeError, match="not a truth value"):
        script({"x": integer("x")})


def test_divisors_are_positive() -> None:
    for divisor in (0, -4):
        with pytest.raises(ValueError, match="positive"):
            integer("x") // divisor
        with pytest.raises(ValueError, match="positive"):
            integer("x") % divisor
    with pytest.raises(ValueError, match="not positive"):
        evaluate(integer("x") // integer("y"), {"x": 1, "y": -1})


@given(st.integers(1, 600), st.tuples(*[st.integers(1, 64)] * 3), st.booleans())
def test_a_stage_function_called_on_terms_is_its_formula(
    gib: int, entries: tuple[int, int, int], dynamic: bool
) -> None:
    limits = Limits(pamt_entry_size=entries)
    formula = pamt_sizes(integer("n") * GIB, limits, dynamic)
    assert [evaluate(part, {"n": gib}) for part in formula] == list(
        pamt_sizes(gib * GIB, limits, dynamic)
    )


@given(st.integers(-(10**6), 10**6), st.integers(1, 5000))
def test_rounding_on_terms(value: int, alignment: int) -> None:
    x = integer("x")
    assert evaluate(align_up(x, alignment), {"x": value}) == align_up(value, alignment)
    assert evaluate(align_down(x, alignment), {"x": value}) == align_down(value, alignment)


def test_products_become_atoms_whichever_way_round() -> None:
    n, e = integer("n"), integer("e")
    assert list(variables(products_as_atoms(equal(n * e, e * n + 1)))) == ["e*n"]
    assert products_as_atoms(equal(3 * n, n * 3)).op == "="


def test_deep_formulas_need_no_recursion() -> None:
    x: Any = integer("x")
    total: Any = 0
    for _ in range(20_000):
        total = total + x
    assert evaluate(total, {"x": 2}) == 40_000
    assert script({"big": equal(total, 1)}).count("(+") == 19_999


def test_shared_parts_are_written_once() -> None:
    x: Any = integer("x")
    for _ in range(40):
        x = x + x
    text = script({"p": equal(x, 1)})
    assert len(text) < 3000
    assert ask("z3", text, 10**6).found == "unsat"
    assert ask("cvc5", text, 10**6).found == "unsat"


def test_odd_names_are_quoted() -> None:
    text = script({"p": both(boolean("x in a CMR"), integer("first page's") >= 2)})
    assert "|x in a CMR|" in text
    for solver in ("z3", "cvc5"):
        answer = ask(solver, text, 10**6)
        assert answer.found == "sat"
        assert answer.model["x in a CMR"] is True
        assert answer.model["first page's"] >= 2
