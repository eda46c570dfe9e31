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

__all__ = [
    "NODE",
    "QUIET",
    "Budget",
    "Known",
    "Notes",
    "OutOfBudget",
    "OutOfNodes",
    "Steps",
    "Watch",
    "WithoutBounds",
    "within",
]

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
    """Told what a search finds out; this one does not listen, and bounds nothing."""

    hears_bounds = False
    """Whether it is worth while to work out a bound only to tell of it."""

    @property
    def left(self) -> int | None:
        """Steps that may still be taken; None: any number."""
        return None

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

    def policies(self, judged: Mapping[str, Objective | None]) -> None:
        """What each policy beside the search costs; None where it is no answer."""


QUIET = Watch()


class Notes(Watch):
    """Keeps the best of what it is told, and hands all of it on."""

    hears_bounds = True

    def __init__(self, order: Sequence[str], steps: int | None = None, to: Watch = QUIET) -> None:
        """`steps`: how many may be taken in all."""
        self.order = tuple(order)
        self.known: Known | None = None
        """The best placement."""
        self.values: dict[str, int] = {}
        """The highest bound: the first components of the order, as far as they are bounded."""
        self.claims: tuple[Claim, ...] = ()
        """What proves it, and lower ones; where something is missing it rests on a solver."""
        self.taken = 0
        self.doing = ""
        self.judged: Mapping[str, Objective | None] | None = None
        self._steps = steps
        self._to = to

    @property
    def left(self) -> int | None:
        return None if self._steps is None else max(0, self._steps - self.taken)

    def phase(self, text: str) -> None:
        self.doing = text
        self._to.phase(text)

    def spent(self, steps: int) -> None:
        self.taken += steps
        self._to.spent(steps)

    def best(self, known: Known) -> None:
        if self.known is None or self._key(known) < self._key(self.known):
            self.known = known
            self._to.best(known)

    def bound(self, values: Mapping[str, int], claims: Sequence[Claim] | None) -> None:
        if self._low(values) <= self._low(self.values):
            return
        self.values = dict(values)
        if claims is not None:
            self.claims = tuple(claims)
        self._to.bound(values, claims)

    def policies(self, judged: Mapping[str, Objective | None]) -> None:
        self.judged = dict(judged)
        self._to.policies(judged)

    def _key(self, known: Known) -> tuple[int, ...]:
        return known.objective.key(self.order)

    def _low(self, values: Mapping[str, int]) -> tuple[float, ...]:
        return tuple(values.get(name, float("-inf")) for name in self.order)


class WithoutBounds(Watch):
    """For a part of a question, whose placements count, but whose bounds are its own."""

    def __init__(self, to: Watch) -> None:
        self._to = to

    @property
    def left(self) -> int | None:
        return self._to.left

    def phase(self, text: str) -> None:
        self._to.phase(text)

    def spent(self, steps: int) -> None:
        self._to.spent(steps)

    def best(self, known: Known) -> None:
        self._to.best(known)


class Steps(Watch):
    """For another question that is asked on the way: only its steps count."""

    def __init__(self, to: Watch) -> None:
        self._to = to

    @property
    def left(self) -> int | None:
        return self._to.left

    def spent(self, steps: int) -> None:
        self._to.spent(steps)


def within(steps: int, watch: Watch) -> int:
    """The smaller of `steps` and what a watch allows."""
    left = watch.left
    return steps if left is None else min(steps, left)


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
        if self.spent >= self.nodes or within(NODE, self.watch) < NODE:
            raise OutOfBudget(f"{self.spent} nodes of case trees are spent")
        self.spent += 1
        self.watch.spent(NODE)
