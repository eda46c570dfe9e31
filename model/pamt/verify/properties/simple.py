"""``areas-at-most:K``, ``never:REASON``, ``clean`` and ``local``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pamt.kernel.contig import ContigAllocator
from pamt.policies.protocol import Policy
from pamt.verify.allocator import Event
from pamt.verify.obligation import NotDecidedHere, Obligation, PlainRun, SymbolicRun
from pamt.verify.properties.success import OfSuccess

__all__ = ["AreasAtMost", "Clean", "Local", "Never"]

Guard = Any


@dataclass(frozen=True)
class AreasAtMost(OfSuccess):
    """No TDMR of a success has more than `most` reserved areas."""

    most: int

    @property
    def name(self) -> str:
        return f"areas-at-most:{self.most}"

    @property
    def words(self) -> str:
        return f"no TDMR of a success has more than {self.most} reserved areas"

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """One for each TDMR."""
        for guard, outcome in run.successes():
            for index, (present, t) in enumerate(run.seen(guard, outcome.tdmrs)):
                count = run.made.interpreter.call(len, t.reserved, live=guard).value
                yield Obligation(f"TDMR {index}", (guard, present, count > self.most))

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        if run.outcome is None:
            return f"the policy raised {run.error}"
        if not run.outcome.succeeded:
            return None
        for index, t in enumerate(run.outcome.tdmrs):
            count = sum(1 for area in t.reserved or () if area.size)
            if count > self.most:
                return f"TDMR {index} has {count} reserved areas"
        return None


@dataclass(frozen=True)
class Never:
    """The policy never gives this answer (a failure's reason)."""

    reason: str

    @property
    def name(self) -> str:
        return f"never:{self.reason}"

    @property
    def words(self) -> str:
        return f"the policy never answers {self.reason}"

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """One for each return with that reason."""
        equal = run.made.interpreter.equal
        for guard, outcome in run.outcomes():
            same = equal(outcome.reason, self.reason)
            if same is not False:
                yield Obligation(self.reason, (guard, same))

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        if run.outcome is None:
            return f"the policy raised {run.error}"
        return f"the policy answers {self.reason}" if run.outcome.reason == self.reason else None


@dataclass(frozen=True)
class Clean:
    """After a failure the free runs equal the initial ones."""

    name: str = "clean"
    words: str = "after a failure the free runs equal the initial ones"

    @property
    def premise(self) -> str:
        return "the policy fails after it has taken a chunk"

    def meets_premise(self, run: SymbolicRun) -> Iterator[tuple[Guard, ...]]:
        """Any chunk taken, and any failure."""
        domain = run.made.interpreter.domain
        for guard, _ in run.failures():
            for event in run.allocator.events:
                if event.action == "take" and not domain.disjoint(guard, event.guard):
                    yield guard, event.guard

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """For each chunk taken and each failure: it was not given back."""
        domain = run.made.interpreter.domain
        equal = run.made.interpreter.equal
        returned = [e for e in run.allocator.events if e.action == "give back"]
        for guard, outcome in run.failures():
            for event in run.allocator.events:
                if event.action != "take" or domain.disjoint(guard, event.guard):
                    continue
                back = domain.disjunction(
                    domain.conjunction(
                        e.guard,
                        domain.conjunction(equal(e.range, event.range), equal(e.node, event.node)),
                    )
                    for e in returned
                )
                yield Obligation(
                    f"{outcome.reason}: a chunk is not given back",
                    (guard, event.guard, domain.negation(back)),
                )

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        if run.outcome is None:
            return f"the policy raised {run.error}"
        if run.outcome.succeeded:
            return None
        fresh = ContigAllocator(run.machine.nodes, run.machine.free or ())
        for node in fresh.nodes:
            if fresh.free_runs(node) != run.allocator.free_runs(node):
                return f"after {run.outcome.reason}, node {node} has other free runs than before"
        return None


def _homes(run: SymbolicRun, event: Event) -> Iterator[tuple[Guard, int]]:
    """The home node that a chunk was taken for: what was asked for, or what the trace says."""
    if isinstance(event.wanted, int):
        yield True, event.wanted
        return
    domain = run.made.interpreter.domain
    for guard, outcome in run.outcomes():
        tdmrs = run.seen(guard, outcome.tdmrs)
        for present, taken in run.seen(guard, outcome.trace):
            if taken.range is not event.range or taken.action != "take":
                continue
            plain = all(sure is True for sure, _ in tdmrs)
            if not plain or not isinstance(taken.tdmr, int):
                raise NotDecidedHere("the trace does not say for sure which TDMR a chunk is for")
            home = tdmrs[taken.tdmr][1].home
            for node in run.allocator.nodes:
                here = domain.conjunction(guard, run.made.interpreter.equal(home, node))
                if here is not False:
                    yield domain.conjunction(here, present), node


@dataclass(frozen=True)
class Local:
    """A remote PAMT means that, at its turn, no free run of its home node could hold it."""

    name: str = "local"
    words: str = (
        "a PAMT on another node than its TDMR's home means that, at its turn, no free run of the"
        " home node could hold it"
    )

    @property
    def premise(self) -> str:
        return "a PAMT goes to another node than its TDMR's home"

    def meets_premise(self, run: SymbolicRun) -> Iterator[tuple[Guard, ...]]:
        """Any chunk taken elsewhere."""
        for event, remote, _ in self._remote(run):
            yield event.guard, remote

    def _remote(self, run: SymbolicRun) -> Iterator[tuple[Event, Guard, int]]:
        """Chunks taken elsewhere: the guard of that, and the home."""
        domain = run.made.interpreter.domain
        for event in run.allocator.events:
            if event.action != "take":
                continue
            for asked, home in _homes(run, event):
                same = run.made.interpreter.equal(event.node, home)
                yield event, domain.conjunction(asked, domain.negation(same)), home

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """For each remote chunk and each free run of its home."""
        for event, remote, home in self._remote(run):
            for present, free in event.free.get(home, ()):
                fits = free.end - free.start >= event.size
                yield Obligation(
                    f"a chunk of {event.size} bytes of a TDMR of node {home} elsewhere",
                    (event.guard, remote, present, fits),
                )

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        if run.outcome is None:
            return f"the policy raised {run.error}"
        again = ContigAllocator(run.machine.nodes, run.machine.free or ())
        for taken in run.outcome.trace:
            if taken.action != "take":
                continue
            home = run.outcome.tdmrs[taken.tdmr].home
            if home is not None and home != taken.node:
                for free in again.free_runs(home):
                    if free.size >= taken.range.size:
                        return (
                            f"the PAMT of TDMR {taken.tdmr} is on node {taken.node}, though {free}"
                            f" of its home node {home} was free"
                        )
            again.take(taken.range, taken.node)
        return None
