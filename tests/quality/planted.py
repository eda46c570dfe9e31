"""Maps with a configuration that fills gaps exactly, made from that configuration.

Some cut is drawn; some of its PAMT regions are put together to runs that lie between stretches to
be reserved, so that they are gaps that can be filled; the others lie in a long run.  So what the
configuration costs is possible, on maps far too large for brute force.  Gaps that are a little
longer or shorter, and are not filled, lie among them.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from pamt.kernel.sizes import pamt_sizes
from pamt.machine import Cmr, FreeRun, Limits, Machine, MemoryRange, Node
from pamt.placement import Objective, Question, Space, build, evaluate, pose
from pamt.ranges import GIB, PAGE, Range, RangeSet
from pamt.standins import complete

G = GIB // PAGE
SPACE = Space("free", "split", "minimal")


class Planted(NamedTuple):
    question: Question
    value: Objective
    """What the configuration costs."""


class _Piece(NamedTuple):
    tdmr: int
    level: int
    pages: int


class _Token(NamedTuple):
    kind: str
    """``used`` or ``free`` memory; a ``hole`` outside the CMRs; a ``bay``: one inside them."""
    pages: int
    pieces: tuple[_Piece, ...] = ()
    """What lies in it, from its first page on."""


def planted(random: Random) -> Planted | None:
    """A map and the cost of its configuration; None where not all of it found room."""
    nodes = random.randint(1, 3)
    special = random.randrange(nodes)
    cells, home = _cells(random, nodes)
    limits = _limits(random)
    cut = _cut(random, len(cells))
    tdmrs = [Range(cells[a] * GIB, (cells[b] + 1) * GIB) for a, b in cut]
    pieces = [
        _Piece(index, level, size // PAGE)
        for index, tdmr in enumerate(tdmrs)
        for level, size in enumerate(pamt_sizes(tdmr.size, limits, limits.dynamic_pamt))
    ]
    memory: list[tuple[int, int, int]] = []
    free: list[tuple[int, int, int]] = []
    outside: list[Range] = []
    bases = [[0, 0, 0] for _ in tdmrs]
    for node in range(nodes):
        mine = [cell for cell, where in zip(cells, home, strict=True) if where == node]
        own = [piece for piece in pieces if home[cut[piece.tdmr][0]] == node]
        tokens = _tokens(random, own, gaps=random.randint(1, 4) if node == special else 0)
        at = max(mine[0] * G, 256)
        for token in tokens:
            while token.kind in ("used", "free") and (at + token.pages - 1) // G not in mine:
                at = (at // G + 1) * G
                if at >= (mine[-1] + 1) * G:
                    return None
            if token.kind in ("used", "free"):
                memory.append((at, at + token.pages, node))
            if token.kind == "free":
                free.append((at, at + token.pages, node))
            if token.kind == "hole":
                outside.append(Range(at * PAGE, (at + token.pages) * PAGE))
            page = at
            for piece in token.pieces:
                bases[piece.tdmr][piece.level] = page * PAGE
                page += piece.pages
            at += token.pages
        for cell in mine:
            low = max(at, cell * G)
            if low < (cell + 1) * G:
                memory.append((low, (cell + 1) * G, node))
    holes = RangeSet(outside) | RangeSet(
        Range(a * GIB, (a + 1) * GIB)
        for a in range(cells[0], cells[-1])
        if a not in cells and random.random() < 0.7
    )
    cmrs = RangeSet([Range(cells[0] * GIB, (cells[-1] + 1) * GIB)]) - holes
    machine = Machine(
        "planted",
        "",
        limits,
        tuple(Cmr(run.start, run.size) for run in cmrs),
        tuple(MemoryRange(a * PAGE, b * PAGE, node) for a, b, node in memory),
        tuple(
            Node(n, distance=tuple(10 if n == m else 20 for m in range(nodes)))
            for n in range(nodes)
        ),
        tuple(FreeRun(a * PAGE, b * PAGE, node) for a, b, node in free),
    )
    question = pose(complete(machine).machine, SPACE)
    if question.trivial is not None:
        return None
    made = build(question, tdmrs, [(a, b, c) for a, b, c in bases])
    judged = evaluate(question.machine, SPACE, made)
    if judged.objective is None or judged.objective.remote:
        return None
    return Planted(question, judged.objective)


def _cells(random: Random, nodes: int) -> tuple[list[int], list[int]]:
    """GiBs with memory, and the node of each."""
    cells: list[int] = []
    home: list[int] = []
    at = random.choice((0, 1, 5))
    for node in range(nodes):
        number = random.choice((1, 2, 3, 5, 8, 20, 60))
        for _ in range(number):
            cells.append(at)
            home.append(node)
            at += 1
            if random.random() < 0.5 / number:
                at += random.randint(1, 2)
    return cells, home


def _limits(random: Random) -> Limits:
    most = random.choice((3, 6, 16))
    if random.random() < 0.5:
        return Limits(max_reserved_per_tdmr=most)
    entries = random.choice(((16, 16, 16), (16, 8, 1), (16, 24, 16)))
    return Limits(max_reserved_per_tdmr=most, dynamic_pamt=True, pamt_entry_size=entries)


def _cut(random: Random, cells: int) -> list[tuple[int, int]]:
    """First and last cell (by index) of each TDMR."""
    number = min(cells, random.randint(1, 6))
    # Often near the first cell, where the gaps of the first node are.
    some = range(1, cells) if random.random() < 0.5 else range(1, min(cells, 2 * number))
    borders = sorted(random.sample(some, min(len(some), number - 1)))
    return list(zip([0, *borders], [border - 1 for border in [*borders, cells]], strict=True))


def _tokens(random: Random, pieces: list[_Piece], gaps: int) -> list[_Token]:
    """A node's memory from its first page on; what comes behind is memory in use."""
    left = list(pieces)
    random.shuffle(left)
    runs: list[list[_Token]] = []
    lengths: list[int] = []
    for _ in range(gaps):
        gap: list[_Token] = []
        for _ in range(random.choice((1, 1, 1, 2))):
            some = left[: random.choice((1, 1, 2, 2, 3, 5))]
            if not some or sum(piece.pages for piece in some) > G // 3:
                break
            del left[: len(some)]
            gap.append(_Token("free", sum(piece.pages for piece in some), tuple(some)))
            gap.append(_Token("bay", random.randint(1, 9)))
            lengths.append(gap[-2].pages)
        if gap:
            runs.append(gap[:-1])
    for length in lengths:
        # Not filled, but nearly as long as what is.
        if random.random() < 0.7:
            other = max(1, length + random.choice((-2, -1, 0, 1, 2, 3)))
            runs.append([_Token("free", other)])
    random.shuffle(runs)
    tokens: list[_Token] = []
    if runs and random.random() < 0.8:
        tokens.append(_Token("used", random.randint(1, 5)))
    for run in runs:
        tokens += [_Token("hole", random.randint(1, 9)), *run]
        if random.random() < 0.3:
            tokens += [_Token("hole", random.randint(1, 9)), _Token("used", random.randint(1, 9))]
    if runs:
        tokens.append(_Token("hole", random.randint(1, 9)))
    # The rest in one run, beside a stretch or not.
    if not runs or random.random() < 0.5:
        tokens.append(_Token("used", random.randint(1, 9)))
    rest = sum(piece.pages for piece in left)
    if rest:
        tokens.append(_Token("free", rest + random.choice((0, 1, 100, 5000)), tuple(left)))
    tokens.append(_Token("used", random.randint(1, 9)))
    return tokens
