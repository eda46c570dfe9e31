"""T14: what kernel and placement pass over in one step, the plain walk passes over too.

Lists of ranges are looked up by bisection where the kernel walks them from the start.  Each short
cut is right for one reason: no range that is passed over can be the answer.
"""

from __future__ import annotations

import random
from typing import Any

from pamt.kernel.areas import find_holes
from pamt.kernel.contig import ContigAllocator, first_slot, first_slot_address
from pamt.kernel.memlist import first_range_outside_cmrs
from pamt.kernel.sizes import home_node
from pamt.machine import FreeRun, MemoryRange, Node, Zone
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.stages import answer, left_with, turn
from pamt.prove.terms import boolean, both, either, equal, implies, integer, negate
from pamt.ranges import PAGE, Range
from pamt.verify.interp import GuardedList, guarded

TDMR = Range(integer("tdmr_start"), integer("tdmr_end"))
R = MemoryRange(integer("start"), integer("end"), integer("node"))
FOUND = Range(integer("found_start"), integer("found_end"))
OTHER = Range(integer("other_start"), integer("other_end"))
NOT_EMPTY = {"range": R.start < R.end}


def contains(outer: Range, inner: Any) -> Any:
    return both(outer.start <= inner.start, inner.end <= outer.end)


# Reserved areas of a TDMR: pamt.placement.shape, Reservations._overlapping

PIECE, LONGEST = Range(integer("piece_start"), integer("piece_end")), integer("longest")


def clipped_is_empty(piece: Range, tdmr: Range) -> Any:
    part = answer(Range.clip, piece, tdmr)
    return part.end <= part.start


def pieces_below() -> Claim:
    return Claim(
        {"no part inside": clipped_is_empty(PIECE, TDMR)},
        needs={
            "starts a longest piece below": PIECE.start <= TDMR.start - LONGEST,
            "none is longer": PIECE.end - PIECE.start <= LONGEST,
        },
    )


def pieces_above() -> Claim:
    return Claim(
        {"no part inside": clipped_is_empty(PIECE, TDMR)},
        needs={"starts at the TDMR's end or later": PIECE.start >= TDMR.end},
    )


# Holes and home: pamt.placement.question, Question.holes and Question.facts


def holes_above() -> Claim:
    """The walk over the memory list stops at the first range that is left out."""
    state = {"tdmr": TDMR, "prev_end": integer("prev_end"), "holes": GuardedList()}
    made = turn(find_holes, state, R)
    (stop,) = made.breaks
    return Claim(
        {
            "stops": left_with(made),
            "as it was": implies(
                stop.guard, equal(stop.variables["prev_end"], integer("prev_end"))
            ),
        },
        needs={"starts at the TDMR's end or later": R.start >= TDMR.end},
    )


def home_is_bisected() -> Claim:
    """The first range that ends above the base is where the walk ends; before it, it goes on."""
    before = MemoryRange(integer("before_start"), integer("before_end"), integer("before_node"))
    at, passed = turn(home_node, {"tdmr": TDMR}, R), turn(home_node, {"tdmr": TDMR}, before)
    return Claim(
        {
            "ends here": left_with(at),
            "with its node": both(*(equal(e.value, R.node) for e in at.returns)),
            "not before": negate(left_with(passed)),
        },
        needs={
            "ends above the base": R.end > TDMR.start,
            "those before do not": before.end <= TDMR.start,
        },
    )


# Ranges outside of the CMRs: pamt.kernel.construct, _first_outside


def outside_is_bisected() -> Claim:
    """If any CMR contains the range, the first that ends at its end or above does.

    Any other CMR lies before that one and ends below, or behind it.
    """
    whole = turn(first_range_outside_cmrs, {"cmrs": guarded([OTHER])}, R)
    short = turn(first_range_outside_cmrs, {"cmrs": guarded([FOUND])}, R)
    before = OTHER.end < R.end
    behind = OTHER.start >= FOUND.end
    same = both(equal(OTHER.start, FOUND.start), equal(OTHER.end, FOUND.end))
    return Claim(
        {"as good as all": implies(left_with(short), left_with(whole))},
        needs={
            "found by its end": FOUND.end >= R.end,
            "CMRs ascend and are disjoint": either(before, behind, same),
            "range not empty": R.start < R.end,
        },
    )


