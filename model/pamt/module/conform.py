"""Replay of answers recorded from the real module: every difference is a defect.

Two kinds of files, one JSON object a line: calls of TDH.SYS.CONFIG (static or dynamic PAMT), and
CMR lists given to TDH.SYS.INIT.  A line that cannot be read in full is an input error; nothing is
left out in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.machine import Cmr, Limits
from pamt.module.accept import accepts
from pamt.module.cmr import check_cmr_list
from pamt.module.config import sys_config
from pamt.module.status import Status
from pamt.module.vectors import BadVectorError, Fault, Fields, read_lines

__all__ = ["BadVectorError", "Difference", "Fault", "Replay", "replay_cmr", "replay_module"]

_Vector = TypeVar("_Vector")


class Difference(NamedTuple):
    """One field in which the recorded answer and ours differ."""

    id: str
    """Of the vector."""
    field: str
    """As in the file; ``accepts`` where the acceptance formula departs from the recorded status."""
    recorded: object
    ours: object


@dataclass(frozen=True, slots=True)
class Replay:
    """How many vectors were replayed, and what differed; iterating gives the differences."""

    count: int
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        return not self.differences

    def __iter__(self) -> Iterator[Difference]:
        return iter(self.differences)


class ModuleVector(NamedTuple):
    id: str
    cmrs: tuple[Cmr, ...]
    limits: Limits
    configuration: Configuration
    recorded: dict[str, object]
    """Fields of the answer that the line holds, as they are compared."""


class CmrVector(NamedTuple):
    id: str
    cmrs: tuple[Cmr, ...]
    limits: Limits
    recorded: dict[str, object]


def replay_module(lines: Iterable[str]) -> Replay:
    """Replay calls of TDH.SYS.CONFIG, by the ordered walk and by the acceptance formula.

    Raises BadVectorError (a ValueError) that lists every line that is not a vector.
    """
    return _replay(lines, _module_vector, _module_differences)


def replay_cmr(lines: Iterable[str]) -> Replay:
    """Replay CMR lists that TDH.SYS.INIT was given.

    Raises BadVectorError (a ValueError) that lists every line that is not a vector.
    """
    return _replay(lines, _cmr_vector, _cmr_differences)


def _replay(
    lines: Iterable[str],
    read: Callable[[Fields], _Vector],
    compare: Callable[[_Vector], list[Difference]],
) -> Replay:
    vectors = read_lines(lines, read)
    found: list[Difference] = []
    for vector in vectors:
        found += compare(vector)
    return Replay(len(vectors), tuple(found))


def _module_differences(vector: ModuleVector) -> list[Difference]:
    status = sys_config(vector.configuration, vector.cmrs, vector.limits)
    ours = answer(status)
    ours["cmrs_pass_sys_init"] = check_cmr_list(vector.cmrs, vector.limits).accepted
    found = _compare(vector.id, vector.recorded, ours)
    accepted = accepts(vector.configuration, vector.cmrs, vector.limits)
    recorded = vector.recorded["status"] == 0
    if accepted != recorded:
        found.append(Difference(vector.id, "accepts", recorded, accepted))
    return found


def _cmr_differences(vector: CmrVector) -> list[Difference]:
    status = check_cmr_list(vector.cmrs, vector.limits)
    ours: dict[str, object] = {
        "ok": status.accepted,
        "status": status.status,
        "status_name": status.name,
    }
    return _compare(vector.id, vector.recorded, ours)


def answer(status: Status) -> dict[str, object]:
    """A status under the field names of the recorded files."""
    return {
        "status": status.status,
        "status_name": status.name,
        "status_class": status.status_class,
        "details": list(status.details),
        "tdmr_idx": status.tdmr,
        "level": status.level,
        "other_idx": status.other,
        "rsvd_idx": status.area,
        "operand": status.operand,
        "model_first_rule": status.rule,
    }


def _compare(vector: str, recorded: dict[str, object], ours: dict[str, object]) -> list[Difference]:
    return [
        Difference(vector, field, value, ours[field])
        for field, value in recorded.items()
        if value != ours[field]
    ]


def _module_vector(fields: Fields) -> ModuleVector:
    capable = "dynamic_pamt" in fields.given
    limits = Limits(
        pamt_entry_size=fields.triple("pamt_entry_size"),
        # A file recorded from a module that has the feature names the field; R8 bit 16 turns it on.
        dynamic_pamt=capable,
        pamt_page_bitmap_entry_bits=(
            fields.number("pamt_4k_bitmap_bits_per_page") if capable else 1
        ),
        keyid_bits=fields.number("keyid_bits", most=51),
    )
    seamrr = fields.pair("seamrr") if "seamrr" in fields.given else (0, 0)
    call = Call(
        array_pa=fields.number("array_pa"),
        info_pa=fields.numbers("info_pa"),
        count=fields.number("num_tdmrs"),
        r8=fields.number("r8"),
        private_hkid=fields.pair("private_hkid"),
        seamrr=seamrr,
    )
    tdmrs = tuple(_tdmr(record) for record in fields.records("tdmrs"))
    read_by_call = call.count if call.count is not None and call.count <= limits.max_tdmrs else 0
    for name in ("tdmrs", "info_pa"):
        fields.at_least(name, read_by_call)
    recorded: dict[str, object] = {
        "status": fields.number("status"),
        "status_name": fields.text("status_name"),
        "details": list(fields.numbers("details", most=255)),
        "model_first_rule": fields.text_or_null("model_first_rule"),
    }
    if any(name in fields.given for name in _SPELT_OUT):
        recorded["status_class"] = fields.number("status_class")
        for name in ("tdmr_idx", "other_idx", "rsvd_idx"):
            recorded[name] = fields.number_or_null(name)
        for name in ("level", "operand"):
            recorded[name] = fields.text_or_null(name)
        recorded["cmrs_pass_sys_init"] = fields.boolean("cmrs_pass_sys_init")
    return ModuleVector(
        fields.text("id"), _cmrs(fields), limits, Configuration(tdmrs, call), recorded
    )


_SPELT_OUT = (
    "status_class",
    "tdmr_idx",
    "level",
    "other_idx",
    "rsvd_idx",
    "operand",
    "cmrs_pass_sys_init",
)
"""Fields that the static files have and the dynamic ones leave out: all of them or none."""


def _tdmr(record: Fields) -> Tdmr:
    return Tdmr(
        record.number("base"),
        record.number("size"),
        Pamt(*record.pair("pamt_4k")),
        Pamt(*record.pair("pamt_2m")),
        Pamt(*record.pair("pamt_1g")),
        tuple(Area(offset, size) for offset, size in record.pairs("reserved")),
    )


def _cmrs(fields: Fields) -> tuple[Cmr, ...]:
    return tuple(Cmr(base, size) for base, size in fields.pairs("cmrs"))


def _cmr_vector(fields: Fields) -> CmrVector:
    recorded: dict[str, object] = {
        "ok": fields.boolean("ok"),
        "status": fields.number("status"),
        "status_name": fields.text("status_name"),
    }
    limits = Limits(keyid_bits=fields.number("keyid_bits", most=51))
    return CmrVector(fields.text("id"), _cmrs(fields), limits, recorded)
