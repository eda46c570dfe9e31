"""What the steps of an import gather on their way."""

from __future__ import annotations

from dataclasses import dataclass, field

from pamt.maps.errors import InputProblem
from pamt.maps.importers.imported import Claim, Conflict, Note
from pamt.maps.importers.lines import Place, Unread

__all__ = ["Findings"]


@dataclass
class Findings:
    """Assumptions, conflicts and notes; and problems, which end in InputErrors."""

    assumptions: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    problems: list[InputProblem] = field(default_factory=list)
    used: set[Unread] = field(default_factory=set)
    """Lines that do not parse and would have been needed."""

    def assume(self, sentence: str) -> None:
        if sentence not in self.assumptions:
            self.assumptions.append(sentence)

    def conflict(self, subject: str, kept: Claim, dropped: Claim, rule: str) -> None:
        self.conflicts.append(Conflict(subject, kept, dropped, rule))

    def note(self, text: str, place: Place | None = None) -> None:
        self.notes.append(Note(text, str(place) if place else ""))

    def wrong(self, place: Place, what: str, expected: str, found: str, hint: str = "") -> None:
        self.problems.append(InputProblem(place.file, place.line, what, expected, found, hint))

    def need(self, unread: tuple[Unread, ...]) -> None:
        """Lines that the machine cannot do without."""
        self.used.update(unread)
        self.problems += [u.problem for u in unread]
