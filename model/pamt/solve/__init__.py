"""Deciding placement questions: search, bounds, optimum or infeasibility.

:mod:`reference` is complete in every space and rests on z3; every configuration it shows has passed
:func:`pamt.placement.evaluate` first.
"""

from __future__ import annotations

from pamt.solve.reference import place
from pamt.solve.result import (
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    UNDECIDED,
    Gap,
    InternalDisagreement,
    PlaceResult,
    Statistics,
)

__all__ = [
    "FEASIBLE",
    "INFEASIBLE",
    "OPTIMAL",
    "UNDECIDED",
    "Gap",
    "InternalDisagreement",
    "PlaceResult",
    "Statistics",
    "place",
]
