"""The corpus of certificates: the valid, the invalid each with its mistake, the malformed."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamt.certificate import (
    HOLEY,
    INVALID,
    VALID,
    Malformed,
    check_certificate,
    dump_certificate,
    load_certificate,
)
from pamt.machine import Machine
from pamt.maps.machine_file import machine_from_dict, read_machine
from pamt.standins import complete

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "tests" / "certificates"


def cases(kind: str) -> list[str]:
    return sorted(path.stem for path in (CORPUS / kind).glob("*.json"))


@cache
def case(kind: str, name: str) -> dict[str, Any]:
    found = json.loads((CORPUS / kind / f"{name}.json").read_text())
    assert isinstance(found, dict)
    return found


@cache
def machine(kind: str, name: str) -> Machine:
    given_ = case(kind, name)["machine"]
    if isinstance(given_, str):
        return complete(read_machine(ROOT / given_)).machine
    return complete(machine_from_dict(given_)).machine


@pytest.mark.parametrize("name", cases("valid"))
def test_valid(name: str) -> None:
    found = case("valid", name)
    certificate = load_certificate(json.dumps(found["certificate"]))
    checked = check_certificate(certificate, machine("valid", name))
    assert checked.fault is None
    assert checked.trusted_steps == found["trusted_steps"]
    assert checked.verdict == (HOLEY if found["trusted_steps"] else VALID)


@pytest.mark.parametrize("name", cases("valid"))
def test_written_and_read_back(name: str) -> None:
    certificate = load_certificate(json.dumps(case("valid", name)["certificate"]))
    text = dump_certificate(certificate)
    assert load_certificate(text) == certificate
    assert dump_certificate(load_certificate(text)) == text


@pytest.mark.parametrize("name", cases("invalid"))
def test_invalid(name: str) -> None:
    found = case("invalid", name)
    certificate = load_certificate(json.dumps(found["certificate"]))
    checked = check_certificate(certificate, machine("invalid", name))
    assert checked.verdict == INVALID, found["why"]
    assert checked.fault is not None
    assert checked.fault.step == found["step"]
    assert checked.fault.expected != checked.fault.found


def test_there_are_enough_mistakes() -> None:
    assert len(cases("invalid")) >= 40
    assert len({case("invalid", name)["why"] for name in cases("invalid")}) == len(cases("invalid"))


@pytest.mark.parametrize("name", cases("malformed"))
def test_malformed(name: str) -> None:
    found = case("malformed", name)
    with pytest.raises(Malformed) as fault:
        load_certificate(found["text"])
    assert fault.value.path == found["path"]


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything inside a certificate but what is asked and what is answered."""
    found: list[tuple[Any, ...]] = []
    inside = list(value.items()) if isinstance(value, dict) else []
    inside = list(enumerate(value)) if isinstance(value, list) else inside
    for key, item in inside:
        if not path and key in {"format", "space", "objective", "verdict"}:
            continue
        found.append((*path, key))
        found += places(item, (*path, key))
    return found


def mutate(document: dict[str, Any], draw: st.DataObject) -> None:
    path = draw.draw(st.sampled_from(places(document)))
    at: Any = document
    for key in path[:-1]:
        at = at[key]
    old = at[path[-1]]
    kind = draw.draw(st.sampled_from(["number", "delete", "copy", "small"]))
    if kind == "delete":
        del at[path[-1]]
    elif kind == "copy" and isinstance(at, list):
        at[path[-1]] = copy.deepcopy(draw.draw(st.sampled_from(at)))
    elif isinstance(old, int):
        step = draw.draw(st.sampled_from([-1, 1, -old, old, 10**6, -(10**6)]))
        at[path[-1]] = old + step
    elif isinstance(old, str) and old.startswith("0x"):
        moved = int(old, 16) + draw.draw(st.sampled_from([4096, -4096, 1, 1 << 30]))
        at[path[-1]] = hex(max(0, moved))


@given(st.sampled_from([n for n in cases("valid") if not n.startswith("holey")]), st.data())
@settings(max_examples=400, deadline=None)
def test_mutations_are_refused_or_true(name: str, draw: st.DataObject) -> None:
    original = case("valid", name)["certificate"]
    document = copy.deepcopy(original)
    for _ in range(draw.draw(st.integers(1, 3))):
        if places(document):
            mutate(document, draw)
    try:
        certificate = load_certificate(json.dumps(document))
    except Malformed:
        return
    checked = check_certificate(certificate, machine("valid", name))
    if checked.verdict != VALID:
        assert checked.fault is not None
        return
    # What it says is still so: the same verdict, and the same least values in order.
    assert certificate.verdict == original["verdict"]
    for component in original["objective"] if "value" in original else ():
        assert certificate.value[component] == original["value"][component]
