"""Branch and bound: a packing within a problem's limits, or a tree of cases that excludes one.

Cases speak of how many chunks of a class begin on a node, in a TDMR, in one stretch; never of
single chunks, so that equal ones are not told apart.  Budgets count nodes of the tree.
"""

from __future__ import annotations

from math import floor, gcd
from typing import NamedTuple

from pamt.certificate.format import Split, Step, Sum, Trust
from pamt.solve.budget import Budget, OutOfNodes
from pamt.solve.engine.leaf import Prover, split_of
from pamt.solve.engine.master import Case, Master, Relaxed, Use
from pamt.solve.engine.pack import ORDERS, Packing, pack
from pamt.solve.engine.price import Begun
from pamt.solve.engine.problem import Problem, Spot
from pamt.solve.engine.view import View, look

__all__ = ["Budget", "Decision", "OutOfNodes", "Tree", "decide", "flatten", "remote_unit"]

NEAR = 1e-4
DEEPEST = 250


class Fork(NamedTuple):
    split: Split
    low: Tree
    high: Tree


Tree = Sum | Trust | Fork


class Decision(NamedTuple):
    packing: Packing | None
    """Within the limits; with `optimise`, one of least `remote`."""
    remote: int
    """Its cost."""
    tree: Tree | None
    """Why there is none (or none cheaper); None where no proof was asked for or found."""
    relaxed: Relaxed | None = None
    """The relaxed solution without any case, where there was one."""
    refuted: Relaxed | None = None
    """Multipliers that excluded the problem without any case."""


class _Found(Exception):
    pass


def remote_unit(problem: Problem) -> int:
    """Every cost is a multiple of this; 0 when nothing costs anything."""
    nodes = sorted({node for _, node in problem.weights})
    return gcd(*(problem.cost(chunk, node) for chunk in problem.chunks for node in nodes), 0)


def cost_of(problem: Problem, packing: Packing) -> int:
    return sum(problem.cost(chunk, lie.node) for chunk, lie in packing.items())


def decide(
    problem: Problem,
    budget: Budget,
    prover: Prover | None = None,
    *,
    optimise: bool = False,
    known: Relaxed | None = None,
) -> Decision:
    """Find a packing within the limits of `problem`, or exclude one.

    `optimise`: go on to the cheapest in `remote`; then the tree excludes anything cheaper.
    `known`: a relaxed solution of a problem much like this one, to begin with.
    Raises OutOfNodes; :attr:`_Search.best` is lost then, so callers keep what they had.
    """
    search = _Search(problem, budget, prover, optimise)
    return search.run(known)


