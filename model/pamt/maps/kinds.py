"""The kinds of values that our files are made of, each with its decoder and its JSON Schema.

Every integer may be given as an integer or as a hex string such as ``"0x1000"``.  A boolean is no
integer, and no floating-point number is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pamt.machine import ADDRESS_LIMIT
from pamt.maps.decode import Kind, Path, WrongValueError, describe
from pamt.ranges import PAGE

__all__ = [
    "ADDRESS",
    "BOOLEAN",
    "BYTE_ADDRESS",
    "TEXT",
    "U64",
    "U64_PAIR",
    "array_of",
    "integer",
    "one_of",
    "untouched",
]

U64_END = 1 << 64

_HEX = re.compile(r"0[xX][0-9a-fA-F]+")
_HEX_SCHEMA = "^0[xX][0-9a-fA-F]+$"


def _number(value: object, expected: str) -> int:
    """`value` as an integer, whatever its size."""
    if type(value) is int:
        return value
    if type(value) is str and _HEX.fullmatch(value):
        return int(value, 16)
    raise WrongValueError(((), expected, describe(value)))


def _decode_u64(value: object) -> int:
    if type(value) is int and 0 <= value < U64_END:
        return value
    expected = "an integer or hex string from 0 to 0xffffffffffffffff"
    number = _number(value, expected)
    if not 0 <= number < U64_END:
        raise WrongValueError(((), expected, describe(number)))
    return number


U64 = Kind(
    _decode_u64,
    {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": U64_END - 1},
            {"type": "string", "pattern": "^0[xX]0*[0-9a-fA-F]{1,16}$"},
        ]
    },
)
"""Data for the module's rules: any unsigned 64-bit value."""


def _decode_address(value: object) -> int:
    if type(value) is int and 0 <= value <= ADDRESS_LIMIT and not value % PAGE:
        return value
    expected = "a page-aligned address (a multiple of 0x1000) from 0 to 2^52"
    number = _number(value, expected)
    if not 0 <= number <= ADDRESS_LIMIT or number % PAGE:
        short = 0 <= number < 1 << 128
        raise WrongValueError(((), expected, f"{number:#x}" if short else describe(number)))
    return number


ADDRESS = Kind(
    _decode_address,
    {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": ADDRESS_LIMIT, "multipleOf": PAGE},
            {"type": "string", "pattern": "^0[xX]0*([0-9a-fA-F]{1,10}000|0|10{13})$"},
        ]
    },
)
"""A border of a well formed range: page aligned, at most 2^52."""


def _decode_byte_address(value: object) -> int:
    expected = "an address from 0 to 2^52"
    number = _number(value, expected)
    if not 0 <= number <= ADDRESS_LIMIT:
        raise WrongValueError(((), expected, describe(number)))
    return number


BYTE_ADDRESS = Kind(
    _decode_byte_address,
    {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": ADDRESS_LIMIT},
            {"type": "string", "pattern": "^0[xX]0*([0-9a-fA-F]{1,13}|10{13})$"},
        ]
    },
)
"""An address that need not be page aligned."""


def integer(low: int, high: int) -> Kind:
    """An integer from `low` to `high`, both included."""
    expected = f"an integer from {low} to {high}" if low < high else f"the integer {low}"

    def decode(value: object) -> int:
        number = _number(value, expected)
        if not low <= number <= high:
            raise WrongValueError(((), expected, describe(number)))
        return number

    schema = {
        "anyOf": [
            {"type": "integer", "minimum": low, "maximum": high},
            {"type": "string", "pattern": _HEX_SCHEMA},
        ]
    }
    return Kind(decode, schema)


def _decode_boolean(value: object) -> bool:
    if type(value) is bool:
        return value
    raise WrongValueError(((), "true or false", describe(value)))


BOOLEAN = Kind(_decode_boolean, {"type": "boolean"})


def _decode_text(value: object) -> str:
    if type(value) is not str:
        raise WrongValueError(((), "a string", describe(value)))
    if not value.isascii() and _has_surrogate(value):
        # JSON can spell half of a surrogate pair; no file in UTF-8 could hold it again.
        raise WrongValueError(((), "a string of Unicode characters", "half of a surrogate pair"))
    return value


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


TEXT = Kind(_decode_text, {"type": "string"})


def one_of(words: Sequence[str]) -> Kind:
    """One of a few words."""
    expected = f"one of {', '.join(words)}"

    def decode(value: object) -> str:
        if type(value) is str and value in words:
            return value
        raise WrongValueError(((), expected, describe(value)))

    return Kind(decode, {"enum": list(words)})


def array_of(kind: Kind, low: int = 0, high: int | None = None, each: str = "values") -> Kind:
    """An array of `low` to `high` values of one kind, decoded to a tuple."""
    decode_one = kind.decode
    if low == high:
        expected = f"an array of {low} {each}"
    else:
        least = f" at least {low}" if low else ""
        expected = f"an array of{least} {each}" + (f", at most {high}" if high else "")

    def decode(value: object) -> tuple[Any, ...]:
        if type(value) is not list:
            raise WrongValueError(((), expected, describe(value)))
        wrong: list[tuple[Path, str, str]] = []
        made: list[Any] = []
        for at, item in enumerate(value):
            try:
                made.append(decode_one(item))
            except WrongValueError as fault:
                wrong += [((at, *path), want, found) for path, want, found in fault.details]
        if len(value) < low or (high is not None and len(value) > high):
            wrong.append(((), expected, describe(value)))
        if wrong:
            raise WrongValueError(*wrong)
        return tuple(made)

    schema: dict[str, Any] = {"type": "array", "items": kind.schema}
    if low:
        schema["minItems"] = low
    if high is not None:
        schema["maxItems"] = high
    return Kind(decode, schema)


U64_PAIR = array_of(U64, 2, 2, "integers")


def untouched(schema: Mapping[str, Any]) -> Kind:
    """A value that is decoded later, by its own table of fields; `schema` describes it."""
    return Kind(lambda value: value, schema)
