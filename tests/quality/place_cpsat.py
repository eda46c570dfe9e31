"""Placement with the kernel's layout as a CP-SAT interval model, for comparison.

Spaces: TDMRs `kernel`; PAMT `chunk` or `split`; areas `memory` or `cmr`.  Components `remote`,
`max_areas`, `areas` are brought down one after the other.  Written from docs/design.md, section 5,
with OR-Tools' own vocabulary (optional intervals, no-overlap), not from the SMT encoding.
"""

from __future__ import annotations

from ortools.sat.python import cp_model

from pamt.machine import Machine
from pamt.placement import Space, pose

PAGE = 4096


def solve(machine: Machine, space: Space, order: tuple[str, ...]) -> tuple[int, ...] | None:
    """Least values of the components in `order`, lexicographically; None when infeasible."""
    question = pose(machine, space)
    if question.trivial is not None or question.tdmrs is None:
        return None
    model = cp_model.CpModel()
    intervals = []
    pieces = []
    remote = []
    for number, fact in enumerate(question.tdmrs):
        pages = [size // PAGE for size in fact.sizes]

        def piece(name: str, length: int, used, runs=question.free, fact=fact):
            """An optional interval in exactly one free run; its presence in each node is priced."""
            starts = []
            for at, run in enumerate(runs):
                low, high = run.start // PAGE, run.end // PAGE - length
                if low > high:
                    continue
                here = model.new_bool_var(f"{name} in {at}")
                start = model.new_int_var(low, high, f"{name} at {at}")
                intervals.append(
                    model.new_optional_fixed_size_interval_var(start, length, here, f"{name} {at}")
                )
                remote.append(length * question.weight(fact.home, run.node) * here)
                starts.append((here, start, length, used))
            model.add(sum(here for here, *_ in starts) == used)
            pieces.append(starts)

        chunk = model.new_bool_var(f"chunk {number}")
        piece(f"chunk {number}", sum(pages), chunk)
        if space.pamt == "chunk":
            model.add(chunk == 1)
        else:
            for level, length in enumerate(pages):
                piece(f"level {level} of {number}", length, chunk.negated())
    model.add_no_overlap(intervals)
    counts = []
    for fact in question.tdmrs:
        low, high = fact.range.start // PAGE, fact.range.end // PAGE
        inside = []
        for starts in pieces:
            for here, start, length, _ in starts:
                over = model.new_bool_var("")
                below, above = model.new_bool_var(""), model.new_bool_var("")
                model.add(start + length <= low).only_enforce_if(below)
                model.add(start >= high).only_enforce_if(above)
                # Not over only if below, above or absent: minimisation keeps `over` honest.
                model.add_bool_or(over, below, above, here.negated())
                inside.append(over)
        count = model.new_int_var(0, machine.limits.max_reserved_per_tdmr, "")
        model.add(count == len(fact.holes) + sum(inside))
        counts.append(count)
    most = model.new_int_var(0, machine.limits.max_reserved_per_tdmr, "")
    model.add_max_equality(most, counts)
    fixed = {
        "lost": 0,
        "tdmrs": len(question.tdmrs),
        "pamt_pages": sum(fact.pages for fact in question.tdmrs),
    }
    goals = {"remote": sum(remote), "max_areas": most, "areas": sum(counts)}
    found = []
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = 60
    for name in order:
        if name in fixed:
            status = solver.solve(model)
            value = fixed[name]
        else:
            model.minimize(goals[name])
            status = solver.solve(model)
            value = round(solver.objective_value) if status == cp_model.OPTIMAL else 0
        if status == cp_model.INFEASIBLE:
            return None
        if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            raise TimeoutError(solver.status_name(status))
        found.append(value)
        if name in goals:
            model.add(goals[name] == value)
            model.clear_objective()
    return tuple(found)


__all__ = ["solve"]
