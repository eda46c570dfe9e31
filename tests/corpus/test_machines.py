"""Real logs through the importers: machine files, known outcomes, known totals."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from pamt.kernel.construct import construct
from pamt.kernel.contig import ContigAllocator
from pamt.kernel.totals import pamt_total_kb
from pamt.kernel.variants import VARIANTS
from pamt.machine import Cmr, Limits
from pamt.maps.errors import InputErrors
from pamt.maps.importers import Imported, ImportOptions, import_files
from pamt.maps.importers.facts import (
    AreasExhausted,
    Fact,
    InitFailed,
    PamtAllocated,
    SeamcallFailed,
)
from pamt.maps.machine_file import dump_machine, read_machine
from pamt.outcome import Outcome
from pamt.ranges import GIB, Range
from pamt.standins import complete

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "tests" / "corpus" / "logs"
MACHINES = ROOT / "specs" / "machines"

spec = importlib.util.spec_from_file_location(
    "write_machines", Path(__file__).with_name("write_machines.py")
)
write_machines = importlib.util.module_from_spec(spec)
spec.loader.exec_module(write_machines)

RECIPES = write_machines.recipes()
WITHOUT_MAP = {"gnr-issue415", "intel-vverma-252g", "kernel-doc-64g", "nvidia-doc-2tb"}


def load(name: str) -> str:
    return (LOGS / f"{name}.txt").read_text()


def imported(name: str) -> Imported:
    return write_machines.import_recipe(RECIPES[name])


def simulate(name: str, variant: str) -> Outcome:
    machine = complete(read_machine(MACHINES / f"{name}.toml")).machine
    assert machine.free is not None
    return construct(machine, ContigAllocator(machine.nodes, machine.free), VARIANTS[variant])


def facts_of(facts: tuple[Fact, ...], kind: type) -> list:
    return [fact for fact in facts if isinstance(fact, kind)]


def test_every_log_is_a_machine_or_known_to_hold_no_map():
    logs = {path.stem for path in LOGS.glob("*.txt")}
    assert logs == set(RECIPES) | WITHOUT_MAP
    assert {path.stem for path in MACHINES.glob("*.toml")} == set(RECIPES)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_importing_again_gives_the_file_byte_for_byte(name: str):
    made = imported(name)
    path = MACHINES / f"{name}.toml"
    assert dump_machine(made.machine, "toml").encode() == path.read_bytes()
    assert read_machine(path) == made.machine


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_range_names_the_line_it_comes_from(name: str):
    lines = load(name).splitlines()
    machine = imported(name).machine
    for entry in (*(machine.memory or ()), *(machine.cmrs or ()), *machine.firmware):
        file, _, number = entry.origin.rpartition(":")
        assert file == f"{name}.txt"
        low, high = re.findall(r"0x[0-9a-f]+", lines[int(number) - 1])
        start = entry.base if isinstance(entry, Cmr) else entry.start
        assert int(low, 16) <= start < int(high, 16)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_real_logs_agree_with_themselves(name: str):
    made = imported(name)
    assert made.conflicts == ()
    assert made.unread == ()


@pytest.mark.parametrize("name", ["supermicro-7049a-2s", "spr-archercity-cxl-2s"])
def test_memory_made_from_e820_and_srat_is_the_kernels_own_list(name: str):
    """Both logs reserve a page late (for ESRT): it must not split the range around it."""
    text = load(name)
    kept = [x for x in text.splitlines() if not re.search(r"node +\d+: \[mem|Early memory", x)]
    made = import_files([("again.txt", "\n".join(kept))])
    early = import_files([("log.txt", text)])
    assert (early.memory_from, made.memory_from) == ("early", "e820")
    assert [r[:3] for r in made.machine.memory] == [r[:3] for r in early.machine.memory]
    late = re.search(r"update \[mem 0x(\w+)-\S+ usable ==> reserved\n.*SRAT", text, re.DOTALL)
    assert late is not None
    assert any("after memblock was filled" in note.text for note in made.notes)


def test_an_early_change_does_split_memory():
    """The same change counts where the log prints it before memblock is filled."""
    text = load("supermicro-7049a-2s")
    change = "[    0.000881] e820: update [mem 0x64261000-0x64261fff] usable ==> reserved\n"
    assert change in text
    kept = [x for x in text.replace(change, "").splitlines(keepends=True) if "node   " not in x]
    at = next(i for i, x in enumerate(kept) if "last_pfn" in x)
    made = import_files([("log.txt", "".join([*kept[:at], change, *kept[at:]]))])
    ranges = [r.range for r in made.machine.memory]
    assert Range(0x100000, 0x64261000) in ranges
    assert Range(0x64262000, 0x69EB6000) in ranges


def test_emr_fails_on_mainline_as_its_log_says():
    facts = imported("emr-fcp-issue135").facts
    (exhausted,) = facts_of(facts, AreasExhausted)
    (failed,) = facts_of(facts, InitFailed)
    outcome = simulate("emr-fcp-issue135", "mainline")
    assert outcome.ret == failed.ret == -28
    assert outcome.tdmrs[outcome.failed_tdmr].range == exhausted.tdmr == Range(0, 0x80000000)
    log = load("emr-fcp-issue135")
    assert len(outcome.messages) == 2
    for message in outcome.messages:
        assert message.text in log


@pytest.mark.parametrize("variant", ["cmr-v8.2", "cmr-nocheck"])
def test_emr_succeeds_with_cmr_holes_as_its_log_says(variant: str):
    (allocated,) = facts_of(imported("emr-fcp-issue135").facts, PamtAllocated)
    outcome = simulate("emr-fcp-issue135", variant)
    assert outcome.ret == 0
    assert outcome.pamt_kb == allocated.kilobytes == 1050644


def test_canonical_pr188_allocates_what_its_log_says():
    made = imported("canonical-pr188")
    (allocated,) = facts_of(made.facts, PamtAllocated)
    assert made.machine.limits.keyid_bits == 7
    for variant in ("mainline", "cmr-v8.2", "cmr-nocheck"):
        assert simulate("canonical-pr188", variant).pamt_kb == allocated.kilobytes == 1050636


def test_taking_all_cmrs_as_memory_gives_the_same_total():
    text = load("canonical-pr188")
    filled = import_files([("log.txt", text)], ImportOptions(fill_from_cmr=True))
    assert filled.memory_from == "cmr"
    assert [r.range for r in filled.machine.memory] == [c.range for c in filled.machine.cmrs]
    assert any("all CMRs are taken as memory" in a for a in filled.assumptions)
    machine = complete(filled.machine).machine
    made = construct(machine, ContigAllocator(machine.nodes, machine.free), VARIANTS["mainline"])
    assert made.pamt_kb == 1050636


def test_issue331_is_no_failure_of_the_map():
    facts = imported("spr-issue331").facts
    (call,) = facts_of(facts, SeamcallFailed)
    assert (call.leaf, call.status) == (0x22, 0xC000050500000000)
    assert [f.ret for f in facts_of(facts, InitFailed)] == [-5]
    assert simulate("spr-issue331", "mainline").ret == 0


def test_huawei_nodes_1_to_6_are_movable_only():
    nodes = imported("huawei-8node-2016").machine.nodes
    names = {node.id: [zone.name for zone in node.zones] for node in nodes}
    assert names == {
        0: ["DMA", "DMA32", "Normal"],
        **{node: ["Movable"] for node in range(1, 7)},
        7: ["Normal"],
    }


@pytest.mark.parametrize("name", sorted(WITHOUT_MAP))
def test_a_log_without_a_map_says_what_is_missing(name: str):
    with pytest.raises(InputErrors) as caught:
        import_files([(f"{name}.txt", load(name))])
    (problem,) = caught.value.problems
    for wanted in ("BIOS-e820", "Early memory node ranges", "virt/tdx: CMR"):
        assert wanted in problem.expected
    assert "dmesg" in problem.hint
    assert "the log only says" in problem.found


def test_issue415_says_what_failed_though_it_holds_no_map():
    with pytest.raises(InputErrors) as caught:
        import_files([("gnr-issue415.txt", load("gnr-issue415"))])
    text = str(caught.value)
    assert "TDMR [0x40000000, 0x80000000): reserved areas exhausted (gnr-issue415.txt:10)" in text
    assert "module initialization failed (-28) (gnr-issue415.txt:11)" in text


TOTALS = [
    # The logs give the total and the size of memory, not the TDMRs.  4104 KB a GiB leave 4 KB for
    # each page of a 1G level, so the total tells how many of those there are, and each split below
    # is one of several that give it.
    ("kernel-doc-64g", (2, 30, 32), False, 262668),
    ("intel-vverma-252g", (2, 124, 126), False, 1034220),
    ("intel-vverma-252g", (2, 124, 126), True, 10092),
    ("nvidia-doc-2tb", (2, 1022, 1024), False, 8405028),
]


@pytest.mark.parametrize(("name", "sizes", "dynamic", "total"), TOTALS)
def test_totals_of_logs_without_a_map(name: str, sizes: tuple[int, ...], dynamic: bool, total: int):
    assert pamt_total_kb([size * GIB for size in sizes], Limits(), dynamic) == total
    assert f"{total // 4} pages" in load(name) or f"{total} KB" in load(name)


def test_one_tdmr_alone_does_not_give_those_totals():
    assert pamt_total_kb([64 * GIB], Limits()) == 262660
    assert pamt_total_kb([252 * GIB], Limits()) == 1034212


def test_a_call_that_failed_outside_of_the_model_is_told() -> None:
    told = [text for text in imported("spr-issue331").assumptions if "SEAMCALL 0x22" in text]
    assert len(told) == 1
    assert "spr-issue331.txt:12" in told[0]
    assert "not simulated" in told[0]
    assert told[0] in read_machine(MACHINES / "spr-issue331.toml").assumptions
    # A refused TDH.SYS.CONFIG is what is simulated: no word about it.
    text = load("spr-issue331").replace("(0x0000000000000022)", "(0x000000000000002d)")
    assert text != load("spr-issue331")
    other = import_files([("a.txt", text)])
    assert not any("SEAMCALL" in assumed for assumed in other.assumptions)
