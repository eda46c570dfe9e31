"""T3: how large the PAMTs of a TDMR are, in closed form, and that the module never needs more.

`pamt_sizes` has no loop: it is called on a TDMR of N GiB, N unknown, and answers the formulas.
"""

from __future__ import annotations

from typing import Any

from pamt.kernel.sizes import PamtSizes, pamt_sizes
from pamt.machine import Limits
from pamt.module.words import need
from pamt.prove import Claim, Obligation, Theorem
from pamt.prove.stages import answer
from pamt.prove.terms import both, equal, integer
from pamt.ranges import GIB, PAGE

N = integer("N")
E4, E2, E1, BITS = (integer(name) for name in ("e4", "e2", "e1", "bits"))
SOME = {"at least one GiB": N >= 1}


def ceiling(value: Any, divisor: int) -> Any:
    return (value + (divisor - 1)) // divisor


def general(dynamic: bool = False) -> PamtSizes:
    limits = Limits(pamt_entry_size=(E4, E2, E1), pamt_page_bitmap_entry_bits=BITS)
    return pamt_sizes(N * GIB, limits, dynamic)


def static_closed_form() -> Claim:
    total = pamt_sizes(N * GIB, Limits(), False).total
    return Claim({"pages": equal(total, PAGE * (1024 * N + 2 * N + ceiling(N, 256)))}, given=SOME)


def dynamic_closed_form() -> Claim:
    total = pamt_sizes(N * GIB, Limits(), True).total
    return Claim({"pages": equal(total, PAGE * (8 * N + 2 * N + ceiling(N, 256)))}, given=SOME)


def general_4k() -> Claim:
    return Claim({"level 4K": equal(general().level_4k, PAGE * 64 * (N * E4))})


def general_2m() -> Claim:
    return Claim({"level 2M": equal(general().level_2m, PAGE * ceiling(N * E2, 8))})


def general_1g() -> Claim:
    return Claim({"level 1G": equal(general().level_1g, PAGE * ceiling(N * E1, PAGE))})


def general_bitmap() -> Claim:
    return Claim({"bitmap": equal(general(True).level_4k, PAGE * 8 * (N * BITS))})


def smallest() -> Claim:
    """Each level is what the entries take, rounded up to 4 KiB and no further."""
    sizes = general()
    wanted = (N * E4 * (1 << 18), N * E2 * 512, N * E1)
    parts: dict[str, Any] = {}
    for level, have, least in zip(("4K", "2M", "1G"), sizes, wanted, strict=True):
        parts[f"{level} is enough"] = have >= least
        parts[f"{level} is not a page too large"] = have < least + PAGE
        parts[f"{level} is whole pages"] = equal(have % PAGE, 0)
    return Claim(parts)


def need_exact() -> Claim:
    """What the rule P_SIZE compares with, for any entry sizes: not rounded."""
    limits = Limits(pamt_entry_size=(E4, E2, E1), pamt_page_bitmap_entry_bits=BITS)
    size = N * GIB
    return Claim(
        {
            "4K": equal(answer(need, size, 0, limits, False), (1 << 18) * (N * E4)),
            "2M": equal(answer(need, size, 1, limits, False), 512 * (N * E2)),
            "1G": equal(answer(need, size, 2, limits, False), N * E1),
            "bitmap": equal(answer(need, size, 0, limits, True), (1 << 15) * (N * BITS)),
            "2M, dynamic": equal(answer(need, size, 1, limits, True), 512 * (N * E2)),
            "1G, dynamic": equal(answer(need, size, 2, limits, True), N * E1),
        }
    )


def module_need() -> Claim:
    """The rule P_SIZE of a module with 16-byte entries, for a kernel told of larger ones."""
    return Claim(
        {
            level: general()[at] >= answer(need, N * GIB, at, Limits(), False)
            for at, level in enumerate(("4K", "2M", "1G"))
        },
        needs={
            "4K entries of 16 bytes or more": N * E4 >= 16 * N,
            "2M entries of 16 bytes or more": N * E2 >= 16 * N,
            "1G entries of 16 bytes or more": N * E1 >= 16 * N,
        },
        given=SOME,
    )


