"""Bad input as typed data: where it stands, what was expected there, what was found.

A reader never stops at the first fault.  It gathers every one and raises them together, so that a
file is mended in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

__all__ = ["MAX_PROBLEMS", "InputErrors", "InputProblem", "gather"]

MAX_PROBLEMS = 10_000
"""Problems kept of one file; the rest are only counted, so that memory stays bounded."""


class InputProblem(NamedTuple):
    """One fault of one file.

    `line` counts from 1; 0 where a line makes no sense (an unreadable or a binary file).
    `what` names the key or object, as ``memory[3].end``; empty for the file as a whole.
    """

    file: str
    line: int
    what: str
    expected: str
    found: str
    hint: str = ""
    """What to try, as ``did you mean "end"?``; may be empty."""

    @property
    def where(self) -> str:
        file = self.file if self.file.isprintable() else ascii(self.file)
        return f"{file}:{self.line}" if self.line else file

    def __str__(self) -> str:
        what = f"{self.what}: " if self.what else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {what}expected {self.expected}, found {self.found}{hint}"


class InputErrors(Exception):
    """Every problem of the files read, in the order of the files and of their lines.

    ``str()`` gives one line for each problem.  `omitted` counts those left out beyond
    :data:`MAX_PROBLEMS`.
    """

    def __init__(self, problems: Iterable[InputProblem], omitted: int = 0) -> None:
        self.problems = tuple(problems)
        self.omitted = omitted
        super().__init__(self.problems, omitted)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.omitted:
            lines.append(f"{self.omitted} more problems are not listed")
        return "\n".join(lines)


def gather(*readers: Callable[[], Any]) -> tuple[Any, ...]:
    """Call every reader, and answer what they return.

    Raises InputErrors with the problems of all of them when at least one raises InputErrors.
    """
    results: list[Any] = []
    problems: list[InputProblem] = []
    omitted = 0
    for reader in readers:
        try:
            results.append(reader())
        except InputErrors as error:
            problems += error.problems
            omitted += error.omitted
    if problems:
        raise InputErrors(problems, omitted)
    return tuple(results)
