"""T13: the acceptance formula as a whole answers TDX_SUCCESS exactly where the ordered walk does.

What T12 shows of one record is put together here: PAMT against PAMT, PAMT against usable part,
everything against the CMR runs, for any number of TDMRs, parts, regions and runs.  A statement
about all items of a list is a statement about one of them, whichever it is; a list that is looked
up by bisection is the item found and any other one.

    walk      each region against each region and each part so far, TDMR after TDMR
    formula   regions sorted, each against the one before; the one part, the one run that bisection
              finds
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.machine import Cmr, Limits
from pamt.module import accept, config
from pamt.module.accept import accepts, all_in_runs, in_a_run, records_good, regions_fit
from pamt.module.call import CompleteCall, default_call, records
from pamt.module.cmr import walk_cmr_list
from pamt.module.config import sys_config, walk_conflicts, walk_tdmrs
from pamt.module.finding import Finding
from pamt.module.rules.convertible import p_cmr, t_cmr
from pamt.module.rules.operands import Operands, dynamic_asked, op_entry_ptr
from pamt.module.rules.overlaps import pa_avail, pp_other, pp_same
from pamt.module.words import available, cmr_runs, inside_runs
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.stages import (
    Listed,
    Primitives,
    appended,
    head,
    holds,
    is_something,
    is_true,
    left_with,
    returns,
    tail,
    turn,
)
from pamt.prove.terms import boolean, both, either, equal, implies, integer, negate
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.verify.interp import Choice, GuardedList, Return, Step, guarded

LEVELS = ("4k", "2m", "1g")
NO_TDMR = Tdmr(0, 0, Pamt(0, 0), Pamt(0, 0), Pamt(0, 0))


def pamts_of(name: str) -> tuple[Pamt, Pamt, Pamt]:
    a, b, c = (Pamt(integer(f"{name}_base_{x}"), integer(f"{name}_size_{x}")) for x in LEVELS)
    return a, b, c


OWN, OTHER = pamts_of("own"), pamts_of("other")
TDMR = Tdmr(integer("base"), integer("size"), *OWN)
EARLIER = Tdmr(integer("earlier_base"), integer("earlier_size"), *OTHER)


def _asked(answers: Callable[..., Any]) -> Callable[..., Any]:
    """In the place of a function that is called: `answers`, of its arguments alone."""
    return lambda _interpreter, _live, *arguments: answers(*arguments)


def answers(found: Iterable[Return]) -> bool:
    """Every way out has an answer."""
    return all(one.value is not None for one in found)


def shares(a: Pamt, b: Pamt) -> Any:
    """As the module compares: each begins before the other ends."""
    return both(a.base < b.base + b.size, b.base < a.base + a.size)


# The walk, loop by loop: what it refuses is one relation of pairs


def one_relation() -> Claim:
    """PP_OTHER and PP_SAME ask the same of two regions, whichever way round."""
    a, b = OWN[0], OTHER[0]
    return Claim(
        {
            "PP_OTHER": equal(holds(pp_other, a, b), shares(a, b)),
            "PP_SAME": equal(holds(pp_same, a, b), shares(a, b)),
            "symmetric": equal(holds(pp_other, b, a), shares(a, b)),
        }
    )


PAIRS = {
    (id(own), id(other)): boolean(f"{a} shares with the other's {b}")
    for a, own in zip(LEVELS, OWN, strict=True)
    for b, other in zip(LEVELS, OTHER, strict=True)
}


def pairs_turn() -> Step:
    state = {"index": integer("index"), "tdmr": TDMR, "other": integer("other")}
    asked = _asked(lambda a, b: PAIRS[id(a), id(b)])
    return turn(walk_conflicts, state, EARLIER, primitives={pp_other: asked})


def region_pairs() -> Claim:
    """A turn of the first loop refuses exactly where one of nine pairs shares an address."""
    made = pairs_turn()
    return Claim(
        {
            "nine pairs": equal(left_with(made), either(*PAIRS.values())),
            "a rule": equal(left_with(made), is_something(made.returns)),
        }
    )


def own_pairs() -> Claim:
    """Between the loops: the three pairs of the TDMR itself."""
    a, b, c = OWN
    made = returns(walk_conflicts, integer("index"), TDMR, [], [], [])
    pairs = either(shares(a, b), shares(a, c), shares(b, c))
    return Claim({"three pairs": equal(is_something(made), pairs)})


HIT = {
    (whose, level, of): boolean(f"{whose} {level} hits a part of {of}")
    for whose in ("own", "other")
    for level in LEVELS
    for of in ("its TDMR", "the other")
}


def _hits(parts: Any, whose: str) -> Any:
    """PA_AVAIL of regions against lists of parts, by their names."""
    regions = {id(pamt): ("own", name) for pamt, name in zip(OWN, LEVELS, strict=True)}
    regions |= {id(pamt): ("other", name) for pamt, name in zip(OTHER, LEVELS, strict=True)}

    def primitive(_: Any, live: Any, pamt: Pamt, against: Any) -> Any:
        owner, level = regions[id(pamt)]
        mine = against is parts
        return HIT[owner, level, "its TDMR" if mine == (owner == whose) else "the other"]

    return {pa_avail: primitive}


def part_pairs() -> Claim:
    """A turn of the second loop: own regions and parts of the other, its regions and own parts."""
    own_parts = GuardedList()
    parts = Listed(GuardedList())
    state = {
        "index": integer("index"),
        "tdmr": TDMR,
        "other": integer("other"),
        "own_parts": own_parts,
        "parts": parts,
    }
    made = turn(walk_conflicts, state, EARLIER, loop=2, primitives=_hits(own_parts, "own"))
    across = either(*(HIT[who, level, "the other"] for who in ("own", "other") for level in LEVELS))
    return Claim(
        {
            "six pairs": equal(left_with(made), across),
            "its own parts": both(*(equal(at, integer("other")) for at in parts.asked)),
            "counts": equal(made.next.variables["other"], integer("other") + 1),
            "looked": len(parts.asked) == 3,
        }
    )


def own_parts() -> Claim:
    own = GuardedList()
    state = {"index": integer("index"), "tdmr": TDMR, "own_parts": own}
    made = tail(walk_conflicts, state, loop=2, primitives=_hits(own, "own"))
    return Claim(
        {
            "three pairs": equal(
                is_something(made.returns),
                either(*(HIT["own", level, "its TDMR"] for level in LEVELS)),
            )
        }
    )


def counts_from_zero() -> Claim:
    """The lists of parts are looked up from the first on, in both loops."""
    arguments = {"index": 0, "tdmr": TDMR, "earlier": [], "own_parts": [], "parts": []}
    first = head(walk_conflicts, arguments, loop=0).variables["other"]
    second = head(walk_conflicts, {**arguments, "earlier": GuardedList()}, loop=2)
    return Claim({"first": equal(first, 0), "second": equal(second.variables["other"], 0)})


# Any part, any run

REGION = Range(integer("start"), integer("end"))
PAMT = Pamt(REGION.start, REGION.end - REGION.start)
ORDERED = {"region": both(0 <= REGION.start, REGION.start <= REGION.end)}
FOUND, ANY = (
    Range(integer("p_start"), integer("p_end")),
    Range(integer("q_start"), integer("q_end")),
)


def any_region() -> Claim:
    """P_CMR asks for a run with the region's own start and end, as the formula does."""
    inside = boolean("inside a run")
    runs = guarded([ANY])
    asked: list[tuple[Any, Any]] = []

    def in_runs(_: Any, _live: Any, start: Any, end: Any, among: Any) -> Any:
        asked.append((start, end))
        return both(inside, among is runs)

    refuses = holds(p_cmr, PAMT, runs, primitives={inside_runs: in_runs})
    ((start, end),) = asked
    return Claim(
        {
            "exactly then": equal(refuses, negate(inside)),
            "its own": both(equal(start, PAMT.base), equal(end, PAMT.base + PAMT.size)),
        }
    )


