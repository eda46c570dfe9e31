"""The size of an encoding, told before it is built: right within a factor of two."""

from __future__ import annotations

from pathlib import Path

import pytest

from pamt.machine import FreeRun, Limits, Machine, MemoryRange, Node
from pamt.maps.machine_file import read_machine
from pamt.placement import Space, pose
from pamt.ranges import GIB, MIB, PAGE
from pamt.smt.encoding import encode
from pamt.smt.estimate import estimate
from pamt.smt.export import to_smtlib
from pamt.standins import complete

MACHINES = Path(__file__).resolve().parents[3] / "specs" / "machines"


def plain(gib: int) -> Machine:
    """Two nodes of memory without holes but below 4 GiB."""
    half = gib // 2 * GIB
    memory = (
        MemoryRange(MIB, 2 * GIB, 0),
        MemoryRange(4 * GIB, half, 0),
        MemoryRange(half, gib * GIB, 1),
    )
    return complete(Machine("plain", memory=memory, nodes=(Node(0), Node(1)))).machine


def many_runs() -> Machine:
    """Twelve TDMRs with twenty free runs each, half of them too short for a chunk."""
    memory = [MemoryRange(4 * t * GIB, (4 * t + 1) * GIB - PAGE, t % 2) for t in range(12)]
    free = [
        FreeRun(at, at + (3 + at // PAGE % 2 * 1500) * PAGE, t % 2)
        for t in range(12)
        for at in range(4 * t * GIB + MIB, 4 * t * GIB + MIB + 20 * 1600 * PAGE, 1601 * PAGE)
    ]
    made = Machine("runs", limits=Limits(), memory=tuple(memory), free=tuple(free))
    return complete(made).machine


def real(name: str) -> Machine:
    return complete(read_machine(str(MACHINES / f"{name}.toml"))).machine


@pytest.mark.parametrize(
    ("machine", "space"),
    [
        (plain(24), Space("free", "chunk", "memory")),
        (plain(48), Space("free", "chunk", "memory")),
        (plain(16), Space("free", "split", "memory")),
        (plain(16), Space("free", "split", "minimal")),
        (many_runs(), Space("kernel", "chunk", "memory")),
        (many_runs(), Space("kernel", "split", "minimal")),
        (real("emr-fcp-issue135"), Space("kernel", "split", "minimal")),
        (real("huawei-8node-2016"), Space("kernel", "split", "memory")),
    ],
    ids=lambda what: what.name if isinstance(what, Machine) else str(what),
)
def test_text_and_assertions_are_foretold(machine: Machine, space: Space) -> None:
    question = pose(machine, space)
    told = estimate(question)
    encoding = encode(question)
    text = len(to_smtlib(encoding))
    assert len(encoding.assertions) / 2 <= told.assertions <= 2 * len(encoding.assertions)
    assert text / 2 <= told.text <= 2 * text
    assert told.memory > 0


def test_fewer_places_to_cut_make_less() -> None:
    question = pose(plain(48), Space("free", "split", "minimal"))
    sizes = [estimate(question, places).memory for places in (2, 10, 20)]
    assert sizes == sorted(sizes)
    assert sizes[-1] < estimate(question).memory


def test_a_large_server_is_beyond_any_laptop() -> None:
    size = estimate(pose(plain(2048), Space("free", "split", "minimal")))
    assert size.text > 5 << 30
    assert size.memory > 64 << 30