def outside_of_none() -> Claim:
    """Where every CMR ends below the range's end, none contains it."""
    whole = turn(first_range_outside_cmrs, {"cmrs": guarded([OTHER])}, R)
    none = turn(first_range_outside_cmrs, {"cmrs": GuardedList()}, R)
    return Claim(
        {"outside": both(left_with(whole), left_with(none))},
        needs={"all end below": OTHER.end < R.end},
    )


# Free pages: pamt.kernel.contig, ContigAllocator

NR = integer("nr")
SIZE = NR * PAGE
ZONE = Range(integer("zone_start") * PAGE, integer("zone_end") * PAGE)
FIRST = integer("first slot")
RUN = Range(integer("run_start") * PAGE, integer("run_end") * PAGE)
SLOT, LOW = integer("slot"), integer("low")
A_SLOT = both(SLOT >= FIRST, SLOT >= RUN.start, SLOT + SIZE <= RUN.end)
"""What T7 shows of anything found in the run (is-a-slot)."""
FOUND_BEFORE, WAS_SLOT = integer("found before"), boolean("the slot was free then")


def resume_at_start() -> Claim:
    """The first search for a size: a run that ends where the zone starts, or below, holds none."""
    return Claim(
        {"none": negate(A_SLOT)},
        needs={
            "passed over": RUN.end <= ZONE.start,
            "T7: the first slot is in the zone": FIRST >= ZONE.start,
        },
        given={"size": NR >= 1},
    )


def resume_after() -> Claim:
    """A later search for the same size: below what was found before, there was no other slot.

    Runs only lose pages between the two, so what is free now was free then.
    """
    return Claim(
        {"none": negate(A_SLOT)},
        needs={
            "passed over": RUN.end <= LOW,
            "T7: the lowest was found": implies(WAS_SLOT, FOUND_BEFORE <= SLOT),
            "runs only shrink": implies(A_SLOT, WAS_SLOT),
            "resumes there": equal(LOW, FOUND_BEFORE),
        },
        given={"size": NR >= 1},
    )


def resume_after_none() -> Claim:
    """... and where none was found before, there is none now, passed over or not."""
    return Claim(
        {"none": negate(both(A_SLOT, SLOT + SIZE <= ZONE.end))},
        needs={
            "T7: none was there": negate(both(WAS_SLOT, SLOT + SIZE <= ZONE.end)),
            "runs only shrink": implies(A_SLOT, WAS_SLOT),
        },
    )


def taken_from() -> Claim:
    """If a free run holds the pages, it is the first that ends above their start."""
    wanted = Range(integer("wanted_start"), integer("wanted_end"))
    same = both(equal(OTHER.start, FOUND.start), equal(OTHER.end, FOUND.end))
    return Claim(
        {"that one": implies(contains(OTHER, wanted), contains(FOUND, wanted))},
        needs={
            "found by its end": FOUND.end > wanted.start,
            "runs ascend and are disjoint": either(
                OTHER.end <= wanted.start, OTHER.start >= FOUND.end, same
            ),
            "not empty": wanted.start < wanted.end,
        },
    )


def slot_by_slot(zone: Range, size: int, runs: list[Range]) -> int | None:
    """The kernel's scan as it is written there: every slot in turn, every page of it."""
    at = first_slot_address(zone.start, size)
    while at + size <= zone.end:
        if any(run.start <= at and at + size <= run.end for run in runs):
            return at
        at += size
    return None


def replayed() -> Evidence:
    """The allocator, resuming, against the scan slot by slot: takes and gives at random."""
    rng = random.Random(14)
    searches = found = 0
    for _ in range(60):
        starts = sorted(rng.sample(range(64, 400), 2 * rng.randint(1, 5)))
        free = [FreeRun(a * PAGE, b * PAGE, 0) for a, b in zip(*[iter(starts)] * 2, strict=True)]
        zone = Zone("Normal", rng.randint(60, 90) * PAGE, rng.randint(300, 420) * PAGE)
        node = Node(0, fallback=(0,), zones=(zone,))
        allocator = ContigAllocator([node], free)
        held: list[Range] = []
        for _ in range(30):
            size = rng.randint(1, 9) * PAGE
            wanted = slot_by_slot(zone.range, size, list(allocator.free_runs(0)))
            got = allocator.contig(size, 0)
            searches += 1
            if (None if got is None else got.range.start) != wanted:
                return Evidence(False, f"{size // PAGE} pages: {got}, not {wanted}")
            if got is not None:
                found += 1
                held.append(got.range)
            if held and rng.random() < 0.3:
                allocator.give_back(held.pop(rng.randrange(len(held))), 0)
    return Evidence(found > 300, f"{searches} searches, {found} found a slot")


