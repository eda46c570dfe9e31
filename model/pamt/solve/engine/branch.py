"""Branch and bound: a packing within a problem's limits, or a tree of cases that excludes one.

Cases speak of how many pieces of a class begin on a node, in a TDMR, in one stretch; never of
single ones, so that equal ones are not told apart.  Budgets count nodes of the tree.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from math import floor, gcd, inf
from typing import NamedTuple

from pamt.certificate.format import Split, Step, Sum, Trust
from pamt.solve.budget import Budget, OutOfNodes
from pamt.solve.engine.leaf import Prover, split_of
from pamt.solve.engine.master import AREAS, REMOTE, Case, Master, Relaxed, Use
from pamt.solve.engine.pack import ORDERS, Packing, pack
from pamt.solve.engine.price import Begun
from pamt.solve.engine.problem import Problem, Spot
from pamt.solve.engine.view import View, look

__all__ = ["Budget", "Decision", "OutOfNodes", "Tree", "decide", "flatten", "remote_unit"]

NEAR = 1e-4
MOST_KEPT = 150
"""Nodes whose linear programmes are kept: some MiB each."""


class Fork(NamedTuple):
    split: Split
    low: Tree
    high: Tree


Tree = Sum | Trust | Fork


class Decision(NamedTuple):
    packing: Packing | None
    """Within the limits; with a goal, one of the least."""
    cost: int
    """Its `remote`, or all areas of its pieces, as the goal says."""
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
    pieces = [*problem.waiting]
    for chunk in problem.chunks:
        pieces += problem.regions.get(chunk.tdmr, ())
    return gcd(*(problem.cost(piece, node) for piece in pieces for node in nodes), 0)


def cost_of(problem: Problem, packing: Packing, goal: str | None = None) -> int:
    if goal == AREAS:
        return sum(len(lie.over) for lie in packing.values())
    return sum(problem.cost(piece, lie.node) for piece, lie in packing.items())


def decide(
    problem: Problem,
    budget: Budget,
    prover: Prover | None = None,
    *,
    goal: str | None = None,
    known: Relaxed | None = None,
    best: Packing | None = None,
) -> Decision:
    """Find a packing within the limits of `problem`, or exclude one.

    `goal`: go on to the one of least REMOTE or AREAS; then the tree excludes anything less.
    `known`: a relaxed solution of a problem much like this one, to begin with.  `best`: a packing
    within the limits, to be outdone.
    Raises OutOfNodes; what has been found is told to the budget's `packed` alone then.
    """
    search = _Search(problem, budget, prover, goal, best)
    return search.run(known)


@dataclass(eq=False, slots=True)
class _Node:
    """A problem with some cases; not yet solved where `relaxed` is None."""

    cases: tuple[Case, ...]
    splits: tuple[Split, ...]
    named: frozenset[Spot]
    bound: float
    """Nothing below this node costs less; its parent's until it is solved."""
    start: Relaxed | None
    """A solution to begin with."""
    parent: Master | None
    """The relaxation with one case less, where only a row is to be added to it."""
    master: Master | None = None
    relaxed: Relaxed | None = None
    view: View | None = None
    split: Split | None = None
    sides: tuple[_Node, _Node] | None = None
    """Children: "at most", then "more"."""
    tree: Tree | None = None


