"""Cuts that cost no more than the bound, in canonical order: the first TDMR as small as can be.

With every first TDMR only the cheapest ways to go on can come to the bound, so those are walked and
no others; a walk never comes to a dead end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from pamt.certificate.cut_bound import ADDITIVE, NEVER, CutFacts, Cuts
from pamt.certificate.format import Claim, Floor, Step
from pamt.certificate.format import Cuts as CutsStep

__all__ = ["Bounds", "bounds_over_cuts", "cheapest_cuts", "sampled_cuts"]

MOST_LAYERS = 20_000
"""Cells times TDMRs up to which cuts of any number of TDMRs are walked."""


class Bounds:
    """What no configuration is below, in the order of the objective, with its claims."""

    def __init__(self, order: Sequence[str]) -> None:
        self.order = tuple(order)
        self.values: dict[str, int] = {}
        self.claims: list[Claim] = []

    @property
    def additive(self) -> tuple[str, ...]:
        return tuple(name for name in self.values if name in ADDITIVE)

    def hold(self, name: str, value: int, step: Step) -> None:
        self.claims.append(Claim({**self.values, name: value - 1}, (step,)))
        self.values[name] = value


def bounds_over_cuts(facts: CutFacts, order: Sequence[str], remote: int = 0) -> Bounds | None:
    """Component by component, the least that a cut allows; None where no cut is allowed at all.

    `remote`: its floor.
    """
    bounds = Bounds(order)
    if Cuts(facts, ()).least is None:
        return None
    for name in order:
        held = bounds.additive
        if name in {"lost", "remote"}:
            bounds.hold(name, remote if name == "remote" else 0, Floor(name))
        elif name == "max_areas":
            bounds.hold(name, _least_most(facts, held, bounds.values), CutsStep(held))
        else:
            least = Cuts(facts, (*held, name), bounds.values.get("max_areas")).least
            assert least is not None
            bounds.hold(name, least[-1], CutsStep((*held, name)))
    return bounds


def _least_most(facts: CutFacts, held: tuple[str, ...], values: dict[str, int]) -> int:
    """The least areas in the fullest TDMR with which the components held so far still go."""
    want = tuple(values[name] for name in held)
    low, high = 1, facts.limit
    while low < high:
        middle = (low + high) // 2
        least = Cuts(facts, held, middle).least
        if least is None or least > want:
            low = middle + 1
        else:
            high = middle
    return low


def cheapest_cuts(
    facts: CutFacts, order: Sequence[str], max_areas: int | None
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Cuts of least cost, by first and last cell (by index), in canonical order.

    With TDMRs not in the order and very many cells, only cuts of the number of TDMRs found first
    come.
    """
    cuts = Cuts(facts, order, max_areas)
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
    cuts = Cuts(facts, order, max_areas)
    cells = len(facts.cells)
    if count > cells or cuts.layer(count)[0] >= NEVER:
        return
    random = Random(cells)
    wanted = frozenset(sizes)
    ends: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    behind = [cuts.behind(cuts.layer(k)) for k in range(count)]
    seen: set[tuple[tuple[int, int], ...]] = set()
    for _ in range(number):
        cut: list[tuple[int, int]] = []
        first = 0
        for left in range(count, 0, -1):
            known = ends.get((first, left))
            if known is None:
                least = cuts.layer(left)[first]
                costs = cuts.step(behind[left - 1], first)
                all_ends = [first + size for size, cost in enumerate(costs) if cost == least]
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
        least = cuts.layer(count)[first]
        costs = cuts.step(cuts.behind(cuts.layer(count - 1)), first)
        for size, cost in enumerate(costs):
            if cost == least:
                ends.setdefault(first + size, []).append(count - 1)
    for last, left in sorted(ends.items()):
        for rest in _walk(cuts, cells, last + 1, left):
            yield ((first, last), *rest)
