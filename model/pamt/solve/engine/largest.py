"""Bounds for fixed TDMRs where chunks may be split, or areas shared: the largest pieces alone.

Wherever a TDMR's PAMTs lie, its 4K region lies somewhere (under ``minimal`` with whole chunks, its
chunk), and takes at least the areas that it overlaps.  So what the engine for whole chunks proves
about those pieces holds for all of them; under ``minimal`` only what it proves about `remote`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.certificate.format import Claim
from pamt.certificate.relaxation import relax
from pamt.placement import Question
from pamt.solve.engine.branch import Budget, OutOfNodes
from pamt.solve.engine.linux import Linux, of_largest

__all__ = ["Largest", "bound_by_largest"]


class Largest(NamedTuple):
    """What was proved: values of the first components of the order, with a claim for each."""

    infeasible: bool
    values: dict[str, int]
    claims: tuple[Claim, ...]


def bound_by_largest(question: Question, order: Sequence[str], budget: Budget) -> Largest:
    """The engine for whole chunks, asked about the largest pieces."""
    assert question.tdmrs is not None
    some = list(order)
    if question.space.reserve == "minimal":
        areas = [at for at, name in enumerate(some) if name in ("areas", "max_areas")]
        some = some[: areas[0]] if areas else some
        if not some:
            return Largest(False, {}, ())
    facts = relax(question, largest=True)
    search = Linux(facts, some, budget)
    try:
        search.run()
    except OutOfNodes:
        if search.infeasible:
            return Largest(False, {}, ())
    if search.infeasible:
        return Largest(
            True,
            {},
            tuple(claim._replace(steps=of_largest(claim.steps)) for claim in search.claims),
        )
    pages = sum(fact.pages for fact in question.tdmrs)
    whole = {
        "remote": facts.rest,
        "pamt_pages": pages - search.bound.get("pamt_pages", 0),
    }
    values = {name: value + whole.get(name, 0) for name, value in search.bound.items()}
    claims = tuple(
        Claim(
            {name: value + whole.get(name, 0) for name, value in claim.at_most.items()},
            of_largest(claim.steps),
        )
        for claim in search.claims[: len(values)]
    )
    return Largest(False, values, claims)
