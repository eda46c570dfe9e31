"""Plain values (as TOML or JSON gives them) into checked values, by tables of fields.

A :class:`Kind` says what one value may be, once: how it is decoded and its JSON Schema.  A table of
:class:`Field` says which keys a TOML table may hold.  Nothing raises at the first fault: faults go
into :class:`Complaints` with the path of the value, and lines are looked up only if there are any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pamt.maps.errors import MAX_PROBLEMS

__all__ = [
    "Complaint",
    "Complaints",
    "Field",
    "Fields",
    "Kind",
    "Path",
    "WrongValueError",
    "check_whole",
    "decode_table",
    "decode_tables",
    "describe",
    "quoted",
    "spell",
]

Path = tuple[str | int, ...]
"""Keys and indices from the top of the document down to a value."""


class Complaint(NamedTuple):
    """A fault, before its line is known; `other` is a second place it speaks of."""

    path: Path
    expected: str
    found: str
    hint: str = ""
    other: Path | None = None


class Complaints:
    """The faults of one document, at most :data:`MAX_PROBLEMS` of them; the rest are counted."""

    def __init__(self) -> None:
        self.list: list[Complaint] = []
        self.omitted = 0

    def add(
        self,
        path: Path,
        expected: str,
        found: str,
        hint: str = "",
        other: Path | None = None,
    ) -> None:
        if len(self.list) < MAX_PROBLEMS:
            self.list.append(Complaint(path, expected, found, hint, other))
        else:
            self.omitted += 1

    @property
    def full(self) -> bool:
        return len(self.list) >= MAX_PROBLEMS

    def __bool__(self) -> bool:
        return bool(self.list)


class WrongValueError(Exception):
    """A value that is not of its kind.  `details`: (path inside the value, expected, found)."""

    def __init__(self, *details: tuple[Path, str, str]) -> None:
        super().__init__(details)
        self.details = details


class Kind(NamedTuple):
    """What one value may be: `decode` raises WrongValueError; `schema` is its JSON Schema."""

    decode: Callable[[Any], Any]
    schema: Mapping[str, Any]


class Field(NamedTuple):
    """One key of a table."""

    kind: Kind
    required: bool = False
    says: str = ""
    """A short description for the schema, with the unit."""


Fields = Mapping[str, Field]


def decode_table(
    value: object, fields: Fields, path: Path, complaints: Complaints
) -> dict[str, Any] | None:
    """The good values of one table by key; None when `value` is no table.

    Unknown keys, wrong values and missing required keys become complaints.
    """
    if type(value) is not dict:
        complaints.add(path, "a table", describe(value))
        return None
    good: dict[str, Any] = {}
    for key, item in value.items():
        field = fields.get(key)
        if field is None:
            _unknown_key(key, value, fields, path, complaints)
            continue
        try:
            good[key] = field[0].decode(item)
        except WrongValueError as wrong:
            for inner, expected, found in wrong.details:
                complaints.add((*path, key, *inner), expected, found)
    return good


def decode_tables(
    value: object,
    fields: Fields,
    path: Path,
    complaints: Complaints,
    build: Callable[[dict[str, Any]], Any],
) -> list[Any]:
    """An array of tables: for each entry what `build` makes of it, None for a bad entry."""
    if type(value) is not list:
        complaints.add(path, "an array of tables", describe(value))
        return []
    made: list[Any] = []
    for index, entry in enumerate(value):
        before = len(complaints.list) + complaints.omitted
        good = decode_table(entry, fields, (*path, index), complaints)
        if good is not None:
            check_whole(good, entry, fields, (*path, index), complaints)
        faulty = good is None or len(complaints.list) + complaints.omitted != before
        made.append(None if faulty or good is None else build(good))
    return made


def check_whole(
    good: Mapping[str, Any],
    given: Mapping[str, object],
    fields: Fields,
    path: Path,
    complaints: Complaints,
) -> None:
    """Complain of every required key that is not given (a wrong one was complained of already)."""
    for key, field in fields.items():
        if field[1] and key not in good and key not in given:
            there = ", ".join(_key_text(k) for k in list(given)[:8])
            complaints.add(path, f"the key {key}", f"only {there}" if there else "an empty table")


def _unknown_key(
    key: str, table: Mapping[str, object], fields: Fields, path: Path, complaints: Complaints
) -> None:
    hint = "" if complaints.full else _did_you_mean(key, [k for k in fields if k not in table])
    one_of = ", ".join(fields)
    complaints.add((*path, key), f"one of the keys {one_of}", f"the key {_key_text(key)}", hint)


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    if len(word) > 64:
        return ""
    lowered = {name.lower(): name for name in known}
    close = get_close_matches(word.lower().replace("-", "_"), lowered, n=1, cutoff=0.5)
    return f"did you mean {lowered[close[0]]}?" if close else ""


_SHOWN = 60


def quoted(text: str) -> str:
    """`text` in quotes on one line, shortened."""
    from json import dumps

    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return dumps(shown, ensure_ascii=not shown.isprintable())


def _key_text(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key) else quoted(key)


def describe(value: object) -> str:
    """A wrong value in a few words, safe for any size and depth."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if value.bit_length() > 128:
            return f"an integer of {value.bit_length()} bits"
        return str(value) if abs(value) < 65536 else f"{value:#x}"
    if isinstance(value, float):
        return f"the floating-point number {value!r}"
    if isinstance(value, str):
        return f"the string {quoted(value)}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"an array of {len(value)}" if value else "an empty array"
    return "a date or time"


def spell(path: Path) -> str:
    """A path as ``memory[3].end``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + _key_text(step)
    return text
