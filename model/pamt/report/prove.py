"""Theorems and how they were decided, in words and in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pamt.report.table import table
from pamt.report.words import count

__all__ = ["Asked", "Proved", "ProvedPart", "ProvedTheorem", "prove_fields", "prove_text"]

MOST_VALUES = 40
HEX_ABOVE = 4096
COLUMNS = 100


class Asked(NamedTuple):
    """What one solver said of one formula."""

    solver: str
    found: str
    steps: int
    """In the solver's own unit."""
    seconds: float


class ProvedPart(NamedTuple):
    """One obligation or one mutant, decided."""

    name: str
    says: str
    verdict: str
    """Of a mutant, VIOLATED is what it should be."""
    reason: str
    kind: str
    """``formula``, or ``check``: settled by plain code."""
    asked: tuple[Asked, ...]
    vacuous: bool | None
    """Nothing meets the assumptions; None: not settled, or not asked."""
    counterexample: Mapping[str, int | bool]
    failing: tuple[str, ...]
    shown: str

    def steps(self, solver: str) -> int | None:
        found = [asked.steps for asked in self.asked if asked.solver == solver]
        return sum(found) if found else None

    def seconds(self, solver: str) -> float | None:
        found = [asked.seconds for asked in self.asked if asked.solver == solver]
        return sum(found) if found else None


class ProvedTheorem(NamedTuple):
    name: str
    short: str
    title: str
    statement: str
    formal: str
    trusts: str
    verdict: str
    reason: str
    obligations: tuple[ProvedPart, ...]
    mutants: tuple[ProvedPart, ...]
    seconds: float

    @property
    def discharged(self) -> int:
        return sum(part.verdict == "HOLDS" for part in self.obligations)

    @property
    def caught(self) -> int:
        return sum(part.verdict == "VIOLATED" for part in self.mutants)


class Proved(NamedTuple):
    """All theorems that were asked for; `left`: names of those not reached."""

    theorems: tuple[ProvedTheorem, ...]
    left: tuple[str, ...]
    interrupted: bool
    missing: tuple[str, ...]
    """Solvers that are not installed."""
    solvers: tuple[str, ...]
    files: tuple[str, ...]
    """SMT-LIB texts written."""

    @property
    def verdict(self) -> str:
        if self.interrupted:
            return "UNDECIDED"
        found = {theorem.verdict for theorem in self.theorems}
        return next((v for v in ("VIOLATED", "UNDECIDED") if v in found), "HOLDS")


def prove_fields(proved: Proved, *, times: bool) -> dict[str, Any]:
    """JSON fields; seconds only if wanted, for they are never the same twice."""
    theorems = proved.theorems
    return {
        "obligations": sum(len(t.obligations) for t in theorems),
        "discharged": sum(t.discharged for t in theorems),
        "mutants": sum(len(t.mutants) for t in theorems),
        "caught": sum(t.caught for t in theorems),
        "missing_solvers": list(proved.missing),
        "not_reached": list(proved.left),
        "theorems": [
            {
                "name": t.name,
                "short": t.short,
                "title": t.title,
                "statement": t.statement,
                "formal": t.formal,
                "trusts": t.trusts,
                "verdict": t.verdict,
                "reason": t.reason or None,
                "obligations": [_part_fields(part, times) for part in t.obligations],
                "mutants": [
                    {"name": m.name, "says": m.says, "caught": m.verdict == "VIOLATED"}
                    for m in t.mutants
                ],
            }
            for t in theorems
        ],
        "smt2": list(proved.files),
    }


def _part_fields(part: ProvedPart, times: bool) -> dict[str, Any]:
    return {
        "name": part.name,
        "says": part.says,
        "kind": part.kind,
        "verdict": part.verdict,
        "reason": part.reason or None,
        "solvers": [
            {
                "solver": asked.solver,
                "found": asked.found,
                "steps": asked.steps,
                "seconds": round(asked.seconds, 6) if times else None,
            }
            for asked in part.asked
        ],
        "vacuous": part.vacuous,
        "counterexample": dict(part.counterexample) or None,
        "failing": list(part.failing),
        "shown": part.shown or None,
    }


