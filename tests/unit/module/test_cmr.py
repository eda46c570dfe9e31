"""The CMR list: the first entry that fails, and the runs of a list that passes."""

from __future__ import annotations

import pytest

from pamt.machine import Cmr, Limits
from pamt.module.cmr import check_cmr_list, cmr_runs
from pamt.ranges import MIB, PAGE, Range

LIMITS = Limits()
CEILING = LIMITS.address_end
TOP = (1 << 64) - 1


@pytest.mark.parametrize(
    "cmrs",
    [
        (),
        (Cmr(0, 0),) * 32,
        (Cmr(TOP, 0), Cmr(0, PAGE), Cmr(1, 0), Cmr(PAGE, PAGE)),
        (Cmr(MIB, MIB), Cmr(3 * MIB, MIB), Cmr(CEILING - PAGE, PAGE)),
        tuple(Cmr(k * MIB, PAGE) for k in range(40)),  # a stand-in may be longer than the table
    ],
)
def test_passes(cmrs: tuple[Cmr, ...]) -> None:
    assert check_cmr_list(cmrs, LIMITS).accepted


@pytest.mark.parametrize(
    ("cmrs", "rule", "index"),
    [
        ((Cmr(TOP - PAGE + 1, PAGE),), "C_WRAP", 0),
        ((Cmr(0, PAGE), Cmr(CEILING, PAGE)), "C_BASE_PA", 1),
        ((Cmr(CEILING - PAGE, 2 * PAGE),), "C_END_PA", 0),
        ((Cmr(0, 0), Cmr(512, PAGE)), "C_ALIGN", 1),
        ((Cmr(PAGE, 512),), "C_ALIGN", 0),
        ((Cmr(MIB, MIB), Cmr(0, 0), Cmr(2 * MIB - PAGE, PAGE)), "C_ORDER", 2),
        ((Cmr(MIB, MIB), Cmr(0, PAGE)), "C_ORDER", 1),
        ((Cmr(MIB, MIB), Cmr(MIB, MIB)), "C_ORDER", 1),
        # The first entry counts, not the first rule.
        ((Cmr(MIB, MIB), Cmr(0, PAGE), Cmr(TOP, TOP)), "C_ORDER", 1),
    ],
)
def test_fails(cmrs: tuple[Cmr, ...], rule: str, index: int) -> None:
    status = check_cmr_list(cmrs, LIMITS)
    assert (status.status, status.name) == (0xC0000A2200000000, "TDX_CMR_LIST_INVALID")
    assert (status.rule, status.cmr) == (rule, index)


@pytest.mark.parametrize(
    ("cmrs", "runs"),
    [
        ([], []),
        ([Cmr(5, 0)], []),
        ([Cmr(0, MIB)], [Range(0, MIB)]),
        ([Cmr(0, MIB), Cmr(9, 0), Cmr(MIB, MIB)], [Range(0, 2 * MIB)]),
        ([Cmr(0, MIB), Cmr(MIB + PAGE, MIB)], [Range(0, MIB), Range(MIB + PAGE, 2 * MIB + PAGE)]),
        ([Cmr(0, 0), Cmr(0, MIB), Cmr(2 * MIB, 0)], [Range(0, MIB)]),
        (
            [Cmr(MIB, MIB), Cmr(2 * MIB, MIB), Cmr(4 * MIB, MIB), Cmr(5 * MIB, MIB)],
            [Range(MIB, 3 * MIB), Range(4 * MIB, 6 * MIB)],
        ),
    ],
)
def test_runs(cmrs: list[Cmr], runs: list[Range]) -> None:
    assert cmr_runs(cmrs) == runs