COUNT = integer("items up to there")
"""What a bisection answers; the item found is the last of them, number COUNT - 1."""
THERE = COUNT >= 1


def any_part() -> Claim:
    """PA_AVAIL ends at a part that the region shares an address with, and only there."""
    made = turn(pa_avail, {"pamt": PAMT}, ANY)
    ended = tail(pa_avail, {"pamt": PAMT})
    return Claim(
        {
            "exactly then": equal(
                left_with(made), both(REGION.start < ANY.end, ANY.start < REGION.end)
            ),
            "with True": all(one.value is True for one in made.returns) and not made.breaks,
            "else False": all(one.value is False for one in ended.returns),
        }
    )


def any_stretch() -> Claim:
    """T_CMR ends at a part that lies in no run; so does `all_in_runs`."""
    inside = boolean("inside a run")
    walk = turn(t_cmr, {"runs": []}, ANY, primitives={inside_runs: lambda *_: inside})
    formula = turn(
        all_in_runs,
        {"run_starts": [], "run_ends": []},
        (ANY.start, ANY.end),
        primitives={in_a_run: lambda *_: inside},
    )
    ended = (tail(t_cmr, {}), tail(all_in_runs, {}))
    return Claim(
        {
            "walk": equal(left_with(walk), negate(inside)),
            "formula": equal(left_with(formula), negate(inside)),
            "their words": all(one.value is True for one in walk.returns)
            and all(one.value is False for one in formula.returns),
            "in the end": all(one.value is False for one in ended[0].returns)
            and all(one.value is True for one in ended[1].returns),
        }
    )


