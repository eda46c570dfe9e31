"""What would help a question without an answer: single options, pages to give up, or some together.

Source: docs/design.md, section 5 (``relaxations``).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, combinations
from typing import NamedTuple

from pamt.machine import Machine
from pamt.placement import Space, pose
from pamt.ranges import PAGE, RangeSet
from pamt.solve import reference
from pamt.solve.feasible import is_feasible
from pamt.solve.result import INFEASIBLE
from pamt.solve.withdrawals import forced_pages

__all__ = ["GiveUp", "Option", "Relaxations", "relaxations"]

MOST_RANGES = 24
"""Short memory ranges that are withdrawn to see whether that helps."""
MOST_PAGES = 2
"""Numbers of pages up to which every way to give them up is asked for, where the map is small."""
MOST_PLACES = 300
"""Free runs times GiBs up to which a map counts as small there."""
STEPS = 5_000_000


class Option(NamedTuple):
    """One option of a space set wider: whether that alone helps (None: not settled)."""

    option: str
    """``tdmrs``, ``pamt`` or ``reserve``."""
    value: str
    helps: bool | None


class GiveUp(NamedTuple):
    """Pages to give up: fewer than `at_least` do not help, `at_most` do (None: no number known)."""

    at_least: int
    at_most: int | None


class Relaxations(NamedTuple):
    single: tuple[Option, ...]
    give_up: GiveUp
    together: tuple[Option, ...] | None
    """Where no single option helps: a smallest set of options that do; None if there is none."""


def relaxations(machine: Machine, space: Space) -> Relaxations:
    """What would help a question that is known to be infeasible.

    Raises :class:`pamt.placement.InputError` where the machine can't be asked about.
    """
    wider = tuple(_wider(space))
    single = tuple(
        Option(name, value, _helps(machine, space, ((name, value),))) for name, value in wider
    )
    together: tuple[Option, ...] | None = None
    if not any(option.helps for option in single):
        together = _together(machine, space, wider)
    return Relaxations(single, _give_up(machine, space), together)


def _helps(machine: Machine, space: Space, options: tuple[tuple[str, str], ...]) -> bool | None:
    widened = space._replace(**dict(options))  # type: ignore[arg-type]
    found = is_feasible(machine, widened)
    if found is True or space.give_up == 0:
        return found
    # Pages may be given up besides.
    result = reference.place(machine, widened, ("lost",), STEPS, rivals=(), canonical=False)
    if result.verdict == INFEASIBLE:
        return False
    return True if result.objective is not None else None


def _wider(space: Space) -> Iterator[tuple[str, str]]:
    """Every option set wider by itself."""
    if space.tdmrs == "kernel":
        yield "tdmrs", "free"
    if space.pamt == "chunk":
        yield "pamt", "split"
    if space.reserve == "memory":
        yield "reserve", "cmr"
    if space.reserve != "minimal":
        yield "reserve", "minimal"


def _together(
    machine: Machine, space: Space, wider: tuple[tuple[str, str], ...]
) -> tuple[Option, ...] | None:
    # The last value of each option is the widest.
    if _helps(machine, space, wider) is False:
        return None
    for number in range(2, len({name for name, _ in wider}) + 1):
        for chosen in combinations(wider, number):
            if len(dict(chosen)) < number:
                continue
            if _helps(machine, space, chosen):
                return tuple(Option(name, value, True) for name, value in chosen)
    return None


def _give_up(machine: Machine, space: Space) -> GiveUp:
    """How many pages must go: at least one more than the space allows, for it is not enough."""
    forced = forced_pages(machine, space._replace(give_up=0))
    least = max(space.give_up + 1, forced.size // PAGE)
    known: int | None = None
    bare = space._replace(give_up=0)
    for gone in _candidates(machine, space, forced):
        pages = gone.size // PAGE
        if (known is None or pages < known) and is_feasible(machine, bare, gone):
            known = pages
            if known == least:
                break
    question = pose(machine, bare)
    if len(question.free) * len(question.cells) <= MOST_PLACES or space.tdmrs == "kernel":
        while least <= MOST_PAGES and (known is None or least < known):
            if len(question.memory) > MOST_RANGES * 2:
                break
            found = reference.place(
                machine, space._replace(give_up=least), ("lost",), STEPS, rivals=(), canonical=False
            )
            if found.objective is not None:
                known = found.objective.lost
            elif found.verdict == INFEASIBLE:
                least += 1
            else:
                break
    return GiveUp(least, known)


def _candidates(machine: Machine, space: Space, forced: RangeSet) -> Iterator[RangeSet]:
    """Pages to withdraw, whole short memory ranges: one at a time, then more and more of them."""
    question = pose(machine, space._replace(give_up=0), forced)
    everything = question.memory_set
    if forced and everything:
        yield forced
    short = sorted((r.range for r in question.memory), key=lambda r: (r.size, r.start))
    short = short[:MOST_RANGES]
    alone = [forced | RangeSet([r]) for r in short]
    grown = list(accumulate(short, lambda gone, r: gone | RangeSet([r]), initial=forced))
    for gone in sorted((*alone, *grown[2:]), key=lambda g: g.size):
        if (everything - gone) and gone.size > space.give_up * PAGE:
            yield gone
