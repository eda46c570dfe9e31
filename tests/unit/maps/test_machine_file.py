"""Machine files: what is read, what is refused, and where it says the fault is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pamt.machine import Cmr, FirmwareRange, FreeRun, Limits, Machine, MemoryRange, Node, Zone
from pamt.maps.errors import InputErrors
from pamt.maps.machine_file import machine_from_dict, machine_from_text, read_machine

SAMPLE = """\
format = 1
name   = "emr"
source = "https://example.org/135"
assumptions = ["memory above 0x90000000 is taken from the CMRs"]

[limits]
max_reserved_per_tdmr = 8
pamt_entry_size = [16, 16, 32]
dynamic_pamt = true

[[cmr]]
base = 0x100000
size = 0x6f700000
[[cmr]]
base = 0
size = 0
[[cmr]]
base = "0xffffffffffffffff"
size = 1

[[memory]]
start = "0x100000000"
end   = 0x200000000
node  = 1
[[memory]]
start = 0x1000
end   = 0x9f000
origin = "dmesg.txt:12"

[[node]]
id = 1
online = false
fallback = [1, 0]
[[node]]
id = 0
distance = [10, 21]
zones = [ { name = "DMA32", start = 0x1000000, end = 0x100000000 },
          { name = "DMA", start = 0x1000, end = 0x1000000 } ]

[[free]]
start = 0x100000000
end   = 0x180000000
node  = 1

