"""What a walk hands back: the rule that failed and where; the status word is made from it."""

from __future__ import annotations

from typing import NamedTuple

from pamt.module.registry import refuse
from pamt.module.status import SUCCESS, Detail, Status

__all__ = ["Finding", "to_status"]


class Finding(NamedTuple):
    """The rule that failed, and the indices it failed for; as in `pamt.module.status.Detail`."""

    rule: str
    tdmr: int | None = None
    level: int | None = None
    other: int | None = None
    area: int | None = None
    cmr: int | None = None


def to_status(finding: Finding | None) -> Status:
    """TDX_SUCCESS for None, else the status word of the rule that failed."""
    if finding is None:
        return SUCCESS
    detail = Detail(finding.tdmr, finding.level, finding.other, finding.area, None, finding.cmr)
    return refuse(finding.rule, detail)
