"""Policies and predicates of a user's own: ``path/to/file.py:function``."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import Policy
from pamt.verify.obligation import Obligation, PlainRun, SymbolicRun

__all__ = ["UserFileError", "UserProperty", "load_function"]


class UserFileError(ValueError):
    """The file or the function is not there, or the file cannot be loaded."""


def load_function(where: str) -> Callable[..., Any]:
    """The function that ``FILE.py:function`` names.

    Raises UserFileError.  The file is run, as Python runs a module.
    """
    path_text, _, name = where.rpartition(":")
    path = Path(path_text)
    if not path_text.endswith(".py") or not name:
        raise UserFileError(f"expected FILE.py:function, found {where!r}")
    if not path.is_file():
        raise UserFileError(f"{path}: no such file")
    module_name = f"pamt_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's file raises
        raise UserFileError(f"{path}: {error!r}") from error
    found = getattr(module, name, None)
    if not callable(found):
        raise UserFileError(f"{path}: no function {name!r}")
    function: Callable[..., Any] = found
    return function


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
        return f"{self.name} answers no"