[[firmware]]
start = 0x9fc00
end   = 0xa0000
kind  = "reserved"
origin = "dmesg.txt:13"
"""


def test_everything_that_a_file_can_say() -> None:
    assert machine_from_text(SAMPLE) == Machine(
        name="emr",
        source="https://example.org/135",
        limits=Limits(max_reserved_per_tdmr=8, pamt_entry_size=(16, 16, 32), dynamic_pamt=True),
        cmrs=(Cmr(0x100000, 0x6F700000), Cmr(0, 0), Cmr(2**64 - 1, 1)),
        memory=(
            MemoryRange(0x1000, 0x9F000, 0, "dmesg.txt:12"),
            MemoryRange(0x100000000, 0x200000000, 1),
        ),
        nodes=(
            Node(
                0,
                distance=(10, 21),
                zones=(Zone("DMA", 0x1000, 0x1000000), Zone("DMA32", 0x1000000, 0x100000000)),
            ),
            Node(1, online=False, fallback=(1, 0)),
        ),
        free=(FreeRun(0x100000000, 0x180000000, 1),),
        assumptions=("memory above 0x90000000 is taken from the CMRs",),
        firmware=(FirmwareRange(0x9FC00, 0xA0000, "reserved", "dmesg.txt:13"),),
    )


def test_what_is_missing_stays_none() -> None:
    assert machine_from_text("cmr = []") == Machine(cmrs=())
    assert machine_from_text('{"memory": []}') == Machine(memory=())


def test_a_file_may_begin_with_a_byte_order_mark_and_end_lines_with_crlf() -> None:
    raw = b"\xef\xbb\xbf" + SAMPLE.replace("\n", "\r\n").encode()
    assert machine_from_text(raw) == machine_from_text(SAMPLE)


def test_reading_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(SAMPLE)
    assert read_machine(path) == read_machine(str(path)) == machine_from_text(SAMPLE)


def test_reading_from_plain_values() -> None:
    assert machine_from_dict({"memory": [{"start": 0, "end": 4096}]}) == Machine(
        memory=(MemoryRange(0, 4096),)
    )
    with pytest.raises(InputErrors) as caught:
        machine_from_dict({"memory": [{"start": 0}]}, "request")
    assert str(caught.value) == "request: memory[0]: expected the key end, found only start"


# -- faults: (text, its problems as (line, what, expected, found)) -------------------------------


def faults(text: str | bytes, name: str = "m") -> list[tuple[int, str, str, str]]:
    with pytest.raises(InputErrors) as caught:
        machine_from_text(text, name)
    assert all(problem.file == name for problem in caught.value.problems)
    return [(p.line, p.what, p.expected, p.found) for p in caught.value.problems]


def one(text: str) -> tuple[int, str, str, str]:
    (fault,) = faults(text)
    return fault


PAGE = "a page-aligned address (a multiple of 0x1000) from 0 to 2^52"
U64 = "an integer or hex string from 0 to 0xffffffffffffffff"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0x1001", "0x1001"),
        ("-4096", "-4096"),
        ("0x10000000001000", "0x10000000001000"),
        ('"0x1001"', "0x1001"),
        ("4096.0", "the floating-point number 4096.0"),
        ("nan", "the floating-point number nan"),
        ("inf", "the floating-point number inf"),
        ("true", "true"),
        ('"4096"', 'the string "4096"'),
        ('"0x"', 'the string "0x"'),
        ('"0x1_000"', 'the string "0x1_000"'),
        ('" 0x1000"', 'the string " 0x1000"'),
        ('"-0x1000"', 'the string "-0x1000"'),
        ('"\\n"', 'the string "\\n"'),
        ("[4096]", "an array of 1"),
        ("{}", "a table"),
        ("1979-05-27", "a date or time"),
        ("0x1" + "0" * 400, "an integer of 1601 bits"),
        ('"0x1' + "0" * 400 + '"', "an integer of 1601 bits"),
    ],
)
def test_an_address_is_a_page_aligned_integer_or_hex_string(value: str, found: str) -> None:
    text = f"[[memory]]\n\nend = {value}\nstart = 0"
    assert one(text) == (3, "memory[0].end", PAGE, found)


def test_the_last_page_below_2_52_is_memory() -> None:
    text = "[[memory]]\nstart = 0xffffffffff000\nend = 0x10000000000000"
    assert machine_from_text(text).memory == (MemoryRange(2**52 - 4096, 2**52),)


@pytest.mark.parametrize("value", ["-1", "0x10000000000000000", '"0x10000000000000000"', "1.5"])
def test_a_cmr_holds_any_u64_and_nothing_else(value: str) -> None:
    line, what, expected, _ = one(f"[[cmr]]\nbase = 1\nsize = {value}")
    assert (line, what, expected) == (3, "cmr[0].size", U64)


def test_thirty_two_cmrs_and_no_more() -> None:
    entry = "[[cmr]]\nbase = 0\nsize = 0\n"
    assert machine_from_text(entry * 32).cmrs == (Cmr(0, 0),) * 32
    assert one(entry * 33) == (32 * 3 + 1, "cmr[32]", "at most 32 CMR entries", "33")


def test_empty_and_reversed_ranges() -> None:
    text = "[[memory]]\nstart = 0x2000\nend = 0x2000\n[[memory]]\nstart = 0x9000\nend = 0x8000"
    assert faults(text) == [
        (3, "memory[0].end", "an address above the start 0x2000", "0x2000"),
        (6, "memory[1].end", "an address above the start 0x9000", "0x8000"),
    ]


def test_overlaps_name_both_ranges() -> None:
    """The second lies inside the first, and so does the fourth, which is not its neighbour.

    |-------------- 0 --------------|
        |-- 1 --|     |-- 3 --|     |-- 2 --|
    """
    starts = [(0x1000, 0x9000), (0x2000, 0x3000), (0x9000, 0xA000), (0x4000, 0x5000)]
    text = "".join(f"[[memory]]\nstart = {a:#x}\nend = {b:#x}\n" for a, b in starts)
    first = "memory[0] [0x1000, 0x9000) (line 1)"
    assert faults(text) == [
        (
            4,
            "memory[1]",
            "ranges that do not overlap",
            f"[0x2000, 0x3000), which overlaps {first}",
        ),
        (
            10,
            "memory[3]",
            "ranges that do not overlap",
            f"[0x4000, 0x5000), which overlaps {first}",
        ),
    ]


def test_ranges_of_different_nodes_overlap_too_and_touching_is_fine() -> None:
    overlap = '{"memory": [{"start": 0, "end": 8192},\n{"start": 4096, "end": 12288, "node": 1}]}'
    assert one(overlap)[:2] == (2, "memory[1]")
    assert machine_from_text(overlap.replace("4096,", "8192,")).memory is not None


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("max_tdmrs", "0", "an integer from 1 to 65535"),
        ("max_reserved_per_tdmr", "65536", "an integer from 1 to 65535"),
        ("pamt_page_bitmap_entry_bits", "256", "an integer from 1 to 255"),
        ("keyid_bits", "17", "an integer from 0 to 16"),
        ("keyid_bits", "-1", "an integer from 0 to 16"),
        ("dynamic_pamt", "1", "true or false"),
        ("pamt_entry_size", "16", "an array of 3 integers (4K, 2M, 1G)"),
        ("pamt_entry_size", "[16, 16]", "an array of 3 integers (4K, 2M, 1G)"),
        ("max_tdmrs", "true", "an integer from 1 to 65535"),
    ],
)
def test_limits_are_sane(key: str, value: str, expected: str) -> None:
    fault = one(f"cmr = []\n[limits]\n{key} = {value}")
    assert fault[:3] == (3, f"limits.{key}", expected)


def test_an_entry_size_names_its_level() -> None:
    assert one("cmr=[]\nlimits.pamt_entry_size = [ 16,\n 0,\n 16]")[:2] == (
        3,
        "limits.pamt_entry_size[1]",
    )


def test_format_is_one() -> None:
    assert one("format = 2\ncmr = []") == (1, "format", "the integer 1", "2")


def test_names_are_text() -> None:
    assert one("cmr = []\nname = 3") == (2, "name", "a string", "3")
    assert one('{"cmr": [],\n"name": "\\ud800"}')[2] == "a string of Unicode characters"
    assert one('cmr = []\nassumptions = "one"')[2] == "an array of strings"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nme = 1\ncmr = []", "did you mean name?"),
        ("CMR = []\ncmr = []", ""),
        ("Memory = []\ncmr = []", "did you mean memory?"),
        ("cmr = []\n[limits]\nmax_tdmr = 1", "did you mean max_tdmrs?"),
        ("cmr = []\n[limits]\nmax-tdmrs = 1", "did you mean max_tdmrs?"),
        ("[[memory]]\nstrat = 0\nend = 4096", "did you mean start?"),
        ("xyzzy = 1\ncmr = []", ""),
        (f"{'a' * 10000} = 1\ncmr = []", ""),
    ],
)
def test_unknown_keys_come_with_a_suggestion(text: str, hint: str) -> None:
    with pytest.raises(InputErrors) as caught:
        machine_from_text(text)
    unknown = [p for p in caught.value.problems if p.expected.startswith("one of the keys")]
    assert [p.hint for p in unknown] == [hint]
    assert len(str(caught.value)) < 600


def test_a_file_needs_cmrs_or_memory() -> None:
    assert one('# only a name\nname = "x"')[:3] == (1, "", "at least one of cmr, memory")


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "an empty file"), ("\n \n", "nothing but white space"), ("# hi", "neither")],
)
def test_an_empty_file_is_no_machine(text: str, found: str) -> None:
    assert one(text)[3] == found
    assert one(text)[0] == 1


@pytest.mark.parametrize("value", ["3", '"x"', "{}", "[3]", "[[]]", "true"])
@pytest.mark.parametrize("key", ["cmr", "memory", "node", "free"])
def test_a_list_of_tables_holds_tables(key: str, value: str) -> None:
    other = "memory" if key == "cmr" else "cmr"
    line, what, expected, _ = one(f"{other} = []\n{key} = {value}")
    assert (line, what.removesuffix("[0]")) == (2, key)
    assert expected in ("an array of tables", "a table")


def test_limits_are_a_table() -> None:
    assert one("cmr = []\nlimits = 3") == (2, "limits", "a table", "3")


# -- nodes ---------------------------------------------------------------------------------------

NODES = """\
[[memory]]
start = 0
end = 0x1000
[[node]]
id = 0
"""


def test_node_ids_are_unique() -> None:
    fault = one(NODES + "[[node]]\nid = 0")
    assert fault == (7, "node[1].id", "each node id once", "0 again (line 5)")


def test_distances_are_as_many_as_nodes() -> None:
    fault = one(NODES + "distance = [10, 20]\n")
    assert fault == (6, "node[0].distance", "1 distances, one for each [[node]]", "2")
    assert one(NODES + "distance = [256]\n")[2] == "an integer from 0 to 255"


@pytest.mark.parametrize(
    ("order", "what", "expected", "found"),
    [
        ("[1, 0]", "[0]", "the node itself, 0, first", "1"),
        ("[0, 2]", "[1]", "the id of a [[node]] (0, 1)", "2"),
        ("[0, 1, 1]", "[2]", "each node once", "1 again"),
        ("[]", "", "an array of at least 1 node ids", "an empty array"),
    ],
)
def test_a_fallback_order_starts_at_home(order: str, what: str, expected: str, found: str) -> None:
    fault = one(NODES + f"fallback = {order}\n[[node]]\nid = 1\n")
    assert fault == (6, f"node[0].fallback{what}", expected, found)


def test_ranges_name_listed_nodes_if_any_are_listed() -> None:
    more = "[[memory]]\nstart = 0x1000\nend = 0x2000\nnode = 4\n"
    assert one(NODES + more) == (9, "memory[1].node", "the id of a [[node]] (0)", "4")
    assert machine_from_text(more).nodes == ()


def test_zones_of_a_node_have_one_name_each_and_are_disjoint() -> None:
    zones = (
        'zones = [{ name = "DMA", start = 0, end = 0x2000 },\n'
        '  { name = "DMA", start = 0x1000, end = 0x3000 },\n'
        '  { name = "Device", start = 0x4000, end = 0x5000 }]\n'
    )
    assert [fault[:3] for fault in faults(NODES + zones)] == [
        (7, "node[0].zones[1]", "ranges that do not overlap"),
        (7, "node[0].zones[1].name", "each zone name once in a node"),
        (8, "node[0].zones[2].name", "one of DMA, DMA32, Normal, Movable"),
    ]


def test_zones_of_different_nodes_may_overlap() -> None:
    zone = 'zones = [{ name = "DMA", start = 0, end = 0x2000 }]\n'
    assert len(machine_from_text(NODES + zone + "[[node]]\nid = 1\n" + zone).nodes) == 2


# -- free runs -----------------------------------------------------------------------------------


def with_free(start: int, end: int, node: int = 0, more: str = "") -> str:
    """Memory: node 0 [0, 4000) and, touching it, [4000, 8000); node 1 [8000, a000)."""
    memory = [(0, 0x4000, 0), (0x4000, 0x8000, 0), (0x8000, 0xA000, 1)]
    entries = "".join(
        f"[[memory]]\nstart = {a:#x}\nend = {b:#x}\nnode = {n}\n" for a, b, n in memory
    )
    return f"{entries}[[free]]\nstart = {start:#x}\nend = {end:#x}\nnode = {node}\n{more}"


def test_a_free_run_may_span_touching_ranges_of_its_node() -> None:
    assert machine_from_text(with_free(0x1000, 0x8000)).free == (FreeRun(0x1000, 0x8000),)


def test_a_free_run_lies_in_memory_of_its_node() -> None:
    assert one(with_free(0x7000, 0xB000)) == (
        13,
        "free[0]",
        "a free run inside the memory of node 0",
        "[0x7000, 0xb000), of which [0x8000, 0xb000) holds [0x8000, 0xa000), memory of node 1",
    )
    assert one(with_free(0x9000, 0xB000, 1))[3] == (
        "[0x9000, 0xb000), of which [0xa000, 0xb000) is not memory"
    )


def test_a_free_run_lies_outside_zone_movable() -> None:
    movable = '[[node]]\nid = 0\nzones = [{ name = "Movable", start = 0x6000, end = 0x9000 }]\n'
    text = with_free(0x5000, 0x7000, 0, movable + "[[node]]\nid = 1\n")
    assert one(text) == (
        13,
        "free[0]",
        "a free run outside zone Movable [0x6000, 0x9000) of node 0",
        "[0x5000, 0x7000)",
    )
    other = with_free(0x8000, 0x9000, 1, movable + "[[node]]\nid = 1\n")
    assert machine_from_text(other).free == (FreeRun(0x8000, 0x9000, 1),)


def test_free_runs_are_disjoint() -> None:
    fault = one(with_free(0x1000, 0x3000, 0, "[[free]]\nstart = 0x2000\nend = 0x4000\n"))
    assert fault[:3] == (17, "free[1]", "ranges that do not overlap")


def test_without_memory_free_runs_lie_in_the_cmrs_on_node_0() -> None:
    cmr = "[[cmr]]\nbase = 0x0\nsize = 0x4000\n[[free]]\nstart = 0x1000\nend = 0x2000\nnode = {}\n"
    assert machine_from_text(cmr.format(0)).free == (FreeRun(0x1000, 0x2000),)
    assert one(cmr.format(1))[2] == (
        "a free run inside the CMRs (they stand in for memory, on node 0)"
    )


def test_firmware_ranges_are_disjoint() -> None:
    text = "cmr = []\n" + "".join(
        f'[[firmware]]\nstart = {a}\nend = {b}\nkind = "reserved"\n'
        for a, b in ((7, 9), (8, 10), (3, 3))
    )
    assert [fault[:3] for fault in faults(text)] == [
        (6, "firmware[1]", "ranges that do not overlap"),
        (12, "firmware[2].end", "an address above the start 0x3"),
    ]


# -- all at once, in both formats ----------------------------------------------------------------


def test_every_fault_is_told_at_once() -> None:
    text = with_free(0x7000, 0xB001, 0, "what = 1\n[limits]\nmax_tdmrs = 0\n[nmoe]\n")
    assert [(line, what) for line, what, _, _ in faults(text)] == [
        (15, "free[0].end"),
        (17, "free[0].what"),
        (19, "limits.max_tdmrs"),
        (20, "nmoe"),
    ]


def test_json_faults_have_lines_too() -> None:
    text = """{
      "name": "x: [1, {\\"2\\": }",
      "limits": {
        "max_tdmrs": 0,
        "pamt_entry_size": [16,
           true, 16]},
      "memory": [{"start": 0, "end": 4096}, {
        "start": 4096,
        "end": 1e4, "n\\u006fd": 1
      },
      3
    ]}"""
    assert [(line, what) for line, what, _, _ in faults(text)] == [
        (4, "limits.max_tdmrs"),
        (6, "limits.pamt_entry_size[1]"),
        (9, "memory[1].end"),
        (9, "memory[1].nod"),
        (11, "memory[2]"),
    ]


def test_a_json_key_stands_once() -> None:
    text = '{"cmr": [],\n "cmr": [\n {"base": 1, "size": 2, "base": 3}]}'
    assert faults(text) == [
        (2, "cmr", "each key once", "the same key again"),
        (3, "cmr[0].base", "each key once", "the same key again"),
    ]


def test_the_most_problems_are_kept_and_the_rest_counted() -> None:
    entries = [{"start": 1, "end": 4096}] * 10_050
    with pytest.raises(InputErrors) as caught:
        machine_from_text(json.dumps({"memory": entries}))
    assert len(caught.value.problems) == 10_000
    assert caught.value.omitted == 50
    assert str(caught.value).endswith("\n50 more problems are not listed")
