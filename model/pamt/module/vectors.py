"""Reading recorded vectors: one JSON object a line, every fault of every line told at once.

Numbers are JSON integers or hex strings, and unsigned 64-bit values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from pamt.module.words import U64

# ruff: noqa: TRY004 - a value of the wrong JSON type is a ValueError like any other bad value

__all__ = ["BadVectorError", "Fault", "Fields", "read_lines"]

_Vector = TypeVar("_Vector")
_Value = TypeVar("_Value")


class Fault(NamedTuple):
    """What is wrong with one line; lines count from 1."""

    line: int
    text: str


class BadVectorError(ValueError):
    """A file of vectors cannot be read; `faults` lists every fault, by line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"line {fault.line}: {fault.text}" for fault in self.faults))


class Fields:
    """The fields of one JSON object, read by type; what is wrong is collected, not raised.

    A reader that fails returns a harmless value of its type; the line is refused afterwards.
    """

    __slots__ = ("_faults", "_where", "given")

    def __init__(self, given: dict[str, object], faults: list[str], where: str = "") -> None:
        self.given = given
        self._faults = faults
        self._where = where

    def number(self, name: str, most: int = U64 - 1) -> int:
        """An integer, or a hex string, from 0 to `most`."""
        return self._read(name, lambda value: _number(value, most), 0)

    def number_or_null(self, name: str) -> int | None:
        return self._read(name, lambda value: None if value is None else _number(value), None)

    def numbers(self, name: str, most: int = U64 - 1) -> tuple[int, ...]:
        """A list of integers from 0 to `most`."""
        return self._read(
            name, lambda value: tuple(_number(item, most) for item in _items(value)), ()
        )

    def pair(self, name: str) -> tuple[int, int]:
        return self._read(name, _pair, (0, 0))

    def triple(self, name: str) -> tuple[int, int, int]:
        return self._read(name, _triple, (0, 0, 0))

    def pairs(self, name: str) -> tuple[tuple[int, int], ...]:
        return self._read(name, lambda value: tuple(_pair(item) for item in _items(value)), ())

    def text(self, name: str) -> str:
        return self._read(name, _text, "")

    def text_or_null(self, name: str) -> str | None:
        return self._read(name, lambda value: None if value is None else _text(value), None)

    def boolean(self, name: str) -> bool:
        return self._read(name, _boolean, False)

    def records(self, name: str) -> tuple[Fields, ...]:
        """A list of JSON objects."""
        nothing: tuple[dict[str, object], ...] = ()
        found = self._read(name, lambda value: tuple(_object(i) for i in _items(value)), nothing)
        return tuple(
            Fields(item, self._faults, f"{self._where}{name}[{at}].")
            for at, item in enumerate(found)
        )

    def at_least(self, name: str, count: int) -> None:
        """Note a fault when the list `name` has fewer than `count` items."""
        found = self.given.get(name)
        if isinstance(found, list) and len(found) < count:
            self._faults.append(f"{self._where}{name}: expected {count} items, found {len(found)}")

    def _read(self, name: str, convert: Callable[[object], _Value], instead: _Value) -> _Value:
        if name not in self.given:
            self._faults.append(f"{self._where}{name} is missing")
            return instead
        try:
            return convert(self.given[name])
        except ValueError as error:
            self._faults.append(f"{self._where}{name}: {error}")
            return instead


def read_lines(lines: Iterable[str], read: Callable[[Fields], _Vector]) -> list[_Vector]:
    """One vector for each line; blank lines are allowed at the end only.

    Raises BadVectorError when there is no vector, a line is not one, or an id comes twice.
    """
    texts = [line.strip() for line in lines]
    while texts and not texts[-1]:
        texts.pop()
    faults: list[Fault] = []
    made: list[_Vector] = []
    ids: dict[object, int] = {}
    if not texts:
        faults.append(Fault(1, "no line"))
    for at, text in enumerate(texts, start=1):
        wrong: list[str] = []
        try:
            fields = Fields(_object(json.loads(text, object_pairs_hook=_unique)), wrong)
        except (ValueError, RecursionError) as error:
            faults.append(Fault(at, f"what is not a JSON object ({_why_not(error)})"))
            continue
        vector = read(fields)
        name = fields.given.get("id")
        if isinstance(name, str) and ids.setdefault(name, at) != at:
            wrong.append(f"id {name!r} is that of line {ids[name]}")
        faults += [Fault(at, text) for text in wrong]
        made.append(vector)
    if faults:
        raise BadVectorError(faults)
    return made


def _why_not(error: Exception) -> str:
    """What the parser saw, in words of the file rather than of the program."""
    if isinstance(error, json.JSONDecodeError):
        return f"column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}"
    return "too deep" if isinstance(error, RecursionError) else str(error)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key comes twice")
    return made


def _number(value: object, most: int = U64 - 1) -> int:
    number = value
    if isinstance(value, str) and value.startswith(("0x", "0X")):
        number = int(value, 16)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise ValueError(f"expected an integer from 0 to {most:#x}, found {_short(value)}")
    return number


def _pair(value: object) -> tuple[int, int]:
    items = _items(value, 2)
    return (_number(items[0]), _number(items[1]))


def _triple(value: object) -> tuple[int, int, int]:
    items = _items(value, 3)
    return (_number(items[0]), _number(items[1]), _number(items[2]))


def _items(value: object, length: int | None = None) -> list[object]:
    if not isinstance(value, list) or length not in {None, len(value)}:
        wanted = "a list" if length is None else f"a list of {length}"
        raise ValueError(f"expected {wanted}, found {_short(value)}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a string, found {_short(value)}")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {_short(value)}")
    return value


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {_short(value)}")
    return value


def _short(value: object) -> str:
    shown = json.dumps(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
