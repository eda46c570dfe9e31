"""A thin wrapper around z3: closed results, budgets in steps, a fresh context for each question.

z3 counts its own work in *steps* (``rlimit``), which are the same on every run of one build, on any
machine; budgets are given in those.  An answer is :class:`Sat`, :class:`Unsat` or :class:`Unknown`;
three classes without a truth value, so that "unknown" cannot pass for either of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from pamt.smt.interrupt import check
from pamt.smt.terms import And, Const, Flag, Formula, Linear, Not, Or

__all__ = [
    "NO_MEMORY",
    "Answer",
    "Sat",
    "Session",
    "SolverFaultError",
    "Unknown",
    "Unsat",
    "limit_memory",
    "solver_version",
]

SEED = 0
LARGEST_BUDGET = 2**32 - 1
"""z3 keeps its limit in 32 bits."""
NO_MEMORY = ("out of memory", "max. memory exceeded", "memout")
"""z3's words for want of memory."""
PB_LIMIT = 2**31
"""z3 takes weights and bounds of pseudo-Boolean sums as signed 32-bit numbers."""


class SolverFaultError(RuntimeError):
    """z3 answered outside its own contract (a core with an unknown name, a wrong model)."""


class _NoTruth:
    """An answer is matched by its class; its truth value means nothing."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("match an answer by its class: Sat, Unsat or Unknown")


@dataclass(frozen=True, slots=True)
class Sat(_NoTruth):
    """Satisfiable, with a value for every variable (Booleans as 0 and 1)."""

    model: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Unsat(_NoTruth):
    """Unsatisfiable; names of assumptions that suffice for it, in the order they were given."""

    core: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown(_NoTruth):
    """Not settled; `reason` is z3's own word, e.g. ``max. resource limit exceeded``."""

    reason: str


Answer = Sat | Unsat | Unknown


@contextmanager
def _out_of_memory_told(z3: Any) -> Iterator[None]:
    """z3's error for want of memory as Python's own."""
    try:
        yield
    except z3.Z3Exception as error:
        if any(word in str(error) for word in NO_MEMORY):
            raise MemoryError(str(error)) from None
        raise


class _Memory:
    """One for the process, as z3's own is."""

    bytes: int | None = None


def limit_memory(most: int) -> None:
    """z3 may use `most` bytes, with all its questions, for the rest of this process.

    More raises MemoryError out of :class:`Session`.
    """
    _Memory.bytes = most


def solver_version() -> str:
    """The z3 build, e.g. ``5.4.0``."""
    import z3

    return str(z3.get_version_string())


class _Model(Mapping[str, int]):
    """Values of a model, asked of z3 when they are looked at: most never are."""

    def __init__(self, z3: Any, model: Any, terms: dict[str, Any]) -> None:
        self._z3 = z3
        self._model = model
        self._terms = terms
        self._known: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        value = self._known.get(name)
        if value is None:
            found = self._model.eval(self._terms[name], model_completion=True)
            value = int(
                found.as_long() if self._z3.is_int_value(found) else self._z3.is_true(found)
            )
            self._known[name] = value
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._terms)

    def __len__(self) -> int:
        return len(self._terms)


