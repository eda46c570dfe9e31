"""T16: what certificates sum up over free runs is never less than what fits into them.

The loops of :mod:`pamt.certificate.filling`, one turn each.  A front lists pairs (pages, value); it
*covers* a set of pieces if one of its pairs has no more pages and no less value.  Each turn keeps
that every set that could be laid down so far is covered.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Sequence
from itertools import permutations, product
from typing import Any

from pamt.certificate import filling
from pamt.certificate.filling import (
    Choice,
    Crossing,
    Item,
    Stretch,
    best_in_chain,
    best_in_runs,
    front_of,
    thinned,
    with_one_of,
)
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.stages import Listed, Primitives, appended, left_with, turn
from pamt.prove.terms import both, choose, either, equal, implies, integer, larger, negate
from pamt.verify.interp import GuardedList, Step, guarded

P, V = integer("pages of the pair"), integer("value of the pair")
SET_P, SET_V = integer("pages of the set"), integer("value of the set")
PAGES, VALUE, ROOM = integer("pages"), integer("value"), integer("room")
PAIR = (P, V)
COVERED = both(P <= SET_P, V >= SET_V)
AS_IT_IS: Primitives = {
    filling.pruned: lambda _interpreter, _live, pairs: pairs,
    filling.thinned: lambda _interpreter, _live, front: front,
}
"""What pruning and thinning leave out is covered by what they keep; see there."""


def covers(front: GuardedList, pages: Any, value: Any) -> Any:
    return either(*(both(g, pair[0] <= pages, pair[1] >= value) for g, pair in front))


# Fronts


def pruning() -> Claim:
    """A pair that is not kept is covered by the one kept last: pairs come with pages ascending."""
    kept = GuardedList()
    best, best_pages = integer("best"), integer("pages of the best")
    made = turn(filling.pruned, {"front": kept, "best": best}, PAIR)
    (new,) = appended(kept)
    after = made.next.variables["best"]
    return Claim(
        {
            "covered": either(new.when, both(best_pages <= P, best >= V)),
            "itself": both(equal(new.item[0], P), equal(new.item[1], V)),
            "the best so far": equal(after, larger(best, V)),
            "ascending": implies(new.when, V > best),
            "goes on": negate(left_with(made)),
        },
        needs={"pages ascend": best_pages <= P},
    )


def thinning() -> Claim:
    """Two neighbours become one that covers what either covers."""
    low, high = (integer("p1"), integer("v1")), (integer("p2"), integer("v2"))
    one = (low[0], high[1])
    return Claim(
        {
            "the lower": both(one[0] <= low[0], one[1] >= low[1]),
            "the higher": both(one[0] <= high[0], one[1] >= high[1]),
        },
        needs={"values ascend": low[1] <= high[1], "pages ascend": low[0] <= high[0]},
    )


def thinned_covers() -> Evidence:
    """`thinned` itself: short enough, and every pair is covered."""
    rng = random.Random(16)
    for length in (1, 2, 4096, 4097, 9001):
        pages = sorted(rng.sample(range(10**6), length))
        values = sorted(rng.sample(range(10**6), length))
        front = list(zip(pages, values, strict=True))
        short = thinned(front)
        if len(short) > filling.LONGEST_FRONT or short != sorted(set(short)):
            return Evidence(False, f"{length} pairs: {len(short)}")
        starts = [pair[0] for pair in short]
        for at, value in front:
            if short[bisect_left(starts, at + 1) - 1][1] < value:
                return Evidence(False, f"{length} pairs: {(at, value)} is not covered")
    return Evidence(True, "fronts of up to 9001 pairs")


def item_turn() -> Step:
    state = {"front": guarded([PAIR]), "reached": guarded([PAIR]), "room": ROOM}
    return turn(with_one_of, state, (PAGES, VALUE), primitives=AS_IT_IS)


def one_item_more() -> Claim:
    """What was covered still is, and so is the set with the item, if it fits the room.

    The items of a choice come one after the other, each put to the front as it was before: so of a
    choice one item is taken.  Choices that are alike come as often as there are of them, or until
    no more would fit.
    """
    front = item_turn().next.variables["reached"]
    fits = SET_P + PAGES <= ROOM
    return Claim(
        {
            "without": covers(front, SET_P, SET_V),
            "with": implies(fits, covers(front, SET_P + PAGES, SET_V + VALUE)),
            "goes on": negate(left_with(item_turn())),
        },
        needs={"the set was covered": COVERED, "pages of the item": PAGES >= 0},
        given={"pages": both(P >= 0, SET_P >= 0)},
    )


# Runs inside of one TDMR

LENGTH = integer("length of a run")
BEFORE_P, BEFORE_V, RESULT = integer("p before"), integer("v before"), integer("result")


def runs_turn() -> Step:
    """The turn of `best_in_runs` as one run of a certain length sees it."""
    return turn(
        best_in_runs,
        {"result": RESULT, "before": BEFORE_V, "lengths": [LENGTH]},
        PAIR,
        primitives={bisect_left: lambda _i, _l, _lengths, pages: choose(LENGTH < pages, 1, 0)},
    )


def most_in_a_run() -> Claim:
    """The sum over all pairs is, for each run, the value of the last pair that it can hold."""
    after = runs_turn().next.variables
    return Claim(
        {
            "held": implies(P <= LENGTH, equal(after["result"], V)),
            "not held": implies(P > LENGTH, equal(after["result"], RESULT)),
            "goes on": both(negate(left_with(runs_turn())), equal(after["before"], V)),
        },
        needs={
            "the last one held": implies(BEFORE_P <= LENGTH, equal(RESULT, BEFORE_V)),
            "pages ascend": BEFORE_P < P,
        },
    )


# Runs across TDMR borders

AT, REACHED, START, END = (integer(n) for n in ("at", "reached", "start", "end"))
FREE_FROM, WORTH = integer("first page free"), integer("worth so far")
SO_FAR = both(AT <= FREE_FROM, REACHED >= WORTH)
"""The pair (AT, REACHED) covers what lies in earlier stretches, and reaches to FREE_FROM."""


def filled_turn() -> tuple[Step, GuardedList]:
    reached = GuardedList()
    state = {"reached": reached, "inside": guarded([PAIR]), "start": START, "end": END}
    return turn(filling._filled, state, (AT, REACHED)), reached  # noqa: SLF001


def filled() -> Claim:
    """Pieces inside a stretch, behind what reaches into it: covered where they end."""
    made, reached = filled_turn()
    first = larger(FREE_FROM, START)
    return Claim(
        {
            "covered": covers(reached, first + SET_P, WORTH + SET_V),
            "goes on": negate(left_with(made)),
        },
        needs={
            "what was before is covered": SO_FAR,
            "what lies inside is covered": COVERED,
            "it lies inside, unless empty": implies(SET_P > 0, first + SET_P <= END),
            "nothing is worth nothing": implies(equal(SET_P, 0), SET_V <= 0),
        },
        given={"sizes": both(P >= 0, SET_P >= 0, START < END)},
    )


def passed_by() -> Claim:
    """What reaches beyond the stretch is kept as it is."""
    made, reached = filled_turn()
    return Claim(
        {
            "kept": implies(AT >= END, covers(reached, AT, REACHED)),
            "nothing else": implies(
                AT >= END, both(*(implies(g, equal(pair[1], REACHED)) for g, pair in reached))
            ),
            "goes on": negate(left_with(made)),
        }
    )


BASE = integer("base of the crossing piece")
OVER, OVER_TRUE = integer("stretches crossed at least"), integer("stretches crossed")
LEAST_ENDS, LAST_END = integer("ends before the earliest stop"), integer("end of the run")
VALUE_TRUE = integer("value where it lies")


def crossed_turn() -> tuple[Step, GuardedList, Any, Any]:
    """The turn for one pair; whether values are looked up where they should be; the stop."""
    found = GuardedList()
    values = Listed(VALUE)
    stops: list[Any] = []

    def bisected(_i: Any, _l: Any, ends: Any, stop: Any) -> Any:
        stops.append(stop)
        return LEAST_ENDS

    state = {"found": found, "piece": Crossing(PAGES, values, ()), "ends": (END, LAST_END)}  # type: ignore[arg-type]
    made = turn(filling._crossed, state, (AT, REACHED), primitives={bisect_left: bisected})  # noqa: SLF001
    looks = both(*(equal(at, LEAST_ENDS - 1) for at in values.asked))
    return made, found, looks, stops[0]


def crossed() -> Claim:
    """A piece that begins in the stretch and leaves it: covered at its earliest stop.

    Where it lies it crosses as many stretches or more, and is worth no more.
    """
    made, found, looks, stop = crossed_turn()
    true_stop = BASE + PAGES
    return Claim(
        {
            "covered": either(
                covers(found, true_stop, WORTH + VALUE_TRUE),
                # Not worth having: the pair without it covers.
                both(AT <= true_stop, REACHED >= WORTH + VALUE_TRUE),
            ),
            "no later": stop <= true_stop,
            "looks there": looks,
            "goes on": negate(left_with(made)),
        },
        needs={
            "what was before is covered": SO_FAR,
            "behind what was before": FREE_FROM <= BASE,
            "begins in the stretch": BASE < END,
            "leaves it": true_stop > END,
            "ends in the run": true_stop <= LAST_END,
            "crossing less is worth no less": implies(stop <= true_stop, VALUE >= VALUE_TRUE),
        },
        given={"piece": PAGES > 0},
    )


# Replayed


def laid_out(stretches: Sequence[Stretch], order: Sequence[int], gap: int) -> int:
    """The worth of pieces of one list of sizes laid in `order`, `gap` pages before the second."""
    ends: list[int] = []
    for stretch in stretches:
        ends.append((ends[-1] if ends else 0) + stretch.pages)
    at = worth = 0
    for number, index in enumerate(order):
        pages = stretches[0].choices[index][0].pages
        at += gap if number == 1 else 0
        if at + pages > ends[-1]:
            break
        first = next(k for k, end in enumerate(ends) if at < end)
        last = next(k for k, end in enumerate(ends) if at + pages <= end)
        if first == last:
            worth += stretches[first].choices[index][0].value
        else:
            worth += stretches[first].crossing[index].values[last - first - 1]
        at += pages
    return worth


def replayed() -> Evidence:
    """Random chains of three stretches: no layout of three pieces is worth more than the sum."""
    rng = random.Random(16)
    layouts = tight = 0
    for _ in range(120):
        sizes = [rng.randint(1, 5) for _ in range(3)]
        stretches: list[Stretch] = []
        for _ in range(3):
            choices = tuple((Item(size, rng.randint(-2, 9)),) for size in sizes)
            crossing = []
            for at, size in enumerate(sizes):
                two = rng.randint(-2, 9)
                others = choices[:at] + choices[at + 1 :]
                crossing.append(Crossing(size, (two, two - rng.randint(0, 3)), others))
            stretches.append(Stretch(rng.randint(1, 5), choices, crossing))
        most = best_in_chain(stretches)
        best = 0
        for order, gap in product(
            (o for n in range(4) for o in permutations(range(3), n)), range(5)
        ):
            layouts += 1
            best = max(best, laid_out(stretches, order, gap))
        if best > most:
            return Evidence(False, f"{stretches}: {best}, not {most}")
        tight += best == most
    return Evidence(tight > 20, f"{layouts} layouts; the sum is reached in {tight} of 120 chains")


def fronts_replayed() -> Evidence:
    """`front_of` and `best_in_runs` against every way to take one item, or none, of each choice."""
    rng = random.Random(61)
    for _ in range(150):
        some = [Item(rng.randint(1, 6), rng.randint(-2, 9)) for _ in range(6)]
        choices: list[Choice] = [(some[0],), (some[0],), tuple(some[1:3]), tuple(some[3:])]
        lengths = sorted(rng.randint(0, 14) for _ in range(3))
        most = 0
        for length in lengths:
            sums = [
                sum(item.value for item in taken)
                for taken in product(*([Item(0, 0), *choice] for choice in choices))
                if sum(item.pages for item in taken) <= length
            ]
            most += max(sums)
            if front_of(choices, length)[-1][1] != max(sums):
                return Evidence(False, f"front of {choices} in {length}")
        if best_in_runs(choices, lengths) != most:
            return Evidence(False, f"{choices} in {lengths}")
    return Evidence(True, "150 sets of choices and runs")


THEOREM = Theorem(
    name="t16_fillings",
    short="T16",
    title="Sums over free runs are never below what fits",
    statement="Fronts cover every set of pieces that fits a room, pruned and thinned as well. The"
    " sum over runs inside one TDMR is the most each can hold. The sum over a run cut by TDMR"
    " borders is at least the worth of every layout in it, if a piece that crosses more borders is"
    " worth no more.",
    formal="for all layouts: exists (p, v) in front: p <= first page free, v >= worth",
    trusts="That pairs come sorted; that a layout is pieces inside a stretch, then at most one that"
    " leaves it, stretch after stretch. The checker refuses prices below 0, so a piece that crosses"
    " more borders is worth no more.",
    obligations=(
        Obligation("pruning", "what is pruned is covered", pruning),
        Obligation("thinning", "what is thinned is covered", thinning),
        Check("thinned-covers", "thinned() itself", thinned_covers),
        Obligation("one-item-more", "sets with one more item are covered", one_item_more),
        Obligation("most-in-a-run", "the most that one run can hold", most_in_a_run),
        Obligation("filled", "pieces inside a stretch are covered", filled),
        Obligation("passed-by", "what reaches beyond the stretch is kept", passed_by),
        Obligation("crossed", "a piece that leaves the stretch is covered", crossed),
        Check("fronts-replayed", "fronts and runs against every set", fronts_replayed),
        Check("replayed", "chains against layouts", replayed),
    ),
    mutants=(
        Obligation(
            "thinned the other way",
            "neighbours become one with the larger size and the smaller value",
            lambda: thinning().replacing(m=both(integer("p2") <= integer("p1"))),
        ),
        Obligation(
            "items of any size",
            "an item that does not fit the room is covered too",
            lambda: one_item_more().replacing(
                m=covers(item_turn().next.variables["reached"], SET_P + PAGES, SET_V + VALUE)
            ),
        ),
        Obligation(
            "the stop is where it lies",
            "the earliest stop is where the piece ends",
            lambda: crossed().replacing(m=equal(crossed_turn()[3], BASE + PAGES)),
        ),
        Obligation(
            "worth by chance",
            "a piece that crosses more may be worth more",
            lambda: crossed().without("crossing less is worth no less"),
        ),
        Obligation(
            "every pair counts",
            "each pair adds to what a run holds",
            lambda: most_in_a_run().replacing(
                m=implies(V > BEFORE_V, runs_turn().next.variables["result"] > RESULT)
            ),
        ),
    ),
)
