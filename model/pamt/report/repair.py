"""What to change so that a policy works, in words and in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pamt.configuration import LEVELS, Configuration
from pamt.explain.margins import Margin
from pamt.explain.repair import Missing, Repair, Repairs, memmap
from pamt.explain.sweep import PageClass
from pamt.machine import Machine
from pamt.ranges import PAGE
from pamt.report.margins import margin_text
from pamt.report.simulate import Simulated, simulate_text
from pamt.report.table import table

__all__ = [
    "OnePage",
    "Repaired",
    "one_page_choices",
    "repair_fields",
    "repair_text",
]

MOST_ACTIONS = 20
MOST_CHOICES = 20
MOST_MARGINS = 80


class OnePage(NamedTuple):
    """Pages, any one of which is enough: `first` to `last`, inclusive; what they all do beside."""

    first: int
    last: int
    cuts: tuple[int, ...]
    """GiB borders at which the TDMR layout is then cut, and was not before."""

    @property
    def pages(self) -> int:
        return (self.last - self.first) // PAGE + 1


class Repaired(NamedTuple):
    path: str
    policy: str
    machine: Machine
    """Completed."""
    from_cmrs: bool
    repairs: Repairs
    margins: tuple[Margin, ...]
    """Of the machine as it is, or after the repair that is shown first."""


def one_page_choices(repaired: Repaired, repair: Repair) -> tuple[OnePage, ...]:
    """The alternatives of `repair`, neighbours of the same effect joined; the one shown first."""
    before = {edge for t in repaired.repairs.trial.outcome.tdmrs for edge in (t.base, t.range.end)}

    def cuts(one: PageClass) -> tuple[int, ...]:
        after = {t.base for t in one.trial.outcome.tdmrs}
        return tuple(sorted(after - before))

    joined: list[OnePage] = []
    for one in sorted(repair.alternatives, key=lambda c: c.first):
        last = joined[-1] if joined else None
        if last is not None and last.last + PAGE == one.first and last.cuts == cuts(one):
            joined[-1] = last._replace(last=one.last)
        else:
            joined.append(OnePage(one.first, one.last, cuts(one)))
    shown = repair.ranges[0].start
    return tuple(
        sorted(joined, key=lambda c: (not c.first <= shown <= c.last, len(c.cuts), c.first))
    )


def repair_fields(repaired: Repaired) -> dict[str, Any]:
    repairs = repaired.repairs
    outcome, best = repairs.trial.outcome, repairs.best
    return {
        "policy": repaired.policy,
        "needed": repairs.needed,
        "ret": outcome.ret,
        "outcome": outcome.reason,
        "failed_tdmr": outcome.failed_tdmr,
        "cost": best.cost if best is not None else None if repairs.needed else 0,
        "bound": best.bound if best is not None else None if repairs.needed else 0,
        "repairs": [_repair(repaired, repair) for repair in repairs.found],
        "missing": [missing._asdict() for missing in repairs.missing],
        "stopped": repairs.stopped,
        "margins_after": repairs.best.kind if repairs.best is not None else None,
        "margins": [_margin(margin) for margin in repaired.margins],
    }


def _repair(repaired: Repaired, repair: Repair) -> dict[str, Any]:
    withdrawn = repair.kind == "withdraw"
    return {
        "kind": repair.kind,
        "cost": repair.cost,
        "bound": repair.bound,
        "optimal": repair.optimal,
        "summary": repair.summary,
        "actions": list(repair.actions + repair.details),
        "ranges": [{"start": f"{r.start:#x}", "end": f"{r.end:#x}"} for r in repair.ranges],
        "memmap": [memmap(r) for r in repair.ranges] if withdrawn else [],
        "alternatives": [
            {
                "first": f"{one.first:#x}",
                "last": f"{one.last:#x}",
                "pages": one.pages,
                "cuts": [f"{cut:#x}" for cut in one.cuts],
            }
            for one in one_page_choices(repaired, repair)
        ]
        if repair.alternatives
        else [],
        "max_areas": repair.max_areas,
        "pamt_kb": repair.pamt_kb,
        "configuration": _configuration(repair.configuration),
    }


def _configuration(configuration: Configuration | None) -> Mapping[str, Any] | None:
    """In the shape of a configuration file."""
    if configuration is None:
        return None
    return {
        "tdmr": [
            {
                "base": f"{t.base:#x}",
                "size": f"{t.size:#x}",
                **{
                    f"pamt_{level}": [f"{p.base:#x}", f"{p.size:#x}"]
                    for level, p in zip(LEVELS, t.pamts, strict=True)
                },
                "reserved": [[f"{a.offset:#x}", f"{a.size:#x}"] for a in t.reserved],
            }
            for t in configuration.tdmrs
        ]
    }


def _margin(margin: Margin) -> dict[str, Any]:
    return {
        "kind": margin.kind,
        "text": margin_text(margin),
        "tdmr": margin.tdmr,
        "node": margin.node,
        "number": margin.number,
        "size": None if margin.size is None else f"{margin.size:#x}",
    }


def repair_text(repaired: Repaired) -> Iterator[str]:
    """Verdict, the one reason, the one thing to do; alternatives; other repairs; margins."""
    repairs = repaired.repairs
    best = repairs.best
    yield _headline(repaired)
    yield f"Policy:  {repaired.policy} on {repaired.machine.name or repaired.path}"
    if repairs.needed:
        yield f"Reason:  {_failure(repaired)}"
    if best is not None:
        yield from _what_to_do(repaired, best)
    step = _next_step(repairs)
    if step is not None:
        yield f"Next:    {step}"
    if best is not None and best.alternatives:
        yield from _choices(repaired, best)
    if len(repairs.found) > 1:
        yield ""
        yield "Other repairs:"
        rows = [["kind", "pages", "areas then", "what"]]
        rows += [
            [other.kind, _cost(other), _areas(repaired, other), other.summary]
            for other in repairs.found[1:]
        ]
        yield from table(rows)
    if repairs.missing:
        yield ""
        yield "No repair of these kinds:" if repairs.found else "Tried:"
        rows = [[m.kind, "proven" if m.proven else "not proven", m.reason] for m in repairs.missing]
        yield from table(rows)
    if best is not None and best.details:
        yield ""
        yield "The places:" if best.kind == "reserve" else "The TDMRs:"
        yield from (f"  {line}" for line in best.details[:MOST_ACTIONS])
        if len(best.details) > MOST_ACTIONS:
            yield f"  ... and {len(best.details) - MOST_ACTIONS} more (all with --json)"
    if repaired.margins:
        yield ""
        yield (
            "Margins with this repair:" if best is not None else "Margins of the machine as it is:"
        )
        for margin in repaired.margins[:MOST_MARGINS]:
            yield f"  {margin_text(margin)}"
        if len(repaired.margins) > MOST_MARGINS:
            yield f"  ... and {len(repaired.margins) - MOST_MARGINS} more (all with --json)"


def _headline(repaired: Repaired) -> str:
    repairs = repaired.repairs
    if not repairs.needed:
        return (
            "OPTIMAL: nothing to repair:"
            f" {repaired.policy} succeeds and the TDX module accepts the result"
        )
    best = repairs.best
    if best is not None:
        text = f"{repairs.verdict}: {best.summary}"
        if not best.optimal:
            text += f"; {_bound_text(best)}"
        if repairs.unsettled:
            text += f"; whether {_kinds_text(repairs.unsettled)} would do is not settled"
    elif repairs.verdict == "INFEASIBLE":
        text = "INFEASIBLE: no change of the kinds tried makes it work"
    else:
        text = "UNDECIDED: no repair was found, and that there is none is not proven"
    return text + (f" ({repairs.stopped})" if repairs.stopped else "")


def _bound_text(repair: Repair) -> str:
    """What is proven of the cheapest of its kind."""
    if repair.bound <= 1:
        return "whether fewer pages would do is not known"
    if repair.bound == 2:
        return "one page is proven not to be enough"
    return f"{repair.bound - 1:,} pages are proven not to be enough"


def _failure(repaired: Repaired) -> str:
    trial = repaired.repairs.trial
    simulated = Simulated(
        repaired.path,
        repaired.policy,
        repaired.machine,
        trial.outcome,
        trial.status,
        repaired.from_cmrs,
    )
    return next(iter(simulate_text(simulated))).removeprefix("FAILS: ")


def _what_to_do(repaired: Repaired, best: Repair) -> Iterator[str]:
    for at, action in enumerate(best.actions[:MOST_ACTIONS]):
        yield f"{'Do:' if at == 0 else '':9}{action}"
    if len(best.actions) > MOST_ACTIONS:
        yield f"{'':9}... and {len(best.actions) - MOST_ACTIONS} more (all with --json)"
    areas = f"{_areas(repaired, best)} reserved areas in the fullest TDMR"
    works = f"{repaired.policy} succeeds: " if best.machine is not None else ""
    yield f"Then:    {works}{areas}, {best.pamt_kb} KB of PAMT"


def _next_step(repairs: Repairs) -> str | None:
    """What may settle that which is open; None where nothing is, or where no option can."""
    if repairs.verdict not in {"FEASIBLE", "UNDECIDED"}:
        return None
    if repairs.stopped is not None:
        return f"run it again with more time ({repairs.stopped}), or ask for less with --kinds"
    options: dict[str, list[str]] = {}
    if repairs.best is not None and not repairs.best.optimal and repairs.best.kind == "withdraw":
        options["--budget"] = ["fewer pages"]
    for missing in repairs.unsettled:
        if missing.kind == "withdraw":
            options.setdefault("--budget", []).append(missing.kind)
        elif missing.reason.endswith("(UNDECIDED)"):
            options.setdefault("--steps", []).append(missing.kind)
    if options:
        raised = " and ".join(options)
        what = ", ".join(word for words in options.values() for word in words)
        return f"raise {raised}: that may settle whether {what} would do"
    if repairs.best is None:
        return "ask for other kinds with --kinds: those tried can't be settled (reasons below)"
    return None


def _choices(repaired: Repaired, best: Repair) -> Iterator[str]:
    choices = one_page_choices(repaired, best)
    pages = sum(one.pages for one in choices)
    lead = f"any one of these {pages:,} pages" if pages > 1 else "no other single page"
    yield f"Choice:  {lead}" + (":" if pages > 1 else " works")
    if pages > 1:
        yield from (f"{'':9}{_choice(one)}" for one in choices[:MOST_CHOICES])
        if len(choices) > MOST_CHOICES:
            yield f"{'':9}... and {len(choices) - MOST_CHOICES} more (all with --json)"


def _kinds_text(missing: Sequence[Missing]) -> str:
    return " or ".join(dict.fromkeys(m.kind for m in missing))


def _choice(one: OnePage) -> str:
    where = (
        f"{one.first:#x}"
        if one.pages == 1
        else f"{one.first:#x}-{one.last + PAGE:#x} ({one.pages:,} pages)"
    )
    if not one.cuts:
        return where
    borders = ", ".join(f"{cut:#x}" for cut in one.cuts)
    return f"{where}: cuts the TDMR at {borders}"


def _cost(repair: Repair) -> str:
    if not repair.cost:
        return "none"
    if repair.optimal:
        return f"{repair.cost:,}: the fewest"
    return f"{repair.cost:,}" + (f", at least {repair.bound:,}" if repair.bound > 1 else "")


def _areas(repaired: Repaired, repair: Repair) -> str:
    return f"{repair.max_areas} of {repaired.machine.limits.max_reserved_per_tdmr}"
