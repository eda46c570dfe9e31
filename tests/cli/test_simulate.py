"""`pamt simulate`: the recorded runs, as a user sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pamt.kernel.conform import RECORDED_VARIANTS, machine_of_vector
from pamt.machine import MAX_CMRS
from pamt.maps.machine_write import dump_machine
from pamt.module.cmr import check_cmr_list

ROOT = Path(__file__).resolve().parents[2]
EMR = ROOT / "specs" / "machines" / "emr-fcp-issue135.toml"
RECORDED = ROOT / "tests" / "conformance" / "data" / "kernel.jsonl"
HEX = {"base", "size", "pamt_4k", "pamt_2m", "pamt_1g", "pamt_total_size", "reserved"}


def spelled(key: str, value: Any) -> Any:
    """A recorded field as JSON results spell it."""
    if key == "tdmrs":
        return [{k: spelled(k, v) for k, v in entry.items()} for entry in value]
    if key in HEX:
        return [spelled(key, v) for v in value] if isinstance(value, list) else f"{value:#x}"
    return value


def samples() -> list[dict[str, Any]]:
    """Two recorded maps of each category that a file can hold: with at most 32 CMRs, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        machine = machine_of_vector(record["input"])
        cmrs = machine.cmrs or ()
        if len(cmrs) <= MAX_CMRS and check_cmr_list(cmrs, machine.limits).accepted:
            found.setdefault(record["category"], []).append(record)
    return [record for group in found.values() for record in group[:2]]


SAMPLES = samples()


def test_the_samples_cover_most_categories() -> None:
    assert len({record["category"] for record in SAMPLES}) >= 14


@pytest.mark.parametrize("record", SAMPLES, ids=lambda record: record["id"])
def test_json_shows_a_recorded_run_field_by_field(
    record: dict[str, Any], tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "map.toml"
    path.write_text(dump_machine(machine_of_vector(record["input"])))
    for recorded, variant in RECORDED_VARIANTS.items():
        ran = pamt("simulate", path, "--policy", f"linux:{variant}", "--json")
        result = ran.json
        wanted = {key: spelled(key, value) for key, value in record[recorded].items()}
        assert {key: result.get(key) for key in wanted} == wanted
        if result["ret"] != 0:
            assert (result["verdict"], result["module"]) == ("FAILS", None)
        else:
            accepted = result["module"]["status"] == "0x0"
            assert result["verdict"] == ("SUCCEEDS" if accepted else "FAILS")


def test_the_first_ten_lines_hold_verdict_reason_and_next_step(pamt: Callable[..., Any]) -> None:
    head = pamt("simulate", EMR).out.splitlines()[:10]
    assert head[0] == (
        "FAILS: -28 ENOSPC: TDMR [0x0, 0x80000000) needs 17 reserved areas, the limit is 16"
    )
    assert any(line.startswith("Reason:") for line in head)
    assert any(line.startswith("Next:") for line in head)


def test_the_kernel_lines_are_printed_to_the_letter(pamt: Callable[..., Any]) -> None:
    said = [line.strip() for line in pamt("simulate", EMR).out.splitlines()]
    log = (ROOT / "tests" / "corpus" / "logs" / "emr-fcp-issue135.txt").read_text().splitlines()
    failures = [line.strip() for line in log if "TDMR [" in line or "failed (" in line]
    assert len(failures) == 2
    for line in failures:
        assert line in said


def test_the_areas_are_numbered_with_the_log_lines_they_come_from(
    pamt: Callable[..., Any],
) -> None:
    said = pamt("simulate", EMR).out
    log = (ROOT / "tests" / "corpus" / "logs" / "emr-fcp-issue135.txt").read_text().splitlines()
    listed = [line.split() for line in said.splitlines() if line.strip()[:2].strip(".").isdigit()]
    numbered = [words for words in listed if words[0].endswith(".")]
    assert [words[0] for words in numbered] == [f"{n}." for n in range(1, 18)]
    for words in numbered[1:]:
        start = int(words[1].strip("[,"), 16)
        line = int(" ".join(words).partition("txt:")[2].split(")")[0].split(",")[0])
        assert f"mem 0x{start:016x}-" in log[line - 1]


def test_a_refusal_by_the_module_is_said_in_the_first_line(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "outside.toml"
    path.write_text(
        "cmr = [{ base = 0x100000000, size = 0x3ff00000 }]\n"
        "memory = [{ start = 0x100000000, end = 0x140000000 }]\n"
    )
    ran = pamt("simulate", path)
    assert ran.exit == 1
    assert ran.out.startswith("FAILS: -5 EIO: the TDX module refuses the result: TDX_TDMR_OUTSIDE")
    result = pamt("simulate", path, "--json").json
    assert (result["ret"], result["outcome"]) == (0, "success")
    assert result["module"]["rule"] == "T_CMR"


def test_a_policy_of_ones_own_by_name(pamt: Callable[..., Any]) -> None:
    assert pamt("simulate", EMR, "--policy", "greedy").out.startswith("FAILS: -28 ENOSPC: TDMR")


def test_a_map_without_memory_above_1_mib_says_so(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "low.toml"
    path.write_text("[[memory]]\nstart = 0x1000\nend = 0x9f000\n")
    lines = pamt("simulate", path).out.splitlines()
    assert lines[0] == "FAILS: -12 ENOMEM: there is no memory above 1 MiB"
    assert lines[2].endswith("so the kernel asks for a PAMT of 0 pages")
    shown = pamt("simulate", path, "--json").json
    assert (shown["ret"], shown["outcome"], shown["kernel_warnings"]) == (-12, "ENOMEM_pamt", 0)


def test_greedy_that_finds_every_tdmr_full_is_not_told_as_too_many_areas(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    """One hole below 1 MiB and a limit of one: nothing was placed, so nothing is over the limit."""
    path = tmp_path / "full.toml"
    path.write_text(
        "[limits]\nmax_reserved_per_tdmr = 1\n[[memory]]\nstart = 0x100000\nend = 0x40000000\n"
    )
    ran = pamt("simulate", path, "--policy", "greedy")
    assert ran.out.startswith(
        "FAILS: -28 ENOSPC: no place for the PAMT of TDMR [0x0, 0x40000000) leaves every TDMR"
        " within 1 reserved area\n"
    )
    assert pamt("simulate", path, "--policy", "greedy", "--json").json["needed_areas"] == []
    assert "needs 2 reserved areas, the limit is 1" in pamt("simulate", path).out
