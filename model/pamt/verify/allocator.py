"""The page allocator of a symbolic run.

It takes chunks by running :func:`pamt.kernel.contig.first_slot`, the kernel's own scan, on one free
run at a time, and cuts what is taken out of the run:

    run    |.........................|            taken      |.....|CCCC|............|
                                                    becomes   left          right

Each run stays in address order.  Under the guard that nothing was taken from it, a run is itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pamt.kernel.contig import Placement, first_slot, zones_high_to_low
from pamt.machine import Node
from pamt.ranges import Range
from pamt.verify.interp import GuardedList, Interpreter, Place, Refusal, Value

__all__ = ["Event", "SymbolicAllocator"]

Guard = Any
_HERE = Place(__file__, 0)


class Event(NamedTuple):
    """Something the allocator was asked."""

    action: str
    """``take``, ``none`` (asked for and not found) or ``give back``."""
    guard: Guard
    size: int
    wanted: Value
    """Node asked for; for ``give back``, the node given back to; None for an exact take."""
    node: Value
    range: Range | None
    free: Mapping[int, tuple[tuple[Guard, Range], ...]]
    """What was free, by node, before this."""


class SymbolicAllocator:
    """See the module's text.  `free` maps a node to its free runs: (present, range), ascending."""

    symbolic_methods = ("contig", "give_back", "take", "free_runs")

    def __init__(
        self, nodes: Iterable[Node], free: Mapping[int, Iterable[tuple[Guard, Range]]]
    ) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._free: dict[int, list[tuple[Guard, Range]]] = {
            node: list(runs) for node, runs in free.items()
        }
        self.events: list[Event] = []

    @property
    def nodes(self) -> dict[int, Node]:
        """Nodes by id."""
        return self._nodes

    def _snapshot(self) -> dict[int, tuple[tuple[Guard, Range], ...]]:
        return {node: tuple(runs) for node, runs in self._free.items()}

    def contig(self, interpreter: Interpreter, live: Guard, size: Value, node: Value) -> Value:
        """As :meth:`pamt.kernel.contig.ContigAllocator.contig`."""
        if not isinstance(node, int):
            return self._spread(interpreter, live, size, node)
        if not isinstance(size, int):
            raise Refusal(_HERE, "contig of a symbolic size", "split the cases of the TDMR sizes")
        if size <= 0 or node not in self._nodes:
            return None
        if any(event.action == "give back" for event in self.events):
            raise Refusal(
                _HERE, "contig after give_back", "use the path explorer for policies that retry"
            )
        domain = interpreter.domain
        snapshot = self._snapshot()
        looking = live
        arms: list[tuple[Guard, Value]] = []
        for candidate in self._nodes[node].fallback or (node,):
            known = self._nodes.get(candidate)
            if known is None or not known.online:
                continue
            zones = interpreter.call(zones_high_to_low, known.zones or (), live=looking).value
            for present, zone in interpreter.pairs(zones):
                here = domain.conjunction(looking, present)
                found = self._scan(interpreter, here, candidate, zone, size, arms)
                looking = domain.conjunction(
                    looking, domain.negation(domain.narrowing(found, looking))
                )
                if looking is False:
                    break
            if looking is False:
                break
        for guard, placement in arms:
            self.events.append(
                Event("take", guard, size, node, placement.node, placement.range, snapshot)
            )
        if looking is not False:
            self.events.append(Event("none", looking, size, node, None, None, snapshot))
            arms.append((looking, None))
        narrow = [(domain.narrowing(guard, live), value) for guard, value in arms]
        return self._one_of(interpreter, narrow)

    def _one_of(self, interpreter: Interpreter, arms: list[tuple[Guard, Value]]) -> Value:
        placed = [(guard, value) for guard, value in arms if value is not None]
        if not placed:
            return None
        merged = interpreter.merger.first(placed)
        if len(placed) == len(arms):
            return merged
        return interpreter.merger.merge(
            interpreter.domain.disjunction(guard for guard, _ in placed), merged, None
        )

    def _spread(self, interpreter: Interpreter, live: Guard, size: Value, node: Value) -> Value:
        both = interpreter.domain.conjunction
        arms = [
            (guard, self.contig(interpreter, both(live, guard), size, choice))
            for guard, choice in self._each_node(interpreter, node)
        ]
        return interpreter.merger.first(arms) if arms else None

    def _each_node(self, interpreter: Interpreter, node: Value) -> list[tuple[Guard, int]]:
        """The nodes that a symbolic node number may stand for, each with its guard."""
        if isinstance(node, int):
            return [(True, node)]
        found = [(interpreter.equal(node, known), known) for known in self._nodes]
        return [(guard, known) for guard, known in found if guard is not False]

    def _scan(
        self,
        interpreter: Interpreter,
        live: Guard,
        node: int,
        zone: Any,
        size: int,
        arms: list[tuple[Guard, Value]],
    ) -> Guard:
        """Take the first slot of a zone; answers the guard under which one was found."""
        domain = interpreter.domain
        kept: list[tuple[Guard, Range]] = []
        looking = live
        found: list[Guard] = []
        for present, run in self._free.get(node, []):
            here = domain.conjunction(looking, present)
            if here is False:
                kept.append((present, run))
                continue
            # The scan of all runs answers the first that answers alone: runs ascend, and where it
            # gives up at one that starts too high it would give up at all later ones too.
            answers = interpreter.call(
                first_slot, zone.range, size, GuardedList([(True, run)]), live=here
            ).returns
            slots = [(a.guard, a.value) for a in answers if a.value is not None]
            if not slots:
                kept.append((present, run))
                continue
            taken = domain.disjunction(domain.narrowing(guard, live) for guard, _ in slots)
            slot = interpreter.merger.first(slots)
            guard = domain.conjunction(live, taken)
            if guard is False:
                kept.append((present, run))
                continue
            arms.append((guard, Placement(Range(slot, slot + size), node, zone.name)))
            found.append(taken)
            looking = domain.conjunction(looking, domain.negation(taken))
            merge = interpreter.merger.merge
            left = Range(run.start, merge(guard, slot, run.end))
            untouched = domain.negation(guard)
            stays = domain.disjunction([untouched, slot > run.start])
            kept.append((domain.conjunction(present, stays), left))
            rest = domain.conjunction(guard, slot + size < run.end)
            if rest is not False:
                kept.append((rest, Range(slot + size, run.end)))
        self._free[node] = kept
        return domain.conjunction(live, domain.disjunction(found))

    def take(self, interpreter: Interpreter, live: Guard, wanted: Range, node: Value) -> None:
        """As :meth:`pamt.kernel.contig.ContigAllocator.take`."""
        domain = interpreter.domain
        snapshot = self._snapshot()
        found: list[Guard] = []
        for here, known in self._each_node(interpreter, node):
            inner = domain.conjunction(live, here)
            if inner is not False:
                found.append(
                    domain.conjunction(here, self._take(interpreter, inner, wanted, known))
                )
        missing = domain.negation(domain.disjunction(found))
        interpreter.fault(domain.conjunction(live, missing), "takes pages that are not free", _HERE)
        size = wanted.end - wanted.start
        self.events.append(Event("take", live, size, None, node, wanted, snapshot))

    def _take(self, interpreter: Interpreter, live: Guard, wanted: Range, node: int) -> Guard:
        """Cut `wanted` out of the runs of `node`; answers where one of them holds all of it."""
        domain = interpreter.domain
        kept: list[tuple[Guard, Range]] = []
        found: list[Guard] = []
        for present, run in self._free.get(node, []):
            inside = domain.conjunction(run.start <= wanted.start, wanted.end <= run.end)
            inside = domain.conjunction(present, inside)
            guard = domain.conjunction(live, inside)
            if guard is False:
                kept.append((present, run))
                continue
            found.append(inside)
            left = Range(run.start, interpreter.merger.merge(guard, wanted.start, run.end))
            stays = domain.disjunction([domain.negation(guard), wanted.start > run.start])
            kept.append((domain.conjunction(present, stays), left))
            rest = domain.conjunction(guard, wanted.end < run.end)
            if rest is not False:
                kept.append((rest, Range(wanted.end, run.end)))
        self._free[node] = kept
        return domain.disjunction(found)

    def give_back(
        self, interpreter: Interpreter, live: Guard, returned: Range, node: Value
    ) -> None:
        """As :meth:`pamt.kernel.contig.ContigAllocator.give_back`; nothing may be taken after."""
        self.events.append(
            Event("give back", live, returned.end - returned.start, node, node, returned, {})
        )

    def free_runs(self, interpreter: Interpreter, live: Guard, node: Value) -> GuardedList:
        """As :meth:`pamt.kernel.contig.ContigAllocator.free_runs`."""
        both = interpreter.domain.conjunction
        return GuardedList(
            (both(guard, present), run)
            for guard, known in self._each_node(interpreter, node)
            for present, run in self._free.get(known, [])
        )
