"""``pamt judge``: run case files and compare with what they expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pamt.cli.answer import Answer, Output, common, finish
from pamt.cli.exits import BAD_INPUT

if TYPE_CHECKING:
    from pamt.maps.case_file import Case, Difference, Inline

__all__ = ["Judged", "command", "find_cases", "judge_case"]

SUFFIX = ".pamt.toml"
MOST_ERRORS = 5


class Judged(NamedTuple):
    """One case, run: what its command answered, and where that is not as expected."""

    path: Path
    case: Case
    result: dict[str, Any]
    differences: tuple[Difference, ...]


def find_cases(paths: Sequence[str]) -> list[Path]:
    """Case files: those named, and those in the folders named (and below), in order.

    Raises InputErrors for a path that is not there or holds no case.
    """
    from pamt.maps.errors import InputErrors, InputProblem

    found: dict[Path, None] = {}
    problems: list[InputProblem] = []
    for given in paths:
        path = Path(given)
        inside = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not inside or not inside[0].exists():
            expected = f"a case file, or a folder with NAME{SUFFIX} files"
            what = "a folder without any" if path.is_dir() else "no such file"
            problems.append(InputProblem(given, 0, "", expected, what))
        found.update(dict.fromkeys(inside))
    if problems:
        raise InputErrors(problems)
    return list(found)


def judge_case(path: Path, case: Case) -> Judged:
    """Run the command that `case` asks for, as a user would, from the case's own folder.

    A command that ends with bad input answers with its exit code and the errors only.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pamt-judge-") as folder:
        result = _answer(path, case, Path(folder))
    return Judged(path, case, result, case.expect.differences(result))


def _answer(path: Path, case: Case, folder: Path) -> dict[str, Any]:
    import contextlib
    import io
    import json

    from pamt.cli.main import invoke
    from pamt.maps.errors import InputErrors

    words = list(case.ask)
    said = io.StringIO()
    try:
        # Faults of an inline table are told with the lines of the case file.
        case.read_machine()
        case.read_configuration()
        for given, name in ((case.machine, "machine.json"), (case.configuration, "tdmrs.json")):
            if given is not None:
                words.append(_as_file(given, folder / name))
        with contextlib.chdir(path.resolve().parent), contextlib.redirect_stdout(said):
            code = invoke([*words, "--json"])
    except InputErrors as errors:
        problems = [problem._asdict() for problem in errors.problems]
        return {"exit": BAD_INPUT, "verdict": None, "errors": problems}
    except click.ClickException as error:
        return {"exit": BAD_INPUT, "verdict": None, "errors": [{"found": error.format_message()}]}
    try:
        result: dict[str, Any] = json.loads(said.getvalue())
    except ValueError:
        # What goes wrong on the way to an answer (a stream that cannot be written) is said there.
        return {"exit": code, "verdict": None, "errors": [{"found": "no result"}]}
    assert result["exit"] == code
    return result


def _as_file(given: Path | Inline, path: Path) -> str:
    if isinstance(given, Path):
        return str(given.resolve())
    path.write_text(given.text(), encoding="utf-8")
    return str(path)


@click.command("judge")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@common
def command(paths: tuple[str, ...], output: Output) -> int:
    """Run case files and compare with what they expect.

    PATH is a file NAME.pamt.toml, or a folder of them.  Verdict: EQUAL, or DIFFERS if any case
    gets another verdict, exit code or JSON value than it expects.
    """
    from pamt.cli.atomic import keep_apart
    from pamt.maps.case_file import read_case
    from pamt.maps.errors import gather

    files = find_cases(paths)
    cases = gather(*[lambda file=file: read_case(file) for file in files])
    if output.file is not None:
        asked = [given for case in cases for given in (case.machine, case.configuration)]
        keep_apart([*files, *(one for one in asked if isinstance(one, Path))], [output.file])
    judged = [judge_case(file, case) for file, case in zip(files, cases, strict=True)]
    wrong = [one for one in judged if one.differences]
    verdict = "DIFFERS" if wrong else "EQUAL"

    def text() -> Iterator[str]:
        yield f"{verdict}: {len(judged)} cases, {len(wrong)} differ"
        for one in judged:
            said = one.result["verdict"] or f"exit {one.result['exit']}"
            mark = "differs" if one.differences else "ok"
            yield f"  {mark:8} {one.case.name}: {said}"
            told = one.result.get("errors", ()) if one.differences else ()
            for error in told[:MOST_ERRORS]:
                yield f"           {_error_text(error)}"
            if len(told) > MOST_ERRORS:
                yield f"           ... and {len(told) - MOST_ERRORS} more errors"
            for difference in one.differences:
                yield (
                    f"           {difference.path}: expected {difference.expected!r},"
                    f" found {difference.found!r}"
                )

    def fields() -> dict[str, Any]:
        return {
            "cases": len(judged),
            "differing_cases": len(wrong),
            "results": [
                {
                    "case": one.case.name,
                    "file": str(one.path),
                    "verdict": one.result["verdict"],
                    "exit": one.result["exit"],
                    "differences": [
                        {
                            "path": d.path,
                            "expected": d.expected,
                            "found": d.found if _is_json(d.found) else None,
                        }
                        for d in one.differences
                    ],
                }
                for one in judged
            ],
        }

    return finish(Answer("judge", verdict, None, fields, text), output)


def _error_text(error: dict[str, Any]) -> str:
    from pamt.maps.errors import InputProblem

    return str(InputProblem(**error)) if "file" in error else str(error["found"])


def _is_json(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool | list | dict)
