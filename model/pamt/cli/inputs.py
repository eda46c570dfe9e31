"""Files that commands read: machines, with what stands in for what they leave out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pamt.machine import Machine
from pamt.report.envelope import InputFile
from pamt.standins import Completed, complete

if TYPE_CHECKING:
    from pamt.maps.errors import InputErrors

__all__ = ["LoadedMachine", "digest", "load_machine"]


class LoadedMachine(NamedTuple):
    """A machine file as read, and completed with stand-ins."""

    path: str
    raw: Machine
    completed: Completed
    file: InputFile

    @property
    def machine(self) -> Machine:
        """The completed machine."""
        return self.completed.machine

    @property
    def name(self) -> str:
        return self.raw.name or Path(self.path).name


def digest(name: str, content: bytes) -> InputFile:
    from hashlib import sha256

    return InputFile(name, sha256(content).hexdigest())


def load_machine(path: str, *, any_cmrs: bool = False) -> LoadedMachine:
    """Read a machine file (``-``: standard input) and fill in what it leaves out.

    A CMR list that the module would refuse at SYS.INIT is bad input, unless `any_cmrs`.
    Raises InputErrors.
    """
    from pamt.maps.document import read_bytes
    from pamt.maps.errors import InputErrors
    from pamt.maps.machine_file import machine_from_text

    content, name = read_bytes(path)
    try:
        machine = machine_from_text(content, name)
    except InputErrors as errors:
        if not any_cmrs:
            _add_bad_cmrs(errors, content, name)
        raise
    if machine.cmrs is not None and not any_cmrs:
        _refuse_bad_cmrs(machine, content, name)
    return LoadedMachine(path, machine, complete(machine), digest(name, content))


def _add_bad_cmrs(errors: InputErrors, content: bytes, name: str) -> None:
    """Refuse, with what is wrong elsewhere in the file, a CMR list that can be read by itself.

    Raises InputErrors with both; returns where there is nothing to add.
    """
    from pamt.maps.decode import Complaints
    from pamt.maps.document import parse
    from pamt.maps.errors import InputErrors
    from pamt.maps.machine_file import decode_machine

    try:
        data = parse(content, name, "a machine file").data
    except InputErrors:
        return
    machine = decode_machine(
        {key: data[key] for key in ("cmr", "limits") if key in data}, Complaints()
    )
    if machine is None or machine.cmrs is None:
        return
    try:
        _refuse_bad_cmrs(machine, content, name)
    except InputErrors as more:
        both = sorted((*errors.problems, *more.problems), key=lambda problem: problem.line)
        raise InputErrors(both, errors.omitted) from None


def _refuse_bad_cmrs(machine: Machine, content: bytes, name: str) -> None:
    from pamt.module.cmr import check_cmr_list

    assert machine.cmrs is not None
    status = check_cmr_list(machine.cmrs, machine.limits)
    if status.accepted:
        return
    from pamt.maps.decode import Complaints
    from pamt.maps.document import parse

    at = status.cmr if status.cmr is not None else 0
    cmr = machine.cmrs[at]
    complaints = Complaints()
    complaints.add(
        ("cmr", at),
        "a CMR list that TDH.SYS.INIT takes",
        f"base {cmr.base:#x}, size {cmr.size:#x}:"
        f" {status.name} ({status.status:#018x}), rule {status.rule}",
    )
    parse(content, name, "a machine file").refuse(complaints)
