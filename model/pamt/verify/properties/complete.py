"""``complete:SPACE``: a failure means that no configuration exists in that space.

Both sides are existential: a map on which the policy fails, and a configuration for it.  So a
counterexample is one satisfying assignment, and "holds" is unsatisfiability for every cut into
TDMRs that the space allows.

The number of areas of a TDMR, by the space's rule:

* ``memory``, ``cmr``: holes of that list (the kernel's own walk), and one for each chunk or
  separate region that reaches in;
* ``minimal``: items are the gaps of the memory and the PAMT regions inside the TDMR.  Items that
  touch form one stretch.  A stretch counts unless it is a single gap that lies inside a CMR run.  A
  chain of n touching items has n - 1 contacts, so the count is (regions + gaps that need reserving
  or touch a region) - contacts.

              | gap | PPP | gap |     memory     |PPP|    memory    |
              '--- one stretch -'                one more

With ``--give-up N`` the list of memory is any that is left after up to N pages have gone
(:mod:`pamt.verify.properties.giving_up`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

from pamt.configuration import Configuration, Pamt, Tdmr
from pamt.kernel.areas import find_holes
from pamt.kernel.layout import lay_out_tdmrs
from pamt.kernel.memlist import build_memory_list
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Cmr, FreeRun, Machine, MemoryRange
from pamt.outcome import Outcome
from pamt.placement.evaluate import evaluate
from pamt.placement.question import pose
from pamt.placement.shape import Reservations
from pamt.placement.space import Space
from pamt.policies.protocol import Policy
from pamt.ranges import GIB, PAGE, Range
from pamt.verify.interp import GuardedList, Interpreter
from pamt.verify.obligation import NotDecidedHere, Obligation, PlainRun, SymbolicRun
from pamt.verify.primitives import PRIMITIVES
from pamt.verify.properties.giving_up import Left, ways_to_give_up
from pamt.verify.symbolic_map import inside_runs, joined_runs

if TYPE_CHECKING:
    from pamt.smt.symbolic import Symbols

__all__ = ["Complete", "configuration_in"]

Guard = Any
WITNESS_BUDGET = 200_000_000


class _Region(NamedTuple):
    """A PAMT region to be placed, with the chunk it may belong to."""

    tdmr: int
    start: Any
    size: int
    level: int
    """0, 1, 2; or -1 for a whole chunk."""
    present: Guard

    @property
    def end(self) -> Any:
        return self.start + self.size


class _Witness(NamedTuple):
    """Unknown places for one cut, and what they have to satisfy."""

    tdmrs: tuple[Range, ...]
    regions: tuple[_Region, ...]
    guards: tuple[Guard, ...]


@dataclass(frozen=True)
class Complete:
    """See the module's text.  `reason` restricts it to one kind of failure."""

    space_name: str
    space: Space
    reason: str | None = None

    @property
    def name(self) -> str:
        return f"complete:{self.space_name}" + (f"@{self.reason}" if self.reason else "")

    @property
    def words(self) -> str:
        what = f"a failure with {self.reason}" if self.reason else "a failure"
        return f"{what} means that no configuration exists in the space {self.space}"

    @property
    def premise(self) -> str:
        return f"the policy fails with {self.reason}" if self.reason else "the policy fails"

    def meets_premise(self, run: SymbolicRun) -> Iterator[tuple[Guard, ...]]:
        """Any such failure."""
        for guard, _ in self._failures(run):
            yield (guard,)

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """For each failure, each way to give up pages and each cut into TDMRs: there are places."""
        failures = self._failures(run)
        if not failures:
            return
        made, space = run.made, self.space
        for witness in _witnesses(made.symbols, made.interpreter, made.machine, space):
            for guard, outcome in failures:
                yield Obligation(
                    f"{outcome.reason} though {len(witness.tdmrs)} TDMRs can be placed",
                    (guard, *witness.guards),
                    witness=True,
                )
        if not space.give_up:
            return
        for ways in ways_to_give_up(made, space.give_up):
            if ways.left_out is not None:
                for guard, outcome in failures:
                    yield Obligation(f"{outcome.reason}: {ways.left_out}", (guard,), undecided=True)
                return
            for witness in _witnesses_of(made.symbols, made.interpreter, made.machine, ways, space):
                for guard, outcome in failures:
                    yield Obligation(
                        f"{outcome.reason} though {len(witness.tdmrs)} TDMRs can be placed when"
                        f" {ways.words} is given up",
                        (guard, *witness.guards),
                        witness=True,
                    )

    def _failures(self, run: SymbolicRun) -> list[tuple[Guard, Outcome]]:
        return [
            (guard, outcome)
            for guard, outcome in run.failures()
            if self.reason is None or outcome.reason == self.reason
        ]

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        if run.outcome is None:
            return f"the policy raised {run.error}"
        if run.outcome.succeeded or (self.reason and run.outcome.reason != self.reason):
            return None
        found, given_up = configuration_in(run.machine, self.space), None
        if found is None and self.space.give_up:
            found, given_up = _after_giving_up(run.machine, self.space)
        if found is None:
            return None
        chunks = ", ".join(f"{t.pamt_4k.base:#x}" for t in found.tdmrs)
        without = f" without {given_up}" if given_up else ""
        return (
            f"{run.outcome.reason}, though PAMTs at {chunks} make a configuration of this"
            f" space{without}"
        )


