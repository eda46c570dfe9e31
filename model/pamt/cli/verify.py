"""``pamt verify``: does a policy keep a property on every map of a scope?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.answer import Answer, Output, common, finish, say
from pamt.cli.limits import Clock
from pamt.cli.scopes import scope_options

if TYPE_CHECKING:
    from pamt.machine import Machine
    from pamt.policies.protocol import Policy
    from pamt.report.verify import Broken, Verified
    from pamt.verify.obligation import Property
    from pamt.verify.result import Disagreement, Vacuity, VerifyResult
    from pamt.verify.scope import Scope

__all__ = ["command", "machine_product", "save_machine"]


@click.command("verify")
@click.argument("policy")
@click.option(
    "--property",
    "property_name",
    metavar="P",
    required=True,
    help="accepted, covered, complete:linux, complete:module, 'complete:linux --give-up 1' (or"
    " other options of a space; @REASON after it: failures with that reason only), local,"
    " areas-at-most:K, never:REASON, no-worse-than:POLICY, clean, renaming, or FILE.py:function.",
)
@scope_options
@click.option(
    "--mutants/--no-mutants",
    default=True,
    help="Where the policy keeps the property: do broken stages break it? (default: asked)",
)
@click.option(
    "--save",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a map that breaks the property into DIR, named after policy and property.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    help="Processes that share the work (default: 1).  The answer is the same for any number.",
)
@common
def command(
    *,
    policy: str,
    property_name: str,
    mutants: bool,
    save: Path | None,
    jobs: int,
    output: Output,
    **options: Any,
) -> int:
    """Does a policy keep a property on every map of a scope?

    POLICY is a registered one, stage:areas, or FILE.py:function, written as ordinary Python.  The
    scope is every map up to the numbers below, at any 4 KiB-aligned addresses.  Verdict: HOLDS,
    VIOLATED with the smallest map, replayed by plain Python, or UNDECIDED with what was covered
    and with the map found so far, if there is one: after Ctrl-C, or when steps or time end.

    -o FILE.toml (.json without --json) writes the map, .txt the text.
    """
    from pamt.cli.configurations import refuse_other_endings
    from pamt.cli.scopes import (
        budget_of,
        file_of,
        find_policy_or_function,
        scope_assumptions,
        scope_of,
    )
    from pamt.report.verify import verify_fields, verify_text
    from pamt.verify.result import Disagreement

    refuse_other_endings(output, "map", raw=False)
    budget = budget_of(options.pop("budget"))
    clock = Clock(options.pop("timeout"))
    scope = scope_of(options)
    the_policy = find_policy_or_function(policy)
    the_property = _find_property(property_name, the_policy)
    asked = _command(policy, property_name, scope)
    try:
        result = _verify(
            the_policy, the_property, scope, budget, (policy, property_name), output, jobs, clock
        )
    except Disagreement as error:
        _leave_behind(error, save)
        raise
    checks: tuple[Vacuity, ...] = ()
    if mutants and result.verdict == "HOLDS":
        checks, stopped = _mutants(policy, property_name, clock, output)
        if stopped:
            result = replace(result, verdict="UNDECIDED", undecided=(stopped,), stopped=stopped)
    broken = None
    if result.counterexample is not None:
        broken = _broken(policy, the_policy, the_property, result, asked)
    path = _saved(broken, save)
    product = machine_product(output, None if broken is None else broken.machine)
    kept = str(output.file) if path is None and broken is not None and product else path
    verified = _verified(asked, policy, scope, result, checks, broken, path, kept)
    return finish(
        Answer(
            "verify",
            verified.verdict,
            file_of(policy),
            lambda: verify_fields(verified),
            lambda: verify_text(verified, *_look(output)),
            scope_assumptions(scope),
            product,
        ),
        output,
    )


def _find_property(name: str, policy: Policy) -> Property:
    from pamt.policies.registry import UnknownPolicyError
    from pamt.verify.properties import parse_property
    from pamt.verify.properties.reasons import refuse_unknown_reason

    try:
        found = parse_property(name)
        refuse_unknown_reason(policy, found)
    except (UnknownPolicyError, ValueError) as error:
        raise click.UsageError(f"--property: {error}") from None
    return found


def _command(policy: str, property_name: str, scope: Scope) -> str:
    from shlex import quote

    return (
        f"pamt verify {quote(policy)} --property {quote(property_name)} {scope.options()}".strip()
    )


def _verify(
    policy: Policy,
    the_property: Property,
    scope: Scope,
    budget: Any,
    names: tuple[str, str],
    output: Output,
    jobs: int,
    clock: Clock,
) -> VerifyResult:
    """The engine's answer; after an interrupt, what was found until then."""
    from pamt.cli.progress import ProgressLine
    from pamt.cli.scopes import refusals
    from pamt.smt.interrupt import interruptible, poll
    from pamt.verify.engine import verify
    from pamt.verify.result import magnitude

    with ProgressLine(quiet=output.quiet) as line, refusals():

        def progress(done: int, total: int, steps: int) -> None:
            poll()
            line.say(f"{done} of {magnitude(total)} cases, {steps} of {budget.total} solver steps")

        with interruptible(), clock.running():
            # Other processes have to find policy and property by themselves, by name.
            result = verify(
                policy if jobs == 1 else names[0],
                the_property if jobs == 1 else names[1],
                scope,
                budget,
                progress=progress,
                jobs=jobs,
                stopped_by=clock.stopped_by,
            )
    return replace(result, policy=names[0])


