"""T1: the TDMR layout, for any number of ranges: the loop of `lay_out_tdmrs`, by induction.

Facts about lists are facts about one address x, whichever it is: `covered` says whether x lies in
a TDMR laid out so far, `seen` whether it lies in a range looked at so far.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pamt.kernel.layout import lay_out_tdmrs
from pamt.machine import MemoryRange
from pamt.prove import Claim, Obligation, Theorem
from pamt.prove.stages import appended, head, left_with, tail, turn
from pamt.prove.terms import boolean, both, either, equal, implies, integer, larger, negate, smaller
from pamt.ranges import GIB
from pamt.verify.interp import GuardedList

X = integer("x")
START, END = integer("start"), integer("end")
MAX = integer("max_tdmrs")


class Ghost(NamedTuple):
    """The loop's state, and what the statement says about the past."""

    count: Any
    last_end: Any
    turns: Any
    """Ranges looked at."""
    previous_start: Any
    previous_end: Any
    covered: Any
    seen: Any


BEFORE = Ghost(
    *(integer(n) for n in ("count", "last_end", "turns", "previous_start", "previous_end")),
    boolean("covered"),
    boolean("seen"),
)


def invariant(g: Ghost) -> dict[str, Any]:
    return {
        "last end on 1 GiB": both(g.last_end >= 0, equal(g.last_end % GIB, 0)),
        "ranges end at or below the last end": g.previous_end <= g.last_end,
        "ranges looked at": both(
            0 <= g.previous_start, g.previous_start <= g.previous_end, g.turns >= 0
        ),
        "at most one TDMR a range": both(g.count >= 0, g.count <= g.turns),
        "within the limit": g.count <= MAX,
        "covered is below the last end": implies(g.covered, X < g.last_end),
        "covered from the last range on": implies(
            both(g.previous_start <= X, X < g.last_end), g.covered
        ),
        "what was seen is covered": implies(g.seen, g.covered),
    }


SORTED = {"sorted and disjoint": START >= BEFORE.previous_end}
NOT_EMPTY = {"not empty": START < END}
LIMIT = {"limit": MAX >= 0}


def one_turn() -> tuple[Any, Ghost, Any, Any]:
    """The turn, the state after it, and the TDMR it adds with its guard."""
    tdmrs = GuardedList()
    state = {
        "tdmrs": tdmrs,
        "count": BEFORE.count,
        "last_end": BEFORE.last_end,
        "max_tdmrs": MAX,
    }
    made = turn(lay_out_tdmrs, state, MemoryRange(START, END))
    (new,) = appended(tdmrs)
    variables = made.next.variables
    after = Ghost(
        variables["count"],
        variables["last_end"],
        BEFORE.turns + 1,
        START,
        END,
        either(BEFORE.covered, both(new.when, new.item.start <= X, X < new.item.end)),
        either(BEFORE.seen, both(START <= X, X < END)),
    )
    return made, after, new.when, new.item


def base() -> Claim:
    state = head(lay_out_tdmrs, {"listed": GuardedList(), "max_tdmrs": MAX})
    start = Ghost(state.variables["count"], state.variables["last_end"], 0, 0, 0, False, False)
    return Claim(
        {**invariant(start), "no TDMR yet": len(state.variables["tdmrs"].items) == 0},
        given={**LIMIT, "an address": X >= 0},
    )


def step() -> Claim:
    made, after, _, _ = one_turn()
    kept = both(*invariant(after).values())
    return Claim(
        {"invariant": implies(made.next.guard, kept)},
        needs={**SORTED, **NOT_EMPTY},
        given=invariant(BEFORE),
    )


def new_tdmr() -> Claim:
    """What is added: whole GiBs, not empty, above the last one, memory at both ends."""
    _, after, when, tdmr = one_turn()
    low, high = larger(START, tdmr.start), smaller(END, tdmr.start + GIB)
    last_low, last_high = larger(START, tdmr.end - GIB), smaller(END, tdmr.end)
    parts = {
        "base on 1 GiB": equal(tdmr.start % GIB, 0),
        "end on 1 GiB": equal(tdmr.end % GIB, 0),
        "not empty": tdmr.start < tdmr.end,
        "above the last": tdmr.start >= BEFORE.last_end,
        "is the last now": equal(after.last_end, tdmr.end),
        "counted": equal(after.count, BEFORE.count + 1),
        "first GiB holds memory": low < high,
        "last GiB holds memory": last_low < last_high,
    }
    return Claim(
        {name: implies(when, part) for name, part in parts.items()},
        needs=NOT_EMPTY,
        given={**invariant(BEFORE), **SORTED},
    )


