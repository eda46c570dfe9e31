"""Problems as lines of text, and many readers' problems as one."""

from __future__ import annotations

import pickle

import pytest

from pamt.maps.errors import InputErrors, InputProblem, gather


def test_a_problem_is_one_line() -> None:
    fault = InputProblem("m.toml", 3, "memory[0].end", "a number", "true", "did you mean end?")
    assert str(fault) == (
        "m.toml:3: memory[0].end: expected a number, found true (did you mean end?)"
    )
    assert str(InputProblem("m.bin", 0, "", "records", "7 bytes")) == (
        "m.bin: expected records, found 7 bytes"
    )


def test_a_file_name_cannot_break_the_line() -> None:
    assert str(InputProblem("a\nb", 1, "", "x", "y")) == "'a\\nb':1: expected x, found y"


def test_errors_list_every_problem() -> None:
    faults = [InputProblem("m", n, "", "x", "y") for n in (1, 2)]
    error = InputErrors(faults, 3)
    assert str(error).splitlines() == [
        "m:1: expected x, found y",
        "m:2: expected x, found y",
        "3 more problems are not listed",
    ]
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, again.omitted) == (tuple(faults), 3)


def test_gather_tells_the_problems_of_all_readers() -> None:
    def bad(name: str) -> None:
        raise InputErrors([InputProblem(name, 1, "", "x", "y")], 1)

    assert gather(lambda: 1, lambda: 2) == (1, 2)
    with pytest.raises(InputErrors) as caught:
        gather(lambda: bad("a"), lambda: 2, lambda: bad("b"))
    assert [problem.file for problem in caught.value.problems] == ["a", "b"]
    assert caught.value.omitted == 2
