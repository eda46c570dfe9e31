"""``pamt place``: the best placement, or why there is none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.answer import Answer, Output, common, finish

if TYPE_CHECKING:
    from pamt.machine import Machine
    from pamt.placement import Space
    from pamt.report.place import Helping, Placed
    from pamt.solve import PlaceResult

__all__ = ["command", "space_options"]


STEPS_EACH = 20_000_000
"""Solver steps for each map that is tried while a disagreement is made small."""


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
@click.option("--accept", type=click.Choice(["feasible"]), help="FEASIBLE is exit 0, too.")
@click.option(
    "--steps",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Budget in solver steps, not seconds: the answer is the same everywhere.",
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
    output: Output,
) -> int:
    """The best placement, or why there is none.

    Decides where the PAMTs go in a space of allowed layouts.  Every configuration shown has been
    checked again by the plain rules.  Verdict: OPTIMAL, INFEASIBLE (with the reasons, numbered),
    FEASIBLE (best found, with the bound) or UNDECIDED.

    -o FILE.toml (.json without --json, .bin) writes the configuration.
    """
    from pamt.cli.configurations import configuration_product
    from pamt.cli.inputs import load_machine
    from pamt.cli.progress import ProgressLine
    from pamt.placement import parse_objective
    from pamt.report.place import place_fields, place_text
    from pamt.solve import InternalDisagreement, place
    from pamt.solve.reference import DEFAULT_STEPS

    try:
        order = parse_objective(objective)
    except ValueError as error:
        raise click.UsageError(f"--objective: {error}") from None
    wanted = space_of(space, tdmrs, pamt, reserve, give_up)
    loaded = load_machine(machine)
    interrupted = False
    try:
        with ProgressLine(quiet=output.quiet) as line:
            line.say("looking for the best placement (Ctrl-C: the best known so far)")
            result = place(loaded.machine, wanted, order, steps or DEFAULT_STEPS)
    except InternalDisagreement as error:
        from pamt.cli.reproduction import leave_reproduction

        few = min(steps or DEFAULT_STEPS, STEPS_EACH)
        leave_reproduction(
            error, loaded.file.name, loaded.machine, lambda m: place(m, wanted, order, few)
        )
        raise
    except KeyboardInterrupt:
        interrupted = True
        result = _best_known(loaded.machine, wanted, order)
    placed = _placed(machine, loaded.machine, wanted, result, output)
    if certificate is not None and result.certificate is not None:
        from pamt.cli.certificates import write_certificate

        write_certificate(result.certificate, certificate)
    if result.checked is not None:
        proved = {"checked": result.checked.verdict, "trusted_steps": result.checked.trusted_steps}
        placed = placed._replace(
            certificate={**proved, "file": None if certificate is None else str(certificate)}
        )
    return finish(
        Answer(
            "place",
            result.verdict,
            loaded.file,
            lambda: place_fields(placed),
            lambda: place_text(placed),
            loaded.completed.assumptions,
            configuration_product(output, result.configuration),
            accept_feasible=accept == "feasible" and not interrupted,
        ),
        output,
    )


def _best_known(machine: Machine, space: Space, order: tuple[str, ...]) -> PlaceResult:
    """After an interrupt: the best that a policy makes of the question, or nothing."""
    from pamt.solve import FEASIBLE, UNDECIDED, PlaceResult
    from pamt.solve.rivals import judge_rival, run_rivals

    outcomes = run_rivals(machine)
    judged = [judge_rival(machine, space, name, outcome) for name, outcome in outcomes]
    found = [rival for rival in judged if rival is not None]
    if not found:
        return PlaceResult(UNDECIDED, order, reason="interrupted")
    best = min(found, key=lambda rival: rival.objective.key(order))
    return PlaceResult(
        FEASIBLE,
        order,
        best.configuration,
        objective=best.objective,
        reason=f"interrupted; the best known is that of {best.name}",
    )


def _placed(
    path: str, machine: Machine, space: Space, result: PlaceResult, output: Output
) -> Placed:
    """The result with what a reader wants beside it: reasons, rivals, next steps."""
    from pamt.explain.causes import Explanation, explain_infeasible
    from pamt.explain.sentences import paragraphs
    from pamt.placement import pose
    from pamt.report.place import Placed, Reason, Rivalled
    from pamt.solve.rivals import judge_rival, run_rivals

    explanation = Explanation()
    reasons: tuple[Reason, ...] = ()
    helping: Helping | None = None
    if result.verdict == "INFEASIBLE":
        helping = _helping(machine, space, output)
        question = pose(machine, space)
        explanation = explain_infeasible(question)
        reasons = tuple(
            Reason(p.headline, tuple((i.text, i.origins) for i in p.items), p.minimal)
            for p in paragraphs(question, explanation)
        )
    rivals: list[Rivalled] = []
    for name, outcome in run_rivals(machine):
        rival = judge_rival(machine, space, name, outcome)
        rivals.append(Rivalled(name, outcome, None if rival is None else rival.objective))
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
        explanation.note,
        tuple(rivals),
        f"{result.statistics.engine} ({result.statistics.solver})",
        {
            "checks": result.statistics.checks,
            "steps": result.statistics.steps,
            "assertions": result.statistics.assertions,
        },
        _next_steps(path, space, result.verdict, output, helping),
        relaxations=helping,
        canonical=result.canonical,
    )


def _helping(machine: Machine, space: Space, output: Output) -> Helping | None:
    """What would make an infeasible question feasible; None after an interrupt."""
    from pamt.cli.progress import ProgressLine
    from pamt.report.place import Helping
    from pamt.smt.interrupt import interruptible
    from pamt.solve.relaxations import relaxations

    try:
        with ProgressLine(quiet=output.quiet) as line, interruptible():
            line.say("INFEASIBLE; looking for what would help (Ctrl-C: without that)")
            found = relaxations(machine, space)
    except KeyboardInterrupt:
        # The verdict is settled, and stands.
        return None
    return Helping(
        {f"{option.option} {option.value}": option.helps for option in found.single},
        found.give_up.at_least,
        found.give_up.at_most,
        None if found.together is None else tuple(f"{o.option} {o.value}" for o in found.together),
    )


def _options(space: Space) -> str:
    """The options that ask for `space`, without those that say what holds anyway."""
    from pamt.placement import LINUX

    names = ("tdmrs", "pamt", "reserve", "give_up")
    return "".join(
        f" --{name.replace('_', '-')} {getattr(space, name)}"
        for name in names
        if getattr(space, name) != getattr(LINUX, name)
    )


def _next_steps(
    path: str, space: Space, verdict: str, output: Output, helping: Helping | None = None
) -> tuple[str, ...]:
    from pamt.cli.configurations import writes_a_configuration

    if verdict in {"OPTIMAL", "FEASIBLE"}:
        if writes_a_configuration(output):
            return (f"pamt check {path} {output.file}    (ask the module)",)
        again = f"pamt place {path}{_options(space)} -o best.toml && pamt check {path} best.toml"
        return (f"{again}    (keep it, ask the module)",)
    if verdict == "INFEASIBLE":
        repair = f"pamt repair {path}    (what to change so that the kernel's own layout works)"
        wider = _wider(space, helping)
        if wider is None:
            return (repair,)
        return (f"pamt place {path}{_options(wider)}    (has an answer)", repair)
    if verdict == "UNDECIDED":
        return (f"pamt place {path}{_options(space)} --steps NUMBER    (with more steps)",)
    return ()


def _wider(space: Space, helping: Helping | None) -> Space | None:
    """The space, set as little wider as is known to help."""
    if helping is None:
        return None
    helps = next((name for name, does in helping.single.items() if does), None)
    wanted = (helps,) if helps else helping.together or ()
    if wanted:
        return space._replace(**dict(name.split() for name in wanted))  # type: ignore[arg-type]
    if helping.give_up_at_most is not None:
        return space._replace(give_up=helping.give_up_at_most)
    return None
