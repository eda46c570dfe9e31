"""``python -m pamt`` is the command ``pamt``."""

from __future__ import annotations

from pamt.cli.main import entry

if __name__ == "__main__":
    entry()
