"""Formulas as SMT-LIB 2.6 text: the one form in which an obligation reaches any solver.

Both solvers read the same bytes, so what is exported is what was decided.  Nodes that are used
more than once become ``define-fun``s, which keeps the text linear in the size of the formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pamt.prove.terms import BOOL, Term, lift, postorder, variables

__all__ = ["script"]

_SIMPLE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")


def script(asserted: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    """Text that asks whether the named formulas can hold together.

    `asserted` maps a label (written as a comment) to a formula or a plain truth value.
    """
    roots = {label: lift(formula) for label, formula in asserted.items()}
    for label, root in roots.items():
        if root.sort != BOOL:
            raise TypeError(f"{label} is not a truth value")
    lines = [f"; {comment}" for comment in comments]
    order = postorder(roots.values())
    lines.append(f"(set-logic {_logic(order)})")
    if any(node.op == "bitand" for node in order):
        lines.append("(declare-fun bitand (Int Int) Int)")
    for name, sort in variables(*roots.values()).items():
        lines.append(f"(declare-const {_symbol(name)} {sort})")

    uses: dict[int, int] = {}
    for node in order:
        for arg in node.args:
            uses[id(arg)] = uses.get(id(arg), 0) + 1
    text: dict[int, str] = {}
    shared = 0
    for node in order:
        written = _write(node, text)
        if node.args and uses.get(id(node), 0) > 1:
            lines.append(f"(define-fun ${shared} () {node.sort} {written})")
            written = f"${shared}"
            shared += 1
        text[id(node)] = written
    for label, root in roots.items():
        lines.append(f"; {label}")
        lines.append(f"(assert {text[id(root)]})")
    lines.append("(check-sat)")
    return "\n".join(lines) + "\n"


def _logic(order: Sequence[Term]) -> str:
    for node in order:
        nonlinear = node.op == "*" and all(arg.op != "const" for arg in node.args)
        nonlinear |= node.op in ("div", "mod") and node.args[1].op != "const"
        if nonlinear:
            return "QF_UFNIA"
    return "QF_UFLIA"


def _write(node: Term, text: Mapping[int, str]) -> str:
    if node.op == "const":
        return f"(- {node.name[1:]})" if node.name.startswith("-") else node.name
    if node.op == "var":
        return _symbol(node.name)
    return f"({node.op} {' '.join(text[id(arg)] for arg in node.args)})"


def _symbol(name: str) -> str:
    return name if set(name) <= _SIMPLE and not name[:1].isdigit() else f"|{name}|"
