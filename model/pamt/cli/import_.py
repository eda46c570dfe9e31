"""``pamt import``: make a map file from kernel logs and other listings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.answer import Answer, Output, common, finish

if TYPE_CHECKING:
    from pamt.maps.importers import Imported

__all__ = ["command"]

MOST_LINES = 30


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--fill-from-cmr",
    is_flag=True,
    help="Take the CMRs as memory beyond the last e820 entry (a listed assumption).",
)
@click.option("--name", default="", help="Name of the machine (default: from the files).")
@click.option("--source", default="", help="Where the map comes from (default: from the files).")
@common
def command(
    files: tuple[str, ...], fill_from_cmr: bool, name: str, source: str, output: Output
) -> int:
    """Make a map file from kernel logs and other listings.

    FILEs, in any order and mix: dmesg or journalctl output, /proc/iomem, /proc/zoneinfo, listings
    of /sys/devices/system/node, `numactl -H`, `lsmem`.  What is missing is not invented; what
    had to be assumed, and where files disagree, is said.

    -o FILE gets the map (JSON if FILE ends in .json); without it the map is printed.
    """
    import json
    from shlex import join, quote

    from pamt.cli.inputs import digest
    from pamt.maps.document import read_bytes
    from pamt.maps.errors import InputErrors, gather
    from pamt.maps.importers import ImportOptions, import_files
    from pamt.maps.importers.facts import describe_fact
    from pamt.maps.importers.memory import FILL_HINT
    from pamt.maps.machine_write import dump_machine
    from pamt.standins import Assumption

    read = gather(*[lambda path=path: read_bytes(path) for path in files])
    texts = [(shown, content.decode(errors="backslashreplace")) for content, shown in read]
    try:
        imported = import_files(texts, ImportOptions(name, source, fill_from_cmr))
    except InputErrors:
        _refuse_maps(read)
        raise
    inputs = [digest(shown, content) for content, shown in read]
    as_json = output.file is not None and output.file.suffix.lower() == ".json"
    text = dump_machine(imported.machine, "json" if as_json else "toml")
    product = None
    if output.file is not None:

        def product() -> bytes:
            return text.encode()

    def fields() -> dict[str, Any]:
        return {
            "inputs": [one._asdict() for one in inputs],
            # As a file in JSON has it, where addresses are hex strings.
            "machine": json.loads(dump_machine(imported.machine, "json")),
            "memory_from": imported.memory_from,
            "conflicts": [
                {
                    "subject": conflict.subject,
                    "kept": conflict.kept.origin,
                    "dropped": conflict.dropped.origin,
                    "rule": conflict.rule,
                }
                for conflict in imported.conflicts
            ],
            "notes": [note._asdict() for note in imported.notes],
            "unread": [
                {"file": u.place.file, "line": u.place.line, "kind": u.kind, "text": u.text}
                for u in imported.unread
            ],
            "facts": [
                {"text": describe_fact(fact), "origin": str(fact.place)} for fact in imported.facts
            ],
        }

    def lines() -> Iterator[str]:
        if output.file is None:
            yield text.rstrip("\n")
        else:
            yield from _summary(imported, str(output.file))
            if any(FILL_HINT in sentence for sentence in imported.assumptions):
                options = "".join(
                    f" --{option} {quote(value)}"
                    for option, value in (("name", name), ("source", source))
                    if value
                )
                again = f"pamt import {join(files)} --fill-from-cmr{options} -o"
                why = "memory that only the CMRs show is left out here"
                yield f"Next: {again} {quote(str(output.file))}    ({why})"
                yield f"      pamt simulate {quote(str(output.file))}    (as it is)"
            else:
                yield f"Next: pamt simulate {quote(str(output.file))}"

    assumptions = tuple(
        Assumption("map", sentence, "taken from the map file") for sentence in imported.assumptions
    )
    shown = assumptions if output.as_json else ()
    first = inputs[0] if len(inputs) == 1 else None
    return finish(
        Answer(
            "import",
            None,
            first,
            fields,
            lines,
            shown,
            product,
            verbatim=output.file is None,
        ),
        output,
    )


def _refuse_maps(read: Iterable[tuple[bytes, str]]) -> None:
    """Where the files hold no map that can be imported: is one of them a map already?

    Raises InputErrors for each that is.
    """
    from pamt.maps.document import parse
    from pamt.maps.errors import InputErrors, InputProblem

    problems: list[InputProblem] = []
    for content, name in read:
        try:
            data = parse(content, name, "a machine file").data
        except InputErrors:
            continue
        if {"cmr", "memory"} & data.keys():
            found = "a machine file, which is a map already"
            problems.append(InputProblem(name, 0, "", "a log or a listing to import", found))
    if problems:
        raise InputErrors(problems)


def _summary(imported: Imported, path: str) -> Iterator[str]:
    from pamt.maps.importers.facts import describe_fact
    from pamt.ranges import RangeSet
    from pamt.report.words import count, size_text

    machine = imported.machine
    memory = machine.memory
    size = size_text(RangeSet(r.range for r in memory or ()).size)
    ranges = count(len(memory or ()), "memory range")
    yield (
        f"{path}: {machine.name}: "
        + (f"{size} in {ranges}" if memory is not None else "no memory ranges")
        + f", {count(len(machine.cmrs), 'CMR') if machine.cmrs is not None else 'no CMRs'}"
        + (f", {count(len(machine.nodes), 'node')}" if machine.nodes else "")
    )
    yield from _listed(
        "The log says", [f"{describe_fact(fact)} ({fact.place})" for fact in imported.facts]
    )
    yield from _listed("Assumed", list(imported.assumptions))
    yield from _listed(
        "Conflicts",
        [
            f"{c.subject}: {c.kept.origin} is kept, {c.dropped.origin} dropped: {c.rule}"
            for c in imported.conflicts
        ],
    )
    yield from _listed(
        "Notes",
        [f"{note.text} ({note.origin})" if note.origin else note.text for note in imported.notes],
    )
    yield from _listed(
        "Lines not read (not needed)", [f"{u.place}: {u.kind}: {u.text}" for u in imported.unread]
    )


def _listed(head: str, items: list[str]) -> Iterator[str]:
    if not items:
        return
    yield f"{head}:"
    for item in items[:MOST_LINES]:
        yield f"  - {item}"
    if len(items) > MOST_LINES:
        yield f"  ... and {len(items) - MOST_LINES} more (all with --json)"
