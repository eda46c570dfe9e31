"""The default engine: exact, fast where a question is common, with a certificate for every answer.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pamt.certificate.check import Checked, check_certificate, floor
from pamt.certificate.format import Cause, Certificate, Claim, Placed
from pamt.certificate.relaxation import CHUNK, relax
from pamt.configuration import LEVELS, Configuration
from pamt.machine import Machine
from pamt.placement import (
    DEFAULT_OBJECTIVE,
    LINUX,
    Objective,
    Question,
    Space,
    build,
    evaluate,
    pose,
)
from pamt.ranges import PAGE, Range
from pamt.solve.budget import QUIET, Budget, Known, OutOfNodes
from pamt.solve.engine.linux import Linux
from pamt.solve.engine.pack import Packing
from pamt.solve.result import (
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    UNDECIDED,
    InternalDisagreement,
    PlaceResult,
    Statistics,
)

__all__ = ["DEFAULT_NODES", "Answer", "bases_of", "handles", "place_fast"]

DEFAULT_NODES = 20_000
"""Nodes of case trees that a question may take."""

ENGINE = "exact"


class Answer(NamedTuple):
    """A result with what proves it."""

    result: PlaceResult
    certificate: Certificate | None
    """None for UNDECIDED."""
    checked: Checked | None
    """What the checker says of it; never invalid."""


def handles(space: Space) -> bool:
    """Whether this engine decides questions of a space."""
    return space.tdmrs == "kernel" and space.reserve != "minimal" and space.give_up == 0


def place_fast(
    machine: Machine,
    space: Space = LINUX,
    objective: Sequence[str] = DEFAULT_OBJECTIVE,
    budget: int | Budget = DEFAULT_NODES,
    *,
    canonical: bool = True,
    check: bool = True,
) -> Answer:
    """Decide the placement question for a completed machine.

    `budget`: nodes of case trees.  `check` runs the certificate checker on what is handed out.

    Raises ValueError for a space that :func:`handles` refuses, :class:`pamt.placement.InputError`
    where the machine can't be asked about, and InternalDisagreement where the plain rules, or the
    checker, contradict the search.
    """
    if not handles(space):
        raise ValueError(f"this engine does not decide {space}")
    order = tuple(objective)
    question = pose(machine, space)
    if question.trivial is not None:
        cause = question.trivial
        result = PlaceResult(INFEASIBLE, order, cause=cause, statistics=Statistics(ENGINE))
        claims = (Claim({}, (Cause(cause.kind),)),)
        return _checked(
            machine, result, Certificate(INFEASIBLE, space, order, claims=claims), check
        )
    allowed = budget if isinstance(budget, Budget) else Budget(budget)
    allowed.packed = lambda packing: _tell(question, packing, allowed)
    search = Linux(relax(question), order, allowed)
    reason: str | None = None
    try:
        search.run()
        settled = True
    except OutOfNodes as out:
        settled = False
        reason = str(out)
    if settled and not search.infeasible and canonical:
        try:
            search.make_canonical()
        except OutOfNodes as out:
            reason = f"canonical form: {out}"
    return _answer(machine, question, search, order, allowed, reason, settled, check)


def _answer(
    machine: Machine,
    question: Question,
    search: Linux,
    order: tuple[str, ...],
    budget: Budget,
    reason: str | None,
    settled: bool,
    check: bool,
) -> Answer:
    space = question.space
    statistics = Statistics(ENGINE, checks=budget.spent)
    claims = tuple(search.claims)
    if search.infeasible:
        result = PlaceResult(INFEASIBLE, order, statistics=statistics)
        return _checked(
            machine, result, Certificate(INFEASIBLE, space, order, claims=claims), check
        )
    if search.packing is None:
        result = PlaceResult(UNDECIDED, order, reason=reason, statistics=statistics)
        return Answer(result, None, None)
    placed = _placed(question, search.packing)
    configuration = build(question, placed.tdmrs, placed.bases)
    value = _judged(machine, question, configuration)
    for name, least in search.bound.items():
        if getattr(value, name) != least:
            raise InternalDisagreement(
                ("engine", "placement rules"), f"{name} is {getattr(value, name)}, not {least}"
            )
    bound = _bound(question, value, search.low, order)
    result = PlaceResult(
        OPTIMAL if settled else FEASIBLE,
        order,
        configuration=configuration,
        objective=value,
        bound=bound,
        reason=reason,
        canonical=search.canonical,
        statistics=statistics,
    )
    certificate = Certificate(
        result.verdict,
        space,
        order,
        placed,
        dict(value._asdict()),
        {} if settled else dict(search.low),
        claims,
    )
    return _checked(machine, result, certificate, check)


def _tell(question: Question, packing: Packing, budget: Budget) -> None:
    """Tell the watch of a packing of all PAMTs."""
    assert question.tdmrs is not None
    if budget.watch is QUIET or {p.tdmr for p in packing} < set(range(len(question.tdmrs))):
        return
    placed = _placed(question, packing)
    configuration = build(question, placed.tdmrs, placed.bases)
    value = _judged(question.machine, question, configuration)
    known = Known(ENGINE, placed.tdmrs, placed.bases, question.given_up, value)
    budget.watch.best(known)


def _placed(question: Question, packing: Packing) -> Placed:
    assert question.tdmrs is not None
    tdmrs = tuple(fact.range for fact in question.tdmrs)
    return Placed(tdmrs, bases_of(question, tdmrs, packing))


def bases_of(
    question: Question, tdmrs: Sequence[Range], packing: Packing
) -> tuple[tuple[int, int, int], ...]:
    """Bases of the three PAMTs of each TDMR, in bytes."""
    starts = {(piece.tdmr, piece.level): lie.start * PAGE for piece, lie in packing.items()}
    bases: list[tuple[int, int, int]] = []
    for index, tdmr in enumerate(tdmrs):
        if (index, CHUNK) in starts:
            first = starts[index, CHUNK]
            sizes = question.facts(tdmr).sizes
            second = first + sizes.level_4k
            bases.append((first, second, second + sizes.level_2m))
        else:
            first, second, third = (starts[index, level] for level in LEVELS)
            bases.append((first, second, third))
    return tuple(bases)


def _judged(machine: Machine, question: Question, configuration: Configuration) -> Objective:
    judged = evaluate(machine, question.space, configuration, question.given_up)
    if judged.objective is None:
        raise InternalDisagreement(
            ("engine", "placement rules"), f"a placement breaks {judged.violations}"
        )
    return judged.objective


def _bound(
    question: Question, value: Objective, settled: Mapping[str, int], order: Sequence[str]
) -> Objective:
    low = {name: floor(question, name) for name in Objective._fields}
    low.update(settled)
    if set(order) <= set(settled):
        low.update({name: getattr(value, name) for name in order})
    return Objective(**low)


def _checked(
    machine: Machine, result: PlaceResult, certificate: Certificate, check: bool
) -> Answer:
    if not check:
        return Answer(result, certificate, None)
    checked = check_certificate(certificate, machine, certificate.space)
    if checked.fault is not None:
        raise InternalDisagreement(("engine", "certificate checker"), str(checked.fault))
    return Answer(result, certificate, checked)
