"""The JSON Schema of every result, so that a reader knows each field before it meets one.

``python -m pamt.report.schemas`` writes ``specs/schema/result-COMMAND.schema.json``; a test holds
the files to this source, and real results to the schemas.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pamt.report.envelope import FORMAT

__all__ = ["error_schema", "result_schemas", "schema_texts"]

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
HEX: Schema = {"type": "string", "pattern": "^0x[0-9a-f]+$"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANY: Schema = {}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def record(fields: Mapping[str, Schema], optional: Sequence[str] = ()) -> Schema:
    """An object with exactly these fields; those in `optional` may be absent."""
    return {
        "type": "object",
        "properties": dict(fields),
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


PAIR = array(HEX, minItems=2, maxItems=2)
FILE = record({"name": TEXT, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}})
SPAN = record({"start": HEX, "end": HEX})
LEVEL = nullable({"enum": ["4k", "2m", "1g"]})
STATUS_FIELDS: dict[str, Schema] = {
    "status": HEX,
    "status_name": TEXT,
    "rule": nullable(TEXT),
    "tdmr": nullable(COUNT),
    "level": LEVEL,
    "other": nullable(COUNT),
    "area": nullable(COUNT),
    "operand": nullable(TEXT),
}
PLANNED = record(
    {
        "base": HEX,
        "size": HEX,
        "nid": COUNT,
        "nr_pages": COUNT,
        "pamt_nid": COUNT,
        "pamt_zone": TEXT,
        "pamt_4k": PAIR,
        "pamt_2m": PAIR,
        "pamt_1g": PAIR,
        "pamt_total_size": HEX,
        "reserved": array(PAIR),
    },
    optional=(
        *("nid", "nr_pages", "pamt_nid", "pamt_zone", "pamt_4k", "pamt_2m", "pamt_1g"),
        *("pamt_total_size", "reserved"),
    ),
)
OBJECTIVE = record(
    {
        **dict.fromkeys(("lost",), COUNT),
        "remote": NUMBER,
        **dict.fromkeys(("max_areas", "areas", "tdmrs", "pamt_pages"), COUNT),
    }
)
RIVAL = record({"policy": TEXT, "ret": NUMBER, "outcome": TEXT, "objective": nullable(OBJECTIVE)})
CONFIGURATION = record(
    {
        "tdmr": array(
            record(
                {
                    "base": HEX,
                    "size": HEX,
                    "pamt_4k": PAIR,
                    "pamt_2m": PAIR,
                    "pamt_1g": PAIR,
                    "reserved": array(PAIR),
                }
            )
        )
    }
)
SCOPE = record(
    {
        "words": TEXT,
        "size": {"type": "string", "pattern": "^(more than )?[0-9]+$"},
        **dict.fromkeys(("ranges", "fewest_ranges", "cmrs", "nodes"), COUNT),
        "free": nullable(COUNT),
        **dict.fromkeys(("gib", "first_gib", "max_tdmrs", "max_reserved_per_tdmr"), COUNT),
        "distances": nullable(array(COUNT)),
        "assumptions": array(TEXT),
    }
)
COVERED = array(
    record(dict.fromkeys(("ranges", "cmrs", "nodes", "free", "cases", "obligations"), COUNT))
)
MEASURE = record(
    {
        **dict.fromkeys(("ranges", "cmrs", "nodes", "free", "tdmrs", "span"), COUNT),
        **dict.fromkeys(("off_1g", "off_2m"), COUNT),
        "addresses": array(HEX),
    }
)
OUTCOME: Schema = {"$ref": "#/$defs/outcome"}
TWO_OUTCOMES = array(OUTCOME, minItems=2, maxItems=2)
SETTLED: Schema = {"enum": ["HOLDS", "VIOLATED", "UNDECIDED"]}
THEOREM = record(
    {
        **dict.fromkeys(("name", "short", "title", "statement", "formal", "trusts"), TEXT),
        "verdict": SETTLED,
        "reason": nullable(TEXT),
        "obligations": array(
            record(
                {
                    "name": TEXT,
                    "says": TEXT,
                    "kind": {"enum": ["formula", "check"]},
                    "verdict": SETTLED,
                    "reason": nullable(TEXT),
                    "solvers": array(
                        record(
                            {
                                "solver": TEXT,
                                "found": {"enum": ["sat", "unsat", "unknown"]},
                                "steps": COUNT,
                                "seconds": nullable({"type": "number", "minimum": 0}),
                            }
                        )
                    ),
                    "vacuous": nullable(FLAG),
                    "counterexample": nullable(
                        {"type": "object", "additionalProperties": {"type": ["integer", "boolean"]}}
                    ),
                    "failing": array(TEXT),
                    "shown": nullable(TEXT),
                }
            )
        ),
        "mutants": array(record({"name": TEXT, "says": TEXT, "caught": FLAG})),
    }
)

REPAIR_KIND: Schema = {"enum": ["withdraw", "online", "free", "reserve", "variant", "cut", "merge"]}

VERDICTS: dict[str, list[str | None]] = {
    "import": [None],
    "show": [None],
    "sizes": [None],
    "export": [None],
    "simulate": ["SUCCEEDS", "FAILS"],
    "check": ["ACCEPTED", "REFUSED"],
    "place": ["OPTIMAL", "FEASIBLE", "INFEASIBLE", "UNDECIDED"],
    "repair": ["OPTIMAL", "FEASIBLE", "INFEASIBLE", "UNDECIDED"],
    "diff": ["EQUAL", "DIFFERS", "UNDECIDED"],
    "verify": ["HOLDS", "VIOLATED", "UNDECIDED"],
    "prove": ["HOLDS", "VIOLATED", "UNDECIDED"],
    "certify": ["VALID", "HOLEY", "INVALID"],
    "conform": ["EQUAL", "DIFFERS"],
    "judge": ["EQUAL", "DIFFERS"],
}

FIELDS: dict[str, Schema] = {
    "import": record(
        {
            "inputs": array(FILE),
            "machine": {"$ref": "machine.schema.json"},
            "memory_from": TEXT,
            "conflicts": array(
                record({"subject": TEXT, "kept": TEXT, "dropped": TEXT, "rule": TEXT})
            ),
            "notes": array(record({"text": TEXT, "origin": TEXT})),
            "unread": array(record({"file": TEXT, "line": COUNT, "kind": TEXT, "text": TEXT})),
            "facts": array(record({"text": TEXT, "origin": TEXT})),
        }
    ),
    "show": record(
        {
            "configuration": nullable(FILE),
            "policy": nullable(TEXT),
            "cmrs": array(SPAN),
            "memory": array(record({"start": HEX, "end": HEX, "node": COUNT})),
            "holes": array(SPAN),
            "tdmrs": array(
                record(
                    {
                        "start": HEX,
                        "end": HEX,
                        "home": nullable(COUNT),
                        "pamts": array(SPAN),
                        "pamt_node": nullable(COUNT),
                        "areas": COUNT,
                    }
                )
            ),
            "reserved": array(SPAN),
            "max_reserved_per_tdmr": COUNT,
        }
    ),
    "sizes": record(
        {
            "dynamic_pamt": FLAG,
            "pamt_kb": COUNT,
            "pamt_pages": COUNT,
            "tdmrs": array(
                record(
                    {
                        "size": HEX,
                        "pamt_4k": HEX,
                        "pamt_2m": HEX,
                        "pamt_1g": HEX,
                        "nr_pages": COUNT,
                    }
                )
            ),
        }
    ),
    "simulate": record(
        {
            "policy": TEXT,
            "ret": {"type": "integer", "maximum": 0},
            "outcome": TEXT,
            "messages": array(TEXT),
            "levels": {"type": "string", "pattern": "^[IWE]*$"},
            "kernel_warnings": COUNT,
            "nr_tdmrs": COUNT,
            "pamt_kb": COUNT,
            "failed_tdmr": COUNT,
            "tdmrs": array(PLANNED),
            "module": nullable(record(STATUS_FIELDS)),
            "needed_areas": array(
                record(
                    {
                        "kind": TEXT,
                        "start": HEX,
                        "end": HEX,
                        "owner": nullable(COUNT),
                        "notes": array(record({"text": TEXT, "origin": TEXT})),
                    }
                )
            ),
        },
        optional=("pamt_kb", "failed_tdmr"),
    ),
    "check": record(
        {
            "configuration": FILE,
            **STATUS_FIELDS,
            "cmr": nullable(COUNT),
            "call": {"enum": ["TDH.SYS.INIT", "TDH.SYS.CONFIG"]},
            "warnings": array(
                record(
                    {
                        "kind": {"enum": ["uncovered", "needlessly-reserved"]},
                        "start": HEX,
                        "end": HEX,
                        "tdmr": nullable(COUNT),
                        "area": nullable(COUNT),
                    }
                )
            ),
        }
    ),
    "place": record(
        {
            "space": record({"tdmrs": TEXT, "pamt": TEXT, "reserve": TEXT, "give_up": COUNT}),
            "order": array(TEXT),
            "configuration": nullable(CONFIGURATION),
            "canonical": FLAG,
            "given_up": array(SPAN),
            "objective": nullable(OBJECTIVE),
            "bound": nullable(OBJECTIVE),
            "gap": nullable(record({"component": TEXT, "by": NUMBER})),
            "reason": nullable(TEXT),
            "stopped_by": nullable(
                {"enum": ["steps", "time", "interrupt", "memory", "size", "method"]}
            ),
            "certificate": nullable(
                record(
                    {
                        "checked": nullable({"enum": ["valid", "holey"]}),
                        "trusted_steps": COUNT,
                        "file": nullable(TEXT),
                    }
                )
            ),
            "explanation": array(
                record(
                    {
                        "headline": TEXT,
                        "minimal": FLAG,
                        "items": array(record({"text": TEXT, "origins": array(TEXT)})),
                    }
                )
            ),
            "relaxations": nullable(
                record(
                    {
                        "tdmrs_free": nullable(FLAG),
                        "pamt_split": nullable(FLAG),
                        "reserve_cmr": nullable(FLAG),
                        "reserve_minimal": nullable(FLAG),
                        "give_up": nullable(COUNT),
                        "give_up_at_least": COUNT,
                        "give_up_at_most": nullable(COUNT),
                        "together": nullable(array(TEXT)),
                    },
                    optional=("tdmrs_free", "pamt_split", "reserve_cmr", "reserve_minimal"),
                )
            ),
            "greedy": nullable(RIVAL),
            "rivals": array(RIVAL),
            "engine": TEXT,
            "statistics": {"type": "object", "additionalProperties": COUNT},
        }
    ),
    "export": record(
        {
            "to": {"enum": ["smt2"]},
            "space": record({"tdmrs": TEXT, "pamt": TEXT, "reserve": TEXT, "give_up": COUNT}),
            "at_most": {"type": "object", "additionalProperties": NUMBER},
            "assertions": COUNT,
            "text": TEXT,
        }
    ),
    "diff": record(
        {
            "policies": array(TEXT, minItems=2, maxItems=2),
            "scope": nullable(SCOPE),
            "cases": nullable(record({"all": COUNT, "done": COUNT})),
            "obligations": nullable(record({"asked": COUNT, "steps": COUNT})),
            "undecided": array(TEXT),
            "vacuity": array(record({"what": TEXT, "passed": FLAG, "detail": TEXT})),
            "differences": array(
                record(
                    {
                        "answers": array(TEXT, minItems=2, maxItems=2),
                        "machine": {"$ref": "machine.schema.json"},
                        "outcomes": TWO_OUTCOMES,
                        "measure": MEASURE,
                        "smallest": FLAG,
                        "saved": nullable(TEXT),
                    }
                )
            ),
            "machines": nullable(
                array(record({"input": FILE, "same": FLAG, "outcomes": TWO_OUTCOMES}))
            ),
            "covered": COVERED,
            "stopped": nullable(TEXT),
        }
    ),
    "verify": record(
        {
            "property": TEXT,
            "property_words": TEXT,
            "policy": TEXT,
            "scope": SCOPE,
            "cases": record({"all": COUNT, "done": COUNT}),
            "obligations": record({"asked": COUNT, "trivial": COUNT, "steps": COUNT}),
            "undecided": array(TEXT),
            "vacuity": array(record({"what": TEXT, "passed": FLAG, "detail": TEXT})),
            "counterexample": nullable({"$ref": "machine.schema.json"}),
            "why": nullable(TEXT),
            "measure": nullable(MEASURE),
            "smallest": nullable(FLAG),
            "necessary": array(TEXT),
            "free_fields": array(TEXT),
            "outcome": nullable(OUTCOME),
            "placement": nullable(
                record(
                    {
                        "verdict": {"enum": ["OPTIMAL", "FEASIBLE", "INFEASIBLE", "UNDECIDED"]},
                        "space": TEXT,
                    }
                )
            ),
            "saved": nullable(TEXT),
            "covered": COVERED,
            "stopped": nullable(TEXT),
            "untested": nullable(TEXT),
        }
    ),
    "prove": record(
        {
            "obligations": COUNT,
            "discharged": COUNT,
            "mutants": COUNT,
            "caught": COUNT,
            "missing_solvers": array(TEXT),
            "not_reached": array(TEXT),
            "theorems": array(THEOREM),
            "smt2": array(TEXT),
        }
    ),
    "certify": record(
        {
            "certificate": FILE,
            "proves": {"enum": ["OPTIMAL", "FEASIBLE", "INFEASIBLE"]},
            "space": record({"tdmrs": TEXT, "pamt": TEXT, "reserve": TEXT, "give_up": COUNT}),
            "order": array(TEXT),
            "value": nullable({"type": "object", "additionalProperties": NUMBER}),
            "bound": nullable({"type": "object", "additionalProperties": NUMBER}),
            "claims": COUNT,
            "steps": {"type": "object", "additionalProperties": COUNT},
            "trusted_steps": COUNT,
            "fault": nullable(record({"step": TEXT, "expected": TEXT, "found": TEXT})),
        }
    ),
    "repair": record(
        {
            "policy": TEXT,
            "needed": FLAG,
            "ret": {"type": "integer", "maximum": 0},
            "outcome": TEXT,
            "failed_tdmr": nullable(COUNT),
            "cost": nullable(COUNT),
            "bound": nullable(COUNT),
            "repairs": array(
                record(
                    {
                        "kind": REPAIR_KIND,
                        "cost": COUNT,
                        "bound": COUNT,
                        "optimal": FLAG,
                        "summary": TEXT,
                        "actions": array(TEXT),
                        "ranges": array(SPAN),
                        "memmap": array(TEXT),
                        "alternatives": array(
                            record({"first": HEX, "last": HEX, "pages": COUNT, "cuts": array(HEX)})
                        ),
                        "max_areas": COUNT,
                        "pamt_kb": COUNT,
                        "configuration": nullable(CONFIGURATION),
                    }
                )
            ),
            "missing": array(record({"kind": REPAIR_KIND, "reason": TEXT, "proven": FLAG})),
            "stopped": nullable(TEXT),
            "margins_after": nullable(REPAIR_KIND),
            "margins": array(
                record(
                    {
                        "kind": {"enum": ["areas", "chunk", "loss"]},
                        "text": TEXT,
                        "tdmr": nullable(COUNT),
                        "node": nullable(COUNT),
                        "number": nullable(COUNT),
                        "size": nullable(HEX),
                    }
                )
            ),
        }
    ),
    "conform": record(
        {
            "authority": {"enum": ["kernel", "module", "cmr"]},
            "runs": COUNT,
            "counts": {"type": "object", "additionalProperties": COUNT},
            "differing_runs": COUNT,
            "differences": array(
                record(
                    {
                        "id": TEXT,
                        "variant": nullable(TEXT),
                        "field": TEXT,
                        "recorded": ANY,
                        "ours": ANY,
                    }
                )
            ),
        }
    ),
    "judge": record(
        {
            "cases": COUNT,
            "differing_cases": COUNT,
            "results": array(
                record(
                    {
                        "case": TEXT,
                        "file": TEXT,
                        "verdict": nullable(TEXT),
                        "exit": COUNT,
                        "differences": array(record({"path": TEXT, "expected": ANY, "found": ANY})),
                    }
                )
            ),
        }
    ),
}

WITH_OUTCOMES = ("verify", "diff")
"""Commands whose results hold what a policy does, as `simulate` tells it."""


def result_schemas() -> dict[str, Schema]:
    """The schema of each command's result, by command."""
    return {command: _whole(command, fields) for command, fields in FIELDS.items()}


