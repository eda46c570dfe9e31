"""Verdicts and exit codes, in one table (docs/design.md, section 7)."""

from __future__ import annotations

__all__ = ["BAD_INPUT", "EXITS", "INTERNAL", "NOT_SETTLED", "OK", "REFUTED", "TABLE", "exit_for"]

OK = 0
REFUTED = 1
BAD_INPUT = 2
NOT_SETTLED = 3
INTERNAL = 70

EXITS = {
    "OPTIMAL": OK,
    "HOLDS": OK,
    "SUCCEEDS": OK,
    "ACCEPTED": OK,
    "VALID": OK,
    "EQUAL": OK,
    "INFEASIBLE": REFUTED,
    "VIOLATED": REFUTED,
    "FAILS": REFUTED,
    "REFUSED": REFUTED,
    "INVALID": REFUTED,
    "DIFFERS": REFUTED,
    "FEASIBLE": NOT_SETTLED,
    "UNDECIDED": NOT_SETTLED,
    "HOLEY": NOT_SETTLED,
}
"""Verdict -> exit code.  FEASIBLE is 0 where a command is told to accept it."""

TABLE = """\
  0   OPTIMAL, HOLDS, SUCCEEDS, ACCEPTED, VALID, EQUAL, or done
      (also FEASIBLE with --accept feasible)
  1   INFEASIBLE, VIOLATED, FAILS, REFUSED, INVALID, DIFFERS
  2   bad input: every error as file:line, what was expected, what was found
  3   not settled: FEASIBLE, UNDECIDED, HOLEY; also after Ctrl-C
  70  internal error: two parts of pamt disagree; a bug, please report it"""
"""What ``pamt --help`` says of it."""


def exit_for(verdict: str | None, *, accept_feasible: bool = False) -> int:
    """The exit code of `verdict`; None (a command without verdicts) is 0."""
    if verdict is None or (verdict == "FEASIBLE" and accept_feasible):
        return OK
    return EXITS[verdict]
