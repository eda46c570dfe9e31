"""``pamt``: the group of commands, and what happens to an error that no command handles.

A command's module is imported when that command runs, so that none pays for another's imports.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from pamt import __version__
from pamt.cli import exits
from pamt.maps.errors import InputErrors

__all__ = ["COMMANDS", "cli", "entry", "invoke", "main"]

COMMANDS = {
    "import": ("import_", "Make a map file from kernel logs and other listings."),
    "show": ("show", "Draw a map, and what a configuration or a policy does on it."),
    "simulate": ("simulate", "What will this kernel do on this map?"),
    "check": ("check", "What does TDH.SYS.CONFIG answer to this configuration?"),
    "place": ("place", "The best placement, or why there is none."),
    "repair": ("repair", "What to change so that a policy works on this map."),
    "export": ("export", "Write a placement question as SMT-LIB text for any solver."),
    "verify": ("verify", "Does a policy keep a property on every map of a scope?"),
    "diff": ("diff", "Where two policies answer differently: the smallest maps."),
    "prove": ("prove", "Theorems with no bound on the map, decided by two solvers."),
    "certify": ("certify", "Check what `pamt place` certifies, without a solver."),
    "sizes": ("sizes", "How much memory the PAMTs of so many bytes take."),
    "conform": ("conform", "Replay recorded runs of the real kernel or the real module."),
    "judge": ("judge", "Run case files and compare with what they expect."),
}
"""Name -> module under :mod:`pamt.cli`, and the line that ``pamt --help`` shows."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pamt.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Exit codes"):
            for line in exits.TABLE.splitlines():
                formatter.write(f"{line}\n")


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Model checker and constraint solver for Intel TDX PAMT placement.

    A machine is a map file (TOML or JSON); `pamt import` makes one from a kernel log.
    """


def entry() -> NoReturn:
    """The process `pamt`: run the command line and end with its exit code.

    Python ends a process by the signal, whatever code was asked for, if the interrupt came at
    certain moments of an import.  The code is part of the contract, so after an interrupt nothing
    of Python's own ending is run.
    """
    # Maps are millions of small tuples without cycles: looking for garbage among them takes a
    # third of the time of a large map.
    gc.set_threshold(200_000, 50, 100)
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    code = main()
    if code == exits.NOT_SETTLED:
        sys.stdout.flush()
        sys.stderr.flush()
        # Semaphores that the frames of an interrupt have held on to are named, and outlive us.
        gc.collect()
        os._exit(code)
    sys.exit(code)


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    """As Python's own; a handler that is not Python's says that the process is ours to end."""
    del number, frame
    raise KeyboardInterrupt


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM is what Ctrl-C is.  Once, for `timeout` sends it twice."""
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt("stopped by SIGTERM")


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; nothing but the code leaves here.

    An error that no command expects is never exit 1, which would read as a verdict.
    """
    told: BaseException
    try:
        return invoke(args)
    except InputErrors as errors:
        # All of them, and nothing has been written.
        click.echo(str(errors), err=True)
        code, told = exits.BAD_INPUT, errors
    except click.ClickException as error:
        error.show()
        code, told = exits.BAD_INPUT, error
    except (KeyboardInterrupt, click.Abort) as stop:
        click.echo(f"pamt: {' '.join(stop.args) or 'interrupted'}, nothing settled", err=True)
        code, told = exits.NOT_SETTLED, stop
    except BaseException as error:  # noqa: BLE001 - anything else is a bug of ours: say so
        _report_defect(error)
        code, told = exits.INTERNAL, error
    from pamt.cli.errors import tell_in_json

    tell_in_json(sys.argv[1:] if args is None else args, told, code, list(COMMANDS))
    return code


def _report_defect(error: BaseException) -> None:
    """To standard error: where it happened, and which two parts disagree if that is what it is.

    The classes are told by name, since importing them would load what most commands do not need.
    """
    import traceback

    click.echo(traceback.format_exc(), err=True, nl=False)
    if any("Disagreement" in kind.__name__ for kind in type(error).__mro__):
        click.echo(f"pamt: internal disagreement, no answer is given: {error}", err=True)
    else:
        click.echo(f"pamt: internal error: {type(error).__name__}: {error}", err=True)
    for note in getattr(error, "__notes__", ()):
        click.echo(f"pamt: {note}", err=True)
    click.echo("pamt: this is a bug; please report it with the map", err=True)


def invoke(args: Sequence[str] | None) -> int:
    """Run one command line and return its exit code.

    Raises what the command raises: InputErrors for bad files, click's exceptions for a bad command
    line, anything else for a defect.
    """
    code = cli.main(args=args, prog_name="pamt", standalone_mode=False)
    return code if isinstance(code, int) else exits.OK
