"""What a placement question leaves open, and what it wants least of.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

__all__ = [
    "COMPONENTS",
    "DEFAULT_OBJECTIVE",
    "LINUX",
    "MODULE",
    "PRESETS",
    "Objective",
    "PamtShape",
    "ReserveRule",
    "Space",
    "TdmrChoice",
    "parse_objective",
]

TdmrChoice = Literal["kernel", "free"]
PamtShape = Literal["chunk", "split"]
ReserveRule = Literal["memory", "cmr", "minimal"]


class Space(NamedTuple):
    """The set of configurations that a question allows."""

    tdmrs: TdmrChoice = "kernel"
    """``kernel``: the layout Linux computes; ``free``: any cut at GiB borders."""
    pamt: PamtShape = "chunk"
    """``chunk``: 4K, 2M, 1G back to back; ``split``: a chunk, or three separate regions."""
    reserve: ReserveRule = "memory"
    """Which reserved areas a TDMR gets, see :mod:`pamt.placement.shape`."""
    give_up: int = 0
    """Most pages of memory that may be withdrawn before anything else is computed."""

    def __str__(self) -> str:
        return (
            f"--tdmrs {self.tdmrs} --pamt {self.pamt} --reserve {self.reserve}"
            f" --give-up {self.give_up}"
        )


LINUX = Space()
MODULE = Space("free", "split", "minimal", 0)
PRESETS: dict[str, Space] = {"linux": LINUX, "module": MODULE}


class Objective(NamedTuple):
    """What a configuration costs; every component is better when lower."""

    lost: int
    """Pages given up."""
    remote: int
    """Sum over PAMT regions of pages x (distance(home, node) - distance(home, home))."""
    max_areas: int
    """Most reserved areas in one TDMR."""
    areas: int
    """Reserved areas of all TDMRs."""
    tdmrs: int
    """Number of TDMRs."""
    pamt_pages: int
    """4 KiB pages of all PAMT regions."""

    def key(self, order: Sequence[str]) -> tuple[int, ...]:
        """The components named in `order`, in that order: what is compared lexicographically."""
        return tuple(int(getattr(self, name)) for name in order)


COMPONENTS: tuple[str, ...] = Objective._fields
DEFAULT_OBJECTIVE: tuple[str, ...] = COMPONENTS
"""lost, remote, max_areas, areas, tdmrs, pamt_pages."""


def parse_objective(text: str) -> tuple[str, ...]:
    """The order that ``--objective`` names, e.g. ``"remote,areas"``.

    Components left out do not count.  Raises ValueError for an unknown or repeated component, and
    for an empty list.
    """
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [name for name in names if name not in COMPONENTS]
    if unknown:
        raise ValueError(f"unknown component {unknown[0]!r}; known are {', '.join(COMPONENTS)}")
    if len(set(names)) != len(names):
        raise ValueError("a component may be named only once")
    if not names:
        raise ValueError(f"name at least one of {', '.join(COMPONENTS)}")
    return names