def bisected_run() -> tuple[Any, Any]:
    """`in_a_run`, where the bisection finds `FOUND` or nothing; and whether it looks there."""
    starts, ends = Listed(FOUND.start), Listed(FOUND.end)

    def bisected(_: Any, live: Any, items: Any, at: Any) -> Any:
        if items is not starts or at is not REGION.start:
            raise ValueError("bisects something else")
        return COUNT

    found = holds(in_a_run, *REGION, starts, ends, primitives={bisect_right: bisected})
    return found, both(*(equal(at, COUNT - 1) for at in ends.asked))


def contains(run: Range) -> Any:
    """`inside_runs` ends at this run (T4: with True)."""
    return left_with(turn(inside_runs, {"start": REGION.start, "end": REGION.end}, run))


RUNS = {
    "run": both(FOUND.start < FOUND.end, ANY.start < ANY.end),
    "bisection": implies(THERE, FOUND.start <= REGION.start),
}


def run_found() -> Claim:
    """The run found contains the range where the formula says so."""
    inside, looks = bisected_run()
    return Claim(
        {"contains": implies(inside, both(THERE, contains(FOUND))), "looks there": looks},
        needs={"the last that starts no later": RUNS["bisection"]},
        given={"run": RUNS["run"], **ORDERED},
    )


def no_other_run() -> Claim:
    """Where the formula says no, no run of the list contains the range.

    Any run is the one found, or lies before it, or starts later than the range.
    """
    same = both(equal(ANY.start, FOUND.start), equal(ANY.end, FOUND.end))
    return Claim(
        {"none": implies(negate(bisected_run()[0]), negate(contains(ANY)))},
        needs={
            "the last that starts no later": implies(
                both(THERE, negate(same)), either(ANY.start > REGION.start, ANY.end <= FOUND.start)
            ),
            "none found, all start later": implies(negate(THERE), ANY.start > REGION.start),
        },
        given={**RUNS, **ORDERED},
    )


# The sorted regions

BEFORE = Range(integer("before_start"), integer("before_end"))
LAST_END = integer("last_end")
IN_A_RUN = boolean("in a run")


