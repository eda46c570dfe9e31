"""Cuts one by one: all that are within the limits, none else."""

from __future__ import annotations

import pytest

from pamt.certificate.cut_bound import CutFacts
from pamt.certificate.each_cut import AllCuts, TooMany, _Sums


def test_too_many_cuts() -> None:
    facts = CutFacts(
        tuple(range(60)),
        None,
        (0,) * 60,
        (0,) * 59,
        (0,) * 60,
        (0,) * 59,
        tuple(range(61)),
        0,
        4,
        9,
    )
    with pytest.raises(TooMany):
        list(AllCuts(facts, {"tdmrs": 9}, 500))


def test_sums() -> None:
    sums = _Sums([1024, 2048, 2, 4, 1])
    reached = {a + b for a in (0, 1024, 2048, 3072) for b in range(8)}
    assert [p for p in range(4000) if p in sums] == sorted(reached)
    # With more sums than are listed, any length counts as reached.
    assert 12345 in _Sums([(1 << 20) + (1 << k) for k in range(14)])
