"""Every case under specs/cases gets the answer that it expects, and the set is a broad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pamt.cli.judge import Judged, find_cases, judge_case
from pamt.maps.case_file import read_case

CASES = Path(__file__).resolve().parents[2] / "specs" / "cases"
FILES = find_cases([str(CASES)])


def judge(path: Path) -> Judged:
    return judge_case(path, read_case(path))


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(CASES)) for p in FILES])
def test_case(path: Path) -> None:
    judged = judge(path)
    assert [str(difference) for difference in judged.differences] == []


def test_every_case_says_why_and_what_it_expects() -> None:
    for path in FILES:
        case = read_case(path)
        assert case.why.endswith("."), path
        assert case.expect.verdict is not None or case.expect.exit == 2, path


def test_the_cases_are_many_and_of_all_kinds() -> None:
    cases = [read_case(path) for path in FILES]
    verdicts = [case.expect.verdict for case in cases]
    rules = {
        value
        for case in cases
        for path, value in case.expect.values
        if path == "rule" and case.expect.verdict == "REFUSED"
    }
    assert len(cases) >= 25
    assert verdicts.count("INFEASIBLE") + verdicts.count("FAILS") >= 8
    assert len(rules) >= 5
    assert sum(case.expect.exit == 2 for case in cases) >= 3
    assert {"OPTIMAL", "SUCCEEDS", "ACCEPTED"} <= set(verdicts)


def test_a_case_can_fail(tmp_path: Path) -> None:
    source = CASES / "teach" / "one-gib.pamt.toml"
    changed = tmp_path / "changed.pamt.toml"
    changed.write_text(source.read_text().replace("pamt_kb = 4108", "pamt_kb = 4109"))
    assert [str(d.path) for d in judge(changed).differences] == ["pamt_kb"]
