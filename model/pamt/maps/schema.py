"""JSON Schema of the machine, configuration and case files, made from the fields that are read.

``python -m pamt.maps.schema [FOLDER]`` writes them (to specs/schema by default).  A schema says
what shape a file has; what relates one value to another (ranges that overlap, free runs outside
memory, unknown nodes) only the reader checks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pamt.maps import case_file, configuration_file, machine_fields

__all__ = ["main", "schema_texts", "schemas"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, Mapping[str, Any]]:
    """The schemas by the name of their file, without ``.schema.json``."""
    machine = machine_fields.table_schema(machine_fields.TOP)
    machine["anyOf"] = [{"required": ["cmr"]}, {"required": ["memory"]}]
    return {
        "machine": _titled("A machine: a physical memory map", machine),
        "configuration": _titled(
            "A configuration: what TDH.SYS.CONFIG is asked to accept",
            machine_fields.table_schema(configuration_file.TOP),
        ),
        "case": _titled(
            "A case: one question and the answer it must get",
            machine_fields.table_schema(case_file.TOP),
        ),
    }


def _titled(title: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"$schema": DRAFT, "title": title, **schema}


def schema_texts() -> dict[str, str]:
    """The text of each schema file, by its file name."""
    return {
        f"{name}.schema.json": json.dumps(schema, indent=2) + "\n"
        for name, schema in schemas().items()
    }


def main(folder: str = "specs/schema") -> None:
    """Write the schema files into `folder`."""
    for name, text in schema_texts().items():
        Path(folder, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])
