"""Under ``minimal``, cuts free, every PAMT at home: each number of TDMRs by itself.

A cut into so many TDMRs has so many stretches to be reserved, at least, and as many gaps have to be
filled as these are more than a claim allows (:mod:`pamt.certificate.linked` tells where an area
comes besides).  Whether so many TDMRs can fill so many gaps is asked of
:mod:`pamt.certificate.together`; for cuts that bridge a stretch between cells, and for those that
do not.  Where the claim limits PAMT pages, no TDMR is so long that the others would have too few.

Source: docs/design.md, section 5 (``minimal``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pamt.certificate.cut_bound import NEVER, CutFacts, remembered
from pamt.certificate.linked import modest, unbridged
from pamt.certificate.near_home import at_home, homes, near, pools
from pamt.certificate.together import GapRuns, Sizes, Together, TooManyWays
from pamt.placement import Question

__all__ = ["no_number_does", "ways_to_fill"]


class _Asked(NamedTuple):
    """What is asked of one number of TDMRs, for one kind of cuts."""

    together: Together
    least: int
    wanted: Mapping[int, int]
    small: int
    longest: int


def no_number_does(
    question: Question,
    facts: CutFacts,
    gaps: Mapping[int, Sequence[GapRuns]],
    at_most: Mapping[str, int],
    few: int,
) -> bool:
    """Whether with no number of TDMRs all components can be at most as stated.

    `facts`: of the claim; `gaps`: by the node that each is counted for; `few`: gaps that can be
    filled at once, at most.
    """
    if not _applies(question, gaps, at_most):
        return False
    try:
        return not any(
            asked.together.may_be(number, asked.least, asked.wanted, asked.small, asked.longest)
            for number in _numbers(facts, at_most)
            for asked in _asked(question, facts, gaps, at_most, few, number)
        )
    except TooManyWays:
        return False


def ways_to_fill(
    question: Question,
    facts: CutFacts,
    gaps: Mapping[int, Sequence[GapRuns]],
    at_most: Mapping[str, int],
    few: int,
) -> Iterator[tuple[Sizes, tuple[GapRuns, ...]]]:
    """What :func:`no_number_does` finds: sizes of TDMRs near a node, and gaps that they fill.

    Raises :class:`pamt.certificate.together.TooManyWays`.
    """
    if not _applies(question, gaps, at_most):
        return
    for number in _numbers(facts, at_most):
        for asked in _asked(question, facts, gaps, at_most, few, number):
            yield from asked.together.ways(
                number, asked.least, asked.wanted, asked.small, asked.longest
            )


def _numbers(facts: CutFacts, at_most: Mapping[str, int]) -> range:
    return range(1, min(facts.most, len(facts.cells), at_most["tdmrs"]) + 1)


def _applies(
    question: Question, gaps: Mapping[int, Sequence[GapRuns]], at_most: Mapping[str, int]
) -> bool:
    return (
        len(gaps) == 1
        and question.space.pamt == "split"
        and {"areas", "tdmrs"} <= at_most.keys()
        and at_home(question, at_most)
        and _begins(question, next(iter(gaps))) is not None
    )


def _begins(question: Question, node: int) -> tuple[int, int] | None:
    """First cell (by index), and the one behind the last, where TDMRs near a node begin.

    None where these are not neighbours.
    """
    nodes = near(question)
    found = [at for at, home in enumerate(homes(question)) if node in nodes[home]]
    if not found or found[-1] - found[0] + 1 != len(found):
        return None
    return found[0], found[-1] + 1


def _asked(
    question: Question,
    facts: CutFacts,
    gaps: Mapping[int, Sequence[GapRuns]],
    at_most: Mapping[str, int],
    few: int,
    number: int,
) -> Iterator[_Asked]:
    """What has to be true of cuts into `number` TDMRs, one kind after the other."""
    cap = min(facts.limit, at_most.get("max_areas", facts.limit))
    stretches = _fewest(question, facts, cap + few, number)
    least = stretches - at_most["areas"]
    if least > few:
        return
    wanted = {at: holes - cap for at, holes in enumerate(facts.alone) if holes > cap}
    (node,) = gaps
    small = pools(question, facts, {**at_most, "tdmrs": number})[node].small
    for bridged, more in _kinds(facts):
        longest = _longest(facts, number, more, at_most.get("pamt_pages"))
        if longest:
            together = _together(question, facts, gaps, cap, few, bridged=bridged)
            yield _Asked(together, least, wanted, small, longest)


def _fewest(question: Question, facts: CutFacts, cap: int, number: int) -> int:
    """Areas of a cut into `number` TDMRs before gaps are filled, at least; `cap` in a TDMR."""
    # Either all PAMTs share areas with stretches inside cells, or there is an area besides.
    plain = unbridged(facts).but(limit=cap).cuts(("areas",)).layer(number)[0]
    small = modest(question, facts, at_home=True).but(limit=cap).cuts(("areas",)).layer(number)[0]
    return min(NEVER, plain + 1, small)


def _kinds(facts: CutFacts) -> Iterator[tuple[bool, int]]:
    """Whether a stretch between cells is bridged, and GiBs besides those of cells, at least."""
    yield False, 0
    cells = facts.cells
    bridges = [at for at, joined in enumerate(facts.joined) if joined > 0]
    if bridges:
        yield True, min(cells[at + 1] - cells[at] - 1 for at in bridges)


def _longest(facts: CutFacts, number: int, more: int, pages: int | None) -> int:
    """GiB of a TDMR at most, where `number` of them have so many pages at most; 0: none may be.

    `more`: GiBs besides those of cells.
    """
    if pages is None:
        return len(facts.pages) - 1
    base = facts.page_steps[0]
    over = [facts.pages[gib] - base * gib for gib in range(1, len(facts.pages))]
    left = pages - base * (len(facts.cells) + more) - (number - 1) * min(over)
    return max((gib for gib, besides in enumerate(over, 1) if besides <= left), default=0)


def _together(
    question: Question,
    facts: CutFacts,
    gaps: Mapping[int, Sequence[GapRuns]],
    cap: int,
    few: int,
    *,
    bridged: bool,
) -> Together:
    known = remembered(question)
    key = ("together", facts, cap, few, bridged)
    if key not in known:
        # With all gaps filled that might be, and with no more of them than can be at once.
        reach = list(map(min, facts.reach(cap), facts.unfilled.reach(cap + few)))
        if not bridged:
            stop = len(reach)
            for at in reversed(range(len(facts.joined))):
                stop = at + 1 if facts.joined[at] > 0 else stop
                reach[at] = min(reach[at], stop)
        ((node, some),) = gaps.items()
        begins = _begins(question, node)
        assert begins is not None
        known[key] = Together(question, some, begins, reach)
    made: Together = known[key]
    return made
