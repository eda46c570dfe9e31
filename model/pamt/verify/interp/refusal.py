"""What the interpreter does not run: said with the place, and with what to write instead."""

from __future__ import annotations

import ast
from typing import NamedTuple

__all__ = ["Place", "Refusal"]


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


def place_of(file: str, node: ast.AST) -> Place:
    """Where `node` stands in `file`."""
    return Place(file, getattr(node, "lineno", 0))
