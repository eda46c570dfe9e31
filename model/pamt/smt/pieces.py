"""PAMT regions as integer positions: in a free run, in a CMR run, apart from each other.

A *slot* is a segment that a TDMR may start at, with the *parts* to place for it: one chunk, or the
three regions.  A part is live when the TDMR really starts there.  All integers count pages.

Source: docs/design.md, section 5 (``placed``, ``accepted``); Intel TDX module ABI specification,
TDMR_INFO.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise, product
from typing import NamedTuple

from pamt.configuration import LEVELS
from pamt.kernel.sizes import PamtSizes
from pamt.placement import Question
from pamt.ranges import GIB, PAGE
from pamt.smt.labels import DEFINITION, SYMMETRY, Assertion, Group
from pamt.smt.segments import Segment
from pamt.smt.terms import (
    FALSE,
    TRUE,
    Flag,
    Formula,
    Int,
    Sum,
    every,
    holds,
    implies,
    no,
    same,
    some,
)

__all__ = ["Part", "Piece", "Slot", "place_parts"]

EXACT = 4096
"""A TDMR of this many GiB has PAMT regions of a whole number of pages, whatever the entry sizes."""


class Part(NamedTuple):
    """A run of PAMT pages that stays in one piece: a chunk or one region."""

    name: str
    live: Formula
    base: Sum
    end: Sum
    pages: Sum
    on_node: Mapping[int, Formula]
    in_run: tuple[Formula, ...]
    """By index of the question's free runs."""


class Piece(NamedTuple):
    """What counts as one reserved area under ``memory`` and ``cmr``."""

    name: str
    live: Formula
    base: Sum
    end: Sum


class Slot(NamedTuple):
    segment: Segment
    home: int
    parts: tuple[Part, ...]
    pieces: tuple[Piece, ...]
    pages: Sum
    """Pages of all three regions; 0 when no TDMR starts here."""

    def starts(self, model: Mapping[str, int]) -> bool:
        return holds(self.segment.start, model)

    def bases(self, model: Mapping[str, int], sizes: PamtSizes) -> tuple[int, int, int]:
        """PAMT bases in bytes, levels 4K, 2M, 1G."""
        at = [model[part.base.ints[0][1]] * PAGE for part in self.parts]
        if len(at) == 1:
            at += [at[0] + sizes.level_4k, at[0] + sizes.level_4k + sizes.level_2m]
        return (at[0], at[1], at[2])


def place_parts(
    question: Question, segments: tuple[Segment, ...], *, symmetry: bool
) -> tuple[tuple[Slot, ...], list[Assertion]]:
    """Slots with their parts, and what must hold of the positions."""
    assertions: list[Assertion] = []
    gibs = _lengths(segments, assertions)
    slots: list[Slot] = []
    for segment, gib in zip(segments, gibs, strict=True):
        pages = _pages(question, segment, gib, assertions)
        home = question.facts(segment.window).home
        slots.append(_slot(question, segment, home, pages, assertions))
    for low, high in combinations(slots, 2):
        group = Group("disjoint", low.segment.at, high.segment.at)
        for a, b in product(low.parts, high.parts):
            assertions.append(Assertion(group, _apart(a, b)))
    if symmetry and question.space.tdmrs == "kernel":
        assertions += _order_alike(slots)
    return tuple(slots), assertions


