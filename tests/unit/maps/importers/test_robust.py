"""Whatever stands in a log: a machine that can be written and read again, or InputErrors."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.machine import Machine
from pamt.maps.errors import InputErrors
from pamt.maps.importers import ImportOptions, import_files
from pamt.maps.machine_file import dump_machine, machine_from_text

MORE = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 1

LOGS = Path(__file__).resolve().parents[3] / "corpus" / "logs"
PATHS = sorted(LOGS.rglob("*.txt"))
TEXTS = {path.relative_to(LOGS).as_posix(): path.read_text() for path in PATHS}
LINES = sorted({line for text in TEXTS.values() for line in text.splitlines()})
MAPS = {
    name: text
    for name, text in TEXTS.items()
    if re.search(r"BIOS-e820|node +\d: \[mem|CMR: \[", text)
}
UNRELATED = [
    "[    0.000000] Command line: BOOT_IMAGE=/vmlinuz memmap=4K$0x1000",
    "[    1.234567] usb 1-1: new high-speed USB device number 2 using xhci_hcd",
    "pci 0000:00:00.0: BAR 0 [mem 0xfe000000-0xfe00ffff 64bit]",
    "systemd[1]: Reached target user: slice",
    "inode cache: node offline, zone unknown",
    "",
]


def survives(texts: list[tuple[str, str]], options: ImportOptions) -> None:
    try:
        made = import_files(texts, options)
    except InputErrors as errors:
        if not errors.problems or not str(errors):
            pytest.fail("InputErrors without a problem")
        return
    again = machine_from_text(dump_machine(made.machine, "toml"))
    assert again == made.machine


def bare(machine: Machine) -> Machine:
    """Without the places: those move when lines are added."""
    return replace(
        machine,
        name="",
        source="",
        memory=tuple(r._replace(origin="") for r in machine.memory or ()),
        cmrs=tuple(c._replace(origin="") for c in machine.cmrs or ()),
        firmware=tuple(f._replace(origin="") for f in machine.firmware),
        assumptions=tuple(re.sub(r"\(\S+:\d+\)", "", a) for a in machine.assumptions),
    )


def options_for(name: str) -> ImportOptions:
    return ImportOptions(fill_from_cmr="emr-" in name)


def add_prefix(text: str, prefix: str) -> str:
    stripped = [re.sub(r"^\[ *[\d.]+\] ", "", line) for line in text.splitlines()]
    return "\n".join(line if line.startswith("#") else prefix + line for line in stripped)


@pytest.mark.parametrize("name", sorted(MAPS))
@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", "\r\n"),
        lambda t: add_prefix(t, ""),
        lambda t: add_prefix(t, "Nov 20 10:00:00 host kernel: "),
        lambda t: add_prefix(t, "2024-11-20T10:00:00+00:00 host kernel: [    0.000000] "),
        lambda t: add_prefix(t, "6,339,5140900,-;"),
        lambda t: add_prefix(t, "<6>[    1.000000] "),
        lambda t: add_prefix(t, "\x1b[32m[    0.000000] \x1b[0m"),
        lambda t: t.replace("\n", "\n" + "\n".join(UNRELATED) + "\n"),
    ],
    ids=["crlf", "bare", "journal", "iso", "kmsg", "syslog", "colour", "unrelated"],
)
def test_dress_does_not_matter(name: str, change: object):
    plain = import_files([(name, MAPS[name])], options_for(name))
    dressed = import_files([(name, change(MAPS[name]))], options_for(name))
    assert bare(dressed.machine) == bare(plain.machine)


@pytest.mark.parametrize("name", sorted(MAPS))
def test_cutting_a_log_in_files_does_not_matter_unless_order_tells(name: str):
    """Kinds of lines in files of their own; the e820 lines stay together with the dated ones."""
    kinds = {"e820": [], "tdx": [], "rest": []}
    for line in MAPS[name].splitlines():
        kind = (
            "tdx" if "tdx: " in line else "e820" if "e820" in line or "last_pfn" in line else "rest"
        )
        kinds[kind].append(line)
    texts = [(kind, "\n".join(lines)) for kind, lines in kinds.items()]
    plain = import_files([(name, MAPS[name])], options_for(name))
    for order in (texts, texts[::-1]):
        assert bare(import_files(order, options_for(name)).machine) == bare(plain.machine)


@settings(max_examples=150 * MORE, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=200)), max_size=3), st.booleans())
def test_any_text(texts: list[tuple[str, str]], fill: bool):
    survives(texts, ImportOptions(fill_from_cmr=fill))


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Lines of real logs, some cut, some with characters changed, some twice."""
    lines = draw(st.lists(st.sampled_from(LINES), max_size=40))
    made: list[str] = []
    for line in lines:
        kind = draw(st.integers(0, 9))
        if kind == 0:
            made.append(line[: draw(st.integers(0, len(line)))])
        elif kind == 1 and line:
            at = draw(st.integers(0, len(line) - 1))
            made.append(line[:at] + draw(st.sampled_from("0f9x-]:, \n[")) + line[at + 1 :])
        elif kind == 2:
            digits = re.findall("[0-9a-f]{6,}", line)
            old = draw(st.sampled_from(digits)) if digits else "0"
            made.append(line.replace(old, f"{draw(st.integers(0, 2**64 - 1)):x}"))
        else:
            made.append(line)
    return "\n".join(made)


@settings(max_examples=400 * MORE, deadline=None)
@given(st.lists(damaged(), min_size=1, max_size=3), st.booleans())
def test_damaged_logs(parts: list[str], fill: bool):
    texts = [(f"f{i}", part) for i, part in enumerate(parts)]
    survives(texts, ImportOptions(fill_from_cmr=fill))


@settings(max_examples=150 * MORE, deadline=None)
@given(st.sampled_from(sorted(MAPS)), st.data())
def test_one_damaged_line_in_a_whole_log(name: str, data: st.DataObject):
    lines = MAPS[name].splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
    survives([(name, "\n".join(lines))], options_for(name))


@settings(max_examples=100 * MORE, deadline=None)
@given(st.lists(damaged(), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_matter(parts: list[str], random: object):
    texts = [(f"f{i}", part) for i, part in enumerate(parts)]
    shuffled = list(texts)
    random.shuffle(shuffled)

    def answer(given: list[tuple[str, str]]) -> object:
        try:
            return import_files(given)
        except InputErrors as errors:
            return errors.problems

    assert answer(texts) == answer(shuffled)


def test_bytes_that_are_no_text():
    survives([("\udcff", "\udcff\x00BIOS-e820: [mem \ufffd")], ImportOptions())


def test_nothing_at_all():
    with pytest.raises(InputErrors):
        import_files([])
