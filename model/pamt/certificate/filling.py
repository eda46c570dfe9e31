"""The most value that fits: exact sums over the pieces that share one stretch of free pages.

A *choice* lists alternatives: of its items at most one is taken.

A *front* lists what can be reached: pairs (pages, value), both strictly ascending, the first (0, 0)
unless said otherwise; no set of pieces of that many pages or fewer is worth more.  Sizes are in
pages, values are integers without unit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

__all__ = [
    "Choice",
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


Choice = tuple[Item, ...]


class Crossing(NamedTuple):
    """A piece that begins in a stretch and reaches into later ones."""

    pages: int
    values: Sequence[int]
    """``values[k]``: what it is worth when it overlaps k + 2 stretches."""
    others: tuple[Choice, ...]
    """What may lie before it in the stretch in which it begins."""


class Stretch(NamedTuple):
    """A part of a free run inside one TDMR, and what pieces are worth there.

    `choices`: pieces that lie inside as a whole.
    """

    pages: int
    choices: Sequence[Choice]
    crossing: Sequence[Crossing] = ()


def pruned(pairs: Front) -> Front:
    """The pairs that no other is at least as good as, ascending."""
    pairs.sort()
    front: Front = []
    best: int | None = None
    # Of pairs with the same pages the dictionary keeps the last, which has the highest value.
    for pair in dict(pairs).items():
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


def front_of(choices: Sequence[Choice], room: int) -> Front:
    """What can be had with one item of each of `choices`, or none; up to `room` pages."""
    front: Front = [(0, 0)]
    for choice, alike in groupby(choices):
        # No more of them than would fit if each took its smallest item.
        for _ in range(min(len(list(alike)), room // min(choice).pages)):
            front = with_one_of(front, choice, room)
    return front


def with_one_of(front: Front, choice: Choice, room: int) -> Front:
    """`front`, and what it becomes with any one item of a choice."""
    reached = list(front)
    for pages, value in choice:
        if value > 0:
            reached += [(p + pages, v + value) for p, v in front if p + pages <= room]
    return thinned(pruned(reached))


def best_in_runs(choices: Sequence[Choice], lengths: Sequence[int]) -> int:
    """Sum over runs of the most that each can hold; `lengths` in pages, ascending."""
    if not lengths:
        return 0
    best = [max(choice, key=_value) for choice in choices if max(choice, key=_value).value > 0]
    if sum(item.pages for item in best) <= lengths[0]:
        return len(lengths) * sum(item.value for item in best)
    front = front_of(choices, lengths[-1])
    result = 0
    before = 0
    for pages, value in front:
        result += (value - before) * (len(lengths) - bisect_left(lengths, pages))
        before = value
    return result


def _value(item: Item) -> tuple[int, int]:
    """The most valuable, and of those the smallest."""
    return item.value, -item.pages


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
        filled = _filled(front, front_of(stretch.choices, stretch.pages), start, end)
        ahead = [(max(at, end), value) for at, value in filled]
        before: dict[tuple[Choice, ...], Front] = {}
        for piece in stretch.crossing:
            if piece.others not in before:
                inside = front_of(piece.others, stretch.pages)
                before[piece.others] = _filled(front, inside, start, end)
            ahead += _crossed(piece, before[piece.others], ends[index:])
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
