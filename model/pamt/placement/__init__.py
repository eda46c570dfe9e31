"""The placement question: what may be decided, what follows from a machine, and the judge.

:mod:`space` names what a question leaves open and what it wants least of; :mod:`question` derives
everything that follows from a machine and a space without any search; :mod:`shape` turns PAMT
positions into reserved areas, in one place for every solver; :mod:`evaluate` says which
conditions a finished configuration breaks and what it costs.  No solver and no search in here.

Source: docs/design.md, section 5.
"""

from __future__ import annotations

from pamt.placement.evaluate import Judgement, Violation, evaluate
from pamt.placement.question import (
    HoleCount,
    InputError,
    NodeRun,
    Question,
    TdmrFacts,
    TrivialCause,
    pose,
)
from pamt.placement.shape import Reservations, build, canonical_key, pieces_of
from pamt.placement.space import (
    COMPONENTS,
    DEFAULT_OBJECTIVE,
    LINUX,
    MODULE,
    PRESETS,
    Objective,
    Space,
    parse_objective,
)

__all__ = [
    "COMPONENTS",
    "DEFAULT_OBJECTIVE",
    "LINUX",
    "MODULE",
    "PRESETS",
    "HoleCount",
    "InputError",
    "Judgement",
    "NodeRun",
    "Objective",
    "Question",
    "Reservations",
    "Space",
    "TdmrFacts",
    "TrivialCause",
    "Violation",
    "build",
    "canonical_key",
    "evaluate",
    "parse_objective",
    "pieces_of",
    "pose",
]
