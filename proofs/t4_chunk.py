"""T4: what holds of a chunk, the three PAMTs of a TDMR back to back.

`pamt_regions` has no loop: it is called on unknown sizes and an unknown base.  The rules PP_SAME,
P_ALIGN and P_CMR are the module's own.
"""

from __future__ import annotations

from typing import Any

from pamt.kernel.sizes import PamtSizes, pamt_regions
from pamt.machine import Limits
from pamt.module.rules.overlaps import pp_other, pp_same
from pamt.module.rules.pamt import p_align, p_base_pa, p_end_pa, p_wrap
from pamt.module.words import inside_runs
from pamt.prove import Claim, Obligation, Theorem
from pamt.prove.stages import holds, left_with, tail, turn
from pamt.prove.terms import both, either, equal, implies, integer, negate
from pamt.ranges import PAGE, Range
from pamt.verify.interp import GuardedList

BASE, S4, S2, S1 = (integer(name) for name in ("base", "s4", "s2", "s1"))
END = BASE + S4 + S2 + S1
REGIONS = pamt_regions(BASE, PamtSizes(S4, S2, S1))
POSITIVE = {"4K size > 0": S4 > 0, "2M size > 0": S2 > 0, "1G size > 0": S1 > 0}
AT, RUN_START, RUN_END = (integer(name) for name in ("x", "run_start", "run_end"))


def covers(pamt: Any, at: Any) -> Any:
    return both(pamt.base <= at, at < pamt.base + pamt.size)


def disjoint() -> Claim:
    k4, m2, g1 = REGIONS
    return Claim(
        {
            "4K and 2M": negate(holds(pp_same, k4, m2)),
            "4K and 1G": negate(holds(pp_same, k4, g1)),
            "2M and 1G": negate(holds(pp_same, m2, g1)),
        },
        # The 2M level must be there for 4K and 1G to stay apart in the module's comparison of
        # empty ranges; the others only need not be negative.
        given=POSITIVE,
    )


def exact() -> Claim:
    """An address x, whichever it is: in the chunk exactly when in one of the regions."""
    inside = both(BASE <= AT, AT < END)
    return Claim(
        {"union": equal(inside, either(*(covers(r, AT) for r in REGIONS)))},
        needs={"4K size": S4 >= 0, "2M size": S2 >= 0, "1G size": S1 >= 0},
    )


def aligned() -> Claim:
    return Claim(
        {f"level {at}": negate(holds(p_align, r)) for at, r in enumerate(REGIONS)},
        needs={
            "base on 4 KiB": equal(BASE % PAGE, 0),
            "4K size in pages": equal(S4 % PAGE, 0),
            "2M size in pages": equal(S2 % PAGE, 0),
            "1G size in pages": equal(S1 % PAGE, 0),
        },
    )


def convertible() -> Claim:
    """At the turn of the run that contains the chunk, `inside_runs` answers True."""
    parts: dict[str, Any] = {}
    for at, r in enumerate(REGIONS):
        state = {"start": r.base, "end": r.base + r.size}
        made = turn(inside_runs, state, Range(RUN_START, RUN_END))
        parts[f"level {at}"] = either(*(e.guard for e in made.returns if e.value is True))
    return Claim(
        parts,
        needs={
            "chunk starts in the run": RUN_START <= BASE,
            "chunk ends in the run": END <= RUN_END,
        },
        given=POSITIVE,
    )


def only_way_out() -> Claim:
    """A run ends the walk exactly when it contains the range, with True; none left: False."""
    state = {"start": BASE, "end": END}
    made = turn(inside_runs, state, Range(RUN_START, RUN_END))
    ended = tail(inside_runs, {**state, "runs": GuardedList()})
    return Claim(
        {
            "only True": all(e.value is True for e in made.returns) and not made.breaks,
            "exactly then": equal(left_with(made), both(RUN_START <= BASE, END <= RUN_END)),
            "else False": all(e.value is False for e in ended.returns),
        }
    )


