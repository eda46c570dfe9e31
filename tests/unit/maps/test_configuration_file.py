"""Configuration files: everything is data, only its shape is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.maps.configuration_file import (
    configuration_from_text,
    dump_configuration,
    read_configuration,
)
from pamt.maps.errors import InputErrors
from pamt.maps.machine_file import machine_from_text
from pamt.maps.tdmr_info import write_tdmr_info

SAMPLE = """\
format = 1

[[tdmr]]
base = 0x0
size = 0x80000000
pamt_4k = [0x100000, 0x800000]
pamt_2m = [0x900000, "0x4000"]
pamt_1g = [0xffffffffffffffff, 1]
reserved = [[0x0, 0x100000], [0, 0]]
[[tdmr]]
base = 1
size = 0
pamt_4k = [0, 0]
pamt_2m = [0, 0]
pamt_1g = [0, 0]

[call]
array_pa = 0x10000000
info_pa = [0x10010000, 0x10010200]
count = 3
r8 = 0x10020
private_hkid = [32, 63]
seamrr = [0, 0]
"""

PARSED = Configuration(
    (
        Tdmr(
            0,
            0x80000000,
            Pamt(0x100000, 0x800000),
            Pamt(0x900000, 0x4000),
            Pamt(2**64 - 1, 1),
            (Area(0, 0x100000), Area(0, 0)),
        ),
        Tdmr(1, 0, Pamt(0, 0), Pamt(0, 0), Pamt(0, 0)),
    ),
    Call(0x10000000, (0x10010000, 0x10010200), 3, 0x10020, (32, 63), (0, 0)),
)


def test_everything_that_a_file_can_say() -> None:
    assert configuration_from_text(SAMPLE) == PARSED


def test_the_call_may_be_left_out() -> None:
    assert configuration_from_text("tdmr = []") == Configuration(())
    assert configuration_from_text('{"tdmr": [], "call": {}}') == Configuration(())


def test_more_areas_than_the_module_has_are_data() -> None:
    entry = SAMPLE.replace("[0, 0]]", ", ".join(["[0, 0]"] * 99) + "]", 1)
    assert len(configuration_from_text(entry).tdmrs[0].reserved) == 100


def test_the_content_tells_the_format(tmp_path: Path) -> None:
    path = tmp_path / "configuration"
    bare = Configuration(PARSED.tdmrs[1:])
    for content in (
        dump_configuration(bare).encode(),
        dump_configuration(bare, "json").encode(),
        write_tdmr_info(bare),
    ):
        path.write_bytes(content)
        assert read_configuration(path) == bare


def faults(text: str) -> list[tuple[int, str, str, str]]:
    with pytest.raises(InputErrors) as caught:
        configuration_from_text(text, "c")
    return [(p.line, p.what, p.expected, p.found) for p in caught.value.problems]


U64 = "an integer or hex string from 0 to 0xffffffffffffffff"


def test_every_fault_is_told_at_once() -> None:
    text = SAMPLE.replace("[0x900000,", "[-1,").replace("[0, 0]]\n", "[0, 0, 0],\n 7]\n", 1)
    text = text.replace("size = 0\n", "sise = 0\n").replace("count = 3", "count = true")
    assert faults(text) == [
        (7, "tdmr[0].pamt_2m[0]", U64, "-1"),
        (9, "tdmr[0].reserved[1]", "an array of 2 integers", "an array of 3"),
        (10, "tdmr[0].reserved[2]", "an array of 2 integers", "7"),
        (11, "tdmr[1]", "the key size", "only base, sise, pamt_4k, pamt_2m, pamt_1g"),
        (
            13,
            "tdmr[1].sise",
            "one of the keys base, size, pamt_4k, pamt_2m, pamt_1g, reserved",
            "the key sise",
        ),
        (21, "call.count", U64, "true"),
    ]


def test_a_file_says_tdmr() -> None:
    assert faults("format = 1")[0][1:3] == ("", "the key tdmr ([[tdmr]] tables, or tdmr = [])")
    assert faults("tdmr = 1") == [(1, "tdmr", "an array of tables", "1")]
    assert faults("")[0][3] == "an empty file"


def test_a_machine_file_is_named_as_one() -> None:
    with pytest.raises(InputErrors) as caught:
        configuration_from_text(b'name = "x"\n\n[[cmr]]\nbase = 0\nsize = 0\n', "m.toml")
    (fault,) = caught.value.problems
    assert (fault.line, fault.found) == (3, "a machine file (it has cmr)")


def test_a_configuration_file_is_named_as_one() -> None:
    with pytest.raises(InputErrors) as caught:
        machine_from_text("format = 1\n[[tdmr]]\nbase = 0\n", "c.toml")
    (fault,) = caught.value.problems
    assert (fault.line, fault.found) == (2, "a configuration file (it has tdmr)")
