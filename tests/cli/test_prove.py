"""`pamt prove`: verdicts of theorems, what a reader sees, the formulas on disk, interrupts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pamt.prove import runner
from pamt.report import schemas
from pamt.smt import prove_solvers

WRONG = '''"""A theorem that is false."""

from __future__ import annotations

from pamt.prove import Claim, Obligation, Theorem
from pamt.prove.terms import integer

X = integer("x")


def claim() -> Claim:
    return Claim({"bounded": X < 0x5000, "not low": X > 3}, needs={"positive": X > 0x4000})


THEOREM = Theorem(
    name="wrong",
    short="wrong",
    title="What is above 16 KiB is below 20 KiB",
    statement="Every number above 0x4000 is below 0x5000.",
    formal="x > 0x4000 implies x < 0x5000",
    obligations=(Obligation("bounded", "it is below 0x5000", claim),),
)
'''

HARD = '''"""A theorem that takes a solver longer than anybody waits."""

from __future__ import annotations

from pamt.prove import Claim, Obligation, Theorem
from pamt.prove.terms import both, either, equal, integer, negate

X = [integer(f"x{i}") for i in range(24)]


def pigeons() -> Claim:
    inside = both(*(both(0 <= x, x < len(X) - 1) for x in X))
    apart = both(*(negate(equal(a, b)) for i, a in enumerate(X) for b in X[:i]))
    return Claim({"no": negate(both(inside, apart))})


THEOREM = Theorem(
    name="hard",
    short="hard",
    title="Pigeons",
    statement="There is a hole with two of them.",
    formal="no injection",
    obligations=(Obligation("pigeons", "a hole has two", pigeons),),
)
'''


@pytest.fixture
def proofs(tmp_path: Path) -> Path:
    """A folder with one theorem that is false."""
    folder = tmp_path / "proofs"
    folder.mkdir()
    (folder / "wrong.py").write_text(WRONG)
    return folder


def test_a_theorem_that_holds(pamt: Callable[..., Any]) -> None:
    ran = pamt("prove", "T1")
    assert ran.exit == 0
    head = ran.out.splitlines()[:10]
    assert head[0].startswith("HOLDS: 1 theorem: 6 formulas by z3 and cvc5, none vacuous; 14 mut")
    assert head[1].startswith("Next:    pamt prove ")
    assert re.fullmatch(r"Hardest: T1 .*, \d+ steps of z3; T1 .*, \d+ steps of cvc5", head[2])
    assert "T1: The TDMR layout is sound for any number of ranges: HOLDS" in ran.out
    assert "mutants, each of which must fail" not in ran.out
    assert "seconds" not in ran.out
    assert "\x1b" not in ran.out + ran.err
    assert ran.err == ""


def test_steps_and_mutants_are_the_same_every_time(pamt: Callable[..., Any]) -> None:
    words = ("prove", "T2", "T10", "--json")
    first = pamt(*words)
    assert pamt(*words).out == first.out
    for theorem in first.json["theorems"]:
        assert all(mutant["caught"] for mutant in theorem["mutants"])
        for part in theorem["obligations"]:
            if part["kind"] == "formula":
                assert [s["solver"] for s in part["solvers"]] == ["z3", "cvc5"]
                assert all(s["found"] == "unsat" and s["steps"] > 0 for s in part["solvers"])
                assert all(s["seconds"] is None for s in part["solvers"])
                assert part["vacuous"] is False


def test_times_are_told_if_asked_for(pamt: Callable[..., Any]) -> None:
    told = pamt("prove", "T10", "--times").out
    assert "seconds" in told
    assert re.search(r"^Slowest: T10 unaligned, \d\.\d\d s with (z3|cvc5)$", told, re.MULTILINE)
    asked = pamt("prove", "T10", "--times", "--json").json["theorems"][0]["obligations"]
    assert [s["seconds"] >= 0 for part in asked for s in part["solvers"]]


def test_mutants_are_listed_one_by_one(pamt: Callable[..., Any]) -> None:
    out = pamt("prove", "T1", "--mutants").out
    assert out.count("  caught  ") == 14
    assert "NOT CAUGHT" not in out
    assert "step without not empty" in out


def test_a_false_theorem_is_violated_with_values(proofs: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("prove", "--proofs", proofs)
    assert ran.exit == 1
    lines = ran.out.splitlines()
    assert lines[0] == "VIOLATED: 1 VIOLATED"
    assert lines[1].startswith("Why:     wrong: bounded: ")
    assert "      breaks: bounded" in lines
    (shown,) = [line for line in lines if line.startswith("      x = 0x")]
    assert int(shown.split(" = ")[1], 16) >= 0x5000
    result = pamt("prove", "--proofs", proofs, "--json").json
    (part,) = result["theorems"][0]["obligations"]
    assert (result["verdict"], result["exit"], part["verdict"]) == ("VIOLATED", 1, "VIOLATED")
    assert part["failing"] == ["bounded"]
    assert part["counterexample"]["x"] >= 0x5000


def test_without_the_second_solver_nothing_is_settled(
    monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    monkeypatch.setattr(runner, "available", lambda solver: solver == "z3")
    monkeypatch.setattr(prove_solvers, "available", lambda solver: solver == "z3")
    ran = pamt("prove", "T10")
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: second solver missing: cvc5\n")
    assert "pip install 'pamt[cross]'" in ran.out.splitlines()[2]
    result = pamt("prove", "T10", "--json").json
    assert (result["verdict"], result["missing_solvers"]) == ("UNDECIDED", ["cvc5"])


def test_formulas_are_written_for_other_solvers(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    import z3

    folder = tmp_path / "new" / "smt2"
    result = pamt("prove", "T1", "--smt2", folder, "--json").json
    written = sorted(str(path) for path in folder.rglob("*.smt2"))
    assert sorted(result["smt2"]) == written
    assert len(written) == 2 * result["obligations"]
    for path in written:
        solver = z3.Solver()
        solver.from_file(path)
        expected = z3.sat if path.endswith(".vacuity.smt2") else z3.unsat
        assert solver.check() == expected, path


def test_formulas_that_cannot_be_written(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "file"
    path.write_text("")
    ran = pamt("prove", "T1", "--smt2", path / "folder")
    assert (ran.exit, ran.out) == (2, "")
    assert "cannot be written" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["T99"], "no theorem called T99; there are: t1_layout, t2_holes"),
        (["--proofs", "no/such/folder"], "no/such/folder: expected theorem files, found none"),
    ],
)
def test_what_is_not_there_is_bad_input(
    words: list[str], said: str, pamt: Callable[..., Any]
) -> None:
    ran = pamt("prove", *words)
    assert (ran.exit, ran.out) == (2, "")
    assert said in ran.err


def test_a_file_that_is_no_theorem_is_bad_input(proofs: Path, pamt: Callable[..., Any]) -> None:
    (proofs / "wrong.py").write_text("THEOREM = 3\n")
    ran = pamt("prove", "--proofs", proofs)
    assert ran.exit == 2
    assert "THEOREM is not a pamt.prove.Theorem" in ran.err


def test_an_interrupt_keeps_what_is_done(
    monkeypatch: pytest.MonkeyPatch, pamt: Callable[..., Any]
) -> None:
    decide = runner.prove_theorem

    def until_t2(theorem: Any, **options: Any) -> Any:
        if theorem.short == "T2":
            raise KeyboardInterrupt
        return decide(theorem, **options)

    monkeypatch.setattr(runner, "prove_theorem", until_t2)
    ran = pamt("prove", "T10", "T2", "T3")
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: interrupted after 1 of 3 theorems; 1 HOLDS\n")
    assert "pamt prove t2_holes t3_pamt_sizes" in ran.out
    result = pamt("prove", "T10", "T2", "T3", "--json").json
    assert result["not_reached"] == ["t2_holes", "t3_pamt_sizes"]
    assert [theorem["name"] for theorem in result["theorems"]] == ["t10_necessary"]


def test_an_interrupt_reaches_a_solver_at_work(
    proofs: Path, pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (proofs / "wrong.py").unlink()
    (proofs / "hard.py").write_text(HARD)
    monkeypatch.setattr(runner.Budget, "of", lambda *_: 4_000_000_000)
    threading.Timer(2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    ran = pamt("prove", "--proofs", proofs)
    assert ran.exit == 3
    assert ran.out.startswith("UNDECIDED: interrupted after 0 of 1 theorem\n")


def test_json_follows_its_schema(proofs: Path, pamt: Callable[..., Any]) -> None:
    check = Draft202012Validator(schemas.result_schemas()["prove"])
    for words in (["T10"], ["T10", "--times"], ["--proofs", proofs]):
        check.validate(pamt("prove", *words, "--json").json)


def test_progress_is_for_terminals(tmp_path: Path) -> None:
    """On a terminal the line in progress is shown and cleared; the answer is the same."""
    import pty

    line = [sys.executable, "-m", "pamt", "prove", "T10"]
    plain = subprocess.run(line, capture_output=True, check=True)
    assert plain.stderr == b""
    leader, follower = pty.openpty()
    out = tmp_path / "out"
    with out.open("wb") as file:
        shown = subprocess.Popen(line, stdout=file, stderr=follower)
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(leader)
    assert shown.wait() == 0
    assert b"1 of 1: t10_necessary: " in said
    assert said.endswith(b"\r\x1b[K")
    assert out.read_bytes() == plain.stdout
