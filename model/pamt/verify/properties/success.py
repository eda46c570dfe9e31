"""What properties that speak of a success of the policy have in common."""

from __future__ import annotations

from collections.abc import Iterator

from pamt.verify.obligation import Guard, SymbolicRun

__all__ = ["OfSuccess"]


class OfSuccess:
    """A property that says something wherever the policy succeeds."""

    @property
    def premise(self) -> str:
        return "the policy succeeds"

    def meets_premise(self, run: SymbolicRun) -> Iterator[tuple[Guard, ...]]:
        """Any success."""
        for guard, _ in run.successes():
            yield (guard,)
