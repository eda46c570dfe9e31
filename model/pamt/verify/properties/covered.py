"""``covered``: after a success, all memory is usable (or holds PAMTs)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pamt.kernel.memlist import build_memory_list
from pamt.policies.protocol import Policy
from pamt.ranges import PAGE, Range, RangeSet
from pamt.verify.obligation import Obligation, PlainRun, SymbolicRun
from pamt.verify.properties.pages import in_memory, owners, usable
from pamt.verify.properties.success import OfSuccess

__all__ = ["Covered"]

Guard = Any


@dataclass(frozen=True)
class Covered(OfSuccess):
    """See the module's text."""

    name: str = "covered"
    words: str = "after a success, every page of memory is usable, or in a PAMT"

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """A page of memory that is neither."""
        made = run.made
        ends = [r.end for r in made.machine.memory or ()]
        top = max((end if isinstance(end, int) else end.high for end in ends), default=PAGE)
        for guard, outcome in run.successes():
            page = made.symbols.fresh_address("page", 0, top)
            call = made.interpreter.call
            memory = call(in_memory, page, made.machine.memory, live=guard).value
            free = call(usable, page, outcome.tdmrs, live=guard).value
            held = call(owners, page, outcome.tdmrs, live=guard).value
            yield Obligation(
                "memory is not usable",
                (
                    guard,
                    memory,
                    made.interpreter.domain.negation(free),
                    made.interpreter.equal(held, 0),
                ),
                witness=True,
            )

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        """By interval algebra."""
        if run.outcome is None:
            return f"the policy raised {run.error}"
        if not run.outcome.succeeded:
            return None
        reserved: list[Range] = []
        pamts: list[Range] = []
        for t in run.outcome.tdmrs:
            pamts += [p.range for p in t.pamts or ()]
            reserved += [Range.sized(t.base + a.offset, a.size) for a in t.reserved or ()]
        open_to_use = RangeSet(t.range for t in run.outcome.tdmrs) - RangeSet(reserved)
        memory = RangeSet(r.range for r in build_memory_list(run.machine.memory or ()))
        lost = memory - open_to_use - RangeSet(pamts)
        return f"{lost.size // PAGE} pages of memory are not usable: {lost}" if lost else None
