"""`pamt verify`: verdicts, the map that is shown and saved, what is refused, interrupts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pamt.maps.machine_file import read_machine
from pamt.verify import engine
from pamt.verify.result import Disagreement

ONE = ("--ranges", "1", "--gib", "1")
MINE = '''"""Policies and a predicate of somebody's own."""

from pamt.outcome import ENOMEM, Outcome


def fails(machine, alloc):
    return Outcome(ENOMEM, "never tried")


def raises(machine, alloc):
    return Outcome(machine.memory[5].start, "x")


def tries(machine, alloc):
    try:
        return Outcome(0, "success")
    finally:
        pass


def low(machine, outcome):
    """All memory ends at or below 512 MiB."""
    return machine.memory[0].end <= 0x20000000
'''


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def test_a_property_that_is_kept(pamt: Callable[..., Any]) -> None:
    ran = pamt("verify", "linux:mainline", "--property", "accepted", *ONE)
    assert ran.exit == 0
    head = ran.out.splitlines()[:10]
    assert head[0] == "HOLDS: linux:mainline keeps accepted on every map of the scope"
    assert head[3].startswith("Scope:   every map of 1 memory range on 1 node, at any")
    assert head[4].startswith("Size:    ")
    assert head[5].startswith("Next:    pamt verify linux:mainline --property accepted --gib 1")
    assert "  yes   the assumptions are satisfiable" in ran.out
    assert ran.out.count("  yes   mutant: ") == 7
    assert "--no-assume convertible" in ran.out
    assert ran.err == ""


def test_the_smallest_map_is_drawn_and_replayed(pamt: Callable[..., Any]) -> None:
    ran = pamt("verify", "linux:mainline", "--property", "complete:linux")
    assert ran.exit == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith("VIOLATED: ENOMEM_pamt, though PAMTs at 0x400000 make")
    assert any(line.startswith("Map:     1 memory range, 1 CMR, 1 node") for line in lines[:10])
    assert any("(proved to be the smallest)" in line for line in lines[:10])
    assert any(line.startswith("Next:") for line in lines[:10])
    assert "  policy linux:mainline: -12 ENOMEM, ENOMEM_pamt at TDMR 0" in lines
    assert any(line.startswith("  placement in --tdmrs kernel") for line in lines)
    assert any(line.startswith("memory  ") and "█" in line for line in lines)
    assert "  memory  0x400000    0xa00000  6 MiB     0" in lines


def test_the_map_in_json_is_a_machine_with_its_outcome(pamt: Callable[..., Any]) -> None:
    result = pamt("verify", "linux:mainline", "--property", "complete:linux", "--json").json
    assert (result["verdict"], result["exit"]) == ("VIOLATED", 1)
    assert (result["policy"], result["property"]) == ("linux:mainline", "complete:linux")
    (memory,) = result["counterexample"]["memory"]
    assert (memory["start"], memory["end"]) == ("0x400000", "0xa00000")
    assert result["outcome"]["outcome"] == "ENOMEM_pamt"
    assert result["placement"]["verdict"] == "OPTIMAL"
    assert result["smallest"] is True
    assert result["measure"]["addresses"][:2] == ["0x400000", "0xa00000"]
    assert result["scope"]["size"].isdigit()
    assert result["cases"]["done"] <= result["cases"]["all"]
    assert [made["id"] for made in result["assumptions"]] == [
        "convertible",
        "free-is-memory",
        "apart",
        "above-1m",
        "no-null-cmr",
        "equal-distances",
    ]


def test_the_map_is_saved_and_fails_again(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    folder = tmp_path / "found"
    words = ("verify", "linux:mainline", "--property", "complete:linux")
    ran = pamt(*words, "--save", folder)
    (path,) = folder.iterdir()
    assert path.name == "complete-linux-linux-mainline.toml"
    assert f"Saved:   {path}" in ran.out.splitlines()[:10]
    assert f"Next:    pamt simulate {path} --policy linux:mainline" in ran.out
    assert read_machine(path).source == "pamt verify linux:mainline --property complete:linux"
    assert pamt("simulate", path, "--json").json["outcome"] == "ENOMEM_pamt"
    assert pamt("place", path).exit == 0
    other = tmp_path / "map.json"
    ran = pamt(*words, "-o", other)
    assert ran.exit == 1
    assert f"Next:    pamt simulate {other} --policy linux:mainline" in ran.out
    assert read_machine(other) == read_machine(path)
    text = pamt(*words).out
    assert "--save DIR    (keep the map)" in text
    (measure,) = (line for line in text.splitlines() if line.startswith("Map:"))
    assert ", all memory free, " in measure
    assert " 1 addresses " not in measure


@pytest.mark.parametrize("name", ["map.tml", "map.bin", "map"])
def test_an_unknown_ending_is_refused(name: str, tmp_path: Path, pamt: Callable[..., Any]) -> None:
    words = ("verify", "linux:mainline", "--property", "complete:linux")
    ran = pamt(*words, "-o", tmp_path / name)
    assert (ran.exit, ran.out) == (2, "")
    assert "ends in .toml (the map), .json" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_no_map_is_written_where_there_is_none(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "map.toml"
    ran = pamt("verify", "linux:mainline", "--property", "covered", *ONE, "-o", path)
    assert ran.exit == 0
    assert "not written, there is no map to show" in ran.err
    assert not path.exists()


def test_an_assumption_can_be_dropped(pamt: Callable[..., Any]) -> None:
    words = ("verify", "linux:mainline", "--property", "accepted", "--no-assume", "convertible")
    ran = pamt(*words, "--json")
    assert ran.exit == 1
    assert ran.json["outcome"]["module"]["status_name"] == "TDX_PAMT_OUTSIDE_CMRS"
    assert "convertible" not in ran.json["scope"]["assumptions"]
    assert pamt(*words[:-2], "--without", "convertible", "--json").json == ran.json


def test_scaled_limits_and_free_runs_are_part_of_the_scope(pamt: Callable[..., Any]) -> None:
    words = ("verify", "linux:mainline", "--property", "clean", *ONE, "--no-mutants")
    scope = pamt(*words, "--limits", "4x2", "--free", "1", "--json").json["scope"]
    assert (scope["max_tdmrs"], scope["max_reserved_per_tdmr"]) == (4, 2)
    assert scope["free"] == 1
    assert "free-is-memory" not in scope["assumptions"]
    assert "up to 1 free run," in scope["words"]


def test_without_steps_nothing_is_claimed(pamt: Callable[..., Any]) -> None:
    words = ("verify", "linux:mainline", "--property", "accepted", "--budget", "1000")
    ran = pamt(*words)
    assert ran.exit == 3
    lines = ran.out.splitlines()
    assert lines[0].startswith("UNDECIDED: ")
    assert any(line.startswith("Covered: 1 of 8 cases") for line in lines[:10])
    assert any(line.startswith("Next:") and "--steps NUMBER" in line for line in lines[:10])
    assert "the budget of 1000 steps ended after 1 of 8 cases" in ran.out
    result = pamt(*words, "--json").json
    assert result["counterexample"] is None
    assert len(result["undecided"]) > 1


def test_a_policy_of_ones_own(mine: Path, pamt: Callable[..., Any]) -> None:
    import hashlib

    name = f"{mine}:fails"
    result = pamt("verify", name, "--property", "complete:linux", "--json").json
    assert (result["verdict"], result["policy"]) == ("VIOLATED", name)
    digest = hashlib.sha256(mine.read_bytes()).hexdigest()
    assert result["input"] == {"name": str(mine), "sha256": digest}
    assert result["outcome"]["outcome"] == "never tried"


def test_a_policy_that_raises(mine: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("verify", f"{mine}:raises", "--property", "clean")
    assert ran.exit == 1
    assert ran.out.startswith("VIOLATED: the policy raised IndexError")
    assert "  policy: raises an exception" in ran.out
    result = pamt("verify", f"{mine}:raises", "--property", "clean", "--json").json
    assert result["outcome"] is None
    assert result["counterexample"]["memory"]


def test_a_property_of_ones_own(mine: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("verify", "linux:mainline", "--property", f"{mine}:low", *ONE, "--json")
    assert (ran.exit, ran.json["verdict"]) == (1, "VIOLATED")
    assert ran.json["property_words"] == "All memory ends at or below 512 MiB."
    assert int(ran.json["counterexample"]["memory"][0]["end"], 16) > 0x20000000


def test_what_the_language_lacks_is_bad_input_with_its_line(
    mine: Path, pamt: Callable[..., Any]
) -> None:
    ran = pamt("verify", f"{mine}:tries", "--property", "clean")
    assert (ran.exit, ran.out) == (2, "")
    line = MINE.splitlines().index("    try:") + 1
    assert ran.err.startswith(f"{mine}:{line}: expected a construct that runs symbolically")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch", "--property", "clean"], "no policy named 'nosuch'; known: linux:mainline"),
        (["no.py:f", "--property", "clean"], "no.py: no such file"),
        (["linux:mainline", "--property", "nice"], "unknown property 'nice'; known: accepted"),
        (["linux:mainline", "--property", "complete:--tdmrs"], "--property: an option of"),
        (["linux:mainline", "--property", "no-worse-than:x"], "no policy named 'x'"),
        (["linux:mainline"], "--property"),
        (["linux:mainline", "--property", "clean", "--limits", "3"], "'real' or like '4x2'"),
        (["linux:mainline", "--property", "clean", "--assume", "x"], "expected one of convertible"),
        (["linux:mainline", "--property", "clean", "--first-gib", "2"], "must lie below gib"),
        (
            ["linux:mainline", "--property", "clean", "--no-assume", "free-is-memory"],
            "needs --free N",
        ),
        (
            ["linux:mainline", "--property", "clean", "--no-assume", "equal-distances"],
            "needs --distances",
        ),
        (["linux:mainline", "--property", "clean", "--distances", "20,x"], "expected numbers"),
        (["linux:mainline", "--property", "clean", "--distances", "5"], "lie in 11..255"),
        (["linux:mainline", "--property", "complete:linux --give-up x"], "--give-up PAGES"),
        (
            ["linux:mainline", "--property", "clean", "--assume", "apart", "--without", "apart"],
            "both assumed and dropped",
        ),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else None,
)
def test_a_bad_command_line_is_exit_2(
    words: list[str], said: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt("verify", *words)
    assert (ran.exit, ran.out) == (2, "")
    assert said in ran.err


def test_an_interrupt_tells_what_was_covered(
    monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    refute = engine.refute
    asked = 0

    def third(*words: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise KeyboardInterrupt
        return refute(*words)

    monkeypatch.setattr(engine, "refute", third)
    ran = pamt("verify", "linux:mainline", "--property", "covered")
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: interrupted after 2 of 8 cases\n")
    asked = 0
    result = pamt("verify", "linux:mainline", "--property", "covered", "--json").json
    assert (result["exit"], result["cases"]) == (3, {"all": 8, "done": 2})


def test_a_mutant_that_nobody_notices_takes_the_verdict_away(
    monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    from pamt.verify import mutants
    from pamt.verify.result import Vacuity

    unnoticed = Vacuity("mutant: nothing is checked", False, "HOLDS")
    monkeypatch.setattr(mutants, "check_mutants", lambda *_: iter((unnoticed,)))
    words = ("verify", "linux:mainline", "--property", "covered", *ONE)
    ran = pamt(*words)
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: not noticed: mutant: nothing is checked\n")
    assert pamt(*words, "--no-mutants").exit == 0


@pytest.mark.parametrize(
    ("name", "said", "following"),
    [
        ("local", "a PAMT goes to another node than its TDMR's home", "--nodes 2 --gib 1"),
        ("renaming", "memory is on more than one node", "--ranges 3 --nodes 3 --gib 1"),
        (
            "complete:linux@ENOSPC_reserved",
            "the policy fails with ENOSPC_reserved",
            "--ranges 1 --gib 1 --limits 4x2",
        ),
    ],
)
def test_a_property_that_was_never_put_to_the_test_is_told_first(
    name: str, said: str, following: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt("verify", "linux:mainline", "--property", name, *ONE, "--no-mutants")
    assert ran.exit == 0
    lines = ran.out.splitlines()
    assert lines[0] == f"HOLDS, but never put to the test: there is no map on which {said}"
    asked = f"Next:    pamt verify linux:mainline --property {name} "
    assert any(line.startswith(asked + following) for line in lines[:10])
    assert f"  no    {said} on some map" in ran.out
    assert "  -     no planted bug was asked about" in ran.out
    assert (
        pamt("verify", "linux:mainline", "--property", name, *ONE, "--no-mutants", "--json").json[
            "untested"
        ]
        == said
    )


def test_distances_are_part_of_the_scope(pamt: Callable[..., Any]) -> None:
    words = ("verify", "linux:mainline", "--property", "local", "--nodes", "2", "--gib", "1")
    result = pamt(*words, "--distances", "30,20", "--json").json
    assert result["scope"]["distances"] == [20, 30]
    assert "equal-distances" not in [made["id"] for made in result["assumptions"]]
    assert "on up to 2 nodes with distances out of 20, 30, at any" in result["scope"]["words"]
    nodes = result["counterexample"]["node"]
    assert [node["distance"] for node in nodes] == [[10, 20], [20, 10]]
    plain = pamt(*words, "--json").json
    assert plain["scope"]["distances"] is None
    assert plain["counterexample"]["memory"] == result["counterexample"]["memory"]


def test_a_disagreement_is_exit_70_and_leaves_the_map_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    monkeypatch.setattr(engine, "_broken", lambda *_: None)
    ran = pamt("verify", "linux:mainline", "--property", "complete:linux", "--save", tmp_path)
    assert (ran.exit, ran.out) == (70, "")
    assert str(tmp_path / "disagreement.toml") in ran.err
    assert Disagreement.__name__ in ran.err
    assert read_machine(tmp_path / "disagreement.toml").memory


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "file"
    path.write_text("")
    words = ("verify", "linux:mainline", "--property", "never:success", *ONE)
    ran = pamt(*words, "--save", path / "folder")
    assert (ran.exit, ran.out) == (2, "")
    assert "cannot be written" in ran.err


def test_the_same_question_gets_the_same_bytes(pamt: Callable[..., Any]) -> None:
    words = ("verify", "linux:mainline", "--property", "areas-at-most:2")
    first = pamt(*words)
    assert pamt(*words).out == first.out
    assert json.loads(pamt(*words, "--json").out)["verdict"] == "VIOLATED"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--limits", "0x0"], "limits are 1 to 65535 TDMRs"),
        (["--nodes", "100000"], "at most 1024 nodes"),
        (["--ranges", "1", "--fewest-ranges", "3"], "the fewest memory ranges (3) are more than"),
        (["--ranges", "9" * 20], "at most 256 memory ranges"),
        (["--property", "never:NOSUCH"], "no answer called 'NOSUCH'; known: success, ENOSPC_tdmrs"),
        (["--property", "complete:linux@NOSUCH"], "no answer called 'NOSUCH'"),
    ],
)
def test_a_scope_or_reason_without_sense_is_refused(
    words: list[str], told: str, pamt: Callable[..., Any]
) -> None:
    asked = words if "--property" in words else [*words, "--property", "covered"]
    ran = pamt("verify", "linux:mainline", *asked)
    assert (ran.exit, ran.out) == (2, "")
    assert told in " ".join(ran.err.split())


def test_a_reason_that_a_users_policy_never_gives_is_told(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    source = tmp_path / "mine.py"
    source.write_text(
        "from pamt.outcome import ENOMEM, Outcome\n\n\n"
        "def policy(machine, alloc):\n    return Outcome(ENOMEM, 'ENOMEM_pamt')\n"
    )
    words = ("verify", f"{source}:policy", *ONE, "--no-mutants", "--property")
    wrong = pamt(*words, "never:NOSUCH")
    assert wrong.exit == 0
    assert "no    a return of the policy answers NOSUCH (none does in this scope" in wrong.out
    assert "a return of the policy answers" not in pamt(*words, "never:ENOMEM_pamt").out
