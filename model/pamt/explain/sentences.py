"""Causes as sentences: a headline with the numbers, then numbered items with their provenance.

The same explanation always gives the same text.  Addresses are bytes in hex, ranges half open,
sizes in KiB, MiB or GiB, page counts say "pages".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pamt.explain.amounts import size_text
from pamt.explain.causes import CauseSet, Explanation
from pamt.explain.evidence import AreaEvidence, Note, area_evidence
from pamt.placement import Question, TdmrFacts, TrivialCause
from pamt.ranges import PAGE, Range

__all__ = ["Item", "Paragraph", "paragraphs", "size_text"]

MOST_RUNS = 8
"""Free runs listed before "and N more"."""


class Item(NamedTuple):
    """One numbered line; `origins` are places in the log or map, as file:line."""

    text: str
    origins: tuple[str, ...] = ()


class Paragraph(NamedTuple):
    """One independent reason: what cannot hold, and everything it follows from."""

    headline: str
    items: tuple[Item, ...] = ()
    minimal: bool = True


def paragraphs(question: Question, explanation: Explanation) -> list[Paragraph]:
    """The explanation as text; the first paragraph is the reason, others are further ones."""
    if explanation.trivial is not None:
        return [_trivial(question, explanation.trivial)]
    return [_cause_set(question, causes) for causes in explanation.sets]


def _trivial(question: Question, cause: TrivialCause) -> Paragraph:
    if cause.kind == "no-memory":
        return Paragraph("The machine has no memory above 1 MiB, so there is nothing to cover.")
    if cause.kind == "outside-cmr":
        return Paragraph(
            f"Memory lies outside every CMR run, in {_count(len(cause.where), 'place')};"
            " the TDX module refuses to cover memory that is not convertible.",
            tuple(
                Item(f"{_span(part)}, {size_text(part.size)}, is not convertible", origins)
                for part in cause.where
                for origins in [_memory_origins(question, part)]
            ),
        )
    if cause.kind == "tdmrs-exhausted":
        return Paragraph(
            f"The kernel's layout needs more than {_count(cause.limit, 'TDMR')}, the limit.",
            tuple(Item(f"TDMR {index}: {tdmr}") for index, tdmr in enumerate(cause.where)),
        )
    return Paragraph(
        f"Memory reaches past {cause.limit:#x}, the first address with a KeyID bit, once its TDMR"
        " is rounded up to whole GiBs.",
        tuple(Item(_span(part), _memory_origins(question, part)) for part in cause.where),
    )


def _cause_set(question: Question, causes: CauseSet) -> Paragraph:
    tdmrs = question.tdmrs or ()
    by_rule: dict[str, list[int]] = {}
    for group in causes.causes:
        if group.tdmr is not None and group.tdmr not in by_rule.setdefault(group.rule, []):
            by_rule[group.rule].append(group.tdmr)
    limited = by_rule.get("limit", [])
    placed = by_rule.get("contiguity", [])
    if not tdmrs:
        return Paragraph(
            "These rules cannot hold together:",
            tuple(Item(group.name) for group in causes.causes),
            causes.minimal,
        )
    if len(limited) == 1 and not placed:
        return _holes_alone(question, tdmrs[limited[0]], causes.minimal)
    if len(placed) == 1 and not limited:
        return _no_run(question, placed[0], tdmrs[placed[0]], causes.minimal)
    if not placed and not limited and "cmr" in by_rule:
        index = by_rule["cmr"][0]
        need = tdmrs[index].sizes.total
        longest = max((run.size for run in question.cmr_runs), default=0)
        return Paragraph(
            f"The PAMTs of TDMR {index} {tdmrs[index].range} need {size_text(need)} inside one CMR"
            f" run; the longest CMR run has {size_text(longest)}.",
            (),
            causes.minimal,
        )
    return _together(question, placed, limited, causes.minimal)


def _holes_alone(question: Question, tdmr: TdmrFacts, minimal: bool) -> Paragraph:
    limit = question.limits.max_reserved_per_tdmr
    items = tuple(_area_item(e) for e in _evidence(question, tdmr.range))
    return Paragraph(
        f"TDMR {tdmr.range} needs {_count(len(items), 'reserved area')}, the limit is {limit}.",
        items,
        minimal,
    )


def _no_run(question: Question, index: int, tdmr: TdmrFacts, minimal: bool) -> Paragraph:
    need = tdmr.sizes.total
    runs = sorted(question.free, key=lambda run: (run.start - run.end, run.start))
    if not runs:
        found = "there is no free run at all"
    else:
        longest = runs[0]
        found = (
            f"the longest free run has {_pages(longest.end - longest.start)}, at"
            f" {_span(longest.range)} on node {longest.node}"
        )
    return Paragraph(
        f"The PAMTs of TDMR {index} {tdmr.range} need {_pages(need)} in one free run; {found}.",
        (),
        minimal,
    )


def _together(
    question: Question, placed: Sequence[int], limited: Sequence[int], minimal: bool
) -> Paragraph:
    """Several chunks compete for room, or for the areas of TDMRs, or both."""
    tdmrs = question.tdmrs or ()
    limit = question.limits.max_reserved_per_tdmr
    items: list[Item] = []
    for index in placed:
        fact = tdmrs[index]
        items.append(
            Item(
                f"TDMR {index} {fact.range}: its PAMTs need {_pages(fact.sizes.total)} in one free"
                " run"
            )
        )
    for index in limited:
        fact = tdmrs[index]
        room = limit - len(fact.holes)
        items.append(
            Item(
                f"TDMR {index} {fact.range}: at most {_count(limit, 'area')},"
                f" {len(fact.holes)} of them holes: room for {max(0, room)} more"
            )
        )
    smallest = min((tdmrs[index].sizes.total for index in placed), default=0)
    fitting = [run for run in question.free if run.end - run.start >= smallest]
    items += [
        Item(f"free run {_span(run.range)} on node {run.node}: {_pages(run.range.size)}")
        for run in fitting[:MOST_RUNS]
    ]
    if len(fitting) > MOST_RUNS:
        items.append(Item(f"and {_count(len(fitting) - MOST_RUNS, 'more free run')} as long"))
    names = _list([str(index) for index in placed])
    what = f"the PAMTs of TDMRs {names}" if len(placed) > 1 else f"the PAMTs of TDMR {names}"
    if not placed:
        headline = "These areas do not fit together."
    elif limited:
        headline = (
            f"{what[0].upper()}{what[1:]} find no place where every TDMR they reach into has a"
            " reserved area left."
        )
    else:
        headline = f"{what[0].upper()}{what[1:]} do not fit side by side into the free runs."
    return Paragraph(headline, tuple(items), minimal)


def _evidence(question: Question, tdmr: Range) -> list[AreaEvidence]:
    cmrs = question.cmr_runs.runs if question.space.reserve == "cmr" else None
    return area_evidence(question.machine, tdmr, (), cmrs)


def area_text(evidence: AreaEvidence) -> str:
    """What one reserved area stands for, without provenance."""
    size = size_text(evidence.range.size)
    span = _span(evidence.range)
    firmware = [note.text for note in evidence.notes if _is_firmware(note)]
    said = f" ({', '.join(dict.fromkeys(firmware))})" if firmware else ""
    meaning = {
        "low": "below 1 MiB, never used for TDX",
        "head": f"{size} before the first memory range{said}",
        "hole": f"{size} hole between two memory ranges{said}",
        "tail": f"{size} after the last memory range{said}",
        "empty": f"{size} without any memory{said}",
        "outside-cmr": f"{size} in no CMR{said}",
        "pamt": f"{size} PAMT of TDMR {evidence.owner}",
    }[evidence.kind]
    return f"{span} {meaning}"


def _area_item(evidence: AreaEvidence) -> Item:
    origins = [note.origin for note in evidence.notes if note.origin and _is_firmware(note)]
    if not origins:
        origins = [note.origin for note in evidence.notes if note.origin]
    return Item(area_text(evidence), tuple(dict.fromkeys(origins)))


def _is_firmware(note: Note) -> bool:
    return not note.text.startswith(("after ", "before "))


def _memory_origins(question: Question, part: Range) -> tuple[str, ...]:
    touched = (r.origin for r in question.memory if r.origin and r.range.overlaps(part))
    return tuple(dict.fromkeys(touched))


def _span(r: Range) -> str:
    return f"{r.start:#x}-{r.end:#x}"


def _pages(size: int) -> str:
    return f"{size // PAGE} pages ({size_text(size)})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _list(names: Sequence[str]) -> str:
    if len(names) <= 1:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