class _Search:
    """Looks for a packing depth first; for the cheapest, at the node of the lowest bound first."""

    def __init__(
        self,
        problem: Problem,
        budget: Budget,
        prover: Prover | None,
        goal: str | None,
        best: Packing | None,
    ) -> None:
        self._problem = problem
        self._budget = budget
        self._prover = prover
        self._goal = goal
        self._best: Packing | None = None
        self._root: Relaxed | None = None
        self._refuted: Relaxed | None = None
        self._limit = problem.overlaps if goal == AREAS else problem.remote
        """No more of the goal (or of `remote`) than this is looked for; None: any."""
        self._unit = 1 if goal == AREAS else remote_unit(problem)
        self._waiting: list[tuple[float, int, int, _Node]] = []
        self._kept: deque[_Node] = deque()
        self._made = 0
        costs = [
            abs(problem.cost(piece, node))
            for piece in problem.waiting
            for node in {key[0] for key in problem.spots}
        ]
        self._scale = float(max(costs, default=1) or 1)
        if best is not None:
            self._better(best)

    def run(self, known: Relaxed | None) -> Decision:
        problem = self._problem
        if problem.overfull:
            return self._none(self._prover.without_room(problem) if self._prover else None)
        if problem.short:
            return self._none(self._prover.too_few_areas(problem) if self._prover else None)
        if not problem.waiting:
            within = problem.remote is None or problem.remote >= 0
            return Decision({}, 0, None) if within else self._none(None)
        for order in ORDERS:
            packing = pack(look(problem), order=order)
            if packing is not None:
                self._better(packing)
                if not self._goal:
                    return self._done(None)
        root = _Node((), (), frozenset(), -inf, known, None)
        self._queue(root)
        try:
            while self._waiting:
                self._step(heappop(self._waiting)[-1])
        except _Found:
            return self._done(None)
        return self._done(self._tree(root))

    def _none(self, tree: Tree | None) -> Decision:
        if tree is None and self._prover is not None:
            tree = Trust("engine", "a count that no sum was found for")
        return Decision(None, 0, tree, self._root, self._refuted)

    def _done(self, tree: Tree | None) -> Decision:
        if self._best is None:
            return self._none(tree)
        cost = cost_of(self._problem, self._best, self._goal)
        return Decision(self._best, cost, tree, self._root)

    def _better(self, packing: Packing) -> None:
        cost = cost_of(self._problem, packing, self._goal)
        if self._best is None or cost < cost_of(self._problem, self._best, self._goal):
            self._best = packing
            if self._budget.packed is not None:
                self._budget.packed(packing)
            if self._goal:
                self._limit = cost - 1

    def _beyond(self, bound: float) -> bool:
        """Whether a least cost of `bound` is past the limit, costs being multiples of the unit."""
        if self._limit is None:
            return False
        limit = self._limit // self._unit * self._unit if self._unit else self._limit
        return bound > limit + min(0.5 * max(1, self._unit), 1e-6 * max(1.0, abs(limit)))

    def _leaf(self, node: _Node) -> Tree | None:
        """What excludes a node that was solved: a sum, or None where none is found."""
        if self._prover is None:
            return Trust("engine", "no proof asked for")
        if self._goal and self._limit is not None:
            least = self._prover.holes if self._goal == AREAS else 0
            self._prover.at_most[self._goal] = self._limit + least
        assert node.relaxed is not None
        assert node.view is not None
        return self._prover.sum(node.view, node.cases, node.splits, node.relaxed.prices)

    def _queue(self, node: _Node) -> None:
        """Lowest bound first, then the deepest, then the latest; depth first: the latest."""
        self._made += 1
        key = (node.bound, -len(node.cases)) if self._goal else (0.0, 0)
        heappush(self._waiting, (*key, -self._made, node))

    def _solve(self, node: _Node) -> None:
        self._budget.take()
        if node.parent is not None:
            master = node.parent.under(node.cases[-1])
        else:
            view = look(self._problem, node.named)
            master = Master(view, node.cases, self._scale, node.start, self._goal or REMOTE)
        node.view = master.view
        node.parent = node.start = None
        relaxed = master.solve(every=not node.cases)
        if relaxed is None:
            raise OutOfNodes("the linear relaxation does not settle")
        node.relaxed = relaxed
        node.master = master
        node.bound = relaxed.bound if relaxed.feasible else inf
        if not node.cases:
            if relaxed.feasible:
                self._root = relaxed
            if not relaxed.feasible or self._beyond(relaxed.bound):
                self._refuted = relaxed

    def _step(self, node: _Node) -> None:
        """Solve a node; exclude it, or make its two children."""
        if node.relaxed is None:
            self._solve(node)
            if self._goal and self._waiting and node.bound > self._waiting[0][0]:
                self._queue(node)
                self._keep(node)
                return
        relaxed, view = node.relaxed, node.view
        assert relaxed is not None
        assert view is not None
        if self._excluded(node):
            return
        if not relaxed.feasible:
            raise OutOfNodes("no integer sum excludes what the relaxation excludes")
        self._try(view, relaxed)
        if self._excluded(node):
            return
        chosen = choose(view, relaxed)
        if chosen is None:
            raise OutOfNodes("a relaxed solution that no case splits")
        case, spot, low_first = chosen
        named = node.named if spot is None else node.named | {spot}
        node.split = split_of(view, case)
        low, high = (
            _Node(
                (*node.cases, each),
                (*node.splits, node.split),
                named,
                node.bound,
                relaxed,
                node.master if spot is None else None,
            )
            for each in (case, case._replace(more=True, number=case.number + 1))
        )
        node.sides = (low, high)
        node.master = None
        for side in (high, low) if low_first else (low, high):
            self._queue(side)
            self._keep(side)

    def _keep(self, node: _Node) -> None:
        """A node's programme is kept for a while; later it is made anew, which takes longer."""
        self._kept.append(node)
        if len(self._kept) > MOST_KEPT:
            oldest = self._kept.popleft()
            oldest.parent = oldest.master = None

    def _excluded(self, node: _Node) -> bool:
        assert node.relaxed is not None
        if not node.relaxed.feasible or self._beyond(node.bound):
            node.tree = self._leaf(node)
        if node.tree is not None:
            node.master = None
        return node.tree is not None

    def _tree(self, root: _Node) -> Tree:
        """The cases that were gone through; those that lower limits made needless left out."""
        order = [root]
        for node in order:
            if node.tree is None and self._goal and self._beyond(node.bound):
                node.tree = self._leaf(node)
            if node.tree is None:
                assert node.sides is not None
                order += node.sides
        for node in reversed(order):
            if node.tree is None:
                assert node.split is not None
                assert node.sides is not None
                low, high = (side.tree for side in node.sides)
                assert low is not None
                assert high is not None
                node.tree = Fork(node.split, low, high)
        assert root.tree is not None
        return root.tree

    def _try(self, view: View, relaxed: Relaxed) -> None:
        """Round the relaxed solution down, complete it greedily."""
        values = _alike(relaxed)
        for slack in (NEAR, 0.5):
            uses = [(use, floor(x + slack)) for use, x in values if floor(x + slack) > 0]
            for order in ORDERS:
                packing = pack(view, uses, order=order)
                if packing is None or (
                    self._limit is not None
                    and cost_of(self._problem, packing, self._goal) > self._limit
                ):
                    continue
                self._better(packing)
                if not self._goal:
                    raise _Found
                return


