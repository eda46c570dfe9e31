"""The smallest map that breaks an obligation, component by component of the order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pamt.ranges import GIB, MIB, PAGE, align_up
from pamt.verify.result import Measure
from pamt.verify.symbolic_map import SymbolicMap

if TYPE_CHECKING:
    from pamt.smt.symbolic_query import Assignment, Query

__all__ = ["GRAIN", "Smallest", "measure_of", "minimise", "smaller_than"]

Guard = Any
GRAIN = 2 * MIB
"""The grid on which a counterexample is looked for first."""


class Smallest(NamedTuple):
    """The measure of a map, addresses included, and whether nothing smaller was proved to exist."""

    measure: Measure
    certified: bool


def measure_of(made: SymbolicMap, assignment: Assignment) -> Measure:
    """The measure of the map that an assignment stands for."""
    addresses = tuple(assignment.integer(a) for a in made.addresses)
    return Measure(
        *made.case.rank,
        off_1g=sum(1 for a in addresses if a % GIB),
        off_2m=sum(1 for a in addresses if a % GRAIN),
        addresses=addresses,
    )


def minimise(
    made: SymbolicMap,
    query: Query,
    guards: Sequence[Guard],
    assignment: Assignment,
    budget: int,
    best: Measure | None = None,
    fewest_off_2m: int = 0,
) -> Smallest | None:
    """The smallest map of the case under `guards`; None if surely none is smaller than `best`.

    `fewest_off_2m`: so many addresses off 2 MiB at least, which was proved elsewhere.
    """
    with query.holding(guards):
        return _minimise(made, query, assignment, budget, best, fewest_off_2m)


def smaller_than(made: SymbolicMap, best: Measure, *, aligned_is_known: bool = False) -> Guard:
    """Whether a map of the case is smaller than `best`, which has the same rank.

    `aligned_is_known`: no map on the grid is, which was proved elsewhere.
    """
    both, either = made.symbols.conjunction, made.symbols.disjunction
    count = off_grid(made, GIB)
    fewer, as_few = count < best.off_1g, count <= best.off_1g
    if aligned_is_known and best.off_2m == 0:
        return fewer
    off_2m = off_grid(made, GRAIN)
    return either(
        [
            fewer,
            both(as_few, off_2m < best.off_2m),
            both(both(as_few, off_2m <= best.off_2m), _before(made, best.addresses)),
        ]
    )


def _before(made: SymbolicMap, addresses: Sequence[int]) -> Guard:
    """Whether the address list comes before `addresses`."""
    both, either = made.symbols.conjunction, made.symbols.disjunction
    ways: list[Guard] = []
    same: Guard = True
    for address, known in zip(made.addresses, addresses, strict=True):
        ways.append(both(same, address < known))
        same = both(same, made.interpreter.equal(address, known))
        if same is False:
            break
    return either(ways)


def _minimise(
    made: SymbolicMap,
    query: Query,
    assignment: Assignment,
    budget: int,
    best: Measure | None,
    fewest_off_2m: int,
) -> Smallest | None:
    assignment = _repacked(made, query, assignment, budget)
    certified = True
    counts = ((off_grid(made, GIB), "off_1g", 0), (off_grid(made, GRAIN), "off_2m", fewest_off_2m))
    for count, component, fewest in counts:
        current = getattr(measure_of(made, assignment), component)
        value, proved = _lower(query, count, current, budget, fewest)
        certified = certified and proved
        if best is not None and value > getattr(best, component):
            return _no_smaller(made, assignment, certified)
        if best is not None and value < getattr(best, component):
            best = None
        query.hold(count <= value)
        assignment = _again(query, assignment, budget) if value < current else assignment
    aligned = measure_of(made, assignment).off_2m == 0
    for index, address in enumerate(made.addresses):
        if isinstance(address, int):
            continue
        floor = _floor(made, assignment, index, aligned)
        smallest, assignment, proved = _lowest(made, query, assignment, index, floor, budget)
        certified = certified and proved
        if best is not None:
            if smallest > best.addresses[index]:
                return _no_smaller(made, assignment, certified)
            if smallest < best.addresses[index]:
                best = None
        query.hold(made.interpreter.equal(address, smallest))
    return Smallest(measure_of(made, assignment), certified)


def _no_smaller(made: SymbolicMap, assignment: Assignment, certified: bool) -> Smallest | None:
    """None, if that is certain; else some map, which says that it is not."""
    return None if certified else Smallest(measure_of(made, assignment), False)


def _floor(made: SymbolicMap, assignment: Assignment, index: int, aligned: bool) -> int:
    """A lower bound of an address, given that those before it are settled."""
    address = made.addresses[index]
    floor: int = address.low
    for before in made.addresses[:index]:
        order = made.symbols.known_order(before, address)
        if order is not None:
            settled = assignment.integer(before)
            floor = max(floor, settled + (PAGE if order == "<" else 0))
    return align_up(floor, GRAIN) if aligned else floor


def _lowest(
    made: SymbolicMap, query: Query, assignment: Assignment, index: int, floor: int, budget: int
) -> tuple[int, Assignment, bool]:
    """The smallest value of one address: tried out on otherwise unchanged maps first."""
    current = assignment.integer(made.addresses[index])
    values = [assignment.integer(a) for a in made.addresses]
    for guess in (floor, align_up(floor + PAGE, GRAIN)):
        if guess >= current:
            break
        values[index] = guess
        found = _exactly(made, query, values)
        if found is not None:
            current, assignment = guess, found
            break
    smallest, proved = query.smallest(made.addresses[index], budget, current, floor, GRAIN)
    if smallest != current:
        answer = query.ask([made.interpreter.equal(made.addresses[index], smallest)], budget)
        if answer.assignment is not None:
            assignment = answer.assignment
    return smallest, assignment, proved


def _repacked(made: SymbolicMap, query: Query, assignment: Assignment, budget: int) -> Assignment:
    """The same map on the coarsest grid that still breaks the property, if one is found.

    Boundaries of memory are packed onto multiples of 2 MiB, the last one at a GiB border if it may
    lie there; a single CMR is widened.
    """
    best = assignment
    for stretch in (True, False):
        values: list[int] = []
        at = 0
        memory = 2 * made.case.rank.ranges
        for index, address in enumerate(made.addresses):
            if isinstance(address, int):
                values.append(address)
                continue
            if index >= memory:
                if index < memory + 2 * made.case.rank.cmrs and made.case.rank.cmrs == 1:
                    values.append(address.low if index == memory else address.high)
                else:
                    values.append(best.integer(address))
                continue
            last_of_chain = index == memory - 1
            wanted = max(align_up(address.low, GRAIN), at)
            if index % 2 and (last_of_chain or address.high - address.low >= GIB // 2) and stretch:
                following = made.addresses[index + 1] if index + 1 < memory else None
                if following is None or following.low >= address.high:
                    wanted = address.high // GRAIN * GRAIN
            values.append(wanted)
            at = wanted + GRAIN
        found = _exactly(made, query, values)
        if found is not None:
            return found
    return best


def _exactly(made: SymbolicMap, query: Query, values: Sequence[int]) -> Assignment | None:
    """Whether the map with exactly these addresses is among those asked about."""
    for address, value in zip(made.addresses, values, strict=True):
        if not isinstance(address, int) and not address.low <= value <= address.high:
            return None
    equal = made.interpreter.equal
    guards = [equal(a, v) for a, v in zip(made.addresses, values, strict=True)]
    return query.ask(guards, 5_000_000).assignment


def off_grid(made: SymbolicMap, alignment: int) -> Any:
    """How many addresses are not multiples of `alignment`."""
    total: Any = 0
    symbols = made.symbols
    for address in made.addresses:
        if isinstance(address, int):
            total = total + (1 if address % alignment else 0)
            continue
        total = symbols.counter(total, address % alignment != 0, 1)
    return total


def _lower(query: Query, count: Any, current: int, budget: int, fewest: int) -> tuple[int, bool]:
    """The smallest value of a counter that is possible, from below: it is mostly the lowest."""
    low = max(fewest, count if isinstance(count, int) else count.low)
    while low < current:
        answer = query.ask([count <= low], budget)
        if answer.assignment is not None:
            return low, True
        if answer.verdict == "unknown":
            return current, False
        low += 1
    return current, True


def _again(query: Query, known: Assignment, budget: int) -> Assignment:
    answer = query.ask([], budget)
    return answer.assignment if answer.assignment is not None else known
