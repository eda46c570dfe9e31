"""T5: what linux:mainline hands over, the module accepts: rule by rule, for a map of any size.

Each rule of TDH.SYS.CONFIG is asked, as the function that the checker runs, about symbolic items
of which only what T1 to T7 prove is known. Facts about sets are facts about one address.
"""

from __future__ import annotations

import ast
import inspect
import random
from typing import Any, NamedTuple

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.kernel.layout import lay_out_tdmrs
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange
from pamt.module import config
from pamt.module.call import default_call
from pamt.module.check import check_outcome
from pamt.module.config import walk_call
from pamt.module.registry import RULES
from pamt.module.rules.cmr import c_end_pa, c_order
from pamt.module.rules.convertible import p_cmr, t_cmr
from pamt.module.rules.operands import op_entry_ptr
from pamt.module.rules.overlaps import pa_avail
from pamt.module.rules.reserved import (
    r_align,
    r_base_wrap,
    r_null_gap,
    r_outside,
    r_overlap,
    r_sort,
    r_wrap,
)
from pamt.module.rules.tdmr import t_align, t_base_pa, t_end_pa, t_overlap, t_sort, t_wrap
from pamt.module.words import available, cmr_runs
from pamt.policies.linux import mainline
from pamt.policies.protocol import run_policy
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem, load_theorems
from pamt.prove.stages import Appended, appended, head, holds, left_with, tail, turn
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
)
from pamt.ranges import GIB, MIB, PAGE, Range, align_up
from pamt.standins import complete
from pamt.verify.interp import GuardedList, guarded

X = integer("x")


class Ceiling(NamedTuple):
    """As much of the limits as the address rules read."""

    address_end: Any


LIMITS = Ceiling(integer("h") * GIB)
CEILING = {
    # 2^(52 - keyid_bits), at most 22 KeyID bits: a whole number of GiB, 52 bits at most.
    "ceiling": both(LIMITS.address_end >= GIB, LIMITS.address_end <= 1 << 52)
}
NO_PAMT = Pamt(0, 0)


def unbroken(rule: Any, *arguments: Any) -> Any:
    return negate(holds(rule, *arguments))


# TDMRs


def tdmr_rules() -> Claim:
    """T1: whole GiBs, ascending; the end is the end of a memory range, rounded up."""
    base, memory_end, before = integer("base"), integer("memory_end"), integer("before_end")
    end = align_up(memory_end, GIB)
    before_base = integer("before_base")
    tdmr = Tdmr(base, end - base, NO_PAMT, NO_PAMT, NO_PAMT)
    earlier = Tdmr(before_base, before - before_base, NO_PAMT, NO_PAMT, NO_PAMT)
    return Claim(
        {
            "T_WRAP": unbroken(t_wrap, tdmr),
            "T_SORT": unbroken(t_sort, earlier, tdmr),
            "T_OVERLAP": unbroken(t_overlap, earlier, tdmr),
            "T_ALIGN": unbroken(t_align, tdmr),
            "T_BASE_PA": unbroken(t_base_pa, tdmr, LIMITS),
            "T_END_PA": unbroken(t_end_pa, tdmr, LIMITS),
        },
        needs={
            "whole GiBs": equal(base % GIB, 0),
            "not empty": base < end,
            "ascending": before <= base,
            "memory in CMRs, CMRs below the ceiling": memory_end <= LIMITS.address_end,
        },
        given={**CEILING, "earlier": both(base >= 0, before_base >= 0, before_base < before)},
    )


def some_tdmr() -> Claim:
    """A list that is not empty gives a TDMR: its first range always does."""
    tdmrs = GuardedList()
    start, end, limit = integer("start"), integer("end"), integer("max_tdmrs")
    at_first = head(lay_out_tdmrs, {"listed": GuardedList(), "max_tdmrs": limit}).variables
    state = {**at_first, "tdmrs": tdmrs, "max_tdmrs": limit}
    turn(lay_out_tdmrs, state, MemoryRange(start, end))
    return Claim(
        {"added": appended(tdmrs)[0].when},
        needs={"range not empty": start < end, "a TDMR is allowed": limit >= 1},
        given={"range": start >= 0},
    )


