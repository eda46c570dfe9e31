"""Asking z3 about the guards of a symbolic run, with a budget in solver steps.

The same question takes the same steps on every machine of one z3 build; nothing depends on time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from pamt.smt.interrupt import check, poll
from pamt.smt.symbolic import Symbols, SymBool, SymInt

__all__ = ["Assignment", "Query", "Verdict"]

Verdict = Literal["sat", "unsat", "unknown"]
DEFINED = ("quotient!", "bits!")
"""Variables with exactly one value for each value of the others."""


class Assignment:
    """Values for every symbol of a run."""

    def __init__(self, symbols: Symbols, model: Any) -> None:
        self._symbols = symbols
        self._model = model

    def integer(self, value: Any) -> int:
        """The value of an integer, plain or symbolic."""
        if isinstance(value, int):
            return value
        found = self._model.eval(value.term, model_completion=True)
        number = found.as_signed_long() if self._symbols.encoding == "bv" else found.as_long()
        return int(number) * value.unit

    def value(self, term: Any) -> Any:
        """The value of a term, as a term."""
        return self._model.eval(term, model_completion=True)

    def guard(self, value: Any) -> bool:
        """Whether a guard holds."""
        if isinstance(value, bool):
            return value
        import z3

        return bool(z3.is_true(self._model.eval(value.term, model_completion=True)))


class Asked(NamedTuple):
    """An answer and what it cost."""

    verdict: Verdict
    assignment: Assignment | None
    steps: int
    reason: str = ""


class Query:
    """A solver loaded with the definitions and assumptions of one run."""

    def __init__(self, symbols: Symbols, seed: int = 0) -> None:
        import z3

        self._symbols = symbols
        context = symbols.context
        bits = symbols.encoding == "bv"
        self._solver = z3.SolverFor("QF_BV", context) if bits else z3.SimpleSolver(context)
        self._solver.set("random_seed", seed)
        self._loaded = 0
        self.steps = 0
        """Solver steps used so far."""
        self.asked = 0
        self._copies = 0

    def ask(self, guards: Iterable[Any], budget: int) -> Asked:
        """Whether all of `guards` can hold together, within `budget` solver steps."""
        terms = []
        for guard in guards:
            if guard is False:
                return Asked("unsat", None, 0)
            if guard is not True:
                terms.append(guard.term)
        poll()
        self._load()
        self.asked += 1
        self._solver.push()
        try:
            self._solver.add(terms)
            self._solver.set("rlimit", max(1, min(budget, 2**32 - 1)))
            before = self._count()
            answer = check(self._solver)
            used = self._count() - before
            self.steps += used
            if answer == "sat":
                return Asked("sat", Assignment(self._symbols, self._solver.model()), used)
            if answer == "unsat":
                return Asked("unsat", None, used)
            return Asked("unknown", None, used, self._solver.reason_unknown())
        finally:
            self._solver.pop()

    @contextmanager
    def holding(self, guards: Iterable[Any]) -> Iterator[None]:
        """Keep `guards`, and what :meth:`hold` adds, for all questions inside the ``with``."""
        self._load()
        self._solver.push()
        try:
            for guard in guards:
                self.hold(guard)
            yield
        finally:
            self._solver.pop()

    def hold(self, guard: Any) -> None:
        """Add a constraint to the questions of the innermost :meth:`holding`."""
        self._load()
        if guard is False:
            import z3

            self._solver.add(z3.BoolVal(False, self._symbols.context))
        elif guard is not True:
            self._solver.add(guard.term)

    def fails_with(self, guards: Iterable[Any], witness: Assignment) -> SymBool:
        """That `guards` do not hold together with what `witness` chooses freely.

        Choices are variables that are neither addresses of the map nor defined by them; they get
        the witness' values, and what is defined anew from those gets names of its own.  So several
        of these can be asked about one map at once.
        """
        import z3

        symbols = self._symbols
        self._copies += 1
        swaps: list[tuple[Any, Any]] = []
        for name, variable in symbols.variables.items():
            if "!" not in name:
                continue
            term = variable.term
            if name.startswith(DEFINED):
                swaps.append((term, z3.FreshConst(term.sort(), f"copy{self._copies}")))
            else:
                swaps.append((term, witness.value(term)))
        sides = [z3.substitute(side, *swaps) for side in symbols.side] if swaps else []
        broken = [guard.term for guard in guards if guard is not True]
        holds = z3.And(*broken) if broken else z3.BoolVal(True, symbols.context)
        if swaps:
            holds = z3.substitute(holds, *swaps)
        return SymBool(symbols, z3.And(*sides, z3.Not(holds)))

    def smallest(
        self, value: Any, budget: int, known: int, low: int, grain: int
    ) -> tuple[int, bool]:
        """The smallest value of an integer, `known` being a possible one; and whether proved so.

        `low` is a lower bound.  Values on multiples of `grain` are tried before others.
        """
        best, unit = known, value.unit
        low = max(low, value.low)
        hints = True
        while low < best:
            if hints:
                # Either `low` itself, or nothing below the next multiple of the grain: these two
                # questions settle most addresses.
                answer = self.ask([value <= low], budget)
                if answer.assignment is not None:
                    return answer.assignment.integer(value), True
                if answer.verdict == "unknown":
                    return best, False
                following = low // grain * grain + grain
                if following >= best:
                    low, hints = low + unit, False
                    continue
                middle = following - unit
                hints = low % grain != 0
                if middle <= low:
                    low = following
                    continue
            else:
                middle = low + (best - low) // unit // 2 * unit
            answer = self.ask([value <= middle], budget)
            if answer.assignment is not None:
                best = answer.assignment.integer(value)
                hints = False
            elif answer.verdict == "unsat":
                low = middle + unit
            else:
                return best, False
        return best, True

    def _load(self) -> None:
        side = self._symbols.side
        if self._loaded < len(side):
            self._solver.add(side[self._loaded :])
            self._loaded = len(side)

    def _count(self) -> int:
        statistics = self._solver.statistics()
        for key, value in statistics:
            if key == "rlimit count":
                return int(value)
        return 0


def is_symbol(value: Any) -> bool:
    """Whether `value` is symbolic."""
    return isinstance(value, SymBool | SymInt)
