"""``pamt show``: draw a map, and what a configuration or a policy does on it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.answer import Answer, Output, common, finish

if TYPE_CHECKING:
    from pamt.ranges import Range
    from pamt.report.drawing import Span

__all__ = ["command", "plain", "shows_unicode", "terminal_width"]

PLAIN_WIDTH = 100
OTHER_PICTURES = frozenset({".gif", ".jpeg", ".jpg", ".pdf", ".png", ".webp"})
_WINDOW = re.compile(r"(0x[0-9a-fA-F]{1,64}|[0-9]{1,64})-(0x[0-9a-fA-F]{1,64}|[0-9]{1,64})")
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


@click.command("show")
@click.argument("machine")
@click.argument("configuration", required=False)
@click.option(
    "--policy",
    "name",
    default="linux:mainline",
    show_default=True,
    metavar="NAME",
    help="Without CONFIGURATION: draw what this policy (also FILE.py:function) does.",
)
@click.option("--window", metavar="START-END", help="Draw these addresses only.")
@click.option("--width", type=click.IntRange(40, 1000), help="Columns (default: the terminal's).")
@common
def command(
    machine: str,
    configuration: str | None,
    name: str,
    window: str | None,
    width: int | None,
    output: Output,
) -> int:
    """Draw a map, and what a configuration or a policy does on it.

    To scale, on an axis with breaks: a stretch in which nothing changes is cut short.  Rows: CMRs
    and TDMRs with their numbers; memory, what is free of it and what is reserved, in eighths of a
    column; the node; holes, with how many begin in a column; PAMTs, with the number of their TDMR
    (+: several).  The last columns of the table say how many reserved areas each TDMR uses of those
    it may have.

    -o FILE.svg writes a picture.
    """
    from pamt.cli.configurations import load_configuration, one_standard_input
    from pamt.cli.inputs import load_machine
    from pamt.cli.policies import find_policy
    from pamt.maps.errors import gather
    from pamt.report.drawing import ASCII, UNICODE, draw
    from pamt.report.scene import scene_of_configuration, scene_of_outcome
    from pamt.report.show import scene_fields, tdmr_lines, title_lines
    from pamt.report.words import one_line

    one_standard_input(machine, configuration)
    if output.file is not None and output.file.suffix.lower() in OTHER_PICTURES:
        raise click.UsageError(
            f"-o {output.file}: pictures are written as .svg, other files as text"
        )
    loaded, given = gather(
        lambda: load_machine(machine),
        lambda: None if configuration is None else load_configuration(configuration),
    )
    said: list[str] = []
    if given is not None:
        scene = scene_of_configuration(loaded.machine, given.configuration)
        shown = f"configuration {given.file.name}"
    else:
        from pamt.policies.protocol import run_policy

        policy, variant = find_policy(name)
        outcome = run_policy(policy, loaded.machine)
        scene = scene_of_outcome(loaded.machine, outcome, variant)
        shown = f"policy {name}: {outcome.reason}"
        said = [message.text for message in outcome.messages if message.level != "I"]
    part = _parse_window(window)
    columns = width or terminal_width(output)
    glyphs = UNICODE if shows_unicode(output) else ASCII

    def lines() -> list[list[Span]]:
        return [
            *title_lines(scene, loaded.name, shown, said),
            *draw(scene, columns, glyphs, part),
            [],
            *tdmr_lines(scene, glyphs),
        ]

    coloured = output.file is None and _shows_colour()

    def text() -> list[str]:
        return _rendered(lines(), columns) if coloured else [plain(line) for line in lines()]

    product = None
    if output.file is not None and output.file.suffix.lower() == ".svg":

        def product() -> bytes:
            return _svg(lines(), columns, one_line(loaded.name))

    def fields() -> dict[str, Any]:
        return {
            "configuration": None if given is None else given.file._asdict(),
            "policy": name if given is None else None,
            **scene_fields(scene),
        }

    return finish(
        Answer(
            "show",
            None,
            loaded.file,
            fields,
            text,
            loaded.completed.assumptions,
            product,
            verbatim=coloured,
        ),
        output,
    )


def _parse_window(text: str | None) -> Range | None:
    from pamt.ranges import Range

    if text is None:
        return None
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise click.UsageError(f"--window: expected START-END like 0x0-0x80000000, found {text!r}")
    start, end = (int(word, 16 if word[:2] == "0x" else 10) for word in found.groups())
    if start >= end:
        raise click.UsageError(f"--window: the end {end:#x} is not above the start {start:#x}")
    return Range(start, end)


def terminal_width(output: Output) -> int:
    if output.file is None and sys.stdout.isatty():
        return max(40, shutil.get_terminal_size().columns)
    return (
        max(40, int(columns))
        if (columns := os.environ.get("COLUMNS", "")).isdigit()
        else PLAIN_WIDTH
    )


def shows_unicode(output: Output) -> bool:
    encoding = "utf-8" if output.file is not None else (sys.stdout.encoding or "ascii")
    return encoding.lower().replace("-", "").startswith("utf")


def _shows_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def plain(line: Iterable[Span]) -> str:
    return "".join(span.text for span in line).rstrip()


def _rendered(lines: Sequence[Sequence[Span]], columns: int) -> list[str]:
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    console = Console(file=StringIO(), force_terminal=True, width=columns, highlight=False)
    with console.capture() as capture:
        for line in lines:
            text = Text.assemble(*[(span.text, span.style) for span in line])
            console.print(text, soft_wrap=True)
    return capture.get().rstrip("\n").split("\n")


def _svg(lines: Sequence[Sequence[Span]], columns: int, title: str) -> bytes:
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    console = Console(file=StringIO(), record=True, width=columns, highlight=False)
    for line in lines:
        # Each piece gets its own x: not every viewer keeps blanks at the start of a text, or
        # stretches a text to its length.
        pieces = [(piece, span.style or "default") for span in line for piece in _pieces(span.text)]
        console.print(Text.assemble(*pieces), no_wrap=True, overflow="crop")
    # A picture asks no server for fonts.
    return _FONT_FACE.sub("", console.export_svg(title=title)).encode()


def _pieces(text: str) -> list[str]:
    """`text` cut before and after each run of blanks that is at its start, or longer than one."""
    return re.findall(r"^ +|  +|(?:[^ ]| (?! |$))+| $", text)