class Session:
    """One solver for one question; assertions only ever grow.

    Assertions may be *named*: a named one holds only in checks that assume its name.
    """

    def __init__(self, seed: int = SEED) -> None:
        import z3

        if _Memory.bytes is not None:
            z3.set_param("memory_max_size", max(1, _Memory.bytes >> 20))
        self._z3: Any = z3
        self._context: Any = z3.Context()
        self._solver: Any = z3.SimpleSolver(ctx=self._context)
        self._solver.set("random_seed", seed)
        self._solver.set("core.minimize", False)
        self._bools: dict[str, Any] = {}
        self._ints: dict[str, Any] = {}
        self._names: dict[str, Any] = {}
        self._cache: dict[int, tuple[Formula, Any]] = {}

    @property
    def steps(self) -> int:
        """Steps spent by this session so far."""
        for key, value in self._solver.statistics():
            if key == "rlimit count":
                return int(value)
        return 0

    def add(self, formulas: Iterable[Formula]) -> None:
        """Assert `formulas` for good."""
        with _out_of_memory_told(self._z3):
            for formula in formulas:
                self._solver.add(self._translate(formula))

    def add_named(self, named: Iterable[tuple[str, Formula]]) -> None:
        """Assert each formula under its name.  One name may stand for several formulas."""
        with _out_of_memory_told(self._z3):
            for name, formula in named:
                guard = self._names.get(name)
                if guard is None:
                    guard = self._names[name] = self._z3.Bool(f"assume:{name}", self._context)
                self._solver.add(self._z3.Implies(guard, self._translate(formula)))

    def check(self, names: Sequence[str] = (), steps: int = LARGEST_BUDGET) -> Answer:
        """Decide the assertions together with those named, within `steps` more steps.

        Raises MemoryError where there is too little, KeyboardInterrupt for Ctrl-C.
        """
        if steps <= 0:
            return Unknown("no steps left")
        self._solver.set("rlimit", min(steps, LARGEST_BUDGET))
        guards = [self._names[name] for name in names]
        with _out_of_memory_told(self._z3):
            answer = check(self._solver, *guards)
        if answer == "sat":
            return Sat(self._model())
        if answer == "unsat":
            return Unsat(self._core(names))
        reason = str(self._solver.reason_unknown())
        if any(word in reason for word in NO_MEMORY):
            raise MemoryError(reason)
        return Unknown(reason)

    def _model(self) -> Mapping[str, int]:
        return _Model(self._z3, self._solver.model(), {**self._bools, **self._ints})

    def _core(self, names: Sequence[str]) -> tuple[str, ...]:
        by_term = {guard.get_id(): name for name, guard in self._names.items()}
        found = {by_term.get(term.get_id(), str(term)) for term in self._solver.unsat_core()}
        if not found <= set(names):
            raise SolverFaultError(f"core names nobody gave: {sorted(found - set(names))}")
        return tuple(name for name in names if name in found)

    def _translate(self, formula: Formula) -> Any:
        cached = self._cache.get(id(formula))
        if cached is not None:
            return cached[1]
        term = self._term(formula)
        self._cache[id(formula)] = (formula, term)
        return term

    def _term(self, formula: Formula) -> Any:
        z3, context = self._z3, self._context
        if isinstance(formula, Const):
            return z3.BoolVal(formula.value, context)
        if isinstance(formula, Flag):
            return self._variable(self._bools, formula.name, z3.Bool)
        if isinstance(formula, Not):
            return z3.Not(self._translate(formula.inner))
        if isinstance(formula, And):
            return z3.And(*(self._translate(part) for part in formula.parts))
        if isinstance(formula, Or):
            return z3.Or(*(self._translate(part) for part in formula.parts))
        return self._linear(formula)

    def _linear(self, formula: Linear) -> Any:
        z3, context = self._z3, self._context
        total_weight = sum(abs(w) for w, _ in formula.flags)
        if not formula.ints and total_weight + abs(formula.bound) < PB_LIMIT:
            return self._pseudo_boolean(formula)
        terms = [
            c * self._variable(self._ints, name, z3.Int)
            if c != 1
            else self._variable(self._ints, name, z3.Int)
            for c, name in formula.ints
        ]
        zero = z3.IntVal(0, context)
        terms += [
            z3.If(self._translate(flag), z3.IntVal(w, context), zero) for w, flag in formula.flags
        ]
        total = terms[0] if len(terms) == 1 else z3.Sum(terms)
        return total <= formula.bound

    def _pseudo_boolean(self, formula: Linear) -> Any:
        """Weights made positive first: ``w [f] = w + |w| [not f]`` for a negative w."""
        bound = formula.bound
        pairs: list[tuple[Any, int]] = []
        for w, flag in formula.flags:
            term = self._translate(flag)
            if w < 0:
                bound -= w
                pairs.append((self._z3.Not(term), -w))
            else:
                pairs.append((term, w))
        if bound < 0:
            return self._z3.BoolVal(False, self._context)
        if sum(w for _, w in pairs) <= bound:
            return self._z3.BoolVal(True, self._context)
        return self._z3.PbLe(pairs, bound)

    def _variable(self, known: dict[str, Any], name: str, make: Callable[..., Any]) -> Any:
        term = known.get(name)
        if term is None:
            term = known[name] = make(name, self._context)
        return term