def regions_turn() -> Step:
    starts, ends = Listed(FOUND.start), Listed(FOUND.end)

    def bisected(_: Any, live: Any, items: Any, at: Any) -> Any:
        if items is not starts or at is not REGION.end:
            raise ValueError("bisects something else")
        return COUNT

    def inside(_: Any, live: Any, start: Any, end: Any, *runs: Any) -> Any:
        if start is not REGION.start or end is not REGION.end:
            raise ValueError("asks for the run of something else")
        return IN_A_RUN

    made = turn(
        regions_fit,
        {
            "last_end": LAST_END,
            "part_starts": starts,
            "part_ends": ends,
            "run_starts": [],
            "run_ends": [],
        },
        (REGION.start, REGION.end),
        primitives={in_a_run: inside, bisect_left: bisected},
    )
    if repr(ends.asked) != repr([COUNT - 1]):
        raise ValueError("looks at another part than the one found")
    return made


def region_shares(a: Range, b: Range) -> Any:
    return shares(Pamt(a.start, a.end - a.start), Pamt(b.start, b.end - b.start))


PART_FOUND = {
    "bisection": implies(THERE, both(FOUND.start < FOUND.end, FOUND.start < REGION.end)),
    "before": both(0 <= BEFORE.start, BEFORE.start <= BEFORE.end),
}
SORTED = either(
    BEFORE.start < REGION.start,
    both(equal(BEFORE.start, REGION.start), BEFORE.end <= REGION.end),
)


def refuses_rightly() -> Claim:
    """What is refused shares an address with the one before or the part found, or is in no run."""
    made = regions_turn()
    return Claim(
        {
            "rightly": implies(
                left_with(made),
                either(
                    region_shares(REGION, BEFORE),
                    both(THERE, region_shares(REGION, FOUND)),
                    negate(IN_A_RUN),
                ),
            ),
            "with False": all(one.value is False for one in made.returns) and not made.breaks,
        },
        needs={
            "the one before": equal(LAST_END, BEFORE.end),
            "sorted": SORTED,
            "the part found": PART_FOUND["bisection"],
        },
        given={"before": PART_FOUND["before"], **ORDERED},
    )


def first_region() -> Claim:
    """No region is refused for an end before the first one."""
    names = ("regions", "part_starts", "part_ends", "run_starts", "run_ends")
    start = head(regions_fit, {name: [] for name in names}).variables["last_end"]
    ended = tail(regions_fit, {})
    return Claim(
        {
            "none before": negate(REGION.start < start),
            "True in the end": all(one.value is True for one in ended.returns),
        },
        given=ORDERED,
    )


def passes_rightly() -> Claim:
    """A region that passes shares no address with any region before, nor with any part.

    All regions before it end at `last_end` or earlier: the turn keeps that, for itself and for any.
    Any part is the one found, or ends before it starts, or starts at the region's end or later.
    """
    made = regions_turn()
    on = made.next.guard
    same = both(equal(ANY.start, FOUND.start), equal(ANY.end, FOUND.end))
    after = made.next.variables["last_end"]
    return Claim(
        {
            "no region": implies(on, negate(region_shares(REGION, BEFORE))),
            "no part": implies(on, negate(region_shares(REGION, ANY))),
            "in a run": implies(on, IN_A_RUN),
            "all before end": implies(on, both(BEFORE.end <= after, REGION.end <= after)),
        },
        needs={
            "all before end": BEFORE.end <= LAST_END,
            "the last that starts below": implies(
                both(THERE, negate(same)), either(ANY.end <= FOUND.start, ANY.start >= REGION.end)
            ),
            "none found, all start later": implies(negate(THERE), ANY.start >= REGION.end),
        },
        given={**PART_FOUND, **ORDERED, "any part": ANY.start < ANY.end},
    )


# Put together


def _maybe(refuses: Any) -> Any:
    """A step of the walk: a finding where it refuses, else None."""
    return lambda *_: Choice(((refuses, Finding("T_WRAP")), (negate(refuses), None)))


STEPS = {
    name: boolean(name)
    for name in (
        *("pointer", "tdmr", "areas", "pamts", "conflicts", "part", "fits", "parts", "regions"),
        *("all parts", "apart", "cmr list", "call", "pointers", "records", "walk"),
        *LEVELS,
    )
}


