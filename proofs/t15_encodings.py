"""T15: sums that stand for a plain rule: holes of joined cells, pages of a length, pieces counted.

Bounds over cuts and the solver's encoding never list the areas of every possible TDMR.  They add up
numbers of single cells (GiBs that hold memory) and of pieces; here is why the sums are the rule's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pamt.kernel.areas import find_holes
from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Limits, MemoryRange
from pamt.placement import Question
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem
from pamt.prove.stages import answer, appended, left_with, tail, turn
from pamt.prove.terms import boolean, both, choose, either, equal, implies, integer, larger, negate
from pamt.ranges import GIB, PAGE, Range
from pamt.smt import areas as smt_areas
from pamt.smt import pieces as smt_pieces
from pamt.smt import terms as smt
from pamt.smt.pieces import EXACT, Piece
from pamt.smt.segments import Segment
from pamt.verify.interp import GuardedList

# Holes of joined cells: Question.hole_count, as certificates over cuts and the encoding use it

A, P, Q, C = (integer(name) for name in ("a", "p", "q", "c"))
LAST = integer("end of the last range")
R = MemoryRange(integer("start"), integer("end"), 0)
LOW, HIGH, WHOLE = Range(A, P), Range(Q, C), Range(A, C)
"""Two TDMRs-to-be, each of whole cells, and the one that joins them."""
CELL_LOW, CELL_HIGH, CELLS = Range(P - GIB, P), Range(Q, Q + GIB), Range(P - GIB, Q + GIB)
"""The cells next to the border: what the counts are made of."""
CUT = {
    "cut": both(0 <= A, A <= P - GIB, P <= Q, Q + GIB <= C),
    "range": both(LAST >= 0, R.start >= LAST, R.start < R.end),
}


class Walk(NamedTuple):
    """One turn of `find_holes` for a window, where the last range seen ended at `LAST`."""

    added: Any
    """Holes added."""
    prev_end: Any
    stops: Any
    tail: Any
    """Holes added if the walk ends before this range."""


def walk(window: Range) -> Walk:
    prev_end = larger(window.start, LAST)
    holes, rest = GuardedList(), GuardedList()
    made = turn(find_holes, {"tdmr": window, "prev_end": prev_end, "holes": holes}, R)
    tail(find_holes, {"tdmr": window, "prev_end": prev_end, "holes": rest})
    (new,), (last,) = appended(holes), appended(rest)
    return Walk(
        choose(new.when, 1, 0),
        made.next.variables["prev_end"],
        left_with(made),
        choose(last.when, 1, 0),
    )


def holes_below() -> Claim:
    """A range that begins in the lower part: joined and lower part see the same."""
    low, high, whole = walk(LOW), walk(HIGH), walk(WHOLE)
    return Claim(
        {
            "as many": equal(whole.added, low.added),
            "all go on": negate(either(low.stops, high.stops, whole.stops)),
            "none in the upper": equal(high.added, 0),
            "then": both(
                equal(whole.prev_end, larger(A, R.end)),
                equal(low.prev_end, larger(A, R.end)),
                equal(high.prev_end, larger(Q, R.end)),
            ),
        },
        needs={"begins in the lower part": R.start < P},
        given={**CUT, "no memory between": both(LAST <= P, implies(P < Q, R.end <= P))},
    )


def at_border(low: Range, high: Range, whole: Range) -> Any:
    """Holes of the joined, less those of the parts, at the first range above the border."""
    ended, begun, joined = walk(low), walk(high), walk(whole)
    return (
        joined.added
        + choose(joined.stops, joined.tail, 0)
        - ended.tail
        - (begun.added + choose(begun.stops, begun.tail, 0))
    )


def holes_at_border() -> Claim:
    """The difference is that of the two cells alone, whatever the TDMRs reach over."""
    return Claim(
        {
            "the cells' own": equal(
                at_border(LOW, HIGH, WHOLE), at_border(CELL_LOW, CELL_HIGH, CELLS)
            )
        },
        needs={
            "first above": R.start >= Q,
        },
        given={**CUT, "no memory between": implies(P < Q, LAST <= P)},
    )


def holes_above() -> Claim:
    """From there on joined and upper part are in step, to the end."""
    low, high, whole = walk(LOW), walk(HIGH), walk(WHOLE)
    on = negate(either(high.stops, whole.stops))
    return Claim(
        {
            "the lower part is done": low.stops,
            "same way": equal(high.stops, whole.stops),
            "same place": implies(on, equal(high.prev_end, whole.prev_end)),
            "as many": implies(LAST >= Q, equal(high.added, whole.added)),
            "same tail": implies(LAST >= Q, equal(high.tail, whole.tail)),
        },
        needs={"begins above": R.start >= Q},
        given={**CUT, "no memory between": implies(P < Q, either(LAST <= P, LAST >= Q))},
    )


# Pages of a TDMR of unknown length: pamt.smt.pieces, _pages

N = integer("N")
E4, E2, E1, BITS = (integer(name) for name in ("e4", "e2", "e1", "bits"))


def region_pages(dynamic: bool) -> Claim:
    """The pages between two bounds around N times the rate are those of `pamt_sizes`."""
    limits = Limits(pamt_entry_size=(E4, E2, E1), pamt_page_bitmap_entry_bits=BITS)
    parts: dict[str, Any] = {}
    given: dict[str, Any] = {}
    wanted = pamt_sizes(N * GIB, limits, dynamic)
    # N times the pages of EXACT GiB, level by level; products of unknowns stay as they are.
    rates = (
        (N * BITS) * (8 * EXACT) if dynamic else (N * E4) * (64 * EXACT),
        (N * E2) * (EXACT // 8),
        N * E1,
    )
    for name, size, rate in zip(("4K", "2M", "1G"), wanted, rates, strict=True):
        pages = integer(f"pages {name}")
        given[name] = both(rate <= pages * EXACT, pages * EXACT <= rate + (EXACT - 1))
        parts[name] = equal(pages * PAGE, size)
    return Claim(parts, given=given)


def rate_is_exact(dynamic: bool) -> Claim:
    """At EXACT GiB nothing is rounded: the rate is the entry size's."""
    limits = Limits(pamt_entry_size=(E4, E2, E1), pamt_page_bitmap_entry_bits=BITS)
    sizes = pamt_sizes(EXACT * GIB, limits, dynamic)
    return Claim(
        {
            "4K": equal(
                sizes.level_4k,
                PAGE * ((8 * EXACT) * BITS if dynamic else (64 * EXACT) * E4),
            ),
            "2M": equal(sizes.level_2m, PAGE * (EXACT // 8) * E2),
            "1G": equal(sizes.level_1g, PAGE * E1),
        }
    )


def encoded_pages() -> Evidence:
    """The assertions themselves: their only solution is the size rule's, for many entry sizes."""
    looked = 0
    for entry in (0, 1, 8, 15, 16, 17, 24, 4095, 4096, 65535):
        for dynamic in (False, True):
            limits = Limits(
                pamt_entry_size=(entry, entry, entry),
                dynamic_pamt=dynamic,
                pamt_page_bitmap_entry_bits=entry % 9,
            )
            for gib in (1, 2, 3, 7, 8, 255, 256, 257, 4095, 4096, 16384):
                wanted = [s // PAGE for s in pamt_sizes(gib * GIB, limits, dynamic)]
                for pages, want in zip(_encoded(limits, gib), wanted, strict=True):
                    looked += 1
                    if pages != [want]:
                        return Evidence(False, f"{gib} GiB, {limits}: {pages}, not {want}")
    return Evidence(True, f"{looked} regions")


def _encoded(limits: Limits, gib: int) -> list[list[int]]:
    """All page counts near the truth that the encoding allows, level by level."""
    question = _Sizes(limits)
    segment = Segment(0, Range(0, GIB), smt.TRUE, 0, 0)
    made: list[Any] = []
    pages = smt_pieces._pages(question, segment, smt.Int("gib"), made)  # type: ignore[arg-type]  # noqa: SLF001
    found: list[list[int]] = []
    for level, size in zip(pages, question.sizes(gib), strict=True):
        near = range(max(0, size // PAGE - 3), size // PAGE + 4)
        names = [name for _, name in level.ints]
        if names == ["gib"]:
            found.append([level.ints[0][0] * gib])
            continue
        facts = [a.formula for a in made if names[0] in smt.variables([a.formula])[1]]
        found.append(
            [n for n in near if all(smt.holds(f, {"gib": gib, names[0]: n}) for f in facts)]
        )
        found[-1] = found[-1] if level.ints else [level.constant]
    return found


class _Sizes:
    """As much of a question as is asked for sizes."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    sizes = Question.sizes


# Pieces counted in TDMRs: pamt.smt.areas

WINDOWS = (Range(0, 2 * GIB), Range(2 * GIB, 3 * GIB), Range(4 * GIB, 5 * GIB))
"""Two segments that touch, and one behind a GiB without memory."""
SEGMENTS = tuple(
    Segment(at, window, smt.Flag(f"start:{at}") if at else smt.TRUE, 0, 0)
    for at, window in enumerate(WINDOWS)
)
STARTS = (True, boolean("start:1"), boolean("start:2"))
BASE, END = integer("piece_base"), integer("piece_end")


def as_term(formula: smt.Formula, flags: dict[str, Any]) -> Any:
    """A formula of the encoding as one of the proofs; `flags`: what named flags stand for."""
    if isinstance(formula, smt.Const):
        return formula.value
    if isinstance(formula, smt.Flag):
        return flags.get(formula.name) if formula.name in flags else boolean(formula.name)
    if isinstance(formula, smt.Not):
        return negate(as_term(formula.inner, flags))
    if isinstance(formula, smt.And):
        return both(*(as_term(part, flags) for part in formula.parts))
    if isinstance(formula, smt.Or):
        return either(*(as_term(part, flags) for part in formula.parts))
    total: Any = 0
    for factor, name in formula.ints:
        total = total + integer(name) * factor
    for weight, inner in formula.flags:
        total = total + choose(as_term(inner, flags), weight, 0)
    return total <= formula.bound


def counted() -> tuple[list[Any], dict[str, Any]]:
    """For each segment whether the piece counts there; and what the encoding says of its flags."""
    piece = Piece("piece", smt.TRUE, smt.Int("piece_base"), smt.Int("piece_end"))
    made: list[Any] = []
    over = smt_areas.overlap_flags(piece, SEGMENTS, made)
    first = smt_areas._first_in_tdmr(SEGMENTS, over)  # noqa: SLF001
    said = {f"definition {at}": as_term(a.formula, {}) for at, a in enumerate(made)}
    return [as_term(flag, {}) for flag in first], said


def meets(window: Range) -> Any:
    """The plain rule: something is left of the piece inside the TDMR."""
    part = answer(Range.clip, Range(BASE * PAGE, END * PAGE), window)
    return part.start < part.end


def pieces_counted() -> Claim:
    """Whatever TDMRs are cut: in each the piece counts once if it meets it, else never."""
    flags, said = counted()
    one, two, three = (choose(flag, 1, 0) for flag in flags)
    first, second, third = WINDOWS
    cut_1, cut_2 = STARTS[1], STARTS[2]
    all_in_one = both(negate(cut_1), negate(cut_2))

    def once(total: Any, *windows: Range) -> Any:
        tdmr = Range(windows[0].start, windows[-1].end)
        return equal(total, choose(meets(tdmr), 1, 0))

    return Claim(
        {
            "one TDMR": implies(all_in_one, once(one + two + three, first, third)),
            "cut behind the first": implies(
                both(cut_1, negate(cut_2)), both(once(one, first), once(two + three, second, third))
            ),
            "cut behind the second": implies(
                both(negate(cut_1), cut_2), both(once(one + two, first, second), once(three, third))
            ),
            "cut twice": implies(
                both(cut_1, cut_2), both(once(one, first), once(two, second), once(three, third))
            ),
        },
        needs={
            "pieces lie in memory": either(END * PAGE <= second.end, BASE * PAGE >= third.start),
        },
        given={**said, "piece": both(0 <= BASE, BASE < END, END * PAGE <= third.end)},
    )


THEOREM = Theorem(
    name="t15_encodings",
    short="T15",
    title="Sums over cells and pieces are what the plain rules count",
    statement="The holes of a TDMR over several cells are those of the cells alone plus, for each"
    " two neighbours, what joining just these two changes. The pages of a region that the encoding"
    " allows for a TDMR of unknown length are those of pamt_sizes, for all entry sizes. A piece"
    " that lies in memory counts once in every TDMR it meets, however segments are cut into TDMRs"
    " (shown for three segments; only neighbours matter).",
    formal="holes(i..j) = sum alone + sum joined; pages * 4096 in [N r, N r + 4095] <=> pages ="
    " size(N); sum of counted in t = [piece meets t]",
    trusts="T2 (find_holes), T3 (sizes). There is no memory between cells. Under cmr, complement()"
    " in the place of find_holes.",
    obligations=(
        Obligation("holes-below", "below the border: as in the lower part", holes_below),
        Obligation("holes-at-border", "at the border: as for the two cells", holes_at_border),
        Obligation("holes-above", "above the border: as in the upper part", holes_above),
        Obligation("region-pages", "pages of a region", lambda: region_pages(False), True),
        Obligation("bitmap-pages", "the same, dynamic PAMT", lambda: region_pages(True), True),
        Obligation("rate", "nothing is rounded at 4096 GiB", lambda: rate_is_exact(False)),
        Obligation("bitmap-rate", "the same, dynamic PAMT", lambda: rate_is_exact(True)),
        Check("encoded-pages", "the encoding's own assertions", encoded_pages),
        Obligation("pieces-counted", "a piece counts once in each TDMR it meets", pieces_counted),
    ),
    mutants=(
        Obligation(
            "joining is free",
            "joining two cells leaves their holes as they are",
            lambda: holes_at_border().replacing(m=equal(at_border(LOW, HIGH, WHOLE), 0)),
        ),
        Obligation(
            "joining saves a hole",
            "joining two cells never makes a hole more",
            lambda: holes_at_border().replacing(m=at_border(LOW, HIGH, WHOLE) <= 0),
        ),
        Obligation(
            "one bound is enough",
            "the pages are the least that are enough, and no upper bound is needed",
            lambda: Claim(
                region_pages(False).goal,
                given={
                    "4K": (N * E4) * (64 * EXACT) <= integer("pages 4K") * EXACT,
                    "2M": (N * E2) * (EXACT // 8) <= integer("pages 2M") * EXACT,
                    "1G": N * E1 <= integer("pages 1G") * EXACT,
                },
            ),
        ),
        Obligation(
            "once for each segment",
            "a piece counts in each segment it meets",
            lambda: pieces_counted().replacing(
                m=equal(counted()[0][1], meets(WINDOWS[1])),
            ),
        ),
        Obligation(
            "pieces across a bridge",
            "a piece may lie across a GiB without memory",
            lambda: pieces_counted().without("pieces lie in memory"),
        ),
    ),
)