def _alike(relaxed: Relaxed) -> list[tuple[Use, float]]:
    """Columns with their values; of those with the same chunks in each stretch of a chain only one.

    That is the one that overlaps fewest TDMRs: it may stand in for the others.
    """
    kept: dict[object, tuple[Use, float]] = {}
    for use, value in relaxed.uses:
        if value <= 0:
            continue
        counts: dict[tuple[int, int, int | None], int] = {}
        for begun in use.begun:
            place = (begun.kind, begun.tdmrs[0], begun.start)
            counts[place] = counts.get(place, 0) + begun.number
        key = (use.bin, tuple(sorted(counts.items()))) if use.bin is not None else use
        other, before = kept.get(key, (use, 0.0))
        kept[key] = (min(use, other, key=_overlaps), before + value)
    return list(kept.values())


def _overlaps(use: Use) -> int:
    return sum(begun.number * len(begun.tdmrs) for begun in use.begun)


def choose(view: View, relaxed: Relaxed) -> tuple[Case, Spot | None, bool] | None:
    """What to split on, coarse before fine; the stretch to tell apart; whether "at most" first."""
    counts: dict[tuple[int, int | None, int | None, int | None], float] = {}
    split = bool(view.problem.regions)
    for use, value in relaxed.uses:
        if value <= 0:
            continue
        for begun in use.begun:
            amount = value * begun.number
            keys: list[tuple[int, int | None, int | None, int | None]] = [
                (begun.kind, begun.node, None, None),
                (begun.kind, begun.node, begun.tdmrs[0], None),
            ]
            if split:
                # How many stay whole decides how many areas there are.
                keys.append((begun.kind, None, None, None))
            if begun.start is not None and use.bin is not None:
                keys.append((begun.kind, begun.node, begun.tdmrs[0], begun.start))
            for key in keys:
                counts[key] = counts.get(key, 0.0) + amount
    levels = (
        [key for key in counts if key[1] is None],
        [key for key in counts if key[1] is not None and key[2] is None],
        [key for key in counts if key[2] is not None and key[3] is None],
        [key for key in counts if key[3] is not None],
    )
    for keys in levels:
        best = None
        for key in sorted(keys, key=lambda k: (k[0], k[1] or 0, k[2] or 0, k[3] or 0)):
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
        for begun in use.begun:
            if which.chain is None and which.spot is None:
                fitting = [s for s in view.spots[which.node, which.tdmr] if s.pages >= which.pages]
                spot = min(fitting, key=lambda s: (s.pages, s.start))
                case = Case(begun.kind, which.node, which.tdmr, spot.start, False, begun.number - 1)
                return case, spot, False
            counts = [(_begun(u, begun), x) for u, x in uses]
            mean = round(sum(n * x for n, x in counts))
            if any(n > mean for n, _ in counts):
                # "At most the mean" forbids the sets with more, "more" forbids the mean.
                case = Case(begun.kind, which.node, begun.tdmrs[0], begun.start, False, mean)
                return case, None, True
    return None


def _begun(use: Use, like: Begun) -> int:
    """Pieces of a class that a column begins in one stretch."""
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
