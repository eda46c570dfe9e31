"""What is wrong with a certificate, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["Fault", "Wrong", "listed", "told"]


class Fault(NamedTuple):
    """The first thing that is wrong: where, what should stand there, what stands there."""

    step: str
    expected: str
    found: str


class Wrong(Exception):
    """A step does not prove what it is there for."""

    def __init__(self, step: str, expected: str, found: object) -> None:
        super().__init__(step)
        self.fault = Fault(step, expected, str(found))


def listed(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items) or "none"


def told(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "no limit at all"