def prove_text(proved: Proved, *, times: bool, mutants: bool, details: bool) -> Iterator[str]:
    """Verdict, reason, next step; a table of theorems; with `details`, of their obligations."""
    yield _headline(proved)
    for line in _reasons(proved):
        yield f"Why:     {line}"
    yield f"Next:    {_next_step(proved, details)}"
    hardest = _hardest(proved)
    if hardest:
        yield f"Hardest: {'; '.join(hardest)}"
    if times and hardest:
        yield f"Slowest: {_slowest(proved)}"
    if proved.files:
        yield f"Written: {count(len(proved.files), 'formula')} as SMT-LIB text"
    if proved.theorems:
        yield ""
        yield from _theorem_table(proved, times)
    for theorem in proved.theorems:
        if details or theorem.verdict != "HOLDS":
            yield ""
            yield from _details(theorem, proved.solvers, times)
        if mutants:
            yield ""
            yield from _mutants(theorem)


def _headline(proved: Proved) -> str:
    theorems = proved.theorems
    if proved.interrupted:
        total = len(theorems) + len(proved.left)
        return f"UNDECIDED: interrupted after {len(theorems)} of {count(total, 'theorem')}" + (
            f"; {_tally(theorems)}" if theorems else ""
        )
    if proved.verdict == "HOLDS":
        kinds = [part.kind for t in theorems for part in t.obligations]
        caught = sum(t.caught for t in theorems)
        by = " and ".join(proved.solvers)
        checks = kinds.count("check")
        beside = f", {count(checks, 'check')} by plain code" if checks else ""
        return (
            f"HOLDS: {count(len(theorems), 'theorem')}: {count(kinds.count('formula'), 'formula')}"
            f" by {by}, none vacuous{beside}; {count(caught, 'mutant')} caught"
        )
    if proved.verdict == "UNDECIDED" and proved.missing:
        which = "second solver" if proved.missing == ("cvc5",) else "solver"
        return f"UNDECIDED: {which} missing: {', '.join(proved.missing)}"
    return f"{proved.verdict}: {_tally(theorems)}"


def _tally(theorems: Sequence[ProvedTheorem]) -> str:
    found = [
        f"{sum(t.verdict == verdict for t in theorems)} {verdict}"
        for verdict in ("HOLDS", "VIOLATED", "UNDECIDED")
        if any(t.verdict == verdict for t in theorems)
    ]
    return ", ".join(found)


def _reasons(proved: Proved) -> list[str]:
    """The first thing that stands in the way, of the theorems that do not hold."""
    if proved.missing and proved.verdict == "UNDECIDED" and not proved.interrupted:
        return ["an obligation counts only where both solvers agree"]
    named = [f"{t.name}: {t.reason}" for t in proved.theorems if t.verdict == proved.verdict]
    return named[:3] if proved.verdict != "HOLDS" else []


def _next_step(proved: Proved, details: bool) -> str:
    if proved.interrupted:
        return f"pamt prove {' '.join(proved.left)}    (what is left)"
    if proved.missing:
        return "pip install 'pamt[cross]'    (the other solver)"
    if proved.verdict != "HOLDS":
        worst = next(t for t in proved.theorems if t.verdict == proved.verdict)
        return f"pamt prove {worst.name} --smt2 DIR    (its formulas, for any solver)"
    if details:
        return "pamt prove --smt2 DIR    (the formulas, for any solver)"
    return f"pamt prove {proved.theorems[0].short} --mutants    (one theorem in full)"


def _hardest(proved: Proved) -> list[str]:
    """The obligation that took each solver most steps."""
    found: list[str] = []
    for solver in proved.solvers:
        each = [
            (steps, f"{t.short} {part.name}")
            for t in proved.theorems
            for part in t.obligations
            if (steps := part.steps(solver)) is not None
        ]
        if each:
            steps, name = max(each, key=lambda pair: pair[0])
            found.append(f"{name}, {count(steps, 'step')} of {solver}")
    return found


