"""``python -m pamt`` is the command ``pamt``."""

from __future__ import annotations

import sys

from pamt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
