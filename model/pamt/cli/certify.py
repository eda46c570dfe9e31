"""``pamt certify``: does a certificate prove its verdict?  No solver, no search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pamt.cli.answer import Answer, Output, common, finish

if TYPE_CHECKING:
    from pamt.certificate import Certificate, Malformed
    from pamt.maps.errors import InputErrors
    from pamt.report.envelope import InputFile

__all__ = ["command", "load_certificate_file"]

OTHER_KINDS = {
    "cmr": "a machine file",
    "memory": "a machine file",
    "tdmr": "a configuration file",
    "ask": "a case file",
}
"""Keys that files of other kinds have and certificates do not."""


@click.command("certify")
@click.argument("file")
@click.argument("machine")
@common
def command(file: str, machine: str, output: Output) -> int:
    """Check what `pamt place` certifies, without a solver.

    FILE is a certificate (specs/certificate.md), MACHINE the map it speaks of.  Everything that
    its steps rest on is rebuilt from the map.  Verdict: VALID, HOLEY (right as far as it was
    checked, but some steps rest on a solver's word) or INVALID, with the first step that is wrong.
    """
    from pamt.certificate import check_certificate
    from pamt.cli.inputs import load_machine
    from pamt.maps.errors import InputErrors, InputProblem, gather
    from pamt.placement import InputError
    from pamt.report.certify import Certified, certify_fields, certify_text

    (certificate, certificate_file), loaded = gather(
        lambda: load_certificate_file(file), lambda: load_machine(machine)
    )
    try:
        checked = check_certificate(certificate, loaded.machine)
    except InputError as error:
        problem = InputProblem(machine, 0, "", "a machine that can be asked about", str(error))
        raise InputErrors([problem]) from None
    certified = Certified(certificate_file, certificate, loaded.name, machine, checked)
    return finish(
        Answer(
            "certify",
            certified.verdict,
            loaded.file,
            lambda: certify_fields(certified),
            lambda: certify_text(certified),
            loaded.completed.assumptions,
        ),
        output,
    )


def load_certificate_file(path: str) -> tuple[Certificate, InputFile]:
    """Read a certificate (``-``: standard input).

    Raises InputErrors, with the line, for a file that is none.
    """
    from pamt.certificate import Malformed, load_certificate
    from pamt.cli.inputs import digest
    from pamt.maps.document import read_bytes
    from pamt.maps.errors import InputErrors, InputProblem

    content, name = read_bytes(path)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = InputProblem(name, line, "", "a certificate in UTF-8", "a byte that is not")
        raise InputErrors([problem]) from None
    try:
        return load_certificate(text), digest(name, content)
    except Malformed as fault:
        raise _located(fault, text, name) from None


def _located(fault: Malformed, text: str, name: str) -> InputErrors:
    """The fault with its line.  A text that is no JSON at all gets the JSON reader's own errors."""
    from pamt.maps.document import parse
    from pamt.maps.errors import InputErrors, InputProblem
    from pamt.maps.json_path import split_path
    from pamt.maps.positions import locate

    try:
        document = parse(text, name, "a certificate")
        if "claims" not in document.data:
            document.refuse_other_kind("a certificate (specs/certificate.md)", OTHER_KINDS)
    except InputErrors as errors:
        return errors
    if document.syntax != "json":
        problem = InputProblem(name, 1, "", "a certificate, which is JSON", "TOML")
        return InputErrors([problem])
    at = () if fault.path == "file" else split_path(fault.path)
    line = locate(text, document.syntax, [at])[at]
    what = "" if fault.path == "file" else fault.path
    found = str(fault).partition(", found ")[2]
    return InputErrors([InputProblem(name, line, what, fault.expected, found)])
