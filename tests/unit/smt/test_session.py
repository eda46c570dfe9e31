"""Sessions: closed answers, cores by name, budgets in steps, the same on every run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pamt.smt.session import Sat, Session, Unknown, Unsat
from pamt.smt.terms import FALSE, TRUE, Flag, Formula, Int, Linear, Sum, count, every, no, some


def boxes(number: int, room: int) -> list[Formula]:
    """`number` blocks of ten in `room`: needs search when it is too tight."""
    starts = [Int(f"s{i}") for i in range(number)]
    made = [every((s.at_least(0), (s + 10).at_most(room))) for s in starts]
    made += [
        some(((a + 10).at_most(b), (b + 10).at_most(a)))
        for i, a in enumerate(starts)
        for b in starts[:i]
    ]
    return made


def test_answers_have_no_truth_value() -> None:
    for answer in (Sat({}), Unsat(()), Unknown("why")):
        with pytest.raises(TypeError, match="match an answer by its class"):
            bool(answer)


def test_model_has_every_variable() -> None:
    session = Session()
    session.add([Int("x").equals(3), Flag("a"), some((Flag("b"), TRUE, no(Flag("c"))))])
    session.add([some((Flag("d"), Flag("e")))])
    answer = session.check()
    assert isinstance(answer, Sat)
    assert (answer.model["x"], answer.model["a"]) == (3, 1)
    assert {"d", "e"} <= set(answer.model)


def test_core_is_named_in_the_order_of_the_question() -> None:
    session = Session()
    x = Int("x")
    low, high, other = "limit: 3 |odd| name", "high", "other"
    session.add_named([(high, x.at_most(3)), (low, x.at_least(5)), (other, Flag("a"))])
    answer = session.check([other, low, high])
    assert isinstance(answer, Unsat)
    assert answer.core == (low, high)
    assert isinstance(session.check([other, low]), Sat)


def test_one_name_may_stand_for_several_formulas() -> None:
    session = Session()
    session.add_named([("both", Flag("a")), ("both", no(Flag("a")))])
    assert isinstance(session.check(), Sat)
    answer = session.check(["both"])
    assert isinstance(answer, Unsat)
    assert answer.core == ("both",)


def test_out_of_steps_is_unknown() -> None:
    session = Session()
    session.add(boxes(12, 119))
    answer = session.check(steps=5_000)
    assert isinstance(answer, Unknown)
    assert answer.reason
    assert isinstance(session.check(steps=0), Unknown)


def test_false_is_unsatisfiable() -> None:
    session = Session()
    session.add([FALSE])
    assert isinstance(session.check(), Unsat)


def test_weighted_counts_of_any_sign_and_size() -> None:
    a, b = Flag("a"), Flag("b")
    for w, v, bound in ((3, -2, 1), (-3, -2, -5), (1 << 40, -(1 << 40), 0), (2, 2, -1)):
        formula = Linear((), ((w, a), (v, b)), bound)
        for x in (False, True):
            for y in (False, True):
                session = Session()
                session.add([formula, a if x else no(a), b if y else no(b)])
                expected = Sat if w * x + v * y <= bound else Unsat
                assert isinstance(session.check(), expected)


def test_mixed_sums() -> None:
    session = Session()
    total = Int("x").times(2) + count((Flag("a"), Flag("b")))
    session.add([total.equals(5), no(Flag("a")), Sum().at_most(0)])
    answer = session.check()
    assert isinstance(answer, Sat)
    assert (answer.model["x"], answer.model["b"]) == (2, 1)


PROGRAM = """
from pamt.smt.session import Session
from pamt.smt.terms import Int, some
starts = [Int(f"s{i}") for i in range(7)]
session = Session()
for s in starts:
    session.add([s.at_least(0), (s + 10).at_most(75)])
for i, a in enumerate(starts):
    session.add(some(((a + 10).at_most(b), (b + 10).at_most(a))) for b in starts[:i])
answer = session.check()
print(sorted(answer.model.items()), session.steps)
"""


def test_same_model_and_steps_whatever_the_hash_seed() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(said) == 1


def test_no_solver_is_imported_before_a_session_is_opened() -> None:
    program = (
        "import sys, pamt.solve, pamt.smt.encoding, pamt.smt.session, pamt.smt.export;"
        "print(sorted({'z3', 'cvc5', 'ortools'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.strip() == "[]"
