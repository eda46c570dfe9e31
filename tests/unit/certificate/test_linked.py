"""Free runs that lie next to what must be reserved, and cuts whose PAMTs fit into them."""

from __future__ import annotations

from pamt.certificate.cut_bound import cut_facts
from pamt.certificate.each_cut import AllCuts
from pamt.certificate.fill_bound import excludes_at_once, most_filled
from pamt.certificate.linked import linked_pages, modest, opens, unbridged
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Question, Space, pose
from pamt.ranges import GIB, PAGE
from pamt.standins import complete

G = GIB // PAGE
LIMITS = Limits(pamt_entry_size=(16, 1, 1), dynamic_pamt=True)
"""A TDMR of n GiB has 8n pages of 4K region, and one of each other region."""
SPACE = Space("free", "split", "minimal")


def ask(
    memory: list[tuple[int, int]],
    free: list[tuple[int, int]],
    cmrs: list[tuple[int, int]],
    space: Space = SPACE,
) -> Question:
    """A question about a machine of one node; pages.  CMRs go on to the next GiB on both sides."""
    edges = [page for run in cmrs for page in run]
    edges[0] -= edges[0] % G
    edges[-1] += -edges[-1] % G
    cmrs = list(zip(edges[::2], edges[1::2], strict=True))
    machine = Machine(
        "linked",
        "",
        LIMITS,
        tuple(Cmr(a * PAGE, (b - a) * PAGE) for a, b in cmrs),
        tuple(MemoryRange(a * PAGE, b * PAGE, 0) for a, b in memory),
        (Node(0),),
        tuple(FreeRun(a * PAGE, b * PAGE, 0) for a, b in free),
    )
    return pose(complete(machine).machine, space)


def test_runs_beside_a_stretch_are_linked_and_those_behind_pages_in_use_are_not() -> None:
    # Free: 5 pages before the stretch, 9 behind it, 30 behind a page in use.
    memory = [(G, G + 5), (G + 7, G + 47)]
    free = [(G, G + 5), (G + 7, G + 16), (G + 17, G + 47)]
    question = ask(memory, free, memory)
    assert linked_pages(question) == {0: 9}


def test_a_run_is_linked_through_another_that_pamts_may_fill() -> None:
    # The gap at G + 10 is convertible: PAMTs in both runs around it may share an area.
    memory = [(G, G + 4), (G + 6, G + 10), (G + 11, G + 31)]
    free = memory
    cmrs = [(G, G + 4), (G + 6, G + 31)]
    assert linked_pages(ask(memory, free, cmrs)) == {0: 20}
    # More than all PAMTs together can't be filled, so nothing beyond is linked.
    memory = [(G, G + 4), (G + 6, G + 60), (G + 61, G + 161)]
    cmrs = [(G, G + 4), (G + 6, G + 161)]
    assert linked_pages(ask(memory, memory, cmrs)) == {0: 54}


def test_what_is_reserved_only_where_a_tdmr_bridges_it_links_nothing() -> None:
    # The second GiB holds no memory and is not convertible.
    memory = [(2 * G - 20, 2 * G), (3 * G, 3 * G + 20)]
    question = ask(memory, memory, memory)
    facts = cut_facts(question)
    assert facts.joined == (1,)
    assert linked_pages(question) == {}
    assert unbridged(facts).least_joined == (0,)
    small = modest(question, facts, at_home=False)
    assert small.longest == (0, 0)
    # Some PAMT takes an area: beside the bridge, or where nothing else is reserved.
    assert opens(facts, small, ((0, 0), (1, 1))) == 1
    assert opens(facts, small, ((0, 1),)) == 0


def test_the_largest_region_says_how_long_a_tdmr_may_be() -> None:
    # Three GiBs; beside the stretch in the first there are 17 free pages: enough for 2 GiB.
    memory = [(G, G + 17), (G + 19, 4 * G)]
    free = [(G, G + 17), (2 * G, 2 * G + 100)]
    question = ask(memory, free, memory)
    facts = cut_facts(question)
    small = modest(question, facts, at_home=True)
    assert small.longest == (2, 2, 2)
    assert small.reach(16) == (2, 3, 3)
    assert [opens(facts, small, cut) for cut in (((0, 1), (2, 2)), ((0, 2),))] == [0, 1]
    chunks = ask(memory, free, memory, SPACE._replace(pamt="chunk"))
    assert modest(chunks, cut_facts(chunks), at_home=True).longest == (1, 1, 1)


def test_an_area_besides_is_counted_where_no_region_fits() -> None:
    # One stretch, beside it a free page on either side, too few for any 4K region.
    memory = [(G, G + 9), (G + 11, G + 60)]
    free = [(G + 8, G + 9), (G + 11, G + 12), (G + 30, G + 50)]
    question = ask(memory, free, memory)
    # No gap is there to fill, so nothing but an area besides is looked for.
    assert most_filled(question, {}) == 0
    memory = [(G, G + 9), (G + 11, G + 12), (G + 14, G + 60)]
    free = [(G + 11, G + 12), (G + 30, G + 50)]
    question = ask(memory, free, memory)
    # A region of one page joins both stretches; the 4K region takes an area of its own.
    assert most_filled(question, {}) == 1
    assert excludes_at_once(question, ("areas",), {"areas": 1})
    assert not excludes_at_once(question, ("areas",), {"areas": 2})


def test_cuts_one_by_one_with_few_gaps_filled() -> None:
    # Two gaps of a page in each of two GiBs, so areas look like 1 or 2 if all of them are filled.
    memory: list[tuple[int, int]] = []
    for gib in (1, 2):
        at = gib * G
        memory += [(at, at + 20), (at + 22, at + 23), (at + 25, at + 26), (at + 28, at + G)]
    free = [run for run in memory if run[1] - run[0] in (1, 20)]
    facts = cut_facts(ask(memory, free, memory))
    assert facts.alone == (3, 3)
    both, one = ((0, 0), (1, 1)), ((0, 1),)
    assert sorted(AllCuts(facts, {"areas": 4})) == [both, one]
    at_most = {"areas": 4, "max_areas": 3}
    assert sorted(AllCuts(facts, at_most, few=4)) == [both, one]
    # With two gaps filled at most, one TDMR would have four areas.
    assert sorted(AllCuts(facts, at_most, few=2)) == [both]
    assert sorted(AllCuts(facts, {"areas": 4}, few=1)) == []
