"""Each kind of source by itself and together, on a made-up host that has all of them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from pamt.machine import Zone
from pamt.maps.errors import InputErrors
from pamt.maps.importers import Imported, ImportOptions, import_files

HOST = Path(__file__).resolve().parents[3] / "corpus" / "logs" / "made-up"
FILES = {path.stem: path.read_text() for path in HOST.glob("*.txt")}
EARLY = [
    (0x1000, 0x9F000, 0),
    (0x100000, 0x6A3FF000, 0),
    (0x6C7FF000, 0x6F800000, 0),
    (0x100000000, 0x1080000000, 0),
    (0x1080000000, 0x2080000000, 1),
]
ZONES = [
    (
        Zone("DMA", 0x1000, 0x1000000),
        Zone("DMA32", 0x1000000, 0x100000000),
        Zone("Normal", 0x100000000, 0x1080000000),
    ),
    (Zone("Normal", 0x1080000000, 0x2080000000),),
]


def take(*names: str, drop: str = "", **options: object) -> Imported:
    texts = [(f"{name}.txt", without(FILES[name], drop)) for name in names]
    return import_files(texts, ImportOptions(**options))


def without(text: str, drop: str) -> str:
    return "\n".join(line for line in text.split("\n") if not drop or drop not in line)


def ranges(made: Imported) -> list[tuple[int, int, int]]:
    return [r[:3] for r in made.machine.memory]


def test_the_boot_log_alone():
    made = take("dmesg")
    assert made.memory_from == "early"
    assert ranges(made) == EARLY
    assert [n.zones for n in made.machine.nodes] == ZONES
    assert [n.fallback for n in made.machine.nodes] == [(0, 1), (1, 0)]
    assert [c.range for c in made.machine.cmrs] == [
        (0x100000, 0x6F800000),
        (0x100000000, 0x2080000000),
    ]
    assert made.machine.limits.keyid_bits == 7
    assert (made.conflicts, made.unread, made.assumptions) == ((), (), ())
    assert [f[:3] for f in made.machine.firmware] == [
        (0x9FC00, 0xA0000, "reserved"),
        (0x6A3FF000, 0x6C3FF000, "reserved"),
        (0x6C3FF000, 0x6C7FF000, "ACPI NVS"),
    ]


def test_the_e820_table_gives_the_same_memory():
    made = take("dmesg", drop="  node ")
    assert made.memory_from == "e820"
    assert ranges(made) == EARLY
    assert made.assumptions == ()


def test_everything_together_agrees_in_any_order():
    names = sorted(FILES)
    whole = take(*names)
    assert (whole.conflicts, whole.unread, whole.assumptions) == ((), (), ())
    assert [n.distance for n in whole.machine.nodes] == [(10, 21), (21, 10)]
    for order in itertools.islice(itertools.permutations(names), 0, None, 97):
        assert take(*order) == whole


def test_all_in_one_file():
    text = "\n".join(FILES[name] for name in sorted(FILES, reverse=True))
    made = import_files([("all.txt", text)])
    whole = take(*FILES)
    assert ranges(made) == ranges(whole)
    assert made.machine.nodes == whole.machine.nodes
    assert made.machine.limits == whole.machine.limits
    assert made.conflicts == ()


@pytest.mark.parametrize("nodes", ["zoneinfo", "lsmem", "sysfs"])
def test_iomem_with_nodes_from_elsewhere(nodes: str):
    made = take("iomem", nodes)
    assert made.memory_from == "iomem"
    # iomem shows the page that was reserved late; the boot loader's data makes no border.
    split = [(0x100000, 0x63A77000, 0), (0x63A78000, 0x6A3FF000, 0)]
    assert ranges(made) == [EARLY[0], *split, *EARLY[2:]]
    assert any("/proc/iomem" in a for a in made.assumptions)


def test_iomem_alone_is_on_node_0_by_assumption():
    made = take("iomem")
    assert {node for _, _, node in ranges(made)} == {0}
    assert any("on node 0" in a for a in made.assumptions)


def test_iomem_without_root():
    hidden = "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n"
    with pytest.raises(InputErrors) as caught:
        import_files([("iomem", hidden)])
    (problem,) = caught.value.problems
    assert (problem.line, problem.found) == (1, "zeros")
    assert "root" in problem.hint


def test_lsmem_alone_is_coarse_and_says_so():
    made = take("lsmem")
    assert ranges(made) == [
        (0, 0x80000000, 0),
        (0x100000000, 0x1080000000, 0),
        (0x1080000000, 0x2080000000, 1),
    ]
    assert any("holes inside a block are not seen" in a for a in made.assumptions)


def test_a_directory_listing_gives_the_blocks_too():
    listing = (
        "/sys/devices/system/memory/block_size_bytes:80000000\n"
        "/sys/devices/system/node/node0:\ncpulist  distance\nmemory0 memory2\nmemory3\n\n"
        "/sys/devices/system/node/node1:\nmemory4\n"
    )
    ram = "00100000-7fffffff : System RAM\n100000000-27fffffff : System RAM\n"
    made = import_files([("sys", listing), ("iomem", ram)])
    assert ranges(made) == [
        (0x100000, 0x80000000, 0),
        (0x100000000, 0x200000000, 0),
        (0x200000000, 0x280000000, 1),
    ]


def test_zoneinfo_beats_zone_ranges_and_a_difference_is_reported():
    text = FILES["zoneinfo"].replace(
        "start_pfn:           17301504", "start_pfn:           17301505"
    )
    made = import_files([("dmesg", FILES["dmesg"]), ("zoneinfo", text)])
    (conflict,) = made.conflicts
    assert conflict.subject == "zones of node 1"
    assert conflict.kept.value == (Zone("Normal", 0x1080001000, 0x2080001000),)
    assert conflict.dropped.value == ZONES[1]
    assert conflict.kept.origin == "zoneinfo:42"
    assert made.machine.nodes[1].zones == conflict.kept.value


def test_zoneinfo_movable():
    text = FILES["zoneinfo"].replace("Node 1, zone   Normal", "Node 1, zone  Movable", 1)
    cut = text[: text.rindex("Node 1, zone  Movable")]
    made = import_files(
        [("dmesg", without(FILES["dmesg"], "[mem 0x0000000100000000-0x000000207")), ("z", cut)]
    )
    assert made.machine.nodes[1].zones == (Zone("Movable", 0x1080000000, 0x2080000000),)


def test_movable_start_cuts_the_normal_zone():
    text = FILES["dmesg"].replace(
        "Movable zone start for each node",
        "Movable zone start for each node\n[    0.012004]   Node 1: 0x0000001880000000",
    )
    made = import_files([("log", text)])
    assert made.machine.nodes[1].zones == (
        Zone("Normal", 0x1080000000, 0x1880000000),
        Zone("Movable", 0x1880000000, 0x2080000000),
    )
    assert made.machine.nodes[0].zones == ZONES[0]


def test_early_ranges_beat_e820_and_a_difference_is_reported():
    text = FILES["dmesg"].replace(
        "  node   0: [mem 0x0000000000100000-0x000000006a3fefff]",
        "  node   0: [mem 0x0000000000100000-0x000000006a3fdfff]",
    )
    made = import_files([("log", text)])
    assert ranges(made)[1] == (0x100000, 0x6A3FE000, 0)
    (conflict,) = made.conflicts
    assert conflict.subject == "memory"
    assert conflict.kept.value == ()
    assert [r[:3] for r in conflict.dropped.value] == [(0x6A3FE000, 0x6A3FF000, 0)]


def test_two_hosts_in_one_import_conflict():
    other = FILES["dmesg"].replace("0x000000207fffffff", "0x000000287fffffff")
    made = import_files([("a", FILES["dmesg"]), ("b", other)])
    assert {c.subject for c in made.conflicts} >= {"Early memory node ranges", "e820 table"}


def test_two_boots_of_one_host_are_no_conflict():
    boots = FILES["dmesg"] + FILES["dmesg"]
    made = import_files([("log", boots)])
    assert ranges(made) == EARLY
    assert made.conflicts == ()
    e820_only = import_files([("log", without(boots, "  node "))])
    assert ranges(e820_only) == EARLY
    assert e820_only.conflicts == ()


def test_sizes_above_the_memory_of_a_node_conflict():
    text = FILES["numactl"].replace("64500 MB", "99999 MB")
    made = import_files([("dmesg", FILES["dmesg"]), ("numactl", text)])
    assert [c.subject for c in made.conflicts] == ["size of node 1"]


def test_distances_that_are_not_whole_are_reported():
    text = FILES["numactl"].replace("  1:  21  10 \n", "")
    made = import_files([("dmesg", FILES["dmesg"]), ("numactl", text)])
    assert [n.distance for n in made.machine.nodes] == [None, None]
    assert [u.kind for u in made.unread] == ["node distances"]


def test_an_offline_node_keeps_the_distances_of_the_others():
    text = FILES["dmesg"] + "[    0.1] Initializing node 2 as memoryless\n"
    alone = import_files([("dmesg", text)])
    assert [(n.id, n.online) for n in alone.machine.nodes] == [(0, True), (1, True), (2, False)]
    made = import_files([("dmesg", text), ("numactl", FILES["numactl"])])
    assert [n.id for n in made.machine.nodes] == [0, 1]
    assert [n.distance for n in made.machine.nodes] == [(10, 21), (21, 10)]
