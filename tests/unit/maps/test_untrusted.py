"""Whatever bytes a file holds, the answer is a machine or a list of input errors."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pamt.maps.case_file import case_from_text
from pamt.maps.configuration_file import configuration_from_text
from pamt.maps.document import parse, read_bytes
from pamt.maps.errors import InputErrors, InputProblem
from pamt.maps.machine_file import machine_from_text, read_machine


def problem(raw: str | bytes, name: str = "m.toml") -> InputProblem:
    with pytest.raises(InputErrors) as caught:
        parse(raw, name, "a machine file")
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("cmr = []\nmemory = ", 2, "invalid value"),
        ('name = "x\n"', 1, "illegal character"),
        ("[a]\nx = 1\n[a]\n", 3, "twice"),
        ("x = 1\nx = 2", 2, "overwrite"),
        ("\n\nx", 3, "expected '='"),
        ("x = 1 y = 2", 1, "newline"),
        ("a\0b", 1, ""),
    ],
)
def test_toml_syntax(text: str, line: int, found: str) -> None:
    fault = problem(text)
    assert (fault.line, fault.expected) == (line, "valid TOML")
    assert found in fault.found


@pytest.mark.parametrize(
    ("text", "line"),
    [('{"a": 1,\n}', 2), ('{"a": 1\n "b": 2}', 2), ("{", 1), ('{"a": 01}', 1), ('{"a": 1} x', 1)],
)
def test_json_syntax(text: str, line: int) -> None:
    fault = problem(text)
    assert (fault.line, fault.expected) == (line, "valid JSON")


@pytest.mark.parametrize("text", ["[]", "3", '"{}"', "null"])
def test_a_json_file_is_one_object(text: str) -> None:
    assert problem(text, "m.json").expected == "a machine file: one JSON object"


@pytest.mark.parametrize(
    "text",
    [
        "\na = " + "[" * 100_000,
        "\na = " + "[" * 5_000 + "]" * 5_000,
        "\na = " + "{b=" * 100_000,
        '{"a":\n' + "[" * 100_000,
        '{"a":\n' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"x": "[[[", "a":\n' + '{"a":' * 100_000,
    ],
)
def test_deep_nesting_is_refused_on_its_line(text: str) -> None:
    fault = problem(text)
    assert fault.line == 2
    assert fault.found == "deeper nesting"


def test_a_key_of_thousands_of_parts_is_refused() -> None:
    assert problem("a." * 50_000 + "a = 1").found == "deeper nesting"


@pytest.mark.parametrize("text", ["\na = {}", '{"a":\n{}}'])
@pytest.mark.parametrize("digits", [5_000, 100_000])
def test_huge_numbers_are_refused_on_their_line(text: str, digits: int) -> None:
    fault = problem(text.replace("{}", "9" * digits, 1))
    assert fault.line == 2
    assert fault.found == f"a number of {digits} digits"


def test_huge_hex_numbers_are_out_of_range() -> None:
    for value in ("0x" + "f" * 100_000, '"0x' + "f" * 100_000 + '"'):
        with pytest.raises(InputErrors) as caught:
            machine_from_text(f"[[cmr]]\nbase = 0\nsize = {value}")
        assert caught.value.problems[0].found == "an integer of 400000 bits"
        assert caught.value.problems[0].line == 3


def test_what_is_not_utf_8() -> None:
    fault = problem("a = 1\nb = 'é'".encode("latin-1"))
    assert (fault.line, fault.found) == (2, "the byte 0xe9, which is not UTF-8")
    assert problem("a = 1".encode("utf-16")).found == "text in UTF-16"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, Path("a\0b")):
        with pytest.raises(InputErrors) as caught:
            read_machine(path)
        (fault,) = caught.value.problems
        assert fault.expected == "a readable file"
        assert fault.line == 0
        assert "\0" not in str(caught.value)
    assert "No such file" in str(_refusal(tmp_path / "none.toml"))


def _refusal(path: Path) -> InputErrors:
    with pytest.raises(InputErrors) as caught:
        read_machine(path)
    return caught.value


def test_a_file_has_at_most_so_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text("cmr = []")
    assert read_bytes(path, 8)[0] == b"cmr = []"
    with pytest.raises(InputErrors, match="a file of at most 7 bytes, found a larger one"):
        read_machine(path, 7)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"cmr = []\nx = 1")))
    with pytest.raises(InputErrors, match="<stdin>:2: x: expected one of the keys"):
        read_machine("-")


READERS: list[Callable[[Any], object]] = [
    machine_from_text,
    configuration_from_text,
    lambda raw: case_from_text(raw, "x.pamt.toml"),
]


def answers(read: Callable[[Any], object], raw: str | bytes) -> None:
    told = ""
    try:
        read(raw)
    except InputErrors as error:
        told = str(error) or "no problem at all"
    for line in told.split("\n"):
        assert not line or ("expected " in line and ", found " in line)
        assert line.isprintable()


@pytest.mark.parametrize("read", READERS)
@given(raw=st.binary(max_size=80))
@example(raw=b"\xff\xfe")
@example(raw=b"\xef\xbb\xbf")
def test_any_bytes(read: Callable[[Any], object], raw: bytes) -> None:
    answers(read, raw)


MARKS = [*"[]{}=.,\n\"'#\\ -", "[[", "]]", '"""', "'''", "\ud800", "\u2028", "é"]
WORDS = ["memory", "start", "end", "node", "zones", "tdmr", "expect", "ask"]
VALUES = ["0x1000", "1e5", "nan", "true", "07:32:00"]
words = st.sampled_from(MARKS + WORDS + VALUES)


@pytest.mark.parametrize("read", READERS)
@given(raw=st.lists(words, max_size=25).map("".join))
def test_any_words(read: Callable[[Any], object], raw: str) -> None:
    answers(read, raw)
    answers(read, "{" + raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["memory", "start", "node", "zones", "tdmr", "expect", "limits", "x\n"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("read", READERS)
@given(value=json_values)
def test_any_json(read: Callable[[Any], object], value: object) -> None:
    answers(read, json.dumps({"memory": value, "node": value}))
    answers(read, json.dumps(value))
