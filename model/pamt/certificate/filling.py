"""The most value that fits: exact sums over the pieces that share one stretch of free pages.

A *front* lists what can be reached: pairs (pages, value), both strictly ascending, the first (0, 0)
unless said otherwise; no set of pieces of that many pages or fewer is worth more.  Sizes are in
pages, values are integers without unit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "Crossing",
    "Front",
    "Item",
    "Stretch",
    "best_in_chain",
    "best_in_runs",
    "front_of",
    "thinned",
]

Front = list[tuple[int, int]]

LONGEST_FRONT = 4096
"""A longer front is thinned: neighbours become one that is as small and as valuable as either."""


class Item(NamedTuple):
    pages: int
    value: int


class Crossing(NamedTuple):
    """A piece that begins in a stretch and reaches into later ones."""

    pages: int
    values: Sequence[int]
    """``values[k]``: what it is worth when it overlaps k + 2 stretches."""
    inside: int
    """What the same piece is worth when it lies inside as a whole; 0 or less: nothing."""


class Stretch(NamedTuple):
    """A part of a free run inside one TDMR, and what pieces are worth there.

    `items`: pieces that lie inside as a whole.
    """

    pages: int
    items: Sequence[Item]
    crossing: Sequence[Crossing] = ()


def pruned(pairs: Front) -> Front:
    """The pairs that no other is at least as good as, ascending."""
    pairs.sort(key=lambda pair: (pair[0], -pair[1]))
    front: Front = []
    best: int | None = None
    for pair in pairs:
        if best is None or pair[1] > best:
            front.append(pair)
            best = pair[1]
    return front


def thinned(front: Front) -> Front:
    """The same or an over-estimate of at most LONGEST_FRONT pairs."""
    while len(front) > LONGEST_FRONT:
        halved = [(low[0], high[1]) for low, high in zip(front[::2], front[1::2], strict=False)]
        front = halved if len(front) % 2 == 0 else [*halved, front[-1]]
    return front


def front_of(items: Sequence[Item], room: int) -> Front:
    """What sets of `items`, each used at most once, are worth; up to `room` pages."""
    front: Front = [(0, 0)]
    for pages, value in items:
        if value <= 0 or pages > room:
            continue
        more = [(p + pages, v + value) for p, v in front if p + pages <= room]
        front = thinned(pruned(front + more))
    return front


def best_in_runs(items: Sequence[Item], lengths: Sequence[int]) -> int:
    """Sum over runs of the most that each can hold; `lengths` in pages, ascending."""
    if not lengths:
        return 0
    worthy = [item for item in items if item.value > 0]
    total = sum(item.pages for item in worthy)
    if total <= lengths[0]:
        return len(lengths) * sum(item.value for item in worthy)
    front = front_of(worthy, lengths[-1])
    result = 0
    before = 0
    for pages, value in front:
        result += (value - before) * (len(lengths) - bisect_left(lengths, pages))
        before = value
    return result


def best_in_chain(stretches: Sequence[Stretch]) -> int:
    """The most that one run can hold, cut into `stretches` by TDMR borders.

    A piece may be used once in each stretch, so this may be more than what is possible.
    """
    # Pairs are (first page not used yet, value so far).
    front: Front = [(0, 0)]
    start = 0
    ends: list[int] = []
    for stretch in stretches:
        ends.append((ends[-1] if ends else 0) + stretch.pages)
    for index, stretch in enumerate(stretches):
        end = ends[index]
        filled = _filled(front, front_of(stretch.items, stretch.pages), start, end)
        ahead = [(max(at, end), value) for at, value in filled]
        without: dict[Item, Front] = {}
        for piece in stretch.crossing:
            # The piece itself is not among those before it.
            own = Item(piece.pages, piece.inside)
            if own not in without:
                others = list(stretch.items)
                if own in others:
                    others.remove(own)
                inside = front_of(others, stretch.pages)
                without[own] = _filled(front, inside, start, end)
            ahead += _crossed(piece, without[own], ends[index:])
        front = thinned(pruned(ahead))
        start = end
    return max(value for _, value in front)


def _filled(front: Front, inside: Front, start: int, end: int) -> Front:
    """What is reached when sets of `inside` come behind what `front` has, up to `end`."""
    reached: Front = []
    for at, value in front:
        if at >= end:
            reached.append((at, value))
            continue
        first = max(at, start)
        reached += [(first + pages, value + more) for pages, more in inside if first + pages <= end]
    return thinned(pruned(reached))


def _crossed(piece: Crossing, reached: Front, ends: Sequence[int]) -> Front:
    """One more piece behind what is there, that begins in the first stretch and leaves it.

    `ends`: of the stretch it begins in, and of the later ones.
    """
    found: Front = []
    for at, value in reached:
        if at >= ends[0]:
            continue
        stop = max(at, ends[0] - piece.pages + 1) + piece.pages
        if stop > ends[-1]:
            continue
        over = bisect_left(ends, stop) - 1
        if piece.values[over] > 0:
            found.append((stop, value + piece.values[over]))
    return found
