"""`import`, `check`, `show`, `sizes`, `conform`, `judge`, `place`: what a reader sees."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pamt.cli.answer import Output
from pamt.cli.place_next import next_steps
from pamt.maps.machine_file import read_machine
from pamt.placement import Space
from pamt.solve import PlaceResult

ROOT = Path(__file__).resolve().parents[2]
MACHINES = ROOT / "specs" / "machines"
EMR = MACHINES / "emr-fcp-issue135.toml"
PR188 = MACHINES / "canonical-pr188.toml"
LOGS = ROOT / "tests" / "corpus" / "logs"
DATA = ROOT / "tests" / "conformance" / "data"


def test_import_writes_a_map_and_says_what_it_assumed(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "emr.toml"
    ran = pamt("import", LOGS / "emr-fcp-issue135.txt", "--fill-from-cmr", "-o", path)
    assert ran.exit == 0
    assert "Assumed:" in ran.out
    assert "they are taken as memory" in ran.out
    assert "module initialization failed (-28)" in ran.out
    made, kept = read_machine(path), read_machine(EMR)
    assert (made.cmrs and [c[:2] for c in made.cmrs]) == (kept.cmrs and [c[:2] for c in kept.cmrs])
    assert pamt("simulate", path).exit == 1


def test_import_offers_the_memory_that_it_leaves_out(
    tmp_path: Path, pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = LOGS / "emr-fcp-issue135.txt"
    out = pamt("import", log, "--name", "my machine", "-o", "emr.toml").out
    offered = next_of(out).removeprefix("Next:").partition("    (")[0]
    assert shlex.split(offered) == [
        *("pamt", "import", str(log), "--fill-from-cmr", "--name", "my machine", "-o", "emr.toml")
    ]
    assert out.endswith("\n      pamt simulate emr.toml    (as it is)\n")
    # As offered, the map fails as the log says that the machine did.
    filled = pamt(*shlex.split(offered)[1:]).out
    assert next_of(filled) == "Next: pamt simulate emr.toml"
    assert pamt("simulate", "emr.toml").exit == 1


def test_import_prints_the_map_without_a_file(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    printed = pamt("import", LOGS / "epyc7601-2s-8node.txt").out
    path = tmp_path / "map.toml"
    assert pamt("import", LOGS / "epyc7601-2s-8node.txt", "-o", path).exit == 0
    assert path.read_text() == printed
    as_json = tmp_path / "map.json"
    assert pamt("import", LOGS / "epyc7601-2s-8node.txt", "-o", as_json).exit == 0
    assert read_machine(as_json) == read_machine(path)


def test_import_in_json_has_the_map_as_a_file_in_json_has_it(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "emr.json"
    told = pamt("import", LOGS / "emr-fcp-issue135.txt", "-o", path, "--json").json
    assert told["machine"] == json.loads(path.read_text())
    assert told["machine"]["cmr"][0]["base"] == "0x100000"


def test_import_without_a_map_names_the_lines_it_needs(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "gnr.toml"
    ran = pamt("import", LOGS / "gnr-issue415.txt", "-o", path)
    assert (ran.exit, ran.out) == (2, "")
    assert "BIOS-e820" in ran.err
    assert not path.exists()


def test_check_names_the_objects_that_the_status_speaks_of(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "made.toml"
    assert pamt("simulate", EMR, "--policy", "linux:cmr-v8.2", "-o", path).exit == 0
    path.write_text(path.read_text().replace("0x10f87d000", "0x10f87c000", 1))
    head = pamt("check", EMR, path).out.splitlines()[:10]
    assert head[0].startswith("REFUSED: TDX_")
    assert any(line.startswith("Rule:    P") for line in head)
    assert any(line.startswith("         TDMR 1: base 0x100000000") for line in head)
    assert any(line.startswith("Next:") for line in head)


@pytest.mark.parametrize("name", sorted(path.stem for path in MACHINES.glob("*.toml")))
@pytest.mark.parametrize("width", [60, 100, 200])
def test_show_keeps_to_the_width_and_prints_no_colour_codes(
    name: str, width: int, pamt: Callable[..., Any]
) -> None:
    ran = pamt("show", MACHINES / f"{name}.toml", "--width", width)
    drawing = ran.out.split("One column is")[0]
    rows = [line for line in drawing.splitlines()[4:] if line]
    assert max(map(len, rows)) <= width
    assert "\x1b" not in ran.out
    for label in ("memory", "TDMRs", "PAMTs", "reserved"):
        assert any(row.startswith(label) for row in rows)


def test_show_says_how_many_areas_each_tdmr_uses(pamt: Callable[..., Any]) -> None:
    out = pamt("show", EMR).out
    assert "17 of 16  ████████████████! 1 too many" in out
    assert "virt/tdx: initialization failed: TDMR [0x0, 0x80000000)" in out


def test_show_draws_a_configuration(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "placed.toml"
    assert pamt("place", EMR, "--reserve", "cmr", "-o", path).exit == 0
    out = pamt("show", EMR, path).out
    assert "configuration" in out.splitlines()[0]
    assert "3 of 16  ███░░░░░░░░░░░░░" in out


def test_show_window_zooms_in(pamt: Callable[..., Any]) -> None:
    out = pamt("show", EMR, "--window", "0x5d000000-0x64000000").out
    assert "0x5d000000" in out
    assert "0x100000000 " not in out.split("One column")[0]


def test_show_writes_a_picture(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    from xml.etree import ElementTree as ET

    path = tmp_path / "map.svg"
    assert pamt("show", EMR, "-o", path).exit == 0
    assert ET.fromstring(path.read_text()).tag.endswith("svg")


def test_show_in_colour_shows_the_same_characters(
    pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import re

    plain = pamt("show", EMR).out
    monkeypatch.setattr("pamt.cli.show._shows_colour", lambda: True)
    coloured = pamt("show", EMR).out
    assert "\x1b[" in coloured
    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()] == [
        line.rstrip() for line in plain.splitlines()
    ]


def test_show_has_a_form_for_plain_ascii(
    pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pamt.cli.show.shows_unicode", lambda _output: False)
    assert pamt("show", EMR).out.isascii()


@pytest.mark.parametrize(
    ("words", "kilobytes"),
    [
        # Totals that real kernels logged.
        (["2GiB", "62GiB", "64GiB", "64GiB", "64GiB"], 1050644),
        (["252GiB"], 1034212),
        (["2GiB", "126GiB", "124GiB"], 1034220),
        (["2GiB", "126GiB", "124GiB", "--dynamic"], 10092),
        (["2GiB", "2046GiB"], 8405028),
        (["2G", "31G", "31G"], 262668),
    ],
)
def test_sizes(words: list[str], kilobytes: int, pamt: Callable[..., Any]) -> None:
    assert pamt("sizes", *words, "--json").json["pamt_kb"] == kilobytes
    assert pamt("sizes", *words).out.startswith(f"{kilobytes} KB allocated for PAMT")


def test_sizes_of_every_cut_lie_between_the_two_that_are_told() -> None:
    from itertools import combinations

    from pamt.cli.sizes import _by_cut
    from pamt.kernel.sizes import pamt_sizes
    from pamt.machine import Limits
    from pamt.ranges import GIB, KIB

    limits = Limits(pamt_entry_size=(16, 16, 512))  # eight 1G entries a page: small maps tell
    for gib in (5, 16, 23):
        told = _by_cut(gib, limits, dynamic=False)
        for cut, (least, most) in told.items():
            totals = set()
            for borders in combinations(range(1, gib), cut - 1):
                sizes = [b - a for a, b in zip((0, *borders), (*borders, gib), strict=True)]
                total = sum(pamt_sizes(n * GIB, limits, dynamic=False).total for n in sizes)
                totals.add(total // KIB)
            assert (min(totals), max(totals)) == (least, most)


def test_sizes_of_an_uneven_entry_promise_nothing_about_cuts() -> None:
    from pamt.cli.sizes import _by_cut
    from pamt.machine import Limits

    assert _by_cut(8, Limits(pamt_entry_size=(16, 12, 16)), dynamic=False) == {}
    # Three quarters of a page a GiB: 1 and 2 GiB need 1 and 2 pages, but 4 GiB need 3.
    assert _by_cut(8, Limits(pamt_entry_size=(16, 6, 16)), dynamic=False) == {}
    assert _by_cut(8, Limits(pamt_entry_size=(16, 16, 24)), dynamic=False) == {}


@pytest.mark.parametrize(
    ("authority", "file", "runs"),
    [
        ("kernel", "kernel.jsonl", 1204),
        ("module", "module.jsonl", 395),
        ("module", "module_dpamt.jsonl", 66),
        ("cmr", "cmr.jsonl", 45),
    ],
)
def test_conform_replays_everything_recorded(
    authority: str, file: str, runs: int, pamt: Callable[..., Any]
) -> None:
    ran = pamt("conform", authority, DATA / file)
    assert ran.exit == 0
    assert ran.out.startswith(f"EQUAL: {runs} recorded runs, 0 differ\n")


@pytest.mark.parametrize("authority", ["kernel", "module", "cmr"])
@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"[]\n", b"nonsense\n", b"\xff\n"])
def test_conform_refuses_what_is_no_recording(
    authority: str, content: bytes, tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "recorded.jsonl"
    path.write_bytes(content)
    ran = pamt("conform", authority, path)
    assert (ran.exit, ran.out) == (2, "")
    assert str(path) in ran.err


def test_judge_shows_each_difference(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "wrong.pamt.toml"
    path.write_text(
        'ask = "sizes 1GiB"\nwhy = "Wrong on purpose."\n[expect]\npamt_kb = 1\nexit = 0\n'
    )
    ran = pamt("judge", path)
    assert ran.exit == 1
    assert ran.out.startswith("DIFFERS: 1 cases, 1 differ\n")
    assert "pamt_kb: expected 1, found 4108" in ran.out
    assert "exit" not in ran.out.split("pamt_kb")[1]


def test_place_says_why_there_is_none(pamt: Callable[..., Any]) -> None:
    ran = pamt("place", EMR)
    assert ran.exit == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith("INFEASIBLE: TDMR [0x0, 0x80000000) needs 17 reserved areas")
    assert any("17. 0x6f800000-0x80000000" in line for line in lines)
    assert any(line.startswith("Next:") for line in lines[:10])


def test_place_with_a_small_budget_does_not_claim_an_optimum(pamt: Callable[..., Any]) -> None:
    words = ("place", EMR, "--give-up", "1", "--steps", "1")
    ran = pamt(*words, "--json")
    assert ran.exit == 3
    assert ran.json["verdict"] in {"FEASIBLE", "UNDECIDED"}
    if ran.json["verdict"] == "FEASIBLE":
        assert pamt(*words, "--accept", "feasible").exit == 0


def solved(text: str) -> str:
    import z3

    solver = z3.Solver(ctx=z3.Context())
    solver.from_string(text)
    return str(solver.check())


def test_export_asks_what_place_answers(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    machine = MACHINES / "canonical-pr188.toml"
    best = pamt("place", machine, "--json").json["objective"]
    held = ["--at-most", f"remote={best['remote']}"]
    for below, expected in ((0, "sat"), (1, "unsat")):
        path = tmp_path / "question.smt2"
        bound = f"max_areas={best['max_areas'] - below}"
        assert pamt("export", machine, *held, "--at-most", bound, "-o", path).exit == 0
        assert solved(path.read_text()) == expected
    assert solved(pamt("export", EMR).out) == "unsat"


def test_export_of_what_needs_no_solver(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "none.toml"
    path.write_text("memory = []\n")
    text = pamt("export", path).out
    assert "no-memory" in text
    assert solved(text) == "unsat"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--give-up", "1"], "search over questions"),
        (["--at-most", "beauty=1"], "expected NAME=VALUE"),
        (["--at-most", "areas"], "expected NAME=VALUE"),
    ],
)
def test_export_refuses_what_it_cannot_say(
    words: list[str], said: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt("export", EMR, *words)
    assert ran.exit == 2
    assert said in ran.err


def test_place_says_what_comes_next(
    pamt: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = pamt("place", EMR, "--reserve", "cmr", "-o", "best.toml").out
    assert f"Next:    pamt check {EMR} best.toml" in kept
    assert "-o best.toml" not in kept
    infeasible = pamt("place", EMR).out.splitlines()[:10]
    assert any(f"pamt repair {EMR}" in line for line in infeasible)


def next_of(out: str) -> str:
    return next(line for line in out.splitlines() if line.startswith("Next:"))


def test_place_suggests_the_question_that_was_asked(pamt: Callable[..., Any]) -> None:
    huawei = EMR.with_name("huawei-8node-2016.toml")
    out = pamt("place", huawei, "--objective", "pamt_pages,tdmrs", "--space", "module").out
    free = "--tdmrs free --pamt split --reserve minimal"
    assert f"place {huawei} {free} --objective pamt_pages,tdmrs -o best.toml" in next_of(out)
    (greedy,) = (line for line in out.splitlines() if line.startswith("Beside:  greedy"))
    assert re.fullmatch(r"Beside:  greedy succeeds: pamt_pages \d+, tdmrs \d+", greedy)
    wider = next_of(pamt("place", EMR, "--objective", "areas").out)
    assert " --objective areas    (has an answer)" in wider


@pytest.mark.parametrize(
    ("stopped", "asked"),
    [
        ("steps", "pamt place 'a map.toml' --give-up 1 --objective areas,lost --steps NUMBER"),
        ("time", "pamt place 'a map.toml' --give-up 1 --objective areas,lost --timeout SECONDS"),
        ("size", "pamt place 'a map.toml' --objective areas,lost"),
    ],
)
def test_place_suggests_the_same_question_with_more_work(stopped: str, asked: str) -> None:
    result = PlaceResult("UNDECIDED", ("areas", "lost"), stopped=stopped)
    (step,) = next_steps("a map.toml", Space(give_up=1), result, Output(False, None, False))
    assert step.partition("    (")[0] == asked


def test_the_suggested_command_after_feasible_comes_to_the_check(
    pamt: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = pamt("place", PR188, "--steps", "1")
    assert found.exit == 3
    again, check = next_of(found.out).removeprefix("Next:").partition("    (")[0].split(" && ")
    assert " --steps 1 --accept feasible " in again
    assert pamt(*again.split()[1:]).exit == 0
    assert pamt(*check.split()[1:]).exit == 0
    assert "--accept" not in next_of(pamt("place", PR188).out)


def test_simulate_says_how_many_pamts_are_away_from_home(pamt: Callable[..., Any]) -> None:
    huawei = EMR.with_name("huawei-8node-2016.toml")
    assert pamt("simulate", huawei, "--quiet").out.endswith("; 6 of 9 PAMTs not on the home node\n")
    eaglestream = EMR.with_name("spr-eaglestream-2s.toml")
    assert "home node" not in pamt("simulate", eaglestream, "--quiet").out


def test_place_says_which_pamts_are_away_from_home(pamt: Callable[..., Any]) -> None:
    huawei = EMR.with_name("huawei-8node-2016.toml")
    lines = pamt("place", huawei).out.splitlines()
    away = "6 of 9 PAMTs away from home (remote cost 3775740: pages x extra distance)"
    assert f", {away}, " in lines[0]
    header = lines.index("TDMRs:") + 1
    named, *cells = (re.split(r"  +", line.strip()) for line in lines[header : header + 10])
    homes, places = [[row[named.index(name)] for row in cells] for name in ("home", "on")]
    assert homes[:3] == ["node 0", "node 0", "node 1"]
    assert sum(home != on for home, on in zip(homes, places, strict=True)) == 6
    one_node = pamt("place", PR188).out
    assert "all PAMTs at home" in one_node
    assert " home " not in one_node.partition("TDMRs:\n")[2].splitlines()[0]


def test_show_writes_no_other_pictures_than_svg(pamt: Callable[..., Any], tmp_path: Path) -> None:
    ran = pamt("show", EMR, "-o", tmp_path / "map.png")
    assert ran.exit == 2
    assert ".svg" in ran.err
    assert not (tmp_path / "map.png").exists()


def test_files_of_another_kind_are_named(pamt: Callable[..., Any]) -> None:
    ran = pamt("import", EMR)
    assert (ran.exit, ran.out) == (2, "")
    assert ran.err.startswith(f"{EMR}: expected a log or a listing to import, found a machine file")
    ran = pamt("judge", EMR)
    assert (ran.exit, ran.out) == (2, "")
    assert "expected a case file (ask), found a machine file" in ran.err
    ran = pamt("conform", "kernel", EMR)
    assert ran.exit == 2
    assert "expected one recorded kernel run, found a line that is no JSON" in ran.err
    ran = pamt("conform", "module", DATA / "kernel.jsonl")
    assert ran.exit == 2
    *told, more = ran.err.splitlines()
    assert len(told) == 20
    assert re.fullmatch(r"\d+ more problems are not listed", more)


def test_show_draws_free_runs_where_they_say_something(
    pamt: Callable[..., Any], tmp_path: Path
) -> None:
    def rows(path: Path) -> list[str]:
        out = pamt("show", path, "--width", 100).out.splitlines()
        return [line[9:] for line in out if line.startswith("free ")]

    assert rows(EMR) == []
    few = tmp_path / "few.toml"
    memory = "[[memory]]\nstart = 0x100000\nend = 0x80000000\n"
    few.write_text(f"format = 1\n{memory}[[free]]\nstart = 0x40000000\nend = 0x60000000\n")
    (row,) = rows(few)
    assert row.startswith(" ")
    assert set(row.strip()) == {"█"}


@pytest.mark.parametrize(
    "text", ["", " ", "  a", "a", "a b", "a  b", " a b   c d ", "memory   ███ █", "x  "]
)
def test_pieces_of_a_line_keep_every_character(text: str) -> None:
    from pamt.cli.show import _pieces

    pieces = _pieces(text)
    assert "".join(pieces) == text
    assert all(piece.isspace() or not piece.startswith(" ") for piece in pieces)


def test_an_svg_asks_no_server_and_starts_no_text_with_a_blank(
    pamt: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "map.svg"
    assert pamt("show", EMR, "-o", path).exit == 0
    svg = path.read_text()
    assert "url(http" not in svg
    assert "font-family: Fira Code, monospace" in svg
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert len(texts) > 50
    assert not [text for text in texts if text.startswith("&#160;")]