class _Search:
    def __init__(
        self, problem: Problem, budget: Budget, prover: Prover | None, optimise: bool
    ) -> None:
        self._problem = problem
        self._budget = budget
        self._prover = prover
        self._optimise = optimise
        self._best: Packing | None = None
        self._root: Relaxed | None = None
        self._refuted: Relaxed | None = None
        self._limit = problem.remote
        self._unit = remote_unit(problem)
        costs = [
            abs(problem.cost(chunk, node))
            for chunk in problem.chunks
            for node in {key[0] for key in problem.spots}
        ]
        self._scale = float(max(costs, default=1) or 1)

    def run(self, known: Relaxed | None) -> Decision:
        problem = self._problem
        if any(room < 0 for room in problem.room):
            return self._none(self._prover.without_room(problem) if self._prover else None)
        if problem.overlaps is not None and problem.overlaps < len(problem.chunks):
            return self._none(self._prover.too_few_areas(problem) if self._prover else None)
        if not problem.chunks:
            within = problem.remote is None or problem.remote >= 0
            return Decision({}, 0, None) if within else self._none(None)
        for order in ORDERS:
            packing = pack(look(problem), order=order)
            if packing is not None:
                self._better(packing)
                if not self._optimise:
                    return self._done(None)
        try:
            tree = self._node((), (), frozenset(), 0, known)
        except _Found:
            return self._done(None)
        return self._done(tree)

    def _none(self, tree: Tree | None) -> Decision:
        if tree is None and self._prover is not None:
            tree = Trust("engine", "a count that no sum was found for")
        return Decision(None, 0, tree, self._root, self._refuted)

    def _done(self, tree: Tree | None) -> Decision:
        if self._best is None:
            return self._none(tree)
        cost = cost_of(self._problem, self._best)
        return Decision(self._best, cost, tree, self._root)

    def _better(self, packing: Packing) -> None:
        cost = cost_of(self._problem, packing)
        if self._best is None or cost < cost_of(self._problem, self._best):
            self._best = packing
            if self._budget.packed is not None:
                self._budget.packed(packing)
            if self._optimise:
                self._limit = cost - 1

    def _beyond(self, bound: float) -> bool:
        """Whether a least cost of `bound` is past the limit, costs being multiples of the unit."""
        if self._limit is None:
            return False
        limit = self._limit // self._unit * self._unit if self._unit else self._limit
        return bound > limit + 1e-6 * max(1.0, abs(limit))

    def _leaf(
        self, view: View, cases: tuple[Case, ...], splits: tuple[Split, ...], relaxed: Relaxed
    ) -> Tree | None:
        if self._prover is None:
            return Trust("engine", "no proof asked for")
        if self._optimise and self._limit is not None:
            self._prover.at_most["remote"] = self._limit
        return self._prover.sum(view, cases, splits, relaxed.prices)

    def _node(
        self,
        cases: tuple[Case, ...],
        splits: tuple[Split, ...],
        named: frozenset[Spot],
        depth: int,
        known: Relaxed | None = None,
        above: Master | None = None,
    ) -> Tree:
        self._budget.take()
        if depth > DEEPEST:
            raise OutOfNodes("the case tree is too deep")
        if above is not None:
            master = above.under(cases[-1])
        else:
            master = Master(look(self._problem, named), cases, self._scale, known)
        view = master.view
        relaxed = master.solve()
        if relaxed is None:
            raise OutOfNodes("the linear relaxation does not settle")
        if depth == 0 and relaxed.feasible:
            self._root = relaxed
        if depth == 0 and (not relaxed.feasible or self._beyond(relaxed.bound)):
            self._refuted = relaxed
        if not relaxed.feasible:
            leaf = self._leaf(view, cases, splits, relaxed)
            if leaf is not None:
                return leaf
            raise OutOfNodes("no integer sum excludes what the relaxation excludes")
        if self._beyond(relaxed.bound):
            leaf = self._leaf(view, cases, splits, relaxed)
            if leaf is not None:
                return leaf
        self._try(view, relaxed)
        if self._beyond(relaxed.bound):
            leaf = self._leaf(view, cases, splits, relaxed)
            if leaf is not None:
                return leaf
        chosen = choose(view, relaxed)
        if chosen is None:
            raise OutOfNodes("a relaxed solution that no case splits")
        case, spot, low_first = chosen
        if spot is not None:
            named |= {spot}
        split = split_of(view, case)
        low_case = case
        high_case = case._replace(more=True, number=case.number + 1)
        trees: dict[bool, Tree] = {}
        for low in (low_first, not low_first):
            trees[low] = self._node(
                (*cases, low_case if low else high_case),
                (*splits, split),
                named,
                depth + 1,
                relaxed,
                master if spot is None else None,
            )
            if self._beyond(relaxed.bound):
                leaf = self._leaf(view, cases, splits, relaxed)
                if leaf is not None:
                    return leaf
        return Fork(split, trees[True], trees[False])

    def _try(self, view: View, relaxed: Relaxed) -> None:
        """Round the relaxed solution down, complete it greedily."""
        for slack in (NEAR, 0.5):
            for order in ORDERS:
                uses = [
                    (use, floor(value + slack))
                    for use, value in relaxed.uses
                    if floor(value + slack) > 0
                ]
                packing = pack(view, uses, order=order)
                if packing is None or (
                    self._limit is not None and cost_of(self._problem, packing) > self._limit
                ):
                    continue
                self._better(packing)
                if not self._optimise:
                    raise _Found
                return