def operands() -> Evidence:
    """The call itself, for every number of TDMRs and KeyID bits."""
    for bits in range(23):
        limits = Limits(keyid_bits=bits)
        for count in range(1, 65):
            call = default_call(Configuration((), Call(count=count)), limits).operands
            if walk_call(call, limits) is not None:
                return Evidence(False, f"{count} TDMRs, {bits} KeyID bits: the call")
            if any(op_entry_ptr(pa, call, limits) for pa in call.info_pa):
                return Evidence(False, f"{count} TDMRs, {bits} KeyID bits: a pointer")
    return Evidence(True, "1 to 64 TDMRs, 0 to 22 KeyID bits")


# Reserved areas

TDMR = Range(integer("tdmr_start"), integer("tdmr_end"))
FIRST = Range(integer("a_start"), integer("a_end"))
SECOND = Range(integer("b_start"), integer("b_end"))


def as_area(piece: Range) -> Area:
    return Area(piece.start - TDMR.start, piece.end - piece.start)


def inside(outer: Range, inner: Range) -> Any:
    return both(outer.start <= inner.start, inner.start < inner.end, inner.end <= outer.end)


def disjoint(a: Range, b: Range) -> Any:
    return either(a.end <= b.start, b.end <= a.start)


def area_rules() -> Claim:
    tdmr = Tdmr(TDMR.start, TDMR.end - TDMR.start, NO_PAMT, NO_PAMT, NO_PAMT)
    before, area = as_area(FIRST), as_area(SECOND)
    following = Area(integer("next_offset"), integer("next_size"))
    return Claim(
        {
            "R_NULL_GAP": unbroken(r_null_gap, area, following),
            "R_WRAP": unbroken(r_wrap, area),
            "R_SORT": unbroken(r_sort, before, area),
            "R_OVERLAP": unbroken(r_overlap, before, area),
            "R_ALIGN": unbroken(r_align, area),
            "R_BASE_WRAP": unbroken(r_base_wrap, tdmr, area),
            "R_OUTSIDE": unbroken(r_outside, tdmr, area),
        },
        needs={
            "area in the TDMR": inside(TDMR, SECOND),
            "sorted by offset": FIRST.start <= SECOND.start,
            "areas are disjoint": disjoint(FIRST, SECOND),
            "area in pages": both(equal(SECOND.start % PAGE, 0), equal(SECOND.end % PAGE, 0)),
            "TDMR ends below the ceiling": TDMR.end <= LIMITS.address_end,
        },
        given={
            **CEILING,
            "TDMR": both(TDMR.start >= 0, equal(TDMR.start % GIB, 0)),
            "area before": inside(TDMR, FIRST),
        },
    )


def area_count() -> Claim:
    """T6: as many areas as pieces, at most the kernel's limit: no entry beyond the module's 16."""
    index, count, limit = integer("index"), integer("count"), integer("max_reserved")
    return Claim(
        {"R_COUNT is not reached": index < 16},
        needs={"index": index < count, "T6": count <= limit, "limit at most 16": limit <= 16},
    )


def hole_and_chunk() -> Claim:
    """A hole holds no memory, a chunk nothing but memory: they share no address."""
    at = larger(FIRST.start, SECOND.start)
    memory = boolean("memory at the later start")
    in_hole = both(FIRST.start <= at, at < FIRST.end)
    in_chunk = both(SECOND.start <= at, at < SECOND.end)
    return Claim(
        {"disjoint": disjoint(FIRST, SECOND)},
        needs={
            "holes hold no memory": implies(in_hole, negate(memory)),
            "free runs are memory": implies(in_chunk, memory),
        },
        given={"not empty": both(FIRST.start < FIRST.end, SECOND.start < SECOND.end)},
    )


