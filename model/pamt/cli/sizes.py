"""``pamt sizes``: how much memory the PAMTs of so many bytes take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pamt.cli.answer import Answer, Output, common, finish

if TYPE_CHECKING:
    from pamt.machine import Limits

__all__ = ["command", "parse_size"]

UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
MOST_SHOWN = 60
_SIZE = re.compile(
    r"\s*(0x[0-9a-f]{1,64}|[0-9]{1,64}(?:\.[0-9]{1,64})?)\s*([kmgt]?)(?:i?b)?\s*", re.IGNORECASE
)


def parse_size(text: str) -> int:
    """Bytes of ``252GiB``, ``1.5T``, ``0x40000000``.

    Units are powers of two.  Raises click.BadParameter.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"expected a size like 252GiB or 0x40000000, found {_shown(text)}")
    from fractions import Fraction

    number, unit = found[1], UNITS[found[2].upper()]
    size = Fraction(int(number, 16)) if number[:2].lower() == "0x" else Fraction(number)
    size *= unit
    if size.denominator != 1:
        raise click.BadParameter(f"{_shown(text)} is not a whole number of bytes")
    return int(size)


def _shown(text: str) -> str:
    return repr(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}...")


def _by_cut(gib: int, limits: Limits, dynamic: bool) -> dict[int, tuple[int, int]]:
    """KB of `gib` GiB cut into 2, 3 and 4 TDMRs: the least and the most, over all cuts.

    Only the 1G level is ever rounded up, as long as a GiB's share of the others is whole pages;
    empty where that is not so, or where a page does not hold a whole number of 1G entries.
    """
    from pamt.kernel.sizes import PAGES_PER_2M, pamt_sizes
    from pamt.ranges import GIB, KIB, PAGE

    entry = limits.pamt_entry_size[2]
    one = pamt_sizes(GIB, limits, dynamic)
    # Of the levels below 1G only the 2M level can have a share of a GiB that is not whole pages.
    if PAGE % entry or PAGES_PER_2M * limits.pamt_entry_size[1] % PAGE:
        return {}
    fits = PAGE // entry
    exact = gib * (one.level_4k + one.level_2m)
    found: dict[int, tuple[int, int]] = {}
    for cut in (2, 3, 4):
        if gib < cut:
            break
        least = max(cut, -(-gib // fits))
        most = cut + (gib - cut) // fits
        found[cut] = ((exact + least * PAGE) // KIB, (exact + most * PAGE) // KIB)
    return found


@click.command("sizes")
@click.argument("size", nargs=-1, required=True)
@click.option("--dynamic", is_flag=True, help="Dynamic PAMT: a bitmap in the 4K place.")
@click.option(
    "--entry-size",
    nargs=3,
    type=click.IntRange(1, 65535),
    default=(16, 16, 16),
    show_default=True,
    help="Bytes of an entry at level 4K, 2M, 1G.",
)
@click.option(
    "--entry-bits", type=click.IntRange(1, 255), default=1, help="Bitmap bits a page (1)."
)
@common
def command(
    size: tuple[str, ...],
    dynamic: bool,
    entry_size: tuple[int, int, int],
    entry_bits: int,
    output: Output,
) -> int:
    """How much memory the PAMTs of so many bytes take.

    Each SIZE is one TDMR (rounded up to whole GiB, as the kernel rounds): 252GiB, 1.5T, 0x40000000.
    """
    from pamt.kernel.sizes import pamt_sizes
    from pamt.machine import ADDRESS_LIMIT, Limits
    from pamt.ranges import GIB, KIB, PAGE, align_up
    from pamt.report.table import table
    from pamt.report.words import count, size_text

    limits = Limits(
        pamt_entry_size=entry_size, dynamic_pamt=dynamic, pamt_page_bitmap_entry_bits=entry_bits
    )
    asked = [parse_size(text) for text in size]
    for given, number in zip(size, asked, strict=True):
        if not 0 < number <= ADDRESS_LIMIT:
            raise click.BadParameter(f"{_shown(given)}: more than 0, at most 2^52 bytes")
    tdmrs = [align_up(number, GIB) for number in asked]
    made = [pamt_sizes(tdmr, limits, dynamic) for tdmr in tdmrs]
    total = sum(sizes.total for sizes in made)

    by_cut = _by_cut(tdmrs[0] // GIB, limits, dynamic) if len(made) == 1 else {}

    def text() -> Iterator[str]:
        yield (
            f"{total // KIB} KB allocated for PAMT, {count(total // PAGE, 'page')}"
            f" ({size_text(total)}) in {count(len(made), 'chunk')}"
        )
        rows = [["TDMR", "4K", "2M", "1G", "chunk"]]
        rows += [
            [size_text(tdmr), *(size_text(part) for part in sizes), size_text(sizes.total)]
            for tdmr, sizes in zip(tdmrs, made, strict=True)
        ]
        yield from table(rows, right=(0, 1, 2, 3, 4))
        if by_cut:
            yield "Cut into more TDMRs, the rounding to pages adds up:"
            for cut, (least, most) in by_cut.items():
                yield f"  {cut} TDMRs: {least}{'' if least == most else f' to {most}'} KB"

    def fields() -> dict[str, Any]:
        return {
            "dynamic_pamt": dynamic,
            "pamt_kb": total // KIB,
            "pamt_pages": total // PAGE,
            "tdmrs": [
                {
                    "size": f"{tdmr:#x}",
                    "pamt_4k": f"{sizes.level_4k:#x}",
                    "pamt_2m": f"{sizes.level_2m:#x}",
                    "pamt_1g": f"{sizes.level_1g:#x}",
                    "nr_pages": sizes.total // PAGE,
                }
                for tdmr, sizes in zip(tdmrs, made, strict=True)
            ],
        }

    return finish(Answer("sizes", None, None, fields, text), output)
