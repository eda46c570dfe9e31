"""FINDINGS.md says what the lists, the maps of specs/found and plain Python say."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pamt.kernel.layout import lay_out_tdmrs
from pamt.maps.machine_file import read_machine
from pamt.policies.protocol import run_policy
from pamt.ranges import GIB, PAGE
from pamt.standins import complete
from pamt.verify.engine import verify
from pamt.verify.findings import Cited, Finding, Found, Statement
from pamt.verify.findings_list import CITED, STATEMENTS
from pamt.verify.obligation import run_plainly
from pamt.verify.properties import load_policy, parse_property
from pamt.verify.result import Measure

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "tests" / "bench"))

from findings_page import TITLES, Measured, compact, entries, page  # noqa: E402

SLOW = {"areas-with-pamts-none-below"}
FREE = re.compile(r"^(Do not matter: |There is no map of this scope on ).*\.\n\n", re.MULTILINE)


def _stored(finding: Finding) -> Found:
    """As the stored map has it, without solver."""
    machine = read_machine(TOP / "specs" / "found" / f"{finding.name}.toml")
    ready = complete(machine).machine
    run = run_plainly(load_policy(finding.policy), ready)
    if "->" in finding.asked:
        why = finding.asked.rpartition(": ")[2].replace(" -> ", " becomes ")
    else:
        why = parse_property(finding.asked).broken(load_policy(finding.policy), run) or ""
    memory, cmrs, free = machine.memory or (), machine.cmrs or (), machine.free or ()
    ends = [(r.start, r.end) for r in memory]
    ends += [(c.base, c.base + c.size) for c in cmrs] + [(f.start, f.end) for f in free]
    addresses = tuple(a for pair in ends for a in pair)
    span = -(-memory[-1].end // GIB) - memory[0].start // GIB
    tdmrs = len(lay_out_tdmrs(memory, 64).tdmrs)
    nodes = len({r.node for r in memory})
    off = (sum(1 for a in addresses if a % step) for step in (GIB, 2 << 20))
    rank = (len(memory), len(cmrs), nodes, len(free), tdmrs, span)
    return Found(machine, why, Measure(*rank, *off, addresses), True, 0, 0.0)


def _plain(text: str) -> str:
    """Without what only a new run of the engine tells: steps, seconds, what does not matter."""
    text = FREE.sub("", text)
    text = re.sub(r"[\d,]+ steps, ", "", text)
    text = re.sub(r"\d+ cases, \d+ questions; ", "", text)
    text = re.sub(r"\d+\.\d\d s\b", "s", text)
    return re.sub(r"\| \d+\.\d\d \|$", "| s |", text, flags=re.MULTILINE)


def test_the_page_is_what_lists_and_maps_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    found = {e.name: _stored(e) for e in entries() if isinstance(e, Finding)}
    measured = {
        e.name: Measured(e.verdict if isinstance(e, Cited) else "HOLDS", None, 0.0)
        for e in entries()
        if not isinstance(e, Finding)
    }
    assert _plain((TOP / "FINDINGS.md").read_text()) == _plain(page(found, measured))


def test_every_item_has_an_entry_and_a_drawn_map() -> None:
    by_item = {item: [e for e in entries() if e.item == item] for item in TITLES}
    assert all(any(isinstance(e, Finding) for e in them) for them in by_item.values())
    names = [e.name for e in entries()]
    assert len(set(names)) == len(names)
    stored = {path.stem for path in (TOP / "specs" / "found").glob("*.toml")}
    assert stored == {e.name for e in entries() if isinstance(e, Finding)}


@pytest.mark.parametrize(
    "entry", [s for s in STATEMENTS if s.name not in SLOW], ids=lambda s: str(s.name)
)
def test_what_is_said_to_hold_holds(entry: Statement) -> None:
    result = verify(entry.policy, entry.asked, entry.scope)
    assert result.verdict == "HOLDS"
    assert result.cases_done == result.cases
    text = (TOP / "FINDINGS.md").read_text()
    assert f"HOLDS; {result.cases} cases, {result.obligations} questions; " in text
    section = text.partition(f"\n### {entry.name}\n")[2].partition("\n#")[0]
    told = f"There is no map of this scope on which {result.untested}." in section
    assert told is bool(result.untested)


@pytest.mark.parametrize("cited", CITED, ids=lambda c: str(c.name))
def test_what_other_commands_are_cited_for(
    cited: Cited, pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(TOP)
    ran = pamt(*cited.words.split(), "--json")
    assert json.loads(ran.out)["verdict"] == cited.verdict


def test_any_single_page_of_a_stretch_helps_issue_135(
    pamt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(TOP)
    path = TOP / "specs" / "machines" / "emr-fcp-issue135.toml"
    machine = complete(read_machine(path)).machine
    mainline = load_policy("linux:mainline")
    assert not run_policy(mainline, machine).succeeded
    low, high = 0x101000, 0x40000000
    holder = next(r for r in machine.memory or () if r.start <= low and high <= r.end)
    random = Random(135)
    pages = [random.randrange(low, high, PAGE) for _ in range(60)]
    for page_at in (low, low + PAGE, high - PAGE, *pages):
        parts = (holder._replace(end=page_at), holder._replace(start=page_at + PAGE))
        memory = [p for r in machine.memory or () for p in (parts if r == holder else (r,))]
        memory = [r for r in memory if r.start < r.end]
        free = [
            piece
            for f in machine.free or ()
            for piece in (
                (f._replace(end=page_at), f._replace(start=page_at + PAGE))
                if f.start <= page_at < f.end
                else (f,)
            )
            if piece.start < piece.end
        ]
        changed = replace(machine, memory=tuple(memory), free=tuple(free))
        outcome = run_policy(mainline, changed)
        assert outcome.succeeded, hex(page_at)
        assert outcome.tdmrs[0].base + outcome.tdmrs[0].size == GIB
    text = pamt("repair", path).out
    assert "any one of these 261,889 pages" in text
    assert "0x101000-0x40000000 (261,887 pages)" in text


def test_lists_of_addresses_are_told_shortly() -> None:
    names = [f"memory range {n}: end" for n in (0, 1, 2, 4)] + ["CMR 0: start"]
    assert compact(names) == "ends of memory ranges 0-2, 4; start of CMR 0"
    assert compact([]) == ""
