"""Giving up pages, case by case, with a proof for each case that the checker can follow.

What giving up pages can change falls into few cases (:mod:`pamt.certificate.withdrawal`).  Most of
them are excluded by holes, sizes and counts alone; the others are questions without pages to give
up, and the exact engines decide them.  A component of the objective is settled when every case
has a proof that it can't be lower; what stays open is left to z3 (:mod:`pamt.solve.giving_up`).

Source: docs/design.md, section 5 (``--give-up``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pamt.certificate import Certificate, Claim, Placed, Withdraw
from pamt.certificate.check import Ground, covers, refutes, targets
from pamt.certificate.cut_bound import ADDITIVE
from pamt.certificate.format import Cause, Cuts, Floor, Step, Trust
from pamt.certificate.relaxation import relax
from pamt.certificate.withdrawal import KINDS, Case, TooManyCases, list_cases
from pamt.configuration import Configuration
from pamt.machine import FreeRun, Machine
from pamt.placement import Objective, Space, build, canonical_key, evaluate, pose
from pamt.ranges import PAGE, Range, RangeSet
from pamt.solve import reference
from pamt.solve.budget import NODE, QUIET, Budget, Known, OutOfNodes, Steps, Watch
from pamt.solve.cuts import FEW_CELLS
from pamt.solve.engine.linux import Linux
from pamt.solve.engine.place import DEFAULT_NODES, bases_of, handles
from pamt.solve.result import INFEASIBLE, OPTIMAL, InternalDisagreement, PlaceResult, Statistics
from pamt.solve.withdrawals import forced_cause

__all__ = ["MOST_LISTED", "Cases", "Decide", "place_giving_up"]

MOST_LISTED = 6_000
"""Cases that are looked at; where there are more, nothing is settled here."""
MOST_SOLVED = 1_500
"""Cases that an engine is asked about."""
FEW_RUNS = 64
"""Free runs up to which z3 is asked for the canonical one among optima that are known."""
MOST_SETS = 1_500
"""Sets of pages that are gone through one by one where cases of layouts leave a claim open."""

Decide = Callable[[Machine, Space, tuple[str, ...], int, bool], PlaceResult]
"""Decides a question without pages to give up: (machine, space, order, budget, canonical)."""
At = Mapping[str, int]


def place_giving_up(
    machine: Machine,
    space: Space,
    order: tuple[str, ...],
    budget: int,
    *,
    canonical: bool,
    decide: Decide,
    watch: Watch = QUIET,
) -> PlaceResult:
    """Decide a question in which up to ``space.give_up`` pages may go, with proofs where possible.

    `decide` answers questions without.
    """
    cases = Cases(machine, space, order, budget, decide, canonical=canonical, watch=watch)
    known = cases.run()
    if known is not None:
        if known.verdict == INFEASIBLE:
            return replace(known, cause=forced_cause(machine, space))
        if known.canonical or not canonical or not _small(machine, space):
            return known
    found = reference.place(
        machine, space, order, budget, rivals=(), canonical=canonical, watch=watch
    )
    if known is not None:
        return _canonical(known, found)
    if found.verdict not in {OPTIMAL, INFEASIBLE}:
        return found
    value = {} if found.objective is None else dict(found.objective._asdict())
    placed = None
    if found.configuration is not None:
        placed = placed_at(found.configuration, found.given_up)
    bare = Certificate(found.verdict, space, order, placed, value)
    claims = [
        cases.claim(target) or Claim(dict(target), (Trust(found.statistics.solver, "unsat"),))
        for target in targets(bare)
    ]
    return replace(found, certificate=replace(bare, claims=tuple(claims)))


def _small(machine: Machine, space: Space) -> bool:
    question = pose(machine, space)
    return len(question.cells) <= FEW_CELLS and len(question.free) <= FEW_RUNS


def _canonical(known: PlaceResult, found: PlaceResult) -> PlaceResult:
    """What is known to be optimal, with the canonical configuration if z3 found it."""
    assert known.objective is not None
    assert known.certificate is not None
    key = known.objective.key(known.order)
    worse = found.objective is not None and found.objective.key(known.order) > key
    if found.verdict == INFEASIBLE or (found.verdict == OPTIMAL and worse):
        raise InternalDisagreement(
            ("giving up", "z3"), f"{known.objective} against {found.verdict} {found.objective}"
        )
    if found.verdict != OPTIMAL or found.configuration is None or found.objective is None:
        return known
    if found.objective.key(known.order) < key:
        raise InternalDisagreement(("giving up", "z3"), f"{known.objective}, {found.objective}")
    certificate = replace(
        known.certificate,
        placed=placed_at(found.configuration, found.given_up),
        value=dict(found.objective._asdict()),
    )
    statistics = replace(found.statistics, engine="exact, z3")
    return replace(found, bound=known.bound, statistics=statistics, certificate=certificate)


@dataclass(frozen=True)
class Found:
    """A judged configuration of some case."""

    configuration: Configuration
    given_up: RangeSet
    objective: Objective


@dataclass(frozen=True)
class _Solved:
    """What an engine makes of a case: its claims hold for the case's question."""

    found: Found | None
    claims: tuple[Claim, ...]
    canonical: bool = False
    """Whether `found` is the canonical one of its case, or there is none."""


