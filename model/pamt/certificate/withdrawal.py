"""What giving up pages can change: a list of cases that no choice of pages escapes.

Rebuilt from the machine by the checker of a step ``withdraw`` (specs/certificate.md), so that a
certificate brings proofs for cases, and the cases themselves are not taken from it.

``sets``: every set of pages is a case.  For maps of few pages.

``layouts``: a *part* is what one memory range has of one GiB.  Of the pages that go, two things
decide TDMRs, home nodes and holes: which parts go as a whole, and at which GiB borders inside a
memory range the kernel begins a new TDMR because a page beside the border is gone:

    GiB       |         |         |         |
    range     |========= ========= ====  ===|       pages of three parts, one of them gone:
    list      |-----------------------|  |--|       two ranges,
    TDMRs     |<--------------------------->|       one TDMR, since both end in the same GiB;

    range     |=========x========= =========|       here the first page of the second part:
    TDMRs     |<------->|<----------------->|       a border is opened

All other pages may be put back without anything getting worse (under ``minimal`` they may join
areas, and are counted in a case's `slack`).  A case keeps all free pages that any choice in it
might keep, so what is impossible in it is impossible for every choice.

Source: docs/design.md, section 5 (``--give-up``); the proof is in specs/certificate.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from math import comb
from typing import NamedTuple

from pamt.machine import Machine, MemoryRange
from pamt.placement import NodeRun, Question, Space, pose
from pamt.ranges import GIB, PAGE, Range, RangeSet

__all__ = ["KINDS", "MOST_CASES", "Case", "TooManyCases", "fillable_with", "forced", "list_cases"]

KINDS = ("layouts", "sets")
MOST_CASES = 20_000
"""Cases that are listed for one step."""


class TooManyCases(ValueError):
    """More cases than are listed, or asked about."""


class Case(NamedTuple):
    """Choices of pages that differ in nothing that counts."""

    key: tuple[object, ...]
    """Tells the questions of a machine apart, whatever the limit they are listed for."""
    question: Question
    """What holds for every choice in the case, with all pages free that any of them leaves free."""
    pages: int
    """Fewest pages that such a choice gives up."""
    slack: int
    """Pages that may go besides and are not seen in `question`; always 0 but under ``minimal``."""
    gone: RangeSet
    """Given up by every choice in the case."""
    places: tuple[RangeSet, ...]
    """Besides, one page out of each of these."""


class _Part(NamedTuple):
    """What the memory range with index `owner` has of one GiB."""

    owner: int
    range: Range

    @property
    def pages(self) -> int:
        return self.range.size // PAGE


class _Item(NamedTuple):
    """One thing that may happen: part `at` goes (`side` ``whole``), or its end becomes a border."""

    at: int
    side: str
    """``whole``; ``left``, ``right``: a page on that side of the border goes; ``either``."""


def forced(question: Question) -> RangeSet:
    """Memory outside the CMR runs: no configuration may keep it."""
    return question.memory_set - question.cmr_runs


def list_cases(machine: Machine, space: Space, limit: int, kind: str) -> Iterator[Case]:
    """Cases for giving up at most `limit` pages, but not all memory.

    The first has the fewest pages.  Raises TooManyCases, after the last that is allowed.
    """
    bare = pose(machine, space)
    gone = forced(bare)
    left = limit - gone.size // PAGE
    if left < 0 or gone == bare.memory_set:
        return
    base = pose(machine, space, gone) if gone else bare
    found = _sets(base, left) if kind == "sets" else _layouts(base, left)
    for number, case in enumerate(found):
        if number >= MOST_CASES:
            raise TooManyCases
        yield case


def _sets(base: Question, left: int) -> Iterator[Case]:
    size = base.memory_set.size // PAGE
    most = min(left, size - 1)
    total = 0
    for number in range(most + 1):
        total += comb(size, number)
        if total > MOST_CASES:
            raise TooManyCases
    pages = [at for r in base.memory_set for at in range(r.start, r.end, PAGE)] if most else []
    for number in range(most + 1):
        for chosen in combinations(pages, number):
            gone = base.given_up | RangeSet((at, at + PAGE) for at in chosen)
            question = pose(base.machine, base.space, gone)
            yield Case(("sets", *chosen), question, gone.size // PAGE, 0, gone, ())


def _layouts(base: Question, left: int) -> Iterator[Case]:
    if left and len(base.cells) + len(base.memory) > MOST_CASES:
        raise TooManyCases
    parts = list(_parts(base)) if left else []
    items = list(_items(base, parts, left))
    taken = base.given_up.size // PAGE
    everything = len(parts)
    deepest = MOST_CASES.bit_length()

    def cost(item: _Item) -> int:
        return parts[item.at].pages if item.side == "whole" else 1

    def go(first: int, chosen: tuple[_Item, ...], spent: int) -> Iterator[Case]:
        if len(chosen) > deepest:
            # Nearly every part of what is chosen is a case, too.
            raise TooManyCases
        yield _case(base, parts, chosen, taken + spent, left - spent)
        for at in range(first, len(items)):
            item = items[at]
            if spent + cost(item) > left or not _agree(parts, chosen, item):
                continue
            if sum(i.side == "whole" for i in (*chosen, item)) < everything:
                yield from go(at + 1, (*chosen, item), spent + cost(item))

    yield from go(0, (), 0)


def _parts(base: Question) -> Iterator[_Part]:
    for owner, r in enumerate(base.memory):
        at = r.start
        while at < r.end:
            end = min(r.end, (at // GIB + 1) * GIB)
            yield _Part(owner, Range(at, end))
            at = end


def _items(base: Question, parts: Sequence[_Part], left: int) -> Iterator[_Item]:
    """In the order of addresses; only such as matter in this space."""
    space = base.space
    for at, part in enumerate(parts):
        if part.pages <= left:
            yield _Item(at, "whole")
        if space.tdmrs == "free" or at + 1 == len(parts) or parts[at + 1].owner != part.owner:
            continue
        if space.reserve != "memory":
            yield _Item(at, "either")
            continue
        # A page has to stay on either side of the hole.
        if part.pages >= 2:
            yield _Item(at, "left")
        if parts[at + 1].pages >= 2:
            yield _Item(at, "right")


def _agree(parts: Sequence[_Part], chosen: Sequence[_Item], item: _Item) -> bool:
    """Whether `item`, which comes behind all that are chosen, may happen with them."""
    for other in chosen[-2:]:
        if other.at == item.at:
            # The part is gone, or the border is open already.
            return False
        if other.at + 1 == item.at and other.side != "whole":
            if item.side == "whole":
                return False
            if (other.side, item.side) == ("right", "left") and parts[item.at].pages < 3:
                return False
    return True


def _case(
    base: Question, parts: Sequence[_Part], chosen: Sequence[_Item], pages: int, slack: int
) -> Case:
    whole = [parts[item.at].range for item in chosen if item.side == "whole"]
    gone = base.given_up | RangeSet(whole)
    opened = {item.at: item.side for item in chosen if item.side != "whole"}
    places: list[RangeSet] = []
    for at, side in opened.items():
        low, high = parts[at].range, parts[at + 1].range
        behind = opened.get(at - 1) == "right" and parts[at - 1].owner == parts[at].owner
        before = Range(min(low.start + (2 if behind else 1) * PAGE, low.end), low.end)
        first = Range(high.start, high.start + PAGE)
        windows = {"left": [before], "right": [first], "either": [before, first]}[side]
        places.append(RangeSet(w for w in windows if not w.is_empty))
    question = base
    if chosen:
        question = replace(
            base,
            given_up=gone,
            memory=tuple(_memory(base, parts, set(whole), opened)),
            free=_free(base.free, RangeSet(whole)),
        )
    minimal = base.space.reserve == "minimal"
    extra = slack + len(opened) if minimal else 0
    return Case(("layouts", *chosen), question, pages, extra, gone, tuple(places))


def _memory(
    base: Question, parts: Sequence[_Part], whole: set[Range], opened: dict[int, str]
) -> Iterator[MemoryRange]:
    """The memory list, ranges parted at opened borders, with a page gone where that is a hole."""
    pending: list[int] | None = None
    owner = -1
    for at, part in enumerate(parts):
        if pending is not None and owner != part.owner:
            yield _piece(base, owner, pending)
            pending = None
        owner = part.owner
        if part.range in whole:
            if pending is not None:
                yield _piece(base, owner, pending)
                pending = None
            continue
        if pending is None:
            pending = [part.range.start, part.range.end]
        pending[1] = part.range.end
        side = opened.get(at)
        if side is not None:
            yield _piece(base, owner, [pending[0], pending[1] - PAGE * (side == "left")])
            start = part.range.end + PAGE * (side == "right")
            pending = [start, start]
    if pending is not None:
        yield _piece(base, owner, pending)


def _piece(base: Question, owner: int, ends: Sequence[int]) -> MemoryRange:
    r = base.memory[owner]
    return MemoryRange(ends[0], ends[1], r.node, r.origin)


def _free(free: tuple[NodeRun, ...], gone: RangeSet) -> tuple[NodeRun, ...]:
    if not gone:
        return free
    return tuple(
        NodeRun(run.start, run.end, node)
        for start, end, node in free
        for run in gone.complement(Range(start, end))
    )


def fillable_with(question: Question, slack: int) -> tuple[Range, ...]:
    """Under ``minimal``: gaps that PAMTs and `slack` pages that are given up might fill together.

    Like :func:`pamt.certificate.cut_bound.fillable_gaps`, but judged by the number of pages alone.
    """
    cells = question.cells
    whole = Range(cells[0] * GIB, (cells[-1] + 1) * GIB)
    outside = question.cmr_runs.complement(whole)
    memory = question.memory_set
    stretches = [hole for hole in memory.complement(whole) if outside.overlaps(hole)]
    if question.tdmrs is not None:
        room = sum(fact.sizes.total for fact in question.tdmrs)
    else:
        # Each region of each TDMR rounds up on its own, by less than a page.
        most = min(question.limits.max_tdmrs, len(cells))
        room = question.sizes(cells[-1] - cells[0] + 1).total + 3 * PAGE * most
    found: list[Range] = []
    for low, high in pairwise(stretches):
        between = memory.within(Range(low.end, high.start))
        taken = (between - question.free_set).size
        if between.size <= room + slack * PAGE and taken <= slack * PAGE:
            found.append(between.span)
    return tuple(found)
