"""``pamt place``: the best placement, or why there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.answer import Answer, Output, common, finish
from pamt.cli.limits import accept_option, jobs_option, timeout_option

if TYPE_CHECKING:
    from pamt.explain.causes import Explanation
    from pamt.outcome import Outcome
    from pamt.placement import Space
    from pamt.report.place import Helping, Placed, Reason
    from pamt.solve.anytime import Answered, Asked
    from pamt.solve.relaxations import Relaxations
    from pamt.solve.worker import Came, Job, Send, Until

__all__ = ["command", "size_option", "space_options"]


STEPS_EACH = 20_000_000
"""Solver steps for each map that is tried while a disagreement is made small."""


def size_option(name: str, **more: Any) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """An option that takes a size like 2GiB, in bytes."""

    def read(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
        from pamt.cli.sizes import parse_size

        return None if text is None else parse_size(text)

    return click.option(name, metavar="SIZE", callback=read, **more)


def space_options(function: click.decorators.FC) -> click.decorators.FC:
    """The options that make up a space (docs/design.md, section 5)."""
    for option in (
        click.option(
            "--give-up",
            type=click.IntRange(0),
            metavar="PAGES",
            help="Pages of memory that may be withdrawn.",
        ),
        click.option(
            "--reserve",
            type=click.Choice(["memory", "cmr", "minimal"]),
            help="Reserve all that is not memory, all that is in no CMR, or what the module needs.",
        ),
        click.option(
            "--pamt",
            type=click.Choice(["chunk", "split"]),
            help="The three PAMTs of a TDMR in one chunk, or each by itself.",
        ),
        click.option(
            "--tdmrs",
            type=click.Choice(["kernel", "free"]),
            help="TDMRs as the kernel lays them out, or cut at any GiB.",
        ),
        click.option(
            "--space",
            type=click.Choice(["linux", "module"]),
            default="linux",
            show_default=True,
            help="linux: kernel, chunk, memory; module: free, split, minimal. The options below"
            " change one part of it (docs/design.md, section 5).",
        ),
    ):
        function = option(function)
    return function


def space_of(
    space: str, tdmrs: str | None, pamt: str | None, reserve: str | None, give_up: int | None
) -> Space:
    """The named space with the given parts replaced."""
    from pamt.placement import PRESETS

    given: dict[str, Any] = {"tdmrs": tdmrs, "pamt": pamt, "reserve": reserve, "give_up": give_up}
    return PRESETS[space]._replace(**{k: v for k, v in given.items() if v is not None})


@click.command("place")
@click.argument("machine")
@space_options
@click.option(
    "--objective",
    metavar="NAMES",
    default="lost,remote,max_areas,areas,tdmrs,pamt_pages",
    show_default=True,
    help="What to minimise, most important first (docs/design.md, section 5).",
)
@click.option(
    "--certificate",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what lets `pamt certify` check the answer without a solver.",
)
@accept_option
@click.option(
    "--steps",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Budget in steps of the search, not seconds: the answer is the same everywhere.",
)
@timeout_option("Stop then, with the best known so far; counted from the start of the command.")
@jobs_option("Processes that work at a time; the answer is the same for any number.")
@size_option("--memory", help="What each process of the search may use, e.g. 4GiB.")
@click.option(
    "--engine",
    type=click.Choice(["exact", "z3"]),
    default="exact",
    show_default=True,
    help="exact: engines with proofs, and z3 for what they leave open; z3: the reference alone.",
)
@size_option(
    "--max-encoding",
    default="2GiB",
    show_default=True,
    help="Ask z3 nothing that would take more, told beforehand.",
)
@common
def command(
    machine: str,
    space: str,
    tdmrs: str | None,
    pamt: str | None,
    reserve: str | None,
    give_up: int | None,
    objective: str,
    certificate: Path | None,
    accept: str | None,
    steps: int | None,
    timeout: float | None,
    jobs: int,
    memory: int | None,
    engine: str,
    max_encoding: int,
    output: Output,
) -> int:
    """The best placement, or why there is none.

    Decides where the PAMTs go in a space of allowed layouts.  Every configuration shown has been
    checked again by the plain rules.  Verdict: OPTIMAL, INFEASIBLE (with the reasons, numbered),
    FEASIBLE (best found, with the bound) or UNDECIDED.

    It may be stopped at any moment (Ctrl-C, --steps, --timeout, --memory): the best placement known
    by then is the answer, with what is proved of it.

    -o FILE.toml (.json without --json, .bin) writes the configuration, .txt the text.
    """
    from pamt.cli.configurations import configuration_product, refuse_other_endings
    from pamt.cli.inputs import load_machine
    from pamt.placement import parse_objective
    from pamt.report.place import place_fields, place_text
    from pamt.solve.anytime import Asked
    from pamt.solve.reference import DEFAULT_STEPS
    from pamt.solve.worker import Until

    refuse_other_endings(output)
    try:
        order = parse_objective(objective)
    except ValueError as error:
        raise click.UsageError(f"--objective: {error}") from None
    if memory is not None and memory > sys.maxsize:
        raise click.UsageError("--memory: more than the processes of any machine can have")
    wanted = space_of(space, tdmrs, pamt, reserve, give_up)
    with Until(timeout) as until:
        loaded = load_machine(machine)
        budget = steps or DEFAULT_STEPS
        asked = Asked(loaded.machine, wanted, order, budget, engine, max_encoding, memory)
        outcomes, answered = _answered(asked, loaded.file.name, until, output)
        result = answered.result
        until.note_only()
        builds = _Builds(answered.after)
        placed = _placed(machine, asked, answered, outcomes, until, jobs, output, builds)
        if certificate is not None and result.certificate is not None:
            from pamt.cli.certificates import write_certificate

            write_certificate(result.certificate, certificate)
        if result.checked is not None:
            checked, trusted = result.checked.verdict, result.checked.trusted_steps
            file = None if certificate is None else str(certificate)
            proved = {"checked": checked, "trusted_steps": trusted, "file": file}
            placed = placed._replace(certificate=proved)
        return finish(
            Answer(
                "place",
                result.verdict,
                loaded.file,
                lambda: place_fields(placed),
                lambda: place_text(placed),
                loaded.completed.assumptions,
                configuration_product(output, result.configuration),
                accept_feasible=accept == "feasible" and result.stopped != "interrupt",
                solvers=builds.known,
            ),
            output,
        )


class _Builds:
    """Builds of the solvers that processes of the search have loaded."""

    def __init__(self, told: object) -> None:
        self.known: dict[str, str] = {}
        self.add(told)

    def add(self, told: object) -> None:
        if isinstance(told, dict):
            self.known.update(told)


def _loaded() -> dict[str, str]:
    """Builds of the solvers that this process has loaded."""
    from pamt.report.envelope import tool

    found: dict[str, str] = tool()["solvers"]
    return found


def _answered(
    asked: Asked, file: str, until: Until, output: Output
) -> tuple[tuple[tuple[str, Outcome], ...], Answered]:
    """What policies make of the machine, and the answer of the search."""
    from pamt.cli.place_progress import PlaceProgress
    from pamt.cli.progress import ProgressLine
    from pamt.solve import InternalDisagreement, place
    from pamt.solve.anytime import place_until
    from pamt.solve.rivals import run_rivals

    try:
        with ProgressLine(quiet=output.quiet) as line:
            outcomes = run_rivals(asked.machine)
            watch = PlaceProgress(line, asked.order, asked.steps)
            return outcomes, place_until(asked, outcomes, until, watch, _loaded)
    except InternalDisagreement as error:
        from pamt.cli.reproduction import leave_reproduction

        few = min(asked.steps, STEPS_EACH)
        leave_reproduction(
            error,
            file,
            asked.machine,
            lambda m: place(m, asked.space, asked.order, few, engine=asked.engine),
        )
        raise


def _placed(
    path: str,
    asked: Asked,
    answered: Answered,
    outcomes: tuple[tuple[str, Outcome], ...],
    until: Until,
    jobs: int,
    output: Output,
    builds: _Builds,
) -> Placed:
    """The result with what a reader wants beside it: reasons, rivals, next steps."""
    from pamt.cli.place_next import next_steps, work_options
    from pamt.report.place import Placed, Rivalled

    machine, space, result = asked.machine, asked.space, answered.result
    work = work_options(click.get_current_context())
    note = ""
    reasons: tuple[Reason, ...] = ()
    helping: Helping | None = None
    if result.verdict == "INFEASIBLE":
        helping, reasons, note = _why_not(asked, until, jobs, output, builds)
    rivals = [Rivalled(name, ran, answered.judged.get(name)) for name, ran in outcomes]
    statistics = result.statistics
    engine = (
        f"{statistics.engine} ({statistics.solver})" if statistics.solver else statistics.engine
    )
    return Placed(
        path,
        machine,
        space,
        result.order,
        result.verdict,
        result.configuration,
        result.given_up,
        result.objective,
        result.bound,
        None if result.gap is None else (result.gap.component, result.gap.amount),
        result.reason,
        reasons,
        note,
        tuple(rivals),
        engine,
        {
            "checks": statistics.checks,
            "steps": statistics.steps,
            "assertions": statistics.assertions,
        },
        next_steps(path, space, result, output, helping, work),
        relaxations=helping,
        canonical=result.canonical,
        stopped=result.stopped,
    )


def _why_not(
    asked: Asked, until: Until, jobs: int, output: Output, builds: _Builds
) -> tuple[Helping | None, tuple[Reason, ...], str]:
    """What would help an infeasible question, and why it is; as far as there is time."""
    from pamt.cli.progress import ProgressLine
    from pamt.explain.causes import explain_infeasible
    from pamt.explain.sentences import paragraphs
    from pamt.placement import pose
    from pamt.report.place import Reason
    from pamt.solve.relaxations import relaxations
    from pamt.solve.worker import run_jobs

    machine, space = asked.machine, asked.space

    def explained(_: Send) -> Explanation:
        return explain_infeasible(pose(machine, space))

    waiting: list[Job] = [explained]
    done: list[Came] = []

    def each(work: Sequence[Callable[[], Any]]) -> list[Any]:
        """Pieces of work in processes of their own, the explanation among the first."""
        asked_now = [*waiting, *(_job(piece) for piece in work)]
        came = run_jobs(asked_now, until, at_once=jobs, memory=asked.memory, after=_loaded)
        done.extend(came)
        found = [one.value for one in came[len(waiting) :]]
        waiting.clear()
        return found

    with ProgressLine(quiet=output.quiet) as line:
        line.say("INFEASIBLE; looking for why, and for what would help (Ctrl-C: without that)")
        if jobs == 1:
            # In one process: each would load the solver again.
            (found,) = each([lambda: relaxations(machine, space)])
        else:
            found = relaxations(machine, space, each)
    helping = None if found is None else _helping(found)
    for one in done:
        builds.add(one.after)
    why = done[0]
    if not why.done:
        return helping, (), "there was no time, or not enough memory, to look for one"
    explanation: Any = why.value
    reasons = tuple(
        Reason(p.headline, tuple((i.text, i.origins) for i in p.items), p.minimal)
        for p in paragraphs(pose(machine, space), explanation)
    )
    return helping, reasons, explanation.note


def _job(piece: Callable[[], Any]) -> Job:
    return lambda _: piece()


def _helping(found: Relaxations) -> Helping:
    from pamt.report.place import Helping

    open_ = {f"{o.option} {o.value}": o.reason for o in found.single if o.reason is not None}
    if found.give_up.reason is not None:
        open_["give-up"] = found.give_up.reason
    return Helping(
        {f"{option.option} {option.value}": option.helps for option in found.single},
        found.give_up.at_least,
        found.give_up.at_most,
        None if found.together is None else tuple(f"{o.option} {o.value}" for o in found.together),
        open_,
    )