def two_parts() -> Claim:
    """Parts of disjoint chunks inside a TDMR are disjoint."""
    c, d = Range(integer("c"), integer("c'")), Range(integer("d"), integer("d'"))
    return Claim(
        {"disjoint": disjoint(FIRST, SECOND)},
        needs={
            "chunks are disjoint": disjoint(c, d),
            "first part": inside(c, FIRST),
            "second part": inside(d, SECOND),
        },
    )


# What is left over


class Ghost(NamedTuple):
    at: Any
    in_part: Any
    in_area: Any


NOW = Ghost(integer("at"), boolean("in a part"), boolean("in an area"))
IN_TDMR = {"TDMR": both(0 <= TDMR.start, TDMR.start < TDMR.end)}


def parts_invariant(g: Ghost) -> dict[str, Any]:
    return {
        "at": both(TDMR.start <= g.at, g.at <= TDMR.end),
        "parts lie behind": implies(g.in_part, both(TDMR.start <= X, X < g.at)),
        "parts are the rest": implies(
            both(TDMR.start <= X, X < g.at), equal(g.in_part, negate(g.in_area))
        ),
        "areas lie behind": implies(g.in_area, X < g.at),
    }


def parts_turn() -> tuple[Any, Ghost, Appended]:
    parts = GuardedList()
    tdmr = Tdmr(TDMR.start, TDMR.end - TDMR.start, NO_PAMT, NO_PAMT, NO_PAMT)
    made = turn(available, {"tdmr": tdmr, "parts": parts, "at": NOW.at}, as_area(SECOND))
    (new,) = appended(parts)
    after = Ghost(
        made.next.variables["at"],
        either(NOW.in_part, both(new.when, new.item.start <= X, X < new.item.end)),
        either(NOW.in_area, both(SECOND.start <= X, X < SECOND.end)),
    )
    return made, after, new


def parts_base() -> Claim:
    tdmr = Tdmr(TDMR.start, TDMR.end - TDMR.start, NO_PAMT, NO_PAMT, NO_PAMT)
    start = head(available, {"tdmr": tdmr}).variables
    return Claim(parts_invariant(Ghost(start["at"], False, False)), given=IN_TDMR)


def parts_step() -> Claim:
    made, after, new = parts_turn()
    return Claim(
        {
            **parts_invariant(after),
            "goes on": negate(left_with(made)),
            "a part is not empty": implies(new.when, new.item.start < new.item.end),
        },
        needs={"area in the TDMR": inside(TDMR, SECOND), "ascending": SECOND.start >= NOW.at},
        given={**IN_TDMR, **parts_invariant(NOW)},
    )


def parts_null() -> Claim:
    """A null entry is passed over, whatever its offset."""
    parts = GuardedList()
    tdmr = Tdmr(TDMR.start, TDMR.end - TDMR.start, NO_PAMT, NO_PAMT, NO_PAMT)
    null = Area(integer("offset"), 0)
    made = turn(available, {"tdmr": tdmr, "parts": parts, "at": NOW.at}, null)
    return Claim(
        {
            "goes on": negate(left_with(made)),
            "nothing added": negate(either(*(new.when for new in appended(parts)))),
            "no change": equal(made.next.variables["at"], NOW.at),
        }
    )


def parts_use() -> Claim:
    parts = GuardedList()
    tdmr = Tdmr(TDMR.start, TDMR.end - TDMR.start, NO_PAMT, NO_PAMT, NO_PAMT)
    ended = tail(available, {"tdmr": tdmr, "parts": parts, "at": NOW.at})
    (last,) = appended(parts)
    in_part = either(NOW.in_part, both(last.when, last.item.start <= X, X < last.item.end))
    in_tdmr = both(TDMR.start <= X, X < TDMR.end)
    return Claim(
        {
            "parts": equal(in_part, both(in_tdmr, negate(NOW.in_area))),
            "the last is not empty": implies(last.when, last.item.start < last.item.end),
            "these are answered": all(one.value is parts for one in ended.returns),
        },
        given={**IN_TDMR, **parts_invariant(NOW)},
    )


