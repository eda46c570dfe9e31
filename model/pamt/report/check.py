"""The module's answer to a configuration, in words and in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pamt.configuration import LEVELS, Configuration
from pamt.machine import Machine
from pamt.module.coverage import CoverageWarning
from pamt.module.status import Status
from pamt.report.module_answer import about, condition, status_fields
from pamt.report.words import count, size_text, span_text

__all__ = ["Checked", "check_fields", "check_text"]

MOST_WARNINGS = 30


class Checked(NamedTuple):
    path: str
    configuration_path: str
    machine: Machine
    configuration: Configuration
    status: Status
    cmr_list_refused: bool
    """The status is that of SYS.INIT: SYS.CONFIG is never reached."""
    warnings: tuple[CoverageWarning, ...]

    @property
    def verdict(self) -> str:
        return "ACCEPTED" if self.status.accepted else "REFUSED"


def check_fields(checked: Checked) -> dict[str, Any]:
    return {
        **status_fields(checked.status),
        "cmr": checked.status.cmr,
        "call": "TDH.SYS.INIT" if checked.cmr_list_refused else "TDH.SYS.CONFIG",
        "warnings": [
            {
                "kind": warning.kind,
                "start": f"{warning.range.start:#x}",
                "end": f"{warning.range.end:#x}",
                "tdmr": warning.tdmr,
                "area": warning.area,
            }
            for warning in checked.warnings
        ],
    }


def check_text(checked: Checked) -> Iterator[str]:
    status = checked.status
    word = f"{status.name} ({status.status:#018x})"
    call = "TDH.SYS.INIT" if checked.cmr_list_refused else "TDH.SYS.CONFIG"
    spoken = about(status)
    yield f"{checked.verdict}: {word}" + (f": {spoken}" if spoken else "")
    yield f"Call:    {call}, {_tdmrs(checked.configuration)}"
    if status.rule is not None:
        yield f"Rule:    {status.rule}: {condition(status.rule)}"
        for line in _objects(checked):
            yield f"         {line}"
        if checked.cmr_list_refused:
            yield f"Next:    mend the CMRs of {checked.path}: SYS.CONFIG is never reached with them"
        else:
            yield f"Next:    pamt show {checked.path} {checked.configuration_path}"
    elif not checked.warnings:
        yield "Next:    nothing to do: all memory is covered"
    if checked.warnings:
        lost = sum(w.range.size for w in checked.warnings if w.kind == "uncovered")
        yield f"Warning: {size_text(lost)} of memory is left without use for guests:"
        for warning in checked.warnings[:MOST_WARNINGS]:
            where = (
                f" (area {warning.area} of TDMR {warning.tdmr})" if warning.area is not None else ""
            )
            span = f"{span_text(*warning.range)} {size_text(warning.range.size)}"
            yield f"  {warning.kind}: {span}{where}"
        if len(checked.warnings) > MOST_WARNINGS:
            yield f"  ... and {len(checked.warnings) - MOST_WARNINGS} more (all with --json)"


def _tdmrs(configuration: Configuration) -> str:
    """How many TDMRs the call speaks of, and how many there are if that is not the same."""
    given, counted = len(configuration.tdmrs), configuration.call.count
    text = count(given, "TDMR")
    return text if counted in {None, given} else f"RDX = {counted}, {text} given"


def _objects(checked: Checked) -> Iterator[str]:
    """The things that the status speaks of, with their addresses."""
    status = checked.status
    if status.cmr is not None:
        cmrs = checked.machine.cmrs or ()
        cmr = cmrs[status.cmr]
        yield f"CMR {status.cmr}: base {cmr.base:#x}, size {cmr.size:#x}" + (
            f" ({cmr.origin})" if cmr.origin else ""
        )
    tdmrs = checked.configuration.tdmrs
    for index in dict.fromkeys((status.tdmr, status.other)):
        if index is None or index >= len(tdmrs):
            continue
        tdmr = tdmrs[index]
        yield f"TDMR {index}: base {tdmr.base:#x}, size {tdmr.size:#x} ({size_text(tdmr.size)})"
        if index != status.tdmr:
            continue
        if status.level is not None:
            pamt = tdmr.pamts[LEVELS.index(status.level)]
            yield f"PAMT {status.level}: base {pamt.base:#x}, size {pamt.size:#x}"
        if status.area is not None and status.area < len(tdmr.reserved):
            area = tdmr.reserved[status.area]
            yield f"area {status.area}: offset {area.offset:#x}, size {area.size:#x}"
