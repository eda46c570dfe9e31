"""T7: from which length on a free run always holds a slot of the kernel's fixed-stride scan.

`first_slot` tries the places first, first + size, first + 2 size, .. of a zone only, so a run that
is large enough may hold none of them.  All in bytes; `size` is what one TDMR's PAMTs take.
"""

from __future__ import annotations

from typing import Any

from pamt.kernel.contig import ContigAllocator, first_slot, first_slot_address
from pamt.machine import FreeRun, Node, Zone
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.stages import head, left_with, tail, turn
from pamt.prove.terms import at_most, both, choose, either, equal, implies, integer, negate
from pamt.ranges import GIB, PAGE, Range
from pamt.verify.interp import GuardedList, Step

NR = integer("nr")
"""Pages of a chunk.  Everything is in bytes, and a multiple of 4 KiB by construction."""
SIZE = NR * PAGE
ZONE = Range(integer("zone_start") * PAGE, integer("zone_end") * PAGE)
RUN = Range(integer("run_start") * PAGE, integer("run_end") * PAGE)
FIRST = first_slot_address(ZONE.start, SIZE)
FIRST_PAGE = integer("first_page")
N, J, K = integer("n"), integer("j"), integer("k")


def first_is_near() -> dict[str, Any]:
    """What the obligations on bits prove of the first slot."""
    return {
        "first slot at or above the zone's start": FIRST >= ZONE.start,
        "first slot less than a size above it": FIRST <= ZONE.start + SIZE - PAGE,
        "first slot in pages": equal(FIRST, FIRST_PAGE * PAGE),
    }