def module_need_dynamic() -> Claim:
    """With dynamic PAMT the 4K place holds a bitmap: one bit a page, for the module."""
    return Claim(
        {"bitmap": general(True).level_4k >= answer(need, N * GIB, 0, Limits(), True)},
        needs={"a bit a page or more": N * BITS >= N},
        given=SOME,
    )


def products() -> Claim:
    """Entries of at least 16 bytes: what the other obligations assume of the products N e."""
    e = integer("e")
    return Claim({"product": N * e >= 16 * N}, needs={"entry": e >= 16}, given=SOME)


def products_bits() -> Claim:
    return Claim({"product": N * BITS >= N}, needs={"bits": BITS >= 1}, given=SOME)


def positive() -> Claim:
    sizes = general()
    return Claim(
        {"4K": sizes.level_4k >= PAGE, "2M": sizes.level_2m >= PAGE, "1G": sizes.level_1g >= PAGE},
        given={**SOME, "entries": both(N * E4 >= N, N * E2 >= N, N * E1 >= N)},
    )


def _mutant(name: str, says: str, pages: Any, dynamic: bool = False) -> Obligation:
    def claim() -> Claim:
        total = pamt_sizes(N * GIB, Limits(), dynamic).total
        return Claim({"pages": equal(total, PAGE * pages)}, given=SOME)

    return Obligation(name, says, claim)


def _mutant_general(name: str, says: str, claim: Any) -> Obligation:
    return Obligation(name, says, claim)


THEOREM = Theorem(
    name="t3_pamt_sizes",
    short="T3",
    title="PAMT sizes in closed form, never below the module's need",
    statement="A TDMR of N GiB with 16-byte entries has PAMTs of 1024 N + 2 N + ceil(N / 256) pages"
    " in all, with dynamic PAMT and one bit a page 8 N + 2 N + ceil(N / 256). For any entry sizes"
    " each level is the entries' bytes rounded up to 4 KiB, and at least what the module asks for"
    " when entries are of 16 bytes or more (a bit or more for the bitmap).",
    formal="pages(N) = 1026 N + ceil(N/256); level_l = 4096 ceil(count_l e_l / 4096)"
    " >= 16 count_l for e_l >= 16",
    trusts="need(level) as compared with the module's own code: 16 bytes an entry, not rounded.",
    obligations=(
        Obligation("static", "1024 N + 2 N + ceil(N/256) pages", static_closed_form),
        Obligation("dynamic", "8 N + 2 N + ceil(N/256) pages", dynamic_closed_form),
        Obligation("general-4k", "the 4K level is 64 N e4 pages", general_4k, True),
        Obligation("general-2m", "the 2M level is ceil(N e2 / 8) pages", general_2m, True),
        Obligation("general-1g", "the 1G level is ceil(N e1 / 4096) pages", general_1g, True),
        Obligation("general-bitmap", "the bitmap is 8 N bits pages", general_bitmap, True),
        Obligation("smallest", "rounded up to 4 KiB and no further", smallest, True),
        Obligation("positive", "no level is empty", positive, True),
        Obligation("products", "entries of 16 bytes: N e >= 16 N", products),
        Obligation("products-bits", "a bit or more: N bits >= N", products_bits),
        Obligation("need-exact", "the module's need, every level", need_exact, True),
        Obligation("module-need", "at least the module's need, every level", module_need, True),
        Obligation(
            "module-need-dynamic",
            "the bitmap is at least what is needed",
            module_need_dynamic,
            True,
        ),
    ),
    mutants=(
        _mutant("one page less", "a page less", 1026 * N + ceiling(N, 256) - 1),
        _mutant("rounded down", "the 1G level rounded down", 1026 * N + N // 256),
        _mutant("one page for 1G", "always one page of 1G level", 1026 * N + 1),
        _mutant("1G by 128", "twice the 1G level", 1026 * N + ceiling(N, 128)),
        _mutant("dynamic as static", "the bitmap as large as the entries", 1026 * N + 1, True),
        _mutant_general(
            "2M always exact",
            "the 2M level without rounding",
            lambda: Claim({"level 2M": equal(general().level_2m, 512 * (N * E2))}),
        ),
        _mutant_general(
            "page-sized need",
            "a page more than the entries take, at every level",
            lambda: Claim({"4K": general().level_4k >= N * E4 * (1 << 18) + 1}),
        ),
    ),
)
