"""``pamt prove``: theorems with no bound on the map, by two solvers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pamt.cli.answer import Answer, Output, common, finish

if TYPE_CHECKING:
    from pamt.prove import ObligationResult, Theorem, TheoremResult
    from pamt.report.prove import Proved, ProvedPart, ProvedTheorem

__all__ = ["command"]


@click.command("prove")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--smt2",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write every formula as SMT-LIB text: unsat means that it holds.",
)
@click.option("--mutants", is_flag=True, help="List every mutant, not just their number.")
@click.option(
    "--times/--no-times",
    default=None,
    help="Seconds beside the steps (default: on a terminal only; they differ from run to run).",
)
@click.option(
    "--proofs",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Theorem files of your own, in place of those that come with pamt.",
)
@common
def command(
    names: tuple[str, ...],
    folder: Path | None,
    mutants: bool,
    times: bool | None,
    proofs: Path | None,
    output: Output,
) -> int:
    """Theorems with no bound on the map, decided by two solvers.

    NAME is a theorem (T1, t5_acceptance); without one, all are decided.  Every formula goes to z3
    and to cvc5; its assumptions are shown to be possible; and every mutant of a statement, and
    every claim with one of its assumptions dropped, must fail.  Verdict: HOLDS, VIOLATED (with
    values that refute it) or UNDECIDED (also where one of the solvers is not installed).
    """
    from pamt.maps.errors import InputErrors, InputProblem
    from pamt.prove import ProofFileError, load_theorems
    from pamt.report.prove import prove_fields, prove_text

    where = str(proofs) if proofs is not None else "proofs"
    try:
        theorems = load_theorems(names, proofs)
    except ProofFileError as error:
        raise InputErrors([InputProblem(where, 0, "", "theorem files", str(error))]) from None
    if not theorems:
        raise InputErrors([InputProblem(where, 0, "", "theorem files", "none")])
    files = () if folder is None else _write_formulas(theorems, folder)
    proved = _decide(theorems, files, output)
    with_times = sys.stdout.isatty() and output.file is None if times is None else times
    return finish(
        Answer(
            "prove",
            proved.verdict,
            None,
            lambda: prove_fields(proved, times=times is True),
            lambda: prove_text(proved, times=with_times, mutants=mutants, details=bool(names)),
        ),
        output,
    )


def _write_formulas(theorems: tuple[Theorem, ...], folder: Path) -> tuple[str, ...]:
    """The files written.  Raises click.ClickException where that is not possible."""
    from pamt.cli.atomic import write_whole
    from pamt.prove import export

    written: list[str] = []
    for name, text in export(theorems).items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode())
        except OSError as error:
            raise click.ClickException(
                f"{path}: cannot be written: {error.strerror or error}"
            ) from None
        written.append(str(path))
    return tuple(written)


def _decide(theorems: tuple[Theorem, ...], files: tuple[str, ...], output: Output) -> Proved:
    """Every theorem in turn; an interrupt keeps those that are done."""
    from pamt.cli.progress import ProgressLine
    from pamt.prove.runner import prove_theorem
    from pamt.report.prove import Proved
    from pamt.smt.interrupt import interruptible, poll
    from pamt.smt.prove_solvers import SOLVERS

    done: list[ProvedTheorem] = []
    interrupted = False
    with ProgressLine(quiet=output.quiet) as line:

        def tell(name: str) -> None:
            poll()
            line.say(f"{len(done) + 1} of {len(theorems)}: {name}")

        for theorem in theorems:
            try:
                with interruptible():
                    result = prove_theorem(theorem, progress=tell)
            except KeyboardInterrupt:
                interrupted = True
                break
            done.append(_theorem(result))
    left = tuple(theorem.name for theorem in theorems[len(done) :])
    return Proved(tuple(done), left, interrupted, _missing(), SOLVERS, files)


def _missing() -> tuple[str, ...]:
    from pamt.smt.prove_solvers import SOLVERS, available

    return tuple(solver for solver in SOLVERS if not available(solver))


def _theorem(result: TheoremResult) -> ProvedTheorem:
    from pamt.prove import Check
    from pamt.report.prove import ProvedTheorem

    theorem = result.theorem
    checks = {part.name for part in theorem.obligations if isinstance(part, Check)}
    return ProvedTheorem(
        theorem.name,
        theorem.short,
        theorem.title,
        theorem.statement,
        theorem.formal,
        theorem.trusts,
        result.verdict.value,
        result.reason,
        _parts(result.obligations, checks),
        _parts(result.mutants, set()),
        result.seconds,
    )


def _parts(results: Iterable[ObligationResult], checks: set[str]) -> tuple[ProvedPart, ...]:
    from pamt.report.prove import Asked, ProvedPart

    return tuple(
        ProvedPart(
            result.name,
            result.says,
            result.verdict.value,
            result.reason,
            "check" if result.name in checks else "formula",
            tuple(Asked(a.solver, a.found, a.steps, a.seconds) for a in result.answers),
            result.vacuous,
            dict(result.counterexample),
            result.failing,
            result.shown,
        )
        for result in results
    )
