"""The bound loop on one encoded question.  See :mod:`pamt.solve.reference`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pamt.configuration import Configuration
from pamt.placement import Objective, build, evaluate, pose
from pamt.ranges import PAGE, RangeSet
from pamt.smt.encoding import Encoding
from pamt.smt.session import Sat, Session, Unknown, Unsat
from pamt.smt.terms import TRUE, Formula, Int, every, holds, no, some
from pamt.solve.budget import QUIET, Known, Watch, within
from pamt.solve.result import (
    FEASIBLE,
    INFEASIBLE,
    METHOD,
    OPTIMAL,
    STEPS,
    UNDECIDED,
    InternalDisagreement,
    PlaceResult,
    Statistics,
)

__all__ = ["Found", "Search"]

Z3_GAVE_UP = "z3 gave up: "


class Found(NamedTuple):
    """A judged configuration with the model it was read from."""

    model: Mapping[str, int]
    configuration: Configuration
    given_up: RangeSet
    objective: Objective


class _OutOfSteps(Exception):
    """z3 did not settle a question: its steps are used up, or (`reason`) it gave up."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


class Search:
    """One session on one encoding; formulas are only ever added, never taken back."""

    def __init__(
        self,
        encoding: Encoding,
        order: Sequence[str],
        budget: int,
        no_worse_than: Objective | None = None,
        watch: Watch = QUIET,
    ) -> None:
        """`no_worse_than` leaves out whatever is worse, in `order`, than a known objective."""
        self._watch = watch
        self._held: dict[str, int] = {}
        """Components that are settled, in order."""
        self._encoding = encoding
        self._order = tuple(order)
        self._budget = budget
        self._checks = 0
        self._session = Session()
        self._session.add(a.formula for a in encoding.assertions)
        if no_worse_than is not None:
            self._session.add((self._no_worse(no_worse_than),))
        self._best: Found | None = None
        self._bound = Objective(*(encoding.components[name].low for name in Objective._fields))

    def _no_worse(self, known: Objective) -> Formula:
        allowed: Formula = TRUE
        for name in reversed(self._order):
            at_most = self._encoding.components[name].at_most
            value = int(getattr(known, name))
            allowed = some((at_most(value - 1), every((at_most(value), allowed))))
        return allowed

    def run(self, *, canonical: bool) -> PlaceResult:
        """Decide, optimise, and (if wanted) go on to the canonical optimum."""
        self._watch.phase("z3: a first placement")
        try:
            best = self._try(())
            if best is None:
                return self._result(INFEASIBLE)
            for name in self._order:
                self._bring_down(name)
        except _OutOfSteps as out:
            verdict = UNDECIDED if self._best is None else FEASIBLE
            return self._result(verdict, out=out)
        if not canonical:
            return self._result(OPTIMAL)
        self._watch.phase("z3: the canonical one among equals")
        try:
            self._earliest_cuts()
            self._lowest_bases()
            self._lowest_floats()
        except _OutOfSteps as out:
            return self._result(OPTIMAL, out=out)
        return self._result(OPTIMAL, canonical=True)

    def _result(
        self, verdict: str, *, out: _OutOfSteps | None = None, canonical: bool = False
    ) -> PlaceResult:
        best = self._best
        reason = stopped = None
        if out is not None:
            reason = (
                "z3 took all the steps it may" if out.reason is None else Z3_GAVE_UP + out.reason
            )
            stopped = STEPS if out.reason is None else METHOD
        statistics = Statistics(
            "z3",
            checks=self._checks,
            steps=self._session.steps,
            assertions=len(self._encoding.assertions),
        )
        bound = None if verdict == INFEASIBLE else self._bound
        if verdict == OPTIMAL and best is not None:
            # Components that are not asked for were not brought down: the bound says so.
            bound = self._bound._replace(
                **{name: getattr(best.objective, name) for name in self._order}
            )
        return PlaceResult(
            verdict,
            self._order,
            configuration=best.configuration if best else None,
            given_up=best.given_up if best else RangeSet(),
            objective=best.objective if best else None,
            bound=bound,
            reason=reason,
            stopped=stopped,
            canonical=canonical,
            statistics=statistics,
        )

    def _try(self, wanted: Sequence[Formula]) -> Found | None:
        """A judged configuration with all of `wanted`; None if there is none.

        Raises _OutOfSteps where z3 does not settle it.
        """
        names = [f"try:{self._checks}:{at}" for at in range(len(wanted))]
        self._session.add_named(zip(names, wanted, strict=True))
        self._checks += 1
        before = self._session.steps
        allowed = within(self._budget - before, self._watch)
        answer = self._session.check(names, allowed)
        taken = self._session.steps - before
        self._watch.spent(taken)
        if isinstance(answer, Unknown):
            raise _OutOfSteps(None if taken >= allowed else answer.reason)
        if isinstance(answer, Unsat):
            return None
        assert isinstance(answer, Sat)
        self._best = self._judged(answer.model)
        self._tell(self._best)
        return self._best

    def _tell(self, found: Found) -> None:
        tdmrs = found.configuration.tdmrs
        known = Known(
            "z3",
            tuple(tdmr.range for tdmr in tdmrs),
            tuple((t.pamt_4k.base, t.pamt_2m.base, t.pamt_1g.base) for t in tdmrs),
            found.given_up,
            found.objective,
        )
        self._watch.best(known)

    def _judged(self, model: Mapping[str, int]) -> Found:
        """Build what the model stands for and let the plain rules judge it."""
        question = self._encoding.question
        tdmrs, bases = self._encoding.decode(model)
        given_up = self._encoding.given_up(model)
        if given_up != question.given_up:
            question = pose(question.machine, question.space, given_up)
        configuration = build(question, tdmrs, bases)
        judged = evaluate(question.machine, question.space, configuration, given_up)
        if judged.objective is None:
            raise InternalDisagreement(
                ("z3 encoding", "placement rules"), f"a model breaks {judged.violations}"
            )
        for name, component in self._encoding.components.items():
            value = int(getattr(judged.objective, name))
            exact = holds(component.at_most(value), model)
            if not exact or holds(component.at_most(value - 1), model):
                raise InternalDisagreement(
                    ("z3 encoding", "placement rules"), f"{name} is {value}, the model differs"
                )
            if value < component.low:
                raise InternalDisagreement(
                    ("lower bound", "placement rules"), f"{name} {value} < {component.low}"
                )
        return Found(model, configuration, given_up, judged.objective)

    def _bring_down(self, name: str) -> None:
        """Find the least value of a component, earlier ones held, and hold it."""
        component = self._encoding.components[name]
        low = component.low
        assert self._best is not None
        self._watch.phase(f"z3: the least {name}")
        value = int(getattr(self._best.objective, name))
        target = low
        while low < value:
            try:
                found = self._try((component.at_most(target),))
            except _OutOfSteps:
                self._bound = self._bound._replace(**{name: low})
                raise
            if found is None:
                low = target + 1
                self._watch.bound({**self._held, name: low}, None)
            else:
                value = int(getattr(found.objective, name))
            target = (low + value) // 2
        self._bound = self._bound._replace(**{name: value})
        self._held[name] = value
        self._watch.bound(dict(self._held), None)
        self._session.add((component.at_most(value),))

    def _earliest_cuts(self) -> None:
        """Among equals the first TDMR as small as can be, then the second, ..."""
        for segment in self._encoding.segments:
            if segment.start == TRUE:
                continue
            assert self._best is not None
            begins = holds(segment.start, self._best.model)
            if not begins:
                begins = self._try((segment.start,)) is not None
            self._session.add((segment.start if begins else no(segment.start),))

    def _lowest_bases(self) -> None:
        """Among equals the lowest base of the first TDMR's first region, then of the next, ..."""
        taken: list[tuple[int, int]] = []
        assert self._best is not None
        begun = [slot for slot in self._encoding.slots if slot.starts(self._best.model)]
        for slot in begun:
            for part in slot.parts:
                name = part.base.ints[0][1]
                pages = part.pages.constant
                pages += sum(c * self._best.model[x] for c, x in part.pages.ints)
                value = self._lower(name, pages, RangeSet(taken))
                self._session.add((Int(name).equals(value),))
                taken.append((value, value + pages))

    def _lowest_floats(self) -> None:
        """Among equals the lowest place of each run of pages given up, in order."""
        for gone in self._encoding.floats:
            assert self._best is not None
            low, value = gone.low, self._best.model[gone.name]
            target = low
            while low < value:
                found = self._try((gone.base.at_most(target),))
                if found is None:
                    low = target + 1
                else:
                    value = found.model[gone.name]
                target = (low + value) // 2
            self._session.add((gone.base.equals(value),))

    def _lower(self, name: str, pages: int, taken: RangeSet) -> int:
        """Least page number of the base `name`, for a region of `pages`, off the pages `taken`."""
        assert self._best is not None
        value = self._best.model[name]
        places = [
            run
            for runs in self._encoding.question.free_by_node.values()
            for free in runs
            for run in RangeSet([(free.start // PAGE, free.end // PAGE)]) - taken
            if run.size >= pages
        ]
        low = min((run.start for run in places), default=value)
        target = low
        while low < value:
            found = self._try((Int(name).at_most(target),))
            if found is None:
                low = target + 1
                # The next place that is not ruled out may lie far above.
                ahead = [max(low, r.start) for r in places if r.end - pages >= low]
                low = min(ahead, default=value)
            else:
                value = found.model[name]
            target = (low + value) // 2
        return value
