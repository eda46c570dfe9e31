"""The text of a certificate: every field written, nothing idle written, every type held to."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from pamt.certificate import (
    Cause,
    Certificate,
    Claim,
    Floor,
    Malformed,
    Split,
    Sum,
    Trust,
    Where,
    dump_certificate,
    load_certificate,
)
from pamt.certificate.format import Cuts, Placed
from pamt.placement import Space
from pamt.ranges import Range

ALL = Certificate(
    "FEASIBLE",
    Space(give_up=3),
    ("lost", "remote"),
    Placed((Range(0x1000, 0x3000),), ((0x4000, 0x5000, 0x6000),), (Range(0x8000, 0x9000),)),
    {"lost": 1, "remote": 7},
    {"lost": 0},
    (
        Claim({"lost": -1}, (Floor("lost"),)),
        Claim(
            {"remote": 6},
            (
                Split((0, 1), "4k", Where(1, 2, 0x7000), 3, 1, 2),
                Sum({0: 1, 1: -2}, {2: (1, 2, 3)}, {3: 4}, 5, 6, {0: 7}),
                Split((2,), "chunk", Where(), 0, 3, 4),
                Cuts(("tdmrs", "areas")),
                Trust("z3", "unsat"),
            ),
        ),
        Claim({}, (Cause("no-memory"),)),
    ),
)
TEXT = """{"format": "pamt-certificate/1",
 "verdict": "FEASIBLE",
 "space": {"tdmrs": "kernel", "pamt": "chunk", "reserve": "memory", "give_up": 3},
 "objective": ["lost", "remote"],
 "placed": {"tdmrs": [["0x1000", "0x2000"]], "bases": [["0x4000", "0x5000", "0x6000"]], \
"given_up": [["0x8000", "0x1000"]]},
 "value": {"lost": 1, "remote": 7},
 "bound": {"lost": 0},
 "claims": [{"at_most": {"lost": -1}, "steps": [
   {"floor": "lost"}]},
  {"at_most": {"remote": 6}, "steps": [
   {"split": [0, 1], "piece": "4k", "where": {"node": 1, "tdmr": 2, "run": "0x7000"}, \
"at_most": 3, "low": 1, "high": 2},
   {"sum": {"0": 1, "1": -2}, "regions": {"2": [1, 2, 3]}, "areas": {"3": 4}, \
"remote": 5, "total": 6, "cases": {"0": 7}},
   {"split": [2], "piece": "chunk", "where": {}, "at_most": 0, "low": 3, "high": 4},
   {"cuts": ["tdmrs", "areas"]},
   {"trust": "z3", "reason": "unsat"}]},
  {"at_most": {}, "steps": [
   {"cause": "no-memory"}]}]}
