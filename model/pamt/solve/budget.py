"""What a search may spend, and whom it tells what it has found so far.

A search counts its work in *steps*, the same on every run and every machine.  z3 counts its own; a
node of a case tree of the exact engines counts as :data:`NODE` of them, about what z3 does in the
time that a node takes.

A search tells a :class:`Watch` of every better placement and of every bound that is proved, at the
moment it is, so that both are known when the search is broken off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pamt.certificate.format import Claim
from pamt.placement import Objective
from pamt.ranges import Range, RangeSet

__all__ = ["NODE", "QUIET", "Budget", "Known", "OutOfBudget", "OutOfNodes", "Watch"]

NODE = 50_000
"""Steps that one node of a case tree counts as."""


class OutOfNodes(RuntimeError):
    """A search has no way to go on; the text says why."""


class OutOfBudget(OutOfNodes):
    """The nodes that a search may take are spent."""


class Known(NamedTuple):
    """A placement that the plain rules have judged, and its cost."""

    source: str
    """Who found it: an engine, or a policy."""
    tdmrs: tuple[Range, ...]
    bases: tuple[tuple[int, int, int], ...]
    """Of the three PAMTs of each TDMR, in bytes: levels 4K, 2M, 1G."""
    given_up: RangeSet
    objective: Objective


class Watch:
    """Told what a search finds out; this one does not listen."""

    def phase(self, text: str) -> None:
        """What the search does from now on, in a few words."""

    def spent(self, steps: int) -> None:
        """So many more steps were taken."""

    def best(self, known: Known) -> None:
        """A placement was found; not every one is better than those before."""

    def bound(self, values: Mapping[str, int], claims: Sequence[Claim] | None) -> None:
        """No configuration is below `values`, which are in the order of the objective.

        `claims` prove it; None: on a solver's word.
        """


QUIET = Watch()


@dataclass
class Budget:
    """Nodes of case trees: how many may be taken, and how many were."""

    nodes: int
    spent: int = 0
    watch: Watch = QUIET
    packed: Callable[[Any], None] | None = None
    """Called with every better packing of all chunks of the question."""

    def take(self) -> None:
        """Count one node.  Raises OutOfBudget where none is left."""
        if self.spent >= self.nodes:
            raise OutOfBudget(f"{self.nodes} nodes of case trees are spent")
        self.spent += 1
        self.watch.spent(NODE)
