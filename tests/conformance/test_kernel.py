"""Every recorded run of the real kernel functions, in every variant, whole output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pamt.kernel.conform import BadVectorError, replay_kernel

RECORDED = Path(__file__).parent / "data" / "kernel.jsonl"


def test_all_recorded_runs_agree() -> None:
    replayed = list(replay_kernel(RECORDED.read_text().splitlines()))
    assert len(replayed) == 4 * 301
    assert [run for run in replayed if run.differences] == []


def test_a_changed_recording_is_reported_with_the_field() -> None:
    record = json.loads(RECORDED.read_text().splitlines()[0])
    record["pre_cmr_fix"]["tdmrs"][0]["pamt_4k"][0] += 4096
    record["dpamt"]["ret"] = -1
    record["post_cmr_fix"]["messages"].append("virt/tdx: something else")
    by_variant = {run.variant: run for run in replay_kernel([json.dumps(record)])}
    assert [d.field for d in by_variant["mainline"].differences] == ["tdmrs[0].pamt_4k"]
    assert [d.field for d in by_variant["dpamt"].differences] == ["ret"]
    assert [d.field for d in by_variant["cmr-v8.2"].differences] == ["messages"]
    assert by_variant["cmr-nocheck"].differences == ()


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"id": "x"}', '{"id": "x", "input": {}}', "null", "7"]
)
def test_a_line_that_is_no_recording_is_an_error_with_its_number(line: str) -> None:
    good = RECORDED.read_text().splitlines()[0]
    with pytest.raises(BadVectorError) as caught:
        list(replay_kernel([good, line]))
    assert caught.value.line == 2
