"""Explanations of recorded failures: sufficient, minimal, repeatable, with the numbers right."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from pamt.explain.causes import Causes, Explanation, explain_infeasible
from pamt.explain.sentences import paragraphs
from pamt.kernel.conform import machine_of_vector
from pamt.machine import Cmr, Machine, MemoryRange
from pamt.placement import LINUX, Question, Space, pose
from pamt.ranges import GIB, MIB, PAGE
from pamt.solve import place
from pamt.standins import complete

RECORDED = Path(__file__).parents[1] / "conformance" / "data" / "kernel.jsonl"

# One of every kind of failure, small enough to decide each subset afresh.
CHOSEN = (
    "dma_zones-000",
    "dma_zones-023",
    "fuzz-046",
    "gaps_in_gb-009",
    "gaps_in_gb-012",
    "gaps_in_gb-016",
    "many_pamts_in_tdmr-003",
    "pamt_crosses_tdmrs-000",
    "pamt_crosses_tdmrs-021",
    "pamt_crosses_tdmrs-023",
    "realistic-003",
    "remote_fallback-020",
)


@cache
def recorded() -> dict[str, Machine]:
    found = {}
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        found[record["id"]] = complete(machine_of_vector(record["input"])).machine
    return found


def asked(name: str) -> tuple[Question, Explanation]:
    question = pose(recorded()[name], LINUX)
    return question, explain_infeasible(question)


@pytest.mark.parametrize("name", CHOSEN)
def test_causes_suffice_and_none_can_be_left_out(name: str) -> None:
    question, explanation = asked(name)
    assert explanation.sets
    used: Counter[str] = Counter()
    for causes in explanation.sets:
        assert causes.minimal
        fresh = Causes(question)
        assert fresh.decide(causes.causes) == "unsat"
        for dropped in causes.causes:
            rest = [cause for cause in causes.causes if cause != dropped]
            assert Causes(question).decide(rest) == "sat", dropped
        used.update(cause.name for cause in causes.causes)
    assert max(used.values()) == 1, "sets share a cause"
    left = [cause for cause in Causes(question).all if cause.name not in used]
    assert Causes(question).decide(left) == "sat", "a further independent cause is missing"


@pytest.mark.parametrize("name", CHOSEN)
def test_the_same_text_on_every_run(name: str) -> None:
    question, explanation = asked(name)
    again, explanation_again = asked(name)
    assert paragraphs(question, explanation) == paragraphs(again, explanation_again)


def test_origins_are_named_and_the_order_of_the_file_does_not_matter() -> None:
    pieces = [MemoryRange(MIB + i * 2 * PAGE, MIB + (i * 2 + 1) * PAGE, 0) for i in range(20)]
    listed = [piece._replace(origin=f"log:{i + 1}") for i, piece in enumerate(pieces)]
    machine = complete(Machine(memory=(*listed, MemoryRange(GIB, 2 * GIB)))).machine
    question = pose(machine, LINUX)
    (paragraph,) = paragraphs(question, explain_infeasible(question))
    assert paragraph.headline == (
        "TDMR [0x0, 0x40000000) needs 21 reserved areas, the limit is 16."
    )
    assert len(paragraph.items) == 21
    assert paragraph.items[0].text.startswith("0x0-0x100000 below 1 MiB")
    assert paragraph.items[1].origins == ("log:1", "log:2")
    assert paragraph.items[20].text.endswith("after the last memory range")


def test_filling_as_many_of_the_named_holes_as_overflow_mends_the_map() -> None:
    machine = recorded()["realistic-003"]
    assert machine.memory is not None
    everything = (Cmr(0, 1 << 45),)
    question = pose(replace(machine, cmrs=everything), LINUX)
    (paragraph,) = paragraphs(question, explain_infeasible(question))
    tdmr = next(t for t in question.tdmrs or () if str(t.range) in paragraph.headline)
    overflow = len(paragraph.items) - machine.limits.max_reserved_per_tdmr
    assert overflow > 1
    inner = [h for h in tdmr.holes if tdmr.range.start < h.start and h.end < tdmr.range.end]
    for filled, answer in ((overflow - 1, "unsat"), (overflow, "sat")):
        memory = (*machine.memory, *(MemoryRange(*h, tdmr.home) for h in inner[:filled]))
        after = pose(replace(machine, memory=tuple(sorted(memory)), cmrs=everything), LINUX)
        causes = Causes(after)
        assert causes.decide(causes.all) == answer


def test_trivial_causes_are_said_without_a_search() -> None:
    low = complete(Machine(memory=(MemoryRange(PAGE, 640 * 1024),))).machine
    question = pose(low, LINUX)
    (paragraph,) = paragraphs(question, explain_infeasible(question))
    assert "no memory above 1 MiB" in paragraph.headline


def test_a_large_question_is_not_encoded_to_explain_it() -> None:
    # A GiB with more holes than a TDMR may have areas, in front of 400 others, cut at will.
    edge = GIB + 20 * 2 * PAGE
    holes = tuple(MemoryRange(at, at + PAGE, 0) for at in range(GIB, edge, 2 * PAGE))
    memory = (*holes, MemoryRange(edge, 401 * GIB, 0))
    machine = complete(Machine("wide", memory=memory, cmrs=(Cmr(GIB, 400 * GIB),))).machine
    space = Space(tdmrs="free")
    assert place(machine, space).verdict == "INFEASIBLE"
    explanation = explain_infeasible(pose(machine, space))
    assert explanation.sets == ()
    assert "too large" in explanation.note
