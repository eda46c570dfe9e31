"""One line of progress on a terminal, and nothing anywhere else."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import Self

__all__ = ["ProgressLine"]

CLEAR = "\r\x1b[K"


class ProgressLine:
    """A context in which :meth:`say` shows its last text on the terminal's current line.

    Written to standard error, and only if that is a terminal; cleared at the end.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._shown = sys.stderr.isatty() and not quiet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write("")

    def say(self, text: str) -> None:
        """Replace the line."""
        self._write(text)

    def _write(self, text: str) -> None:
        if self._shown:
            columns = shutil.get_terminal_size().columns - 1
            sys.stderr.write(CLEAR + text[:columns])
            sys.stderr.flush()
