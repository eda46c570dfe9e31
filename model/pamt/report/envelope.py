"""What every JSON result has in common (docs/design.md, section 7).

Addresses, offsets, byte sizes and status words are hex strings; everything else is a number.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pamt import __version__
from pamt.standins import Assumption

__all__ = ["FORMAT", "InputFile", "assumption_fields", "dumps", "envelope", "tool"]

FORMAT = 1
"""Version of the JSON results; raised when a field changes its meaning or goes."""


class InputFile(NamedTuple):
    """A file that an answer rests on, by name and content."""

    name: str
    sha256: str


def envelope(
    command: str,
    *,
    verdict: str | None,
    exit_code: int,
    read: InputFile | None,
    assumptions: Iterable[Assumption],
    fields: Mapping[str, Any],
    solvers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The whole JSON result of one command; `solvers` had a part in it in another process."""
    return {
        "format": FORMAT,
        "command": command,
        "tool": tool(solvers or {}),
        "input": None if read is None else read._asdict(),
        "verdict": verdict,
        "exit": exit_code,
        "assumptions": assumption_fields(assumptions),
        **fields,
    }


def tool(elsewhere: Mapping[str, str] | None = None) -> dict[str, Any]:
    """This tool's version, and the build of each solver that the command has loaded."""
    solvers: dict[str, str] = dict(elsewhere or {})
    z3 = sys.modules.get("z3")
    if z3 is not None:
        solvers["z3"] = str(z3.get_version_string())
    cvc5 = sys.modules.get("cvc5")
    if cvc5 is not None:
        solvers["cvc5"] = str(cvc5.__version__)
    ortools = sys.modules.get("ortools")
    if ortools is not None:
        solvers["ortools"] = str(ortools.__version__)
    return {"name": "pamt", "version": __version__, "solvers": solvers}


def assumption_fields(assumptions: Iterable[Assumption]) -> list[dict[str, str]]:
    return [
        {"id": made.id, "text": made.text, "consequence": made.consequence} for made in assumptions
    ]


def dumps(result: Mapping[str, Any]) -> str:
    """A result as text: the same bytes for the same result.

    Where a string holds what a terminal must not be sent, or no UTF-8 can hold, all that is not
    ASCII is escaped.
    """
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if not text.replace("\n", "").isprintable():
        text = json.dumps(result, indent=2)
    return text + "\n"
