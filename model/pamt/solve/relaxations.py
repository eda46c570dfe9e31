"""What would help a question without an answer: single options, pages to give up, or some together.

All budgets are counts, so that the answer is the same everywhere; they are meant to take a couple
of seconds on maps of a server.  What they leave open is said to be open, with what ran out.

Source: docs/design.md, section 5 (``relaxations``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, combinations
from typing import Any, NamedTuple

from pamt.certificate.withdrawal import TooManyCases
from pamt.machine import Machine
from pamt.placement import Space, pose
from pamt.ranges import PAGE, RangeSet
from pamt.solve.budget import NODE, Budget, OutOfNodes
from pamt.solve.engine.any_cut import place_any_cut
from pamt.solve.feasible import ORDER, Feasible, is_feasible, quickly_placed, try_question
from pamt.solve.give_up_cases import Cases
from pamt.solve.result import INFEASIBLE, UNDECIDED, PlaceResult
from pamt.solve.withdrawals import forced_pages

__all__ = ["Each", "GiveUp", "Option", "Relaxations", "one_by_one", "relaxations"]

MOST_RANGES = 8
"""Short memory ranges that are withdrawn to see whether that helps."""
MOST_PAGES = 3
"""Numbers of pages up to which it is decided whether they help."""
NODES = 1_500
"""Nodes of case trees for all ways to give up pages."""
LISTED = 40_000
"""Ways to give up pages, times TDMRs, that are looked at."""
NODES_EACH = 100
"""Nodes for one way, in spaces other than the kernel's TDMRs with whole chunks."""
WORK = 20_000
"""Ways to give up pages, times TDMRs, times stretches of free runs, that an engine places."""

NO_TIME = "there was no time left"


class Option(NamedTuple):
    """One option of a space set wider: whether that alone helps (None: not settled)."""

    option: str
    """``tdmrs``, ``pamt`` or ``reserve``."""
    value: str
    helps: bool | None
    reason: str | None = None
    """What ran out where it is not settled."""


class GiveUp(NamedTuple):
    """Pages to give up: fewer than `at_least` do not help, `at_most` do (None: no number known)."""

    at_least: int
    at_most: int | None
    reason: str | None = None
    """What ran out where the two differ."""


class Relaxations(NamedTuple):
    single: tuple[Option, ...]
    give_up: GiveUp
    together: tuple[Option, ...] | None
    """Where no single option helps: a smallest set of options that do; None if there is none."""


Each = Callable[[Sequence[Callable[[], Any]]], Sequence[Any]]
"""Does pieces of work, at once or not: what comes of each; None where there was no time."""


def one_by_one(work: Sequence[Callable[[], Any]]) -> list[Any]:
    return [piece() for piece in work]


def relaxations(machine: Machine, space: Space, each: Each = one_by_one) -> Relaxations:
    """What would help a question that is known to be infeasible.

    `each` does the parts, none of which needs another.
    Raises :class:`pamt.placement.InputError` where the machine can't be asked about.
    """
    wider = tuple(_wider(space))
    asked = [partial(_helps, machine, space, ((name, value),)) for name, value in wider]
    *answers, gone = each([*asked, partial(_give_up, machine, space)])
    single = tuple(
        Option(name, value, *(answer or Feasible(None, NO_TIME)))
        for (name, value), answer in zip(wider, answers, strict=True)
    )
    together: tuple[Option, ...] | None = None
    if not any(option.helps for option in single):
        (together,) = each([partial(_together, machine, space, wider)])
    return Relaxations(single, gone or GiveUp(space.give_up + 1, None, NO_TIME), together)


def _helps(machine: Machine, space: Space, options: tuple[tuple[str, str], ...]) -> Feasible:
    widened = space._replace(**dict(options))  # type: ignore[arg-type]
    found = is_feasible(machine, widened)
    if found.answer is True or space.give_up == 0:
        return found
    # Pages may be given up besides.
    cases = _cases(machine, widened, space.give_up)
    try:
        for pages in range(space.give_up + 1):
            if cases.with_pages(pages)[0] is not None:
                return Feasible(True)
        if cases.claim({}) is not None:
            return Feasible(False)
    except (TooManyCases, OutOfNodes) as out:
        return Feasible(None, str(out) or "too many ways to give up pages")
    return Feasible(None, "not every way to give up pages was excluded")


def _cases(machine: Machine, space: Space, pages: int) -> Cases:
    """Cases of pages to give up, asked of the engines within the budgets."""
    question = pose(machine, space)
    tdmrs = max(1, len(question.kernel_tdmrs))
    most = max(4, WORK // (tdmrs * (tdmrs + len(question.free))))
    wider = space._replace(give_up=pages)
    return Cases(
        machine,
        wider,
        ("lost",),
        NODES * NODE,
        _by_engine,
        canonical=False,
        nodes=NODES,
        most_solved=most,
        most_listed=max(600, LISTED // tdmrs),
    )


def _by_engine(
    machine: Machine, space: Space, order: tuple[str, ...], budget: int, canonical: bool
) -> PlaceResult:
    question = pose(machine, space)
    if question.trivial is not None:
        return PlaceResult(INFEASIBLE, order, cause=question.trivial)
    if not quickly_placed(question):
        return PlaceResult(UNDECIDED, order, reason="too large to be looked into")
    proof = place_any_cut(question, ORDER, Budget(NODES_EACH), canonical=canonical)
    return replace(proof.result, certificate=proof.certificate)


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
    if _helps(machine, space, wider).answer is False:
        return None
    for number in range(2, len({name for name, _ in wider}) + 1):
        for chosen in combinations(wider, number):
            if len(dict(chosen)) < number:
                continue
            if _helps(machine, space, chosen).answer:
                return tuple(Option(name, value, True) for name, value in chosen)
    return None


def _give_up(machine: Machine, space: Space) -> GiveUp:
    """How many pages must go: at least one more than the space allows, for it is not enough."""
    forced = forced_pages(machine, space._replace(give_up=0))
    least = max(space.give_up + 1, forced.size // PAGE)
    known: int | None = None
    reason: str | None = None
    cases = _cases(machine, space, max(MOST_PAGES, least))
    try:
        while least <= MOST_PAGES:
            if cases.with_pages(least)[0] is not None:
                return GiveUp(least, least)
            if cases.claim({"lost": least}) is None:
                reason = f"some ways to give up {least} could not be excluded"
                break
            least += 1
        else:
            reason = f"more than {MOST_PAGES} pages are not looked into one by one"
    except (TooManyCases, OutOfNodes) as out:
        reason = str(out) or f"too many ways to give up {least}"
    bare = space._replace(give_up=0)
    for gone in _candidates(machine, space, forced):
        pages = gone.size // PAGE
        if pages >= least and try_question(pose(machine, bare, gone), quick=True).answer:
            known = pages
            break
    return GiveUp(least, known, None if known == least else reason)


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
