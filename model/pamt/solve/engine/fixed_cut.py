"""A question whose TDMRs have been chosen: for the engine as if the kernel had laid them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from pamt.placement import Question
from pamt.ranges import Range

__all__ = ["FixedCut", "fix_cut"]


@dataclass(frozen=True)
class FixedCut(Question):
    """Like the question it comes from, but with these TDMRs and no others."""

    cut: tuple[Range, ...] = ()

    @cached_property
    def _layout(self) -> tuple[tuple[Range, ...], bool]:
        return self.cut, False


def fix_cut(question: Question, tdmrs: Sequence[Range]) -> FixedCut:
    """The question with its TDMRs chosen."""
    given = {field.name: getattr(question, field.name) for field in fields(Question)}
    given["space"] = question.space._replace(tdmrs="kernel")
    return FixedCut(**given, cut=tuple(tdmrs))
