"""Small changes to the source of a function: every one of a fixed list, one at a time.

Text that only people read is left alone: f-strings, docstrings, annotations.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Mutant(NamedTuple):
    """`function`: its qualified name in the file; `change`: what, where; `tree`: the result."""

    file: str
    function: str
    change: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The same from run to run, as long as the line itself and its function do not change."""
        return f"{self.file} {self.function}: {self.change}"


Edit = Callable[[ast.AST, ast.AST], None]

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
}
_NAMES = {"max": "min", "min": "max", "any": "all", "all": "any", "start": "end", "end": "start"}
_STATEMENTS = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Continue, ast.Break)


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every mutant of every function in a file."""
    tree = ast.parse(source)
    for qualified, function in _functions(tree, ""):
        seen = {ast.unparse(function)}
        repeated: dict[str, int] = {}
        for number, node in _meaningful(function):
            for change, edit in _changes(node):
                changed = copy.deepcopy(function)
                edit(changed, list(ast.walk(changed))[number])
                text = ast.unparse(changed)
                if text in seen:
                    continue
                seen.add(text)
                count = repeated[change] = repeated.get(change, 0) + 1
                label = change if count == 1 else f"{change} (#{count})"
                module = ast.Module([ast.parse(_FUTURE).body[0], changed], [])
                yield Mutant(file, qualified, label, ast.fix_missing_locations(module))


_FUTURE = "from __future__ import annotations"


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and not _builds_an_error(node):
            yield prefix + node.name, node


def _builds_an_error(function: ast.FunctionDef) -> bool:
    """`super()` needs the class's cell; only exceptions use it here."""
    return any(isinstance(node, ast.Name) and node.id == "super" for node in ast.walk(function))


def _meaningful(function: ast.FunctionDef) -> Iterator[tuple[int, ast.AST]]:
    """Nodes by their number in `ast.walk`, without text and annotations."""
    left_out: set[int] = set()
    for node in ast.walk(function):
        inner: list[ast.AST | None] = []
        if isinstance(node, ast.JoinedStr):
            inner = [node]
        elif isinstance(node, ast.AnnAssign | ast.arg):
            inner = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            inner = [node.returns]
        for part in inner:
            left_out |= {id(below) for below in ast.walk(part)} if part is not None else set()
    for number, node in enumerate(ast.walk(function)):
        if id(node) not in left_out:
            yield number, node


def _changes(node: ast.AST) -> Iterator[tuple[str, Edit]]:
    text = ast.unparse(node).split("\n")[0] if isinstance(node, ast.stmt | ast.expr) else ""
    if isinstance(node, ast.Compare):
        for at, old in enumerate(node.ops):
            for other in _COMPARE[type(old)]:
                yield f"{text} -> {other.__name__}", _item("ops", at, other())
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        new = _BINARY[type(node.op)]
        yield f"{text} -> {new.__name__}", _field("op", new())
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{text} -> {not node.value}", _field("value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        for value in (node.value + 1, node.value - 1):
            yield f"{text} -> {value}", _field("value", value)
    if isinstance(node, ast.Name) and node.id in {"max", "min", "any", "all"}:
        yield f"{text} -> {_NAMES[node.id]}", _field("id", _NAMES[node.id])
    if isinstance(node, ast.Attribute) and node.attr in {"start", "end"}:
        yield f"{text} -> .{_NAMES[node.attr]}", _field("attr", _NAMES[node.attr])
    if isinstance(node, ast.If | ast.IfExp):
        yield f"{text} -> always", _field("test", ast.Constant(True))
        yield f"{text} -> never", _field("test", ast.Constant(False))
    if isinstance(node, ast.While):
        yield f"{text} -> never", _field("test", ast.Constant(False))
    if isinstance(node, ast.comprehension):
        for at, test in enumerate(node.ifs):
            yield f"if {ast.unparse(test)} -> always", _item("ifs", at, ast.Constant(True))
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"{text} -> other connective", _field("op", other)
        for at, value in enumerate(node.values):
            neutral = ast.Constant(isinstance(node.op, ast.And))
            yield f"{text} without {ast.unparse(value)}", _item("values", at, neutral)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield f"{text} -> plain", _field("op", ast.UAdd())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{text} -> plain", _field("operand", ast.UnaryOp(ast.Not(), node.operand))
    if isinstance(node, ast.Return) and node.value is not None:
        yield f"{text} -> None", _field("value", ast.Constant(None))
    if isinstance(node, _STATEMENTS) and not _is_text(node):
        yield f"{text} left out", _left_out


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _field(name: str, value: object) -> Edit:
    def edit(tree: ast.AST, node: ast.AST) -> None:
        setattr(node, name, value)

    return edit


def _item(name: str, at: int, value: ast.AST) -> Edit:
    def edit(tree: ast.AST, node: ast.AST) -> None:
        getattr(node, name)[at] = value

    return edit


def _left_out(tree: ast.AST, node: ast.AST) -> None:
    for parent in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(parent, field, None)
            if isinstance(block, list) and node in block:
                block[block.index(node)] = ast.Pass()
                return
