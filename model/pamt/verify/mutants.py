"""Planted bugs: changed stages of the kernel that a property has to notice.

A property that a broken policy keeps just as well says nothing.  Each mutant replaces one stage
function in the symbolic run; :func:`check_mutants` asks whether the property is then violated, in a
scope in which linux:mainline itself keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from pamt.configuration import Area
from pamt.kernel import construct
from pamt.kernel.areas import (
    EXHAUSTED,
    FILLED,
    Reserved,
    chunks_inside,
    find_holes,
    reserve_areas,
)
from pamt.kernel.layout import Layout, lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.kernel.sizes import PamtSizes, home_node, pamt_sizes
from pamt.machine import Limits, MemoryRange
from pamt.ranges import GIB, PAGE, Range, align_down, align_up
from pamt.verify.assumptions import DEFAULT
from pamt.verify.engine import verify
from pamt.verify.interp import Interpreter, Value
from pamt.verify.result import DEFAULT_BUDGET, Budget, Vacuity
from pamt.verify.scope import Scope

__all__ = ["MUTANTS", "Mutant", "check_mutants"]


class Mutant(NamedTuple):
    """A stage, what is put in its place, and the properties that must notice."""

    name: str
    stage: Callable[..., Any]
    instead: Callable[..., Any]
    noticed_by: tuple[str, ...]
    scope: Scope


def _no_tail(tdmr: Range, present: Sequence[Range | MemoryRange]) -> list[Range]:
    holes: list[Range] = []
    prev_end = tdmr.start
    for r in present:
        if r.start >= tdmr.end:
            break
        if r.end < tdmr.start:
            continue
        if r.start > prev_end:
            holes.append(Range(prev_end, r.start))
        prev_end = r.end
    return holes


def _no_head(tdmr: Range, present: Sequence[Range | MemoryRange]) -> list[Range]:
    holes: list[Range] = []
    prev_end = tdmr.start
    for r in present:
        if r.start >= tdmr.end:
            break
        if r.end < tdmr.start:
            continue
        if r.start > prev_end > tdmr.start:
            holes.append(Range(prev_end, r.start))
        prev_end = r.end
    if prev_end < tdmr.end:
        holes.append(Range(prev_end, tdmr.end))
    return holes


def _hole_from_start(tdmr: Range, present: Sequence[Range | MemoryRange]) -> list[Range]:
    return [Range(tdmr.start, r.start) for r in present if tdmr.start < r.start < tdmr.end]


def _no_chunks(tdmr: Range, chunks: Sequence[Range]) -> list[Range]:
    return []


def _one_area_more(tdmr: Range, pieces: Sequence[Range], max_reserved: int) -> Reserved:
    areas: list[Area] = []
    for piece in pieces:
        if len(areas) > max_reserved:
            return Reserved(areas, EXHAUSTED)
        areas.append(Area(piece.start - tdmr.start, piece.end - piece.start))
    return Reserved(areas, FILLED)


def _one_area_less(tdmr: Range, pieces: Sequence[Range], max_reserved: int) -> Reserved:
    areas: list[Area] = []
    for piece in pieces:
        if len(areas) >= max_reserved - 1:
            return Reserved(areas, EXHAUSTED)
        areas.append(Area(piece.start - tdmr.start, piece.end - piece.start))
    return Reserved(areas, FILLED)


def _overlapping_layout(listed: Sequence[MemoryRange], max_tdmrs: int) -> Layout:
    return Layout([Range(align_down(r.start, GIB), align_up(r.end, GIB)) for r in listed], False)


def _short_layout(listed: Sequence[MemoryRange], max_tdmrs: int) -> Layout:
    tdmrs: list[Range] = []
    last_end = 0
    for r in listed:
        base = max(align_down(r.start, GIB), last_end)
        if base + GIB <= last_end or r.end <= last_end:
            continue
        tdmrs.append(Range(base, base + GIB))
        last_end = base + GIB
    return Layout(tdmrs, False)


def _small_2m(tdmr_size: int, limits: Limits, dynamic: bool) -> PamtSizes:
    pages = tdmr_size // PAGE
    return PamtSizes(align_up(pages * limits.pamt_entry_size[0], PAGE), PAGE, PAGE)


def _first_only(memory: Sequence[MemoryRange]) -> list[MemoryRange]:
    listed: list[MemoryRange] = []
    for r in memory:
        listed.append(r)
        break
    return listed


def _node_0(tdmr: Range, listed: Sequence[MemoryRange]) -> int | None:
    return 0


def _keep(alloc: Any, trace: Any) -> Any:
    return trace


_HIGH = Scope(ranges=2, gib=6, first_gib=4)
_TIGHT = Scope(ranges=2, gib=6, first_gib=4, limits=Limits(max_tdmrs=4, max_reserved_per_tdmr=2))
_NODES = Scope(ranges=2, gib=6, nodes=2, first_gib=4, assumptions=DEFAULT | {"whole-gib"})
_FULL = Scope(
    ranges=1,
    gib=5,
    first_gib=4,
    limits=Limits(max_tdmrs=4, max_reserved_per_tdmr=1),
    assumptions=DEFAULT | {"whole-gib"},
)
"""One GiB of memory, whose chunk takes the only area."""

MUTANTS: tuple[Mutant, ...] = (
    Mutant("the hole at a TDMR's end is forgotten", find_holes, _no_tail, ("accepted",), _HIGH),
    Mutant("the hole at a TDMR's start is forgotten", find_holes, _no_head, ("accepted",), _HIGH),
    Mutant(
        "holes reach back to the TDMR's start",
        find_holes,
        _hole_from_start,
        ("accepted", "covered"),
        _HIGH,
    ),
    Mutant("PAMTs are not reserved", chunks_inside, _no_chunks, ("accepted",), _HIGH),
    Mutant(
        "one area too many is allowed",
        reserve_areas,
        _one_area_more,
        ("accepted", "areas-at-most:2"),
        _TIGHT,
    ),
    Mutant(
        "one area too few is allowed",
        reserve_areas,
        _one_area_less,
        (
            "complete:linux",
            "complete:linux@ENOSPC_reserved",
            "complete:module",
            "complete:module@ENOSPC_reserved",
            "never:ENOSPC_reserved",
        ),
        _FULL,
    ),
    Mutant("TDMRs overlap", lay_out_tdmrs, _overlapping_layout, ("accepted",), _HIGH),
    Mutant("a TDMR covers one GiB only", lay_out_tdmrs, _short_layout, ("covered",), _HIGH),
    Mutant("the 2M PAMT is too small", pamt_sizes, _small_2m, ("accepted",), _HIGH),
    Mutant("the second range is forgotten", build_memory_list, _first_only, ("covered",), _HIGH),
    Mutant("the home is node 0", home_node, _node_0, ("renaming",), _NODES),
    Mutant(
        "a failure keeps its PAMTs",
        construct._give_back,  # noqa: SLF001 - the stage that is replaced
        _keep,
        ("clean",),
        _HIGH,
    ),
)


def check_mutants(
    policy: str, property_name: str, budget: Budget = DEFAULT_BUDGET
) -> Iterator[Vacuity]:
    """For each mutant that the property is expected to notice: whether it does, one by one.

    Only the policies made of the kernel's stages have mutants here.
    """
    for mutant in MUTANTS:
        if property_name not in mutant.noticed_by or not policy.startswith("linux:"):
            continue
        answer = verify(
            policy,
            property_name,
            mutant.scope,
            budget,
            vacuity=False,
            replacements={mutant.stage: _as_primitive(mutant.instead)},
        )
        if answer.stopped and answer.counterexample is None:
            raise KeyboardInterrupt
        yield Vacuity(f"mutant: {mutant.name}", answer.counterexample is not None, answer.verdict)


def _as_primitive(function: Callable[..., Any]) -> Callable[..., Value]:
    def run(interpreter: Interpreter, live: Any, *args: Value, **keywords: Value) -> Value:
        return interpreter.call(function, *args, live=live, **keywords).value

    return run
