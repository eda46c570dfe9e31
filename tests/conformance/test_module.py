"""The real module's recorded answers, replayed: every field, static and dynamic PAMT, CMR lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from pamt.module.conform import replay_cmr, replay_module

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(("name", "count"), [("module", 395), ("module_dpamt", 66)])
def test_configurations(name: str, count: int) -> None:
    replay = replay_module((DATA / f"{name}.jsonl").read_text().split("\n"))
    assert replay.count == count
    assert list(replay) == []


def test_cmr_lists() -> None:
    replay = replay_cmr((DATA / "cmr.jsonl").read_text().split("\n"))
    assert replay.count == 45
    assert list(replay) == []