def rounded_down(distance: Any) -> dict[str, Any]:
    """What `division` proves of a distance rounded down to a multiple of the size."""
    whole = (distance // SIZE) * SIZE
    return {"division": both(whole <= distance, distance < whole + SIZE)}


HINT = {
    # m & ~m is 0: with a zone that starts at 0 the first slot is 0.
    "zone": both(equal(ZONE.start, 0), equal(FIRST, 0)),
    "chunk": equal(NR, 2),
    "counts": both(equal(N, 2), equal(J, 1), equal(K, 1)),
}

WELL_FORMED = {
    "zone": ZONE.start >= 0,
    "size": NR >= 1,
    "run": RUN.start < RUN.end,
}
IN_ZONE = {
    "run starts in the zone": RUN.start >= ZONE.start,
    "run ends in the zone": RUN.end <= ZONE.end,
}


def scan(run: Range = RUN) -> Step:
    """The turn of the scan that looks at one run."""
    state = {"zone": ZONE, "size": SIZE, "first": FIRST, "runs": ()}
    return turn(first_slot, state, run)


def slot_of(made: Step) -> Any:
    (found,) = made.returns
    return found.value


def found_in(made: Step) -> Any:
    (found,) = made.returns
    return found.guard


X, M = integer("x"), integer("m")
X1, M1, B, C, A1 = (integer(name) for name in ("x'", "m'", "b", "c", "a'"))


def bits_base() -> Claim:
    return Claim({"x & ~m for 0 and 0": equal(0 & ~0, 0)})


def bits_step() -> Claim:
    """X = 2 x' + b, m = 2 m' + c: the last bit of x & ~m is 1 exactly when b = 1 and c = 0."""
    x, m = 2 * X1 + B, 2 * M1 + C
    a = 2 * A1 + choose(both(equal(B, 1), equal(C, 0)), 1, 0)
    return Claim(
        {"not above x": a <= x, "not below x - m": x - m <= a},
        needs={
            "above": A1 <= X1,
            "below": X1 - M1 <= A1,
            "b is a bit": both(B >= 0, B <= 1),
            "c is a bit": both(C >= 0, C <= 1),
        },
    )


def bits_pages() -> Claim:
    """Even x and m: x & ~m is twice x/2 & ~(m/2), so a multiple of c becomes one of 2 c.

    Twelve times over: whole pages stay whole pages.
    """
    c, t = integer("c"), integer("t")
    return Claim({"doubled": equal(2 * A1, 2 * c * t)}, needs={"multiple": equal(A1, c * t)})


def bits_agree() -> Evidence:
    """The recursion used above is what Python's & does."""
    for x in range(96):
        for m in range(96):
            low = 1 if x % 2 == 1 and m % 2 == 0 else 0
            if x & ~m != 2 * ((x // 2) & ~(m // 2)) + low:
                return Evidence(False, f"x = {x}, m = {m}")
    return Evidence(True, "x and m below 96")


def near() -> Claim:
    """first_slot_address is x & ~m for x = zone start + m and m = size - 4 KiB."""
    m = SIZE - PAGE
    x = ZONE.start + m
    bits = both(x - m <= (x & ~m), (x & ~m) <= x)
    return Claim(
        {name: part for name, part in first_is_near().items() if "pages" not in name},
        given={"zone": ZONE.start >= 0, "size": NR >= 1, "bits": bits},
        hint={
            "zone": equal(ZONE.start, PAGE),
            # 4 & ~3 is 4, 3 & ~2 is 1.
            "first": either(
                both(equal(NR, 4), equal(FIRST, 4 * PAGE)), both(equal(NR, 3), equal(FIRST, PAGE))
            ),
        },
    )


def grid_start() -> Claim:
    """The scan of a zone begins there."""
    arguments = {"zone": ZONE, "size": SIZE, "runs": GuardedList()}
    start = head(first_slot, arguments).variables["first"]
    return Claim({"first": equal(start, FIRST)})


def finds_nothing() -> Claim:
    """After the last run the answer is None."""
    state = {"zone": ZONE, "size": SIZE, "runs": GuardedList(), "first": FIRST}
    ended = tail(first_slot, state)
    return Claim({"None": all(r.value is None for r in ended.returns)})


def division() -> Claim:
    """Python's // rounds down: for a positive divisor and any distance."""
    distance, size = integer("distance"), integer("size")
    whole = (distance // size) * size
    return Claim(
        {"below": whole <= distance, "near": distance < whole + size},
        given={"positive": size >= 1},
    )


def sufficient() -> Claim:
    made = scan()
    return Claim(
        {"found": found_in(made)},
        needs={
            "2 sizes less a page": RUN.end - RUN.start >= 2 * SIZE - PAGE,
            **IN_ZONE,
        },
        given={**WELL_FORMED, **first_is_near(), **rounded_down(FIRST - RUN.start)},
        hint=HINT,
    )


def not_stopped() -> Claim:
    """A run below one that is long enough and in the zone does not end the walk without a slot."""
    made = scan()
    start, end = integer("later_start"), integer("later_end")
    (stop,) = made.breaks
    return Claim(
        {"goes on": negate(stop.guard)},
        needs={
            "the later run ends in the zone": end <= ZONE.end,
            "the later run is long enough": end - start >= SIZE,
            "ascending": RUN.end <= start,
        },
        given=WELL_FORMED,
        hint=HINT,
    )


def is_a_slot() -> Claim:
    """What is found lies in the run, in the zone, and a multiple of the size above the first."""
    made = scan()
    slot = slot_of(made)
    whole = ((FIRST - RUN.start) // SIZE) * SIZE
    return Claim(
        {
            "in the run": implies(found_in(made), both(slot >= RUN.start, slot + SIZE <= RUN.end)),
            "in the zone": implies(found_in(made), slot + SIZE <= ZONE.end),
            "on the grid": implies(
                found_in(made), equal(slot, FIRST - choose(RUN.start > FIRST, whole, 0))
            ),
            "not before the first": implies(found_in(made), slot >= FIRST),
        },
        given={**WELL_FORMED, **rounded_down(FIRST - RUN.start)},
        hint=HINT,
    )


def lowest() -> Claim:
    """No slot of the grid is lower in this run."""
    made = scan()
    other = FIRST + J * SIZE
    index = -((FIRST - RUN.start) // SIZE)
    return Claim(
        {"lowest": implies(found_in(made), slot_of(made) <= other)},
        needs={
            "other slot is in the run": other >= RUN.start,
            "not before the first": J * SIZE >= 0,
        },
        given={
            **WELL_FORMED,
            **rounded_down(FIRST - RUN.start),
            "fewer sizes, fewer bytes": either(
                J * SIZE >= index * SIZE, J * SIZE <= index * SIZE - SIZE
            ),
        },
        hint={**HINT, "counts": at_most(-2, J, 2)},
    )


def misses_none() -> Claim:
    """A slot of the grid in the run and the zone: the run holds what is found.

    So one look at a run answers what the kernel's walk over all slots does.
    """
    made = scan()
    other = FIRST + J * SIZE
    index = -((FIRST - RUN.start) // SIZE)
    return Claim(
        {"found": found_in(made)},
        needs={
            "a slot is in the run": both(other >= RUN.start, other + SIZE <= RUN.end),
            "it ends in the zone": other + SIZE <= ZONE.end,
            "not before the first": J * SIZE >= 0,
        },
        given={
            **WELL_FORMED,
            **rounded_down(FIRST - RUN.start),
            "fewer sizes, fewer bytes": either(
                J * SIZE >= index * SIZE, J * SIZE <= index * SIZE - SIZE
            ),
        },
        hint={**HINT, "counts": at_most(-2, J, 2)},
    )


def stop_is_final() -> Claim:
    """Where the walk stops at a run without a slot, no later run of the zone holds one."""
    made = scan()
    later, slot = Range(integer("later_start"), integer("later_end")), integer("slot")
    (stop,) = made.breaks
    return Claim(
        {"none later": implies(stop.guard, slot + SIZE > ZONE.end)},
        needs={"ascending": RUN.start <= later.start, "a slot of it": later.start <= slot},
        given=WELL_FORMED,
        hint=HINT,
    )


def fewer_sizes() -> Claim:
    """Two multiples of the size are in order, or a size apart at least."""
    return Claim(
        {"order": either(J * SIZE >= K * SIZE, J * SIZE <= K * SIZE - SIZE)},
        given={"size": NR >= 1},
    )


def one_page_less() -> Claim:
    """For any zone start and size: a run one page shorter, put a page above the first slot."""
    run = Range(FIRST + PAGE, FIRST + PAGE + 2 * SIZE - 2 * PAGE)
    made = scan(run)
    whole = ((FIRST - run.start) // SIZE) * SIZE
    return Claim(
        {"no slot": negate(found_in(made)), "walk goes on": negate(left_with(made))},
        given={
            "zone": both(ZONE.start >= 0, ZONE.end >= FIRST + 2 * SIZE),
            "size": NR >= 2,
            **first_is_near(),
            **rounded_down(FIRST - run.start),
            "a size apart": either(whole >= 0, whole <= -SIZE),
        },
        hint=HINT,
    )


U, V, S0 = (integer(name) * PAGE for name in ("u", "v", "s0"))


def nth_sufficient() -> Claim:
    """Run [u, V), j chunks taken at S0, S0 + size, ..: the next one is found at S0 + j size."""
    left = scan(Range(U, S0))
    right = Range(S0 + J * SIZE, V)
    made = scan(right)
    quotient = (FIRST - right.start) // SIZE
    return Claim(
        {
            "what lies before the first slot holds none": negate(found_in(left)),
            "and does not end the walk": negate(left_with(left)),
            "the next is found": found_in(made),
            "right behind": equal(slot_of(made), right.start),
        },
        needs={
            "(n + 1) sizes less a page": V - U >= N * SIZE + SIZE - PAGE,
            "run ends in the zone": V <= ZONE.end,
            "j before n": J * SIZE <= N * SIZE - SIZE,
            "first slot of the run": S0 <= U + SIZE - PAGE,
        },
        given={
            "size": NR >= 1,
            "run": both(U >= ZONE.start, S0 >= U, J * SIZE >= 0, ZONE.start >= 0),
            "S0 is on the grid": both(S0 >= FIRST, equal(quotient * SIZE, FIRST - right.start)),
        },
        hint={**HINT, "counts": both(equal(N, 2), at_most(0, J, 3))},
    )


def exact_division() -> Claim:
    """A multiple of the size divides exactly: the grid fact that `nth-sufficient` is given."""
    size = integer("size")
    distance = -(K * size)
    return Claim({"exact": equal((distance // size) * size, distance)}, given={"size": size >= 1})


def products() -> Claim:
    return Claim(
        {"j before n": J * SIZE <= N * SIZE - SIZE, "not negative": J * SIZE >= 0},
        needs={"j < n": J < N, "j >= 0": J >= 0, "size": NR >= 1},
        hint={"small": both(at_most(-1, NR, 2), at_most(-1, J, 2), at_most(0, N, 2))},
    )


def nth_one_page_less() -> Claim:
    """(n + 1) sizes less two pages, a page above the first slot: only n - 1 slots fit."""
    slot = FIRST + K * SIZE
    run = Range(FIRST + PAGE, FIRST + PAGE + (N + 1) * SIZE - 2 * PAGE)
    return Claim(
        {"index": both(K >= 1, K <= N - 1)},
        needs={"in the run": slot >= run.start, "ends in the run": slot + SIZE <= run.end},
        given={"size": NR >= 1, **first_is_near()},
        hint={**HINT, "counts": both(at_most(1, N, 3), at_most(0, K, 4))},
    )


def mixed() -> Claim:
    """Sizes in any order: the sum of (2 size - a page) suffices.

    `top` is where used memory ends, `left` the sum over the chunks still to come after this one.
    The free run from `top` holds a slot `there` by `sufficient`; the scan's is not above it.
    """
    top, v, left, there, slot = (integer(n) for n in ("top", "v", "left", "there", "slot"))
    return Claim(
        {
            "long enough for the next": v - top >= 2 * SIZE - PAGE,
            "enough remains": v - choose(slot + SIZE >= top, slot + SIZE, top) >= left,
        },
        needs={
            "enough before": v - top >= 2 * SIZE - PAGE + left,
            "the scan finds the lowest": slot <= there,
            "the slot there": there + SIZE <= top + 2 * SIZE - PAGE,
        },
        given={"size": NR >= 1, "what is left": left >= 0},
    )


def _runs(sizes: list[int], length: int, zone_start: int, at: int) -> bool:
    """Whether the kernel's allocator places all chunks in a single free run, sizes in pages."""
    zone = Zone("Normal", zone_start * PAGE, GIB << 10)
    node = Node(0, fallback=(0,), zones=(zone,))
    allocator = ContigAllocator([node], [FreeRun(at * PAGE, (at + length) * PAGE, 0)])
    return all(allocator.contig(size * PAGE, 0) is not None for size in sizes)


def replayed() -> Evidence:
    """The allocator itself, on every start of the run within a grid period: exact lengths."""
    wrong: list[str] = []
    shown: list[str] = []
    cases = [([7], 13), ([5] * 3, 19), ([6, 6], 17), ([3, 8], 20), ([9], 17)]
    for sizes, length in cases:
        period = max(sizes) * 3 * 8
        for pages_long, wanted in ((length, True), (length - 1, False)):
            starts = range(1 << 10, (1 << 10) + period)
            always = all(
                _runs(sizes, pages_long, zone, at)
                for zone in (1 << 10, (1 << 10) - 3)
                for at in starts
            )
            if always != wanted:
                wrong.append(f"{sizes} pages in a run of {pages_long}")
        shown.append(f"{sizes}: {length}")
    return Evidence(not wrong, "; ".join(wrong or shown))


THEOREM = Theorem(
    name="t7_slot_scan",
    short="T7",
    title="The length of a free run from which the slot scan cannot miss it",
    statement="A free run in a zone that is at least 2 nr - 1 pages long holds a slot for a chunk"
    " of nr pages, wherever the zone starts, and for every zone start and nr >= 2 there is a run of"
    " 2 nr - 2 pages that holds none. For n chunks of nr pages, (n + 1) nr - 1 pages are enough and"
    " one less is not. For chunks of any sizes in any order, the sum of (2 nr_i - 1) is enough."
    " What first_slot finds, one look at each run, is what a walk over all slots finds.",
    formal="run <= zone and |run| >= (n+1) nr - 1 => n slots; exists run, |run| = (n+1) nr - 2,"
    " with n - 1 slots",
    trusts="That ContigAllocator removes exactly the pages it answers (tested as a law); what"
    " other runs the zone has can only help.",
    obligations=(
        Obligation("bits-base", "x & ~m for x = m = 0", bits_base),
        Obligation("bits-step", "x - m <= x & ~m <= x, bit by bit", bits_step),
        Obligation("bits-pages", "x & ~m of whole pages is whole pages", bits_pages, True),
        Check("bits-agree", "the recursion on bits is Python's &", bits_agree),
        Obligation("near", "the first slot is within a size of the zone's start", near),
        Obligation("grid-start", "the scan begins at the first slot", grid_start),
        Obligation("finds-nothing", "after the last run: none", finds_nothing),
        Obligation("division", "// rounds down", division),
        Obligation("sufficient", "2 nr - 1 pages hold a slot", sufficient, True),
        Obligation("not-stopped", "earlier runs do not end the walk", not_stopped),
        Obligation("is-a-slot", "what is found is in run, zone and grid", is_a_slot, True),
        Obligation("lowest", "and the lowest such place", lowest, True),
        Obligation("misses-none", "a run with a slot holds what is found", misses_none, True),
        Obligation("stop-is-final", "behind the end of the zone is no slot", stop_is_final, True),
        Obligation("fewer-sizes", "multiples of the size are a size apart", fewer_sizes),
        Obligation("one-page-less", "2 nr - 2 pages need not hold one", one_page_less, True),
        Obligation("nth-sufficient", "(n + 1) nr - 1 pages hold n chunks", nth_sufficient, True),
        Obligation("exact-division", "a multiple of the size divides exactly", exact_division),
        Obligation("products", "j < n gives j size <= n size - size", products),
        Obligation("nth-one-page-less", "(n + 1) nr - 2 pages need not", nth_one_page_less),
        Obligation("mixed", "the sum of (2 nr_i - 1) holds chunks of any sizes", mixed),
        Check("replayed", "the allocator itself, small sizes, every start of a run", replayed),
    ),
    mutants=(
        Obligation(
            "one page less is enough",
            "2 nr - 2 pages hold a slot",
            lambda: Claim(
                {"found": found_in(scan())},
                given={
                    **WELL_FORMED,
                    **first_is_near(),
                    **IN_ZONE,
                    "length": RUN.end - RUN.start >= 2 * SIZE - 2 * PAGE,
                },
                hint=HINT,
            ),
        ),
        Obligation(
            "as long as the chunk",
            "a run as long as the chunk holds a slot",
            lambda: Claim(
                {"found": found_in(scan())},
                given={
                    **WELL_FORMED,
                    **first_is_near(),
                    **IN_ZONE,
                    "length": RUN.end - RUN.start >= SIZE,
                },
                hint=HINT,
            ),
        ),
        Obligation(
            "n sizes are enough",
            "n nr pages hold n chunks",
            lambda: Claim(
                nth_sufficient().goal,
                {
                    **nth_sufficient().needs,
                    "(n + 1) sizes less a page": V - U >= N * SIZE,
                },
                nth_sufficient().given,
                HINT,
            ),
        ),
        Obligation(
            "n slots in a page less",
            "(n + 1) nr - 2 pages hold n slots whatever the grid",
            lambda: nth_one_page_less().replacing(index=K <= N - 2),
        ),
        Obligation(
            "slots at multiples",
            "the first slot is a multiple of the size",
            lambda: near().replacing(m=equal(FIRST % (2 * PAGE), 0)),
        ),
        Obligation(
            "first slot at the start",
            "the first slot is the zone's start",
            lambda: near().replacing(m=equal(FIRST, ZONE.start)),
        ),
        Obligation(
            "sizes once",
            "the sum of the sizes is enough",
            lambda: mixed().replacing(
                m=integer("v") - integer("top") >= 2 * SIZE + integer("left")
            ),
        ),
        Obligation(
            "found at the start",
            "a slot is found where the run starts",
            lambda: is_a_slot().replacing(
                m=implies(found_in(scan()), equal(slot_of(scan()), RUN.start))
            ),
        ),
    ),
)
