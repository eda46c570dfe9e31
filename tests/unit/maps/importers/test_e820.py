"""From the e820 table to memory, rule by rule."""

from __future__ import annotations

import pytest

from pamt.maps.errors import InputErrors
from pamt.maps.importers import Imported, ImportOptions, import_files

TABLE = """\
BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable
BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable
BIOS-e820: [mem 0x0000000040000000-0x0000000040000fff] reserved
BIOS-e820: [mem 0x0000000100000000-0x00000004ffffffff] usable
"""
CMR = "virt/tdx: CMR: [0x100000, 0x40000000)\nvirt/tdx: CMR: [0x100000000, 0x900000000)\n"


def read(text: str, **options: object) -> Imported:
    return import_files([("log", text)], ImportOptions(**options))


def memory(text: str, **options: object) -> list[tuple[int, int]]:
    return [(r.start, r.end) for r in read(text, **options).machine.memory]


LOW = (0x1000, 0x9F000)
MIDDLE = (0x100000, 0x40000000)
HIGH = (0x100000000, 0x500000000)


def test_page_0_and_the_bios_hole_go_even_without_lines_that_say_so():
    table = TABLE.replace("9fbff", "fffff")
    assert memory(table) == [(0x1000, 0xA0000), MIDDLE, HIGH]
    notes = [note.text for note in read(table).notes]
    assert any("page 0" in note and "every boot" in note for note in notes)


def test_partial_pages_are_cut_inward():
    assert memory(TABLE)[0] == LOW


def test_only_ram_is_memory():
    for name in ("reserved", "soft reserved", "ACPI data", "persistent (type 12)", "type 20"):
        table = TABLE + f"BIOS-e820: [mem 0x0000000500000000-0x00000005ffffffff] {name}\n"
        assert memory(table) == [LOW, MIDDLE, HIGH]


def test_touching_ram_is_one_range():
    table = TABLE + "BIOS-e820: [mem 0x0000000500000000-0x00000005ffffffff] usable\n"
    assert memory(table)[-1] == (0x100000000, 0x600000000)


def test_wording_of_2026():
    table = """\
BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff]  639   KB System RAM
BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff]    1   KB device reserved
BIOS-e820: [gap 0x00000000000a0000-0x00000000000fffff]  384   KB ...
BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] 1023   MB System RAM
BIOS-e820: [mem 0x0000000100000000-0x00000004ffffffff]   16   GB kernel usable RAM
"""
    assert memory(table) == [LOW, MIDDLE, HIGH]


def test_the_users_map_replaces_the_firmwares():
    table = TABLE + (
        "e820: remove [mem 0x500000000-0xfffffffffffffffe] usable\n"
        "user-defined physical RAM map:\n"
        "user: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
        "user: [mem 0x0000000000100000-0x000000002fffffff] usable\n"
        "user: [mem 0x0000000030000000-0x0000000030000fff] reserved\n"
        "user: [mem 0x0000000030001000-0x000000003fffffff] usable\n"
    )
    assert memory(table) == [LOW, (0x100000, 0x30000000), (0x30001000, 0x40000000)]


def test_a_change_without_a_dated_line_is_late_by_assumption():
    text = TABLE + (
        "e820: update [mem 0x00000000-0x00000fff] usable ==> reserved\n"
        "e820: remove [mem 0x000a0000-0x000fffff] usable\n"
        "e820: update [mem 0x20000000-0x20000fff] usable ==> reserved\n"
    )
    assert memory(text) == [LOW, MIDDLE, HIGH]
    assert any("does not show when" in a for a in read(text).assumptions)


def test_the_cut_that_the_mtrrs_ask_for_counts():
    text = TABLE + (
        "e820: remove [mem 0x000a0000-0x000fffff] usable\n"
        "WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing 16MB of RAM.\n"
        "e820: update [mem 0x3f000000-0x3fffffff] usable ==> reserved\n"
    )
    assert memory(text) == [LOW, (0x100000, 0x3F000000), HIGH]


def test_the_srat_splits_memory_and_fills_gaps_of_one_node():
    srat = (
        "ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x1fffffff]\n"
        "ACPI: SRAT: Node 0 PXM 0 [mem 0x30000000-0x2ffffffff]\n"
        "ACPI: SRAT: Node 1 PXM 1 [mem 0x300000000-0x8ffffffff] hotplug\n"
    )
    made = read(TABLE + srat).machine
    assert [r[:3] for r in made.memory] == [
        (*LOW, 0),
        (*MIDDLE, 0),
        (0x100000000, 0x300000000, 0),
        (0x300000000, 0x500000000, 1),
    ]


def test_a_srat_that_leaves_memory_out_is_dropped_as_linux_does():
    srat = "ACPI: SRAT: Node 1 PXM 1 [mem 0x100000000-0x4ffffffff]\n"
    made = read(TABLE + srat)
    assert {r.node for r in made.machine.memory} == {0}
    assert any("uncovered" in a and "log:1" in a for a in made.assumptions)


