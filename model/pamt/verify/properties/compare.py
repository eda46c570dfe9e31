"""``no-worse-than:POLICY`` and ``renaming``: two runs on one map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

from pamt.machine import Machine, MemoryRange, Node
from pamt.outcome import PlannedTdmr
from pamt.policies.protocol import Policy
from pamt.standins import complete, derive_zones
from pamt.verify.obligation import (
    NotDecidedHere,
    Obligation,
    PlainRun,
    SymbolicRun,
    run_plainly,
    run_symbolically,
)
from pamt.verify.symbolic_map import SymbolicMap

__all__ = ["NoWorseThan", "Renaming"]

Guard = Any


@dataclass(frozen=True)
class NoWorseThan:
    """Where the other policy succeeds, this one does."""

    other_name: str
    other: Policy

    @property
    def name(self) -> str:
        return f"no-worse-than:{self.other_name}"

    @property
    def words(self) -> str:
        return f"wherever {self.other_name} succeeds, the policy succeeds"

    @property
    def premise(self) -> str:
        return f"{self.other_name} succeeds"

    def meets_premise(self, run: SymbolicRun) -> Iterator[tuple[Guard, ...]]:
        """Any success of the other policy."""
        for guard, _ in run_symbolically(run.made, self.other).successes():
            yield (guard,)

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        other = run_symbolically(run.made, self.other)
        for guard, outcome in run.failures():
            for other_guard, _ in other.successes():
                yield Obligation(
                    f"{outcome.reason} where {self.other_name} succeeds", (guard, other_guard)
                )

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        if run.outcome is None:
            return f"the policy raised {run.error}"
        if run.outcome.succeeded:
            return None
        other = run_plainly(self.other, run.machine).outcome
        if other is not None and other.succeeded:
            return f"the policy fails ({run.outcome.reason}), {self.other_name} succeeds"
        return None


@dataclass(frozen=True)
class Renaming:
    """Other numbers for the nodes give the same answer at the same addresses."""

    name: str = "renaming"
    words: str = "numbering the nodes otherwise changes neither the answer nor a PAMT's address"

    @property
    def premise(self) -> str:
        return "memory is on more than one node"

    def meets_premise(self, run: SymbolicRun) -> Iterator[tuple[Guard, ...]]:
        """Any map of such a case."""
        if len(set(run.made.case.nodes)) > 1:
            yield ()

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        domain = run.made.interpreter.domain
        used = len(set(run.made.case.nodes))
        for order in permutations(range(used)):
            if order == tuple(range(used)):
                continue
            other = run_symbolically(_renamed(run.made, order), run.policy)
            for guard, outcome in run.outcomes():
                for other_guard, another in other.outcomes():
                    if domain.disjoint(guard, other_guard):
                        continue
                    if outcome.reason != another.reason:
                        yield Obligation(
                            f"renamed to {order}: {outcome.reason} becomes {another.reason}",
                            (guard, other_guard),
                        )
                        continue
                    both = (guard, other_guard)
                    mine = run.seen(guard, outcome.tdmrs)
                    theirs = other.seen(other_guard, another.tdmrs)
                    for guards in _differences(run, mine, theirs):
                        yield Obligation(f"renamed to {order}: a PAMT moves", (*both, *guards))

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        if run.outcome is None:
            return f"the policy raised {run.error}"
        used = sorted({r.node for r in run.machine.memory or ()})
        for order in permutations(used):
            machine = _renamed_plainly(run.machine, dict(zip(used, order, strict=True)))
            other = run_plainly(policy, machine).outcome
            if other is None or other.reason != run.outcome.reason:
                now = other.reason if other else "an exception"
                return f"with nodes renamed to {order}: {run.outcome.reason} becomes {now}"
            if [t.pamts for t in other.tdmrs] != [t.pamts for t in run.outcome.tdmrs]:
                return f"with nodes renamed to {order}, PAMTs lie elsewhere"
        return None


def _differences(
    run: SymbolicRun,
    mine: Sequence[tuple[Guard, PlannedTdmr]],
    theirs: Sequence[tuple[Guard, PlannedTdmr]],
) -> Iterator[tuple[Guard, ...]]:
    """Ways in which TDMRs differ: one is there only once, or with its PAMTs elsewhere."""
    domain, equal = run.made.interpreter.domain, run.made.interpreter.equal
    for one, other in ((mine, theirs), (theirs, mine)):
        for g, a in one:
            if not isinstance(a.base, int) or not all(isinstance(b.base, int) for _, b in other):
                raise NotDecidedHere("where a TDMR begins differs inside of the case")
            same = [(h, b) for h, b in other if b.base == a.base]
            missing = domain.negation(domain.disjunction(h for h, _ in same))
            if domain.conjunction(g, missing) is not False:
                yield g, missing
            if one is theirs:
                continue
            for h, b in same:
                if a.pamts is None or b.pamts is None:
                    moved: Guard = (a.pamts is None) is not (b.pamts is None)
                else:
                    moved = domain.negation(equal(a.pamts, b.pamts))
                if moved is not False:
                    yield g, h, moved


def _renamed_plainly(machine: Machine, names: dict[int, int]) -> Machine:
    bare = Machine(
        limits=machine.limits,
        cmrs=machine.cmrs,
        memory=tuple(r._replace(node=names[r.node]) for r in machine.memory or ()),
        nodes=_renamed_nodes(machine.nodes, names),
        free=tuple(f._replace(node=names[f.node]) for f in machine.free or ()),
    )
    return complete(bare).machine


def _renamed_nodes(nodes: Sequence[Node], names: Mapping[int, int]) -> tuple[Node, ...]:
    """The nodes with their distances, under other numbers; no zones, and no fallback order."""
    now = {names.get(node.id, node.id): node for node in nodes}
    ids = sorted(node.id for node in nodes)
    place = {names.get(old, old): at for at, old in enumerate(ids)}
    made: list[Node] = []
    for new in sorted(now):
        row = now[new].distance
        listed = None if row is None else tuple(row[place[other]] for other in sorted(now))
        made.append(Node(new, distance=listed))
    return tuple(made)


def _renamed(made: SymbolicMap, order: tuple[int, ...]) -> SymbolicMap:
    machine = made.machine
    names = dict(enumerate(order))
    memory = tuple(r._replace(node=order[r.node]) for r in machine.memory or ())
    free = tuple(f._replace(node=order[f.node]) for f in machine.free or ())
    stand_ins = complete(
        Machine(
            memory=tuple(
                MemoryRange(i << 30, (i << 30) + (1 << 29), r.node) for i, r in enumerate(memory)
            ),
            nodes=_renamed_nodes(machine.nodes, names),
        )
    ).machine
    nodes = tuple(
        replace(node, zones=made.interpreter.call(derive_zones, memory, node.id).value)
        for node in stand_ins.nodes
    )
    return replace(made, machine=replace(machine, memory=memory, free=free, nodes=nodes))
