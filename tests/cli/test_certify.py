"""`pamt certify`: three verdicts, faults with their place, and no solver in sight."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pamt.certificate import dump_certificate
from pamt.cli.inputs import load_machine
from pamt.placement import Space
from pamt.report import schemas
from pamt.solve.engine.place import place_fast

ROOT = Path(__file__).resolve().parents[2]
EMR = ROOT / "specs" / "machines" / "emr-fcp-issue135.toml"
CLAIM = '{"at_most": {"lost": 0, "remote": 0, "max_areas": 2}, "steps": ['


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Certificates for one machine: of an optimum, and that there is no placement."""
    machine = load_machine(str(EMR)).machine
    made: dict[str, str] = {}
    for reserve in ("cmr", "memory"):
        answer = place_fast(machine, Space(reserve=reserve))
        assert answer.certificate is not None
        made[answer.result.verdict] = dump_certificate(answer.certificate)
    return made


@pytest.fixture
def written(texts: dict[str, str], tmp_path: Path) -> Callable[..., Path]:
    """The certificate of a verdict in a file, with some of its text replaced."""

    def write(verdict: str, old: str = "", new: str = "") -> Path:
        assert old in texts[verdict]
        path = tmp_path / "certificate.json"
        path.write_text(texts[verdict].replace(old, new, 1))
        return path

    return write


def trusting(text: str) -> str:
    """The text with the steps of one claim replaced by a solver's word."""
    start = text.index(CLAIM) + len(CLAIM)
    end = text.index("]}", text.index('"areas"', start))
    return text[:start] + '{"trust": "z3", "reason": "unsat"}' + text[end:]


@pytest.mark.parametrize("verdict", ["OPTIMAL", "INFEASIBLE"])
def test_what_the_engine_certifies_is_valid(
    verdict: str, written: Callable[..., Path], pamt: Callable[..., Any]
) -> None:
    ran = pamt("certify", written(verdict), EMR)
    assert ran.exit == 0
    assert ran.out.startswith(f"VALID: {verdict} is proved by arithmetic alone\nSpace:   --tdmrs")
    result = pamt("certify", written(verdict), EMR, "--json").json
    assert (result["verdict"], result["exit"], result["proves"]) == ("VALID", 0, verdict)
    assert (result["trusted_steps"], result["fault"]) == (0, None)
    assert sum(result["steps"].values()) >= 1
    assert result["input"]["name"] == str(EMR)


