"""T6: how many reserved areas a TDMR needs, and what a chunk costs against three regions.

Holes do not depend on where PAMTs are; so under `memory` and `cmr` only the pieces count, and the
loops of `chunks_inside` and `reserve_areas` say how.
"""

from __future__ import annotations

from typing import Any

from pamt.configuration import Pamt
from pamt.kernel.areas import EXHAUSTED, FILLED, UNALIGNED, chunks_inside, reserve_areas
from pamt.kernel.sizes import PamtSizes, pamt_regions
from pamt.machine import Cmr, FreeRun, Machine, MemoryRange
from pamt.placement.question import pose
from pamt.placement.shape import Reservations
from pamt.placement.space import MODULE
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.stages import Appended, appended, head, tail, turn
from pamt.prove.terms import both, choose, either, equal, implies, integer, larger, negate, smaller
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.standins import complete
from pamt.verify.interp import GuardedList, Step

TDMR = Range(integer("tdmr_start"), integer("tdmr_end"))
BASE, S4, S2, S1 = (integer(name) for name in ("base", "s4", "s2", "s1"))
REGIONS = pamt_regions(BASE, PamtSizes(S4, S2, S1))
CHUNK = Range(BASE, BASE + S4 + S2 + S1)
SIZES = {"sizes": both(S4 > 0, S2 > 0, S1 > 0)}
COUNT, DONE, MAX = integer("count"), integer("done"), integer("max_reserved")
PIECE = Range(integer("piece_start"), integer("piece_end"))


def piece_in(tdmr: Range, piece: Range) -> Appended:
    """What `chunks_inside` adds for one piece."""
    parts = GuardedList()
    turn(chunks_inside, {"tdmr": tdmr, "parts": parts}, piece)
    (new,) = appended(parts)
    return new


def counted(piece: Range) -> Any:
    return choose(piece_in(TDMR, piece).when, 1, 0)


def pieces_answered() -> Claim:
    """What the turns added is the answer, and nothing else."""
    parts = GuardedList()
    ended = tail(chunks_inside, {"tdmr": TDMR, "parts": parts})
    return Claim(
        {
            "the list": all(one.value is parts for one in ended.returns),
            "nothing more": len(parts.items) == 0,
        }
    )


def chunk_never_more() -> Claim:
    separate = counted(REGIONS[0].range) + counted(REGIONS[1].range) + counted(REGIONS[2].range)
    return Claim({"never more": counted(CHUNK) <= separate}, given=SIZES)


def touching() -> Claim:
    """One piece more exactly when they share an address, and it is what they share."""
    new = piece_in(TDMR, PIECE)
    shared = both(PIECE.start < TDMR.end, TDMR.start < PIECE.end)
    return Claim(
        {
            "exactly then": equal(new.when, shared),
            "the shared part": implies(
                new.when,
                both(
                    equal(new.item.start, larger(PIECE.start, TDMR.start)),
                    equal(new.item.end, smaller(PIECE.end, TDMR.end)),
                ),
            ),
        },
        needs={"piece is not empty": PIECE.start < PIECE.end},
        given={"TDMR": TDMR.start < TDMR.end},
    )


def reserve_turn() -> tuple[Step, Appended]:
    areas = GuardedList()
    state = {"tdmr": TDMR, "areas": areas, "count": COUNT, "max_reserved": MAX}
    made = turn(reserve_areas, state, PIECE)
    (new,) = appended(areas)
    return made, new


def stop(made: Step, why: str) -> Any:
    return either(*(r.guard for r in made.returns if r.value.stop == why))


ALIGNED = {
    "piece in pages": both(equal(PIECE.start % PAGE, 0), equal(PIECE.end % PAGE, 0)),
    "TDMR in pages": equal(TDMR.start % PAGE, 0),
}


def count_base() -> Claim:
    start = head(reserve_areas, {"tdmr": TDMR, "pieces": GuardedList(), "max_reserved": MAX})
    return Claim(
        {
            "no area yet": len(start.variables["areas"].items) == 0,
            "count 0": equal(start.variables["count"], 0),
        }
    )


def count_step() -> Claim:
    """Every piece becomes one area, touching or not, until the limit."""
    made, new = reserve_turn()
    return Claim(
        {
            "one area": implies(made.next.guard, new.when),
            "counted": implies(made.next.guard, equal(made.next.variables["count"], DONE + 1)),
            "the piece": implies(
                new.when,
                both(
                    equal(TDMR.start + new.item.offset, PIECE.start),
                    equal(new.item.size, PIECE.end - PIECE.start),
                ),
            ),
            "exhausted at the limit only": equal(stop(made, EXHAUSTED), equal(DONE, MAX)),
            "never unaligned": negate(stop(made, UNALIGNED)),
        },
        needs=ALIGNED,
        given={"invariant": equal(COUNT, DONE)},
    )


def refuses_unaligned() -> Claim:
    """A piece that is not whole pages ends the walk, and nothing else does so."""
    made, _ = reserve_turn()
    whole = both(equal(PIECE.start % PAGE, 0), equal(PIECE.end % PAGE, 0))
    return Claim(
        {"exactly then": equal(stop(made, UNALIGNED), negate(whole))},
        needs={"TDMR in pages": equal(TDMR.start % PAGE, 0)},
    )