TOOL = record(
    {
        "name": {"const": "pamt"},
        "version": TEXT,
        "solvers": {"type": "object", "additionalProperties": TEXT},
    }
)


def error_schema() -> Schema:
    """What stands in for a result where there is none: every command has the same."""
    problem = {**dict.fromkeys(("file", "what", "expected", "found", "hint"), TEXT), "line": COUNT}
    fields: dict[str, Schema] = {
        "format": {"const": FORMAT},
        "command": nullable(TEXT),
        "tool": TOOL,
        "input": {"type": "null"},
        "verdict": {"type": "null"},
        "exit": {"enum": [2, 3, 70]},
        "errors": array(record(problem), minItems=1),
        "omitted": COUNT,
    }
    title = "What pamt COMMAND --json prints where it has no result"
    return {"$schema": DRAFT, "title": title, **record(fields)}


def _whole(command: str, fields: Schema) -> Schema:
    common: dict[str, Schema] = {
        "format": {"const": FORMAT},
        "command": {"const": command},
        "tool": TOOL,
        "input": nullable(FILE),
        "verdict": {"enum": VERDICTS[command]},
        "exit": {"enum": [0, 1, 3]},
        "assumptions": array(record({"id": TEXT, "text": TEXT, "consequence": TEXT})),
    }
    shared = {"$defs": {"outcome": FIELDS["simulate"]}} if command in WITH_OUTCOMES else {}
    return {
        "$schema": DRAFT,
        "title": f"The result of pamt {command} --json",
        **fields,
        "properties": {**common, **fields["properties"]},
        "required": [*common, *fields["required"]],
        **shared,
    }


def schema_texts() -> dict[str, str]:
    """The text of each schema file, by its file name."""
    schemas = {**result_schemas(), "error": error_schema()}
    return {
        f"result-{name}.schema.json": json.dumps(schema, indent=2) + "\n"
        for name, schema in schemas.items()
    }


def main(folder: str = "specs/schema") -> None:
    """Write the schema files into `folder`."""
    for name, text in schema_texts().items():
        Path(folder, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])
