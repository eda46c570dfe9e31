"""Maps of recorded kernel runs, by name."""

from __future__ import annotations

import json
from pathlib import Path

from pamt.kernel.conform import machine_of_vector
from pamt.machine import Machine

RECORDED = Path(__file__).parents[1] / "conformance" / "data" / "kernel.jsonl"


def recorded(name: str) -> Machine:
    """The map of the recording called `name`.  Raises KeyError."""
    for line in RECORDED.read_text().splitlines():
        record = json.loads(line)
        if record["id"] == name:
            return machine_of_vector(record["input"])
    raise KeyError(name)
