"""Cells at home: where no TDMR may begin, and what the pages near a home must hold."""

from __future__ import annotations

from pathlib import Path

from pamt.certificate.fill_bound import claim_facts
from pamt.certificate.near_home import barred_cells, pools
from pamt.maps.machine_file import read_machine
from pamt.placement import MODULE, Question, Space, pose
from pamt.standins import complete

MACHINES = Path(__file__).parents[3] / "specs" / "machines"


def ask(name: str, space: Space) -> Question:
    return pose(complete(read_machine(MACHINES / f"{name}.toml")).machine, space)


def test_no_tdmr_begins_where_no_free_run_is_near() -> None:
    question = ask("huawei-8node-2016", MODULE)
    barred = barred_cells(question)
    cells = question.cells
    # Only nodes 0 and 7 have free runs: homes of cells below 66 GiB and from 434 GiB on.
    assert {cells[at] for at in barred} == set(range(66, 434))
    facts, _ = claim_facts(question, {"remote": 0})
    assert facts.barred == barred
    pool = pools(question, facts, {"remote": 0})[0]
    # Inside: 66 GiB and at most 64 TDMRs; over them one that goes on to 434 GiB, if not further.
    (region,) = pool.overhanging
    assert region == 2 * (434 - 65)
    assert pool.small == 2 * 66 + 1 + 63 + 2
