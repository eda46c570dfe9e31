"""T11: the memory list, the trimmed CMRs and the home node are what their names say.

The loops of `build_memory_list`, `trim_cmrs`, `first_range_outside_cmrs` and `home_node`, one turn
each: nothing is carried from turn to turn but the list itself.
"""

from __future__ import annotations

from typing import Any

from pamt.kernel.memlist import (
    LOW_MEMORY_END,
    build_memory_list,
    first_range_outside_cmrs,
    trim_cmrs,
)
from pamt.kernel.sizes import home_node
from pamt.machine import Cmr, MemoryRange
from pamt.prove import Claim, Obligation, Theorem
from pamt.prove.stages import appended, left_with, tail, turn
from pamt.prove.terms import both, either, equal, implies, integer, negate
from pamt.ranges import MIB, Range
from pamt.verify.interp import GuardedList, Step, guarded

X, NODE = integer("x"), integer("node")
R = MemoryRange(integer("start"), integer("end"), NODE)
PREVIOUS = integer("previous_end")
C = Cmr(integer("cmr_base"), integer("cmr_size"))
RUN = Range(integer("run_start"), integer("run_end"))
TDMR = Range(integer("tdmr_start"), integer("tdmr_end"))


def list_turn() -> tuple[Step, Any, MemoryRange]:
    listed = GuardedList()
    made = turn(build_memory_list, {"listed": listed}, R)
    (new,) = appended(listed)
    return made, new.when, new.item


def low_memory_dropped() -> Claim:
    made, when, item = list_turn()
    in_range = both(R.start <= X, X < R.end)
    in_item = both(when, item.start <= X, X < item.end)
    return Claim(
        {
            "exactly the rest": equal(in_item, both(in_range, X >= MIB)),
            "same node": implies(when, equal(item.node, NODE)),
            "not empty": implies(when, item.start < item.end),
            "goes on": negate(left_with(made)),
            "1 MiB": LOW_MEMORY_END == MIB,
        }
    )


def order_kept() -> Claim:
    _, when, item = list_turn()
    return Claim(
        {"in order": implies(when, both(item.start >= PREVIOUS, item.end == R.end))},
        needs={"in order before": R.start >= PREVIOUS},
    )


def trimmed() -> Claim:
    kept = GuardedList()
    made = turn(trim_cmrs, {"kept": kept}, C)
    (new,) = appended(kept)
    null = equal(C.size, 0)
    return Claim(
        {
            "stops at a null entry": equal(left_with(made), null),
            "keeps the others": equal(new.when, negate(null)),
            "as they are": implies(
                new.when,
                both(equal(new.item.start, C.base), equal(new.item.end, C.base + C.size)),
            ),
        }
    )


def lists_answered() -> Claim:
    """What the turns added is the answer."""
    listed, kept = GuardedList(), GuardedList()
    ended = (tail(build_memory_list, {"listed": listed}), tail(trim_cmrs, {"kept": kept}))
    return Claim(
        {
            "memory list": all(one.value is listed for one in ended[0].returns),
            "CMRs": all(one.value is kept for one in ended[1].returns),
            "nothing more": not listed.items and not kept.items,
        }
    )


def outside() -> Claim:
    """With one CMR: the range is the answer exactly when the CMR does not contain it.

    The inner loop stops at the first CMR that contains it; see `inner`.
    """
    made = turn(first_range_outside_cmrs, {"cmrs": guarded([RUN])}, R)
    contained = both(RUN.start <= R.start, R.end <= RUN.end)
    return Claim(
        {
            "exactly then": equal(left_with(made), negate(contained)),
            "the range": both(
                *(implies(e.guard, equal(e.value.start, R.start)) for e in made.returns)
            ),
        }
    )


def inner() -> Claim:
    made = turn(first_range_outside_cmrs, {"r": R, "inside": False}, RUN, loop=1)
    contained = both(RUN.start <= R.start, R.end <= RUN.end)
    (stop,) = made.breaks
    return Claim(
        {
            "stops exactly there": equal(left_with(made), contained),
            "and says inside": implies(stop.guard, stop.variables["inside"]),
            "else nothing": implies(made.next.guard, negate(made.next.variables["inside"])),
        }
    )


