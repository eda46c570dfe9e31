"""The list of what the engine has found by itself, and of what it has shown there is none of.

The items are numbered as FINDINGS.md numbers them.
"""

from __future__ import annotations

from dataclasses import replace

from pamt.machine import Limits
from pamt.verify.assumptions import DEFAULT
from pamt.verify.findings import Cited, Finding, Statement
from pamt.verify.scope import Scope

__all__ = ["CITED", "FINDINGS", "STATEMENTS"]

LOW = Scope()
"""What `pamt verify` and `pamt diff` ask about without options: two ranges below 2 GiB."""

HIGH = Scope(ranges=1, gib=5, first_gib=4)
"""One GiB above 4 GiB: a single zone, Normal.  For scopes with many ranges, which take longest."""

ONE = Scope(ranges=1, gib=1)
"""A single TDMR of 1 GiB."""

TWO_AREAS = replace(LOW, cmrs=2, limits=Limits(max_tdmrs=4, max_reserved_per_tdmr=2))

FINDINGS: tuple[Finding, ...] = (
    Finding(
        "1a",
        "areas-stage-16-ranges",
        "stage:areas",
        "never:ENOSPC_reserved",
        replace(LOW, ranges=16, gib=1),
        "holes alone exhaust the 16 areas of a TDMR from 16 memory ranges on; 15 never do",
    ),
    Finding(
        "1b",
        "areas-with-pamts-15-ranges",
        "linux:mainline",
        "complete:linux@ENOSPC_reserved",
        replace(HIGH, ranges=15, gib=6),
        "with PAMTs 15 ranges suffice, although PAMTs in the other TDMR would do; 14 never do",
    ),
    Finding(
        "1b",
        "areas-with-pamts-15-ranges-module",
        "linux:mainline",
        "complete:module@ENOSPC_reserved",
        replace(HIGH, ranges=15),
        "one GiB with 15 ranges fails, although the module accepts a configuration",
    ),
    Finding(
        "2",
        "stride-misses-a-run",
        "linux:mainline",
        "complete:linux@ENOMEM_pamt",
        LOW,
        "the fixed stride of the slot scan misses a free run that is big enough",
    ),
    Finding(
        "2",
        "stride-misses-a-run-above-4g",
        "linux:mainline",
        "complete:linux@ENOMEM_pamt",
        HIGH,
        "the same in zone Normal",
    ),
    Finding(
        "2",
        "stride-longest-run",
        "linux:mainline",
        "docs/examples/predicates.py:a_run_of_2052_pages_is_found",
        ONE,
        "the longest run that is missed, for a TDMR of 1 GiB (1027 pages of PAMT): 2052 pages",
    ),
    Finding(
        "3",
        "areas-exhausted-by-pamts",
        "linux:mainline",
        "complete:linux@ENOSPC_reserved",
        replace(
            HIGH,
            ranges=3,
            gib=7,
            limits=Limits(max_tdmrs=8, max_reserved_per_tdmr=2),
            assumptions=(DEFAULT | {"whole-gib"}) - {"apart"},
        ),
        "PAMTs pile up in the first TDMR of a node and exhaust its areas, with no hole anywhere"
        " (2 areas: 3 TDMRs)",
    ),
    Finding(
        "3",
        "areas-exhausted-by-pamts-real-limits",
        "linux:mainline",
        "complete:linux@ENOSPC_reserved",
        replace(
            HIGH,
            ranges=17,
            fewest_ranges=16,
            gib=21,
            assumptions=(DEFAULT | {"whole-gib"}) - {"apart"},
        ),
        "the same at the real limit of 16: 17 TDMRs on one node; 16 never do",
    ),
    Finding(
        "4",
        "node-without-tdmr",
        "linux:mainline",
        "docs/examples/predicates.py:every_node_is_at_home",
        replace(LOW, nodes=2),
        "a node whose memory lies inside another's rounded GiB is no TDMR's home",
    ),
    Finding(
        "4",
        "node-without-tdmr-remote",
        "linux:mainline",
        "docs/examples/predicates.py:metadata_is_at_home",
        replace(LOW, nodes=2),
        "what that does to locality: every page of such a node has its metadata on another node,"
        " however much of its own is free",
    ),
    Finding(
        "5",
        "not-accepted-unless-convertible",
        "linux:mainline",
        "accepted",
        replace(LOW, assumptions=DEFAULT - {"convertible"}),
        "memory outside of the CMRs is only noticed by the module",
    ),
    Finding(
        "6",
        "touching-cmrs-refused",
        "linux:cmr-v8.2",
        "complete:module@EINVAL_memlist_not_in_cmr",
        replace(LOW, cmrs=2),
        "cmr-v8.2 refuses a range across two CMRs that touch; the module would accept",
    ),
    Finding(
        "6",
        "nocheck-loses-memory",
        "linux:cmr-nocheck",
        "covered",
        replace(LOW, assumptions=DEFAULT - {"convertible"}),
        "cmr-nocheck succeeds and silently reserves memory that no CMR holds",
    ),
    Finding(
        "6",
        "nocheck-null-cmr",
        "linux:cmr-nocheck",
        "covered",
        replace(LOW, cmrs=3, assumptions=DEFAULT - {"no-null-cmr"}),
        "a null CMR hides the ones after it: convertible memory is taken out of use",
    ),
    Finding(
        "6",
        "nocheck-null-cmr-in-the-middle",
        "linux:cmr-nocheck",
        "docs/examples/predicates.py:memory_behind_a_null_cmr_stays",
        replace(LOW, cmrs=3, assumptions=DEFAULT - {"no-null-cmr"}),
        "the same with the null CMR between two others: all memory behind it is reserved, and the"
        " policy reports success",
    ),
    Finding(
        "10",
        "nocheck-not-accepted",
        "linux:cmr-nocheck",
        "accepted",
        replace(LOW, assumptions=DEFAULT - {"convertible"}),
        "cmr-nocheck can hand over overlapping areas: a PAMT inside of a hole",
    ),
    Finding(
        "7",
        "works-on-mainline-only",
        "linux:mainline",
        "linux:cmr-v8.2: success -> EINVAL_memlist_not_in_cmr",
        replace(LOW, cmrs=2),
        "works on mainline, fails on cmr-v8.2",
    ),
    Finding(
        "7",
        "works-on-cmr-only",
        "linux:mainline",
        "linux:cmr-v8.2: ENOSPC_reserved -> success",
        replace(HIGH, ranges=15, fewest_ranges=14),
        "works on cmr-v8.2, fails on mainline (real limits)",
    ),
    Finding(
        "7",
        "cmr-holes-exhaust-areas",
        "linux:mainline",
        "linux:cmr-v8.2: success -> ENOSPC_reserved",
        TWO_AREAS,
        "CMRs with more gaps than the memory list: cmr-v8.2 runs out of areas (2 areas)",
    ),
    Finding(
        "7",
        "cmr-joins-holes",
        "linux:mainline",
        "linux:cmr-v8.2: ENOSPC_reserved -> success",
        TWO_AREAS,
        "the other way round: holes inside of a CMR cost cmr-v8.2 nothing (2 areas)",
    ),
    Finding(
        "7",
        "other-failure-no-room",
        "linux:mainline",
        "linux:cmr-v8.2: ENOMEM_pamt -> EINVAL_memlist_not_in_cmr",
        TWO_AREAS,
        "both fail: mainline looks for room, cmr-v8.2 refuses before it looks",
    ),
    Finding(
        "7",
        "other-failure-no-areas",
        "linux:mainline",
        "linux:cmr-v8.2: ENOSPC_reserved -> EINVAL_memlist_not_in_cmr",
        TWO_AREAS,
        "both fail: mainline runs out of areas, cmr-v8.2 refuses before it counts (2 areas)",
    ),
    Finding(
        "8",
        "dynamic-pamt-fits",
        "linux:mainline",
        "linux:dpamt: ENOMEM_pamt -> success",
        LOW,
        "less memory than one static chunk is enough for Dynamic PAMT",
    ),
    Finding(
        "8",
        "dynamic-pamt-exhausts-areas",
        "linux:dpamt",
        "no-worse-than:linux:mainline",
        replace(HIGH, ranges=3, gib=6, limits=Limits(max_tdmrs=4, max_reserved_per_tdmr=3)),
        "the small chunk of Dynamic PAMT fits into a scrap of memory in a TDMR full of holes, where"
        " the large one of mainline had to go elsewhere: Dynamic PAMT runs out of areas on a map"
        " that works without (3 areas)",
    ),
    Finding(
        "8",
        "dynamic-pamt-exhausts-areas-real-limits",
        "linux:dpamt",
        "no-worse-than:linux:mainline",
        replace(HIGH, ranges=15, fewest_ranges=14, gib=6),
        "the same at the real limit of 16: 15 ranges; 14 never do",
    ),
    Finding(
        "9",
        "greedy-fails",
        "greedy",
        "complete:linux",
        replace(
            HIGH,
            ranges=3,
            free=2,
            gib=8,
            assumptions=(DEFAULT | {"whole-gib"}) - {"apart", "free-is-memory"},
        ),
        "greedy puts the largest chunk into the first run that holds it, where the two smaller ones"
        " would have fitted exactly",
    ),
    Finding(
        "10",
        "not-local",
        "linux:mainline",
        "local",
        replace(LOW, nodes=2),
        "a PAMT goes to another node although a free run of the home node could hold it",
    ),
    Finding(
        "10",
        "node-numbers-matter",
        "linux:mainline",
        "renaming",
        replace(LOW, ranges=3, nodes=3, gib=1),
        "with three nodes at equal distances, other node numbers move a PAMT to another node",
    ),
    Finding(
        "10",
        "zone-border-parts-a-run",
        "linux:mainline",
        "docs/examples/predicates.py:a_run_of_2053_pages_is_found",
        replace(ONE, free=1, assumptions=DEFAULT - {"free-is-memory"}),
        "a free run across the border of zones DMA and DMA32 at 16 MiB is missed although it has"
        " 2560 pages: the scan sees two runs, each too short for it",
    ),
    Finding(
        "10",
        "one-page-costs-two-areas",
        "linux:mainline",
        "complete:linux --give-up 1@ENOSPC_reserved",
        replace(TWO_AREAS, cmrs=1, gib=1),
        "a memory range of a single page parts one hole in two: without that page the areas suffice"
        " (2 areas)",
    ),
)

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "2",
        "stride-finds-2053-pages",
        "linux:mainline",
        "docs/examples/predicates.py:a_run_of_2053_pages_is_found",
        ONE,
        "a run of 2053 pages is always found",
    ),
    Statement(
        "2",
        "stride-finds-2053-pages-above-4g",
        "linux:mainline",
        "docs/examples/predicates.py:a_run_of_2053_pages_is_found",
        replace(HIGH, free=3, assumptions=DEFAULT - {"free-is-memory"}),
        "the same in zone Normal, for any free runs",
    ),
    Statement(
        "1a",
        "areas-stage-none-below",
        "stage:areas",
        "never:ENOSPC_reserved",
        replace(LOW, ranges=15, gib=1),
        "up to 15 ranges never exhaust the 16 areas of a TDMR by holes alone",
    ),
    Statement(
        "1b",
        "areas-with-pamts-none-below",
        "linux:mainline",
        "complete:linux@ENOSPC_reserved",
        replace(HIGH, ranges=14, gib=6),
        "with up to 14 ranges areas never run out, so not where a configuration exists",
    ),
    Statement(
        "1b",
        "areas-with-pamts-none-below-module",
        "linux:mainline",
        "complete:module@ENOSPC_reserved",
        replace(HIGH, ranges=14),
        "with up to 14 ranges in one GiB areas never run out, so not where the module accepts any",
    ),
    Statement(
        "3",
        "areas-exhausted-by-pamts-none-below",
        "linux:mainline",
        "never:ENOSPC_reserved",
        replace(
            HIGH,
            ranges=16,
            gib=20,
            fewest_ranges=16,
            assumptions=(DEFAULT | {"whole-gib"}) - {"apart"},
        ),
        "16 TDMRs on one node without holes never exhaust the areas",
    ),
    Statement(
        "5",
        "accepted-if-convertible",
        "linux:mainline",
        "accepted",
        replace(HIGH, ranges=3, gib=6),
        "with convertible memory every success of mainline is TDX_SUCCESS, in scope",
    ),
    Statement(
        "5",
        "accepted-if-convertible-two-nodes",
        "linux:mainline",
        "accepted",
        replace(HIGH, ranges=2, gib=7, nodes=2),
        "the same with two nodes",
    ),
    Statement(
        "5",
        "accepted-if-convertible-low",
        "linux:mainline",
        "accepted",
        LOW,
        "the same below 2 GiB, where a node has more than one zone",
    ),
    Statement(
        "9",
        "greedy-is-complete-for-two-ranges",
        "greedy",
        "complete:linux",
        replace(HIGH, ranges=2, free=2, gib=7, assumptions=DEFAULT - {"free-is-memory"}),
        "with one or two memory ranges, wherever they begin and end, greedy fails only where"
        " nothing exists",
    ),
    Statement(
        "9",
        "greedy-is-local",
        "greedy",
        "local",
        replace(HIGH, ranges=2, nodes=2, free=2, gib=6, assumptions=DEFAULT - {"free-is-memory"}),
        "greedy never goes to another node while a free run of the home node could hold the chunk",
    ),
)