REGION = Pamt(integer("region_base"), integer("region_size"))
PART = Range(integer("part_start"), integer("part_end"))


def pamt_off_parts() -> Claim:
    """PA_AVAIL, at the first address that region and part could share."""
    at = larger(REGION.base, PART.start)
    in_area = boolean("an area at the later start")
    in_region = both(REGION.base <= at, at < REGION.base + REGION.size)
    in_part = both(PART.start <= at, at < PART.end)
    made = turn(pa_avail, {"pamt": REGION}, PART)
    return Claim(
        {"PA_AVAIL": negate(left_with(made))},
        needs={
            "chunks are reserved in every TDMR": implies(both(in_region, in_part), in_area),
            "parts hold no area": implies(in_part, negate(in_area)),
        },
        given={"sizes": both(REGION.size > 0, PART.start < PART.end)},
    )


# CMR runs


class Chain(NamedTuple):
    start: Any
    end: Any
    last: Any
    """End of the last run finished."""
    some: Any
    """A run is finished."""
    in_runs: Any
    in_cmrs: Any


LINK = Chain(
    integer("chain_start"),
    integer("chain_end"),
    integer("last_end"),
    boolean("a run is finished"),
    boolean("in a finished run"),
    boolean("in a CMR so far"),
)
CMR = Cmr(integer("cmr_base"), integer("cmr_size"))


def runs_invariant(g: Chain) -> dict[str, Any]:
    in_chain = both(g.start <= X, X < g.end)
    return {
        "chain": both(0 <= g.start, g.start <= g.end, g.end <= LIMITS.address_end),
        "no chain only at first": implies(equal(g.start, g.end), equal(g.end, 0)),
        "runs do not touch": implies(g.some, both(g.last < g.start, g.start < g.end)),
        "finished runs lie behind": implies(g.in_runs, both(g.some, X < g.last)),
        "runs hold the CMRs": equal(g.in_cmrs, either(g.in_runs, in_chain)),
    }


def runs_turn() -> tuple[Any, Chain, Appended]:
    runs = GuardedList()
    state = {"runs": runs, "start": LINK.start, "end": LINK.end}
    made = turn(cmr_runs, state, CMR)
    (new,) = appended(runs)
    after = Chain(
        made.next.variables["start"],
        made.next.variables["end"],
        choose(new.when, new.item.end, LINK.last),
        either(LINK.some, new.when),
        either(LINK.in_runs, both(new.when, new.item.start <= X, X < new.item.end)),
        either(LINK.in_cmrs, both(CMR.base <= X, X < CMR.base + CMR.size)),
    )
    return made, after, new


def runs_base() -> Claim:
    start = head(cmr_runs, {"cmrs": GuardedList()}).variables
    return Claim(
        runs_invariant(Chain(start["start"], start["end"], -1, False, False, False)),
        given=CEILING,
    )


def runs_step() -> Claim:
    """The CMR passes SYS.INIT: in order after the last, below the ceiling; or it is null."""
    made, after, new = runs_turn()
    null = equal(CMR.size, 0)
    return Claim(
        {
            **runs_invariant(after),
            "goes on": negate(left_with(made)),
            "beyond the last, not touching": implies(
                both(new.when, LINK.some), new.item.start > LINK.last
            ),
        },
        needs={
            "C_ORDER": either(null, unbroken(c_order, Cmr(0, LINK.end), CMR)),
            "C_END_PA": either(null, unbroken(c_end_pa, CMR, LIMITS)),
        },
        given={**CEILING, **runs_invariant(LINK), "unsigned": both(CMR.base >= 0, CMR.size >= 0)},
    )