def none_outside() -> Claim:
    ended = tail(first_range_outside_cmrs, {"listed": GuardedList(), "cmrs": GuardedList()})
    return Claim({"None": all(r.value is None for r in ended.returns)})


def home() -> Claim:
    made = turn(home_node, {"tdmr": TDMR}, R)
    ended = tail(home_node, {"tdmr": TDMR, "listed": GuardedList()})
    return Claim(
        {
            "first that ends above": equal(left_with(made), R.end > TDMR.start),
            "its node": both(*(implies(e.guard, equal(e.value, NODE)) for e in made.returns)),
            "None else": all(r.value is None for r in ended.returns),
        }
    )


def home_skipping() -> Claim:
    """A range that ends below the TDMR is not the answer: `construct` skips those in one step."""
    made = turn(home_node, {"tdmr": TDMR}, R)
    return Claim(
        {"goes on": negate(left_with(made))}, needs={"ends below the TDMR": R.end < TDMR.start}
    )


def home_holds_memory() -> Claim:
    """With T1: the first range that ends above the TDMR's base starts below its end, so the home
    node has memory in the TDMR. Ranges before it end at or below the base.
    """
    memory_start, memory_end = integer("memory_start"), integer("memory_end")
    return Claim(
        {"memory in the TDMR": both(R.start < TDMR.end, TDMR.start < R.end)},
        needs={
            "ends above the base": R.end > TDMR.start,
            "T1: some range has memory in the TDMR": both(
                memory_start < TDMR.end, TDMR.start < memory_end
            ),
            "none before it does": R.start <= memory_start,
        },
    )


THEOREM = Theorem(
    name="t11_memory_list",
    short="T11",
    title="The memory list, the trimmed CMR list and the home node",
    statement="The memory list holds exactly the addresses of the memory ranges from 1 MiB on, in"
    " the same order, each range with its node. trim_cmrs keeps what stands before the first null"
    " entry. first_range_outside_cmrs answers the first range that no single CMR contains. The home"
    " node of a TDMR is the node of the first range that ends above its base, which has memory in"
    " the TDMR.",
    formal="forall x: x in list <=> x in memory and x >= 2^20",
    obligations=(
        Obligation("low-memory-dropped", "exactly what lies above 1 MiB", low_memory_dropped),
        Obligation("order-kept", "sorted stays sorted", order_kept),
        Obligation("trimmed", "CMRs up to the first null entry", trimmed),
        Obligation("lists-answered", "the lists are what the turns added", lists_answered),
        Obligation("outside", "a range outside of the CMR", outside),
        Obligation("inner", "the search for a CMR that contains a range", inner),
        Obligation("none-outside", "no range outside: None", none_outside),
        Obligation("home", "the first range that ends above the base", home),
        Obligation("home-skipping", "ranges below the TDMR may be skipped", home_skipping),
        Obligation("home-holds-memory", "the home node has memory in its TDMR", home_holds_memory),
    ),
    mutants=(
        Obligation(
            "everything is kept",
            "the list holds low memory too",
            lambda: low_memory_dropped().replacing(
                m=equal(
                    both(list_turn()[1], list_turn()[2].start <= X, X < list_turn()[2].end),
                    both(R.start <= X, X < R.end),
                )
            ),
        ),
        Obligation(
            "ranges across 1 MiB are dropped",
            "a range that begins below 1 MiB is dropped",
            lambda: low_memory_dropped().replacing(
                m=implies(R.start < MIB, negate(list_turn()[1]))
            ),
        ),
        Obligation(
            "touching is inside",
            "a range that ends at the base is the home",
            lambda: home().replacing(
                m=equal(left_with(turn(home_node, {"tdmr": TDMR}, R)), R.end >= TDMR.start)
            ),
        ),
        Obligation(
            "overlap is inside",
            "a range that only overlaps a CMR is inside",
            lambda: outside().replacing(
                m=equal(
                    left_with(turn(first_range_outside_cmrs, {"cmrs": guarded([RUN])}, R)),
                    either(R.end <= RUN.start, RUN.end <= R.start),
                )
            ),
        ),
    ),
)
