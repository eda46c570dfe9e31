"""Paths into a JSON result, as ``tdmrs[0].reserved`` or ``tdmrs.0.reserved``, and what is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["MISSING", "Missing", "find", "matches", "split_path"]


class Missing:
    """Nothing stands at a path."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = Missing()

_STEP = re.compile(r"\[(0|[1-9][0-9]*)\]|(?:^|\.)([^.\[\]]+)")


def split_path(text: str) -> tuple[str | int, ...]:
    """The steps of a path; a leading ``$.`` is allowed.

    Raises ValueError when `text` is no path.
    """
    rest = text.removeprefix("$.")
    steps: list[str | int] = []
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None or (step.group(2) and (rest[at] == ".") != (at > 0)):
            raise ValueError(f"no JSON path: {text!r}")
        steps.append(int(step.group(1)) if step.group(1) else step.group(2))
        at = step.end()
    if not steps:
        raise ValueError(f"no JSON path: {text!r}")
    return tuple(steps)


def find(result: object, path: tuple[str | int, ...]) -> object:
    """The value at `path` of a JSON value, or MISSING.

    A number counts into an array, also when it is written as a name.
    """
    at = result
    for step in path:
        if isinstance(at, Mapping):
            at = at.get(str(step), MISSING)
        elif isinstance(at, list | tuple):
            index = int(step) if str(step).isdecimal() else len(at)
            at = at[index] if index < len(at) else MISSING
        else:
            return MISSING
    return at


def matches(expected: object, found: object) -> bool:
    """Whether `found` is what was expected.

    A table matches when each of its keys does, an array when it has the same length and each
    element matches.  An integer matches the hex string that a result spells it as.
    """
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and matches(value, found[key]) for key, value in expected.items()
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(found, list | tuple)
            and len(expected) == len(found)
            and all(matches(e, f) for e, f in zip(expected, found, strict=True))
        )
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    return _plain(expected) == _plain(found)


def _plain(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"0[xX][0-9a-fA-F]+", value):
        return int(value, 16)
    return value
