"""Configuration files: read for `check` and `show`, written by the commands that make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pamt.cli.answer import Output, say
from pamt.configuration import Configuration
from pamt.report.envelope import InputFile

__all__ = [
    "LoadedConfiguration",
    "configuration_product",
    "load_configuration",
    "one_standard_input",
    "refuse_other_endings",
    "writes_a_configuration",
]

ENDINGS = (".toml", ".json", ".bin", ".txt")


class LoadedConfiguration(NamedTuple):
    configuration: Configuration
    file: InputFile


def load_configuration(path: str) -> LoadedConfiguration:
    """Read a configuration file in TOML, JSON or raw TDMR_INFO.  Raises InputErrors."""
    from pamt.cli.inputs import digest
    from pamt.maps.configuration_file import configuration_from_text
    from pamt.maps.document import read_bytes

    content, name = read_bytes(path)
    return LoadedConfiguration(configuration_from_text(content, name), digest(name, content))


def one_standard_input(machine: str, configuration: str | None) -> None:
    """Refuse ``-`` for both files.  Raises click.UsageError."""
    if machine == configuration == "-":
        import click

        raise click.UsageError("standard input (-): MACHINE or CONFIGURATION, only one of them")


def writes_a_configuration(output: Output) -> bool:
    """Whether ``-o FILE`` asks for a configuration by its suffix: .toml, .bin, .json.

    With ``--json``, a .json file gets the result instead.
    """
    suffix = "" if output.file is None else output.file.suffix.lower()
    return suffix in ({".toml", ".bin"} if output.as_json else {".toml", ".bin", ".json"})


def refuse_other_endings(output: Output, what: str = "configuration", *, raw: bool = True) -> None:
    """Refuse a name for ``-o`` that does not say what to write.  Raises click.UsageError.

    `what` the command makes; `raw`: whether it has a binary form, too.
    """
    known = ENDINGS if raw else tuple(ending for ending in ENDINGS if ending != ".bin")
    if output.file is None or output.file.suffix.lower() in known:
        return
    if output.file.exists() and not output.file.is_file():
        # A device or a pipe (/dev/stdout) takes the text.
        return
    import click

    raise click.UsageError(
        f"-o {output.file}: expected a name that ends in {'.toml or .bin' if raw else '.toml'}"
        f" (the {what}), .json (the {what}; with --json the whole answer) or .txt (the text)"
    )


def configuration_product(
    output: Output, configuration: Configuration | None
) -> Callable[[], bytes] | None:
    """What ``-o FILE`` gets, if its name asks for a configuration.

    Where there is no configuration to write, that is said, and nothing is written.
    """
    if not writes_a_configuration(output):
        return None
    assert output.file is not None
    suffix = output.file.suffix.lower()

    def product() -> bytes:
        from pamt.maps.configuration_file import dump_configuration
        from pamt.maps.tdmr_info import write_tdmr_info

        assert configuration is not None
        if suffix == ".bin":
            return write_tdmr_info(configuration, str(output.file))
        return dump_configuration(configuration, "json" if suffix == ".json" else "toml").encode()

    if configuration is None:

        def nothing() -> bytes:
            say(f"{output.file}: not written, there is no configuration")
            return b""

        return nothing
    return product
