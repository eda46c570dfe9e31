"""The kernel variants: which code is in force.

Source: Linux v6.8 to the 2026 code with Dynamic PAMT, and the postings of the CMR series (2024).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["VARIANTS", "Variant"]


class Variant(NamedTuple):
    name: str
    dynamic_pamt: bool = False
    """The 4K place holds a page bitmap, and SYS.CONFIG is asked for dynamic PAMT."""
    holes_from_cmrs: bool = False
    """Holes are what no CMR covers, instead of what no memory range covers."""
    check_convertible: bool = False
    """Memory that no single CMR contains makes the start fail with -EINVAL."""
    summary: str = ""


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("mainline", summary="torvalds v6.8 and every release since, static PAMT"),
        Variant("dpamt", dynamic_pamt=True, summary="2026 code with Dynamic PAMT in use"),
        Variant(
            "cmr-v8.2",
            holes_from_cmrs=True,
            check_convertible=True,
            summary="last posting of the CMR series; never merged upstream",
        ),
        Variant(
            "cmr-nocheck",
            holes_from_cmrs=True,
            summary="earlier revisions of the CMR series, without the convertibility check",
        ),
    )
}
