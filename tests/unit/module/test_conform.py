"""The replayer: a changed recording shows as a difference, a broken line as an input error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pamt.module import conform
from pamt.module.conform import BadVectorError, Difference, replay_cmr, replay_module
from pamt.module.status import decode

DATA = Path(__file__).parents[2] / "conformance" / "data"
MODULE = (DATA / "module.jsonl").read_text().split("\n")
DYNAMIC = (DATA / "module_dpamt.jsonl").read_text().split("\n")
CMR = (DATA / "cmr.jsonl").read_text().split("\n")

ACCEPTED = next(line for line in MODULE if '"TDX_SUCCESS"' in line)
REFUSED = next(line for line in MODULE if '"TDX_PAMT_OVERLAP"' in line)
STATUS = decode(int(json.loads(REFUSED)["status"], 16))._replace(
    rule=json.loads(REFUSED)["model_first_rule"]
)


def changed(line: str, **fields: Any) -> str:
    record = json.loads(line)
    record.update(fields)
    return json.dumps(record)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", 5),
        ("status", "0x5"),
        ("status_name", "TDX_SYS_BUSY"),
        ("status_class", "0xc0000a0000000000"),
        ("details", [1, 2, 3, 4]),
        ("tdmr_idx", 63),
        ("level", "none"),
        ("other_idx", None),
        ("rsvd_idx", 3),
        ("operand", "RCX"),
        ("model_first_rule", "T_WRAP"),
        ("cmrs_pass_sys_init", False),
    ],
)
def test_each_field_of_the_answer_is_compared(field: str, value: Any) -> None:
    replay = replay_module([ACCEPTED, changed(REFUSED, **{field: value})])
    assert replay.count == 2
    assert not replay.equal
    (found,) = replay
    assert (found.id, found.field) == (json.loads(REFUSED)["id"], field)
    assert found.recorded == (int(value, 16) if str(value).startswith("0x") else value)
    assert found.ours == conform.answer(STATUS).get(field, True)


def test_the_formula_is_replayed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conform, "accepts", lambda *_: True)
    name = json.loads(REFUSED)["id"]
    assert list(replay_module([REFUSED])) == [Difference(name, "accepts", False, True)]


def test_cmr_fields_are_compared() -> None:
    line = next(line for line in CMR if '"ok":true' in line)
    wrong = changed(line, ok=False, status="0xc0000a2200000000", status_name="TDX_NO")
    found = [(d.field, d.recorded, d.ours) for d in replay_cmr([wrong])]
    assert found == [
        ("ok", False, True),
        ("status", 0xC0000A2200000000, 0),
        ("status_name", "TDX_NO", "TDX_SUCCESS"),
    ]


def test_numbers_beyond_a_double_are_exact() -> None:
    line = changed(ACCEPTED, array_pa=(1 << 64) - 1)
    assert [d.ours for d in replay_module([line]) if d.field == "status"] == [0xC000010000000001]


def faults(line: str) -> list[str]:
    with pytest.raises(BadVectorError) as caught:
        replay_module([ACCEPTED, line])
    assert {fault.line for fault in caught.value.faults} == {2}
    return [fault.text for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        (
            {"num_tdmrs": -1},
            "num_tdmrs: expected an integer from 0 to 0xffffffffffffffff, found -1",
        ),
        ({"array_pa": 1 << 64}, "array_pa: expected an integer from 0 to 0xffffffffffffffff"),
        ({"array_pa": 1.0}, "array_pa: expected an integer"),
        ({"array_pa": True}, "array_pa: expected an integer"),
        ({"array_pa": "12"}, "array_pa: expected an integer"),
        ({"r8": "0xzz"}, "r8: invalid literal"),
        ({"keyid_bits": 52}, "keyid_bits: expected an integer from 0 to 0x33, found 52"),
        ({"cmrs": [[1]]}, "cmrs: expected a list of 2, found [1]"),
        ({"cmrs": {}}, "cmrs: expected a list, found {}"),
        ({"pamt_entry_size": [16, 16]}, "pamt_entry_size: expected a list of 3"),
        ({"details": [256]}, "details: expected an integer from 0 to 0xff, found 256"),
        ({"tdmrs": [7]}, "tdmrs: expected an object, found 7"),
        ({"tdmrs": [{"base": 0}]}, "tdmrs[0].size is missing"),
        ({"status_name": 3}, "status_name: expected a string, found 3"),
        ({"model_first_rule": 3}, "model_first_rule: expected a string, found 3"),
        ({"cmrs_pass_sys_init": 1}, "cmrs_pass_sys_init: expected true or false, found 1"),
        ({"info_pa": []}, "info_pa: expected 8 items, found 0"),
        ({"tdmrs": []}, "tdmrs: expected 8 items, found 0"),
    ],
)
def test_a_field_that_cannot_be_read(fields: dict[str, Any], wanted: str) -> None:
    found = faults(changed(ACCEPTED, id="other", **fields))
    assert any(text.startswith(wanted) for text in found), found


@pytest.mark.parametrize(
    "name",
    ["id", "cmrs", "tdmrs", "status", "details", "level", "status_class", "r8", "keyid_bits"],
)
def test_a_field_that_is_missing(name: str) -> None:
    record = json.loads(changed(ACCEPTED, id="other"))
    del record[name]
    assert faults(json.dumps(record)) == [f"{name} is missing"]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", '{"id": NaN}', '{"id": "a", "id": "b"}', "[" * 100_000]
)
def test_a_line_that_is_no_vector(line: str) -> None:
    with pytest.raises(BadVectorError) as caught:
        replay_module([line, ACCEPTED])
    assert {fault.line for fault in caught.value.faults} == {1}


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadVectorError) as caught:
        replay_module(["{", ACCEPTED, changed(ACCEPTED, id="b", r8=-1, keyid_bits="x"), ACCEPTED])
    assert [fault.line for fault in caught.value.faults] == [1, 3, 3, 4]
    assert caught.value.faults[0].text.startswith("what is not a JSON object (column 2: ")
    assert str(caught.value).split("\n")[-1].startswith("line 4: id ")


@pytest.mark.parametrize("lines", [[], [""], ["", "  "]])
def test_a_file_without_vectors(lines: list[str]) -> None:
    with pytest.raises(BadVectorError, match="no line"):
        replay_cmr(lines)


def test_fields_that_the_dynamic_files_leave_out() -> None:
    line = next(line for line in DYNAMIC if line)
    assert replay_module([line, "", "\n"]).equal
    assert faults(changed(line, level=None)) == [
        f"{name} is missing"
        for name in (
            "status_class",
            "tdmr_idx",
            "other_idx",
            "rsvd_idx",
            "operand",
            "cmrs_pass_sys_init",
        )
    ]
    without = json.loads(line)
    del without["pamt_4k_bitmap_bits_per_page"]
    assert faults(json.dumps(without)) == ["pamt_4k_bitmap_bits_per_page is missing"]
