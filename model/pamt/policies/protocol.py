"""What a policy is, so that users can write their own.

A policy is a function ``policy(machine, alloc) -> Outcome``:

* `machine` is a :class:`pamt.machine.Machine` with every stand-in filled in
  (:func:`pamt.standins.complete`): `memory`, `cmrs`, `free` and `nodes` with zones, fallback order
  and distances are there.  It is immutable.
* `alloc` is the page allocator of that machine, the only thing that changes: what is taken from it
  is no longer free.  It offers the kernel's own scan (`contig`), exact placement (`take`) and
  the free runs (`free_runs`).
* the :class:`pamt.outcome.Outcome` is a success with all TDMRs placed and reserved, or a failure
  with an errno, a reason and the index of the TDMR at which the policy gave up.  A policy that
  fails must give back what it took; :func:`run_policy` checks neither this nor the result, that
  is what ``pamt simulate`` (the module's answer) and ``pamt verify`` (property ``clean``) are for.

The stages of the kernel (:mod:`pamt.kernel`) are ordinary functions, free to reuse:
``build_memory_list``, ``lay_out_tdmrs``, ``pamt_sizes``, ``home_node``, ``find_holes``,
``chunks_inside``, ``reserve_areas``.  Addresses are bytes, ranges half open.
"""

from __future__ import annotations

from typing import Protocol

from pamt.kernel.contig import ContigAllocator, Placement
from pamt.machine import Machine, Node
from pamt.outcome import Outcome
from pamt.ranges import Range

__all__ = ["Allocator", "Policy", "run_policy"]


class Allocator(Protocol):
    """The page allocator that is passed to a policy."""

    @property
    def nodes(self) -> dict[int, Node]:
        """Nodes by id."""

    def free_runs(self, node: int) -> tuple[Range, ...]:
        """What is free on `node` now: ascending, disjoint, touching runs joined."""

    def contig(self, size: int, node: int) -> Placement | None:
        """Take `size` contiguous bytes by the kernel's scan, `node` first; None if none fits."""

    def take(self, wanted: Range, node: int) -> None:
        """Take exactly `wanted`.  Raises ValueError when a page of it is not free on `node`."""

    def give_back(self, returned: Range, node: int) -> None:
        """Return pages.  Raises ValueError when a page of it is free already."""


class Policy(Protocol):
    """A function from a completed machine and its allocator to an outcome."""

    def __call__(self, machine: Machine, alloc: Allocator, /) -> Outcome:
        """Decide the configuration, or fail."""


def run_policy(policy: Policy, machine: Machine) -> Outcome:
    """Run `policy` on a completed machine with a fresh allocator."""
    return policy(machine, ContigAllocator(machine.nodes, machine.free or ()))
