"""``pamt diff``: where two policies answer differently, on every map of a scope or on some maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.answer import Answer, Output, common, finish
from pamt.cli.limits import Clock
from pamt.cli.scopes import scope_options

if TYPE_CHECKING:
    from pamt.machine import Machine
    from pamt.outcome import Outcome
    from pamt.policies.protocol import Policy
    from pamt.report.diff import Compared, Differing
    from pamt.report.simulate import Simulated
    from pamt.report.verify import Checked
    from pamt.verify.diff import Difference, DiffResult
    from pamt.verify.result import Budget
    from pamt.verify.scope import Scope

__all__ = ["command"]


@click.command("diff")
@click.argument("policies", metavar="POLICY_A POLICY_B", nargs=2)
@click.argument("machines", metavar="[MACHINE]...", nargs=-1)
@scope_options
@click.option(
    "--save",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the maps found into DIR, named after the policies and their answers.",
)
@common
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    policies: tuple[str, str],
    machines: tuple[str, ...],
    save: Path | None,
    output: Output,
    **options: Any,
) -> int:
    """Where two policies answer differently: the smallest maps.

    Compares the answers (success, or which failure) on every map of the scope; for each pair of
    answers that differ, the smallest map is shown.  With MACHINE files, on those maps only, and
    with what the module says of a success.  Verdict: EQUAL (in scope), DIFFERS or UNDECIDED.
    """
    from pamt.cli.scopes import budget_of, file_of, find_policy_or_function, scope_of

    budget = budget_of(options.pop("budget"))
    clock = Clock(options.pop("timeout"))
    scope = scope_of(options)
    if machines:
        _refuse_scope_options(context)
        return _on_machines(policies, machines, output)
    from pamt.cli.scopes import scope_assumptions
    from pamt.report.diff import diff_fields, diff_text

    both = (find_policy_or_function(policies[0]), find_policy_or_function(policies[1]))
    compared = _in_scope(policies, both, scope, budget, clock, save, output)
    return finish(
        Answer(
            "diff",
            compared.verdict,
            file_of(policies[0]),
            lambda: diff_fields(compared),
            lambda: diff_text(compared, *_look(output)),
            scope_assumptions(scope),
        ),
        output,
    )


def _look(output: Output) -> tuple[int, bool]:
    from pamt.cli.show import shows_unicode, terminal_width

    return terminal_width(output), shows_unicode(output)


def _refuse_scope_options(context: click.Context) -> None:
    """A scope says nothing where the maps are named."""
    from click.core import ParameterSource

    kept = {"policies", "machines", "as_json", "out_file", "quiet"}
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in kept:
            raise click.UsageError(f"{parameter.opts[0]} makes no sense with MACHINE files")


def _in_scope(
    names: tuple[str, str],
    policies: tuple[Policy, Policy],
    scope: Scope,
    budget: Budget,
    clock: Clock,
    save: Path | None,
    output: Output,
) -> Compared:
    from shlex import quote

    from pamt.cli.verify import scope_fields
    from pamt.outcome import SUCCESS
    from pamt.report.diff import Compared
    from pamt.report.verify import Covered
    from pamt.verify.result import magnitude

    result = _compare(policies, scope, budget, clock, output)
    undecided = list(result.undecided)
    found = {difference.answers: difference for difference in result.differences}
    checks: tuple[Checked, ...] = ()
    stopped = result.stopped
    if not found and not undecided:
        checks, stopped = _vacuity(policies[0], names[0], scope, budget, clock, output)
        if stopped:
            undecided.append(f"{stopped}, while it was looked for which answers there are at all")
        elif not checks[0].passed:
            undecided.append("no map of the scope meets the assumptions")
    asked = f"pamt diff {quote(names[0])} {quote(names[1])} {scope.options()}".strip()
    differences = tuple(
        _differing(names, policies, found[pair], asked, save)
        # Success or not comes before which failure.
        for pair in sorted(found, key=lambda pair: (SUCCESS not in pair, pair))
    )
    return Compared(
        asked,
        names,
        scope_fields(scope, scope.words(), scope.size()),
        differences,
        result.cases,
        magnitude(result.cases),
        result.cases_done,
        result.obligations,
        result.steps,
        tuple(undecided),
        checks,
        tuple(Covered(*part) for part in result.covered),
        stopped,
    )


def _compare(
    policies: tuple[Policy, Policy], scope: Scope, budget: Budget, clock: Clock, output: Output
) -> DiffResult:
    """The engine's answer; after an interrupt, what was found until then."""
    from pamt.cli.progress import ProgressLine
    from pamt.cli.scopes import refusals
    from pamt.smt.interrupt import interruptible, poll
    from pamt.verify.diff import diff
    from pamt.verify.result import magnitude

    with ProgressLine(quiet=output.quiet) as line, refusals():

        def progress(done: int, total: int, steps: int) -> None:
            poll()
            line.say(f"{done} of {magnitude(total)} cases, {steps} of {budget.total} solver steps")

        with interruptible(), clock.running():
            return diff(*policies, scope, budget, progress=progress, stopped_by=clock.stopped_by)


