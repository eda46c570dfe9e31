"""One loop body on a symbolic pre-state: the pieces of an inductive proof.

A statement about a loop over a list of any length is proved in three parts, each from the source
of the function that runs:

* **base**: :func:`before` runs the function up to the loop; the invariant must hold there;
* **step**: :func:`step` runs the body once on variables of your own that satisfy the invariant, and
  on one item; the invariant must hold of ``next`` (where the loop goes on), and what is to be shown
  of exits must hold of ``breaks`` and ``returns``;
* **use**: :func:`after` runs what follows the loop, on variables that satisfy the invariant.

Lists: give an empty :class:`GuardedList` for a list that the body only appends to: afterwards it
holds what this one step added, each item with its guard.  Items that were there before are whatever
the invariant says about them.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import FunctionType
from typing import NamedTuple

from pamt.verify.interp.domain import Guard
from pamt.verify.interp.refusal import Place, Refusal
from pamt.verify.interp.run import Exits, Fault, Frame, Interpreter, Return
from pamt.verify.interp.source import loops, source_of
from pamt.verify.interp.values import Value

__all__ = ["State", "Step", "after", "before", "step"]


class State(NamedTuple):
    """Variables on the paths where `guard` holds."""

    guard: Guard
    variables: dict[str, Value]


class Step(NamedTuple):
    """Every way on from one item."""

    next: State
    """At the head of the loop again, before the next item: falling through and ``continue``."""
    breaks: tuple[State, ...]
    returns: tuple[Return, ...]
    faults: tuple[Fault, ...]


def step(
    interpreter: Interpreter,
    function: FunctionType,
    loop: int,
    variables: Mapping[str, Value],
    item: Value,
    present: Guard = True,
) -> Step:
    """Run the body of loop number `loop` (counted from 0 as written) once.

    `variables` must hold parameters and every variable that the body reads before assigning.
    Raises Refusal for what is outside of the language subset, ValueError for no such loop.
    """
    frame, node = _loop(function, loop)
    exits = Exits()
    frame.loops.append(exits)
    faults = len(interpreter.faults)
    environment = dict(variables)
    left, guard = interpreter.iteration(frame, node, exits, present, item, environment, True)
    live = frame.source.live_at_head[node]
    kept = {name: value for name, value in left.items() if name in live or name in variables}
    return Step(
        State(guard, {**environment, **kept}),
        tuple(State(g, dict(v)) for g, v in exits.breaks),
        tuple(frame.returns),
        tuple(interpreter.faults[faults:]),
    )


def before(
    interpreter: Interpreter, function: FunctionType, loop: int, arguments: Mapping[str, Value]
) -> Step:
    """Run `function` from its start to the head of loop number `loop`: ``next`` is the state there.

    The loop must stand at the top level of the function.
    """
    frame, node = _loop(function, loop)
    return _run(interpreter, frame, frame.source.tree.body[: _position(frame, node)], arguments)


def after(
    interpreter: Interpreter, function: FunctionType, loop: int, variables: Mapping[str, Value]
) -> Step:
    """Run what follows loop number `loop`, from a state in which the loop has ended."""
    frame, node = _loop(function, loop)
    rest = frame.source.tree.body[_position(frame, node) + 1 :]
    return _run(interpreter, frame, rest, variables)


def _run(
    interpreter: Interpreter, frame: Frame, body: list[ast.stmt], variables: Mapping[str, Value]
) -> Step:
    faults = len(interpreter.faults)
    made, guard = interpreter.block(frame, body, dict(variables), True)
    return Step(State(guard, made), (), tuple(frame.returns), tuple(interpreter.faults[faults:]))


def _loop(function: FunctionType, number: int) -> tuple[Frame, ast.For]:
    source = source_of(function)
    found = loops(source)
    if not 0 <= number < len(found):
        raise ValueError(f"{function.__qualname__} has {len(found)} loops; no number {number}")
    return Frame(source, function.__globals__, True), found[number]


def _position(frame: Frame, node: ast.For) -> int:
    for at, statement in enumerate(frame.source.tree.body):
        if statement is node:
            return at
    raise Refusal(
        Place(frame.source.file, node.lineno),
        "the loop is inside of another statement",
        "move it into a function of its own",
    )
