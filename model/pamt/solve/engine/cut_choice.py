"""Cuts that cost no more than the bound, in canonical order: the first TDMR as small as can be.

With every first TDMR only the cheapest ways to go on can come to the bound, so those are walked and
no others; a walk never comes to a dead end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from pamt.certificate.check import floor
from pamt.certificate.cut_bound import (
    ADDITIVE,
    NEVER,
    CutFacts,
    Cuts,
    cut_facts,
    excludes,
    remembered,
)
from pamt.certificate.fill_bound import claim_facts, excludes_claim, least_at_home
from pamt.certificate.format import Claim, Floor, Step
from pamt.certificate.format import Cuts as CutsStep
from pamt.placement import Objective, Question

__all__ = [
    "Bounds",
    "bounds_over_cuts",
    "cheapest_cuts",
    "is_excluded",
    "least_beyond",
    "meets",
    "raised",
    "sampled_cuts",
    "with_claims",
]

MOST_LAYERS = 20_000
"""Cells times TDMRs up to which cuts of any number of TDMRs are walked."""

MOST_STEPPED = 4
"""Values above the least that are tried, where nothing is known to be possible."""

FAR = 64
"""What is above the least by more than such a part of itself is far above it."""

MOST_RAISED = 64
"""Values between the least and what is known, up to which all are looked into."""


class Bounds:
    """What no configuration is below, in the order of the objective, with its claims."""

    def __init__(self, order: Sequence[str]) -> None:
        self.order = tuple(order)
        self.values: dict[str, int] = {}
        self.claims: list[Claim] = []

    @property
    def additive(self) -> tuple[str, ...]:
        return tuple(name for name in self.values if name in ADDITIVE)

    def hold(self, name: str, value: int, *steps: Step) -> None:
        self.claims.append(Claim({**self.values, name: value - 1}, steps))
        self.values[name] = value


def bounds_over_cuts(question: Question, order: Sequence[str]) -> Bounds | None:
    """Component by component, the least that a cut allows; None where no cut is allowed at all."""
    if claim_facts(question, {})[0].cuts(()).least is None:
        return None
    bounds = Bounds(order)
    for name in order:
        bounds.hold(name, *least_beyond(question, bounds, name))
    return bounds


def meets(question: Question, low: Bounds, best: Objective) -> Bounds | None:
    """Bounds that show that nothing is better than `best`; None where that is not seen."""
    known = {name: getattr(best, name) for name in low.order}
    steps: dict[str, Sequence[Step]] = {}
    # The last component is the first to be found wanting, mostly.
    for at in range(len(low.order) - 1, -1, -1):
        name = low.order[at]
        held = {n: known[n] for n in low.order[:at]}
        if low.values[name] == known[name] and all(low.values[n] == v for n, v in held.items()):
            steps[name] = low.claims[at].steps
            continue
        so_far = Bounds(low.order)
        so_far.values = held
        value, step = least_beyond(question, so_far, name)
        # Far above the least there are too many cuts to be without a better one.
        if value < known[name] - max(MOST_RAISED, known[name] // FAR) or (
            value < known[name]
            and not (
                isinstance(step, CutsStep)
                and is_excluded(question, step.order, {**held, name: known[name] - 1})
            )
        ):
            return None
        steps[name] = (step,)
    bounds = Bounds(low.order)
    for name in low.order:
        bounds.hold(name, known[name], *steps[name])
    return bounds


def is_excluded(question: Question, order: Sequence[str], at_most: Mapping[str, int]) -> bool:
    """:func:`excludes_claim`, asked once."""
    known = remembered(question).setdefault("excluded", {})
    key = (tuple(order), tuple(at_most.items()))
    if key not in known:
        known[key] = excludes_claim(question, order, at_most)
    found: bool = known[key]
    return found


def raised(question: Question, low: Bounds, best: Objective | None) -> Bounds:
    """Higher bounds than `low`, where that can be proved.

    `best`: what is known to be possible.
    """
    bounds = Bounds(low.order)
    at_best = best is not None
    for name, claim in zip(low.order, low.claims, strict=True):
        if best is not None and at_best and low.values[name] == getattr(best, name):
            bounds.hold(name, low.values[name], *claim.steps)
            continue
        value, step = least_beyond(question, bounds, name)
        if isinstance(step, CutsStep):
            if best is None:
                value = _stepped(question, step, bounds, name, value)
            elif at_best and value < getattr(best, name):
                value = _raised(question, step, bounds, name, value, getattr(best, name))
        at_best = best is not None and at_best and value == getattr(best, name)
        if value <= low.values[name] and all(
            bounds.values[n] == low.values[n] for n in bounds.values
        ):
            bounds.hold(name, low.values[name], *claim.steps)
        else:
            bounds.hold(name, value, step)
    return bounds


def with_claims(
    question: Question, low: Bounds, values: Mapping[str, int], claims: Sequence[Claim]
) -> Bounds:
    """`low`, or what follows from other claims about its first components, whichever is higher."""
    names = low.order[: len(values)]
    if tuple(values[n] for n in names) <= tuple(low.values[n] for n in names):
        return low
    bounds = Bounds(low.order)
    theirs = True
    for at, name in enumerate(low.order):
        value, step = least_beyond(question, bounds, name)
        theirs = theirs and at < len(claims)
        if theirs and values[name] >= value:
            bounds.hold(name, values[name], *claims[at].steps)
        else:
            theirs = False
            bounds.hold(name, value, step)
    return bounds


def _stepped(question: Question, step: CutsStep, bounds: Bounds, name: str, low: int) -> int:
    """The lowest value, a few at most above `low`, that is not seen to be out of reach."""
    for value in range(low, low + MOST_STEPPED):
        if not is_excluded(question, step.order, {**bounds.values, name: value}):
            return value
    return low + MOST_STEPPED


def _raised(
    question: Question, step: CutsStep, bounds: Bounds, name: str, low: int, known: int
) -> int:
    """The highest value up to `known` below which nothing is, as far as that can be proved."""
    if is_excluded(question, step.order, {**bounds.values, name: known - 1}):
        return known
    high = known - 1 if known - low <= MOST_RAISED else low
    while low < high:
        middle = (low + high + 1) // 2
        if is_excluded(question, step.order, {**bounds.values, name: middle - 1}):
            low = middle
        else:
            high = middle - 1
    return low


def least_beyond(question: Question, bounds: Bounds, name: str) -> tuple[int, Step]:
    """The least of a component with those before it as in `bounds`, and a step that shows it."""
    held = bounds.additive
    if name == "lost":
        return 0, Floor(name)
    if name == "remote":
        return floor(question, name), Floor(name)
    if name == "max_areas":
        low, high = 1, question.limits.max_reserved_per_tdmr
        while low < high:
            middle = (low + high) // 2
            if excludes_claim_quickly(question, held, {**bounds.values, name: middle}):
                low = middle + 1
            else:
                high = middle
        return low, CutsStep(held)
    wanted = tuple(bounds.values[n] for n in held)
    more = least_at_home(question, (*held, name), bounds.values)
    if more is not None and more[:-1] == wanted:
        return more[-1], CutsStep((*held, name))
    cap = bounds.values.get("max_areas")
    facts = claim_facts(question, bounds.values)[0]
    least = facts.cuts((*held, name), cap).least
    if least is not None and least[:-1] == wanted:
        return least[-1], CutsStep((*held, name))
    # What comes before could be lower in this sum, so only the component itself counts; or what is
    # held has been excluded for any value, which the components before could not say.
    alone = facts.cuts((name,), cap).least or cut_facts(question).cuts((name,)).least
    assert alone is not None
    return alone[-1], CutsStep((name,))


def excludes_claim_quickly(
    question: Question, order: Sequence[str], at_most: Mapping[str, int]
) -> bool:
    """Like :func:`excludes_claim`, without going through cuts one by one."""
    return excludes(claim_facts(question, at_most)[0], order, at_most)


def cheapest_cuts(
    facts: CutFacts, order: Sequence[str], max_areas: int | None
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Cuts of least cost, by first and last cell (by index), in canonical order.

    With TDMRs not in the order and very many cells, only cuts of the number of TDMRs found first
    come.
    """
    cuts = facts.cuts(order, max_areas)
    number = cuts.least_number
    if number is None:
        return
    most = min(facts.most, len(facts.cells))
    if most * len(facts.cells) > MOST_LAYERS and "tdmrs" not in order:
        most = min(most, len(cuts.trace(cuts.relaxed)) + 1)
    counts: list[int] = []
    for count in range(1, most + 1):
        if cuts.layer(count)[0] == number:
            counts.append(count)
            if "tdmrs" in order:
                break
    for cut in _walk(cuts, len(facts.cells), 0, counts):
        holes = sum(facts.holes(first, last) for first, last in cut)
        if not facts.own or holes + len(cut) <= cuts.cap * len(cut):
            yield cut


