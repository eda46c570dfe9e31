"""Formulas of integers and truth values, as plain data: no solver is needed to build or read one.

A :class:`Term` is made by ordinary arithmetic, so a straight-line stage function such as
:func:`pamt.kernel.sizes.pamt_sizes` can simply be *called* with terms, and what it answers is the
formula of the code that runs.  Python values stay Python values: an operation on two of them is
carried out, not recorded.  A term has no truth value of its own; asking for one (an ``if`` on a
term) raises TypeError, so that control flow can never be lost silently.

Three readers: :func:`pamt.prove.smtlib.script` writes SMT-LIB text, :func:`evaluate` computes the
value under an assignment with Python's own integers, :func:`variables` lists what is free.

``//`` and ``%`` are Python's, by a positive divisor only (there Python and SMT-LIB agree).  ``&``
on integers is Python's too, and for the solvers a function of which only the stated facts are
known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

__all__ = [
    "BOOL",
    "INT",
    "Bool",
    "BoolTerm",
    "Int",
    "IntTerm",
    "Term",
    "Value",
    "at_most",
    "boolean",
    "both",
    "choose",
    "either",
    "equal",
    "evaluate",
    "implies",
    "integer",
    "larger",
    "negate",
    "products_as_atoms",
    "smaller",
    "variables",
]

INT: Final = "Int"
BOOL: Final = "Bool"

Value: TypeAlias = "int | bool"


class Term:
    """An operator and its arguments.  Compare by identity; ``==`` builds an equation."""

    __slots__ = ("args", "name", "op", "sort")
    op: str
    args: tuple[Term, ...]
    name: str
    """Variable name, or a constant's value in decimal; empty for an operator."""
    sort: str

    def __init__(self, op: str, args: tuple[Term, ...], sort: str, name: str = "") -> None:
        self.op = op
        self.args = args
        self.sort = sort
        self.name = name

    def __bool__(self) -> bool:
        raise TypeError("a formula has no truth value; use choose(), both(), either(), negate()")

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        if not self.args:
            return self.name
        return f"({self.op} {' '.join(map(repr, self.args))})"

    def __eq__(self, other: object) -> Any:
        return equal(self, other)

    def __ne__(self, other: object) -> Any:
        return negate(equal(self, other))


