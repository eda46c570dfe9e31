"""Which addresses of a counterexample do not matter.

An address does not matter if the scope allows another value, and every one, with the rest of the
map as it is, breaks the property too.  "Every value" is one question where what is broken can be
read off the map.  Where something is chosen besides (a page, places for PAMTs), it is asked for a
value at which no choice known so far will do; a plain run looks at that value, and if the property
is broken there too, the choice that shows it joins the known ones.

         |--------- values of one address ---------|
    choice 1 does:  xxxxxxxxxxx          xxxxx
    choice 2 does:            xxxxxxxxxxxxxx  xxxxxx     nothing is left: it does not matter
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from pamt.ranges import PAGE
from pamt.standins import complete
from pamt.verify.cases import Case, neighbours
from pamt.verify.casework import Task, all_obligations, set_up
from pamt.verify.obligation import NotDecidedHere, Obligation, run_plainly
from pamt.verify.symbolic_map import EmptyCase, SymbolicMap, build_map, plain_machine

if TYPE_CHECKING:
    from pamt.smt.symbolic_query import Assignment, Query

__all__ = ["Effect", "field_names", "free_fields"]

ROUNDS = 12
"""Most choices tried for one address; one that needs more is not named."""


def free_fields(task: Task, case: Case, addresses: Sequence[int]) -> Iterator[str]:
    """Names of the addresses that do not matter; each was proved not to.

    `addresses` break the property, in the order of :attr:`SymbolicMap.addresses`.
    """
    names = field_names(case)
    settled = [_Sibling(task, other, addresses) for other in neighbours(task.scope, case)]
    for index, name in enumerate(names):
        another = False
        for sibling in settled:
            verdict = sibling.without(index)
            if verdict is Effect.MATTERS:
                break
            another = another or verdict is Effect.NONE
        else:
            if another:
                yield name


def field_names(case: Case) -> list[str]:
    """``memory range 0: start``, in the order of a map's addresses."""
    kinds = (
        ("memory range", len(case.nodes)),
        ("CMR", case.cmrs),
        ("free run", len(case.free or ())),
    )
    return [
        f"{kind} {at}: {side}"
        for kind, count in kinds
        for at in range(count)
        for side in ("start", "end")
    ]


class Effect(Enum):
    """What other values of an address do in one case."""

    NONE = "there are others, and all of them break the property"
    MATTERS = "one of them keeps it, or nobody knows"
    NO_OTHER = "there are no others"


class _Sibling:
    """A case, and the map as far as it fits in."""

    def __init__(self, task: Task, case: Case, addresses: Sequence[int]) -> None:
        self.task = task
        self.case = case
        self.addresses = addresses
        self._made: SymbolicMap | None = None
        self._query: Any = None
        self._obligations: list[Obligation] = []
        self._undecided = False

    def without(self, index: int) -> Effect:
        """What other values of one address do in this case."""
        if self._made is None and not self._build():
            return Effect.NO_OTHER
        assert self._made is not None
        address = self._made.addresses[index]
        others = self._others(index)
        if others is None:
            return Effect.NO_OTHER
        query: Query = self._query
        limit = self.task.budget.per_query
        with query.holding(others):
            other = self._domain.negation(self._equal(address, self.addresses[index]))
            exists = query.ask([other], limit).verdict
            if exists == "unsat":
                return Effect.NO_OTHER
            if exists == "unknown" or self._undecided:
                return Effect.MATTERS
            if isinstance(address, int):
                broken = self._broken_at(index, address)
                return Effect.NONE if broken else Effect.MATTERS
            for extreme in self._extremes(index, address):
                there = query.ask([self._equal(address, extreme)], limit)
                if there.verdict == "sat" and not self._broken_at(index, extreme):
                    return Effect.MATTERS
            left = self._no_value_left(index, address, query, limit)
            return Effect.NONE if left else Effect.MATTERS

    def _no_value_left(self, index: int, address: Any, query: Query, limit: int) -> bool:
        """Whether no value keeps the property."""
        plain = [o for o in self._obligations if not o.witness]
        chosen = [o for o in self._obligations if o.witness]
        query.hold(self._none_of(plain))
        for _ in range(ROUNDS):
            answer = query.ask([], limit)
            if answer.assignment is None:
                return answer.verdict == "unsat"
            value = answer.assignment.integer(address)
            if not self._broken_at(index, value):
                return False
            found = self._choice(chosen, self._equal(address, value), query, limit)
            if found is None:
                return False
            query.hold(query.fails_with(*found))
        return False

    def _choice(
        self, chosen: Sequence[Obligation], here: Any, query: Query, limit: int
    ) -> tuple[tuple[Any, ...], Assignment] | None:
        for obligation in chosen:
            answer = query.ask((here, *obligation.guards), limit)
            if answer.assignment is not None:
                return obligation.guards, answer.assignment
        return None

    @property
    def _domain(self) -> Any:
        assert self._made is not None
        return self._made.interpreter.domain

    def _none_of(self, obligations: Sequence[Obligation]) -> Any:
        domain = self._domain
        none: Any = True
        for obligation in obligations:
            broken: Any = True
            for guard in obligation.guards:
                broken = domain.conjunction(broken, guard)
            none = domain.conjunction(none, domain.negation(broken))
        return none

    def _equal(self, address: Any, value: int) -> Any:
        assert self._made is not None
        return self._made.interpreter.equal(address, value)

    def _build(self) -> bool:
        from pamt.smt.symbolic_query import Query

        try:
            self._made = build_map(self.task.scope, self.case)
        except EmptyCase:
            return False
        run = set_up(self.task, self._made)
        everything = list(all_obligations(self.task, run))
        self._undecided = any(o.undecided for o in everything)
        self._obligations = [
            o for o in everything if not o.undecided and not any(g is False for g in o.guards)
        ]
        self._query = Query(self._made.symbols)
        return True

    def _others(self, index: int) -> list[Any] | None:
        """All addresses but one are as they are; None where they do not fit into the case."""
        assert self._made is not None
        guards = [
            self._equal(other, value)
            for at, (other, value) in enumerate(
                zip(self._made.addresses, self.addresses, strict=True)
            )
            if at != index
        ]
        return None if any(guard is False for guard in guards) else guards

    def _extremes(self, index: int, address: Any) -> list[int]:
        """The lowest and the highest value between the neighbours, and next to those."""
        kind = field_names(self.case)[index].partition(" ")[0]
        names = field_names(self.case)
        low, high = address.low, address.high
        if index and names[index - 1].startswith(kind):
            low = max(low, self.addresses[index - 1])
        if index + 1 < len(names) and names[index + 1].startswith(kind):
            high = min(high, self.addresses[index + 1])
        tried = dict.fromkeys((low, low + PAGE, high - PAGE, high))
        return [value for value in tried if low <= value <= high]

    def _broken_at(self, index: int, value: int) -> bool:
        addresses = list(self.addresses)
        addresses[index] = value
        machine = plain_machine(self.task.scope, self.case, addresses)
        policy, the_property = self.task.parts()
        run = run_plainly(policy, complete(machine).machine)
        try:
            return run.outcome is None or the_property.broken(policy, run) is not None
        except NotDecidedHere:
            return False