def _mutants(
    policy: str, property_name: str, clock: Clock, output: Output
) -> tuple[tuple[Vacuity, ...], str]:
    """What became of each mutant, and what ended that before its time, if anything."""
    from pamt.cli.progress import ProgressLine
    from pamt.smt.interrupt import interruptible
    from pamt.verify.mutants import check_mutants

    found: list[Vacuity] = []
    try:
        with ProgressLine(quiet=output.quiet) as line, interruptible(), clock.running():
            line.say("the same question about broken stages")
            for check in check_mutants(policy, property_name):
                found.append(check)
                line.say(f"the same question about broken stages: {len(found)} done")
    except KeyboardInterrupt:
        return tuple(found), f"{clock.stopped_by()} while broken stages were asked about"
    return tuple(found), ""


def _verified(
    asked: str,
    policy: str,
    scope: Scope,
    result: VerifyResult,
    mutants: tuple[Vacuity, ...],
    broken: Broken | None,
    path: str | None,
    kept: str | None,
) -> Verified:
    from pamt.report.verify import Checked, Covered, Verified
    from pamt.verify.result import magnitude

    vacuity = tuple(Checked(v.what, v.passed, v.detail) for v in (*result.vacuity, *mutants))
    undecided = list(result.undecided)
    verdict: str = result.verdict
    if verdict == "HOLDS":
        if result.vacuity and not result.vacuity[0].passed:
            undecided.append("no map of the scope meets the assumptions")
        undecided += [f"not noticed: {mutant.what}" for mutant in mutants if not mutant.passed]
        verdict = "UNDECIDED" if undecided else verdict
    return Verified(
        asked,
        verdict,
        policy,
        result.property,
        result.property_words,
        scope_fields(scope, result.scope, result.scope_size),
        result.cases,
        magnitude(result.cases),
        result.cases_done,
        result.obligations,
        result.trivial,
        result.steps,
        tuple(undecided),
        vacuity,
        broken,
        path,
        _next_step(asked, scope, verdict, broken, kept, policy, result),
        tuple(Covered(*part) for part in result.covered),
        result.stopped,
        result.untested if verdict == "HOLDS" else "",
    )


def scope_fields(scope: Scope, words: str, size: int) -> dict[str, Any]:
    """The scope in words and in numbers, for JSON; `size` as text, for it may be huge."""
    return {
        "words": words,
        "size": str(size),
        "ranges": scope.ranges,
        "fewest_ranges": scope.fewest_ranges,
        "cmrs": scope.cmrs,
        "nodes": scope.nodes,
        "free": None if scope.assumes("free-is-memory") else scope.free,
        "gib": scope.gib,
        "first_gib": scope.first_gib,
        "distances": None if scope.assumes("equal-distances") else list(scope.distances),
        "max_tdmrs": scope.limits.max_tdmrs,
        "max_reserved_per_tdmr": scope.limits.max_reserved_per_tdmr,
        "assumptions": sorted(scope.assumptions),
    }


def _broken(
    name: str, policy: Policy, the_property: Property, result: VerifyResult, asked: str
) -> Broken:
    """The map with its replay: the policy, the module's rules, and a placement.

    Where the work was stopped, no placement is looked for.
    """
    from pamt.kernel.variants import Variant
    from pamt.module.check import check_outcome
    from pamt.report.simulate import Simulated
    from pamt.report.verify import Broken
    from pamt.standins import complete

    found = result.counterexample
    assert found is not None
    machine = replace(found.machine, name=slug(the_property.name, name), source=asked)
    completed = complete(machine)
    simulated = None
    if found.outcome is not None:
        variant = getattr(policy, "variant", None)
        from_cmrs = isinstance(variant, Variant) and variant.holes_from_cmrs
        module = None
        if found.outcome.succeeded and all(t.pamts is not None for t in found.outcome.tdmrs):
            module = check_outcome(found.outcome, completed.machine)
        simulated = Simulated(
            machine.name, name, completed.machine, found.outcome, module, from_cmrs
        )
    return Broken(
        machine,
        completed.machine,
        simulated,
        found.why,
        found.measure._asdict(),
        found.certified,
        found.necessary,
        found.free_fields,
        *(
            (None, None)
            if result.stopped or simulated is None
            else _placement_if_any(the_property, completed.machine, simulated.verdict)
        ),
    )