def one_by_one() -> Evidence:
    """`first_slot` against the scan slot by slot: every zone start, size and pair of runs."""
    looked = 0
    for zone_start in range(3):
        for pages in range(1, 5):
            for bounds in (
                (a, b, c, d)
                for a in range(5)
                for b in range(a + 1, 8)
                for c in range(b + 1, 9)
                for d in range(c + 1, 13, 2)
            ):
                runs = [Range(bounds[0] * PAGE, bounds[1] * PAGE)]
                runs.append(Range(bounds[2] * PAGE, bounds[3] * PAGE))
                zone = Range(zone_start * PAGE, 11 * PAGE)
                looked += 1
                wanted = slot_by_slot(zone, pages * PAGE, runs)
                if first_slot(zone, pages * PAGE, runs) != wanted:
                    return Evidence(False, f"{zone}, {pages} pages, {runs}")
    return Evidence(True, f"{looked} zones, sizes and runs")


THEOREM = Theorem(
    name="t14_short_cuts",
    short="T14",
    title="What is passed over by bisection is passed over by the plain walk",
    statement="Pieces, memory ranges, CMRs and free runs that the program skips by bisection cannot"
    " decide an answer: not the areas of a TDMR, its holes or its home, not whether a range lies in"
    " a CMR, not which slot the allocator finds, resuming where it stopped, nor which run it takes"
    " pages from.",
    formal="for all lists and keys: walk(list) = walk(list[bisect(list, key):])",
    trusts="T7 (what a scan finds is the lowest slot), T2 (ranges below a TDMR change nothing)."
    " Python's bisect_left and bisect_right, as documented.",
    obligations=(
        Obligation("pieces-below", "pieces that start too far below a TDMR", pieces_below),
        Obligation("pieces-above", "pieces that start above a TDMR", pieces_above),
        Obligation("holes-above", "memory ranges that start above a TDMR", holes_above),
        Obligation("home-is-bisected", "the home is the first that ends above", home_is_bisected),
        Obligation("outside-is-bisected", "one CMR is enough to look at", outside_is_bisected),
        Obligation("outside-of-none", "no CMR ends high enough", outside_of_none),
        Obligation("resume-at-start", "free runs below the zone", resume_at_start),
        Obligation("resume-after", "free runs below the slot found before", resume_after),
        Obligation("resume-after-none", "nothing found before, nothing now", resume_after_none),
        Obligation("taken-from", "the run that pages are taken from", taken_from),
        Check("replayed", "the allocator against the scan slot by slot", replayed),
        Check("one-by-one", "first_slot against the scan slot by slot", one_by_one),
    ),
    mutants=(
        Obligation(
            "half a piece below",
            "a piece that starts half a longest piece below a TDMR is passed over rightly",
            lambda: Claim(
                pieces_below().goal,
                {
                    "starts below": 2 * PIECE.start <= 2 * TDMR.start - LONGEST,
                    "none is longer": PIECE.end - PIECE.start <= LONGEST,
                },
            ),
        ),
        Obligation(
            "ends above the range",
            "the CMR to look at is the first that ends above the range's end",
            lambda: Claim(
                outside_is_bisected().goal,
                {
                    **outside_is_bisected().needs,
                    "CMRs ascend and are disjoint": either(
                        OTHER.end <= R.end, OTHER.start >= FOUND.end
                    ),
                },
            ),
        ),
        Obligation(
            "runs may grow",
            "pages may come back between two searches",
            lambda: resume_after().without("runs only shrink"),
        ),
        Obligation(
            "home by start",
            "the home is the first range that starts above the base",
            lambda: home_is_bisected().replacing(
                m=implies(left_with(turn(home_node, {"tdmr": TDMR}, R)), R.start > TDMR.start)
            ),
        ),
    ),
)
