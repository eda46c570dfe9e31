"""Under ``minimal``, cuts free: PAMTs that take an area even where nothing has to be reserved.

A free run is *linked* where PAMTs in it may share an area with a stretch that is reserved in any
cut (see :mod:`pamt.certificate.cut_bound`): all memory between the two is free, and no more than
all PAMTs together.  The run itself may be longer.

    memory     |====....|    |......|    |========|       dots: free
    reserved            |0000|      |0000|                two stretches
    linked          ^^^^      ^^^^^^

The largest region (or chunk) of a TDMR lies in a linked run near its home, or takes an area that
no stretch shares, or a stretch between cells links its run: one that is reserved only where a TDMR
bridges it, as an area of its own.  So cuts come in two kinds: *modest* ones, without such bridges,
in which every TDMR is small enough for a linked run; and others, which have an area more than all
stretches inside cells, before areas are taken off for gaps that PAMTs fill, those beside bridged
stretches among them.

Source: docs/design.md, section 5 (``minimal``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from pamt.certificate.cut_bound import CutFacts, forced_stretches, most_pamt_bytes, remembered
from pamt.certificate.near_home import homes, near
from pamt.placement import NodeRun, Question
from pamt.ranges import GIB, PAGE, Range

__all__ = ["largest_fitting", "linked_pages", "modest", "opens", "unbridged"]


def linked_pages(question: Question, *, bridged: bool = False) -> dict[int, int]:
    """Pages of the longest linked run of each node; of nodes without one, none.

    `bridged`: linked to any stretch, also one that only a bridge reserves.
    """
    known = remembered(question)
    if ("linked", bridged) not in known:
        found: dict[int, int] = {}
        for run in _linked(question, bridged=bridged):
            found[run.node] = max(found.get(run.node, 0), (run.end - run.start) // PAGE)
        known["linked", bridged] = found
    made: dict[int, int] = known["linked", bridged]
    return made


def largest_fitting(question: Question, pages: int) -> int:
    """How many GiB a TDMR may have for its largest piece to have so many pages at most."""
    span = question.cells[-1] - question.cells[0] + 1
    return bisect_right(range(1, span + 1), pages * PAGE, key=lambda gib: _piece(question, gib))


def modest(question: Question, facts: CutFacts, *, at_home: bool) -> CutFacts:
    """`facts` for cuts of the first kind, no gap filled."""
    pages = linked_pages(question)
    most: dict[int, int] = {}
    for home, nodes in near(question).items():
        where = nodes if at_home else question.free_by_node
        longest = max((pages.get(node, 0) for node in where), default=0)
        most[home] = largest_fitting(question, longest)
    # A TDMR that bridges counts more areas than any may have, however many gaps are filled.
    bridge = 1 + facts.limit + sum(facts.alone) + len(facts.cells)
    links = tuple(joined if joined <= 0 else bridge for joined in facts.joined)
    return facts.unfilled.but(
        joined=links,
        least_joined=links,
        longest=tuple(most[home] for home in homes(question)),
    )


def unbridged(facts: CutFacts) -> CutFacts:
    """`facts` with areas for stretches inside cells only, no gap filled."""
    links = tuple(min(0, joined) for joined in facts.joined)
    return facts.unfilled.but(joined=links, least_joined=links)


def opens(facts: CutFacts, small: CutFacts, cut: Sequence[tuple[int, int]]) -> int:
    """Areas besides all that stretches in `cut` take, at least; `small`: of :func:`modest`."""
    bridged = any(facts.joined[at] > 0 for first, last in cut for at in range(first, last))
    cells = facts.cells
    long = any(cells[last] - cells[first] >= small.longest[first] for first, last in cut)
    return int(long and not bridged)


def _piece(question: Question, gib: int) -> int:
    """Bytes of the largest piece of a TDMR's PAMTs that has to lie in one place."""
    sizes = question.sizes(gib)
    return sizes.total if question.space.pamt == "chunk" else max(sizes)


def _linked(question: Question, *, bridged: bool) -> Iterator[NodeRun]:
    stretches = forced_stretches(question)
    links = [bridged or not _between(question, hole) for hole in stretches]
    room = most_pamt_bytes(question) // PAGE
    ends = [question.cells[0] * GIB, *(hole.end for hole in stretches)]
    starts = [*(hole.start for hole in stretches), (question.cells[-1] + 1) * GIB]
    firsts = [run.start for run in question.free]
    for at, (low, high) in enumerate(zip(ends, starts, strict=True)):
        runs = question.free[bisect_left(firsts, low) : bisect_left(firsts, high)]
        parts = list(question.memory_set.within(Range(low, high)))
        if at > 0 and links[at - 1]:
            yield from _walk(runs, [(part.start, part.end) for part in parts], room)
        if at < len(stretches) and links[at]:
            mirrored = [run._replace(start=-run.end, end=-run.start) for run in reversed(runs)]
            back = [(-part.end, -part.start) for part in reversed(parts)]
            yield from _walk(mirrored, back, room)


def _between(question: Question, hole: Range) -> bool:
    """Whether a stretch has its pages outside the CMR runs in GiBs between cells only."""
    cells = question.cells
    outside = question.cmr_runs.complement(hole)
    low = bisect_left(cells, hole.start // GIB)
    high = bisect_right(cells, (hole.end - 1) // GIB)
    return not any(
        outside.overlaps(Range(cell * GIB, (cell + 1) * GIB)) for cell in cells[low:high]
    )


def _walk(
    runs: Sequence[NodeRun], parts: Iterable[tuple[int, int]], room: int
) -> Iterator[NodeRun]:
    """Free runs from the first page of memory on, while all of it is free and within `room`."""
    used = 0
    rest = iter(runs)
    for start, end in parts:
        at = start
        while at < end:
            run = next(rest, None)
            if run is None or run.start != at or used > room:
                return
            yield run
            used += (run.end - run.start) // PAGE
            at = run.end
