"""Memory from e820 and SRAT, held against a model that decides page by page.

e820     |RAM |ACPI|RAM    |  ...         type of every page
changes        xx                         pages that stop being RAM, before memblock is filled
SRAT     |node 0   |node 1 |              node of every page
"""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pamt.maps.importers import import_files
from pamt.maps.importers.lines import Place, Span
from pamt.maps.importers.srat import Block, assign_nodes
from pamt.ranges import MIB, PAGE, RangeSet

PAGES = 64
BASE = 16 * MIB
TYPES = ("usable", "reserved", "ACPI NVS", "soft reserved")


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    """Entries in eighths of a page: firmware need not care for pages."""
    cuts = sorted(draw(st.sets(st.integers(0, PAGES * 8), min_size=2, max_size=14)))
    made = [(a, b, draw(st.sampled_from(TYPES))) for a, b in itertools.pairwise(cuts)]
    return [entry for entry in made if draw(st.integers(0, 5))] or made


spans = st.tuples(st.integers(0, PAGES - 1), st.integers(1, 8)).map(lambda s: (s[0], s[0] + s[1]))


def address(eighths: int) -> int:
    return BASE + eighths * PAGE // 8


def line(kind: str, start: int, end: int, rest: str) -> str:
    return f"{kind}[mem {start:#018x}-{end - 1:#018x}] {rest}"


@given(tables(), st.lists(spans, max_size=3), st.lists(spans, max_size=3))
def test_e820_page_by_page(
    table: list[tuple[int, int, str]], early: list[tuple[int, int]], late: list[tuple[int, int]]
):
    anchor = (1 << 32, (1 << 32) + (1 << 30))  # so that there is always some memory
    text = [line("BIOS-e820: ", address(a), address(b), t) for a, b, t in table]
    text.append(line("BIOS-e820: ", *anchor, "usable"))
    for changes in (early, late):
        text += [
            line("e820: update ", BASE + a * PAGE, BASE + b * PAGE, "usable ==> reserved")
            for a, b in changes
        ]
        if changes is early:
            text.append("last_pfn = 0x140000 max_arch_pfn = 0x400000000")
    made = import_files([("log", "\n".join(text))])
    ram = {e for a, b, t in table if t == "usable" for e in range(a, b)}
    gone = {page for a, b in early for page in range(a, b)}
    expected = {
        page
        for page in range(PAGES)
        if page not in gone and all(page * 8 + k in ram for k in range(8))
    }
    got = RangeSet(r.range for r in made.machine.memory if r.start != anchor[0])
    assert got == RangeSet((BASE + p * PAGE, BASE + (p + 1) * PAGE) for p in expected)


@st.composite
def nodes(draw: st.DrawFn) -> list[Block]:
    """Disjoint blocks that cover everything, node by node in any order, gaps allowed inside."""
    cuts = sorted({0, PAGES, *draw(st.sets(st.integers(1, PAGES - 1), max_size=8))})
    return [
        Block(a * PAGE, b * PAGE, draw(st.integers(0, 2)), False, Place("log", 1))
        for a, b in itertools.pairwise(cuts)
    ]


@given(st.lists(spans, min_size=1, max_size=6), nodes())
def test_nodes_page_by_page(memory: list[tuple[int, int]], blocks: list[Block]):
    runs = RangeSet((a * PAGE, min(b, PAGES) * PAGE) for a, b in memory)
    given_spans = [Span(r.start, r.end, Place("log", 1)) for r in runs]
    made = assign_nodes(given_spans, blocks).memory
    owner = {at: b.node for b in blocks for at in range(b.start, b.end, PAGE)}
    pages = {at: r.node for r in made for at in range(r.start, r.end, PAGE)}
    assert pages == {at: owner[at] for r in runs for at in range(r.start, r.end, PAGE)}
    for low, high in itertools.pairwise(made):
        assert low.end < high.start or (low.end == high.start and low.node != high.node)
