"""The module's answer in words and in JSON: status word, rule, and what it speaks of."""

from __future__ import annotations

from typing import Any

from pamt.module.registry import RULES
from pamt.module.status import Status

__all__ = ["about", "status_fields", "status_text"]


def status_fields(status: Status) -> dict[str, Any]:
    """The fields of `check` in JSON; null where one does not apply."""
    return {
        "status": f"{status.status:#x}",
        "status_name": status.name,
        "rule": status.rule,
        "tdmr": status.tdmr,
        "level": status.level,
        "other": status.other,
        "area": status.area,
        "operand": status.operand,
    }


def status_text(status: Status) -> str:
    """``TDX_PAMT_OVERLAP (0xc0000a1200000102), rule PA_AVAIL: TDMR 2, level 4k, ...``."""
    text = f"{status.name} ({status.status:#018x})"
    if status.rule is not None:
        text += f", rule {status.rule}"
    spoken = about(status)
    return f"{text}: {spoken}" if spoken else text


def about(status: Status) -> str:
    """What the status speaks of: TDMR, level, the other TDMR, area, operand, CMR."""
    parts: list[str] = []
    if status.tdmr is not None:
        parts.append(f"TDMR {status.tdmr}")
    if status.level is not None:
        parts.append(f"PAMT level {status.level}")
    if status.other is not None:
        parts.append(f"against TDMR {status.other}")
    if status.area is not None:
        parts.append(f"reserved area {status.area}")
    if status.operand is not None:
        parts.append(f"operand {status.operand}")
    if status.cmr is not None:
        parts.append(f"CMR {status.cmr}")
    return ", ".join(parts)


def condition(rule_id: str) -> str:
    """When the rule fails, as its docstring says."""
    return RULES[rule_id].condition
