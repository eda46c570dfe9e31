"""Scopes: the exact bounds within which an answer holds for every map.

Addresses are arbitrary multiples of 4 KiB inside the scope; only how many items there are, and the
GiB up to which they lie, is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import comb

from pamt.machine import REMOTE_DISTANCE, Limits, Machine
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet
from pamt.verify.assumptions import ASSUMPTIONS, DEFAULT

__all__ = ["Scope", "parse_limits"]

REAL_LIMITS = Limits()
MOST_RANGES = 256
"""Far more than any scope that can be gone through; more take long to count."""
MOST_NODES = 1024
"""Node ids go up to 1023, in map files as in Linux."""
MOST_LIMIT = 65_535
"""As in map files: the module gives its limits in 16 bits."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Up to so many of each; `gib` is the first GiB above all memory.

    `fewest_ranges` leaves out maps with fewer ranges (1 by default: an empty map is not in scope).
    """

    ranges: int = 2
    cmrs: int = 1
    nodes: int = 1
    free: int = 0
    """Most free runs, where ``free-is-memory`` is not assumed."""
    gib: int = 2
    limits: Limits = field(default_factory=Limits)
    assumptions: frozenset[str] = DEFAULT
    fewest_ranges: int = 1
    first_gib: int = 0
    """Memory starts at or above this GiB."""
    distances: tuple[int, ...] = (REMOTE_DISTANCE,)
    """What two nodes may be apart, where ``equal-distances`` is not assumed."""

    def __post_init__(self) -> None:
        unknown = self.assumptions - set(ASSUMPTIONS)
        if unknown:
            raise ValueError(
                f"unknown assumption {min(unknown)!r}; known: {', '.join(ASSUMPTIONS)}"
            )
        if min(self.ranges, self.nodes, self.gib, self.fewest_ranges) < 1 or self.cmrs < 0:
            raise ValueError("a scope needs at least one range, one node and one GiB")
        for what, number, most in (
            ("memory ranges", self.ranges, MOST_RANGES),
            ("nodes", self.nodes, MOST_NODES),
            ("free runs", self.free, MOST_RANGES),
        ):
            if number > most:
                raise ValueError(f"a scope has at most {most} {what}, not {number}")
        if self.fewest_ranges > self.ranges:
            raise ValueError(
                f"the fewest memory ranges ({self.fewest_ranges}) are more than the most"
                f" ({self.ranges})"
            )
        limits = (self.limits.max_tdmrs, self.limits.max_reserved_per_tdmr)
        if not all(1 <= number <= MOST_LIMIT for number in limits):
            raise ValueError(
                f"limits are 1 to {MOST_LIMIT} TDMRs with 1 to {MOST_LIMIT} reserved areas each,"
                f" not {limits[0]}x{limits[1]}"
            )
        if not 0 <= self.first_gib < self.gib:
            raise ValueError("first_gib must lie below gib")
        if list(self.distances) != sorted(set(self.distances)) or not all(
            10 < distance <= 255 for distance in self.distances
        ):
            raise ValueError("distances ascend and lie in 11..255; 10 is a node's own")
        if self.assumes("equal-distances") and self.distances != (REMOTE_DISTANCE,):
            raise ValueError(f"equal-distances is assumed, so nodes are {REMOTE_DISTANCE} apart")

    def assumes(self, name: str) -> bool:
        """Whether an assumption is made."""
        return name in self.assumptions

    @property
    def lowest(self) -> int:
        """The lowest address that memory may have, in bytes."""
        low = MIB if self.assumes("above-1m") else 0
        return max(low, self.first_gib * GIB)

    @property
    def end(self) -> int:
        """The first address that no memory reaches, in bytes."""
        return self.gib * GIB

    def words(self) -> str:
        """The scope as a sentence."""
        limits = self.limits
        named = (
            "the real limits (64 TDMRs, 16 areas)"
            if (limits.max_tdmrs, limits.max_reserved_per_tdmr) == (64, 16)
            else f"limits scaled to {limits.max_tdmrs} TDMRs, {limits.max_reserved_per_tdmr} areas"
        )
        count = _counted(self.ranges, "memory range")
        if self.fewest_ranges != self.ranges:
            count = f"{self.fewest_ranges} to {count}"
        free = "" if self.assumes("free-is-memory") else f", {_up_to(self.free, 'free run')}"
        apart = ""
        if not self.assumes("equal-distances"):
            apart = f" with distances out of {', '.join(map(str, self.distances))}"
        return (
            f"every map of {count} on {_up_to(self.nodes, 'node')}{apart}, at any 4 KiB-aligned"
            f" addresses from {self.lowest:#x} up to {self.end:#x} ({self.gib} GiB),"
            f" {_up_to(self.cmrs, 'CMR')}{free}, with {named}"
        )

    def assumption_texts(self) -> tuple[str, ...]:
        """Every assumption as made or dropped, in a fixed order."""
        return tuple(
            f"{name}: {text.made if self.assumes(name) else 'NOT assumed: ' + text.dropped}"
            for name, text in ASSUMPTIONS.items()
        )

    def excludes(self, machine: Machine) -> str | None:
        """The assumption that a map with fewer items than one of this scope breaks; None if none.

        With an item less, ranges stay apart, where they are, and whole GiBs; what may be missing is
        the CMR under some memory, or the memory under a free run.
        """
        memory = machine.memory or ()
        if self.assumes("convertible"):
            cmrs = RangeSet(Range(c.base, c.base + c.size) for c in machine.cmrs or () if c.size)
            if not RangeSet(r.range for r in memory) <= cmrs:
                return "memory outside of the CMRs"
        for free in machine.free or ():
            if not any(
                r.start <= free.start and free.end <= r.end and r.node == free.node for r in memory
            ):
                return "a free run outside of the memory"
        return None

    def size(self) -> int:
        """How many memory layouts (addresses and nodes) the scope stands for.

        Each of them with every CMR list, and every list of free runs, that the assumptions allow.
        """
        pages = (self.end - self.lowest) // PAGE
        total = 0
        for count in self.counted_ranges:
            for changes in range(count if self.nodes > 1 else 1):
                # So many neighbours are on different nodes.  Boundaries s1 < e1 (<= or <) s2 < e2
                # ...: 2*count of pages + 1 positions, where each pair that may touch gives one
                # more.
                may_touch = changes if self.assumes("apart") else count - 1
                ways = comb(count - 1, changes) * sum(
                    _paths(changes + 1, used) * self.count_distances(used)
                    for used in range(1, min(self.nodes, count, COUNTED_NODES) + 1)
                )
                total += ways * comb(pages + 1 + may_touch, 2 * count)
        return self.as_counted(total)

    @property
    def counted_ranges(self) -> range:
        """The numbers of ranges whose maps are counted: at most :data:`COUNTED_RANGES` numbers."""
        first = self.fewest_ranges
        return range(first, min(self.ranges, first + COUNTED_RANGES - 1) + 1)

    def as_counted(self, total: int) -> int:
        """`total`, as what it is where not everything was counted."""
        ranges, nodes = self.counted_ranges[-1], min(self.nodes, self.ranges)
        if ranges < self.ranges or nodes > COUNTED_NODES or total > MOST_COUNTED:
            return AtLeast(min(total, MOST_COUNTED))
        return total

    def count_distances(self, used: int) -> int:
        """How many tables of distances so many nodes may have."""
        tables: int = len(self.distances) ** (used * (used - 1) // 2)
        return tables

    def options(self) -> str:
        """The scope as options of a command line, without those that hold anyway."""
        plain = Scope()
        words = [
            f"--{option.replace('_', '-')} {getattr(self, option)}"
            for option in ("ranges", "cmrs", "nodes", "gib", "first_gib", "fewest_ranges")
            if getattr(self, option) != getattr(plain, option)
        ]
        if not self.assumes("free-is-memory"):
            words.append(f"--free {self.free}")
        if not self.assumes("equal-distances"):
            words.append(f"--distances {','.join(map(str, self.distances))}")
        if self.limits != plain.limits:
            words.append(f"--limits {self.limits.max_tdmrs}x{self.limits.max_reserved_per_tdmr}")
        for name in ASSUMPTIONS:
            if name in {"free-is-memory", "equal-distances"}:
                continue
            if self.assumes(name) and name not in DEFAULT:
                words.append(f"--assume {name}")
            if not self.assumes(name) and name in DEFAULT:
                words.append(f"--no-assume {name}")
        return " ".join(words)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _up_to(most: int, what: str) -> str:
    if most == 0:
        return f"no {what}"
    return f"1 {what}" if most == 1 and what != "free run" else f"up to {_counted(most, what)}"


class AtLeast(int):
    """A number that is known to be this or more; as text, "more than" it."""

    def __str__(self) -> str:
        return f"more than {int(self)}"


COUNTED_RANGES = 64
"""Of more ranges than this the maps are not all counted: that takes longer than any answer, and
gives a number of thousands of digits."""
COUNTED_NODES = 32
MOST_COUNTED = 10**4000
"""Python writes no number of more than 4300 digits."""


def _paths(length: int, colours: int) -> int:
    """Sequences in which neighbours differ and every one of so many nodes occurs."""
    return sum(
        (-1) ** left * comb(colours, left) * (colours - left) * (colours - left - 1) ** (length - 1)
        for left in range(colours)
    )


def parse_limits(text: str) -> Limits:
    """``real``, or ``TxR``: T TDMRs, R reserved areas each.

    Raises ValueError for anything else.
    """
    if text == "real":
        return REAL_LIMITS
    tdmrs, cross, areas = text.partition("x")
    if not cross or not tdmrs.isdigit() or not areas.isdigit():
        raise ValueError(f"limits are 'real' or like '4x2', not {text!r}")
    return Limits(max_tdmrs=int(tdmrs), max_reserved_per_tdmr=int(areas))
