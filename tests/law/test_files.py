"""What is written can be read again, and is the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.machine import Cmr, FirmwareRange, FreeRun, Limits, Machine, MemoryRange, Node, Zone
from pamt.maps.configuration_file import configuration_from_text, dump_configuration
from pamt.maps.document import parse
from pamt.maps.errors import InputErrors
from pamt.maps.machine_file import dump_machine, machine_from_text
from pamt.maps.schema import schemas
from pamt.ranges import PAGE, Range, RangeSet

SCHEMA = Draft202012Validator(schemas()["machine"])
U64 = st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 4095, 2**52, 2**63 - 1, 2**63, 2**64 - 1])
# Surrogates cannot stand in a UTF-8 file; everything else can.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LAST_PAGE = 2**52 // PAGE


@st.composite
def cuts(draw: st.DrawFn, low: int, high: int, most: int) -> list[tuple[int, int]]:
    """At most `most` disjoint page ranges of [low, high), ascending, some of them touching."""
    count = draw(st.integers(0, min(most, (high - low) // 2)))
    borders = draw(
        st.lists(st.integers(low, high), min_size=2 * count, max_size=2 * count, unique=True)
    )
    borders.sort()
    pairs = list(zip(borders[::2], borders[1::2], strict=True))
    if len(pairs) > 1 and draw(st.booleans()):
        pairs[0] = (pairs[0][0], pairs[1][0])
    return pairs


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Any machine that a file can describe."""
    ids = sorted(draw(st.sets(st.integers(0, 9) | st.integers(0, 1023), max_size=3)))
    high = draw(st.sampled_from([64, 2**20, LAST_PAGE]))
    owner = st.sampled_from(ids or [0, 1, 7])
    memory: tuple[MemoryRange, ...] | None = None
    if draw(st.booleans()):
        memory = tuple(
            MemoryRange(a * PAGE, b * PAGE, draw(owner), draw(TEXT))
            for a, b in draw(cuts(0, high, 4))
        )
    cmrs: tuple[Cmr, ...] | None = None
    if memory is None or draw(st.booleans()):
        cmrs = tuple(draw(st.lists(st.builds(Cmr, U64, U64 | st.just(0), TEXT), max_size=5)))
    nodes = tuple(draw(nodes_of(ids, node, high)) for node in ids)
    free: tuple[FreeRun, ...] | None = None
    if memory is not None and draw(st.booleans()):
        movable = {
            node.id: RangeSet(z.range for z in node.zones or () if z.name == "Movable")
            for node in nodes
        }
        runs: list[FreeRun] = []
        for r in memory:
            for a, b in draw(cuts(r.start // PAGE, r.end // PAGE, 2)):
                left = RangeSet([Range(a * PAGE, b * PAGE)]) - movable.get(r.node, RangeSet())
                runs += [FreeRun(run.start, run.end, r.node, draw(TEXT)) for run in left]
        free = tuple(runs)
    firmware = tuple(
        FirmwareRange(a, b, draw(TEXT), draw(TEXT)) for a, b in draw(cuts(0, 2**52, 3))
    )
    return Machine(
        firmware=firmware,
        name=draw(TEXT),
        source=draw(TEXT),
        limits=draw(limits()),
        cmrs=cmrs,
        memory=memory,
        nodes=nodes,
        free=free,
        assumptions=tuple(draw(st.lists(TEXT, max_size=2))),
    )


@st.composite
def nodes_of(draw: st.DrawFn, ids: list[int], own: int, high: int) -> Node:
    distance = st.lists(st.integers(0, 255), min_size=len(ids), max_size=len(ids)).map(tuple)
    fallback = st.permutations(ids).map(lambda ids: (own, *(i for i in ids if i != own)))
    spans = draw(cuts(0, high, 4))
    names = draw(st.permutations(["DMA", "DMA32", "Normal", "Movable"]))
    zones = tuple(
        Zone(name, a * PAGE, b * PAGE) for name, (a, b) in zip(names, spans, strict=False)
    )
    return Node(
        own,
        draw(st.booleans()),
        draw(st.none() | distance),
        draw(st.none() | fallback),
        draw(st.none() | st.just(zones)),
    )


def limits() -> st.SearchStrategy[Limits]:
    size = st.integers(1, 65535)
    return st.just(Limits()) | st.builds(
        Limits,
        size,
        size,
        st.tuples(size, size, size),
        st.booleans(),
        st.integers(1, 255),
        st.integers(0, 16),
    )


@pytest.mark.parametrize("syntax", ["toml", "json"])
@given(machine=machines())
def test_a_machine_survives_its_file(syntax: str, machine: Machine) -> None:
    text = dump_machine(machine, syntax)
    assert machine_from_text(text) == machine
    assert machine_from_text(text.encode()) == machine
    assert dump_machine(machine_from_text(text), syntax) == text


@pytest.mark.parametrize("syntax", ["toml", "json"])
@given(machine=machines(), data=st.data())
def test_a_fault_is_told_with_its_line(syntax: str, machine: Machine, data: st.DataObject) -> None:
    """Put a wrong value on any line: a problem of that very line is among those told."""
    lines = dump_machine(machine, syntax).split("\n")
    value = re.compile(
        r'( *"?[a-z_0-9]+"? *[=:] *)[^\[]*?(,?)'
        if syntax == "toml"
        else r'( +"[a-z]+": )[^\[]*?(,?)'
    )
    element = re.compile(r"( +)(?:\{.*\}|\".*\")(,?)")
    choices = [
        n for n, line in enumerate(lines) if value.fullmatch(line) or element.fullmatch(line)
    ]
    assume(choices)
    at = data.draw(st.sampled_from(choices))
    found = value.fullmatch(lines[at]) or element.fullmatch(lines[at])
    assert found is not None
    lines[at] = f"{found.group(1)}1.5{found.group(2)}"
    with pytest.raises(InputErrors) as caught:
        machine_from_text("\n".join(lines))
    assert at + 1 in {problem.line for problem in caught.value.problems}


pairs = st.tuples(U64, U64)
calls = st.builds(
    Call,
    st.none() | U64,
    st.none() | st.lists(U64, max_size=3).map(tuple),
    st.none() | U64,
    st.none() | U64,
    st.none() | pairs,
    st.none() | pairs,
)
tdmrs = st.builds(
    Tdmr,
    U64,
    U64,
    st.builds(Pamt, U64, U64),
    st.builds(Pamt, U64, U64),
    st.builds(Pamt, U64, U64),
    st.lists(st.builds(Area, U64, U64), max_size=20).map(tuple),
)
configurations = st.builds(Configuration, st.lists(tdmrs, max_size=3).map(tuple), calls)


@pytest.mark.parametrize("syntax", ["toml", "json"])
@given(configuration=configurations)
def test_a_configuration_survives_its_file(syntax: str, configuration: Configuration) -> None:
    text = dump_configuration(configuration, syntax)
    assert configuration_from_text(text) == configuration
    assert configuration_from_text(text.encode()) == configuration
    assert dump_configuration(configuration_from_text(text), syntax) == text


@pytest.mark.parametrize("syntax", ["toml", "json"])
@given(machine=machines())
def test_what_is_written_keeps_the_schema(syntax: str, machine: Machine) -> None:
    parsed = parse(dump_machine(machine, syntax), "m", "a machine file").data
    SCHEMA.validate(parsed)