def choose(view: View, relaxed: Relaxed) -> tuple[Case, Spot | None, bool] | None:
    """What to split on, coarse before fine; the stretch to tell apart; whether "at most" first."""
    counts: dict[tuple[int, int, int | None, int | None], float] = {}
    for use, value in relaxed.uses:
        if value <= 0:
            continue
        for begun in use.begun:
            amount = value * begun.number
            keys: list[tuple[int, int, int | None, int | None]] = [
                (begun.kind, begun.node, None, None),
                (begun.kind, begun.node, begun.tdmrs[0], None),
            ]
            if begun.start is not None and use.bin is not None:
                keys.append((begun.kind, begun.node, begun.tdmrs[0], begun.start))
            for key in keys:
                counts[key] = counts.get(key, 0.0) + amount
    levels = (
        [key for key in counts if key[2] is None],
        [key for key in counts if key[2] is not None and key[3] is None],
        [key for key in counts if key[3] is not None],
    )
    for keys in levels:
        best = None
        for key in sorted(keys, key=lambda k: (k[0], k[1], k[2] or 0, k[3] or 0)):
            part = counts[key] - floor(counts[key])
            if NEAR < part < 1 - NEAR:
                # Large chunks first: what they leave decides where small ones can go.
                rank = view.classes[key[0]].pages * (abs(part - 0.5) - 0.5)
                if best is None or rank < best[0] - 1e-9:
                    best = (rank, key, part)
        if best is not None:
            _, key, part = best
            case = Case(*key, False, floor(counts[key]))
            return case, None, part < 0.5
    return _tell_apart(view, relaxed)


def _tell_apart(view: View, relaxed: Relaxed) -> tuple[Case, Spot | None, bool] | None:
    """Counts are whole, columns are not: look into one stretch of a bin."""
    for use, value in relaxed.uses:
        if use.bin is None or not NEAR < value - floor(value) < 1 - NEAR:
            continue
        which = view.bins[use.bin]
        uses = [(u, x) for u, x in relaxed.uses if u.bin == use.bin and x > NEAR]
        idle = sum(x for _, x in uses) < which.number - NEAR
        for begun in use.begun:
            if which.chain is None and which.spot is None:
                fitting = [s for s in view.spots[which.node, which.tdmr] if s.pages >= which.pages]
                spot = min(fitting, key=lambda s: (s.pages, s.start))
                case = Case(begun.kind, which.node, which.tdmr, spot.start, False, begun.number - 1)
                return case, spot, False
            counts = {_begun(u, begun) for u, _ in uses} | ({0} if idle else set())
            if len(counts) > 1:
                at_most = sorted(counts)[len(counts) // 2] - 1
                return (
                    Case(begun.kind, which.node, begun.tdmrs[0], begun.start, False, at_most),
                    None,
                    False,
                )
    return None


def _begun(use: Use, like: Begun) -> int:
    """Chunks of a class that a column begins in one stretch."""
    return sum(
        b.number
        for b in use.begun
        if b.kind == like.kind and b.start == like.start and b.tdmrs[0] == like.tdmrs[0]
    )


def flatten(tree: Tree) -> tuple[Step, ...]:
    """Steps in order of a walk; prices of cases, given by depth, by the index of their split."""
    steps: list[Step] = []
    waiting: list[tuple[Tree, tuple[int, ...], tuple[int, bool] | None]] = [(tree, (), None)]
    while waiting:
        at, path, parent = waiting.pop()
        index = len(steps)
        if parent is not None:
            fork = steps[parent[0]]
            assert isinstance(fork, Split)
            low, high = (index, fork.high) if parent[1] else (fork.low, index)
            steps[parent[0]] = fork._replace(low=low, high=high)
        if isinstance(at, Fork):
            steps.append(at.split)
            waiting.append((at.high, (*path, index), (index, False)))
            waiting.append((at.low, (*path, index), (index, True)))
        elif isinstance(at, Sum):
            steps.append(at._replace(cases={path[d]: price for d, price in at.cases.items()}))
        else:
            steps.append(at)
    return tuple(steps)
