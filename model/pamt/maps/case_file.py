"""Case files ``NAME.pamt.toml``: one question and the answer that it must get.

    ask     = "place --space linux"
    machine = "../machines/emr-fcp-issue135.toml"     # or an inline table
    why     = "Seventeen areas are needed in the first TDMR."

    [expect]
    verdict = "INFEASIBLE"
    exit    = 1
    "relaxations.tdmrs" = "free"

The machine and the configuration are not read here: a case may be about a bad one, which is then
found when the case is judged.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from pamt.configuration import Configuration
from pamt.machine import Machine
from pamt.maps import configuration_file, machine_fields, machine_file
from pamt.maps.decode import (
    Complaints,
    Field,
    Fields,
    Kind,
    Path,
    WrongValueError,
    check_whole,
    decode_table,
    describe,
)
from pamt.maps.document import MAX_BYTES, Document, parse, read_bytes
from pamt.maps.json_path import find, matches, split_path
from pamt.maps.kinds import TEXT, integer, one_of, untouched
from pamt.maps.write import json_document

__all__ = [
    "EXITS",
    "VERDICTS",
    "Case",
    "Difference",
    "Expect",
    "Inline",
    "case_from_text",
    "read_case",
]

EXITS: Mapping[str, int] = {
    **dict.fromkeys(("OPTIMAL", "HOLDS", "SUCCEEDS", "ACCEPTED", "VALID", "EQUAL"), 0),
    **dict.fromkeys(("INFEASIBLE", "VIOLATED", "FAILS", "REFUSED", "INVALID", "DIFFERS"), 1),
    **dict.fromkeys(("FEASIBLE", "UNDECIDED", "HOLEY"), 3),
}
"""Exit code of each verdict (FEASIBLE is 0 where ``--accept feasible`` asks for it)."""

VERDICTS = tuple(EXITS)

OTHER_KINDS = {
    "cmr": "a machine file",
    "memory": "a machine file",
    "tdmr": "a configuration file",
    "claims": "a certificate",
}
"""Keys that files of other kinds have and case files do not."""


class Difference(NamedTuple):
    """One thing that a case expects and a result does not say; `found` may be MISSING."""

    path: str
    expected: object
    found: object


@dataclass(frozen=True, slots=True)
class Expect:
    """What the result of a case must hold; `values` by JSON path, beside verdict and exit."""

    verdict: str | None = None
    exit: int | None = None
    values: tuple[tuple[str, object], ...] = ()

    def differences(self, result: object) -> tuple[Difference, ...]:
        """Where `result`, the JSON result of the command, is not as expected."""
        wanted: list[tuple[str, object]] = list(self.values)
        if self.exit is not None:
            wanted.insert(0, ("exit", self.exit))
        if self.verdict is not None:
            wanted.insert(0, ("verdict", self.verdict))
        found = [(path, value, find(result, split_path(path))) for path, value in wanted]
        return tuple(Difference(p, want, got) for p, want, got in found if not matches(want, got))


@dataclass(frozen=True, slots=True)
class Inline:
    """A machine or a configuration that stands inside a case file, not yet checked."""

    key: str
    document: Document

    @property
    def table(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document.data[self.key]
        return found

    def text(self) -> str:
        """The table as a file of its own, in JSON."""
        return json_document(_spelled(self.table))

    def machine(self) -> Machine:
        """Raises InputErrors with lines of the case file."""
        complaints = Complaints()
        machine = machine_file.decode_machine(self.table, complaints, (self.key,))
        self.document.refuse(complaints)
        assert machine is not None
        return machine

    def configuration(self) -> Configuration:
        """Raises InputErrors with lines of the case file."""
        complaints = Complaints()
        made = configuration_file.decode_configuration(self.table, complaints, (self.key,))
        self.document.refuse(complaints)
        assert made is not None
        return made


@dataclass(frozen=True, slots=True)
class Case:
    """One question with its expected answer.

    `ask` is the command line, split, without the machine and the configuration; a path to a
    file counts from the case file's own folder, and is joined to it here.
    """

    name: str
    ask: tuple[str, ...]
    expect: Expect
    machine: FilePath | Inline | None = None
    configuration: FilePath | Inline | None = None
    why: str = ""

    def read_machine(self) -> Machine | None:
        """The machine, None where the case has none.  Raises InputErrors."""
        if isinstance(self.machine, Inline):
            return self.machine.machine()
        return None if self.machine is None else machine_file.read_machine(self.machine)

    def read_configuration(self) -> Configuration | None:
        """The configuration, None where the case has none.  Raises InputErrors."""
        if isinstance(self.configuration, Inline):
            return self.configuration.configuration()
        if self.configuration is None:
            return None
        return configuration_file.read_configuration(self.configuration)


NOT_ASKED = frozenset({"-h", "--help", "--json", "--output", "--quiet", "--version"})
"""Options that change what becomes of an answer, and so are not part of a question."""


def _decode_ask(value: object) -> tuple[str, ...]:
    expected = 'a command line, as "place --space linux"'
    if not isinstance(value, str):
        raise WrongValueError(((), expected, describe(value)))
    try:
        words = tuple(shlex.split(value))
    except ValueError as error:
        raise WrongValueError(((), expected, f"{describe(value)}: {error}")) from None
    if not words:
        raise WrongValueError(((), expected, describe(value)))
    for word in words:
        if word.startswith("-o") or word.partition("=")[0] in NOT_ASKED:
            found = f"{describe(value)}: a case asks for an answer in JSON and writes no file"
            raise WrongValueError(((), f"{expected}, without {word}", found))
    if words[0] == "judge":
        found = f"{describe(value)}: a case that judges cases could judge itself"
        raise WrongValueError(((), f"{expected}, of another command", found))
    return words


def _file_or(fields: Fields) -> Kind:
    schema = {"anyOf": [{"type": "string", "minLength": 1}, machine_fields.table_schema(fields)]}

    def decode(value: object) -> object:
        if (isinstance(value, str) and value) or isinstance(value, dict):
            return value
        raise WrongValueError(((), "the path of a file, or a table", describe(value)))

    return Kind(decode, schema)


EXPECT: Fields = {
    "verdict": Field(one_of(VERDICTS), says="the verdict"),
    "exit": Field(integer(0, 255), says="the exit code"),
}

TOP: Fields = {
    "format": Field(integer(1, 1), says="the version of this format: 1"),
    "ask": Field(
        Kind(_decode_ask, {"type": "string", "minLength": 1}),
        required=True,
        says="the command line without the machine and the configuration",
    ),
    "machine": Field(_file_or(machine_fields.TOP), says="path from this file, or the map itself"),
    "configuration": Field(
        _file_or(configuration_file.TOP), says="path from this file, or the configuration itself"
    ),
    "why": Field(TEXT, says="one sentence: why this is the answer"),
    "expect": Field(
        untouched(
            {
                **machine_fields.table_schema(EXPECT),
                "additionalProperties": True,
                "minProperties": 1,
            }
        ),
        required=True,
        says="verdict, exit, and any JSON path of the result with its value",
    ),
}


def read_case(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Case:
    """The case in a file.  Raises InputErrors with every problem of it.

    Faults of its machine or configuration are not among them.
    """
    raw, name = read_bytes(path, max_bytes)
    return case_from_text(raw, name)


def case_from_text(raw: bytes | str, name: str) -> Case:
    """As :func:`read_case`, from the content of a file called `name`."""
    document = parse(raw, name, "a case file")
    if "ask" not in document.data:
        document.refuse_other_kind("a case file (ask)", OTHER_KINDS)
    complaints = Complaints()
    good = decode_table(document.data, TOP, (), complaints) or {}
    check_whole(good, document.data, TOP, (), complaints)
    expect = _expect(document.data["expect"], complaints) if "expect" in good else Expect()
    document.refuse(complaints)
    folder = FilePath(name).parent
    return Case(
        name=FilePath(name).name.removesuffix(".toml").removesuffix(".pamt"),
        ask=good["ask"],
        expect=expect,
        machine=_input("machine", document, folder),
        configuration=_input("configuration", document, folder),
        why=good.get("why", ""),
    )


def _input(key: str, document: Document, folder: FilePath) -> FilePath | Inline | None:
    value = document.data.get(key)
    if value is None:
        return None
    return folder / value if isinstance(value, str) else Inline(key, document)


def _expect(value: object, complaints: Complaints) -> Expect:
    at: Path = ("expect",)
    if not isinstance(value, dict):
        complaints.add(at, "a table", describe(value))
        return Expect()
    known = {key: item for key, item in value.items() if key in EXPECT}
    good = decode_table(known, EXPECT, at, complaints) or {}
    values: list[tuple[str, object]] = []
    for key, item in value.items():
        if key in EXPECT:
            continue
        try:
            split_path(key)
        except ValueError:
            complaints.add((*at, key), "a JSON path, as tdmrs[0].reserved", describe(key))
            continue
        values += _flat(key, item)
    if not value:
        complaints.add(at, "at least one of verdict, exit, or a JSON path", "none")
    return Expect(good.get("verdict"), good.get("exit"), tuple(values))


def _flat(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Nested tables as longer paths, so that a difference names the very value."""
    plain = isinstance(value, dict) and all("." not in k and "[" not in k and k for k in value)
    if isinstance(value, dict) and value and plain:
        for key, item in value.items():
            yield from _flat(f"{path}.{key}", item)
    else:
        yield path, value


def _spelled(table: Mapping[str, Any]) -> dict[str, Any]:
    """`table` with what JSON cannot hold as strings that no field accepts.

    That is dates, infinities, and integers too long to be written in decimal.
    """

    def plain(value: object) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, int) and value.bit_length() > 128:
            return f"{value:#x}"
        if isinstance(value, str | bool | int):
            return value
        return str(value)

    return {key: plain(item) for key, item in table.items()}
