"""Ctrl-C while z3 runs."""

from __future__ import annotations

from typing import Any

__all__ = ["reason_unknown"]


def reason_unknown(solver: Any) -> str:
    """Why a z3 solver gave up.

    While z3 runs it catches Ctrl-C itself and just answers `unknown`, so that a loop over many
    questions would go on.  Raises KeyboardInterrupt in that case, as Python would have.
    """
    reason = str(solver.reason_unknown())
    if reason == "interrupted from keyboard":
        raise KeyboardInterrupt
    return reason