"""


def test_every_field_is_written_and_read() -> None:
    assert dump_certificate(ALL) == TEXT
    assert load_certificate(TEXT) == ALL


def test_what_is_idle_is_not_written() -> None:
    step = Sum({3: 0, 1: 2}, {}, {}, 0, 0, {})
    bare = Certificate("INFEASIBLE", Space(), ("lost",), claims=(Claim({}, (step,)),))
    document = json.loads(dump_certificate(bare))
    assert set(document) == {"format", "verdict", "space", "objective", "claims"}
    assert document["claims"] == [{"at_most": {}, "steps": [{"sum": {"1": 2}}]}]
    assert load_certificate(dump_certificate(bare)).claims == (Claim({}, (Sum({1: 2}, {}, {}),)),)


def test_the_parts_that_may_be_missing() -> None:
    document = json.loads(TEXT)
    del document["bound"], document["placed"]["given_up"]
    found = load_certificate(json.dumps(document))
    assert found.bound == {} and found.placed is not None and found.placed.given_up == ()


SPLIT = ("claims", 1, "steps", 0)
SUM = ("claims", 1, "steps", 1)
GONE = object()


@pytest.mark.parametrize(
    ("at", "value", "path"),
    [
        (("value",), GONE, "value"),
        (("placed",), GONE, "placed"),
        (("value", "lost"), 1.0, "value.lost"),
        (("value", "lost"), True, "value.lost"),
        (("value", "more"), 1, "value"),
        (("bound",), {"remote": 1}, "bound"),
        (("objective",), "lost", "objective"),
        (("objective", 0), 5, "objective[0]"),
        (("space", "give_up"), -1, "space.give_up"),
        (("space", "give_up"), "1", "space.give_up"),
        (("space", "tdmrs"), "linux", "space.tdmrs"),
        (("space", "pamt"), "whole", "space.pamt"),
        (("space", "reserve"), "none", "space.reserve"),
        (("space", "more"), 1, "space"),
        (("placed", "more"), 1, "placed"),
        (("placed", "bases"), [], "placed.bases"),
        (("placed", "bases", 0), ["0x0"] * 4, "placed.bases[0]"),
        (("placed", "bases", 0, 0), "4096", "placed.bases[0]"),
        (("placed", "bases", 0, 0), "0xg", "placed.bases[0]"),
        (("placed", "bases", 0, 0), 4096, "placed.bases[0]"),
        (("placed", "tdmrs", 0), ["0x0"], "placed.tdmrs[0]"),
        (("placed", "tdmrs", 0), ["0x0"] * 3, "placed.tdmrs[0]"),
        (("placed", "given_up", 0), "0x0", "placed.given_up[0]"),
        (("claims",), {}, "claims"),
        (("claims", 0), [], "claims[0]"),
        (("claims", 0, "more"), 1, "claims[0]"),
        (("claims", 0, "steps"), [], "claims[0].steps"),
        (("claims", 0, "steps", 0), "floor", "claims[0].steps[0]"),
        (("claims", 0, "steps", 0), 5, "claims[0].steps[0]"),
        (("claims", 0, "steps", 0), {"floor": "pages"}, "claims[0].steps[0]"),
        (("claims", 0, "steps", 0), {"floor": "lost", "more": 1}, "claims[0].steps[0]"),
        (("claims", 0, "at_most", "lost"), None, "claims[0].at_most.lost"),
        ((*SPLIT, "split"), [-1], "claims[1].steps[0]"),
        ((*SPLIT, "piece"), "8k", "claims[1].steps[0]"),
        ((*SPLIT, "at_most"), "1", "claims[1].steps[0]"),
        ((*SPLIT, "where", "node"), -1, "claims[1].steps[0]"),
        ((*SPLIT, "where", "tdmr"), -1, "claims[1].steps[0]"),
        ((*SPLIT, "where", "run"), 28672, "claims[1].steps[0]"),
        ((*SPLIT, "where", "more"), 1, "claims[1].steps[0]"),
        ((*SPLIT, "low"), 0, "claims[1].steps[0]"),
        ((*SPLIT, "low"), -1, "claims[1].steps[0]"),
        ((*SPLIT, "low"), 2, "claims[1].steps[0]"),
        ((*SPLIT, "high"), 5, "claims[1].steps[0]"),
        ((*SPLIT, "high"), 3, "claims[1].steps[2]"),
        (("claims", 1, "steps", 2), {"floor": "lost"}, "claims[1].steps[3]"),
        ((*SUM, "regions", "2"), [1, 2], "claims[1].steps[1]"),
        ((*SUM, "regions", "2"), [1, 2, 3, 4], "claims[1].steps[1]"),
        ((*SUM, "regions", "2", 0), 1.5, "claims[1].steps[1]"),
        ((*SUM, "regions", "02"), [1, 2, 3], "claims[1].steps[1]"),
        ((*SUM, "areas", "-1"), 1, "claims[1].steps[1]"),
        ((*SUM, "areas", "\u0663"), 1, "claims[1].steps[1]"),
        ((*SUM, "areas", "\u00b2"), 1, "claims[1].steps[1]"),
        ((*SUM, "areas", ""), 1, "claims[1].steps[1]"),
        ((*SUM, "areas", "3"), None, "claims[1].steps[1]"),
        ((*SUM, "remote"), False, "claims[1].steps[1]"),
        ((*SUM, "total"), 1e3, "claims[1].steps[1]"),
        ((*SUM, "cases"), [], "claims[1].steps[1]"),
        ((*SUM, "more"), 1, "claims[1].steps[1]"),
        (("claims", 1, "steps", 3, "cuts"), ["tdmrs", "tdmrs"], "claims[1].steps[3]"),
        (("claims", 1, "steps", 3, "cuts"), ["remote"], "claims[1].steps[3]"),
        (("claims", 1, "steps", 3, "more"), 1, "claims[1].steps[3]"),
        (("claims", 1, "steps", 4, "trust"), 1, "claims[1].steps[4]"),
        (("claims", 1, "steps", 4, "reason"), 1, "claims[1].steps[4]"),
        (("claims", 1, "steps", 4, "more"), 1, "claims[1].steps[4]"),
        (("claims", 2, "steps", 0, "cause"), 1, "claims[2].steps[0]"),
        (("claims", 2, "steps", 0, "more"), 1, "claims[2].steps[0]"),
    ],
)
def test_types_are_held_to(at: tuple[Any, ...], value: object, path: str) -> None:
    document = copy.deepcopy(json.loads(TEXT))
    inside: Any = document
    for key in at[:-1]:
        inside = inside[key]
    if value is GONE:
        del inside[at[-1]]
    else:
        inside[at[-1]] = value
    with pytest.raises(Malformed) as fault:
        load_certificate(json.dumps(document))
    assert fault.value.path == path


def test_long_values_are_cut_in_messages() -> None:
    for length, shown in ((78, '"' + "x" * 78 + '"'), (79, '"' + "x" * 76 + "...")):
        with pytest.raises(Malformed) as fault:
            load_certificate(TEXT.replace('"pamt-certificate/1"', json.dumps("x" * length)))
        assert str(fault.value).endswith(f"found {shown}")


def test_a_key_that_stands_twice_is_named() -> None:
    with pytest.raises(Malformed) as fault:
        load_certificate('{"format": 1, "format": 2}')
    assert (fault.value.path, fault.value.expected) == ("file", "every key once")


def with_withdraw(text: str) -> str:
    """A certificate with one claim, of one step `withdraw`."""
    head = '{"format": "pamt-certificate/1", "verdict": "INFEASIBLE", "objective": ["lost"], '
    head += '"space": {"tdmrs": "kernel", "pamt": "chunk", "reserve": "memory", "give_up": 3}, '
    return head + '"claims": [{"at_most": {}, "steps": [' + text + "]}]}"


def test_as_many_cases_as_are_allowed_and_no_more() -> None:
    step = {"withdraw": "sets", "proofs": [[{"floor": "lost"}]], "cases": [[20_000, 0]]}
    document = json.loads(with_withdraw(json.dumps(step)))
    document["claims"] *= 10
    assert len(load_certificate(json.dumps(document)).claims) == 10
    step["cases"] = [[1, 0]]
    document["claims"].append({"at_most": {}, "steps": [step]})
    with pytest.raises(Malformed) as fault:
        load_certificate(json.dumps(document))
    assert fault.value.path == "claims"


def test_cases_are_pairs() -> None:
    for pair in ("[1, 0, 0]", "[1, 0, 7]"):
        with pytest.raises(Malformed) as fault:
            load_certificate(
                with_withdraw(
                    f'{{"withdraw": "sets", "proofs": [[{{"floor": "lost"}}]], "cases": [{pair}]}}'
                )
            )
        assert fault.value.expected == "how many, and the number of a proof"


def test_no_step_of_its_kind_is_inside_another_wherever_it_stands() -> None:
    inner = '{"withdraw": "sets", "proofs": [[{"floor": "lost"}]], "cases": [[1, 0]]}'
    split = '{"split": [0], "piece": "chunk", "where": {}, "at_most": 0, "low": 1, "high": 2}'
    for steps in (inner, f'{split}, {{"floor": "lost"}}, {inner}'):
        with pytest.raises(Malformed) as fault:
            load_certificate(
                with_withdraw(f'{{"withdraw": "sets", "proofs": [[{steps}]], "cases": [[1, 0]]}}')
            )
        assert fault.value.expected == "no step of this kind inside another"


def test_numbers_have_256_bits_at_most() -> None:
    document = json.loads(TEXT)
    document["claims"][1]["steps"][1]["total"] = (1 << 256) - 1
    assert load_certificate(json.dumps(document)).claims[1].steps[1].total == (1 << 256) - 1  # type: ignore[union-attr]
    document["claims"][1]["steps"][1]["total"] = 1 << 256
    with pytest.raises(Malformed) as fault:
        load_certificate(json.dumps(document))
    assert fault.value.found == "257 bits"


def test_keys_have_nine_digits_at_most() -> None:
    document = json.loads(TEXT)
    areas = document["claims"][1]["steps"][1]["areas"]
    areas["123456789"] = 1
    assert load_certificate(json.dumps(document))
    areas["1234567890"] = 1
    with pytest.raises(Malformed) as fault:
        load_certificate(json.dumps(document))
    assert fault.value.expected == "a number as key"


def test_what_json_cannot_say_is_shown_as_it_is() -> None:
    assert str(Malformed("here", "a number", {1, 2})).endswith("found {1, 2}")
