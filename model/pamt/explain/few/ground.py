"""What the kernel sees before any page of an unknown address is gone.

Pages that can do more than cut a TDMR, block a slot or make a hole are named here one by one:

* what a range holds of a GiB, where that is no more than `most` pages: without all of it, the range
  ends elsewhere, the GiB may hold no memory, a home node may be another, a node may be gone;
* the lowest and highest pages of a node whose zones the map does not give: without them the zones
  start or end elsewhere, and with them the slots;
* memory outside the CMRs, without which the module refuses what the kernel makes.

A :class:`Ground` fixes which of these are withdrawn.  All others of at most `most` pages then leave
each range some memory in each GiB where it had some, and each node its span: they are *plain*.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pamt.explain.changes import withdraw
from pamt.explain.few.pages import Region, clip, drop_all
from pamt.explain.shortage import outside_cmrs
from pamt.kernel.areas import find_holes
from pamt.kernel.contig import ContigAllocator, zones_high_to_low
from pamt.kernel.memlist import LOW_MEMORY_END, build_memory_list, trim_cmrs
from pamt.kernel.variants import Variant
from pamt.machine import Limits, Machine, MemoryRange
from pamt.ranges import GIB, PAGE, Range, RangeSet, align_down, align_up
from pamt.standins import complete

__all__ = ["Ground", "grounds"]


@dataclass(frozen=True, slots=True)
class Ground:
    """A machine without the pages of `gone`; no page of `barred` will follow them."""

    gone: tuple[Range, ...]
    limits: Limits
    listed: tuple[MemoryRange, ...]
    present: tuple[Range | MemoryRange, ...]
    """What holes are what is left over of: the list, or the CMRs."""
    borders: tuple[int, ...]
    """GiB borders at which a TDMR ends in any case."""
    barred: Region
    scan: dict[int, tuple[tuple[int, Range], ...]]
    """For each home node the zones that are scanned, with their node, in order."""
    free: dict[int, tuple[Range, ...]]
    """By node, without what no zone that is scanned holds; cut where zones meet."""
    holes_count: bool
    """A withdrawn page is a hole."""
    _ends: tuple[int, ...]
    _holes: dict[Range, int] = field(default_factory=dict)

    def first_at(self, address: int) -> int:
        """Index of the first range of the list that ends above `address`."""
        return bisect_right(self._ends, address)

    def range_of(self, page: int) -> MemoryRange | None:
        """The range of the list that holds the page at `page`."""
        at = self.first_at(page)
        if at < len(self.listed) and self.listed[at].start <= page:
            return self.listed[at]
        return None

    def holes(self, tdmr: Range) -> int:
        """Holes of `tdmr`, without those that unknown pages make."""
        known = self._holes.get(tdmr)
        if known is None:
            known = self._holes[tdmr] = len(find_holes(tdmr, self.present))
        return known

    def memory(self, low: int, high: int, *, starts: bool) -> Region:
        """Pages of the list in ``[low, high)`` that may be withdrawn.

        Without `starts` the first page of each range is left out: it cuts nothing.
        """
        found: list[Range] = []
        for r in self.listed[self.first_at(low) :]:
            if r.start >= high:
                break
            start = r.start if starts else r.start + PAGE
            part = Range(max(start, low), min(r.end, high))
            if part.start < part.end:
                found.append(part)
        region = tuple(found)
        return drop_all(region, clip(self.barred, low, high))


def grounds(machine: Machine, variant: Variant, most: int) -> Iterator[Ground]:
    """All grounds that at most `most` pages lead to; `machine` has memory and CMRs filled in."""
    outside = () if variant.holes_from_cmrs else outside_cmrs(machine).runs
    must = frozenset(_pages(outside, most + 1))
    if len(must) > most:
        return
    small = _small_pieces(machine, most)
    singles = [(page,) for page in _pages(small.runs)]
    chains = [*_edges(machine, most), *singles]
    seen: set[frozenset[int]] = set()
    for chosen in _unions(chains, must, most):
        if chosen not in seen:
            seen.add(chosen)
            yield _ground(machine, variant, chosen, small)


def _pages(runs: Sequence[Range], most: int | None = None) -> list[int]:
    found: list[int] = []
    for run in runs:
        for page in range(run.start, run.end, PAGE):
            if most is not None and len(found) == most:
                return found
            found.append(page)
    return found


def _small_pieces(machine: Machine, most: int) -> RangeSet:
    """What ranges hold of a GiB, where that is at most `most` pages."""
    found: list[Range] = []
    for r in build_memory_list(machine.memory or ()):
        # Only the first and the last GiB of a range can hold little of it.
        first = Range(r.start, min(r.end, align_down(r.start, GIB) + GIB))
        last = Range(max(r.start, align_up(r.end, GIB) - GIB), r.end)
        found += [piece for piece in (first, last) if piece.size <= most * PAGE]
    return RangeSet(found)


def _derived(machine: Machine) -> set[int]:
    """Nodes whose zones follow from their memory."""
    given = {node.id for node in machine.nodes if node.zones is not None}
    return {r.node for r in machine.memory or ()} - given


def _edges(machine: Machine, most: int) -> Iterator[tuple[int, ...]]:
    """Lowest pages of each node with derived zones, upwards; highest ones, downwards."""
    for node in sorted(_derived(machine)):
        own = sorted(r.range for r in machine.memory or () if r.node == node)
        low = _pages(own, most)
        high: list[int] = []
        for run in reversed(own):
            left = most - len(high)
            high += [run.end - (n + 1) * PAGE for n in range(min(left, run.size // PAGE))]
        for chain in (low, high):
            # Pages below 1 MiB stay, and so does what lies behind them.
            kept = next((n for n, page in enumerate(chain) if page < LOW_MEMORY_END), len(chain))
            if kept:
                yield tuple(chain[:kept])


def _unions(
    chains: Sequence[tuple[int, ...]], chosen: frozenset[int], most: int, at: int = 0
) -> Iterator[frozenset[int]]:
    """`chosen` with a beginning of each chain from `at` on, at most `most` pages together."""
    yield chosen
    for number in range(at, len(chains)):
        for length in range(1, len(chains[number]) + 1):
            more = chosen | frozenset(chains[number][:length])
            if len(more) <= most and more != chosen:
                yield from _unions(chains, more, most, number + 1)


def _ground(machine: Machine, variant: Variant, chosen: frozenset[int], small: RangeSet) -> Ground:
    gone = RangeSet(Range(page, page + PAGE) for page in chosen).runs
    changed = withdraw(machine, gone)
    done = complete(changed).machine
    listed = tuple(build_memory_list(done.memory or ()))
    barred = list(small.runs)
    for node_id in _derived(machine):
        own = [r.range for r in changed.memory or () if r.node == node_id]
        if own:
            low, high = min(own).start, max(own).end
            barred += [Range(low, low + PAGE), Range(high - PAGE, high)]
    alloc = ContigAllocator(done.nodes, done.free or ())
    scan: dict[int, tuple[tuple[int, Range], ...]] = {}
    free: dict[int, tuple[Range, ...]] = {}
    for node in done.nodes:
        zones = sorted(zone.range for zone in zones_high_to_low(node.zones or ()))
        if node.online:
            runs = RangeSet(alloc.free_runs(node.id))
            free[node.id] = tuple(run for zone in zones for run in runs.within(zone))
        order: list[tuple[int, Range]] = []
        for other in node.fallback or (node.id,):
            known = alloc.nodes.get(other)
            if known is not None and known.online:
                order += [(other, zone.range) for zone in zones_high_to_low(known.zones or ())]
        scan[node.id] = tuple(order)
    cmrs = tuple(trim_cmrs(done.cmrs or ())) if variant.holes_from_cmrs else ()
    return Ground(
        gone,
        done.limits,
        listed,
        cmrs if variant.holes_from_cmrs else listed,
        tuple(sorted({align_up(r.end, GIB) for r in listed})),
        RangeSet(barred).runs,
        scan,
        free,
        not variant.holes_from_cmrs,
        tuple(r.end for r in listed),
    )
