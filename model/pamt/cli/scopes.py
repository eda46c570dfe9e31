"""The options that make up a scope, and policies by the names that `verify` and `diff` take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.limits import AS_CTRL_C, timeout_option

if TYPE_CHECKING:
    from pamt.policies.protocol import Policy
    from pamt.report.envelope import InputFile
    from pamt.standins import Assumption
    from pamt.verify.result import Budget
    from pamt.verify.scope import Scope

__all__ = [
    "budget_of",
    "file_of",
    "find_policy_or_function",
    "refusals",
    "scope_assumptions",
    "scope_of",
    "scope_options",
]


def scope_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of a scope, in the order in which ``--help`` shows them."""
    for option in reversed(
        (
            click.option(
                "--ranges",
                type=click.IntRange(1),
                default=2,
                show_default=True,
                help="Most memory ranges.",
            ),
            click.option(
                "--cmrs",
                type=click.IntRange(0, 32),
                default=1,
                show_default=True,
                help="Most CMRs.",
            ),
            click.option(
                "--nodes",
                type=click.IntRange(1),
                default=1,
                show_default=True,
                help="Most NUMA nodes.",
            ),
            click.option(
                "--free",
                type=click.IntRange(0),
                help="Most free runs; any, in place of `free-is-memory`.",
            ),
            click.option(
                "--gib",
                type=click.IntRange(1, 1 << 16),
                default=2,
                show_default=True,
                help="Memory lies below this GiB,",
            ),
            click.option(
                "--first-gib",
                type=click.IntRange(0),
                default=0,
                show_default=True,
                help="and at or above this one.",
            ),
            click.option(
                "--fewest-ranges",
                type=click.IntRange(1),
                default=1,
                show_default=True,
                help="Leave out maps with fewer memory ranges.",
            ),
            click.option(
                "--limits",
                default="real",
                show_default=True,
                metavar="real|TxR",
                help="At most T TDMRs with R reserved areas each; real is 64x16.",
            ),
            click.option(
                "--distances",
                metavar="D,D,...",
                help="Distances that two nodes may have, alike in both directions, in place of"
                " `equal-distances` (20; a node has 10 to itself).",
            ),
            click.option(
                "--assume",
                "--with",
                "assumed",
                multiple=True,
                metavar="NAME",
                help="Make an assumption that is off by default: whole-gib (repeatable).",
            ),
            click.option(
                "--no-assume",
                "--without",
                "dropped",
                multiple=True,
                metavar="NAME",
                help="Drop an assumption: convertible, free-is-memory (with --free), apart,"
                " above-1m, no-null-cmr, equal-distances (with --distances) (repeatable).",
            ),
            click.option(
                "--budget",
                "--steps",
                "budget",
                type=click.IntRange(1),
                metavar="STEPS",
                help="Solver steps, not seconds, so that the answer is the same everywhere.",
            ),
            timeout_option(AS_CTRL_C),
        )
    ):
        function = option(function)
    return function


def scope_of(options: dict[str, Any]) -> Scope:
    """Take the options of a scope out of `options`.

    Raises click.UsageError for what makes no scope.
    """
    from pamt.verify.assumptions import ASSUMPTIONS, DEFAULT
    from pamt.verify.scope import Scope, parse_limits

    assumed, dropped = options.pop("assumed"), options.pop("dropped")
    for option, names in (("--assume", assumed), ("--no-assume", dropped)):
        for name in names:
            if name not in ASSUMPTIONS:
                known = ", ".join(ASSUMPTIONS)
                raise click.UsageError(f"{option}: expected one of {known}, found {name!r}")
    both = sorted(set(assumed) & set(dropped))
    if both:
        raise click.UsageError(f"{both[0]!r} is both assumed and dropped")
    free = options.pop("free")
    if free is not None and "free-is-memory" in assumed:
        raise click.UsageError("--free counts free runs, --assume free-is-memory allows none")
    if free is None and "free-is-memory" in dropped:
        raise click.UsageError("--no-assume free-is-memory needs --free N, the most free runs")
    distances = options.pop("distances")
    if distances is not None and "equal-distances" in assumed:
        raise click.UsageError("--distances and --assume equal-distances exclude each other")
    if distances is None and "equal-distances" in dropped:
        raise click.UsageError("--no-assume equal-distances needs --distances D,D,...")
    made = DEFAULT | set(assumed)
    if free is not None:
        made -= {"free-is-memory"}
    if distances is not None:
        made -= {"equal-distances"}
    try:
        return Scope(
            ranges=options.pop("ranges"),
            cmrs=options.pop("cmrs"),
            nodes=options.pop("nodes"),
            free=free or 0,
            gib=options.pop("gib"),
            limits=parse_limits(options.pop("limits")),
            assumptions=frozenset(made - set(dropped)),
            fewest_ranges=options.pop("fewest_ranges"),
            first_gib=options.pop("first_gib"),
            **({} if distances is None else {"distances": _numbers(distances)}),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        raise click.UsageError(f"--distances: expected numbers such as 20,30, found {text!r}")
    return tuple(sorted({int(part) for part in parts}))


def scope_assumptions(scope: Scope) -> tuple[Assumption, ...]:
    """The assumptions made, as every answer lists them."""
    from pamt.standins import Assumption
    from pamt.verify.assumptions import ASSUMPTIONS

    needs = {"free-is-memory": "--free N", "equal-distances": "--distances D,D,..."}
    return tuple(
        Assumption(
            name,
            text.made,
            "the answer says nothing of such maps; ask again with"
            f" {needs.get(name, f'--no-assume {name}')}: {text.dropped}",
        )
        for name, text in ASSUMPTIONS.items()
        if scope.assumes(name)
    )


def budget_of(steps: int | None) -> Budget:
    """All of `steps` may go into one question."""
    from pamt.verify.result import Budget

    plain = Budget()
    return plain if steps is None else Budget(min(plain.per_query, steps), steps)


def find_policy_or_function(name: str) -> Policy:
    """A registered policy, a stage, or ``FILE.py:function``.  Raises click.UsageError."""
    from pamt.policies.registry import UnknownPolicyError
    from pamt.verify.properties import load_policy
    from pamt.verify.properties.user import UserFileError

    try:
        return load_policy(name)
    except (UnknownPolicyError, UserFileError) as error:
        raise click.UsageError(f"{error}") from None


def file_of(name: str) -> InputFile | None:
    """The file that ``FILE.py:function`` speaks of, with its digest; None for a registered name."""
    from pathlib import Path

    from pamt.cli.inputs import digest

    path, colon, _ = name.rpartition(":")
    if not colon or not path.endswith(".py"):
        return None
    return digest(path, Path(path).read_bytes())


@contextmanager
def refusals() -> Iterator[None]:
    """A construct that the engine does not run is bad input, with its line."""
    from pamt.maps.errors import InputErrors, InputProblem
    from pamt.verify.interp import Refusal

    try:
        yield
    except Refusal as refusal:
        place = refusal.place
        expected = "a construct that runs symbolically (docs/verify.md)"
        problem = InputProblem(
            place.file, place.line, "", expected, refusal.what, hint=refusal.instead
        )
        raise InputErrors([problem]) from None