def _after_giving_up(machine: Machine, space: Space) -> tuple[Configuration | None, str | None]:
    """A configuration after pages have gone, and which; by the placement search.

    Raises NotDecidedHere when its budget ends.
    """
    from pamt.solve import UNDECIDED, place

    result = place(machine, space, ("lost",), canonical=False)
    if result.verdict == UNDECIDED:
        raise NotDecidedHere(f"the search for a configuration: {result.reason}")
    return result.configuration, ", ".join(str(run) for run in result.given_up)


def configuration_in(machine: Machine, space: Space) -> Configuration | None:
    """A configuration of a completed machine in `space`, judged by the plain rules; or None.

    Nothing is given up, whatever `space` says.  Raises NotDecidedHere when the solver gives up,
    RuntimeError when the judge refuses what it proposes.
    """
    from pamt.smt.symbolic import Symbols
    from pamt.smt.symbolic_query import Query

    space = space._replace(give_up=0)
    symbols = Symbols("lin")
    interpreter = Interpreter(symbols, PRIMITIVES)
    for witness in _witnesses(symbols, interpreter, machine, space):
        answer = Query(symbols).ask(witness.guards, WITNESS_BUDGET)
        if answer.verdict == "unknown":
            raise NotDecidedHere("the search for a configuration ran out of its budget")
        if answer.assignment is None:
            continue
        assignment = answer.assignment
        pamts: list[list[Pamt]] = [[] for _ in witness.tdmrs]
        for region in sorted(witness.regions, key=lambda r: (r.tdmr, r.level)):
            if not assignment.guard(region.present):
                continue
            base = assignment.integer(region.start)
            if region.level >= 0:
                pamts[region.tdmr].append(Pamt(base, region.size))
                continue
            for size in pamt_sizes(
                witness.tdmrs[region.tdmr].size, machine.limits, machine.limits.dynamic_pamt
            ):
                pamts[region.tdmr].append(Pamt(base, size))
                base += size
        question = pose(machine, space)
        due = Reservations(question, ((p[0], p[1], p[2]) for p in pamts))
        found = Configuration(
            tuple(
                Tdmr(t.start, t.size, p[0], p[1], p[2], tuple(due.areas(t)))
                for t, p in zip(witness.tdmrs, pamts, strict=True)
            )
        )
        judged = evaluate(machine, space, found)
        if not judged.holds:
            raise RuntimeError(f"a proposed configuration breaks {judged.violations}")
        return found
    return None


def _witnesses(
    symbols: Symbols, interpreter: Interpreter, machine: Machine, space: Space
) -> Iterator[_Witness]:
    made = interpreter.pairs(interpreter.call(build_memory_list, machine.memory or ()).value)
    open_guards = [guard for guard, _ in made if guard is not True]
    for kept in product((True, False), repeat=len(open_guards)):
        # What lies below 1 MiB is not listed; where that is open, both ways are gone through.
        signs = iter(kept)
        base: Guard = True
        listed: list[MemoryRange] = []
        for guard, r in made:
            stays = True if guard is True else next(signs)
            base = symbols.conjunction(base, guard if stays else symbols.negation(guard))
            if stays:
                listed.append(r)
        if listed and base is not False:
            by_node = joined_runs(interpreter, _ascending(machine.free or ()))
            runs = [run for found in by_node.values() for run in found]
            left = Left(listed, runs, (base,))
            yield from _witnesses_of(symbols, interpreter, machine, left, space)


def _witnesses_of(
    symbols: Symbols, interpreter: Interpreter, machine: Machine, left: Left, space: Space
) -> Iterator[_Witness]:
    listed = left.listed
    convertible: Guard = True
    for r in listed:
        convertible = symbols.conjunction(
            convertible, inside_runs(symbols, r.start, r.end, list(machine.cmrs or ()))
        )
    for tdmrs in _cuts(interpreter, machine, listed, space):
        if len(tdmrs) > machine.limits.max_tdmrs:
            continue
        if tdmrs[-1].end > machine.limits.address_end:
            continue
        regions = _regions(symbols, machine, left.free, tdmrs, space)
        guards = [*left.guards, convertible, *_placed(symbols, left.free, regions)]
        for tdmr in tdmrs:
            count = _count(symbols, interpreter, machine, listed, tdmr, regions, space)
            guards.append(count <= machine.limits.max_reserved_per_tdmr)
        yield _Witness(tdmrs, regions, tuple(guards))


