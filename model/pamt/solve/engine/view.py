"""A problem reduced to what matters: classes of chunks, bins, open groups.

* Chunks of the same size and home are one *class*.
* A group is *open* when one of its stretches holds as many of the largest chunks as the room of
  its TDMR lets in: then only the room counts, and its other stretches are of no use.
* Otherwise at most as many stretches as the room are ever used, and larger ones may stand in for
  smaller ones: the longest are kept, each shortened to the largest sum of chunk sizes it can hold.
  Equal ones of a group are one *bin*.
* A chain is cut where a neighbour is open or without room: a chunk across that border might as
  well lie in the open group as a whole.

None of this goes into a certificate: the checker sums over every free run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pamt.certificate.relaxation import Chain
from pamt.solve.engine.problem import Chunk, Group, Problem, Spot

__all__ = ["Bin", "Class", "View", "largest_sum", "look", "subset_sums"]


class Class(NamedTuple):
    pages: int
    home: int
    members: tuple[Chunk, ...]


class Bin(NamedTuple):
    """Stretches of one group that hold the same sets of chunks; or one chain."""

    node: int
    tdmr: int
    pages: int
    number: int
    chain: Chain | None = None
    spot: Spot | None = None
    """The one stretch this is, where a case split speaks of it."""


@dataclass(frozen=True)
class View:
    problem: Problem
    classes: tuple[Class, ...]
    open: dict[Group, Spot]
    """Open groups, each with the first stretch that shows it."""
    bins: tuple[Bin, ...]
    spots: dict[Group, tuple[Spot, ...]]
    """Groups that are not open: what their bins stand for, longest first, named ones left out."""
    crowded: tuple[int, ...]
    """TDMRs that more chunks might want to overlap than there is room for."""


def look(problem: Problem, named: frozenset[Spot] = frozenset()) -> View:
    """Reduce a problem, with the `named` stretches as bins of their own.

    TDMRs whose room is below 0 are left for the caller to see.
    """
    members: dict[tuple[int, int], list[Chunk]] = {}
    for chunk in problem.chunks:
        members.setdefault((chunk.pages, chunk.home), []).append(chunk)
    classes = tuple(
        Class(pages, home, tuple(group))
        for (pages, home), group in sorted(members.items(), key=lambda item: (-item[0][0], item[0]))
    )
    sizes = sorted((chunk.pages for chunk in problem.chunks), reverse=True)
    if not sizes:
        return View(problem, classes, {}, (), {}, ())
    enough = [0]
    for size in sizes:
        enough.append(enough[-1] + size)

    def all_in(tdmr: int) -> int:
        return enough[min(max(problem.room[tdmr], 0), len(sizes))]

    stretches = _stretches_of_chains(problem)
    opened: dict[Group, Spot] = {}
    for key, spots in problem.spots.items():
        if problem.room[key[1]] > 0:
            need = all_in(key[1])
            for spot in spots:
                if spot.pages >= need:
                    opened[key] = spot
                    break
    for key, spot in stretches:
        if problem.room[key[1]] > 0 and spot.pages >= all_in(key[1]):
            opened[key] = min(spot, opened.get(key, spot))

    bins: list[Bin] = []
    closed: dict[Group, list[Spot]] = {}
    for key, spots in problem.spots.items():
        if key not in opened and problem.room[key[1]] > 0:
            closed[key] = [spot for spot in spots if spot.pages >= sizes[-1]]
    for chain in problem.chains:
        for part in _cut_chain(chain, problem, opened):
            if len(part.stretches) > 1 and part.pages >= sizes[-1]:
                bins.append(
                    Bin(
                        part.node,
                        part.stretches[0][0],
                        part.pages,
                        1,
                        part,
                    )
                )
            elif part.pages >= sizes[-1]:
                key = (part.node, part.stretches[0][0])
                if key not in opened:
                    closed.setdefault(key, []).append(Spot(part.start, part.pages))
    sums = subset_sums(sizes)
    kept: dict[Group, tuple[Spot, ...]] = {}
    for key in sorted(closed):
        alone = sorted(spot for spot in closed[key] if spot in named)
        bins += [Bin(*key, largest_sum(sums, spot.pages), 1, None, spot) for spot in alone]
        others = [spot for spot in closed[key] if spot not in named]
        others.sort(key=lambda spot: (-spot.pages, spot.start))
        kept[key] = tuple(others[: problem.room[key[1]]])
        counts: dict[int, int] = {}
        for spot in kept[key]:
            pages = largest_sum(sums, spot.pages)
            counts[pages] = counts.get(pages, 0) + 1
        if counts:
            # The shorter ones add nothing that the room would let in; counted as if they were as
            # long as the shortest kept, so that prices come out that fit all of them.
            counts[min(counts)] += len(others) - len(kept[key])
        bins += [Bin(*key, pages, count) for pages, count in sorted(counts.items())]
    wanted = [0] * len(problem.room)
    for _, tdmr in opened:
        wanted[tdmr] += len(sizes)
    for each in bins:
        over = each.chain.stretches if each.chain is not None else ((each.tdmr, 0),)
        for tdmr, _ in over:
            wanted[tdmr] += each.number * min(len(sizes), each.pages // sizes[-1])
    crowded = tuple(t for t, room in enumerate(problem.room) if 0 <= room < wanted[t])
    return View(problem, classes, opened, tuple(bins), kept, crowded)


def _stretches_of_chains(problem: Problem) -> list[tuple[Group, Spot]]:
    found: list[tuple[Group, Spot]] = []
    for chain in problem.chains:
        at = chain.start
        for tdmr, pages in chain.stretches:
            found.append(((chain.node, tdmr), Spot(at, pages)))
            at += pages
    return found


def _cut_chain(chain: Chain, problem: Problem, opened: dict[Group, Spot]) -> list[Chain]:
    """Parts between open stretches and TDMRs without room."""
    parts: list[Chain] = []
    at = start = chain.start
    held: list[tuple[int, int]] = []
    for tdmr, pages in chain.stretches:
        if (chain.node, tdmr) in opened or problem.room[tdmr] <= 0:
            if held:
                parts.append(Chain(start, chain.node, tuple(held)))
            held = []
            start = at + pages
        else:
            held.append((tdmr, pages))
        at += pages
    if held:
        parts.append(Chain(start, chain.node, tuple(held)))
    return parts


def subset_sums(sizes: list[int]) -> int:
    """Bit s is set when some of `sizes` add up to s."""
    sums = 1
    for size in sizes:
        sums |= sums << size
    return sums


def largest_sum(sums: int, pages: int) -> int:
    return (sums & ((1 << (pages + 1)) - 1)).bit_length() - 1
