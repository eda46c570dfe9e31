"""pamt repair on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pamt.explain import map_changes
from pamt.kernel.conform import machine_of_vector
from pamt.maps.machine_write import dump_machine

EMR = "specs/machines/emr-fcp-issue135.toml"


def test_the_page_to_withdraw_comes_within_ten_lines(root: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("repair", root / EMR)
    first = ran.out.splitlines()[:10]
    assert ran.exit == 0
    assert first[0] == "OPTIMAL: withdraw 1 page (4 KiB): 0x64158000"
    assert any("needs 17 reserved areas, the limit is 16" in line for line in first)
    assert any("'memmap=4K$0x64158000'" in line for line in first)
    assert any('GRUB_CMDLINE_LINUX="... memmap=4K\\\\\\$0x64158000"' in line for line in first)
    assert any("16 of 16 reserved areas" in line for line in first)
    assert "any one of these 261,889 pages" in ran.out
    assert "0x101000-0x40000000 (261,887 pages): cuts the TDMR at 0x40000000" in ran.out


def test_the_changed_machine_works(root: Path, tmp_path: Path, pamt: Callable[..., Any]) -> None:
    changed = tmp_path / "changed.toml"
    assert pamt("repair", root / EMR, "-o", changed).exit == 0
    ran = pamt("simulate", changed)
    assert ran.exit == 0
    assert "at most 16 of 16 reserved areas" in ran.out
    again = pamt("repair", changed)
    assert again.exit == 0
    assert again.out.startswith("OPTIMAL: nothing to repair")
    assert "TDMR 0 has room for no more holes" in again.out


def test_a_change_of_software_writes_the_configuration(
    root: Path, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    made = tmp_path / "made.toml"
    assert pamt("repair", root / EMR, "--kinds", "cut", "-o", made).exit == 0
    assert pamt("check", root / EMR, made).exit == 0


def test_a_budget_that_is_too_small_is_no_verdict(root: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("repair", root / EMR, "--kinds", "withdraw", "--budget", "1", "--json")
    assert ran.exit == 3
    assert ran.json["verdict"] == "UNDECIDED"
    assert ran.json["missing"][0]["proven"] is False


def test_a_preferred_kind_that_is_open_leaves_no_optimum(
    root: Path, pamt: Callable[..., Any]
) -> None:
    ran = pamt("repair", root / EMR, "--budget", "1", "--kinds", "withdraw,variant")
    first = ran.out.splitlines()
    assert ran.exit == 3
    assert first[0].startswith("FEASIBLE: run linux:cmr-v8.2")
    assert first[0].endswith("; whether withdraw would do is not settled")
    assert any(line.startswith("Next:    raise --budget") for line in first[:10])
    # With the other kind preferred, what is open of the pages is of no matter.
    turned = pamt("repair", root / EMR, "--budget", "1", "--kinds", "variant,withdraw")
    assert turned.exit == 0
    assert turned.out.startswith("OPTIMAL: run linux:cmr-v8.2")
    assert "Next:" not in turned.out


def test_an_undecided_answer_says_what_to_raise(root: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("repair", root / EMR, "--kinds", "withdraw", "--budget", "1")
    assert ran.out.startswith("UNDECIDED")
    assert "\nNext:    raise --budget" in ran.out


def test_an_interrupted_answer_says_what_next(
    root: Path, pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(map_changes, "withdrawn", interrupted)
    ran = pamt("repair", root / EMR, "--kinds", "withdraw,online")
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED")
    assert "\nNext:    run it again with more time (interrupted), or ask for less" in ran.out


def test_an_unknown_kind_is_named(root: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("repair", root / EMR, "--kinds", "pray")
    assert ran.exit == 2
    assert "'pray'" in ran.err
    assert "withdraw" in ran.err


def test_any_number_of_jobs_gives_the_same_answer(root: Path, pamt: Callable[..., Any]) -> None:
    one, two = (pamt("repair", root / EMR, "--json", "--jobs", jobs) for jobs in (1, 2))
    assert one.exit == two.exit == 0
    assert one.out == two.out
    kinds = {repair["kind"] for repair in one.json["repairs"]}
    assert {"withdraw", "variant", "cut", "merge"} <= kinds


def test_a_time_limit_keeps_what_was_found(
    root: Path, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    """On a map for which the search for pages takes seconds."""
    map_file = _recorded(root, tmp_path, "tdmr_overflow-039")
    ran = pamt("repair", map_file, "--budget", "100000", "--timeout", "1", "--json")
    assert ran.exit == 3
    assert ran.json["verdict"] in {"FEASIBLE", "UNDECIDED"}
    assert ran.json["stopped"] == "the time limit of 1 s ended"
    unsettled = [m["kind"] for m in ran.json["missing"] if m["reason"].startswith("not settled")]
    assert unsettled == ["reserve", "cut", "merge"]
    # What takes no time was settled before; what was proven of the pages is kept.
    reasons = {missing["kind"]: missing["reason"] for missing in ran.json["missing"]}
    assert reasons["online"] == "no node has a zone Movable"
    assert "pages or fewer cannot do it" in reasons["withdraw"]


def test_a_reservation_says_who_does_it_before_it_says_where(
    root: Path, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    map_file = _recorded(root, tmp_path, "stride_scan-014")
    ran = pamt("repair", map_file, "--kinds", "reserve,cut")
    lines = ran.out.splitlines()
    assert ran.exit == 0
    assert lines[0].startswith("OPTIMAL: reserve 1,027 pages")
    (do,) = (line for line in lines if line.startswith("Do:"))
    assert "kernel developer" in do
    assert "unmodified mainline kernel can't" in do
    assert lines.index(do) < 10
    assert next(at for at, line in enumerate(lines) if line.startswith("Then:")) < 10
    (listed,) = (at for at, line in enumerate(lines) if line == "The places:")
    assert lines[listed + 1].startswith("  TDMR 0: 0x")
    assert not any("TDMR" in line for line in lines[3:listed] if line.startswith(" " * 9))
    (repair,) = pamt("repair", map_file, "--kinds", "reserve", "--json").json["repairs"]
    assert repair["actions"][0] in do
    assert repair["actions"][1] == lines[listed + 1].strip()


def _recorded(root: Path, folder: Path, name: str) -> Path:
    """A recorded map as a file."""
    for line in (root / "tests/conformance/data/kernel.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["id"] == name:
            machine = replace(machine_of_vector(record["input"]), cmrs=None)
    made = folder / "map.toml"
    made.write_text(dump_machine(machine))
    return made


def test_margins_of_a_failing_map_are_those_after_the_repair(
    root: Path, pamt: Callable[..., Any]
) -> None:
    ran = pamt("repair", root / EMR)
    assert "Margins with this repair:" in ran.out
    assert "TDMR 0 has room for no more holes" in ran.out
    assert "fails if node 0 loses" in ran.out
    asked = pamt("repair", root / EMR, "--json")
    assert asked.json["margins_after"] == "withdraw"


def test_simulate_shows_the_least_margins(root: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("simulate", root / "specs/machines/supermicro-7049a-2s.toml")
    line = next(line for line in ran.out.splitlines() if line.startswith("Margin:"))
    assert "TDMR 0 has room for 12 more holes" in line
    assert "largest chunk that still fits on node 1: 64 GiB" in line
    assert "Margin:" not in pamt("simulate", root / EMR).out
