"""What a search for a placement is at, on one line of a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pamt.certificate import Claim
from pamt.cli.progress import ProgressLine
from pamt.placement import Objective
from pamt.solve.budget import Known, Watch

__all__ = ["PlaceProgress"]


class PlaceProgress(Watch):
    """What a search for a placement is at, on one line: phase, best, bound, gap, steps."""

    def __init__(self, line: ProgressLine, order: Sequence[str], steps: int) -> None:
        self._line = line
        self._order = tuple(order)
        self._most = steps
        self._steps = 0
        self._phase = "beginning"
        self._best: Objective | None = None
        self._bound: Mapping[str, int] = {}
        self._show()

    def phase(self, text: str) -> None:
        self._phase = text
        self._show()

    def spent(self, steps: int) -> None:
        self._steps += steps
        self._show()

    def best(self, known: Known) -> None:
        self._best = known.objective
        self._show()

    def bound(self, values: Mapping[str, int], claims: Sequence[Claim] | None) -> None:
        del claims
        self._bound = values
        self._show()

    def _show(self) -> None:
        self._line.say(
            f"{self._phase}; {self._reached()}; {self._share()}; Ctrl-C: the best so far"
        )

    def _reached(self) -> str:
        """The first component that is not settled: its best value, its bound, the gap."""
        if self._best is None:
            return "no placement yet"
        for name in self._order:
            value = int(getattr(self._best, name))
            low = self._bound.get(name)
            if low is None:
                return f"{name} {value}, no bound yet"
            if low != value:
                return f"{name} {value}, at least {low} (gap {value - low})"
        return "cost settled"

    def _share(self) -> str:
        return f"{self._steps / 1e6:.1f} of {self._most / 1e6:.0f} million steps"
