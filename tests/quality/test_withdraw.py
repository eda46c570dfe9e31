"""Withdrawn pages: the classes cover every page, and say of each what a plain run says."""

from __future__ import annotations

import random
import sys
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recorded_maps import recorded

from pamt.explain.changes import pin_facts, try_policy, withdraw
from pamt.explain.runner import Runner
from pamt.explain.sweep import PageClass, one_page_classes
from pamt.explain.withdraw import withdraw_pages
from pamt.machine import FreeRun, Limits, Machine, MemoryRange
from pamt.policies.registry import get_policy
from pamt.ranges import GIB, MIB, PAGE, Range

CHOSEN = ("gaps_in_gb-004", "gaps_in_gb-016", "remote_fallback-023", "stride_scan-022", "fuzz-046")
MAINLINE = get_policy("linux:mainline")


@pytest.mark.parametrize("name", CHOSEN)
def test_every_page_is_in_one_class_that_tells_the_truth_about_it(name: str) -> None:
    machine = recorded(name)
    classes = list(one_page_classes(Runner(MAINLINE, machine, 5000)))
    pages = sum(c.pages for c in classes)
    above = [(max(r.start, MIB), r.end) for r in machine.memory or () if r.end > MIB]
    assert pages == sum((end - start) // PAGE for start, end in above)
    assert all(a.last < b.first for a, b in pairwise(classes))
    drawn = random.Random(name)
    for chosen in drawn.sample(classes, min(40, len(classes))):
        for page in {
            chosen.first,
            chosen.last,
            drawn.randrange(chosen.first, chosen.last + 1, PAGE),
        }:
            plain = try_policy(MAINLINE, withdraw(pin_facts(machine), [Range(page, page + PAGE)]))
            assert plain.works == chosen.trial.works, hex(page)
            assert plain.outcome.reason == chosen.trial.outcome.reason


def crowded(holes: int) -> Machine:
    """One GiB with `holes` holes of a page, each after a piece of two pages; plenty above."""
    pieces = [MemoryRange(MIB + 3 * i * PAGE, MIB + (3 * i + 2) * PAGE) for i in range(holes)]
    rest = MemoryRange(MIB + 3 * holes * PAGE, GIB)
    return Machine(
        memory=(*pieces, rest, MemoryRange(4 * GIB, 8 * GIB)),
        free=(FreeRun(4 * GIB, 8 * GIB),),
        limits=Limits(max_reserved_per_tdmr=holes),
    )


def test_two_pages_are_cheapest_where_every_piece_has_two() -> None:
    # Low hole, then 6 holes: 7 areas, and 6 may be had.  No one page joins two holes.
    found = withdraw_pages(MAINLINE, crowded(6))
    assert found.cost == 2
    assert found.optimal
    assert found.trial is not None and found.trial.works and found.trial.max_areas == 6


def test_nothing_to_do_costs_nothing() -> None:
    machine = Machine(memory=(MemoryRange(MIB, GIB), MemoryRange(GIB, 2 * GIB)))
    found = withdraw_pages(MAINLINE, machine)
    assert (found.cost, found.optimal, found.pages) == (0, True, ())


def test_a_budget_that_runs_out_claims_only_what_counting_shows() -> None:
    found = withdraw_pages(MAINLINE, crowded(6), runs=1)
    assert found.pages is None
    assert found.bound == 2
    assert not found.optimal


def test_a_shorter_stride_fits_after_the_zone_starts_later() -> None:
    """A free run of exactly one chunk, one page above a slot: one page shifts the slots onto it."""
    found = withdraw_pages(MAINLINE, recorded("stride_scan-022"))
    assert found.cost == 1
    assert found.optimal
    one = found.alternatives[0]
    assert isinstance(one, PageClass) and one.trial.works
