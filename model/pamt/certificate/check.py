"""The checker: whether a certificate proves its verdict for a machine.

Everything a step speaks of is rebuilt from the machine (:mod:`pamt.certificate.relaxation`); a step
brings only numbers.  Steps and why they are sound: specs/certificate.md.

* The configuration is judged by the plain rules, and its objective must be the one claimed.
* OPTIMAL needs, for each component of the objective in turn, a claim that it can't be lower while
  those before it are no higher; INFEASIBLE needs the claim without any condition.
* A claim is proved by a tree of case splits whose leaves are causes, floors and weighted sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pamt.certificate.cut_bound import cut_facts, excludes
from pamt.certificate.fill_bound import excludes_claim
from pamt.certificate.filling import Crossing, Item, Stretch, best_in_chain, best_in_runs
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
    Where,
    Withdraw,
)
from pamt.certificate.relaxation import CHUNK, Chain, Piece, Relaxation, relax, rest_of
from pamt.certificate.withdrawal import (
    MOST_CASES,
    Case,
    TooManyCases,
    fillable_with,
    list_cases,
)
from pamt.configuration import LEVELS
from pamt.machine import Machine
from pamt.placement import Question, Space, Violation, build, evaluate, pose
from pamt.ranges import PAGE, RangeSet

__all__ = [
    "HOLEY",
    "INVALID",
    "VALID",
    "Checked",
    "Fault",
    "Ground",
    "Leaves",
    "check_certificate",
    "check_steps",
    "refutes",
]

VALID = "valid"
HOLEY = "holey"
INVALID = "invalid"


class Fault(NamedTuple):
    """The first thing that is wrong: where, what should stand there, what stands there."""

    step: str
    expected: str
    found: str


class Checked(NamedTuple):
    verdict: str
    """valid, holey (all that was checked is right) or invalid."""
    trusted_steps: int = 0
    fault: Fault | None = None


class _Wrong(Exception):
    def __init__(self, step: str, expected: str, found: object) -> None:
        super().__init__(step)
        self.fault = Fault(step, expected, str(found))


def check_certificate(
    certificate: Certificate, machine: Machine, space: Space | None = None
) -> Checked:
    """Judge a certificate for a completed machine; `space`, if given, must be the certificate's.

    Raises :class:`pamt.placement.InputError` where the machine can't be asked about.
    """
    trusted = 0
    try:
        if space is not None and certificate.space != space:
            raise _Wrong("space", str(space), str(certificate.space))
        if certificate.placed is not None:
            _check_placed(certificate, certificate.placed, machine)
        question = pose(machine, certificate.space)
        for index, target in enumerate(targets(certificate)):
            if not any(covers(claim.at_most, target) for claim in certificate.claims):
                raise _Wrong(
                    "claims", f"one that excludes {_told(target)} (target {index})", "none"
                )
        whole = Ground(question)
        for index, claim in enumerate(certificate.claims):
            trusted += _check_claim(whole, claim, f"claims[{index}]")
    except _Wrong as wrong:
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


def _list(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items) or "none"


def _check_placed(certificate: Certificate, placed: Placed, machine: Machine) -> None:
    given_up = RangeSet(placed.given_up)
    question = pose(machine, certificate.space, given_up)
    try:
        configuration = build(question, placed.tdmrs, placed.bases)
    except ValueError as fault:
        raise _Wrong("placed", "TDMRs that hold memory", fault) from None
    judged = evaluate(machine, certificate.space, configuration, given_up)
    if judged.objective is None:
        raise _Wrong("placed", "a configuration of the space", _broken(judged.violations[0]))
    actual = dict(judged.objective._asdict())
    if dict(certificate.value) != actual:
        raise _Wrong("value", _told(actual), _told(certificate.value))


def _broken(violation: Violation) -> str:
    at = violation.condition
    if violation.tdmr is not None:
        at += f" of TDMR {violation.tdmr}"
    if violation.level is not None:
        at += f", {violation.level}"
    if violation.where is not None:
        at += f", at [{violation.where.start:#x}, {violation.where.end:#x})"
    return f"one that breaks: {at}"


def _told(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "no limit at all"


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
                raise _Wrong(path, "a question that sums speak of", fault) from None
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
                raise _Wrong(at, cause.kind if cause else "a map with this cause", step.kind)
            if limit and cause.kind != "no-memory":
                raise _Wrong(at, "a cause that giving up pages can't mend", step.kind)
        elif isinstance(step, Floor):
            low = floor(question, step.component, keeps_all=limit == 0)
            stated = at_most.get(step.component)
            if stated is None or stated >= low:
                raise _Wrong(at, f"{step.component} at most {low - 1}", stated)
        elif isinstance(step, Cuts):
            if limit:
                raise _Wrong(at, "no cuts where pages may be given up", _told(at_most))
            _check_cuts(ground, step, at_most, at)
        else:
            if limit:
                raise _Wrong(at, "no sum where pages may be given up", _told(at_most))
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
            raise _Wrong(at, f"cases of pieces that it sums over ({wanted})", split.piece)
    if not largest:
        ground.leaves(at).check(step, cases, at_most, at)
        return
    leaves = ground.largest(at)
    limits = dict(at_most)
    if "remote" in limits:
        limits["remote"] -= rest_of(ground.question)
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
    except _Wrong:
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
                raise _Wrong(at, "a proof for every case", f"{number} cases")
            proof = proofs[number]
            path = f"{at}.proofs[{proof}]"
            try:
                trusted += check_steps(ground.case(case), step.proofs[proof], at_most, path)
            except _Wrong as wrong:
                found = f"{wrong.fault.found} (case {number})"
                raise _Wrong(wrong.fault.step, wrong.fault.expected, found) from None
            number += 1
    except TooManyCases:
        raise _Wrong(at, f"at most {MOST_CASES} cases", "more") from None
    if number < len(proofs):
        raise _Wrong(at, f"{number} cases", len(proofs))
    return trusted


def _check_cuts(ground: Ground, step: Cuts, at_most: Mapping[str, int], at: str) -> None:
    if any(name not in at_most for name in step.order):
        raise _Wrong(at, f"components among {_list(at_most)}", _list(step.order))
    question = ground.question
    try:
        if ground.slack:
            facts = cut_facts(question, fillable_with(question, ground.slack))
            excluded = excludes(facts, step.order, at_most)
        else:
            excluded = excludes_claim(question, step.order, at_most)
    except ValueError as fault:
        raise _Wrong(at, "a question with a bound over cuts", fault) from None
    if not excluded:
        raise _Wrong(at, "no cut that costs as little", _told(at_most))


def _check_split(question: Question, step: Split, at: str) -> None:
    if question.tdmrs is None:
        raise _Wrong(at, "no split where the cut of TDMRs is free", _list(step.tdmrs))
    if len(set(step.tdmrs)) != len(step.tdmrs):
        raise _Wrong(at, "every TDMR once", _list(step.tdmrs))
    if any(t >= len(question.tdmrs) for t in step.tdmrs):
        raise _Wrong(at, f"TDMRs below {len(question.tdmrs)}", _list(step.tdmrs))


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
    return 1 if component in {"tdmrs", "areas", "max_areas", "pamt_pages"} else 0


class Leaves:
    """Checks weighted sums over one relaxation."""

    def __init__(self, relaxation: Relaxation) -> None:
        self._facts = relaxation
        self._by_level: dict[str, list[Piece]] = {}
        for piece in relaxation.pieces:
            self._by_level.setdefault(piece.level, []).append(piece)
        self._lengths = {
            key: sorted(pages for _, pages in runs) for key, runs in relaxation.runs.items()
        }
        self._by_start = {
            start * PAGE: (*key, pages)
            for key, runs in relaxation.runs.items()
            for start, pages in runs
        }

    def check(
        self,
        step: Sum,
        cases: tuple[tuple[Split, int, int], ...],
        at_most: Mapping[str, int],
        at: str,
    ) -> None:
        """Raises where the sum is no contradiction."""
        facts = self._facts
        known = {index: (split, sign) for split, index, sign in cases}
        if any(index not in known for index in step.cases):
            raise _Wrong(at, f"cases among {_list(sorted(known))}", _list(sorted(step.cases)))
        for what, prices in (("areas", step.areas), ("cases", step.cases)):
            if any(price < 0 for price in prices.values()):
                raise _Wrong(at, f"no {what} with a price below 0", min(prices.values()))
        if step.remote < 0 or step.total < 0:
            raise _Wrong(at, "no price below 0", min(step.remote, step.total))
        if any(t >= facts.tdmrs for t in (*step.values, *step.regions, *step.areas)):
            raise _Wrong(at, f"TDMRs below {facts.tdmrs}", "one beyond")
        if step.regions and not facts.split:
            raise _Wrong(at, "no regions where chunks stay whole", f"TDMRs {_list(step.regions)}")
        need = self.need(step, known, at_most, at)
        supply = self.supply(step, known)
        if supply >= need:
            raise _Wrong(at, f"less worth than {need} in all runs", supply)

    def need(
        self,
        step: Sum,
        known: Mapping[int, tuple[Split, int]],
        at_most: Mapping[str, int],
        at: str = "",
    ) -> int:
        """What all pieces together must be worth, less what the conditions can contribute."""
        facts = self._facts
        need = 0
        for tdmr in {**step.values, **step.regions}:
            value = step.values.get(tdmr, 0)
            if facts.split:
                value = min(value, sum(step.regions.get(tdmr, (0, 0, 0))))
            need += value
        limit = min(facts.limit, at_most.get("max_areas", facts.limit))
        for tdmr, price in step.areas.items():
            need -= price * (limit - facts.holes[tdmr])
        for name, price in (("remote", step.remote), ("areas", step.total)):
            if price and name not in at_most:
                raise _Wrong(at, f"no price on {name}, which the claim leaves open", price)
        remote = at_most.get("remote", 0)
        if facts.unit:
            remote = remote // facts.unit * facts.unit
        need -= step.remote * remote
        need -= step.total * (at_most.get("areas", 0) - sum(facts.holes))
        for index, price in step.cases.items():
            split, sign = known[index]
            need += price * (split.at_most + 1) if sign > 0 else -price * split.at_most
        return need

    def supply(self, step: Sum, known: Mapping[int, tuple[Split, int]]) -> int:
        """The most that pieces in all free runs can be worth."""
        worth = _Worth(self._facts, self._by_level, step, known)
        supply = 0
        for (node, tdmr), lengths in self._lengths.items():
            supply += best_in_runs(worth.items(node, tdmr, None), lengths)
        # Runs that cases speak of are worth something else than the rest of their kind.
        runs = {split.where.run for split, _ in known.values() if split.where.run is not None}
        for run in sorted(runs):
            if run in self._by_start:
                node, tdmr, pages = self._by_start[run]
                supply -= best_in_runs(worth.items(node, tdmr, None), [pages])
                supply += best_in_runs(worth.items(node, tdmr, run), [pages])
        for chain in self._facts.chains:
            supply += best_in_chain(worth.stretches(chain))
        return supply


class _Worth:
    """What a piece is worth in a place, under the prices of one sum."""

    def __init__(
        self,
        facts: Relaxation,
        by_level: Mapping[str, list[Piece]],
        step: Sum,
        known: Mapping[int, tuple[Split, int]],
    ) -> None:
        self._facts = facts
        self._step = step
        self._pieces: list[tuple[Piece, int]] = []
        for tdmr, value in step.values.items():
            self._pieces.append((by_level[CHUNK][tdmr], value))
        for tdmr, three in step.regions.items():
            for level, value in zip(LEVELS, three, strict=True):
                self._pieces.append((by_level[level][tdmr], value))
        if step.remote and min(facts.weights.values(), default=0) < 0:
            # Where a node is nearer than home a piece is worth something there by itself.
            have = {(piece.tdmr, piece.level) for piece, _ in self._pieces}
            self._pieces += [(p, 0) for p in facts.pieces if (p.tdmr, p.level) not in have]
        self._cases = [
            (split.where, split.piece, frozenset(split.tdmrs), sign * step.cases[index])
            for index, (split, sign) in known.items()
            if step.cases.get(index)
        ]
        self._lows = sorted(
            (split for split, sign in known.values() if sign < 0), key=lambda s: s.at_most
        )
        for _where, level, tdmrs, price in self._cases:
            if price > 0 and level in by_level:
                # Pieces of no value of their own may be worth a case's price.
                have = {(piece.tdmr, piece.level) for piece, _ in self._pieces}
                self._pieces += [
                    (by_level[level][t], 0) for t in sorted(tdmrs) if (t, level) not in have
                ]
        self._pieces.sort(key=lambda pair: (pair[0].pages, pair[0].tdmr, pair[0].level))

    def items(self, node: int, tdmr: int, run: int | None) -> tuple[Item, ...]:
        """Pieces worth something when they lie inside one stretch of TDMR `tdmr`."""
        price = self._step.areas.get(tdmr, 0) + self._step.total
        worthy = [
            (piece, value - price) for piece, value in self._begun(node, tdmr, run) if value > price
        ]
        found: list[Item] = []
        for split in self._lows:
            if not _inside(split.where, node, tdmr, run):
                continue
            # At most so many begin anywhere there, hence here: that many of the best will do.
            held = [(p, v) for p, v in worthy if _speaks_of(split, p)]
            if held and len(held) > split.at_most:
                worthy = [(p, v) for p, v in worthy if not _speaks_of(split, p)]
                best = Item(min(p.pages for p, _ in held), max(v for _, v in held))
                found += [best] * split.at_most
        found += [Item(piece.pages, value) for piece, value in worthy]
        return tuple(sorted(found))

    def _barred(self, piece: Piece, node: int, tdmr: int, run: int | None) -> bool:
        """Whether a case says that the piece does not begin there."""
        return any(
            split.at_most < 1 and _speaks_of(split, piece) and _inside(split.where, node, tdmr, run)
            for split in self._lows
        )

    def stretches(self, chain: Chain) -> list[Stretch]:
        made: list[Stretch] = []
        for index, (tdmr, pages) in enumerate(chain.stretches):
            later = [t for t, _ in chain.stretches[index:]]
            prices: list[int] = []
            for over in later:
                price = self._step.areas.get(over, 0) + self._step.total
                prices.append(price + (prices[-1] if prices else 0))
            crossing = [
                Crossing(piece.pages, [value - price for price in prices[1:]], value - prices[0])
                for piece, value in self._begun(chain.node, tdmr, chain.start * PAGE)
                if prices[1:] and value > prices[1]
                if not self._barred(piece, chain.node, tdmr, chain.start * PAGE)
            ]
            items = self.items(chain.node, tdmr, chain.start * PAGE)
            made.append(Stretch(pages, items, crossing))
        return made

    def _begun(self, node: int, tdmr: int, run: int | None) -> list[tuple[Piece, int]]:
        """Worth of each piece that begins there, before any area is paid for."""
        facts, remote = self._facts, self._step.remote
        cases = [
            (level, tdmrs, price)
            for where, level, tdmrs, price in self._cases
            if _inside(where, node, tdmr, run)
        ]
        found: list[tuple[Piece, int]] = []
        for piece, value in self._pieces:
            worth = value - remote * facts.cost(piece, node) if remote else value
            for level, tdmrs, price in cases:
                if piece.level == level and piece.tdmr in tdmrs:
                    worth += price
            found.append((piece, worth))
        return found


def _speaks_of(split: Split, piece: Piece) -> bool:
    return piece.level == split.piece and piece.tdmr in split.tdmrs


def _inside(where: Where, node: int, tdmr: int, run: int | None) -> bool:
    return where.node in {None, node} and where.tdmr in {None, tdmr} and where.run in {None, run}
