"""Where each key, table and array element of a valid TOML text begins."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pamt.maps.decode import Path

__all__ = ["walk_toml"]

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r]+|#[^\n]*)|(?P<newline>\n)"
    r'|(?P<multi>"""(?:[^"\\]|\\[\s\S]|"(?!""))*"{3,5}|' + r"'''(?:[^']|'(?!''))*'{3,5})"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*')"
    r"|(?P<mark>[\[\]{},=.])|(?P<bare>[^\s\[\]{},=.\"'#]+)"
)


def walk_toml(text: str) -> Iterator[tuple[Path, int]]:
    """Path and offset of every key, table header and array element, in the order of the text.

    A dotted key, or a header with dots, gives every path on its way down too.
    """
    entries: dict[Path, int] = {}
    base: Path = ()
    containers: list[tuple[Path, bool]] = []  # (path, whether it is an array)
    index: list[int] = []
    path: Path = ()
    parts: list[str] = []
    start = 0
    many = False
    state = "key"
    for token in _TOKEN.finditer(text):
        sort = token.lastgroup
        if sort == "blank":
            continue
        word = token.group()
        if state == "header":
            if sort in ("bare", "string"):
                parts.append(_key(word))
            elif word == "[":
                many = True
            elif word == "]" and parts:
                base = _enter(entries, parts, many)
                for n in range(1, len(base) + 1):
                    yield base[:n], start
                parts = []
            elif sort == "newline":
                state = "key"
        elif state == "key":
            if sort in ("bare", "string"):
                if not parts:
                    start = token.start()
                parts.append(_key(word))
            elif word == "=":
                around = containers[-1][0] if containers else base
                path = (*around, *parts)
                for n in range(len(around) + 1, len(path) + 1):
                    yield path[:n], start
                parts = []
                state = "value"
            elif word == "[" and not containers:
                state, many, start = "header", False, token.start()
            elif word == "}":
                containers.pop()
                index.pop()
                state = "rest"
        elif state == "value":
            if sort == "newline":
                continue
            if word == "]":
                containers.pop()
                index.pop()
                state = "rest"
                continue
            if containers and containers[-1][1]:
                path = (*containers[-1][0], index[-1])
                yield path, token.start()
            if word in ("[", "{"):
                containers.append((path, word == "["))
                index.append(0)
                state = "value" if word == "[" else "key"
            else:
                state = "rest"
        elif not containers:
            if sort == "newline":
                state = "key"
        elif word == ",":
            index[-1] += 1
            state = "value" if containers[-1][1] else "key"
        elif word in ("]", "}"):
            containers.pop()
            index.pop()


def _enter(entries: dict[Path, int], parts: list[str], many: bool) -> Path:
    """The path that a header opens; ``[[x]]`` opens the next entry of x."""
    at: Path = ()
    for n, part in enumerate(parts):
        at = (*at, part)
        if many and n == len(parts) - 1:
            entries[at] = entries.get(at, -1) + 1
        if at in entries:
            at = (*at, entries[at])
    return at


def _key(word: str) -> str:
    if word[0] == "'":
        return word[1:-1]
    if word[0] != '"':
        return word
    if "\\" not in word:
        return word[1:-1]
    import tomli

    key: str = tomli.loads(f"k = {word}")["k"]
    return key
