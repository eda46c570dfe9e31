"""T12: the acceptance formula about one TDMR record: it refuses exactly what the walk refuses.

`tdmr_fits`, `add_parts` and `add_regions` of :mod:`pamt.module.accept` against `walk_tdmr`,
`walk_reserved` and `walk_pamts` of :mod:`pamt.module.config`.  The two loops over areas run in
lockstep: one turn of each, from their sources, on the same area, with a relation between their
variables that every turn keeps.  The walk looks one area ahead, the formula remembers that a null
entry was seen; so a gap is refused one turn earlier by the walk.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from pamt.configuration import Area, Pamt, Tdmr
from pamt.module.accept import add_parts, add_regions, tdmr_fits
from pamt.module.config import walk_pamts, walk_reserved, walk_tdmr
from pamt.module.words import available, need
from pamt.prove import Claim, Obligation, Theorem
from pamt.prove.stages import (
    Listed,
    appended,
    head,
    is_something,
    is_true,
    left_with,
    returns,
    tail,
    turn,
)
from pamt.prove.terms import boolean, both, equal, implies, integer, negate
from pamt.ranges import GIB, PAGE
from pamt.verify.interp import GuardedList, Return, Step

NO_PAMT = Pamt(0, 0)


class Ceiling(NamedTuple):
    """As much of the limits as is read."""

    address_end: Any
    max_reserved_per_tdmr: Any


LIMITS = Ceiling(integer("ceiling"), integer("slots"))
CEILING = {"ceiling": both(1 <= LIMITS.address_end, LIMITS.address_end <= 1 << 52)}


def never_none(found: Iterable[Return]) -> bool:
    """Every way out answers True, False or a comparison."""
    return all(one.value is not None for one in found)


# A TDMR

BASE, SIZE, INDEX = integer("base"), integer("size"), integer("index")
END = BASE + SIZE
BEFORE = Tdmr(integer("before_base"), integer("before_size"), NO_PAMT, NO_PAMT, NO_PAMT)
TDMR = Tdmr(BASE, SIZE, NO_PAMT, NO_PAMT, NO_PAMT)
UNSIGNED = {"unsigned": both(BASE >= 0, SIZE >= 0)}


def first_tdmr() -> Claim:
    walk = is_something(returns(walk_tdmr, 0, TDMR, [], LIMITS))
    found = returns(tdmr_fits, TDMR, 0, LIMITS)
    return Claim(
        {"same": equal(is_true(found), negate(walk)), "an answer": never_none(found)},
        given={**CEILING, **UNSIGNED},
    )


def next_tdmr() -> Claim:
    earlier = Listed(BEFORE)
    walk = is_something(returns(walk_tdmr, INDEX, TDMR, earlier, LIMITS))
    formula = is_true(returns(tdmr_fits, TDMR, BEFORE.base + BEFORE.size, LIMITS))
    return Claim(
        {
            "same": equal(formula, negate(walk)),
            "the one before": both(*(equal(at, INDEX - 1) for at in earlier.asked)),
        },
        needs={"one before": INDEX > 0},
        given={**CEILING, **UNSIGNED, "before": both(BEFORE.base >= 0, BEFORE.size >= 0)},
    )


# Its areas, in lockstep

NUMBER, LISTED = integer("number of areas before"), integer("areas listed")
PREVIOUS = Area(integer("previous_offset"), integer("previous_size"))
AREA = Area(integer("offset"), integer("area_size"))
FOLLOWING = Area(integer("following_offset"), integer("following_size"))
SLOTS = LIMITS.max_reserved_per_tdmr


class Formula(NamedTuple):
    """Variables of `add_parts` at the head of its loop."""

    at: Any
    used: Any
    ended: Any


NOW = Formula(integer("at"), integer("used"), boolean("ended"))
AREAS_OK = {
    **CEILING,
    "TDMR fits": both(BASE >= 0, SIZE > 0, END <= LIMITS.address_end),
    "areas": both(0 <= NUMBER, NUMBER < LISTED, SLOTS >= 0),
    "area": both(AREA.offset >= 0, AREA.size >= 0),
    "previous": both(PREVIOUS.offset >= 0, PREVIOUS.size >= 0),
    "following": both(FOLLOWING.offset >= 0, FOLLOWING.size >= 0),
}


def walk_turn() -> tuple[Step, Listed]:
    listed = Listed(FOLLOWING)
    state = {
        "index": INDEX,
        "tdmr": TDMR._replace(reserved=listed),
        "limits": LIMITS,
        "null": Area(0, 0),
        "listed": LISTED,
        "slots": SLOTS,
        "previous": PREVIOUS,
        "at": NUMBER,
    }
    return turn(walk_reserved, state, AREA), listed


class Turned(NamedTuple):
    step: Step
    after: Formula
    starts: GuardedList
    ends: GuardedList


def formula_turn(now: Formula = NOW, area: Area = AREA) -> Turned:
    starts, ends = GuardedList(), GuardedList()
    state = {
        "tdmr": TDMR,
        "slots": SLOTS,
        "starts": starts,
        "ends": ends,
        "base": BASE,
        **now._asdict(),
    }
    made = turn(add_parts, state, area)
    after = Formula(*(made.next.variables[name] for name in Formula._fields))
    return Turned(made, after, starts, ends)


def formula_tail(now: Formula = NOW) -> tuple[Any, GuardedList, GuardedList]:
    """Whether it answers True, and what it adds last.  Raises ValueError if it answers nothing."""
    starts, ends = GuardedList(), GuardedList()
    state = {
        "tdmr": TDMR,
        "slots": SLOTS,
        "starts": starts,
        "ends": ends,
        "base": BASE,
        **now._asdict(),
    }
    found = tail(add_parts, state).returns
    if not never_none(found):
        raise ValueError("add_parts ends without an answer")
    return is_true(found), starts, ends


def related(number: Any, previous: Area, now: Formula) -> dict[str, Any]:
    """What holds between the variables of both while both go on."""
    behind = both(0 < number, number <= SLOTS)
    return {
        "at first": implies(
            equal(number, 0), both(equal(now.at, BASE), negate(now.ended), previous.size >= 0)
        ),
        "in the TDMR": now.at >= BASE,
        "used": both(0 <= now.used, now.used <= number),
        "all used": implies(negate(now.ended), equal(now.used, number)),
        "the last was used": implies(
            both(behind, negate(now.ended)), equal(now.at, BASE + previous.offset + previous.size)
        ),
        "the last was null": implies(both(behind, now.ended), equal(previous.size, 0)),
    }


def within(now: Formula) -> dict[str, Any]:
    return {"in bounds": both(now.at <= END, now.used <= SLOTS)}


def looked_ahead(number: Any, now: Formula, area: Area) -> dict[str, Any]:
    """What the walk has seen of the area that comes next."""
    return {"no gap": implies(both(now.ended, number < SLOTS), equal(area.size, 0))}


def areas_base() -> Claim:
    no_areas = TDMR._replace(reserved=GuardedList())  # type: ignore[arg-type]
    walk = head(walk_reserved, {"index": INDEX, "tdmr": no_areas, "limits": LIMITS}).variables
    start = head(
        add_parts,
        {"tdmr": TDMR, "slots": SLOTS, "starts": GuardedList(), "ends": GuardedList()},
    ).variables
    now = Formula(start["at"], start["used"], start["ended"])
    return Claim(
        {
            **related(walk["at"], walk["previous"], now),
            **within(now),
            **looked_ahead(walk["at"], now, AREA),
            "slots": equal(walk["slots"], SLOTS),
            "a null entry": equal(walk["null"].size, 0),
        },
        given=AREAS_OK,
    )


def areas_step() -> Claim:
    """Where both go on, the relation is kept, and the walk counts."""
    walk, _ = walk_turn()
    formula = formula_turn()
    number = walk.next.variables["at"]
    goes_on = both(walk.next.guard, formula.step.next.guard)
    after = related(number, walk.next.variables["previous"], formula.after)
    return Claim(
        {
            **{name: implies(goes_on, part) for name, part in after.items()},
            "counted": implies(goes_on, equal(number, NUMBER + 1)),
            "no other way out": not walk.breaks and not formula.step.breaks,
            "a rule": equal(left_with(walk), is_something(walk.returns)),
            "with False": all(one.value is False for one in formula.step.returns),
        },
        given={**AREAS_OK, **related(NUMBER, PREVIOUS, NOW)},
    )


def areas_not_stricter() -> Claim:
    """Where the walk goes on, so does the formula, within bounds; the next gap is looked for."""
    walk, asked = walk_turn()
    formula = formula_turn()
    another = NUMBER + 1 < LISTED
    ahead = looked_ahead(NUMBER + 1, formula.after, FOLLOWING)["no gap"]
    return Claim(
        {
            "goes on": negate(left_with(formula.step)),
            "in bounds": within(formula.after)["in bounds"],
            "no gap": implies(another, ahead),
            "looks at the next": both(*(equal(at, NUMBER + 1) for at in asked.asked)),
        },
        needs={
            "the walk goes on": negate(left_with(walk)),
            **looked_ahead(NUMBER, NOW, AREA),
            **within(NOW),
        },
        given={**AREAS_OK, **related(NUMBER, PREVIOUS, NOW)},
    )


def areas_use() -> Claim:
    """After the last area: the walk has nothing more to refuse, the formula only the bounds."""
    walk = tail(walk_reserved, {"index": INDEX, "tdmr": TDMR, "limits": LIMITS})
    formula, _, _ = formula_tail()
    return Claim(
        {
            "the walk is done": all(one.value is None for one in walk.returns),
            "the formula asks for the bounds": equal(formula, within(NOW)["in bounds"]),
        },
        given=AREAS_OK,
    )


def areas_not_looser() -> Claim:
    """Where the formula refuses neither this area, nor the next, nor in the end, the walk goes on.

    In the end: `at` and `used` only grow, so that now they are within bounds as well.
    """
    walk, _ = walk_turn()
    formula = formula_turn()
    following = formula_turn(formula.after, FOLLOWING)
    return Claim(
        {"the walk goes on": negate(left_with(walk))},
        needs={
            "this area": negate(left_with(formula.step)),
            "the next": implies(NUMBER + 1 < LISTED, negate(left_with(following.step))),
            "in the end": within(formula.after)["in bounds"],
        },
        given={**AREAS_OK, **related(NUMBER, PREVIOUS, NOW)},
    )


def areas_grow() -> Claim:
    formula = formula_turn()
    on = negate(left_with(formula.step))
    return Claim(
        {
            "at": implies(on, formula.after.at >= NOW.at),
            "used": implies(on, formula.after.used >= NOW.used),
        },
        given=AREAS_OK,
    )


# What is left over

LAST_END = integer("end of the last part")


def parts_turn() -> Claim:
    """The parts of `available`, and beyond the last one."""
    formula = formula_turn()
    parts = GuardedList()
    plain = turn(available, {"tdmr": TDMR, "parts": parts, "at": NOW.at}, AREA)
    (start,), (end,), (part,) = (appended(a) for a in (formula.starts, formula.ends, parts))
    on = formula.step.next.guard
    return Claim(
        {
            "same at": implies(on, equal(plain.next.variables["at"], formula.after.at)),
            "same parts": implies(
                on, both(equal(start.when, part.when), equal(end.when, part.when))
            ),
            "starts": implies(both(on, part.when), equal(start.item, part.item.start)),
            "ends": implies(both(on, part.when), equal(end.item, part.item.end)),
            "not empty": implies(part.when, part.item.start < part.item.end),
            "beyond the last": implies(both(on, part.when), start.item >= LAST_END),
            "the last lies behind": implies(both(on, part.when), end.item <= formula.after.at),
            "it still does": implies(on, LAST_END <= formula.after.at),
            "the plain one goes on": negate(left_with(plain)),
        },
        needs={"the last lies behind": LAST_END <= NOW.at},
        given=AREAS_OK,
    )


def parts_tail() -> Claim:
    """After the last area; and the next TDMR, which begins at `END` or later, adds beyond it."""
    formula, starts, ends = formula_tail()
    parts = GuardedList()
    tail(available, {"tdmr": TDMR, "parts": parts, "at": NOW.at})
    (start,), (end,), (part,) = (appended(a) for a in (starts, ends, parts))
    return Claim(
        {
            "same part": implies(
                formula, both(equal(start.when, part.when), equal(end.when, part.when))
            ),
            "start": implies(both(formula, part.when), equal(start.item, part.item.start)),
            "end": implies(both(formula, part.when), equal(end.item, part.item.end)),
            "beyond the last": implies(both(formula, part.when), start.item >= LAST_END),
            "all end in the TDMR": implies(
                formula, both(LAST_END <= END, implies(part.when, end.item <= END))
            ),
        },
        needs={"the last lies behind": LAST_END <= NOW.at},
        given=AREAS_OK,
    )


# Its PAMTs

PAMTS = tuple(Pamt(integer(f"base_{name}"), integer(f"size_{name}")) for name in ("4k", "2m", "1g"))
WITH_PAMTS = Tdmr(BASE, SIZE, PAMTS[0], PAMTS[1], PAMTS[2])
IN_A_RUN = tuple(boolean(f"{name} in a run") for name in ("4k", "2m", "1g"))
DYNAMIC = boolean("dynamic")
NEEDED = tuple(integer(f"need_{name}") for name in ("4k", "2m", "1g"))


def _need(_: Any, live: Any, size: Any, level: int, limits: Any, dynamic: Any) -> Any:
    """Both ask for the same: the size of this TDMR, the level, the limits, the kind of PAMT."""
    if size is not SIZE or limits is not LIMITS or dynamic is not DYNAMIC:
        raise ValueError("need() of something else")
    return NEEDED[level]


def pamts() -> Claim:
    """With P_CMR, which both ask (T13): a region in a run ends below the ceiling (T5)."""
    regions = GuardedList()
    replaced = {need: _need}
    walk = is_something(
        returns(walk_pamts, INDEX, WITH_PAMTS, LIMITS, DYNAMIC, primitives=replaced)
    )
    found = returns(add_regions, WITH_PAMTS, LIMITS, DYNAMIC, regions, primitives=replaced)
    formula = is_true(found)
    added = appended(regions)
    return Claim(
        {
            "same": equal(both(formula, *IN_A_RUN), both(negate(walk), *IN_A_RUN)),
            "an answer": never_none(found),
            "three": len(added) == 3,
            "added": implies(formula, both(*(new.when for new in added))),
            "each": both(
                *(
                    both(equal(new.item[0], pamt.base), equal(new.item[1], pamt.base + pamt.size))
                    for new, pamt in zip(added, PAMTS, strict=True)
                )
            ),
        },
        needs={
            "runs end below the ceiling": both(
                *(
                    implies(inside, pamt.base + pamt.size <= LIMITS.address_end)
                    for inside, pamt in zip(IN_A_RUN, PAMTS, strict=True)
                )
            )
        },
        given={**CEILING, "unsigned": both(*(both(p.base >= 0, p.size >= 0) for p in PAMTS))},
    )


def _areas_mutant(name: str, says: str, part: Any) -> Obligation:
    return Obligation(name, says, lambda: areas_not_stricter().replacing(part=part()))


THEOREM = Theorem(
    name="t12_formula_records",
    short="T12",
    title="The acceptance formula refuses a TDMR record exactly where the walk does",
    statement="For every TDMR record with any number of areas, in 64-bit fields: tdmr_fits answers"
    " True exactly where walk_tdmr finds nothing; add_parts exactly where walk_reserved finds"
    " nothing, and then adds the parts of available, ascending and not empty; add_regions, together"
    " with P_CMR, exactly where walk_pamts finds nothing, together with P_CMR.",
    formal="for all TDMR, areas, PAMTs: fits & parts & regions <=> no T_, R_, P_ rule is broken",
    trusts="that need() is the same function for both (it is called, not copied); T5: CMR runs end"
    " below the ceiling.",
    obligations=(
        Obligation("first-tdmr", "the rules about the first TDMR", first_tdmr),
        Obligation("next-tdmr", "the rules about a TDMR and the one before", next_tdmr),
        Obligation("areas-base", "lockstep: before the first area", areas_base),
        Obligation("areas-step", "lockstep: the relation is kept", areas_step),
        Obligation(
            "areas-not-stricter", "what the walk passes, the formula does", areas_not_stricter
        ),
        Obligation("areas-not-looser", "what the formula passes, the walk does", areas_not_looser),
        Obligation("areas-grow", "what the bounds are asked of only grows", areas_grow),
        Obligation("areas-use", "lockstep: after the last area", areas_use),
        Obligation("parts-turn", "an area adds the part that `available` adds", parts_turn),
        Obligation("parts-tail", "the last part is that of `available`", parts_tail),
        Obligation("pamts", "the rules about the three regions", pamts),
    ),
    mutants=(
        Obligation(
            "TDMRs must not touch",
            "a TDMR that begins where the last one ends is refused",
            lambda: next_tdmr().replacing(
                m=implies(
                    equal(BASE, BEFORE.base + BEFORE.size),
                    is_something(returns(walk_tdmr, INDEX, TDMR, Listed(BEFORE), LIMITS)),
                )
            ),
        ),
        _areas_mutant(
            "in the same turn",
            "the formula refuses a gap in the very turn in which the walk does",
            lambda: implies(formula_turn().after.ended, NOW.ended),
        ),
        _areas_mutant(
            "every area is used", "each area counts", lambda: formula_turn().after.used > NOW.used
        ),
        Obligation(
            "the next area does not matter",
            "what the formula passes in one turn, the walk passes in it",
            lambda: areas_not_looser().without("the next"),
        ),
        Obligation(
            "one slot less",
            "the last slot may not be used",
            lambda: areas_use().replacing(
                m=equal(formula_tail()[0], both(NOW.at <= END, NOW.used < SLOTS))
            ),
        ),
        Obligation(
            "every area leaves a part",
            "each area has a part before it",
            lambda: parts_turn().replacing(
                m=implies(
                    both(AREA.size > 0, formula_turn().step.next.guard),
                    appended(formula_turn().starts)[0].when,
                )
            ),
        ),
        Obligation(
            "empty regions anywhere",
            "where a region of no bytes begins does not matter",
            lambda: pamts().replacing(
                m=implies(
                    both(*IN_A_RUN, *(equal(p.size, 0) for p in PAMTS), PAMTS[0].base >= PAGE),
                    PAMTS[0].base < LIMITS.address_end,
                )
            ),
        ),
        Obligation(
            "the ceiling is a GiB lower",
            "no TDMR ends at the ceiling",
            lambda: first_tdmr().replacing(
                m=implies(
                    is_true(returns(tdmr_fits, TDMR, 0, LIMITS)), END <= LIMITS.address_end - GIB
                )
            ),
        ),
    ),
)
