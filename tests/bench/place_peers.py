"""Two plain peers for the placement benchmark: the shortest natural encodings, nothing clever.

Both answer ``(verdict, values)`` with the values of remote, max_areas and areas; `unknown` when
time is up.  Space linux only.
"""

from __future__ import annotations

import time

from pamt.machine import Machine
from pamt.placement import LINUX, pose
from pamt.ranges import PAGE

__all__ = ["PEERS", "cpsat", "z3_optimize"]

Answer = tuple[str, tuple[int, ...] | None]


def z3_optimize(machine: Machine, seconds: float) -> Answer:
    """An integer for each chunk, a disjunction over free runs, three objectives in order."""
    import z3

    question = pose(machine, LINUX)
    if question.trivial is not None or question.tdmrs is None:
        return "infeasible", None
    z3.set_param("parallel.enable", True)
    z3.set_param("parallel.threads.max", 2)
    solver = z3.Optimize()
    solver.set("priority", "lex")
    bases = [z3.Int(f"base{i}") for i in range(len(question.tdmrs))]
    sizes = [fact.pages for fact in question.tdmrs]
    costs = []
    for base, size, fact in zip(bases, sizes, question.tdmrs, strict=True):
        fits = [run for run in question.free if run.range.size >= size * PAGE]
        inside = [z3.And(base >= run.start // PAGE, base + size <= run.end // PAGE) for run in fits]
        solver.add(z3.Or(inside))
        nodes = sorted({run.node for run in fits})
        cost = z3.IntVal(0)
        for node in nodes:
            here = z3.Or([c for c, run in zip(inside, fits, strict=True) if run.node == node])
            cost = z3.If(here, size * question.weight(fact.home, node), cost)
        costs.append(cost)
    for i in range(len(bases)):
        for j in range(i):
            solver.add(z3.Or(bases[i] + sizes[i] <= bases[j], bases[j] + sizes[j] <= bases[i]))
    most = z3.Int("most")
    counts = []
    for fact in question.tdmrs:
        low, high = fact.range.start // PAGE, fact.range.end // PAGE
        over = [
            z3.If(z3.And(base < high, base + size > low), 1, 0)
            for base, size in zip(bases, sizes, strict=True)
        ]
        counts.append(z3.Sum(over) + len(fact.holes))
        solver.add(counts[-1] <= question.limits.max_reserved_per_tdmr, counts[-1] <= most)
    objectives = [solver.minimize(z3.Sum(costs)), solver.minimize(most)]
    objectives.append(solver.minimize(z3.Sum(counts)))
    solver.set("timeout", max(1, int(seconds * 1000)))
    answer = solver.check()
    if answer == z3.sat:
        return "optimal", tuple(o.value().as_long() for o in objectives)
    return ("infeasible" if answer == z3.unsat else "unknown"), None


def cpsat(machine: Machine, seconds: float) -> Answer:
    """One interval a chunk whose start lies in the free runs, no overlap, two workers."""
    from ortools.sat.python import cp_model

    started = time.monotonic()
    question = pose(machine, LINUX)
    if question.trivial is not None or question.tdmrs is None:
        return "infeasible", None
    model = cp_model.CpModel()
    starts = []
    intervals = []
    cost = []
    for number, fact in enumerate(question.tdmrs):
        size = fact.pages
        by_node: dict[int, list[list[int]]] = {}
        for run in question.free:
            low, high = run.start // PAGE, run.end // PAGE - size
            if low <= high:
                by_node.setdefault(run.node, []).append([low, high])
        if not by_node:
            return "infeasible", None
        everywhere = [pair for pairs in by_node.values() for pair in pairs]
        domain = cp_model.Domain.from_intervals(everywhere)
        start = model.new_int_var_from_domain(domain, f"start {number}")
        starts.append(start)
        intervals.append(model.new_fixed_size_interval_var(start, size, f"chunk {number}"))
        on = {node: model.new_bool_var(f"{number} on {node}") for node in sorted(by_node)}
        model.add_exactly_one(on.values())
        for node, flag in on.items():
            own = cp_model.Domain.from_intervals(by_node[node])
            model.add_linear_expression_in_domain(start, own).only_enforce_if(flag)
            cost.append(size * question.weight(fact.home, node) * flag)
    model.add_no_overlap(intervals)
    counts = []
    for index, fact in enumerate(question.tdmrs):
        low, high = fact.range.start // PAGE, fact.range.end // PAGE
        over = []
        for number, (start, other) in enumerate(zip(starts, question.tdmrs, strict=True)):
            flag = model.new_bool_var(f"{number} over {index}")
            here = cp_model.Domain(low - other.pages + 1, high - 1)
            model.add_linear_expression_in_domain(start, here).only_enforce_if(flag)
            model.add_linear_expression_in_domain(start, here.complement()).only_enforce_if(
                flag.negated()
            )
            over.append(flag)
        counts.append(sum(over) + len(fact.holes))
        model.add(counts[-1] <= question.limits.max_reserved_per_tdmr)
    most = model.new_int_var(0, question.limits.max_reserved_per_tdmr, "most")
    for count in counts:
        model.add(count <= most)
    values: list[int] = []
    for expression in (sum(cost), most, sum(counts)):
        left = seconds - (time.monotonic() - started)
        if left <= 0:
            return "unknown", None
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 2
        solver.parameters.max_time_in_seconds = left
        model.minimize(expression)
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            return "infeasible", None
        if status != cp_model.OPTIMAL:
            return "unknown", None
        values.append(int(solver.objective_value))
        model.add(expression == values[-1])
    return "optimal", tuple(values)


PEERS = {"z3.Optimize": z3_optimize, "CP-SAT": cpsat}