CITED: tuple[Cited, ...] = (
    Cited(
        "2",
        "t7-slot-scan",
        "prove t7_slot_scan",
        "HOLDS",
        "no bound on anything: a free run of 2 nr - 1 pages in a zone always holds a slot for nr"
        " pages, one of 2 nr - 2 pages need not; (n + 1) nr - 1 for n chunks, exactly. For a TDMR"
        " of 1 GiB nr is 1027: 2053 pages",
    ),
    Cited(
        "5",
        "t5-acceptance",
        "prove t5_acceptance",
        "HOLDS",
        "no bound on the map: a success of mainline breaks none of the 28 rules of TDH.SYS.CONFIG;"
        " it takes at most 22 KeyID bits, so that addresses end on a GiB border",
    ),
    Cited(
        "10",
        "one-page-less",
        "repair specs/machines/emr-fcp-issue135.toml",
        "OPTIMAL",
        "on the map of canonical/tdx issue 135 mainline fails, and succeeds when any single page"
        " of [0x101000, 0x40000000) is withdrawn: the memory range falls in two, and the kernel"
        " then cuts the TDMR at 1 GiB. 261,889 single pages help in all",
    ),
    Cited(
        "10",
        "t10-necessary",
        "prove t10_necessary",
        "HOLDS",
        "no assumption of T5 can be dropped, a map for each: with 28 KeyID bits a TDMR reaches"
        " beyond the last address. An assumption that the list is not empty is not needed: an"
        " empty list is never a success",
    ),
    Cited(
        "10",
        "startup",
        "prove startup",
        "HOLDS",
        "the start-up's violations, each with its shortest trace (docs/proofs.md): after a"
        " KEY.CONFIG that fails PAMT pages are free which the module still has in its table; a"
        " later kernel, started by kexec, starts the module again after an error",
    ),
    Cited(
        "10",
        "t6-areas",
        "prove t6_areas",
        "HOLDS",
        "one chunk never needs more areas than its three parts under Linux' rule and under the"
        " rule of cmr-v8.2; under the module's own rule it can, a map is shown",
    ),
)
