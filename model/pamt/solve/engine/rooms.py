"""Cuts in which every node has areas left for its own PAMTs: ``memory`` and ``cmr``, cuts free.

Every TDMR has one PAMT chunk, to be placed near the node where it begins, and a TDMR takes in as
many chunks as it has areas left.  So chunks of a node may be no more than areas left on it:

    cells     | 0 0 0 0 0 0 0 | 1 1 1 1 1 |        homes
    TDMRs     |<->|<->|<->|<----->|<----->|        three of node 0 are full of holes, say: one area
    left        0   0   1     3       1            left, and two of the three of the TDMR that is
    chunks      #   #   #     #       #            shared; node 1 has its own, and the one left over

TDMRs begin where holes or nodes do, or right behind them: elsewhere a border only adds a TDMR.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from pamt.certificate.cut_bound import CutFacts
from pamt.certificate.each_cut import Cut
from pamt.certificate.near_home import homes, near
from pamt.placement import NodeRun, Question
from pamt.ranges import GIB, Range

__all__ = ["cuts_with_room"]

MOST_BEGINS = 200
"""Cells at which TDMRs may begin, up to which cuts are looked for."""
MOST_OPEN = 64
"""Chunks of a node that may wait for a later TDMR to take them in."""


class _State(NamedTuple):
    """The least of a way to cut all cells before some cell."""

    areas: int
    tdmrs: int
    before: tuple[int, int] | None
    """Cell and chunks waiting of the state it comes from."""


def cuts_with_room(
    question: Question, facts: CutFacts, caps: Sequence[int], *, at_home: bool
) -> Iterator[tuple[Cut, int]]:
    """The cheapest cut for each of these most areas in a TDMR.

    `at_home`: every chunk lies on a node nearest to its TDMR.
    """
    stretch = homes(question) if at_home else (0,) * len(facts.cells)
    rooms = _Rooms(question, facts, stretch, at_home=at_home)
    if len(rooms.begins) > MOST_BEGINS:
        return
    for cap in caps:
        cut = rooms.cheapest(cap)
        if cut is not None:
            yield cut, cap


class _Rooms:
    def __init__(
        self, question: Question, facts: CutFacts, stretch: Sequence[int], *, at_home: bool
    ) -> None:
        self._facts = facts
        self._stretch = stretch
        n = len(facts.cells)
        self.begins = sorted(
            {
                at
                for at in range(n)
                if at not in facts.barred
                and (
                    at == 0
                    or stretch[at] != stretch[at - 1]
                    or facts.alone[at]
                    or facts.alone[at - 1]
                    or facts.joined[at - 1]
                )
            }
        )
        nodes: Mapping[int, frozenset[int]] = near(question) if at_home else {}
        every = frozenset(question.free_by_node)
        least = question.sizes(1).total
        self._sizes = question.sizes
        self._whole = question.space.pamt == "chunk"
        self._places: dict[int, list[int]] = {}
        self._longest: dict[int, _Longest] = {}
        for home in set(stretch):
            number = [0] * n
            self._longest[home] = _Longest(
                [run for run in question.free if run.node in nodes.get(home, every)]
            )
            for node in nodes.get(home, every):
                for run in question.free_by_node.get(node, ()):
                    at = bisect_left(facts.cells, run.start // GIB)
                    while at < n and facts.cells[at] * GIB < run.end:
                        cell = Range(facts.cells[at] * GIB, (facts.cells[at] + 1) * GIB)
                        number[at] += run.clip(cell).size // least
                        at += 1
            self._places[home] = list(accumulate(number, initial=0))

    def cheapest(self, cap: int) -> Cut | None:
        n = len(self._facts.cells)
        states: dict[int, dict[int, _State]] = {at: {} for at in (*self.begins, n)}
        if 0 not in states:
            return None
        states[0][0] = _State(0, 0, None)
        for at in self.begins:
            for waiting, state in _best(states[at]).items():
                for end, needs in self._ways(at, cap, waiting):
                    areas = state.areas + self._facts.holes(at, end - 1) + 1
                    made = _State(areas, state.tdmrs + 1, (at, waiting))
                    known = states[end].get(needs)
                    if known is None or made[:2] < known[:2]:
                        states[end][needs] = made
        done = [(state[:2], needs) for needs, state in states[n].items() if needs <= 0]
        if not done:
            return None
        (_, tdmrs), needs = min(done)
        if tdmrs > self._facts.most:
            return None
        return self._traced(states, needs)

    def _ways(self, first: int, cap: int, waiting: int) -> Iterator[tuple[int, int]]:
        """Ends of TDMRs from `first`, with the chunks that then wait on the node of that end."""
        n = len(self._facts.cells)
        home = self._stretch[first]
        for end in (*self.begins, n):
            if end <= first:
                continue
            left = cap - self._facts.holes(first, end - 1)
            if left < 0 or (left == 0 and not self._fits_outside(home, first, end)):
                continue
            own = min(left, self._room(home, first, end))
            needs = waiting + 1 - own
            if end == n or self._stretch[end] == home:
                if needs <= MOST_OPEN:
                    yield end, max(needs, -MOST_OPEN)
            elif needs <= 0:
                # What its own node does not need is left to the next.
                spare = left - max(0, waiting + 1)
                yield end, -min(max(0, spare), self._room(self._stretch[end], first, end))

    def _fits_outside(self, home: int, first: int, end: int) -> bool:
        """Whether a TDMR's largest piece finds a run that is long enough before or behind it."""
        cells = self._facts.cells
        low, high = cells[first] * GIB, (cells[end - 1] + 1) * GIB
        sizes = self._sizes((high - low) // GIB)
        size = sizes.total if self._whole else max(sizes)
        longest = self._longest[home]
        return max(longest.below(low), longest.above(high)) >= size

    def _room(self, home: int, first: int, end: int) -> int:
        places = self._places[home]
        return places[end] - places[first]

    def _traced(self, states: Mapping[int, Mapping[int, _State]], needs: int) -> Cut:
        cut: list[tuple[int, int]] = []
        end = len(self._facts.cells)
        while end:
            before = states[end][needs].before
            assert before is not None
            cut.append((before[0], end - 1))
            end, needs = before
        return tuple(reversed(cut))


def _best(states: Mapping[int, _State]) -> dict[int, _State]:
    """Those that no other with fewer chunks waiting is as cheap as."""
    kept: dict[int, _State] = {}
    least: tuple[int, int] | None = None
    for waiting in sorted(states):
        state = states[waiting]
        if least is None or state[:2] < least:
            kept[waiting] = state
            least = state[:2]
    return kept


class _Longest:
    """The longest part of some free runs, ascending, that lies below or above an address; bytes."""

    def __init__(self, runs: Sequence[NodeRun]) -> None:
        self._runs = runs
        self._starts = [run.start for run in runs]
        lengths = [run.end - run.start for run in runs]
        self._first = list(accumulate(lengths, max, initial=0))
        self._last = list(accumulate(reversed(lengths), max, initial=0))[::-1]

    def below(self, address: int) -> int:
        number = bisect_left(self._starts, address)
        if not number:
            return 0
        run = self._runs[number - 1]
        return max(self._first[number - 1], min(run.end, address) - run.start)

    def above(self, address: int) -> int:
        number = bisect_left(self._starts, address)
        reaching = self._runs[number - 1].end - address if number else 0
        return max(self._last[number], reaching)
