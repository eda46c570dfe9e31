"""Theorems without bound: their obligations, the solvers' answers, and what was decided.

* terms, smtlib: formulas as data, and as SMT-LIB text
* theorem: what a file of ``proofs/`` says: statement, obligations, mutants
* registry: finds and loads those files
* runner: :func:`prove`: every obligation through every solver, vacuity, mutants
* startup: the start-up as a transition system, decided by search and by induction

The layer above :mod:`pamt.verify`, whose interpreter runs the stage functions on formulas.  Only
:mod:`pamt.smt` imports a solver.
"""

from __future__ import annotations

from pamt.prove.registry import ProofFileError, load_theorems, proofs_folder
from pamt.prove.runner import (
    Budget,
    ObligationResult,
    TheoremResult,
    Verdict,
    export,
    overall,
    prove,
)
from pamt.prove.theorem import Check, Claim, Evidence, Obligation, Theorem

__all__ = [
    "Budget",
    "Check",
    "Claim",
    "Evidence",
    "Obligation",
    "ObligationResult",
    "ProofFileError",
    "Theorem",
    "TheoremResult",
    "Verdict",
    "export",
    "load_theorems",
    "overall",
    "proofs_folder",
    "prove",
]
