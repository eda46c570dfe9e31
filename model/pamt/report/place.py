"""The answer to a placement question, in words and in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pamt.configuration import LEVELS, Configuration
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.placement import Objective, Space, pose
from pamt.ranges import PAGE, RangeSet
from pamt.report.table import table
from pamt.report.words import count, errno_text, size_text

__all__ = ["Placed", "Reason", "Rivalled", "place_fields", "place_text"]

MOST_ITEMS = 100
MOST_ROWS = 200
WHAT_IT_MEANS = {
    "lost": "pages given up",
    "remote": "PAMT pages x extra distance",
    "max_areas": "reserved areas in the fullest TDMR",
    "areas": "reserved areas in all TDMRs",
    "tdmrs": "TDMRs",
    "pamt_pages": "PAMT pages",
}


class Reason(NamedTuple):
    """One independent reason: a headline, and numbered items with the lines they come from."""

    headline: str
    items: tuple[tuple[str, tuple[str, ...]], ...]
    minimal: bool


class Rivalled(NamedTuple):
    """What a policy that ran beside the search made of the question.

    `objective` is None where the policy failed, or its result is no answer to the question.
    """

    policy: str
    outcome: Outcome
    objective: Objective | None


class Helping(NamedTuple):
    """What would make an infeasible question feasible."""

    single: Mapping[str, bool | None]
    """Option and value, e.g. ``tdmrs free``: whether that alone helps; None: not settled."""
    give_up_at_least: int
    """Fewer pages given up do not help."""
    give_up_at_most: int | None
    """So many pages given up do; None: no number known that does."""
    together: tuple[str, ...] | None
    """Where nothing in `single` helps: a smallest set that does, if there is one."""
    reasons: Mapping[str, str] = {}
    """What ran out, for each of `single`, and ``give-up``, that is not settled."""


class Placed(NamedTuple):
    path: str
    machine: Machine
    space: Space
    order: tuple[str, ...]
    verdict: str
    configuration: Configuration | None
    given_up: RangeSet
    objective: Objective | None
    bound: Objective | None
    gap: tuple[str, int] | None
    """The first component in which best and bound differ, and by how much."""
    undecided: str | None
    """What ran out."""
    reasons: tuple[Reason, ...]
    note: str
    """Why there are no reasons, if so."""
    rivals: tuple[Rivalled, ...]
    engine: str
    statistics: Mapping[str, int]
    next_steps: tuple[str, ...] = ()
    certificate: Mapping[str, Any] | None = None
    """What the checker says of the certificate, and where it was written, if it was."""
    relaxations: Helping | None = None
    canonical: bool = False
    """Whether the configuration is known to be the canonical one among equals."""
    stopped: str | None = None
    """`undecided` as one word."""


def place_fields(placed: Placed) -> dict[str, Any]:
    greedy = next((rival for rival in placed.rivals if rival.policy == "greedy"), None)
    return {
        "space": placed.space._asdict(),
        "order": list(placed.order),
        "configuration": _configuration(placed.configuration),
        "canonical": placed.canonical,
        "given_up": [{"start": f"{r.start:#x}", "end": f"{r.end:#x}"} for r in placed.given_up],
        "objective": None if placed.objective is None else placed.objective._asdict(),
        "bound": None if placed.bound is None else placed.bound._asdict(),
        "gap": None if placed.gap is None else {"component": placed.gap[0], "by": placed.gap[1]},
        "reason": placed.undecided,
        "stopped_by": placed.stopped,
        "certificate": None if placed.certificate is None else dict(placed.certificate),
        "explanation": [
            {
                "headline": reason.headline,
                "minimal": reason.minimal,
                "items": [{"text": text, "origins": list(at)} for text, at in reason.items],
            }
            for reason in placed.reasons
        ],
        "relaxations": None if placed.relaxations is None else _relaxed(placed.relaxations),
        "greedy": None if greedy is None else _rival(greedy),
        "rivals": [_rival(rival) for rival in placed.rivals],
        "engine": placed.engine,
        "statistics": dict(placed.statistics),
    }


def _relaxed(helping: Helping) -> dict[str, Any]:
    """Options by name, e.g. ``tdmrs_free``; `give_up` is the least number that helps, if known."""
    low, high = helping.give_up_at_least, helping.give_up_at_most
    together = helping.together
    return {
        **{name.replace(" ", "_"): helps for name, helps in helping.single.items()},
        "give_up": high if high == low else None,
        "give_up_at_least": low,
        "give_up_at_most": high,
        "together": None if together is None else [f"--{name}" for name in together],
    }


def _configuration(configuration: Configuration | None) -> dict[str, Any] | None:
    """In the shape of a configuration file."""
    if configuration is None:
        return None
    return {
        "tdmr": [
            {
                "base": f"{tdmr.base:#x}",
                "size": f"{tdmr.size:#x}",
                **{
                    f"pamt_{level}": [f"{pamt.base:#x}", f"{pamt.size:#x}"]
                    for level, pamt in zip(LEVELS, tdmr.pamts, strict=True)
                },
                "reserved": [[f"{a.offset:#x}", f"{a.size:#x}"] for a in tdmr.reserved],
            }
            for tdmr in configuration.tdmrs
        ]
    }


def _rival(rival: Rivalled) -> dict[str, Any]:
    return {
        "policy": rival.policy,
        "ret": rival.outcome.ret,
        "outcome": rival.outcome.reason,
        "objective": None if rival.objective is None else rival.objective._asdict(),
    }


def place_text(placed: Placed) -> Iterator[str]:
    """Verdict, reason, next step; then the reasons in full, or the configuration."""
    yield _headline(placed)
    yield f"Space:   {placed.space} on {placed.machine.name or placed.path}"
    if placed.objective is not None:
        costs = ", ".join(f"{name} {getattr(placed.objective, name)}" for name in placed.order)
        yield f"Cost:    {costs}"
    for rival in placed.rivals:
        yield f"Beside:  {_rival_text(rival, placed.order)}"
    if placed.certificate is not None:
        trusted = placed.certificate["trusted_steps"]
        rests = f"{count(trusted, 'step')} on a solver's word" if trusted else "no solver trusted"
        checked = placed.certificate["checked"]
        file = placed.certificate["file"]
        yield f"Proof:   {'' if file is None else file + ': '}{checked}, {rests}"
    for at, step in enumerate(placed.next_steps):
        yield f"{'Next:' if at == 0 else '':9}{step}"
    if placed.relaxations is not None:
        yield from _relaxations_text(placed.relaxations)
    for number, reason in enumerate(placed.reasons, start=1):
        if number == 1 and reason.minimal and not reason.items:
            continue  # the verdict line has said it all
        yield ""
        lead = "Why" if number == 1 else "Also"
        open_end = "" if reason.minimal else " (perhaps with fewer causes)"
        yield f"{lead}: {reason.headline}{open_end}"
        width = len(str(min(len(reason.items), MOST_ITEMS))) + 1
        for at, (text, origins) in enumerate(reason.items[:MOST_ITEMS], start=1):
            told = f"  ({', '.join(origins)})" if origins else ""
            yield f"  {f'{at}.':>{width}} {text}{told}"
        if len(reason.items) > MOST_ITEMS:
            yield f"  ... and {len(reason.items) - MOST_ITEMS} more (all with --json)"
    if placed.note:
        yield ""
        yield f"No minimal set of causes: {placed.note}"
    if placed.configuration is not None:
        yield ""
        yield from _configuration_table(placed, placed.configuration)


def _relaxations_text(helping: Helping) -> Iterator[str]:
    said = {True: "helps", False: "does not help", None: "not settled"}
    told = [
        f"--{name} {said[helps]}"
        + (f" ({helping.reasons[name]})" if name in helping.reasons else "")
        for name, helps in helping.single.items()
    ]
    low, high = helping.give_up_at_least, helping.give_up_at_most
    less = "" if low == 1 else f", below {low} does not"
    why = helping.reasons.get("give-up")
    between = "" if why is None else f" ({why})"
    if high is None:
        told.append(f"--give-up not settled{less}{between}")
    elif high == low:
        told.append(f"--give-up {high} helps" + ("" if low == 1 else ", less does not"))
    else:
        told.append(f"--give-up {high} helps{less}; between not settled{between}")
    if helping.together is not None:
        told.append(" with ".join(f"--{name}" for name in helping.together) + " help together")
    for at, line in enumerate(told):
        yield f"{'Alone:' if at == 0 else '':9}{line}"


def _headline(placed: Placed) -> str:
    objective = placed.objective
    if placed.verdict == "INFEASIBLE":
        why = placed.reasons[0].headline if placed.reasons else "no placement exists in this space"
        return f"INFEASIBLE: {why}"
    if objective is None:
        return f"{placed.verdict}: {placed.undecided or 'the budget ran out'}"
    limit = placed.machine.limits.max_reserved_per_tdmr
    where = "all PAMTs at home"
    away = sum(bool(set(side.on) - {side.home}) for side in _sides(placed))
    if away:
        where = (
            f"{away} of {count(objective.tdmrs, 'PAMT')} away from home (remote cost"
            f" {objective.remote}: pages x extra distance)"
        )
    text = (
        f"{placed.verdict}: {count(objective.tdmrs, 'TDMR')},"
        f" {size_text(objective.pamt_pages * PAGE)} of PAMT, {where},"
        f" at most {objective.max_areas} of {limit} reserved areas in a TDMR"
    )
    if placed.given_up:
        text += f", {count(objective.lost, 'page')} given up"
    if placed.undecided is not None and placed.verdict == "FEASIBLE":
        text += f"; {placed.undecided}"
    if placed.gap is not None:
        text += f"; {placed.gap[0]} is at most {placed.gap[1]} above the bound"
    return text


def _rival_text(rival: Rivalled, order: Sequence[str]) -> str:
    if rival.objective is not None:
        costs = ", ".join(f"{name} {getattr(rival.objective, name)}" for name in order)
        return f"{rival.policy} succeeds: {costs}"
    if rival.outcome.succeeded:
        return f"{rival.policy} succeeds, but not in this space"
    at = f" at TDMR {rival.outcome.failed_tdmr}" if rival.outcome.failed_tdmr is not None else ""
    return f"{rival.policy} fails: {rival.outcome.reason}{at} ({errno_text(rival.outcome.ret)})"


class _Side(NamedTuple):
    """Where a TDMR's PAMT should be, and where it is."""

    home: int
    on: tuple[int, ...]
    """Nodes of the 4K, 2M and 1G regions, each once."""

    def cells(self) -> list[str]:
        nodes = "node" if len(self.on) == 1 else "nodes"
        return [f"node {self.home}", f"{nodes} {', '.join(map(str, self.on))}"]


