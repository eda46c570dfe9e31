"""T2: the holes of a TDMR, for any number of ranges: the loop of `find_holes`, by induction.

Facts about lists are facts about one address x, whichever it is: `in_hole` says whether x lies in
a hole found so far, `in_memory` whether it lies in a range passed so far.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pamt.kernel.areas import find_holes
from pamt.machine import MemoryRange
from pamt.prove import Claim, Obligation, Theorem
from pamt.prove.stages import appended, head, left_with, tail, turn
from pamt.prove.terms import (
    boolean,
    both,
    choose,
    either,
    equal,
    implies,
    integer,
    larger,
    negate,
    smaller,
)
from pamt.ranges import PAGE, Range
from pamt.verify.interp import GuardedList

X = integer("x")
B, E = integer("tdmr_start"), integer("tdmr_end")
START, END = integer("start"), integer("end")
TDMR = Range(B, E)
INSIDE = both(B <= X, X < E)


class Ghost(NamedTuple):
    prev_end: Any
    range_end: Any
    """End of the last range passed; 0 before the first."""
    hole_end: Any
    """End of the last hole found; below the TDMR before the first."""
    in_hole: Any
    in_memory: Any


BEFORE = Ghost(
    integer("prev_end"),
    integer("range_end"),
    integer("hole_end"),
    boolean("in_hole"),
    boolean("in_memory"),
)
TDMR_OK = {"TDMR": both(0 <= B, B < E, equal(B % PAGE, 0), equal(E % PAGE, 0))}


def invariant(g: Ghost) -> dict[str, Any]:
    return {
        "the walk's end": equal(g.prev_end, larger(B, g.range_end)),
        "whole pages": both(g.range_end >= 0, equal(g.range_end % PAGE, 0)),
        "holes lie behind": g.hole_end < g.prev_end,
        "memory lies behind": implies(g.in_memory, X < g.range_end),
        "holes lie inside": implies(g.in_hole, both(B <= X, X < smaller(g.prev_end, E))),
        "holes are the rest": implies(
            both(B <= X, X < smaller(g.prev_end, E)), equal(g.in_hole, negate(g.in_memory))
        ),
    }


SORTED = {"sorted and disjoint": START >= BEFORE.range_end}
NOT_EMPTY = {"not empty": START < END}
PAGES = {"start in pages": equal(START % PAGE, 0), "end in pages": equal(END % PAGE, 0)}


def one_turn() -> tuple[Any, Ghost, Any, Any]:
    holes = GuardedList()
    state = {"tdmr": TDMR, "prev_end": BEFORE.prev_end, "holes": holes}
    made = turn(find_holes, state, MemoryRange(START, END))
    (new,) = appended(holes)
    after = Ghost(
        made.next.variables["prev_end"],
        END,
        choose(new.when, new.item.end, BEFORE.hole_end),
        either(BEFORE.in_hole, both(new.when, new.item.start <= X, X < new.item.end)),
        either(BEFORE.in_memory, both(START <= X, X < END)),
    )
    return made, after, new.when, new.item


def base() -> Claim:
    state = head(find_holes, {"tdmr": TDMR, "present": GuardedList()})
    start = Ghost(state.variables["prev_end"], 0, B - 1, False, False)
    return Claim(
        {**invariant(start), "no hole yet": len(state.variables["holes"].items) == 0},
        given=TDMR_OK,
    )


def step() -> Claim:
    made, after, _, _ = one_turn()
    return Claim(
        {"invariant": implies(made.next.guard, both(*invariant(after).values()))},
        needs={**SORTED, **NOT_EMPTY, "end in pages": equal(END % PAGE, 0)},
        given={**TDMR_OK, **invariant(BEFORE)},
    )


def new_hole() -> Claim:
    _, _, when, hole = one_turn()
    parts = {
        "not empty": hole.start < hole.end,
        "inside": both(B <= hole.start, hole.end <= E),
        "beyond the last, not touching it": hole.start > BEFORE.hole_end,
        "start in pages": equal(hole.start % PAGE, 0),
        "end in pages": equal(hole.end % PAGE, 0),
    }
    return Claim(
        {name: implies(when, part) for name, part in parts.items()},
        needs={"start in pages": equal(START % PAGE, 0)},
        given={**TDMR_OK, **invariant(BEFORE), **SORTED, **NOT_EMPTY},
    )


def stops() -> Claim:
    """The walk stops only at a range above the TDMR, and has then changed nothing."""
    made, _, when, _ = one_turn()
    (stop,) = made.breaks
    return Claim(
        {
            "above the TDMR": equal(left_with(made), START >= E),
            "no hole": negate(both(stop.guard, when)),
            "no change": implies(stop.guard, equal(stop.variables["prev_end"], BEFORE.prev_end)),
        },
        given={**TDMR_OK, **invariant(BEFORE)},
    )


def skipping() -> Claim:
    """A range that ends below the TDMR changes nothing: `construct` skips those in one step."""
    made, _, when, _ = one_turn()
    return Claim(
        {
            "goes on": negate(left_with(made)),
            "no hole": negate(when),
            "no change": equal(made.next.variables["prev_end"], BEFORE.prev_end),
        },
        needs={"ends below the TDMR": END < B},
        given={**TDMR_OK, **NOT_EMPTY},
    )


BEYOND = boolean("in_memory_beyond")
"""x lies in a range at or after the one where the walk stopped; false if it did not stop."""


def finish() -> tuple[Any, Any, Any, bool]:
    """Whether x is in a hole, the last hole and when it is there; whether the list is answered."""
    holes = GuardedList()
    ended = tail(find_holes, {"tdmr": TDMR, "prev_end": BEFORE.prev_end, "holes": holes})
    (last,) = appended(holes)
    in_hole = either(BEFORE.in_hole, both(last.when, last.item.start <= X, X < last.item.end))
    return in_hole, last.when, last.item, all(one.value is holes for one in ended.returns)


def use() -> Claim:
    in_hole, when, last, answered = finish()
    memory = either(BEFORE.in_memory, BEYOND)
    return Claim(
        {
            "holes are the TDMR minus memory": equal(in_hole, both(INSIDE, negate(memory))),
            "these are answered": answered,
            "the last one": implies(
                when,
                both(
                    last.start < last.end,
                    B <= last.start,
                    equal(last.end, E),
                    last.start > BEFORE.hole_end,
                    equal(last.start % PAGE, 0),
                ),
            ),
        },
        needs={"memory beyond starts above the TDMR": implies(BEYOND, X >= E)},
        given={**TDMR_OK, **invariant(BEFORE)},
    )


def _hole_mutant(name: str, says: str, part: Any) -> Obligation:
    def claim() -> Claim:
        _, _, when, hole = one_turn()
        return new_hole().replacing(part=implies(when, part(hole)))

    return Obligation(name, says, claim)


_MADE, _AFTER, _WHEN, _HOLE = one_turn()
_IN_HOLE, _LAST_WHEN, _LAST, _ = finish()

THEOREM = Theorem(
    name="t2_holes",
    short="T2",
    title="Holes are exactly the TDMR minus the memory, for any number of ranges",
    statement="For any number of sorted, disjoint, not empty, page aligned ranges, find_holes gives"
    " holes that are ascending, disjoint, not touching, not empty, page aligned and inside the"
    " TDMR, and whose union is exactly the TDMR minus the ranges.",
    formal="forall x: x in union holes <=> B <= x < E and not exists r: x in r",
    obligations=(
        Obligation("base", "the invariant holds before the first range", base),
        Obligation("step", "a turn that goes on keeps the invariant", step),
        Obligation("new-hole", "a hole found is inside, not empty, beyond the last", new_hole),
        Obligation("stops", "the walk stops exactly at a range above the TDMR", stops),
        Obligation("skipping", "ranges below the TDMR may be skipped", skipping),
        Obligation("use", "in the end the holes are the TDMR minus the memory", use),
    ),
    mutants=(
        _hole_mutant(
            "hole at the base", "every hole begins at the base", lambda h: equal(h.start, B)
        ),
        _hole_mutant(
            "hole of a page", "every hole is one page", lambda h: equal(h.end, h.start + PAGE)
        ),
        _hole_mutant("hole before the end", "no hole in the last page", lambda h: h.end < E - PAGE),
        _hole_mutant(
            "2 MiB holes", "holes are 2 MiB aligned", lambda h: equal(h.end % (2 << 20), 0)
        ),
        Obligation(
            "every range opens a hole",
            "each range passed adds a hole",
            lambda: step().replacing(m=implies(_MADE.next.guard, _WHEN)),
        ),
        Obligation(
            "memory is a hole",
            "holes are the memory",
            lambda: step().replacing(
                m=implies(
                    both(_MADE.next.guard, INSIDE, X < _AFTER.prev_end),
                    equal(_AFTER.in_hole, _AFTER.in_memory),
                )
            ),
        ),
        Obligation(
            "the tail is always there",
            "the TDMR always ends in a hole",
            lambda: use().replacing(m=_LAST_WHEN),
        ),
        Obligation(
            "the tail is forgotten",
            "the holes found in the loop are all",
            lambda: use().replacing(
                m=equal(BEFORE.in_hole, both(INSIDE, negate(either(BEFORE.in_memory, BEYOND))))
            ),
        ),
        Obligation(
            "a range on the border stops the walk",
            "the walk stops before the TDMR's end",
            lambda: stops().replacing(m=equal(left_with(_MADE), START > E)),
        ),
        Obligation(
            "one byte more",
            "the hole includes the first byte of the range",
            lambda: step().replacing(
                m=implies(both(_MADE.next.guard, _WHEN, equal(X, START)), _AFTER.in_hole)
            ),
        ),
    ),
)
