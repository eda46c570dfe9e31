"""Policies and predicates in a file of a user's own: ``path/to/file.py:function``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["UserFileError", "line_in", "load_function", "names_a_function"]


class UserFileError(ValueError):
    """The file or the function is not there, or the file cannot be loaded."""


def names_a_function(name: str) -> bool:
    """Whether `name` is of the kind ``FILE.py:function``."""
    return ".py:" in name


def load_function(where: str) -> Callable[..., Any]:
    """The function that ``FILE.py:function`` names.

    Raises UserFileError.  The file is run, as Python runs a module.
    """
    # Loading a file takes modules that no command needs without one.
    import importlib.util
    import sys

    path_text, _, name = where.rpartition(":")
    path = Path(path_text)
    if not path_text.endswith(".py") or not name:
        raise UserFileError(f"expected FILE.py:function, found {where!r}")
    if not path.is_file():
        raise UserFileError(f"{path}: no such file")
    module_name = f"pamt_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise UserFileError(
            f"{error.filename or path}:{error.lineno or 1}: expected Python, found: {error.msg}"
        ) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the user's file raises, SystemExit too
        raise UserFileError(
            f"{path}:{line_in(path, error)}: {type(error).__name__} while it was loaded: {error}"
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        raise UserFileError(f"{path}: no function {name!r}{_others(module)}")
    function: Callable[..., Any] = found
    return function


def line_in(file: str | Path, error: BaseException) -> int:
    """The line of `file` at which `error` came up, the innermost one; 1 if none is known."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file) and frame.lineno]
    return lines[-1] if lines else 1


def _others(module: Any) -> str:
    """The functions that a file does define."""
    own = [
        name
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == module.__name__
    ]
    return f"; it has {', '.join(own)}" if own else ""
