"""SMT-LIB text: z3 and cvc5 read it and come to the same answer."""

from __future__ import annotations

from itertools import pairwise

import cvc5
import pytest
import z3

from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Space, pose
from pamt.smt import export
from pamt.smt.encoding import encode
from pamt.smt.export import to_smtlib
from pamt.solve.reference import place
from pamt.standins import complete

P = 4096
G = 1 << 30


def tiny(limit: int = 4) -> Machine:
    """Two GiBs; the home node's range is too short, so one chunk must go to the other node."""
    return complete(
        Machine(
            name="tiny\n(exit)",
            limits=Limits(
                max_reserved_per_tdmr=limit, dynamic_pamt=True, pamt_entry_size=(16, 1, 1)
            ),
            cmrs=(Cmr(0, 4 * G),),
            memory=(
                MemoryRange(G, G + 4 * P, 0),
                MemoryRange(G + 6 * P, G + 30 * P, 1),
                MemoryRange(2 * G + 5 * P, 2 * G + 40 * P, 0),
            ),
            nodes=(Node(0, distance=(10, 21)), Node(1, distance=(21, 10))),
            free=(
                FreeRun(G, G + 4 * P, 0),
                FreeRun(G + 6 * P, G + 30 * P, 1),
                FreeRun(2 * G + 10 * P, 2 * G + 19 * P, 0),
            ),
        )
    ).machine


def z3_says(text: str) -> str:
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    solver.from_string(text)
    return str(solver.check())


def cvc5_says(text: str) -> str:
    solver = cvc5.Solver()
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "question")
    symbols = parser.getSymbolManager()
    said = ""
    while True:
        command = parser.nextCommand()
        if command.isNull():
            return said.strip()
        said += command.invoke(solver, symbols)


SPACES = [
    Space("kernel", "chunk", "memory"),
    Space("kernel", "chunk", "cmr"),
    Space("kernel", "split", "minimal"),
    Space("free", "chunk", "memory"),
    Space("free", "split", "minimal"),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_best_is_sat_and_better_is_unsat(space: Space) -> None:
    machine = tiny()
    found = place(machine, space)
    assert found.objective is not None
    encoding = encode(pose(machine, space))
    held: list[tuple[str, int]] = []
    for name in found.order:
        value = int(getattr(found.objective, name))
        best = to_smtlib(encoding, [*held, (name, value)], expected="sat")
        better = to_smtlib(encoding, [*held, (name, value - 1)], expected="unsat")
        assert (z3_says(best), cvc5_says(best)) == ("sat", "sat")
        assert (z3_says(better), cvc5_says(better)) == ("unsat", "unsat")
        held.append((name, value))
    assert found.objective.remote > 0


def test_infeasible_is_unsat() -> None:
    machine = tiny(limit=2)
    assert place(machine).verdict == "INFEASIBLE"
    text = to_smtlib(encode(pose(machine, Space())))
    assert (z3_says(text), cvc5_says(text)) == ("unsat", "unsat")


def test_assertions_are_named_and_explained() -> None:
    text = to_smtlib(encode(pose(tiny(), Space())), comments=["pamt export"])
    lines = text.splitlines()
    assert lines[0] == "; pamt export"
    assert "; machine tiny (exit), space" in lines[1]
    assert "; hole: TDMR 0 [0x40000000, 0x80000000) must reserve [0x40004000, 0x40006000)" in lines
    assert "; limit: TDMR 1 [0x80000000, 0xc0000000) has at most 4 reserved areas" in lines
    names = [line.split(":named ")[1] for line in lines if ":named" in line]
    assert len(names) == len(set(names))
    assert sum(line.startswith("(assert") for line in lines) == len(names)
    assert "(+ |" not in text or all(
        part.count(" ") for part in text.split("(+ ")[1:]
    )  # no sum of one term


def test_progress_tells_how_much_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "TOLD_EVERY", 100)
    encoding = encode(pose(tiny(), Space()))
    told: list[int] = []
    text = to_smtlib(encoding, progress=told.append)
    assert text == to_smtlib(encoding)
    assert len(told) > 1
    assert all(later - earlier >= 100 for earlier, later in pairwise(told))
    assert 100 <= told[0] < told[-1] < len(text)
