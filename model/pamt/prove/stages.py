"""Stage functions as formulas: the interpreter of :mod:`pamt.verify.interp` on terms.

A proof file asks for what a function answers (:func:`answer`), or for one turn of one of its loops
on a state of its own making (:func:`turn`, :func:`head`, :func:`tail`).  Paths that would raise are
refused here, so a formula never leaves one out silently.

`primitives` puts a formula in the place of a function that is called, where another obligation says
what it answers (or, for one of Python's own, its documentation): ``{function: primitive}``, called
as ``primitive(interpreter, live, *arguments)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from pamt.prove.domain import Formulas
from pamt.prove.terms import both, either
from pamt.verify.interp import (
    Choice,
    Fault,
    GuardedList,
    Interpreter,
    Return,
    State,
    Step,
    after,
    before,
    guarded,
    step,
)

__all__ = [
    "Appended",
    "Listed",
    "Primitives",
    "answer",
    "appended",
    "head",
    "holds",
    "is_something",
    "is_true",
    "left_with",
    "returns",
    "tail",
    "turn",
]


Primitives: TypeAlias = Mapping[Any, Callable[..., Any]]
_NONE: Primitives = MappingProxyType({})


class Listed(dict[Any, Any]):
    """A list of unknown length, of which each item looked up is `item`; `asked`: where."""

    def __init__(self, item: Any) -> None:
        super().__init__()
        self.item = item
        self.asked: list[Any] = []

    def __contains__(self, position: object) -> bool:
        return True

    def __getitem__(self, position: Any) -> Any:
        self.asked.append(position)
        return self.item


class Appended(NamedTuple):
    """An item that a turn may have added to a list, and when it did."""

    when: Any
    item: Any


def answer(function: Callable[..., Any], *arguments: Any, primitives: Primitives = _NONE) -> Any:
    """What `function` answers.  Lists among the arguments are taken as they are.

    Raises ValueError when a path of it raises.
    """
    interpreter = Interpreter(Formulas(), primitives)
    ready = [guarded(a) if isinstance(a, list) else a for a in arguments]
    result = interpreter.call(function, *ready)
    _no_faults(result.faults)
    return result.value


def returns(
    function: Callable[..., Any], *arguments: Any, primitives: Primitives = _NONE
) -> tuple[Return, ...]:
    """Every ``return`` of `function` that can be reached, with its guard."""
    interpreter = Interpreter(Formulas(), primitives)
    ready = [guarded(a) if isinstance(a, list) else a for a in arguments]
    result = interpreter.call(function, *ready)
    _no_faults(result.faults)
    return result.returns


def holds(function: Callable[..., Any], *arguments: Any, primitives: Primitives = _NONE) -> Any:
    """Whether a predicate answers True, as one formula."""
    value = answer(function, *arguments, primitives=primitives)
    if isinstance(value, Choice):
        return either(*(guard for guard, arm in value.alternatives if arm is True))
    return value


def is_true(found: Iterable[Return]) -> Any:
    """One of these returns is reached, and its value counts as true."""
    return either(*(both(one.guard, one.value) for one in found))


def is_something(found: Iterable[Return]) -> Any:
    """One of these returns is reached, and its value is not None."""
    return either(*(both(one.guard, _something(one.value)) for one in found))


def _something(value: Any) -> Any:
    if isinstance(value, Choice):
        return either(*(guard for guard, arm in value.alternatives if arm is not None))
    return value is not None


def turn(
    function: Callable[..., Any],
    state: Mapping[str, Any],
    item: Any,
    loop: int = 0,
    primitives: Primitives = _NONE,
) -> Step:
    """One turn of loop number `loop`.  Raises ValueError when a path of it raises."""
    assert isinstance(function, FunctionType)
    made = step(Interpreter(Formulas(), primitives), function, loop, state, item)
    _no_faults(made.faults)
    return made


def head(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    loop: int = 0,
    primitives: Primitives = _NONE,
) -> State:
    """The variables when loop number `loop` is first reached."""
    assert isinstance(function, FunctionType)
    made = before(Interpreter(Formulas(), primitives), function, loop, arguments)
    _no_faults(made.faults)
    return made.next


def tail(
    function: Callable[..., Any],
    state: Mapping[str, Any],
    loop: int = 0,
    primitives: Primitives = _NONE,
) -> Step:
    """What follows loop number `loop`."""
    assert isinstance(function, FunctionType)
    made = after(Interpreter(Formulas(), primitives), function, loop, state)
    _no_faults(made.faults)
    return made


def left_with(step: Step) -> Any:
    """The turn ends in ``break`` or ``return``."""
    return either(*(s.guard for s in step.breaks), *(r.guard for r in step.returns))


def appended(items: GuardedList) -> tuple[Appended, ...]:
    """What a turn added to a list that was empty before it."""
    return tuple(Appended(guard, item) for guard, item in items)


def _no_faults(faults: tuple[Fault, ...]) -> None:
    if faults:
        raise ValueError(f"{faults[0].place}: {faults[0].what}")
