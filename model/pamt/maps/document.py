"""A text file in TOML or JSON, parsed, that can still say on which line each value stands.

Input is not trusted: its size is bounded, nesting and huge numbers end as input errors, and so does
anything that is not text in UTF-8.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pamt.maps.decode import Complaint, Complaints, Path, spell
from pamt.maps.errors import InputErrors, InputProblem
from pamt.maps.positions import first_repeated_keys, locate

__all__ = ["MAX_BYTES", "Document", "parse", "read_bytes"]

MAX_BYTES = 256 << 20
"""Largest file that is read unless a caller says otherwise: about four million ranges."""

_LONG_NUMBER = re.compile(r"[0-9](?:_?[0-9]){4299,}")
_NESTING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[\[{]|[\]}]')


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: `syntax` is ``"toml"`` or ``"json"``; `data` its top table."""

    name: str
    text: str
    syntax: str
    data: dict[str, Any]

    def refuse(self, complaints: Complaints) -> None:
        """Raise InputErrors if there are complaints, each with its line."""
        if complaints:
            raise InputErrors(self.problems(complaints.list), complaints.omitted)

    def refuse_other_kind(self, own: str, others: Mapping[str, str]) -> None:
        """Raise one InputErrors where the file is plainly of another kind than what is wanted.

        `own` says what is wanted; `others` gives, for keys that only another kind has, that kind.
        """
        for key, kind in others.items():
            if key in self.data:
                found = f"{kind} (it has {key})"
                raise InputErrors([InputProblem(self.name, self.line((key,)), "", own, found)])

    def problems(self, complaints: Iterable[Complaint]) -> list[InputProblem]:
        """Complaints with their lines, in the order of the lines."""
        listed = list(complaints)
        wanted = {c.path for c in listed} | {c.other for c in listed if c.other is not None}
        lines = locate(self.text, self.syntax, wanted)
        made: list[InputProblem] = []
        for c in listed:
            found = c.found
            if c.other is not None:
                found += f" (line {lines[c.other]})"
            made.append(
                InputProblem(self.name, lines[c.path], spell(c.path), c.expected, found, c.hint)
            )
        return sorted(made, key=lambda problem: problem.line)

    def line(self, path: Path) -> int:
        """The line on which the value at `path` (or what holds it) stands, from 1."""
        return locate(self.text, self.syntax, {path})[path]


def read_bytes(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> tuple[bytes, str]:
    """The content of a file and the name to show for it; ``-`` is standard input.

    Raises InputErrors when it cannot be read or is larger than `max_bytes`.
    """
    name = os.fspath(path)
    try:
        if name == "-":
            name = "<stdin>"
            raw = sys.stdin.buffer.read(max_bytes + 1)
        else:
            with FilePath(name).open("rb") as stream:
                raw = stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputErrors([InputProblem(name, 0, "", "a readable file", reason)]) from None
    if len(raw) > max_bytes:
        fault = InputProblem(name, 0, "", f"a file of at most {max_bytes} bytes", "a larger one")
        raise InputErrors([fault])
    return raw, name


def parse(raw: bytes | str, name: str, what: str) -> Document:
    """A file's content as a :class:`Document`.

    JSON objects begin with a brace and TOML never does, so the content tells which it is; a name
    that ends with ``.json`` settles the rest.  `what` says what the file should be ("a machine
    file").  Raises InputErrors for all that is neither.
    """
    text = _text(raw, name, what)
    start = text.lstrip()
    if not start:
        found = "an empty file" if not text else "nothing but white space"
        raise InputErrors([InputProblem(name, 1, "", what, found)])
    if start[0] == "{" or name.lower().endswith(".json"):
        return Document(name, text, "json", _parse_json(text, name, what))
    return Document(name, text, "toml", _parse_toml(text, name))


def _text(raw: bytes | str, name: str, what: str) -> str:
    if isinstance(raw, str):
        return raw.removeprefix("\ufeff")
    try:
        return raw.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"the byte {raw[error.start]:#04x}, which is not UTF-8"
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            found = "text in UTF-16"
        raise InputErrors([InputProblem(name, line, "", f"{what} in UTF-8", found)]) from None


def _parse_toml(text: str, name: str) -> dict[str, Any]:
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        fault = InputProblem(name, error.lineno, "", "valid TOML", _lowered(str(error)))
        raise InputErrors([fault]) from None
    except (RecursionError, ValueError) as error:
        raise InputErrors([_beyond_bounds(text, name, error)]) from None


def _parse_json(text: str, name: str, what: str) -> dict[str, Any]:
    import json

    repeated = False

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        made = dict(pairs)
        if len(made) != len(pairs):
            repeated = True
        return made

    try:
        data = json.loads(text, object_pairs_hook=table)
    except json.JSONDecodeError as error:
        found = f"{_lowered(error.msg)} (at line {error.lineno}, column {error.colno})"
        raise InputErrors([InputProblem(name, error.lineno, "", "valid JSON", found)]) from None
    except (RecursionError, ValueError) as error:
        raise InputErrors([_beyond_bounds(text, name, error)]) from None
    if not isinstance(data, dict):
        raise InputErrors([InputProblem(name, 1, "", f"{what}: one JSON object", "another value")])
    if repeated:
        again, omitted = first_repeated_keys(text)
        raise InputErrors(
            (
                InputProblem(name, line, spell(path), "each key once", "the same key again")
                for path, line in again
            ),
            omitted,
        )
    return data


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _beyond_bounds(text: str, name: str, error: Exception) -> InputProblem:
    """What a parser refuses for its size: nesting, or a number with thousands of digits."""
    if isinstance(error, RecursionError):
        line = _line_of_nesting(text, 100)
        return InputProblem(name, line, "", "values nested a few levels deep", "deeper nesting")
    number = _LONG_NUMBER.search(text)
    if number is not None:
        line = text.count("\n", 0, number.start()) + 1
        found = f"a number of {len(number.group())} digits"
        return InputProblem(name, line, "", "a number of at most 20 digits", found)
    return InputProblem(name, 1, "", "a readable value", str(error)[:200])


def _line_of_nesting(text: str, levels: int) -> int:
    """The line on which `levels` brackets are first open; 1 if that never happens."""
    depth = 0
    for token in _NESTING.finditer(text):
        first = token.group()[0]
        if first in "[{":
            depth += 1
            if depth == levels:
                return text.count("\n", 0, token.start()) + 1
        elif first in "]}":
            depth -= 1
    return 1
