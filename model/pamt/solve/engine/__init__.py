"""The default engine.  See :mod:`place`."""

from __future__ import annotations

from pamt.solve.engine.place import Answer, handles, place_fast

__all__ = ["Answer", "handles", "place_fast"]