def walk_turn() -> Claim:
    """A turn of the walk refuses exactly where one of its steps does; else it remembers the TDMR.

    So after any number of turns `earlier` and `parts` hold every TDMR before, and its parts.
    """
    own: GuardedList = GuardedList()
    earlier, parts = GuardedList(), GuardedList()
    level_of = {id(pamt): STEPS[name] for pamt, name in zip(OWN, LEVELS, strict=True)}
    pointers = Listed(integer("pa"))
    state = {
        "operands": Operands(0, pointers, 0, 0, (0, 0), (0, 0)),  # type: ignore[arg-type]
        "limits": Limits(),
        "runs": [],
        "dynamic": False,
        "earlier": earlier,
        "parts": parts,
        "index": integer("index"),
    }
    made = turn(
        walk_tdmrs,
        state,
        TDMR,
        primitives={
            op_entry_ptr: lambda *_: STEPS["pointer"],
            config.walk_tdmr: _maybe(STEPS["tdmr"]),
            config.walk_reserved: _maybe(STEPS["areas"]),
            config.walk_pamts: _maybe(STEPS["pamts"]),
            available: lambda *_: own,
            walk_conflicts: _maybe(STEPS["conflicts"]),
            p_cmr: _asked(lambda pamt, _runs: level_of[id(pamt)]),
            t_cmr: lambda *_: STEPS["part"],
        },
    )
    steps = ("pointer", "tdmr", "areas", "pamts", "conflicts", "part", *LEVELS)
    (kept,), (kept_parts,) = appended(earlier), appended(parts)
    on = made.next.guard
    return Claim(
        {
            "exactly then": equal(left_with(made), either(*(STEPS[name] for name in steps))),
            "a rule": equal(left_with(made), is_something(made.returns)),
            "remembered": implies(on, both(kept.when, kept_parts.when)),
            "this one": kept.item is TDMR and kept_parts.item is own,
            "counted": implies(on, equal(made.next.variables["index"], integer("index") + 1)),
            "its pointer": both(*(equal(at, integer("index")) for at in pointers.asked)),
        }
    )


def walk_ends() -> Claim:
    operands = Operands(0, (), 0, 0, (0, 0), (0, 0))
    arguments = {"tdmrs": [], "operands": operands, "runs": [], "limits": Limits()}
    start = head(walk_tdmrs, arguments).variables
    ended = tail(walk_tdmrs, {})
    empty = len(start["earlier"].items) == 0 and len(start["parts"].items) == 0
    return Claim(
        {
            "none before the first": empty,
            "from 0": equal(start["index"], 0),
            "None in the end": all(one.value is None for one in ended.returns),
        }
    )


def formula_turn() -> Claim:
    lists = {"starts": GuardedList(), "ends": GuardedList(), "regions": GuardedList()}
    made = turn(
        records_good,
        {**lists, "limits": Limits(), "dynamic": False, "last_end": integer("last_end")},
        TDMR,
        primitives={
            accept.tdmr_fits: lambda *_: STEPS["fits"],
            accept.add_parts: lambda *_: STEPS["parts"],
            accept.add_regions: lambda *_: STEPS["regions"],
        },
    )
    passes = both(STEPS["fits"], STEPS["parts"], STEPS["regions"])
    return Claim(
        {
            "exactly then": equal(left_with(made), negate(passes)),
            "with False": all(one.value is False for one in made.returns) and not made.breaks,
            "the end of the last": equal(made.next.variables["last_end"], TDMR.base + TDMR.size),
        }
    )


