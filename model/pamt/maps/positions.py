"""On which line does a value stand?  Asked only when something is wrong.

Parsers give plain dicts without positions, which is right for a million ranges.  Once there is a
fault, the text is walked a second time, here, for the lines of the paths in question.  The text is
known to be valid by then, so this walk only follows the structure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from pamt.maps.decode import Path
from pamt.maps.errors import MAX_PROBLEMS
from pamt.maps.positions_toml import walk_toml

__all__ = ["first_repeated_keys", "locate"]


def locate(text: str, syntax: str, wanted: Collection[Path]) -> Mapping[Path, int]:
    """The line, from 1, of each path in `wanted`.

    A key's line is that of the key; an array element's that of the element; a table's that of its
    header, or of its opening brace.  A path that is not there gets the line of the nearest thing
    around it, and the empty path line 1.
    """
    prefixes = {path[:n] for path in wanted for n in range(len(path) + 1)}
    offsets: dict[Path, int] = {(): 0}
    missing = len(prefixes) - 1
    walk = _walk_json(text) if syntax == "json" else walk_toml(text)
    for path, offset in walk:
        if path in prefixes and path not in offsets:
            offsets[path] = offset
            missing -= 1
            if not missing:
                break
    lines = _lines(text, offsets)
    found: dict[Path, int] = {}
    for path in wanted:
        near = path
        while near not in lines:
            near = near[:-1]
        found[path] = lines[near]
    return found


def _lines(text: str, offsets: Mapping[Path, int]) -> dict[Path, int]:
    lines: dict[Path, int] = {}
    line, at = 1, 0
    for path, offset in sorted(offsets.items(), key=lambda item: item[1]):
        line += text.count("\n", at, offset)
        at = offset
        lines[path] = line
    # The whole file is line 1, even when it starts with comments.
    lines[()] = 1
    return lines


def first_repeated_keys(text: str) -> tuple[list[tuple[Path, int]], int]:
    """Path and line of each JSON key that its object holds already, and how many more there are."""
    seen: set[Path] = set()
    again: list[tuple[Path, int]] = []
    omitted = 0
    for path, offset in _walk_json(text):
        if path in seen:
            if len(again) < MAX_PROBLEMS:
                again.append((path, offset))
            else:
                omitted += 1
        seen.add(path)
    lines: list[tuple[Path, int]] = []
    line, at = 1, 0
    for path, offset in again:
        line += text.count("\n", at, offset)
        at = offset
        lines.append((path, line))
    return lines, omitted


_JSON_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([\[\]{},:])|([^\s"\[\]{},:]+)')


def _walk_json(text: str) -> Iterator[tuple[Path, int]]:
    """Every key and array element of a valid JSON text, with its offset."""
    import json

    frames: list[tuple[Path, bool]] = []  # (path, whether it is an array)
    index: list[int] = []
    path: Path = ()
    at_key = False
    for token in _JSON_TOKEN.finditer(text):
        offset = token.start()
        mark = token.group(2)
        if mark in (",", ":"):
            if mark == "," and frames:
                at_key = not frames[-1][1]
                if not at_key:
                    index[-1] += 1
            continue
        if mark in ("]", "}"):
            frames.pop()
            index.pop()
            at_key = False
            continue
        if at_key:
            raw = token.group(1)
            key = json.loads(f'"{raw}"') if "\\" in raw else raw
            path = (*frames[-1][0], key)
            yield path, offset
            at_key = False
            continue
        if frames and frames[-1][1]:
            path = (*frames[-1][0], index[-1])
            yield path, offset
        if mark in ("[", "{"):
            frames.append((path if frames else (), mark == "["))
            index.append(0)
            at_key = mark == "{"
