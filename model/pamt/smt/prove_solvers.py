"""z3 and cvc5 behind one question: can the formulas of this SMT-LIB text hold together?

Both are given the same text.  Budgets are counted in the solver's own steps, so an answer does not
depend on the machine's speed or load; a wall clock is read only to report the time.  Solvers are
imported on first use.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from pamt.smt.interrupt import check, poll

__all__ = ["SOLVERS", "Answer", "Found", "ask", "available", "version"]

Found: TypeAlias = Literal["unsat", "sat", "unknown"]

SOLVERS = ("z3", "cvc5")
"""Every adapter; an obligation counts as discharged when all of them agree."""

_MODULES = {"z3": "z3", "cvc5": "cvc5"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one solver says.

    `steps` are its own units (z3: rlimit count, cvc5: resource units) and comparable only between
    runs of the same build; `reason` says why the answer is unknown; `model` gives the value of
    every constant when the answer is sat.
    """

    solver: str
    found: Found
    steps: int
    seconds: float
    reason: str = ""
    model: Mapping[str, int | bool] = field(default_factory=lambda: MappingProxyType({}))


def available(solver: str) -> bool:
    """Whether the solver's Python package is installed (it is not imported)."""
    return importlib.util.find_spec(_MODULES[solver]) is not None


def version(solver: str) -> str:
    """Build of an installed solver.  Raises ImportError when it is missing."""
    if solver == "z3":
        import z3

        return str(z3.get_version_string())
    import cvc5

    return str(cvc5.__version__)


def ask(solver: str, text: str, steps: int) -> Answer:
    """Decide an SMT-LIB text within `steps` steps of the solver.

    Raises ImportError when the solver is missing, ValueError when it cannot read the text or does
    not exist, KeyboardInterrupt when Ctrl-C reached the solver.
    """
    poll()
    if solver == "z3":
        return _ask_z3(text, steps)
    if solver == "cvc5":
        return _ask_cvc5(text, steps)
    raise ValueError(f"no such solver: {solver}")


def _ask_z3(text: str, steps: int) -> Answer:
    import z3

    # A context of its own: z3's step counter runs on within one, and so would its names.
    context = z3.Context()
    began = time.perf_counter()
    try:
        assertions = z3.parse_smt2_string(text, ctx=context)
    except z3.Z3Exception as error:
        raise ValueError(f"z3 cannot read the obligation: {error}") from error
    engine = z3.Solver(ctx=context)
    engine.set("rlimit", steps)
    engine.add(assertions)
    found = check(engine)
    used = 0
    statistics = engine.statistics()
    if "rlimit count" in statistics.keys():  # noqa: SIM118  (not a mapping)
        used = int(statistics.get_key_value("rlimit count"))
    seconds = time.perf_counter() - began
    if found == "sat":
        return Answer("z3", "sat", used, seconds, model=_z3_model(engine.model()))
    if found == "unsat":
        return Answer("z3", "unsat", used, seconds)
    return Answer("z3", "unknown", used, seconds, reason=str(engine.reason_unknown()))


def _z3_model(model: Any) -> Mapping[str, int | bool]:
    import z3

    values: dict[str, int | bool] = {}
    for declared in model.decls():
        if declared.arity():
            continue
        value = model[declared]
        if z3.is_int_value(value):
            values[declared.name()] = value.as_long()
        elif z3.is_true(value) or z3.is_false(value):
            values[declared.name()] = z3.is_true(value)
    return values


def _ask_cvc5(text: str, steps: int) -> Answer:
    import cvc5

    began = time.perf_counter()
    manager = cvc5.TermManager()
    engine = cvc5.Solver(manager)
    engine.setOption("rlimit", str(steps))
    engine.setOption("produce-models", "true")
    if "(set-logic QF_UFNIA)" in text:
        # Products of unknowns: without tangent planes the linear part alone is tried for long.
        engine.setOption("nl-ext-tplanes", "true")
    symbols = cvc5.SymbolManager(manager)
    reader = cvc5.InputParser(engine, symbols)
    found = "unknown"
    reason = ""
    try:
        reader.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
        while not (command := reader.nextCommand()).isNull():
            if command.getCommandName() == "check-sat":
                result = engine.checkSat()
                found = "sat" if result.isSat() else "unsat" if result.isUnsat() else "unknown"
                if found == "unknown":
                    reason = str(result.getUnknownExplanation()).rpartition(".")[2].lower()
            else:
                command.invoke(engine, symbols)
    except RuntimeError as error:
        raise ValueError(f"cvc5 cannot read the obligation: {error}") from error
    used = int(engine.getStatistics()["resource::resourceUnitsUsed"]["value"])
    seconds = time.perf_counter() - began
    if found == "sat":
        return Answer("cvc5", "sat", used, seconds, model=_cvc5_model(engine, symbols))
    if found == "unsat":
        return Answer("cvc5", "unsat", used, seconds)
    return Answer("cvc5", "unknown", used, seconds, reason=reason)


def _cvc5_model(engine: Any, symbols: Any) -> Mapping[str, int | bool]:
    values: dict[str, int | bool] = {}
    for declared in symbols.getDeclaredTerms():
        sort = declared.getSort()
        if sort.isFunction():
            continue
        value = engine.getValue(declared)
        name = declared.getSymbol()
        if value.isIntegerValue():
            values[name] = int(value.getIntegerValue())
        elif value.isBooleanValue():
            values[name] = bool(value.getBooleanValue())
    return values
