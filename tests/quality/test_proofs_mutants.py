"""Small changes of the stage functions: the theorems about them must notice.

What stays unnoticed is listed with the reason why it is the same function.
"""

from __future__ import annotations

import pytest

from pamt.kernel import areas, contig, layout, memlist, sizes
from pamt.module import accept, words
from pamt.prove import proofs_folder
from pamt.prove.mutation import caught, installed, mutants

STAGES = {
    "lay_out_tdmrs": (layout.lay_out_tdmrs, "t1_layout"),
    "find_holes": (areas.find_holes, "t2_holes"),
    "pamt_sizes": (sizes.pamt_sizes, "t3_pamt_sizes"),
    "need": (words.need, "t3_pamt_sizes"),
    "pamt_regions": (sizes.pamt_regions, "t4_chunk"),
    "inside_runs": (words.inside_runs, "t4_chunk"),
    "available": (words.available, "t5_acceptance"),
    "cmr_runs": (words.cmr_runs, "t5_acceptance"),
    "tdmr_fits": (accept.tdmr_fits, "t12_formula_records"),
    "add_parts": (accept.add_parts, "t12_formula_records"),
    "add_regions": (accept.add_regions, "t12_formula_records"),
    "in_a_run": (accept.in_a_run, "t13_formula_whole"),
    "all_in_runs": (accept.all_in_runs, "t13_formula_whole"),
    "regions_fit": (accept.regions_fit, "t13_formula_whole"),
    "pointers_good": (accept.pointers_good, "t13_formula_whole"),
    "records_good": (accept.records_good, "t13_formula_whole"),
    "accepts": (accept.accepts, "t13_formula_whole"),
    "chunks_inside": (areas.chunks_inside, "t6_areas"),
    "reserve_areas": (areas.reserve_areas, "t6_areas"),
    "first_slot": (contig.first_slot, "t7_slot_scan"),
    "first_slot_address": (contig.first_slot_address, "t7_slot_scan"),
    "build_memory_list": (memlist.build_memory_list, "t11_memory_list"),
    "trim_cmrs": (memlist.trim_cmrs, "t11_memory_list"),
    "first_range_outside_cmrs": (memlist.first_range_outside_cmrs, "t11_memory_list"),
    "home_node": (sizes.home_node, "t11_memory_list"),
}

EQUIVALENT = {
    "all_in_runs": {
        # Starts and ends are filled side by side.
        "True -> False",
    },
    "find_holes": {
        # A range that ends at the TDMR's start sets the walk's end to where it stands.
        "r.end < tdmr.start -> LtE",
    },
    "first_slot": {
        # Leaving the loop early saves time only: beyond the zone's end no slot is accepted.
        "run.start + size -> Sub",
    },
}


@pytest.mark.parametrize("name", STAGES)
def test_stage_mutants_are_noticed(name: str) -> None:
    function, proof = STAGES[name]
    path = proofs_folder() / f"{proof}.py"
    made = mutants(function)
    assert len(made) >= 3
    unnoticed = {m.change.split(" ", 1)[1] for m in made if not caught(function, m, path)}
    assert unnoticed == EQUIVALENT.get(name, set())


def test_a_mutant_is_taken_out_again() -> None:
    made = mutants(layout.lay_out_tdmrs)[0]
    before = layout.lay_out_tdmrs
    with installed(before, made):
        assert layout.lay_out_tdmrs is not before
    assert layout.lay_out_tdmrs is before
