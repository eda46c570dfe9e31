"""A problem reduced to what matters: classes of pieces, bins, open groups.

* Pieces of the same size, level and home are one *class*.  A class covers *rows*: a chunk covers
  what its three regions would, so that of each TDMR either is placed.
* A group is *open* when one of its stretches holds as many of the largest pieces as the room of
  its TDMR lets in: then only the room counts, and its other stretches are of no use.
* Where chunks may be split, a group is *open to small ones* when stretches too short for anything
  else hold as many 2M and 1G regions as the room lets in.
* Otherwise at most as many stretches as the room are ever used, and larger ones may stand in for
  smaller ones: the longest are kept, each shortened to the largest sum of sizes it can hold.
  Equal ones of a group are one *bin*.
* A chain is cut where a neighbour is open or without room: a piece across that border might as
  well lie in the open group as a whole.

None of this goes into a certificate: the checker sums over every free run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pamt.certificate.relaxation import CHUNK, Chain
from pamt.solve.engine.price import Family
from pamt.solve.engine.problem import Group, Piece, Problem, Spot

__all__ = ["LARGE", "Bin", "Class", "Kind", "View", "largest_sum", "look", "subset_sums"]

LARGE = (CHUNK, "4k")
"""Levels of pieces that are never small."""


class Kind(NamedTuple):
    """What pieces of a class have in common, whatever the problem."""

    pages: int
    home: int
    level: str
    whole: int
    """Pages of the chunk that they are, or are part of."""
    loose: bool
    """Regions of chunks that have been split."""


class Class(NamedTuple):
    kind: Kind
    members: tuple[Piece, ...]
    rows: tuple[int, ...]
    """What a piece of it covers."""

    @property
    def pages(self) -> int:
        return self.kind.pages

    @property
    def home(self) -> int:
        return self.kind.home


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
    demands: tuple[int, ...]
    """By row, how many pieces must cover it."""
    row_kinds: tuple[Kind, ...]
    """By row, the kind of the smallest piece that covers it."""
    open: dict[Group, Spot]
    """Open groups, each with the first stretch that shows it."""
    small: frozenset[int]
    """Classes of 2M and 1G regions, where all of these are smaller than any other piece."""
    open_to_small: dict[Group, tuple[Spot, ...]]
    """Other groups where for these only the room counts, with the stretches for them."""
    bins: tuple[Bin, ...]
    spots: dict[Group, tuple[Spot, ...]]
    """Groups that are not open: what their bins stand for, longest first, named ones left out."""
    crowded: tuple[int, ...]
    """TDMRs that more pieces might want to overlap than there is room for."""

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """Classes, those of the same TDMRs together."""
        found: dict[Kind, Family] = {}
        for at, each in enumerate(self.classes):
            kind = each.kind
            key = kind if kind.loose else Kind(kind.whole, kind.home, CHUNK, kind.whole, False)
            family = found.setdefault(key, Family(len(each.members), {}))
            family.classes[kind.level] = at
        return tuple(found.values())

    @property
    def shortest_large(self) -> int:
        """Pages of the smallest piece that is not small."""
        large = [each.pages for at, each in enumerate(self.classes) if at not in self.small]
        return min(large, default=1 << 62)

    @cached_property
    def nodes(self) -> tuple[int, ...]:
        """Nodes on which something may be placed."""
        groups = (*self.open, *self.open_to_small)
        return tuple(sorted({node for node, _ in groups} | {each.node for each in self.bins}))


def look(problem: Problem, named: frozenset[Spot] = frozenset()) -> View:
    """Reduce a problem, with the `named` stretches as bins of their own.

    TDMRs whose room is below 0 are left for the caller to see.
    """
    classes, demands, row_kinds = _classes(problem)
    if not classes:
        return View(problem, (), (), (), {}, frozenset(), {}, (), {}, ())
    sizes = sorted((piece.pages for piece in problem.waiting), reverse=True)
    enough = [0]
    for size in sizes:
        enough.append(enough[-1] + size)
    least = min(each.pages for each in classes)
    number = sum(max(1, len(problem.regions.get(c.tdmr, ()))) for c in problem.chunks)
    number += len(problem.loose)

    def all_in(tdmr: int) -> int:
        # Of r pieces, those of one TDMR are no more than its chunk.
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

    small, open_to_small = _small(problem, classes, opened)
    large = min((c.pages for at, c in enumerate(classes) if at not in small), default=least)
    bins: list[Bin] = []
    closed: dict[Group, list[Spot]] = {}
    for key, spots in problem.spots.items():
        if key not in opened and problem.room[key[1]] > 0:
            shortest = large if key in open_to_small else least
            closed[key] = [spot for spot in spots if spot.pages >= shortest]
    for chain in problem.chains:
        for part in _cut_chain(chain, problem, opened):
            if len(part.stretches) > 1 and part.pages >= least:
                bins.append(
                    Bin(
                        part.node,
                        part.stretches[0][0],
                        part.pages,
                        1,
                        part,
                    )
                )
            else:
                key = (part.node, part.stretches[0][0])
                shortest = large if key in open_to_small else least
                if key not in opened and part.pages >= shortest:
                    closed.setdefault(key, []).append(Spot(part.start, part.pages))
    sums = _all_sums(problem)
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
    for _, tdmr in (*opened, *open_to_small):
        wanted[tdmr] += number
    for each in bins:
        over = each.chain.stretches if each.chain is not None else ((each.tdmr, 0),)
        for tdmr, _ in over:
            wanted[tdmr] += each.number * min(number, each.pages // least)
    crowded = tuple(t for t, room in enumerate(problem.room) if 0 <= room < wanted[t])
    return View(
        problem, classes, demands, row_kinds, opened, small, open_to_small, tuple(bins), kept,
        crowded,
    )  # fmt: skip


def _classes(problem: Problem) -> tuple[tuple[Class, ...], tuple[int, ...], tuple[Kind, ...]]:
    """Classes, largest pieces first; and for each row its demand and kind."""
    alike: dict[Kind, list[Piece]] = {}
    for chunk in problem.chunks:
        kind = Kind(chunk.pages, chunk.home, CHUNK, chunk.pages, False)
        alike.setdefault(kind, []).append(chunk)
    for piece in problem.loose:
        whole = sum(region.pages for region in problem.regions[piece.tdmr])
        kind = Kind(piece.pages, piece.home, piece.level, whole, True)
        alike.setdefault(kind, []).append(piece)
    found: list[Class] = []
    demands: list[int] = []
    row_kinds: list[Kind] = []

    def row(kind: Kind, number: int) -> int:
        demands.append(number)
        row_kinds.append(kind)
        return len(demands) - 1

    for kind, members in sorted(alike.items(), key=lambda item: (-item[0].pages, item[0])):
        regions = problem.regions.get(members[0].tdmr, ())
        if kind.loose or not regions:
            found.append(Class(kind, tuple(members), (row(kind, len(members)),)))
            continue
        rows: list[int] = []
        for at, region in enumerate(regions):
            part = Kind(region.pages, kind.home, region.level, kind.pages, False)
            rows.append(row(part, len(members)))
            own = tuple(problem.regions[chunk.tdmr][at] for chunk in members)
            found.append(Class(part, own, (rows[-1],)))
        found.append(Class(kind, tuple(members), tuple(rows)))
    found.sort(key=lambda each: (-each.pages, each.kind))
    return tuple(found), tuple(demands), tuple(row_kinds)


def _small(
    problem: Problem, classes: tuple[Class, ...], opened: dict[Group, Spot]
) -> tuple[frozenset[int], dict[Group, tuple[Spot, ...]]]:
    """Classes of small pieces, and the groups where only the room counts for them."""
    small = frozenset(at for at, each in enumerate(classes) if each.kind.level not in LARGE)
    largest = max((classes[at].pages for at in small), default=0)
    others = [each.pages for at, each in enumerate(classes) if at not in small]
    if not small or (others and min(others) <= largest):
        return frozenset(), {}
    number = sum(len(classes[at].members) for at in small)
    found: dict[Group, tuple[Spot, ...]] = {}
    for key, spots in problem.spots.items():
        room = problem.room[key[1]]
        if key in opened or room <= 0:
            continue
        short = [spot for spot in spots if not others or spot.pages < min(others)]
        # However they are spread, a stretch of n times the largest takes n of them.
        if sum(spot.pages // largest for spot in short) >= min(room, number):
            found[key] = tuple(spot for spot in short if spot.pages >= largest)
    return small, found


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


def _all_sums(problem: Problem) -> int:
    """What pieces may add up to: the regions of a chunk that may be split come to its pages."""
    sizes = [piece.pages for piece in problem.loose]
    for chunk in problem.chunks:
        regions = problem.regions.get(chunk.tdmr, ())
        sizes += [region.pages for region in regions] or [chunk.pages]
    return subset_sums(sizes)


def subset_sums(sizes: list[int]) -> int:
    """Bit s is set when some of `sizes` add up to s."""
    sums = 1
    for size in sizes:
        sums |= sums << size
    return sums


def largest_sum(sums: int, pages: int) -> int:
    return (sums & ((1 << (pages + 1)) - 1)).bit_length() - 1