class Cases:
    """One question with pages to give up."""

    def __init__(
        self,
        machine: Machine,
        space: Space,
        order: tuple[str, ...],
        budget: int,
        decide: Decide,
        *,
        canonical: bool,
        watch: Watch = QUIET,
        nodes: int = DEFAULT_NODES,
        most_solved: int = MOST_SOLVED,
        most_listed: int = MOST_LISTED,
    ) -> None:
        self._machine = machine
        self._space = space
        self._order = order
        self._rest = tuple(name for name in order if name != "lost")
        self._decide = decide
        self._canonical = canonical
        self._steps = budget
        self._watch = watch
        self._budget = Budget(min(nodes, budget // NODE), watch=Steps(watch))
        self._most_solved = most_solved
        self._most_listed = most_listed
        self._whole = Ground(pose(machine, space))
        self._solved: dict[tuple[object, ...], _Solved] = {}
        self._asked = 0
        self._recent: list[tuple[Step, ...]] = []

    def run(self) -> PlaceResult | None:
        """The answer where every case is settled with a proof; else None."""
        try:
            best, canonical = self._search()
        except (TooManyCases, OutOfNodes):
            return None
        statistics = Statistics("exact", checks=self._asked)
        if best is None:
            bare = Certificate(INFEASIBLE, self._space, self._order)
            claims = self.prove(bare)
            if claims is None:
                return None
            return PlaceResult(
                INFEASIBLE,
                self._order,
                statistics=statistics,
                certificate=replace(bare, claims=claims),
            )
        bare = Certificate(
            OPTIMAL,
            self._space,
            self._order,
            placed_at(best.configuration, best.given_up),
            dict(best.objective._asdict()),
        )
        claims = self.prove(bare)
        if claims is None:
            return None
        floors = Objective(0, -(1 << 62), 0, 0, 0, 0)
        return PlaceResult(
            OPTIMAL,
            self._order,
            configuration=best.configuration,
            given_up=best.given_up,
            objective=best.objective,
            bound=floors._replace(**{name: getattr(best.objective, name) for name in self._order}),
            canonical=canonical,
            statistics=statistics,
            certificate=replace(bare, claims=claims),
        )

    # Looking for the best configuration.

    def _search(self) -> tuple[Found | None, bool]:
        """The best that was found, and whether it is known to be the canonical one."""
        space = self._space
        if self._order[0] != "lost":
            return self._best_of(self._listed(space.give_up))
        for pages in range(space.give_up + 1):
            best, canonical = self.with_pages(pages)
            if best is not None:
                return best, canonical
        return None, False

    def with_pages(self, pages: int) -> tuple[Found | None, bool]:
        """The best that gives up so many pages, as far as pages can't be put back.

        Raises TooManyCases and OutOfNodes.
        """
        return self._best_of([case for case in self._listed(pages) if case.pages == pages])

    def _best_of(self, cases: Sequence[Case]) -> tuple[Found | None, bool]:
        best: Found | None = None
        canonical = True
        for case in sorted(cases, key=lambda case: case.pages):
            if self._by_counting(case, {}) is not None:
                continue
            if best is not None and self._no_better(case, best.objective):
                continue
            solved = self._solve(case)
            canonical = canonical and solved.canonical
            found = solved.found
            if found is not None and (best is None or self._key(found) < self._key(best)):
                best = found
                if not self._rest and not self._canonical:
                    return best, False
        return best, canonical

    def _key(self, found: Found) -> tuple[object, ...]:
        return (
            found.objective.key(self._order),
            canonical_key(found.configuration, found.given_up),
        )

    def _listed(self, limit: int, kind: str = "layouts") -> list[Case]:
        most = self._most_listed if kind == "layouts" else MOST_SETS
        found = list(islice(list_cases(self._machine, self._space, limit, kind), most + 1))
        if len(found) > most:
            raise TooManyCases(f"more than {most:,} ways to give up {limit} pages")
        return found

    def _no_better(self, case: Case, best: Objective) -> bool:
        """Whether counting shows that the case has nothing as good as the best known."""
        values = best._asdict()
        wanted = [{name: values[name] for name in self._order}]
        for at, name in enumerate(self._order):
            held = {n: values[n] for n in self._order[:at]}
            wanted.append({**held, name: values[name] - 1})
        return all(
            target.get("lost", case.pages) < case.pages
            or self._by_counting(case, target) is not None
            for target in wanted
        )

    # Proofs.

    def prove(self, bare: Certificate) -> tuple[Claim, ...] | None:
        """Claims for all that a certificate has to exclude; None where one of them stays open."""
        claims: list[Claim] = []
        for target in targets(bare):
            claim = self.claim(target)
            if claim is None:
                return None
            claims.append(claim)
        return tuple(claims)

    def claim(self, target: At) -> Claim | None:
        """A proof that nothing has components at most these; None where it stays open."""
        whole = self._whole
        limit = max(0, min(self._space.give_up, target.get("lost", self._space.give_up)))
        for name in target:
            if refutes(whole, (Floor(name),), target, limit):
                return Claim(dict(target), (Floor(name),))
        try:
            if limit == 0:
                base = self._listed(0)
                if base:
                    steps = self._proof(base[0], target)
                    return None if steps is None else Claim(dict(target), steps)
            for kind in KINDS:
                step = self._withdraw(kind, self._listed(limit, kind), target)
                if step is not None:
                    return Claim(dict(target), (step,))
        except (TooManyCases, OutOfNodes):
            pass
        return None

    def _withdraw(self, kind: str, cases: Sequence[Case], target: At) -> Withdraw | None:
        proofs: list[tuple[Step, ...]] = []
        numbers: dict[str, int] = {}
        runs: list[tuple[int, int]] = []
        for case in cases:
            steps = self._proof(case, target)
            if steps is None:
                return None
            text = repr(steps)
            if text not in numbers:
                numbers[text] = len(proofs)
                proofs.append(steps)
            number = numbers[text]
            if runs and runs[-1][1] == number:
                runs[-1] = (runs[-1][0] + 1, number)
            else:
                runs.append((1, number))
        return Withdraw(kind, tuple(proofs), tuple(runs))

    def _proof(self, case: Case, target: At) -> tuple[Step, ...] | None:
        quick = self._by_counting(case, target)
        if quick is not None:
            return quick
        ground = self._whole.case(case)
        for claim in self._solve(case).claims:
            if covers(claim.at_most, target) and refutes(ground, claim.steps, target):
                return claim.steps
        return None

    def _by_counting(self, case: Case, target: At) -> tuple[Step, ...] | None:
        ground = self._whole.case(case)
        tried: list[tuple[Step, ...]] = []
        trivial = case.question.trivial
        if trivial is not None:
            tried.append((Cause(trivial.kind),))
        else:
            tried += [steps for steps in self._recent if _fits(steps[0], target)]
            tried += [(step,) for step in _counting_steps(target) if (step,) not in tried]
        for steps in tried:
            if refutes(ground, steps, target):
                if steps not in self._recent and trivial is None:
                    self._recent.insert(0, steps)
                return steps
        return None

    # One case.

    def _solve(self, case: Case) -> _Solved:
        if case.key not in self._solved:
            if self._asked >= self._most_solved:
                raise TooManyCases(f"{self._asked:,} ways to give up pages were tried")
            self._asked += 1
            self._solved[case.key] = self._ask(case)
        return self._solved[case.key]

    def _ask(self, case: Case) -> _Solved:
        bare = self._space._replace(give_up=0)
        if handles(bare):
            return self._with_the_kernels_tdmrs(case)
        question = case.question
        memory = question.memory
        machine = replace(
            self._machine,
            memory=memory,
            free=tuple(
                FreeRun(part.start, part.end, node)
                for start, end, node in question.free
                for part in question.memory_set.within(Range(start, end))
            ),
        )
        order = self._rest or ("areas", "tdmrs")
        result = self._decide(machine, bare, order, self._steps, self._canonical)
        claims = result.certificate.claims if result.certificate is not None else ()
        if result.configuration is None:
            return _Solved(None, claims, canonical=result.verdict == INFEASIBLE)
        tdmrs = tuple(tdmr.range for tdmr in result.configuration.tdmrs)
        bases = tuple(
            (t.pamt_4k.base, t.pamt_2m.base, t.pamt_1g.base) for t in result.configuration.tdmrs
        )
        found = self._found(case, tdmrs, bases)
        # Where pages may go besides, others may be as good.
        exact = result.canonical and case.slack == 0 and not case.places
        return _Solved(found, claims, canonical=exact)

    def _with_the_kernels_tdmrs(self, case: Case) -> _Solved:
        """The engine for the kernel's TDMRs, on what the case leaves free."""
        question = case.question
        if question.trivial is not None:
            return _Solved(None, (Claim({}, (Cause(question.trivial.kind),)),), canonical=True)
        search = Linux(relax(question), self._rest, self._budget)
        search.run()
        claims = tuple(search.claims)
        if search.infeasible or search.packing is None:
            return _Solved(None, claims, canonical=search.infeasible)
        if self._canonical:
            search.make_canonical()
        assert question.tdmrs is not None
        tdmrs = tuple(fact.range for fact in question.tdmrs)
        found = self._found(case, tdmrs, bases_of(question, tdmrs, search.packing))
        return _Solved(found, claims, canonical=search.canonical and found is not None)

    def _found(
        self, case: Case, tdmrs: Sequence[Range], bases: Sequence[tuple[int, int, int]]
    ) -> Found | None:
        """The configuration with the lowest pages to give up that no PAMT needs."""
        draft = build(case.question, tdmrs, bases)
        gone = case.gone
        taken = RangeSet(pamt.range for tdmr in draft.tdmrs for pamt in tdmr.pamts) | gone
        for places in case.places:
            left = places - taken
            if not left:
                return None
            page = Range(left.span.start, left.span.start + PAGE)
            gone |= RangeSet([page])
            taken |= RangeSet([page])
        configuration = build(pose(self._machine, self._space, gone), tdmrs, bases)
        judged = evaluate(self._machine, self._space, configuration, gone)
        if judged.objective is None:
            if handles(self._space._replace(give_up=0)):
                raise InternalDisagreement(
                    ("giving up", "placement rules"), f"a placement breaks {judged.violations}"
                )
            return None
        placed = placed_at(configuration, gone)
        known = Known("exact", placed.tdmrs, placed.bases, gone, judged.objective)
        self._watch.best(known)
        return Found(configuration, gone, judged.objective)


def placed_at(configuration: Configuration, given_up: RangeSet) -> Placed:
    """A configuration as a certificate brings it."""
    tdmrs = configuration.tdmrs
    return Placed(
        tuple(tdmr.range for tdmr in tdmrs),
        tuple((tdmr.pamt_4k.base, tdmr.pamt_2m.base, tdmr.pamt_1g.base) for tdmr in tdmrs),
        tuple(given_up),
    )


def _counting_steps(target: At) -> Iterator[Step]:
    """Steps that need no places of PAMTs, likely ones first."""
    additive = tuple(name for name in target if name in ADDITIVE)
    yield Cuts(())
    for name in target:
        if name != "lost":
            yield Floor(name)
    if additive:
        yield Cuts(additive)
    if len(additive) > 1:
        for name in additive:
            yield Cuts((name,))


def _fits(step: Step, target: At) -> bool:
    """Whether a step speaks only of what the target names."""
    names = (
        step.order
        if isinstance(step, Cuts)
        else (step.component,)
        if isinstance(step, Floor)
        else ()
    )
    return all(name in target for name in names)
