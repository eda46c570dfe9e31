"""`pamt diff`: smallest maps for each difference, equality in scope, comparison on given maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pamt.maps.machine_file import read_machine

ROOT = Path(__file__).resolve().parents[2]
MACHINES = ROOT / "specs" / "machines"
EMR = MACHINES / "emr-fcp-issue135.toml"
VARIANTS = ("diff", "linux:mainline", "linux:cmr-v8.2")
TWO_CMRS = (*VARIANTS, "--ranges", "1", "--cmrs", "2", "--gib", "1")


def test_each_difference_has_its_smallest_map(pamt: Callable[..., Any]) -> None:
    ran = pamt(*TWO_CMRS)
    assert ran.exit == 1
    head = ran.out.splitlines()[:10]
    assert head[0].startswith("DIFFERS: linux:mainline and linux:cmr-v8.2: 2 differences; success")
    assert any(line.startswith("Next:    pamt diff ") for line in head)
    result = pamt(*TWO_CMRS, "--json").json
    assert [d["answers"] for d in result["differences"]] == [
        ["success", "EINVAL_memlist_not_in_cmr"],
        ["ENOMEM_pamt", "EINVAL_memlist_not_in_cmr"],
    ]
    for difference in result["differences"]:
        assert difference["smallest"] is True
        assert [o["outcome"] for o in difference["outcomes"]] == difference["answers"]
        assert len(difference["machine"]["memory"]) == 1
        assert len(difference["machine"]["cmr"]) == 2


def test_maps_are_saved_and_differ_again(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    result = pamt(*TWO_CMRS, "--save", tmp_path, "--json").json
    paths = [Path(d["saved"]) for d in result["differences"]]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for difference, path in zip(result["differences"], paths, strict=True):
        assert read_machine(path).source.startswith("pamt diff linux:mainline linux:cmr-v8.2")
        again = pamt(*VARIANTS, path, "--json").json
        (on_map,) = again["machines"]
        assert [o["outcome"] for o in on_map["outcomes"]] == difference["answers"]
        assert again["verdict"] == "DIFFERS"


def test_equal_in_scope_says_what_both_answer(pamt: Callable[..., Any]) -> None:
    ran = pamt("diff", "linux:mainline", "linux:cmr-nocheck", "--ranges", "1", "--gib", "1")
    assert ran.exit == 0
    assert ran.out.startswith(
        "EQUAL: linux:mainline and linux:cmr-nocheck give the same answer on "
    )
    assert "  yes   both answer success on some map" in ran.out
    assert "  yes   both answer ENOMEM_pamt on some map" in ran.out


def test_no_map_at_all_is_not_equality(pamt: Callable[..., Any]) -> None:
    ran = pamt("diff", "linux:mainline", "linux:cmr-nocheck", "--ranges", "1", "--cmrs", "0")
    assert ran.exit == 3
    assert "no map of the scope meets the assumptions" in ran.out.splitlines()[0]


def test_on_machines(pamt: Callable[..., Any]) -> None:
    paths = sorted(MACHINES.glob("*.toml"))
    ran = pamt(*VARIANTS, *paths)
    assert ran.exit == 1
    lines = ran.out.splitlines()
    assert lines[0] == (
        f"DIFFERS: linux:mainline and linux:cmr-v8.2: 1 of {len(paths)} maps get different answers"
    )
    (row,) = [line for line in lines if line.startswith("  differs")]
    assert str(EMR) in row
    assert row.endswith("-28 ENOSPC, ENOSPC_reserved  success")
    rest = [path for path in paths if path != EMR]
    assert pamt(*VARIANTS, *rest).exit == 0


def test_what_the_module_refuses_is_no_equal_success(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    """Both succeed; the second one's result is refused."""
    path = tmp_path / "mine.py"
    path.write_text(
        "from pamt.policies.linux import mainline\n"
        "from dataclasses import replace\n"
        "def moved(machine, alloc):\n"
        "    outcome = mainline(machine, alloc)\n"
        "    tdmrs = tuple(t._replace(reserved=()) for t in outcome.tdmrs)\n"
        "    return replace(outcome, tdmrs=tdmrs)\n"
    )
    machine = MACHINES / "canonical-pr188.toml"
    ran = pamt("diff", "linux:mainline", f"{path}:moved", machine)
    assert ran.exit == 1
    assert "success, which the module refuses: TDX_" in ran.out


def test_without_steps_nothing_is_claimed(pamt: Callable[..., Any]) -> None:
    ran = pamt(*VARIANTS, "--cmrs", "2", "--budget", "1")
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: the budget of 1 steps ended after 1 of 16 cases\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["linux:mainline"], "takes 2 values"),
        (["linux:mainline", "nosuch"], "no policy named 'nosuch'"),
        (["linux:mainline", "nosuch", EMR], "no policy named 'nosuch'"),
        (["linux:mainline", "greedy", EMR, "--ranges", "3"], "--ranges makes no sense with MACH"),
        (["linux:mainline", "greedy", EMR, "--save", "x"], "--save makes no sense with MACHINE"),
        (["linux:mainline", "greedy", "no.toml", "nor.toml"], "nor.toml: expected a readable file"),
        (["linux:mainline", "greedy", "--limits", "x"], "limits are 'real' or like"),
    ],
    ids=lambda value: " ".join(map(str, value))[-40:] if isinstance(value, list) else None,
)
def test_a_bad_command_line_is_exit_2(
    words: list[object], said: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt("diff", *words)
    assert (ran.exit, ran.out) == (2, "")
    assert said in ran.err
