"""``accepted``: a success of the policy is TDX_SUCCESS for the module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from pamt.machine import Limits
from pamt.module.accept import accepts
from pamt.module.words import need
from pamt.outcome import Outcome, PlannedTdmr
from pamt.policies.protocol import Policy
from pamt.ranges import GIB, PAGE
from pamt.verify.obligation import Obligation, PlainRun, SymbolicRun
from pamt.verify.properties.pages import in_a_cmr, owners, usable
from pamt.verify.properties.success import OfSuccess

__all__ = ["Accepted"]

Guard = Any


def wrong_tdmrs(tdmrs: Sequence[PlannedTdmr], limits: Limits) -> bool:
    """T_ALIGN, T_SORT, T_OVERLAP, T_END_PA, and the count of TDMRs."""
    last_end = 0
    count = 0
    wrong = False
    for t in tdmrs:
        if t.base % GIB != 0 or t.size % GIB != 0 or t.size <= 0 or t.base < last_end:
            wrong = True
        last_end = t.base + t.size
        if last_end > limits.address_end:
            wrong = True
        count += 1
    return wrong or count < 1 or count > limits.max_tdmrs


def wrong_areas(t: PlannedTdmr, limits: Limits) -> bool:
    """R_ALIGN, R_OUTSIDE, and the count of areas of one TDMR; a null area ends the list."""
    count = 0
    wrong = False
    for area in t.reserved or ():
        if area.offset % PAGE != 0 or area.size % PAGE != 0 or area.size <= 0:
            wrong = True
        if area.offset < 0 or area.offset + area.size > t.size:
            wrong = True
        count += 1
    return wrong or count > limits.max_reserved_per_tdmr


def wrong_pamts(t: PlannedTdmr, limits: Limits, dynamic: bool) -> bool:
    """P_ALIGN, P_SIZE, P_END_PA of one TDMR's three regions."""
    wrong = t.pamts is None
    for level, pamt in enumerate(t.pamts or ()):
        if pamt.base % PAGE != 0 or pamt.size % PAGE != 0:
            wrong = True
        if pamt.size < need(t.size, level, limits, dynamic):
            wrong = True
        if pamt.base + pamt.size > limits.address_end:
            wrong = True
    return wrong


@dataclass(frozen=True)
class Accepted(OfSuccess):
    """See the module's text."""

    name: str = "accepted"
    words: str = "a success of the policy is TDX_SUCCESS for the module"

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """One for each rule, and for each pair of areas that might overlap."""
        for guard, outcome in run.successes():
            yield from self._of_success(run, guard, outcome)

    def _of_success(self, run: SymbolicRun, guard: Guard, outcome: Outcome) -> Iterator[Obligation]:
        interpreter, machine = run.made.interpreter, run.made.machine
        limits = machine.limits
        tdmrs = run.seen(guard, outcome.tdmrs)

        def ask(function: Any, *args: Any) -> Guard:
            return interpreter.call(function, *args, live=guard).value

        yield Obligation("TDMRs are misplaced", (guard, ask(wrong_tdmrs, outcome.tdmrs, limits)))
        for index, (present, t) in enumerate(tdmrs):
            where = f"TDMR {index}"
            yield Obligation(
                f"{where}: areas misplaced", (guard, present, ask(wrong_areas, t, limits))
            )
            yield Obligation(
                f"{where}: PAMTs misplaced",
                (guard, present, ask(wrong_pamts, t, limits, outcome.dynamic_pamt)),
            )
            for (g, a), (h, b) in combinations(run.seen(guard, t.reserved), 2):
                apart = interpreter.domain.disjunction(
                    [a.offset + a.size <= b.offset, b.offset + b.size <= a.offset]
                )
                overlap = interpreter.domain.negation(apart)
                if overlap is not False:
                    yield Obligation(f"{where}: areas overlap", (guard, present, g, h, overlap))
        page = run.made.symbols.fresh_address("page", 0, _top(run, guard, tdmrs))
        free = ask(usable, page, outcome.tdmrs)
        held = ask(owners, page, outcome.tdmrs)
        convertible = ask(in_a_cmr, page, machine.cmrs)
        outside = interpreter.domain.negation(convertible)
        for label, guards in (
            ("T_CMR: a usable page is outside of the CMRs", (guard, free, outside)),
            ("P_CMR: a PAMT page is outside of the CMRs", (guard, held > 0, outside)),
            ("PA_AVAIL: a PAMT page is not reserved", (guard, held > 0, free)),
            ("PP: a page is in two PAMTs", (guard, held > 1)),
        ):
            yield Obligation(label, guards, witness=True)

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        """The module's own formula."""
        if run.outcome is None:
            return f"the policy raised {run.error}"
        if not run.outcome.succeeded:
            return None
        limits = replace(run.machine.limits, dynamic_pamt=run.outcome.dynamic_pamt)
        if accepts(run.outcome.configuration(), run.machine.cmrs or (), limits):
            return None
        return "the module refuses the configuration"


def _top(run: SymbolicRun, guard: Guard, tdmrs: list[tuple[Guard, PlannedTdmr]]) -> int:
    """An address that no TDMR or PAMT of the run lies above."""
    top = PAGE
    for _, t in tdmrs:
        regions = [p for _, p in run.seen(guard, t.pamts or ())]
        parts = [t.base + t.size, *(p.base + p.size for p in regions)]
        top = max([top, *(part if isinstance(part, int) else part.high for part in parts)])
    return top
