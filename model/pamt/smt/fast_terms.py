"""Connectives of z3 without the checks of its Python layer, which take most of their time.

The terms are those that ``z3.And`` and its like make.  Arguments must be Booleans of one context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["conjunction", "disjunction", "negation"]


def conjunction(a: Any, b: Any) -> Any:
    """``a and b``."""
    import z3

    context = a.ctx
    return z3.BoolRef(z3.Z3_mk_and(context.ref(), 2, (z3.Ast * 2)(a.ast, b.ast)), context)


def disjunction(terms: Sequence[Any]) -> Any:
    """Whether any holds; at least one is given."""
    import z3

    context = terms[0].ctx
    asts = (z3.Ast * len(terms))(*(term.ast for term in terms))
    return z3.BoolRef(z3.Z3_mk_or(context.ref(), len(terms), asts), context)


def negation(a: Any) -> Any:
    """``not a``."""
    import z3

    return z3.BoolRef(z3.Z3_mk_not(a.ctx.ref(), a.ast), a.ctx)