def test_a_step_that_rests_on_a_solver_is_a_hole(
    texts: dict[str, str], tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "holey.json"
    path.write_text(trusting(texts["OPTIMAL"]))
    ran = pamt("certify", path, EMR)
    assert ran.exit == 3
    assert ran.out.startswith("HOLEY: OPTIMAL, but 1 step rests on a solver's word\n")
    result = pamt("certify", path, EMR, "--json").json
    assert (result["verdict"], result["trusted_steps"], result["steps"]["trust"]) == ("HOLEY", 1, 1)


@pytest.mark.parametrize(
    ("verdict", "old", "new", "step"),
    [
        ("OPTIMAL", '"value": {"lost": 0', '"value": {"lost": 1', "value"),
        ("OPTIMAL", '"max_areas": 2}', '"max_areas": 1}', "claims"),
        ("OPTIMAL", '"max_areas": 2}', '"max_areas": 3}', "claims[2].steps[0]"),
        ("OPTIMAL", '{"sum": {"0": 1,', '{"sum": {"0": 0,', "claims[2].steps[0]"),
        ("OPTIMAL", '{"floor": "tdmrs"}', '{"floor": "areas"}', "claims[4].steps[0]"),
        ("OPTIMAL", '"0x900000"', '"0x901000"', "placed"),
        ("INFEASIBLE", '"reserve": "memory"', '"reserve": "cmr"', "claims[0].steps[0]"),
    ],
)
def test_a_wrong_step_is_named(
    verdict: str,
    old: str,
    new: str,
    step: str,
    written: Callable[..., Path],
    pamt: Callable[..., Any],
) -> None:
    path = written(verdict, old, new)
    ran = pamt("certify", path, EMR)
    assert ran.exit == 1
    assert ran.out.startswith(f"INVALID: {step} is wrong, so {verdict} is not proved\n")
    assert any(line.startswith("         found ") for line in ran.out.splitlines()[:10])
    fault = pamt("certify", path, EMR, "--json").json["fault"]
    assert fault["step"] == step
    assert fault["expected"] != fault["found"]


def test_a_certificate_is_for_one_machine(
    written: Callable[..., Path], pamt: Callable[..., Any]
) -> None:
    other = EMR.with_name("canonical-pr188.toml")
    ran = pamt("certify", written("OPTIMAL"), other)
    assert ran.exit == 1
    assert f"(or the certificate is for another map than {other})" in ran.out


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ('"format"', '"formt"', ":1: ", "expected the key 'format'"),
        ('{"floor": "lost"}', '{"floor": "lst"}', ":8: claims[0].steps[0]: ", 'found "lst"'),
        ('"claims": [', '"claims": ', ":9: ", "expected valid JSON"),
    ],
)
def test_what_is_no_certificate_is_bad_input(
    old: str,
    new: str,
    where: str,
    said: str,
    written: Callable[..., Path],
    pamt: Callable[..., Any],
) -> None:
    path = written("OPTIMAL", old, new)
    ran = pamt("certify", path, "no-such-file.toml")
    assert (ran.exit, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert first.startswith(f"{path}{where}")
    assert said in first
    assert second.startswith("no-such-file.toml: expected a readable file")


def test_bytes_that_are_no_text(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(b"{\n\xff}")
    ran = pamt("certify", path, EMR)
    assert ran.exit == 2
    assert ran.err.startswith(f"{path}:2: expected a certificate in UTF-8")


def test_json_follows_its_schema(
    texts: dict[str, str], tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    check = Draft202012Validator(schemas.result_schemas()["certify"])
    path = tmp_path / "certificate.json"
    verdicts = set()
    for text in (
        *texts.values(),
        trusting(texts["OPTIMAL"]),
        texts["OPTIMAL"].replace("0x9", "0xa"),
    ):
        path.write_text(text)
        ran = pamt("certify", path, EMR, "--json")
        check.validate(ran.json)
        assert pamt("certify", path, EMR, "--json").out == ran.out
        verdicts.add(ran.json["verdict"])
    assert verdicts == {"VALID", "HOLEY", "INVALID"}


def test_neither_a_solver_nor_the_search_is_imported(written: Callable[..., Path]) -> None:
    line = [sys.executable, "-X", "importtime", "-m", "pamt", "certify"]
    done = subprocess.run(
        [*line, str(written("OPTIMAL")), str(EMR), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout)["verdict"] == "VALID"
    found = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert "pamt.certificate.check" in found
    tops = {name.partition(".")[0] for name in found}
    assert tops.isdisjoint({"z3", "cvc5", "highspy", "ortools", "networkx", "numpy"})
    search = ("pamt.smt", "pamt.solve", "pamt.verify", "pamt.prove", "pamt.explain")
    assert not [name for name in found if name.startswith(search)]


@pytest.mark.parametrize(
    ("options", "verdict", "exit_code"),
    [
        ([], "valid", 1),
        (["--reserve", "cmr"], "valid", 0),
        (["--reserve", "cmr", "--objective", "areas"], "valid", 0),
        (["--reserve", "minimal"], "valid", 0),
        (["--give-up", "1"], "valid", 0),
        (["--give-up", "1", "--objective", "areas,lost"], "valid", 0),
    ],
    ids=str,
)
def test_place_writes_a_certificate_that_the_checker_takes(
    options: list[str],
    verdict: str,
    exit_code: int,
    tmp_path: Path,
    pamt: Callable[..., Any],
) -> None:
    path = tmp_path / "certificate.json"
    placed = pamt("place", EMR, *options, "--certificate", path, "--json")
    assert placed.exit == exit_code
    told = placed.json["certificate"]
    assert (told["checked"], told["file"]) == (verdict, str(path))
    judged = pamt("certify", path, EMR, "--json").json
    (asked,) = (line for line in pamt("certify", path, EMR).out.splitlines() if "Next:" in line)
    assert ("--objective areas" in asked) == ("--objective" in options)
    assert judged["verdict"].lower() == verdict
    assert judged["trusted_steps"] == told["trusted_steps"]
    assert (judged["trusted_steps"] == 0) == (verdict == "valid")
    assert judged["proves"] == placed.json["verdict"]
    Draft202012Validator(schemas.result_schemas()["place"]).validate(placed.json)


def test_no_certificate_without_an_answer(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    path = tmp_path / "certificate.json"
    ran = pamt("place", EMR, "--give-up", "1", "--steps", "1", "--certificate", path, "--json")
    assert path.exists() == (ran.json["verdict"] != "UNDECIDED")
    assert (ran.json["certificate"] is None) == (ran.json["verdict"] == "UNDECIDED")


def test_files_of_other_kinds_are_named(tmp_path: Path, pamt: Callable[..., Any]) -> None:
    ran = pamt("certify", EMR, EMR)
    assert ran.exit == 2
    assert (
        f"{EMR}:9: expected a certificate (specs/certificate.md), found a machine file" in ran.err
    )
    path = tmp_path / "some.json"
    path.write_text('{"format": "pamt-certificate/1",\n "claims": []}')
    ran = pamt("certify", path, path)
    assert (ran.exit, "found a certificate (it has claims)" in ran.err) == (2, True)
    other = tmp_path / "some.toml"
    other.write_text("x = 1\n")
    assert "expected a certificate, which is JSON, found TOML" in pamt("certify", other, EMR).err
    path.write_text('{"claims": [\n')
    message = pamt("certify", path, EMR).err
    assert f"{path}:2: expected valid JSON" in message
    assert "Error" not in message and "Expecting" not in message