def _vacuity(
    policy: Policy, name: str, scope: Scope, budget: Budget, clock: Clock, output: Output
) -> tuple[tuple[Checked, ...], str]:
    """Whether there is any map, and what the policies (which agree) answer on some of them.

    And what ended the work before its time, if anything.
    """
    from pamt.cli.progress import ProgressLine
    from pamt.report.verify import Checked
    from pamt.smt.interrupt import interruptible
    from pamt.verify.engine import verify
    from pamt.verify.properties.simple import Never

    with ProgressLine(quiet=output.quiet) as line, interruptible(), clock.running():
        line.say(f"which answers {name} gives at all")
        result = verify(policy, Never(""), scope, budget, stopped_by=clock.stopped_by)
    checks = tuple(
        Checked(v.what.replace("the policy answers", "both answer"), v.passed, v.detail)
        for v in result.vacuity
    )
    return checks, result.stopped


def _differing(
    names: tuple[str, str],
    policies: tuple[Policy, Policy],
    difference: Difference,
    asked: str,
    save: Path | None,
) -> Differing:
    from pamt.cli.verify import save_machine, slug
    from pamt.report.diff import Differing
    from pamt.standins import complete

    name = slug("diff", *names, *difference.answers)
    machine = replace(difference.machine, name=name, source=asked)
    completed = complete(machine).machine
    sides = tuple(
        _simulated(name, policy, outcome, completed)
        for name, policy, outcome in zip(names, policies, difference.outcomes, strict=True)
    )
    return Differing(
        difference.answers,
        machine,
        completed,
        (sides[0], sides[1]),
        difference.measure._asdict(),
        difference.certified,
        None if save is None else save_machine(machine, save),
    )


def _simulated(name: str, policy: Policy, outcome: Outcome, machine: Machine) -> Simulated:
    from pamt.kernel.variants import Variant
    from pamt.module.check import check_outcome
    from pamt.report.simulate import Simulated

    variant = getattr(policy, "variant", None)
    from_cmrs = isinstance(variant, Variant) and variant.holes_from_cmrs
    placed = outcome.succeeded and all(t.pamts is not None for t in outcome.tdmrs)
    module = check_outcome(outcome, machine) if placed else None
    return Simulated(machine.name, name, machine, outcome, module, from_cmrs)


def _on_machines(names: tuple[str, str], paths: tuple[str, ...], output: Output) -> int:
    """Run both policies on the maps that are named."""
    from pamt.cli.inputs import load_machine
    from pamt.cli.policies import watched
    from pamt.cli.scopes import find_policy_or_function
    from pamt.maps.errors import gather
    from pamt.policies.protocol import run_policy
    from pamt.report.diff import OnMachine, OnMachines, machines_fields, machines_text

    policies = [watched(name, find_policy_or_function(name)) for name in names]
    loaded = gather(*[lambda path=path: load_machine(path) for path in paths])
    rows: list[OnMachine] = []
    for one in loaded:
        sides = [
            _simulated(name, policy, run_policy(policy, one.machine), one.machine)
            for name, policy in zip(names, policies, strict=True)
        ]
        rows.append(OnMachine(one.path, one.file, (sides[0], sides[1])))
    compared = OnMachines(names, tuple(rows))
    single = loaded[0] if len(loaded) == 1 else None
    return finish(
        Answer(
            "diff",
            compared.verdict,
            None if single is None else single.file,
            lambda: machines_fields(compared),
            lambda: machines_text(compared),
            () if single is None else single.completed.assumptions,
        ),
        output,
    )
