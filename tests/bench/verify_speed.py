"""How fast the verify engine answers, and what others make of the same question.

    python tests/bench/verify_speed.py [--quick]

Prints a table; ends with exit 1 when an answer is not the one it has to be, or a floor on a count
is missed.  Seconds fail nothing: beside each promised time stands whether it was met.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any
from unittest.mock import patch

import verify_peers as peers
from verify_table import Measured, Table, spending

from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Limits
from pamt.prove import prove
from pamt.ranges import GIB
from pamt.verify import engine, smallest
from pamt.verify.assumptions import DEFAULT
from pamt.verify.bounded import layout_is_sound, scan_is_exact
from pamt.verify.cases import cases
from pamt.verify.engine import verify
from pamt.verify.explore import explore
from pamt.verify.incremental import Goals
from pamt.verify.properties import load_policy
from pamt.verify.scope import Scope
from pamt.verify.symbolic_map import build_map

HIGH = Scope(ranges=1, gib=5, first_gib=4)
"""Above 4 GiB, where a node has one zone."""
PILE = replace(HIGH, free=1, assumptions=(DEFAULT | {"whole-gib"}) - {"apart", "free-is-memory"})
"""TDMRs of whole GiBs without holes; free runs anywhere inside them."""
SIZES = {gib: pamt_sizes(gib * GIB, Limits(), False).total for gib in (1, 2, 4)}
"""Bytes of the PAMTs of TDMRs of so many GiB."""
FASTER_THAN_CROSSHAIR = 20


def asked(policy: str, name: str, scope: Scope) -> Measured:
    """One run of ``verify``."""
    result = verify(policy, name, scope)
    answer = f"{result.verdict}, {result.cases_done} cases"
    found = result.counterexample
    if found is not None:
        memory = len(found.machine.memory or ())
        state = "certified smallest" if found.certified else "not certified"
        answer = f"{result.verdict}, {memory} ranges, {found.measure.tdmrs} TDMRs, {state}"
    return Measured(answer, result.obligations, result.steps)


def proved(question: Callable[[], Goals]) -> Measured:
    """Goals about one symbolic run, proved in order."""
    goals = question()
    answer = "HOLDS" if goals.hold else f"UNDECIDED or VIOLATED: {goals.failed}"
    return Measured(answer, goals.proved, goals.steps)


def scope_of(ranges: int, limit: int = 16, fewest: int = 1) -> Scope:
    """Memory ranges in one GiB."""
    limits = Limits(max_reserved_per_tdmr=limit)
    return replace(HIGH, ranges=ranges, fewest_ranges=fewest, limits=limits)


def areas(table: Table) -> None:
    """Finding 1: areas run out by holes alone, and with PAMTs."""
    table.heading("Areas exhausted, from the policy's Python source (finding 1)")
    stage = partial(asked, "stage:areas", "never:ENOSPC_reserved")
    for what, scope, target, must in (
        ("1a: 16 ranges, with the smallest map", scope_of(16), 5, "VIOLATED, 16 ranges"),
        ("1a: none with one range fewer", scope_of(15), 5, "HOLDS"),
        ("1a: up to 32 ranges in scope", scope_of(32), 5, "VIOLATED, 16 ranges"),
        ("1a: up to 64 ranges in scope", scope_of(64), 20, "VIOLATED, 16 ranges"),
        ("    32 areas: none up to 31, found at 32", scope_of(32, 32), 5, "VIOLATED, 32 ranges"),
        ("    64 areas: none up to 63, found at 64", scope_of(64, 64), 20, "VIOLATED, 64 ranges"),
    ):
        table.row(what, partial(stage, scope), target=target, must=must)


def areas_with_pamts(table: Table) -> None:
    """Finding 1b, two TDMRs: the long ones."""
    whole = partial(asked, "linux:mainline", "complete:linux@ENOSPC_reserved")
    scope = replace(HIGH, ranges=15, gib=6)
    found = partial(whole, scope)
    must = "VIOLATED, 15 ranges"
    minimised(table, "1b: with PAMTs, with the smallest map", found, must, target=60)
    none = partial(whole, replace(scope, ranges=14))
    table.row("1b: none with one range fewer", none, target=60, must="HOLDS")


def layout(table: Table) -> None:
    """The layout is sound: bounded without invariants, and without bound."""
    table.heading("Layout soundness (finding none is the point)")
    row = partial(partial, proved)
    for ranges in (6, 12, 16):
        target = 15 if ranges == 12 else None
        question = row(partial(layout_is_sound, ranges))
        table.row(f"{ranges} ranges, no invariant stated", question, target=target, must="HOLDS")
    with spending() as spent:
        (result,) = prove(["T1"])
    steps = sum(sum(o.steps.values()) for o in result.obligations)
    answer = f"{result.verdict.name}: every obligation by z3 and by cvc5, mutants included"
    it = Measured(answer, len(result.obligations), steps)
    table.line("any number of ranges: pamt prove T1", it, spent.seconds, 2, "HOLDS")


def scans(table: Table, *, quick: bool) -> None:
    """Chunks of plain sizes on any free runs: where the kernel puts them, exactly."""
    table.heading("Slot scan: chunks on any free runs are where the kernel's scan puts them")
    slowest, total, held = ((0.0, ""), Measured("", 0, 0), 0)
    mixes = [sizes for count in (1, 2, 3) for sizes in product(SIZES, repeat=count)]
    if quick:
        mixes = [(1,), (1, 1), (1, 2, 4)]
    within = 0
    for sizes in mixes:
        with spending() as spent:
            it = proved(partial(scan_is_exact, [SIZES[gib] for gib in sizes], 4))
        slowest = max(slowest, (spent.seconds, str(sizes)))
        within += spent.seconds <= 1
        held += it.answer == "HOLDS"
        total = Measured(
            "", (total.asked or 0) + (it.asked or 0), (total.steps or 0) + it_steps(it)
        )
    text = f"HOLDS for {held} of {len(mixes)}; {within} within 1 s, slowest {slowest[1]}"
    table.line(
        f"up to 3 TDMRs of 1, 2, 4 GiB, 4 runs: all {len(mixes)}",
        total._replace(answer=text),
        slowest[0],
        1,
        f"HOLDS for {len(mixes)} of",
    )
    six = [SIZES[1]] * 6
    question = partial(scan_is_exact, six, 8)
    table.row("6 TDMRs of 1 GiB, 8 runs", partial(proved, question), target=10, must="HOLDS")
    mixed = [SIZES[1], SIZES[2]] * 3
    question = partial(scan_is_exact, mixed, 2)
    table.row("6 TDMRs of 1 and 2 GiB by turns, 2 runs", partial(proved, question), must="HOLDS")
    for ranges in (1, 2) if quick else (1, 2, 3):
        scope = replace(HIGH, ranges=ranges, gib=8)
        table.row(
            f"whole policy, TDMRs of 1 to 4 GiB, {ranges} ranges",
            partial(asked, "linux:mainline", "accepted", scope),
            target=30,
            must="HOLDS",
        )


def it_steps(it: Measured) -> int:
    """Steps of a row that has them."""
    return it.steps or 0


def piles(table: Table, *, quick: bool) -> None:
    """Finding 3: PAMTs alone, with free runs that may be anything."""
    table.heading("PAMTs alone exhaust the areas (finding 3), any free run: one more than areas")
    exhausted = partial(asked, "linux:mainline", "never:ENOSPC_reserved")
    for limit in (2, 4) if quick else (4, 8, 16):
        limits = Limits(max_reserved_per_tdmr=limit)
        for count in (limit, limit + 1):
            scope = replace(PILE, ranges=count, fewest_ranges=count, gib=4 + count, limits=limits)
            must = "HOLDS" if count == limit else f"VIOLATED, {count} ranges, {count} TDMRs"
            what = f"{limit} areas, {count} TDMRs, one free run"
            table.row(what, partial(exhausted, scope), must=must)
    places = partial(asked, "linux:mainline", "complete:linux@ENOSPC_reserved")
    limits = Limits(max_reserved_per_tdmr=3)
    scope = replace(PILE, ranges=4, fewest_ranges=4, gib=8, free=2, limits=limits)
    what = "3 areas, 4 TDMRs, 2 free runs, though they fit"
    table.row(what, partial(places, scope), must="VIOLATED, 4 ranges")
    real = replace(PILE, ranges=17, fewest_ranges=17, gib=21)
    real = replace(real, free=0, assumptions=(DEFAULT | {"whole-gib"}) - {"apart"})
    what = "16 areas, 17 TDMRs, all free, though they fit"
    table.row(what, partial(places, real), must="VIOLATED, 17 ranges")
    with spending() as spent:
        (result,) = prove(["T17"])
    steps = sum(sum(o.steps.values()) for o in result.obligations)
    answer = f"{result.verdict.name}: slot counting, both solvers, mutants included"
    it = Measured(answer, len(result.obligations), steps)
    table.line("any number: pamt prove T17", it, spent.seconds, None, "HOLDS")


@contextmanager
def adding(where: object, name: str, spent: list[float]) -> Iterator[None]:
    """Add up what one function of a module takes."""
    function: Callable[..., Any] = getattr(where, name)

    def timed(*args: Any, **keywords: Any) -> Any:
        with spending() as took:
            answer = function(*args, **keywords)
        spent.append(took.seconds)
        return answer

    with patch.object(where, name, timed):
        yield


def minimised(
    table: Table,
    what: str,
    question: Callable[[], Measured],
    must: str,
    target: float | None = None,
) -> None:
    """A row, and of its time what went into making the map small, and into certifying it."""
    small: list[float] = []
    whole: list[float] = []
    with adding(smallest, "_repacked", small), adding(engine, "improve", whole):
        table.row(what, question, target=target, must=must)
    times = "once" if len(small) == 1 else f"{len(small)} times"
    packed = Measured(f"put on the coarsest grid that breaks it, {times}")
    table.line("    of it: made small", packed, sum(small), 1)
    rest = sum(whole) - sum(small)
    table.line("    of it: every smaller map refuted", Measured("certified"), rest, 10)


def minimising(table: Table) -> None:
    """From the first map to the smallest one."""
    table.heading("Counterexamples: made small (1 s), then certified smallest (10 s more)")
    for what, policy, name, scope in (
        ("1a", "stage:areas", "never:ENOSPC_reserved", scope_of(16, fewest=16)),
        ("2", "linux:mainline", "complete:linux@ENOMEM_pamt", HIGH),
        ("7", "linux:mainline", "no-worse-than:linux:cmr-v8.2", scope_of(15, fewest=15)),
    ):
        minimised(table, f"finding {what}", partial(asked, policy, name, scope), "VIOLATED")


def compared(table: Table, *, quick: bool) -> None:
    """The same function, `areas_stage`, to three tools."""
    seconds, examples = (15, 1_000) if quick else (60, 10_000)
    table.heading(
        "The same question about the same function, each a process of its own, start-up included"
    )
    solved: tuple[int, float, float] | None = None
    beyond = False
    for limit in (2, 3, 4, 16) if quick else (2, 3, 4, 5, 6, 8, 16):
        mine = peers.ours(limit)
        table.line(f"{limit} areas: pamt verify", Measured(mine.words), mine.seconds, None, "found")
        theirs = peers.hypothesis(limit, examples)
        table.line(f"{limit} areas: hypothesis", Measured(theirs.words), theirs.seconds)
        if beyond and limit != 16:
            continue
        it = peers.crosshair(limit, seconds)
        table.line(f"{limit} areas: CrossHair", Measured(it.words), it.seconds)
        if it.found:
            solved = (limit, it.seconds, mine.seconds)
        beyond = not it.found
    if solved is not None:
        limit, theirs_took, mine_took = solved
        ratio = theirs_took / mine_took
        verdict = "met" if ratio >= FASTER_THAN_CROSSHAIR else "MISSED"
        table.note(
            f"at CrossHair's largest solved limit ({limit} areas): {ratio:.0f} times as fast;"
            f" wanted {FASTER_THAN_CROSSHAIR}: {verdict}"
        )


def explored(table: Table, *, quick: bool) -> None:
    """Path by path, as a program of its own would be tested."""
    table.heading("Path explorer, linux:mainline")
    for ranges in (1, 2) if quick else (1, 2, 3):
        count = 0
        with spending() as spent:
            scope = replace(HIGH, ranges=ranges, fewest_ranges=ranges)
            for case in cases(scope):
                made = build_map(scope, case)
                count += sum(1 for _ in explore(load_policy("linux:mainline"), made, 200_000))
        text = f"{count} paths, {count / max(spent.seconds, 1e-9):.0f} a second"
        table.line(f"{ranges} ranges in one GiB", Measured(text, count), spent.seconds)
        floor = (3, 20, 100)[ranges - 1]
        if count < floor:
            table.wrong.append(f"{count} paths for {ranges} ranges, fewer than {floor}")


def scopes(table: Table, *, quick: bool) -> None:
    """What grows with the number of ranges."""
    table.heading("Scopes: linux:mainline, up to K ranges below 6 GiB, real limits")
    for name in ("accepted", "covered", "clean"):
        for ranges in range(1, 3 if quick else 5):
            question = partial(asked, "linux:mainline", name, replace(HIGH, ranges=ranges, gib=6))
            table.row(f"{name}, K = {ranges}", question, must="HOLDS")


def theorems(table: Table) -> None:
    """The slowest obligation of each solver; wall seconds of its one call."""
    table.heading("Theorems: slowest obligation by solver (seconds of that call), pamt prove")
    answers = [
        (answer, f"{result.theorem.short} {obligation.name}")
        for result in prove()
        for obligation in result.obligations
        for answer in obligation.answers
    ]
    for solver in ("z3", "cvc5"):
        mine = [(answer, name) for answer, name in answers if answer.solver == solver]
        slowest, name = max(mine, key=lambda pair: pair[0].seconds)
        hardest, other = max(mine, key=lambda pair: pair[0].steps)
        text = f"{name}; most steps: {other}, {hardest.steps:,}"
        it = Measured(text, len(mine), sum(answer.steps for answer, _ in mine))
        table.line(f"{solver}, slowest of {len(mine)}", it, slowest.seconds, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything; 1 when an answer is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="without what takes long")
    quick = parser.parse_args(arguments).quick
    table = Table()
    with spending() as spent:
        areas(table)
        if not quick:
            areas_with_pamts(table)
        layout(table)
        scans(table, quick=quick)
        minimising(table)
        scopes(table, quick=quick)
        explored(table, quick=quick)
        theorems(table)
        compared(table, quick=quick)
        piles(table, quick=quick)
    table.note(f"\n{sum(table.met)} of {len(table.met)} targets met; {spent.seconds:.0f} user s")
    for wrong in table.wrong:
        table.note(f"WRONG: {wrong}")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
