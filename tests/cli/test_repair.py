"""pamt repair on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def test_an_unknown_kind_is_named(root: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("repair", root / EMR, "--kinds", "pray")
    assert ran.exit == 2
    assert "'pray'" in ran.err
    assert "withdraw" in ran.err
