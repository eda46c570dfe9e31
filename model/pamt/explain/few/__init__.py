"""The fewest pages whose withdrawal mends the kernel's run, exactly, for a few pages.

:mod:`pages` are pages not yet pinned down, :mod:`ground` what the kernel sees before any of them is
gone, :mod:`run` the kernel's run that decides only what it comes to ask, :mod:`settle` puts
addresses to what a run left open, :mod:`search` goes through all runs.
"""

from __future__ import annotations

from pamt.explain.few.search import Answer, few_pages

__all__ = ["Answer", "few_pages"]