def runs_use() -> Claim:
    runs = GuardedList()
    ended = tail(cmr_runs, {"runs": runs, "start": LINK.start, "end": LINK.end})
    (last,) = appended(runs)
    in_run = either(LINK.in_runs, both(last.when, last.item.start <= X, X < last.item.end))
    return Claim(
        {
            "runs are the CMRs": equal(in_run, LINK.in_cmrs),
            "these are answered": all(one.value is runs for one in ended.returns),
            "the last is not empty": implies(last.when, last.item.start < last.item.end),
            "below the ceiling": implies(last.when, last.item.end <= LIMITS.address_end),
            "not touching": implies(both(last.when, LINK.some), last.item.start > LINK.last),
        },
        given={**CEILING, **runs_invariant(LINK)},
    )


RUN, OTHER_RUN = (
    Range(integer("run_start"), integer("run_end")),
    Range(integer("other_run_start"), integer("other_run_end")),
)
STRETCH = Range(integer("stretch_start"), integer("stretch_end"))


def one_run() -> Claim:
    """A stretch of addresses that all lie in runs lies in one: runs do not touch.

    `RUN` holds its first address; `OTHER_RUN` the address where RUN ends, if that is still inside.
    """
    same = both(equal(RUN.start, OTHER_RUN.start), equal(RUN.end, OTHER_RUN.end))
    return Claim(
        {"one": STRETCH.end <= RUN.end},
        needs={
            "first address is in a run": both(RUN.start <= STRETCH.start, STRETCH.start < RUN.end),
            "every address is in a run": implies(
                RUN.end < STRETCH.end,
                both(OTHER_RUN.start <= RUN.end, RUN.end < OTHER_RUN.end),
            ),
            "runs do not touch": either(same, OTHER_RUN.start > RUN.end, OTHER_RUN.end < RUN.start),
        },
    )


def part_is_memory() -> Claim:
    """An address of a part is in no area, so in no hole, so in memory, so in a CMR."""
    part, area, hole, memory, cmr = (
        boolean(f"x in {name}") for name in ("part", "area", "hole", "memory", "a CMR")
    )
    return Claim(
        {"in a CMR": implies(part, cmr)},
        needs={
            "parts hold no area": implies(part, negate(area)),
            "holes are reserved": implies(hole, area),
            "T2: the rest is memory": implies(both(part, negate(hole)), memory),
            "memory in CMRs": implies(memory, cmr),
        },
    )


def parts_convertible() -> Claim:
    """T_CMR at the turn of a part that lies in a run of the list."""
    made = turn(t_cmr, {"runs": guarded([RUN])}, STRETCH)
    return Claim(
        {"T_CMR": negate(left_with(made))},
        needs={"part in one run": both(RUN.start <= STRETCH.start, STRETCH.end <= RUN.end)},
        given={"part": STRETCH.start < STRETCH.end},
    )


def pamts_convertible() -> Claim:
    """P_CMR for a region of a chunk that lies in a run of the list."""
    pamt = Pamt(STRETCH.start, STRETCH.end - STRETCH.start)
    return Claim(
        {"P_CMR": unbroken(p_cmr, pamt, [RUN])},
        needs={"region in one run": both(RUN.start <= STRETCH.start, STRETCH.end <= RUN.end)},
        given={"region": STRETCH.start < STRETCH.end},
    )


