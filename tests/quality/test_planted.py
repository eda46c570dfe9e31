"""What is possible is never excluded, on maps made from a configuration that fills gaps."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from pamt.certificate.cut_bound import ADDITIVE
from pamt.certificate.fill_bound import excludes_by_number, excludes_claim

sys.path.insert(0, str(Path(__file__).parent))
from planted import planted

CLAIMS = (
    ("max_areas", "areas", "tdmrs", "pamt_pages"),
    ("max_areas", "areas", "tdmrs"),
    ("areas", "tdmrs"),
    ("tdmrs", "areas", "pamt_pages"),
)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_possible_is_not_excluded(seed: int) -> None:
    close = 0
    for number in range(12 * seed, 12 * seed + 12):
        made = planted(Random(number))
        if made is None:
            continue
        values = made.value._asdict()
        for names in CLAIMS:
            at_most = {"remote": 0, **{name: values[name] for name in names}}
            order = [name for name in names if name in ADDITIVE]
            assert not excludes_claim(made.question, order, at_most), number
            assert not excludes_by_number(made.question, order, at_most), number
        less = {"remote": 0, **{name: values[name] for name in CLAIMS[1]}}
        less["areas"] -= 1
        close += less["areas"] > 0 and excludes_by_number(made.question, ("areas",), less)
    # Some of these cannot do with an area less, and that is seen.
    assert close
