"""The checker: whether a certificate proves its verdict for a machine.

Everything a step speaks of is rebuilt from the machine (:mod:`pamt.certificate.relaxation`); a step
brings only numbers.  Steps and why they are sound: specs/certificate.md.

* The configuration is judged by the plain rules, and its objective must be the one claimed.
* OPTIMAL needs, for each component of the objective in turn, a claim that it can't be lower while
  those before it are no higher; INFEASIBLE needs the claim without any condition.
* A claim is proved by a tree of case splits whose leaves are causes, floors and weighted sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pamt.certificate.cut_bound import cut_facts, excludes
from pamt.certificate.fault import Fault, Wrong, listed, told
from pamt.certificate.fill_bound import excludes_claim
from pamt.certificate.format import (
    LARGEST,
    Cause,
    Certificate,
    Claim,
    Cuts,
    Floor,
    Placed,
    Split,
    Step,
    Sum,
    Trust,
    Withdraw,
)
from pamt.certificate.relaxation import CHUNK, relax
from pamt.certificate.sums import Leaves
from pamt.certificate.withdrawal import (
    MOST_CASES,
    Case,
    TooManyCases,
    fillable_with,
    list_cases,
)
from pamt.machine import Machine
from pamt.placement import Question, Space, Violation, build, evaluate, pose
from pamt.ranges import PAGE, RangeSet

__all__ = [
    "HOLEY",
    "INVALID",
    "VALID",
    "Checked",
    "Ground",
    "check_certificate",
    "check_steps",
    "refutes",
]

VALID = "valid"
HOLEY = "holey"
INVALID = "invalid"


class Checked(NamedTuple):
    verdict: str
    """valid, holey (all that was checked is right) or invalid."""
    trusted_steps: int = 0
    fault: Fault | None = None


def check_certificate(
    certificate: Certificate, machine: Machine, space: Space | None = None
) -> Checked:
    """Judge a certificate for a completed machine; `space`, if given, must be the certificate's.

    Raises :class:`pamt.placement.InputError` where the machine can't be asked about.
    """
    trusted = 0
    try:
        if space is not None and certificate.space != space:
            raise Wrong("space", str(space), str(certificate.space))
        if certificate.placed is not None:
            _check_placed(certificate, certificate.placed, machine)
        question = pose(machine, certificate.space)
        for index, target in enumerate(targets(certificate)):
            if not any(covers(claim.at_most, target) for claim in certificate.claims):
                raise Wrong("claims", f"one that excludes {told(target)} (target {index})", "none")
        whole = Ground(question)
        for index, claim in enumerate(certificate.claims):
            trusted += _check_claim(whole, claim, f"claims[{index}]")
    except Wrong as wrong:
        return Checked(INVALID, trusted, wrong.fault)
    return Checked(HOLEY if trusted else VALID, trusted)


def targets(certificate: Certificate) -> Iterator[Mapping[str, int]]:
    """What must be excluded: components at most these values, for each step of the order."""
    if certificate.verdict == "INFEASIBLE":
        yield {}
        return
    least = certificate.value if certificate.verdict == "OPTIMAL" else certificate.bound
    held: dict[str, int] = {}
    for name in certificate.order if certificate.verdict == "OPTIMAL" else certificate.bound:
        yield {**held, name: least[name] - 1}
        held[name] = least[name]


def covers(claim: Mapping[str, int], target: Mapping[str, int]) -> bool:
    """Whether excluding `claim` excludes `target`: no condition of the claim is tighter."""
    return all(name in target and target[name] <= value for name, value in claim.items())


def _check_placed(certificate: Certificate, placed: Placed, machine: Machine) -> None:
    given_up = RangeSet(placed.given_up)
    question = pose(machine, certificate.space, given_up)
    try:
        configuration = build(question, placed.tdmrs, placed.bases)
    except ValueError as fault:
        raise Wrong("placed", "TDMRs that hold memory", fault) from None
    judged = evaluate(machine, certificate.space, configuration, given_up)
    if judged.objective is None:
        raise Wrong("placed", "a configuration of the space", _broken(judged.violations[0]))
    actual = dict(judged.objective._asdict())
    if dict(certificate.value) != actual:
        raise Wrong("value", told(actual), told(certificate.value))


def _broken(violation: Violation) -> str:
    at = violation.condition
    if violation.tdmr is not None:
        at += f" of TDMR {violation.tdmr}"
    if violation.level is not None:
        at += f", {violation.level}"
    if violation.where is not None:
        at += f", at [{violation.where.start:#x}, {violation.where.end:#x})"
    return f"one that breaks: {at}"


class Ground:
    """What steps speak of: a question, and what was rebuilt from it so far."""

    def __init__(self, question: Question, slack: int = 0) -> None:
        self.question = question
        self.slack = slack
        """Under ``minimal``: pages that may be given up besides; their places are not known."""
        self._leaves: dict[bool, Leaves] = {}
        self._cases: dict[tuple[object, ...], Ground] = {}

    def leaves(self, path: str) -> Leaves:
        return self._made(path, largest=False)

    def largest(self, path: str) -> Leaves:
        """The same over the largest piece of each TDMR alone."""
        return self._made(path, largest=True)

    def _made(self, path: str, *, largest: bool) -> Leaves:
        if largest not in self._leaves:
            try:
                self._leaves[largest] = Leaves(relax(self.question, largest=largest))
            except ValueError as fault:
                raise Wrong(path, "a question that sums speak of", fault) from None
        return self._leaves[largest]

    def case(self, case: Case) -> Ground:
        """The ground of one case; the same for every claim."""
        key = (case.slack, *case.key)
        if key not in self._cases:
            self._cases[key] = Ground(case.question, case.slack)
        return self._cases[key]


def _check_claim(ground: Ground, claim: Claim, path: str) -> int:
    """Check every step of a claim; the number of trusted ones."""
    space = ground.question.space
    # Where the claim lets nothing be lost, nothing is given up.
    limit = max(0, min(space.give_up, claim.at_most.get("lost", space.give_up)))
    return check_steps(ground, claim.steps, claim.at_most, f"{path}.steps", limit)


def check_steps(
    ground: Ground, steps: Sequence[Step], at_most: Mapping[str, int], path: str, limit: int = 0
) -> int:
    """Check a tree of steps that refutes `at_most`; the number of trusted ones.

    `limit`: pages that may be given up and are not in the question yet.
    """
    trusted = 0
    question = ground.question
    above: dict[int, tuple[tuple[Split, int, int], ...]] = {0: ()}
    for index, step in enumerate(steps):
        at = f"{path}[{index}]"
        cases = above.pop(index)
        if isinstance(step, Split):
            above[step.low] = (*cases, (step, index, -1))
            above[step.high] = (*cases, (step, index, 1))
            _check_split(question, step, at)
        elif isinstance(step, Trust):
            trusted += 1
        elif isinstance(step, Withdraw):
            trusted += _check_withdraw(ground, step, at_most, at, limit)
        elif isinstance(step, Cause):
            cause = question.trivial
            if cause is None or cause.kind != step.kind:
                raise Wrong(at, cause.kind if cause else "a map with this cause", step.kind)
            if limit and cause.kind != "no-memory":
                raise Wrong(at, "a cause that giving up pages can't mend", step.kind)
        elif isinstance(step, Floor):
            low = floor(question, step.component, keeps_all=limit == 0)
            stated = at_most.get(step.component)
            if stated is None or stated >= low:
                raise Wrong(at, f"{step.component} at most {low - 1}", stated)
        elif isinstance(step, Cuts):
            if limit:
                raise Wrong(at, "no cuts where pages may be given up", told(at_most))
            _check_cuts(ground, step, at_most, at)
        else:
            if limit:
                raise Wrong(at, "no sum where pages may be given up", told(at_most))
            _check_sum(ground, step, cases, at_most, at)
    return trusted


def _check_sum(
    ground: Ground,
    step: Sum,
    cases: tuple[tuple[Split, int, int], ...],
    at_most: Mapping[str, int],
    at: str,
) -> None:
    """A weighted sum over all pieces, or over the largest of each TDMR alone."""
    space = ground.question.space
    largest = space.reserve == "minimal" or (space.pamt == "split" and not step.regions)
    for split, index, _ in cases:
        if step.cases.get(index) and (split.piece == LARGEST) != largest:
            wanted = LARGEST if largest else "chunk, or a region"
            raise Wrong(at, f"cases of pieces that it sums over ({wanted})", split.piece)
    if not largest:
        ground.leaves(at).check(step, cases, at_most, at)
        return
    leaves = ground.largest(at)
    limits = dict(at_most)
    if "remote" in limits:
        limits["remote"] -= leaves.rest
    if space.reserve == "minimal":
        # Areas may be shared, so what they are limited to says nothing about pieces.
        limits.pop("max_areas", None)
        limits.pop("areas", None)
    named = tuple(
        (split._replace(piece=CHUNK), index, sign)
        for split, index, sign in cases
        if split.piece == LARGEST
    )
    leaves.check(step, named, limits, at)


def refutes(
    ground: Ground, steps: Sequence[Step], at_most: Mapping[str, int], limit: int = 0
) -> bool:
    """Whether these steps prove, without trust, that nothing has components at most these.

    `limit`: as for :func:`check_steps`.
    """
    try:
        return check_steps(ground, steps, at_most, "steps", limit) == 0
    except Wrong:
        return False


def _check_withdraw(
    ground: Ground, step: Withdraw, at_most: Mapping[str, int], at: str, limit: int
) -> int:
    """Every case of pages to give up, each refuted by the proof that the step names for it."""
    question = ground.question
    proofs = [at for many, at in step.cases for _ in range(many)]
    trusted = number = 0
    try:
        for case in list_cases(question.machine, question.space, limit, step.kind):
            if number == len(proofs):
                raise Wrong(at, "a proof for every case", f"{number} cases")
            proof = proofs[number]
            path = f"{at}.proofs[{proof}]"
            try:
                trusted += check_steps(ground.case(case), step.proofs[proof], at_most, path)
            except Wrong as wrong:
                found = f"{wrong.fault.found} (case {number})"
                raise Wrong(wrong.fault.step, wrong.fault.expected, found) from None
            number += 1
    except TooManyCases:
        raise Wrong(at, f"at most {MOST_CASES} cases", "more") from None
    if number < len(proofs):
        raise Wrong(at, f"{number} cases", len(proofs))
    return trusted


def _check_cuts(ground: Ground, step: Cuts, at_most: Mapping[str, int], at: str) -> None:
    if any(name not in at_most for name in step.order):
        raise Wrong(at, f"components among {listed(at_most)}", listed(step.order))
    question = ground.question
    try:
        if ground.slack:
            facts = cut_facts(question, fillable_with(question, ground.slack))
            excluded = excludes(facts, step.order, at_most)
        else:
            excluded = excludes_claim(question, step.order, at_most)
    except ValueError as fault:
        raise Wrong(at, "a question with a bound over cuts", fault) from None
    if not excluded:
        raise Wrong(at, "no cut that costs as little", told(at_most))


def _check_split(question: Question, step: Split, at: str) -> None:
    if question.tdmrs is None:
        raise Wrong(at, "no split where the cut of TDMRs is free", listed(step.tdmrs))
    if len(set(step.tdmrs)) != len(step.tdmrs):
        raise Wrong(at, "every TDMR once", listed(step.tdmrs))
    if any(t >= len(question.tdmrs) for t in step.tdmrs):
        raise Wrong(at, f"TDMRs below {len(question.tdmrs)}", listed(step.tdmrs))


def floor(question: Question, component: str, *, keeps_all: bool = True) -> int:
    """A value that no configuration is below, from sizes and counts alone.

    `keeps_all`: of those that give nothing up.
    """
    if component == "lost" or not question.memory:
        return 0
    if keeps_all and question.trivial is not None:
        # There is no configuration at all.
        return 0
    if component in {"tdmrs", "pamt_pages"} and keeps_all:
        if question.tdmrs is not None:
            if component == "tdmrs":
                return len(question.tdmrs)
            return sum(fact.pages for fact in question.tdmrs)
        if component == "pamt_pages":
            # Each region rounds up on its own, so one TDMR over all cells is never the dearest.
            return question.sizes(len(question.cells)).total // PAGE
    if component == "remote":
        homes, nodes = {r.node for r in question.memory}, {r.node for r in question.free}
        if question.tdmrs is not None and keeps_all and nodes:
            # Every page of a TDMR's PAMTs on the cheapest node there is for it.
            nearest = {home: min(question.weight(home, node) for node in nodes) for home in homes}
            return sum(fact.pages * nearest[fact.home] for fact in question.tdmrs)
        worst = min((question.weight(a, b) for a in homes for b in nodes), default=0)
        return 0 if worst >= 0 else -(1 << 62)
    return 1