def _slowest(proved: Proved) -> str:
    seconds, name, solver = max(
        (part.seconds(solver) or 0.0, f"{t.short} {part.name}", solver)
        for t in proved.theorems
        for part in t.obligations
        for solver in proved.solvers
    )
    return f"{name}, {seconds:.2f} s with {solver}"


def _theorem_table(proved: Proved, times: bool) -> list[str]:
    rows = [["theorem", "verdict", "discharged", *_solver_heads(proved.solvers, times), "mutants"]]
    rows[0].append("says")
    for t in proved.theorems:
        cells = _solver_cells(t.obligations, proved.solvers, times)
        done = f"{t.discharged} of {len(t.obligations)}"
        caught = f"{t.caught} of {len(t.mutants)}"
        rows.append([t.name, t.verdict, done, *cells, caught, t.title])
    numbers = range(2, len(rows[0]) - 1)
    return table(rows, right=tuple(numbers))


def _solver_heads(solvers: Sequence[str], times: bool) -> list[str]:
    heads: list[str] = []
    for solver in solvers:
        heads.append(f"{solver} steps")
        if times:
            heads.append("seconds")
    return heads


def _solver_cells(parts: Sequence[ProvedPart], solvers: Sequence[str], times: bool) -> list[str]:
    """Sums over the parts; a dash for a solver that none of them asked."""
    cells: list[str] = []
    for solver in solvers:
        steps = [s for part in parts if (s := part.steps(solver)) is not None]
        cells.append(str(sum(steps)) if steps else "-")
        if times:
            spent = [part.seconds(solver) for part in parts]
            known = [seconds for seconds in spent if seconds is not None]
            cells.append(f"{sum(known):.2f}" if known else "-")
    return cells


def _details(theorem: ProvedTheorem, solvers: Sequence[str], times: bool) -> Iterator[str]:
    from textwrap import wrap

    yield f"{theorem.short}: {theorem.title}: {theorem.verdict}"
    yield from _indented(wrap(theorem.statement, COLUMNS - 4))
    yield from _indented(wrap(f"In symbols: {theorem.formal}", COLUMNS - 4))
    if theorem.trusts:
        yield from _indented(wrap(f"Trusts: {theorem.trusts}", COLUMNS - 4))
    rows = [["obligation", "verdict", *_solver_heads(solvers, times), "vacuous", "says"]]
    for part in theorem.obligations:
        cells = _solver_cells([part], solvers, times)
        vacuous = {True: "yes", False: "no", None: "-"}[part.vacuous]
        rows.append([part.name, part.verdict, *cells, vacuous, part.says])
    yield from table(rows, right=tuple(range(2, len(rows[0]) - 2)))
    for part in theorem.obligations:
        if part.verdict != "HOLDS":
            yield from _why_not(part)
        elif part.shown:
            yield f"    {part.name}:"
            yield from _indented(part.shown.splitlines(), 6)


def _indented(lines: Sequence[str], by: int = 4) -> Iterator[str]:
    for line in lines:
        yield f"{'':{by}}{line}".rstrip()


def _why_not(part: ProvedPart) -> Iterator[str]:
    yield f"    {part.name}: {part.reason or 'the check fails'}"
    if part.failing:
        yield f"      breaks: {', '.join(part.failing)}"
    for name, value in list(part.counterexample.items())[:MOST_VALUES]:
        yield f"      {name} = {_value(value)}"
    if len(part.counterexample) > MOST_VALUES:
        left = len(part.counterexample) - MOST_VALUES
        yield f"      ... and {left} more (all with --json)"
    yield from _indented(part.shown.splitlines(), 6)


def _value(value: int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:#x}" if abs(value) >= HEX_ABOVE else str(value)


def _mutants(theorem: ProvedTheorem) -> Iterator[str]:
    yield f"{theorem.short}: mutants, each of which must fail"
    rows = [
        [
            "caught" if mutant.verdict == "VIOLATED" else "NOT CAUGHT",
            mutant.name,
            mutant.says if mutant.verdict == "VIOLATED" else mutant.reason or mutant.says,
        ]
        for mutant in theorem.mutants
    ]
    yield from table(rows)
