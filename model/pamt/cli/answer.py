"""What a command answers, and how the answer leaves: as text or JSON, to a terminal or a file."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pamt.cli.exits import BAD_INPUT, exit_for

if TYPE_CHECKING:
    from pamt.report.envelope import InputFile
    from pamt.standins import Assumption

__all__ = ["Answer", "Output", "common", "finish", "say"]

MOST_ASSUMPTIONS = 6
"""Assumptions that are printed with their consequences; --json has all."""
VERDICT_COLOURS = {0: "green", 1: "red", 3: "yellow"}


class Output(NamedTuple):
    """The options that every command has."""

    as_json: bool
    file: Path | None
    quiet: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A command's answer, before it is put into words.

    `fields` makes the command's own JSON fields, `text` the lines for a reader, verdict first.
    `product` makes the file that ``-o`` asks for where the command has one to give (a map, a
    configuration); without one, ``-o`` takes the text or the JSON.
    """

    command: str
    verdict: str | None
    input: InputFile | None
    fields: Callable[[], Mapping[str, Any]]
    text: Callable[[], Iterable[str]]
    assumptions: Sequence[Assumption] = ()
    product: Callable[[], bytes] | None = None
    accept_feasible: bool = False
    verbatim: bool = False
    """The text is a file's content, or carries colours: it is written as it is.  Otherwise each
    line is made safe for a terminal."""
    solvers: Mapping[str, str] = field(default_factory=dict)
    """Builds of solvers that had a part in the answer, in another process."""

    @property
    def exit(self) -> int:
        return exit_for(self.verdict, accept_feasible=self.accept_feasible)


def common(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command ``--json``, ``-o`` and ``--quiet``, handed over as one `output`.

    A command line that would write over what it reads is refused before the command runs.
    """

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON (specs/schema).")
    @click.option(
        "-o",
        "--output",
        "out_file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to FILE, whole or not at all.",
    )
    @click.option("--quiet", is_flag=True, help="Print the verdict line only.")
    @functools.wraps(function)
    def run(*, as_json: bool, out_file: Path | None, quiet: bool, **rest: Any) -> int:
        if any(isinstance(value, Path) for value in (out_file, *rest.values())):
            from pamt.cli.atomic import keep_apart, named_files

            keep_apart(*named_files(click.get_current_context()))
        return function(output=Output(as_json, out_file, quiet), **rest)

    return run


def finish(answer: Answer, output: Output) -> int:
    """Write the answer where it is wanted; returns the exit code."""
    target = output.file
    if target is not None and answer.product is not None:
        content = answer.product()
        if content and not _write(target, content):
            return BAD_INPUT
        target = None
    if output.as_json:
        from pamt.report.envelope import dumps, envelope

        text = dumps(
            envelope(
                answer.command,
                verdict=answer.verdict,
                exit_code=answer.exit,
                read=answer.input,
                assumptions=answer.assumptions,
                solvers=answer.solvers,
                fields=answer.fields(),
            )
        )
    else:
        from pamt.report.words import one_line

        lines = iter(answer.text()) if answer.verbatim else map(one_line, answer.text())
        first = next(lines, "")
        if output.quiet:
            text = f"{first}\n"
        else:
            rest = [*lines, *map(one_line, _assumption_lines(answer.assumptions))]
            text = "\n".join([first, *rest]) + "\n"
        if target is None:
            text = _coloured(text, answer)
    if target is not None:
        if not _write(target, text.encode("utf-8", "backslashreplace")):
            return BAD_INPUT
        return answer.exit
    try:
        sys.stdout.write(_encodable(text, as_json=output.as_json))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`).  The verdict stands; only keep the interpreter
        # from complaining when it closes the stream.
        _drop_standard_output()
    except OSError as error:
        say(f"standard output: cannot be written: {error.strerror or error}")
        _drop_standard_output()
        return BAD_INPUT
    return answer.exit


def _encodable(text: str, *, as_json: bool) -> str:
    """`text` in characters that standard output has; others are escaped, in JSON as JSON does."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        if as_json:
            import json

            return json.dumps(json.loads(text), indent=2) + "\n"
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def _drop_standard_output() -> None:
    """What is still buffered has nowhere to go, and is not tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def say(line: str) -> None:
    """A line to standard error."""
    click.echo(line, err=True)


def _write(path: Path, content: bytes) -> bool:
    from pamt.cli.atomic import write_whole

    try:
        write_whole(path, content)
    except OSError as error:
        say(f"{path}: cannot be written: {error.strerror or error}")
        return False
    return True


def _assumption_lines(assumptions: Sequence[Assumption]) -> list[str]:
    if not assumptions:
        return []
    lines = ["", "Assumptions:"]
    for made in assumptions[:MOST_ASSUMPTIONS]:
        lines.append(f"  - {made.text}")
        if made.id != "map":
            lines.append(f"    if wrong: {made.consequence}")
    if len(assumptions) > MOST_ASSUMPTIONS:
        lines.append(f"  and {len(assumptions) - MOST_ASSUMPTIONS} more (--json has all)")
    return lines


def _coloured(text: str, answer: Answer) -> str:
    """The verdict in colour on a terminal that shows colours."""
    if answer.verdict is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    word, rest = text[: len(answer.verdict)], text[len(answer.verdict) :]
    if word != answer.verdict:
        return text
    return click.style(word, fg=VERDICT_COLOURS[exit_for(answer.verdict)], bold=True) + rest
