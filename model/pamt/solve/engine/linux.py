"""The engine for fixed TDMRs and the hole rules ``memory`` and ``cmr``, chunks split or not.

Component by component: the least value, with a claim that it can't be lower while the components
before it are held; then the canonical one among the optima.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from pamt.certificate.format import LARGEST, Claim, Floor, Split, Step
from pamt.certificate.relaxation import Relaxation
from pamt.certificate.sums import Leaves
from pamt.configuration import LEVELS
from pamt.solve.engine.branch import (
    Budget,
    Decision,
    OutOfNodes,
    Tree,
    decide,
    flatten,
    remote_unit,
)
from pamt.solve.engine.canonical import canonical_packing
from pamt.solve.engine.leaf import Prover
from pamt.solve.engine.master import AREAS, REMOTE, Master, Relaxed
from pamt.solve.engine.pack import Packing
from pamt.solve.engine.problem import Limits, pose_problem
from pamt.solve.engine.view import look

__all__ = ["Linux", "of_largest"]

MOST_BESIDE = 60
"""Nodes for places of small regions beside the largest ones."""
DECIDED = ("remote", "max_areas", "areas")
"""Components that placing PAMTs can change; the others are the same for every configuration."""


class Linux:
    """One question; :meth:`run` decides it, and what was reached is there if it is interrupted."""

    def __init__(self, facts: Relaxation, order: Sequence[str], budget: Budget) -> None:
        self._facts = facts
        self._order = order
        self._budget = budget
        self._leaves = Leaves(facts)
        self._held: dict[str, int] = {}
        self._relaxed: Relaxed | None = None
        self.packing: Packing | None = None
        """The best that is known; all limits that were settled are kept."""
        self.claims: list[Claim] = []
        self.bound: dict[str, int] = {}
        """Components that are settled, in order."""
        self.low: dict[str, int] = {}
        """The same, and what is proved of the next one."""
        self.infeasible = False
        self.canonical = False

    def run(self) -> None:
        """Decide and optimise.  Raises OutOfNodes, keeping what was reached."""
        constant = {"lost": 0, "tdmrs": self._facts.tdmrs}
        constant["pamt_pages"] = sum(p.pages for p in self._facts.pieces if p.level == "chunk")
        decided = [name for name in self._order if name in DECIDED]
        if not decided or decided[0] != "remote":
            first = self._decide({})
            if first.packing is None:
                self._give_up(first)
                return
        for name in self._order:
            self.low = dict(self.bound)
            self._budget.watch.phase(f"the least {name}")
            if name in constant:
                value = constant[name]
                self._claim({**self._held, name: value - 1}, (Floor(name),))
            else:
                value = getattr(self, f"_least_{name}")()
                if self.infeasible:
                    return
            self._held[name] = value
            self.bound[name] = value
            self.low = dict(self.bound)
            self._budget.watch.bound(dict(self.bound), tuple(self.claims))

    def make_canonical(self) -> None:
        """Among the optima the canonical one.  Raises OutOfNodes."""
        assert self.packing is not None
        self._budget.watch.phase("the canonical one among equals")
        problem = pose_problem(self._facts, self._limits(self._held))
        self.packing = canonical_packing(problem, self.packing, self._budget, self._relaxed)
        self.canonical = True

    @staticmethod
    def _limits(values: dict[str, int]) -> Limits:
        return Limits(**{name: value for name, value in values.items() if name in DECIDED})

    def _claim(self, at_most: dict[str, int], steps: tuple[Step, ...]) -> None:
        self.claims.append(Claim(at_most, steps))

    def _decide(
        self, at_most: dict[str, int], goal: str | None = None, best: Packing | None = None
    ) -> Decision:
        limits = self._limits(at_most)
        prover = Prover(self._leaves, limits.as_claim())
        problem = pose_problem(self._facts, limits)
        told = self._budget.packed

        def keep(packing: Packing) -> None:
            # What the search finds within its limits is not lost when it runs out of nodes.
            self.packing = packing
            if told is not None:
                told(packing)

        self._budget.packed = keep
        try:
            decision = decide(
                problem, self._budget, prover, goal=goal, known=self._relaxed, best=best
            )
        finally:
            self._budget.packed = told
        self._relaxed = decision.relaxed or self._relaxed
        if decision.packing is not None:
            self.packing = decision.packing
        return decision

    def _give_up(self, decision: Decision, *, largest: bool = False) -> None:
        assert decision.tree is not None
        self.infeasible = True
        self.packing = None
        steps = flatten(decision.tree)
        self.claims = [Claim({}, of_largest(steps) if largest else steps)]

    def _tell_root(self) -> None:
        """Tell the watch what the relaxation alone says `remote` can't be below.

        The search settles far more, but only at its end; this is known at once.
        """
        if not self._budget.watch.hears_bounds:
            return
        problem = pose_problem(self._facts, self._limits(self._held))
        if problem.overfull or not problem.chunks:
            return
        scale = max(
            (abs(problem.cost(c, n)) for c in problem.chunks for n, _ in problem.spots), default=1
        )
        view = look(problem)
        relaxed = Master(view, (), float(scale or 1), self._relaxed).solve()
        if relaxed is None or not relaxed.feasible:
            return
        unit = remote_unit(problem) or 1
        least = ceil((relaxed.bound - 1e-6 * max(1.0, abs(relaxed.bound))) / unit) * unit
        at_most = {**self._held, "remote": least - 1}
        limits = self._limits(at_most)
        prover = Prover(self._leaves, limits.as_claim())
        step = prover.sum(look(pose_problem(self._facts, limits)), (), (), relaxed.prices)
        if step is not None:
            claims = (*self.claims, Claim(at_most, (step,)))
            self._budget.watch.bound({**self.bound, "remote": least}, claims)

    def _by_largest(self) -> int | None:
        """Where chunks may be split: the least `remote`, if the largest pieces alone say it.

        Of 4K regions all have a multiple of the pages that one GiB takes, so there is less to
        choose; mostly the small regions find their places beside.
        """
        facts = self._facts.largest()
        limits = self._limits(self._held)
        prover = Prover(Leaves(facts), limits.as_claim())
        own = Budget((self._budget.nodes - self._budget.spent) // 2, watch=self._budget.watch)
        try:
            decision = decide(pose_problem(facts, limits), own, prover, goal=REMOTE)
            self._budget.spent += own.spent
            if decision.packing is None:
                self._give_up(decision, largest=True)
                return 0
            least = decision.cost + facts.rest
            beside = Budget(min(MOST_BESIDE, own.nodes - own.spent), watch=own.watch)
            packing = self._beside(decision.packing, least, beside)
            self._budget.spent += beside.spent
        except OutOfNodes:
            self._budget.spent += own.nodes
            return None
        assert decision.tree is not None
        steps = of_largest(flatten(decision.tree))
        self._budget.watch.bound(
            {**self.bound, "remote": least},
            (*self.claims, Claim({**self._held, "remote": least - 1}, steps)),
        )
        if packing is None:
            return None
        self.packing = packing
        self._claim({**self._held, "remote": least - 1}, steps)
        return least

    def _beside(self, largest: Packing, remote: int, budget: Budget) -> Packing | None:
        """The largest pieces where they lie, and the others somewhere beside them."""
        problem = pose_problem(self._facts, self._limits({**self._held, "remote": remote}))
        lies: Packing = {}
        for chunk, lie in largest.items():
            piece = max(problem.regions[chunk.tdmr], key=lambda region: region.level == LEVELS[0])
            problem = problem.fix(piece, lie.node, lie.start)
            lies[piece] = lie
        if problem.overfull or problem.short:
            return None
        rest = decide(problem, budget).packing
        return None if rest is None else {**lies, **rest}

    def _least_remote(self) -> int:
        if self._facts.split:
            found = self._by_largest()
            if found is not None:
                return found
        self._tell_root()
        decision = self._decide(self._held, REMOTE)
        if decision.packing is None:
            self._give_up(decision)
            return 0
        assert decision.tree is not None
        self._claim({**self._held, "remote": decision.cost - 1}, flatten(decision.tree))
        return decision.cost

    def _least_max_areas(self) -> int:
        assert self.packing is not None
        return self._least_count("max_areas", max(self._facts.holes), self._max_areas(self.packing))

    def _least_areas(self) -> int:
        assert self.packing is not None
        holes, tdmrs = sum(self._facts.holes), len(self._facts.holes)
        if sum(len(lie.over) for lie in self.packing.values()) == tdmrs:
            self._hold_below(
                "areas", holes + tdmrs, self._exclude({**self._held, "areas": holes + tdmrs - 1})
            )
            return holes + tdmrs
        decision = self._decide(self._held, AREAS, self.packing)
        assert decision.tree is not None
        self._hold_below("areas", holes + decision.cost, decision.tree)
        return holes + decision.cost

    def _least_count(self, name: str, low: int, reached: int) -> int:
        """The least value from `low` to `reached`, which is known to be possible."""
        value, high = low, reached
        # The relaxation alone says how far down it is worth looking.
        while value < high:
            middle = (value + high) // 2
            if self._relaxed_excludes({**self._held, name: middle}):
                value = middle + 1
            else:
                high = middle
        self._hold_below(name, value, self._exclude({**self._held, name: value - 1}))
        while value < reached:
            decision = self._decide({**self._held, name: value})
            if decision.packing is not None:
                break
            assert decision.tree is not None
            value += 1
            self._hold_below(name, value, decision.tree)
        return value

    def _hold_below(self, name: str, value: int, proof: Tree) -> None:
        """A component is at least `value`: proved, so that it is known if the search ends here."""
        if name in self.low:
            self.claims.pop()
        self._claim({**self._held, name: value - 1}, flatten(proof))
        self.low[name] = value
        self._budget.watch.bound(dict(self.low), tuple(self.claims))

    def _exclude(self, at_most: dict[str, int]) -> Tree:
        """The proof that nothing is there, where the relaxation says so."""
        kept = self.packing
        decision = self._decide(at_most)
        if decision.packing is not None:
            raise AssertionError("the relaxation excluded a packing that exists")
        self.packing = kept
        assert decision.tree is not None
        return decision.tree

    def _relaxed_excludes(self, at_most: dict[str, int]) -> bool:
        limits = self._limits(at_most)
        problem = pose_problem(self._facts, limits)
        if problem.overfull or problem.short:
            return True
        relaxed = Master(look(problem), (), 1e6, self._relaxed).solve()
        if relaxed is None:
            return False
        if not relaxed.feasible:
            return True
        limit = limits.remote
        return limit is not None and relaxed.bound > limit + 1e-6 * max(1.0, abs(limit))

    def _max_areas(self, packing: Packing) -> int:
        counts = list(self._facts.holes)
        for lie in packing.values():
            for tdmr in lie.over:
                counts[tdmr] += 1
        return max(counts)


def of_largest(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps that were found for the largest pieces alone, as steps of the whole question."""
    return tuple(
        step._replace(piece=LARGEST) if isinstance(step, Split) else step for step in steps
    )
