"""Syntax trees of functions, with the file and the liveness of variables at every join.

A variable is *live* at a point when some path from there reads it before assigning it.  Where
paths meet, only live variables are merged: that keeps loop-local ones out of every formula.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from types import FunctionType
from typing import NamedTuple

from pamt.verify.interp.refusal import Place, Refusal

__all__ = ["Source", "loops", "source_of"]

Names = frozenset[str]


class Source(NamedTuple):
    """A parsed function."""

    file: str
    tree: ast.FunctionDef
    live_after: dict[ast.stmt, Names]
    """Variables live right after a statement, on the path that goes on to the next one."""
    live_at_head: dict[ast.stmt, Names]
    """Variables live at the head of a loop: before the next item is looked at."""


@cache
def source_of(function: FunctionType) -> Source:
    """Parse `function`, keeping the line numbers of its file.

    Raises Refusal when there is no source, or when it is not an ordinary ``def``.
    """
    try:
        lines, first = inspect.getsourcelines(function)
        file = inspect.getsourcefile(function) or "?"
    except (OSError, TypeError):
        raise Refusal(
            Place(getattr(function, "__module__", "?"), 0),
            f"no Python source for {getattr(function, '__qualname__', function)!r}",
            "define it with def in a file",
        ) from None
    tree = ast.parse(textwrap.dedent("".join(lines)))
    ast.increment_lineno(tree, first - 1)
    found = tree.body[0]
    if not isinstance(found, ast.FunctionDef):
        raise Refusal(Place(file, first), "not an ordinary function", "write a def")
    if found.name != function.__code__.co_name:
        raise Refusal(Place(file, first), "the file has changed since it was loaded", "start again")
    live_after: dict[ast.stmt, Names] = {}
    live_at_head: dict[ast.stmt, Names] = {}
    _Liveness(live_after, live_at_head).block(found.body, frozenset(), frozenset(), frozenset())
    return Source(file, found, live_after, live_at_head)


def loops(source: Source) -> list[ast.For]:
    """The for loops of a function, in the order in which they are written."""
    found = [node for node in ast.walk(source.tree) if isinstance(node, ast.For)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _reads(node: ast.AST | None) -> set[str]:
    if node is None:
        return set()
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _writes(node: ast.AST) -> set[str]:
    return {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


class _Liveness:
    """Backward over the statements; a loop is gone over until nothing is added."""

    def __init__(
        self, live_after: dict[ast.stmt, Names], live_at_head: dict[ast.stmt, Names]
    ) -> None:
        self.live_after = live_after
        self.live_at_head = live_at_head

    def block(self, body: list[ast.stmt], after: Names, breaks: Names, continues: Names) -> Names:
        live = after
        for statement in reversed(body):
            self.live_after[statement] = live
            live = self.statement(statement, live, breaks, continues)
        return live

    def statement(self, node: ast.stmt, after: Names, breaks: Names, continues: Names) -> Names:
        if isinstance(node, ast.Return | ast.Raise):
            return frozenset(_reads(node))
        if isinstance(node, ast.Break):
            return breaks
        if isinstance(node, ast.Continue):
            return continues
        if isinstance(node, ast.If):
            then = self.block(node.body, after, breaks, continues)
            other = self.block(node.orelse, after, breaks, continues)
            return then | other | _reads(node.test)
        if isinstance(node, ast.For | ast.While):
            source = node.iter if isinstance(node, ast.For) else node.test
            target = _writes(node.target) if isinstance(node, ast.For) else set()
            head: Names = after
            while True:
                if isinstance(node, ast.While):
                    head = head | _reads(node.test)
                self.live_at_head[node] = head
                entry = self.block(node.body, head, after, head)
                wider = head | (entry - target)
                if wider == head:
                    break
                head = wider
            return head | _reads(source)
        if isinstance(node, ast.AugAssign):
            return after | _reads(node) | _writes(node.target) | _reads(node.target)
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            written = {t.id for t in targets if isinstance(t, ast.Name)}
            for t in targets:
                if isinstance(t, ast.Tuple):
                    written |= {e.id for e in t.elts if isinstance(e, ast.Name)}
            reads = _reads(node.value)
            for t in targets:
                reads |= _reads(t)
            return frozenset((after - written) | reads)
        return after | _reads(node)
