"""Decides the statements on small instances, by walking every reachable state.

The graph is searched breadth first, so the trace to a violation is a shortest one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple

from pamt.prove.startup.statements import STATEMENTS, Statement
from pamt.prove.startup.system import ERAS, RULES, Era, Parameters, Rule, State, initial, updated

__all__ = ["Decision", "Step", "decide", "decide_all", "graph", "instances", "shortest_violation"]


class Step(NamedTuple):
    """One transition of a trace and the state it leads to."""

    rule: Rule
    state: State


@dataclass(frozen=True, slots=True)
class Decision:
    """A statement decided for one era over the small instances.

    `violated`: a shortest `trace` from the initial state to a state where the claim fails, on the
    instance `parameters`; otherwise the claim holds in all `states` states of `instances`.
    """

    statement: Statement
    era: Era
    violated: bool
    trace: tuple[Step, ...]
    parameters: Parameters | None
    states: int
    instances: int

    @property
    def verdict(self) -> str:
        return "VIOLATED" if self.violated else "HOLDS"


def successors(state: State, p: Parameters) -> Iterator[Step]:
    """Every enabled rule with the state it leads to, in the order of the rules."""
    for rule in RULES:
        if rule.guard(state, p):
            yield Step(rule, updated(state, rule.update(state, p)))


def graph(p: Parameters) -> Any:
    """All reachable states as a ``networkx.MultiDiGraph``; edges carry the rule's name."""
    import networkx as nx

    found = nx.MultiDiGraph()
    first = initial()
    found.add_node(first)
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        for step in successors(state, p):
            if step.state not in found:
                found.add_node(step.state)
                waiting.append(step.state)
            found.add_edge(state, step.state, rule=step.rule.name)
    return found


def shortest_violation(
    statement: Statement, p: Parameters, states: Any = None
) -> tuple[Step, ...] | None:
    """A shortest trace to a state where the statement fails; None when there is none."""
    import networkx as nx

    states = graph(p) if states is None else states
    reached = nx.single_source_shortest_path_length(states, initial())
    # In the order of distance, so the first that fails is a nearest one.
    bad = next((state for state in reached if not statement.holds(state, p)), None)
    if bad is None:
        return None
    path = nx.shortest_path(states, initial(), bad)
    by_name = {rule.name: rule for rule in RULES}
    trace: list[Step] = []
    for before, after in pairwise(path):
        names = {data["rule"] for data in states.get_edge_data(before, after).values()}
        name = next(rule.name for rule in RULES if rule.name in names)
        trace.append(Step(by_name[name], after))
    return tuple(trace)


def instances(era: Era) -> Iterator[Parameters]:
    """The small instances of an era: up to 2 TDMRs, 2 packages, 2 GiB, 2 calls a GiB."""
    for tdmrs, packages, gib, erratum in product((1, 2), (1, 2), (1, 2), (False, True)):
        for online, watched, block in product(range(packages + 1), range(tdmrs), range(gib)):
            yield era.parameters(
                tdmrs=tdmrs,
                packages=packages,
                packages_online=online,
                watched=watched,
                watched_gib=gib,
                watched_block=block,
                erratum=erratum,
            )


def decide(statement: Statement, era: Era) -> Decision:
    """Decide one statement in one era."""
    return next(d for d in decide_all((era,)) if d.statement.name == statement.name)


def decide_all(eras: Sequence[Era] = ERAS) -> tuple[Decision, ...]:
    """Every statement in every era."""
    return tuple(decision for era in eras for decision in _decide(era.name))


@cache
def _decide(name: str) -> tuple[Decision, ...]:
    """All statements of the era called `name`: one walk serves them all."""
    era = next(era for era in ERAS if era.name == name)
    worst: dict[str, tuple[tuple[Step, ...], Parameters]] = {}
    count = states = 0
    for p in instances(era):
        reachable = graph(p)
        count += 1
        states += len(reachable)
        for statement in STATEMENTS:
            trace = shortest_violation(statement, p, reachable)
            known = worst.get(statement.name)
            if trace is not None and (known is None or len(trace) < len(known[0])):
                worst[statement.name] = (trace, p)
    return tuple(
        Decision(
            statement=statement,
            era=era,
            violated=statement.name in worst,
            trace=worst[statement.name][0] if statement.name in worst else (),
            parameters=worst[statement.name][1] if statement.name in worst else None,
            states=states,
            instances=count,
        )
        for statement in STATEMENTS
    )
