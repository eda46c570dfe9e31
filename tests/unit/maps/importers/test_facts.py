"""What the log says happened."""

from __future__ import annotations

import pytest

from pamt.maps.importers.facts import (
    AreasExhausted,
    InitFailed,
    Initialized,
    KeyIds,
    ModuleVersion,
    PamtAllocated,
    SeamcallFailed,
    TdmrsExhausted,
    describe_fact,
    keyid_bits,
    read_facts,
)
from pamt.maps.importers.lines import Place, Source
from pamt.ranges import Range

HERE = Place("log", 1)
CASES = [
    ("virt/tdx: 1050644 KB allocated for PAMT", PamtAllocated(1050644, HERE)),
    ("[..] tdx: 65667 pages allocated for PAMT.", PamtAllocated(262668, HERE)),
    (
        "virt/tdx: initialization failed: TDMR [0x0, 0x80000000): reserved areas exhausted.",
        AreasExhausted(Range(0, 0x80000000), HERE),
    ),
    ("virt/tdx: initialization failed: TDMRs exhausted.", TdmrsExhausted(HERE)),
    ("virt/tdx: module initialization failed (-28)", InitFailed(-28, HERE)),
    ("virt/tdx: TDX-Module initialization failed (-12)", InitFailed(-12, HERE)),
    ("virt/tdx: module initialized", Initialized(HERE)),
    ("virt/tdx: TDX-Module initialized", Initialized(HERE)),
    ("tdx: TDX module initialized.", Initialized(HERE)),
    (
        "virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc000050500000000",
        SeamcallFailed(0x22, 0xC000050500000000, HERE),
    ),
    ("virt/tdx: BIOS enabled: private KeyID range [64, 128)", KeyIds(64, 128, HERE)),
    ("virt/tdx: TDX module version: 1.5.24", ModuleVersion("1.5.24", HERE)),
    (
        "virt/tdx: TDX module 2.0.08.00, build number 882, build date 0134fed5",
        ModuleVersion("2.0.08.00, build number 882, build date 0134fed5", HERE),
    ),
]


@pytest.mark.parametrize(("line", "fact"), CASES)
def test_each_line(line: str, fact: object):
    assert read_facts(Source("log", line)) == (fact,)
    assert describe_fact(fact)


@pytest.mark.parametrize("line", [c[0][:-4] for c in CASES if "KeyID" in c[0] or "KB" in c[0]])
def test_a_cut_line_says_nothing(line: str):
    assert read_facts(Source("log", line)) == ()


@pytest.mark.parametrize(("start", "end", "bits"), [(32, 64, 6), (64, 128, 7), (1, 16, 4)])
def test_keyid_bits(start: int, end: int, bits: int):
    assert keyid_bits(KeyIds(start, end, HERE)) == bits
