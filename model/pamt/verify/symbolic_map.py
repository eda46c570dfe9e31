"""A case of a scope as a machine with symbolic addresses, and a model of it as a plain machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pamt.machine import Cmr, FreeRun, Machine, MemoryRange, Node
from pamt.ranges import GIB, MIB, PAGE, Range, align_up
from pamt.standins import complete, derive_zones
from pamt.verify.allocator import SymbolicAllocator
from pamt.verify.cases import Case
from pamt.verify.interp import GuardedList, Interpreter, Value
from pamt.verify.primitives import PRIMITIVES
from pamt.verify.scope import Scope

if TYPE_CHECKING:
    from pamt.smt.symbolic import Encoding, Symbols

__all__ = ["EmptyCase", "SymbolicMap", "build_map", "inside_runs", "joined_runs", "plain_machine"]

Guard = Any


@dataclass(frozen=True)
class SymbolicMap:
    """A machine that stands for every map of a case."""

    case: Case
    symbols: Symbols
    interpreter: Interpreter
    machine: Machine
    """Completed; addresses are symbolic."""
    free_given: bool
    addresses: tuple[Value, ...]
    """All addresses in the order in which counterexamples are compared."""

    def allocator(self) -> SymbolicAllocator:
        """A fresh allocator of this machine."""
        return SymbolicAllocator(
            self.machine.nodes, joined_runs(self.interpreter, self.machine.free or ())
        )


def build_map(
    scope: Scope, case: Case, encoding: Encoding = "lin", grain: int = PAGE
) -> SymbolicMap:
    """Make the symbolic machine of a case, with its assumptions asserted.

    It stands for the maps of the case whose addresses are all multiples of `grain`.  Raises
    EmptyCase when there is none.
    """
    from pamt.smt.symbolic import Symbols

    symbols = Symbols(encoding)
    interpreter = Interpreter(symbols, PRIMITIVES)
    memory = _memory(scope, case, symbols, grain)
    cmrs = _cmrs(scope, case, symbols, grain)
    if scope.assumes("convertible"):
        for r in memory:
            symbols.assume(inside_runs(symbols, r.start, r.end, cmrs))
    free = _free(scope, case, symbols, memory, grain)
    nodes = _nodes(case, interpreter, memory)
    machine = Machine(
        limits=scope.limits, cmrs=tuple(cmrs), memory=tuple(memory), nodes=nodes, free=tuple(free)
    )
    addresses: list[Value] = []
    for r in memory:
        addresses += [r.start, r.end]
    for c in cmrs:
        addresses += [c.base, c.base + c.size]
    if case.free is not None:
        for f in free:
            addresses += [f.start, f.end]
    return SymbolicMap(case, symbols, interpreter, machine, case.free is not None, tuple(addresses))


def _memory(scope: Scope, case: Case, symbols: Symbols, grain: int) -> list[MemoryRange]:
    steps: list[int] = [PAGE]
    bounds: list[tuple[int, int]] = []
    for index, (node, (first, last)) in enumerate(zip(case.nodes, case.cells, strict=True)):
        low = max(first * GIB, scope.lowest)
        if scope.assumes("whole-gib"):
            bounds += [(low, low), ((last + 1) * GIB, (last + 1) * GIB)]
        else:
            start = (low, (first + 1) * GIB - PAGE)
            end = (max(last * GIB, low) + PAGE, (last + 1) * GIB)
            if index < case.below:
                end = (end[0], min(end[1], MIB))
            elif case.crossing and index == case.below:
                start, end = (low, min(start[1], MIB - PAGE)), (max(end[0], MIB + PAGE), end[1])
            else:
                start = (max(low, MIB), start[1])
            bounds += [start, end]
        if index:
            apart = node == case.nodes[index - 1] and scope.assumes("apart")
            steps += [PAGE if apart else 0, PAGE]
    bounds = [(align_up(low, grain), high // grain * grain) for low, high in bounds]
    bounds = _tightened(bounds, [grain if step else 0 for step in steps])
    made: list[MemoryRange] = []
    for index, node in enumerate(case.nodes):
        start = symbols.address(f"start{index}", *bounds[2 * index], grain)
        end = symbols.address(f"end{index}", *bounds[2 * index + 1], grain)
        if index:
            symbols.assume_less(made[-1].end, start, steps[2 * index - 1] > 0)
        symbols.assume_less(start, end)
        made.append(MemoryRange(start, end, node))
    return made


def _tightened(bounds: list[tuple[int, int]], steps: list[int]) -> list[tuple[int, int]]:
    """Bounds of an ascending chain, where each value is at least a step above the one before.

    Raises EmptyCase when a value has no room left.
    """
    lows = [low for low, _ in bounds]
    highs = [high for _, high in bounds]
    for at in range(1, len(bounds)):
        lows[at] = max(lows[at], lows[at - 1] + steps[at - 1])
    for at in range(len(bounds) - 2, -1, -1):
        highs[at] = min(highs[at], highs[at + 1] - steps[at])
    if any(low > high for low, high in zip(lows, highs, strict=True)):
        raise EmptyCase
    return list(zip(lows, highs, strict=True))


class EmptyCase(Exception):
    """No map belongs to a case: more ranges than pages, for example."""


def _cmrs(scope: Scope, case: Case, symbols: Symbols, grain: int) -> list[Cmr]:
    made: list[Cmr] = []
    previous: Value = 0
    for index in range(case.cmrs):
        base = symbols.address(f"cmr{index}", 0, scope.end - PAGE, grain)
        end = symbols.address(f"cmr{index}.end", 0, scope.end, grain)
        if scope.assumes("no-null-cmr"):
            symbols.assume_less(base, end)
        else:
            symbols.assume_less(base, end, False)
        symbols.assume_less(previous, base, False)
        made.append(Cmr(base, end - base))
        previous = end
    return made


def inside_runs(symbols: Symbols, start: Value, end: Value, cmrs: list[Cmr]) -> Guard:
    """Whether ``[start, end)`` lies in one chain of touching CMRs; null ones do no harm.

    A null entry lies between its neighbours here, so it neither joins nor parts more than they do.
    """
    options: list[Guard] = []
    both = symbols.conjunction
    for first in range(len(cmrs)):
        chain: Guard = cmrs[first].base <= start
        for last in range(first, len(cmrs)):
            if last > first:
                before = cmrs[last - 1]
                chain = both(chain, before.base + before.size == cmrs[last].base)
            options.append(both(chain, end <= cmrs[last].base + cmrs[last].size))
    return symbols.disjunction(options)


def _free(
    scope: Scope, case: Case, symbols: Symbols, memory: list[MemoryRange], grain: int
) -> list[FreeRun]:
    if case.free is None:
        # As the stand-in does it: all memory, without what lies below 1 MiB.
        kept = [r for index, r in enumerate(memory) if index >= case.below]
        if case.crossing:
            kept[0] = kept[0]._replace(start=MIB)
        return [FreeRun(r.start, r.end, r.node) for r in kept]
    made: list[FreeRun] = []
    for index, held in enumerate(case.free):
        inside = memory[held]
        low = max(scope.lowest, MIB)
        start = symbols.address(f"free{index}", low, scope.end - PAGE, grain)
        end = symbols.address(f"free{index}.end", low + PAGE, scope.end, grain)
        symbols.assume_less(start, end)
        symbols.assume_less(inside.start, start, False)
        symbols.assume_less(end, inside.end, False)
        if made:
            # Runs are maximal: two of one node never touch.
            symbols.assume_less(made[-1].end, start, made[-1].node == inside.node)
        made.append(FreeRun(start, end, inside.node))
    return made


def joined_runs(
    interpreter: Interpreter, free: Sequence[FreeRun]
) -> dict[int, list[tuple[Guard, Range]]]:
    """Free runs by node, ascending, joined where they touch: (present, run).

    `free` ascends.  Where it is open whether two touch, both readings are there, under guards that
    exclude each other.
    """
    domain = interpreter.domain
    made: dict[int, list[tuple[Guard, Range]]] = {}
    for node in sorted({f.node for f in free}):
        runs = [f for f in free if f.node == node]
        touch = [interpreter.equal(a.end, b.start) for a, b in pairwise(runs)]
        kept = made[node] = []
        for first, run in enumerate(runs):
            chain: Guard = True if first == 0 else domain.negation(touch[first - 1])
            for last in range(first, len(runs)):
                if last > first:
                    chain = domain.conjunction(chain, touch[last - 1])
                if chain is False:
                    break
                ends = True if last == len(runs) - 1 else domain.negation(touch[last])
                present = domain.conjunction(chain, ends)
                if present is not False:
                    kept.append((present, Range(run.start, runs[last].end)))
    return made


def _nodes(case: Case, interpreter: Interpreter, memory: list[MemoryRange]) -> tuple[Node, ...]:
    stand_ins = tuple(
        MemoryRange(
            first * GIB + 2 * index * PAGE + MIB, last * GIB + (2 * index + 1) * PAGE + MIB, node
        )
        for index, (node, (first, last)) in enumerate(zip(case.nodes, case.cells, strict=True))
    )
    # Distances and fallback orders depend on the case, not on addresses.
    done = complete(Machine(memory=stand_ins, nodes=case.slit())).machine
    made: list[Node] = []
    for node in done.nodes:
        zones = interpreter.call(derive_zones, tuple(memory), node.id).value
        made.append(replace(node, zones=zones))
    return tuple(made)


def plain_machine(scope: Scope, case: Case, addresses: Sequence[int], name: str = "") -> Machine:
    """The map of a case at these addresses, as a machine file would give it.

    `addresses` are in the order of :attr:`SymbolicMap.addresses`.
    """
    pairs = list(zip(addresses[::2], addresses[1::2], strict=True))
    ranges = len(case.nodes)
    memory = tuple(
        MemoryRange(start, end, node)
        for (start, end), node in zip(pairs[:ranges], case.nodes, strict=True)
    )
    cmrs = tuple(Cmr(start, end - start) for start, end in pairs[ranges : ranges + case.cmrs])
    free = None
    if case.free is not None:
        free = tuple(
            FreeRun(start, end, case.nodes[held])
            for (start, end), held in zip(pairs[ranges + case.cmrs :], case.free, strict=True)
        )
    return Machine(
        name=name,
        limits=scope.limits,
        cmrs=cmrs,
        memory=memory,
        nodes=case.slit(),
        free=free,
    )


def items_of(value: Value) -> list[tuple[Guard, Value]]:
    """The items of a plain or guarded sequence."""
    if isinstance(value, GuardedList):
        return list(value.items)
    return [(True, item) for item in value or ()]