COVERED = {
    "OP_RCX": "t5:operands",
    "OP_RDX": "t5:operands",
    "OP_R8": "t5:operands",
    "OP_ENTRY_PTR": "t5:operands",
    "T_WRAP": "t5:tdmr-rules",
    "T_SORT": "t5:tdmr-rules",
    "T_OVERLAP": "t5:tdmr-rules",
    "T_ALIGN": "t5:tdmr-rules",
    "T_BASE_PA": "t5:tdmr-rules",
    "T_END_PA": "t5:tdmr-rules",
    "R_NULL_GAP": "t5:area-rules",
    "R_WRAP": "t5:area-rules",
    "R_SORT": "t5:area-rules",
    "R_OVERLAP": "t5:area-rules",
    "R_ALIGN": "t5:area-rules",
    "R_BASE_WRAP": "t5:area-rules",
    "R_OUTSIDE": "t5:area-rules",
    "R_COUNT": "t5:area-count",
    "P_WRAP": "t4:below-ceiling",
    "P_ALIGN": "t4:aligned",
    "P_BASE_PA": "t4:below-ceiling",
    "P_END_PA": "t4:below-ceiling",
    "P_SIZE": "t3:module-need",
    "PP_OTHER": "t4:two-chunks",
    "PP_SAME": "t4:disjoint",
    "PA_AVAIL": "t5:pamt-off-parts",
    "P_CMR": "t5:pamts-convertible",
    "T_CMR": "t5:parts-convertible",
}
"""Which obligation of which theorem shows that a rule is not broken."""


def every_rule() -> Evidence:
    """The module has no rule about the configuration that is not covered, and the proofs exist."""
    asked = {name for name, rule in RULES.items() if rule.status != "TDX_CMR_LIST_INVALID"}
    missing = sorted(asked ^ set(COVERED))
    there = {
        f"{theorem.short.lower()}:{part.name}"
        for theorem in (*load_theorems(("t3", "t4")), THEOREM)
        for part in theorem.obligations
    }
    missing += sorted(set(COVERED.values()) - there)
    return Evidence(not missing, ", ".join(missing) or f"{len(asked)} rules")


def only_rules_refuse() -> Evidence:
    """In the source of the walk, every finding stands under an `if` that asks the rule it names.

    So a configuration that breaks no rule is answered with success, whatever the walk's order.
    """
    tree = ast.parse(inspect.getsource(config))
    strange: list[str] = []
    seen = 0
    for branch in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
        asked = {
            call.func.id
            for call in ast.walk(branch.test)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        }
        if "_hits_any" in asked:
            asked |= {"pp_other"}  # its only call
        for statement in branch.body:
            if isinstance(statement, ast.Return) and _finding(statement.value) is not None:
                seen += 1
                if str(_finding(statement.value)).lower() not in asked:
                    strange.append(f"line {statement.lineno}: {_finding(statement.value)}")
    everywhere = [node for node in ast.walk(tree) if _finding(node) is not None]
    if len(everywhere) != seen:
        strange.append("a finding that stands under no if")
    return Evidence(not strange and seen >= len(COVERED), "; ".join(strange) or f"{seen} findings")


