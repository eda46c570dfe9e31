"""The engine for every space without pages to give up: bounds over all cuts, and one at the bound.

What no cut can go below is added up without looking at places (:mod:`pamt.certificate.cut_bound`).
Cuts that cheap come in canonical order, and for each the PAMTs are placed: under ``memory`` and
``cmr`` by the engine for fixed TDMRs, exactly; under ``minimal`` hung on stretches that are
reserved anyway (:mod:`pamt.solve.engine.hang`).  A placement that costs no more than the bound is
optimal, and the bound, which the checker adds up again, is its certificate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from pamt.certificate.check import floor
from pamt.certificate.cut_bound import ADDITIVE, CutFacts, cut_ranges
from pamt.certificate.each_cut import AllCuts, Cut, CutJudge, TooMany
from pamt.certificate.fill_bound import claim_facts, most_filled
from pamt.certificate.format import Certificate, Claim, Placed
from pamt.certificate.format import Cuts as CutsStep
from pamt.certificate.home_rooms import RoomyPath, blocks_of_homes, full
from pamt.certificate.near_home import at_home
from pamt.certificate.relaxation import relax
from pamt.configuration import Configuration
from pamt.placement import Objective, Question, build, evaluate
from pamt.ranges import Range
from pamt.solve.budget import Budget, Known, OutOfNodes, Steps
from pamt.solve.engine.branch import decide
from pamt.solve.engine.canonical import canonical_packing
from pamt.solve.engine.cut_choice import (
    Bounds,
    bounds_over_cuts,
    cheapest_cuts,
    meets,
    raised,
    with_claims,
)
from pamt.solve.engine.fill import fill
from pamt.solve.engine.fixed_cut import fix_cut
from pamt.solve.engine.hang import hang
from pamt.solve.engine.largest import bound_by_largest
from pamt.solve.engine.linux import Linux
from pamt.solve.engine.one_by_one import better_cuts
from pamt.solve.engine.overhang import fill_by_overhang
from pamt.solve.engine.pack import Packing
from pamt.solve.engine.place import bases_of
from pamt.solve.engine.problem import Limits, pose_problem
from pamt.solve.engine.rooms import cuts_with_room
from pamt.solve.engine.spread import spread
from pamt.solve.result import (
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    UNDECIDED,
    InternalDisagreement,
    PlaceResult,
    Statistics,
)

__all__ = ["Proof", "place_any_cut"]

ENGINE = "exact"
BOUND_NODES = 200
PACKING_NODES = 60
"""Nodes of a case tree for a bound, and for a placement on one cut."""
MOST_CUTS = 40
"""Cuts for which a placement is looked for."""

Bases = tuple[tuple[int, int, int], ...]


class Proof(NamedTuple):
    """A result and the certificate that goes with it; None for UNDECIDED."""

    result: PlaceResult
    certificate: Certificate | None


class _Found(NamedTuple):
    tdmrs: tuple[Range, ...]
    bases: Bases
    configuration: Configuration
    objective: Objective
    canonical: bool


def place_any_cut(
    question: Question, order: Sequence[str], budget: Budget, *, canonical: bool = True
) -> Proof:
    """Decide a question without a trivial cause and without pages to give up.

    OPTIMAL and INFEASIBLE are settled; FEASIBLE and UNDECIDED say what is known, for others to go
    on from.  Raises InternalDisagreement where a placement is below the bound.
    """
    search = _Search(question, tuple(order), budget, canonical)
    return search.run()


class _Search:
    def __init__(
        self, question: Question, order: tuple[str, ...], budget: Budget, canonical: bool
    ) -> None:
        self._question = question
        self._order = order
        self._budget = budget
        self._canonical = canonical
        self._best: _Found | None = None
        self._open = False
        """Whether a search for a placement came to no end."""

    def run(self) -> Proof:
        question, order = self._question, self._order
        remote = floor(question, "remote")
        self._budget.watch.phase("bounds over all cuts")
        bounds = bounds_over_cuts(question, order)
        statistics = Statistics(ENGINE)
        if bounds is None:
            result = PlaceResult(INFEASIBLE, order, statistics=statistics)
            claims = (Claim({}, (CutsStep(()),)),)
            return Proof(result, Certificate(INFEASIBLE, question.space, order, claims=claims))
        if "remote" not in order or question.tdmrs is not None or remote == 0:
            if question.tdmrs is not None:
                largest = bound_by_largest(question, order, self._some(BOUND_NODES))
                if largest.infeasible:
                    result = PlaceResult(INFEASIBLE, order, statistics=statistics)
                    return Proof(
                        result,
                        Certificate(INFEASIBLE, question.space, order, claims=largest.claims),
                    )
                bounds = with_claims(question, bounds, largest.values, largest.claims)
            self._budget.watch.bound(dict(bounds.values), tuple(bounds.claims))
            self._budget.watch.phase("placements at the bound over all cuts")
            # Cuts that leave areas on every node come first where no cheaper ones will do.
            roomy = self._needs_rooms(bounds)
            if roomy:
                self._look_by_node(bounds)
            if not self._at(bounds):
                self._look(bounds)
            if not self._at(bounds) and question.space.reserve != "minimal" and not roomy:
                self._look_by_node(bounds)
            if self._best is None:
                bounds = raised(question, bounds, None)
                self._look(bounds)
            if not self._at(bounds) and question.space.reserve == "minimal":
                bounds = self._look_further(bounds)
            if not self._at(bounds) and question.space.reserve == "minimal":
                self._spread(bounds)
            if question.tdmrs is not None and not self._at(bounds):
                self._look_whole()
            if self._best is not None and not self._at(bounds):
                bounds = raised(question, bounds, self._best.objective)
                if not self._at(bounds):
                    self._look(bounds)
        else:
            # Another node may be nearer than home: `remote` can be below 0, by how much is open.
            bounds = Bounds(order)
        return self._answer(bounds, Statistics(ENGINE, checks=self._budget.spent))

    def _some(self, nodes: int) -> Budget:
        """Up to so many nodes of what may be taken, for a question of its own: steps count."""
        left = max(0, self._budget.nodes - self._budget.spent)
        return Budget(min(nodes, left), watch=Steps(self._budget.watch))

    def _at(self, bounds: Bounds) -> bool:
        """Whether the best there is costs no more than the bound."""
        return self._key() == tuple(bounds.values[name] for name in self._order)

    def _look(self, bounds: Bounds) -> None:
        """Placements on cuts that cost no more than the bound."""
        facts = claim_facts(self._question, bounds.values)[0]
        target = tuple(bounds.values[name] for name in self._order)
        exact = True
        for kind in self._kinds(facts, bounds):
            for tdmrs in kind:
                found, settled = self._on(tdmrs, bounds.values)
                if found is None:
                    exact = exact and settled
                    continue
                key = found.objective.key(self._order)
                if key < target:
                    raise InternalDisagreement(
                        ("bound over cuts", "placement rules"), f"{key} is below {target}"
                    )
                if key == target:
                    self._best = found._replace(canonical=exact and found.canonical)
                    return
                self._better(found)
                exact = exact and settled
                if self._question.space.reserve == "minimal":
                    break  # the other cuts of this kind cost as much

    def _look_further(self, bounds: Bounds) -> Bounds:
        """``minimal``: placements with gaps filled; bounds that one meets, if that is seen."""
        question = self._question
        for layouts in (
            fill_by_overhang(question, bounds.values, self._fullest),
            fill(question, self._order, self._key),
        ):
            for tdmrs, bases in layouts:
                made = self._made(tdmrs, bases, canonical=False)
                if made is None or not self._better(made):
                    continue
                if self._at(bounds):
                    return bounds
                # Others are not looked for where none is better.
                higher = meets(question, bounds, made.objective)
                if higher is not None:
                    return higher
        self._improve(bounds)
        return bounds

    def _improve(self, bounds: Bounds) -> bool:
        """Go through better cuts, where they are few; whether the bound is met."""
        if self._question.tdmrs is not None:
            return False
        while self._best is not None and not self._at(bounds):
            before = self._key()
            for tdmrs, bases in better_cuts(
                self._question, self._order, bounds.values, self._best.objective
            ):
                made = self._made(tdmrs, bases, canonical=False)
                if made is not None:
                    self._better(made)
                    if self._key() != before:
                        break
            if self._key() == before:
                return False
        return self._best is not None

    def _spread(self, bounds: Bounds) -> None:
        """Fewer areas in a TDMR, where TDMRs are cut between them."""
        best, least = self._best, bounds.values.get("max_areas")
        if best is None or least is None or self._question.tdmrs is not None:
            return
        caps = range(least, best.objective.max_areas)
        near = "remote" in self._order
        for tdmrs, bases in spread(self._question, best.configuration, caps, at_home=near):
            made = self._made(tdmrs, bases, canonical=False)
            if made is not None and self._better(made):
                return

    def _look_whole(self) -> None:
        """TDMRs fixed: the best placement of whole chunks; under ``minimal`` the nearest."""
        question = self._question
        assert question.tdmrs is not None
        minimal = question.space.reserve == "minimal"
        some = [n for n in self._order if n not in ("areas", "max_areas")] or ["remote"]
        facts = relax(_chunks(question), largest=minimal)
        search = Linux(facts, some if minimal else self._order, self._some(BOUND_NODES))
        with suppress(OutOfNodes):
            search.run()
        if search.packing is not None:
            tdmrs = tuple(fact.range for fact in question.tdmrs)
            made = self._lies(question, tdmrs, search.packing, canonical=False)
            if made is not None:
                self._better(made)

    def _needs_rooms(self, bounds: Bounds) -> bool:
        """``memory``, ``cmr``: whether the bound is above what cuts cost wherever PAMTs lie."""
        question = self._question
        if question.tdmrs is not None or question.space.reserve == "minimal":
            return False
        additive = [name for name in self._order if name in ADDITIVE]
        facts = claim_facts(question, bounds.values)[0]
        least = facts.cuts(additive, bounds.values.get("max_areas")).least
        return least is None or least < tuple(bounds.values[name] for name in additive)

    def _look_by_node(self, bounds: Bounds) -> None:
        """Some placement, where each node has room and areas for its own PAMTs."""
        facts = claim_facts(self._question, bounds.values)[0]
        for tdmrs, cap in self._by_node(facts):
            question = fix_cut(self._question, tdmrs)
            limits = Limits(remote=bounds.values.get("remote"), max_areas=cap)
            found = self._packed(question, tdmrs, limits, whole=False)
            if found is not None:
                self._better(found)
                return

    def _key(self) -> tuple[int, ...] | None:
        return None if self._best is None else self._best.objective.key(self._order)

    def _fullest(self) -> int:
        limit = self._question.limits.max_reserved_per_tdmr
        return limit if self._best is None else self._best.objective.max_areas

    def _better(self, found: _Found) -> bool:
        """Keep what was found if it is better than what is known; whether it is."""
        key = found.objective.key(self._order)
        if self._best is not None and key >= self._best.objective.key(self._order):
            return False
        self._best = found
        return True

    def _kinds(self, facts: CutFacts, bounds: Bounds) -> Iterator[Iterator[tuple[Range, ...]]]:
        """Cuts that cost no more than the bound; then some that do without filling gaps."""
        question = self._question
        if question.tdmrs is not None:
            yield iter([tuple(fact.range for fact in question.tdmrs)])
            return
        additive = tuple(name for name in self._order if name in ADDITIVE)
        most = bounds.values.get("max_areas")
        seen: set[Cut] = set()
        plain = facts.unfilled
        for some, cap in ((facts, most), (plain, most), (plain, _least_cap(plain))):
            if some is plain or facts.least_alone == facts.alone:
                cheapest = islice(cheapest_cuts(some, additive, cap), MOST_CUTS)
                yield (tuple(cut_ranges(facts, cut)) for cut in _new(cheapest, seen))
        yield (tuple(cut_ranges(facts, cut)) for cut in _new(self._all_cuts(bounds), seen))

    def _all_cuts(self, bounds: Bounds) -> Iterator[Cut]:
        """Cuts at the bound that are not seen to do no good, where cuts are few."""
        facts, gaps = claim_facts(self._question, bounds.values)
        judge = CutJudge(self._question, facts, gaps, bounds.values)
        if "tdmrs" not in bounds.values:
            return
        tried = 0
        try:
            few = most_filled(self._question, bounds.values)
            for cut in AllCuts(facts, bounds.values, few=few):
                if judge.may_do(cut):
                    yield cut
                    tried += 1
                if tried >= MOST_CUTS:
                    return
        except TooMany:
            return

    def _by_node(self, facts: CutFacts) -> Iterator[tuple[tuple[Range, ...], int]]:
        """Cuts with areas left for every node's PAMTs, ever more of them in the fullest TDMR."""
        question = self._question
        if question.tdmrs is not None:
            return
        home = at_home(question, {"remote": floor(question, "remote")}) and "remote" in self._order
        caps = range(1, facts.limit + 1)
        additive = [name for name in self._order if name in ADDITIVE]
        blocks = blocks_of_homes(question) if home else ()
        for cap in caps:
            if full(facts.but(limit=cap), blocks):
                path = RoomyPath(facts.but(limit=cap), additive, blocks)
                if path.least is not None:
                    yield tuple(cut_ranges(facts, path.cut())), cap
                    break
        for cut, cap in cuts_with_room(question, facts, caps, at_home=home):
            yield tuple(cut_ranges(facts, cut)), cap

    def _on(self, tdmrs: tuple[Range, ...], bound: Mapping[str, int]) -> tuple[_Found | None, bool]:
        """A placement for these TDMRs; and whether, without one, there is none at the bound."""
        question = fix_cut(self._question, tdmrs)
        if question.space.reserve == "minimal":
            near = "remote" in self._order
            hung = hang(question, tdmrs, at_home=near)
            if hung is None:
                most = question.limits.max_reserved_per_tdmr
                for cap in (bound.get("max_areas", most), most):
                    hung = hang(question, tdmrs, at_home=near, cap=cap)
                    if hung is not None:
                        break
            if hung is None:
                return None, False
            # Where more areas may be added freely a lower place can cost as little.
            tight = "areas" in self._order
            return self._made(tdmrs, hung.bases, canonical=hung.lowest and tight), False
        whole = question.space.pamt == "chunk" or "areas" in self._order
        limits = {n: v for n, v in bound.items() if n in ("remote", "max_areas", "areas")}
        found = self._packed(question, tdmrs, Limits(**limits), whole)
        return found, whole and not self._open

    def _packed(
        self, question: Question, tdmrs: tuple[Range, ...], limits: Limits, whole: bool
    ) -> _Found | None:
        facts = relax(_chunks(question))
        problem = pose_problem(facts, limits)
        canonical = self._canonical and whole
        try:
            packing = decide(problem, self._some(PACKING_NODES)).packing
        except OutOfNodes:
            self._open = True
            return None
        if packing is None:
            return None
        if canonical:
            try:
                packing = canonical_packing(problem, packing, self._some(BOUND_NODES))
            except OutOfNodes:
                canonical = False
        return self._lies(question, tdmrs, packing, canonical=canonical)

    def _lies(
        self, question: Question, tdmrs: tuple[Range, ...], packing: Packing, *, canonical: bool
    ) -> _Found | None:
        """The placement with every piece where `packing` says."""
        return self._made(tdmrs, bases_of(question, tdmrs, packing), canonical=canonical)

    def _made(self, tdmrs: tuple[Range, ...], bases: Bases, *, canonical: bool) -> _Found | None:
        question = self._question
        configuration = build(question, tdmrs, bases)
        judged = evaluate(question.machine, question.space, configuration, question.given_up)
        if judged.objective is None:
            return None
        given_up, value = question.given_up, judged.objective
        self._budget.watch.best(Known(ENGINE, tdmrs, bases, given_up, value))
        return _Found(tdmrs, bases, configuration, value, canonical)

    def _answer(self, bounds: Bounds, statistics: Statistics) -> Proof:
        order, space = self._order, self._question.space
        question = self._question
        low = Objective(
            *(bounds.values.get(name, floor(question, name)) for name in Objective._fields)
        )
        best = self._best
        if best is None:
            reason = "no placement found that meets the bound over cuts"
            return Proof(
                PlaceResult(UNDECIDED, order, bound=low, reason=reason, statistics=statistics), None
            )
        reached = all(name in bounds.values for name in order)
        settled = reached and best.objective.key(order) == low.key(order)
        result = PlaceResult(
            OPTIMAL if settled else FEASIBLE,
            order,
            configuration=best.configuration,
            objective=best.objective,
            bound=low,
            reason=None if settled else "no placement found that meets the bound over cuts",
            canonical=settled and best.canonical,
            statistics=statistics,
        )
        return Proof(
            result,
            Certificate(
                result.verdict,
                space,
                order,
                Placed(best.tdmrs, best.bases),
                dict(best.objective._asdict()),
                {} if settled else dict(bounds.values),
                tuple(bounds.claims),
            ),
        )


def _chunks(question: Question) -> Question:
    """The question with whole chunks only."""
    assert question.tdmrs is not None
    chunked = fix_cut(question, tuple(fact.range for fact in question.tdmrs))
    object.__setattr__(chunked, "space", question.space._replace(tdmrs="kernel", pamt="chunk"))
    return chunked


def _new(cuts: Iterator[Cut], seen: set[Cut]) -> Iterator[Cut]:
    for cut in cuts:
        if cut not in seen:
            seen.add(cut)
            yield cut


def _least_cap(facts: CutFacts) -> int | None:
    """The least areas a fullest TDMR can do with."""
    for cap in range(1, facts.limit + 1):
        if facts.cuts((), cap).least is not None:
            return cap
    return None
