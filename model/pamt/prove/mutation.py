"""Mutants of stage functions: would a proof notice if the code were wrong?

:func:`mutants` makes small changes to the source of a function (a comparison, a border, a
statement left out).  :func:`caught` loads a theorem file with the changed function in place and
asks one solver for each obligation.  A mutant that no obligation notices is either equivalent, or
shows what the theorem does not say.
"""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

from pamt.prove.registry import ProofFileError, load_theorem
from pamt.prove.runner import Budget
from pamt.prove.theorem import Check, Theorem
from pamt.smt.prove_solvers import ask
from pamt.verify.interp import Refusal

__all__ = ["Mutant", "caught", "installed", "mutants"]


_CANNOT_BE_STATED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NameError,
    Refusal,
    TypeError,
    ValueError,
)


class Mutant(NamedTuple):
    """A changed function: `change` says what, with the line it is in, counted from the def."""

    change: str
    source: str


_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_NAMES = {
    "max": "min",
    "min": "max",
    "align_up": "align_down",
    "align_down": "align_up",
    "start": "end",
    "end": "start",
    "base": "size",
    "size": "base",
}


def mutants(function: FunctionType) -> tuple[Mutant, ...]:
    """Every single change, in the order of the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    found: dict[str, Mutant] = {}
    original = ast.unparse(tree)
    for number, node in enumerate(ast.walk(tree)):
        for change, edit in _changes(node):
            changed = copy.deepcopy(tree)
            target = list(ast.walk(changed))[number]
            edit(changed, target)
            source = ast.unparse(ast.fix_missing_locations(changed))
            if source != original and source not in found:
                line = getattr(node, "lineno", 0)
                found[source] = Mutant(f"{function.__name__}:{line} {change}", source)
    return tuple(found.values())


Edit = Callable[[ast.AST, ast.AST], None]


def _changes(node: ast.AST) -> Iterator[tuple[str, Edit]]:
    text = ast.unparse(node).split("\n")[0] if isinstance(node, ast.stmt | ast.expr) else ""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in _COMPARE.get(type(node.ops[0]), ()):
            yield f"{text} -> {other.__name__}", _set_operator(other)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        swapped = ast.Sub if isinstance(node.op, ast.Add) else ast.Add
        yield f"{text} -> {swapped.__name__}", _set_binary(swapped)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"{text} -> {node.value + 1}", _set_constant(node.value + 1)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{text} -> {not node.value}", _set_constant(not node.value)
    if isinstance(node, ast.Name) and node.id in ("max", "min", "align_up", "align_down"):
        yield f"{text} -> {_NAMES[node.id]}", _set_name
    if isinstance(node, ast.Attribute) and node.attr in ("start", "end", "base", "size"):
        yield f"{text} -> .{_NAMES[node.attr]}", _set_attribute
    if isinstance(node, ast.If):
        yield f"{text} -> always", _set_test(True)
        yield f"{text} -> never", _set_test(False)
    if isinstance(node, ast.BoolOp):
        yield f"{text} -> other connective", _swap_connective
    if isinstance(node, ast.Continue | ast.Break):
        other_exit = ast.Break if isinstance(node, ast.Continue) else ast.Continue
        yield f"{text} -> {other_exit.__name__.lower()}", _replace_by(other_exit())
    if isinstance(node, ast.AugAssign | ast.Expr | ast.Continue | ast.Break) and not _is_text(node):
        yield f"{text} left out", _replace_by(ast.Pass())
    if isinstance(node, ast.Assign):
        yield f"{text} left out", _replace_by(ast.Pass())


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _set_operator(other: type[ast.cmpop]) -> Edit:
    def edit(tree: ast.AST, node: ast.AST) -> None:
        assert isinstance(node, ast.Compare)
        node.ops = [other()]

    return edit


def _set_binary(other: type[ast.operator]) -> Edit:
    def edit(tree: ast.AST, node: ast.AST) -> None:
        assert isinstance(node, ast.BinOp)
        node.op = other()

    return edit


def _set_constant(value: int) -> Edit:
    def edit(tree: ast.AST, node: ast.AST) -> None:
        assert isinstance(node, ast.Constant)
        node.value = value

    return edit


def _set_name(tree: ast.AST, node: ast.AST) -> None:
    assert isinstance(node, ast.Name)
    node.id = _NAMES[node.id]


def _set_attribute(tree: ast.AST, node: ast.AST) -> None:
    assert isinstance(node, ast.Attribute)
    node.attr = _NAMES[node.attr]


def _set_test(value: bool) -> Edit:
    def edit(tree: ast.AST, node: ast.AST) -> None:
        assert isinstance(node, ast.If)
        node.test = ast.Constant(value)

    return edit


def _swap_connective(tree: ast.AST, node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _replace_by(other: ast.stmt) -> Edit:
    def edit(tree: ast.AST, node: ast.AST) -> None:
        for parent in ast.walk(tree):
            for field in ("body", "orelse"):
                block = getattr(parent, field, None)
                if isinstance(block, list) and node in block:
                    block[block.index(node)] = other
                    return

    return edit


@contextmanager
def installed(function: FunctionType, mutant: Mutant) -> Iterator[None]:
    """Within the block, `function`'s module has the mutant in its place."""
    module = sys.modules[function.__module__]
    name = f"<mutant: {mutant.change}>"
    lines = [line + "\n" for line in mutant.source.split("\n")]
    linecache.cache[name] = (len(mutant.source), None, lines, name)
    space: dict[str, object] = {}
    exec(compile(mutant.source, name, "exec"), module.__dict__, space)  # noqa: S102
    setattr(module, function.__name__, space[function.__name__])
    try:
        yield
    finally:
        setattr(module, function.__name__, function)
        linecache.cache.pop(name, None)


def caught(function: FunctionType, mutant: Mutant, proof: Path) -> str:
    """What notices the mutant: the name of an obligation of the theorem in `proof`, or why it
    cannot even be stated; empty when nothing does.
    """
    known = _formulas(proof)
    with installed(function, mutant):
        try:
            return _first_failing(load_theorem(proof), known)
        except ProofFileError as error:
            return f"the proof cannot be stated: {error}"


@cache
def _formulas(proof: Path) -> frozenset[str]:
    """The formulas about the code as it is, each of which holds."""
    theorem = load_theorem(proof)
    return frozenset(o.smtlib() for o in theorem.obligations if not isinstance(o, Check))


def _first_failing(theorem: Theorem, known: frozenset[str]) -> str:
    for obligation in theorem.obligations:
        if isinstance(obligation, Check):
            continue
        try:
            text = obligation.smtlib()
        except _CANNOT_BE_STATED as error:
            return f"{obligation.name}: {type(error).__name__}"
        if text in known:
            continue
        # A proof found within the budget would be a proof of the wrong code; none is a catch.
        if ask("z3", text, Budget().z3 // 4).found != "unsat":
            return obligation.name
    return ""
