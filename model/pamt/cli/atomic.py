"""Write a file whole or not at all, and never over a file that the same command reads."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

import click

__all__ = ["keep_apart", "named_files", "write_whole"]

FILE_ARGUMENTS = frozenset(
    {"machine", "machines", "configuration", "file", "files", "paths", "policy", "policies"}
)
"""Arguments of commands that name files (or policies, which may be in files) to read."""
FILE_OPTIONS = frozenset({"--policy", "--property"})


def named_files(context: click.Context) -> tuple[list[str], list[Path]]:
    """The files that a command line names: those to read, and those to write."""
    read: list[str] = []
    written: list[Path] = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if isinstance(value, Path):
            written.append(value)
        elif parameter.name in FILE_ARGUMENTS or FILE_OPTIONS & set(parameter.opts):
            read += (value,) if isinstance(value, str) else value or ()
    return read, written


def keep_apart(read: Iterable[str | Path], written: Iterable[Path]) -> None:
    """Refuse to write to a file that is read, or twice to one.  Raises click.UsageError.

    A file is known by what it is, not by its name: links do not hide it.  What is not a regular
    file (a folder, a pipe, ``/dev/null``) may be named as often as one likes.
    """
    outputs = list(written)
    for name in read:
        for path in outputs:
            if any(_same(source, path) for source in _sources(str(name))):
                raise click.UsageError(
                    f"{path} would be overwritten: it is read, too ({name}); give another name"
                )
    for one, other in combinations(outputs, 2):
        if _same(one, other) or (_status(one) is None and one.resolve() == other.resolve()):
            raise click.UsageError(f"{one} would be written twice; give two names")


def _sources(name: str) -> Iterator[int | Path]:
    """What a word that names an input reads: a file, standard input, or ``FILE.py:function``."""
    if name == "-":
        yield 0
        return
    yield Path(name)
    if ".py:" in name:
        file = name.rpartition(":")[0]
        yield Path(file)
        yield Path(file.partition(":")[2])  # no-worse-than:FILE.py:function


def _same(one: int | Path, other: Path) -> bool:
    first, second = _status(one), _status(other)
    if first is None or second is None:
        return False
    return stat.S_ISREG(first.st_mode) and os.path.samestat(first, second)


def _status(file: int | Path) -> os.stat_result | None:
    """None where there is no such file."""
    try:
        return os.fstat(file) if isinstance(file, int) else file.stat()
    except (OSError, ValueError):
        return None


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path`: readers see the old file or the new one, never half of it.

    A path that names something other than a regular file (a pipe, ``/dev/stdout``) is written to
    as it is.  Raises OSError.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    target = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
