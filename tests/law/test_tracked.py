"""The window of a tracked run: inside it every address takes the same path, and it is not cut short
for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pamt.explain.tracked import Window
from pamt.ranges import PAGE

TOP = 64


def run(program: list[tuple[str, int, int]], page: Any) -> list[Any]:
    """A small random program: combines the last value with constants and notes each decision."""
    values: list[Any] = [page]
    seen: list[Any] = []
    for op, k, m in program:
        x = values[k % len(values)]
        y = values[m % len(values)] if m % 3 else m * PAGE
        table: dict[str, Callable[[], Any]] = {
            "+": lambda x=x, y=y: x + y,
            "-": lambda x=x, y=y: x - y,
            "r-": lambda x=x, m=m: m * PAGE - x,
            "*": lambda x=x, m=m: x * (m % 4 - 1),
            "<": lambda x=x, y=y: x < y,
            "<=": lambda x=x, y=y: x <= y,
            ">": lambda x=x, y=y: x > y,
            ">=": lambda x=x, y=y: x >= y,
            "==": lambda x=x, y=y: x == y,
            "!=": lambda x=x, y=y: x != y,
            "//": lambda x=x, m=m: x // ((m % 7 + 1) * PAGE),
            "%": lambda x=x, m=m: x % ((m % 5 + 1) * PAGE),
            "max": lambda x=x, y=y: max(x, y),
            "bool": lambda x=x: bool(x),
        }
        got = table[op]()
        if isinstance(got, bool) or op == "//":
            seen.append(got)
        else:
            values.append(got)
    return seen


ops = st.sampled_from(
    ["+", "-", "r-", "*", "<", "<=", ">", ">=", "==", "!=", "//", "%", "max", "bool"]
)
programs = st.lists(st.tuples(ops, st.integers(0, 9), st.integers(-20, 80)), max_size=12)


@given(program=programs, at=st.integers(0, TOP))
def test_all_addresses_of_the_window_decide_alike(
    program: list[tuple[str, int, int]], at: int
) -> None:
    window = Window(at * PAGE, 0, TOP * PAGE)
    seen = run(program, window.page())
    assert seen == run(program, at * PAGE)
    assert window.low <= at * PAGE <= window.high
    for page in range(window.low // PAGE, window.high // PAGE + 1):
        assert run(program, page * PAGE) == seen


@given(bound=st.integers(0, TOP), at=st.integers(0, TOP))
def test_one_comparison_cuts_exactly_there(bound: int, at: int) -> None:
    window = Window(at * PAGE, 0, TOP * PAGE)
    if window.page() + 1 > bound * PAGE:
        assert (window.low, window.high) == (bound * PAGE, TOP * PAGE)
    else:
        assert (window.low, window.high) == (0, bound * PAGE - PAGE)
