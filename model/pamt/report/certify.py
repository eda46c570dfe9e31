"""What the certificate checker says, in words and in JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pamt.certificate import Certificate, Checked, Step, Withdraw
from pamt.placement import DEFAULT_OBJECTIVE
from pamt.report.envelope import InputFile
from pamt.report.words import count

__all__ = ["Certified", "certify_fields", "certify_text"]

KINDS = ("cause", "floor", "cuts", "split", "sum", "withdraw", "trust")
WHAT_KINDS_SAY = {
    "cause": "seen in the map itself",
    "floor": "from sizes and counts alone",
    "cuts": "least costs over all cuts into TDMRs",
    "split": "cases told apart",
    "sum": "weighted sums that cannot hold",
    "withdraw": "whatever pages are given up, case by case",
    "trust": "a solver's word",
}


class Certified(NamedTuple):
    """A certificate, judged for a machine."""

    file: InputFile
    certificate: Certificate
    machine: str
    path: str
    """Of the machine's file."""
    checked: Checked

    @property
    def verdict(self) -> str:
        return self.checked.verdict.upper()

    @property
    def steps(self) -> dict[str, int]:
        """Steps of all claims, by kind; those of proofs that several cases share once."""
        found = Counter(_kinds(step for claim in self.certificate.claims for step in claim.steps))
        return {kind: found[kind] for kind in KINDS}


def _kinds(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield type(step).__name__.lower()
        if isinstance(step, Withdraw):
            for proof in step.proofs:
                yield from _kinds(proof)


def certify_fields(certified: Certified) -> dict[str, Any]:
    certificate, checked = certified.certificate, certified.checked
    fault = checked.fault
    return {
        "certificate": certified.file._asdict(),
        "proves": certificate.verdict,
        "space": certificate.space._asdict(),
        "order": list(certificate.order),
        "value": dict(certificate.value) or None,
        "bound": dict(certificate.bound) or None,
        "claims": len(certificate.claims),
        "steps": certified.steps,
        "trusted_steps": checked.trusted_steps,
        "fault": None if fault is None else fault._asdict(),
    }


def certify_text(certified: Certified) -> Iterator[str]:
    """Verdict, what was proved, next step; then the steps by kind."""
    certificate, checked = certified.certificate, certified.checked
    yield _headline(certified)
    yield f"Space:   {certificate.space} on {certified.machine}"
    if certificate.value:
        costs = ", ".join(f"{name} {certificate.value[name]}" for name in certificate.order)
        yield f"Cost:    {costs}"
    if certificate.bound:
        bound = ", ".join(f"{name} {value}" for name, value in certificate.bound.items())
        yield f"Bound:   nothing is below {bound}"
    if checked.fault is not None:
        yield f"Wrong:   {checked.fault.step}"
        yield f"         expected {checked.fault.expected}"
        yield f"         found {checked.fault.found}"
        yield f"         (or the certificate is for another map than {certified.path})"
    yield f"Next:    {_next_step(certified)}"
    yield ""
    claims = count(len(certificate.claims), "claim")
    total = sum(certified.steps.values())
    yield f"{claims}, {count(total, 'step')}" + (":" if total else "")
    for kind, number in certified.steps.items():
        if number:
            yield f"  {number:>6} {kind:8} {WHAT_KINDS_SAY[kind]}"


def _headline(certified: Certified) -> str:
    proves, checked = certified.certificate.verdict, certified.checked
    if checked.fault is not None:
        return f"INVALID: {checked.fault.step} is wrong, so {proves} is not proved"
    if checked.trusted_steps:
        rest = count(checked.trusted_steps, "step")
        verb = "rests" if checked.trusted_steps == 1 else "rest"
        return f"HOLEY: {proves}, but {rest} {verb} on a solver's word"
    if proves == "FEASIBLE" and not certified.certificate.bound:
        return (
            "VALID: FEASIBLE: the configuration is one of the space; nothing is said of better ones"
        )
    return f"VALID: {proves} is proved by arithmetic alone"


def _next_step(certified: Certified) -> str:
    asked = certified.certificate
    again = f"pamt place {certified.path} {asked.space}"
    if tuple(asked.order) != DEFAULT_OBJECTIVE:
        again += f" --objective {','.join(asked.order)}"
    if certified.verdict == "VALID":
        return f"{again}    (the answer in full)"
    return f"{again}    (a fresh answer)"