def _placement_if_any(
    the_property: Property, machine: Machine, verdict: str
) -> tuple[str | None, str | None]:
    """What :func:`_placement` says; nothing after Ctrl-C, for the answer is known without it."""
    from pamt.smt.interrupt import interruptible

    try:
        with interruptible():
            return _placement(the_property, machine, verdict)
    except KeyboardInterrupt:
        return None, None


def _placement(
    the_property: Property, machine: Machine, verdict: str
) -> tuple[str | None, str | None]:
    """Whether a placement exists where the policy fails: verdict and space.

    Raises InternalDisagreement where the search contradicts what the property says.
    """
    from pamt.placement import LINUX
    from pamt.solve import InternalDisagreement, place
    from pamt.verify.properties.complete import Complete

    if verdict != "FAILS":
        return None, None
    complete = isinstance(the_property, Complete)
    space = the_property.space if isinstance(the_property, Complete) else LINUX
    result = place(machine, space, ("lost",), canonical=False)
    if complete and result.verdict == "INFEASIBLE":
        raise InternalDisagreement(
            ("verify", "placement search"), f"whether a configuration exists in {space}"
        )
    return result.verdict, str(space)


def slug(*parts: str) -> str:
    """A file name out of names: letters, digits, and single hyphens."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(parts)).strip("-.")


def _saved(broken: Broken | None, folder: Path | None) -> str | None:
    if broken is None or folder is None:
        return None
    return save_machine(broken.machine, folder)


def save_machine(machine: Machine, folder: Path) -> str:
    """Write the map under its name; returns the path.  Raises click.ClickException."""
    from pamt.cli.atomic import write_whole
    from pamt.maps.machine_write import dump_machine

    path = folder / f"{machine.name}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, dump_machine(machine).encode())
    except OSError as error:
        raise click.ClickException(
            f"{path}: cannot be written: {error.strerror or error}"
        ) from None
    return str(path)


def machine_product(output: Output, machine: Machine | None) -> Callable[[], bytes] | None:
    """What ``-o FILE`` gets, if its name asks for a map: .toml, or .json without ``--json``."""
    suffix = "" if output.file is None else output.file.suffix.lower()
    if suffix not in ({".toml"} if output.as_json else {".toml", ".json"}):
        return None

    def product() -> bytes:
        from pamt.maps.machine_write import dump_machine

        if machine is None:
            say(f"{output.file}: not written, there is no map to show")
            return b""
        return dump_machine(machine, "json" if suffix == ".json" else "toml").encode()

    return product


def _leave_behind(error: Disagreement, folder: Path | None) -> None:
    """The map on which the engine contradicts itself, for the report of the bug."""
    path = save_machine(replace(error.machine, name="disagreement"), folder or Path())
    say(f"pamt: the map on which two runs disagree is in {path}")


def _look(output: Output) -> tuple[int, bool]:
    """Columns of the drawing, and whether it may go beyond ASCII."""
    from pamt.cli.show import shows_unicode, terminal_width

    return terminal_width(output), shows_unicode(output)


def _next_step(
    asked: str,
    scope: Scope,
    verdict: str,
    broken: Broken | None,
    path: str | None,
    policy: str,
    result: VerifyResult,
) -> str:
    from shlex import quote

    from pamt.machine import Limits

    if verdict == "UNDECIDED":
        if result.stopped:
            return f"{asked} --steps NUMBER    (with more steps, or more time)"
        return f"{asked} --steps NUMBER    (with more steps for each question)"
    if broken is not None:
        if path is None:
            return f"{asked} --save DIR    (keep the map)"
        if broken.simulated is not None and not policy.startswith("stage:"):
            again = f"pamt simulate {quote(path)} --policy {quote(policy)}"
            return f"{again}    (the whole story of this map)"
        return f"pamt show {quote(path)}    (the map alone)"
    head = asked.removesuffix(scope.options()).strip()
    wider, why = replace(scope, ranges=scope.ranges + 1), "a wider scope"
    if result.untested and scope.nodes == 1 and result.property in {"local", "renaming"}:
        nodes = 2 if result.property == "local" else 3
        wider = replace(scope, nodes=nodes, ranges=max(scope.ranges, nodes))
    elif "ENOSPC" in result.untested and scope.limits == Limits():
        tight = replace(scope.limits, max_tdmrs=4, max_reserved_per_tdmr=2)
        wider, why = replace(scope, limits=tight), "limits that few ranges exhaust"
    return f"{head} {wider.options()}    ({why})"
