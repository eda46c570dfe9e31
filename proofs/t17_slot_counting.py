"""T17: chunks of one size fill a free run from its first slot on, so they can be counted.

    run    |....................|        j taken      |...|C0|C1|C2|.........|
             ^ first slot S                             U  S        rest     V

The symbolic allocator of :mod:`pamt.verify.allocator` rests on it, and so does the question how
many PAMTs it takes to exhaust the areas of a TDMR without holes.  All in bytes; `size` is what the
PAMTs of one TDMR take.
"""

from __future__ import annotations

from typing import Any

from pamt.kernel.areas import EXHAUSTED, chunks_inside, reserve_areas
from pamt.kernel.contig import ContigAllocator, first_slot, first_slot_address
from pamt.machine import FreeRun, Limits, Machine, MemoryRange, Node, Zone
from pamt.policies.linux import mainline
from pamt.policies.protocol import run_policy
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.stages import appended, turn
from pamt.prove.terms import at_most, both, choose, either, equal, implies, integer, negate
from pamt.ranges import GIB, PAGE, Range
from pamt.standins import complete
from pamt.verify.interp import GuardedList, Step

SIZE = integer("nr") * PAGE
ZONE = Range(integer("zone_start") * PAGE, integer("zone_end") * PAGE)
FIRST = integer("first_page") * PAGE
U, V, S = (integer(name) * PAGE for name in ("u", "v", "s"))
J = integer("j")
REST = Range(S + J * SIZE, V)
"""What is left behind j chunks."""
TDMR = Range(integer("tdmr_start") * PAGE, integer("tdmr_end") * PAGE)
N, COUNTED, DONE, MAX = (integer(name) for name in ("n", "counted", "done", "max_reserved"))
ON_THE_GRID = {
    "size": SIZE >= PAGE,
    "j": J * SIZE >= 0,
    "run": both(ZONE.start <= U, U <= S),
    "grid": both(FIRST >= ZONE.start, FIRST <= S),
}
LOWEST = {"S is the first slot of the run": either(S <= U + SIZE - PAGE, equal(S, FIRST))}
HINT = {
    "zone": both(equal(ZONE.start, 0), equal(FIRST, 0)),
    "chunk": equal(SIZE, 2 * PAGE),
    "counts": at_most(0, J, 3),
}


def scan(run: Range) -> Step:
    """The turn of the scan that looks at one run."""
    return turn(first_slot, {"zone": ZONE, "size": SIZE, "first": FIRST, "runs": ()}, run)


def found_in(made: Step) -> Any:
    (found,) = made.returns
    return found.guard


def slot_of(made: Step) -> Any:
    (found,) = made.returns
    return found.value


def fits() -> Any:
    """One more chunk has room behind j of them."""
    end = S + J * SIZE + SIZE
    return both(end <= V, end <= ZONE.end)


