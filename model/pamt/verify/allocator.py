"""The page allocator of a symbolic run.

It takes chunks by running :func:`pamt.kernel.contig.first_slot`, the kernel's own scan, on one free
run at a time.  Chunks of one size in one zone lie on one grid of slots, so they fill a run from its
first slot on, without gaps, and how many there are says where the next one goes:

    run    |....................|        3 taken      |...|C0|C1|C2|.........|
             ^ first slot                              left         rest

So the slots are counted, and a run stays one piece whatever is taken from it.  Only when a chunk of
another size (or in another zone) is looked for, left and rest become pieces of their own.  Pieces
stay in address order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pamt.kernel.contig import Placement, first_slot, zones_high_to_low
from pamt.machine import Node
from pamt.ranges import Range
from pamt.verify.interp import Domain, GuardedList, Interpreter, Place, Refusal, Value

__all__ = ["Event", "SymbolicAllocator"]

Guard = Any
_HERE = Place(__file__, 0)
"""Without a line: what is refused is refused at the line that asked for it."""


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


class _Grid(NamedTuple):
    """The slots that the scan of one zone of a node tries for one size."""

    zone: Any
    size: int

    def is_(self, other: _Grid) -> bool:
        """Whether these are the same slots; False when in doubt."""
        return self.zone is other.zone and self.size == other.size


class _Piece(NamedTuple):
    """A stretch of free pages, and what was taken from it on one grid."""

    present: Guard
    run: Range
    """Before anything was taken."""
    grid: _Grid | None = None
    slot: Value = None
    """The first slot of `grid`, where there is one."""
    found: Guard = False
    """Whether there is."""
    counts: tuple[Guard, ...] = (True,)
    """Whether so many slots from there on were taken: none, one, ...; exactly one of them holds."""

    def parts(self, domain: Domain) -> list[_Piece]:
        """What is left of it: what lies before the first slot taken, and after the last one.

        Where none was taken, the first of them is all of it.  The other comes once for each count;
        at most one of them is there.
        """
        if len(self.counts) == 1 or self.grid is None:
            return [_Piece(self.present, self.run)]
        both = domain.conjunction
        taken = domain.negation(self.counts[0])
        before = both(
            self.present, domain.disjunction([self.counts[0], self.slot > self.run.start])
        )
        left = Range(self.run.start, domain.choose(taken, self.slot, self.run.end))
        made = [_Piece(before, left)]
        for count, so_many in enumerate(self.counts[1:], 1):
            after = self.slot + count * self.grid.size
            there = both(self.present, both(so_many, after < self.run.end))
            made.append(_Piece(there, Range(after, self.run.end)))
        return [piece for piece in made if piece.present is not False]


class SymbolicAllocator:
    """See the module's text.  `free` maps a node to its free runs: (present, range), ascending."""

    symbolic_methods = ("contig", "give_back", "take", "free_runs")

    def __init__(
        self, nodes: Iterable[Node], free: Mapping[int, Iterable[tuple[Guard, Range]]]
    ) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._free: dict[int, list[_Piece]] = {
            node: [_Piece(present, run) for present, run in runs] for node, runs in free.items()
        }
        self.events: list[Event] = []

    @property
    def nodes(self) -> dict[int, Node]:
        """Nodes by id."""
        return self._nodes

    def _snapshot(self, interpreter: Interpreter) -> dict[int, tuple[tuple[Guard, Range], ...]]:
        return {node: tuple(self._runs(interpreter.domain, node)) for node in self._free}

    def _runs(self, domain: Domain, node: int) -> list[tuple[Guard, Range]]:
        """What is free on a node, ascending."""
        return [
            (part.present, part.run)
            for piece in self._free.get(node, ())
            for part in piece.parts(domain)
        ]

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
        snapshot = self._snapshot(interpreter)
        looking = live
        arms: list[tuple[Guard, Value]] = []
        for candidate in self._nodes[node].fallback or (node,):
            known = self._nodes.get(candidate)
            if known is None or not known.online:
                continue
            zones = interpreter.call(zones_high_to_low, known.zones or (), live=looking).value
            for present, zone in interpreter.pairs(zones):
                here = domain.conjunction(looking, present)
                found = self._scan(interpreter, here, candidate, _Grid(zone, size), arms)
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
        grid: _Grid,
        arms: list[tuple[Guard, Value]],
    ) -> Guard:
        """Take the first slot of a zone; answers the guard under which one was found."""
        domain = interpreter.domain
        zone, size = grid
        kept: list[_Piece] = []
        looking = live
        found: list[Guard] = []
        for known in self._on(domain, node, grid):
            here = domain.conjunction(looking, known.present)
            if here is False:
                kept.append(known)
                continue
            # The scan of all runs answers the first that answers alone: runs ascend, and where it
            # gives up at one that starts too high it would give up at all later ones too.
            piece = known
            if piece.grid is None:
                piece = _first(interpreter, known, zone.range, grid)
            if piece.found is False:
                kept.append(piece)
                continue
            counts: list[Guard] = []
            before: Guard = False
            slots_taken: list[Guard] = []
            for count, so_many in enumerate((*piece.counts, False)):
                slot = piece.slot + count * size
                fits = piece.found
                if count:
                    inside = slot + size <= piece.run.end
                    inside = domain.conjunction(inside, slot + size <= zone.range.end)
                    fits = domain.conjunction(fits, inside)
                here_too = domain.conjunction(so_many, fits)
                guard = domain.conjunction(here, here_too)
                if guard is not False:
                    arms.append((guard, Placement(Range(slot, slot + size), node, zone.name)))
                    found.append(guard)
                    slots_taken.append(here_too)
                stays = domain.conjunction(so_many, domain.negation(guard))
                counts.append(domain.disjunction([stays, before]))
                before = guard
            while counts[-1] is False:
                counts.pop()
            if slots_taken:
                free_slot = domain.conjunction(piece.present, domain.disjunction(slots_taken))
                looking = domain.conjunction(looking, domain.negation(free_slot))
            kept.append(piece._replace(counts=tuple(counts)))
        self._free[node] = kept
        return domain.disjunction(found)

    def _on(self, domain: Domain, node: int, grid: _Grid) -> list[_Piece]:
        """The pieces of a node, those split that were cut on another grid."""
        made: list[_Piece] = []
        for piece in self._free.get(node, ()):
            if piece.grid is None or piece.grid.is_(grid):
                made.append(piece)
            else:
                made += piece.parts(domain)
        return made

    def take(self, interpreter: Interpreter, live: Guard, wanted: Range, node: Value) -> None:
        """As :meth:`pamt.kernel.contig.ContigAllocator.take`."""
        _must_be_a_range("take", wanted)
        domain = interpreter.domain
        snapshot = self._snapshot(interpreter)
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
        kept: list[_Piece] = []
        found: list[Guard] = []
        parts = [p for piece in self._free.get(node, ()) for p in piece.parts(domain)]
        for part in parts:
            present, run = part.present, part.run
            inside = domain.conjunction(run.start <= wanted.start, wanted.end <= run.end)
            inside = domain.conjunction(present, inside)
            guard = domain.conjunction(live, inside)
            if guard is False:
                kept.append(part)
                continue
            found.append(inside)
            left = Range(run.start, interpreter.merger.merge(guard, wanted.start, run.end))
            stays = domain.disjunction([domain.negation(guard), wanted.start > run.start])
            kept.append(_Piece(domain.conjunction(present, stays), left))
            rest = domain.conjunction(guard, wanted.end < run.end)
            if rest is not False:
                kept.append(_Piece(rest, Range(wanted.end, run.end)))
        self._free[node] = kept
        return domain.disjunction(found)

    def give_back(
        self, interpreter: Interpreter, live: Guard, returned: Range, node: Value
    ) -> None:
        """As :meth:`pamt.kernel.contig.ContigAllocator.give_back`; nothing may be taken after."""
        _must_be_a_range("give_back", returned)
        self.events.append(
            Event("give back", live, returned.end - returned.start, node, node, returned, {})
        )

    def free_runs(self, interpreter: Interpreter, live: Guard, node: Value) -> GuardedList:
        """As :meth:`pamt.kernel.contig.ContigAllocator.free_runs`."""
        both = interpreter.domain.conjunction
        return GuardedList(
            (both(guard, present), run)
            for guard, known in self._each_node(interpreter, node)
            for present, run in self._runs(interpreter.domain, known)
        )


def _must_be_a_range(asked: str, found: Value) -> None:
    """Raises Refusal for what has no start and no end."""
    if not (hasattr(found, "start") and hasattr(found, "end")):
        raise Refusal(
            _HERE, f"{asked} of {type(found).__name__} {found!r}", "give a pamt.ranges.Range"
        )


def _first(interpreter: Interpreter, piece: _Piece, zone: Range, grid: _Grid) -> _Piece:
    """A piece with its first slot on a grid, by the kernel's own scan."""
    domain = interpreter.domain
    answers = interpreter.call(
        first_slot, zone, grid.size, GuardedList([(True, piece.run)]), live=piece.present
    ).returns
    slots = [
        (domain.narrowing(a.guard, piece.present), a.value) for a in answers if a.value is not None
    ]
    if not slots:
        return piece._replace(grid=grid)
    found = domain.disjunction(guard for guard, _ in slots)
    return piece._replace(grid=grid, slot=interpreter.merger.first(slots), found=found)