def formula_ends() -> Claim:
    """After the last TDMR: all parts and all regions, sorted, against the same runs."""
    lists = {"starts": GuardedList(), "ends": GuardedList(), "regions": GuardedList()}
    order: list[Any] = []

    def in_order(_: Any, live: Any, regions: Any) -> Any:
        order.append(regions)
        return regions

    def fit(_: Any, live: Any, regions: Any, starts: Any, ends: Any, *runs: Any) -> Any:
        same = regions is lists["regions"] and _parts(starts, ends)
        return STEPS["apart"] if same and _ends_of(*runs) else False

    def inside(_: Any, live: Any, starts: Any, ends: Any, *runs: Any) -> Any:
        return STEPS["all parts"] if _parts(starts, ends) and _ends_of(*runs) else False

    def _parts(starts: Any, ends: Any) -> bool:
        return starts is lists["starts"] and ends is lists["ends"]

    replaced: Primitives = {sorted: in_order, all_in_runs: inside, regions_fit: fit}
    ended = tail(records_good, {**lists, "runs": [FOUND, ANY]}, primitives=replaced)
    start = head(records_good, {"tdmrs": [], "runs": [], "limits": Limits(), "dynamic": False})
    empty = all(not start.variables[name].items for name in lists)
    return Claim(
        {
            "both": equal(is_true(ended.returns), both(STEPS["all parts"], STEPS["apart"])),
            "an answer": answers(ended.returns),
            "sorted": len(order) == 1 and order[0] is lists["regions"],
            "nothing before the first": empty,
            "from 0": equal(start.variables["last_end"], 0),
        }
    )


def _ends_of(starts: GuardedList, ends: GuardedList) -> bool:
    """Whether they are the starts and the ends of the two runs given."""
    return [id(v) for _, v in starts] == [id(FOUND.start), id(ANY.start)] and [
        id(v) for _, v in ends
    ] == [id(FOUND.end), id(ANY.end)]


def pointers() -> Claim:
    """A pointer is refused exactly where OP_ENTRY_PTR is broken."""
    made = turn(
        accept.pointers_good,
        {"operands": None, "limits": Limits()},
        integer("pa"),
        primitives={op_entry_ptr: lambda *_: STEPS["pointer"]},
    )
    ended = tail(accept.pointers_good, {})
    return Claim(
        {
            "exactly then": equal(left_with(made), STEPS["pointer"]),
            "with False": all(one.value is False for one in made.returns) and not made.breaks,
            "else True": all(one.value is True for one in ended.returns),
        }
    )


def the_whole() -> Claim:
    """Both ask the CMR list, then the call, then the records of the same call."""
    operands = Operands(0, (), 0, 0, (0, 0), (0, 0))
    token, runs = Configuration(()), [FOUND]
    cmrs = (Cmr(integer("cmr_base"), integer("cmr_size")),)

    def walked(*same: bool) -> Choice:
        refuses = both(STEPS["walk"], *same)
        return Choice(((refuses, Finding("T_WRAP")), (negate(refuses), None)))

    replaced = {
        walk_cmr_list: _maybe(STEPS["cmr list"]),
        default_call: lambda *_: CompleteCall(operands, ()),
        config.walk_call: _maybe(STEPS["call"]),
        records: lambda *_: token,
        cmr_runs: lambda *_: runs,
        dynamic_asked: lambda *_: False,
        accept.pointers_good: lambda *_: STEPS["pointers"],
        records_good: _asked(
            lambda tdmrs, found, *_: both(STEPS["records"], tdmrs is token, found is runs)
        ),
        walk_tdmrs: _asked(lambda tdmrs, _call, found, *_: walked(tdmrs is token, found is runs)),
    }

    walk = is_something(
        returns(config._first_failing, token, cmrs, Limits(), primitives=replaced)  # noqa: SLF001
    )
    found = returns(accepts, token, cmrs, Limits(), primitives=replaced)
    return Claim(
        {"same": equal(is_true(found), negate(walk)), "an answer": answers(found)},
        needs={
            "the records": equal(both(STEPS["pointers"], STEPS["records"]), negate(STEPS["walk"]))
        },
    )


