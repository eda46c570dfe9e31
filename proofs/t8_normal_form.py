"""T8: left-justified places are enough under `memory` and `cmr`, and are not under `minimal`.

A piece (a chunk, or a separate region) is left-justified when its base is the start of a free run,
the end of another piece, or a border of a TDMR. From any other place it can move down by d bytes,
up to the nearest of these, and nothing that the question asks about gets worse; the sum of all
bases falls, so moving ends.
"""

from __future__ import annotations

from typing import Any

from pamt.configuration import Pamt
from pamt.kernel.areas import chunks_inside
from pamt.kernel.sizes import PamtSizes, pamt_regions
from pamt.machine import Cmr, FreeRun, Machine, MemoryRange
from pamt.placement.question import pose
from pamt.placement.shape import Reservations
from pamt.placement.space import MODULE
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.stages import appended, turn
from pamt.prove.terms import both, choose, either, equal, implies, integer, larger, smaller
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.standins import complete
from pamt.verify.interp import GuardedList

BASE, SIZE, D = integer("base"), integer("size"), integer("d")
OLD = Range(BASE, BASE + SIZE)
NEW = Range(BASE - D, BASE - D + SIZE)
TDMR = Range(integer("tdmr_start"), integer("tdmr_end"))
OTHER = Range(integer("other_start"), integer("other_end"))
RUN = Range(integer("run_start"), integer("run_end"))
MOVES = {"piece": SIZE > 0, "moves down": D > 0}


def nothing_between(*ends: Any) -> Any:
    """None of `ends` lies in (base - d, base]: the move stops at the first that does."""
    return both(*(either(end <= BASE - D, end > BASE) for end in ends))


def meets(tdmr: Range, piece: Range) -> Any:
    """The kernel's own test of a chunk against a TDMR."""
    parts = GuardedList()
    turn(chunks_inside, {"tdmr": tdmr, "parts": parts}, piece)
    return appended(parts)[0].when


def disjoint(a: Range, b: Range) -> Any:
    return either(a.end <= b.start, b.end <= a.start)


def stays_in_run() -> Claim:
    return Claim(
        {"in the run": both(RUN.start <= NEW.start, NEW.end <= RUN.end)},
        needs={
            "was in the run": both(RUN.start <= OLD.start, OLD.end <= RUN.end),
            "not beyond the run's start": BASE - D >= RUN.start,
        },
        given=MOVES,
    )


def stays_disjoint() -> Claim:
    return Claim(
        {"disjoint": disjoint(NEW, OTHER)},
        needs={
            "were disjoint": disjoint(OLD, OTHER),
            "not beyond another's end": nothing_between(OTHER.end),
        },
        given={**MOVES, "other piece": OTHER.start < OTHER.end},
    )


def areas_not_more() -> Claim:
    """In every TDMR: a piece that meets it after the move met it before."""
    return Claim(
        {"not more": choose(meets(TDMR, NEW), 1, 0) <= choose(meets(TDMR, OLD), 1, 0)},
        needs={"not beyond a TDMR's end": nothing_between(TDMR.end)},
        given={**MOVES, "TDMR": TDMR.start < TDMR.end},
    )


def ends() -> Claim:
    """The sum of all bases falls with each move, and no base is negative."""
    total = integer("sum of bases")
    rest = integer("sum of the others")
    return Claim(
        {"falls": rest + NEW.start < total, "not negative": NEW.start >= 0},
        needs={"not beyond the run's start": BASE - D >= RUN.start},
        given={**MOVES, "sum": equal(total, rest + BASE), "run": RUN.start >= 0},
    )


