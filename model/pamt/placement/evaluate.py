"""The judge: which conditions a finished configuration breaks, and what it costs.

The conditions are those of docs/design.md, section 5.

Every answer of every solver passes through here before it is shown, so each condition is written
as directly as it is said, one function each.  Near-linear in the size of the map and of the
configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from pamt.configuration import LEVELS, Configuration, Tdmr
from pamt.kernel.memlist import build_memory_list
from pamt.machine import Machine
from pamt.module.accept import accepts
from pamt.placement.question import Question, pose
from pamt.placement.shape import Reservations
from pamt.placement.space import Objective, Space
from pamt.ranges import GIB, PAGE, Range, RangeSet

__all__ = ["Judgement", "Violation", "evaluate"]


class Violation(NamedTuple):
    """A condition that does not hold, and where.

    `condition`: ``give-up``, ``trivial:KIND``, ``layout``, ``sizes``, ``placed``, ``areas``,
    ``limit``, ``accepted``, ``covered``.
    """

    condition: str
    tdmr: int | None = None
    level: str | None = None
    """4k, 2m or 1g."""
    where: Range | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All violated conditions, and the objective where there are none."""

    violations: tuple[Violation, ...]
    objective: Objective | None

    @property
    def holds(self) -> bool:
        return not self.violations


def evaluate(
    machine: Machine, space: Space, configuration: Configuration, given_up: RangeSet | None = None
) -> Judgement:
    """Judge `configuration`, with the pages `given_up` withdrawn from the memory ranges first.

    Raises :class:`pamt.placement.question.InputError` where the machine can't be asked about.
    """
    gone = given_up if given_up is not None else RangeSet()
    question = pose(machine, space, gone)
    broken = list(_give_up(machine, space, gone))
    if question.trivial is not None:
        broken.append(Violation(f"trivial:{question.trivial.kind}"))
    broken += _layout(question, configuration)
    if broken:
        # The rest speaks of the TDMRs' homes, sizes and holes, which need a sound layout.
        return Judgement(tuple(broken), None)
    broken += _sizes(question, configuration)
    broken += _placed(question, configuration)
    broken += _areas(question, configuration)
    broken += _covered(question, configuration)
    broken += _accepted(question, configuration)
    if broken:
        return Judgement(tuple(broken), None)
    return Judgement((), objective_of(question, configuration))


def _give_up(machine: Machine, space: Space, gone: RangeSet) -> Iterator[Violation]:
    """Whole pages of memory, no more than the space allows, and not all of it."""
    assert machine.memory is not None
    memory = RangeSet(r.range for r in build_memory_list(machine.memory))
    if gone - memory:
        yield Violation("give-up", where=(gone - memory).runs[0])
    for run in gone:
        if not run.is_aligned(PAGE):
            yield Violation("give-up", where=run)
    if gone.size > space.give_up * PAGE or (gone and gone == memory):
        yield Violation("give-up", where=gone.span)


def _layout(question: Question, configuration: Configuration) -> Iterator[Violation]:
    """TDMRs as the kernel lays them out; or, where the cut is free, runs of whole GiBs.

    These ascend, are disjoint, begin and end with a GiB holding memory, and together hold every
    such GiB.
    """
    tdmrs = [t.range for t in configuration.tdmrs]
    if question.space.tdmrs == "kernel":
        for index, want in enumerate(question.kernel_tdmrs):
            if index >= len(tdmrs) or tdmrs[index] != want:
                yield Violation("layout", index, where=want)
        for index in range(len(question.kernel_tdmrs), len(tdmrs)):
            yield Violation("layout", index, where=tdmrs[index])
        return
    holding = set(question.cells)
    last_end = 0
    for index, tdmr in enumerate(tdmrs):
        whole = not tdmr.is_empty and tdmr.is_aligned(GIB)
        first, last = tdmr.start // GIB, tdmr.end // GIB - 1
        if not whole or tdmr.start < last_end or not {first, last} <= holding:
            yield Violation("layout", index, where=tdmr)
        last_end = max(last_end, tdmr.end)
    covered = RangeSet(tdmrs)
    for cell in question.cells:
        window = Range(cell * GIB, (cell + 1) * GIB)
        if window not in covered:
            yield Violation("layout", where=window)


