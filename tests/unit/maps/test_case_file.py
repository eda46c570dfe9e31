"""Case files: the question, its inputs, and the expected answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from pamt.configuration import Configuration
from pamt.machine import Cmr, Machine
from pamt.maps.case_file import Case, Difference, Expect, Inline, case_from_text, read_case
from pamt.maps.configuration_file import configuration_from_text
from pamt.maps.errors import InputErrors
from pamt.maps.json_path import MISSING, find, matches, split_path
from pamt.maps.machine_file import machine_from_text

SAMPLE = """\
ask     = "place --space linux --policy 'linux:mainline'"
machine = "../machines/emr.toml"
why     = "Seventeen areas are needed in the first TDMR."

[expect]
verdict = "INFEASIBLE"
exit    = 1
"relaxations.give_up" = 1
explanation.causes[0].rule = 1
"""


def test_everything_that_a_file_can_say(tmp_path: Path) -> None:
    path = tmp_path / "emr.pamt.toml"
    path.write_text(SAMPLE.replace("explanation.causes[0].rule", '"explanation.causes[0]".rule'))
    assert read_case(path) == Case(
        name="emr",
        ask=("place", "--space", "linux", "--policy", "linux:mainline"),
        machine=tmp_path / "../machines/emr.toml",
        expect=Expect(
            "INFEASIBLE",
            1,
            (("relaxations.give_up", 1), ("explanation.causes[0].rule", 1)),
        ),
        why="Seventeen areas are needed in the first TDMR.",
    )


def test_a_case_need_not_have_a_machine() -> None:
    case = case_from_text('ask = "prove"\nexpect.verdict = "HOLDS"', "a/prove.pamt.toml")
    assert case == Case("prove", ("prove",), Expect("HOLDS"))
    assert case.read_machine() is None
    assert case.read_configuration() is None


INLINE = """\
ask = "check"
[expect]
verdict = "REFUSED"
[machine]
name = "tiny"
[[machine.cmr]]
base = 0x0
size = "0x40000000"
[configuration]
tdmr = []
"""


def test_machine_and_configuration_may_stand_inside() -> None:
    case = case_from_text(INLINE, "c.pamt.toml")
    assert isinstance(case.machine, Inline)
    assert case.read_machine() == Machine(name="tiny", cmrs=(Cmr(0, 1 << 30),))
    assert case.read_configuration() == Configuration(())
    assert machine_from_text(case.machine.text()) == case.read_machine()
    assert isinstance(case.configuration, Inline)
    assert configuration_from_text(case.configuration.text()) == Configuration(())


def test_a_bad_machine_is_found_when_it_is_read_and_not_before() -> None:
    text = INLINE.replace('"0x40000000"', "-1").replace("tdmr = []", "tdmr = 1979-05-27")
    text += "[machine.limits]\nkeyid_bits = inf\nmax_tdmrs = 0x1" + "0" * 5000
    case = case_from_text(text, "c.pamt.toml")
    with pytest.raises(InputErrors) as caught:
        case.read_machine()
    assert [(p.file, p.line, p.what) for p in caught.value.problems] == [
        ("c.pamt.toml", 8, "machine.cmr[0].size"),
        ("c.pamt.toml", 12, "machine.limits.keyid_bits"),
        ("c.pamt.toml", 13, "machine.limits.max_tdmrs"),
    ]
    with pytest.raises(InputErrors, match=r"c.pamt.toml:10: configuration.tdmr: expected an array"):
        case.read_configuration()
    # As files of their own they are just as bad.
    assert isinstance(case.machine, Inline)
    with pytest.raises(InputErrors) as again:
        machine_from_text(case.machine.text())
    assert len(again.value.problems) == 3


def test_a_file_that_is_not_there_is_found_when_it_is_read(tmp_path: Path) -> None:
    case = case_from_text(SAMPLE.replace("causes[0]", "causes"), str(tmp_path / "x.pamt.toml"))
    with pytest.raises(InputErrors, match=r"emr\.toml: expected a readable file"):
        case.read_machine()


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("expect.exit = 1", 1, ""),
        ('ask = "show"', 1, ""),
        ('ask = ""\nexpect.exit = 1', 1, "ask"),
        ('ask = "a \'b"\nexpect.exit = 1', 1, "ask"),
        ('ask = ["show"]\nexpect.exit = 1', 1, "ask"),
        ('ask = "show"\nexpect.exit = -1', 2, "expect.exit"),
        ('ask = "show"\nexpect.verdict = "FINE"', 2, "expect.verdict"),
        ('ask = "show"\nexpect = 1', 2, "expect"),
        ('ask = "show"\n[expect]', 2, "expect"),
        ('ask = "show"\n[expect]\n"a..b" = 1', 3, 'expect."a..b"'),
        ('ask = "show"\nexpect.exit = 1\nmachine = 3', 3, "machine"),
        ('ask = "show"\nexpect.exit = 1\nmachine = ""', 3, "machine"),
        ('ask = "show"\nexpect.exit = 1\nwhy = 3', 3, "why"),
        ('ask = "show"\nexpect.exit = 1\nmachin = "x"', 3, "machin"),
    ],
)
def test_faults(text: str, line: int, what: str) -> None:
    with pytest.raises(InputErrors) as caught:
        case_from_text(text, "c")
    assert [(p.line, p.what) for p in caught.value.problems] == [(line, what)]


# -- paths and comparison ------------------------------------------------------------------------

RESULT = {
    "verdict": "REFUSED",
    "exit": 1,
    "status": "0xc0000a1200000100",
    "tdmrs": [{"base": "0x0", "reserved": [["0x0", "0x1000"]]}],
    "area": None,
    "module": {"ok": True, "7": "seven"},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "0xc0000a1200000100"),
        ("$.module.ok", True),
        ("tdmrs[0].reserved[0][1]", "0x1000"),
        ("tdmrs.0.reserved.0.1", "0x1000"),
        ("module.7", "seven"),
        ("area", None),
        ("tdmrs[1]", MISSING),
        ("tdmrs.base", MISSING),
        ("status.x", MISSING),
        ("nothing", MISSING),
    ],
)
def test_finding_a_value(path: str, value: object) -> None:
    assert find(RESULT, split_path(path)) == value


@pytest.mark.parametrize(
    "path", ["", "$.", ".a", "a.", "a..b", "a[", "a[x]", "a[01]", "a]", "a[0]b"]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="no JSON path"):
        split_path(path)


@pytest.mark.parametrize(
    ("expected", "found", "answer"),
    [
        (1, 1, True),
        (1, True, False),
        (True, 1, False),
        (0x1000, "0x1000", True),
        ("0X1000", "0x1000", True),
        ("0x01000", 4096, True),
        ("x", "y", False),
        ([1, "0x2"], [1, 2], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({}, 3, False),
        (1, None, False),
        (1.5, 1.5, True),
        (1, MISSING, False),
    ],
)
def test_comparing(expected: object, found: object, answer: bool) -> None:
    assert matches(expected, found) is answer


def test_differences_name_the_path() -> None:
    expect = Expect("ACCEPTED", 1, (("tdmrs[0].base", 0), ("status", "0x0"), ("gone", 1)))
    assert expect.differences(RESULT) == (
        Difference("verdict", "ACCEPTED", "REFUSED"),
        Difference("status", "0x0", "0xc0000a1200000100"),
        Difference("gone", 1, MISSING),
    )
    assert Expect("REFUSED", 1).differences(RESULT) == ()


def test_nested_tables_are_longer_paths() -> None:
    text = (
        'ask = "show"\n[expect]\nmodule = { ok = true, "7" = "seven" }\n'
        "tdmrs = [{ base = 0 }]\nempty = {}\n"
    )
    expect = case_from_text(text, "c").expect
    assert expect.values == (
        ("module.ok", True),
        ("module.7", "seven"),
        ("tdmrs", [{"base": 0}]),
        ("empty", {}),
    )
    assert expect.differences({**RESULT, "empty": {}}) == ()


@pytest.mark.parametrize(
    "ask",
    [
        "simulate -o x.toml",
        "simulate -ox.toml",
        "simulate --output=x.toml",
        "simulate --json",
        "simulate --quiet",
        "place --help",
        "judge .",
    ],
)
def test_a_question_writes_no_file_and_judges_no_case(ask: str) -> None:
    with pytest.raises(InputErrors) as refused:
        case_from_text(f'ask = "{ask}"\n[expect]\nexit = 0\n', "a.pamt.toml")
    (problem,) = refused.value.problems
    assert (problem.line, problem.what) == (1, "ask")
