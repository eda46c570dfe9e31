"""Write specs/machines/*.toml anew from the logs: run it after a change of the importers."""

from __future__ import annotations

import json
from pathlib import Path

from pamt.maps.importers import Imported, ImportOptions, import_files
from pamt.maps.machine_file import dump_machine

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "tests" / "corpus" / "logs"
MACHINES = ROOT / "specs" / "machines"


def recipes() -> dict[str, dict[str, object]]:
    return json.loads((MACHINES / "imports.json").read_text())


def import_recipe(recipe: dict[str, object]) -> Imported:
    texts = [(log, (LOGS / log).read_text()) for log in recipe["logs"]]
    return import_files(texts, ImportOptions(fill_from_cmr=bool(recipe.get("fill_from_cmr"))))


if __name__ == "__main__":
    for name, recipe in recipes().items():
        text = dump_machine(import_recipe(recipe).machine, "toml")
        (MACHINES / f"{name}.toml").write_text(text)
