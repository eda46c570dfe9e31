"""An encoded question as SMT-LIB 2 text that any solver can re-solve.

The text is written from our own terms, not by a solver's printer, and keeps to what the standard
says: Booleans, integers, ``+``, ``*`` by a number, ``<=``, ``ite``.  Each assertion is named after
its group and followed by a comment with rule and object in words.  Sources: SMT-LIB Standard 2.6,
sections 3.9 and 4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pamt.smt.encoding import Encoding
from pamt.smt.labels import Group
from pamt.smt.terms import (
    And,
    Const,
    Flag,
    Formula,
    Linear,
    Not,
    Or,
    variables,
)

__all__ = ["describe_group", "to_smtlib"]


def to_smtlib(
    encoding: Encoding,
    bounds: Sequence[tuple[str, int]] = (),
    *,
    comments: Sequence[str] = (),
    expected: str | None = None,
) -> str:
    """The question as SMT-LIB 2, with each component named in `bounds` at most its value.

    `comments` are put at the top, one line each.  `expected` (``sat`` or ``unsat``) is written as
    the benchmark's status.
    """
    extra = [(name, value, encoding.components[name].at_most(value)) for name, value in bounds]
    formulas = [a.formula for a in encoding.assertions] + [f for _, _, f in extra]
    bools, ints = variables(formulas)
    question = encoding.question
    lines = [f"; {_one_line(comment)}" for comment in comments]
    lines += [
        f"; machine {_one_line(question.machine.name)}, space {question.space}",
        "; integers count 4 KiB pages unless a name says otherwise",
        "(set-option :produce-unsat-cores true)",
        "(set-logic QF_LIA)",
    ]
    if expected is not None:
        lines.append(f"(set-info :status {expected})")
    lines += [f"(declare-const {_symbol(name)} Bool)" for name in bools]
    lines += [f"(declare-const {_symbol(name)} Int)" for name in ints]
    seen: dict[str, int] = {}
    group: Group | None = None
    for assertion in encoding.assertions:
        if assertion.group != group:
            group = assertion.group
            lines.append(f"; {describe_group(group, encoding)}")
        lines.append(_named(group.name, assertion.formula, seen))
    for name, value, formula in extra:
        lines.append(f"; objective: {name} is at most {value}")
        lines.append(_named(f"objective:{name}", formula, seen))
    lines += ["(check-sat)", ""]
    return "\n".join(lines)


def describe_group(group: Group, encoding: Encoding) -> str:
    """Rule and object in words, one line."""
    question = encoding.question
    where = f" {group.where}" if group.where is not None else ""

    def tdmr(number: int | None) -> str:
        if number is None or group.rule == "withdrawn":
            return "no TDMR"
        window = encoding.segments[number].window
        if question.tdmrs is not None:
            return f"TDMR {number} {window}"
        return f"the TDMR that begins at {window.start:#x}"

    words = {
        "definition": "what a variable means",
        "contiguity": f"contiguity: each PAMT piece of {tdmr(group.tdmr)} lies in one free run",
        "cmr": f"CMR containment: each PAMT piece of {tdmr(group.tdmr)} lies in one CMR run",
        "disjoint": f"disjoint: PAMTs of {tdmr(group.tdmr)} and {tdmr(group.other)} don't overlap",
        "hole": f"hole: {tdmr(group.tdmr)} must reserve{where}",
        "limit": f"limit: {tdmr(group.tdmr)} has at most"
        f" {question.limits.max_reserved_per_tdmr} reserved areas",
        "tdmr-limit": f"limit: at most {question.limits.max_tdmrs} TDMRs",
        "withdrawn": f"given up: run {group.tdmr} lies in its window, and no PAMT on it",
        "symmetry": f"order: PAMTs of {tdmr(group.tdmr)} below those of {tdmr(group.other)},"
        " which is alike",
    }
    return words[group.rule]


def _named(name: str, formula: Formula, seen: dict[str, int]) -> str:
    seen[name] = seen.get(name, 0) + 1
    label = _symbol(f"{name}#{seen[name]}")
    return f"(assert (! {_text(formula)} :named {label}))"


def _one_line(text: str) -> str:
    """No line break: the rest of a comment must not become a command; nor terminal commands."""
    joined = " ".join(text.split())
    return joined if joined.isprintable() else joined.encode("unicode_escape").decode()


def _symbol(name: str) -> str:
    """A quoted symbol; our names hold neither ``|`` nor a backslash."""
    return f"|{name}|"


def _number(value: int) -> str:
    return str(value) if value >= 0 else f"(- {-value})"


def _text(formula: Formula) -> str:
    if isinstance(formula, Const):
        return "true" if formula.value else "false"
    if isinstance(formula, Flag):
        return _symbol(formula.name)
    if isinstance(formula, Not):
        return f"(not {_text(formula.inner)})"
    if isinstance(formula, And):
        return f"(and {_texts(formula.parts)})"
    if isinstance(formula, Or):
        return f"(or {_texts(formula.parts)})"
    return _linear(formula)


def _texts(parts: Iterable[Formula]) -> str:
    return " ".join(_text(part) for part in parts)


def _linear(formula: Linear) -> str:
    terms = [
        _symbol(name) if c == 1 else f"(* {_number(c)} {_symbol(name)})" for c, name in formula.ints
    ]
    terms += [f"(ite {_text(flag)} {_number(w)} 0)" for w, flag in formula.flags]
    total = terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})"
    return f"(<= {total} {_number(formula.bound)})"