def stops_justified() -> Claim:
    """A piece that cannot move by a page stands at one of the three kinds of place."""
    at_run = equal(BASE, RUN.start)
    at_piece = equal(BASE, OTHER.end)
    at_border = equal(BASE, TDMR.end)
    can_move = both(
        BASE - PAGE >= RUN.start,
        either(OTHER.end <= BASE - PAGE, OTHER.end > BASE),
        either(TDMR.end <= BASE - PAGE, TDMR.end > BASE),
    )
    return Claim(
        {"justified": either(can_move, at_run, at_piece, at_border)},
        needs={
            "base in the run": BASE >= RUN.start,
            "run in pages": equal((BASE - RUN.start) % PAGE, 0),
            "pieces in pages": equal((BASE - OTHER.end) % PAGE, 0),
            "TDMRs in pages": equal((BASE - TDMR.end) % PAGE, 0),
        },
    )


STRETCH = Range(integer("stretch_start"), integer("stretch_end"))
USED, SUM = integer("used"), integer("sum of the pieces before")


def back_to_back() -> Claim:
    """A stretch (part of a free run with no border inside): pieces put one behind the other.

    Engines and certificates ask only whether the sizes add up to no more than the stretch.
    """
    piece = Range(STRETCH.start + USED, STRETCH.start + USED + SIZE)
    return Claim(
        {
            "in the stretch": both(STRETCH.start <= piece.start, piece.end <= STRETCH.end),
            "off those before": OTHER.end <= piece.start,
            "same TDMRs as the stretch": implies(meets(TDMR, piece), meets(TDMR, STRETCH)),
        },
        needs={
            "sizes add up": USED + SIZE <= STRETCH.end - STRETCH.start,
            "those before": OTHER.end <= STRETCH.start + USED,
        },
        given={"piece": both(SIZE > 0, USED >= 0), "TDMR": TDMR.start < TDMR.end},
    )


def sizes_add_up() -> Claim:
    """The other way: pieces that lie in a stretch, sorted by base, add up to no more than it."""
    return Claim(
        {
            "so far": SUM + SIZE <= OLD.end - STRETCH.start,
            "no more than the stretch": SUM + SIZE <= STRETCH.end - STRETCH.start,
        },
        needs={
            "those before add up": SUM <= OTHER.end - STRETCH.start,
            "sorted and disjoint": OTHER.end <= OLD.start,
            "in the stretch": OLD.end <= STRETCH.end,
        },
    )


ONE, TWO = integer("base of one"), integer("base of the other")
S4, S2, S1 = (integer(name) for name in ("s4", "s2", "s1"))


def exchange() -> Claim:
    """Two TDMRs of equal size and home exchange their PAMTs: the same addresses are taken.

    So places of such TDMRs may be asked to ascend, as the solver's encoding does.
    """
    sizes = PamtSizes(S4, S2, S1)
    at = integer("x")

    def taken(base: Any) -> Any:
        regions = pamt_regions(base, sizes)
        return [both(r.base <= at, at < r.base + r.size) for r in regions]

    before, after = taken(ONE), taken(TWO)
    low, high = smaller(ONE, TWO), larger(ONE, TWO)
    return Claim(
        {
            "same addresses": equal(either(*before, *after), either(*taken(low), *taken(high))),
            "then ascending": low + S4 <= high,
        },
        needs={
            "the 4K regions are disjoint": either(ONE + S4 <= TWO, TWO + S4 <= ONE),
        },
        given={"sizes": both(S4 > 0, S2 > 0, S1 > 0)},
    )


def _map() -> Machine:
    """One hole that must be reserved, at the upper end of the only free run.

    0       1M              100M        200M    201M                      1G
    |outside|  memory, in use |free run  |outside| memory                  |
    """
    hole = Range(200 * MIB, 201 * MIB)
    return Machine(
        name="t8",
        cmrs=(Cmr(MIB, hole.start - MIB), Cmr(hole.end, GIB - hole.end)),
        memory=(MemoryRange(MIB, hole.start), MemoryRange(hole.end, GIB)),
        free=(FreeRun(100 * MIB, hole.start),),
    )


def _areas_at(base: int) -> int:
    machine = complete(_map()).machine
    question = pose(machine, MODULE)
    regions = pamt_regions(base, question.sizes(1))
    assert all(isinstance(r, Pamt) for r in regions)
    return len(Reservations(question, [regions]).areas(Range(0, GIB)))


