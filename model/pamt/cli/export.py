"""``pamt export``: write a placement question as SMT-LIB text for any solver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.answer import Answer, Output, common, finish
from pamt.cli.place import size_option, space_of, space_options

if TYPE_CHECKING:
    from pamt.placement import Question

__all__ = ["command"]


@click.command("export")
@click.argument("machine")
@space_options
@click.option("--to", type=click.Choice(["smt2"]), default="smt2", show_default=True)
@click.option(
    "--at-most",
    "bounds",
    multiple=True,
    metavar="NAME=VALUE",
    help="Ask for a component of the objective of at most VALUE (repeatable).",
)
@size_option(
    "--max-size",
    default="256MiB",
    show_default=True,
    help="Write no text that would be longer, told beforehand.",
)
@common
def command(
    machine: str,
    space: str,
    tdmrs: str | None,
    pamt: str | None,
    reserve: str | None,
    give_up: int | None,
    to: str,
    bounds: tuple[str, ...],
    max_size: int,
    output: Output,
) -> int:
    """Write a placement question as SMT-LIB text for any solver.

    Assertions are named after rule and object, with comments in words: sat means that a placement
    exists.  To re-check an optimum, ask for its value (sat) and for one less (unsat).

    -o FILE gets the text; without it the text is printed.
    """
    from pamt.cli.inputs import load_machine
    from pamt.cli.progress import ProgressLine
    from pamt.placement import pose
    from pamt.smt.encoding import encode
    from pamt.smt.export import to_smtlib

    wanted = space_of(space, tdmrs, pamt, reserve, give_up)
    if wanted.give_up:
        raise click.UsageError("--give-up: what to give up is a search over questions, not one")
    at_most = _parse_bounds(bounds)
    loaded = load_machine(machine)
    question = pose(loaded.machine, wanted)
    comments = [f"assumed: {' '.join(made.text.split())}" for made in loaded.completed.assumptions]
    if question.trivial is not None:
        count, text = 1, _refuted(question.trivial.kind, comments)
    else:
        _refuse_too_large(question, max_size)
        with ProgressLine(quiet=output.quiet) as line:
            line.say("encoding the question")
            encoding = encode(question)
            count = len(encoding.assertions)
            line.say(f"writing {count} assertions")
            text = to_smtlib(
                encoding,
                tuple(at_most.items()),
                comments=comments,
                progress=lambda made: line.say(f"writing: {made >> 20} MiB of text"),
            )
    product = None
    if output.file is not None:

        def product() -> bytes:
            return text.encode()

    def lines() -> Iterator[str]:
        if output.file is None:
            yield text.rstrip("\n")
        else:
            yield f"{output.file}: {count} assertions, {to}"

    def fields() -> dict[str, Any]:
        return {
            "to": to,
            "space": wanted._asdict(),
            "at_most": at_most,
            "assertions": count,
            "text": text,
        }

    shown = loaded.completed.assumptions if output.as_json else ()
    return finish(
        Answer(
            "export",
            None,
            loaded.file,
            fields,
            lines,
            shown,
            product,
            verbatim=output.file is None,
        ),
        output,
    )


def _refuse_too_large(question: Question, most: int) -> None:
    """Raises click.UsageError, with what would be smaller."""
    from pamt.placement import pose
    from pamt.report.words import size_text
    from pamt.smt.estimate import estimate

    size = estimate(question).text
    if size <= most:
        return
    space = question.space
    smaller: list[str] = []
    for option, value in (("tdmrs", "kernel"), ("pamt", "chunk"), ("reserve", "memory")):
        if getattr(space, option) == value:
            continue
        other = pose(question.machine, space._replace(**{option: value}))  # type: ignore[arg-type]
        if other.trivial is None:
            smaller.append(f"--{option} {value} ({_about(estimate(other).text)})")
    raise click.UsageError(
        f"the text would have {_about(size)}, more than {size_text(most)}; smaller:"
        f" {', '.join(smaller)}; --max-size allows more"
    )


def _about(size: int) -> str:
    """A size to one or two digits."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if size >= unit:
            amount = f"{size / unit:.2g}" if size < 100 * unit else f"{size // unit}"
            return f"about {amount} {name}"
    return "less than 1 MiB"


def _refuted(kind: str, comments: list[str]) -> str:
    """The text of a question that is decided without a solver: no placement, for one cause."""
    lines = [f"; {comment}" for comment in comments]
    lines += [
        "(set-logic QF_LIA)",
        "; decided without a solver",
        f"(assert (! false :named |{kind}|))",
        "(check-sat)",
    ]
    return "\n".join(lines) + "\n"


def _parse_bounds(bounds: tuple[str, ...]) -> dict[str, int]:
    """``NAME=VALUE`` words by name.  Raises click.UsageError."""
    from pamt.placement import COMPONENTS

    found: dict[str, int] = {}
    for bound in bounds:
        name, _, value = bound.partition("=")
        if name not in COMPONENTS or not value.lstrip("-").isdigit():
            known = ", ".join(COMPONENTS)
            raise click.UsageError(
                f"--at-most: expected NAME=VALUE with one of {known}, found {bound!r}"
            )
        found[name] = int(value)
    return found