def _finding(node: ast.AST | None) -> str | None:
    """The rule that a call ``Finding("RULE", ...)`` names."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
        named = node.args[0]
        return str(named.value) if isinstance(named, ast.Constant) else ""
    return None


def random_map(rng: random.Random) -> Machine:
    """Sorted ranges inside touching and separate CMRs, free runs inside the ranges."""
    at = MIB
    memory: list[MemoryRange] = []
    cmrs: list[Cmr] = []
    for _ in range(rng.randint(1, 6)):
        start = at + rng.choice((0, 0, PAGE, 40 * MIB, GIB))
        at = start + rng.choice((2 * MIB, 600 * MIB, GIB, 2 * GIB)) + rng.randint(0, 3) * PAGE
        memory.append(MemoryRange(start, at, rng.randint(0, 1)))
        cut = start + rng.choice((PAGE, (at - start) // PAGE // 2 * PAGE))
        cmrs += [Cmr(start, cut - start), Cmr(cut, at - cut)]
    free = tuple(FreeRun(r.start, r.end - rng.choice((0, PAGE)), r.node) for r in memory)
    return Machine("t5", cmrs=tuple(cmrs), memory=tuple(memory), free=free)


def replayed() -> Evidence:
    rng = random.Random(5)
    successes = 0
    for _ in range(300):
        machine = complete(random_map(rng)).machine
        outcome = run_policy(mainline, machine)
        if outcome.succeeded:
            successes += 1
            status = check_outcome(outcome, machine)
            if not status.accepted:
                return Evidence(False, f"{status}: {machine}")
    return Evidence(successes > 100, f"300 maps, {successes} successes, all accepted")


THEOREM = Theorem(
    name="t5_acceptance",
    short="T5",
    title="A success of linux:mainline is accepted by the module",
    statement="A success of linux:mainline on a list of sorted, disjoint, page aligned ranges"
    " inside CMR runs, with free runs inside the list, a CMR list that passes TDH.SYS.INIT, limits"
    " of at most 16 areas and 64 TDMRs, entries of at least 16 bytes and at most 22 KeyID bits, is"
    " answered with TDX_SUCCESS, whatever the size of the map.",
    formal="for all maps: assumptions and mainline(map) = C imply no rule of TDH.SYS.CONFIG is"
    " broken by C",
    trusts="T1, T2, T3, T4, T6, T7; that sorted() sorts, that the allocator hands out disjoint"
    " pieces of free runs, and the order of calls in pamt.kernel.construct.",
    obligations=(
        Obligation("tdmr-rules", "the six rules about TDMRs", tdmr_rules),
        Obligation("some-tdmr", "a list that is not empty gives a TDMR", some_tdmr),
        Check("operands", "the rules about the call", operands),
        Obligation("area-rules", "seven rules about reserved areas", area_rules),
        Obligation("area-count", "no area beyond the sixteenth", area_count),
        Obligation("hole-and-chunk", "holes and chunks are disjoint", hole_and_chunk),
        Obligation("two-parts", "parts of two chunks are disjoint", two_parts),
        Obligation("parts-base", "usable parts: before the first area", parts_base),
        Obligation("parts-step", "usable parts: one area more", parts_step),
        Obligation("parts-null", "usable parts: a null entry", parts_null),
        Obligation("parts-use", "usable parts are the TDMR minus its areas", parts_use),
        Obligation("pamt-off-parts", "PA_AVAIL", pamt_off_parts),
        Obligation("runs-base", "CMR runs: before the first CMR", runs_base),
        Obligation("runs-step", "CMR runs: one CMR more", runs_step),
        Obligation("runs-use", "CMR runs hold exactly the CMRs and do not touch", runs_use),
        Obligation("one-run", "a stretch of convertible memory lies in one run", one_run),
        Obligation("part-is-memory", "what is not reserved is memory in CMRs", part_is_memory),
        Obligation("parts-convertible", "T_CMR", parts_convertible),
        Obligation("pamts-convertible", "P_CMR", pamts_convertible),
        Check("every-rule", "every rule of the module is covered", every_rule),
        Check(
            "only-rules-refuse", "the walk refuses only where a rule is broken", only_rules_refuse
        ),
        Check("replayed", "random maps, the policy and the module themselves", replayed),
    ),
    mutants=(
        Obligation(
            "areas do not touch",
            "reserved areas never touch",
            lambda: area_rules().replacing(m=FIRST.end < SECOND.start),
        ),
        Obligation(
            "parts touch areas from both sides",
            "each area has a part before it",
            lambda: parts_step().replacing(m=parts_turn()[2].when),
        ),
        Obligation(
            "a run for each CMR",
            "each CMR that is not null finishes a run",
            lambda: runs_step().replacing(m=implies(CMR.size > 0, runs_turn()[2].when)),
        ),
        Obligation(
            "runs touch",
            "a CMR that touches begins a new run",
            lambda: runs_step().replacing(
                m=implies(CMR.size > 0, equal(runs_turn()[1].start, CMR.base))
            ),
        ),
        Obligation(
            "the ceiling is a page lower",
            "no TDMR ends at the ceiling",
            lambda: tdmr_rules().replacing(
                m=align_up(integer("memory_end"), GIB) < LIMITS.address_end
            ),
        ),
    ),
)
