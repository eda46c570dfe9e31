"""Recordings that are no recordings: refused with their line, never half replayed."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pamt.kernel.conform import BadVectorError, replay_kernel

RECORDED = Path(__file__).resolve().parents[2] / "conformance" / "data" / "kernel.jsonl"
FIRST = json.loads(RECORDED.read_text().split("\n", 1)[0])


def changed(path: str, value: object) -> dict[str, Any]:
    record = deepcopy(FIRST)
    *steps, last = path.split(".")
    at: Any = record
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return record


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("input.memblocks.0.0", []),
        ("input.memblocks.0.0", "1"),
        ("input.memblocks.0.1", 1.5),
        ("input.memblocks.0.2", None),
        ("input.memblocks.0.2", True),
        ("input.cmrs.0.1", None),
        ("input.free.0.0", -1),
        ("input.nodes.0.nid", []),
        ("input.nodes.0.fallback", [[]]),
        ("input.nodes.0.zones.0.start_pfn", "0x1"),
        ("input.limits.max_tdmrs", []),
        ("input.limits.pamt_entry_size", [16, 16]),
        ("input.limits.pamt_entry_size", [16, 16, None]),
        ("pre_cmr_fix", []),
        ("pre_cmr_fix.tdmrs", [[]]),
        ("dpamt.tdmrs", None),
    ],
)
def test_a_wrong_type_anywhere_is_told_with_its_line(path: str, value: object) -> None:
    lines = [json.dumps(FIRST), "", json.dumps(changed(path, value))]
    with pytest.raises(BadVectorError) as refused:
        list(replay_kernel(lines))
    assert refused.value.line == 3


def test_other_line_separators_inside_a_string_end_no_line(
    tmp_path: Path, pamt: Callable[..., Any]
) -> None:
    path = tmp_path / "one.jsonl"
    record = changed("note", "above\u2028below\x85")
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(record, ensure_ascii=False).encode() + b"\r\n")
    ran = pamt("conform", "kernel", path)
    assert (ran.exit, ran.out.splitlines()[0]) == (0, "EQUAL: 4 recorded runs, 0 differ")