def as_many_pointers() -> Evidence:
    """The formula asks for every pointer, the walk for one with each record: as many of each."""
    limits = Limits()
    looked = 0
    for count in range(1, limits.max_tdmrs + 1):
        for given in (None, (), (PAGE,) * 3, (PAGE,) * 70):
            for tdmrs in (0, 1, 70):
                call = Call(count=count, info_pa=given)
                configuration = Configuration((NO_TDMR,) * tdmrs, call)
                operands = default_call(configuration, limits).operands
                looked += 1
                if not len(operands.info_pa) == len(records(configuration, count)) == count:
                    return Evidence(False, f"{count} TDMRs, {tdmrs} given: {operands.info_pa}")
    return Evidence(True, f"{looked} calls")


# Replayed


class Case(NamedTuple):
    configuration: Configuration
    cmrs: tuple[Cmr, ...]
    limits: Limits


def random_case(rng: random.Random) -> Case:
    """Two TDMRs of 1 GiB at most; every number from a few that touch, cross or miss each other."""
    entry = rng.choice((16, 16, 16, 0))
    limits = Limits(max_reserved_per_tdmr=2, pamt_entry_size=(entry,) * 3, keyid_bits=20)
    ceiling = limits.address_end
    chunk = GIB + 16 * MIB
    sizes = [max(PAGE, entry * pages) for pages in (GIB // PAGE, 512, 1)] if entry else [0] * 3
    tdmrs: list[Tdmr] = []
    for index in range(rng.choice((1, 1, 2))):
        base = index * GIB
        at = chunk + index * 8 * MIB
        bases = [at, at + sizes[0], at + sizes[0] + sizes[1]]
        if rng.random() < 0.4:
            bases[rng.randrange(3)] = rng.choice((0, PAGE, MIB, GIB, 2 * GIB, chunk, ceiling))
        areas = [Area(*rng.choice(((0, MIB), (MIB, PAGE), (MIB, 0), (0, GIB), (512 * MIB, GIB))))]
        areas += [Area(16 * MIB, rng.choice((16 * MIB, MIB, 1))) for _ in range(rng.choice((0, 1)))]
        areas = [] if rng.random() < 0.3 else areas
        k4, m2, g1 = (Pamt(b, s) for b, s in zip(bases, sizes, strict=True))
        tdmrs.append(Tdmr(base, rng.choice((GIB, GIB, GIB, 2 * GIB)), k4, m2, g1, tuple(areas)))
    cut = rng.choice((0, MIB, GIB))
    cmrs = (Cmr(cut, 2 * GIB - cut), Cmr(rng.choice((2 * GIB, 3 * GIB)), ceiling - 3 * GIB))
    return Case(Configuration(tuple(tdmrs)), cmrs, limits)


def replayed() -> Evidence:
    rng = random.Random(13)
    rules: set[str] = set()
    accepted = 0
    for _ in range(3000):
        case = random_case(rng)
        status = sys_config(*case)
        if accepts(*case) != status.accepted:
            return Evidence(False, f"{status}: {case}")
        accepted += status.accepted
        rules.add(str(status.rule))
    shown = f"3000 configurations, {accepted} accepted, {len(rules) - 1} rules broken"
    return Evidence(accepted >= 100 and len(rules) > 8, shown)


def ends_at_the_last_run() -> Evidence:
    """A region of no bytes on the end of the last run: the walk refuses it (P_BASE_PA)."""
    limits = Limits(pamt_entry_size=(0, 0, 0))
    end = limits.address_end
    nothing = Pamt(end - GIB, 0)
    tdmr = Tdmr(end - GIB, GIB, Pamt(end, 0), nothing, nothing)
    case = Case(Configuration((tdmr,)), (Cmr(end - GIB, GIB),), limits)
    status = sys_config(*case)
    return Evidence(status.rule == "P_BASE_PA" and not accepts(*case), str(status.rule))


THEOREM = Theorem(
    name="t13_formula_whole",
    short="T13",
    title="The acceptance formula answers success exactly where the ordered walk does",
    statement="For every configuration of any number of TDMRs with any number of areas, every CMR"
    " list and all limits, in 64-bit fields: accepts answers True exactly where the ordered walk of"
    " TDH.SYS.CONFIG ends with TDX_SUCCESS.",
    formal="for all C, cmrs, limits: accepts(C, cmrs, limits) <=> sys_config(C, cmrs, limits) ="
    " TDX_SUCCESS",
    trusts="T12 (one record), T5 (CMR runs ascend and are disjoint), T4 (inside_runs). Python's"
    " sorted() gives the same items in order; bisect_right(a, x) of ascending a is the number of"
    " items that are at most x, bisect_left of those below x; zip takes items side by side.",
    obligations=(
        Obligation("one-relation", "region against region is one symmetric question", one_relation),
        Obligation("region-pairs", "each region against each of an earlier TDMR", region_pairs),
        Obligation("own-pairs", "the regions of a TDMR against each other", own_pairs),
        Obligation("part-pairs", "regions against parts of an earlier TDMR, both ways", part_pairs),
        Obligation("own-parts", "regions against parts of the same TDMR", own_parts),
        Obligation(
            "counts-from-zero", "parts are those of the TDMR they go with", counts_from_zero
        ),
        Obligation("any-part", "PA_AVAIL is about any part", any_part),
        Obligation("any-stretch", "T_CMR is about any part; so is the formula", any_stretch),
        Obligation("any-region", "P_CMR is about one region and all runs", any_region),
        Obligation("run-found", "the run found contains the range", run_found),
        Obligation("no-other-run", "if the run found does not, none does", no_other_run),
        Obligation(
            "refuses-rightly", "sorted regions: what is refused breaks a rule", refuses_rightly
        ),
        Obligation("passes-rightly", "sorted regions: what passes breaks none", passes_rightly),
        Obligation(
            "first-region", "sorted regions: before the first, after the last", first_region
        ),
        Obligation("walk-turn", "the walk: a TDMR is refused by one of its steps", walk_turn),
        Obligation("walk-ends", "the walk: before the first TDMR, after the last", walk_ends),
        Obligation("formula-turn", "the formula: one TDMR more", formula_turn),
        Obligation("formula-ends", "the formula: after the last TDMR", formula_ends),
        Obligation("pointers", "the formula: pointers to the records", pointers),
        Obligation("the-whole", "CMR list, call, records: the same question", the_whole),
        Check("as-many-pointers", "a pointer for every record", as_many_pointers),
        Check("replayed", "both answer alike on configurations made at random", replayed),
        Check("empty-region", "no bytes on the end of the last run", ends_at_the_last_run),
    ),
    mutants=(
        Obligation(
            "touching regions are refused",
            "regions may not even touch",
            lambda: passes_rightly().replacing(
                m=implies(regions_turn().next.guard, REGION.start > BEFORE.end)
            ),
        ),
        Obligation(
            "not sorted by end",
            "it is enough that regions are sorted by their start",
            lambda: Claim(
                refuses_rightly().goal,
                {**refuses_rightly().needs, "sorted": BEFORE.start <= REGION.start},
                refuses_rightly().given,
            ),
        ),
        Obligation(
            "runs may overlap",
            "it is enough that runs are sorted by their start",
            lambda: Claim(
                no_other_run().goal,
                {
                    **no_other_run().needs,
                    "the last that starts no later": implies(
                        THERE,
                        either(
                            both(equal(ANY.start, FOUND.start), equal(ANY.end, FOUND.end)),
                            ANY.start > REGION.start,
                            ANY.start <= FOUND.start,
                        ),
                    ),
                },
                no_other_run().given,
            ),
        ),
        Obligation(
            "the part found is hit",
            "a part that is found is always hit",
            lambda: passes_rightly().replacing(m=implies(THERE, left_with(regions_turn()))),
        ),
        Obligation(
            "eight pairs",
            "1G against 1G is not asked",
            lambda: region_pairs().replacing(
                m=equal(left_with(pairs_turn()), either(*list(PAIRS.values())[:-1]))
            ),
        ),
        Obligation(
            "records alone",
            "what is true of the pointers does not matter",
            lambda: Claim(
                the_whole().goal, {"records": equal(STEPS["records"], negate(STEPS["walk"]))}
            ),
        ),
    ),
)
