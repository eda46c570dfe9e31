"""What `pamt place` suggests to do next: commands to copy, which ask the same question.

An option that changes the question is in every one of them; options that only limit the work are
kept where the same answer is asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pamt.cli.answer import Output
    from pamt.placement import Space
    from pamt.report.place import Helping
    from pamt.solve import PlaceResult

__all__ = ["next_steps", "work_options"]

WORK = ("steps", "timeout", "memory", "engine", "max_encoding")


def work_options(context: click.Context) -> str:
    """The options of the command line that say how much work to do, as they are to be repeated."""
    from click.core import ParameterSource

    return "".join(
        f" --{name.replace('_', '-')} {_word(context.params[name])}"
        for name in WORK
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    )


def _word(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def next_steps(
    path: str,
    space: Space,
    result: PlaceResult,
    output: Output,
    helping: Helping | None = None,
    work: str = "",
) -> tuple[str, ...]:
    """Commands, each with what it is for; `work` as :func:`work_options` has it."""
    from pamt.cli.configurations import writes_a_configuration
    from pamt.placement import LINUX

    verdict, name = result.verdict, quote(path)
    asked = f"pamt place {name}{_options(space, result.order)}"
    if verdict in {"OPTIMAL", "FEASIBLE"}:
        if writes_a_configuration(output):
            return (f"pamt check {name} {quote(str(output.file))}    (ask the module)",)
        # FEASIBLE is exit 3, which would end the line before the check.
        accept = " --accept feasible" if verdict == "FEASIBLE" else ""
        again = f"{asked}{work}{accept} -o best.toml && pamt check {name} best.toml"
        return (f"{again}    (keep it, ask the module)",)
    if verdict == "INFEASIBLE":
        repair = f"pamt repair {name}    (what to change so that the kernel's own layout works)"
        wider = _wider(space, helping)
        if wider is None:
            return (repair,)
        return (f"pamt place {name}{_options(wider, result.order)}    (has an answer)", repair)
    if verdict == "UNDECIDED":
        more = {
            "steps": f"{asked} --steps NUMBER    (with more steps)",
            "time": f"{asked} --timeout SECONDS    (with more time)",
            "memory": f"{asked} --memory SIZE    (with more memory)",
            "interrupt": f"{asked}    (and let it go on)",
        }
        fewer = _options(LINUX, result.order)
        smaller = f"pamt place {name}{fewer}    (the kernel's own TDMRs: a smaller question)"
        return (more.get(result.stopped or "", smaller),)
    return ()


def _options(space: Space, order: Sequence[str]) -> str:
    """The options that ask for `space` and `order`, without those that say what holds anyway."""
    from pamt.placement import DEFAULT_OBJECTIVE, LINUX

    names = ("tdmrs", "pamt", "reserve", "give_up")
    words = "".join(
        f" --{name.replace('_', '-')} {getattr(space, name)}"
        for name in names
        if getattr(space, name) != getattr(LINUX, name)
    )
    return words if tuple(order) == DEFAULT_OBJECTIVE else f"{words} --objective {','.join(order)}"


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
