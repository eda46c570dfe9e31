"""Several logs and files into one machine; their order does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from pamt.machine import MAX_CMRS, Cmr, Limits, Machine
from pamt.maps.errors import MAX_PROBLEMS, InputErrors, InputProblem
from pamt.maps.importers.facts import (
    KeyIds,
    SeamcallFailed,
    describe_fact,
    keyid_bits,
    outcomes,
)
from pamt.maps.importers.findings import Findings
from pamt.maps.importers.imported import Imported, ImportOptions, claim, pick
from pamt.maps.importers.lines import split_boots
from pamt.maps.importers.memory import ChosenMemory, choose_memory
from pamt.maps.importers.node_table import build_nodes, check_sizes
from pamt.maps.importers.reading import Reading, read_source

__all__ = ["WANTED", "import_files"]

WANTED = (
    "sudo dmesg | grep -E"
    " 'Linux version|e820|last_pfn|SRAT|NUMA|node|Node|Zone ranges|DMA|Normal|Movable|tdx'"
)
"""What to run on a machine to get the lines that matter."""

MAX_KEYID_BITS = 16
SYS_CONFIG = 45
"""The leaf number of TDH.SYS.CONFIG: the call that judges the memory set-up."""
LEAF_NUMBER = 0xFFFF
"""Bits of RAX with the leaf number; the version lies above them."""


def import_files(
    texts: Sequence[tuple[str, str]], options: ImportOptions | None = None
) -> Imported:
    """The machine that logs and files describe together.

    `texts`: name and content of each, of any kind: kernel logs, /proc/iomem, /proc/zoneinfo,
    listings of /sys/devices/system/node, output of ``numactl -H`` and ``lsmem``; several in one
    text too.  Each line's kind is recognised by itself, so the answer does not depend on the order
    of the texts.

    Raises InputErrors, with every problem found, when no text holds a map, when a line that is
    needed does not parse, or when what they say is not well formed.
    """
    options = options or ImportOptions()
    named = sorted((_clean(name), text) for name, text in texts)
    readings = [read_source(source) for name, text in named for source in split_boots(name, text)]
    findings = Findings()
    cmrs = _cmrs(readings, findings)
    if options.fill_from_cmr and not cmrs and not findings.problems:
        findings.problems.append(
            InputProblem(
                named[0][0] if named else "<import>",
                0,
                "",
                "virt/tdx: CMR lines, to fill memory from CMRs",
                "none",
                "mainline kernels do not print CMRs",
            )
        )
    chosen = choose_memory(readings, cmrs or (), options, findings)
    memory = chosen.memory
    if memory is not None and not memory and not findings.problems:
        findings.problems.append(
            InputProblem(named[0][0], 0, "memory", "usable memory", "none in the whole map")
        )
    if memory is None and cmrs is None and not findings.problems:
        findings.problems.append(_no_map(named, readings))
    if findings.problems:
        raise _errors(findings.problems)
    nodes = build_nodes(readings, memory or (), findings)
    check_sizes(readings, memory or (), findings)
    limits = _limits(readings, findings)
    _failed_calls(readings, findings)
    if findings.problems:
        raise _errors(findings.problems)
    machine = Machine(
        name=options.name or _name(readings, chosen),
        source=options.source or _source(readings),
        limits=limits,
        cmrs=cmrs,
        memory=memory,
        nodes=nodes,
        assumptions=tuple(findings.assumptions),
        firmware=chosen.firmware,
    )
    unread = tuple(u for r in readings for u in r.unread if u not in findings.used)
    facts = tuple(fact for r in readings for fact in r.facts)
    return Imported(
        machine,
        machine.assumptions,
        tuple(findings.conflicts),
        tuple(findings.notes),
        unread,
        facts,
        chosen.kind,
    )


def _clean(name: str) -> str:
    """A file name that any text file can hold."""
    return name.encode("utf-8", "backslashreplace").decode() or "<input>"


def _cmrs(readings: Sequence[Reading], findings: Findings) -> tuple[Cmr, ...] | None:
    tables = [(r, table) for r in readings for table in r.cmrs.tables]
    if not tables:
        for r in readings:
            findings.need(r.cmrs.unread)
        return None
    made = [
        tuple(Cmr(line.start, line.end - line.start, str(line.place)) for line in table)
        for _, table in tables
    ]
    picked = pick(made, lambda t: tuple(c[:2] for c in t), len)
    kept = made[picked.kept]
    findings.need(tables[picked.kept][0].cmrs.unread)
    for index in picked.differing:
        findings.conflict(
            "CMRs",
            claim(kept[0].origin, kept),
            claim(made[index][0].origin, made[index]),
            "the table with more entries is kept",
        )
    if len(kept) > MAX_CMRS:
        findings.wrong(
            tables[picked.kept][1][MAX_CMRS].place,
            "CMR",
            f"at most {MAX_CMRS} CMRs",
            f"{len(kept)}",
        )
    return kept


def _limits(readings: Sequence[Reading], findings: Findings) -> Limits:
    """Defaults, and the KeyID bits by the log (:func:`pamt.maps.importers.facts.keyid_bits`)."""
    keys = [fact for r in readings for fact in r.facts if isinstance(fact, KeyIds)]
    if not keys:
        return Limits()
    picked = pick(keys, lambda k: k[:2], lambda k: k.end)
    kept = keys[picked.kept]
    for index in picked.differing:
        findings.conflict(
            "private KeyID range",
            claim(kept.place, kept[:2]),
            claim(keys[index].place, keys[index][:2]),
            "the range that ends higher is kept",
        )
    bits = keyid_bits(kept)
    if kept.end <= kept.start or bits > MAX_KEYID_BITS:
        findings.wrong(
            kept.place, "private KeyID range", "KeyIDs below 65536", f"[{kept.start}, {kept.end})"
        )
        return Limits()
    return replace(Limits(), keyid_bits=bits)


def _failed_calls(readings: Sequence[Reading], findings: Findings) -> None:
    """A failed call other than TDH.SYS.CONFIG: what is simulated does not get that far."""
    for fact in [fact for r in readings for fact in r.facts]:
        if isinstance(fact, SeamcallFailed) and fact.leaf & LEAF_NUMBER != SYS_CONFIG:
            findings.assume(
                f"the log says {describe_fact(fact)} ({fact.place}): a call that is not simulated"
                " (only TDH.SYS.CONFIG is) and is taken to succeed; the real start failed there,"
                " so a success here is no forecast of this machine's"
            )


def _no_map(named: Sequence[tuple[str, str]], readings: Sequence[Reading]) -> InputProblem:
    said = outcomes([fact for r in readings for fact in r.facts])
    words = "; ".join(f"{describe_fact(fact)} ({fact.place})" for fact in said[:8])
    return InputProblem(
        named[0][0] if named else "<import>",
        0,
        "",
        'a memory map: lines of "BIOS-e820", "Early memory node ranges" or "virt/tdx: CMR", or'
        " /proc/iomem, or lsmem",
        "none of these" + (f"; the log only says: {words}" if words else ""),
        f"run: {WANTED}",
    )


def _errors(problems: Sequence[InputProblem]) -> InputErrors:
    ordered = sorted(set(problems), key=lambda p: (p.file, p.line))
    return InputErrors(ordered[:MAX_PROBLEMS], max(0, len(ordered) - MAX_PROBLEMS))


def _name(readings: Sequence[Reading], chosen: ChosenMemory) -> str:
    """What a head line says, else the stem of the file that gave the map."""
    for r in readings:
        if r.metadata.get("name"):
            return r.metadata["name"]
    given = chosen.reading or next((r for r in readings if r.cmrs.tables), readings[0])
    return PurePath(given.source.name).stem


def _source(readings: Sequence[Reading]) -> str:
    """Head lines #source_url and #outcome of every file."""
    parts: list[str] = []
    for r in readings:
        for key, head in (("source_url", ""), ("outcome", "known outcome: ")):
            text = r.metadata.get(key, "")
            if text and head + text not in parts:
                parts.append(head + text)
    return " | ".join(parts)
