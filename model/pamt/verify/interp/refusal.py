"""What the interpreter does not run: said with the place, and with what to write instead."""

from __future__ import annotations

import ast
import inspect
from typing import NamedTuple

__all__ = ["Place", "Refusal", "ended_by", "place_of", "place_of_function"]


class Place(NamedTuple):
    """A source line."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Refusal(Exception):
    """A construct outside of the language subset.

    `place` is where it stands, `what` names it, `instead` says what to write.
    """

    def __init__(self, place: Place, what: str, instead: str) -> None:
        super().__init__(f"{place}: {what}; {instead}")
        self.place = place
        self.what = what
        self.instead = instead

    def __reduce__(self) -> tuple[type[Refusal], tuple[Place, str, str]]:
        # It may come out of another process.
        return Refusal, (self.place, self.what, self.instead)


def place_of_function(function: object) -> Place:
    """Where a function begins."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return Place(str(function), 0) if code is None else Place(code.co_filename, code.co_firstlineno)


def ended_by(error: BaseException, at: Place) -> Refusal:
    """For what is no Exception, SystemExit above all: a user's function may not end pamt."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename == at.file and frame.lineno]
    place = Place(at.file, inside[-1].lineno or at.line) if inside else at
    said = f"{type(error).__name__}: {error}"
    return Refusal(place, f"raises {said}", "return, or raise an Exception")


def place_of(file: str, node: ast.AST) -> Place:
    """Where `node` stands in `file`."""
    return Place(file, getattr(node, "lineno", 0))
