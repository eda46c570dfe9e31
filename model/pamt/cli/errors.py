"""What stands in for a result where there is none, told in JSON where JSON was asked for.

The text on standard error is the same with and without ``--json``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from pamt.maps.errors import InputErrors, InputProblem

__all__ = ["tell_in_json"]


def tell_in_json(
    words: Sequence[str], error: BaseException, code: int, known: Sequence[str]
) -> None:
    """Print the error as JSON to standard output if `words`, a command line, ask for JSON.

    `known`: names of commands.
    """
    if not _asks_for_json(words):
        return
    from pamt.report.envelope import FORMAT, dumps, tool

    problems, omitted = _problems(error)
    result = {
        "format": FORMAT,
        "command": next((word for word in words if word in known), None),
        "tool": tool(),
        "input": None,
        "verdict": None,
        "exit": code,
        "errors": [problem._asdict() for problem in problems],
        "omitted": omitted,
    }
    # Standard output may be what could not be written; its error has been told.
    try:
        sys.stdout.write(dumps(result))
        sys.stdout.flush()
    except OSError:
        return


def _asks_for_json(words: Sequence[str]) -> bool:
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options


def _problems(error: BaseException) -> tuple[tuple[InputProblem, ...], int]:
    if isinstance(error, InputErrors):
        return error.problems, error.omitted
    if isinstance(error, click.ClickException):
        return (InputProblem("", 0, "command line", "", error.format_message()),), 0
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        stopped = " ".join(error.args) or "interrupted"
        return (InputProblem("", 0, "", "an answer", f"{stopped}, nothing settled"),), 0
    said = f"{type(error).__name__}: {error}"
    notes = getattr(error, "__notes__", ())
    return (InputProblem("", 0, "pamt", "no defect", said, "; ".join(notes)),), 0
