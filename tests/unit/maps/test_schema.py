"""The schemas are up to date, and judge the shape of a document as the readers do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pamt.maps import schema
from pamt.maps.case_file import case_from_text
from pamt.maps.configuration_file import configuration_from_text
from pamt.maps.errors import InputErrors
from pamt.maps.machine_file import machine_from_text

FOLDER = Path(__file__).parents[3] / "specs" / "schema"


def test_the_schema_files_are_up_to_date() -> None:
    for name, text in schema.schema_texts().items():
        assert (FOLDER / name).read_text() == text, "run: python -m pamt.maps.schema"


def test_writing_the_schema_files(tmp_path: Path) -> None:
    schema.main(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == set(schema.schema_texts())


@pytest.mark.parametrize("name", ["machine", "configuration", "case"])
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(schema.schemas()[name])


def accepts(name: str, document: object) -> bool:
    return bool(Draft202012Validator(schema.schemas()[name]).is_valid(document))


def reads(name: str, document: object) -> bool:
    text = json.dumps(document)
    try:
        if name == "machine":
            machine_from_text(text)
        elif name == "configuration":
            configuration_from_text(text)
        else:
            case_from_text(text, "x.pamt.toml")
    except InputErrors:
        return False
    return True


NUMBERS: list[Any] = [
    0, 1, 2, 3, 16, 17, 32, 255, 256, 1023, 1024, 4096, 4097, 8192, 65535, 65536, -1, -4096,
    2**52 - 4096, 2**52, 2**52 + 4096, 2**63, 2**64 - 1, 2**64, 1.5, True, None, [], {}, "x", "",
    "0x", "0x0", "0x00", "0X1000", "0x1", "0x1_000", "0x10000000000000", "0x010000000000000",
    "0x10000000001000", "0xfffffffffffff000", "0xFFFFFFFFFF000", "0xffffffffffffffff",
    "0x00ffffffffffffffff", "0x10000000000000000", " 0x1000", "4096", "-0x1000",
]  # fmt: skip


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_numbers(value: Any) -> None:
    """One place of each kind.  A small integer as a hex string is more than a pattern can bound."""
    zone = {"name": "Movable", "start": value, "end": 2**52}
    documents: list[tuple[str, Any]] = [
        ("machine", {"cmr": [{"base": value, "size": 1}]}),
        ("configuration", {"tdmr": [], "call": {"r8": value}}),
        ("configuration", {"tdmr": [], "call": {"info_pa": [value]}}),
        ("configuration", {"tdmr": [], "call": {"seamrr": [0, value]}}),
    ]
    if value not in (2**52, "0x10000000000000", "0x010000000000000"):  # an empty range
        documents += [
            ("machine", {"cmr": [], "node": [{"id": 0, "zones": [zone]}]}),
            ("machine", {"cmr": [], "firmware": [{"start": value, "end": 2**52, "kind": "x"}]}),
        ]
    if not isinstance(value, str):
        documents += [
            ("machine", {"cmr": [], "format": value}),
            ("machine", {"cmr": [], "limits": {"keyid_bits": value}}),
            ("machine", {"cmr": [], "limits": {"max_tdmrs": value}}),
            ("machine", {"cmr": [], "limits": {"dynamic_pamt": value}}),
            ("machine", {"cmr": [], "limits": {"pamt_entry_size": [1, 2, value]}}),
            ("machine", {"cmr": [], "limits": {"pamt_page_bitmap_entry_bits": value}}),
            ("machine", {"cmr": [], "node": [{"id": value}]}),
            ("machine", {"cmr": [], "node": [{"id": 0, "distance": [value]}]}),
            ("case", {"ask": "show", "expect": {"exit": value}}),
        ]
    for name, document in documents:
        assert accepts(name, document) == reads(name, document), document


MEMORY = {"start": 0, "end": 4096}
TDMR = {"base": 0, "size": 0, "pamt_4k": [0, 0], "pamt_2m": [0, 0], "pamt_1g": [0, 0]}
CASE = {"ask": "show", "expect": {"exit": 0}}
SHAPES: list[tuple[str, Any, bool]] = [
    ("machine", {"memory": [MEMORY]}, True),
    ("machine", {"memory": [], "cmr": [], "free": [], "node": []}, True),
    ("machine", {"memory": [{**MEMORY, "origin": "log:3", "node": 7}]}, True),
    ("machine", {"memory": [{"start": 0}]}, False),
    ("machine", {"memory": [{**MEMORY, "nod": 0}]}, False),
    ("machine", {"memory": {}}, False),
    ("machine", {"memory": [3]}, False),
    ("machine", {"free": []}, False),
    ("machine", {"cmr": [], "name": 3}, False),
    ("machine", {"cmr": [], "assumptions": ["a", "b"]}, True),
    ("machine", {"cmr": [], "assumptions": [1]}, False),
    ("machine", {"cmr": [], "nme": "x"}, False),
    ("machine", {"cmr": [], "limits": {"max": 1}}, False),
    ("machine", {"cmr": [{"base": 0, "size": 0}] * 32}, True),
    ("machine", {"cmr": [{"base": 0, "size": 0}] * 33}, False),
    ("machine", {"cmr": [], "limits": {"pamt_entry_size": [16, 16]}}, False),
    ("machine", {"cmr": [], "node": [{"id": 0, "online": 1}]}, False),
    ("machine", {"cmr": [], "node": [{"id": 0, "fallback": []}]}, False),
    ("machine", {"cmr": [], "node": [{"id": 0, "zones": [{"name": "HighMem", **MEMORY}]}]}, False),
    ("machine", {"cmr": [], "node": [{"id": 0, "zones": [{"name": "DMA", **MEMORY}]}]}, True),
    ("machine", [], False),
    ("configuration", {"tdmr": [TDMR, {**TDMR, "reserved": [[1, 2]] * 40}]}, True),
    ("configuration", {"tdmr": [{**TDMR, "reserved": [[1]]}]}, False),
    ("configuration", {"tdmr": [{**TDMR, "reserved": [[1, 2, 3]]}]}, False),
    ("configuration", {"tdmr": [{"base": 0}]}, False),
    ("configuration", {"tdmr": [], "call": {"rcx": 1}}, False),
    ("configuration", {"call": {}}, False),
    ("case", CASE, True),
    ("case", {**CASE, "expect": {"tdmrs[0].base": "0x0", "verdict": "FAILS"}}, True),
    ("case", {**CASE, "expect": {"verdict": "FINE"}}, False),
    ("case", {**CASE, "expect": {}}, False),
    ("case", {**CASE, "machine": "m.toml", "configuration": {"tdmr": [TDMR]}}, True),
    ("case", {**CASE, "machine": 3}, False),
    ("case", {**CASE, "machine": ""}, False),
    ("case", {**CASE, "mashine": "m.toml"}, False),
    ("case", {"ask": "show"}, False),
    ("case", {"expect": {"exit": 0}}, False),
]


@pytest.mark.parametrize(("name", "document", "good"), SHAPES, ids=repr)
def test_shapes(name: str, document: Any, good: bool) -> None:
    assert accepts(name, document) is good
    assert reads(name, document) is good
