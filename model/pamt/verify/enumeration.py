"""Every map of a tiny scope on a grid, by plain Python: the oracle of symbolic verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from pamt.machine import Cmr, Machine, MemoryRange
from pamt.verify.scope import Scope

__all__ = ["maps_on_grid"]


def maps_on_grid(scope: Scope, positions: Sequence[int], count: int) -> Iterator[Machine]:
    """Maps of `scope` with `count` ranges that begin and end at `positions` (bytes, ascending).

    One CMR spans everything, all memory is free; ranges of one node are kept apart.
    """
    inside = [p for p in positions if scope.lowest <= p <= scope.end]
    for nodes in product(range(scope.nodes), repeat=count):
        if set(nodes) != set(range(max(nodes) + 1)):
            continue
        for borders in combinations(inside, 2 * count):
            yield _machine(scope, borders, nodes)
        if count == 2 and nodes[0] != nodes[1]:
            for a, b, c in combinations(inside, 3):
                yield _machine(scope, (a, b, b, c), nodes)


def _machine(scope: Scope, borders: Sequence[int], nodes: Sequence[int]) -> Machine:
    memory = tuple(
        MemoryRange(start, end, node)
        for start, end, node in zip(borders[::2], borders[1::2], nodes, strict=True)
    )
    return Machine(limits=scope.limits, cmrs=(Cmr(0, scope.end),), memory=memory)
