"""The engine for the kernel's TDMRs, whole chunks and the hole rules ``memory`` and ``cmr``.

Component by component: the least value, with a claim that it can't be lower while the components
before it are held; then the canonical one among the optima.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from pamt.certificate.check import Leaves
from pamt.certificate.format import Claim, Floor, Step
from pamt.certificate.relaxation import Relaxation
from pamt.solve.engine.branch import Budget, Decision, Tree, decide, flatten, remote_unit
from pamt.solve.engine.canonical import canonical_packing
from pamt.solve.engine.leaf import Prover
from pamt.solve.engine.master import Master, Relaxed
from pamt.solve.engine.pack import Packing
from pamt.solve.engine.problem import Limits, pose_problem
from pamt.solve.engine.view import look

__all__ = ["Linux"]

DECIDED = ("remote", "max_areas", "areas")
"""Components that placing chunks can change; the others are the same for every configuration."""


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
        self.claims: list[Claim] = []
        self.bound: dict[str, int] = {}
        """Components that are settled, in order."""
        self.infeasible = False
        self.canonical = False

    def run(self) -> None:
        """Decide and optimise.  Raises OutOfNodes, keeping what was reached."""
        constant = {"lost": 0, "tdmrs": self._facts.tdmrs}
        constant["pamt_pages"] = sum(p.pages for p in self._facts.pieces if p.level == "chunk")
        decided = [name for name in self._order if name in DECIDED]
        if not decided or decided[0] != "remote":
            first = self._decide({}, optimise=False)
            if first.packing is None:
                self._give_up(first)
                return
        for name in self._order:
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

    def _decide(self, at_most: dict[str, int], *, optimise: bool) -> Decision:
        limits = self._limits(at_most)
        prover = Prover(self._leaves, limits.as_claim())
        problem = pose_problem(self._facts, limits)
        decision = decide(problem, self._budget, prover, optimise=optimise, known=self._relaxed)
        self._relaxed = decision.relaxed or self._relaxed
        if decision.packing is not None:
            self.packing = decision.packing
        return decision

    def _give_up(self, decision: Decision) -> None:
        assert decision.tree is not None
        self.infeasible = True
        self.packing = None
        self.claims = [Claim({}, flatten(decision.tree))]

    def _tell_root(self) -> None:
        """Tell the watch what the relaxation alone says `remote` can't be below.

        The search settles far more, but only at its end; this is known at once.
        """
        if not self._budget.watch.hears_bounds:
            return
        problem = pose_problem(self._facts, self._limits(self._held))
        if min(problem.room, default=0) < 0 or not problem.chunks:
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

    def _least_remote(self) -> int:
        self._tell_root()
        decision = self._decide(self._held, optimise=True)
        if decision.packing is None:
            self._give_up(decision)
            return 0
        assert decision.tree is not None
        self._claim({**self._held, "remote": decision.remote - 1}, flatten(decision.tree))
        return decision.remote

    def _least_max_areas(self) -> int:
        assert self.packing is not None
        facts = self._facts
        reached = high = self._max_areas(self.packing)
        low = max(facts.holes)
        proof: Tree | None = None
        # The relaxation alone says how far down it is worth looking.
        while low < high:
            middle = (low + high) // 2
            if self._relaxed_excludes(middle):
                low = middle + 1
            else:
                high = middle
        value = low
        while value < reached:
            decision = self._decide({**self._held, "max_areas": value}, optimise=False)
            if decision.packing is not None:
                break
            proof = decision.tree
            value += 1
        if proof is None:
            decision = self._decide_only({**self._held, "max_areas": value - 1})
            proof = decision.tree
        assert proof is not None
        self._claim({**self._held, "max_areas": value - 1}, flatten(proof))
        return value

    def _decide_only(self, at_most: dict[str, int]) -> Decision:
        kept = self.packing
        decision = self._decide(at_most, optimise=False)
        if decision.packing is not None:
            raise AssertionError("the relaxation excluded a packing that exists")
        self.packing = kept
        return decision

    def _relaxed_excludes(self, max_areas: int) -> bool:
        limits = self._limits({**self._held, "max_areas": max_areas})
        problem = pose_problem(self._facts, limits)
        if min(problem.room) < 0:
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

    def _least_areas(self) -> int:
        value = sum(self._facts.holes) + len(self._facts.holes)
        proof: Tree | None = None
        assert self.packing is not None
        reached = sum(self._facts.holes) + sum(len(lie.over) for lie in self.packing.values())
        while value < reached:
            decision = self._decide({**self._held, "areas": value}, optimise=False)
            if decision.packing is not None:
                break
            proof = decision.tree
            value += 1
        if proof is None:
            proof = self._decide_only({**self._held, "areas": value - 1}).tree
        assert proof is not None
        self._claim({**self._held, "areas": value - 1}, flatten(proof))
        return value
