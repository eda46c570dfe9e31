"""Which rules, applied to which objects, leave no placement: minimal sets of causes.

A cause is a :class:`pamt.smt.labels.Group`: one rule applied to one object, e.g. "the limit of
areas in TDMR 0" or "the hole 0x0-0x100000 of TDMR 0 takes an area".  The causes of one set are
unsatisfiable together, and satisfiable without any one of them; sets share no cause, and are listed
until what is left can be satisfied, so that a repair of the first does not run into the next.

Source: docs/design.md, section 5; what a placement must fulfil is in :mod:`pamt.placement`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pamt.explain.minimal import Answer, MinimalSubset, independent_subsets
from pamt.placement import Question, TrivialCause
from pamt.smt.encoding import encode
from pamt.smt.estimate import estimate
from pamt.smt.labels import DEFINITION, Group
from pamt.smt.session import Sat, Session, Unsat

__all__ = ["CauseSet", "Causes", "Explanation", "explain_infeasible"]

STEPS = 200_000_000
"""Solver steps for one explanation; about a minute."""
STEPS_EACH = 20_000_000

MOST_TERMS = 40_000
"""PAMT pieces times free runs: above this the encoding is not built for an explanation."""
MOST_ASSERTIONS = 40_000
"""The same of its assertions, of which there are many where TDMRs may begin anywhere."""

# Earlier ones are preferred: what concerns one TDMR alone before what concerns two.
PREFERENCE = ("limit", "hole", "contiguity", "cmr", "tdmr-limit", "disjoint")


class CauseSet(NamedTuple):
    """Causes that cannot hold together.  `minimal` is False where a budget left that open."""

    causes: tuple[Group, ...]
    minimal: bool = True


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a question has no answer.

    Either `trivial` says it, or `sets` do: the first is the reason given, the others are further
    ones, independent of it.  Both empty: no set was found within the budget (`note` says why).
    """

    trivial: TrivialCause | None = None
    sets: tuple[CauseSet, ...] = ()
    note: str = ""


def explain_infeasible(question: Question, steps: int = STEPS) -> Explanation:
    """The causes for which `question`, already known to be infeasible, has no configuration."""
    if question.trivial is not None:
        return Explanation(question.trivial)
    if len(question.free) * len(question.tdmrs or question.cells) > MOST_TERMS:
        return Explanation(note="the map has too many free runs for a search for minimal causes")
    if estimate(question).assertions > MOST_ASSERTIONS:
        return Explanation(note="the question is too large for a search for minimal causes")
    causes = Causes(question, steps)
    found: Sequence[MinimalSubset[Group]] = independent_subsets(causes.all, causes.decide)
    sets = tuple(CauseSet(subset.causes, not subset.unproven) for subset in found)
    note = "" if sets else "no set of causes was found within the budget"
    return Explanation(None, sets, note)


class Causes:
    """The causes of a question, preferred ones first, and how to decide a subset of them."""

    def __init__(self, question: Question, steps: int = STEPS) -> None:
        encoding = encode(question, symmetry=False)
        self._session = Session()
        self._steps = steps
        named = []
        for group, formula in encoding.assertions:
            if group == DEFINITION:
                self._session.add([formula])
            else:
                named.append((group.name, formula))
        self._session.add_named(named)
        order = {rule: at for at, rule in enumerate(PREFERENCE)}
        self.all = sorted(encoding.groups(), key=lambda g: order.get(g.rule, len(order)))
        self._known: list[frozenset[Group]] = []

    def decide(self, causes: Sequence[Group]) -> Answer:
        """Whether `causes` can hold together."""
        held = frozenset(causes)
        if any(core <= held for core in self._known):
            return "unsat"
        before = self._session.steps
        answer = self._session.check([g.name for g in causes], min(self._steps, STEPS_EACH))
        self._steps -= max(0, self._session.steps - before)
        if isinstance(answer, Unsat):
            by_name = {g.name: g for g in causes}
            self._known.append(frozenset(by_name[name] for name in answer.core))
            return "unsat"
        return "sat" if isinstance(answer, Sat) else "unknown"
