"""``pamt conform``: replay recorded runs of the real kernel or the real module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from pamt.cli.answer import Answer, Output, common, finish

__all__ = ["command"]

MOST_LINES = 200
MOST_FAULTS = 20
"""Lines told that are no recorded runs: a file of another kind has one on every line."""
HEX_ABOVE = 4096


class Found(NamedTuple):
    """One difference: which vector, which part of it (a kernel variant), which field."""

    id: str
    variant: str | None
    field: str
    recorded: object
    ours: object


@click.command("conform")
@click.argument("authority", type=click.Choice(["kernel", "module", "cmr"]))
@click.argument("file")
@common
def command(authority: str, file: str, output: Output) -> int:
    """Replay recorded runs of the real kernel or the real module.

    FILE holds one recorded run a line: of the kernel's functions (kernel), of TDH.SYS.CONFIG
    (module) or of the CMR check of TDH.SYS.INIT (cmr).  Everything recorded is compared.
    Verdict: EQUAL or DIFFERS.
    """
    from pamt.cli.inputs import digest
    from pamt.maps.document import read_bytes
    from pamt.maps.errors import InputErrors, InputProblem

    content, name = read_bytes(file)
    try:
        # Only a line feed ends a line: strings may hold other line separators as they are.
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputErrors(
            [InputProblem(name, line, "", "recorded runs in UTF-8", "a byte that is not")]
        ) from None
    counts, found = _replay(authority, lines, name)
    total = sum(counts.values())
    if not total:
        raise InputErrors([InputProblem(name, 0, "", "at least one recorded run", "none")])
    verdict = "DIFFERS" if found else "EQUAL"
    differing = len({(d.id, d.variant) for d in found})

    def text() -> Iterator[str]:
        yield f"{verdict}: {total} recorded runs, {differing} differ"
        if set(counts) != {""}:
            for part, number in counts.items():
                wrong = len({d.id for d in found if d.variant == part})
                yield f"  {part or authority:12} {number} runs, {wrong} differ"
        for d in found[:MOST_LINES]:
            where = f"{d.id} {d.variant}" if d.variant else d.id
            yield f"  {where}: {d.field}: recorded {_shown(d.recorded)}, ours {_shown(d.ours)}"
        if len(found) > MOST_LINES:
            yield f"  ... and {len(found) - MOST_LINES} more (all with --json)"

    def fields() -> dict[str, Any]:
        return {
            "authority": authority,
            "runs": total,
            "counts": {part or authority: number for part, number in counts.items()},
            "differing_runs": differing,
            "differences": [d._asdict() for d in found],
        }

    return finish(Answer("conform", verdict, digest(name, content), fields, text), output)


def _replay(authority: str, lines: list[str], name: str) -> tuple[dict[str, int], list[Found]]:
    """Runs by part ("" where there are no parts), and every difference.

    Raises InputErrors for lines that are not recorded runs.
    """
    from pamt.maps.errors import InputErrors, InputProblem

    found: list[Found] = []
    if authority == "kernel":
        from pamt.kernel.conform import BadVectorError, replay_kernel

        counts: dict[str, int] = {}
        try:
            for run in replay_kernel(lines):
                counts[run.variant] = counts.get(run.variant, 0) + 1
                found += [Found(run.id, run.variant, *difference) for difference in run.differences]
        except BadVectorError as error:
            raise InputErrors(
                [InputProblem(name, error.line, "", "one recorded kernel run", error.found)]
            ) from None
        return counts, found
    from pamt.module import conform
    from pamt.module.vectors import BadVectorError as BadModuleVectorError

    replay = conform.replay_module if authority == "module" else conform.replay_cmr
    try:
        replayed = replay(lines)
    except BadModuleVectorError as error:
        raise InputErrors(
            [
                InputProblem(name, fault.line, "", "a recorded answer of the module", fault.text)
                for fault in error.faults[:MOST_FAULTS]
            ],
            max(0, len(error.faults) - MOST_FAULTS),
        ) from None
    for d in replayed:
        found.append(Found(d.id, None, d.field, d.recorded, d.ours))
    return {"": replayed.count}, found


def _shown(value: object) -> str:
    """Addresses and status words in hex, the rest as it is."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= HEX_ABOVE:
        return f"{value:#x}"
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    return str(value)
