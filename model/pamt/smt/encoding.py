"""From a question to assertions: which positions of PAMTs, and which cuts, are allowed.

The map is seen as *segments*, stretches of whole GiBs: with the kernel's layout each TDMR is one;
with free TDMRs each GiB that holds memory is one, and a flag says whether a TDMR starts there.

    segments   |   0    |   1    |        |   2    |       no memory between 1 and 2
    start        always    flag               flag         a TDMR may bridge the gap, not end in it

All integers count 4 KiB pages; names end in the index of the segment that the TDMR starts at.

Every position is open: nothing here relies on a normal form.  Which pages are given up is decided
here only as to the place of *floats*, see :mod:`pamt.smt.floats`.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pamt.placement import Question
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.smt.areas import count_areas
from pamt.smt.bounds import lower_bounds
from pamt.smt.floats import Float, keep_off
from pamt.smt.labels import DEFINITION, Assertion, Group
from pamt.smt.pieces import Slot, place_parts
from pamt.smt.segments import Segment, cut_segments
from pamt.smt.terms import Formula, Int, Sum, every, implies, no

__all__ = ["Component", "Encoding", "encode"]


@dataclass(frozen=True)
class Component:
    """One objective component: its value, and a lower bound that holds for every configuration.

    `at_most(v)` is a formula saying that the component is no more than v.
    """

    name: str
    at_most: Callable[[int], Formula]
    low: int


@dataclass(frozen=True)
class Encoding:
    """A question as named, grouped assertions."""

    question: Question
    segments: tuple[Segment, ...]
    slots: tuple[Slot, ...]
    """One for each segment that a TDMR may start at, in order."""
    assertions: tuple[Assertion, ...]
    components: Mapping[str, Component]
    floats: tuple[Float, ...] = ()

    def groups(self) -> tuple[Group, ...]:
        """Groups in order of first use, definitions left out."""
        seen = dict.fromkeys(a.group for a in self.assertions)
        return tuple(group for group in seen if group.rule != DEFINITION.rule)

    def decode(
        self, model: Mapping[str, int]
    ) -> tuple[tuple[Range, ...], tuple[tuple[int, int, int], ...]]:
        """TDMR ranges and the PAMT bases (bytes; 4K, 2M, 1G) that a model stands for."""
        begun = [s for s in self.slots if s.starts(model)]
        tdmrs: list[Range] = []
        bases: list[tuple[int, int, int]] = []
        for slot in begun:
            later = [s.segment.at for s in begun if s.segment.at > slot.segment.at]
            last = self.segments[(min(later) if later else len(self.segments)) - 1]
            tdmr = Range(slot.segment.window.start, last.window.end)
            tdmrs.append(tdmr)
            bases.append(slot.bases(model, self.question.sizes(tdmr.size // GIB)))
        return tuple(tdmrs), tuple(bases)

    def given_up(self, model: Mapping[str, int]) -> RangeSet:
        """The pages (as bytes) that a model gives up."""
        gone = self.question.given_up - RangeSet(_pages(f, f.low) for f in self.floats)
        return gone | RangeSet(_pages(f, model[f.name]) for f in self.floats)


def _pages(gone: Float, at: int) -> Range:
    return Range(at * PAGE, (at + gone.length) * PAGE)


def encode(
    question: Question,
    *,
    symmetry: bool = True,
    floats: tuple[Float, ...] = (),
    borders: frozenset[int] | None = None,
) -> Encoding:
    """Encode a question that has no trivial cause.

    `floats`: runs of pages given up whose place is open; `question` is then posed with some place
    for each of them among `given_up`, and with free runs that still hold them.  `borders`: where
    free TDMRs may begin, see :func:`pamt.smt.segments.cut_segments`; None leaves every cut open.

    `symmetry` orders the PAMTs of TDMRs that are alike, which loses no canonical optimum; turn it
    off where a cause is looked for.  Raises ValueError when the question has a trivial cause.
    """
    if question.trivial is not None:
        raise ValueError(f"decided already: {question.trivial.kind}")
    segments = cut_segments(question, borders)
    slots, assertions = place_parts(question, segments, symmetry=symmetry)
    assertions += keep_off(floats, slots)
    areas = count_areas(question, segments, slots, floats)
    assertions += areas.assertions
    limit = question.limits.max_reserved_per_tdmr
    for segment, per_tdmr in zip(segments, areas.per_tdmr, strict=True):
        at_most = implies(segment.start, per_tdmr.at_most(limit))
        assertions.append(Assertion(Group("limit", segment.at), at_most))
    starts = Sum((), tuple((1, segment.start) for segment in segments))
    if question.space.tdmrs == "free":
        at_most = starts.at_most(question.limits.max_tdmrs)
        assertions.append(Assertion(Group("tdmr-limit"), at_most))

    remote, defined = _remote(question, slots)
    assertions += defined
    pages = sum((slot.pages for slot in slots), Sum())

    def max_areas(value: int) -> Formula:
        return every(
            implies(segment.start, per_tdmr.at_most(value))
            for segment, per_tdmr in zip(segments, areas.per_tdmr, strict=True)
        )

    lost = question.given_up.size // PAGE
    lows = lower_bounds(question)
    sums: dict[str, Sum] = {
        "lost": Sum(constant=lost),
        "remote": remote,
        "areas": areas.total,
        "tdmrs": starts,
        "pamt_pages": pages,
    }
    components = {
        name: Component(name, sums[name].at_most if name in sums else max_areas, low)
        for name, low in lows._asdict().items()
    }
    return Encoding(question, segments, slots, tuple(assertions), components, floats)


def _remote(question: Question, slots: Iterable[Slot]) -> tuple[Sum, list[Assertion]]:
    """Pages x extra distance, summed over all PAMT regions."""
    total = Sum()
    assertions: list[Assertion] = []
    for slot in slots:
        for part in slot.parts:
            weights = {node: question.weight(slot.home, node) for node in part.on_node}
            if not any(weights.values()):
                continue
            if not part.pages.ints:
                size = part.pages.constant
                flags = ((w * size, part.on_node[node]) for node, w in weights.items())
                total += Sum((), tuple(flags))
                continue
            cost = Int(f"cost:{part.name}")
            for node, weight in weights.items():
                defined = implies(part.on_node[node], cost.equals(part.pages.times(weight)))
                assertions.append(Assertion(DEFINITION, defined))
            assertions.append(Assertion(DEFINITION, implies(no(part.live), cost.equals(0))))
            total += cost
    return total, assertions