def below_ceiling() -> Claim:
    """Inside a CMR run, which ends at or below 2^(52 - keyid_bits), no address rule can fail."""
    limits = Limits()
    parts: dict[str, Any] = {}
    for at, r in enumerate(REGIONS):
        parts[f"P_WRAP {at}"] = negate(holds(p_wrap, r))
        parts[f"P_BASE_PA {at}"] = negate(holds(p_base_pa, r, limits))
        parts[f"P_END_PA {at}"] = negate(holds(p_end_pa, r, limits))
    return Claim(
        parts,
        needs={"chunk ends below the ceiling": END <= limits.address_end},
        given={**POSITIVE, "base": BASE >= 0},
    )


def two_chunks() -> Claim:
    """Regions of disjoint chunks are disjoint: rule PP_OTHER between TDMRs."""
    other_base, t4, t2, t1 = (integer(name) for name in ("base'", "s4'", "s2'", "s1'"))
    others = pamt_regions(other_base, PamtSizes(t4, t2, t1))
    other_end = other_base + t4 + t2 + t1
    return Claim(
        {
            f"level {i} and {j}": negate(holds(pp_other, a, b))
            for i, a in enumerate(REGIONS)
            for j, b in enumerate(others)
        },
        needs={"chunks are disjoint": either(END <= other_base, other_end <= BASE)},
        given={**POSITIVE, "other sizes": both(t4 > 0, t2 > 0, t1 > 0)},
    )


THEOREM = Theorem(
    name="t4_chunk",
    short="T4",
    title="The three PAMTs of a chunk",
    statement="The three PAMTs of a chunk are disjoint, fill it exactly, and are whole pages if the"
    " chunk is. A chunk inside a CMR run satisfies P_CMR, and if the run ends at or below the"
    " address ceiling, P_WRAP, P_BASE_PA and P_END_PA. PAMTs of disjoint chunks are disjoint.",
    formal="for all base, s4, s2, s1 > 0, x: x in [base, base+s4+s2+s1) <=> x in one region",
    obligations=(
        Obligation("disjoint", "no two regions of a chunk overlap", disjoint),
        Obligation("exact", "the regions fill the chunk and nothing else", exact),
        Obligation("aligned", "whole pages in, whole pages out", aligned),
        Obligation("convertible", "a chunk inside a CMR run passes P_CMR", convertible),
        Obligation("only-way-out", "True at a run that contains it, and only there", only_way_out),
        Obligation("below-ceiling", "P_WRAP, P_BASE_PA, P_END_PA", below_ceiling),
        Obligation("two-chunks", "PAMTs of disjoint chunks are disjoint", two_chunks),
    ),
    mutants=(
        Obligation(
            "a page beyond",
            "the chunk is a page longer than its regions",
            lambda: exact().replacing(
                union=equal(
                    both(BASE <= AT, AT < END + PAGE), either(*(covers(r, AT) for r in REGIONS))
                )
            ),
        ),
        Obligation(
            "2M first",
            "the 2M region is the one at the base",
            lambda: disjoint().replacing(first=equal(REGIONS[1].base, BASE)),
        ),
        Obligation(
            "touching counts",
            "regions do not even touch",
            lambda: disjoint().replacing(apart=REGIONS[0].base + S4 < REGIONS[1].base),
        ),
        Obligation(
            "any run",
            "every run contains the chunk if one of its addresses is in it",
            lambda: convertible().replacing(
                any=implies(
                    both(RUN_START <= AT, AT < RUN_END, BASE <= AT, AT < END),
                    either(END < RUN_END, RUN_END < END),
                )
            ),
        ),
        Obligation(
            "aligned to 2 MiB",
            "regions are aligned to 2 MiB",
            lambda: aligned().replacing(big=equal(REGIONS[1].base % (2 << 20), 0)),
        ),
    ),
)
