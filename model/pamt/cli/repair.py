"""``pamt repair``: what to change so that a policy works on this map."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import click

from pamt.cli.answer import Answer, Output, common, finish
from pamt.cli.limits import AS_CTRL_C, Clock, accept_option, jobs_option, timeout_option

if TYPE_CHECKING:
    from pamt.explain.margins import Margin
    from pamt.explain.repair import Repairs
    from pamt.machine import Machine
    from pamt.policies.protocol import Policy

__all__ = ["command"]

KINDS = "withdraw,online,free,reserve,variant,cut,merge"


@click.command("repair")
@click.argument("machine")
@click.option(
    "--policy",
    "name",
    default="linux:mainline",
    show_default=True,
    metavar="NAME",
    help="The policy that is to work, also FILE.py:function.",
)
@click.option(
    "--kinds",
    default=KINDS,
    show_default=True,
    metavar="KINDS",
    help="Kinds of change to look for, the one to prefer first.",
)
@click.option(
    "--budget",
    type=click.IntRange(1),
    metavar="RUNS",
    help="Runs of the policy in the search for pages to withdraw, not seconds: the answer is the"
    " same everywhere (2000).",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    metavar="STEPS",
    help="Solver steps for each of reserve, cut, merge (10000000).",
)
@timeout_option(AS_CTRL_C)
@jobs_option("Processes to use; the answer is the same.")
@accept_option
@common
def command(
    machine: str,
    name: str,
    kinds: str,
    budget: int | None,
    steps: int | None,
    timeout: float | None,
    jobs: int,
    accept: str | None,
    output: Output,
) -> int:
    """What to change so that a policy works on this map.

    Looks for pages to withdraw (memmap=), memory to online as kernel memory, pages to free, a
    boot-time reservation for the PAMTs, another kernel variant, and changes to the policy: other
    TDMR cuts, or areas that touch merged.  Each repair has been tried out on the changed machine
    and the TDX module accepts the result.  Verdict: OPTIMAL (the one shown first is proven cheapest
    of its kind, and no kind before it helps; or nothing needs repair), FEASIBLE (with what stands
    open), INFEASIBLE or UNDECIDED.
    After Ctrl-C, or at the time limit: what was found so far, as FEASIBLE or UNDECIDED.

    -o FILE.toml (.json without --json) writes the changed machine of the repair shown first; for a
    change of software, the configuration that it leads to.
    """
    from pamt.cli.configurations import refuse_other_endings
    from pamt.cli.inputs import load_machine
    from pamt.cli.policies import find_policy
    from pamt.report.repair import Repaired, repair_fields, repair_text

    refuse_other_endings(output, "machine or configuration")
    clock = Clock(timeout)
    policy, variant = find_policy(name)
    wanted = _kinds(kinds)
    loaded = load_machine(machine)
    found, known, stopped = _search(
        policy, loaded.raw, wanted, Limits(budget, steps, jobs), clock, output
    )
    repaired = Repaired(
        machine,
        name,
        loaded.machine,
        variant is not None and variant.holes_from_cmrs,
        found,
        known,
    )
    return finish(
        Answer(
            "repair",
            found.verdict,
            loaded.file,
            lambda: repair_fields(repaired),
            lambda: repair_text(repaired),
            loaded.completed.assumptions,
            _product(output, found),
            accept_feasible=accept == "feasible" and not stopped,
        ),
        output,
    )


class Limits(NamedTuple):
    """What may be spent; None where the option is not given."""

    runs: int | None
    steps: int | None
    jobs: int


def _search(
    policy: Policy,
    machine: Machine,
    kinds: tuple[str, ...],
    limits: Limits,
    clock: Clock,
    output: Output,
) -> tuple[Repairs, tuple[Margin, ...], bool]:
    """Repairs and margins, and whether an interrupt or the time limit cut them short."""
    from pamt.cli.progress import ProgressLine
    from pamt.explain.margins import margins_after
    from pamt.explain.repairs import SOLVER_STEPS, find_repairs
    from pamt.explain.runner import RUNS
    from pamt.smt.interrupt import interruptible

    found: Repairs | None = None
    try:
        with ProgressLine(quiet=output.quiet) as line, interruptible(), clock.running():
            found = find_repairs(
                policy,
                machine,
                kinds,
                limits.runs or RUNS,
                limits.steps or SOLVER_STEPS,
                jobs=limits.jobs,
                progress=lambda text: line.say(f"looking for repairs: {text}"),
                stopped_by=clock.stopped_by,
            )
            if found.stopped is not None:
                return found, (), True
            line.say("margins")
            return found, margins_after(policy, machine, found), False
    except KeyboardInterrupt:
        if found is None:
            raise
        # Everything is settled but the margins.
        return found, (), False


def _kinds(text: str) -> tuple[str, ...]:
    """Raises click.UsageError for a kind that is not known."""
    from pamt.explain.repairs import KINDS as KNOWN

    asked = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [word for word in asked if word not in KNOWN]
    if unknown or not asked:
        what = f"unknown {', '.join(map(repr, unknown))}" if unknown else "none given"
        raise click.UsageError(f"--kinds: {what}; known: {', '.join(KNOWN)}")
    return asked


def _product(output: Output, found: Repairs) -> Callable[[], bytes] | None:
    from pamt.cli.configurations import configuration_product

    best = found.best
    suffix = "" if output.file is None else output.file.suffix.lower()
    if best is None or best.machine is None or suffix not in {".toml", ".json"}:
        return configuration_product(output, None if best is None else best.configuration)
    if suffix == ".json" and output.as_json:
        return None
    changed = best.machine

    def product() -> bytes:
        from pamt.maps.machine_write import dump_machine

        return dump_machine(changed, "json" if suffix == ".json" else "toml").encode()

    return product