def _lengths(segments: tuple[Segment, ...], assertions: list[Assertion]) -> list[Sum]:
    """For each segment, the GiBs from there to the end of its TDMR."""
    if all(segment.start == TRUE for segment in segments):
        return [Sum(constant=segment.window.size // GIB) for segment in segments]
    last = segments[-1]
    gibs = [Sum(constant=last.window.size // GIB)]
    for here, following in reversed(list(pairwise(segments))):
        length = Int(f"gib:{here.at}")
        own = here.window.size // GIB
        bridge = (following.window.start - here.window.end) // GIB
        ends = implies(following.start, length.equals(own))
        goes_on = implies(no(following.start), length.equals(gibs[-1] + own + bridge))
        assertions += [Assertion(DEFINITION, ends), Assertion(DEFINITION, goes_on)]
        gibs.append(length)
    return gibs[::-1]


def _pages(
    question: Question, segment: Segment, gib: Sum, assertions: list[Assertion]
) -> tuple[Sum, ...]:
    """Pages of the three regions of a TDMR of `gib` GiB: ``ceil(gib * rate)``, levels 4K, 2M, 1G.

    The rate comes from the size rule itself, at a length where nothing is rounded.
    """
    if not gib.ints:
        return tuple(Sum(constant=size // PAGE) for size in question.sizes(gib.constant))
    found: list[Sum] = []
    for level, size in zip(LEVELS, question.sizes(EXACT), strict=True):
        per_exact = size // PAGE
        if per_exact % EXACT == 0:
            found.append(gib.times(per_exact // EXACT))
            continue
        pages = Int(f"pages_{level}:{segment.at}")
        scaled, exact = pages.times(EXACT), gib.times(per_exact)
        rounded = every((scaled.at_least(exact), scaled.at_most(exact + (EXACT - 1))))
        assertions.append(Assertion(DEFINITION, rounded))
        found.append(pages)
    return tuple(found)


def _slot(
    question: Question,
    segment: Segment,
    home: int,
    pages: tuple[Sum, ...],
    assertions: list[Assertion],
) -> Slot:
    index, live = segment.at, segment.start
    total = sum(pages, Sum())
    paid = total
    if live != TRUE:
        paid = Int(f"paid:{index}")
        assertions.append(Assertion(DEFINITION, implies(live, paid.equals(total))))
        assertions.append(Assertion(DEFINITION, implies(no(live), paid.equals(0))))
    if question.space.pamt == "chunk":
        chunk = _part(question, segment, f"chunk:{index}", total, assertions)
        piece = Piece(chunk.name, live, chunk.base, chunk.end)
        return Slot(segment, home, (chunk,), (piece,), paid)
    parts = tuple(
        _part(question, segment, f"{level}:{index}", size, assertions)
        for level, size in zip(LEVELS, pages, strict=True)
    )
    for a, b in combinations(parts, 2):
        assertions.append(Assertion(Group("disjoint", index, index), _apart(a, b)))
    return Slot(segment, home, parts, _pieces(index, live, parts, assertions), paid)


def _part(
    question: Question, segment: Segment, name: str, pages: Sum, assertions: list[Assertion]
) -> Part:
    live, index = segment.start, segment.at
    base = Int(f"base_{name}")
    end = base + pages
    if pages.ints:
        end = Int(f"end_{name}")
        assertions.append(Assertion(DEFINITION, end.equals(base + pages)))
    contiguous = Group("contiguity", index)
    in_run: list[Formula] = []
    by_node: dict[int, list[Formula]] = {}
    for number, run in enumerate(question.free):
        if not pages.ints and pages.constant * PAGE > run.range.size:
            in_run.append(FALSE)
            continue
        inside = Flag(f"in_{name}:{number}")
        fits = every((base.at_least(run.start // PAGE), end.at_most(run.end // PAGE), live))
        assertions.append(Assertion(contiguous, implies(inside, fits)))
        in_run.append(inside)
        by_node.setdefault(run.node, []).append(inside)
    assertions.append(Assertion(contiguous, implies(live, some(in_run))))
    convertible = some(
        every((base.at_least(run.start // PAGE), end.at_most(run.end // PAGE)))
        for run in question.cmr_runs
    )
    assertions.append(Assertion(Group("cmr", index), implies(live, convertible)))
    on_node: dict[int, Formula] = {}
    for node, flags in sorted(by_node.items()):
        on_node[node] = Flag(f"on_{name}:{node}")
        assertions.append(Assertion(DEFINITION, same(on_node[node], some(flags))))
    return Part(name, live, base, end, pages, on_node, tuple(in_run))


def _pieces(
    index: int, live: Formula, parts: tuple[Part, ...], assertions: list[Assertion]
) -> tuple[Piece, ...]:
    """Three regions as pieces: back to back in one run they count as a chunk, else one by one."""
    p4, p2, p1 = parts
    together = Flag(f"together:{index}")
    one_run = some(every(flags) for flags in zip(p4.in_run, p1.in_run, strict=True))
    back_to_back = every((p4.end.equals(p2.base), p2.end.equals(p1.base), one_run))
    first_end = Int(f"first_end:{index}")
    assertions += [
        Assertion(DEFINITION, same(together, back_to_back)),
        Assertion(DEFINITION, implies(together, first_end.equals(p1.end))),
        Assertion(DEFINITION, implies(no(together), first_end.equals(p4.end))),
    ]
    apart = every((live, no(together)))
    return (
        Piece(p4.name, live, p4.base, first_end),
        Piece(p2.name, apart, p2.base, p2.end),
        Piece(p1.name, apart, p1.base, p1.end),
    )


def _apart(a: Part, b: Part) -> Formula:
    separate = some((a.end.at_most(b.base), b.end.at_most(a.base)))
    return implies(every((a.live, b.live)), separate)


def _order_alike(slots: list[Slot]) -> list[Assertion]:
    """PAMTs of TDMRs with equal size and home can be exchanged; the earlier TDMR takes the lower.

    The canonical optimum, smallest bases first in TDMR order, is always so ordered.
    """
    previous: dict[tuple[int, int], Slot] = {}
    made: list[Assertion] = []
    for slot in slots:
        kind = (slot.home, slot.segment.window.size)
        low = previous.get(kind)
        if low is not None:
            group = Group(SYMMETRY, low.segment.at, slot.segment.at)
            made.append(Assertion(group, low.parts[0].end.at_most(slot.parts[0].base)))
        previous[kind] = slot
    return made
