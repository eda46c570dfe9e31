"""The interpreted language: what it means on plain values, and what is refused, with its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pamt.verify.interp import GuardedList, Interpreter, Refusal


class Pair(NamedTuple):
    left: int
    right: int

    @property
    def total(self) -> int:
        return self.left + self.right


def plain(value: Any) -> Any:
    if isinstance(value, GuardedList):
        assert value.is_plain
        return [plain(item) for item in value.plain()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(plain(item) for item in value))
    return tuple(plain(item) for item in value) if isinstance(value, tuple) else value


def gaps(numbers: Sequence[int], limit: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    last = 0
    for number in numbers:
        if number < 0:
            continue
        if number >= limit:
            break
        if number > last + 1:
            found.append((last, number))
        last = number
    return found


def first_above(numbers: Sequence[int], bound: int) -> int | None:
    for at, number in enumerate(numbers):
        if number > bound:
            return at
    return None


def nested(rows: Sequence[Sequence[int]]) -> int:
    total = 0
    for row in rows:
        for value in row:
            if value % 2 == 0:
                continue
            if value > 10:
                break
            total += value
        else_value = total // 3
        if else_value > 20:
            return -1
    return total


def mixed(a: int, b: int) -> tuple[int, int, bool]:
    low, high = (a, b) if a <= b else (b, a)
    made = Pair(low, high)._replace(left=low - 1)
    chained = 0 <= made.left < made.right
    return max(made.left, -5), min(made.total, 100), chained or not made.right


def counted(numbers: Sequence[int]) -> tuple[int, int, list[int]]:
    kept = [n * 2 for n in numbers if n > 0]
    kept += [0]
    kept[0] = -kept[0]
    return len(kept), sum(kept), sorted(kept)[1:]


def while_loop(number: int) -> int:
    steps = 0
    while number != 1 and steps < 50:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (gaps, ([1, 5, -3, 6, 9, 30, 40], 25)),
        (gaps, ([], 5)),
        (first_above, ([1, 2, 3], 1)),
        (first_above, ([1, 2, 3], 7)),
        (nested, ([[1, 2, 3], [11, 5], [7, 9]],)),
        (nested, ([[9, 9, 9, 9, 9, 9, 9, 9]],)),
        (mixed, (3, 1)),
        (mixed, (-9, 0)),
        (counted, ([3, -1, 4],)),
        (counted, ([],)),
        (while_loop, (27,)),
    ],
)
def test_plain_run_is_what_python_does(function: Callable[..., Any], arguments: Any) -> None:
    answer = Interpreter(native=False).call(function, *arguments)
    assert plain(answer.value) == function(*arguments)
    assert len(answer.returns) == 1
    assert not answer.faults


def uses_try(number: int) -> int:
    try:
        return number
    finally:
        number = 0


def uses_dict_comprehension(number: int) -> Any:
    return {number: number}


def uses_for_else(numbers: Sequence[int]) -> int:
    for number in numbers:
        if number:
            break
    else:
        return 1
    return 0


def uses_pop(number: int) -> int:
    items = [number]
    items.pop()
    return 0


def uses_star(*numbers: int) -> int:
    return len(numbers)


def uses_with(number: int) -> int:
    with Path("x").open() as _:
        return number


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (uses_try, "Try"),
        (uses_dict_comprehension, "Dict"),
        (uses_for_else, "else of a for"),
        (uses_pop, "pop"),
        (uses_star, r"\*args"),
        (uses_with, "With"),
    ],
)
def test_refusals_name_the_place_and_what_to_write(function: Callable[..., Any], what: str) -> None:
    with pytest.raises(Refusal, match=what) as caught:
        Interpreter(native=False).call(function, [1] if function is uses_for_else else 1)
    place = caught.value.place
    first = function.__code__.co_firstlineno
    assert place.file == __file__
    assert first <= place.line <= first + 8
    assert caught.value.instead


def reads_before_assigning(number: int) -> int:
    if number > 3:
        found = number
    return found  # type: ignore[possibly-undefined]


def indexes_too_far(numbers: Sequence[int]) -> int:
    return numbers[2]


def raises(number: int) -> int:
    if number < 0:
        raise ValueError("negative")
    return number


def test_faults_are_where_python_raises() -> None:
    assert Interpreter(native=False).call(reads_before_assigning, 1).faults
    assert not Interpreter(native=False).call(reads_before_assigning, 5).faults
    assert Interpreter(native=False).call(indexes_too_far, [1, 2]).faults
    assert Interpreter(native=False).call(raises, -1).faults
    assert Interpreter(native=False).call(raises, 1).value == 1
