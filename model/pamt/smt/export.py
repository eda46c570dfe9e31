"""An encoded question as SMT-LIB 2 text that any solver can re-solve.

The text is written from our own terms, not by a solver's printer, and keeps to what the standard
says: Booleans, integers, ``+``, ``*`` by a number, ``<=``, ``=``, ``ite``.  Each assertion is named
after its group and follows a comment with rule and object in words.  Sources: SMT-LIB Standard 2.6,
sections 3.9 and 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

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
    no,
    some,
    variables,
)

__all__ = ["describe_group", "to_smtlib"]

TOLD_EVERY = 1 << 20
"""Characters between two calls of `progress`."""


def to_smtlib(
    encoding: Encoding,
    bounds: Sequence[tuple[str, int]] = (),
    *,
    comments: Sequence[str] = (),
    expected: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> str:
    """The question as SMT-LIB 2, with each component named in `bounds` at most its value.

    `comments` are put at the top, one line each.  `expected` (``sat`` or ``unsat``) is written as
    the benchmark's status.  `progress` is told the characters made so far, now and then.
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
    made = told = 0
    for assertion in encoding.assertions:
        if progress is not None and made - told >= TOLD_EVERY:
            told = made
            progress(made)
        if assertion.group != group:
            group = assertion.group
            lines.append(f"; {describe_group(group, encoding)}")
        lines.append(_named(group.name, assertion.formula, seen))
        made += len(lines[-1]) + 1
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
        alike = _both_or_neither(formula.parts)
        if alike is not None:
            return f"(= {_text(alike[0])} {_text(alike[1])})"
        parts = list(_conjuncts(formula.parts))
        return parts[0] if len(parts) == 1 else f"(and {' '.join(parts)})"
    if isinstance(formula, Or):
        return f"(or {' '.join(_text(part) for part in formula.parts)})"
    return _linear(formula)


def _both_or_neither(parts: Sequence[Formula]) -> tuple[Formula, Formula] | None:
    """The two formulas that a conjunction says are the same (:func:`pamt.smt.terms.same`)."""
    if len(parts) != 2:
        return None
    one, other = parts
    if not (isinstance(one, Or) and isinstance(other, Or)) or len(one.parts) < 2:
        return None
    left = no(one.parts[0])
    right = some(one.parts[1:])
    # Comparing the objects first: `same` uses each of them twice.
    if some((no(right), left)) == other:
        return left, right
    return None


def _conjuncts(parts: Sequence[Formula]) -> Iterator[str]:
    """Each in a text of its own; a sum that is no more and no less than a number as ``=``."""
    waiting = list(parts)
    at = 0
    while at < len(waiting):
        part = waiting[at]
        following = waiting[at + 1] if at + 1 < len(waiting) else None
        if (
            isinstance(part, Linear)
            and isinstance(following, Linear)
            and _opposite(part, following)
        ):
            yield f"(= {_sum(part)} {_number(part.bound)})"
            at += 1
        else:
            yield _text(part)
        at += 1


def _opposite(low: Linear, high: Linear) -> bool:
    """Whether one says "at most" and the other "at least" of the same sum and number."""
    if low.bound != -high.bound:
        return False
    for ours, theirs in ((low.ints, high.ints), (low.flags, high.flags)):
        if len(ours) != len(theirs):
            return False
        if any(a != -b or x != y for (a, x), (b, y) in zip(ours, theirs, strict=True)):
            return False
    return True


def _linear(formula: Linear) -> str:
    return f"(<= {_sum(formula)} {_number(formula.bound)})"


def _sum(formula: Linear) -> str:
    terms = [
        _symbol(name) if c == 1 else f"(* {_number(c)} {_symbol(name)})" for c, name in formula.ints
    ]
    terms += [f"(ite {_text(flag)} {_number(w)} 0)" for w, flag in formula.flags]
    return terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})"
