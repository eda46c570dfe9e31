"""T10: every assumption of T5 is needed: a map without it that mainline accepts and the module not.

The limits that the kernel was told stand in the map; the module that answers is the real one
(64 TDMRs, 16 areas, 16-byte entries).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pamt.kernel.areas import UNALIGNED, reserve_areas
from pamt.kernel.contig import ContigAllocator
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange
from pamt.module.check import check
from pamt.module.status import Status
from pamt.outcome import Outcome
from pamt.policies.linux import mainline
from pamt.policies.protocol import run_policy
from pamt.prove import Check, Claim, Evidence, Obligation, Theorem, load_theorems
from pamt.prove.stages import turn
from pamt.prove.terms import both, either, equal, implies, integer, negate
from pamt.ranges import GIB, MIB, PAGE, Range
from pamt.standins import complete
from pamt.verify.interp import GuardedList

REAL = Limits()


def answer(machine: Machine) -> tuple[Outcome, Status | None]:
    """What mainline answers, and what the real module answers to a success."""
    ready = complete(machine).machine
    outcome = run_policy(mainline, ready)
    if not outcome.succeeded or ready.cmrs is None:
        return outcome, None
    limits = replace(REAL, keyid_bits=machine.limits.keyid_bits)
    return outcome, check(outcome.configuration(), ready.cmrs, limits)


def refused(machine: Machine, status_name: str) -> Callable[[], Evidence]:
    def run() -> Evidence:
        outcome, status = answer(machine)
        if status is None:
            return Evidence(False, f"mainline fails: {outcome.reason}")
        return Evidence(status.name == status_name, f"mainline succeeds, the module: {status.name}")

    return run


def accepted(machine: Machine) -> Callable[[], Evidence]:
    """For mutants: the same map with the assumption kept must not be refused."""

    def run() -> Evidence:
        _, status = answer(machine)
        return Evidence(status is not None and not status.accepted, "")

    return run


def _map(
    *memory: tuple[int, int],
    cmrs: tuple[Cmr, ...] | None = None,
    free: tuple[tuple[int, int], ...] | None = None,
    limits: Limits = REAL,
) -> Machine:
    runs = memory if free is None else free
    return Machine(
        "t10",
        limits=limits,
        cmrs=cmrs,
        memory=tuple(MemoryRange(*r) for r in memory),
        free=tuple(FreeRun(*r) for r in runs),
    )


ONE = (GIB, 2 * GIB)
FULL = (Cmr(GIB, GIB),)
GOOD = _map(ONE, cmrs=FULL)

UNSORTED = _map((2 * GIB, 3 * GIB), ONE, cmrs=(Cmr(GIB, 2 * GIB),), free=((2 * GIB, 3 * GIB),))
"""The second range lies below the first TDMR: it gets none, and the walk for holes turns back."""

OVERLAPPING = _map(
    ONE,
    (GIB + 512 * MIB, GIB + 512 * MIB + PAGE),
    cmrs=FULL,
    free=((GIB + 768 * MIB, 2 * GIB),),
)
"""A range inside another: what follows it in the outer one is taken for a hole."""

OUTSIDE = _map(ONE, cmrs=(Cmr(GIB, GIB - PAGE),), free=((GIB, GIB + 64 * MIB),))
FREE_OUTSIDE = _map(
    (GIB, GIB + 256 * MIB),
    (GIB + 768 * MIB, 2 * GIB),
    cmrs=FULL,
    free=((GIB + 256 * MIB, GIB + 768 * MIB),),
)
CMRS_UNSORTED = _map(ONE, cmrs=(Cmr(GIB, GIB), Cmr(0, GIB)))
MANY = tuple((n * GIB, n * GIB + GIB) for n in range(1, 66))
TDMRS_65 = _map(
    *MANY,
    cmrs=(Cmr(GIB, 65 * GIB),),
    limits=replace(REAL, max_tdmrs=65, max_reserved_per_tdmr=128),
)
TDMRS_64 = _map(
    *MANY[:64],
    cmrs=(Cmr(GIB, 64 * GIB),),
    free=tuple((start, start + 8 * MIB) for start, _ in MANY[:64]),
)
HOLED = tuple((GIB + n * 32 * MIB, GIB + n * 32 * MIB + 31 * MIB) for n in range(17))
AREAS_17 = _map(*HOLED, cmrs=FULL, limits=replace(REAL, max_reserved_per_tdmr=18))
AREAS_16 = _map(*HOLED[:15], cmrs=FULL)
ENTRY_4K = _map(ONE, cmrs=FULL, limits=replace(REAL, pamt_entry_size=(8, 16, 16)))
ENTRY_2M = _map(ONE, cmrs=FULL, limits=replace(REAL, pamt_entry_size=(16, 8, 16)))
LARGE = (GIB, 258 * GIB)
ENTRY_1G = _map(
    LARGE, cmrs=(Cmr(GIB, 257 * GIB),), limits=replace(REAL, pamt_entry_size=(16, 16, 8))
)
KEYS = 28
BEYOND = 1 << (52 - KEYS)
KEYID = _map(
    (0, BEYOND),
    cmrs=(Cmr(0, BEYOND),),
    free=((MIB, BEYOND),),
    limits=replace(REAL, keyid_bits=KEYS),
)
"""With 28 KeyID bits addresses end at 16 MiB: one TDMR reaches beyond."""


def empty_never_succeeds() -> Evidence:
    """An empty list is no success, so T5 need not exclude it."""
    machine = Machine("t10", cmrs=FULL, memory=(MemoryRange(0, MIB),), free=())
    outcome, _ = answer(machine)
    nothing = ContigAllocator((), ()).contig(0, 0)
    return Evidence(outcome.reason == "ENOMEM_pamt" and nothing is None, outcome.reason)


def unaligned_never_succeeds() -> Claim:
    """A hole that is not whole pages ends in -EINVAL, so T5 need not exclude it."""
    tdmr = Range(integer("tdmr_start"), integer("tdmr_end"))
    piece = Range(integer("piece_start"), integer("piece_end"))
    state = {"tdmr": tdmr, "areas": GuardedList(), "count": integer("count"), "max_reserved": 16}
    made = turn(reserve_areas, state, piece)
    stopped = either(*(r.guard for r in made.returns if r.value.stop == UNALIGNED))
    whole = both(equal(piece.start % PAGE, 0), equal(piece.end % PAGE, 0))
    return Claim(
        {"not filled": implies(negate(whole), stopped)},
        needs={"TDMR in pages": equal(tdmr.start % PAGE, 0)},
    )


ASSUMED = {
    "sorted": ("sorted",),
    "disjoint": ("disjoint",),
    "page aligned": ("unaligned",),
    "inside CMR runs": ("inside-cmrs",),
    "free runs inside the list": ("free-in-list",),
    "a CMR list that passes TDH.SYS.INIT": ("cmr-list",),
    "at most 16 areas": ("area-limit",),
    "64 TDMRs": ("tdmr-limit",),
    "entries of at least 16 bytes": ("entry-4k", "entry-2m", "entry-1g"),
    "at most 22 KeyID bits": ("keyid-bits",),
}
"""What T5 assumes, in its own words, and where it is dropped here."""


def every_assumption() -> Evidence:
    """Nothing is left of T5's conditions when those dropped here are taken out."""
    (t5,) = load_theorems(("t5",))
    text = t5.statement.partition(" on a list of ")[2].partition(", is answered ")[0]
    there = {part.name for part in THEOREM.obligations}
    missing = sorted(name for names in ASSUMED.values() for name in names if name not in there)
    for words in ASSUMED:
        if words not in text:
            missing.append(words)
        text = text.replace(words, "")
    left = set(text.replace(",", " ").split()) - {"ranges", "with", "limits", "of", "and"}
    missing += sorted(left)
    return Evidence(not missing, ", ".join(missing) or f"{len(ASSUMED)} assumptions")


