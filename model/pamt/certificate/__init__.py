"""Certificates: what lets somebody who trusts no solver re-check the verdict of `pamt place`.

:mod:`format` reads and writes them, :mod:`relaxation` rebuilds from the machine what their steps
speak of, :mod:`check` judges.  Weighted sums are :mod:`sums`, with :mod:`choices` of what may lie
in a stretch together and the arithmetic of :mod:`filling`; bounds over cuts are :mod:`cut_bound`
and what it is refined by.  No solver and no search here.

Described in specs/certificate.md.
"""

from __future__ import annotations

from pamt.certificate.check import HOLEY, INVALID, VALID, Checked, check_certificate
from pamt.certificate.fault import Fault
from pamt.certificate.format import (
    FORMAT,
    Cause,
    Certificate,
    Claim,
    Cuts,
    Floor,
    Malformed,
    Placed,
    Split,
    Step,
    Sum,
    Trust,
    Where,
    Withdraw,
    dump_certificate,
    load_certificate,
)

__all__ = [
    "FORMAT",
    "HOLEY",
    "INVALID",
    "VALID",
    "Cause",
    "Certificate",
    "Checked",
    "Claim",
    "Cuts",
    "Fault",
    "Floor",
    "Malformed",
    "Placed",
    "Split",
    "Step",
    "Sum",
    "Trust",
    "Where",
    "Withdraw",
    "check_certificate",
    "dump_certificate",
    "load_certificate",
]
