"""The formula language: folding, sums, evaluation."""

from __future__ import annotations

from pamt.smt.terms import (
    FALSE,
    TRUE,
    And,
    Flag,
    Int,
    Linear,
    Not,
    Or,
    Sum,
    count,
    every,
    holds,
    implies,
    no,
    same,
    some,
    variables,
)

A, B = Flag("a"), Flag("b")


def test_constants_fold() -> None:
    assert every(()) == TRUE
    assert some(()) == FALSE
    assert every((A, TRUE)) == A
    assert every((A, FALSE)) == FALSE
    assert some((A, FALSE)) == A
    assert some((A, TRUE)) == TRUE
    assert every((A, And((A, B)))) == And((A, A, B))
    assert some((Or((A, B)), A)) == Or((A, B, A))
    assert no(no(A)) == A
    assert no(TRUE) == FALSE
    assert implies(TRUE, A) == A
    assert implies(A, FALSE) == Not(A)
    assert same(A, TRUE) == A


def test_sums_collect_integers_and_fold_constant_flags() -> None:
    x, y = Int("x"), Int("y")
    assert (x + 3).at_most(y + 1) == Linear(((1, "x"), (-1, "y")), (), -2)
    assert x.minus(x).at_most(0) == TRUE
    assert x.minus(x).at_most(-1) == FALSE
    assert count((A, TRUE, FALSE)).at_most(1) == Linear((), ((1, A),), 0)
    assert x.below(5) == Linear(((1, "x"),), (), 4)
    assert x.at_least(5) == Linear(((-1, "x"),), (), -5)
    assert Sum(constant=2).equals(2) == TRUE
    assert x.times(0).at_most(0) == TRUE


def test_evaluation() -> None:
    values = {"a": 1, "b": 0, "x": 7}
    assert holds(every((A, no(B))), values)
    assert not holds(same(A, B), values)
    assert holds((Int("x") + count((A, B))).at_most(8), values)
    assert not holds((Int("x") + count((A, B))).at_most(7), values)


def test_variables_in_order_of_use() -> None:
    formulas = [implies(B, Int("x").at_most(count((A,)))), Int("y").at_most(0)]
    bools, ints = variables(formulas)
    assert list(bools) == ["b", "a"]
    assert list(ints) == ["x", "y"]
