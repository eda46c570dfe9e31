"""The allocator at its edges: nothing asked for, nobody there, pages that are not free."""

from __future__ import annotations

import pytest

from pamt.kernel.contig import ContigAllocator, Placement
from pamt.machine import FreeRun, Node, Zone
from pamt.ranges import PAGE, Range

NORMAL = (Zone("Normal", 0, 64 * PAGE),)


def pages(start: int, end: int) -> Range:
    return Range(start * PAGE, end * PAGE)


def allocator(*nodes: Node, free: tuple[tuple[int, int, int], ...]) -> ContigAllocator:
    return ContigAllocator(nodes, [FreeRun(s * PAGE, e * PAGE, node) for s, e, node in free])


@pytest.mark.parametrize(("size", "node"), [(0, 0), (-PAGE, 0), (PAGE, 7)])
def test_nothing_for_no_size_or_an_unknown_node(size: int, node: int) -> None:
    alloc = allocator(Node(0, fallback=(0,), zones=NORMAL), free=((0, 8, 0),))
    assert alloc.contig(size, node) is None
    assert alloc.free_runs(0) == (pages(0, 8),)


def test_a_node_without_a_fallback_order_looks_at_itself() -> None:
    alloc = allocator(Node(0, zones=NORMAL), free=((0, 8, 0),))
    assert alloc.contig(PAGE, 0) == Placement(pages(0, 1), 0, "Normal")


def test_unknown_nodes_and_nodes_without_zones_are_passed_over() -> None:
    alloc = allocator(
        Node(0, fallback=(0, 5, 1), zones=None),
        Node(1, fallback=(1,), zones=NORMAL),
        free=((0, 8, 0), (8, 16, 1), (16, 24, 5)),
    )
    assert alloc.contig(PAGE, 0) == Placement(pages(8, 9), 1, "Normal")
    assert sorted(alloc.nodes) == [0, 1]


@pytest.mark.parametrize("wanted", [(4, 4), (3, 5), (7, 9), (8, 9), (0, 1), (20, 21)])
def test_only_free_pages_can_be_taken(wanted: tuple[int, int]) -> None:
    alloc = allocator(Node(0, fallback=(0,), zones=NORMAL), free=((1, 4, 0), (5, 8, 0)))
    with pytest.raises(ValueError, match="is not free on node 0"):
        alloc.take(pages(*wanted), 0)
    assert alloc.free_runs(0) == (pages(1, 4), pages(5, 8))
    with pytest.raises(ValueError, match="is not free on node 3"):
        alloc.take(pages(1, 2), 3)


@pytest.mark.parametrize("returned", [(1, 2), (3, 5), (4, 6), (0, 9)])
def test_only_taken_pages_can_be_given_back(returned: tuple[int, int]) -> None:
    alloc = allocator(Node(0, fallback=(0,), zones=NORMAL), free=((1, 4, 0), (5, 8, 0)))
    with pytest.raises(ValueError, match="is already free, in part, on node 0"):
        alloc.give_back(pages(*returned), 0)
    assert alloc.free_runs(0) == (pages(1, 4), pages(5, 8))


@pytest.mark.parametrize(
    ("returned", "left"),
    [
        ((4, 5), ((1, 8),)),
        ((8, 9), ((1, 4), (5, 9))),
        ((0, 1), ((0, 4), (5, 8))),
        ((9, 10), ((1, 4), (5, 8), (9, 10))),
    ],
)
def test_pages_given_back_join_what_they_touch(
    returned: tuple[int, int], left: tuple[tuple[int, int], ...]
) -> None:
    alloc = allocator(Node(0, fallback=(0,), zones=NORMAL), free=((1, 4, 0), (5, 8, 0)))
    alloc.give_back(pages(*returned), 0)
    assert alloc.free_runs(0) == tuple(pages(*run) for run in left)
