"""Every single page, in classes of equal effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pamt.explain.changes import Trial
from pamt.explain.runner import Runner
from pamt.explain.tracked import Window
from pamt.kernel.memlist import LOW_MEMORY_END
from pamt.ranges import PAGE, Range, RangeSet

__all__ = ["PageClass", "one_page_classes"]


class PageClass(NamedTuple):
    """Pages any single one of which has the same effect: addresses `first` to `last`, inclusive.

    `trial` shows the run without page `first`; of a failure, what was taken only in outline.
    """

    first: int
    last: int
    trial: Trial

    @property
    def pages(self) -> int:
        return (self.last - self.first) // PAGE + 1


def one_page_classes(
    runner: Runner, where: RangeSet | None = None, gone: Sequence[Range] = ()
) -> Iterator[PageClass]:
    """Single pages of memory at or above 1 MiB (inside `where`), withdrawn beside those of `gone`.

    Raises OutOfRunsError.
    """
    for r in runner.after(gone).memory or ():
        lowest, highest = max(r.start, LOW_MEMORY_END), r.end - PAGE
        if lowest > highest:
            continue
        parts = [Range(lowest, r.end)] if where is None else where.within(Range(lowest, r.end))
        for part in parts:
            at = part.start
            while at < part.end:
                # The first and the last page of a range leave one piece, the others two.
                if at in (r.start, highest):
                    window = Window(at, at, at)
                else:
                    window = Window(at, at, min(part.end - PAGE, max(at, highest - PAGE)))
                page: Any = window.page()
                trial = runner.without((*gone, Range(page, page + PAGE)))
                yield PageClass(at, window.high, _plain(trial, runner, at, window, gone))
                at = window.high + PAGE


def _plain(trial: Trial, runner: Runner, at: int, window: Window, gone: Sequence[Range]) -> Trial:
    """The trial without tracked addresses; one that works is run again, since it will be shown."""
    if trial.works:
        return runner.without((*gone, Range(at, at + PAGE)))
    # `trace` keeps the addresses of this run: chunks lie at slots, whose numbers are settled.
    outcome = trial.outcome
    taken = tuple(
        t._replace(range=Range(_now(t.range.start), _now(t.range.end))) for t in outcome.trace
    )
    tdmrs = tuple(
        t._replace(base=_now(t.base), size=_now(t.size), pamts=None, reserved=None)
        for t in outcome.tdmrs
    )
    del window
    return Trial(replace(outcome, tdmrs=tdmrs, trace=taken), trial.status)


def _now(value: Any) -> int:
    return value if isinstance(value, int) else int(value.now)
