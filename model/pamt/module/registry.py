"""Rules by id: what fails, with which status word, at which step, and what the docstring says.

The decorator hands the function back unchanged; the registry only remembers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from pamt.module.status import CLASSES, Detail, Status, encode

__all__ = ["RULES", "Rule", "refuse", "rule"]

_Function = TypeVar("_Function", bound=Callable[..., bool])


class Rule(NamedTuple):
    """One rule; `broken` answers True when the rule fails."""

    id: str
    status: str
    """Name of the status word."""
    step: str
    """Number in the ordered list of checks of TDH.SYS.CONFIG, or the call."""
    operand: str | None
    """Register that TDX_OPERAND_INVALID names."""
    broken: Callable[..., bool]
    condition: str
    """When it fails, from the docstring."""
    says: str
    """Status and detail bytes, from the docstring."""
    source: str
    """Where it comes from, from the docstring."""


RULES: dict[str, Rule] = {}
"""In the order in which TDH.SYS.INIT and TDH.SYS.CONFIG come to them."""


def rule(
    rule_id: str, status: str, step: str, operand: str | None = None
) -> Callable[[_Function], _Function]:
    """Register a rule.

    Its docstring has three parts: when it fails, a line ``Status: ...``, a line ``Source: ...``.
    Raises ValueError for an id taken already, an unknown status, or a docstring without a part.
    """

    def register(function: _Function) -> _Function:
        if rule_id in RULES:
            raise ValueError(f"rule {rule_id} is registered twice")
        if status not in CLASSES:
            raise ValueError(f"rule {rule_id}: no status is called {status}")
        condition, says, source = _parts(rule_id, function.__doc__ or "")
        RULES[rule_id] = Rule(rule_id, status, step, operand, function, condition, says, source)
        return function

    return register


def _parts(rule_id: str, docstring: str) -> tuple[str, str, str]:
    found: dict[str, list[str]] = {"Condition": []}
    part = "Condition"
    for line in docstring.split("\n"):
        text = line.strip()
        for name in ("Status", "Source"):
            if text.startswith(f"{name}: "):
                part = name
                found[part] = []
                text = text.removeprefix(f"{name}: ")
        found[part].append(text)
    if not {"Condition", "Status", "Source"} <= set(found):
        raise ValueError(f"rule {rule_id}: its docstring must have lines Status: and Source:")
    return _joined(found["Condition"]), _joined(found["Status"]), _joined(found["Source"])


def _joined(lines: Iterable[str]) -> str:
    return " ".join(line for line in lines if line)


def refuse(rule_id: str, detail: Detail | None = None) -> Status:
    """The status word of a rule that failed.  Raises KeyError for an unknown rule."""
    failed = RULES[rule_id]
    about = detail if detail is not None else Detail()
    if failed.operand is not None:
        about = about._replace(operand=failed.operand)
    return encode(failed.status, about, rule_id)
