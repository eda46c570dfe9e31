"""Prefixes, line ends, colours: the message is what counts."""

from __future__ import annotations

import pytest

from pamt.maps.importers.lines import Source, split_boots, strip_prefix

MESSAGES = [
    "BIOS-e820: [mem 0x0000000000000000-0x000000000009efff] usable",
    "node   0: [mem 0x0000000000001000-0x000000000009efff]",
    "virt/tdx: CMR: [0x100000, 0x6f800000)",
    "ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x7fffffff]",
    "Normal   [mem 0x0000000100000000-0x0000007c7fffffff]",
    "00100000-cfffffff : System RAM",
    "0:  10  21",
    "0x0000000000000000-0x000000007fffffff    2G online       yes      0",
    "/sys/devices/system/node/node0/distance:10 21",
]
PREFIXES = [
    "",
    "  ",
    "[    0.000000] ",
    "[    0.000000][    T0] ",
    "[..] ",
    "[Mon Nov 20 10:00:00 2023] ",
    "<6>[    1.630945] ",
    "<6>",
    "6,339,5140900,-;",
    "6,339,5140900,-,caller=T0;",
    "Nov 20 10:00:00 host kernel: ",
    "Nov 20 10:00:00 host kernel: [    0.000000] ",
    "2024-11-20T10:00:00.123456+00:00 host kernel: ",
    "2024-11-20T10:00:00+0000 host kernel[1]: ",
    "kern  :info  : [    0.000000] ",
    "> [    0.000000] ",
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("message", MESSAGES)
def test_prefixes_go_and_the_message_stays(prefix: str, message: str):
    assert strip_prefix(prefix + message + "\r") == message


def test_colours_go():
    source = Source("log", "\x1b[32m[    0.000000] \x1b[0m\x1b[33mBIOS-e820: \x1b[0m[mem x] usable")
    (line,) = source.lines(("BIOS-e820: ",))
    assert line.text == "BIOS-e820: [mem x] usable"


def test_line_numbers_run_through_all_boots():
    boot = "[ 0.0] Linux version 6.8\n[ 0.0] BIOS-e820: [mem 0x0000000000000000-0x1] usable\n"
    first, second = split_boots("log", "junk\n" + boot + boot)
    assert [x.place.line for x in first.lines(("BIOS",))] == [3]
    assert [x.place.line for x in second.lines(("BIOS",))] == [5]


def test_a_table_printed_again_is_another_boot():
    table = "BIOS-e820: [mem 0x0000000000000000-0x1] usable\nBIOS-e820: [mem 0x2-0x3] usable\n"
    assert [s.first_line for s in split_boots("log", table * 3)] == [1, 3, 5]