def count_use() -> Claim:
    """Filled when the pieces are all done; and never short of the limit before."""
    ended = tail(reserve_areas, {"tdmr": TDMR, "areas": GuardedList(), "count": COUNT})
    total = integer("pieces")
    made, _ = reserve_turn()
    return Claim(
        {
            "filled": all(r.value.stop == FILLED for r in ended.returns),
            "enough room, no exhaustion": negate(stop(made, EXHAUSTED)),
        },
        needs={"no more pieces than the limit": total <= MAX, "a piece is left": DONE < total},
        given={"invariant": equal(COUNT, DONE), **ALIGNED},
    )


def _map() -> Machine:
    """Two holes that must be reserved; room for a chunk only away from both.

    0      1M        5M            100M       104M        512M   513M            1G
    |hole  |free 1025 pages|...|free 1100 pages|....|free 10|hole|...............|
    """
    a, c = 1025 * PAGE, 1100 * PAGE
    hole = Range(512 * MIB, 513 * MIB)
    return Machine(
        name="t6",
        cmrs=(Cmr(MIB, hole.start - MIB), Cmr(hole.end, GIB - hole.end)),
        memory=(MemoryRange(MIB, hole.start), MemoryRange(hole.end, GIB)),
        free=(
            FreeRun(MIB, MIB + a),
            FreeRun(100 * MIB, 100 * MIB + c),
            FreeRun(hole.start - 10 * PAGE, hole.start),
        ),
    )


def split_can_be_cheaper() -> Evidence:
    """Every place that a chunk has, against one choice of three regions, under `minimal`."""
    machine = complete(_map()).machine
    question = pose(machine, MODULE)
    tdmr = Range(0, GIB)
    sizes = question.sizes(1)

    def areas(bases: tuple[int, int, int]) -> int:
        regions = tuple(Pamt(b, s) for b, s in zip(bases, sizes, strict=True))
        return len(Reservations(question, [regions]).areas(tdmr))  # type: ignore[list-item]

    best: int | None = None
    places = 0
    for run in question.free_by_node[0]:
        for base in range(run.start, run.end - sizes.total + 1, PAGE):
            places += 1
            k4, m2, g1 = pamt_regions(base, sizes)
            count = areas((k4.base, m2.base, g1.base))
            best = count if best is None else min(best, count)
    end = 512 * MIB
    split = areas((MIB, end - sizes.level_1g - sizes.level_2m, end - sizes.level_1g))
    shown = f"{places} places for a chunk, at least {best} areas; three regions: {split} areas"
    return Evidence(best is not None and split < best, shown)


THEOREM = Theorem(
    name="t6_areas",
    short="T6",
    title="Areas are holes plus pieces; a chunk never costs more than its parts, except minimal",
    statement="Under memory and cmr a TDMR needs exactly one area for each hole and one for each"
    " chunk, or separate region, that shares an address with it; it is exhausted exactly when these"
    " are more than the limit. At the same addresses one chunk never counts more areas in any TDMR"
    " than its three parts. Under minimal three separate regions can need fewer areas than any"
    " chunk: a map is shown.",
    formal="areas(t) = holes(t) + #{p : p meets t}; [c meets t] <= sum [c_l meets t]",
    obligations=(
        Obligation("chunk-never-more", "a chunk counts no more than its parts", chunk_never_more),
        Obligation("touching", "a piece counts exactly where it shares an address", touching),
        Obligation("pieces-answered", "the pieces are what the turns added", pieces_answered),
        Obligation("count-base", "no area before the first piece", count_base),
        Obligation("count-step", "one area a piece, exhausted at the limit only", count_step),
        Obligation("refuses-unaligned", "unaligned pieces are refused", refuses_unaligned),
        Obligation("count-use", "no more pieces than the limit: never exhausted", count_use),
        Check("split-can-be-cheaper", "three regions beat every chunk", split_can_be_cheaper),
    ),
    mutants=(
        Obligation(
            "a chunk counts as three",
            "a chunk counts as much as its parts",
            lambda: chunk_never_more().replacing(
                m=counted(CHUNK)
                >= counted(REGIONS[0].range) + counted(REGIONS[1].range) + counted(REGIONS[2].range)
            ),
        ),
        Obligation(
            "a chunk never counts",
            "a chunk counts less than its parts",
            lambda: chunk_never_more().replacing(
                m=counted(CHUNK)
                < counted(REGIONS[0].range) + counted(REGIONS[1].range) + counted(REGIONS[2].range)
            ),
        ),
        Obligation(
            "touching pieces count",
            "a piece that only touches counts",
            lambda: touching().replacing(
                m=equal(
                    piece_in(TDMR, PIECE).when,
                    both(PIECE.start <= TDMR.end, TDMR.start <= PIECE.end),
                )
            ),
        ),
        Obligation(
            "exhausted one early",
            "exhausted one area before the limit",
            lambda: count_step().replacing(
                m=equal(stop(reserve_turn()[0], EXHAUSTED), equal(DONE + 1, MAX))
            ),
        ),
        Obligation(
            "the whole piece",
            "the whole piece is reserved, also outside the TDMR",
            lambda: touching().replacing(
                m=implies(
                    piece_in(TDMR, PIECE).when,
                    equal(piece_in(TDMR, PIECE).item.start, PIECE.start),
                )
            ),
        ),
        Obligation(
            "one piece too many",
            "one piece more than the limit is fine",
            lambda: Claim(
                {"m": negate(stop(reserve_turn()[0], EXHAUSTED))},
                given={
                    **count_use().given,
                    "limit": integer("pieces") <= MAX + 1,
                    "left": DONE < integer("pieces"),
                },
            ),
        ),
    ),
)