class IntTerm(Term):
    """A term that is an integer."""

    __slots__ = ()

    def __add__(self, other: Int) -> Int:
        return _sum(self, other)

    def __radd__(self, other: Int) -> Int:
        return _sum(other, self)

    def __sub__(self, other: Int) -> Int:
        if other is self:
            return 0
        return _sum(self, _product(other, -1))

    def __rsub__(self, other: Int) -> Int:
        return _sum(other, _product(self, -1))

    def __neg__(self) -> Int:
        return _product(self, -1)

    def __mul__(self, other: Int) -> Int:
        return _product(self, other)

    def __rmul__(self, other: Int) -> Int:
        return _product(other, self)

    def __floordiv__(self, other: Int) -> Int:
        if _is_number(other):
            if other <= 0:
                raise ValueError("division by a positive number only")
            if other == 1:
                return self
            factor = _constant_factor(self)
            # (c x) // d is exact when d divides c, and x // (d / c) when c divides d.
            if factor % other == 0:
                return _product(self.args[0], factor // other)
            if factor > 1 and other % factor == 0:
                return self.args[0] // (other // factor)
        return IntTerm("div", (self, lift(other)), INT)

    def __rfloordiv__(self, other: Int) -> Int:
        return IntTerm("div", (lift(other), self), INT)

    def __mod__(self, other: Int) -> Int:
        if _is_number(other) and other <= 0:
            raise ValueError("remainder by a positive number only")
        if _is_number(other) and _constant_factor(self) % other == 0:
            return 0
        return IntTerm("mod", (self, lift(other)), INT)

    def __rmod__(self, other: Int) -> Int:
        return IntTerm("mod", (lift(other), self), INT)

    def __and__(self, other: Any) -> Any:
        return IntTerm("bitand", (self, lift(other)), INT)

    def __rand__(self, other: Any) -> Any:
        return IntTerm("bitand", (lift(other), self), INT)

    def __invert__(self) -> Int:
        return _sum(_product(self, -1), -1)

    def __lt__(self, other: Int) -> Bool:
        return BoolTerm("<", (self, lift(other)), BOOL)

    def __le__(self, other: Int) -> Bool:
        return BoolTerm("<=", (self, lift(other)), BOOL)

    def __gt__(self, other: Int) -> Bool:
        return BoolTerm("<", (lift(other), self), BOOL)

    def __ge__(self, other: Int) -> Bool:
        return BoolTerm("<=", (lift(other), self), BOOL)


class BoolTerm(Term):
    """A term that is a truth value."""

    __slots__ = ()

    def __and__(self, other: Bool) -> Bool:
        return both(self, other)

    def __rand__(self, other: Bool) -> Bool:
        return both(other, self)

    def __or__(self, other: Bool) -> Bool:
        return either(self, other)

    def __ror__(self, other: Bool) -> Bool:
        return either(other, self)

    def __invert__(self) -> Bool:
        return negate(self)


Int: TypeAlias = Any
"""An integer or a term of sort Int.  (Any: one source text serves both kinds of run.)"""

Bool: TypeAlias = Any
"""A truth value or a term of sort Bool."""


def integer(name: str) -> Any:
    """A free integer variable."""
    return IntTerm("var", (), INT, name)


def boolean(name: str) -> Any:
    """A free truth value."""
    return BoolTerm("var", (), BOOL, name)


def lift(value: Int | Bool) -> Term:
    """A Python integer or truth value as a term; a term stays what it is.

    Raises TypeError for anything else.
    """
    if isinstance(value, Term):
        return value
    if isinstance(value, bool):
        return BoolTerm("const", (), BOOL, "true" if value else "false")
    if isinstance(value, int):
        return IntTerm("const", (), INT, str(value))
    raise TypeError(f"neither an integer, nor a truth value, nor a formula: {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _constant_factor(value: Term) -> int:
    """The c of a term ``x * c`` with a constant c, else 1."""
    if value.op == "*" and value.args[1].op == "const":
        return int(value.args[1].name)
    return 1


def _sum(a: Int, b: Int) -> Int:
    if _is_number(a) and _is_number(b):
        return a + b
    if _is_number(b) and b == 0:
        return a
    if _is_number(a) and a == 0:
        return b
    return IntTerm("+", (lift(a), lift(b)), INT)


def _product(a: Int, b: Int) -> Int:
    if _is_number(a) and _is_number(b):
        return a * b
    if _is_number(a):
        a, b = b, a
    if _is_number(b):
        if b == 0:
            return 0
        if b == 1:
            return a
        # c * (d * x): one constant, so that solvers see a linear term where there is one.
        if a.op == "*" and a.args[1].op == "const":
            return _product(a.args[0], int(a.args[1].name) * b)
    elif b.op == "*" and b.args[1].op == "const":
        return _product(_product(a, b.args[0]), int(b.args[1].name))
    elif a.op == "*" and a.args[1].op == "const":
        return _product(_product(a.args[0], b), int(a.args[1].name))
    return IntTerm("*", (lift(a), lift(b)), INT)


def both(*parts: Bool) -> Bool:
    """All of the parts; true when there are none."""
    kept: list[Term] = []
    for part in parts:
        if isinstance(part, Term):
            kept.append(part)
        elif not part:
            return False
    if not kept:
        return True
    return kept[0] if len(kept) == 1 else BoolTerm("and", tuple(kept), BOOL)


def either(*parts: Bool) -> Bool:
    """At least one of the parts; false when there are none."""
    kept: list[Term] = []
    for part in parts:
        if isinstance(part, Term):
            kept.append(part)
        elif part:
            return True
    if not kept:
        return False
    return kept[0] if len(kept) == 1 else BoolTerm("or", tuple(kept), BOOL)


def negate(part: Bool) -> Bool:
    if not isinstance(part, Term):
        return not part
    if part.op == "not":
        return part.args[0]
    return BoolTerm("not", (part,), BOOL)


def implies(premise: Bool, conclusion: Bool) -> Bool:
    return either(negate(premise), conclusion)


def equal(a: Any, b: Any) -> Bool:
    """Equality of two integers or of two truth values."""
    if a is b:
        return True
    if not isinstance(a, Term) and not isinstance(b, Term):
        return bool(a == b)
    left, right = lift(a), lift(b)
    if left.sort != right.sort:
        raise TypeError(f"compares {left.sort} with {right.sort}: {left!r}, {right!r}")
    return BoolTerm("=", (left, right), BOOL)


def choose(condition: Bool, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`; both of the same sort."""
    if not isinstance(condition, Term):
        return a if condition else b
    if a is b or (not isinstance(a, Term) and not isinstance(b, Term) and a == b):
        return a
    left, right = lift(a), lift(b)
    if left.sort != right.sort:
        raise TypeError(f"chooses between {left.sort} and {right.sort}")
    return type(left)("ite", (condition, left, right), left.sort)


def larger(a: Int, b: Int) -> Int:
    """The larger of two integers (the built-in ``max`` would branch)."""
    return choose(b <= a, a, b)


def smaller(a: Int, b: Int) -> Int:
    """The smaller of two integers."""
    return choose(a <= b, a, b)


def at_most(low: Int, value: Int, high: Int) -> Bool:
    """``low <= value <= high``: a chained comparison would branch."""
    return both(low <= value, value <= high)


def postorder(roots: Iterable[Term]) -> list[Term]:
    """Every distinct node below the roots, arguments first.  Not recursive: formulas are deep."""
    seen: set[int] = set()
    order: list[Term] = []
    stack: list[tuple[Term, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, expanded = stack.pop()
        if id(node) in seen:
            continue
        if expanded:
            seen.add(id(node))
            order.append(node)
        else:
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args))
    return order


def variables(*roots: Any) -> dict[str, str]:
    """Free variables by name, with their sort, in order of first use.

    Raises ValueError when one name stands for two sorts.
    """
    found: dict[str, str] = {}
    for node in postorder(lift(root) for root in roots):
        if node.op == "var" and found.setdefault(node.name, node.sort) != node.sort:
            raise ValueError(f"{node.name} is used with two sorts")
    return found


_OPERATORS: Final[dict[str, Callable[..., Any]]] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
    "div": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
    "bitand": lambda a, b: a & b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "and": lambda *parts: all(parts),
    "or": lambda *parts: any(parts),
    "not": lambda a: not a,
    "ite": lambda c, a, b: a if c else b,
}


def evaluate(root: Any, assignment: Mapping[str, Value]) -> Any:
    """The value under `assignment`, computed with Python's own integers.

    Raises KeyError for a variable without a value, ValueError for a divisor that is not positive
    (there the formula does not mean what Python means).
    """
    values: dict[int, Any] = {}
    top = lift(root)
    for node in postorder([top]):
        if node.op == "var":
            values[id(node)] = assignment[node.name]
        elif node.op == "const":
            values[id(node)] = node.name == "true" if node.sort == BOOL else int(node.name)
        else:
            args = [values[id(arg)] for arg in node.args]
            if node.op in ("div", "mod") and args[1] <= 0:
                raise ValueError(f"divisor {args[1]} is not positive")
            values[id(node)] = _OPERATORS[node.op](*args)
    return values[id(top)]


def products_as_atoms(root: Any) -> Any:
    """The formula with every product of two unknowns replaced by a variable of its own.

    What is proved of the result holds of the original, since the product is one of the values that
    the variable may take; nothing is lost when the argument is linear in the products.  The
    variable for ``N * e`` is named ``N*e``, whichever way round the product was written.
    """
    rebuilt: dict[int, Any] = {}
    top = lift(root)
    for node in postorder([top]):
        args = tuple(lift(rebuilt[id(arg)]) for arg in node.args)
        if node.op == "*" and all(arg.op != "const" for arg in args):
            rebuilt[id(node)] = integer("*".join(sorted(map(repr, args))))
        elif node.args:
            rebuilt[id(node)] = type(node)(node.op, args, node.sort)
        else:
            rebuilt[id(node)] = node
    return rebuilt[id(top)]