def _sides(placed: Placed) -> list[_Side]:
    """For each TDMR of the configuration; nothing where there is none."""
    if placed.configuration is None:
        return []
    question = pose(placed.machine, placed.space, placed.given_up)
    free = question.free_by_node.items()
    return [
        _Side(
            question.facts(tdmr.range).home,
            tuple(
                dict.fromkeys(
                    node for pamt in tdmr.pamts for node, runs in free if pamt.range in runs
                )
            ),
        )
        for tdmr in placed.configuration.tdmrs
    ]


def _configuration_table(placed: Placed, configuration: Configuration) -> Iterator[str]:
    limit = placed.machine.limits.max_reserved_per_tdmr
    if placed.given_up:
        yield "Given up: " + ", ".join(str(run) for run in placed.given_up)
    yield "TDMRs:"
    sides = _sides(placed)
    several = len({node for side in sides for node in (side.home, *side.on)}) > 1
    columns = ["home", "on"] if several else []
    rows = [["#", "range", "size", *columns[:1], "PAMT 4K at", "2M at", "1G at", "size"]]
    rows[0] += [*columns[1:], "areas"]
    for index, tdmr in enumerate(configuration.tdmrs[:MOST_ROWS]):
        total = sum(pamt.size for pamt in tdmr.pamts)
        home, on = sides[index].cells()
        rows.append(
            [
                str(index),
                str(tdmr.range),
                size_text(tdmr.size),
                *([home] if several else ()),
                *(f"{pamt.base:#x}" for pamt in tdmr.pamts),
                size_text(total),
                *([on] if several else ()),
                f"{len(tdmr.reserved)} of {limit}",
            ]
        )
    yield from table(rows, right=(0, 2, 7 if several else 6))
    if len(configuration.tdmrs) > MOST_ROWS:
        yield f"  ... and {len(configuration.tdmrs) - MOST_ROWS} more (all with --json)"