def exact(run: Range) -> dict[str, Any]:
    """// on a distance to the first slot: exact on the grid, else rounded down (T7, division)."""
    whole = ((FIRST - run.start) // SIZE) * SIZE
    if run is REST:
        return {"on the grid": equal(whole, FIRST - run.start)}
    return {"rounded": both(whole <= FIRST - run.start, FIRST - run.start < whole + SIZE)}


def left_holds_none() -> Claim:
    """Below the first slot of a run nothing is found, whatever was taken above."""
    left = Range(U, S)
    return Claim(
        {"none": negate(found_in(scan(left)))},
        needs=LOWEST,
        given={**ON_THE_GRID, **exact(left)},
        hint=HINT,
    )


def next_is_counted() -> Claim:
    """The next chunk lies right behind those taken, exactly where there is room for it."""
    made = scan(REST)
    return Claim(
        {
            "found where it fits": implies(fits(), found_in(made)),
            "only there": implies(found_in(made), fits()),
            "right behind": implies(found_in(made), equal(slot_of(made), REST.start)),
        },
        given={**ON_THE_GRID, **exact(REST)},
        hint=HINT,
    )


def on_the_grid() -> Claim:
    """A multiple of the size divides exactly: what `next-is-counted` is given."""
    size, k = integer("size"), integer("k")
    distance = -(k * size)
    return Claim({"exact": equal((distance // size) * size, distance)}, given={"size": size >= 1})


def stop_is_final() -> Claim:
    """Where the walk ends at what lies below the first slot, nothing fits behind it either."""
    (stop,) = scan(Range(U, S)).breaks
    return Claim(
        {"nothing fits": negate(fits())},
        needs={"the walk ends there": stop.guard},
        given=ON_THE_GRID,
        hint=HINT,
    )


def chunk(index: Any) -> Range:
    return Range(S + index * SIZE, S + index * SIZE + SIZE)


def counts(index: Any) -> Any:
    """Whether a chunk takes an area of the TDMR."""
    parts = GuardedList()
    turn(chunks_inside, {"tdmr": TDMR, "parts": parts}, chunk(index))
    return appended(parts)[0].when


EARLY, LATE = integer("i"), integer("k")
WHOLE = {"size": SIZE >= PAGE, "TDMR": TDMR.start < TDMR.end}
SMALL = {"chunk": equal(SIZE, 2 * PAGE), "few": both(at_most(0, EARLY, 3), at_most(0, LATE, 3))}


def stretch() -> Claim:
    """The chunks that take an area of a TDMR follow each other."""
    return Claim(
        {"the one between": counts(J)},
        needs={
            "i counts": counts(EARLY),
            "k counts": counts(LATE),
            "i not above j": EARLY * SIZE <= J * SIZE,
            "j not above k": J * SIZE <= LATE * SIZE,
        },
        given=WHOLE,
        hint={**SMALL, "j": at_most(0, J, 3)},
    )


def all_of_them() -> Claim:
    """Chunks 0 to n - 1 all take an area of a TDMR exactly when first and last reach it."""
    first, last = counts(0), counts(N - 1)
    inside = both(S + SIZE > TDMR.start, S + (N - 1) * SIZE < TDMR.end)
    return Claim(
        {
            "the first reaches it": implies(both(first, last), S + SIZE > TDMR.start),
            "the last reaches it": implies(both(first, last), S + (N - 1) * SIZE < TDMR.end),
            "that is enough": implies(inside, both(first, last)),
        },
        needs={"n is positive": (N - 1) * SIZE >= 0},
        given=WHOLE,
        hint={"chunk": equal(SIZE, 2 * PAGE), "few": at_most(-2, N, 3)},
    )


def one_at_most() -> Claim:
    """A chunk takes one area of a TDMR, or none."""
    after = COUNTED + choose(counts(J), 1, 0)
    return Claim({"still within": after <= N + 1}, needs={"within": COUNTED <= N}, given=WHOLE)


def _refused() -> Any:
    piece = Range(integer("piece_start") * PAGE, integer("piece_end") * PAGE)
    state = {"tdmr": TDMR, "areas": GuardedList(), "count": DONE, "max_reserved": MAX}
    made = turn(reserve_areas, state, piece)
    return either(*(r.guard for r in made.returns if r.value.stop == EXHAUSTED))


def as_many_as_areas() -> Claim:
    """With no hole and as many areas as chunks none is refused."""
    return Claim(
        {"not exhausted": negate(_refused())},
        needs={
            "a piece is left": DONE < COUNTED,
            "one area a chunk": COUNTED <= N,
            "as many chunks as areas": N <= MAX,
        },
    )


def one_more() -> Claim:
    """The piece after the last area is refused."""
    return Claim({"exhausted": _refused()}, needs={"all areas are used": equal(DONE, MAX)})


def _map(count: int, limit: int) -> Machine:
    memory = tuple(MemoryRange((4 + i) * GIB, (5 + i) * GIB, 0) for i in range(count))
    limits = Limits(max_reserved_per_tdmr=limit)
    return complete(Machine("t17", memory=memory, limits=limits)).machine


def _smallest(extra: int) -> Evidence:
    """Whether `extra` TDMRs more than areas, and no fewer, exhaust them: every limit up to 16."""
    for limit in range(1, 17):
        for count in range(1, limit + extra + 1):
            fails = run_policy(mainline, _map(count, limit)).reason == "ENOSPC_reserved"
            if fails != (count == limit + extra):
                return Evidence(False, f"{count} TDMRs, {limit} areas")
    return Evidence(True, f"limits 1 to 16: {extra} TDMR more than areas, never fewer")


def _filled(apart: int) -> Evidence:
    """Whether chunks lie at S, S + size + apart, ..: the allocator itself, every small run."""
    seen = 0
    for pages in (3, 4, 6):
        size = pages * PAGE
        for zone_start in (0, 5, 8):
            zone = Zone("Normal", zone_start * PAGE, 64 * PAGE)
            first = first_slot_address(zone.start, size)
            for start in range(zone_start, 24):
                end = (start + 5 * pages) * PAGE
                alloc = ContigAllocator(
                    [Node(0, fallback=(0,), zones=(zone,))], [FreeRun(start * PAGE, end, 0)]
                )
                at = max(first, start * PAGE)
                at += -(at - first) % size
                while (taken := alloc.contig(size, 0)) is not None:
                    if taken.range.start != at:
                        return Evidence(False, f"{pages} pages in a run from page {start}")
                    at, seen = at + size + apart, seen + 1
                if at - apart + size <= end:
                    return Evidence(False, f"{pages} pages: one more would fit at {at:#x}")
    return Evidence(True, f"{seen} chunks")


THEOREM = Theorem(
    name="t17_slot_counting",
    short="T17",
    title="Slots of one size are filled from the first one on, and can be counted",
    statement="Chunks of one size that are taken from a zone lie, in each free run, one behind the"
    " other from the first slot of the run on: after j of them the next is found at the first slot"
    " plus j sizes exactly when it ends inside run and zone, and below the first slot nothing is"
    " ever found. Those that take an area of a TDMR follow each other. So on a node whose n TDMRs"
    " are alike and have no holes, areas never run out while n is at most max_reserved_per_tdmr;"
    " with one TDMR more they do as soon as the first and the last chunk of a run reach the same"
    " TDMR.",
    formal="found after j <=> S + (j+1) size <= min(V, zone end), at S + j size; n <= L => not"
    " ENOSPC; n = L+1, S + size > t, S + L size < t' => ENOSPC",
    trusts="T7 (// rounds down; what is found is the lowest slot), and that ContigAllocator removes"
    " exactly the pages it answers (tested as a law).",
    obligations=(
        Obligation("left-holds-none", "nothing below the first slot", left_holds_none, True),
        Obligation("next-is-counted", "the next one right behind", next_is_counted, True),
        Obligation("on-the-grid", "a multiple of the size divides exactly", on_the_grid),
        Obligation("stop-is-final", "the walk does not end too early", stop_is_final, True),
        Obligation("stretch", "chunks in a TDMR follow each other", stretch, True),
        Obligation("all-of-them", "all count when first and last do", all_of_them, True),
        Obligation("one-at-most", "one area a chunk", one_at_most, True),
        Obligation("as-many-as-areas", "n chunks, n areas: enough", as_many_as_areas),
        Obligation("one-more", "one more piece is refused", one_more),
        Check("filled", "the allocator itself, every small run", lambda: _filled(0)),
        Check("smallest", "mainline itself, every limit up to 16", lambda: _smallest(1)),
    ),
    mutants=(
        Obligation(
            "any place below",
            "nothing is found below a slot that is not the first",
            lambda: left_holds_none().without("S is the first slot of the run"),
        ),
        Obligation(
            "a page less is enough",
            "the next chunk is found where all but a page fits",
            lambda: next_is_counted().replacing(
                m=implies(
                    both(S + J * SIZE + SIZE <= V + PAGE, REST.start + SIZE <= ZONE.end),
                    found_in(scan(REST)),
                )
            ),
        ),
        Obligation(
            "a page apart",
            "chunks leave a page between them",
            lambda: next_is_counted().replacing(
                m=implies(found_in(scan(REST)), equal(slot_of(scan(REST)), REST.start + PAGE))
            ),
        ),
        Obligation(
            "all lie inside",
            "a chunk between two that count lies in the TDMR",
            lambda: stretch().replacing(m=chunk(J).start >= TDMR.start),
        ),
        Obligation(
            "one area too many",
            "one area less than chunks is enough",
            lambda: Claim(
                as_many_as_areas().goal,
                {**as_many_as_areas().needs, "as many chunks as areas": N <= MAX + 1},
            ),
        ),
        Obligation(
            "the last need not reach it",
            "all count as soon as the first does",
            lambda: all_of_them().replacing(m=implies(counts(0), counts(N - 1))),
        ),
        Check("a gap", "a page between two chunks", lambda: _filled(PAGE)),
        Check("as many", "as many TDMRs as areas exhaust them", lambda: _smallest(0)),
    ),
)