THEOREM = Theorem(
    name="t10_necessary",
    short="T10",
    title="No assumption of T5 can be dropped",
    statement="Without any single one of the assumptions of T5 the statement is false: for each"
    " there is a map on which linux:mainline succeeds and TDH.SYS.CONFIG refuses. Two conditions"
    " that one might add are not needed: an empty list and unaligned holes are never a success.",
    formal="for each assumption A of T5: exists map: not A, mainline succeeds, module refuses",
    obligations=(
        Check("sorted", "ranges not sorted", refused(UNSORTED, "TDX_NON_ORDERED_RESERVED_IN_TDMR")),
        Check(
            "disjoint",
            "ranges overlap",
            refused(OVERLAPPING, "TDX_NON_ORDERED_RESERVED_IN_TDMR"),
        ),
        Check("inside-cmrs", "a page outside every CMR", refused(OUTSIDE, "TDX_TDMR_OUTSIDE_CMRS")),
        Check(
            "free-in-list",
            "free pages outside the list",
            refused(FREE_OUTSIDE, "TDX_NON_ORDERED_RESERVED_IN_TDMR"),
        ),
        Check("cmr-list", "CMRs not in order", refused(CMRS_UNSORTED, "TDX_CMR_LIST_INVALID")),
        Check("tdmr-limit", "65 TDMRs", refused(TDMRS_65, "TDX_OPERAND_INVALID")),
        Check(
            "area-limit", "more than 16 areas", refused(AREAS_17, "TDX_INVALID_RESERVED_IN_TDMR")
        ),
        Check("entry-4k", "4K entries of 8 bytes", refused(ENTRY_4K, "TDX_INVALID_PAMT")),
        Check("entry-2m", "2M entries of 8 bytes", refused(ENTRY_2M, "TDX_INVALID_PAMT")),
        Check("entry-1g", "1G entries of 8 bytes", refused(ENTRY_1G, "TDX_INVALID_PAMT")),
        Check("keyid-bits", "28 KeyID bits", refused(KEYID, "TDX_INVALID_TDMR")),
        Check("empty-list", "an empty list is never a success", empty_never_succeeds),
        Check("every-assumption", "each assumption of T5 is dropped here", every_assumption),
        Obligation("unaligned", "an unaligned hole is never a success", unaligned_never_succeeds),
    ),
    mutants=(
        Check("all kept", "a map that meets every assumption is refused", accepted(GOOD)),
        Check("64 TDMRs", "64 TDMRs are refused", accepted(TDMRS_64)),
        Check("16 areas", "16 areas are refused", accepted(AREAS_16)),
        Check(
            "22 KeyID bits",
            "22 KeyID bits are refused",
            accepted(_map((0, GIB), cmrs=(Cmr(0, GIB),), limits=replace(REAL, keyid_bits=22))),
        ),
        Check(
            "touching ranges",
            "ranges across touching CMRs are refused",
            accepted(_map(ONE, cmrs=(Cmr(GIB, 512 * MIB), Cmr(GIB + 512 * MIB, 512 * MIB)))),
        ),
    ),
)
