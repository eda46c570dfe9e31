"""What an internal disagreement leaves behind: the map, made as small as it still shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pamt.machine import Machine

__all__ = ["leave_reproduction"]


def leave_reproduction(
    error: Exception, file: str, machine: Machine, ask: Callable[[Machine], object]
) -> None:
    """Write NAME.disagreement.toml into the working directory and add a note of it to `error`.

    `ask` is what ended in `error` on `machine`.
    """
    from pamt.cli.atomic import write_whole
    from pamt.maps.machine_write import dump_machine
    from pamt.solve.reproduce import minimise_map

    smallest = minimise_map(machine, ask)
    path = Path(f"{Path(file).stem or 'map'}.disagreement.toml")
    try:
        write_whole(path, dump_machine(smallest).encode())
    except OSError as fault:
        error.add_note(f"the map that shows it could not be written to {path}: {fault.strerror}")
        return
    ranges, runs = len(smallest.memory or ()), len(smallest.free or ())
    error.add_note(f"{path}: a map that shows it, {ranges} memory ranges and {runs} free runs")
