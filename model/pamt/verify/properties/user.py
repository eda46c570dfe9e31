"""Predicates of a user's own, loaded from ``path/to/file.py:function``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.files import UserFileError, load_function
from pamt.policies.protocol import Policy
from pamt.verify.interp import ended_by, place_of_function
from pamt.verify.obligation import Obligation, PlainRun, SymbolicRun

__all__ = ["UserFileError", "UserProperty", "load_function"]


@dataclass(frozen=True)
class UserProperty:
    """A predicate over (machine, outcome), which has to hold."""

    name: str
    predicate: Callable[[Machine, Outcome], bool]

    @property
    def words(self) -> str:
        return (self.predicate.__doc__ or self.name).strip().splitlines()[0]

    def obligations(self, run: SymbolicRun) -> Iterator[Obligation]:
        """Each way in which the predicate answers no."""
        interpreter = run.made.interpreter
        for guard, outcome in run.outcomes():
            answer = interpreter.call(self.predicate, run.made.machine, outcome, live=guard)
            for found in answer.returns:
                wrong = interpreter.domain.negation(interpreter.truth(found.value, None, None))  # type: ignore[arg-type]
                if wrong is not False:
                    yield Obligation(
                        f"{outcome.reason}: {found.place}", (guard, found.guard, wrong)
                    )
            for fault in answer.faults:
                yield Obligation(f"the predicate {fault.what}: {fault.place}", (guard, fault.guard))

    def broken(self, policy: Policy, run: PlainRun) -> str | None:
        if run.outcome is None:
            return f"the policy raised {run.error}"
        try:
            if self.predicate(run.machine, run.outcome):
                return None
        except Exception as error:  # noqa: BLE001 - whatever the user's predicate raises
            return f"the predicate raised {error!r}"
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ended_by(error, place_of_function(self.predicate)) from error
        return f"{self.name} answers no"
