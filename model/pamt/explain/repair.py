"""Repairs as data: what was found, what it costs, how it is put to use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pamt.configuration import Configuration
from pamt.explain.changes import Trial
from pamt.explain.sweep import PageClass
from pamt.machine import Machine
from pamt.ranges import PAGE, Range

__all__ = [
    "Missing",
    "No",
    "Repair",
    "Repairs",
    "boot_lines",
    "memmap",
    "ranges_text",
    "tried",
]


@dataclass(frozen=True, slots=True)
class Repair:
    """One change after which the policy works, tried out.

    `machine` is the changed machine, where the machine is what changes; a change of software has
    the `configuration` only.
    `cost` counts pages withdrawn, freed or reserved (0 for a change of software); within its kind
    nothing cheaper than `bound` works.  `ranges` are the pages concerned.
    `alternatives` are further single changes of the same cost.
    """

    kind: str
    cost: int
    bound: int
    summary: str
    actions: tuple[str, ...] = ()
    """What somebody does, in the order in which it is done."""
    ranges: tuple[Range, ...] = ()
    alternatives: tuple[PageClass, ...] = ()
    max_areas: int = 0
    pamt_kb: int = 0
    configuration: Configuration | None = None
    machine: Machine | None = None
    details: tuple[str, ...] = ()
    """What the actions speak of, one line for each TDMR."""

    @property
    def optimal(self) -> bool:
        """Proven cheapest within its kind."""
        return self.cost <= self.bound


class No(NamedTuple):
    """No repair, and whether that is proven."""

    reason: str
    proven: bool


class Missing(NamedTuple):
    """Why there is no repair of a kind, or that none was found."""

    kind: str
    reason: str
    proven: bool
    """No repair of this kind exists."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """What a search for repairs found; `trial` is the policy's run on the machine as it is."""

    trial: Trial
    found: tuple[Repair, ...] = ()
    missing: tuple[Missing, ...] = ()
    stopped: str | None = None
    """Why the search ended before its time, in words; what it had found by then is here."""
    kinds: tuple[str, ...] = ()
    """The kinds that were asked for, the one to prefer first."""

    @property
    def needed(self) -> bool:
        """The policy does not work as it is."""
        return not self.trial.works

    @property
    def best(self) -> Repair | None:
        """The first repair: kinds come in the order in which they disturb least."""
        return self.found[0] if self.found else None

    @property
    def unsettled(self) -> tuple[Missing, ...]:
        """What stands open of the kinds to be preferred to `best`; of all kinds without one."""
        before = self.kinds
        if self.best is not None:
            before = before[: before.index(self.best.kind)]
        return tuple(m for m in self.missing if m.kind in before and not m.proven)

    @property
    def verdict(self) -> str:
        """OPTIMAL, FEASIBLE, INFEASIBLE, UNDECIDED (docs/design.md, section 7)."""
        if not self.needed:
            return "OPTIMAL"
        if self.best is not None:
            settled = self.best.optimal and not self.unsettled and self.stopped is None
            return "OPTIMAL" if settled else "FEASIBLE"
        return "INFEASIBLE" if all(m.proven for m in self.missing) else "UNDECIDED"


def memmap(gone: Range) -> str:
    """The kernel parameter that keeps Linux from using `gone`."""
    unit, shift = ("K", 10)
    for name, bits in (("G", 30), ("M", 20)):
        if gone.size % (1 << bits) == 0:
            unit, shift = name, bits
            break
    return f"memmap={gone.size >> shift}{unit}${gone.start:#x}"


def boot_lines(gone: Sequence[Range]) -> tuple[str, ...]:
    """How to hand ``memmap=`` to the kernel: ``$`` means something to shells and to GRUB."""
    words = " ".join(memmap(r) for r in gone)
    quoted = words.replace("$", "\\$")
    grub = words.replace("$", "\\\\\\$")
    return (
        f"kernel command line:  {words}",
        f"in a shell:           '{words}'",
        f'/etc/default/grub:    GRUB_CMDLINE_LINUX="... {grub}"   then update-grub',
        f"grubby:               grubby --update-kernel=ALL --args='{quoted}'",
    )


def ranges_text(ranges: Sequence[Range]) -> str:
    """Single pages by their address, others as ranges; a few of them."""
    shown = [f"{r.start:#x}" if r.size == PAGE else f"{r.start:#x}-{r.end:#x}" for r in ranges[:4]]
    more = len(ranges) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def tried(
    kind: str,
    trial: Trial,
    summary: str,
    actions: tuple[str, ...] = (),
    machine: Machine | None = None,
) -> Repair:
    """A repair that costs nothing, as `trial` showed it to work."""
    return Repair(
        kind,
        0,
        0,
        summary,
        actions,
        max_areas=trial.max_areas,
        pamt_kb=trial.outcome.pamt_kb,
        configuration=trial.outcome.configuration(),
        machine=machine,
    )
