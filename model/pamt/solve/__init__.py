"""Deciding placement questions: search, bounds, optimum or infeasibility.

:mod:`decide` is the default: exact engines with certificates, and z3 for what they leave open.
:mod:`reference` is complete in every space and rests on z3.  Every configuration that is shown has
passed :func:`pamt.placement.evaluate` first.
"""

from __future__ import annotations

from pamt.solve.decide import place
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
