"""Single stages of the kernel's start-up as policies, to verify them alone: ``stage:areas``.

They use the very stage functions of :mod:`pamt.kernel`; what is left out is said in each docstring.
"""

from __future__ import annotations

from pamt.kernel.areas import EXHAUSTED, find_holes, reserve_areas
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.machine import Machine
from pamt.outcome import ENOSPC, SUCCESS, Outcome, PlannedTdmr
from pamt.policies.protocol import Allocator

__all__ = ["STAGES", "areas_stage"]


def areas_stage(machine: Machine, alloc: Allocator, /) -> Outcome:
    """Memory list, layout and holes; no PAMTs are placed, so no chunk takes an area."""
    listed = build_memory_list(machine.memory or ())
    layout = lay_out_tdmrs(listed, machine.limits.max_tdmrs)
    if layout.exhausted:
        return Outcome(ENOSPC, "ENOSPC_tdmrs")
    planned: list[PlannedTdmr] = []
    for tdmr in layout.tdmrs:
        holes = find_holes(tdmr, listed)
        reserved = reserve_areas(tdmr, holes, machine.limits.max_reserved_per_tdmr)
        if reserved.stop == EXHAUSTED:
            return Outcome(ENOSPC, "ENOSPC_reserved", tuple(planned))
        planned.append(
            PlannedTdmr(tdmr.start, tdmr.end - tdmr.start, reserved=tuple(reserved.areas))
        )
    return Outcome(0, SUCCESS, tuple(planned))


STAGES = {"stage:areas": areas_stage}
