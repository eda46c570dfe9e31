"""Which pages a failure of the kernel hangs on: withdrawing any others leaves it as it is.

Let X be further pages, none of them in the set given here.  Then after X is withdrawn

* every range of the list still has memory in each GiB where it had some, and ends in no other GiB:
  layout, PAMT sizes and home nodes are the same (:mod:`pamt.explain.shortage`, where TDMRs end);
* the lowest and highest page of each node stay, and each zone still holds memory: zones derived
  from spans, and with them the slots, are the same;
* no chunk loses a page, and no page becomes free: slots that did not fit do not fit now, so each
  search ends at the slot where it ended, one after the other;
* no hole goes, since none of the memory between two holes is withdrawn as a whole.

So the run ends in the same failure.  Where the holes of one TDMR exceed its areas, chunks do not
matter: only pages that can join two of its holes, or cut it, do.

This rests on the kernel's own steps; for any other policy every page is sensitive.
Sources: Linux v6.8 arch/x86/virt/vmx/tdx/tdx.c and mm/page_alloc.c, alloc_contig_pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pamt.explain.changes import Trial
from pamt.explain.shortage import crowding, ends_by_cell
from pamt.kernel.memlist import LOW_MEMORY_END, build_memory_list
from pamt.machine import Machine, MemoryRange
from pamt.policies.linux import LinuxPolicy
from pamt.policies.protocol import Policy
from pamt.ranges import GIB, PAGE, Range, RangeSet, align_down, align_up
from pamt.standins import complete

__all__ = ["sensitive_pages"]

DECIDED = frozenset({"ENOSPC_reserved", "ENOMEM_pamt", "ENOSPC_tdmrs"})


def sensitive_pages(policy: Policy, machine: Machine, trial: Trial, more: int = 1) -> RangeSet:
    """Pages at or above 1 MiB of which a set of at most `more` must hold one to mend `trial`.

    `machine` is the one that `trial` failed on, as its file gives it, with memory filled in.
    """
    listed = build_memory_list(machine.memory or ())
    everything = RangeSet(r.range for r in listed)
    outcome = trial.outcome
    if not isinstance(policy, LinuxPolicy) or outcome.reason not in DECIDED:
        return everything
    small = _small_pieces(listed, more)
    if outcome.reason == "ENOSPC_tdmrs":
        # A cut only adds a TDMR.
        return small
    layout = small | _cutting_pages(listed)
    failed = outcome.failed_tdmr
    if outcome.reason == "ENOSPC_reserved" and failed is not None:
        tdmr = outcome.tdmrs[failed].range
        holes = crowding(tdmr, listed)
        enough = machine.limits.max_reserved_per_tdmr
        if not policy.variant.holes_from_cmrs and holes.holes > enough:
            if holes.head is None:
                return small.within(tdmr)
            return layout.within(tdmr)
    chunks = RangeSet(taken.range for taken in outcome.trace if taken.action == "take")
    return (layout | chunks | _zone_pages(machine, more)) & everything


def _small_pieces(listed: Sequence[MemoryRange], more: int) -> RangeSet:
    """What ranges hold of a GiB, where that is at most `more` pages."""
    found: list[Range] = []
    for r in listed:
        # Only the first and the last GiB of a range can hold little of it.
        first = Range(r.start, min(r.end, align_down(r.start, GIB) + GIB))
        last = Range(max(r.start, align_up(r.end, GIB) - GIB), r.end)
        found += [piece for piece in (first, last) if piece.size <= more * PAGE]
    return RangeSet(found)


def _cutting_pages(listed: Sequence[MemoryRange]) -> RangeSet:
    """Pages that make a range end in a GiB where none ends: there, a TDMR would end.

    What is left before a page ends at its address, which for the first page of a GiB is the end of
    the GiB below.
    """
    ends = RangeSet((border - GIB + PAGE, border + PAGE) for border in ends_by_cell(listed))
    return RangeSet(r.range for r in listed) - ends


def _zone_pages(machine: Machine, more: int) -> RangeSet:
    """The lowest and highest pages of each node, and all memory of a zone that holds little."""
    own: dict[int, list[Range]] = defaultdict(list)
    for r in machine.memory or ():
        own[r.node].append(r.range)
    zones = {node.id: node.zones or () for node in complete(machine).machine.nodes}
    found: list[Range] = []
    for node, ranges in own.items():
        memory = RangeSet(ranges)
        span = memory.span
        found += [Range(span.start, span.start + PAGE), Range(span.end - PAGE, span.end)]
        for zone in zones.get(node, ()):
            held = memory.within(zone.range)
            if held.size <= more * PAGE:
                found += held.runs
    return RangeSet(found) - RangeSet([(0, LOW_MEMORY_END)])
