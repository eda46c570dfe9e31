"""Whether two withdrawn pages can do what three were found to do: every pair that matters.

Counting rules most pairs out.  For the rest, each page that the failure hangs on
(:mod:`pamt.explain.sensitive`) is withdrawn first, and then a second, unknown one beside it.

*Why no pair is missed.*  A pair that mends the failure holds a page `p` that the failure hangs on
(with two pages still to go).  After `p` alone is withdrawn the run fails too, for one page was
proven not to be enough, and the other page of the pair is one that this second failure hangs on.
So it is enough to go through all `p`, and for each of them through the pages of its own failure.
There must be few enough such `p` to go through them one by one: a budget of runs decides.
"""

from __future__ import annotations

from typing import Literal

from pamt.explain.runner import OutOfRunsError, Runner
from pamt.explain.sensitive import sensitive_pages
from pamt.explain.shortage import least_pages
from pamt.explain.sweep import one_page_classes
from pamt.ranges import PAGE, Range

__all__ = ["two_pages_can_do"]


def two_pages_can_do(runner: Runner, *, holes: bool) -> tuple[Range, ...] | Literal[False] | None:
    """Two pages that work; False if there are none; None if runs did not suffice to tell.

    One page must be known not to be enough.
    """
    trial = runner.without(())
    first = sensitive_pages(runner.policy, runner.machine, trial, 2)
    if first.size // PAGE > runner.left:
        return None
    try:
        for run in first:
            for at in range(run.start, run.end, PAGE):
                gone = (Range(at, at + PAGE),)
                after = runner.after(gone)
                if least_pages(after, holes=holes) > 1:
                    continue
                second = runner.without(gone)
                where = sensitive_pages(runner.policy, after, second)
                for one in one_page_classes(runner, where, gone):
                    if one.trial.works:
                        return tuple(sorted((*gone, Range(one.first, one.first + PAGE))))
    except OutOfRunsError:
        return None
    return False