def test_a_little_uncovered_memory_is_node_0():
    srat = "ACPI: SRAT: Node 1 PXM 1 [mem 0x00100000-0x4ffffffff]\n"
    made = read(TABLE + srat)
    assert [r.node for r in made.machine.memory] == [0, 1, 1]
    assert any("in no SRAT block" in a for a in made.assumptions)


def test_overlapping_nodes_end_on_node_0():
    srat = (
        "ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x3ffffffff]\n"
        "ACPI: SRAT: Node 1 PXM 1 [mem 0x200000000-0x4ffffffff]\n"
    )
    made = read(TABLE + srat)
    assert {r.node for r in made.machine.memory} == {0}
    assert [c.subject for c in made.conflicts] == ["SRAT blocks"]


def test_a_hotplug_flag_inside_a_node_is_a_border():
    srat = (
        "ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x2ffffffff]\n"
        "ACPI: SRAT: Node 0 PXM 0 [mem 0x300000000-0x4ffffffff] hotplug\n"
    )
    made = read(TABLE + srat)
    assert [r[:2] for r in made.machine.memory] == [
        LOW,
        MIDDLE,
        (0x100000000, 0x300000000),
        (0x300000000, 0x500000000),
    ]
    assert any("hot-plug" in a for a in made.assumptions)


def test_fill_from_cmr_begins_where_the_table_ends():
    made = read(TABLE + CMR, fill_from_cmr=True)
    assert [(r.start, r.end) for r in made.machine.memory][-1] == (0x100000000, 0x900000000)
    assert any("taken as memory" in a for a in made.assumptions)
    plain = read(TABLE + CMR)
    assert [(r.start, r.end) for r in plain.machine.memory][-1] == HIGH
    assert any("not memory here" in a for a in plain.assumptions)


def test_fill_from_cmr_needs_cmrs():
    with pytest.raises(InputErrors, match="CMR"):
        read(TABLE, fill_from_cmr=True)


CUT = [
    ("BIOS-e820: [mem 0x0000000500000000-0x0000", "BIOS-e820"),
    ("BIOS-e820: [mem 0x0000000500000000-0x00000005ffffffff]", "BIOS-e820"),
    ("BIOS-e820: [mem 0x0000000500000000-0x00000005ffffffff] usab", "BIOS-e820"),
    ("BIOS-e820: [mem 0x0000000500000000-0x00000004ffffff0f] usable", "BIOS-e820"),
    ("e820: update [mem 0x20000000-0x20000fff] usable ==", "e820 change"),
    ("virt/tdx: CMR: [0x100000000, 0x9000", "CMR"),
    ("ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x7ff", "SRAT"),
    ("  node   0: [mem 0x0000000000100000-0x0000", "Early memory node ranges"),
]


@pytest.mark.parametrize(("line", "kind"), CUT)
def test_a_cut_line_that_is_needed_is_an_error_at_its_line(line: str, kind: str):
    srat = "ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x8ffffffff]\n" if "SRAT" in line else ""
    with pytest.raises(InputErrors) as caught:
        read(TABLE + srat + line)
    (problem,) = caught.value.problems
    assert problem.line == len((TABLE + srat).splitlines()) + 1
    assert problem.what == kind
    assert problem.found == line.strip()


def test_a_cut_line_that_is_not_needed_is_reported():
    early = "  node   0: [mem 0x0000000000100000-0x000000003fffffff]\n"
    made = read(TABLE + early + "BIOS-e820: [mem 0x000000050000")
    assert [u.kind for u in made.unread] == ["BIOS-e820"]


def test_overlapping_entries_are_no_table_of_linux():
    bad = TABLE + "BIOS-e820: [mem 0x0000000200000000-0x00000002ffffffff] reserved\n"
    with pytest.raises(InputErrors) as caught:
        read(bad)
    assert "do not overlap" in str(caught.value)


def test_all_problems_at_once():
    with pytest.raises(InputErrors) as caught:
        read(
            TABLE
            + "BIOS-e820: [mem 0x00\nvirt/tdx: CMR: [0x1\nBIOS-e820: [mem 0x0000000500000000\n"
        )
    assert [p.line for p in caught.value.problems] == [5, 6, 7]


def test_more_than_32_cmrs():
    lines = "".join(f"virt/tdx: CMR: [{i:#x}00000, {i:#x}10000)\n" for i in range(1, 34))
    with pytest.raises(InputErrors, match="32 CMRs"):
        read(lines)


def test_null_cmrs_and_their_order_are_kept():
    made = read(
        "virt/tdx: CMR: [0x200000, 0x300000)\nvirt/tdx: CMR: [0x0, 0x0)\n"
        "virt/tdx: CMR: [0x100000, 0x180000)\nvirt/tdx: CMR: [0x0, 0x0)\n"
    )
    assert [(c.base, c.size) for c in made.machine.cmrs] == [
        (0x200000, 0x100000),
        (0, 0),
        (0x100000, 0x80000),
        (0, 0),
    ]