def minimal_needs_the_end() -> Evidence:
    """Under `minimal`: the left-justified place costs an area more than the other."""
    size = 1027 * PAGE
    left, right = _areas_at(100 * MIB), _areas_at(200 * MIB - size)
    return Evidence(right < left, f"left-justified {left} areas, at the run's end {right}")


THEOREM = Theorem(
    name="t8_normal_form",
    short="T8",
    title="Left-justified places lose nothing under memory and cmr",
    statement="Under --reserve memory and cmr every valid placement can be changed into one in"
    " which each chunk or separate region begins at the start of a free run, at the end of another"
    " piece, or at a TDMR border, in the same free run, with no more areas in any TDMR and the same"
    " lost, remote and tdmrs. So a set of pieces fits a stretch of a free run without a TDMR border"
    " exactly when the sizes add up. TDMRs of equal size and home may exchange their PAMTs."
    " Under minimal the first is false: a map is shown on which only the end of a run is best.",
    formal="base, no border in (base - d, base] => forall t: [base-d meets t] <= [base meets t]",
    trusts="Pieces of one run and node keep node and run, so lost, remote, tdmrs and pamt_pages"
    " do not depend on the move.",
    obligations=(
        Obligation("stays-in-run", "a move stays in the free run", stays_in_run),
        Obligation("stays-disjoint", "a move does not run into another piece", stays_disjoint),
        Obligation("areas-not-more", "no TDMR counts an area more", areas_not_more),
        Obligation("ends", "the sum of bases falls", ends),
        Obligation("stops-justified", "what cannot move is left-justified", stops_justified),
        Obligation("back-to-back", "what adds up can be placed in a stretch", back_to_back),
        Obligation("sizes-add-up", "what is placed in a stretch adds up", sizes_add_up),
        Obligation("exchange", "PAMTs of like TDMRs may be exchanged", exchange),
        Check("minimal-needs-the-end", "not so under minimal", minimal_needs_the_end),
    ),
    mutants=(
        Obligation(
            "borders do not matter",
            "free run starts and other pieces are enough, without TDMR borders",
            lambda: areas_not_more().without("not beyond a TDMR's end"),
        ),
        Obligation(
            "fewer areas",
            "a move saves an area",
            lambda: areas_not_more().replacing(
                m=implies(meets(TDMR, OLD), choose(meets(TDMR, NEW), 1, 0) < 1)
            ),
        ),
        Obligation(
            "moving up",
            "moving up is as good",
            lambda: Claim(
                {
                    "m": choose(meets(TDMR, OLD), 1, 0) <= choose(meets(TDMR, NEW), 1, 0),
                },
                given={**MOVES, "TDMR": TDMR.start < TDMR.end, "end": nothing_between(TDMR.end)},
            ),
        ),
        Obligation(
            "always at a run's start",
            "what cannot move stands at a run's start",
            lambda: stops_justified().replacing(
                m=either(
                    both(
                        BASE - PAGE >= RUN.start,
                        either(OTHER.end <= BASE - PAGE, OTHER.end > BASE),
                        either(TDMR.end <= BASE - PAGE, TDMR.end > BASE),
                    ),
                    equal(BASE, RUN.start),
                )
            ),
        ),
        Obligation(
            "sizes may touch the end",
            "sizes that add up to a page more than the stretch fit",
            lambda: Claim(
                back_to_back().goal,
                {
                    **back_to_back().needs,
                    "sizes add up": USED + SIZE <= STRETCH.end - STRETCH.start + PAGE,
                },
                back_to_back().given,
            ),
        ),
        Obligation(
            "any order",
            "two such TDMRs have ascending places as they are",
            lambda: exchange().replacing(m=ONE + S4 <= TWO),
        ),
        Check(
            "minimal left-justified",
            "the left-justified place is as good under minimal",
            lambda: Evidence(_areas_at(100 * MIB) <= _areas_at(200 * MIB - 1027 * PAGE), ""),
        ),
    ),
)