def _cuts(
    interpreter: Interpreter, machine: Machine, listed: Sequence[MemoryRange], space: Space
) -> Iterator[tuple[Range, ...]]:
    if space.tdmrs == "kernel":
        layout = interpreter.call(
            lay_out_tdmrs, GuardedList((True, r) for r in listed), machine.limits.max_tdmrs
        )
        if layout.value.exhausted is False:
            yield tuple(interpreter.merger.as_list(layout.value.tdmrs).plain())
        return
    cells: list[int] = []
    for r in listed:
        first = interpreter.call(_cell_of, r.start).value
        last = interpreter.call(_cell_of, r.end - PAGE).value
        cells += [cell for cell in range(first, last + 1) if cell not in cells]
    for borders in product((False, True), repeat=len(cells) - 1):
        made: list[Range] = []
        start = cells[0]
        for before, after, cut in zip(cells, cells[1:], borders, strict=False):
            if cut:
                made.append(Range(start * GIB, (before + 1) * GIB))
                start = after
        made.append(Range(start * GIB, (cells[-1] + 1) * GIB))
        yield tuple(made)


def _cell_of(address: int) -> int:
    return address // GIB


def _regions(
    symbols: Symbols,
    machine: Machine,
    free: Sequence[tuple[Guard, Range]],
    tdmrs: Sequence[Range],
    space: Space,
) -> tuple[_Region, ...]:
    made: list[_Region] = []
    ends: list[int] = [r.end if isinstance(r.end, int) else r.end.high for _, r in free]
    top = max(ends, default=PAGE)
    for index, tdmr in enumerate(tdmrs):
        sizes = pamt_sizes(tdmr.size, machine.limits, machine.limits.dynamic_pamt)
        top = max(top, sizes.total)
        whole: Guard = True
        if space.pamt == "split":
            whole = symbols.fresh_boolean(f"chunk{index}")
        start = symbols.fresh_address(f"chunk{index}", 0, top)
        made.append(_Region(index, start, sizes.total, -1, whole))
        if whole is not True:
            apart = symbols.negation(whole)
            for level, size in enumerate(sizes):
                place = symbols.fresh_address(f"pamt{index}.{level}", 0, top)
                made.append(_Region(index, place, size, level, apart))
    return tuple(made)


def _placed(
    symbols: Symbols, runs: Sequence[tuple[Guard, Range]], regions: Sequence[_Region]
) -> Iterator[Guard]:
    """Each region in one free run, no two on one page."""
    both, either = symbols.conjunction, symbols.disjunction
    for region in regions:
        inside = either(
            both(present, both(run.start <= region.start, region.end <= run.end))
            for present, run in runs
        )
        yield either([symbols.negation(region.present), inside])
    for a, b in combinations(regions, 2):
        absent = symbols.negation(both(a.present, b.present))
        yield either([absent, a.end <= b.start, b.end <= a.start])


def _count(
    symbols: Symbols,
    interpreter: Interpreter,
    machine: Machine,
    listed: Sequence[MemoryRange],
    tdmr: Range,
    regions: Sequence[_Region],
    space: Space,
) -> Any:
    """Reserved areas of one TDMR: an int or a counter."""
    both, either = symbols.conjunction, symbols.disjunction
    inside = [both(r.present, both(r.start < tdmr.end, tdmr.start < r.end)) for r in regions]
    total: Any = 0
    for guard in inside:
        total = symbols.counter(total, guard, 1)
    if space.reserve != "minimal":
        present: Any = GuardedList((True, r) for r in listed)
        if space.reserve == "cmr":
            present = _cmr_ranges(symbols, machine.cmrs or ())
        holes = interpreter.call(find_holes, tdmr, present).value
        return interpreter.call(_length, holes).value + total
    gaps = interpreter.pairs(
        interpreter.call(find_holes, tdmr, GuardedList((True, r) for r in listed)).value
    )
    for present_gap, gap in gaps:
        needed: Guard = symbols.negation(
            inside_runs(symbols, gap.start, gap.end, list(machine.cmrs or ()))
        )
        touching: list[Guard] = []
        for region in regions:
            before = both(interpreter.equal(region.end, gap.start), gap.start > tdmr.start)
            behind = both(interpreter.equal(region.start, gap.end), gap.end < tdmr.end)
            for contact in (before, behind):
                here = both(region.present, contact)
                touching.append(here)
                total = symbols.counter(total, both(present_gap, here), -1)
        total = symbols.counter(total, both(present_gap, either([needed, *touching])), 1)
    for a, b in combinations(regions, 2):
        for left, right in ((a, b), (b, a)):
            met = both(
                interpreter.equal(left.end, right.start),
                both(left.end > tdmr.start, left.end < tdmr.end),
            )
            total = symbols.counter(total, both(both(a.present, b.present), met), -1)
    return total


def _length(items: Sequence[Any]) -> int:
    return len(items)


def _ascending(free: Sequence[FreeRun]) -> Sequence[FreeRun]:
    """Free runs in address order; symbolic ones are made in that order."""
    plain = all(isinstance(f.start, int) for f in free)
    return sorted(free, key=lambda f: f.start) if plain else free


def _cmr_ranges(symbols: Symbols, cmrs: Sequence[Cmr]) -> Any:
    """CMRs as find_holes reads them, null entries skipped."""
    return GuardedList(
        (
            symbols.negation(c.size == 0) if not isinstance(c.size, int) else c.size != 0,
            Range(c.base, c.base + c.size),
        )
        for c in cmrs
    )