def sampled_cuts(
    facts: CutFacts,
    order: Sequence[str],
    max_areas: int | None,
    count: int,
    sizes: Sequence[int],
    number: int,
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Cuts of least cost into `count` TDMRs, drawn at random but the same every time.

    TDMRs of `sizes` (in cells) are preferred.  At most `number` cuts, and none twice.
    """
    cuts = facts.cuts(order, max_areas)
    cells = len(facts.cells)
    if count > cells or cuts.layer(count)[0] >= NEVER:
        return
    random = Random(cells)  # noqa: S311 - for variety, nothing is secret here
    wanted = frozenset(sizes)
    ends: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    seen: set[tuple[tuple[int, int], ...]] = set()
    for _ in range(number):
        cut: list[tuple[int, int]] = []
        first = 0
        for left in range(count, 0, -1):
            known = ends.get((first, left))
            if known is None:
                all_ends = cuts.ends(left, first, cuts.layer(left)[first])
                known = (all_ends, [last for last in all_ends if last - first + 1 in wanted])
                ends[first, left] = known
            among = known[1] if known[1] and random.random() < 0.5 else known[0]
            last = random.choice(among)
            cut.append((first, last))
            first = last + 1
        if tuple(cut) not in seen:
            seen.add(tuple(cut))
            yield tuple(cut)


def _walk(
    cuts: Cuts, cells: int, first: int, counts: Sequence[int]
) -> Iterator[tuple[tuple[int, int], ...]]:
    if first == cells:
        yield ()
        return
    ends: dict[int, list[int]] = {}
    for count in counts:
        if count < 1:
            continue
        for last in cuts.ends(count, first, cuts.layer(count)[first]):
            ends.setdefault(last, []).append(count - 1)
    for last, left in sorted(ends.items()):
        for rest in _walk(cuts, cells, last + 1, left):
            yield ((first, last), *rest)