def nothing_added() -> Claim:
    """A turn that adds no TDMR changes neither the count nor the last end."""
    made, after, when, _ = one_turn()
    return Claim(
        {
            "same": implies(
                both(made.next.guard, negate(when)),
                both(equal(after.count, BEFORE.count), equal(after.last_end, BEFORE.last_end)),
            )
        },
        given={**invariant(BEFORE), **SORTED, **NOT_EMPTY},
    )


def gives_up() -> Claim:
    """The walk ends early exactly when one TDMR more than the limit is needed, and says so."""
    made, _, when, _ = one_turn()
    beyond = BEFORE.last_end < END
    return Claim(
        {
            "says so": all(r.value.exhausted is True for r in made.returns),
            "only then": equal(left_with(made), both(equal(BEFORE.count, MAX), beyond)),
            "adds nothing then": negate(both(left_with(made), when)),
        },
        given={**invariant(BEFORE), **SORTED, **NOT_EMPTY},
    )


def use() -> Claim:
    """After the last range: every address of every range lies in a TDMR, and it is a success."""
    state = {"tdmrs": GuardedList(), "count": BEFORE.count, "last_end": BEFORE.last_end}
    ended = tail(lay_out_tdmrs, {**state, "max_tdmrs": MAX, "listed": GuardedList()})
    return Claim(
        {
            "covered": implies(BEFORE.seen, BEFORE.covered),
            "a success": all(r.value.exhausted is False for r in ended.returns),
            "within the limit": BEFORE.count <= MAX,
            "at most one a range": BEFORE.count <= BEFORE.turns,
        },
        given=invariant(BEFORE),
    )


def _step_mutant(name: str, says: str, **goal: Any) -> Obligation:
    return Obligation(name, says, lambda: step().replacing(**goal))


def _tdmr_mutant(name: str, says: str, part: Any) -> Obligation:
    def claim() -> Claim:
        _, _, when, tdmr = one_turn()
        return new_tdmr().replacing(part=implies(when, part(tdmr)))

    return Obligation(name, says, claim)


_MADE, _AFTER, _WHEN, _TDMR = one_turn()

THEOREM = Theorem(
    name="t1_layout",
    short="T1",
    title="The TDMR layout is sound for any number of ranges",
    statement="For any number of sorted, disjoint, not empty memory ranges, lay_out_tdmrs gives"
    " TDMRs that are 1 GiB aligned, not empty, ascending and disjoint, cover every range, begin and"
    " end with a GiB that holds memory, and are at most one for each range; it gives up exactly"
    " when one more than the limit is needed.",
    formal="I(0); I(i) and r_i sorted, not empty imply I(i+1); I(n) implies"
    " forall x in union r: x in union TDMRs",
    obligations=(
        Obligation("base", "the invariant holds before the first range", base),
        Obligation("step", "a turn that goes on keeps the invariant", step),
        Obligation(
            "new-tdmr", "whole GiBs, not empty, above the last, memory at both ends", new_tdmr
        ),
        Obligation("nothing-added", "no TDMR, no change", nothing_added),
        Obligation(
            "gives-up", "exhausted exactly when one more than the limit is needed", gives_up
        ),
        Obligation("use", "in the end every range is covered", use),
    ),
    mutants=(
        _step_mutant("no limit kept", "one TDMR less than the limit", m=_AFTER.count < MAX),
        _step_mutant("always adds", "every range adds a TDMR", m=implies(_MADE.next.guard, _WHEN)),
        _step_mutant(
            "counts every range",
            "the count is the number of ranges",
            m=implies(_MADE.next.guard, equal(_AFTER.count, BEFORE.count + 1)),
        ),
        _step_mutant(
            "covers all below",
            "everything below the last end is covered",
            m=implies(both(_MADE.next.guard, X >= 0, X < _AFTER.last_end), _AFTER.covered),
        ),
        _tdmr_mutant(
            "base at the range",
            "the base is at or above the range's start",
            lambda t: t.start >= START,
        ),
        _tdmr_mutant(
            "touches the last",
            "a TDMR begins where the last ends",
            lambda t: equal(t.start, BEFORE.last_end),
        ),
        _tdmr_mutant(
            "aligned to 2 GiB", "aligned to 2 GiB", lambda t: equal(t.start % (2 * GIB), 0)
        ),
        _tdmr_mutant("one GiB each", "a TDMR has one GiB", lambda t: equal(t.end, t.start + GIB)),
        _tdmr_mutant("contains the range", "a TDMR contains its range", lambda t: t.start <= START),
        Obligation(
            "gives up a range early",
            "exhausted as soon as the limit is reached",
            lambda: gives_up().replacing(only=equal(left_with(_MADE), equal(BEFORE.count, MAX))),
        ),
        Obligation(
            "covers more than seen",
            "only what was seen is covered",
            lambda: use().replacing(only=implies(BEFORE.covered, BEFORE.seen)),
        ),
    ),
)
