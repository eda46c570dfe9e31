"""One line about a search, on a terminal only: phase, best, bound, gap, steps."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from pamt.cli.place_progress import PlaceProgress
from pamt.cli.progress import ProgressLine
from pamt.placement import DEFAULT_OBJECTIVE, Objective
from pamt.ranges import RangeSet
from pamt.solve.budget import Known

ROOT = Path(__file__).resolve().parents[2]
HUAWEI = ROOT / "specs" / "machines" / "huawei-8node-2016.toml"


class Kept(ProgressLine):
    """Keeps the last line."""

    text = ""

    def say(self, text: str) -> None:
        self.text = text


def test_the_line_tells_how_far_the_search_is() -> None:
    line = Kept()
    progress = PlaceProgress(line, DEFAULT_OBJECTIVE, 20_000_000)
    progress.phase("the least remote")
    assert line.text.startswith("the least remote; no placement yet; 0.0 of 20 million steps")
    found = Objective(0, 70, 3, 9, 4, 1000)
    progress.best(Known("greedy", (), (), RangeSet(), found))
    assert "; lost 0, no bound yet; " in line.text
    progress.bound({"lost": 0, "remote": 50}, ())
    progress.spent(1_500_000)
    assert "; remote 70, at least 50 (gap 20); 1.5 of 20 million steps" in line.text
    progress.bound(found._asdict(), None)
    assert "; cost settled; " in line.text


def test_it_is_shown_on_a_terminal_and_nowhere_else() -> None:
    line = [sys.executable, "-m", "pamt", "place", str(HUAWEI)]
    plain = subprocess.run(line, capture_output=True, check=False)
    assert (plain.returncode, plain.stderr) == (0, b"")
    terminal, end = pty.openpty()
    shown = subprocess.run(line, stdout=subprocess.PIPE, stderr=end, check=False)
    os.close(end)
    seen = b""
    while chunk := _read(terminal):
        seen += chunk
    os.close(terminal)
    assert shown.stdout == plain.stdout
    assert b"the least remote; " in seen
    assert seen.endswith(b"\r\x1b[K")


def _read(terminal: int) -> bytes:
    """What is left to read; Linux tells the end of a terminal as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
