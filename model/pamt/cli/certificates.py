"""A certificate for an answer of `pamt place`, checked before it is handed out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pamt.certificate import Certificate, Checked, Claim, Placed
    from pamt.machine import Machine
    from pamt.placement import Space
    from pamt.solve import PlaceResult

__all__ = ["Certified", "certified", "write_certificate"]


class Certified(NamedTuple):
    """A certificate, and what the checker says of it (never invalid)."""

    certificate: Certificate
    checked: Checked


def certified(
    machine: Machine, space: Space, order: Sequence[str], result: PlaceResult
) -> Certified | None:
    """What proves `result` for a completed machine; None for UNDECIDED.

    Where the exact engine decides the question too, its proof by arithmetic is taken; otherwise
    each claim that sizes and counts do not settle rests on the solver's word, and says so.
    Raises InternalDisagreement where engine, solver and checker contradict each other.
    """
    from pamt.certificate import check_certificate
    from pamt.solve import UNDECIDED, InternalDisagreement
    from pamt.solve.engine.place import handles, place_fast

    if result.verdict == UNDECIDED:
        return None
    if handles(space):
        answer = place_fast(machine, space, order)
        if answer.certificate is not None and answer.result.verdict != "FEASIBLE":
            _compare(result, answer.result)
            if answer.checked is not None:
                return Certified(answer.certificate, answer.checked)
    certificate = _trusting(machine, space, tuple(order), result)
    checked = check_certificate(certificate, machine, space)
    if checked.fault is not None:
        raise InternalDisagreement(("place", "certificate checker"), str(checked.fault))
    return Certified(certificate, checked)


def _compare(one: PlaceResult, other: PlaceResult) -> None:
    """Two engines on one question; one of them may not have come to an end."""
    from pamt.solve import FEASIBLE, InternalDisagreement

    def ends(result: PlaceResult) -> object:
        objective = result.objective
        return None if objective is None else objective.key(result.order)

    if one.verdict == FEASIBLE:
        agree = other.objective is not None
    else:
        agree = one.verdict == other.verdict and ends(one) == ends(other)
    if not agree:
        detail = f"{one.verdict} {one.objective} against {other.verdict} {other.objective}"
        raise InternalDisagreement((one.statistics.engine, other.statistics.engine), detail)


def _trusting(
    machine: Machine, space: Space, order: tuple[str, ...], result: PlaceResult
) -> Certificate:
    from pamt.certificate import Certificate
    from pamt.certificate.check import targets

    bound: dict[str, int] = {}
    if result.verdict == "FEASIBLE" and result.bound is not None:
        bound = {name: getattr(result.bound, name) for name in order}
    value = {} if result.objective is None else dict(result.objective._asdict())
    bare = Certificate(result.verdict, space, order, _placed(result), value, bound)
    claims = [_claim(machine, space, dict(target), result) for target in targets(bare)]
    return Certificate(result.verdict, space, order, bare.placed, value, bound, tuple(claims))


def _claim(machine: Machine, space: Space, target: dict[str, int], result: PlaceResult) -> Claim:
    from pamt.certificate import Cause, Claim, Floor, Trust
    from pamt.certificate.check import floor
    from pamt.placement import pose

    question = pose(machine, space)
    if question.trivial is not None and not target and not space.give_up:
        return Claim({}, (Cause(question.trivial.kind),))
    if target and question.trivial is None:
        last = next(reversed(target))
        if target[last] < floor(question, last, keeps_all=not space.give_up):
            return Claim({last: target[last]}, (Floor(last),))
    solver = result.statistics.solver or result.statistics.engine
    return Claim(target, (Trust(solver, "unsat"),))


def _placed(result: PlaceResult) -> Placed | None:
    from pamt.certificate import Placed

    if result.configuration is None:
        return None
    tdmrs = result.configuration.tdmrs
    return Placed(
        tuple(tdmr.range for tdmr in tdmrs),
        tuple((tdmr.pamts[0].base, tdmr.pamts[1].base, tdmr.pamts[2].base) for tdmr in tdmrs),
        tuple(result.given_up),
    )


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Raises click.ClickException where the file cannot be written."""
    from pamt.certificate import dump_certificate
    from pamt.cli.atomic import write_whole

    try:
        write_whole(path, dump_certificate(certificate).encode())
    except OSError as error:
        raise click.ClickException(
            f"{path}: cannot be written: {error.strerror or error}"
        ) from None