def _sizes(question: Question, configuration: Configuration) -> Iterator[Violation]:
    """Every PAMT region has exactly the smallest legal size."""
    for index, tdmr in enumerate(configuration.tdmrs):
        sizes = question.sizes(tdmr.size // GIB)
        for level, pamt, size in zip(LEVELS, tdmr.pamts, sizes, strict=True):
            if pamt.size != size:
                yield Violation("sizes", index, level, pamt.range)


def _placed(question: Question, configuration: Configuration) -> Iterator[Violation]:
    """Every region lies, page aligned, in one free run; no two overlap; chunks where demanded."""
    regions: list[tuple[Range, int, str]] = []
    for index, tdmr in enumerate(configuration.tdmrs):
        for level, pamt in zip(LEVELS, tdmr.pamts, strict=True):
            if _node_of(question, pamt.range) is None or not pamt.range.is_aligned(PAGE):
                yield Violation("placed", index, level, pamt.range)
            regions.append((pamt.range, index, level))
        p4, p2, p1 = tdmr.pamts
        if question.space.pamt == "chunk":
            whole = Range(p4.base, p1.range.end)
            together = p4.range.end == p2.base and p2.range.end == p1.base
            if not together or _node_of(question, whole) is None:
                yield Violation("placed", index, where=whole)
    regions.sort()
    for (low, _, _), (high, index, level) in pairwise(regions):
        if low.end > high.start:
            yield Violation("placed", index, level, high)


def _node_of(question: Question, region: Range) -> int | None:
    """Node of the one free run that holds all of `region`, which must not be empty."""
    if region.is_empty:
        return None
    for node, runs in question.free_by_node.items():
        if region in runs:
            return node
    return None


def _areas(question: Question, configuration: Configuration) -> Iterator[Violation]:
    """Exactly the reserved areas that the space's rule yields, and no more than the limit."""
    due = Reservations(question, (t.pamts for t in configuration.tdmrs))
    for index, tdmr in enumerate(configuration.tdmrs):
        listed = [area for area in tdmr.reserved if area.size]
        if listed != list(due.areas(tdmr.range)):
            yield Violation("areas", index, where=tdmr.range)
        if len(listed) > question.limits.max_reserved_per_tdmr:
            yield Violation("limit", index, where=tdmr.range)


def _covered(question: Question, configuration: Configuration) -> Iterator[Violation]:
    """Every page of memory is in a non-reserved part of a TDMR, or in a PAMT."""
    pamts = RangeSet(p.range for t in configuration.tdmrs for p in t.pamts)
    reserved = RangeSet(area for t in configuration.tdmrs for area in _reserved(t))
    usable = RangeSet(t.range for t in configuration.tdmrs) - reserved
    for run in question.memory_set - usable - pamts:
        yield Violation("covered", where=run)


def _reserved(tdmr: Tdmr) -> list[Range]:
    return [Range.sized(tdmr.base + a.offset, a.size) for a in tdmr.reserved if a.size]


def _accepted(question: Question, configuration: Configuration) -> Iterator[Violation]:
    """TDH.SYS.CONFIG answers TDX_SUCCESS, to the call that hands over all TDMRs and no others.

    A call that comes with the configuration is not looked at: it could count fewer TDMRs.
    """
    assert question.machine.cmrs is not None
    handed_over = Configuration(configuration.tdmrs)
    if not accepts(handed_over, question.machine.cmrs, question.limits):
        yield Violation("accepted")


def objective_of(question: Question, configuration: Configuration) -> Objective:
    """What a configuration costs.

    Raises ValueError when a PAMT region lies in no free run.
    """
    remote = 0
    for tdmr in configuration.tdmrs:
        home = question.facts(tdmr.range).home
        for pamt in tdmr.pamts:
            node = _node_of(question, pamt.range)
            if node is None:
                raise ValueError(f"the PAMT region {pamt.range} is in no free run")
            remote += pamt.size // PAGE * question.weight(home, node)
    counts = [sum(1 for a in t.reserved if a.size) for t in configuration.tdmrs]
    return Objective(
        lost=question.given_up.size // PAGE,
        remote=remote,
        max_areas=max(counts, default=0),
        areas=sum(counts),
        tdmrs=len(configuration.tdmrs),
        pamt_pages=sum(p.size for t in configuration.tdmrs for p in t.pamts) // PAGE,
    )
