"""The smallest map that breaks an obligation, component by component of the order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pamt.ranges import GIB, MIB
from pamt.verify.result import Measure
from pamt.verify.symbolic_map import SymbolicMap

if TYPE_CHECKING:
    from pamt.smt.symbolic_query import Assignment, Query

__all__ = ["Smallest", "measure_of", "minimise"]

Guard = Any


class Smallest(NamedTuple):
    """An assignment, its measure, and whether nothing smaller was proved to exist."""

    assignment: Assignment
    measure: Measure
    certified: bool


def measure_of(made: SymbolicMap, assignment: Assignment) -> Measure:
    """The measure of the map that an assignment stands for."""
    addresses = tuple(assignment.integer(a) for a in made.addresses)
    return Measure(
        *made.case.rank,
        off_1g=sum(1 for a in addresses if a % GIB),
        off_2m=sum(1 for a in addresses if a % (2 * MIB)),
        addresses=addresses,
    )


def minimise(
    made: SymbolicMap,
    query: Query,
    guards: Sequence[Guard],
    assignment: Assignment,
    budget: int,
    best: Measure | None = None,
) -> Smallest | None:
    """The smallest map of the case under `guards`; None if none is smaller than `best`."""
    held = list(guards)
    certified = True
    off_1g = _off(made, GIB)
    off_2m = _off(made, 2 * MIB)
    for count, limit in ((off_1g, "off_1g"), (off_2m, "off_2m")):
        current = getattr(measure_of(made, assignment), limit)
        value, proved = _lower(query, held, count, current, budget)
        certified = certified and proved
        if best is not None and value > getattr(best, limit):
            return None
        if best is not None and value < getattr(best, limit):
            best = None
        held.append(count <= value)
        assignment = _again(query, held, assignment, budget)
    for index, address in enumerate(made.addresses):
        current = assignment.integer(address)
        if isinstance(address, int):
            continue
        smallest, proved = query.smallest(address, held, budget, current)
        certified = certified and proved
        assert smallest is not None
        if best is not None:
            if smallest > best.addresses[index]:
                return None
            if smallest < best.addresses[index]:
                best = None
        held.append(made.interpreter.equal(address, smallest))
        if smallest != current:
            assignment = _again(query, held, assignment, budget)
    return Smallest(assignment, measure_of(made, assignment), certified)


def _off(made: SymbolicMap, alignment: int) -> Any:
    """How many addresses are not multiples of `alignment`."""
    total: Any = 0
    symbols = made.symbols
    for address in made.addresses:
        if isinstance(address, int):
            total = total + (1 if address % alignment else 0)
            continue
        rest = address % alignment
        off = (rest != 0) if not isinstance(rest, int) else rest != 0
        total = symbols.counter(total, off, 1)
    return total


def _lower(
    query: Query, held: Sequence[Guard], count: Any, current: int, budget: int
) -> tuple[int, bool]:
    """The smallest value of a counter that is possible, going down from a known one."""
    while current > 0:
        answer = query.ask([*held, count <= current - 1], budget)
        if answer.assignment is None:
            return current, answer.verdict == "unsat"
        current = answer.assignment.integer(count)
    return current, True


def _again(
    query: Query, held: Sequence[Guard], known: Assignment, budget: int
) -> Assignment:
    answer = query.ask(held, budget)
    return answer.assignment if answer.assignment is not None else known
